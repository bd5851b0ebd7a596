#include "oidc_report.h"

#include <assert.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "discovery.h"

#define SLOTS 16384u /* a power of two, more than twice OIDC_GROUPS_MAX */

struct all {
	struct oidc_report r; /* first */
	uint64_t seed;
	uint16_t slot[SLOTS]; /* group + 1 */
};
static_assert(SLOTS > 2 * OIDC_GROUPS_MAX && OIDC_GROUPS_MAX < UINT16_MAX, "room to look for groups");

struct oidc_report *
oidc_report_new(void)
{
	struct all *a = mem_calloc(1, sizeof(*a));

	randombytes_buf(&a->seed, sizeof(a->seed));
	a->r.group = mem_calloc(OIDC_GROUPS_MAX, sizeof(*a->r.group));
	return &a->r;
}

void
oidc_report_free(struct oidc_report **rp)
{
	struct oidc_report *r = *rp;

	if (r == NULL)
		return;
	for (size_t i = 0; i < r->ngroups; i++)
		free(r->group[i]);
	for (size_t i = 0; i < r->nsteps; i++)
		free(r->step[i]);
	if (r->id_token != NULL)
		sodium_memzero(r->id_token, strlen(r->id_token));
	free(r->group);
	free(r->sub);
	free(r->sid);
	free(r->jti);
	free(r->name);
	free(r->title);
	free(r->email);
	free(r->id_token);
	free(r);
	*rp = NULL;
}

static void
make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == '\x7f')
			*text = '?';
}

void
oidc_report_step(struct oidc_report *r, const char *format, ...)
{
	char text[REPORT_STEP_MAX];
	va_list args;

	if (r->nsteps == REPORT_STEPS)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	make_printable(text);
	r->step[r->nsteps++] = mem_strdup(text);
}

void
oidc_report_end(struct oidc_report *r, enum oidc_verdict v, const char *format, ...)
{
	char words[sizeof(r->why)] = "";
	va_list args;

	if (r->verdict != 0)
		return;
	r->verdict = v;
	if (format != NULL) {
		va_start(args, format);
		(void)vsnprintf(words, sizeof(words), format, args);
		va_end(args);
	}
	(void)snprintf(r->why, sizeof(r->why), "%s%s%.300s", oidc_verdict_text(v),
		       words[0] == '\0' ? "" : ": ", words);
	make_printable(r->why);
	oidc_report_step(r, "%s", r->why);
}

void
oidc_report_again(struct oidc_report *r)
{
	r->verdict = (enum oidc_verdict)0;
	r->why[0] = '\0';
}

bool
oidc_report_group(struct oidc_report *r, const char *name)
{
	struct all *a = (struct all *)r;
	uint32_t at = (uint32_t)hash_bytes(name, strlen(name), a->seed) & (SLOTS - 1);

	for (; a->slot[at] != 0; at = (at + 1) & (SLOTS - 1))
		if (strcmp(r->group[a->slot[at] - 1], name) == 0)
			return true;
	if (r->ngroups == OIDC_GROUPS_MAX) {
		r->cut = true;
		return false;
	}
	r->group[r->ngroups++] = mem_strdup(name);
	a->slot[at] = (uint16_t)r->ngroups;
	return true;
}

/* --- between processes of one question --- */

char *
oidc_report_lines(const struct oidc_report *r)
{
	char *lines = mem_calloc(r->nsteps + 1, REPORT_STEP_MAX);
	size_t at = 0;

	for (size_t i = 0; i < r->nsteps; i++) {
		size_t len = strlen(r->step[i]);

		memcpy(lines + at, r->step[i], len);
		lines[at + len] = '\n';
		at += len + 1;
	}
	return lines;
}

void
oidc_report_take_lines(struct oidc_report *r, const char *lines, size_t len)
{
	while (len > 0) {
		const char *end = memchr(lines, '\n', len);
		size_t n = end == NULL ? len : (size_t)(end - lines);

		oidc_report_step(r, "%.*s", n > REPORT_STEP_MAX ? (int)REPORT_STEP_MAX : (int)n, lines);
		n += end == NULL ? 0 : 1;
		lines += n;
		len -= n;
	}
}

/* --- the text --- */

static void
put_time(struct json_writer *w, const char *key, int64_t s)
{
	if (s == 0)
		json_null(w, key);
	else
		json_int(w, key, s);
}

static void
put_discovery(struct json_writer *w, const struct discovery *d)
{
	json_string(w, "authorization_endpoint", d->authorization_endpoint);
	json_string(w, "end_session_endpoint", d->end_session_endpoint);
	json_bool(w, "backchannel_logout", d->backchannel_logout);
	json_bool(w, "pkce", d->pkce);
	json_bool(w, "iss_parameter", d->iss_parameter);
}

static void
put_person(struct json_writer *w, const struct oidc_report *r)
{
	json_string(w, "sub", r->sub);
	json_string(w, "sid", r->sid);
	json_string(w, "jti", r->jti);
	json_string(w, "name", r->name);
	json_string(w, "title", r->title);
	json_string(w, "email", r->email);
	json_bool(w, "email_verified", r->email_verified);
	json_array(w, "groups");
	for (size_t i = 0; i < r->ngroups; i++)
		json_string(w, NULL, r->group[i]);
	json_array_end(w);
	json_bool(w, "cut", r->cut);
	put_time(w, "issued", r->issued_s);
	put_time(w, "expires", r->expires_s);
	put_time(w, "auth_time", r->auth_time_s);
	json_string(w, "id_token", r->id_token);
}

char *
oidc_report_text(const struct oidc_report *r, size_t *len)
{
	struct json_writer *w = json_new(OIDC_TOLD_MAX);
	const char *text;
	char *out;

	json_object(w, NULL);
	json_string(w, "why", r->why);
	json_array(w, "steps");
	for (size_t i = 0; i < r->nsteps; i++)
		json_string(w, NULL, r->step[i]);
	json_array_end(w);
	put_person(w, r);
	if (r->discovery != NULL)
		put_discovery(w, r->discovery);
	json_object_end(w);
	text = json_text(w, len);
	out = text == NULL ? NULL : mem_strdup(text);
	json_wipe(&w);
	return out;
}

const char *
oidc_verdict_text(enum oidc_verdict v)
{
	static const char *const texts[OIDC_VERDICT_COUNT] = {
		[OIDC_RIGHT] = "all is well",
		[OIDC_CODE_REFUSED] = "the provider does not take the code",
		[OIDC_REFUSED] = "the provider does not take Weir as its client, or the settings are wrong",
		[OIDC_UNAVAILABLE] = "the provider does not answer as it should",
		[OIDC_MALFORMED] = "the token is none",
		[OIDC_ALGORITHM] = "the token is not signed with an algorithm that is allowed",
		[OIDC_KEY_UNKNOWN] = "the token is signed with a key that the provider does not publish",
		[OIDC_SIGNATURE] = "the signature of the token is wrong",
		[OIDC_WRONG_ISSUER] = "the token is of another issuer",
		[OIDC_WRONG_AUDIENCE] = "the token is for another client",
		[OIDC_EXPIRED] = "the token has expired, or the clock of this machine is ahead",
		[OIDC_TOO_EARLY] =
		    "the token is of the future: the clocks of the provider and of this machine differ",
		[OIDC_WRONG_NONCE] = "the token is of another login: its nonce is not the one that was sent",
		[OIDC_STALE] = "the login at the provider is too long ago",
		[OIDC_WRONG_SUBJECT] = "it is not said, or not the same everywhere, who it is",
		[OIDC_WRONG_HASH] = "the access token is not the one that belongs to the ID token",
		[OIDC_NO_LOGOUT] = "the token does not end a session",
	};

	return v > 0 && v < OIDC_VERDICT_COUNT ? texts[v] : "?";
}
