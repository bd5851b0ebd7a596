#include "authd_ask.h"

#include <string.h>

#include "ipc/channel.h"
#include "ipc/wire.h"
#include "request.h"

bool
authd_ask(struct request *r, enum msg_id id, void *message, size_t len, enum ask_time time, ask_fn *fn)
{
	struct channel *ch = peers_find(r->httpd->peers, PROC_AUTHD, 0);
	uint64_t ask = ch == NULL ? 0 : asks_add(r->httpd->asks, PROC_AUTHD, time, fn, r);

	memcpy(message, &ask, sizeof(ask));
	if (ask != 0 && channel_send(ch, id, message, len))
		return true;
	asks_cancel(r->httpd->asks, ask);
	reply_problem(r, 503, NO_AUTHD);
	return false;
}
static_assert(offsetof(struct wire_login, request) == 0 && offsetof(struct wire_setup, request) == 0 &&
		  offsetof(struct wire_session, request) == 0 &&
		  offsetof(struct wire_second_factor, request) == 0 &&
		  offsetof(struct wire_oidc_go, request) == 0 &&
		  offsetof(struct wire_oidc_callback, request) == 0 &&
		  offsetof(struct wire_oidc_logout, request) == 0,
	      "the request number comes first");
