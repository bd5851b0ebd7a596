#include "jws.h"

#include <cjose/cjose.h>
#include <string.h>

#include "base/mem.h"

enum jws_verdict
jws_verify(const char *token, size_t len, const char *key, char **payload, size_t *payload_len)
{
	cjose_err err = { .code = CJOSE_ERR_NONE };
	enum jws_verdict v = JWS_NO_TOKEN;
	cjose_jws_t *jws = cjose_jws_import(token, len, &err);
	cjose_jwk_t *jwk = jws == NULL ? NULL : cjose_jwk_import(key, strlen(key), &err);
	uint8_t *plain = NULL;

	if (jws != NULL)
		v = jwk == NULL ? JWS_NO_KEY : cjose_jws_verify(jws, jwk, &err) ? JWS_GOOD : JWS_BAD;
	/* The library's bytes are its token's. */
	if (v == JWS_GOOD && cjose_jws_get_plaintext(jws, &plain, payload_len, &err)) {
		*payload = mem_calloc(*payload_len + 1, 1);
		memcpy(*payload, plain, *payload_len);
	} else if (v == JWS_GOOD) {
		v = JWS_NO_TOKEN;
	}
	if (jwk != NULL)
		(void)cjose_jwk_release(jwk);
	if (jws != NULL)
		cjose_jws_release(jws);
	return v;
}
