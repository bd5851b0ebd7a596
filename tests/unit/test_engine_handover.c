/* Frames that came to the wrong worker: they come to the right one, once, whatever peers write and whenever
 * they die. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "decode/owner.h"
#include "engine_rig.h"

#define WORKERS 3
#define POINTS  2
#define A       0x0a000001u
#define B       0x0a000002u

static struct rig *w[WORKERS];

/* From's ring is offered to `to` and taken. */
static void
offer(unsigned from, unsigned to)
{
	int page = -1;
	struct ring_consumer *c = ring_consumer_new(handover_offer(&w[from]->e->handover, to), &page);

	assert_non_null(c);
	assert_true(handover_taken(&w[from]->e->handover, to, page));
	handover_up(&w[to]->e->handover, from, c);
}

static void
start(unsigned i)
{
	w[i] = rig_prepare(POINTS);
	w[i]->b->instance = i;
	w[i]->b->settings.workers = WORKERS;
	w[i]->b->settings.handover_ring = 1 << 20;
	w[i]->b->flags = 0;
	for (unsigned p = 0; p < POINTS; p++)
		w[i]->b->points[p].kind = POINT_INTERFACE;
	rig_start(w[i]);
	w[i]->e->wall_ns = RIG_T0;
}

static int
setup(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WORKERS; i++)
		start(i);
	for (unsigned i = 0; i < WORKERS; i++)
		for (unsigned j = 0; j < WORKERS; j++)
			if (i != j)
				offer(i, j);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WORKERS; i++)
		rig_free(w[i]);
	return 0;
}

/* Turns of all workers until nothing is under way. */
static void
settle(void)
{
	for (bool busy = true; busy;) {
		busy = false;
		for (unsigned i = 0; i < WORKERS; i++) {
			busy |= handover_work(w[i]->e) == WORK_DONE;
			for (unsigned j = 0; j < WORKERS; j++)
				if (j != i)
					busy |= handover_publish(&w[i]->e->handover, j);
			rig_take(w[i]);
		}
	}
}

static void
publish_all(void)
{
	for (unsigned i = 0; i < WORKERS; i++)
		for (unsigned j = 0; j < WORKERS; j++)
			if (j != i)
				(void)handover_publish(&w[i]->e->handover, j);
}

static void
feed(unsigned worker, const struct test_frame *f)
{
	rig_frame(w[worker], 0, RIG_T0, f);
	publish_all();
	settle();
}

static uint64_t
counted(unsigned worker)
{
	return w[worker]->e->point[0].counted + w[worker]->e->point[1].counted;
}

static unsigned
flows(unsigned worker)
{
	return w[worker]->e->flows.used;
}

static struct flow_key
key_of(uint32_t from, uint16_t sport, uint32_t to, uint16_t dport)
{
	uint8_t a[4] = { (uint8_t)(from >> 24), (uint8_t)(from >> 16), (uint8_t)(from >> 8), (uint8_t)from };
	uint8_t b[4] = { (uint8_t)(to >> 24), (uint8_t)(to >> 16), (uint8_t)(to >> 8), (uint8_t)to };
	struct flow_key k = { .ip = { ip_from_v4(a), ip_from_v4(b) },
			      .port = { sport, dport },
			      .protocol = IP_UDP };

	return k;
}

/* A port of A's conversation with B's 5000 whose owner is the given worker. */
static uint16_t
port_of(unsigned worker)
{
	for (uint16_t port = 1000;; port++) {
		struct flow_key k = key_of(A, port, B, 5000);

		if (owner_of(&k, WORKERS) == worker)
			return port;
	}
}

static unsigned
meeting(void)
{
	struct flow_key k = key_of(A, 0, B, 0);

	return owner_of_addresses(&k, WORKERS);
}

static void
vxlan(struct test_frame *f, uint32_t outer_from, uint32_t outer_to, bool back, uint16_t port, uint16_t id)
{
	frame_begin(f);
	frame_eth(f, 0x0800);
	frame_ipv4(f, (struct test_ip){ .from = outer_from,
					.to = outer_to,
					.protocol = 17,
					.id = id,
					.fragment = id != 0 ? 0x2000 : 0,
					.len = 8 + 8 + 14 + 20 + 8 + 4 });
	frame_udp(f, 50000, 4789, 8 + 14 + 20 + 8 + 4);
	wcur_be32(&f->c, 0x08000000);
	wcur_be32(&f->c, 77 << 8);
	frame_eth(f, 0x0800);
	frame_ipv4(f,
		   (struct test_ip){ .from = back ? B : A, .to = back ? A : B, .protocol = 17, .len = 12 });
	frame_udp(f, back ? 5000 : port, back ? port : 5000, 4);
	frame_zero(f, 4);
}

static void
fragment(struct test_frame *f, uint16_t id, bool first, uint16_t port)
{
	frame_begin(f);
	frame_eth(f, 0x0800);
	frame_ipv4(
	    f, (struct test_ip){
		   .from = A, .to = B, .protocol = 17, .id = id, .fragment = first ? 0x2000 : 3, .len = 24 });
	if (first)
		frame_udp(f, port, 5000, 16 + 24);
	frame_zero(f, first ? 16 : 24);
}

/* Both directions of what is in a tunnel, over different carriers: whoever sees them, one flow at its owner.
 */
static void
test_tunnels(void **state)
{
	struct test_frame f;

	(void)state;
	for (unsigned owner = 0; owner < WORKERS; owner++) {
		uint16_t port = port_of(owner);

		for (unsigned i = 0; i < WORKERS; i++) {
			vxlan(&f, 0xc0000201, 0xc0000202, false, port, 0);
			feed(i, &f);
			vxlan(&f, 0xc0000303, 0xc0000304, true, port, 0);
			feed(i, &f);
		}
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		assert_int_equal(flows(i), 1);
		assert_int_equal(counted(i), 2 * WORKERS);
		assert_int_equal(w[i]->e->point[0].count.packets, 2 * WORKERS);
		/* Of each owner's frames, each other worker had two. */
		assert_int_equal(w[i]->e->handover.handed_over, 2 * (WORKERS - 1));
		assert_int_equal(w[i]->e->handover.full, 0);
		assert_true(engine_finish(w[i]->e));
		rig_take(w[i]);
		assert_int_equal(w[i]->nrec[REC_FLOW_END], 1);
		assert_int_equal(w[i]->end[0].r.count.packets[0], WORKERS);
		assert_int_equal(w[i]->end[0].r.count.packets[1], WORKERS);
	}
}

static void
test_plain_frames_stay(void **state)
{
	struct test_frame f;

	(void)state;
	for (unsigned owner = 0; owner < WORKERS; owner++) {
		frame_make_udp(&f, A, port_of(owner), B, 5000, "there", 5);
		feed(owner, &f);
		assert_int_equal(counted(owner), 1);
		assert_int_equal(w[owner]->e->handover.handed_over, 0);
	}
	frame_make_udp(&f, B, 5000, A, port_of(1), "and back", 8);
	feed(0, &f);
	assert_int_equal(counted(0), 1);
	assert_int_equal(counted(1), 2);
	assert_int_equal(flows(1), 1);
}

/* Wherever the pieces arrive: they meet, get their ports, and go to the flow, in two hops at most. */
static void
test_fragments(void **state)
{
	struct test_frame f;
	uint64_t hops = 0;
	uint16_t id = 0;

	(void)state;
	for (unsigned owner = 0; owner < WORKERS; owner++)
		for (unsigned a = 0; a < WORKERS; a++)
			for (unsigned b = 0; b < WORKERS; b++) {
				fragment(&f, ++id, true, port_of(owner));
				feed(a, &f);
				fragment(&f, id, false, 0);
				feed(b, &f);
				hops += (uint64_t)(a != meeting()) + (b != meeting()) + (owner != meeting()) +
					(owner != meeting());
			}
	for (unsigned i = 0; i < WORKERS; i++) {
		assert_int_equal(flows(i), 1);
		assert_int_equal(counted(i), 2 * WORKERS * WORKERS);
		hops -= w[i]->e->handover.handed_over;
	}
	assert_int_equal(hops, 0);
}

/* What carries a tunnel is cut: all pieces come to the flow inside, over the place where the pieces meet. */
static void
test_fragments_of_a_tunnel(void **state)
{
	struct test_frame f;
	uint16_t id = 0;

	(void)state;
	for (unsigned owner = 0; owner < WORKERS; owner++)
		for (unsigned a = 0; a < WORKERS; a++)
			for (unsigned b = 0; b < WORKERS; b++) {
				vxlan(&f, 0xc0000201 + owner, 0xc0000300 + a, false, port_of(owner), ++id);
				feed(a, &f);
				frame_begin(&f);
				frame_eth(&f, 0x0800);
				frame_ipv4(&f, (struct test_ip){ .from = 0xc0000201 + owner,
								 .to = 0xc0000300 + a,
								 .protocol = 17,
								 .id = id,
								 .fragment = 8,
								 .len = 24 });
				frame_zero(&f, 24);
				feed(b, &f);
			}
	for (unsigned i = 0; i < WORKERS; i++) {
		assert_int_equal(flows(i), 1);
		assert_int_equal(counted(i), 2 * WORKERS * WORKERS);
		assert_int_equal(w[i]->e->fragments.unknown, 0);
	}
}

/* A later one whose first was not seen stays where they meet, without ports. */
static void
test_fragment_without_its_first(void **state)
{
	struct test_frame f;

	(void)state;
	for (unsigned i = 0; i < WORKERS; i++) {
		fragment(&f, 9, false, 0);
		feed(i, &f);
	}
	for (unsigned i = 0; i < WORKERS; i++)
		assert_int_equal(counted(i), i == meeting() ? WORKERS : 0);
	assert_int_equal(w[meeting()]->e->fragments.unknown, WORKERS);
}

/* What is no flow's is counted where it came. */
static void
test_undecodable_frames_stay(void **state)
{
	struct test_frame f;

	(void)state;
	frame_begin(&f);
	frame_eth(&f, 0x1234);
	frame_zero(&f, 50);
	feed(2, &f);
	assert_int_equal(w[2]->e->point[0].undecoded, 1);
	assert_int_equal(w[2]->e->handover.handed_over, 0);
}

static void
test_points_alternate(void **state)
{
	struct test_frame f;

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		frame_make_udp(&f, A, port_of(1), B, 5000, "there", 5);
		rig_frame(w[0], i % 3 == 0, RIG_T0, &f);
	}
	publish_all();
	settle();
	assert_int_equal(w[1]->e->point[0].counted, 200);
	assert_int_equal(w[1]->e->point[1].counted, 100);
	assert_int_equal(flows(1), 2);
}

/* Nobody takes: what does not fit is lost and counted, and the rest comes when somebody does. */
static void
test_full(void **state)
{
	struct test_frame f;
	const unsigned n = 60000;
	uint64_t fit;

	(void)state;
	frame_make_udp(&f, A, port_of(1), B, 5000, "there", 5);
	for (unsigned i = 0; i < n; i++)
		rig_frame(w[0], 0, RIG_T0, &f);
	fit = w[0]->e->handover.handed_over;
	assert_int_equal(fit + w[0]->e->handover.full, n);
	assert_true(fit > 5000 && fit < n);
	assert_int_equal(counted(0), 0);
	publish_all();
	settle();
	assert_int_equal(counted(1), fit);
	report_drops(w[0]->e, NULL);
	rig_take(w[0]);
	for (unsigned i = 0, seen = 0; i < w[0]->nrec[REC_DROPS] || seen != 2; i++) {
		assert_true(i < w[0]->nrec[REC_DROPS]);
		if (w[0]->drops[i].place == PLACE_HANDOVER_FULL) {
			assert_int_equal(w[0]->drops[i].count, n - fit);
			assert_true(w[0]->drops[i].is_loss);
			seen++;
		} else if (w[0]->drops[i].place == PLACE_HANDED_OVER) {
			assert_false(w[0]->drops[i].is_loss);
			seen++;
		}
	}
}

/* A worker that is started again gets what waited for it; what it had given to others before is still
 * counted. */
static void
test_restart(void **state)
{
	struct test_frame f;

	(void)state;
	frame_make_udp(&f, A, port_of(1), B, 5000, "there", 5);
	for (unsigned i = 0; i < 10; i++)
		rig_frame(w[0], 0, RIG_T0, &f);
	frame_make_udp(&f, A, port_of(0), B, 5000, "there", 5);
	for (unsigned i = 0; i < 7; i++)
		rig_frame(w[1], 0, RIG_T0, &f);
	publish_all();
	rig_free(w[1]);
	handover_down(&w[0]->e->handover, 1);
	handover_down(&w[2]->e->handover, 1);
	start(1);
	offer(1, 0);
	offer(1, 2);
	offer(0, 1);
	offer(2, 1);
	rig_frame(w[1], 0, RIG_T0, &f);
	publish_all();
	settle();
	assert_int_equal(counted(1), 10);
	assert_int_equal(counted(0), 8);
}

/* --- what a worker that was taken over may write --- */

static struct wire_handover
entry(void)
{
	return (struct wire_handover){
		.ts_ns = RIG_T0, .wire_len = 60, .cap_len = 60, .link_type = 1, .point = 0, .hops = 1
	};
}

/* One entry of so many bytes, written by worker 0 to worker 1. */
static void
write_entry(const struct wire_handover *h, uint16_t kind, size_t len)
{
	struct ring_producer *r = w[0]->e->handover.peer[1].out;
	struct test_frame f;
	uint8_t *to = ring_reserve(r, len);

	frame_make_udp(&f, A, port_of(1), B, 5000, "hostile", 7);
	memset(to, 0, len);
	memcpy(to, h, sizeof(*h) < len ? sizeof(*h) : len);
	if (len > sizeof(*h))
		memcpy(to + sizeof(*h), f.bytes, len - sizeof(*h) < 60 ? len - sizeof(*h) : 60);
	ring_commit(r, kind, len);
	publish_all();
}

static void
check_refused(struct wire_handover h, uint16_t kind, size_t len)
{
	struct wire_handover good = entry();
	uint64_t before = counted(1);

	write_entry(&h, kind, len);
	settle();
	assert_true(handover_lied(&w[1]->e->handover, 0));
	assert_int_equal(counted(1), before);
	write_entry(&good, FRAME_HANDED, sizeof(good) + 60); /* nothing is believed any more */
	settle();
	assert_int_equal(counted(1), before);
	/* Its channel ends, it connects again. */
	handover_down(&w[1]->e->handover, 0);
	settle();
	assert_false(handover_lied(&w[1]->e->handover, 0));
	ring_producer_free(&w[0]->e->handover.peer[1].out);
	w[0]->e->handover.peer[1].out = ring_producer_new(1 << 20, &w[0]->e->handover.peer[1].offer_fd);
	w[0]->e->handover.peer[1].attached = false;
	offer(0, 1);
	write_entry(&good, FRAME_HANDED, sizeof(good) + 60);
	settle();
	assert_int_equal(counted(1), before + 1);
}

static void
test_hostile_entries(void **state)
{
	struct wire_handover h;

	(void)state;
#define REFUSED(field, value)                                                                                \
	h = entry();                                                                                         \
	h.field = (value);                                                                                   \
	check_refused(h, FRAME_HANDED, sizeof(h) + 60)
	REFUSED(cap_len, 59);
	REFUSED(cap_len, 61);
	REFUSED(cap_len, UINT32_MAX);
	REFUSED(point, POINTS);
	REFUSED(point, 255);
	REFUSED(hops, 0);
	REFUSED(hops, HANDOVER_HOPS + 1);
	REFUSED(resolved, 2);
	REFUSED(icmp_reply, 2);
	REFUSED(inside, 2);
	REFUSED(key[46], 0xff); /* no tunnel */
	h = entry();
	h.key[32] = h.key[33] = 0xff; /* no VLAN */
	check_refused(h, FRAME_HANDED, sizeof(h) + 60);
	h = entry();
	check_refused(h, FRAME_HANDED, sizeof(h) - 1);
	check_refused(h, FRAME_HANDED, 1);
	check_refused(h, 7, sizeof(h) + 60);
}

/* A number that may be: time, length, link type, ports and hops as a hostile worker likes them. */
static void
test_hostile_but_possible(void **state)
{
	struct wire_handover h = entry();
	struct test_frame f;

	(void)state;
	h.ts_ns = INT64_MAX;
	h.wire_len = 0;
	write_entry(&h, FRAME_HANDED, sizeof(h) + 60);
	h.ts_ns = INT64_MIN;
	h.wire_len = UINT32_MAX;
	write_entry(&h, FRAME_HANDED, sizeof(h) + 60);
	settle();
	assert_int_equal(counted(1), 2);
	assert_in_range(w[1]->e->point[0].now_ns, RIG_T0 - 60 * NS_PER_S, RIG_T0 + 2 * NS_PER_S);
	h.link_type = 4711;
	write_entry(&h, FRAME_HANDED, sizeof(h) + 60);
	h.link_type = 1;
	h.cap_len = h.wire_len = 0;
	write_entry(&h, FRAME_HANDED, sizeof(h));
	settle();
	assert_int_equal(w[1]->e->point[0].undecoded, 2);

	/* A frame that is not ours is handed on, but never a third time. */
	frame_make_udp(&f, A, port_of(2), B, 5000, "there", 5);
	for (uint8_t hops = 1; hops <= HANDOVER_HOPS; hops++) {
		struct ring_producer *r = w[0]->e->handover.peer[1].out;
		uint8_t *to = ring_reserve(r, sizeof(h) + 60);

		h = entry();
		h.hops = hops;
		memcpy(to, &h, sizeof(h));
		memcpy(to + sizeof(h), f.bytes, 60);
		ring_commit(r, FRAME_HANDED, sizeof(h) + 60);
		publish_all();
		settle();
	}
	assert_int_equal(counted(2), 1);
	assert_int_equal(counted(1), 3);
	assert_int_equal(w[1]->e->handover.handed_over, 1);
}

/* Files and single workers have nothing of this. */
static void
test_off(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	assert_false(r->e->handover.on);
	assert_int_equal(handover_work(r->e), WORK_NONE);
	assert_true(handover_sleep(&r->e->handover));
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tunnels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plain_frames_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fragments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fragments_of_a_tunnel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fragment_without_its_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_undecodable_frames_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_points_alternate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_entries, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_but_possible, setup, teardown),
		cmocka_unit_test(test_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
