/* Signatures of tokens (JWS, RFC 7515). Wraps cjose, which judges the signature and nothing else: what may be
 * signed how, and what the claims must be, is decided by who asks (signed_token.h). */
#ifndef WEIR_DIRECTORY_JWS_H
#define WEIR_DIRECTORY_JWS_H

#include <stddef.h>

enum jws_verdict {
	JWS_GOOD,
	JWS_BAD,      /* not signed by that key */
	JWS_NO_KEY,   /* the key is none that the library can use */
	JWS_NO_TOKEN, /* the token is none that the library can read */
};

/* token: len bytes in compact form. key: a JWK as text. Of a good one the payload, to be freed. */
enum jws_verdict jws_verify(const char *token, size_t len, const char *key, char **payload,
			    size_t *payload_len);

#endif
