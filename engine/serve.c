/* Handlers of the messages that msg.def lets an engine receive. */
#include "serve.h"

#include <string.h>

#include "base/auto.h"
#include "base/log.h"

/* Capture instance i serves point i: that is who it is, whatever it writes. */
static struct point *
point_of(struct server *s, struct channel *ch)
{
	unsigned i = channel_instance(ch);

	return channel_proc(ch) == PROC_CAPTURE && i < s->e->npoints ? &s->e->point[i] : NULL;
}

static bool
on_packet_ring(struct server *s, struct channel *ch, struct msg *m)
{
	struct point *p = point_of(s, ch);
	struct wire_ring_offer o;
	struct wire_ring_taken t;
	struct ring_consumer *r;
	int page = -1;

	memcpy(&o, m->body, sizeof(o));
	if (p == NULL || o.point != p->boot->id || o.worker != s->e->worker)
		return false;
	r = ring_consumer_new(fd_keep(&m->fd), &page);
	if (r == NULL)
		return false;
	t = (struct wire_ring_taken){ o.point, o.worker };
	if (!channel_send_fd(ch, MSG_PACKET_RING_TAKEN, &t, sizeof(t), page)) {
		ring_consumer_free(&r);
		return true;
	}
	point_up(s->e, p, r);
	return true;
}

static bool
on_capture_counters(struct server *s, struct channel *ch, struct msg *m)
{
	struct point *p = point_of(s, ch);
	struct wire_capture_counters c;

	memcpy(&c, m->body, sizeof(c));
	if (p == NULL || c.point != p->boot->id || c.worker != s->e->worker)
		return false;
	p->captured = c;
	return true;
}

static void
pass_on_captures(const struct server *s, unsigned i)
{
	struct channel *ch = peers_find(s->peers, PROC_STORE, 0);

	if (ch != NULL && s->captures[i].proc == PROC_CAPTURE)
		(void)channel_send(ch, MSG_ENGINE_COUNTERS, &s->captures[i], sizeof(s->captures[i]));
}

/* capture has no channel to store: the first engine passes on what it counts. */
static bool
on_capture_told(struct server *s, struct channel *ch, struct msg *m)
{
	struct wire_counters w;

	memcpy(&w, m->body, sizeof(w));
	if (point_of(s, ch) == NULL || w.proc != PROC_CAPTURE || w.instance != channel_instance(ch) ||
	    s->e->worker != 0)
		return false;
	s->captures[w.instance] = w;
	pass_on_captures(s, w.instance);
	return true;
}

/* Engine instances are workers: whether this is one that we share frames with. */
static bool
is_worker(const struct server *s, const struct channel *ch)
{
	const struct handover *h = &s->e->handover;

	return channel_proc(ch) == PROC_ENGINE && h->on && channel_instance(ch) < h->workers &&
	       channel_instance(ch) != h->worker;
}

static bool
on_frame_ring(struct server *s, struct channel *ch, struct msg *m)
{
	unsigned from = channel_instance(ch);
	struct wire_ring_taken t = { 0, s->e->worker };
	struct wire_ring_offer o;
	struct ring_consumer *r;
	int page = -1;

	memcpy(&o, m->body, sizeof(o));
	if (!is_worker(s, ch) || o.worker != from)
		return false;
	r = ring_consumer_new(fd_keep(&m->fd), &page);
	if (r == NULL)
		return false;
	if (!channel_send_fd(ch, MSG_FRAME_RING_TAKEN, &t, sizeof(t), page)) {
		ring_consumer_free(&r);
		return true;
	}
	handover_up(&s->e->handover, from, r);
	return true;
}

static bool
on_frame_ring_taken(struct server *s, struct channel *ch, struct msg *m)
{
	unsigned to = channel_instance(ch);
	struct wire_ring_taken t;

	memcpy(&t, m->body, sizeof(t));
	return is_worker(s, ch) && t.worker == to && handover_taken(&s->e->handover, to, fd_keep(&m->fd));
}

static bool
on_record_ring_taken(struct server *s, struct msg *m)
{
	struct records *r = &s->e->records;
	struct wire_ring_taken t;

	memcpy(&t, m->body, sizeof(t));
	if (t.worker != s->e->worker || r->attached || r->offer_fd != -1)
		return false;
	r->attached = ring_producer_attach(r->ring, fd_keep(&m->fd));
	return r->attached;
}

static bool
on_geo_file(struct server *s, struct msg *m)
{
	struct wire_geo_file w;

	memcpy(&w, m->body, sizeof(w));
	if (w.index >= s->e->boot->settings.geoip_files.n)
		return false;
	hosts_take_geo(s->e, w.index, fd_keep(&m->fd));
	return true;
}

static bool
on_message(void *ctx, struct channel *ch, struct msg *m)
{
	struct server *s = ctx;

	switch (m->id) {
	case MSG_PACKET_RING:
		return on_packet_ring(s, ch, m);
	case MSG_CAPTURE_COUNTERS:
		return on_capture_counters(s, ch, m);
	case MSG_CAPTURE_TOLD:
		return on_capture_told(s, ch, m);
	case MSG_RECORD_RING_TAKEN:
		return on_record_ring_taken(s, m);
	case MSG_GEO_FILE:
		return on_geo_file(s, m);
	case MSG_FRAME_RING:
		return on_frame_ring(s, ch, m);
	case MSG_FRAME_RING_TAKEN:
		return on_frame_ring_taken(s, ch, m);
	case MSG_FRAME_WAKE:
	case MSG_PACKET_WAKE: /* having been woken is all */
	case MSG_RECORD_ROOM:
		return true;
	default:
		return false;
	}
}

static void
on_up(void *ctx, struct channel *ch)
{
	struct server *s = ctx;
	struct wire_ring_offer o = { .worker = s->e->worker };

	if (is_worker(s, ch))
		channel_send_fd(ch, MSG_FRAME_RING, &o, sizeof(o),
				handover_offer(&s->e->handover, channel_instance(ch)));
	if (channel_proc(ch) != PROC_STORE)
		return;
	channel_send_fd(ch, MSG_RECORD_RING, &o, sizeof(o), records_offer(&s->e->records));
	report_again_from_start(s->e);
	process_counters_again(&s->counters);
	for (unsigned i = 0; i < BOOT_POINTS_MAX; i++)
		pass_on_captures(s, i);
}

static void
on_down(void *ctx, struct channel *ch)
{
	struct server *s = ctx;
	struct point *p = point_of(s, ch);

	if (p != NULL)
		point_down(s->e, p);
	if (is_worker(s, ch))
		handover_down(&s->e->handover, channel_instance(ch));
}

const struct peers_handlers serve_handlers = { on_up, on_down, on_message };

static void
after_handover(struct server *s)
{
	struct handover *h = &s->e->handover;

	for (unsigned i = 0; h->on && i < h->workers; i++) {
		struct channel *ch = i == h->worker ? NULL : peers_find(s->peers, PROC_ENGINE, i);
		bool asleep = i != h->worker && handover_publish(h, i);

		if (ch != NULL && handover_lied(h, i))
			channel_end(ch, "its hand-over ring holds what no engine writes");
		else if (ch != NULL && asleep)
			channel_nudge(ch, MSG_FRAME_WAKE);
	}
}

void
serve_after_turn(struct server *s)
{
	struct engine *e = s->e;
	struct channel *ch;

	for (unsigned i = 0; i < e->npoints; i++) {
		struct point *p = &e->point[i];

		if (!p->nudge && !p->lied)
			continue;
		ch = peers_find(s->peers, PROC_CAPTURE, i);
		if (ch != NULL && p->lied && !p->draining)
			channel_end(ch, "its packet ring holds what no capture writes");
		else if (ch != NULL && p->nudge)
			channel_nudge(ch, MSG_PACKET_ROOM);
		p->nudge = false;
		p->draining |= p->lied;
	}
	after_handover(s);
	ch = peers_find(s->peers, PROC_STORE, 0);
	if (records_publish(&e->records) && ch != NULL)
		channel_nudge(ch, MSG_RECORD_WAKE);
	if (ring_producer_lied(e->records.ring) && ch != NULL)
		channel_end(ch, "its index of the record ring is impossible");
}
