/* Makes keys and signs tokens with them, right ones and wrong ones: what a provider does. Wraps cjose, as
 * jws.c does on the other side. */
#ifndef WEIR_TEST_TOKEN_MAKER_H
#define WEIR_TEST_TOKEN_MAKER_H

#include <stddef.h>

struct maker_key;

/* bits: of an RSA key; 256 or 521: an EC key of that curve. */
struct maker_key *maker_rsa(size_t bits);
struct maker_key *maker_ec(size_t curve);
/* A shared secret of these bytes. */
struct maker_key *maker_oct(const void *bytes, size_t len);
void maker_key_free(struct maker_key **k);
/* Its public half as a JWK with that kid ("": none) and more members (",\"use\":\"sig\""), to be freed. */
char *maker_public(const struct maker_key *k, const char *kid, const char *more);

/* The claims signed, to be freed. kid and type may be NULL. */
char *maker_sign(const struct maker_key *k, const char *alg, const char *kid, const char *type,
		 const char *claims);
/* Three parts as they are, the third empty: nobody signed it. To be freed. */
char *maker_unsigned(const char *header, const char *claims);

#endif
