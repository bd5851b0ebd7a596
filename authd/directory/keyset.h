/* The keys that a provider publishes (JWK Set: RFC 7517 section 5). */
#ifndef WEIR_DIRECTORY_KEYSET_H
#define WEIR_DIRECTORY_KEYSET_H

#include <stdbool.h>
#include <stddef.h>

#include "oidc_algorithm.h"

#define KEYSET_MAX       (256u << 10) /* bytes of the set */
#define KEYSET_KEYS_MAX  64u
#define KEY_RSA_BITS_MIN 2048u
#define KEY_RSA_BITS_MAX 8192u

struct json_doc;
struct json_node;

struct keyset {
	struct json_doc *doc;
	const struct json_node *keys;
	size_t n;
};

/* False with a sentence. Keys of unknown kinds are no mistake: none is looked at here. */
bool keyset_read(const char *text, size_t len, struct keyset *k, char *err, size_t errsize);
void keyset_free(struct keyset *k);

/* Whether the i-th key may be what a token with that algorithm and kid (NULL: it names none) was signed with:
 * its kind, what it is for, and its size. Keys of kinds that Weir does not know never are. */
bool keyset_suits(const struct keyset *k, size_t i, const struct oidc_algorithm *a, const char *kid);
/* The i-th key as JSON, to be freed. */
char *keyset_key(const struct keyset *k, size_t i);

#endif
