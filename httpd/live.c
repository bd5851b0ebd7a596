#include "live.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "api.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "clients.h"
#include "export.h"
#include "feed.h"
#include "gate.h"
#include "inquiry.h"
#include "rate.h"
#include "refuse.h"
#include "request.h"
#include "state.h"
#include "tally.h"

#define EVENT_MAX    (1u << 20)
#define PENDING_MAX  (64u << 10) /* bytes that wait for one window: more, and it is skipped */
#define STALLED_S    15          /* for so long, and it is closed */
#define KEEP_ALIVE_S 15
#define RETRY_MS     "1000" /* a window whose stream was ended comes back after this */
#define GRANT_AGE_S  30     /* renewed at half its life */

enum { POINTS, TOTALS, HOSTS, APPLICATIONS, FLOWS, COUNTERS, COMPONENTS };

/* One window. */
struct watcher {
	TAILQ_ENTRY(watcher) entry;
	struct feed *feed;
	struct evhttp_request *ev;
	struct client *client;
	uint64_t holder_hash, tenant_hash; /* that it is counted by */
	int64_t flowing_ns;                /* when its queue was last short */
};

struct live {
	struct httpd *httpd;
	size_t max; /* streams of all workers */
	bool stopped;
	TAILQ_HEAD(, feed) feeds;
};

static const struct timeval every_second = { 1, 0 };

/* --- feeds and watchers
 * ------------------------------------------------------------------------------------------------ */

/* Goes once nobody watches and nothing is awaited. */
static void
feed_release(struct feed *f)
{
	if (!TAILQ_EMPTY(&f->watchers) || f->asked != NULL)
		return;
	TAILQ_REMOVE(&f->set->feeds, f, entry);
	event_free(f->tick);
	free(f->flows.filter);
	credential_wipe(&f->who);
	free(f);
}

/* One that costs store a question a second of its own has a place among tables too. */
static void
count(const struct watcher *w, int by)
{
	struct tally *t = w->feed->httpd->tally;

	tally_stream(t, w->tenant_hash, by);
	if (!w->feed->kind->shared)
		tally_table(t, w->holder_hash, w->tenant_hash, by);
}

static void
watcher_free(struct watcher *w)
{
	count(w, -1);
	TAILQ_REMOVE(&w->feed->watchers, w, entry);
	free(w);
}

/* The window is gone. evhttp has let go of a request that was still being answered, which is then ours to
 * free; where it has not (it frees everything itself at the end), it will. */
static void
on_closed(struct evhttp_connection *connection, void *arg)
{
	struct watcher *w = arg;
	struct feed *f = w->feed;

	(void)connection;
	if (evhttp_request_get_connection(w->ev) == NULL)
		evhttp_request_free(w->ev);
	watcher_free(w);
	feed_release(f);
}

/* Sends the stream's end; evhttp closes the connection once it is written. */
static void
watcher_end(struct watcher *w)
{
	struct evhttp_request *ev = w->ev;

	evhttp_connection_set_closecb(evhttp_request_get_connection(ev), NULL, NULL);
	client_enter(w->client, CLIENT_ANSWERING); /* the rest has a deadline again */
	watcher_free(w);
	evhttp_send_reply_end(ev);
}

static void
end_watchers(struct feed *f)
{
	struct watcher *w, *next;

	for (w = TAILQ_FIRST(&f->watchers); w != NULL; w = next) {
		next = TAILQ_NEXT(w, entry);
		watcher_end(w);
	}
}

static size_t
watcher_pending(const struct watcher *w)
{
	struct evhttp_connection *c = evhttp_request_get_connection(w->ev);

	return evbuffer_get_length(bufferevent_get_output(evhttp_connection_get_bufferevent(c)));
}

/* --- sending
 * -----------------------------------------------------------------------------------------------------------
 */

/* What goes to every window of a feed, without the empty line that ends it, is in memory once; the last that
 * has sent it frees it. */
struct text {
	size_t users, len;
	char bytes[];
};

static struct text *
text_new(size_t len)
{
	struct text *t = mem_calloc(1, sizeof(*t) + len);

	t->users = 1;
	t->len = len;
	return t;
}

static void
text_release(struct text *t)
{
	if (--t->users == 0)
		free(t);
}

static void
on_sent(const void *bytes, size_t len, void *text)
{
	(void)bytes;
	(void)len;
	text_release(text);
}

static void
send_to(struct watcher *w, struct text *t, int64_t now)
{
	struct evbuffer *b;

	if (watcher_pending(w) > PENDING_MAX) {
		if (now - w->flowing_ns > STALLED_S * NS_PER_S)
			client_cut(w->client);
		return;
	}
	w->flowing_ns = now;
	b = evbuffer_new();
	t->users++;
	/* The end by itself: evhttp appends to it, and libevent takes as much room for that as the last piece
	 * has. */
	if (b == NULL || evbuffer_add_reference(b, t->bytes, t->len, on_sent, t) == -1 ||
	    evbuffer_add_reference(b, "\n\n", 2, NULL, NULL) == -1)
		fatalx("no memory for an event");
	evhttp_send_reply_chunk(w->ev, b);
	evbuffer_free(b);
}

/* Takes t. */
static void
send_all(struct feed *f, struct text *t)
{
	struct watcher *w, *next;
	int64_t now = clock_boot_ns();

	for (w = TAILQ_FIRST(&f->watchers); w != NULL; w = next) {
		next = TAILQ_NEXT(w, entry);
		send_to(w, t, now);
	}
	text_release(t);
	f->sent_ns = now;
}

void
feed_line(struct feed *f, const char *line)
{
	struct text *t = text_new(strlen(line));

	memcpy(t->bytes, line, t->len);
	send_all(f, t);
}

bool
feed_event(struct feed *f, const char *name, const char *id, struct json_writer **w)
{
	char head[256];
	size_t len = 0, n;
	const char *json = json_text(*w, &len);

	n = id == NULL ? (size_t)snprintf(head, sizeof(head), "event: %s\ndata: ", name)
		       : (size_t)snprintf(head, sizeof(head), "event: %s\nid: %s\ndata: ", name, id);
	if (json != NULL && n < sizeof(head)) {
		struct text *t = text_new(n + len);

		memcpy(t->bytes, head, n);
		memcpy(t->bytes + n, json, len);
		send_all(f, t);
	}
	json_free(w);
	return json != NULL;
}

/* --- what is sent
 * ------------------------------------------------------------------------------------------------------ */

static void
put_sums(struct json_writer *w, const struct part *p)
{
	struct rows rows = part_rows(p);
	struct row_totals t = { 0 };
	struct row row;

	if (rows_next(&rows, &row))
		t = row.totals;
	json_object(w, "totals");
	json_uint(w, "bytes_per_second", t.bytes_per_s);
	json_uint(w, "packets_per_second", t.packets_per_s);
	json_uint(w, "flows", t.flows);
	json_uint(w, "hosts", t.hosts);
	json_uint(w, "bytes", t.bytes);
	json_uint(w, "packets", t.packets);
	json_object_end(w);
}

static void
say_live(struct feed *f, const struct inquiry *q)
{
	struct json_writer *w = json_new(EVENT_MAX);

	json_object(w, NULL);
	json_time_ns(w, "now", q->part[TOTALS].now_ns);
	put_sums(w, &q->part[TOTALS]);
	part_array(w, "interfaces", &q->part[POINTS], present_interface);
	part_array(w, "hosts", &q->part[HOSTS], present_host);
	part_array(w, "applications", &q->part[APPLICATIONS], present_application);
	part_array(w, "flows", &q->part[FLOWS], present_flow);
	put_counters(w, "drops", &q->part[COUNTERS], COUNTER_DROP);
	put_state(w, f->httpd, &q->part[COMPONENTS]);
	json_object_end(w);
	(void)feed_event(f, "live", NULL, &w);
}

static void
send_unavailable(struct feed *f, enum inquiry_end end)
{
	struct json_writer *w = json_new(EVENT_MAX);

	json_object(w, NULL);
	json_string(w, "why", inquiry_why(end));
	put_state_without_store(w, f->httpd);
	json_object_end(w);
	(void)feed_event(f, "unavailable", NULL, &w);
}

/* why: "session": it is over. "role": it may not see any of this. */
static void
end_feed(struct feed *f, const char *why)
{
	char end[64];

	(void)snprintf(end, sizeof(end), "event: end\ndata: {\"why\":\"%s\"}", why);
	feed_line(f, end);
	end_watchers(f);
}

static void ask(struct feed *f);

static void
on_answer(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct feed *f = ctx;

	f->asked = NULL;
	if (end == INQUIRY_OK)
		f->kind->answer(f, q);
	else if (end == INQUIRY_NO_SESSION || end == INQUIRY_NO_TENANT)
		end_feed(f, "session");
	else if (end == INQUIRY_BAD && f->kind->refused != NULL && f->kind->refused(f))
		ask(f);
	else if (end == INQUIRY_DENIED || end == INQUIRY_BAD)
		end_feed(f, "role");
	else
		send_unavailable(f, end);
	inquiry_free(&q);
	feed_release(f);
}

/* --- asking
 * ------------------------------------------------------------------------------------------------------------
 */

static void
ask_top(struct inquiry *q, enum question_kind kind, enum sort_key sort, uint32_t limit)
{
	struct part *p = inquiry_add(q, kind);

	p->q.sort = sort;
	p->q.limit = limit;
}

static void
ask_live(const struct feed *f, struct inquiry *q)
{
	(void)f;
	(void)inquiry_add(q, ASK_POINTS);
	(void)inquiry_add(q, ASK_TOTALS);
	ask_top(q, ASK_HOSTS, SORT_RATE, 10);
	ask_top(q, ASK_APPLICATIONS, SORT_BYTES, 10);
	ask_top(q, ASK_FLOWS, SORT_RATE, 20);
	(void)inquiry_add(q, ASK_COUNTERS);
	inquiry_add(q, ASK_COMPONENTS)->optional = true;
}

static const struct feed_kind live_kind = { true, ask_live, say_live, NULL, NULL };

static void
ask(struct feed *f)
{
	struct inquiry *q = inquiry_new(f->httpd, &f->who, &f->from, on_answer, f);

	q->max_age_s = GRANT_AGE_S;
	f->kind->ask(f, q);
	f->asked = q;
	inquiry_run(q);
}

/* A window with a place of its own that has not taken what it was sent asks for no more. */
static bool
is_behind(struct feed *f)
{
	struct watcher *w = TAILQ_FIRST(&f->watchers);
	int64_t now = clock_boot_ns();

	if (f->kind->shared)
		return false;
	if (watcher_pending(w) <= PENDING_MAX) {
		w->flowing_ns = now;
		return false;
	}
	if (now - w->flowing_ns > STALLED_S * NS_PER_S)
		client_cut(w->client);
	return true;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct feed *f = arg;

	(void)fd;
	(void)what;
	if (TAILQ_EMPTY(&f->watchers))
		return; /* it goes when the answer that it waits for has come */
	if (is_behind(f))
		return;
	if (clock_boot_ns() - f->sent_ns > KEEP_ALIVE_S * NS_PER_S) {
		if (f->kind->quiet != NULL)
			f->kind->quiet(f);
		else
			feed_line(f, ": keep-alive");
	}
	if (f->asked == NULL)
		ask(f);
}

/* --- a window opens
 * ---------------------------------------------------------------------------------------------------- */

static struct feed *
feed_of(struct live *l, const struct request *r, const struct feed_kind *kind)
{
	struct feed *f;

	TAILQ_FOREACH(f, &l->feeds, entry)
	if (kind->shared && f->kind == kind && credential_same(&f->who, &f->from.ip, &r->who, &r->from.ip))
		return f;
	f = mem_calloc(1, sizeof(*f));
	f->set = l;
	f->httpd = l->httpd;
	f->kind = kind;
	f->who = r->who;
	f->from = r->from;
	f->sent_ns = clock_boot_ns();
	TAILQ_INIT(&f->watchers);
	f->tick = event_new(l->httpd->base, -1, EV_PERSIST, on_tick, f);
	if (f->tick == NULL || event_add(f->tick, &every_second) == -1)
		fatalx("no memory for a stream");
	TAILQ_INSERT_TAIL(&l->feeds, f, entry);
	return f;
}

/* One tenant never has all places. */
static bool
has_room(const struct live *l, uint64_t holder, uint64_t tenant, const struct feed_kind *kind)
{
	const struct tally *t = l->httpd->tally;

	return !l->stopped && tally_streams(t) < l->max &&
	       tally_streams_of(t, tenant) < l->max - l->max / 4 &&
	       (kind->shared || export_has_room(l->httpd, holder, tenant));
}

struct feed *
feed_open(struct request *r, const struct feed_kind *kind, bool at_once)
{
	struct live *l = r->httpd->live;
	const uint64_t holder = gate_holder(r),
		       tenant = rate_hash(l->httpd->tally, "tenant", r->tenant, strlen(r->tenant));
	struct watcher *w;
	struct feed *f;

	if (!has_room(l, holder, tenant, kind)) {
		reply_problem(r, 503, "Too many streams are open.");
		return NULL;
	}
	f = feed_of(l, r, kind);
	f->begun = false;
	w = mem_calloc(1, sizeof(*w));
	w->feed = f;
	w->client = r->client;
	w->holder_hash = holder;
	w->tenant_hash = tenant;
	w->flowing_ns = clock_boot_ns();
	w->ev = reply_stream(r, "text/event-stream");
	evhttp_connection_set_closecb(evhttp_request_get_connection(w->ev), on_closed, w);
	TAILQ_INSERT_TAIL(&f->watchers, w, entry);
	count(w, 1);
	if (at_once && f->asked == NULL)
		ask(f);
	return f;
}

static void
on_session(void *ctx, enum session_end end, const struct session *s)
{
	struct request *r = ctx;

	(void)s;
	if (end != SESSION_OK)
		refuse_inquiry(r, inquiry_end_of(end));
	else
		(void)feed_open(r, &live_kind, true);
}

void
api_live(struct request *r)
{
	session_get(r->httpd->sessions, &r->who, &r->from, SESSION_ANY_AGE, on_session, r);
}

/* --- all of them
 * ------------------------------------------------------------------------------------------------------- */

struct live *
live_new(struct httpd *h)
{
	struct live *l = mem_calloc(1, sizeof(*l));

	l->httpd = h;
	l->max = (size_t)h->boot->settings.http_connections * 3 / 4;
	TAILQ_INIT(&l->feeds);
	return l;
}

void
live_stop(struct live *l)
{
	struct feed *f, *next;

	l->stopped = true;
	for (f = TAILQ_FIRST(&l->feeds); f != NULL; f = next) {
		next = TAILQ_NEXT(f, entry);
		feed_line(f, "retry: " RETRY_MS);
		end_watchers(f);
		feed_release(f);
	}
}

void
live_free(struct live **l)
{
	if (*l == NULL)
		return;
	live_stop(*l);
	free(*l);
	*l = NULL;
}
