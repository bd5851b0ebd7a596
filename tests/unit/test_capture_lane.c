/* The lane: what is counted where, rings that come and go, a full ring, an engine that lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lane.h"

static uint8_t bytes[70000];

static struct ring_consumer *
give_ring(struct lane *l, bool attach)
{
	int fd = -1, page = -1;
	struct ring_producer *p = ring_producer_new(1, &fd);
	struct ring_consumer *c = ring_consumer_new(fd, &page);

	assert_non_null(p);
	assert_non_null(c);
	lane_give_ring(l, p);
	if (attach)
		lane_give_page(l, page);
	else
		close(page);
	return c;
}

static struct frame
frame(uint32_t wire_len, uint32_t cap_len)
{
	return (struct frame){ 12345, wire_len, cap_len, 113, bytes };
}

/* The next frame in the ring, or false. */
static bool
take(struct ring_consumer *c, struct wire_frame *w, uint16_t *kind)
{
	static uint8_t buf[RING_ENTRY_MAX];
	uint32_t len;
	int got = ring_take(c, buf, sizeof(buf), kind, &len);

	assert_int_not_equal(got, -1);
	if (got == 0)
		return false;
	memcpy(w, buf, sizeof(*w));
	if (*kind == FRAME_DATA) {
		assert_int_equal(w->link_type, 113);
		assert_int_equal(len, sizeof(*w) + w->cap_len);
		assert_memory_equal(buf + sizeof(*w), bytes, w->cap_len);
	}
	return true;
}

static void
test_counts(void **state)
{
	struct lane l;
	struct ring_consumer *c;
	struct wire_frame w;
	uint16_t kind;
	struct frame plain = frame(100, 100), cut = frame(1500, 64), merged = frame(1537, 1537),
		     jumbo = frame(70000, 70000);

	(void)state;
	lane_init(&l, 1536);
	c = give_ring(&l, true);
	lane_take_orders(&l);
	assert_true(l.attached);
	assert_true(lane_put(&l, &plain));
	assert_true(lane_put(&l, &cut));
	assert_true(lane_put(&l, &merged));
	assert_true(lane_put(&l, &jumbo));
	assert_int_equal(lane_shown(&l, LANE_FRAMES), 0);
	(void)lane_flush(&l);
	assert_int_equal(lane_shown(&l, LANE_FRAMES), 4);
	assert_int_equal(lane_shown(&l, LANE_BYTES), 100 + 1500 + 1537 + 70000);
	assert_int_equal(lane_shown(&l, LANE_TRUNCATED), 2);
	assert_int_equal(lane_shown(&l, LANE_MERGED), 2);
	assert_int_equal(lane_shown(&l, LANE_RING_DROPS), 0);
	assert_true(take(c, &w, &kind) && w.wire_len == 100 && w.cap_len == 100 && w.ts_ns == 12345);
	assert_true(take(c, &w, &kind) && w.wire_len == 1500 && w.cap_len == 64);
	assert_true(take(c, &w, &kind) && w.wire_len == 1537);
	assert_true(take(c, &w, &kind) && w.wire_len == 70000 && w.cap_len == LANE_KEEP_MAX);
	assert_true(lane_put_end(&l, 0, true));
	(void)lane_flush(&l);
	assert_true(take(c, &w, &kind) && kind == FRAME_END);
	assert_false(take(c, &w, &kind));
	ring_consumer_free(&c);
	lane_free(&l);
}

static void
test_without_an_engine(void **state)
{
	struct lane l;
	struct frame f = frame(100, 100);

	(void)state;
	lane_init(&l, 0);
	assert_false(lane_put(&l, &f));
	lane_begin(&l);
	assert_false(lane_crowded(&l));
	lane_put_or_drop(&l, &f);
	lane_put_or_drop(&l, &f);
	(void)lane_flush(&l);
	assert_int_equal(lane_shown(&l, LANE_RING_DROPS), 2);
	assert_int_equal(lane_shown(&l, LANE_FRAMES), 0);
	assert_int_equal(lane_shown(&l, LANE_MERGED), 0);
	lane_free(&l);
}

static void
test_full_ring(void **state)
{
	struct lane l;
	struct ring_consumer *c;
	struct wire_frame w;
	struct frame f = frame(60000, 60000);
	uint16_t kind;
	unsigned in = 0, out = 0;

	(void)state;
	lane_init(&l, 0);
	c = give_ring(&l, true);
	lane_begin(&l);
	while (lane_put(&l, &f))
		in++;
	assert_true(in > 10);
	assert_true(lane_crowded(&l));
	lane_begin(&l);
	assert_true(lane_crowded(&l));
	lane_put_or_drop(&l, &f);
	assert_int_equal(l.now[LANE_RING_DROPS], 1);
	/* Everything up to the full ring is shown to the engine, without a flush. */
	while (take(c, &w, &kind))
		out++;
	assert_int_equal(in, out);
	assert_false(lane_put(&l, &f)); /* taken, not yet given back */
	(void)ring_release(c, ring_position(c));
	assert_true(lane_put(&l, &f));
	ring_consumer_free(&c);
	lane_free(&l);
}

static void
test_rings_come_and_go(void **state)
{
	struct lane l;
	struct ring_consumer *a, *b, *c;
	struct wire_frame w;
	struct frame f = frame(80, 80);
	uint16_t kind;

	(void)state;
	lane_init(&l, 0);
	a = give_ring(&l, true);
	b = give_ring(&l, true); /* before the filler saw the first */
	lane_take_orders(&l);
	assert_true(lane_put(&l, &f));
	(void)lane_flush(&l);
	assert_false(take(a, &w, &kind));
	assert_true(take(b, &w, &kind));
	lane_give_ring(&l, NULL);
	assert_true(lane_put(&l, &f)); /* the order waits */
	lane_take_orders(&l);
	assert_false(lane_put(&l, &f));
	assert_false(l.attached);
	c = give_ring(&l, false);
	lane_take_orders(&l);
	assert_false(l.attached);
	assert_true(lane_put(&l, &f)); /* a new ring takes frames before its engine has answered */
	assert_int_equal(lane_signals(&l), 0);
	ring_consumer_free(&a);
	ring_consumer_free(&b);
	ring_consumer_free(&c);
	lane_free(&l);
}

static void
test_lies(void **state)
{
	struct lane l;
	struct ring_consumer *c;

	(void)state;
	lane_init(&l, 0);
	c = give_ring(&l, false);
	lane_give_page(&l, dup(STDERR_FILENO)); /* no page */
	lane_take_orders(&l);
	assert_int_equal(lane_signals(&l), LANE_LIED);
	assert_int_equal(lane_signals(&l), 0);
	ring_consumer_free(&c);
	c = give_ring(&l, true);
	lane_give_page(&l, dup(STDERR_FILENO)); /* a second answer */
	assert_int_equal(lane_signals(&l), LANE_LIED);
	lane_take_orders(&l);
	assert_true(l.attached);
	lane_give_page(&l, dup(STDERR_FILENO)); /* a third, after the ring was attached */
	lane_take_orders(&l);
	assert_int_equal(lane_signals(&l), LANE_LIED);
	ring_consumer_free(&c);
	lane_give_ring(&l, NULL);
	lane_give_page(&l, dup(STDERR_FILENO)); /* an answer to no offer */
	lane_take_orders(&l);
	assert_int_equal(lane_signals(&l), LANE_LIED);
	lane_free(&l);
}

static void
test_nudge(void **state)
{
	struct lane l;
	struct ring_consumer *c;
	struct frame f = frame(80, 80);

	(void)state;
	lane_init(&l, 0);
	c = give_ring(&l, true);
	lane_take_orders(&l);
	assert_true(lane_put(&l, &f));
	assert_int_equal(lane_flush(&l), 0); /* it is awake */
	(void)ring_position(c);
	assert_false(ring_sleep(c)); /* there is something */
	for (uint16_t kind = 0; kind != FRAME_DATA;) {
		struct wire_frame w;

		assert_true(take(c, &w, &kind));
	}
	assert_true(ring_sleep(c));
	assert_true(lane_put(&l, &f));
	assert_int_equal(lane_flush(&l), LANE_NUDGE);
	assert_int_equal(lane_signals(&l), LANE_NUDGE);
	assert_true(lane_put(&l, &f));
	assert_int_equal(lane_flush(&l), 0); /* nudged already */
	ring_consumer_free(&c);
	lane_free(&l);
}

/* An engine that keeps up: every batch begins at the start of the area, and nothing is lost or mixed by that.
 */
static void
test_rewind(void **state)
{
	struct lane l;
	struct ring_consumer *c;
	struct wire_frame w;
	uint16_t kind;
	uint8_t *start = NULL;

	(void)state;
	lane_init(&l, 0);
	c = give_ring(&l, true);
	lane_begin(&l);
	for (unsigned batch = 0; batch < 200; batch++) {
		unsigned n = 100 + batch * 7 % 300;
		uint8_t *first;

		lane_begin(&l);
		first = ring_reserve(l.ring, 8);
		if (start == NULL)
			start = first;
		for (unsigned i = 0; i < n; i++) {
			struct frame f = frame(batch * 1000 + i, 200);

			/* There is room, wherever the last batch ended. */
			assert_true(lane_put(&l, &f));
		}
		(void)lane_flush(&l);
		for (unsigned i = 0; i < n; i++)
			assert_true(take(c, &w, &kind) && w.wire_len == batch * 1000 + i);
		assert_false(take(c, &w, &kind));
		(void)ring_release(c, ring_position(c));
		assert_int_equal(ring_producer_used(l.ring), 0);
		/* A quarter of the ring is gone through, and then the start again. */
		assert_true(first >= start && (size_t)(first - start) < (512u << 10) + (128u << 10));
	}
	ring_consumer_free(&c);
	lane_free(&l);
}

/* Takes n frames and gives their room back. */
static void
take_all(struct ring_consumer *c, unsigned n)
{
	struct wire_frame w;
	uint16_t kind;

	for (unsigned i = 0; i < n; i++)
		assert_true(take(c, &w, &kind));
	assert_false(take(c, &w, &kind));
	(void)ring_release(c, ring_position(c));
}

static unsigned
put_n(struct lane *l, unsigned n)
{
	struct frame f = frame(1000, 1000);
	unsigned done = 0;

	while (done < n && lane_put(l, &f))
		done++;
	(void)lane_flush(l);
	return done;
}

/* What the lane says that there is room for, there is: also right before a rewind, whose padding takes most
 * of the ring. */
static void
test_room_before_a_rewind(void **state)
{
	struct lane l;
	struct ring_consumer *c;
	unsigned fits;

	(void)state;
	lane_init(&l, 0);
	c = give_ring(&l, true);
	lane_begin(&l);
	assert_int_equal(put_n(&l, 700), 700);
	take_all(c, 700);
	lane_begin(&l);
	fits = (unsigned)(l.room / 1032);
	assert_true(fits > 100);
	assert_int_equal(put_n(&l, fits), fits);
	take_all(c, fits);
	ring_consumer_free(&c);
	lane_free(&l);
}

/* A ring that its engine has not emptied is not rewound: what waits in it stays whole. */
static void
test_no_rewind_over_what_waits(void **state)
{
	struct lane l;
	struct ring_consumer *c;
	struct wire_frame w;
	uint16_t kind;
	unsigned in;

	(void)state;
	lane_init(&l, 0);
	c = give_ring(&l, true);
	lane_begin(&l);
	in = put_n(&l, 700);
	for (unsigned i = 0; i < 600; i++)
		assert_true(take(c, &w, &kind));
	(void)ring_release(c, ring_position(c));
	lane_begin(&l);
	in += put_n(&l, 100000); /* all that fits: round the end of the area, up to what waits */
	assert_true(in > 1800 && in < 3000);
	take_all(c, in - 600);
	ring_consumer_free(&c);
	lane_free(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_without_an_engine),
		cmocka_unit_test(test_full_ring),
		cmocka_unit_test(test_rings_come_and_go),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_nudge),
		cmocka_unit_test(test_rewind),
		cmocka_unit_test(test_room_before_a_rewind),
		cmocka_unit_test(test_no_rewind_over_what_waits),
	};

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
