#include "oidc_settings.h"

#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/mem.h"
#include "ipc/wire.h"
#include "oidc_algorithm.h"

#define CLOCK_SKEW_MAX_S 600
#define MAX_AGE_MAX_S    31536000

static bool
take_text(const struct json_doc *d, const char *key, const char *otherwise, const char **out, char *err,
	  size_t errsize)
{
	const struct json_node *n = json_node_member(json_root(d), key);

	*out = n == NULL ? otherwise : json_node_text(n);
	if (*out == NULL)
		(void)snprintf(err, errsize, "%s: must be a text", key);
	return *out != NULL;
}

static bool
take_number(const struct json_doc *d, const char *key, int64_t most, int64_t otherwise, int64_t *out,
	    char *err, size_t errsize)
{
	const struct json_node *n = json_node_member(json_root(d), key);

	*out = otherwise;
	if (n == NULL || (json_node_int(n, out) && *out >= 0 && *out <= most))
		return true;
	(void)snprintf(err, errsize, "%s: must be a number from 0 to %lld", key, (long long)most);
	return false;
}

/* One of three words, whose place is the value. */
static bool
take_word(const struct json_doc *d, const char *key, const char *const words[static 3], unsigned otherwise,
	  unsigned *out, char *err, size_t errsize)
{
	const char *text;

	if (!take_text(d, key, words[otherwise], &text, err, errsize))
		return false;
	for (*out = 0; *out < 3; (*out)++)
		if (strcmp(text, words[*out]) == 0)
			return true;
	(void)snprintf(err, errsize, "%s: must be %s, %s or %s", key, words[0], words[1], words[2]);
	return false;
}

static bool
take_algorithms(struct oidc_settings *s, char *err, size_t errsize)
{
	static const char *const usual[] = { "RS256", "PS256", "ES256" };
	const struct json_node *n = json_node_member(json_root(s->doc), "algorithms");

	for (size_t i = 0; n == NULL && i < ARRAY_LEN(usual); i++)
		s->algorithms |= 1u << oidc_algorithm_index(oidc_algorithm_find(usual[i]));
	for (size_t i = 0; i < json_node_count(n); i++) {
		const char *name = json_node_text(json_node_at(n, i));
		const struct oidc_algorithm *a = name == NULL ? NULL : oidc_algorithm_find(name);

		if (a == NULL) {
			(void)snprintf(err, errsize,
				       "algorithms[%zu]: is none that a token may be signed with", i);
			return false;
		}
		s->algorithms |= 1u << oidc_algorithm_index(a);
	}
	if (s->algorithms == 0)
		(void)snprintf(err, errsize, "algorithms: must be a list of at least one");
	return s->algorithms != 0;
}

static bool
read_all(struct oidc_settings *s, char *err, size_t errsize)
{
	static const char *const auths[] = { "auto", "basic", "post" };
	static const char *const userinfos[] = { "never", "missing", "always" };
	const struct json_node *http = json_node_member(json_root(s->doc), "insecure_http");
	unsigned auth, userinfo;

	if (http != NULL && !json_node_bool(http, &s->insecure_http)) {
		(void)snprintf(err, errsize, "insecure_http: must be true or false");
		return false;
	}
	if (!take_text(s->doc, "client_id", "", &s->client_id, err, errsize) ||
	    !take_text(s->doc, "redirect_uri", "", &s->redirect_uri, err, errsize) ||
	    !take_algorithms(s, err, errsize) ||
	    !take_word(s->doc, "client_auth", auths, CLIENT_AUTH_AUTO, &auth, err, errsize) ||
	    !take_number(s->doc, "clock_skew", CLOCK_SKEW_MAX_S, 60, &s->clock_skew_s, err, errsize) ||
	    !take_number(s->doc, "max_age", MAX_AGE_MAX_S, 0, &s->max_age_s, err, errsize) ||
	    !take_word(s->doc, "userinfo", userinfos, USERINFO_MISSING, &userinfo, err, errsize) ||
	    !take_text(s->doc, "name_claim", "preferred_username", &s->name_claim, err, errsize) ||
	    !take_text(s->doc, "title_claim", "name", &s->title_claim, err, errsize) ||
	    !take_text(s->doc, "groups_claim", "groups", &s->groups_claim, err, errsize) ||
	    !take_text(s->doc, "authorities", "", &s->authorities, err, errsize))
		return false;
	s->client_auth = (enum client_auth)auth;
	s->userinfo = (enum userinfo)userinfo;
	return true;
}

bool
oidc_settings_read(const char *text, size_t len, struct oidc_settings *s, char *err, size_t errsize)
{
	static const char *const known[] = { "client_id",   "redirect_uri", "algorithms",  "client_auth",
					     "clock_skew",  "max_age",      "userinfo",    "name_claim",
					     "title_claim", "groups_claim", "authorities", "insecure_http" };
	const char *stranger;

	memset(s, 0, sizeof(*s));
	s->doc = json_parse(text, len, OIDC_ASK_MAX, err, errsize);
	if (s->doc == NULL)
		return false;
	stranger = json_node_stranger(json_root(s->doc), known, ARRAY_LEN(known));
	if (stranger != NULL)
		(void)snprintf(err, errsize, "%.40s: is no setting of a provider", stranger);
	if (stranger == NULL && read_all(s, err, errsize))
		return true;
	oidc_settings_free(s);
	return false;
}

void
oidc_settings_free(struct oidc_settings *s)
{
	json_doc_free(&s->doc);
}
