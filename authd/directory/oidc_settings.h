/* The settings of an OpenID Connect provider, as authd hands them over: an object of JSON, without secrets.
 */
#ifndef WEIR_DIRECTORY_OIDC_SETTINGS_H
#define WEIR_DIRECTORY_OIDC_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_doc;

enum client_auth {
	CLIENT_AUTH_AUTO, /* as the provider says that he takes it, basic where he takes both */
	CLIENT_AUTH_BASIC,
	CLIENT_AUTH_POST
};

enum userinfo {
	USERINFO_NEVER,
	USERINFO_MISSING, /* where the ID token has no groups, or not all of them */
	USERINFO_ALWAYS
};

/* Texts are the document's; none is NULL. */
struct oidc_settings {
	struct json_doc *doc;
	const char *client_id, *redirect_uri; /* "": not given */
	uint32_t algorithms;                  /* bit oidc_algorithm_index(); default RS256, PS256, ES256 */
	enum client_auth client_auth;         /* default auto */
	int64_t clock_skew_s, max_age_s;      /* 0..600, default 60; 0..31536000, default 0: not asked for */
	enum userinfo userinfo;               /* default missing */
	const char *name_claim;               /* default "preferred_username" */
	const char *title_claim;              /* default "name" */
	const char *groups_claim; /* default "groups"; "a.b": b within a, where no claim is called so */
	const char *authorities;  /* PEM; "": the machine's */
	bool insecure_http;       /* default false */
};

/* False with a sentence that names the member. */
bool oidc_settings_read(const char *text, size_t len, struct oidc_settings *s, char *err, size_t errsize);
void oidc_settings_free(struct oidc_settings *s);

#endif
