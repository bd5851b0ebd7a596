#include "discovery.h"

#include <stdio.h>
#include <string.h>

#include "base/json_read.h"

#define WORDS_MAX 256u /* of a list that are looked at */

bool
discovery_url(const char *issuer, char *url, size_t size)
{
	size_t len = strlen(issuer);
	int n;

	if (len > 0 && issuer[len - 1] == '/')
		len--;
	if (len > size)
		return false;
	n = snprintf(url, size, "%.*s/.well-known/openid-configuration", (int)len, issuer);
	return n > 0 && (size_t)n < size;
}

static bool
is_url(const char *url, bool http)
{
	size_t len = strlen(url);

	if (strncmp(url, "https://", 8) != 0 && (!http || strncmp(url, "http://", 7) != 0))
		return false;
	for (size_t i = 0; i < len; i++)
		if (url[i] <= ' ' || url[i] > '~' || url[i] == '#' || url[i] == '"' || url[i] == '\\')
			return false;
	return len < DISCOVERY_URL_MAX;
}

static bool
take_url(struct discovery *d, const char *key, bool needed, bool http, const char **out, char *err,
	 size_t errsize)
{
	const struct json_node *n = json_node_member(json_root(d->doc), key);
	enum json_kind kind = json_node_kind(n);

	*out = json_node_text(n);
	if (!needed && (kind == JSON_KIND_NONE || kind == JSON_KIND_NULL))
		return true;
	if (*out != NULL && is_url(*out, http))
		return true;
	(void)snprintf(err, errsize, "%s: is no https:// URL", key);
	return false;
}

/* Whether the list key has word. otherwise: where there is no such list. */
static bool
lists(const struct discovery *d, const char *key, const char *word, bool otherwise)
{
	const struct json_node *n = json_node_member(json_root(d->doc), key);
	size_t count = json_node_count(n);

	if (json_node_kind(n) != JSON_KIND_ARRAY)
		return otherwise;
	for (size_t i = 0; i < count && i < WORDS_MAX; i++) {
		const char *is = json_node_text(json_node_at(n, i));

		if (is != NULL && strcmp(is, word) == 0)
			return true;
	}
	return false;
}

static bool
says(const struct discovery *d, const char *key)
{
	bool yes = false;

	return json_get_bool(d->doc, key, &yes) && yes;
}

static bool
read_all(struct discovery *d, const char *issuer, bool http, char *err, size_t errsize)
{
	const char *is = json_get_string(d->doc, "issuer");

	if (is == NULL || strcmp(is, issuer) != 0) {
		(void)snprintf(err, errsize, "issuer: is \"%.150s\", and not \"%.150s\" as in the settings",
			       is == NULL ? "" : is, issuer);
		return false;
	}
	d->basic = lists(d, "token_endpoint_auth_methods_supported", "client_secret_basic", true);
	d->post = lists(d, "token_endpoint_auth_methods_supported", "client_secret_post", false);
	d->pkce = lists(d, "code_challenge_methods_supported", "S256", false);
	d->backchannel_logout = says(d, "backchannel_logout_supported");
	d->iss_parameter = says(d, "authorization_response_iss_parameter_supported");
	return take_url(d, "authorization_endpoint", true, http, &d->authorization_endpoint, err, errsize) &&
	       take_url(d, "token_endpoint", true, http, &d->token_endpoint, err, errsize) &&
	       take_url(d, "jwks_uri", true, http, &d->jwks_uri, err, errsize) &&
	       take_url(d, "userinfo_endpoint", false, http, &d->userinfo_endpoint, err, errsize) &&
	       take_url(d, "end_session_endpoint", false, http, &d->end_session_endpoint, err, errsize);
}

bool
discovery_read(const char *text, size_t len, const char *issuer, bool http, struct discovery *d, char *err,
	       size_t errsize)
{
	memset(d, 0, sizeof(*d));
	d->doc = json_parse(text, len, DISCOVERY_MAX, err, errsize);
	if (d->doc == NULL)
		return false;
	if (read_all(d, issuer, http, err, errsize))
		return true;
	discovery_free(d);
	return false;
}

void
discovery_free(struct discovery *d)
{
	json_doc_free(&d->doc);
}
