/* What a packet does to its flow: find or make it, count, follow its connection. */
#include <string.h>

#include "base/clock.h"
#include "base/prefetch.h"
#include "engine.h"
#include "names.h"

#define WELL_KNOWN_PORT 1024
#define EVICT_LOOKS     4096
/* Types of the chunks that open an association and answer that (RFC 9260, sections 3.3.2 and 3.3.3). */
#define SCTP_INIT     1
#define SCTP_INIT_ACK 2

int64_t
track_deadline(const struct engine *e, const struct flow *f)
{
	bool closed = f->state == FLOW_CLOSED || f->state == FLOW_RESET;

	return f->last_ns + (closed && e->closed_ns < e->idle_ns ? e->closed_ns : e->idle_ns);
}

/* What the one behind the next points to, and the one behind that itself. */
void
track_prefetch_end(const struct engine *e, uint32_t number)
{
	const struct flow_table *t = &e->flows;
	const struct flow *f;

	prefetch_only();
	if (number == FLOW_NONE || t->flow[number].wheel_next == FLOW_NONE)
		return;
	f = &t->flow[t->flow[number].wheel_next];
	flow_prefetch_index(t, f->hash);
	for (unsigned side = 0; side < 2; side++)
		if (f->host[side] != FLOW_NONE)
			__builtin_prefetch(&e->hosts.host[f->host[side]], 1);
	if (f->wheel_next != FLOW_NONE)
		flow_prefetch_whole(t, f->wheel_next);
}

void
track_end(struct engine *e, struct point *p, uint32_t number, enum end_reason reason)
{
	struct flow *f = &e->flows.flow[number];

	/* No counters are reported before: those of the final record belong to the second of last_ns. */
	untouch_flow(e, p, number);
	wheel_remove(&p->wheel, &e->flows, number);
	learn_finish(e, p, f);
	report_end(e, p, number, reason);
	hosts_release(e, f);
	learn_forget(e, f);
	flow_remove(&e->flows, number);
	p->flows--;
	e->ended[reason]++;
}

/* The point that fills the table pays: a flood at one point does not end the flows of another. */
static struct point *
fullest(struct engine *e)
{
	struct point *p = &e->point[0];

	for (unsigned i = 1; i < e->npoints; i++)
		if (e->point[i].flows > p->flows)
			p = &e->point[i];
	return p;
}

/*
 * The flow of that point that was used least recently: the first of the earliest slot whose deadline was not
 * moved since it was put there. Those that were go where they belong by now, and are not looked at again
 * before all that are colder. Among more than EVICT_LOOKS of them in front of it, the coldest has to do, so
 * that no packet waits for long.
 */
static void
evict(struct engine *e)
{
	struct point *p = fullest(e);
	uint32_t victim = FLOW_NONE;

	for (unsigned i = 0; i < EVICT_LOOKS; i++) {
		uint32_t n = wheel_earliest(&p->wheel);
		struct flow *f;
		uint16_t slot;

		if (n == FLOW_NONE)
			break;
		f = &e->flows.flow[n];
		slot = f->wheel_slot;
		if (victim == FLOW_NONE || track_deadline(e, f) < track_deadline(e, &e->flows.flow[victim]))
			victim = n;
		wheel_remove(&p->wheel, &e->flows, n);
		wheel_put(&p->wheel, &e->flows, n, track_deadline(e, f));
		if (f->wheel_slot == slot) {
			victim = n;
			break;
		}
	}
	if (victim != FLOW_NONE)
		track_end(e, p, victim, END_EVICTED);
}

/* How surely a port is a server's: well-known, known to inspection, or like any other. */
static unsigned
service_rank(const struct engine *e, uint8_t protocol, uint16_t port)
{
	if (port < WELL_KNOWN_PORT)
		return 2;
	return e->dpi != NULL && dpi_is_service_port(e->dpi, protocol, port);
}

/* Who opened the connection; where that was not seen, the side whose port is less of a service. */
static bool
sender_is_client(const struct engine *e, const struct point *p, const struct packet *k)
{
	uint16_t from = k->key.port[k->swapped], to = k->key.port[!k->swapped];
	bool began = false;

	if (k->key.protocol == IP_TCP && (k->tcp_flags & TCP_SYN))
		return !(k->tcp_flags & TCP_ACK);
	if (k->key.protocol == IP_ICMP || k->key.protocol == IP_ICMPV6)
		return !k->icmp_reply;
	if (k->key.protocol == IP_SCTP && k->app_len > 0 &&
	    (k->app[0] == SCTP_INIT || k->app[0] == SCTP_INIT_ACK))
		return k->app[0] == SCTP_INIT;
	/* Once the point was watched for longer than flows live without packets, who is seen first is who
	 * began. */
	if (k->key.protocol != IP_TCP)
		began = p->now_ns - p->first_ns > e->idle_ns;
	return began || service_rank(e, k->key.protocol, from) <= service_rank(e, k->key.protocol, to);
}

static uint32_t
make_flow(struct engine *e, struct point *p, const struct packet *k)
{
	uint32_t hash = flow_hash32(k->hash), n;
	struct flow *f;
	unsigned sender;

	if (e->flows.used == e->flows.max)
		evict(e);
	n = flow_insert(&e->flows, &k->key, hash);
	if (n == FLOW_NONE)
		return n;
	f = &e->flows.flow[n];
	if (k->swapped == sender_is_client(e, p, k))
		f->flags |= FLOW_SWAPPED;
	sender = k->swapped != ((f->flags & FLOW_SWAPPED) != 0);
	f->first_ns = f->slice_ns = f->last_ns = p->now_ns;
	if (k->key.protocol == IP_ICMP || k->key.protocol == IP_ICMPV6) {
		f->seen.flags[0] = k->icmp_type;
		f->seen.flags[1] = k->icmp_code;
	}
	f->ttl_min[CLIENT] = f->ttl_min[SERVER] = UINT8_MAX;
	f->tunnel = k->key.tunnel;
	if (k->mac != NULL) {
		memcpy(f->mac[sender], k->mac + 6, 6);
		memcpy(f->mac[!sender], k->mac, 6);
	}
	wheel_put(&p->wheel, &e->flows, n, track_deadline(e, f));
	hosts_of_flow(e, p, f);
	p->flows++;
	p->count.flows_new++;
	return n;
}

static unsigned
side_of(const struct flow *f, const struct packet *k)
{
	return k->swapped != ((f->flags & FLOW_SWAPPED) != 0);
}

/* The flow of a packet. One that has outlived its time, or whose addresses are used anew, ends first. */
static uint32_t
flow_of(struct engine *e, struct point *p, const struct packet *k, uint32_t probably)
{
	uint32_t n = probably;
	struct flow *f;

	if (n == FLOW_NONE || !flow_is(&e->flows, n, &k->key))
		n = flow_find(&e->flows, &k->key, flow_hash32(k->hash));
	if (n == FLOW_NONE)
		return make_flow(e, p, k);
	f = &e->flows.flow[n];
	if (p->now_ns > track_deadline(e, f))
		track_end(e, p, n, f->state == FLOW_CLOSED || f->state == FLOW_RESET ? END_CLOSED : END_IDLE);
	else if (k->key.protocol == IP_TCP && fragment_is_whole(k->fragment) &&
		 tcp_is_reuse(&f->track, &f->seen, f->state, k, side_of(f, k)))
		track_end(e, p, n, END_CLOSED);
	else
		return n;
	return make_flow(e, p, k);
}

static void
follow_tcp(struct engine *e, struct point *p, uint32_t n, const struct packet *k, unsigned side)
{
	struct flow *f = &e->flows.flow[n];
	uint8_t before = f->state;

	tcp_segment(&f->track, &f->seen, &f->state, k, side, p->now_ns);
	if (f->seen.measured & TCP_FULL)
		f->flags |= FLOW_FULL;
	if (f->state == before || (f->state != FLOW_CLOSED && f->state != FLOW_RESET))
		return;
	wheel_remove(&p->wheel, &e->flows, n);
	wheel_put(&p->wheel, &e->flows, n, track_deadline(e, f));
}

/* From the client's first payload to the server's first behind it. */
static void
follow_answer(struct flow *f, unsigned side, int64_t now_ns)
{
	uint32_t now_us = (uint32_t)(now_ns / 1000);

	if (side == SERVER && (f->flags & FLOW_ASKED)) {
		f->latency_us = now_us - f->latency_us + 1;
		f->flags |= FLOW_ANSWERED;
	} else if (side == CLIENT && !(f->flags & FLOW_ASKED)) {
		f->latency_us = now_us;
		f->flags |= FLOW_ASKED;
	}
}

void
track_packet(struct engine *e, struct point *p, struct frame *of, const struct packet *k, uint32_t probably)
{
	uint32_t n = flow_of(e, p, k, probably);
	struct flow *f;
	unsigned side;

	if (n == FLOW_NONE) /* cannot be: a full table evicts */
		return;
	f = &e->flows.flow[n];
	side = side_of(f, k);
	touch_flow(e, p, n, side == SERVER);
	f->last_ns = p->now_ns;
	f->bytes[side] += k->wire_len;
	f->payload[side] += k->payload;
	if (++f->packets[side] == UINT32_MAX)
		f->flags |= FLOW_FULL;
	if (k->ttl < f->ttl_min[side])
		f->ttl_min[side] = k->ttl;
	if (k->ttl > f->ttl_max[side])
		f->ttl_max[side] = k->ttl;
	f->dscp[side] = k->dscp;
	if (k->labels && f->tunnel != TUNNEL_MPLS) {
		f->tunnel = TUNNEL_MPLS;
		f->flags &= (uint8_t)~FLOW_TOLD;
	}
	if (k->key.protocol == IP_TCP && fragment_is_whole(k->fragment))
		follow_tcp(e, p, n, k, side);
	else if (f->state == FLOW_NEW && side == SERVER)
		f->state = FLOW_ESTABLISHED;
	if (k->payload > 0 && !(f->flags & FLOW_ANSWERED))
		follow_answer(f, side, p->now_ns);
	if (e->dpi != NULL && !(f->flags & FLOW_DPI_DONE)) {
		frame_complete(of);
		learn_application(e, p, f, k);
	}
	if (k->key.protocol == IP_UDP && names_port(k->key.port[k->swapped]) &&
	    fragment_is_whole(k->fragment)) {
		frame_complete(of);
		learn_names(e, p, k);
	}
	if (f->flags & FLOW_FULL)
		next_slice(e, p, n);
}
