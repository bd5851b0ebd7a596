/* Logins by a provider of OpenID Connect: from the browser that comes back to the account and its session. */
#ifndef WEIR_AUTHD_OIDC_LOGIN_H
#define WEIR_AUTHD_OIDC_LOGIN_H

#include <stdbool.h>

#include "ipc/channel.h"
#include "ipc/wire.h"

struct authd;

/* OIDC_CALLBACK; false where the peer lied. The request is wiped. Whatever is wrong, the stranger hears
 * AUTH_DENIED; the record says what it was. */
bool oidc_callback_serve(struct authd *a, struct channel *ch, struct wire_oidc_callback *w);

/* Now and then: takes back what groups gave from accounts that were not seen at their provider for
 * oidc[].keep. */
void oidc_login_turn(struct authd *a);

#endif
