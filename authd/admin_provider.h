/* What is known of somebody of a provider of OpenID Connect, and what that publishes: directory.explain. */
#ifndef WEIR_AUTHD_ADMIN_PROVIDER_H
#define WEIR_AUTHD_ADMIN_PROVIDER_H

#include "admin.h"
#include "providers.h"

/* Asks the provider, anew, for what it publishes: OIDC_TEST, into call->told. */
void provider_test(struct admin_call *c, const struct provider *p, void (*go_on)(struct admin_call *c));
/* Within call->x: "identity" of an account of a provider's: what was told at its last login, and what that
 * gives. */
void provider_write_identity(struct admin_call *c, const struct account *who);

#endif
