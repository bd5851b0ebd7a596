/*
 * weir-engine's place in a real Weir, for bench/pages.py: at SIGUSR1, when the tenants are there,
 * engine.flows flows of engine.hosts clients begin, and from then on engine.updates records a second come
 * (live_traffic.h). It takes the rings of capture and looks at none of their frames.
 */
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/channel.h"
#include "live_traffic.h"
#include "sandbox/sandbox.h"

#define TICK_MS 1

struct feeder {
	const struct boot *boot;
	struct event_base *base;
	struct peers *peers;
	struct live_traffic t;
	struct ring_consumer *frames;
	int offer; /* our ring, until store is offered it */
	bool attached, told, filled;
	uint32_t opened;
};

static void
on_up(void *ctx, struct channel *ch)
{
	struct feeder *f = ctx;
	struct wire_ring_offer o = { .worker = f->boot->instance };

	if (channel_proc(ch) != PROC_STORE)
		return;
	if (f->offer == -1)
		fatalx("store came again: a feeder feeds one");
	(void)channel_send_fd(ch, MSG_RECORD_RING, &o, sizeof(o), fd_keep(&f->offer));
}

static void
on_down(void *ctx, struct channel *ch)
{
	(void)ctx;
	(void)ch;
}

static void
take_frames(struct feeder *f, struct channel *ch, struct msg *m)
{
	struct wire_ring_offer o;
	struct wire_ring_taken t;
	int page;

	memcpy(&o, m->body, sizeof(o));
	t = (struct wire_ring_taken){ o.point, o.worker };
	ring_consumer_free(&f->frames);
	f->frames = ring_consumer_new(fd_keep(&m->fd), &page);
	if (f->frames == NULL)
		fatal("the ring of %s is not one", channel_name(ch));
	(void)channel_send_fd(ch, MSG_PACKET_RING_TAKEN, &t, sizeof(t), page);
}

static bool
on_message(void *ctx, struct channel *ch, struct msg *m)
{
	struct feeder *f = ctx;

	if (m->id == MSG_PACKET_RING)
		take_frames(f, ch, m);
	else if (m->id == MSG_RECORD_RING_TAKEN)
		f->attached = ring_producer_attach(f->t.ring, fd_keep(&m->fd));
	return true;
}

/* True where store is to be woken. */
static bool
fill(struct feeder *f)
{
	while (f->opened < f->t.flows && live_traffic_open(&f->t, f->opened))
		f->opened++;
	if (f->opened == f->t.flows && ring_producer_used(f->t.ring) == 0) {
		f->filled = true;
		live_traffic_begin(&f->t);
		log_info("%u flows are there", f->opened); /* pages.py waits for it */
	}
	return ring_publish(f->t.ring);
}

static void
on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct feeder *f = ctx;
	struct channel *store = peers_find(f->peers, PROC_STORE, 0);

	(void)fd;
	(void)what;
	if (f->attached && f->told && (f->filled ? live_traffic_send_due(&f->t) : fill(f)) && store != NULL)
		channel_nudge(store, MSG_RECORD_WAKE);
}

static void
on_told(evutil_socket_t fd, short what, void *ctx)
{
	struct feeder *f = ctx;

	(void)fd;
	(void)what;
	f->told = true;
}

static void
on_term(evutil_socket_t fd, short what, void *ctx)
{
	struct feeder *f = ctx;

	(void)fd;
	(void)what;
	log_info("%" PRIuFAST64 " records came at their rate, %" PRIuFAST64 " found no room",
		 atomic_load(&f->t.put), atomic_load(&f->t.full));
	event_base_loopbreak(f->base);
}

int
main(void)
{
	static const struct peers_handlers handlers = { on_up, on_down, on_message };
	static const struct timeval tick = { 0, TICK_MS * 1000 };
	struct feeder f = { .boot = boot_read(PROC_ENGINE) };
	const struct settings *s = &f.boot->settings;
	struct event *ticks, *term, *told;

	sandbox_warm();
	live_traffic_init(&f.t, f.boot->points[0].id, (uint32_t)s->max_flows, (uint32_t)s->max_hosts,
			  (uint64_t)s->updates);
	f.t.ring = ring_producer_new((size_t)s->record_ring, &f.offer);
	if (f.t.ring == NULL)
		fatal("ring");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	f.base = event_base_new();
	if (f.base == NULL)
		fatalx("libevent: no event base");
	term = evsignal_new(f.base, SIGTERM, on_term, &f);
	told = evsignal_new(f.base, SIGUSR1, on_told, &f);
	ticks = event_new(f.base, -1, EV_PERSIST, on_tick, &f);
	if (term == NULL || told == NULL || ticks == NULL || evsignal_add(term, NULL) == -1 ||
	    evsignal_add(told, NULL) == -1 || event_add(ticks, &tick) == -1)
		fatalx("libevent: no events");
	f.peers = peers_new(f.base, f.boot, BOOT_FD_LISTEN, &handlers, &f);
	sandbox_enter(&sandbox_engine);

	(void)event_base_dispatch(f.base);
	event_free(ticks);
	event_free(told);
	event_free(term);
	peers_free(&f.peers);
	ring_consumer_free(&f.frames);
	live_traffic_free(&f.t);
	event_base_free(f.base);
	return 0;
}
