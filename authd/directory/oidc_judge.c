#include "oidc_judge.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "id_token.h"
#include "logout_token.h"

#define ANSWER_MAX   (64u << 10) /* bytes of what the token endpoint says */
#define USERINFO_MAX (512u << 10)
#define HTTP_OK      200

struct judging {
	const struct oidc_way *w;
	const struct wire_oidc_ask *ask;
	const struct discovery *d;
	struct oidc_report *r;
	struct keyset keys;
};

static struct token_rules
rules_of(const struct judging *j)
{
	return (struct token_rules){ j->w->issuer, j->w->settings->client_id, clock_utc_ns() / NS_PER_S,
				     j->w->settings->clock_skew_s };
}

static void
wipe(char **text)
{
	if (*text != NULL)
		sodium_memzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

/* --- tokens --- */

/* With the keys that are known; where the token names none of them, with those of now. False where it has
 * ended the report. */
static bool
open_token(struct judging *j, const char *text, struct signed_token *t)
{
	char err[256];
	char *keys;
	size_t len;

	if (signed_token_open(text, strlen(text), j->w->settings->algorithms, &j->keys, t, j->r))
		return true;
	if (!t->rotated)
		return false;
	keys = talk_newer_keys(j->w->sock, &len, err, sizeof(err));
	if (keys == NULL) {
		oidc_report_step(j->r, "newer keys are not had: %s", err);
		return false;
	}
	oidc_report_again(j->r);
	oidc_report_step(j->r, "the provider was asked for its keys again");
	keyset_free(&j->keys);
	if (!keyset_read(keys, len, &j->keys, err, sizeof(err))) {
		oidc_report_end(j->r, OIDC_UNAVAILABLE, "the keys: %s", err);
		free(keys);
		return false;
	}
	free(keys);
	return signed_token_open(text, strlen(text), j->w->settings->algorithms, &j->keys, t, j->r);
}

static void
judge_logout(struct judging *j)
{
	const struct token_rules rules = rules_of(j);
	struct signed_token t = { .claims = NULL };

	if (open_token(j, j->ask->proof, &t) && logout_token_judge(&t, &rules, j->r))
		oidc_report_end(j->r, OIDC_RIGHT, "the token ends a session");
	signed_token_free(&t);
}

/* --- the token endpoint --- */

/* Appends key=value, escaped, to a form of size bytes. */
static bool
form_add(char *form, size_t size, const char *key, const char *value)
{
	size_t at = strlen(form);
	char *escaped = http_escape(value);
	int n = snprintf(form + at, size - at, "%s%s=%s", at == 0 ? "" : "&", key, escaped);

	wipe(&escaped);
	return n > 0 && (size_t)n < size - at;
}

/* RFC 6749 section 2.3.1: both are escaped before they are joined. To be wiped and freed. */
static char *
basic_of(const char *id, const char *secret)
{
	char *a = http_escape(id), *b = http_escape(secret);
	size_t len = strlen(a) + strlen(b) + 1,
	       size = sodium_base64_ENCODED_LEN(len, sodium_base64_VARIANT_ORIGINAL);
	char *pair = mem_calloc(len + 1, 1), *out = mem_calloc(size + sizeof("Basic "), 1);

	(void)snprintf(pair, len + 1, "%s:%s", a, b);
	memcpy(out, "Basic ", sizeof("Basic "));
	(void)sodium_bin2base64(out + sizeof("Basic ") - 1, size, (const unsigned char *)pair, len,
				sodium_base64_VARIANT_ORIGINAL);
	wipe(&a);
	wipe(&b);
	wipe(&pair);
	return out;
}

/* RFC 6749 section 5.2: which of the two is at fault, the code or the client. */
static void
judge_refusal(const struct http_answer *a, struct oidc_report *r)
{
	char err[128];
	struct json_doc *doc = json_parse(a->body, a->len, ANSWER_MAX, err, sizeof(err));
	const char *error = doc == NULL ? NULL : json_get_string(doc, "error");
	const char *words = doc == NULL ? NULL : json_get_string(doc, "error_description");
	enum oidc_verdict v = a->status >= 500 || error == NULL ? OIDC_UNAVAILABLE : OIDC_REFUSED;

	if (error != NULL && strcmp(error, "invalid_grant") == 0)
		v = OIDC_CODE_REFUSED;
	oidc_report_end(r, v, "the token endpoint says status %ld%s%.60s%s%.180s", a->status,
			error == NULL ? "" : ", ", error == NULL ? "" : error, words == NULL ? "" : ": ",
			words == NULL ? "" : words);
	json_doc_free(&doc);
}

/* How the client shows its secret. False where it has ended the report. */
static bool
choose_auth(const struct judging *j, bool *basic)
{
	switch (j->w->settings->client_auth) {
	case CLIENT_AUTH_BASIC:
		*basic = true;
		return true;
	case CLIENT_AUTH_POST:
		*basic = false;
		return true;
	case CLIENT_AUTH_AUTO:
		break;
	}
	*basic = j->d->basic;
	if (j->d->basic || j->d->post)
		return true;
	oidc_report_end(j->r, OIDC_REFUSED,
			"the provider takes neither client_secret_basic nor client_secret_post");
	return false;
}

static bool
write_form(const struct judging *j, bool with_id, bool with_secret, char *form, size_t size)
{
	const struct oidc_settings *s = j->w->settings;

	return form_add(form, size, "grant_type", "authorization_code") &&
	       form_add(form, size, "code", j->ask->proof) &&
	       form_add(form, size, "redirect_uri", s->redirect_uri) &&
	       (j->ask->verifier[0] == '\0' || form_add(form, size, "code_verifier", j->ask->verifier)) &&
	       (!with_id || form_add(form, size, "client_id", s->client_id)) &&
	       (!with_secret || form_add(form, size, "client_secret", j->ask->secret));
}

/* Shows the code, once. False where it has ended the report. */
static bool
exchange(const struct judging *j, struct http_answer *a)
{
	static char form[4 * OIDC_PROOF_MAX]; /* escaped, a byte may take three */
	struct http_question q = { .url = j->d->token_endpoint, .form = form, .max = ANSWER_MAX };
	bool secret = j->ask->secret[0] != '\0', basic = false, asked;
	char *authorization = NULL;

	if (secret && !choose_auth(j, &basic))
		return false;
	if (!write_form(j, !basic, secret && !basic, form, sizeof(form))) {
		oidc_report_end(j->r, OIDC_REFUSED, "the code or a setting is too long");
		return false;
	}
	if (basic)
		q.authorization = authorization = basic_of(j->w->settings->client_id, j->ask->secret);
	asked = oidc_ask(j->w, TALK_TOKEN_ENDPOINT, "the token endpoint", &q, a, j->r);
	wipe(&authorization);
	sodium_memzero(form, sizeof(form));
	if (asked && a->status != HTTP_OK) {
		judge_refusal(a, j->r);
		http_answer_free(a);
		return false;
	}
	return asked;
}

/* --- userinfo --- */

/* What it says of him whom the ID token names (OpenID Connect Core 1.0 section 5.3.2). False where it has
 * ended the report. */
static bool
take_userinfo(const struct judging *j, const struct http_answer *a, bool *whole)
{
	char err[160];
	struct json_doc *claims = json_parse(a->body, a->len, USERINFO_MAX, err, sizeof(err));
	const char *sub = claims == NULL ? NULL : json_get_string(claims, "sub");

	if (claims == NULL)
		oidc_report_end(j->r, OIDC_UNAVAILABLE, "userinfo: %s%s", err,
				a->json ? "" : " (one that is signed or encrypted is not taken)");
	else if (sub == NULL || strcmp(sub, j->r->sub) != 0)
		oidc_report_end(j->r, OIDC_WRONG_SUBJECT, "userinfo has another sub than the ID token");
	else
		*whole = id_token_person(claims, j->w->settings, j->r);
	json_doc_free(&claims);
	return j->r->verdict == 0;
}

static bool
ask_userinfo(const struct judging *j, const char *access_token, bool *whole)
{
	struct http_question q = { .url = j->d->userinfo_endpoint, .max = USERINFO_MAX };
	struct http_answer a;
	char *authorization;
	bool good;

	if (q.url == NULL || access_token == NULL) {
		oidc_report_step(j->r, "userinfo: the provider has none");
		return true;
	}
	authorization = mem_calloc(strlen(access_token) + sizeof("Bearer "), 1);
	(void)snprintf(authorization, strlen(access_token) + sizeof("Bearer "), "Bearer %s", access_token);
	q.authorization = authorization;
	good = oidc_ask(j->w, TALK_USERINFO, "userinfo", &q, &a, j->r);
	wipe(&authorization);
	if (!good)
		return false;
	if (a.status == HTTP_OK)
		good = take_userinfo(j, &a, whole);
	else
		oidc_report_end(j->r, OIDC_UNAVAILABLE, "userinfo: status %ld", a.status);
	http_answer_free(&a);
	return good && j->r->verdict == 0;
}

/* --- a code --- */

/* Visible characters only: it goes into a header (RFC 6750 section 2.1). */
static bool
is_bearer(const char *token)
{
	for (const char *p = token; p != NULL && *p != '\0'; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return token != NULL && token[0] != '\0' && strlen(token) <= TOKEN_MAX;
}

static void
judge_person(struct judging *j, const struct signed_token *t, const char *access_token)
{
	enum userinfo when = j->w->settings->userinfo;
	bool whole = id_token_person(t->claims, j->w->settings, j->r);

	if ((when == USERINFO_ALWAYS || (when == USERINFO_MISSING && !whole)) &&
	    !ask_userinfo(j, access_token, &whole))
		return;
	if (!whole) {
		j->r->cut = j->r->cut || j->r->ngroups > 0;
		oidc_report_step(j->r, "claim %.80s: not all groups are told", j->w->settings->groups_claim);
	}
	oidc_report_step(j->r, "sub %.200s, %s %.100s, %zu groups%s", j->r->sub, j->w->settings->name_claim,
			 j->r->name == NULL ? "is not told" : j->r->name, j->r->ngroups,
			 j->r->cut ? ", and more that are left out" : "");
	oidc_report_end(j->r, OIDC_RIGHT, NULL);
}

static void
judge_answer(struct judging *j, const struct json_doc *answer)
{
	const char *id_token = json_get_string(answer, "id_token"),
		   *access_token = json_get_string(answer, "access_token");
	const struct id_token_rules rules = { rules_of(j), j->ask->nonce, access_token,
					      j->w->settings->max_age_s };
	struct signed_token t = { .claims = NULL };

	if (id_token == NULL) {
		oidc_report_end(j->r, OIDC_MALFORMED,
				"the token endpoint gives none: is the scope openid asked for?");
		return;
	}
	if (access_token != NULL && !is_bearer(access_token)) {
		oidc_report_end(j->r, OIDC_MALFORMED,
				"the access token has bytes that no token has, or too many");
		return;
	}
	if (open_token(j, id_token, &t) && id_token_judge(&t, &rules, j->r)) {
		oidc_report_step(j->r, "the ID token is signed with %s and is for this login",
				 t.algorithm->name);
		j->r->id_token = mem_strdup(id_token);
		judge_person(j, &t, access_token);
	}
	signed_token_free(&t);
}

static void
judge_code(struct judging *j)
{
	struct http_answer a;
	struct json_doc *answer;
	char err[160];

	if (!exchange(j, &a))
		return;
	answer = json_parse(a.body, a.len, ANSWER_MAX, err, sizeof(err));
	if (answer == NULL)
		oidc_report_end(j->r, OIDC_UNAVAILABLE, "what the token endpoint says: %s", err);
	else
		judge_answer(j, answer);
	json_doc_free(&answer);
	http_answer_free(&a);
}

/* --- the order of things --- */

static void
tell_metadata(const struct judging *j)
{
	j->r->discovery = j->d;
	if (!j->d->pkce)
		oidc_report_step(
		    j->r, "the provider does not say that it takes PKCE (S256): it is sent all the same");
	if (j->d->end_session_endpoint == NULL)
		oidc_report_step(
		    j->r, "the provider has no end_session_endpoint: a logout here ends nothing there");
	if (!j->d->backchannel_logout)
		oidc_report_step(j->r, "the provider does not say that it sends logout tokens");
	oidc_report_end(j->r, OIDC_RIGHT, NULL);
}

void
oidc_judge(const struct oidc_way *w, const struct wire_oidc_ask *ask, const struct oidc_published *p,
	   struct discovery *d, struct oidc_report *r)
{
	struct judging j = { .w = w, .ask = ask, .d = d, .r = r };
	char err[400];

	if (!discovery_read(p->document, p->document_len, w->issuer, w->settings->insecure_http, d, err,
			    sizeof(err))) {
		oidc_report_end(r, OIDC_REFUSED, "the discovery document: %s", err);
		return;
	}
	if (!keyset_read(p->keys, p->keys_len, &j.keys, err, sizeof(err))) {
		oidc_report_end(r, OIDC_UNAVAILABLE, "the keys: %s", err);
		return;
	}
	switch ((enum oidc_what)ask->what) {
	case OIDC_CODE:
		judge_code(&j);
		break;
	case OIDC_LOGOUT:
		judge_logout(&j);
		break;
	case OIDC_METADATA:
	case OIDC_TEST:
	case OIDC_WHAT_COUNT:
		tell_metadata(&j);
		break;
	}
	keyset_free(&j.keys);
}
