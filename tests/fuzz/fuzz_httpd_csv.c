/* A row as CSV, whatever its JSON is: one record of as many cells as there are columns, none of which begins
 * as a formula; and what a client accepts. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "csv.h"
#include "representation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Reads the record as RFC 4180 has it: how many cells it has. */
static size_t
cells(const char *at, const char *end)
{
	size_t n = 1;
	bool quoted = false, begins = true;

	for (; at < end - 2; at++) {
		if (quoted) {
			if (*at == '"' && at[1] == '"')
				at++;
			else if (*at == '"')
				quoted = false;
			continue;
		}
		if (begins && *at == '"') {
			assert(strchr("=+@\t\r", at[1]) == NULL || at[1] == '\0');
			quoted = true;
		}
		assert(*at != '\n' && *at != '\r');
		begins = *at == ',';
		n += begins;
	}
	assert(!quoted && memcmp(at, "\r\n", 2) == 0);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct csv *c = csv_new("a b.c b.d.e f");
	char *accept = mem_calloc(1, len + 1);
	struct text t = { 0 };

	memcpy(accept, data, len);
	assert(representation_of(accept) < REPRESENTATIONS);
	if (csv_row(c, (const char *)data, len, &t))
		assert(t.len >= 5 && cells(t.bytes, t.bytes + t.len) == 4);
	else
		assert(t.len == 0);
	text_free(&t);
	csv_free(&c);
	free(accept);
	return 0;
}
