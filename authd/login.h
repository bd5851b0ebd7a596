/* Logins and the first set-up: from the request to the session. */
#ifndef WEIR_AUTHD_LOGIN_H
#define WEIR_AUTHD_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "record.h"
#include "reply.h"
#include "sessions.h"

/* LOGIN and SETUP; false where the peer lied. The requests are wiped. */
bool login_serve(struct authd *a, struct channel *ch, struct wire_login *w);
bool setup_serve(struct authd *a, struct channel *ch, struct wire_setup *w);

/* The answer that says who a session belongs to and gives a grant for the asker; cookie NULL: the asker has
 * it. */
void session_answer(struct authd *a, const struct return_address *to, uint64_t request, struct session *s,
		    const struct account *who, const uint8_t *cookie);

#endif
