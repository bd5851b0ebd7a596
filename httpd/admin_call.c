#include "admin_call.h"

#include <event2/buffer.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "asks.h"
#include "base/json_read.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/channel.h"
#include "refuse.h"
#include "request.h"

#define ANSWER_MAX         (8u << 20)
#define UNCONFIRMED_HEADER "Weir-Unconfirmed" /* done, but this process did not say that it knows */

struct call {
	struct request *request;
	admin_fn *fn;
	struct me me;
	bool retried, cut; /* cut: the answer is longer than can be held */
	struct evbuffer *answer;
	size_t held; /* bytes of it, as httpd.held counts them */
	size_t len;
	char body[];
};

static void on_session(void *ctx, enum session_end end, const struct session *s);

/* h: the request may be answered already, and gone. */
static void
call_free(struct httpd *h, struct call *c)
{
	h->held -= c->held;
	evbuffer_free(c->answer);
	sodium_memzero(c->body, c->len);
	free(c);
}

/* --- what comes back
 * --------------------------------------------------------------------------------------------------- */

/* {"field", "detail"} of an operation that was refused: the field is said to the client as it stands. */
static void
refuse_field(struct call *c, int status)
{
	size_t len = evbuffer_get_length(c->answer);
	const char *text = (const char *)evbuffer_pullup(c->answer, -1);
	struct json_doc *d = NULL;
	const char *field, *detail;
	char why[160];

	if (len > 0 && text != NULL)
		d = json_parse(text, len, ADMIN_BODY_MAX, why, sizeof(why));
	field = d == NULL ? NULL : json_get_string(d, "field");
	detail = d == NULL ? NULL : json_get_string(d, "detail");
	if (detail == NULL)
		reply_problem(c->request, status, NULL);
	else if (field == NULL || field[0] == '\0')
		reply_problem(c->request, status, "%s", detail);
	else
		reply_problem_field(c->request, status, field, "%s", detail);
	json_doc_free(&d);
}

static void
finish(struct call *c, const struct wire_admin_answer *a)
{
	struct request *r = c->request;
	struct httpd *h = r->httpd;

	switch ((enum admin_status)a->status) {
	case ADMIN_OK:
		if (a->unconfirmed)
			reply_header(r, UNCONFIRMED_HEADER, "store");
		c->fn(r, &c->me, c->answer);
		break;
	case ADMIN_BAD:
		refuse_field(c, 400);
		break;
	case ADMIN_DENIED:
		refuse_field(c, 403);
		break;
	case ADMIN_NOT_FOUND:
		reply_problem(r, 404, NULL); /* never a word more: it may be another's */
		break;
	case ADMIN_CONFLICT:
		refuse_field(c, 409);
		break;
	case ADMIN_NOT_GRANTED:
		refuse_inquiry(r, INQUIRY_NO_SESSION);
		break;
	case ADMIN_BUSY:
	case ADMIN_UNAVAILABLE:
	case ADMIN_STATUS_COUNT:
		refuse_field(c, 503);
		break;
	}
	call_free(h, c);
}

static void
again(struct call *c)
{
	struct request *r = c->request;

	/* The grant may be older than a change of its owner's rights: authd is asked for another, once. */
	c->retried = true;
	r->httpd->held -= c->held;
	c->held = 0;
	(void)evbuffer_drain(c->answer, evbuffer_get_length(c->answer));
	session_drop(r->httpd->sessions, &r->who, &r->from);
	session_get(r->httpd->sessions, &r->who, &r->from, SESSION_ANY_AGE, on_session, c);
}

static bool
on_answer(void *ctx, enum ask_end end, const void *body, size_t len)
{
	struct call *c = ctx;
	struct httpd *h = c->request->httpd;
	struct wire_admin_answer a;

	(void)len;
	if (end == ASK_LATE || end == ASK_LOST) {
		refuse_inquiry(c->request, INQUIRY_NO_AUTHD);
		call_free(h, c);
		return true;
	}
	memcpy(&a, body, sizeof(a)); /* serve.c looked at it */
	if (a.body_len > ANSWER_MAX - evbuffer_get_length(c->answer) || a.body_len > HELD_MAX - h->held)
		c->cut = true;
	if (a.body_len > 0 && !c->cut) {
		if (evbuffer_add(c->answer, (const char *)body + sizeof(a), a.body_len) == -1)
			fatalx("no memory for an answer");
		h->held += a.body_len;
		c->held += a.body_len;
	}
	if (end == ASK_PART)
		return true;
	if (a.status == ADMIN_NOT_GRANTED && !c->retried) {
		again(c);
	} else if (c->cut) {
		refuse_inquiry(c->request, INQUIRY_TOO_LONG);
		call_free(h, c);
	} else
		finish(c, &a);
	return true;
}

/* --- what goes there
 * --------------------------------------------------------------------------------------------------- */

static bool
send_call(struct call *c, const struct session *s)
{
	struct request *r = c->request;
	struct channel *ch = peers_find(r->httpd->peers, PROC_AUTHD, 0);
	uint64_t ask = ch == NULL ? 0 : asks_add(r->httpd->asks, PROC_AUTHD, ASK_SLOW, on_answer, c);
	struct wire_admin head = { .request = ask,
				   .client = r->from,
				   .grant_len = (uint32_t)s->grant_len,
				   .body_len = (uint32_t)c->len };
	size_t len = sizeof(head) + s->grant_len + c->len;
	uint8_t *message;
	bool sent;

	if (ask == 0)
		return false;
	message = mem_calloc(1, len);
	memcpy(message, &head, sizeof(head));
	memcpy(message + sizeof(head), s->grant, s->grant_len);
	memcpy(message + sizeof(head) + s->grant_len, c->body, c->len);
	sent = channel_send(ch, MSG_ADMIN, message, len);
	sodium_memzero(message, len);
	free(message);
	if (!sent)
		asks_cancel(r->httpd->asks, ask);
	return sent;
}

static void
on_session(void *ctx, enum session_end end, const struct session *s)
{
	struct call *c = ctx;
	struct httpd *h = c->request->httpd;

	if (end != SESSION_OK) {
		c->request->retry_after_s = s == NULL ? 0 : s->retry_after_s;
		refuse_inquiry(c->request, inquiry_end_of(end));
		call_free(h, c);
		return;
	}
	c->me = s->me;
	if (!send_call(c, s)) {
		refuse_inquiry(c->request, INQUIRY_NO_AUTHD);
		call_free(h, c);
	}
}

void
admin_call(struct request *r, const char *body, size_t len, admin_fn *fn)
{
	struct call *c = mem_calloc(1, sizeof(*c) + len);

	c->request = r;
	c->fn = fn;
	c->len = len;
	memcpy(c->body, body, len);
	c->answer = evbuffer_new();
	if (c->answer == NULL)
		fatalx("no memory for an answer");
	session_get(r->httpd->sessions, &r->who, &r->from, SESSION_ANY_AGE, on_session, c);
}
