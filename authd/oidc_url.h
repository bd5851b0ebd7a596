/* Addresses that a browser is sent to at a provider of OpenID Connect. Pure. */
#ifndef WEIR_AUTHD_OIDC_URL_H
#define WEIR_AUTHD_OIDC_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/settings.h"
#include "oidc_begun.h"

/* An address that grows; bad sticks once it was too long. */
struct url {
	char *text;
	size_t size, len;
	bool bad, has_query;
};

/* Where browsers come back to: into out[ORIGIN_MAX + 64], as it is registered at the provider. */
#define CALLBACK_MAX (ORIGIN_MAX + 64)
void callback_url(const char *origin, const char *provider, char out[static CALLBACK_MAX]);

/* OpenID Connect Core 1.0 section 3.1.2.1, with PKCE (RFC 7636, S256). What the endpoint has of a query stays
 * (RFC 6749 section 3.1). False where it does not fit. */
bool authorization_url(const char *endpoint, const struct provider_settings *s, const struct begun *b,
		       char *out, size_t size);
/* RP-Initiated Logout 1.0 section 2. There is no id_token_hint, since no ID token is kept: the provider knows
 * by client_id whom to send back, and asks its user. */
bool end_session_url(const char *endpoint, const struct provider_settings *s, const char *origin, char *out,
		     size_t size);

#endif
