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
#include "inquiry.h"
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
	int64_t flowing_ns; /* when its queue was last short */
};

/* One session, or token from one address, that watches. */
struct feed {
	TAILQ_ENTRY(feed) entry;
	struct live *set;
	struct credential who;
	struct wire_client from;
	struct event *tick;
	struct inquiry *asked; /* NULL: no answer is awaited */
	int64_t sent_ns;
	bool platform; /* its role sees components */
	TAILQ_HEAD(, watcher) watchers;
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
	credential_wipe(&f->who);
	free(f);
}

static void
watcher_free(struct watcher *w)
{
	TAILQ_REMOVE(&w->feed->watchers, w, entry);
	tally_stream(w->feed->set->httpd->tally, -1);
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

static void
send_line(struct feed *f, const char *line)
{
	struct text *t = text_new(strlen(line));

	memcpy(t->bytes, line, t->len);
	send_all(f, t);
}

/* "event: NAME", "data: JSON" and the empty line that ends an event; takes *w. */
static void
send_event(struct feed *f, const char *name, struct json_writer **w)
{
	char head[64];
	size_t len = 0, n = (size_t)snprintf(head, sizeof(head), "event: %s\ndata: ", name);
	const char *json = json_text(*w, &len);

	if (json != NULL) {
		struct text *t = text_new(n + len);

		memcpy(t->bytes, head, n);
		memcpy(t->bytes + n, json, len);
		send_all(f, t);
	}
	json_free(w);
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
send_live(struct feed *f, const struct inquiry *q)
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
	put_state(w, f->set->httpd, &q->part[COMPONENTS]);
	json_object_end(w);
	send_event(f, "live", &w);
}

static void
send_unavailable(struct feed *f, enum inquiry_end end)
{
	struct json_writer *w = json_new(EVENT_MAX);

	json_object(w, NULL);
	json_string(w, "why", inquiry_why(end));
	put_state_without_store(w, f->set->httpd);
	json_object_end(w);
	send_event(f, "unavailable", &w);
}

/* why: "session": it is over. "role": it may not see any of this. */
static void
end_feed(struct feed *f, const char *why)
{
	char end[64];

	(void)snprintf(end, sizeof(end), "event: end\ndata: {\"why\":\"%s\"}", why);
	send_line(f, end);
	end_watchers(f);
}

static void
on_answer(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	struct feed *f = ctx;

	f->asked = NULL;
	if (end == INQUIRY_OK) {
		f->platform = role_sees_platform(q->me.role);
		send_live(f, q);
	} else if (end == INQUIRY_NO_SESSION || end == INQUIRY_NO_TENANT)
		end_feed(f, "session");
	else if (end == INQUIRY_DENIED)
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
ask(struct feed *f)
{
	struct inquiry *q = inquiry_new(f->set->httpd, &f->who, &f->from, on_answer, f);

	q->max_age_s = GRANT_AGE_S;
	(void)inquiry_add(q, ASK_POINTS);
	(void)inquiry_add(q, ASK_TOTALS);
	ask_top(q, ASK_HOSTS, SORT_RATE, 10);
	ask_top(q, ASK_APPLICATIONS, SORT_BYTES, 10);
	ask_top(q, ASK_FLOWS, SORT_RATE, 20);
	(void)inquiry_add(q, ASK_COUNTERS);
	inquiry_add(q, ASK_COMPONENTS)->optional = true;
	f->asked = q;
	inquiry_run(q);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct feed *f = arg;

	(void)fd;
	(void)what;
	if (TAILQ_EMPTY(&f->watchers))
		return; /* it goes when the answer that it waits for has come */
	if (clock_boot_ns() - f->sent_ns > KEEP_ALIVE_S * NS_PER_S)
		send_line(f, ": keep-alive");
	if (f->asked == NULL)
		ask(f);
}

/* --- a window opens
 * ---------------------------------------------------------------------------------------------------- */

static struct feed *
feed_of(struct live *l, const struct request *r)
{
	struct feed *f;

	TAILQ_FOREACH(f, &l->feeds, entry)
	if (credential_same(&f->who, &f->from.ip, &r->who, &r->from.ip))
		return f;
	f = mem_calloc(1, sizeof(*f));
	f->set = l;
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

static void
on_session(void *ctx, enum session_end end, const struct session *s)
{
	struct request *r = ctx;
	struct live *l = r->httpd->live;
	struct watcher *w;
	struct feed *f;

	(void)s;
	if (end != SESSION_OK) {
		refuse_inquiry(r, inquiry_end_of(end));
		return;
	}
	if (l->stopped || tally_streams(l->httpd->tally) >= l->max) {
		reply_problem(r, 503, "Too many streams are open.");
		return;
	}
	f = feed_of(l, r);
	w = mem_calloc(1, sizeof(*w));
	w->feed = f;
	w->client = r->client;
	w->flowing_ns = clock_boot_ns();
	w->ev = reply_stream(r, "text/event-stream");
	evhttp_connection_set_closecb(evhttp_request_get_connection(w->ev), on_closed, w);
	TAILQ_INSERT_TAIL(&f->watchers, w, entry);
	tally_stream(l->httpd->tally, 1);
	if (f->asked == NULL)
		ask(f);
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
		send_line(f, "retry: " RETRY_MS);
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
