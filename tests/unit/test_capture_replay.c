/* A file through the lanes: the rings push back, every frame arrives once and in order, and the end is told;
 * engines that leave. */
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture_files.h"
#include "ipc/boot.h"
#include "replay.h"

#define WORKERS 3
#define NS      UINT64_C(1000000000)

/* Engines that run in the same loop: they take a few frames at a time, and only when they were nudged or are
 * awake. */
struct engine {
	struct ring_consumer *ring;
	uint64_t frames, bytes, last, in_blocks;
	bool ended, asleep, stalled, begun;
	struct wire_frame_end end;
};

static struct world {
	struct event_base *base;
	struct event *work;
	struct lane lanes[WORKERS];
	struct engine engine[WORKERS];
	struct file *file;
	struct steer *steer;
	struct replay *replay;
	unsigned n;
	uint64_t endings, nudges;
	int status;
} w;

static void
frame_take(struct engine *e, const uint8_t *described, const uint8_t *bytes)
{
	struct wire_frame f;

	memcpy(&f, described, sizeof(f));
	assert_true((uint64_t)f.ts_ns > e->last); /* the order of the file */
	assert_int_equal(f.link_type, 101);
	assert_int_equal(f.cap_len, 1000);
	assert_int_equal(bytes[15], (f.ts_ns - (int64_t)NS) % 64);
	assert_int_equal(bytes[19], (f.ts_ns - (int64_t)NS) % 7);
	e->last = (uint64_t)f.ts_ns;
	e->frames++;
	e->bytes += f.wire_len;
}

static void
block_take(struct engine *e, const uint8_t *entry, uint16_t kind)
{
	struct wire_block b;

	assert_int_equal(kind, FRAME_BLOCK);
	assert_int_equal(w.n, 1);
	memcpy(&b, entry, sizeof(b));
	assert_true(b.frames > 0);
	for (uint32_t i = 0; i < b.frames; i++) {
		struct wire_block_frame f;

		memcpy(&f, entry + b.table + i * sizeof(f), sizeof(f));
		assert_true(f.at + f.frame.cap_len <= b.table);
		frame_take(e, (const uint8_t *)&f.frame, entry + f.at);
	}
	e->in_blocks += b.frames;
}

static void
engine_take(unsigned i)
{
	static uint8_t buf[RING_ENTRY_MAX];
	struct engine *e = &w.engine[i];
	uint16_t kind;
	uint32_t len;
	int got = 1;

	for (int k = 0; k < 50 && (got = ring_take(e->ring, buf, sizeof(buf), &kind, &len)) == 1; k++) {
		if (kind == FRAME_END) {
			assert_false(e->ended);
			e->ended = true;
			memcpy(&e->end, buf, sizeof(e->end));
			continue;
		}
		assert_false(e->ended);
		if (kind == FRAME_BEGIN) {
			struct wire_frame_begin b;

			assert_int_equal(e->frames, 0);
			memcpy(&b, buf, sizeof(b));
			assert_int_equal(b.first_ns, NS);
			e->begun = true;
			continue;
		}
		if (kind == FRAME_DATA)
			frame_take(e, buf, buf + sizeof(struct wire_frame));
		else
			block_take(e, buf, kind);
	}
	assert_int_not_equal(got, -1);
	if (ring_release(e->ring, ring_position(e->ring)))
		replay_wake(w.replay);
	e->asleep = got == 0 && ring_sleep(e->ring);
}

static void
on_work(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval soon = { 0, 100 };

	(void)fd;
	(void)what;
	(void)arg;
	for (unsigned i = 0; i < w.n; i++)
		if (w.engine[i].ring != NULL && !w.engine[i].asleep && !w.engine[i].stalled)
			engine_take(i);
	event_add(w.work, &soon);
}

static void
tell(void *ctx)
{
	(void)ctx;
	for (unsigned i = 0; i < w.n; i++) {
		uint32_t s = lane_signals(&w.lanes[i]);

		assert_int_equal(s & LANE_LIED, 0);
		if (s & LANE_NUDGE) {
			assert_true(w.engine[i].asleep);
			w.engine[i].asleep = false;
			w.nudges++;
		}
	}
}

static void
ending(void *ctx)
{
	(void)ctx;
	w.endings++;
}

static bool
sent(void *ctx)
{
	(void)ctx;
	return true;
}

static void
done(void *ctx, int status)
{
	(void)ctx;
	w.status = status;
	event_base_loopbreak(w.base);
}

static const struct replay_handlers handlers = { tell, ending, sent, done };

static void
attach(unsigned i)
{
	int fd = -1, page = -1;
	struct ring_producer *p = ring_producer_new(1, &fd);

	assert_non_null(p);
	ring_consumer_free(&w.engine[i].ring);
	w.engine[i].ring = ring_consumer_new(fd, &page);
	w.engine[i].asleep = false;
	assert_non_null(w.engine[i].ring);
	lane_give_ring(&w.lanes[i], p);
	lane_give_page(&w.lanes[i], page);
	replay_wake(w.replay);
}

static void
leave(unsigned i)
{
	replay_engine_gone(w.replay, i);
	lane_give_ring(&w.lanes[i], NULL);
	ring_consumer_free(&w.engine[i].ring);
	replay_wake(w.replay);
}

/* count frames of 1,000 bytes between hosts that fall on all workers; the last `lacking` bytes of the file
 * are missing. */
static void
setup(unsigned n, uint32_t count, size_t lacking)
{
	struct capture_file f;
	char why[256];

	memset(&w, 0, sizeof(w));
	w.n = n;
	w.status = -1;
	w.base = event_base_new();
	w.work = event_new(w.base, -1, 0, on_work, NULL);
	capture_file_begin(&f, false, false, NS, 101);
	for (uint32_t i = 0; i < count; i++) {
		uint8_t b[1000] = { 0x45, 0, 1000 >> 8, 1000 & 0xff, 0, 0, 0, 0, 64, 253 };

		b[15] = (uint8_t)(i % 64);
		b[19] = (uint8_t)(i % 7);
		capture_file_frame_of(&f, (int64_t)(NS + i), b, sizeof(b));
	}
	w.file = file_open(capture_file_open(&f, f.len - lacking), why, sizeof(why));
	assert_non_null(w.file);
	capture_file_free(&f);
	for (unsigned i = 0; i < n; i++)
		lane_init(&w.lanes[i], 0);
	w.steer = n > 1 ? steer_new(n, false, 1) : NULL;
	w.replay = replay_new(w.base, w.file, w.steer, w.lanes, n, &handlers, NULL);
	on_work(-1, 0, NULL);
}

static void
teardown(void)
{
	replay_free(&w.replay);
	for (unsigned i = 0; i < w.n; i++) {
		lane_free(&w.lanes[i]);
		ring_consumer_free(&w.engine[i].ring);
	}
	steer_free(&w.steer);
	file_free(&w.file);
	event_free(w.work);
	event_base_free(w.base);
}

static void
check_complete(uint64_t count, bool truncated)
{
	uint64_t frames = 0;

	for (unsigned i = 0; i < w.n; i++) {
		assert_true(w.engine[i].ended);
		assert_int_equal(w.engine[i].end.frames, w.engine[i].frames);
		assert_int_equal(w.engine[i].end.bytes, w.engine[i].bytes);
		assert_int_equal(w.engine[i].end.truncated, truncated);
		frames += w.engine[i].frames;
		assert_int_equal(w.engine[i].begun, w.n > 1);
		assert_int_equal(w.engine[i].end.last_ns, w.n > 1 ? NS + count - 1 : 0);
		if (w.n > 1)
			assert_true(w.engine[i].frames > 0);
	}
	assert_int_equal(frames, count);
	assert_int_equal(w.endings, 1);
}

/* 20 MB through rings of 2 MiB. */
static void
check_pushed_back(unsigned n)
{
	setup(n, 20000, 0);
	for (unsigned i = 0; i < n; i++)
		attach(i);
	event_base_dispatch(w.base);
	assert_int_equal(w.status, EXIT_OK);
	check_complete(20000, false);
	/* But for what opening the file had read. */
	assert_true(n > 1 || w.engine[0].in_blocks > 19000);
	teardown();
}

static void
test_rings_push_back(void **state)
{
	(void)state;
	check_pushed_back(1);
	check_pushed_back(WORKERS);
}

static void
test_truncated(void **state)
{
	(void)state;
	setup(2, 500, 1);
	attach(0);
	attach(1);
	event_base_dispatch(w.base);
	assert_int_equal(w.status, EXIT_FILE_TRUNCATED);
	check_complete(499, true);
	teardown();
}

/* Turns the loop until nothing but the engines' own timer is left to do. */
static void
turn(int times)
{
	for (int i = 0; i < times; i++)
		event_base_loop(w.base, EVLOOP_ONCE);
}

static void
test_waits_for_every_engine(void **state)
{
	(void)state;
	setup(2, 500, 0);
	attach(0);
	turn(50);
	assert_int_equal(w.lanes[0].now[LANE_FRAMES], 0);
	assert_int_equal(w.status, -1);
	leave(0); /* it had nothing: no failure */
	turn(10);
	assert_int_equal(w.status, -1);
	attach(1);
	attach(0);
	event_base_dispatch(w.base);
	assert_int_equal(w.status, EXIT_OK);
	check_complete(500, false);
	teardown();
}

static void
test_engine_leaves_in_the_middle(void **state)
{
	(void)state;
	setup(2, 20000, 0);
	attach(0);
	attach(1);
	w.engine[1].stalled = true;
	while (w.lanes[1].now[LANE_FRAMES] == 0)
		turn(1);
	leave(1);
	assert_int_equal(w.status, EXIT_FAILED);
	teardown();
}

/* One that has taken everything may leave before the others are done; one that has not may not. */
static void
test_engine_leaves_at_the_end(void **state)
{
	(void)state;
	setup(2, 500, 0);
	attach(0);
	attach(1);
	w.engine[1].stalled = true;
	while (!w.engine[0].ended)
		turn(1);
	turn(5);
	leave(0);
	assert_int_equal(w.status, -1);
	w.engine[1].stalled = false;
	event_base_dispatch(w.base);
	assert_int_equal(w.status, EXIT_OK);
	check_complete(500, false);
	teardown();

	setup(1, 500, 0);
	attach(0);
	w.engine[0].stalled = true;
	while (w.endings == 0)
		turn(1);
	turn(5);
	assert_int_equal(w.status, -1);
	leave(0);
	assert_int_equal(w.status, EXIT_FAILED);
	teardown();
}

static void
test_no_frames(void **state)
{
	(void)state;
	setup(1, 0, 0);
	attach(0);
	event_base_dispatch(w.base);
	assert_int_equal(w.status, EXIT_OK);
	check_complete(0, false);
	teardown();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rings_push_back),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_waits_for_every_engine),
		cmocka_unit_test(test_engine_leaves_in_the_middle),
		cmocka_unit_test(test_engine_leaves_at_the_end),
		cmocka_unit_test(test_no_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
