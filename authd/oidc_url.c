#include "oidc_url.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* RFC 3986 section 2.3: everything else is written as %XX. */
static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

static void
put(struct url *u, const char *text, size_t n)
{
	if (u->bad || n >= u->size - u->len) {
		u->bad = true;
		return;
	}
	memcpy(u->text + u->len, text, n);
	u->len += n;
	u->text[u->len] = '\0';
}

static void
put_parameter(struct url *u, const char *name, const char *value)
{
	put(u, u->has_query ? "&" : "?", 1);
	u->has_query = true;
	put(u, name, strlen(name));
	put(u, "=", 1);
	for (const char *p = value; *p != '\0'; p++) {
		char escaped[4];

		if (strchr(unreserved, *p) != NULL) {
			put(u, p, 1);
			continue;
		}
		(void)snprintf(escaped, sizeof(escaped), "%%%02X", (unsigned char)*p);
		put(u, escaped, 3);
	}
}

static struct url
begin(const char *endpoint, char *out, size_t size)
{
	struct url u = { .text = out, .size = size, .has_query = strchr(endpoint, '?') != NULL };

	put(&u, endpoint, strlen(endpoint));
	return u;
}

void
callback_url(const char *origin, const char *provider, char out[static CALLBACK_MAX])
{
	(void)snprintf(out, CALLBACK_MAX, "%s/api/v1/session/oidc/%s/callback", origin, provider);
}

bool
authorization_url(const char *endpoint, const struct provider_settings *s, const struct begun *b, char *out,
		  size_t size)
{
	struct url u = begin(endpoint, out, size);
	uint8_t hash[crypto_hash_sha256_BYTES];
	char callback[CALLBACK_MAX], challenge[BEGUN_SECRET_MAX];

	(void)crypto_hash_sha256(hash, (const uint8_t *)b->verifier, strlen(b->verifier));
	(void)sodium_bin2base64(challenge, sizeof(challenge), hash, sizeof(hash),
				sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	callback_url(b->origin, s->name, callback);
	put_parameter(&u, "response_type", "code");
	put_parameter(&u, "client_id", s->client_id);
	put_parameter(&u, "redirect_uri", callback);
	put_parameter(&u, "scope", s->scopes);
	put_parameter(&u, "state", b->state);
	put_parameter(&u, "nonce", b->nonce);
	put_parameter(&u, "code_challenge", challenge);
	put_parameter(&u, "code_challenge_method", "S256");
	return !u.bad;
}

bool
end_session_url(const char *endpoint, const struct provider_settings *s, const char *origin, char *out,
		size_t size)
{
	struct url u = begin(endpoint, out, size);
	char home[ORIGIN_MAX + 1];

	(void)snprintf(home, sizeof(home), "%s/", origin);
	put_parameter(&u, "client_id", s->client_id);
	put_parameter(&u, "post_logout_redirect_uri", home);
	return !u.bad;
}
