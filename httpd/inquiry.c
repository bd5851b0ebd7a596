#include "inquiry.h"

#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "asks.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/channel.h"

#define ONE_MAX (8u << 20) /* bytes that one inquiry may gather */

struct body {
	struct body *next;
	size_t len;
	uint8_t bytes[];
};

/* What a question of each kind is answered with. */
static const enum row_kind answered_with[ASK_KIND_COUNT] = {
	[ASK_POINTS] = ROW_POINT,
	[ASK_HOSTS] = ROW_HOST,
	[ASK_HOST] = ROW_HOST,
	[ASK_FLOWS] = ROW_FLOW,
	[ASK_FLOW] = ROW_FLOW,
	[ASK_APPLICATIONS] = ROW_APPLICATION,
	[ASK_SERIES] = ROW_SERIES,
	[ASK_TOTALS] = ROW_TOTALS,
	[ASK_COUNTERS] = ROW_COUNTER,
	[ASK_COMPONENTS] = ROW_COMPONENT,
	[ASK_DEVICES] = ROW_DEVICE,
	[ASK_GROUPS] = ROW_GROUP,
	[ASK_SERIES_LIST] = ROW_SERIES_OF,
	[ASK_RECENT] = ROW_FLOW_EVENT,
};

struct inquiry *
inquiry_new(struct httpd *h, const struct credential *who, const struct wire_client *from, inquiry_fn *fn,
	    void *ctx)
{
	struct inquiry *q = mem_calloc(1, sizeof(*q));

	q->httpd = h;
	q->who = *who;
	q->from = *from;
	q->max_age_s = SESSION_ANY_AGE;
	q->fn = fn;
	q->ctx = ctx;
	q->client = -1;
	return q;
}

void
inquiry_watch(struct inquiry *q, int client)
{
	q->client = client;
}

struct part *
inquiry_add(struct inquiry *q, enum question_kind kind)
{
	struct part *p = &q->part[q->n++];

	if (q->n > INQUIRY_PARTS)
		fatalx("an inquiry has more than %d questions", INQUIRY_PARTS);
	p->q.kind = kind;
	p->q.point = ANY_POINT;
	p->last = &p->first;
	p->inquiry = q;
	return p;
}

static void
drop_bodies(struct inquiry *q)
{
	for (unsigned i = 0; i < q->n; i++) {
		struct part *p = &q->part[i];

		while (p->first != NULL) {
			struct body *b = p->first;

			p->first = b->next;
			free(b);
		}
		p->last = &p->first;
		p->cursor_len = 0;
	}
	q->httpd->held -= q->bytes;
	q->bytes = 0;
}

/* Store need not go on with it. */
static void
tell_store(const struct inquiry *q, uint64_t ask)
{
	const struct wire_question_cancel c = { ask };
	struct channel *ch = peers_find(q->httpd->peers, PROC_STORE, 0);

	if (ch != NULL)
		channel_send(ch, MSG_QUESTION_CANCEL, &c, sizeof(c));
}

static void
cancel_part(struct part *p)
{
	if (p->ask == 0)
		return;
	asks_cancel(p->inquiry->httpd->asks, p->ask);
	tell_store(p->inquiry, p->ask);
	p->ask = 0;
}

static void
cancel_asks(struct inquiry *q)
{
	for (unsigned i = 0; i < q->n; i++)
		cancel_part(&q->part[i]);
}

static void
stop_watching(struct inquiry *q)
{
	if (q->watched)
		TAILQ_REMOVE(&q->httpd->watched, q, watch);
	q->watched = false;
}

void
inquiry_free(struct inquiry **q)
{
	if (*q == NULL)
		return;
	cancel_asks(*q);
	drop_bodies(*q);
	for (unsigned i = 0; i < (*q)->n; i++)
		free((*q)->part[i].filter);
	stop_watching(*q);
	credential_wipe(&(*q)->who);
	if ((*q)->waits > 0)
		(*q)->over = true;
	else
		free(*q);
	*q = NULL;
}

/* Whoever gets it may keep its rows for long: nothing ends it a second time. */
static void
finish(struct inquiry *q, enum inquiry_end end)
{
	cancel_asks(q);
	stop_watching(q);
	q->fn(q->ctx, q, end);
}

/* --- its session
 * ----------------------------------------------------------------------------------------------------------
 */

/* This cannot be called off. */
static void
ask_session(struct inquiry *q, unsigned max_age_s, session_fn *fn, void *ctx)
{
	q->waits++;
	session_get(q->httpd->sessions, &q->who, &q->from, max_age_s, fn, ctx);
}

/* What fn asks first. False where the inquiry was over before its session came: then it is gone. */
static bool
is_awaited(struct inquiry *q)
{
	q->waits--;
	if (!q->over)
		return true;
	if (q->waits == 0)
		free(q);
	return false;
}

/* --- answers
 * ----------------------------------------------------------------------------------------------------------
 */

static bool
keep_body(struct part *p, const void *body, size_t len)
{
	struct inquiry *q = p->inquiry;
	const size_t most = q->slow ? q->httpd->held_max / 2 : q->httpd->held_max;
	struct body *b;

	if (len > ONE_MAX - q->bytes || q->httpd->held > most || len > most - q->httpd->held)
		return false;
	b = mem_calloc(1, sizeof(*b) + len);
	b->len = len;
	memcpy(b->bytes, body, len);
	*p->last = b;
	p->last = &b->next;
	q->bytes += len;
	q->httpd->held += len;
	return true;
}

static enum inquiry_end
end_of(uint32_t status)
{
	static const enum inquiry_end ends[] = { [ANSWER_OK] = INQUIRY_OK,
						 [ANSWER_NOT_FOUND] = INQUIRY_NOT_FOUND,
						 [ANSWER_NOT_GRANTED] = INQUIRY_NO_SESSION,
						 [ANSWER_UNAVAILABLE] = INQUIRY_NO_STORE,
						 [ANSWER_BAD_QUESTION] = INQUIRY_BAD,
						 [ANSWER_HISTORY_DOWN] = INQUIRY_NO_HISTORY,
						 [ANSWER_NARROWED] = INQUIRY_NARROWED,
						 [ANSWER_BUSY] = INQUIRY_BUSY,
						 [ANSWER_TIMEOUT] = INQUIRY_TOO_SLOW,
						 [ANSWER_TOO_COSTLY] = INQUIRY_TOO_COSTLY };
	static_assert(sizeof(ends) / sizeof(ends[0]) == ANSWER_STATUS_COUNT, "an end for each");

	return ends[status]; /* serve.c looked at its range */
}

enum inquiry_end
inquiry_end_of(enum session_end end)
{
	static const enum inquiry_end ends[] = { [SESSION_OK] = INQUIRY_OK,
						 [SESSION_DENIED] = INQUIRY_NO_SESSION,
						 [SESSION_NO_TENANT] = INQUIRY_NO_TENANT,
						 [SESSION_THROTTLED] = INQUIRY_THROTTLED,
						 [SESSION_BUSY] = INQUIRY_LOGIN_BUSY,
						 [SESSION_AWAY] = INQUIRY_LOGIN_AWAY,
						 [SESSION_TOKEN_ONLY] = INQUIRY_TOKEN_ONLY,
						 [SESSION_NO_AUTHD] = INQUIRY_NO_AUTHD };

	return ends[end];
}

static bool part_ask(struct part *p, const struct session *s);

static void
on_follow(void *ctx, enum session_end end, const struct session *s)
{
	struct part *p = ctx;

	if (!is_awaited(p->inquiry))
		return;
	if (end != SESSION_OK)
		finish(p->inquiry, inquiry_end_of(end));
	else if (!part_ask(p, s))
		finish(p->inquiry, INQUIRY_NO_STORE);
}

static void
part_done(struct part *p)
{
	struct inquiry *q = p->inquiry;

	if (p->follow && p->cursor_len > 0) {
		memcpy(p->q.cursor, p->cursor, p->cursor_len);
		p->q.cursor_len = p->cursor_len;
		p->cursor_len = 0;
		ask_session(q, SESSION_ANY_AGE, on_follow, p);
		return;
	}
	if (--q->left == 0)
		finish(q, INQUIRY_OK);
}

static void
part_failed(struct part *p, enum inquiry_end end)
{
	struct inquiry *q = p->inquiry;

	if (p->optional && end != INQUIRY_NO_STORE) {
		part_done(p);
		return;
	}
	if (end == INQUIRY_NO_SESSION && !q->retried) {
		/* The grant may be older than store's knowledge of it: authd is asked once more. */
		q->retried = true;
		cancel_asks(q);
		drop_bodies(q);
		session_drop(q->httpd->sessions, &q->who, &q->from);
		inquiry_run(q);
		return;
	}
	/* authd has just said that the session is good: what store refuses now is the question. */
	finish(q, end == INQUIRY_NO_SESSION ? INQUIRY_DENIED : end);
}

static bool
on_answer(void *ctx, enum ask_end end, const void *body, size_t len)
{
	struct part *p = ctx;
	struct answer a;

	if (end == ASK_LATE)
		tell_store(p->inquiry, p->ask);
	if (end != ASK_PART)
		p->ask = 0;
	if (end == ASK_LATE || end == ASK_LOST) {
		part_failed(p, end == ASK_LATE ? INQUIRY_LATE : INQUIRY_NO_STORE);
		return true;
	}
	if (!answer_open(&a, body, len) ||
	    (a.head.nrows > 0 && a.head.row_kind != (uint32_t)answered_with[p->q.kind])) {
		part_failed(p, INQUIRY_NO_STORE);
		return false;
	}
	if (a.head.status != ANSWER_OK) {
		cancel_part(p); /* it may have said that more follows */
		part_failed(p, end_of(a.head.status));
		return true;
	}
	if (!keep_body(p, body, len)) {
		finish(p->inquiry, INQUIRY_TOO_LONG);
		return true;
	}
	p->now_ns = a.head.now_ns;
	if (end == ASK_PART)
		return true;
	if (a.head.has_cursor != 0) {
		p->cursor_len = a.head.cursor_len;
		memcpy(p->cursor, a.head.cursor, a.head.cursor_len);
	}
	part_done(p);
	return true;
}

/* --- the client
 * --------------------------------------------------------------------------------------------------------
 */

#define WATCH_MS 250

/* evhttp does not look at a connection whose request waits for us. */
static void
on_watch(evutil_socket_t fd, short what, void *ctx)
{
	struct httpd *h = ctx;
	struct inquiry *q, *next;

	(void)fd;
	(void)what;
	for (q = TAILQ_FIRST(&h->watched); q != NULL; q = next) {
		struct pollfd p = { .fd = q->client, .events = POLLRDHUP };

		next = TAILQ_NEXT(q, watch);
		if (poll(&p, 1, 0) == 1)
			finish(q, INQUIRY_GONE);
	}
	if (TAILQ_EMPTY(&h->watched))
		(void)event_del(h->watch);
}

static void
watch(struct inquiry *q)
{
	static const struct timeval every = { 0, WATCH_MS * 1000 };
	struct httpd *h = q->httpd;

	if (q->client == -1 || q->watched)
		return;
	if (TAILQ_EMPTY(&h->watched) && !event_pending(h->watch, EV_TIMEOUT, NULL) &&
	    event_add(h->watch, &every) == -1)
		fatalx("no memory for a question");
	TAILQ_INSERT_TAIL(&h->watched, q, watch);
	q->watched = true;
}

void
inquiries_open(struct httpd *h)
{
	TAILQ_INIT(&h->watched);
	h->watch = event_new(h->base, -1, EV_PERSIST, on_watch, h);
	if (h->watch == NULL)
		fatalx("no memory for questions");
}

void
inquiries_close(struct httpd *h)
{
	event_free(h->watch);
}

/* --- questions
 * -------------------------------------------------------------------------------------------------------- */

static bool
part_ask(struct part *p, const struct session *s)
{
	struct httpd *h = p->inquiry->httpd;
	struct channel *ch = peers_find(h->peers, PROC_STORE, 0);
	static uint8_t
	    message[WIRE_QUESTION_MAX]; /* too long to be cleared each time, as what is on the stack is */

	if (ch == NULL || (p->ask = asks_add(h->asks, PROC_STORE, ASK_STORE, on_answer, p)) == 0)
		return false;
	p->q.request = p->ask;
	p->q.grant_len = (uint32_t)s->grant_len;
	p->q.filter_len = (uint32_t)p->filter_len;
	memcpy(message, &p->q, sizeof(p->q));
	memcpy(message + sizeof(p->q), s->grant, s->grant_len);
	if (p->filter_len > 0)
		memcpy(message + sizeof(p->q) + s->grant_len, p->filter, p->filter_len);
	return channel_send_soon(ch, MSG_QUESTION, message, sizeof(p->q) + s->grant_len + p->filter_len);
}

static void
on_session(void *ctx, enum session_end end, const struct session *s)
{
	struct inquiry *q = ctx;
	bool sent = true;

	if (!is_awaited(q))
		return;
	if (end != SESSION_OK) {
		q->retry_after_s = s == NULL ? 0 : s->retry_after_s;
		finish(q, inquiry_end_of(end));
		return;
	}
	q->me = s->me;
	q->left = q->n;
	watch(q);
	for (unsigned i = 0; i < q->n && sent; i++)
		sent = part_ask(&q->part[i], s);
	if (!sent || q->n == 0)
		finish(q, sent ? INQUIRY_OK : INQUIRY_NO_STORE);
}

void
inquiry_run(struct inquiry *q)
{
	ask_session(q, q->max_age_s, on_session, q);
}

/* --- rows
 * -------------------------------------------------------------------------------------------------------------
 */

struct rows
part_rows(const struct part *p)
{
	return (struct rows){ .next = p->first };
}

bool
rows_next(struct rows *rows, struct row *r)
{
	for (;;) {
		if (rows->open && answer_next(&rows->answer, r) == 1)
			return true;
		if (rows->next == NULL || !answer_open(&rows->answer, rows->next->bytes, rows->next->len))
			return false;
		rows->open = true;
		rows->next = rows->next->next;
	}
}

void
part_array(struct json_writer *w, const char *key, const struct part *p,
	   void (*present)(struct json_writer *w, const char *key, const struct row *r))
{
	struct rows rows = part_rows(p);
	struct row r;

	json_array(w, key);
	while (rows_next(&rows, &r))
		present(w, NULL, &r);
	json_array_end(w);
}
