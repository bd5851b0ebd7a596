#include "oidc_algorithm.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

/* Those with SHA-384 are left out, because libsodium has no such hash to hold at_hash against; EdDSA, because
 * cjose has none. cli/config_rules.c takes the same. */
static const struct oidc_algorithm table[] = {
	{ "RS256", "RSA", NULL, 256 }, { "PS256", "RSA", NULL, 256 }, { "ES256", "EC", "P-256", 256 },
	{ "RS512", "RSA", NULL, 512 }, { "PS512", "RSA", NULL, 512 }, { "ES512", "EC", "P-521", 512 },
};
static_assert(ARRAY_LEN(table) == OIDC_ALGORITHMS, "as the header says");

const struct oidc_algorithm *
oidc_algorithm_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

unsigned
oidc_algorithm_index(const struct oidc_algorithm *a)
{
	return (unsigned)(a - table);
}
