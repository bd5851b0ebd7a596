/* Logins, their second step, and the first set-up: from the request to the session. */
#ifndef WEIR_AUTHD_LOGIN_H
#define WEIR_AUTHD_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "reply.h"

struct attempt;

/* LOGIN, SECOND_FACTOR and SETUP; false where the peer lied. The requests are wiped. */
bool login_serve(struct authd *a, struct channel *ch, struct wire_login *w);
bool second_factor_serve(struct authd *a, struct channel *ch, struct wire_second_factor *w);
bool setup_serve(struct authd *a, struct channel *ch, struct wire_setup *w);

/* The first step was right, and the account has a second factor: answers with a ticket for it. Frees t. */
void login_ask_second_factor(struct attempt *t);

#endif
