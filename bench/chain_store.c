/* Stands in for the store: takes records, acknowledges them at once, and adds up what real engines say of
 * packets and drops. */
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "chain.h"
#include "ipc/channel.h"
#include "ipc/ring.h"

#define PLACES 64

struct link {
	struct stand_in *of;
	struct channel *ch;
	struct ring_consumer *ring;
	char place[PLACES][NAME_TEXT_MAX + 1];
	uint64_t drops[PLACES];
};

struct stand_in {
	struct chain_stats *stats;
	struct event *work;
	struct link links[CHAIN_ENGINES];
	uint8_t buf[RING_ENTRY_MAX];
};

static void
on_name(struct link *l, const uint8_t *b, uint32_t len)
{
	struct rec_name n;

	memcpy(&n, b, sizeof(n));
	if (n.kind != NAME_PLACE || n.number >= PLACES || n.len > NAME_TEXT_MAX || len < sizeof(n) + n.len)
		return;
	memcpy(l->place[n.number], b + sizeof(n), n.len);
	l->place[n.number][n.len] = '\0';
}

static void
on_drops(struct link *l, const uint8_t *b)
{
	struct chain_stats *s = l->of->stats;
	struct rec_drops d;
	uint64_t more;

	memcpy(&d, b, sizeof(d));
	if (d.place >= PLACES || d.is_loss == 0)
		return;
	more = d.count - l->drops[d.place];
	if (more > 0)
		log_info("engine lost %lu at %s", more, l->place[d.place]);
	l->drops[d.place] = d.count;
	if (strstr(l->place[d.place], "kernel") != NULL)
		atomic_fetch_add(&s->kernel_drops, more);
	else if (strstr(l->place[d.place], "ring") != NULL)
		atomic_fetch_add(&s->ring_drops, more);
	else
		atomic_fetch_add(&s->other_drops, more);
}

static void
on_second(struct link *l, const uint8_t *b)
{
	struct chain_stats *s = l->of->stats;
	struct rec_second r;
	uint64_t undecoded = 0;

	memcpy(&r, b, sizeof(r));
	for (unsigned i = 0; i < UNDECODED_REASONS; i++)
		undecoded += r.undecoded[i];
	atomic_fetch_add(&s->engine_packets, r.packets);
	atomic_fetch_add(&s->engine_undecoded, undecoded);
}

static void
take(struct link *l)
{
	struct stand_in *t = l->of;
	uint16_t kind;
	uint32_t len;
	int got = 1;

	for (int i = 0; i < 4096 && (got = ring_take(l->ring, t->buf, sizeof(t->buf), &kind, &len)) == 1;
	     i++) {
		if (kind == REC_NAME && len >= sizeof(struct rec_name))
			on_name(l, t->buf, len);
		else if (kind == REC_DROPS && len == sizeof(struct rec_drops))
			on_drops(l, t->buf);
		else if (kind == REC_SECOND && len == sizeof(struct rec_second))
			on_second(l, t->buf);
		else if (kind == REC_FLOW_END)
			atomic_fetch_add(&t->stats->flows_ended, 1);
	}
	if (got == -1)
		fatalx("stand-in store: an engine lied");
	if (ring_release(l->ring, ring_position(l->ring)))
		channel_nudge(l->ch, MSG_RECORD_ROOM);
	if (got == 1 || !ring_sleep(l->ring))
		event_active(t->work, EV_TIMEOUT, 0);
}

static void
on_work(evutil_socket_t fd, short what, void *arg)
{
	struct stand_in *t = arg;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < CHAIN_ENGINES; i++)
		if (t->links[i].ring != NULL)
			take(&t->links[i]);
}

static void
on_up(void *ctx, struct channel *ch)
{
	(void)ctx;
	(void)ch;
}

static void
on_down(void *ctx, struct channel *ch)
{
	struct stand_in *t = ctx;
	struct link *l = &t->links[channel_instance(ch) % CHAIN_ENGINES];

	if (l->ring == NULL || l->ch != ch)
		return;
	take(l);
	ring_consumer_free(&l->ring);
}

static bool
on_message(void *ctx, struct channel *ch, struct msg *m)
{
	struct stand_in *t = ctx;
	struct link *l = &t->links[channel_instance(ch) % CHAIN_ENGINES];

	if (m->id == MSG_RECORD_RING) {
		struct wire_ring_offer o;
		struct wire_ring_taken taken;
		int page;

		memcpy(&o, m->body, sizeof(o));
		taken = (struct wire_ring_taken){ o.point, o.worker };
		ring_consumer_free(&l->ring);
		l->of = t;
		l->ch = ch;
		memset(l->drops, 0, sizeof(l->drops));
		l->ring = ring_consumer_new(fd_keep(&m->fd), &page);
		if (l->ring == NULL)
			fatal("stand-in store: the ring is not one");
		(void)channel_send_fd(ch, MSG_RECORD_RING_TAKEN, &taken, sizeof(taken), page);
		atomic_fetch_add(&t->stats->rings, 1);
	}
	event_active(t->work, EV_TIMEOUT, 0);
	return true;
}

static void
on_term(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	on_work(-1, 0, arg);
	_exit(0);
}

void
chain_store(const struct boot *b, struct chain_stats *s)
{
	static const struct peers_handlers handlers = { on_up, on_down, on_message };
	struct event_base *base = event_base_new();
	struct stand_in *t = mem_calloc(1, sizeof(*t));
	struct event *term = evsignal_new(base, SIGTERM, on_term, t);

	log_init("stand-in-store", LOG_LEVEL_INFO);
	t->stats = s;
	t->work = event_new(base, -1, 0, on_work, t);
	event_add(term, NULL);
	(void)peers_new(base, b, BOOT_FD_LISTEN, &handlers, t);
	event_base_dispatch(base);
	_exit(1);
}
