/* Rings between engines: one for each direction of each two. */
#include "handover.h"

#include <string.h>
#include <sys/mman.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"

static_assert(sizeof(struct flow_key) == sizeof(((struct wire_handover *)0)->key), "a key fits exactly");

static void
new_ring(struct handover *h, struct handover_peer *p)
{
	p->out = ring_producer_new(h->ring_bytes, &p->offer_fd);
	if (p->out == NULL)
		fatal("hand-over ring of %zu bytes", h->ring_bytes);
	p->attached = false;
}

void
handover_init(struct handover *h, const struct boot *b)
{
	memset(h, 0, sizeof(*h));
	h->worker = b->instance;
	h->workers = (unsigned)b->settings.workers;
	h->npoints = b->npoints;
	h->ring_bytes = (size_t)b->settings.handover_ring;
	for (unsigned i = 0; i < b->npoints; i++)
		if (b->points[i].kind != POINT_FILE)
			h->live |= UINT32_C(1) << i;
	h->on = h->workers > 1 && h->live != 0;
	for (unsigned i = 0; i < HANDOVER_WORKERS_MAX; i++)
		h->peer[i].offer_fd = -1;
	if (!h->on)
		return;
	if (h->workers > HANDOVER_WORKERS_MAX || h->worker >= h->workers)
		fatalx("engine.workers: worker %u of %u cannot be", h->worker, h->workers);
	h->batch.bytes = mem_pages(BATCH_BYTES);
	for (unsigned i = 0; i < h->workers; i++)
		if (i != h->worker) {
			h->peer[i].entry = mem_pages(RING_ENTRY_MAX);
			new_ring(h, &h->peer[i]);
		}
}

void
handover_free(struct handover *h)
{
	if (!h->on)
		return;
	for (unsigned i = 0; i < HANDOVER_WORKERS_MAX; i++) {
		struct handover_peer *p = &h->peer[i];

		ring_producer_free(&p->out);
		fd_drop(&p->offer_fd);
		ring_consumer_free(&p->in);
		ring_consumer_free(&p->next_in);
		if (p->entry != NULL)
			munmap(p->entry, RING_ENTRY_MAX);
	}
	munmap(h->batch.bytes, BATCH_BYTES);
	h->on = false;
}

/* --- sending --- */

void
handover_put(struct handover *h, unsigned to, const struct wire_handover *w, const uint8_t *bytes)
{
	struct ring_producer *r = h->peer[to].out;
	uint8_t *room = ring_reserve(r, sizeof(*w) + w->cap_len);

	if (room == NULL) {
		h->full++;
		return;
	}
	memcpy(room, w, sizeof(*w));
	memcpy(room + sizeof(*w), bytes, w->cap_len);
	ring_commit(r, FRAME_HANDED, sizeof(*w) + w->cap_len);
	h->handed_over++;
}

int
handover_offer(struct handover *h, unsigned to)
{
	struct handover_peer *p = &h->peer[to];
	int fd;

	if (p->offer_fd == -1) {
		struct ring_producer *old = p->out;

		new_ring(h, p);
		h->full += ring_carry_over(p->out, old);
		ring_producer_free(&old);
		(void)ring_publish(p->out);
	}
	fd = p->offer_fd;
	p->offer_fd = -1;
	return fd;
}

bool
handover_taken(struct handover *h, unsigned to, int fd)
{
	struct handover_peer *p = &h->peer[to];

	if (p->attached || p->offer_fd != -1) {
		fd_drop(&fd);
		return false;
	}
	p->attached = ring_producer_attach(p->out, fd);
	return p->attached;
}

bool
handover_publish(struct handover *h, unsigned to)
{
	return ring_publish(h->peer[to].out);
}

/* --- receiving --- */

void
handover_up(struct handover *h, unsigned from, struct ring_consumer *ring)
{
	struct handover_peer *p = &h->peer[from];

	if (p->in == NULL) {
		p->in = ring;
		p->gone = p->lied = false;
		return;
	}
	ring_consumer_free(&p->next_in);
	p->next_in = ring;
	p->gone = true;
}

void
handover_down(struct handover *h, unsigned from)
{
	h->peer[from].gone = true;
}

/* The ring of a worker that is gone is empty. */
static void
drained(struct handover_peer *p)
{
	ring_consumer_free(&p->in);
	p->in = p->next_in;
	p->next_in = NULL;
	p->gone = p->lied = false;
}

/* The key that a fragment has from its first. Which flow it names is the peer's word, as are the bytes. */
static bool
key_is_possible(const struct wire_handover *w)
{
	struct flow_key k;

	memcpy(&k, w->key, sizeof(k));
	for (unsigned i = 0; i < FLOW_VLANS; i++)
		if (k.vlan[i] > 0x0fff)
			return false;
	return k.tunnel < TUNNEL_COUNT;
}

/* An entry at b->bytes + b->used. */
static bool
judge(const struct handover *h, uint16_t kind, uint32_t len, struct wire_handover *w)
{
	if (kind != FRAME_HANDED || len < sizeof(*w))
		return false;
	memcpy(w, h->batch.bytes + h->batch.used, sizeof(*w));
	return w->cap_len == len - sizeof(*w) && w->point < h->npoints && (h->live >> w->point & 1) != 0 &&
	       w->hops >= 1 && w->hops <= HANDOVER_HOPS && w->resolved <= 1 && w->icmp_reply <= 1 &&
	       w->inside <= 1 && key_is_possible(w);
}

static void
add(struct batch *b, const struct wire_handover *w, uint32_t len)
{
	b->frame[b->n++] = (struct frame){
		.ts_ns = w->ts_ns,
		.wire_len = w->wire_len > w->cap_len ? w->wire_len : w->cap_len,
		.cap_len = w->cap_len,
		.link_type = w->link_type,
		.bytes = b->bytes + b->used + sizeof(*w),
		.handed = b->bytes + b->used,
		.hops = w->hops,
		.resolved = w->resolved != 0,
	};
	b->used += (len + 15u) & ~15u;
}

/* The next entry into the buffer behind the batch: its length, 0 for none. */
static uint32_t
next_entry(struct handover *h, struct handover_peer *p, struct wire_handover *w)
{
	struct batch *b = &h->batch;
	uint16_t kind = FRAME_HANDED;
	uint32_t len = p->entry_len;
	int got = 1;

	if (len != 0)
		memcpy(b->bytes + b->used, p->entry, len);
	else
		got = ring_take(p->in, b->bytes + b->used, RING_ENTRY_MAX, &kind, &len);
	p->entry_len = 0;
	if (got == 0)
		return 0;
	if (got < 0 || !judge(h, kind, len, w)) {
		p->lied = true;
		return 0;
	}
	return len;
}

static void
fill(struct handover *h, struct handover_peer *p)
{
	struct batch *b = &h->batch;
	struct wire_handover w;

	b->n = b->next = 0;
	b->used = 0;
	b->decoded = false;
	while (!p->lied && b->n < BATCH_MAX && BATCH_BYTES - b->used >= RING_ENTRY_MAX) {
		uint32_t len = next_entry(h, p, &w);

		if (len == 0)
			break;
		if (b->n > 0 && w.point != h->point) {
			memcpy(p->entry, b->bytes + b->used, len);
			p->entry_len = len;
			break;
		}
		h->point = w.point;
		add(b, &w, len);
	}
	(void)ring_release(p->in, ring_position(p->in));
}

bool
handover_take(struct handover *h, unsigned from)
{
	struct handover_peer *p = &h->peer[from];

	if (p->in == NULL || (p->lied && !p->gone))
		return false;
	fill(h, p);
	if (h->batch.n == 0 && p->gone) {
		drained(p);
		if (p->in != NULL)
			fill(h, p);
	}
	return h->batch.n > 0;
}

bool
handover_lied(const struct handover *h, unsigned worker)
{
	const struct handover_peer *p = &h->peer[worker];

	return (p->lied && !p->gone) || ring_producer_lied(p->out);
}

bool
handover_sleep(struct handover *h)
{
	bool sleep = true;

	for (unsigned i = 0; h->on && i < h->workers; i++) {
		struct handover_peer *p = &h->peer[i];

		if (p->in != NULL && !p->lied && !ring_sleep(p->in))
			sleep = false;
	}
	return sleep;
}
