/* The ring, both sides in one process: order, padding, full and empty, wake-ups, carry-over. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/ring.h"

static void
pair(struct ring_producer **p, struct ring_consumer **c)
{
	int fd = -1, page = -1;

	*p = ring_producer_new(1, &fd);
	assert_non_null(*p);
	*c = ring_consumer_new(fd, &page);
	assert_non_null(*c);
	assert_true(ring_producer_attach(*p, page));
}

static bool
put(struct ring_producer *p, uint32_t n, size_t len)
{
	uint8_t *to = ring_reserve(p, len);

	if (to == NULL)
		return false;
	memset(to, (int)n, len);
	memcpy(to, &n, len < sizeof(n) ? len : sizeof(n));
	ring_commit(p, (uint16_t)(n % 7 + 1), len);
	return true;
}

static uint8_t buf[RING_ENTRY_MAX];

static void
expect(struct ring_consumer *c, uint32_t n, size_t len)
{
	uint16_t kind;
	uint32_t got;

	assert_int_equal(ring_take(c, buf, sizeof(buf), &kind, &got), 1);
	assert_int_equal(kind, n % 7 + 1);
	assert_int_equal(got, len);
	if (len >= sizeof(n))
		assert_memory_equal(buf, &n, sizeof(n));
}

static void
empty(struct ring_consumer *c)
{
	uint16_t kind;
	uint32_t got;

	assert_int_equal(ring_take(c, buf, sizeof(buf), &kind, &got), 0);
}

static void
entries_come_in_order_through_every_wrap(void **state)
{
	struct ring_producer *p;
	struct ring_consumer *c;
	uint32_t in = 0, out = 0;

	(void)state;
	pair(&p, &c);
	for (int round = 0; round < 200; round++) {
		size_t len = (size_t)(round * 331 % 60000);

		while (put(p, in, (len + in) % RING_ENTRY_MAX))
			in++;
		empty(c); /* nothing is seen before it is published */
		(void)ring_publish(p);
		for (; out < in; out++)
			expect(c, out, (len + out) % RING_ENTRY_MAX);
		empty(c);
		assert_null(ring_reserve(p, RING_ENTRY_MAX)); /* taken, but not given back */
		ring_release(c, ring_position(c));
	}
	assert_true(in > 1000);
	assert_int_equal(ring_producer_used(p), 0);
	assert_false(ring_producer_lied(p));
	ring_producer_free(&p);
	ring_consumer_free(&c);
}

static void
a_sleeper_is_woken_once(void **state)
{
	struct ring_producer *p;
	struct ring_consumer *c;

	(void)state;
	pair(&p, &c);
	assert_true(put(p, 1, 10));
	assert_false(ring_publish(p)); /* it does not sleep */
	assert_false(ring_sleep(c));   /* there is something */
	expect(c, 1, 10);
	assert_true(ring_sleep(c));
	assert_true(put(p, 2, 10));
	assert_true(ring_publish(p));
	assert_true(put(p, 3, 10));
	assert_false(ring_publish(p)); /* one nudge is under way */
	expect(c, 2, 10);
	expect(c, 3, 10);
	assert_true(ring_sleep(c));
	assert_false(ring_publish(p)); /* nothing new */
	assert_true(put(p, 4, 10));
	assert_true(ring_publish(p));
	ring_producer_free(&p);
	ring_consumer_free(&c);
}

static void
a_waiting_producer_is_woken_once(void **state)
{
	struct ring_producer *p;
	struct ring_consumer *c;
	uint64_t first;

	(void)state;
	pair(&p, &c);
	assert_true(put(p, 1, 10));
	(void)ring_publish(p);
	expect(c, 1, 10);
	first = ring_position(c);
	while (put(p, 1, 1000))
		;
	(void)ring_publish(p);
	assert_true(ring_wait_for_room(p));
	assert_true(ring_release(c, first));
	expect(c, 1, 1000);
	assert_false(ring_release(c, ring_position(c))); /* nudged for this wish already */
	assert_false(ring_wait_for_room(p));             /* room came meanwhile */
	assert_true(put(p, 1, 500));
	ring_producer_free(&p);
	ring_consumer_free(&c);
}

static void
a_new_consumer_gets_what_was_not_released(void **state)
{
	struct ring_producer *p, *q;
	struct ring_consumer *c, *d;
	uint64_t acknowledged = 0;
	int fd, page;

	(void)state;
	pair(&p, &c);
	for (uint32_t i = 0; i < 100; i++)
		assert_true(put(p, i, 100 + i));
	(void)ring_publish(p);
	for (uint32_t i = 0; i < 60; i++) {
		expect(c, i, 100 + i);
		if (i == 39)
			acknowledged = ring_position(c);
	}
	(void)ring_release(c, acknowledged);
	for (uint32_t i = 100; i < 110; i++)
		assert_true(put(p, i, 100 + i)); /* committed, not published when the consumer died */
	ring_consumer_free(&c);

	q = ring_producer_new(1, &fd);
	d = ring_consumer_new(fd, &page);
	assert_true(ring_producer_attach(q, page));
	assert_int_equal(ring_carry_over(q, p), 0);
	ring_producer_free(&p);
	(void)ring_publish(q);
	for (uint32_t i = 40; i < 110; i++)
		expect(d, i, 100 + i);
	empty(d);
	ring_producer_free(&q);
	ring_consumer_free(&d);
}

static void
wrong_memory_is_refused(void **state)
{
	const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
	int page, fd;
	struct ring_producer *p = ring_producer_new(1, &fd);

	(void)state;
	close(fd);
	/* no memfd at all, no seals, one seal missing, wrong size, wrong magic */
	assert_null(ring_consumer_new(open("/dev/null", O_RDONLY | O_CLOEXEC), &page));
	assert_int_equal(errno, EBADMSG);
	for (int missing = 0; missing < 5; missing++) {
		static const int one[] = { F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_FUTURE_WRITE, F_SEAL_SEAL, 0 };

		fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		assert_int_equal(ftruncate(fd, 4096 + (2 << 20)), 0);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, all & ~one[missing]), 0);
		assert_null(ring_consumer_new(fd, &page));
		assert_int_equal(errno, EBADMSG);
		fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		assert_int_equal(ftruncate(fd, missing == 4 ? 8192 : 4096), 0);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, all & ~one[missing]), 0);
		assert_false(ring_producer_attach(p, fd));
	}
	ring_producer_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_in_order_through_every_wrap),
		cmocka_unit_test(a_sleeper_is_woken_once),
		cmocka_unit_test(a_waiting_producer_is_woken_once),
		cmocka_unit_test(a_new_consumer_gets_what_was_not_released),
		cmocka_unit_test(wrong_memory_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
