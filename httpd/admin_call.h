/*
 * Operations of authd's for clients: an operation as JSON goes there under the client's grant, and its
 * answer, another JSON text, comes back in parts. What it means is nobody's business here.
 */
#ifndef WEIR_HTTPD_ADMIN_CALL_H
#define WEIR_HTTPD_ADMIN_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "inquiry.h"
#include "sessions.h"

struct admin_call;
struct evbuffer;
struct request;

/* How it ended. */
struct admin_end {
	enum inquiry_end end; /* INQUIRY_OK: authd answered with status */
	enum admin_status status;
	unsigned retry_after_s;
	bool unconfirmed;      /* done, but this process did not say that it knows */
	struct me me;          /* who it was */
	struct evbuffer *text; /* the answer: during the call only, and wiped afterwards */
};

typedef void admin_end_fn(void *ctx, const struct admin_end *e);

/* Sends the operation body[len] (1..ADMIN_BODY_MAX bytes of JSON), which is copied and wiped after use; fn is
 * called once, perhaps at once (NULL is returned then). A grant that authd refuses is renewed once. */
struct admin_call *admin_ask(struct httpd *h, const struct credential *who, const struct wire_client *from,
			     const char *body, size_t len, admin_end_fn *fn, void *ctx);
/* fn is not called. NULL is ignored. */
void admin_forget(struct admin_call *c);

/* --- for one request, which is answered
 * ----------------------------------------------------------------------------------------------------------
 */

/* Called once for an operation that succeeded, and answers r. The answer is the caller's until it returns. */
typedef void admin_fn(struct request *r, const struct me *me, struct evbuffer *answer);

/* Whatever goes wrong is answered here. */
void admin_call(struct request *r, const char *body, size_t len, admin_fn *fn);
/* Answers r with why there is nothing else; e did not succeed. */
void admin_refuse(struct request *r, const struct admin_end *e);

#endif
