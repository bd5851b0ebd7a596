/* Grants for whoever asks from this machine without saying who it is: where httpd.metrics_loopback allows it,
 * for what /metrics tells and nothing else. */
#ifndef WEIR_AUTHD_LOCAL_H
#define WEIR_AUTHD_LOCAL_H

#include "ipc/wire.h"
#include "reply.h"

struct authd;

/* Answers w, which shows no token. */
void local_serve(struct authd *a, const struct return_address *to, const struct wire_token *w);

#endif
