#include "table.h"

#include <stdio.h>

#include "base/mem.h"

static void
scale(double v, char *out, size_t size, const char *unit)
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T", "P", "E" };
	size_t i = 0;

	while (v >= 999.5 && i + 1 < ARRAY_LEN(prefixes)) {
		v /= 1000;
		i++;
	}
	(void)snprintf(out, size, i > 0 && v < 99.95 ? "%.1f %s%s" : "%.0f %s%s", v, prefixes[i], unit);
}

const char *
show_bytes(uint64_t bytes, char out[static 16])
{
	scale((double)bytes, out, 16, "B");
	return out;
}

const char *
show_rate(uint64_t bytes_per_s, char out[static 20])
{
	scale((double)bytes_per_s * 8, out, 20, "bit/s");
	return out;
}
