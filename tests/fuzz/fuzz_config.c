/* A configuration of any bytes: every mistake is one printable line, and what is accepted is within its
 * bounds. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

static void
count(void *ctx, const char *line)
{
	assert(++*(unsigned *)ctx <= CONFIG_MISTAKES_MAX + 1);
	for (; *line != '\0'; line++)
		assert(*line >= 0x20 && *line < 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	struct settings s;
	unsigned mistakes = 0;
	char err[512];

	settings_default(&s);
	if (!config_load_text("fuzz", (const char *)d, n, &s, count, &mistakes)) {
		assert(mistakes > 0);
		return 0;
	}
	assert(mistakes == 0 && config_agrees(&s, err, sizeof(err)));
#define NUMBER(key, unit, field, min, max, def, help) assert(s.field >= (min) && s.field <= (max));
#define FLAG(key, field, def, help)
#define TEXT(key, field, size, def, help)   assert(memchr(s.field, 0, sizeof(s.field)) != NULL);
#define LIST(key, field, items, size, help) assert(s.field.n <= (items));
#include "base/settings.def"
#undef NUMBER
#undef FLAG
#undef TEXT
#undef LIST
	return 0;
}
