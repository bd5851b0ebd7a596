#include "token_maker.h"

#include <cjose/cjose.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

struct maker_key {
	cjose_jwk_t *jwk;
};

static struct maker_key *
made(cjose_jwk_t *jwk)
{
	struct maker_key *k = mem_calloc(1, sizeof(*k));

	if (jwk == NULL)
		fatalx("no key can be made");
	k->jwk = jwk;
	return k;
}

struct maker_key *
maker_rsa(size_t bits)
{
	static const uint8_t e[] = { 1, 0, 1 };
	cjose_err err;

	return made(cjose_jwk_create_RSA_random(bits, e, sizeof(e), &err));
}

struct maker_key *
maker_ec(size_t curve)
{
	cjose_err err;

	return made(cjose_jwk_create_EC_random(curve == 256 ? CJOSE_JWK_EC_P_256 : CJOSE_JWK_EC_P_521, &err));
}

struct maker_key *
maker_oct(const void *bytes, size_t len)
{
	cjose_err err;

	return made(cjose_jwk_create_oct_spec(bytes, len, &err));
}

void
maker_key_free(struct maker_key **k)
{
	(void)cjose_jwk_release((*k)->jwk);
	free(*k);
	*k = NULL;
}

char *
maker_public(const struct maker_key *k, const char *kid, const char *more)
{
	cjose_err err;
	char *json = cjose_jwk_to_json(k->jwk, false, &err), *out;
	size_t size = strlen(json) + strlen(kid) + strlen(more) + 32;

	/* Its closing brace comes last. */
	json[strlen(json) - 1] = '\0';
	out = mem_calloc(size, 1);
	(void)snprintf(out, size, "%s%s%s%s%s}", json, kid[0] == '\0' ? "" : ",\"kid\":\"", kid,
		       kid[0] == '\0' ? "" : "\"", more);
	free(json);
	return out;
}

char *
maker_sign(const struct maker_key *k, const char *alg, const char *kid, const char *type, const char *claims)
{
	cjose_err err;
	cjose_header_t *header = cjose_header_new(&err);
	const char *text = NULL;
	cjose_jws_t *jws;
	char *out;

	if (!cjose_header_set(header, CJOSE_HDR_ALG, alg, &err) ||
	    (kid != NULL && !cjose_header_set(header, CJOSE_HDR_KID, kid, &err)) ||
	    (type != NULL && !cjose_header_set(header, "typ", type, &err)))
		fatalx("no header can be made");
	jws = cjose_jws_sign(k->jwk, header, (const uint8_t *)claims, strlen(claims), &err);
	if (jws == NULL || !cjose_jws_export(jws, &text, &err))
		fatalx("nothing can be signed with %s: %s", alg, err.message);
	out = mem_strdup(text);
	cjose_jws_release(jws);
	cjose_header_release(header);
	return out;
}

char *
maker_unsigned(const char *header, const char *claims)
{
	size_t size = 2 * (strlen(header) + strlen(claims)) + 16, at;
	char *out = mem_calloc(size, 1);

	(void)sodium_bin2base64(out, size, (const unsigned char *)header, strlen(header),
				sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	at = strlen(out);
	out[at++] = '.';
	(void)sodium_bin2base64(out + at, size - at, (const unsigned char *)claims, strlen(claims),
				sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	out[strlen(out)] = '.';
	return out;
}
