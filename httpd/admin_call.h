/*
 * One operation of authd's for one client: an operation as JSON goes there under the client's grant, and its
 * answer, another JSON text, comes back in parts. What it means is nobody's business here.
 */
#ifndef WEIR_HTTPD_ADMIN_CALL_H
#define WEIR_HTTPD_ADMIN_CALL_H

#include <stddef.h>

#include "sessions.h"

struct evbuffer;
struct request;

/* Called once for an operation that succeeded, and answers r. The answer is the caller's until it returns. */
typedef void admin_fn(struct request *r, const struct me *me, struct evbuffer *answer);

/* Sends the operation body[len] (1..ADMIN_BODY_MAX bytes of JSON), which is copied and wiped after use.
 * Whatever goes wrong is answered here. */
void admin_call(struct request *r, const char *body, size_t len, admin_fn *fn);

#endif
