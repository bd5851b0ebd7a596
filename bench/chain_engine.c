/* Stands in for an engine: takes frames out of packet rings and counts them, as cheaply as can be. */
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "chain.h"
#include "ipc/channel.h"
#include "ipc/ring.h"

#define BURST        1024
#define RELEASE_EACH 64

struct stand_in {
	const struct boot *boot;
	struct chain_stats *stats;
	struct event *work;
	struct channel *ch;
	struct ring_consumer *ring;
	uint8_t buf[RING_ENTRY_MAX];
};

static void
release(struct stand_in *e)
{
	if (ring_release(e->ring, ring_position(e->ring)))
		channel_nudge(e->ch, MSG_PACKET_ROOM);
}

static void
count_end(struct stand_in *e)
{
	struct wire_frame_end end;

	memcpy(&end, e->buf, sizeof(end));
	atomic_fetch_add(&e->stats->end_frames, end.frames);
	atomic_fetch_add(&e->stats->end_bytes, end.bytes);
	atomic_fetch_add(&e->stats->truncated_ends, end.truncated);
	atomic_fetch_add(&e->stats->ends, 1);
}

struct tally {
	uint64_t frames, bytes;
	uint16_t link_type;
};

static void
count_frame(const uint8_t *at, struct tally *t)
{
	struct wire_frame f;

	memcpy(&f, at, sizeof(f));
	t->frames++;
	t->bytes += f.wire_len;
	t->link_type = f.link_type;
}

static void
count_block(const uint8_t *entry, uint32_t len, struct tally *t)
{
	struct wire_block b;

	memcpy(&b, entry, sizeof(b));
	if (b.table > len || b.frames > (len - b.table) / sizeof(struct wire_block_frame))
		fatalx("stand-in engine: capture lied");
	for (uint32_t i = 0; i < b.frames; i++)
		count_frame(entry + b.table + i * sizeof(struct wire_block_frame), t);
}

static void
on_work(evutil_socket_t fd, short what, void *arg)
{
	struct stand_in *e = arg;
	struct tally t = { 0 };
	int got = 1;

	(void)fd;
	(void)what;
	if (e->ring == NULL)
		return;
	for (int i = 0; i < BURST; i++) {
		uint16_t kind;
		uint32_t len;

		got = ring_take(e->ring, e->buf, sizeof(e->buf), &kind, &len);
		if (got != 1)
			break;
		if (kind == FRAME_END && len == sizeof(struct wire_frame_end))
			count_end(e);
		if (kind == FRAME_DATA && len >= sizeof(struct wire_frame))
			count_frame(e->buf, &t);
		if (kind == FRAME_BLOCK && len >= sizeof(struct wire_block))
			count_block(e->buf, len, &t);
		if (i % RELEASE_EACH == RELEASE_EACH - 1)
			release(e);
	}
	atomic_fetch_add(&e->stats->frames, t.frames);
	atomic_fetch_add(&e->stats->bytes, t.bytes);
	if (t.frames > 0)
		atomic_store(&e->stats->link_type, t.link_type);
	release(e);
	if (got == -1)
		fatalx("stand-in engine: capture lied");
	if (got == 1 || !ring_sleep(e->ring))
		event_active(e->work, EV_TIMEOUT, 0);
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
	struct stand_in *e = ctx;

	if (e->ch != ch)
		return;
	if (e->ring != NULL)
		on_work(-1, 0, e); /* what is left */
	ring_consumer_free(&e->ring);
	e->ch = NULL;
}

static bool
on_message(void *ctx, struct channel *ch, struct msg *m)
{
	struct stand_in *e = ctx;

	if (m->id == MSG_PACKET_RING) {
		struct wire_ring_offer o;
		struct wire_ring_taken t;
		int page;

		memcpy(&o, m->body, sizeof(o));
		t = (struct wire_ring_taken){ o.point, o.worker };
		ring_consumer_free(&e->ring);
		e->ring = ring_consumer_new(fd_keep(&m->fd), &page);
		if (e->ring == NULL)
			fatal("stand-in engine: the ring is not one");
		e->ch = ch;
		(void)channel_send_fd(ch, MSG_PACKET_RING_TAKEN, &t, sizeof(t), page);
		atomic_fetch_add(&e->stats->rings, 1);
	} else if (m->id == MSG_CAPTURE_COUNTERS) {
		memcpy(&e->stats->counters[e->boot->instance], m->body, sizeof(struct wire_capture_counters));
		return true;
	}
	event_active(e->work, EV_TIMEOUT, 0);
	return true;
}

static void
on_term(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	_exit(0);
}

void
chain_engine(const struct boot *b, struct chain_stats *s)
{
	static const struct peers_handlers handlers = { on_up, on_down, on_message };
	struct event_base *base = event_base_new();
	struct stand_in *e = mem_calloc(1, sizeof(*e));
	struct event *term = evsignal_new(base, SIGTERM, on_term, NULL);

	log_init("stand-in-engine", LOG_LEVEL_WARN);
	e->boot = b;
	e->stats = s;
	e->work = event_new(base, -1, 0, on_work, e);
	event_add(term, NULL);
	(void)peers_new(base, b, BOOT_FD_LISTEN, &handlers, e);
	event_base_dispatch(base);
	_exit(1);
}
