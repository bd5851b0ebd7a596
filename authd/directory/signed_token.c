#include "signed_token.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "jws.h"

#define HEADER_MAX    4096u /* bytes of JSON */
#define KID_MAX       256u
#define AUDIENCES_MAX 64u
#define TIME_MAX      1e12 /* Unix seconds */

/* --- form --- */

/* Three parts of base64url (RFC 7515 section 7.1). The last is empty where alg is none, which is refused by
 * name. */
static bool
has_form(const char *text, size_t len, size_t *header_len)
{
	size_t dots = 0, last = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '.') {
			if (i == last || ++dots > 2)
				return false;
			*header_len = dots == 1 ? i : *header_len;
			last = i + 1;
		} else if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			     c == '-' || c == '_')) {
			return false;
		}
	}
	return dots == 2;
}

static struct json_doc *
read_header(const char *text, size_t len, char *err, size_t errsize)
{
	char json[HEADER_MAX];
	size_t n;

	if (len > HEADER_MAX || sodium_base642bin((unsigned char *)json, sizeof(json), text, len, NULL, &n,
						  NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0) {
		(void)snprintf(err, errsize, "it is no base64url, or too long");
		return NULL;
	}
	return json_parse(json, n, sizeof(json), err, errsize);
}

/* --- key and signature --- */

static const struct oidc_algorithm *
choose_algorithm(const struct json_doc *header, uint32_t allowed, struct oidc_report *r)
{
	const char *name = json_get_string(header, "alg");
	const struct oidc_algorithm *a = name == NULL ? NULL : oidc_algorithm_find(name);

	if (a != NULL && (allowed >> oidc_algorithm_index(a) & 1) != 0)
		return a;
	if (name == NULL)
		oidc_report_end(r, OIDC_ALGORITHM, "it names none");
	else if (strcasecmp(name, "none") == 0)
		oidc_report_end(r, OIDC_ALGORITHM, "alg is none: it is not signed at all");
	else if (strncasecmp(name, "HS", 2) == 0)
		oidc_report_end(r, OIDC_ALGORITHM,
				"alg is %.20s: signed with a shared secret, which a public key is not", name);
	else
		oidc_report_end(r, OIDC_ALGORITHM, "alg is %.40s", name);
	return NULL;
}

/* Every key that suits is tried: more than one does only where the token names none, or a name is taken
 * twice.
 */
static bool
verify(const char *text, size_t len, const struct keyset *keys, const struct oidc_algorithm *a,
       const char *kid, char **payload, size_t *payload_len, struct signed_token *t, struct oidc_report *r)
{
	enum jws_verdict v;
	size_t tried = 0;

	for (size_t i = 0; i < keys->n; i++) {
		AUTO(mem_drop) char *key = NULL;

		if (!keyset_suits(keys, i, a, kid))
			continue;
		key = keyset_key(keys, i);
		v = key == NULL ? JWS_NO_KEY : jws_verify(text, len, key, payload, payload_len);
		if (v == JWS_GOOD)
			return true;
		tried += v == JWS_BAD;
		if (v == JWS_NO_TOKEN) {
			oidc_report_end(r, OIDC_MALFORMED, "it cannot be read");
			return false;
		}
	}
	t->rotated = tried == 0 || kid == NULL;
	if (tried == 0)
		oidc_report_end(r, OIDC_KEY_UNKNOWN, "kid \"%.80s\" for %s, of %zu keys",
				kid == NULL ? "" : kid, a->name, keys->n);
	else
		oidc_report_end(r, OIDC_SIGNATURE, "%s, kid \"%.80s\"", a->name, kid == NULL ? "" : kid);
	return false;
}

static bool
take_header(const struct json_doc *header, struct signed_token *t, const char **kid, struct oidc_report *r)
{
	const struct json_node *root = json_root(header);
	const char *type = json_get_string(header, "typ");

	*kid = json_get_string(header, "kid");
	if (json_node_member(root, "crit") != NULL)
		oidc_report_end(r, OIDC_MALFORMED, "its header asks for what Weir does not know (crit)");
	else if ((json_node_member(root, "kid") != NULL && *kid == NULL) ||
		 (*kid != NULL && strlen(*kid) > KID_MAX))
		oidc_report_end(r, OIDC_MALFORMED, "kid is no text, or too long");
	else if ((json_node_member(root, "typ") != NULL && type == NULL) ||
		 (type != NULL && !str_copy(t->type, sizeof(t->type), type)))
		oidc_report_end(r, OIDC_MALFORMED, "typ is no text, or too long");
	else
		return true;
	return false;
}

bool
signed_token_open(const char *text, size_t len, uint32_t algorithms, const struct keyset *keys,
		  struct signed_token *t, struct oidc_report *r)
{
	AUTO(mem_drop) char *payload = NULL;
	size_t header_len = 0, payload_len = 0;
	struct json_doc *header;
	const char *kid;
	char err[160];
	bool good;

	memset(t, 0, sizeof(*t));
	if (len == 0 || len > TOKEN_MAX || !has_form(text, len, &header_len)) {
		oidc_report_end(r, OIDC_MALFORMED,
				len > TOKEN_MAX ? "it is longer than %u bytes"
						: "it is not three parts of base64url, of at most %u bytes",
				TOKEN_MAX);
		return false;
	}
	header = read_header(text, header_len, err, sizeof(err));
	if (header == NULL) {
		oidc_report_end(r, OIDC_MALFORMED, "its header: %s", err);
		return false;
	}
	t->algorithm = choose_algorithm(header, algorithms, r);
	good = t->algorithm != NULL && take_header(header, t, &kid, r) &&
	       verify(text, len, keys, t->algorithm, kid, &payload, &payload_len, t, r);
	json_doc_free(&header);
	if (!good)
		return false;
	t->claims = json_parse(payload, payload_len, TOKEN_MAX, err, sizeof(err));
	if (t->claims == NULL)
		oidc_report_end(r, OIDC_MALFORMED, "its claims: %s", err);
	return t->claims != NULL;
}

void
signed_token_free(struct signed_token *t)
{
	json_doc_free(&t->claims);
}

/* --- claims --- */

char *
token_text(const struct json_doc *claims, const char *claim)
{
	const char *text = json_get_string(claims, claim);

	return text == NULL || text[0] == '\0' || strlen(text) >= REPORT_TEXT_MAX ? NULL : mem_strdup(text);
}

/* aud is one text or a list of them (RFC 7519 section 4.1.3). */
static bool
is_for(const struct json_node *aud, const char *client_id, size_t *n)
{
	const char *one = json_node_text(aud);
	bool found = false;

	*n = json_node_count(aud);
	if (one != NULL) {
		*n = 1;
		return strcmp(one, client_id) == 0;
	}
	for (size_t i = 0; i < *n && *n <= AUDIENCES_MAX; i++) {
		const char *is = json_node_text(json_node_at(aud, i));

		if (is == NULL)
			return false;
		found = found || strcmp(is, client_id) == 0;
	}
	return found;
}

bool
token_issuer_and_audience(const struct json_doc *claims, const struct token_rules *k, struct oidc_report *r)
{
	const struct json_node *root = json_root(claims);
	const struct json_node *aud = json_node_member(root, "aud");
	const char *iss = json_get_string(claims, "iss"), *azp = json_get_string(claims, "azp");
	size_t n;

	if (iss == NULL || strcmp(iss, k->issuer) != 0) {
		oidc_report_end(r, OIDC_WRONG_ISSUER, "iss is \"%.120s\", and not \"%.120s\"",
				iss == NULL ? "" : iss, k->issuer);
		return false;
	}
	if (k->client_id[0] == '\0' || !is_for(aud, k->client_id, &n)) {
		const char *one = json_node_text(json_node_count(aud) > 0 ? json_node_at(aud, 0) : aud);

		oidc_report_end(r, OIDC_WRONG_AUDIENCE, "aud is \"%.120s\"%s, and not \"%.120s\"",
				one == NULL ? "" : one, json_node_count(aud) > 1 ? " and others" : "",
				k->client_id);
		return false;
	}
	if ((json_node_member(root, "azp") != NULL || n > 1) &&
	    (azp == NULL || strcmp(azp, k->client_id) != 0)) {
		oidc_report_end(r, OIDC_WRONG_AUDIENCE, "azp is \"%.120s\", and not \"%.120s\"",
				azp == NULL ? "" : azp, k->client_id);
		return false;
	}
	return true;
}

/* False where it is there and no time. */
static bool
time_of(const struct json_doc *claims, const char *claim, int64_t *s)
{
	const struct json_node *n = json_node_member(json_root(claims), claim);
	double v;

	*s = 0;
	if (n == NULL)
		return true;
	if (!json_node_number(n, &v) || !(v >= 1 && v <= TIME_MAX))
		return false;
	*s = (int64_t)v;
	return true;
}

bool
token_times(const struct json_doc *claims, const struct token_rules *k, bool needs_exp, struct oidc_report *r)
{
	int64_t nbf;

	if (!time_of(claims, "iat", &r->issued_s) || !time_of(claims, "exp", &r->expires_s) ||
	    !time_of(claims, "nbf", &nbf) || !time_of(claims, "auth_time", &r->auth_time_s) ||
	    r->issued_s == 0 || (needs_exp && r->expires_s == 0)) {
		oidc_report_end(r, OIDC_MALFORMED, "iat or exp is missing, or a time is no number");
		return false;
	}
	if (r->expires_s != 0 && k->now_s >= r->expires_s + k->skew_s) {
		oidc_report_end(r, OIDC_EXPIRED,
				"it ended %lld s ago, and the settings allow clocks to differ by %lld s",
				(long long)(k->now_s - r->expires_s), (long long)k->skew_s);
		return false;
	}
	if (r->issued_s > k->now_s + k->skew_s || nbf > k->now_s + k->skew_s) {
		int64_t begin = nbf > r->issued_s ? nbf : r->issued_s;

		oidc_report_end(r, OIDC_TOO_EARLY, "it begins in %lld s, and the settings allow %lld s",
				(long long)(begin - k->now_s), (long long)k->skew_s);
		return false;
	}
	return true;
}
