/* One turn of an observation point: its ring, its clock, its frames. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "decode/decode.h"
#include "decode/owner.h"
#include "decode/when.h"
#include "engine.h"

#define STEP_FLOWS 512 /* flows settled or ended in one turn */

/* --- packet time
 * -------------------------------------------------------------------------------------------------------- */

static int64_t
time_of(const struct engine *e, const struct point *p, int64_t ts, int64_t next)
{
	const struct clockwork c = { p->live, e->wall_ns, p->now_ns };

	return packet_time(&c, ts, next);
}

static void
start_clock(struct point *p, int64_t now_ns)
{
	p->first_ns = p->begin_ns != 0 && p->begin_ns < now_ns ? p->begin_ns : now_ns;
	p->now_ns = now_ns;
	p->second = now_ns / NS_PER_S;
	p->second_end_ns = (p->second + 1) * NS_PER_S;
	wheel_start(&p->wheel, now_ns);
}

/* Time goes on to now. False: the second before the one that would be closed is not closed yet, and waits for
 * room. */
static bool
set_clock(struct engine *e, struct point *p, int64_t now_ns)
{
	if (p->now_ns == 0)
		start_clock(p, now_ns);
	if (now_ns >= p->second_end_ns) {
		while (p->closing && !second_step(e, p, STEP_FLOWS))
			if (!engine_ready(e, p))
				return false;
		second_close(e, p, now_ns / NS_PER_S);
	}
	p->now_ns = now_ns;
	return true;
}

void
point_advance(struct engine *e, struct point *p, int64_t now_ns)
{
	if (p->now_ns != 0 && now_ns > p->now_ns)
		(void)set_clock(e, p, now_ns);
}

void
point_set_back(struct engine *e, struct point *p, int64_t now_ns)
{
	if (p->now_ns == 0 || now_ns >= p->now_ns)
		return;
	log_warn("%s: the clock was set back by %lld s", p->boot->name,
		 (long long)((p->now_ns - now_ns) / NS_PER_S));
	while (!second_step(e, p, STEP_FLOWS))
		;
	second_close(e, p, now_ns / NS_PER_S);
	for (uint32_t n = 0; n < e->flows.fresh; n++) {
		struct flow *f = &e->flows.flow[n];

		if ((f->flags & FLOW_USED) && f->key.point == p->index)
			wheel_remove(&p->wheel, &e->flows, n);
	}
	p->now_ns = now_ns;
	wheel_start(&p->wheel, now_ns);
	for (uint32_t n = 0; n < e->flows.fresh; n++) {
		struct flow *f = &e->flows.flow[n];

		if (!(f->flags & FLOW_USED) || f->key.point != p->index)
			continue;
		if (f->last_ns > now_ns)
			f->last_ns = now_ns;
		if (f->slice_ns > now_ns)
			f->slice_ns = now_ns;
		wheel_put(&p->wheel, &e->flows, n, track_deadline(e, f));
	}
}

/* --- frames
 * ---------------------------------------------------------------------------------------------------------------
 */

/* Gives a frame to a worker that is not this one; false where it is. */
static bool
give(struct engine *e, unsigned to, const struct decode_options *o, struct frame *f, const struct packet *k)
{
	struct wire_handover w;

	if (to == e->worker)
		return false;
	frame_complete(f);
	w = (struct wire_handover){ .ts_ns = f->ts_ns,
				    .wire_len = f->wire_len,
				    .cap_len = f->cap_len,
				    .link_type = f->link_type,
				    .point = o->point,
				    .hops = (uint8_t)(f->hops + 1),
				    .resolved = f->resolved };
	if (f->resolved) {
		memcpy(w.key, &k->key, sizeof(w.key));
		w.icmp_reply = k->icmp_reply;
		w.inside = k->fragment == FRAGMENT_LATER && k->payload == 0;
	}
	handover_put(&e->handover, to, &w, f->bytes);
	f->away = true;
	return true;
}

/* Whether a frame may be another worker's. Where it was handed over as often as need be, the last word is
 * said: workers never send it around. */
static bool
may_be_elsewhere(const struct engine *e, const struct point *p, const struct frame *f)
{
	return e->handover.on && p->live && f->hops < HANDOVER_HOPS;
}

/* What the worker where its fragments meet said of a later one. */
static void
believe(const struct frame *f, struct packet *k)
{
	const uint8_t point = k->key.point;
	struct wire_handover w;

	memcpy(&w, f->handed, sizeof(w));
	memcpy(&k->key, w.key, sizeof(k->key));
	k->key.point = point;
	k->icmp_reply = w.icmp_reply;
	if (w.inside)
		k->payload = 0;
}

/* The flow of a fragment, unless it has to go elsewhere to learn of it. */
static void
resolve(struct engine *e, const struct point *p, const struct decode_options *o, struct frame *f,
	struct packet *k)
{
	struct flow_key of;

	if (f->resolved) {
		if (k->fragment == FRAGMENT_LATER)
			believe(f, k);
		return;
	}
	fragment_of(k, &of);
	if (may_be_elsewhere(e, p, f) && give(e, owner_of_addresses(&of, e->handover.workers), o, f, k))
		return;
	fragment_resolve(&e->fragments, k, time_of(e, p, f->ts_ns, 0));
	f->resolved = true;
}

static void
decode_any(struct engine *e, const struct point *p, const struct decode_options *o, struct frame *f,
	   struct packet *k)
{
	frame_complete(f);
	decode_frame(k, o, f->bytes, f->cap_len, f->wire_len);
	if (k->reason != DECODED)
		return;
	if (k->fragment != FRAGMENT_NONE && k->fragment != FRAGMENT_CUT)
		resolve(e, p, o, f, k);
	if (!f->away && may_be_elsewhere(e, p, f))
		(void)give(e, owner_of(&k->key, e->handover.workers), o, f, k);
	packet_seal(k, e->seed);
}

/* By now it is there where flows are found: what they point to, and for those that are new their hosts. */
static void
batch_prefetch(const struct engine *e, const struct point *p, const struct batch *b)
{
	uint32_t hash[BATCH_MAX][2];
	unsigned n = 0;

	for (unsigned i = 0; i < b->n; i++) {
		if (b->packet[i].reason != DECODED)
			continue;
		if (b->flow[i] == FLOW_NONE) {
			hosts_prefetch_index(e, p, &b->packet[i], hash[n++]);
		} else if (e->dpi != NULL && e->flows.flow[b->flow[i]].dpi != DPI_NONE) {
			dpi_prefetch(e->dpi, e->flows.flow[b->flow[i]].dpi);
		}
	}
	for (unsigned i = 0; i < n; i++)
		for (unsigned j = 0; j < 2; j++)
			host_prefetch(&e->hosts, hash[i][j]);
}

static void
batch_decode(struct engine *e, const struct point *p, struct batch *b)
{
	const bool elsewhere = e->handover.on && p->live;
	struct decode_options o = { .point = (uint8_t)p->index, .outer = e->outer };

	for (unsigned i = 0; i < b->n; i++) {
		struct frame *f = &b->frame[i];
		struct packet *k = &b->packet[i];

		/* A plain frame's headers are within what was copied first. */
		o.link_type = f->link_type;
		if (f->link_type != LINK_ETHERNET ||
		    !decode_quick(k, &o, f->bytes, f->cap_len, f->wire_len, e->seed))
			decode_any(e, p, &o, f, k);
		else if (elsewhere && f->hops < HANDOVER_HOPS)
			(void)give(e, owner_of(&k->key, e->handover.workers), &o, f, k);
		if (k->reason == DECODED)
			flow_prefetch_index(&e->flows, flow_hash32(k->hash));
	}
	for (unsigned i = 0; i < b->n; i++)
		if (b->packet[i].reason == DECODED)
			b->flow[i] = flow_prefetch(&e->flows, flow_hash32(b->packet[i].hash),
						   b->packet[i].key.protocol == IP_TCP);
	batch_prefetch(e, p, b);
	b->decoded = true;
}

static void
count_frame(struct engine *e, struct point *p, struct frame *f, const struct packet *k, uint32_t probably)
{
	p->count.packets++;
	p->count.bytes += k->wire_len;
	if (k->reason == DECODED) {
		p->counted++;
		track_packet(e, p, f, k, probably);
	} else {
		p->undecoded++;
		p->count.undecoded[k->reason]++;
		hosts_frame(e, p, k);
	}
}

static bool
batch_process(struct engine *e, struct point *p, struct batch *b)
{
	uint64_t roomy = e->records.changes - 1;

	if (!b->decoded)
		batch_decode(e, p, b);
	for (; b->next < b->n; b->next++) {
		unsigned i = b->next;
		int64_t next = i + 1 < b->n ? b->frame[i + 1].ts_ns : 0;

		/* Where there was room, there still is as long as nothing was put. */
		if (roomy != e->records.changes && !engine_ready(e, p))
			return false;
		roomy = e->records.changes;
		if (!set_clock(e, p, time_of(e, p, b->frame[i].ts_ns, next)))
			return false;
		if (!b->frame[i].away)
			count_frame(e, p, &b->frame[i], &b->packet[i], b->flow[i]);
	}
	return true;
}

bool
point_process(struct engine *e, struct point *p)
{
	return batch_process(e, p, &p->batch);
}

/* A batch of each worker, so that no one keeps us from our own frames. */
enum work
handover_work(struct engine *e)
{
	struct handover *h = &e->handover;
	enum work work = WORK_NONE;

	for (unsigned i = 0; h->on && i < h->workers; i++) {
		if (!handover_take(h, i))
			continue;
		/* Points that are live never wait for room. */
		(void)batch_process(e, &e->point[h->point], &h->batch);
		work = WORK_DONE;
	}
	return work;
}

/* --- coming, going, ending
 * ------------------------------------------------------------------------------------------------ */

static void
adopt(struct engine *e, struct point *p, struct ring_consumer *ring)
{
	ring_consumer_free(&p->ring);
	p->ring = ring;
	p->block = (struct block){ 0 };
	p->draining = p->lied = false;
	if (p->state == POINT_ENDED)
		return;
	p->state = POINT_UP;
	(void)report_point(e, p);
}

void
point_up(struct engine *e, struct point *p, struct ring_consumer *ring)
{
	if (p->ring == NULL) {
		adopt(e, p, ring);
		return;
	}
	ring_consumer_free(&p->next_ring);
	p->next_ring = ring;
	p->draining = true;
}

static void
add_counters(struct wire_capture_counters *to, struct wire_capture_counters *from)
{
	to->frames += from->frames;
	to->kernel_drops += from->kernel_drops;
	to->ring_drops += from->ring_drops;
	to->merged += from->merged;
	to->truncated += from->truncated;
	memset(from, 0, sizeof(*from));
}

void
point_down(struct engine *e, struct point *p)
{
	(void)e;
	add_counters(&p->captured_before, &p->captured);
	p->draining = true;
}

/* The old ring is empty and its producer gone. */
static void
drained(struct engine *e, struct point *p)
{
	struct ring_consumer *next = p->next_ring;

	ring_consumer_free(&p->ring);
	p->block = (struct block){ 0 };
	p->next_ring = NULL;
	p->draining = p->lied = false;
	if (next != NULL) {
		adopt(e, p, next);
	} else if (p->state == POINT_UP) {
		p->state = POINT_DOWN;
		(void)report_point(e, p);
	}
}

/* What a flow of a file that was read ended of: those whose time was over have not all been looked at. */
static enum end_reason
end_of(const struct engine *e, const struct point *p, uint32_t number)
{
	const struct flow *f = &e->flows.flow[number];

	if (track_deadline(e, f) > p->now_ns)
		return END_FILE;
	return f->state == FLOW_CLOSED || f->state == FLOW_RESET ? END_CLOSED : END_IDLE;
}

/* The file was read: its time is that of its last frame, end its flows, close its second, say what became of
 * it. Stopped and taken up again for want of room. */
static bool
finish_file(struct engine *e, struct point *p)
{
	if (p->now_ns != 0 && !set_clock(e, p, time_of(e, p, p->end.last_ns, 0)))
		return false;
	if (!second_close_last(e, p))
		return false;
	while (p->flows > 0 && (e->boot->flags & BOOT_ANALYZE)) {
		uint32_t n = wheel_earliest(&p->wheel);

		if (!engine_ready(e, p))
			return false;
		track_prefetch_end(e, e->flows.flow[n].wheel_next);
		track_end(e, p, n, end_of(e, p, n));
	}
	if (!second_step(e, p, UINT32_MAX) || !second_tell_waiting(e, p))
		return false;
	if (!hosts_tell(e, p, UINT32_MAX) || !engine_ready(e, p))
		return false;
	report_drops(e, p);
	report_drops(e, NULL);
	p->state = POINT_ENDED;
	p->ended = true;
	(void)report_point(e, p);
	return true;
}

bool
engine_ready(const struct engine *e, const struct point *p)
{
	return p->live || records_room(&e->records, FRAME_ROOM);
}

static enum work
take_frames(struct engine *e, struct point *p)
{
	if (p->batch.next == p->batch.n) {
		if (p->ring == NULL || p->lied || p->ending)
			return WORK_NONE;
		intake(p);
		if (p->batch.n == 0) {
			intake_release(p);
			return p->ending ? WORK_DONE : WORK_NONE;
		}
	}
	if (!point_process(e, p))
		return WORK_BLOCKED;
	intake_release(p);
	return WORK_DONE;
}

enum work
point_work(struct engine *e, struct point *p)
{
	enum work work;

	if (!engine_ready(e, p))
		return WORK_BLOCKED;
	if (p->closing && !second_step(e, p, STEP_FLOWS) && !engine_ready(e, p))
		return WORK_BLOCKED;
	if (p->telling && !p->closing)
		p->telling = !hosts_tell(e, p, STEP_FLOWS);
	work = expire_step(e, p, STEP_FLOWS) ? WORK_DONE : WORK_NONE;
	switch (take_frames(e, p)) {
	case WORK_DONE:
		return WORK_DONE;
	case WORK_BLOCKED:
		return WORK_BLOCKED;
	case WORK_NONE:
		break;
	}
	if (p->ending && !p->ended)
		return finish_file(e, p) ? WORK_DONE : WORK_BLOCKED;
	if (p->draining && p->ring != NULL)
		drained(e, p);
	return p->closing ? WORK_DONE : work;
}
