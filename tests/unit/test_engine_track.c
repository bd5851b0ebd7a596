/* Flows through a whole engine: directions, time-outs, slices, eviction, sums, and what store is told after
 * each turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine_rig.h"

#define A  UINT32_C(0x0a000001)
#define B  UINT32_C(0xc6336402)
#define MS NS_PER_MS
#define S  NS_PER_S

static void
tcp(struct rig *r, int64_t t, bool reply, uint8_t flags, uint32_t seq, const char *data)
{
	struct test_frame f;
	struct test_tcp h = { reply ? 443 : 40000, reply ? 40000 : 443, seq, 1, flags, 1000 };

	frame_make_tcp(&f, reply ? B : A, reply ? A : B, h, data, (uint16_t)strlen(data));
	rig_frame(r, 0, RIG_T0 + t, &f);
}

static void
udp(struct rig *r, unsigned point, int64_t t, uint32_t from, uint16_t sport, uint32_t to, uint16_t dport)
{
	struct test_frame f;

	frame_make_udp(&f, from, sport, to, dport, "data", 4);
	rig_frame(r, point, RIG_T0 + t, &f);
}

static void
test_both_directions_are_one_flow(void **state)
{
	struct rig *r = rig_new();
	const struct rec_flow *f;

	(void)state;
	tcp(r, 0, false, TCP_SYN, 0, "");
	tcp(r, 1 * MS, true, TCP_SYN | TCP_ACK, 0, "");
	tcp(r, 2 * MS, false, TCP_ACK, 1, "");
	tcp(r, 3 * MS, false, TCP_ACK, 1, "question");
	tcp(r, 4 * MS, true, TCP_ACK, 1, "a longer answer");
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_FLOW_END], 1);
	f = &r->end[0].r;
	assert_memory_equal(&f->ip[CLIENT].b[12], "\x0a\0\0\1", 4);
	assert_int_equal(f->port[CLIENT], 40000);
	assert_int_equal(f->port[SERVER], 443);
	assert_int_equal(f->count.packets[CLIENT], 3);
	assert_int_equal(f->count.packets[SERVER], 2);
	assert_int_equal(f->count.bytes[CLIENT], 3 * 54 + 8);
	assert_int_equal(f->count.payload[SERVER], 15);
	assert_int_equal(f->state, FLOW_ESTABLISHED);
	assert_int_equal(f->end_reason, END_FILE);
	assert_int_equal(f->first_ns, RIG_T0);
	assert_int_equal(f->last_ns, RIG_T0 + 4 * MS);
	assert_int_equal(f->tcp.handshake_us[SERVER], 1001);
	assert_memory_equal(f->mac[CLIENT], "\2\0\0\0\0\1", 6);
	assert_memory_equal(f->id.b, "\1\2\3\4\0\0\0\7\0\0\0\0\0\0\0\1", 16);
	assert_int_equal(f->ttl_min[CLIENT], 61);
	rig_free(r);
}

/* The label switched path of one direction, the last hop of the other without labels: RFC 3031 section 3.16.
 */
static void
test_labels_of_one_direction(void **state)
{
	struct rig *r = rig_new();
	struct test_frame f;

	(void)state;
	udp(r, 0, 0, A, 40000, B, 53);
	frame_begin(&f);
	frame_eth(&f, 0x8847);
	wcur_be32(&f.c, 0x00010140); /* bottom of the stack */
	frame_ipv4(&f, (struct test_ip){ .from = B, .to = A, .protocol = 17, .len = 12 });
	frame_udp(&f, 53, 40000, 4);
	wcur_put(&f.c, "data", 4);
	rig_frame(r, 0, RIG_T0 + 1 * MS, &f);
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_FLOW_END], 1);
	assert_int_equal(r->end[0].r.count.packets[CLIENT], 1);
	assert_int_equal(r->end[0].r.count.packets[SERVER], 1);
	assert_int_equal(r->end[0].r.tunnel, TUNNEL_MPLS);
	rig_free(r);
}

/* The same within a tunnel that bridges Ethernet. */
static void
test_labels_in_a_tunnel(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	for (unsigned reply = 0; reply < 2; reply++) {
		uint16_t labels = reply ? 4 : 0, inside = 14 + 20 + 8 + 4;
		struct test_frame f;

		frame_begin(&f);
		frame_eth(&f, 0x0800);
		frame_ipv4(&f,
			   (struct test_ip){
			       .from = A, .to = B, .protocol = 47, .len = (uint16_t)(4 + labels + inside) });
		wcur_be32(&f.c, 0x6558);
		frame_eth(&f, reply ? 0x8847 : 0x0800);
		if (reply)
			wcur_be32(&f.c, 0x00010140);
		frame_ipv4(&f, (struct test_ip){
				   .from = reply ? B : A, .to = reply ? A : B, .protocol = 17, .len = 12 });
		frame_udp(&f, reply ? 53 : 40000, reply ? 40000 : 53, 4);
		wcur_put(&f.c, "data", 4);
		rig_frame(r, 0, RIG_T0 + reply * MS, &f);
	}
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_FLOW_END], 1);
	assert_int_equal(r->end[0].r.count.packets[CLIENT], 1);
	assert_int_equal(r->end[0].r.count.packets[SERVER], 1);
	assert_int_equal(r->end[0].r.tunnel, TUNNEL_MPLS);
	rig_free(r);
}

static void
test_who_is_the_client(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	tcp(r, 0, true, TCP_SYN | TCP_ACK, 0, ""); /* the answer first */
	rig_finish(r, 0);
	assert_int_equal(r->end[0].r.port[CLIENT], 40000);
	rig_free(r);

	r = rig_new();
	tcp(r, 0, true, TCP_ACK, 500, "in the middle"); /* the well-known port serves */
	rig_finish(r, 0);
	assert_int_equal(r->end[0].r.port[CLIENT], 40000);
	assert_int_equal(r->end[0].r.count.packets[SERVER], 1);
	rig_free(r);

	r = rig_new();
	udp(r, 0, 0, B, 5000, A, 6000); /* else who is seen first */
	rig_finish(r, 0);
	assert_int_equal(r->end[0].r.port[CLIENT], 5000);
	rig_free(r);
}

static void
test_idle_time_out(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	udp(r, 0, 0, A, 1, B, 2);
	udp(r, 0, 60 * S, A, 1, B, 2); /* just within */
	udp(r, 0, 121 * S, A, 1, B, 2);
	assert_int_equal(r->nrec[REC_FLOW_END], 1);
	assert_int_equal(r->end[0].r.end_reason, END_IDLE);
	assert_int_equal(r->end[0].r.count.packets[CLIENT], 2);
	udp(r, 0, 183 * S, A, 3, B, 4); /* another flow moves the time on */
	udp(r, 0, 184 * S, A, 3, B, 4);
	assert_int_equal(r->nrec[REC_FLOW_END], 2);
	assert_int_equal(r->e->flows.used, 1);
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_FLOW_END], 3);
	assert_memory_not_equal(r->end[0].r.id.b, r->end[1].r.id.b, 16);
	rig_free(r);
}

static void
test_closed_flows_leave_early(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	tcp(r, 0, false, TCP_SYN, 0, "");
	tcp(r, 1 * MS, true, TCP_SYN | TCP_ACK, 0, "");
	tcp(r, 2 * MS, false, TCP_FIN | TCP_ACK, 1, "");
	tcp(r, 3 * MS, true, TCP_FIN | TCP_ACK, 1, "");
	udp(r, 0, 6 * S, A, 1, B, 2);
	udp(r, 0, 7 * S, A, 1, B, 2);
	assert_int_equal(r->nrec[REC_FLOW_END], 1);
	assert_int_equal(r->end[0].r.end_reason, END_CLOSED);
	assert_int_equal(r->end[0].r.state, FLOW_CLOSED);
	rig_finish(r, 0);
	rig_free(r);
}

static void
test_reused_ports_are_a_new_flow(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	tcp(r, 0, false, TCP_SYN, 0, "");
	tcp(r, 1 * MS, true, TCP_RST | TCP_ACK, 0, "");
	tcp(r, 2 * MS, false, TCP_SYN, 5000, "");
	tcp(r, 3 * MS, false, TCP_SYN, 5000, "");
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_FLOW_END], 2);
	assert_int_equal(r->end[0].r.end_reason, END_CLOSED);
	assert_int_equal(r->end[1].r.count.packets[CLIENT], 2);
	rig_free(r);
}

static void
test_slices_add_up(void **state)
{
	struct rig *r = rig_prepare(1);
	uint64_t packets = 0;

	(void)state;
	r->b->settings.active_timeout_ms = 5000;
	rig_start(r);
	for (unsigned i = 0; i < 200; i++)
		udp(r, 0, i * 100 * MS, A, 1, B, 2);
	rig_finish(r, 0);
	assert_true(r->nrec[REC_FLOW_END] >= 3);
	for (unsigned i = 0; i < r->nrec[REC_FLOW_END]; i++) {
		assert_int_equal(r->end[i].r.slice, i);
		assert_memory_equal(r->end[i].r.id.b, r->end[0].r.id.b, 16);
		assert_int_equal(r->end[i].r.first_ns, RIG_T0);
		assert_int_equal(r->end[i].r.end_reason,
				 i + 1 == r->nrec[REC_FLOW_END] ? END_FILE : END_ACTIVE);
		packets += r->end[i].r.count.packets[CLIENT];
	}
	assert_int_equal(packets, 200);
	rig_free(r);
}

static void
test_full_table_evicts_the_coldest(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	for (unsigned i = 0; i < 1024; i++)
		udp(r, 0, i * 10 * MS, A, (uint16_t)(2000 + i), B, 2);
	udp(r, 0, 11 * S, A, 2000, B, 2); /* the oldest is used again: the second oldest goes */
	for (unsigned i = 0; i < 100; i++)
		udp(r, 0, 12 * S + i, A, (uint16_t)(10000 + i), B, 2);
	assert_int_equal(r->nrec[REC_FLOW_END], 100);
	assert_int_equal(r->e->ended[END_EVICTED], 100);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(r->end[i].r.end_reason, END_EVICTED);
		assert_in_range(r->end[i].r.port[CLIENT], 2001, 2150);
	}
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_FLOW_END], 1124);
	rig_free(r);
}

/* However the flows stand in the table: those that were used again stay, all of them. */
static void
test_what_was_used_again_stays(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	for (unsigned i = 0; i < 1024; i++)
		udp(r, 0, i, A, (uint16_t)(2000 + i), B, 2);
	for (unsigned i = 0; i < 512; i++)
		udp(r, 0, 5 * S + i, A, (uint16_t)(2000 + i), B, 2);
	for (unsigned i = 0; i < 512; i++)
		udp(r, 0, 6 * S + i, A, (uint16_t)(10000 + i), B, 2);
	assert_int_equal(r->nrec[REC_FLOW_END], 512);
	for (unsigned i = 0; i < 512; i++) {
		assert_int_equal(r->end[i].r.end_reason, END_EVICTED);
		assert_int_equal(r->end[i].r.port[CLIENT], 2512 + i);
	}
	rig_free(r);
}

/* A count that is full begins the next slice at once; slices add up. */
static void
test_full_counters_begin_a_slice(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	udp(r, 0, 0, A, 1000, B, 2);
	r->e->flows.flow[0].packets[CLIENT] = UINT32_MAX - 2;
	for (unsigned i = 0; i < 5; i++)
		udp(r, 0, i + 1, A, 1000, B, 2);
	assert_int_equal(r->nrec[REC_FLOW_END], 1);
	assert_int_equal(r->end[0].r.end_reason, END_ACTIVE);
	assert_int_equal(r->end[0].r.count.packets[CLIENT], UINT32_MAX);
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_FLOW_END], 2);
	assert_int_equal(r->end[1].r.slice, 1);
	assert_int_equal(r->end[1].r.count.packets[CLIENT], 3);
	assert_memory_equal(r->end[0].r.id.b, r->end[1].r.id.b, 16);
	assert_int_equal(r->e->ended[END_ACTIVE], 1);
	assert_int_equal(r->e->ended[END_FILE], 1);
	rig_free(r);
}

static void
test_a_flood_at_one_point_spares_the_others(void **state)
{
	struct rig *r = rig_prepare(2);

	(void)state;
	rig_start(r);
	for (unsigned i = 0; i < 10; i++)
		udp(r, 0, 0, A, (uint16_t)(2000 + i), B, 2);
	for (unsigned i = 0; i < 3000; i++)
		udp(r, 1, S + i, A, (uint16_t)(2000 + i), B, 2);
	assert_int_equal(r->e->point[0].flows, 10);
	rig_finish(r, 0);
	rig_finish(r, 1);
	rig_free(r);
}

/* --- sums
 * -------------------------------------------------------------------------------------------------------------
 */

static uint64_t
next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void
random_frame(struct test_frame *f, uint64_t *x)
{
	uint64_t v = next_random(x);
	uint32_t from = A + (uint32_t)(v % 5), to = B + (uint32_t)(v / 7 % 5);
	struct test_tcp t = { (uint16_t)(1000 + v % 400), 80, (uint32_t)(v >> 20), 1,
			      (uint8_t)(v >> 40 & 0x1f),  9 };

	switch (v % 11) {
	case 0:
		frame_begin(f);
		frame_eth(f, 0x0806);
		frame_zero(f, 46);
		break;
	case 1:
		frame_begin(f);
		frame_eth(f, 0x0800);
		frame_zero(f, v >> 50 & 31);
		break;
	case 2:
	case 3:
	case 4:
		frame_make_udp(f, from, (uint16_t)(v % 900), to, 53, "payload", 7);
		break;
	default:
		if (v >> 63)
			frame_make_tcp(f, from, to, t, "abc", 3);
		else
			frame_make_tcp(f, to, from, (struct test_tcp){ 80, t.from, 5, 1, t.flags, 9 }, "", 0);
	}
}

struct cumulated {
	uint32_t generation, slice;
	uint64_t packets;
};

/* What a store would add to a second: the growth of cumulative counters. */
static uint64_t
growth(struct cumulated *c, uint32_t generation, uint32_t slice, const struct flow_counters *n)
{
	uint64_t packets = n->packets[0] + n->packets[1], before = 0;

	if (c->generation == generation && c->slice == slice)
		before = c->packets;
	*c = (struct cumulated){ generation, slice, packets };
	assert_true(packets >= before);
	return packets - before;
}

static void
test_every_frame_is_counted_once(void **state)
{
	uint64_t x = UINT64_C(88172645463325252), frames = 0, bytes = 0, in_seconds = 0, in_flows = 0,
		 undecoded = 0;
	uint64_t flow_bytes = 0, second_bytes = 0;
	struct rig *r = rig_prepare(1);
	int64_t t = 0;

	(void)state;
	r->b->settings.active_timeout_ms = 5000;
	r->b->settings.idle_timeout_ms = 2000;
	rig_start(r);
	for (; frames < 60000; frames++) {
		struct test_frame f;

		random_frame(&f, &x);
		bytes += frame_len(&f);
		t += (int64_t)(next_random(&x) % (3 * MS));
		rig_frame(r, 0, RIG_T0 + t, &f);
	}
	r->e->point[0].end = (struct wire_frame_end){ .frames = frames, .bytes = bytes };
	rig_finish(r, 0);
	for (unsigned i = 0; i < r->nrec[REC_FLOW_END]; i++) {
		in_flows += r->end[i].r.count.packets[0] + r->end[i].r.count.packets[1];
		flow_bytes += r->end[i].r.count.bytes[0] + r->end[i].r.count.bytes[1];
	}
	for (unsigned i = 0; i < r->nrec[REC_SECOND]; i++) {
		in_seconds += r->second[i].packets;
		second_bytes += r->second[i].bytes;
		assert_int_equal(r->second[i].undecoded[DECODED], 0);
		for (unsigned j = 0; j < UNDECODED_REASONS; j++)
			undecoded += r->second[i].undecoded[j];
		assert_true(i == 0 || r->second[i].second > r->second[i - 1].second);
	}
	assert_int_equal(in_seconds, frames);
	assert_int_equal(second_bytes, bytes);
	assert_int_equal(in_flows + undecoded, frames);
	assert_true(flow_bytes < bytes && undecoded > 1000);
	assert_int_equal(r->last_kind, REC_POINT);
	assert_int_equal(r->point[0].state, POINT_ENDED);
	assert_int_equal(r->point[0].frames, frames);
	assert_int_equal(r->point[0].counted, in_flows);
	assert_int_equal(r->point[0].undecoded, undecoded);
	assert_int_equal(r->e->flows.used, 0);
	assert_int_equal(r->e->records.lost, 0);
	for (uint32_t n = 0; n < r->e->hosts.fresh; n++)
		assert_int_equal(r->e->hosts.host[n].flows, 0);
	rig_free(r);
}

/* What one record of a flow adds to its second, of 64 that are counted. */
static void
into_second(const struct rig *r, struct rig_place at, struct cumulated *of, uint64_t *got)
{
	const struct rec_flow *f = at.kind == REC_FLOW_END ? &r->end[at.n].r : &r->open[at.n].r;

	if (at.kind == REC_FLOW_COUNT) {
		const struct rec_flow_count *c = &r->count[at.n];
		struct cumulated *k = &of[c->slot];

		got[c->second - RIG_T0 / S] += growth(k, c->generation, k->slice, &c->count);
	} else if (at.kind == REC_FLOW_OPEN || at.kind == REC_FLOW_END) {
		got[f->last_ns / S - RIG_T0 / S] += growth(&of[f->slot], f->generation, f->slice, &f->count);
	}
}

/* Cumulative counters, second by second, give the packets of that second. */
static void
test_counters_fall_into_their_seconds(void **state)
{
	uint64_t x = 4242, want[64] = { 0 }, got[64] = { 0 };
	static struct cumulated of[65536];
	struct rig *r = rig_prepare(1);
	int64_t t = 0;

	(void)state;
	memset(of, 0, sizeof(of));
	r->b->settings.active_timeout_ms = 5000;
	r->b->settings.idle_timeout_ms = 1000;
	rig_start(r);
	while (t < 60 * S) {
		struct test_frame f;

		random_frame(&f, &x);
		t += (int64_t)(next_random(&x) % (5 * MS));
		rig_frame(r, 0, RIG_T0 + t, &f);
	}
	rig_finish(r, 0);
	for (unsigned i = 0; i < r->nplaces; i++)
		into_second(r, r->place[i], of, got);
	for (unsigned i = 0; i < r->nrec[REC_SECOND]; i++) {
		const struct rec_second *s = &r->second[i];
		uint64_t undecoded = 0;

		for (unsigned j = 0; j < UNDECODED_REASONS; j++)
			undecoded += s->undecoded[j];
		want[s->second - RIG_T0 / S] += s->packets - undecoded;
	}
	for (unsigned i = 0; i < 61; i++)
		assert_int_equal(got[i], want[i]);
	rig_free(r);
}

/* --- the record ring
 * ---------------------------------------------------------------------------------------------------- */

static void
test_a_file_waits_for_room_and_loses_nothing(void **state)
{
	struct rig *r = rig_prepare(1);
	uint64_t frames = 0, in_flows = 0;
	unsigned blocked = 0;

	(void)state;
	r->b->settings.record_ring = 1 << 20;
	r->b->settings.idle_timeout_ms = 1000;
	rig_start(r);
	for (unsigned i = 0; i < 20000; i++, frames++) {
		struct point *p = &r->e->point[0];
		struct test_frame f;

		r->hold = i % 5000 != 4999; /* store takes nothing for long stretches */
		frame_make_udp(&f, A, (uint16_t)(1000 + i % 700), B, (uint16_t)(i % 50), "x", 1);
		rig_batch(r, 0, RIG_T0 + i * 3 * MS, &f);
		while (p->batch.next < p->batch.n) {
			if (point_work(r->e, p) == WORK_BLOCKED) {
				blocked++;
				r->hold = false;
			}
			rig_take(r);
		}
	}
	r->hold = false;
	rig_finish(r, 0);
	for (unsigned i = 0; i < r->nrec[REC_FLOW_END]; i++)
		in_flows += r->end[i].r.count.packets[0] + r->end[i].r.count.packets[1];
	assert_true(blocked > 0);
	assert_int_equal(in_flows, frames);
	assert_int_equal(r->e->records.lost, 0);
	rig_free(r);
}

static void
test_an_interface_drops_and_counts(void **state)
{
	struct rig *r = rig_prepare(1);
	uint8_t buf[2048];
	uint64_t lost;
	uint16_t kind;
	uint32_t len;

	(void)state;
	r->b->settings.record_ring = 1 << 20;
	r->b->settings.idle_timeout_ms = 1000;
	r->b->points[0].kind = POINT_INTERFACE;
	rig_start(r);
	r->e->wall_ns = RIG_T0;
	r->hold = true;
	for (unsigned i = 0; i < 20000; i++) {
		r->e->wall_ns = RIG_T0 + i * 3 * MS;
		udp(r, 0, i * 3 * MS, A, (uint16_t)(1000 + i), B, 2);
	}
	lost = r->e->records.lost;
	assert_true(lost > 0 && lost < 20000);
	assert_true(r->e->records.deferred > 0);
	records_publish(&r->e->records);
	while (ring_take(r->c, buf, sizeof(buf), &kind, &len) == 1) {
		/* the last quarter is kept for what cannot be said again */
		if (ring_position(r->c) >
		    ring_producer_size(r->e->records.ring) / 4 * 3 + RECORD_LONGEST + 16)
			assert_true(kind == REC_FLOW_END || kind == REC_SECOND);
		rig_record(r, kind, buf, len);
	}
	ring_release(r->c, ring_position(r->c));
	r->hold = false;
	assert_true(r->nrec[REC_FLOW_END] > 0);
	report_drops(r->e, NULL);
	rig_take(r);
	for (unsigned i = 0; i < r->nrec[REC_DROPS]; i++)
		if (strcmp(r->names[NAME_PLACE][r->drops[i].place], "engine.record_ring_full") == 0) {
			assert_int_equal(r->drops[i].is_loss, 1);
			assert_int_equal(r->drops[i].count, lost);
			rig_free(r);
			return;
		}
	fail();
}

/* A store that died and came back: names first, then what it had not released, then every live flow and host.
 */
static void
test_store_comes_back(void **state)
{
	struct rig *r = rig_new();
	uint8_t buf[2048];
	unsigned opens;
	uint16_t kind;
	uint32_t len;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		udp(r, 0, 0, A, (uint16_t)(1000 + i), B, 2);
	udp(r, 0, S, A, 1000, B, 2);
	(void)point_work(r->e, &r->e->point[0]);
	(void)point_work(r->e, &r->e->point[0]);
	rig_take(r);
	assert_int_equal(r->nrec[REC_FLOW_OPEN], 20);
	r->hold = true;
	udp(r, 0, 2 * S, A, 5000, B, 2); /* ends and counts that the dead store never released */
	udp(r, 0, 3 * S, A, 5000, B, 2);
	(void)point_work(r->e, &r->e->point[0]);
	opens = r->nrec[REC_FLOW_OPEN];
	memset(r->opened, 0, sizeof(r->opened));

	rig_attach(r);
	report_again_from_start(r->e);
	records_publish(&r->e->records);
	assert_int_equal(ring_take(r->c, buf, sizeof(buf), &kind, &len), 1);
	assert_int_equal(kind, REC_NAME);
	while (kind == REC_NAME)
		assert_int_equal(ring_take(r->c, buf, sizeof(buf), &kind, &len), 1);
	assert_true(kind == REC_FLOW_OPEN || kind == REC_FLOW_COUNT); /* carried over */
	while (kind != REC_SECOND)                                    /* and in order */
		assert_int_equal(ring_take(r->c, buf, sizeof(buf), &kind, &len), 1);

	r->hold = false;
	while (report_again(r->e, 4)) /* spread, a few at a time */
		;
	while (report_again(r->e, 1000))
		;
	rig_take(r);
	assert_int_equal(r->nrec[REC_FLOW_OPEN] - opens, 1 + 21); /* one carried over, then every live flow */
	assert_int_equal(r->point[r->nrec[REC_POINT] - 1].state, POINT_UP);
	udp(r, 0, 4 * S, A, 1003, B, 2); /* counters go on: the rig checks that OPEN came before */
	udp(r, 0, 5 * S, A, 1003, B, 2);
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_FLOW_END], 21);
	rig_free(r);
}

/* --- time
 * ----------------------------------------------------------------------------------------------------------------
 */

/* A flow that is counted before its turn to be told again: OPEN comes first all the same (the rig checks it).
 */
static void
test_counters_never_come_before_the_flow(void **state)
{
	struct rig *r = rig_new();
	uint8_t buf[2048];
	uint16_t kind;
	uint32_t len;

	(void)state;
	udp(r, 0, 0, A, 1000, B, 2);
	udp(r, 0, S, A, 1000, B, 2);
	udp(r, 0, 2 * S, A, 1000, B, 2);
	(void)point_work(r->e, &r->e->point[0]);
	rig_take(r);
	assert_int_equal(r->nrec[REC_FLOW_OPEN], 1); /* the first second is in it */
	assert_int_equal(r->nrec[REC_FLOW_COUNT], 1);
	memset(r->opened, 0, sizeof(r->opened));
	rig_attach(r);
	while (ring_take(r->c, buf, sizeof(buf), &kind, &len) == 1)
		; /* names */
	udp(r, 0, 3 * S, A, 1000, B, 2);
	udp(r, 0, 4 * S, A, 1000, B, 2);
	(void)point_work(r->e, &r->e->point[0]);
	rig_take(r);
	assert_int_equal(r->nrec[REC_FLOW_OPEN], 2); /* of second 2, to the new ring */
	assert_int_equal(r->open[1].r.count.packets[CLIENT], 3);
	assert_int_equal(r->nrec[REC_FLOW_COUNT], 2);
	rig_free(r);
}

/* A flow costs a record to begin with, none for a second in which it is told whole, and its end. */
static void
test_no_record_says_what_another_said(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	udp(r, 0, 0, A, 1000, B, 2); /* within a second: an end is all that comes of it */
	udp(r, 0, 100 * MS, A, 1000, B, 2);
	udp(r, 0, 0, A, 2000, B, 2); /* over three */
	udp(r, 0, S, A, 2000, B, 2);
	udp(r, 0, S + 100 * MS, A, 2000, B, 2);
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_FLOW_END], 2);
	assert_int_equal(r->nrec[REC_FLOW_OPEN], 2); /* both were live at the end of their first second */
	assert_int_equal(r->nrec[REC_FLOW_COUNT], 0);
	rig_free(r);
}

/* A second of a flood: 40 datagrams that nobody answers, one flow each, beside a conversation. */
static void
flood_second(struct rig *r, int64_t t, uint16_t first_port)
{
	for (uint16_t i = 0; i < 40; i++)
		udp(r, 0, t + i * MS, A, (uint16_t)(first_port + i), B, 9);
	udp(r, 0, t + 50 * MS, A, 4000, B, 53);
	udp(r, 0, t + 51 * MS, B, 53, A, 4000);
	(void)point_work(r->e, &r->e->point[0]);
	rig_take(r);
}

static unsigned
packets_of(const struct rec_flow *f)
{
	return (unsigned)(f->count.packets[CLIENT] + f->count.packets[SERVER]);
}

/* Beyond what store is told of in a second, who is not answered waits, at most ten seconds; a conversation
 * does not, and nothing is told twice or lost. */
static void
test_a_flood_waits_for_its_turn(void **state)
{
	struct rig *r = rig_prepare(1);
	unsigned told = 0, packets = 0;

	(void)state;
	r->b->settings.updates = 4;
	rig_start(r);
	for (int64_t s = 0; s < 3; s++)
		flood_second(r, s * S, 1000);
	assert_int_equal(r->nrec[REC_FLOW_OPEN],
			 1 + 4); /* a tenth of those that wait, in the second second */
	assert_int_equal(r->open[0].r.port[CLIENT], 4000);
	assert_int_equal(r->nrec[REC_FLOW_COUNT], 1);       /* of the conversation's second second */
	assert_int_equal(packets_of(&r->open[1].r), 2 + 1); /* all that came by then */
	udp(r, 0, 2 * S + 100 * MS, B, 9, A, 1039);         /* an answer: it waits no longer */
	for (int64_t s = 3; s < 16; s++) {
		udp(r, 0, s * S, A, 4000, B, 53);
		(void)point_work(r->e, &r->e->point[0]);
		rig_take(r);
		told += s == 3 ? r->open[5].r.port[CLIENT] == 1039 : 0;
	}
	assert_int_equal(told, 1);
	assert_int_equal(r->nrec[REC_FLOW_OPEN], 1 + 40);
	assert_int_equal(r->e->point[0].waiting, 0);
	assert_false(r->e->point[0].pressed);
	flood_second(r, 16 * S, 2000); /* these end before their turn */
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_FLOW_OPEN], 1 + 40);
	assert_int_equal(r->nrec[REC_FLOW_END], 1 + 40 + 40);
	for (unsigned i = 0; i < r->nrec[REC_FLOW_END]; i++)
		packets += packets_of(&r->end[i].r);
	assert_int_equal(packets, 3 * 42 + 1 + 13 + 42);
	assert_int_equal(r->nrec[REC_SECOND], 17);
	assert_int_equal(r->second[1].packets, 42); /* of the point, each second has its own */
	rig_free(r);
}

/* A file that goes on being shown: who waits is told of at its end. */
static void
test_who_waits_at_the_end_of_a_file_is_told_of(void **state)
{
	struct rig *r = rig_prepare(1);

	(void)state;
	r->b->flags = 0;
	r->b->settings.updates = 4;
	rig_start(r);
	flood_second(r, 0, 1000);
	flood_second(r, S, 1000);
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_FLOW_OPEN], 41);
	assert_int_equal(r->nrec[REC_FLOW_END], 0);
	rig_free(r);
}

static void
test_absurd_time_stamps(void **state)
{
	static const int64_t stamps[] = { 0,
					  RIG_T0,
					  INT64_MIN,
					  RIG_T0 + S,
					  INT64_MAX,
					  -1,
					  RIG_T0 + 2 * S,
					  0,
					  RIG_T0 + 400 * 86400 * S,
					  RIG_T0 + 3 * S,
					  1,
					  RIG_T0 + 4 * S };
	struct rig *r = rig_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stamps); i++) {
		struct test_frame f;

		frame_make_udp(&f, A, 1, B, 2, "x", 1);
		rig_batch(r, 0, stamps[i], &f);
	}
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_FLOW_END], 1); /* one stray stamp moved nothing */
	assert_int_equal(r->end[0].r.first_ns, RIG_T0);
	assert_int_equal(r->end[0].r.last_ns, RIG_T0 + 4 * S);
	assert_int_equal(r->end[0].r.count.packets[CLIENT], ARRAY_LEN(stamps));
	rig_free(r);
}

static void
test_a_live_point_goes_on_without_packets(void **state)
{
	struct rig *r = rig_prepare(1);
	struct point *p;

	(void)state;
	r->b->points[0].kind = POINT_INTERFACE;
	rig_start(r);
	p = &r->e->point[0];
	r->e->wall_ns = RIG_T0;
	udp(r, 0, 0, A, 1, B, 2);
	for (int64_t t = 1; t < 70; t++) {
		point_advance(r->e, p, RIG_T0 + t * S);
		(void)point_work(r->e, p);
		(void)point_work(r->e, p);
	}
	rig_take(r);
	assert_int_equal(r->nrec[REC_FLOW_END], 1);
	assert_int_equal(r->end[0].r.end_reason, END_IDLE);
	/* a second with packets, and the one in which the numbers of active flows and hosts changed */
	assert_int_equal(r->nrec[REC_SECOND], 2);
	assert_int_equal(r->second[0].flows_active, 1);
	assert_int_equal(r->second[0].hosts_active, 2);
	assert_int_equal(r->second[1].flows_active, 0);
	assert_int_equal(r->second[1].hosts_active, 0);
	rig_free(r);
}

static void
test_the_clock_is_set_back(void **state)
{
	struct rig *r = rig_prepare(1);

	(void)state;
	r->b->points[0].kind = POINT_INTERFACE;
	rig_start(r);
	r->e->wall_ns = RIG_T0;
	udp(r, 0, 0, A, 1, B, 2);
	r->e->wall_ns = RIG_T0 - 3600 * S;
	point_set_back(r->e, &r->e->point[0], r->e->wall_ns);
	udp(r, 0, -3600 * S, A, 1, B, 2); /* the same flow */
	udp(r, 0, -3598 * S, A, 1, B, 2);
	assert_int_equal(r->e->flows.used, 1);
	r->e->wall_ns += 100 * S;
	udp(r, 0, -3500 * S, A, 9, B, 9);
	(void)point_work(r->e, &r->e->point[0]);
	rig_take(r);
	assert_int_equal(r->nrec[REC_FLOW_END], 1);
	assert_int_equal(r->end[0].r.count.packets[CLIENT], 3);
	rig_free(r);
}

/* --- meaning
 * -------------------------------------------------------------------------------------------------------------
 */

static void
test_application_and_server_name(void **state)
{
	struct rig *r = rig_prepare(1);
	const char *get = "GET /index.html HTTP/1.1\r\nHost: www.weir.example\r\nUser-Agent: test\r\n\r\n";
	const char *ok = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok";

	(void)state;
	r->b->settings.dpi = true;
	rig_start(r);
	tcp(r, 0, false, TCP_SYN, 0, "");
	tcp(r, 1 * MS, true, TCP_SYN | TCP_ACK, 0, "");
	tcp(r, 2 * MS, false, TCP_ACK, 1, "");
	tcp(r, 3 * MS, false, TCP_ACK | TCP_PSH, 1, get);
	tcp(r, 4 * MS, true, TCP_ACK | TCP_PSH, 1, ok);
	rig_finish(r, 0);
	assert_string_equal(r->names[NAME_APPLICATION][r->end[0].r.application], "HTTP");
	assert_string_equal(r->names[NAME_CATEGORY][r->end[0].r.category], "Web");
	assert_string_equal(r->end[0].name, "www.weir.example");
	assert_int_equal(r->end[0].r.confidence, 3);
	assert_int_equal(r->end[0].r.dpi_done, 1);
	assert_true(r->end[0].r.risks != 0); /* HTTP on port 443 */
	rig_free(r);
}

/* A connection without payload costs no state, and is still named by its port. */
static void
test_a_flood_of_openings_takes_no_state(void **state)
{
	struct rig *r = rig_prepare(1);

	(void)state;
	r->b->settings.dpi = true;
	rig_start(r);
	for (unsigned i = 0; i < 1000; i++) {
		struct test_frame f;

		frame_make_tcp(&f, A + i, B, (struct test_tcp){ 40000, 22, i, 0, TCP_SYN, 1 }, "", 0);
		rig_frame(r, 0, RIG_T0 + i, &f);
	}
	assert_int_equal(r->e->dpi_refused, 0);
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_FLOW_END], 1000);
	assert_string_equal(r->names[NAME_APPLICATION][r->end[0].r.application], "SSH");
	assert_int_equal(r->end[0].r.confidence, 1);
	rig_free(r);
}

static void
test_inspection_is_bounded(void **state)
{
	struct rig *r = rig_prepare(1);

	(void)state;
	r->b->settings.dpi = true;
	rig_start(r);
	for (unsigned i = 0; i < 300; i++) /* room for a quarter of 1024 */
		udp(r, 0, i, A, (uint16_t)(20000 + i), B, (uint16_t)(30000 + i));
	assert_int_equal(r->e->dpi_refused, 44);
	rig_finish(r, 0);
	assert_int_equal(r->nrec[REC_FLOW_END], 300);
	udp(r, 0, S, A, 1, B, 2);
	rig_free(r); /* with a state in use: sanitizers see that it is given back */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_directions_are_one_flow),
		cmocka_unit_test(test_labels_of_one_direction),
		cmocka_unit_test(test_labels_in_a_tunnel),
		cmocka_unit_test(test_who_is_the_client),
		cmocka_unit_test(test_idle_time_out),
		cmocka_unit_test(test_closed_flows_leave_early),
		cmocka_unit_test(test_reused_ports_are_a_new_flow),
		cmocka_unit_test(test_slices_add_up),
		cmocka_unit_test(test_full_table_evicts_the_coldest),
		cmocka_unit_test(test_what_was_used_again_stays),
		cmocka_unit_test(test_full_counters_begin_a_slice),
		cmocka_unit_test(test_a_flood_at_one_point_spares_the_others),
		cmocka_unit_test(test_every_frame_is_counted_once),
		cmocka_unit_test(test_counters_fall_into_their_seconds),
		cmocka_unit_test(test_a_file_waits_for_room_and_loses_nothing),
		cmocka_unit_test(test_an_interface_drops_and_counts),
		cmocka_unit_test(test_store_comes_back),
		cmocka_unit_test(test_counters_never_come_before_the_flow),
		cmocka_unit_test(test_no_record_says_what_another_said),
		cmocka_unit_test(test_a_flood_waits_for_its_turn),
		cmocka_unit_test(test_who_waits_at_the_end_of_a_file_is_told_of),
		cmocka_unit_test(test_absurd_time_stamps),
		cmocka_unit_test(test_a_live_point_goes_on_without_packets),
		cmocka_unit_test(test_the_clock_is_set_back),
		cmocka_unit_test(test_application_and_server_name),
		cmocka_unit_test(test_a_flood_of_openings_takes_no_state),
		cmocka_unit_test(test_inspection_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
