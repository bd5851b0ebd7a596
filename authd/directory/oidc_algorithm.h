/* The algorithms that tokens may be signed with (RFC 7518 section 3.1): asymmetric ones, and no others. */
#ifndef WEIR_DIRECTORY_OIDC_ALGORITHM_H
#define WEIR_DIRECTORY_OIDC_ALGORITHM_H

#include <stddef.h>

struct oidc_algorithm {
	const char *name;  /* "RS256": of the header's alg */
	const char *type;  /* of its keys (kty): "RSA" or "EC" */
	const char *curve; /* of its keys (crv); NULL: RSA has none */
	unsigned bits;     /* of the hash: 256 or 512 */
};

/* NULL where it is none of them: "none" and those with a shared secret (HS256) have no place in the table. */
const struct oidc_algorithm *oidc_algorithm_find(const char *name);
/* Its place in the table: below OIDC_ALGORITHMS. */
unsigned oidc_algorithm_index(const struct oidc_algorithm *a);

#define OIDC_ALGORITHMS 6u

#endif
