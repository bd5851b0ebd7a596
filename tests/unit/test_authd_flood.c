/* Nobody fills the disk with failures, and none is left out of the counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "audit_flood.h"
#include "base/clock.h"

struct told {
	uint64_t entries, attempts, apart;
	bool refuse;
};

static bool
tell(void *ctx, const struct ip_addr *network, uint64_t count)
{
	struct told *t = ctx;

	if (t->refuse)
		return false;
	t->entries++;
	t->attempts += count;
	t->apart += network != NULL;
	return true;
}

static struct ip_addr
address(unsigned n)
{
	struct ip_addr a = { { 0x20, 0x01, 0x0d, 0xb8, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };

	return a;
}

/* A day of twenty attempts a second, each from a new address. */
static void
a_day_of_attack_is_bounded(void **state)
{
	static struct audit_flood f;
	struct told told = { 0 };
	uint64_t attempts = 0, written = 0;
	int64_t now = NS_PER_S;

	(void)state;
	flood_begin(&f, now);
	for (unsigned s = 0; s < 86400; s++, now += NS_PER_S) {
		for (unsigned i = 0; i < 20; i++) {
			struct ip_addr a = address(s * 20 + i);

			written += flood_admit(&f, &a, i % 2 == 0, now);
			attempts++;
		}
		if (flood_due(&f, now))
			flood_settle(&f, now, tell, &told);
	}
	flood_settle(&f, now, tell, &told);
	assert_int_equal(written + told.attempts, attempts);
	assert_true(written + told.entries <= FLOOD_BUDGET + 2 * 1441);
}

static void
few_are_written_one_by_one(void **state)
{
	static struct audit_flood f;
	struct told told = { 0 };
	struct ip_addr a = address(1);

	(void)state;
	flood_begin(&f, 1);
	for (int i = 0; i < 20; i++)
		assert_true(flood_admit(&f, &a, false, 1));
	assert_false(flood_due(&f, NS_PER_S * 1000));
	assert_false(flood_admit(&f, &a, true, NS_PER_S));
	assert_false(flood_due(&f, NS_PER_S * 60));
	assert_true(flood_due(&f, NS_PER_S * 61));
	flood_settle(&f, NS_PER_S * 61, tell, &told);
	assert_true(told.entries == 1 && told.attempts == 1 && told.apart == 1);
	assert_false(flood_due(&f, NS_PER_S * 1000));
}

/* A /64 is one client, and what could not be written is told later. */
static void
counts_are_kept_until_told(void **state)
{
	static struct audit_flood f;
	struct told told = { .refuse = true };
	int64_t now = NS_PER_S;

	(void)state;
	flood_begin(&f, now);
	for (unsigned i = 0; i < 100; i++) {
		struct ip_addr a = address(i % 40);

		a.b[15] = (uint8_t)i;
		assert_false(flood_admit(&f, &a, true, now));
	}
	flood_settle(&f, now, tell, &told);
	assert_int_equal(told.attempts, 0);
	told.refuse = false;
	assert_true(flood_due(&f, now + 60 * NS_PER_S));
	flood_settle(&f, now + 60 * NS_PER_S, tell, &told);
	assert_int_equal(told.attempts, 100);
	assert_int_equal(told.apart, FLOOD_ROWS);
	assert_int_equal(told.entries, FLOOD_ROWS + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_are_written_one_by_one),
		cmocka_unit_test(a_day_of_attack_is_bounded),
		cmocka_unit_test(counts_are_kept_until_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
