/* What other processes count: taken from whose it is, added up over restarts, shown to the platform alone. */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/counters.h"
#include "store_world.h"
#include "told_counters.h"

static struct world *w;

static int
setup(void **state)
{
	(void)state;
	w = world_new((uint64_t)64 << 20, 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static bool
told(enum proc from, enum proc whose, int64_t start, enum process_counter c, uint64_t n)
{
	struct wire_counters m = { .proc = (uint32_t)whose, .start_ns = start };

	m.n[c] = n;
	return told_counters_take(&w->s->told, from, 0, &m);
}

static void
each_tells_its_own(void **state)
{
	struct wire_counters other = { .proc = PROC_DIAL, .instance = 3, .start_ns = 1 },
			     command = { .proc = PROC_WEIR, .instance = 1, .start_ns = 1 },
			     capture = { .proc = PROC_CAPTURE, .start_ns = 1 };

	(void)state;
	assert_true(told(PROC_DIAL, PROC_DIAL, 1, COUNTED_DIAL_REFUSED, 1));
	assert_true(told(PROC_AUTHD, PROC_AUTHD, 1, COUNTED_AUTHD_THROTTLED, 1));
	assert_true(told(PROC_AUTHD, PROC_DIRECTORY, 1, COUNTED_DIRECTORY_KILLED, 1));
	assert_false(told(PROC_DIAL, PROC_AUTHD, 1, COUNTED_AUTHD_THROTTLED, 1));
	assert_false(told(PROC_DIAL, PROC_DIRECTORY, 1, COUNTED_DIRECTORY_KILLED, 1));
	assert_false(told(PROC_AUTHD, PROC_DIAL, 1, COUNTED_DIAL_REFUSED, 1));
	assert_false(told(PROC_DIAL, PROC_DIAL, 1, COUNTED_AUTHD_THROTTLED, 1));
	assert_true(told(PROC_ENGINE, PROC_CAPTURE, 1, COUNTED_CAPTURE_CHANNEL_BROKEN, 2));
	assert_true(told(PROC_WEIR, PROC_KEY, 1, COUNTED_KEY_CHANNEL_BROKEN, 3));
	assert_true(told(PROC_WEIR, PROC_WEIR, 1, COUNTED_WEIR_CHANNEL_BROKEN, 4));
	assert_false(told(PROC_ENGINE, PROC_KEY, 1, COUNTED_KEY_CHANNEL_BROKEN, 3));
	assert_false(told(PROC_WEIR, PROC_CAPTURE, 1, COUNTED_CAPTURE_CHANNEL_BROKEN, 2));
	/* A command line is no launcher, and the second engine not the first. */
	assert_false(told_counters_take(&w->s->told, PROC_WEIR, 1, &command));
	assert_false(told_counters_take(&w->s->told, PROC_ENGINE, 1, &capture));
	capture.instance = BOOT_POINTS_MAX;
	assert_false(told_counters_take(&w->s->told, PROC_ENGINE, 0, &capture));
	assert_false(told_counters_take(&w->s->told, PROC_DIAL, 0, &other));
	assert_int_equal(told_counters_sum(&w->s->told, COUNTED_AUTHD_THROTTLED), 1);
	assert_int_equal(told_counters_sum(&w->s->told, COUNTED_DIAL_REFUSED), 1);
}

static void
a_restart_loses_nothing(void **state)
{
	struct wire_counters second = { .proc = PROC_HTTPD, .instance = 1, .start_ns = 9 };

	(void)state;
	assert_true(told(PROC_HTTPD, PROC_HTTPD, 5, COUNTED_HTTPD_CHANNEL_BROKEN, 3));
	assert_true(told(PROC_HTTPD, PROC_HTTPD, 5, COUNTED_HTTPD_CHANNEL_BROKEN, 4)); /* it goes on */
	assert_int_equal(told_counters_sum(&w->s->told, COUNTED_HTTPD_CHANNEL_BROKEN), 4);
	/* Another, which has counted as much by the time that it tells. */
	assert_true(told(PROC_HTTPD, PROC_HTTPD, 6, COUNTED_HTTPD_CHANNEL_BROKEN, 4));
	assert_int_equal(told_counters_sum(&w->s->told, COUNTED_HTTPD_CHANNEL_BROKEN), 8);
	second.n[COUNTED_HTTPD_CHANNEL_BROKEN] = 100;
	assert_true(told_counters_take(&w->s->told, PROC_HTTPD, 1, &second));
	assert_int_equal(told_counters_sum(&w->s->told, COUNTED_HTTPD_CHANNEL_BROKEN), 108);
	second.n[COUNTED_HTTPD_CHANNEL_BROKEN] = UINT64_MAX;
	assert_true(told_counters_take(&w->s->told, PROC_HTTPD, 1, &second));
	assert_true(told_counters_sum(&w->s->told, COUNTED_HTTPD_CHANNEL_BROKEN) == UINT64_MAX);
}

static void
counter_is(uint32_t tenant, const char *place, enum counter_class class, uint64_t count)
{
	struct wire_question q = world_question(ASK_COUNTERS);
	const char *text;
	uint64_t n = 0;

	assert_int_equal(world_ask(w, tenant, &q), ANSWER_OK);
	for (uint32_t i = 0; i < w->nrows; i++) {
		const struct row_counter *c = world_row(w, i, sizeof(*c), &text);

		if (c->name_len != strlen(place) || memcmp(text, place, c->name_len) != 0)
			continue;
		assert_int_equal(c->class_, class);
		n += c->count;
	}
	assert_int_equal(n, count);
}

static void
the_platform_sees_them(void **state)
{
	(void)state;
	assert_true(told(PROC_AUTHD, PROC_DIRECTORY, 1, COUNTED_DIRECTORY_KILLED, 7));
	assert_true(told(PROC_AUTHD, PROC_AUTHD, 1, COUNTED_AUTHD_THROTTLED, 5));
	counter_is(TENANT_PLATFORM, "directory.attempts_late", COUNTER_DROP, 7);
	counter_is(TENANT_PLATFORM, "authd.logins_throttled", COUNTER_INFO, 5);
	counter_is(ALPHA, "directory.attempts_late", COUNTER_DROP, 0);
	counter_is(ALPHA, "authd.logins_throttled", COUNTER_INFO, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_tells_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(a_restart_loses_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(the_platform_sees_them, setup, teardown),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
