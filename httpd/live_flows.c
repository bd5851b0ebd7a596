/*
 * /flows/live and /alerts/live: what flows did, and what alerts did, second by second. Of flows store keeps
 * what came since a window's last question; so nothing waits here, and a window that does not read asks
 * nothing.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "api_answer.h"
#include "base/log.h"
#include "base/mem.h"
#include "clients.h"
#include "feed.h"
#include "filter_param.h"
#include "refuse.h"
#include "request.h"

#define EVENTS_AT_ONCE 1000
#define EVENTS_MAX     (16u << 20) /* bytes of their text */

#define CURSOR_TEXT sodium_base64_ENCODED_LEN(CURSOR_MAX, sodium_base64_VARIANT_URLSAFE_NO_PADDING)

/* --- flows
 * --------------------------------------------------------------------------------------------------------------
 */

/* A window's first question: its answer is the stream, or says why there is none. */
struct opening {
	struct request *request;
	struct feed_flows flows;
	bool reset; /* it cannot go on where it says that it was */
};

static const char *
cursor_text(const struct feed_flows *w, char text[static CURSOR_TEXT])
{
	(void)sodium_bin2base64(text, CURSOR_TEXT, w->q.cursor, w->q.cursor_len,
				sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return text;
}

static void
add_question(struct inquiry *q, const struct feed_flows *w)
{
	struct part *p = inquiry_add(q, ASK_RECENT);

	p->q = w->q;
	if (w->filter == NULL)
		return;
	p->filter = mem_calloc(1, w->filter_len);
	p->filter_len = w->filter_len;
	memcpy(p->filter, w->filter, w->filter_len);
}

static void
take_cursor(struct feed_flows *w, const struct part *p)
{
	w->q.cursor_len = p->cursor_len;
	memcpy(w->q.cursor, p->cursor, p->cursor_len);
}

static void
put_event(struct json_writer *w, const struct row *row)
{
	static const char *const names[FLOW_EVENT_COUNT] = {
		[FLOW_OPENED] = "opened", [FLOW_CHANGED] = "changed", [FLOW_ENDED] = "ended"
	};

	if (names[row->flow_event.what] == NULL)
		return;
	json_object(w, NULL);
	json_string(w, "event", names[row->flow_event.what]);
	present_flow(w, "flow", row);
	json_object_end(w);
}

/* Both are told in a store's answer as rows: how many events there are, and how many are left out. */
static unsigned
count_events(const struct part *p, uint64_t *dropped)
{
	struct rows rows = part_rows(p);
	unsigned n = 0;
	struct row row;

	*dropped = 0;
	while (rows_next(&rows, &row)) {
		if (row.flow_event.what == FLOW_DROPPED)
			*dropped = row.flow_event.dropped;
		else
			n++;
	}
	return n;
}

static void
say_reset(struct feed *f, const char *why)
{
	char line[256];

	(void)snprintf(line, sizeof(line), "event: reset\ndata: {\"why\":\"%s\"}", why);
	feed_line(f, line);
}

static const char lost[] =
    "What came since is not known: Weir's store was started anew, or it is too long ago.";

static void
say_flows(struct feed *f, const struct part *p)
{
	char id[CURSOR_TEXT];
	struct rows rows = part_rows(p);
	struct json_writer *w;
	uint64_t dropped;
	struct row row;
	unsigned n = count_events(p, &dropped);

	take_cursor(&f->flows, p);
	if (n == 0 && dropped == 0 && f->begun)
		return;
	f->begun = true;
	w = json_new(EVENTS_MAX);
	json_object(w, NULL);
	json_time_ns(w, "now", p->now_ns);
	json_array(w, "events");
	while (rows_next(&rows, &row))
		put_event(w, &row);
	json_array_end(w);
	if (dropped == UINT64_MAX)
		json_null(w, "dropped");
	else
		json_uint(w, "dropped", dropped);
	json_object_end(w);
	if (!feed_event(f, "flows", cursor_text(&f->flows, id), &w))
		say_reset(f, "What came is too long to be told at once.");
}

static void
ask_flows(const struct feed *f, struct inquiry *q)
{
	add_question(q, &f->flows);
}

static void
on_flows(struct feed *f, const struct inquiry *q)
{
	say_flows(f, &q->part[0]);
}

/* Where it was is nowhere any more: it begins anew. */
static bool
begin_anew(struct feed *f)
{
	if (f->flows.q.cursor_len == 0)
		return false;
	f->flows.q.cursor_len = 0;
	f->begun = false;
	say_reset(f, lost);
	return true;
}

/* Where the stream is by now, for a browser that has to come back. */
static void
keep_place(struct feed *f)
{
	char id[CURSOR_TEXT], line[CURSOR_TEXT + 32];

	(void)snprintf(line, sizeof(line), ": keep-alive\nid: %s", cursor_text(&f->flows, id));
	feed_line(f, line);
}

static const struct feed_kind flows_kind = { false, ask_flows, on_flows, begin_anew, keep_place };

static void
opening_free(struct opening *o)
{
	free(o->flows.filter);
	free(o);
}

static void open_flows(struct opening *o);

static void
on_first(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct opening *o = ctx;
	struct request *r = o->request;
	struct feed *f;

	if (end == INQUIRY_BAD && o->flows.q.cursor_len > 0) {
		o->reset = true;
		o->flows.q.cursor_len = 0;
		inquiry_free(&q);
		open_flows(o);
		return;
	}
	if (end != INQUIRY_OK)
		refuse_inquiry(r, end);
	else if ((f = feed_open(r, &flows_kind, false)) != NULL) {
		f->flows = o->flows;
		o->flows.filter = NULL;
		if (o->reset)
			say_reset(f, lost);
		say_flows(f, &q->part[0]);
	}
	inquiry_free(&q);
	opening_free(o);
}

static void
open_flows(struct opening *o)
{
	struct request *r = o->request;
	struct inquiry *q = inquiry_new(r->httpd, &r->who, &r->from, on_first, o);

	inquiry_watch(q, client_socket(r->client));
	add_question(q, &o->flows);
	inquiry_run(q);
}

/* What a browser says on its own when it comes back (HTML, server-sent events): false where it can be no
 * place. */
static bool
read_place(const struct request *r, struct wire_question *q)
{
	const char *text = request_header(r, "Last-Event-ID");
	size_t len = 0;

	if (text == NULL || text[0] == '\0')
		return true;
	if (sodium_base642bin(q->cursor, sizeof(q->cursor), text, strlen(text), NULL, &len, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return false;
	q->cursor_len = (uint16_t)len;
	return true;
}

static void
begin_flows(struct request *r, uint8_t *filter, size_t filter_len)
{
	const struct params *p = &r->params;
	struct opening *o = mem_calloc(1, sizeof(*o));
	struct wire_question *q = &o->flows.q;

	o->request = r;
	o->flows.filter = filter;
	o->flows.filter_len = filter_len;
	q->kind = ASK_RECENT;
	q->limit = EVENTS_AT_ONCE;
	q->point = params_has(p, PARAM_INTERFACE) ? point_number(r, p->interface) : ANY_POINT;
	q->has_ip = params_has(p, PARAM_HOST);
	q->ip = p->host;
	q->key_len = (uint16_t)strlen(p->application);
	memcpy(q->key, p->application, q->key_len);
	o->reset = !read_place(r, q);
	open_flows(o);
}

void
api_flows_live(struct request *r)
{
	filter_param(r, begin_flows);
}

/* --- alerts
 * -------------------------------------------------------------------------------------------------------------
 */

/* Whoever may not see traffic is told so as everywhere: store judges it. */
static void
ask_alerts(const struct feed *f, struct inquiry *q)
{
	(void)f;
	(void)inquiry_add(q, ASK_TOTALS);
}

/* Nothing raises any yet: where the stream begins is all that there is to say. */
static void
on_alerts(struct feed *f, const struct inquiry *q)
{
	struct json_writer *w;

	if (f->begun)
		return;
	f->begun = true;
	w = json_new(EVENTS_MAX);
	json_object(w, NULL);
	json_time_ns(w, "now", q->part[0].now_ns);
	json_array(w, "events");
	json_array_end(w);
	json_uint(w, "dropped", 0);
	json_object_end(w);
	(void)feed_event(f, "alerts", NULL, &w);
}

static const struct feed_kind alerts_kind = { true, ask_alerts, on_alerts, NULL, NULL };

static void
on_alerts_session(void *ctx, enum session_end end, const struct session *s)
{
	struct request *r = ctx;

	(void)s;
	if (end != SESSION_OK)
		refuse_inquiry(r, inquiry_end_of(end));
	else
		(void)feed_open(r, &alerts_kind, true);
}

void
api_alerts_live(struct request *r)
{
	session_get(r->httpd->sessions, &r->who, &r->from, SESSION_ANY_AGE, on_alerts_session, r);
}
