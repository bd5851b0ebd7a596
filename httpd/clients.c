#include "clients.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "tally.h"
#include "tls.h"

#define READING_MS   10000
#define ANSWERING_MS 60000
#define SWEEP_MS     250   /* only while someone is connected */
#define ROOMY_MS     1000  /* since an answer: room for a record is kept for the next request so long */
#define BURST        64    /* connections above the limit while the ones to go are still going */
#define RECORD_BYTES 15000 /* that bufferevent_openssl writes at a time */
#define HEAD_BYTES   1200  /* of an answer: what most have */

struct client {
	TAILQ_ENTRY(client) entry; /* in the queue of its state */
	TAILQ_ENTRY(client) newest;
	TAILQ_ENTRY(client) rest; /* where more was read ahead than libevent took */
	struct clients *set;
	struct bufferevent *bev;
	/* evhttp reads no more while a request waits for us, and then again: two system calls a request, were
	 * this not interested in the same. Where it tells of something twice and nobody has read it, it is
	 * put aside until the next request. */
	struct event *interest;
	struct ip_addr ip;
	int64_t since_ns;
	enum client_state state;
	bool fresh, known, counted, cut, rests;
	bool roomy; /* it was answered a moment ago: its room for a record waits for the next request */
	bool interested, told; /* it is not put aside; it was readable, and nothing has come of it yet */
};
TAILQ_HEAD(queue, client);

static const struct timeval often = { 0, SWEEP_MS * 1000 }, at_once = { 0, 0 };

struct clients {
	struct event_base *base;
	struct event *sweep, *arrival, *more;
	struct evconnlistener *listener;
	struct queue queue[CLIENT_STATES]; /* by when they entered: the head's deadline is the first */
	struct queue fresh;                /* not yet counted by address */
	struct queue rests;                /* whom to read on of in the next turn of the loop */
	int64_t limit_ns[CLIENT_STATES];   /* 0: none */
	struct tally *tally;               /* of all workers; those that were cut are not in it */
	size_t n, ncut; /* of this one; those cut are still counted in n until they are gone */
	size_t max, max_address, max_here; /* the first two of all workers */
	bool paused, held;                 /* too many came at once; somebody asked for it */
	struct log_limit shed;
};

/* --- one connection
 * -------------------------------------------------------------------------------------------------- */

static void
interest_off(struct client *c)
{
	if (c->interested)
		(void)event_del(c->interest);
	c->interested = c->told = false;
}

static void
interest_on(struct client *c)
{
	if (c->interest != NULL && !c->interested)
		c->interested = event_add(c->interest, NULL) == 0;
	c->told = false;
}

/* libevent reads one record when the kernel tells of some: of what was read ahead we tell it ourselves. Not
 * at once, but when the loop has looked for others again: what one client sends may be many small records. */
static void
read_on(struct client *c)
{
	if (c->interest == NULL || c->rests || !tls_has_more(c->bev))
		return;
	c->rests = true;
	TAILQ_INSERT_TAIL(&c->set->rests, c, rest);
	if (!event_pending(c->set->more, EV_TIMEOUT, NULL) && event_add(c->set->more, &at_once) == -1)
		fatalx("no memory for the clients");
}

static void
rests_no_more(struct client *c)
{
	if (c->rests)
		TAILQ_REMOVE(&c->set->rests, c, rest);
	c->rests = false;
}

static void
on_more(evutil_socket_t fd, short what, void *arg)
{
	struct clients *cs = arg;
	struct client *c;

	(void)fd;
	(void)what;
	while ((c = TAILQ_FIRST(&cs->rests)) != NULL) {
		bool interested = c->interested;

		rests_no_more(c);
		if (c->state != CLIENT_IDLE && c->state != CLIENT_READING)
			continue; /* it comes again once it is answered */
		interest_off(c);  /* else it would be told, too */
		event_base_active_by_fd(cs->base, bufferevent_getfd(c->bev), EV_READ);
		if (interested)
			interest_on(c);
	}
}

static void
on_interest(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	(void)fd;
	(void)what;
	if (c->told)
		interest_off(c);
	else
		c->told = true;
}

/* While answers go out, their room is given up each time: it is only kept for what comes next. */
static void
keep_room(struct client *c, enum client_state state)
{
	if (c->interest == NULL)
		return;
	if (state == CLIENT_IDLE)
		c->roomy = true;
	if (c->roomy && state == CLIENT_LIVE) {
		c->roomy = false;
		tls_give_up_room(c->bev);
	} else if (c->roomy && state != CLIENT_READING)
		tls_keep_room(c->bev, state == CLIENT_IDLE);
}

void
client_enter(struct client *c, enum client_state state)
{
	struct clients *cs = c->set;

	/* What was cut keeps its place at the head of its queue until it is gone. */
	TAILQ_REMOVE(&cs->queue[c->state], c, entry);
	keep_room(c, state);
	if (state == CLIENT_IDLE && evbuffer_get_length(bufferevent_get_input(c->bev)) > 0)
		state = CLIENT_READING; /* the next request came along with the last */
	c->state = state;
	c->since_ns = clock_boot_ns();
	TAILQ_INSERT_TAIL(&cs->queue[state], c, entry);
	if (state == CLIENT_IDLE || state == CLIENT_READING) {
		interest_on(c);
		read_on(c);
	}
}

static void
on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct client *c = arg;

	(void)input;
	c->told = c->told && info->n_added == 0;
	if (info->n_added > 0 && c->state == CLIENT_IDLE)
		client_enter(c, CLIENT_READING);
	else if (info->n_added > 0)
		read_on(c);
}

/* One address, or one IPv6 /64: whoever has one has all of it. */
static struct ip_addr
holder_of(const struct ip_addr *ip)
{
	struct ip_addr holder = *ip;

	if (!ip_is_v4(ip))
		memset(holder.b + 8, 0, 8);
	return holder;
}

static void
count_out(struct client *c)
{
	struct ip_addr holder = holder_of(&c->ip);

	if (c->counted)
		tally_disconnect(c->set->tally, &holder);
	c->counted = false;
}

void
client_cut(struct client *c)
{
	struct evbuffer *input = bufferevent_get_input(c->bev);

	/* What came already is not read any more. */
	(void)evbuffer_drain(input, evbuffer_get_length(input));
	if (c->cut)
		return;
	(void)shutdown(bufferevent_getfd(c->bev), SHUT_RDWR);
	count_out(c);
	c->cut = true;
	c->set->ncut++;
}

void
client_expect(struct client *c, size_t len)
{
	if (len + HEAD_BYTES <= RECORD_BYTES)
		(void)evbuffer_expand(bufferevent_get_output(c->bev), len + HEAD_BYTES);
}

void
client_push(struct client *c)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	size_t len = evbuffer_get_length(out);

	(void)evbuffer_pullup(out, (ev_ssize_t)(len < RECORD_BYTES ? len : RECORD_BYTES));
	if (!c->cut && len <= RECORD_BYTES)
		tls_push(c->bev);
}

int
client_socket(const struct client *c)
{
	return bufferevent_getfd(c->bev);
}

bool
client_ip(struct client *c, struct ip_addr *ip)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (c->cut)
		return false;
	if (c->known) {
		*ip = c->ip;
		return true;
	}
	memset(&ss, 0, sizeof(ss));
	if (getpeername(bufferevent_getfd(c->bev), (struct sockaddr *)&ss, &len) == -1)
		return false;
	if (ss.ss_family == AF_INET) {
		uint8_t v4[4];

		memcpy(v4, &((struct sockaddr_in *)&ss)->sin_addr, sizeof(v4));
		*ip = ip_from_v4(v4);
	} else if (ss.ss_family == AF_INET6)
		memcpy(ip->b, &((struct sockaddr_in6 *)&ss)->sin6_addr, sizeof(ip->b));
	else
		return false;
	return true;
}

struct client *
client_of(struct bufferevent *bev)
{
	return tls_owner(bev);
}

static void
sweep_on(struct clients *cs)
{
	if (!event_pending(cs->sweep, EV_TIMEOUT, NULL) && event_add(cs->sweep, &often) == -1)
		fatalx("no memory for the clients");
}

static void
listen_or_not(const struct clients *cs)
{
	if (cs->listener == NULL)
		return;
	if (cs->paused || cs->held)
		(void)evconnlistener_disable(cs->listener);
	else
		(void)evconnlistener_enable(cs->listener);
}

static void
pause_listening(struct clients *cs)
{
	cs->paused = true;
	listen_or_not(cs);
}

static void
resume_listening(struct clients *cs)
{
	cs->paused = false;
	listen_or_not(cs);
}

void
clients_hold(struct clients *cs, bool hold)
{
	cs->held = hold;
	listen_or_not(cs);
}

struct bufferevent *
clients_accept(struct clients *cs, struct tls *t)
{
	struct client *c = mem_calloc(1, sizeof(*c));

	c->set = cs;
	c->since_ns = clock_boot_ns();
	c->state = CLIENT_READING;
	c->fresh = true;
	c->bev = tls_accept(t, cs->base, c);
	if (evbuffer_add_cb(bufferevent_get_input(c->bev), on_input, c) == NULL)
		fatalx("no memory for a connection");
	TAILQ_INSERT_TAIL(&cs->queue[CLIENT_READING], c, entry);
	TAILQ_INSERT_TAIL(&cs->fresh, c, newest);
	if (++cs->n >= cs->max_here + BURST)
		pause_listening(cs);
	sweep_on(cs);
	event_active(cs->arrival, EV_TIMEOUT, 0); /* evhttp sets the descriptor once we return */
	return c->bev;
}

void
clients_gone(void *client)
{
	struct client *c = client;
	struct clients *cs = c->set;

	TAILQ_REMOVE(&cs->queue[c->state], c, entry);
	if (c->fresh)
		TAILQ_REMOVE(&cs->fresh, c, newest);
	rests_no_more(c);
	count_out(c);
	interest_off(c);
	if (c->interest != NULL)
		event_free(c->interest);
	cs->n--;
	cs->ncut -= c->cut;
	free(c);
	if (cs->paused && cs->n < cs->max_here + BURST)
		resume_listening(cs);
}

/* --- all of them
 * ------------------------------------------------------------------------------------------------------ */

static struct client *
first_uncut(struct queue *q)
{
	struct client *c = TAILQ_FIRST(q);

	while (c != NULL && c->cut)
		c = TAILQ_NEXT(c, entry);
	return c;
}

/* Full: whoever waits longest without asking for anything makes room, else the newcomer goes. */
static void
make_room(struct clients *cs, struct client *newcomer)
{
	struct client *idle = first_uncut(&cs->queue[CLIENT_IDLE]);
	struct client *slow = first_uncut(&cs->queue[CLIENT_READING]);

	log_warn_limited(&cs->shed,
			 "%zu clients are connected, %zu may be: the one that waits longest is cut off",
			 tally_connections(cs->tally), cs->max);
	client_cut(idle != NULL ? idle : slow != NULL ? slow : newcomer);
}

static void
on_arrival(evutil_socket_t fd, short what, void *arg)
{
	struct clients *cs = arg;
	struct client *c;

	(void)fd;
	(void)what;
	while ((c = TAILQ_FIRST(&cs->fresh)) != NULL) {
		struct ip_addr ip, holder;

		TAILQ_REMOVE(&cs->fresh, c, newest);
		c->fresh = false;
		if (!client_ip(c, &ip)) {
			client_cut(c);
			continue;
		}
		c->ip = ip;
		c->known = true;
		tls_opened(c->bev);
		c->interest =
		    event_new(cs->base, bufferevent_getfd(c->bev), EV_READ | EV_PERSIST, on_interest, c);
		interest_on(c);
		holder = holder_of(&ip);
		tally_connect(cs->tally, &holder);
		c->counted = true;
		if (tally_of_address(cs->tally, &holder) > cs->max_address) {
			char text[IP_TEXT_MAX];

			log_warn_limited(&cs->shed, "%s has more than %zu connections: the newest is cut off",
					 ip_format(&ip, text), cs->max_address);
			client_cut(c);
		} else if (tally_connections(cs->tally) > cs->max || cs->n - cs->ncut > cs->max_here)
			make_room(cs, c);
	}
}

/* Whoever is idle for longer than the first of them that has no room any more has none either. */
static void
trim_idle(struct clients *cs, int64_t now)
{
	struct client *c;

	TAILQ_FOREACH_REVERSE(c, &cs->queue[CLIENT_IDLE], queue, entry)
	{
		if (now - c->since_ns < ROOMY_MS * NS_PER_MS)
			continue;
		if (!c->roomy)
			break;
		c->roomy = false;
		tls_give_up_room(c->bev);
	}
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct clients *cs = arg;
	int64_t now = clock_boot_ns();

	(void)fd;
	(void)what;
	for (unsigned s = 0; s < CLIENT_STATES; s++) {
		struct client *c;

		if (cs->limit_ns[s] == 0)
			continue;
		TAILQ_FOREACH(c, &cs->queue[s], entry)
		{
			if (now - c->since_ns < cs->limit_ns[s])
				break;
			client_cut(c);
		}
	}
	trim_idle(cs, now);
	if (cs->paused && cs->n < cs->max_here + BURST)
		resume_listening(cs);
	if (cs->n == 0)
		(void)event_del(cs->sweep);
}

/* A listener's callbacks share one argument, and evhttp has set it to its own: this one is found here. */
static struct clients *listening;

/* No descriptor left, or the like: waits for the next sweep instead of asking again at once. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	struct clients *cs = listening;

	(void)arg;
	log_warn_limited(&cs->shed, "cannot accept a connection: %s", strerror(errno));
	(void)listener;
	pause_listening(cs);
	sweep_on(cs);
}

struct clients *
clients_new(struct event_base *base, struct tally *tally, const struct clients_limits *limits)
{
	struct clients *cs = mem_calloc(1, sizeof(*cs));

	cs->base = base;
	cs->tally = tally;
	cs->held = true;
	cs->max = limits->connections;
	cs->max_address = limits->of_address;
	cs->max_here = limits->here;
	cs->limit_ns[CLIENT_READING] = READING_MS * NS_PER_MS;
	cs->limit_ns[CLIENT_ANSWERING] = ANSWERING_MS * NS_PER_MS;
	cs->limit_ns[CLIENT_IDLE] = limits->idle_ms * NS_PER_MS;
	TAILQ_INIT(&cs->fresh);
	TAILQ_INIT(&cs->rests);
	for (unsigned i = 0; i < CLIENT_STATES; i++)
		TAILQ_INIT(&cs->queue[i]);
	cs->arrival = event_new(base, -1, 0, on_arrival, cs);
	cs->sweep = event_new(base, -1, EV_PERSIST, on_sweep, cs);
	cs->more = event_new(base, -1, 0, on_more, cs);
	if (cs->arrival == NULL || cs->sweep == NULL || cs->more == NULL)
		fatalx("no memory for the clients");
	return cs;
}

void
clients_stop(struct clients *cs)
{
	if (cs->arrival != NULL)
		event_free(cs->arrival);
	if (cs->sweep != NULL)
		event_free(cs->sweep);
	if (cs->more != NULL)
		event_free(cs->more);
	cs->arrival = cs->sweep = cs->more = NULL;
	clients_listen(cs, NULL);
}

void
clients_free(struct clients **cs)
{
	free(*cs);
	*cs = NULL;
}

void
clients_listen(struct clients *cs, struct evconnlistener *listener)
{
	cs->listener = listener;
	cs->paused = false;
	listening = cs;
	if (listener != NULL)
		evconnlistener_set_error_cb(listener, on_accept_error);
}

void
clients_cut_idle(struct clients *cs)
{
	struct client *c;

	TAILQ_FOREACH(c, &cs->queue[CLIENT_IDLE], entry)
	client_cut(c);
}

size_t
clients_count(const struct clients *cs)
{
	return cs->n;
}
