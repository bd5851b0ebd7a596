/*
 * People whom a provider of OpenID Connect knows: authd asks weir-directory, which speaks with the provider.
 * What comes back was judged there.
 */
#ifndef WEIR_AUTHD_OIDC_ASK_H
#define WEIR_AUTHD_OIDC_ASK_H

#include <stdbool.h>

#include "asked.h"
#include "ipc/wire.h"
#include "providers.h"

struct authd;
struct oidc_asks;

struct oidc_asks *oidc_asks_new(struct authd *a);
void oidc_asks_free(struct oidc_asks **o);

/* What is asked beside the provider's settings; NULL: nothing. */
struct oidc_question {
	const char *proof; /* OIDC_CODE: the code; OIDC_LOGOUT: the token */
	const char *verifier, *nonce, *redirect_uri;
};

/* Told once, from the loop: DIRECTORY_RIGHT, DIRECTORY_REFUSED (the provider does not take Weir),
 * DIRECTORY_UNAVAILABLE, or DIRECTORY_WRONG, each with its sentence. False, and told is not called, where
 * weir-directory is not there or too much is being asked. */
bool oidc_ask(struct oidc_asks *o, enum oidc_what what, const struct provider *p,
	      const struct oidc_question *q, people_told *told, void *ctx);

/* OIDC_TOLD; fd stays the caller's. False where the peer lied. */
bool oidc_answer(struct oidc_asks *o, const struct wire_oidc_told *w, int fd);
/* Once a second. */
void oidc_turn(struct oidc_asks *o);
/* weir-directory is gone: nobody is waited for any more. */
void oidc_gone(struct oidc_asks *o);

#endif
