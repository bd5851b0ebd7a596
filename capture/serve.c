#include "serve.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "capture.h"

/* Of a file: it waits for room and loses nothing, so more than stays in a cache would only be slower. */
#define FILE_RING (2 << 20)

static size_t
ring_bytes(const struct capture *c)
{
	int64_t bytes = c->boot->settings.packet_ring;

	return (size_t)(c->point->kind == POINT_FILE && bytes > FILE_RING ? FILE_RING : bytes);
}

/* Rings are made anew for each channel, never reused: a new engine knows nothing of what an old one took. */
static void
offer(struct capture *c, struct channel *ch)
{
	unsigned w = channel_instance(ch);
	struct wire_ring_offer o = { .point = c->point->id, .worker = w, .mtu = c->nic.mtu };
	struct ring_producer *r;
	int fd = -1;

	r = ring_producer_new(ring_bytes(c), &fd);
	if (r == NULL) {
		log_error("no ring of %zu bytes for %s, its frames are dropped: %s", ring_bytes(c),
			  channel_name(ch), strerrordesc_np(errno));
		return;
	}
	if (!channel_send_fd(ch, MSG_PACKET_RING, &o, sizeof(o), fd)) {
		ring_producer_free(&r);
		return;
	}
	lane_give_ring(&c->lane[w], r);
	capture_wake(c, w);
}

void
serve_offer_all(struct capture *c)
{
	for (unsigned w = 0; w < c->workers; w++) {
		struct channel *ch = peers_find(c->peers, PROC_ENGINE, w);

		if (ch != NULL)
			offer(c, ch);
	}
}

static void
on_up(void *ctx, struct channel *ch)
{
	struct capture *c = ctx;

	if (channel_proc(ch) == PROC_ENGINE && channel_instance(ch) == 0)
		process_counters_again(&c->counters);
	if (channel_proc(ch) == PROC_ENGINE && channel_instance(ch) < c->workers && c->is_open)
		offer(c, ch);
}

static void
on_down(void *ctx, struct channel *ch)
{
	struct capture *c = ctx;
	unsigned w = channel_instance(ch);

	if (channel_proc(ch) != PROC_ENGINE || w >= c->workers)
		return;
	log_info("%s is away", channel_name(ch));
	if (c->replay != NULL)
		replay_engine_gone(c->replay, w);
	lane_give_ring(&c->lane[w], NULL);
	capture_wake(c, w);
}

static bool
on_ring_taken(struct capture *c, unsigned w, struct msg *m)
{
	struct wire_ring_taken t;

	memcpy(&t, m->body, sizeof(t));
	if (t.point != c->point->id || t.worker != w)
		return false;
	lane_give_page(&c->lane[w], fd_keep(&m->fd));
	capture_wake(c, w);
	return true;
}

static bool
on_message(void *ctx, struct channel *ch, struct msg *m)
{
	struct capture *c = ctx;
	unsigned w = channel_instance(ch);

	if (channel_proc(ch) != PROC_ENGINE || w >= c->workers)
		return false;
	switch (m->id) {
	case MSG_PACKET_RING_TAKEN:
		return on_ring_taken(c, w, m);
	case MSG_PACKET_ROOM:
		capture_wake(c, w);
		return true;
	default:
		return false;
	}
}

const struct peers_handlers serve_handlers = { on_up, on_down, on_message };
