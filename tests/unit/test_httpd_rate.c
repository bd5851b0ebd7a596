/* Quotas by the minute: what slides, when there is something left again, and what headers say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "rate.h"
#include "tally.h"

static int64_t
at(int64_t ms)
{
	return (INT64_C(1000) * RATE_WINDOW_S * 1000 + ms) * NS_PER_MS;
}

static struct rate
rate_of(const struct tally *t, const char *whose, uint32_t quota)
{
	return (struct rate){ .name = "token",
			      .hash = rate_hash(t, "token", whose, strlen(whose)),
			      .quota = quota };
}

static void
take(struct tally *t, struct rate *r, unsigned n, int64_t when)
{
	for (unsigned i = 0; i < n; i++) {
		assert_true(rate_look(t, r, when));
		rate_count(t, r, when);
	}
}

static void
a_quota(void **state)
{
	struct tally *t = tally_new(-1, 0, 1);
	struct rate a = rate_of(t, "a", 10), b = rate_of(t, "b", 10), free_ = rate_of(t, "a", 0);

	(void)state;
	take(t, &a, 10, at(0));
	assert_false(rate_look(t, &a, at(0)));
	assert_int_equal(a.left, 0);
	/* Nine of ten may be counted when a tenth of the next minute is over. */
	assert_int_equal(a.retry_after_s, 66);
	assert_int_equal(a.reset_s, 60);
	assert_true(rate_look(t, &b, at(0)));
	assert_int_equal(b.left, 10);
	assert_true(rate_look(t, &free_, at(0)));
	tally_free(&t);
}

/* When retry_after_s says, and not a second before: wherever in a minute, however it was used. */
static void
retry_after(void **state)
{
	struct tally *t;

	(void)state;
	for (unsigned quota = 1; quota < 40; quota += 7)
		for (int64_t begin = 0; begin < 60000; begin += 7700) {
			struct rate a;
			int64_t then;

			t = tally_new(-1, 0, 1);
			a = rate_of(t, "a", quota);
			take(t, &a, quota / 2, at(begin - 30000));
			while (rate_look(t, &a, at(begin)))
				rate_count(t, &a, at(begin));
			assert_int_not_equal(a.retry_after_s, 0);
			then = begin + a.retry_after_s * INT64_C(1000);
			assert_true(rate_look(t, &a, at(then)));
			assert_false(rate_look(t, &a, at(then - 1001)) && then - 1001 > begin);
			tally_free(&t);
		}
}

static void
the_minute_slides(void **state)
{
	struct tally *t = tally_new(-1, 0, 1);
	struct rate a = rate_of(t, "a", 60);

	(void)state;
	take(t, &a, 60, at(59000));
	assert_false(rate_look(t, &a, at(60500))); /* no second quota where minutes meet */
	assert_true(rate_look(t, &a, at(90000)));
	assert_int_equal(a.left, 30);
	take(t, &a, 30, at(90000));
	assert_false(rate_look(t, &a, at(90000)));
	assert_true(rate_look(t, &a, at(300000)));
	assert_int_equal(a.left, 60);
	tally_free(&t);
}

/* Ten thousand others push nobody out, and hold nobody back. */
static void
crowds(void **state)
{
	struct tally *t = tally_new(-1, 0, 1);
	struct rate a = rate_of(t, "a", 100), quiet = rate_of(t, "quiet", 100);
	char name[16];

	(void)state;
	take(t, &a, 100, at(0));
	for (unsigned i = 0; i < 10000; i++) {
		memcpy(name, &i, sizeof(i));

		struct rate other = { .hash = rate_hash(t, "token", name, sizeof(i)), .quota = 100 };

		for (unsigned k = 0; k < 10; k++)
			rate_count(t, &other, at(1));
	}
	assert_false(rate_look(t, &a, at(2)));
	assert_true(rate_look(t, &quiet, at(2)));
	assert_true(quiet.left >= 70);
	tally_free(&t);
}

static void
headers(void **state)
{
	struct tally *t = tally_new(-1, 0, 1);
	struct rate rates[3] = { rate_of(t, "x", 1000), rate_of(t, "y", 10), rate_of(t, "z", 0) };
	char policy[RATE_HEADER_MAX], limit[RATE_HEADER_MAX];

	(void)state;
	rates[0].name = "address";
	rates[2].name = "tenant";
	take(t, &rates[0], 1, at(15000));
	take(t, &rates[1], 4, at(15000));
	for (unsigned i = 0; i < 3; i++)
		assert_true(rate_look(t, &rates[i], at(15000)));
	rate_headers(rates, 3, policy, limit);
	assert_string_equal(policy, "\"address\";q=1000;w=60, \"token\";q=10;w=60");
	assert_string_equal(limit, "\"token\";r=6;t=45");
	rate_headers(rates + 2, 1, policy, limit);
	assert_string_equal(policy, "");
	assert_string_equal(limit, "");
	tally_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_quota), cmocka_unit_test(retry_after),
					    cmocka_unit_test(the_minute_slides), cmocka_unit_test(crowds),
					    cmocka_unit_test(headers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
