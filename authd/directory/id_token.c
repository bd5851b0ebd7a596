#include "id_token.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "oidc_settings.h"

#define SUB_MAX        255u /* characters: OpenID Connect Core 1.0 section 2 */
#define GROUP_NAME_MAX 512u
#define PATH_MAX_DEPTH 4u

/* --- whose, and of which login --- */

static bool
is_text(const char *is, const char *want)
{
	size_t len = strlen(want);

	return is != NULL && strlen(is) == len && sodium_memcmp(is, want, len) == 0;
}

static bool
judge_nonce(const struct json_doc *claims, const char *nonce, struct oidc_report *r)
{
	const char *is = json_get_string(claims, "nonce");

	if (nonce[0] == '\0' ? json_node_member(json_root(claims), "nonce") == NULL : is_text(is, nonce))
		return true;
	oidc_report_end(r, OIDC_WRONG_NONCE, is == NULL ? "it has none" : NULL);
	return false;
}

/* The left half of the hash of the access token (OpenID Connect Core 1.0 section 3.1.3.6). */
static bool
judge_hash(const struct signed_token *t, const char *access_token, struct oidc_report *r)
{
	const char *is = json_get_string(t->claims, "at_hash");
	unsigned char hash[crypto_hash_sha512_BYTES];
	size_t half = t->algorithm->bits / 16;
	char want[64];

	if (json_node_member(json_root(t->claims), "at_hash") == NULL || access_token == NULL)
		return true;
	if (t->algorithm->bits == 256)
		crypto_hash_sha256(hash, (const unsigned char *)access_token, strlen(access_token));
	else
		crypto_hash_sha512(hash, (const unsigned char *)access_token, strlen(access_token));
	(void)sodium_bin2base64(want, sizeof(want), hash, half, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	if (is_text(is, want))
		return true;
	oidc_report_end(r, OIDC_WRONG_HASH, "at_hash differs");
	return false;
}

static bool
judge_age(const struct id_token_rules *k, struct oidc_report *r)
{
	int64_t ago = k->all.now_s - r->auth_time_s;

	if (k->max_age_s == 0 || (r->auth_time_s != 0 && ago <= k->max_age_s + k->all.skew_s))
		return true;
	if (r->auth_time_s == 0)
		oidc_report_end(r, OIDC_STALE, "auth_time is missing");
	else
		oidc_report_end(r, OIDC_STALE, "%lld s, and the settings allow %lld s", (long long)ago,
				(long long)k->max_age_s);
	return false;
}

static bool
take_subject(const struct json_doc *claims, struct oidc_report *r)
{
	r->sub = token_text(claims, "sub");
	r->sid = token_text(claims, "sid");
	r->jti = token_text(claims, "jti");
	if (r->sub != NULL && strlen(r->sub) <= SUB_MAX)
		return true;
	oidc_report_end(r, OIDC_WRONG_SUBJECT, "sub is missing, or no text of 1 to %u characters", SUB_MAX);
	return false;
}

bool
id_token_judge(const struct signed_token *t, const struct id_token_rules *k, struct oidc_report *r)
{
	/* A token of another kind that the same keys sign: RFC 8725 section 3.11. */
	if (t->type[0] != '\0' && strcasecmp(t->type, "JWT") != 0 &&
	    strcasecmp(t->type, "application/jwt") != 0) {
		oidc_report_end(r, OIDC_MALFORMED, "it is no ID token: typ is %.30s", t->type);
		return false;
	}
	return token_issuer_and_audience(t->claims, &k->all, r) && token_times(t->claims, &k->all, true, r) &&
	       judge_nonce(t->claims, k->nonce, r) && judge_hash(t, k->access_token, r) && judge_age(k, r) &&
	       take_subject(t->claims, r);
}

/* --- what is known of him --- */

/* The claim of that name; else, where it has dots, the one within others. */
static const struct json_node *
find_claim(const struct json_doc *claims, const char *name)
{
	const struct json_node *n = json_node_member(json_root(claims), name);
	AUTO(mem_drop) char *path = mem_strdup(name);
	char *part = path, *dot;

	if (n != NULL || strchr(name, '.') == NULL)
		return n;
	n = json_root(claims);
	for (unsigned depth = 0; n != NULL && depth < PATH_MAX_DEPTH; depth++) {
		dot = strchr(part, '.');
		if (dot != NULL)
			*dot = '\0';
		n = json_node_member(n, part);
		if (dot == NULL)
			return n;
		part = dot + 1;
	}
	return NULL;
}

static void
take(const struct json_doc *claims, const char *name, char **out)
{
	const char *text = name[0] == '\0' ? NULL : json_node_text(find_claim(claims, name));

	if (*out == NULL && text != NULL && text[0] != '\0' && strlen(text) < REPORT_TEXT_MAX)
		*out = mem_strdup(text);
}

static void
add_group(const struct json_node *n, struct oidc_report *r, size_t *strange)
{
	const char *name = json_node_text(n);

	if (name == NULL || name[0] == '\0' || strlen(name) > GROUP_NAME_MAX)
		++*strange;
	else
		(void)oidc_report_group(r, name);
}

/* Microsoft says so in one of two ways where they do not fit into the token. */
static bool
has_overage(const struct json_doc *claims, const char *claim)
{
	const struct json_node *root = json_root(claims);
	bool yes = false;

	return json_node_member(json_node_member(root, "_claim_names"), claim) != NULL ||
	       (json_node_bool(json_node_member(root, "hasgroups"), &yes) && yes);
}

static bool
take_groups(const struct json_doc *claims, const char *claim, struct oidc_report *r)
{
	const struct json_node *n = find_claim(claims, claim);
	size_t count = json_node_count(n), strange = 0;

	if (json_node_text(n) != NULL)
		add_group(n, r, &strange);
	/* As many as there may be at most, plus one by which it is seen that there are more. */
	for (size_t i = 0; i < count && !r->cut; i++)
		add_group(json_node_at(n, i), r, &strange);
	if (strange > 0)
		oidc_report_step(r, "claim %.80s: %zu of its values are no names of groups", claim, strange);
	if (has_overage(claims, claim)) {
		oidc_report_step(r, "claim %.80s: there are more groups than are told", claim);
		return false;
	}
	return json_node_text(n) != NULL || json_node_kind(n) == JSON_KIND_ARRAY;
}

bool
id_token_person(const struct json_doc *claims, const struct oidc_settings *s, struct oidc_report *r)
{
	take(claims, s->name_claim, &r->name);
	take(claims, s->title_claim, &r->title);
	if (r->email == NULL) {
		take(claims, "email", &r->email);
		(void)json_get_bool(claims, "email_verified", &r->email_verified);
	}
	return s->groups_claim[0] == '\0' || take_groups(claims, s->groups_claim, r);
}
