/* Which worker gets a frame of a file: a flow as a whole, whatever it is wrapped or cut into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine_frame.h"
#include "steer.h"

#define ETHERNET 1
#define RAW      101
#define START    (INT64_C(1700000000) * NS_PER_S)
#define HOST_A   0x0a000001u
#define HOST_B   0x0a000002u

static unsigned
worker_at(struct steer *s, const struct test_frame *f, int64_t ts)
{
	struct frame raw = { ts, frame_len(f), frame_len(f), ETHERNET, f->bytes };

	return steer_frame(s, &raw, 0);
}

static unsigned
worker(struct steer *s, const struct test_frame *f)
{
	return worker_at(s, f, START);
}

static void
make_fragment(struct test_frame *f, bool back, uint16_t id, uint16_t fragment, uint16_t len)
{
	frame_begin(f);
	frame_eth(f, 0x0800);
	frame_ipv4(f, (struct test_ip){ .from = back ? HOST_B : HOST_A,
					.to = back ? HOST_A : HOST_B,
					.protocol = 17,
					.id = id,
					.fragment = fragment,
					.len = len });
}

static void
test_flows_stay_whole(void **state)
{
	unsigned count[16] = { 0 };
	struct test_frame f;

	(void)state;
	for (unsigned n = 2; n <= 16; n++) {
		struct steer *s = steer_new(n, false, 7);

		for (uint16_t port = 1; port < 500; port++) {
			unsigned want;

			frame_make_udp(&f, HOST_A, port, HOST_B, 5000, "there", 5);
			want = worker(s, &f);
			assert_true(want < n);
			count[want] += n == 16;
			frame_make_udp(&f, HOST_B, 5000, HOST_A, port, "and back", 8);
			assert_int_equal(worker(s, &f), want);
			/* Of one flow, even where a tag says that it is not the same one. */
			frame_begin(&f);
			frame_eth(&f, 0x8100);
			frame_vlan(&f, 12, 0x0800);
			frame_ipv4(
			    &f, (struct test_ip){ .from = HOST_A, .to = HOST_B, .protocol = 17, .len = 8 });
			frame_udp(&f, port, 5000, 0);
			assert_int_equal(worker(s, &f), want);
		}
		steer_free(&s);
	}
	for (unsigned i = 0; i < 16; i++)
		assert_in_range(count[i], 10, 60);
}

/* The first tells the others where to go; without it they go where the addresses lead, all of them. */
static void
test_fragments(void **state)
{
	struct steer *s = steer_new(16, false, 7);
	struct test_frame f;
	unsigned elsewhere = 0, lost = 0;

	(void)state;
	make_fragment(&f, false, 9999, 185, 100);
	lost = worker(s, &f);
	for (uint16_t port = 1; port < 200; port++) {
		unsigned want;

		frame_make_udp(&f, HOST_A, port, HOST_B, 5000, "whole", 5);
		want = worker(s, &f);
		elsewhere += want != lost;
		make_fragment(&f, false, port, 0x2000, 1480);
		frame_udp(&f, port, 5000, 2000);
		frame_zero(&f, 512);
		assert_int_equal(worker(s, &f), want);
		make_fragment(&f, false, port, 185, 528);
		assert_int_equal(worker(s, &f), want);
		/* The same number from the other side is another datagram, and so is a later one. */
		make_fragment(&f, true, port, 185, 528);
		assert_int_equal(worker(s, &f), lost);
	}
	assert_true(elsewhere > 150);
	make_fragment(&f, false, 3, 185, 528);
	assert_int_equal(worker_at(s, &f, START + 60 * NS_PER_S), lost);
	steer_free(&s);
}

static void
test_what_belongs_to_no_flow(void **state)
{
	struct steer *s = steer_new(8, false, 7);
	struct test_frame f;
	struct frame cut;

	(void)state;
	frame_begin(&f);
	frame_eth(&f, 0x0806);
	frame_zero(&f, 28);
	assert_int_equal(worker(s, &f), 0);
	for (uint16_t port = 1; port < 50; port++) {
		frame_make_udp(&f, HOST_A, port, HOST_B, 5000, "cut", 3);
		for (uint32_t len = 0; len < 14 + 20; len++) {
			cut = (struct frame){ START, frame_len(&f), len, ETHERNET, f.bytes };
			assert_int_equal(steer_frame(s, &cut, 0), 0);
			cut = (struct frame){ START, frame_len(&f), len, 127, f.bytes };
			assert_int_equal(steer_frame(s, &cut, 0), 0);
		}
	}
	steer_free(&s);
}

/* Every worker lives in the file's time, also where its stamps are out of order or broken. */
static void
test_time(void **state)
{
	static const struct {
		int64_t ts, next, want;
	} rows[] = {
		{ 5, 6, 5 },
		{ 7, 6, 7 },
		{ 6, 900000, 7 },            /* back: stands still */
		{ 900000, 8, 8 },            /* far ahead of those around it */
		{ -START / NS_PER_S, 9, 8 }, /* unknown */
		{ 9, 0, 9 },
	};
	struct steer *s = steer_new(2, false, 7);
	struct test_frame f;

	(void)state;
	frame_make_udp(&f, HOST_A, 1, HOST_B, 2, "", 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame raw = { START + rows[i].ts * NS_PER_S, frame_len(&f), frame_len(&f), ETHERNET,
				     f.bytes };

		(void)steer_frame(s, &raw, rows[i].next == 0 ? 0 : START + rows[i].next * NS_PER_S);
		assert_int_equal(raw.ts_ns, START + rows[i].want * NS_PER_S);
	}
	steer_free(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flows_stay_whole),
		cmocka_unit_test(test_fragments),
		cmocka_unit_test(test_what_belongs_to_no_flow),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
