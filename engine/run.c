/* Packets while there are any, channels between them, sleep when there is nothing. */
#include "run.h"

#include <event2/event.h>
#include <signal.h>

#include "base/clock.h"
#include "base/log.h"

#define TICK_MS        200
#define TURNS_PER_POLL 4                 /* 4 x 64 frames: some tens of microseconds */
#define LIVE_DELAY_NS  (500 * NS_PER_MS) /* a live frame may come this late out of the kernel's ring */
#define SET_BACK_NS    (5 * NS_PER_S)
#define RESYNC_BUDGET  256             /* flows and hosts told again in one turn */
#define STAYS_NS       (60 * NS_PER_S) /* who runs for so long does not end soon */
#define SHUTDOWN_NS    (3 * NS_PER_S)
#define SHUTDOWN_DRAIN (1 * NS_PER_S)

/* Runs inside the loop a few times a second, packets or not. */
static void
on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct server *s = ctx;
	struct engine *e = s->e;

	(void)fd;
	(void)what;
	e->wall_ns = clock_utc_ns();
	for (unsigned i = 0; i < e->npoints; i++) {
		struct point *p = &e->point[i];

		if (p->live && p->now_ns > e->wall_ns + SET_BACK_NS)
			point_set_back(e, p, e->wall_ns);
		if (p->live && p->batch.next == p->batch.n &&
		    (p->ring == NULL || ring_consumer_waiting(p->ring) == 0))
			point_advance(e, p, e->wall_ns - LIVE_DELAY_NS);
		report_drops(e, p);
	}
	report_drops(e, NULL);
	process_counters_tell(&s->counters, s->peers, e->boot, COUNTED_ENGINE_CHANNEL_BROKEN, PROC_STORE,
			      MSG_ENGINE_COUNTERS);
	if (!s->stays && clock_boot_ns() - s->began_ns > STAYS_NS) {
		flow_table_stays(&e->flows);
		s->stays = true;
	}
}

static void
on_term(evutil_socket_t fd, short what, void *ctx)
{
	struct server *s = ctx;

	(void)fd;
	(void)what;
	s->stop = true;
}

void
run_init(struct server *s, struct engine *e)
{
	const struct timeval tick = { 0, TICK_MS * 1000 };
	struct event_config *config = event_config_new();

	*s = (struct server){ .e = e, .began_ns = clock_boot_ns() };
	if (config == NULL || event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == -1)
		fatalx("libevent: no memory");
	s->base = event_base_new_with_config(config);
	event_config_free(config);
	if (s->base == NULL)
		fatalx("libevent: no event base");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	s->term = evsignal_new(s->base, SIGTERM, on_term, s);
	s->tick = event_new(s->base, -1, EV_PERSIST, on_tick, s);
	if (s->term == NULL || s->tick == NULL || evsignal_add(s->term, NULL) == -1 ||
	    event_add(s->tick, &tick) == -1)
		fatalx("libevent: no events");
	s->peers = peers_new(s->base, e->boot, BOOT_FD_LISTEN, &serve_handlers, s);
}

/* One turn of everything. True where there is more to do at once. */
static bool
turn(struct server *s)
{
	struct engine *e = s->e;
	bool busy = false;

	e->wall_ns = clock_utc_ns();
	s->blocked = false;
	busy = handover_work(e) == WORK_DONE;
	for (unsigned i = 0; i < e->npoints; i++) {
		enum work work = point_work(e, &e->point[i]);

		busy |= work == WORK_DONE;
		s->blocked |= work == WORK_BLOCKED;
	}
	busy |= report_again(e, RESYNC_BUDGET);
	serve_after_turn(s);
	return busy;
}

/* Says that we sleep; false where something came meanwhile. */
static bool
may_sleep(const struct server *s)
{
	struct engine *e = s->e;
	bool blocked = !records_room(&e->records, FRAME_ROOM);
	bool sleep = !s->blocked || blocked; /* else room came meanwhile */

	for (unsigned i = 0; i < e->npoints; i++) {
		struct point *p = &e->point[i];

		/* Who waits for store does not wake for packets. */
		if (p->ring != NULL && !p->lied && (p->live || !blocked) && !p->ending &&
		    !ring_sleep(p->ring))
			sleep = false;
	}
	if (!handover_sleep(&e->handover))
		sleep = false;
	if (blocked && !ring_wait_for_room(e->records.ring))
		sleep = false;
	return sleep;
}

static void
drain(struct server *s)
{
	int64_t deadline = clock_boot_ns() + SHUTDOWN_DRAIN;

	while (turn(s) && clock_boot_ns() < deadline)
		;
}

/* Flows end, store takes what it can: bounded, whatever store does. */
static void
shut_down(struct server *s)
{
	int64_t deadline = clock_boot_ns() + SHUTDOWN_NS;
	bool said = false;

	drain(s);
	while (clock_boot_ns() < deadline) {
		said = said || engine_finish(s->e);
		serve_after_turn(s);
		if (peers_find(s->peers, PROC_STORE, 0) == NULL)
			break;
		if (said && ring_producer_used(s->e->records.ring) == 0)
			return;
		event_base_loop(s->base, EVLOOP_ONCE); /* the tick ends it at the latest */
	}
	log_warn("stopped with %zu bytes of records that store has not taken",
		 ring_producer_used(s->e->records.ring));
}

void
run(struct server *s)
{
	for (unsigned n = 0; !s->stop; n++) {
		if (turn(s)) {
			if (n % TURNS_PER_POLL == 0)
				event_base_loop(s->base, EVLOOP_NONBLOCK);
		} else if (may_sleep(s)) {
			event_base_loop(s->base, EVLOOP_ONCE);
		}
	}
	shut_down(s);
}

void
run_free(struct server *s)
{
	peers_free(&s->peers);
	event_free(s->tick);
	event_free(s->term);
	event_base_free(s->base);
}
