/* Sends browsers to a provider of OpenID Connect: to log in there, or to log out. */
#ifndef WEIR_AUTHD_OIDC_GO_H
#define WEIR_AUTHD_OIDC_GO_H

#include <stdbool.h>

#include "ipc/channel.h"
#include "ipc/wire.h"

struct authd;

#define GOERS_MAX 64 /* who wait for a provider that is being asked for what it publishes */

/* OIDC_GO; false where the peer lied. Where the provider's endpoints are not known, or were looked at some
 * minutes ago, it is asked first, once for all who wait. */
bool oidc_go_serve(struct authd *a, struct channel *ch, const struct wire_oidc_go *w);

#endif
