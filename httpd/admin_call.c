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
#include "wipe.h"

#define ANSWER_MAX         (8u << 20)
#define UNCONFIRMED_HEADER "Weir-Unconfirmed"

struct admin_call {
	struct httpd *httpd;
	struct credential who;
	struct wire_client from;
	admin_end_fn *fn; /* NULL: nobody waits any more */
	void *ctx;
	struct admin_end end;
	bool again, cut; /* cut: the answer is longer than can be held */
	bool *over;      /* told as long as admin_ask has not returned */
	size_t held;     /* bytes of it, as httpd.held counts them */
	size_t len;
	char body[];
};

static void on_session(void *ctx, enum session_end end, const struct session *s);

static void
call_end(struct admin_call *c, enum inquiry_end end)
{
	c->end.end = end;
	if (c->over != NULL)
		*c->over = true;
	if (c->fn != NULL)
		c->fn(c->ctx, &c->end);
	c->httpd->held -= c->held;
	wipe_buffer(c->end.text); /* it may hold a secret: a new token */
	evbuffer_free(c->end.text);
	credential_wipe(&c->who);
	sodium_memzero(c->body, c->len);
	free(c);
}

void
admin_forget(struct admin_call *c)
{
	if (c != NULL)
		c->fn = NULL;
}

/* --- what comes back
 * --------------------------------------------------------------------------------------------------- */

static void
ask_again(struct admin_call *c)
{
	/* The grant may be older than a change of its owner's rights: authd is asked for another, once. */
	c->again = false;
	c->httpd->held -= c->held;
	c->held = 0;
	c->cut = false;
	wipe_buffer(c->end.text);
	session_drop(c->httpd->sessions, &c->who, &c->from);
	session_get(c->httpd->sessions, &c->who, &c->from, SESSION_ANY_AGE, on_session, c);
}

static bool
on_answer(void *ctx, enum ask_end end, const void *body, size_t len)
{
	struct admin_call *c = ctx;
	struct httpd *h = c->httpd;
	struct wire_admin_answer a;

	(void)len;
	if (end == ASK_LATE || end == ASK_LOST) {
		call_end(c, INQUIRY_NO_AUTHD);
		return true;
	}
	memcpy(&a, body, sizeof(a)); /* serve.c looked at it */
	if (a.body_len > ANSWER_MAX - evbuffer_get_length(c->end.text) || a.body_len > h->held_max - h->held)
		c->cut = true;
	if (a.body_len > 0 && !c->cut) {
		if (evbuffer_add(c->end.text, (const char *)body + sizeof(a), a.body_len) == -1)
			fatalx("no memory for an answer");
		h->held += a.body_len;
		c->held += a.body_len;
	}
	if (end == ASK_PART)
		return true;
	c->end.status = (enum admin_status)a.status;
	c->end.unconfirmed = a.unconfirmed != 0;
	if (a.status == ADMIN_NOT_GRANTED && c->again)
		ask_again(c);
	else if (a.status == ADMIN_NOT_GRANTED)
		call_end(c, INQUIRY_NO_SESSION);
	else
		call_end(c, c->cut ? INQUIRY_TOO_LONG : INQUIRY_OK);
	return true;
}

/* --- what goes there
 * --------------------------------------------------------------------------------------------------- */

static bool
send_call(struct admin_call *c, const struct session *s)
{
	struct channel *ch = peers_find(c->httpd->peers, PROC_AUTHD, 0);
	uint64_t ask = ch == NULL ? 0 : asks_add(c->httpd->asks, PROC_AUTHD, ASK_SLOW, on_answer, c);
	struct wire_admin head = { .request = ask,
				   .client = c->from,
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
		asks_cancel(c->httpd->asks, ask);
	return sent;
}

static void
on_session(void *ctx, enum session_end end, const struct session *s)
{
	struct admin_call *c = ctx;

	if (end != SESSION_OK) {
		c->end.retry_after_s = s == NULL ? 0 : s->retry_after_s;
		call_end(c, inquiry_end_of(end));
		return;
	}
	c->end.me = s->me;
	if (!send_call(c, s))
		call_end(c, INQUIRY_NO_AUTHD);
}

struct admin_call *
admin_ask(struct httpd *h, const struct credential *who, const struct wire_client *from, const char *body,
	  size_t len, admin_end_fn *fn, void *ctx)
{
	struct admin_call *c = mem_calloc(1, sizeof(*c) + len);
	bool over = false;

	c->httpd = h;
	c->over = &over;
	c->who = *who;
	c->from = *from;
	c->again = true;
	c->fn = fn;
	c->ctx = ctx;
	c->len = len;
	memcpy(c->body, body, len);
	c->end.text = evbuffer_new();
	if (c->end.text == NULL)
		fatalx("no memory for an answer");
	session_get(h->sessions, &c->who, &c->from, SESSION_ANY_AGE, on_session, c);
	if (over)
		return NULL;
	c->over = NULL;
	return c;
}

/* --- for one request
 * ------------------------------------------------------------------------------------------------ */

struct one {
	struct request *request;
	admin_fn *fn;
};

/* {"field", "detail"} of an operation that was refused: the field is said to the client as it stands. */
static void
refuse_field(struct request *r, int status, struct evbuffer *answer)
{
	size_t len = evbuffer_get_length(answer);
	const char *text = (const char *)evbuffer_pullup(answer, -1);
	struct json_doc *d = NULL;
	const char *field, *detail;
	char why[160];

	if (len > 0 && text != NULL)
		d = json_parse(text, len, ADMIN_BODY_MAX, why, sizeof(why));
	field = d == NULL ? NULL : json_get_string(d, "field");
	detail = d == NULL ? NULL : json_get_string(d, "detail");
	if (detail == NULL)
		reply_problem(r, status, NULL);
	else if (field == NULL || field[0] == '\0')
		reply_problem(r, status, "%s", detail);
	else
		reply_problem_field(r, status, field, "%s", detail);
	json_doc_free(&d);
}

void
admin_refuse(struct request *r, const struct admin_end *e)
{
	if (e->end != INQUIRY_OK) {
		r->retry_after_s = e->retry_after_s;
		refuse_inquiry(r, e->end);
		return;
	}
	switch (e->status) {
	case ADMIN_BAD:
		refuse_field(r, 400, e->text);
		break;
	case ADMIN_DENIED:
		refuse_field(r, 403, e->text);
		break;
	case ADMIN_NOT_FOUND:
		reply_problem(r, 404, NULL); /* never a word more: it may be another's */
		break;
	case ADMIN_CONFLICT:
		refuse_field(r, 409, e->text);
		break;
	case ADMIN_NOT_GRANTED:
		refuse_inquiry(r, INQUIRY_NO_SESSION);
		break;
	case ADMIN_OK:
	case ADMIN_BUSY:
	case ADMIN_UNAVAILABLE:
	case ADMIN_STATUS_COUNT:
		refuse_field(r, 503, e->text);
		break;
	}
}

static void
on_end(void *ctx, const struct admin_end *e)
{
	struct one one;

	memcpy(&one, ctx, sizeof(one));
	free(ctx);
	if (e->end != INQUIRY_OK || e->status != ADMIN_OK) {
		admin_refuse(one.request, e);
		return;
	}
	if (e->unconfirmed)
		reply_header(one.request, UNCONFIRMED_HEADER, "store");
	one.fn(one.request, &e->me, e->text);
}

void
admin_call(struct request *r, const char *body, size_t len, admin_fn *fn)
{
	struct one *one = mem_calloc(1, sizeof(*one));

	*one = (struct one){ r, fn };
	(void)admin_ask(r->httpd, &r->who, &r->from, body, len, on_end, one);
}
