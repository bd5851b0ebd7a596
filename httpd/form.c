#include "form.h"

#include <string.h>

#include "guard.h"

bool
form_take(const char *text, size_t len, const char *name, char *out, size_t size)
{
	const char *end = text + len;
	size_t n = strlen(name);
	bool found = false;

	out[0] = '\0';
	for (const char *at = text; at < end;) {
		const char *stop = memchr(at, '&', (size_t)(end - at));

		if (stop == NULL)
			stop = end;
		if ((size_t)(stop - at) > n && at[n] == '=' && memcmp(at, name, n) == 0) {
			if (found ||
			    !percent_decode(at + n + 1, (size_t)(stop - at) - n - 1, true, out, size))
				return false;
			found = true;
		}
		at = stop + (stop < end);
	}
	return true;
}
