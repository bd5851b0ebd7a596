/*
 * Who else knows people: the providers that the settings name, and what authd remembers of each. Those of
 * OpenID Connect are here; the directory (ldap.*) is people.h's, and judges passwords.
 */
#ifndef WEIR_AUTHD_PROVIDERS_H
#define WEIR_AUTHD_PROVIDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/settings.h"
#include "mapping.h"

struct authd;
struct going;
struct person_told;
struct providers;

#define ENDPOINT_MAX 1024 /* bytes of an address that a provider publishes, with its end */

/*
 * What a login does depends on the kind of its provider, and there is one kind here so far, by redirection of
 * the browser. SAML 2.0 is to be another: it also sends the browser away (OIDC_GO) and takes what it comes
 * back with (OIDC_CALLBACK). SPNEGO (RFC 4559) would be a header of the request that starts a login; it ends
 * where these end, in oidc_login.c: with an identity, groups, and attempt_admit.
 */
struct provider {
	const struct provider_settings *s;
	const char *secret; /* "": a public client; in locked memory */
	struct mapping mapping;
	/* What it published. */
	bool known;        /* the endpoints are those that it named */
	int64_t looked_ns; /* when it was asked last, boot clock; 0: never */
	char authorization[ENDPOINT_MAX], end_session[ENDPOINT_MAX]; /* "": it has none */
	bool iss_parameter;  /* RFC 9207: it says with each answer whose it is */
	char why[160];       /* why it is not known */
	struct going *going; /* who waits while it is asked (oidc_go.c); NULL: nobody */
};

/* Before the sandbox: reads the client secrets from the launcher's descriptors. */
struct providers *providers_new(const struct authd *a);
void providers_free(struct providers **p);

/* NULL where there is none. */
struct provider *providers_find(struct providers *p, const char *name);
/* The one that a login name belongs to, by what follows its @; NULL: none. p may be NULL. */
const struct provider *providers_of_login(const struct providers *p, const char *login);
/* One after another; NULL past the last. */
struct provider *providers_at(struct providers *p, size_t i);

/* Takes what it published from an answer to OIDC_METADATA. */
void provider_learn(struct provider *p, const struct person_told *t, int64_t now_ns);

#endif
