/* What other sites put into a query or a form: whatever it is, a value ends within its room and has nothing
 * that could end a header. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "form.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	static const char *const names[] = { "state", "code", "iss", "logout_token", "" };
	char out[16];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		memset(out, 'x', sizeof(out));
		if (!form_take((const char *)d, n, names[i], out, sizeof(out)))
			continue;
		assert(memchr(out, 0, sizeof(out)) != NULL);
		for (const char *p = out; *p != '\0'; p++)
			assert((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
	return 0;
}
