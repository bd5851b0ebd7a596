/* Tokens of strangers, and the claims of tokens that are signed: what is taken has all that it must have. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "id_token.h"
#include "logout_token.h"
#include "oidc_settings.h"

#define NOW INT64_C(1800000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key of RFC 7515 appendix A.3. */
static const char keys[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\",\"x\":"
			   "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
			   "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},{\"kty\":\"OKP\",\"crv\":"
			   "\"Ed25519\",\"x\":\"AA\"}]}";

static void
try_token(const char *text, size_t len)
{
	struct oidc_report *r = oidc_report_new();
	struct signed_token t;
	struct keyset k;
	char err[160];

	if (!keyset_read(keys, sizeof(keys) - 1, &k, err, sizeof(err)))
		abort();
	if (signed_token_open(text, len, UINT32_MAX, &k, &t, r))
		assert(t.claims != NULL && strcmp(t.algorithm->name, "ES256") == 0);
	else
		assert(r->verdict > OIDC_UNAVAILABLE && r->why[0] != '\0');
	signed_token_free(&t);
	keyset_free(&k);
	oidc_report_free(&r);
}

static void
try_claims(const char *text, size_t len, bool logout)
{
	const struct id_token_rules k = { { "https://a", "weir", NOW, 60 }, "n", "access", 600 };
	struct signed_token t = { .algorithm = oidc_algorithm_find("ES512") };
	struct oidc_report *r = oidc_report_new();
	struct oidc_settings s;
	char err[160];

	t.claims = json_parse(text, len, TOKEN_MAX, err, sizeof(err));
	if (t.claims != NULL && logout && logout_token_judge(&t, &k.all, r))
		assert(r->jti != NULL && (r->sub != NULL || r->sid != NULL) && r->issued_s <= NOW + 60);
	else if (t.claims != NULL && !logout && id_token_judge(&t, &k, r))
		assert(r->sub != NULL && r->sub[0] != '\0' && r->expires_s > NOW - 60 &&
		       r->issued_s <= NOW + 60 && r->auth_time_s >= NOW - 660 &&
		       strcmp(json_get_string(t.claims, "iss"), "https://a") == 0 &&
		       strcmp(json_get_string(t.claims, "nonce"), "n") == 0);
	else
		assert(t.claims == NULL || r->verdict > OIDC_UNAVAILABLE);
	if (t.claims != NULL && oidc_settings_read("{\"groups_claim\":\"a.b\"}", 22, &s, err, sizeof(err))) {
		(void)id_token_person(t.claims, &s, r);
		assert(r->ngroups <= OIDC_GROUPS_MAX);
		oidc_settings_free(&s);
	}
	signed_token_free(&t);
	oidc_report_free(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 3 == 0)
		try_token((const char *)data + 1, size - 1);
	else
		try_claims((const char *)data + 1, size - 1, data[0] % 3 == 1);
	return 0;
}
