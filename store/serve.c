/* Handlers of the messages that msg.def lets store receive, and the loop around them. */
#include "serve.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ask.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "commit.h"
#include "ipc/channel.h"
#include "jobs.h"
#include "minutes.h"
#include "orders.h"
#include "parked.h"
#include "pump.h"
#include "walks.h"
#include "whose.h"

#define TICK_MS        50
#define RECORDS_A_TURN 2000u      /* of one engine, before others and questions have their turn */
#define QUEUED_PAUSE   (1u << 20) /* bytes that a slow asker has not taken: its next question waits */
#define QUESTIONS_WAIT 64u
#define STOP_NS        (5 * NS_PER_S) /* to drain and write at the end */

/* Questions of one asker that wait until it has taken what was answered before. */
struct waiting {
	struct waiting *next;
	size_t len;
	uint8_t body[];
};

struct asking {
	struct channel *ch;
	struct waiting *first, **last;
	unsigned n;
	struct asking *next;
};

struct serve {
	struct store *store;
	struct event_base *base;
	struct peers *peers;
	struct event *tick, *more, *written, *through, *term;
	struct asking *asking;
	int64_t began_ns; /* clock_boot_ns */
	bool stays;       /* live_stays was said */
};

/* --- engines
 * ---------------------------------------------------------------------------------------------------------------
 */

static void
work_soon(struct serve *v)
{
	static const struct timeval now = { 0, 0 };

	event_add(v->more, &now);
}

static bool
on_record_ring(struct serve *v, struct channel *ch, struct msg *m)
{
	const struct wire_ring_offer *offer = m->body;
	struct wire_ring_taken taken = { 0, channel_instance(ch) };
	struct engine *e = store_engine(v->store, channel_instance(ch));
	int page = -1;

	if (e == NULL || offer->worker != channel_instance(ch))
		return false;

	struct ring_consumer *r = ring_consumer_new(fd_keep(&m->fd), &page);

	if (r == NULL) {
		log_warn("%s: cannot take its ring: %s", channel_name(ch), strerror(errno));
		return false;
	}
	store_clock(v->store);
	pump_offer(v->store, e, r, channel_peer_start(ch));
	channel_send_fd(ch, MSG_RECORD_RING_TAKEN, &taken, sizeof(taken), page);
	work_soon(v);
	return true;
}

static bool
on_record_wake(struct serve *v, struct channel *ch, struct msg *m)
{
	(void)ch;
	(void)m;
	work_soon(v);
	return true;
}

/* --- authd
 * ------------------------------------------------------------------------------------------------------------------
 */

static bool
on_keys(struct serve *v, struct channel *ch, struct msg *m)
{
	(void)ch;
	return grants_keys(v->store->grants, m->body);
}

/* Reads len bytes of a memfd into memory of our own: what is verified is what is used. */
static uint8_t *
read_document(int fd, size_t len)
{
	struct stat st;

	if (fcntl(fd, F_GET_SEALS) == -1 || fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size < len)
		return NULL;

	AUTO(mem_drop) uint8_t *p = mem_calloc(len, 1);

	for (size_t at = 0; at < len;) {
		ssize_t n = pread(fd, p + at, len - at, (off_t)at);

		if (n <= 0 && !(n == -1 && errno == EINTR))
			return NULL;
		at += n > 0 ? (size_t)n : 0;
	}

	uint8_t *out = p;

	p = NULL;
	return out;
}

static bool
on_snapshot(struct serve *v, struct channel *ch, struct msg *m)
{
	const struct wire_snapshot *w = m->body;
	bool first = grants_policy(v->store->grants) == NULL;

	if (w->len == 0 || w->len > SNAPSHOT_BYTES_MAX)
		return false;

	AUTO(mem_drop) uint8_t *document = read_document(m->fd, (size_t)w->len);

	if (document == NULL || !whose_policy(v->store, w->number, document, (size_t)w->len))
		return false;
	store_clock(v->store);
	orders_expire(v->store);
	channel_send(ch, MSG_POLICY_TAKEN, w, sizeof(*w));
	if (first)
		work_soon(v);
	return true;
}

static bool
on_grant_set(struct serve *v, struct channel *ch, struct msg *m)
{
	struct wire_grant_ids head;
	const uint8_t *ids = (const uint8_t *)m->body + sizeof(head);
	AUTO(mem_drop) struct wire_grant_live *list = NULL;

	(void)ch;
	memcpy(&head, m->body, sizeof(head));
	if (head.n > WIRE_GRANT_IDS_PER || m->len != sizeof(head) + head.n * sizeof(struct wire_grant_live))
		return false;
	list = mem_calloc(head.n + 1u, sizeof(*list));
	memcpy(list, ids, head.n * sizeof(*list));
	return grants_set(v->store->grants, &head, list, clock_utc_ns(),
			  &v->store->counters.n[OWN_GRANTS_FULL]);
}

static bool
on_grant_add(struct serve *v, struct channel *ch, struct msg *m)
{
	const struct wire_grant_change *c = m->body;

	grants_add(v->store->grants, &c->grant, clock_utc_ns(), &v->store->counters.n[OWN_GRANTS_FULL]);
	channel_send(ch, MSG_GRANT_TAKEN, c, sizeof(*c));
	return true;
}

static bool
on_grant_revoke(struct serve *v, struct channel *ch, struct msg *m)
{
	const struct wire_grant_change *c = m->body;

	grants_revoke(v->store->grants, c->grant.id);
	ask_again_allowed(v->store); /* before authd hears that it is done */
	channel_send(ch, MSG_GRANT_TAKEN, c, sizeof(*c));
	return true;
}

static bool
on_alive(struct serve *v, struct channel *ch, struct msg *m)
{
	(void)v;
	(void)ch;
	(void)m;
	return true;
}

/* --- questions
 * ----------------------------------------------------------------------------------------------------------------
 */

static void
send_answer(void *ctx, const void *body, size_t len)
{
	struct channel *ch = ctx;

	/* httpd waits for several at once, and has a loop that takes them together. */
	if (channel_proc(ch) == PROC_HTTPD)
		channel_send_soon(ch, MSG_ANSWER, body, len);
	else
		channel_send(ch, MSG_CLI_ANSWER_ROWS, body, len);
}

static bool
takes_answers(const void *ctx)
{
	return channel_queued(ctx) < QUEUED_PAUSE;
}

static void
answer_one(struct serve *v, struct channel *ch, const void *body, size_t len)
{
	struct asker who = { channel_proc(ch), channel_instance(ch), send_answer, ch, takes_answers };

	ask(v->store, &who, body, len);
}

static void
refuse_busy(struct channel *ch, const void *body)
{
	struct wire_answer a = { .status = ANSWER_BUSY, .now_ns = clock_utc_ns() };

	memcpy(&a.request, body, sizeof(a.request));
	send_answer(ch, &a, sizeof(a));
}

static bool
on_question(struct serve *v, struct channel *ch, struct msg *m)
{
	struct asking *k = channel_data(ch);

	if (k == NULL)
		return false;
	if (k->n == 0 && channel_queued(ch) < QUEUED_PAUSE) {
		answer_one(v, ch, m->body, m->len);
		return true;
	}
	if (k->n == QUESTIONS_WAIT) {
		refuse_busy(ch, m->body);
		return true;
	}

	struct waiting *w = mem_calloc(1, sizeof(*w) + m->len);

	w->len = m->len;
	memcpy(w->body, m->body, m->len);
	*k->last = w;
	k->last = &w->next;
	k->n++;
	return true;
}

static bool
on_question_cancel(struct serve *v, struct channel *ch, struct msg *m)
{
	struct asking *k = channel_data(ch);
	struct wire_question_cancel c;

	if (k == NULL)
		return false;
	memcpy(&c, m->body, sizeof(c));
	for (struct waiting **at = &k->first, *w; (w = *at) != NULL;) {
		if (memcmp(w->body, &c.request, sizeof(c.request)) != 0) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		k->n--;
		free(w);
	}
	k->last = &k->first;
	while (*k->last != NULL)
		k->last = &(*k->last)->next;
	ask_cancel(v->store, ch, c.request);
	return true;
}

static struct waiting *
take_waiting(struct asking *k)
{
	struct waiting *w = k->first;

	if (w == NULL)
		return NULL;
	k->first = w->next;
	if (k->first == NULL)
		k->last = &k->first;
	k->n--;
	return w;
}

static void
answer_waiting(struct serve *v)
{
	for (struct asking *k = v->asking; k != NULL; k = k->next) {
		while (k->n > 0 && channel_queued(k->ch) < QUEUED_PAUSE) {
			struct waiting *w = take_waiting(k);

			answer_one(v, k->ch, w->body, w->len);
			free(w);
		}
	}
}

static void
asking_add(struct serve *v, struct channel *ch)
{
	struct asking *k = mem_calloc(1, sizeof(*k));

	k->ch = ch;
	k->last = &k->first;
	k->next = v->asking;
	v->asking = k;
	channel_set_data(ch, k);
}

static void
asking_remove(struct serve *v, struct asking *k)
{
	struct asking **at = &v->asking;
	struct waiting *w;

	ask_gone(v->store, k->ch);
	while (*at != k)
		at = &(*at)->next;
	*at = k->next;
	while ((w = take_waiting(k)) != NULL)
		free(w);
	free(k);
}

/* --- dial
 * -----------------------------------------------------------------------------------------------------------------
 */

static bool
on_name_told(struct serve *v, struct channel *ch, struct msg *m)
{
	struct wire_name_told w;

	(void)ch;
	memcpy(&w, m->body, sizeof(w));
	return resolve_told(v->store, &w);
}

/* --- the launcher
 * -----------------------------------------------------------------------------------------------------------------
 */

static bool
on_component(struct serve *v, struct channel *ch, struct msg *m)
{
	(void)ch;
	return components_set(&v->store->components, m->body);
}

/* --- counters
 * -------------------------------------------------------------------------------------------------------------
 */

static bool
on_counters(struct serve *v, struct channel *ch, struct msg *m)
{
	struct wire_counters w;

	memcpy(&w, m->body, sizeof(w));
	return told_counters_take(&v->store->told, channel_proc(ch), channel_instance(ch), &w);
}

/* --- the table
 * ----------------------------------------------------------------------------------------------------------------------
 */

static bool (*const handlers[MSG_COUNT])(struct serve *v, struct channel *ch, struct msg *m) = {
	[MSG_RECORD_RING] = on_record_ring,
	[MSG_RECORD_WAKE] = on_record_wake,
	[MSG_GRANT_KEYS] = on_keys,
	[MSG_POLICY_SNAPSHOT] = on_snapshot,
	[MSG_GRANT_SET] = on_grant_set,
	[MSG_GRANT_ADD] = on_grant_add,
	[MSG_GRANT_REVOKE] = on_grant_revoke,
	[MSG_AUTHD_ALIVE] = on_alive,
	[MSG_QUESTION] = on_question,
	[MSG_CLI_QUESTION] = on_question,
	[MSG_QUESTION_CANCEL] = on_question_cancel,
	[MSG_COMPONENT] = on_component,
	[MSG_NAME_TOLD] = on_name_told,
	[MSG_AUTHD_COUNTERS] = on_counters,
	[MSG_DIAL_COUNTERS] = on_counters,
	[MSG_HTTPD_COUNTERS] = on_counters,
	[MSG_ENGINE_COUNTERS] = on_counters,
	[MSG_WEIR_COUNTERS] = on_counters,
};

static bool
on_message(void *ctx, struct channel *ch, struct msg *m)
{
	struct serve *v = ctx;

	if (channel_proc(ch) == PROC_AUTHD)
		grants_heard(v->store->grants, clock_boot_ns());
	return handlers[m->id] != NULL && handlers[m->id](v, ch, m);
}

static void
on_up(void *ctx, struct channel *ch)
{
	struct serve *v = ctx;
	struct engine *e =
	    channel_proc(ch) == PROC_ENGINE ? store_engine(v->store, channel_instance(ch)) : NULL;

	if (e != NULL)
		e->ch = ch;
	if (channel_proc(ch) == PROC_HTTPD || channel_proc(ch) == PROC_WEIR)
		asking_add(v, ch);
}

static void
on_down(void *ctx, struct channel *ch)
{
	struct serve *v = ctx;
	struct engine *e =
	    channel_proc(ch) == PROC_ENGINE ? store_engine(v->store, channel_instance(ch)) : NULL;
	struct asking *k = channel_data(ch);

	/* The one that took its place may be there already. */
	if (e != NULL && e->ch == ch) {
		pump_gone(v->store, e);
		work_soon(v);
	}
	if (k != NULL)
		asking_remove(v, k);
	if (channel_proc(ch) == PROC_DIAL)
		resolve_lost(v->store);
}

/* --- the loop
 * ------------------------------------------------------------------------------------------------------------------------
 */

/* One turn of work. True where more of it waits. */
static bool
work(struct store *s)
{
	bool more = false;

	store_clock(s);
	for (unsigned i = 0; i < s->nengines; i++)
		more |= pump_engine(s, &s->engine[i], RECORDS_A_TURN);
	resolve_turn(s);
	more |= minutes_turn(s);
	commit_turn(s);
	more |= orders_turn(s);
	more |= walks_turn(s);
	parked_turn(s);
	return more;
}

static void
on_more(evutil_socket_t fd, short what, void *ctx)
{
	struct serve *v = ctx;

	(void)fd;
	(void)what;
	if (work(v->store))
		work_soon(v);
}

static void
on_written(evutil_socket_t fd, short what, void *ctx)
{
	on_more(fd, what, ctx);
}

static void
on_through(evutil_socket_t fd, short what, void *ctx)
{
	struct serve *v = ctx;

	(void)fd;
	(void)what;
	store_clock(v->store);
	jobs_turn(v->store->jobs, v->store->now_boot_ns);
	parked_turn(v->store);
	ask_turn(v->store);
}

#define HOSTS_IDLE_NS                                                                                        \
	(300 * NS_PER_S) /* a host without flows is shown for this long, unless its room is needed */

#define STAYS_NS (60 * NS_PER_S) /* who runs for so long does not end soon */

static void
stay(struct serve *v)
{
	if (v->stays || clock_boot_ns() - v->began_ns < STAYS_NS)
		return;
	for (unsigned i = 0; i < v->store->nengines; i++)
		live_stays(&v->store->engine[i].live);
	v->stays = true;
}

static void
on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct serve *v = ctx;
	struct store *s = v->store;

	stay(v);
	answer_waiting(v);
	on_through(fd, what, ctx); /* deadlines pass by themselves */
	if ((s->boot->flags & BOOT_ANALYZE) == 0 && s->points.any_interface)
		hosts_forget(s->hosts, s->now_ns - HOSTS_IDLE_NS, 256);
	on_more(fd, what, ctx);
}

static void
on_term(evutil_socket_t fd, short what, void *ctx)
{
	struct serve *v = ctx;

	(void)fd;
	(void)what;
	event_base_loopbreak(v->base);
}

static struct event *
add(struct event *e, const struct timeval *after)
{
	if (e == NULL || event_add(e, after) == -1)
		fatalx("cannot make the event loop");
	return e;
}

struct serve *
serve_new(struct store *s, int listen_fd)
{
	static const struct peers_handlers peers = { on_up, on_down, on_message };
	static const struct timeval tick = { 0, TICK_MS * 1000 };
	struct serve *v = mem_calloc(1, sizeof(*v));

	v->store = s;
	v->began_ns = clock_boot_ns();
	v->base = event_base_new();
	if (v->base == NULL)
		fatalx("cannot make the event loop");
	v->more = evtimer_new(v->base, on_more, v);
	if (v->more == NULL)
		fatalx("cannot make the event loop");
	v->tick = add(event_new(v->base, -1, EV_PERSIST, on_tick, v), &tick);
	v->written = add(event_new(v->base, writer_fd(s->writer), EV_READ | EV_PERSIST, on_written, v), NULL);
	s->jobs = jobs_new((unsigned)s->boot->settings.query_threads);
	v->through = add(event_new(v->base, jobs_fd(s->jobs), EV_READ | EV_PERSIST, on_through, v), NULL);
	v->term = add(evsignal_new(v->base, SIGTERM, on_term, v), NULL);
	v->peers = peers_new(v->base, s->boot, listen_fd, &peers, v);
	s->peers = v->peers;
	return v;
}

/* What engines have published goes to disk, as far as time allows: the rest stays in their memory. */
static void
stop(struct store *s)
{
	int64_t until = clock_boot_ns() + STOP_NS;
	bool more = true;

	while (more && clock_boot_ns() < until) {
		more = work(s);
		if (!more && s->flight != NULL && !s->degraded) {
			writer_wait(s->writer, 100);
			more = true;
		}
	}
	while (!minutes_flush(s) && clock_boot_ns() < until && commit_all(s, (int)(STOP_NS / NS_PER_MS)))
		;
	if (!commit_all(s, (int)(STOP_NS / NS_PER_MS)))
		log_error("not everything is on disk: %s", s->why[0] != '\0' ? s->why : "the disk is slow");
}

void
serve_run(struct serve *v)
{
	writer_start(v->store->writer);
	jobs_start(v->store->jobs);
	work_soon(v);
	event_base_dispatch(v->base);
	event_del(v->through);
	ask_end_all(v->store);
	stop(v->store);
}

void
serve_free(struct serve **vp)
{
	struct serve *v = *vp;

	if (v == NULL)
		return;
	ask_end_all(v->store);
	v->store->peers = NULL;
	peers_free(&v->peers);
	event_free(v->tick);
	event_free(v->more);
	event_free(v->written);
	event_free(v->through);
	event_free(v->term);
	event_base_free(v->base);
	free(v);
	*vp = NULL;
}
