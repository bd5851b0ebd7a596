/* Texts that come to weir-directory from others: addresses, settings, names that somebody typed, and what a
 * server says about an error. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/server_url.h"
#include "provider.h"
#include "refusal.h"
#include "template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever was typed: the filter has the parentheses and stars of its template, and no others. */
static void
stays_a_value(const char *typed)
{
	char out[4096];

	if (template_expand("(uid=%username%)", TEMPLATE_FILTER, typed, NULL, out, sizeof(out))) {
		size_t len = strlen(out);

		assert(len >= 6 && memcmp(out, "(uid=", 5) == 0 && out[len - 1] == ')');
		out[len - 1] = '\0';
		assert(strpbrk(out + 5, "()*") == NULL);
	}
	if (template_expand("uid=%username%,dc=x", TEMPLATE_DN, typed, NULL, out, sizeof(out))) {
		size_t len = strlen(out);

		assert(len >= 9 && strcmp(out + len - 5, ",dc=x") == 0);
		out[len - 5] = '\0';
		assert(strpbrk(out + 4, ",+;<>\"=") == NULL);
	}
	(void)template_expand("%username%@x", TEMPLATE_PLAIN, typed, NULL, out, sizeof(out));
	(void)template_expand(typed, TEMPLATE_FILTER, "a", "cn=b", out, sizeof(out));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct server_url u;
	struct provider p;
	char err[160], *text;

	if (size == 0)
		return 0;
	text = mem_calloc(size, 1);
	memcpy(text, data + 1, size - 1);
	switch (data[0] % 4) {
	case 0:
		if (server_url_ldap(text, &u))
			assert(u.host[0] != '\0' && u.port != 0);
		break;
	case 1:
		stays_a_value(text);
		break;
	case 2:
		assert(refusal_of(49, text, POLICY_NOTHING) != DIRECTORY_RIGHT);
		break;
	default:
		if (size > 1 && provider_read(text, size - 1, &p, err, sizeof(err)))
			provider_free(&p);
	}
	free(text);
	return 0;
}
