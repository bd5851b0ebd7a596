/* What store is told: flows, hosts, seconds, points and drops as records. */
#include "engine.h"

#include <endian.h>
#include <string.h>

static bool
reports_hard(const struct point *p)
{
	return !p->live; /* a file has waited for room before; nothing of it may be put off */
}

static void
flow_id(const struct engine *e, const struct flow *f, struct flow_id *id)
{
	const uint64_t part[2] = { (uint64_t)e->boot->node << 32 | e->boot->boot, flow_sequence(f) };

	for (unsigned i = 0; i < 2; i++) {
		uint64_t big_endian = htobe64(part[i]);

		memcpy(&id->b[8 * i], &big_endian, sizeof(big_endian));
	}
}

static struct flow_counters
counters_of(const struct flow *f)
{
	struct flow_counters c;

	for (unsigned side = 0; side < 2; side++) {
		c.bytes[side] = f->bytes[side];
		c.packets[side] = f->packets[side];
		c.payload[side] = f->payload[side];
	}
	return c;
}

static void
fill_tcp(const struct flow *f, struct flow_tcp *t)
{
	for (unsigned side = 0; side < 2; side++) {
		t->flags[side] = f->seen.flags[side];
		t->retransmissions[side] = f->track.retransmissions[side];
		t->out_of_order[side] = f->track.out_of_order[side];
		t->lost[side] = f->track.lost[side];
		t->zero_windows[side] = f->track.zero_windows[side];
		t->handshake_us[side] = tcp_handshake(&f->track, &f->seen, side);
	}
}

static void
fill_meaning(const struct engine *e, const struct flow *f, struct rec_flow *r)
{
	struct dpi_meaning m = { 0 };

	(void)text_read(&e->meanings, f->meaning, &m, sizeof(m));
	r->application = m.application;
	r->category = m.category;
	r->score = m.score;
	r->confidence = m.confidence;
	r->breed = m.breed;
	r->risks = m.risks;
	r->dpi_done = (f->flags & FLOW_DPI_DONE) != 0;
}

static void
fill_flow(struct engine *e, const struct point *p, uint32_t number, struct rec_flow *r)
{
	const struct flow *f = &e->flows.flow[number];
	unsigned client = (f->flags & FLOW_SWAPPED) != 0;
	bool icmp = f->key.protocol == IP_ICMP || f->key.protocol == IP_ICMPV6;

	memset(r, 0, sizeof(*r));
	flow_id(e, f, &r->id);
	r->slot = number;
	r->generation = f->generation;
	r->slice = f->slice;
	r->point = p->boot->id;
	r->space = p->boot->space;
	memcpy(r->vlan, f->key.vlan, sizeof(r->vlan));
	r->protocol = f->key.protocol;
	r->tunnel = f->tunnel;
	r->state = f->state;
	r->icmp_type = icmp ? f->seen.flags[0] : 0;
	r->icmp_code = icmp ? f->seen.flags[1] : 0;
	r->first_ns = f->first_ns;
	r->slice_ns = f->slice_ns;
	r->last_ns = f->last_ns;
	r->ip[CLIENT] = f->key.ip[client];
	r->ip[SERVER] = f->key.ip[!client];
	r->port[CLIENT] = f->key.port[client];
	r->port[SERVER] = icmp ? 0 : f->key.port[!client];
	memcpy(r->mac, f->mac, sizeof(r->mac));
	for (unsigned side = CLIENT; side <= SERVER; side++)
		r->as_number[side] = hosts_as(e, f, side);
	r->count = counters_of(f);
	if (f->key.protocol == IP_TCP)
		fill_tcp(f, &r->tcp);
	fill_meaning(e, f, r);
	memcpy(r->ttl_min, f->ttl_min, 2);
	memcpy(r->ttl_max, f->ttl_max, 2);
	memcpy(r->dscp, f->dscp, 2);
	r->latency_us = f->flags & FLOW_ANSWERED ? f->latency_us : 0;
}

static bool
put_record(struct engine *e, enum record_kind kind, const struct rec_flow *r, const char *text, size_t len,
	   bool hard)
{
	if (hard)
		return records_put(&e->records, kind, r, sizeof(*r), text, len, NULL, 0);
	return records_put_soft(&e->records, kind, r, sizeof(*r), text, len);
}

/* Not inlined: the room for its strings is cleared with each call, and most flows of a flood have none. */
__attribute__((noinline)) static bool
put_with_text(struct engine *e, enum record_kind kind, struct rec_flow *r, uint32_t number, bool hard)
{
	char text[TEXT_LONGEST];
	size_t len = text_read(&e->texts, number, text, sizeof(text));

	if (len < 2)
		return put_record(e, kind, r, NULL, 0, hard);
	/* As learn.c put it together. */
	r->server_name_len = (uint8_t)text[0];
	r->info_len = (uint8_t)text[1];
	len -= 2;
	r->attributes_len = (uint16_t)(len - r->server_name_len - r->info_len);
	return put_record(e, kind, r, text + 2, len, hard);
}

static bool
put_flow(struct engine *e, const struct point *p, uint32_t number, enum record_kind kind,
	 enum end_reason reason, bool hard)
{
	const struct flow *f = &e->flows.flow[number];
	struct rec_flow r;

	fill_flow(e, p, number, &r);
	r.end_reason = (uint8_t)reason;
	if (f->text != 0)
		return put_with_text(e, kind, &r, f->text, hard);
	return put_record(e, kind, &r, NULL, 0, hard);
}

bool
report_open(struct engine *e, const struct point *p, uint32_t number)
{
	struct flow *f = &e->flows.flow[number];

	if (!put_flow(e, p, number, REC_FLOW_OPEN, END_NONE, reports_hard(p)))
		return false;
	f->epoch = e->records.epoch;
	f->flags |= FLOW_TOLD;
	return true;
}

bool
report_count(struct engine *e, const struct point *p, uint32_t number, int64_t second)
{
	const struct flow *f = &e->flows.flow[number];
	struct rec_flow_count r = {
		.slot = number,
		.generation = f->generation,
		.second = second,
		.last_ns = f->last_ns,
		.count = counters_of(f),
		.state = f->state,
	};

	/* Its counters are in there, and last_ns says of which second. */
	if (f->epoch != e->records.epoch || !(f->flags & FLOW_TOLD))
		return report_open(e, p, number);
	if (reports_hard(p))
		return records_put(&e->records, REC_FLOW_COUNT, &r, sizeof(r), NULL, 0, NULL, 0);
	return records_put_soft(&e->records, REC_FLOW_COUNT, &r, sizeof(r), NULL, 0);
}

void
report_end(struct engine *e, const struct point *p, uint32_t number, enum end_reason reason)
{
	if (!put_flow(e, p, number, REC_FLOW_END, reason, true))
		e->records.lost++;
}

static bool
put_part(struct engine *e, enum record_kind kind, const void *rec, size_t len, const char *text,
	 size_t text_len, bool hard)
{
	if (hard)
		return records_put(&e->records, kind, rec, len, text, text_len, NULL, 0);
	return records_put_soft(&e->records, kind, rec, len, text, text_len);
}

bool
report_host(struct engine *e, uint32_t number, bool hard)
{
	struct host *h = &e->hosts.host[number];
	struct rec_host r = { .ip = h->key.ip };
	char text[2 * TEXT_MAX];

	hosts_locate(e, number);
	r.as_number = h->as_number;
	if (h->epoch == 0 && h->country[0] == 0 && h->as_number == 0 && h->city == 0)
		return true;
	memcpy(r.country, h->country, sizeof(r.country));
	r.as_name_len = (uint8_t)text_copy(&e->texts, h->as_name, text);
	r.city_len = (uint8_t)text_copy(&e->texts, h->city, text + r.as_name_len);
	if (!put_part(e, REC_HOST, &r, sizeof(r), text, (size_t)r.as_name_len + r.city_len, hard))
		return false;
	h->epoch = e->records.epoch;
	return true;
}

bool
report_learned(struct engine *e, const struct learned *l, bool hard)
{
	const struct boot_point *p = e->point[l->key.point].boot;
	struct rec_learned r = {
		.point = p->id,
		.space = p->space,
		.vlan = l->key.vlan,
		.kind = l->key.kind,
		.ip = l->key.ip,
		.end = { l->key.end[0], l->key.end[1] },
		.time_ns = l->told_ns,
	};
	char text[TEXT_MAX];

	r.len = (uint8_t)text_copy(&e->texts, l->key.text, text);
	return put_part(e, REC_LEARNED, &r, sizeof(r), text, r.len, hard);
}

bool
report_device(struct engine *e, const struct device *d, bool hard)
{
	const struct boot_point *p = e->point[d->key.point].boot;
	struct rec_device r = {
		.point = p->id,
		.space = p->space,
		.vlan = d->key.vlan,
		.has_ip = d->key.has_ip,
		.ip = d->key.ip,
		.arp_requests = d->arp_requests,
		.arp_replies = d->arp_replies,
		.frames = d->frames,
		.bytes = d->bytes,
		.first_ns = d->first_ns,
		.last_ns = d->last_ns,
	};

	memcpy(r.mac, d->key.mac, sizeof(r.mac));
	return put_part(e, REC_DEVICE, &r, sizeof(r), NULL, 0, hard);
}

void
report_second(struct engine *e, const struct rec_second *s)
{
	if (!records_put(&e->records, REC_SECOND, s, sizeof(*s), NULL, 0, NULL, 0))
		e->records.lost++;
}

bool
report_point(struct engine *e, struct point *p)
{
	struct rec_point r = {
		.point = p->boot->id,
		.worker = e->worker,
		.state = p->state,
		.counted = p->counted,
		.undecoded = p->undecoded,
		.first_ns = p->first_ns,
		.last_ns = p->now_ns,
	};

	if (p->state == POINT_ENDED) {
		r.truncated = p->end.truncated;
		r.frames = p->end.frames;
		r.bytes = p->end.bytes;
	}
	p->told_state = records_put(&e->records, REC_POINT, &r, sizeof(r), NULL, 0, NULL, 0);
	return p->told_state;
}

static_assert(PLACE_ENDED_SHUTDOWN - PLACE_ENDED_IDLE == END_SHUTDOWN - END_IDLE, "reasons in their order");

static uint64_t
place_value(const struct engine *e, const struct point *p, enum place place)
{
	switch (place) {
	case PLACE_CAPTURE_KERNEL:
		return p->captured.kernel_drops + p->captured_before.kernel_drops;
	case PLACE_CAPTURE_RING_FULL:
		return p->captured.ring_drops + p->captured_before.ring_drops;
	case PLACE_CAPTURE_MERGED:
		return p->captured.merged + p->captured_before.merged;
	case PLACE_CAPTURE_TRUNCATED:
		return p->captured.truncated + p->captured_before.truncated;
	case PLACE_RECORD_RING_FULL:
		return e->records.lost;
	case PLACE_RECORDS_DEFERRED:
		return e->records.deferred;
	case PLACE_HOST_TABLE_FULL:
		return e->hosts.evicted;
	case PLACE_DEVICE_TABLE_FULL:
		return e->devices.evicted;
	case PLACE_LEARNED_FULL:
		return e->learned.lost;
	case PLACE_DPI_FLOWS_FULL:
		return e->dpi_refused;
	case PLACE_NAMES_FULL:
		return e->texts.refused;
	case PLACE_FRAGMENTS_UNKNOWN:
		return e->fragments.unknown;
	case PLACE_HANDOVER_FULL:
		return e->handover.full;
	case PLACE_HANDED_OVER:
		return e->handover.handed_over;
	case PLACE_ENDED_IDLE:
	case PLACE_ENDED_ACTIVE:
	case PLACE_ENDED_CLOSED:
	case PLACE_ENDED_EVICTED:
	case PLACE_ENDED_FILE:
	case PLACE_ENDED_SHUTDOWN:
		return e->ended[place - PLACE_ENDED_IDLE + END_IDLE];
	default:
		return 0;
	}
}

void
report_drops(struct engine *e, const struct point *p)
{
	static const uint32_t is_loss[PLACE_COUNT] = { 0,
#define X(id, name, loss) loss,
						       PLACE_TABLE(X)
#undef X
	};
	unsigned first = p != NULL ? PLACE_NONE + 1 : PLACE_OF_POINT_LAST + 1;
	unsigned end = p != NULL ? PLACE_OF_POINT_LAST + 1 : PLACE_COUNT;
	uint64_t *told = e->told[p != NULL ? p->index : BOOT_POINTS_MAX];

	for (unsigned place = first; place < end; place++) {
		struct rec_drops r = {
			.point = p != NULL ? p->boot->id : 0,
			.worker = e->worker,
			.place = place,
			.is_loss = is_loss[place],
			.count = place_value(e, p, (enum place)place),
		};

		if (r.count != told[place] &&
		    records_put(&e->records, REC_DROPS, &r, sizeof(r), NULL, 0, NULL, 0))
			told[place] = r.count;
	}
}

void
report_again_from_start(struct engine *e)
{
	e->resync_flow = e->resync_host = 0;
	e->resync_rest = true;
	learned_tell_again(&e->learned);
	device_tell_again(&e->devices);
	memset(e->told, 0, sizeof(e->told));
	for (unsigned i = 0; i < e->npoints; i++)
		e->point[i].told_state = e->point[i].state == 0;
}

/* Flows that an earlier ring knew, and this one does not. Those that no ring knew yet are told of with their
 * first second. */
static void
again_flow(struct engine *e, uint32_t number)
{
	const struct flow *f = &e->flows.flow[number];

	if ((f->flags & FLOW_USED) && f->epoch != 0 && f->epoch != e->records.epoch)
		(void)report_open(e, &e->point[f->key.point], number);
}

static void
again_host(struct engine *e, uint32_t number)
{
	const struct host *h = &e->hosts.host[number];

	if ((h->flags & HOST_USED) &&
	    (h->geo != geo_generation(e->geo) || (h->epoch != 0 && h->epoch != e->records.epoch)))
		(void)report_host(e, number, false);
}

bool
report_again(struct engine *e, unsigned budget)
{
	for (unsigned i = 0; i < e->npoints; i++)
		if (!e->point[i].told_state && e->point[i].state != 0 && !report_point(e, &e->point[i]))
			return false;
	if (e->resync_rest && records_soft_room(&e->records))
		e->resync_rest = !hosts_tell_again(e, &budget);
	for (; budget > 0 && records_soft_room(&e->records); budget--) {
		if (e->resync_host < e->hosts.fresh)
			again_host(e, e->resync_host++);
		else if (e->resync_flow < e->flows.fresh)
			again_flow(e, e->resync_flow++);
		else
			return false;
	}
	return budget == 0;
}
