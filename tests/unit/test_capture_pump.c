/*
 * Pumps with a source of our own: in the main loop and as threads (run under TSan too), with rings that are
 * taken away and given anew while frames flow. Frames put into rings + dropped = frames made.
 */
#include <event2/event.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "pump.h"

#define PUMPS  2
#define FRAMES 300000u

/* Gives `left` frames, in pieces, and is readable while some are left. */
struct fake {
	int fd;
	uint32_t made, left;
};

static int
fake_read(void *handle, struct lane *l, int most)
{
	static const uint8_t still[64];
	struct fake *f = handle;
	uint64_t n;
	int i;

	for (i = 0; i < most && i < 777 && f->left > 0 && !lane_crowded(l); i++) {
		struct frame fr = { f->made, 64, 64, 1, still };

		lane_put_or_drop(l, &fr);
		f->made++;
		f->left--;
	}
	if (f->left == 0)
		(void)!read(f->fd, &n, sizeof(n));
	return i;
}

static struct world {
	struct event_base *base;
	struct lane lane[PUMPS];
	struct fake fake[PUMPS];
	struct pump *pump[PUMPS];
	struct ring_consumer *ring[PUMPS];
	uint64_t taken[PUMPS], nudges;
} w;

static void
tell(void *ctx)
{
	(void)ctx;
	for (unsigned i = 0; i < PUMPS; i++) {
		uint32_t s = lane_signals(&w.lane[i]);

		assert_int_equal(s & LANE_LIED, 0);
		w.nudges += (s & LANE_NUDGE) != 0;
	}
}

static void
attach(unsigned i)
{
	int fd = -1, page = -1;
	struct ring_producer *p = ring_producer_new(1, &fd);

	assert_non_null(p);
	w.ring[i] = ring_consumer_new(fd, &page);
	assert_non_null(w.ring[i]);
	lane_give_ring(&w.lane[i], p);
	pump_wake(w.pump[i]);
	lane_give_page(&w.lane[i], page);
	pump_wake(w.pump[i]);
}

static uint64_t
drain(unsigned i)
{
	uint8_t buf[256];
	uint16_t kind;
	uint32_t len;
	uint64_t n = 0;

	while (w.ring[i] != NULL && ring_take(w.ring[i], buf, sizeof(buf), &kind, &len) == 1)
		n++;
	if (w.ring[i] != NULL)
		(void)ring_release(w.ring[i], ring_position(w.ring[i]));
	w.taken[i] += n;
	return n;
}

static void
setup(bool threaded)
{
	memset(&w, 0, sizeof(w));
	w.base = event_base_new();
	for (unsigned i = 0; i < PUMPS; i++) {
		struct pump_source s = { &w.fake[i], eventfd(1, EFD_NONBLOCK), fake_read };

		w.fake[i].fd = s.fd;
		w.fake[i].left = FRAMES;
		lane_init(&w.lane[i], 0);
		w.pump[i] = pump_new(w.base, &s, &w.lane[i], 1, threaded, tell, NULL);
		attach(i);
	}
	for (unsigned i = 0; i < PUMPS; i++) {
		pump_start(w.pump[i]);
		pump_start(w.pump[i]); /* a second time is nothing */
	}
}

static void
teardown(void)
{
	for (unsigned i = 0; i < PUMPS; i++) {
		pump_free(&w.pump[i]);
		lane_free(&w.lane[i]);
		ring_consumer_free(&w.ring[i]);
		close(w.fake[i].fd);
	}
	event_base_free(w.base);
}

static bool
all_came(void)
{
	for (unsigned i = 0; i < PUMPS; i++)
		if (lane_shown(&w.lane[i], LANE_FRAMES) + lane_shown(&w.lane[i], LANE_RING_DROPS) < FRAMES)
			return false;
	return true;
}

/* An engine that keeps taking: what it took and what was dropped is what was made. In the main loop it has
 * its turn after every batch, and nothing is dropped; a thread may outrun it. */
static void
check_flow(bool threaded)
{
	setup(threaded);
	while (!all_came()) {
		event_base_loop(w.base, EVLOOP_NONBLOCK);
		for (unsigned i = 0; i < PUMPS; i++)
			(void)drain(i);
	}
	for (unsigned i = 0; i < PUMPS; i++) {
		uint64_t dropped = lane_shown(&w.lane[i], LANE_RING_DROPS);

		(void)drain(i);
		assert_int_equal(w.taken[i] + dropped, FRAMES);
		if (!threaded)
			assert_int_equal(dropped, 0);
	}
	teardown();
}

static void
test_main_loop(void **state)
{
	(void)state;
	check_flow(false);
}

static void
test_threads(void **state)
{
	(void)state;
	check_flow(true);
}

/* An engine that sleeps gets its nudge through the main loop, also from a thread. */
static void
check_nudge(bool threaded)
{
	setup(threaded);
	while (!all_came()) {
		uint64_t before = w.nudges;

		for (unsigned i = 0; i < PUMPS; i++) {
			(void)drain(i);
			if (ring_sleep(w.ring[i])) {
				/* Frames still come for this one, so a nudge does: wait for it in the loop.
				 */
				while (w.nudges == before && !all_came())
					event_base_loop(w.base, EVLOOP_NONBLOCK);
			}
		}
		event_base_loop(w.base, EVLOOP_NONBLOCK);
	}
	assert_true(w.nudges > 0);
	teardown();
}

static void
test_nudges(void **state)
{
	(void)state;
	check_nudge(false);
	check_nudge(true);
}

/* Engines that go and come while frames flow. What they took and what was dropped is never more than what was
 * made, and nothing is freed under the feet of the thread. */
static void
test_rings_change_under_threads(void **state)
{
	(void)state;
	setup(true);
	for (unsigned k = 0; !all_came(); k++) {
		unsigned i = k % PUMPS;

		lane_give_ring(&w.lane[i], NULL);
		pump_wake(w.pump[i]);
		(void)drain(i);
		ring_consumer_free(&w.ring[i]);
		attach(i);
		for (unsigned j = 0; j < PUMPS; j++)
			(void)drain(j);
		event_base_loop(w.base, EVLOOP_NONBLOCK);
	}
	for (unsigned i = 0; i < PUMPS; i++)
		assert_true(w.taken[i] <= FRAMES);
	teardown();
}

/* Nobody takes anything: the pump is patient for a while, then drops and counts, and goes on. */
static void
test_engine_that_stalls(void **state)
{
	(void)state;
	setup(true);
	while (!all_came())
		event_base_loop(w.base, EVLOOP_NONBLOCK);
	for (unsigned i = 0; i < PUMPS; i++) {
		assert_true(lane_shown(&w.lane[i], LANE_RING_DROPS) > 0);
		(void)drain(i);
		assert_int_equal(w.taken[i] + lane_shown(&w.lane[i], LANE_RING_DROPS), FRAMES);
	}
	teardown();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_main_loop),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_nudges),
		cmocka_unit_test(test_rings_change_under_threads),
		cmocka_unit_test(test_engine_that_stalls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
