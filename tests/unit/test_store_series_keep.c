/* How long points of series are kept: by resolution, by tenant, and seconds in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "history_parts.h"
#include "series_open.h"
#include "series_parts.h"
#include "series_rig.h"

static void
seconds_are_kept_for_an_hour(void **state)
{
	const struct series_key k = { 1, 1, 0 };
	struct series_value v = { .in_bytes = 10, .in_packets = 1 };

	(void)state;
	for (int64_t i = 0; i < 2 * 3600; i += 2) {
		rig_add(&k, RIG_BASE + i, false, &v);
		rig_commit(RIG_BASE + i);
	}
	struct rig_total t = rig_total(&k, 1);

	assert_true(t.points >= 1770 && t.points <= 1830);
	assert_true(t.first_s >= RIG_BASE + 3600 - 60);
	assert_int_equal(rig_total(&k, 60).sum.in_packets, 3600);

	/* What comes for a second that is over is a part of it. */
	v.in_bytes = 1000;
	rig_add(&k, RIG_BASE + 7000, false, &v);
	rig_commit(RIG_BASE + 7300);
	t = (struct rig_total){ 0 };
	assert_int_equal(history_series(rig.h, &k, 1, RIG_BASE + 7000, RIG_BASE + 7001, rig_total_add, &t),
			 DB_OK);
	assert_int_equal(t.sum.in_bytes, 1010);
	t = (struct rig_total){ 0 };
	assert_int_equal(history_series(rig.h, &k, 60, RIG_BASE + 6960, RIG_BASE + 7020, rig_total_add, &t),
			 DB_OK);
	assert_int_equal(t.most.in_bytes, 1010);
	assert_int_equal(t.sum.in_bytes, 1300);

	rig_close(); /* seconds are in memory only */
	rig_open();
	assert_true(rig_total(&k, 1).points < 180);
	assert_int_equal(rig_total(&k, 60).sum.in_packets, 3601);
}

static void
seconds_of_too_many_series_are_counted(void **state)
{
	const struct series_value v = { .in_bytes = 10, .in_packets = 1 };
	struct series_key k = { 1, 1, 0 };

	(void)state;
	for (; k.number < OPEN_RINGS_MAX + 5; k.number++)
		rig_add(&k, RIG_BASE, false, &v);
	rig_commit(RIG_BASE);
	assert_int_equal(history_seconds_refused(rig.h), 5);
	k.number = 0;
	assert_int_equal(rig_total(&k, 1).points, 1);
	k.number = OPEN_RINGS_MAX + 1;
	assert_int_equal(rig_total(&k, 1).points, 0);
	assert_int_equal(rig_total(&k, 60).sum.in_bytes, 10);
	assert_int_equal(rig_total(&k, 60).finest_s, 60);
}

/* What traffic or an exporter can make any number of leaves room for what there are few of. */
static void
seconds_of_many_leave_some_for_the_few(void **state)
{
	static const uint32_t many[] = { SERIES_APPLICATION, SERIES_EXPORTER_INTERFACE };
	const struct series_value v = { .in_bytes = 10, .in_packets = 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		for (struct series_key k = { 1, many[i], 0 }; k.number < OPEN_RINGS_MAX / 2; k.number++)
			rig_add(&k, RIG_BASE, false, &v);
	rig_commit(RIG_BASE);
	assert_int_equal(history_seconds_refused(rig.h), OPEN_RINGS_OTHERS);
	for (struct series_key k = { 1, SERIES_TENANT, 0 }; k.tenant <= OPEN_RINGS_OTHERS; k.tenant++)
		rig_add(&k, RIG_BASE + 1, false, &v);
	rig_commit(RIG_BASE + 1);
	assert_int_equal(history_seconds_refused(rig.h), OPEN_RINGS_OTHERS);
}

static void
what_is_too_old_goes(void **state)
{
	const struct series_key k = { 1, 1, 0 };
	const struct series_value v = { .in_bytes = 10, .in_packets = 1 };
	const int64_t day = 86400;

	(void)state;
	rig.limits.keep_ns[CHUNK_MINUTES] = 2 * day * NS_PER_S;
	rig.limits.keep_ns[CHUNK_FIVE_MINUTES] = 10 * day * NS_PER_S;
	rig_close();
	rig_open();
	for (int64_t d = 0; d < 20; d++) {
		rig_add(&k, RIG_BASE + d * day, true, &v);
		rig_commit(RIG_BASE + d * day);
		rig_commit(RIG_BASE + d * day + 120);
		assert_int_equal(series_store_fold(rig.h->series), DB_OK);
	}
	rig_commit(RIG_BASE + 20 * day);
	rig_commit(RIG_BASE + 20 * day + 60);
	assert_in_range(rig_total(&k, 60).points, 2, 4);
	assert_in_range(rig_total(&k, 300).points, 9, 14);
	assert_int_equal(rig_total(&k, 3600).points, 20);
	assert_int_equal(rig_total(&k, 86400).points, 20);
}

/* Of two tenants in the same packs, one keeps less, then nothing; the other sees no difference. */
static void
tenants_keep_less(void **state)
{
	const struct series_key k[] = { { 1, 1, 0 }, { 2, 1, 0 }, { 3, 1, 0 } };
	const struct series_value v = { .in_bytes = 10, .in_packets = 1 };
	const int64_t day = 86400;
	struct history_keep keep = { 2, { 5 * day, 5 * day, 5 * day, 5 * day, 5 * day } };

	(void)state;
	for (int64_t d = 0; d < 20; d++) {
		for (int i = 0; i < 3; i++)
			rig_add(&k[i], RIG_BASE + d * day, true, &v);
		rig_commit(RIG_BASE + d * day);
	}
	rig_commit(RIG_BASE + 20 * day);
	assert_int_equal(series_store_fold(rig.h->series), DB_OK);
	series_store_tenants(rig.h->series, &keep, 1);
	while (history_tidy(rig.h))
		;
	assert_in_range(rig_total(&k[1], 60).points, 4, 6);
	assert_in_range(rig_total(&k[1], 3600).points, 4, 15); /* ten days are a chunk */
	/* Each resolution for its own time. */
	keep.keep_s[CHUNK_MINUTES] = -1;
	series_store_tenants(rig.h->series, &keep, 1);
	while (history_tidy(rig.h))
		;
	assert_int_equal(rig_total(&k[1], 60).points, 0);
	assert_in_range(rig_total(&k[1], 3600).points, 4, 15);
	for (int i = 0; i < 3; i += 2) {
		assert_int_equal(rig_total(&k[i], 60).points, 20);
		assert_int_equal(rig_total(&k[i], 86400).points, 20);
	}
	for (unsigned r = 0; r < CHUNK_RESOLUTIONS; r++)
		keep.keep_s[r] = -1;
	series_store_tenants(rig.h->series, &keep, 1);
	while (history_tidy(rig.h))
		;
	assert_int_equal(rig_total(&k[1], 60).points, 0);
	assert_int_equal(rig_total(&k[1], 86400).points, 0);
	assert_int_equal(rig_total(&k[0], 86400).points, 20);
	/* What comes again finds its place. */
	for (int i = 0; i < 3; i++)
		rig_add(&k[i], RIG_BASE + 20 * day, true, &v);
	rig_commit(RIG_BASE + 20 * day + 120);
	series_store_tenants(rig.h->series, NULL, 0);
	assert_int_equal(series_store_fold(rig.h->series), DB_OK);
	assert_int_equal(rig_total(&k[1], 60).points, 1);
	assert_int_equal(rig_total(&k[2], 60).points, 21);
}

static bool
is_two(const void *ctx, uint32_t tenant)
{
	(void)ctx;
	return tenant == 2;
}

/* Of a tenant that is gone nothing is left, neither in chunks nor of what was on its way there. */
static void
a_tenant_goes(void **state)
{
	const struct series_key k[] = { { 1, 1, 0 }, { 2, 1, 0 } };
	const struct series_value v = { .in_bytes = 10, .in_packets = 1 };

	(void)state;
	for (int64_t d = 0; d < 4; d++) {
		for (int i = 0; i < 2; i++)
			rig_add(&k[i], RIG_BASE + d * 3600, true, &v);
		rig_commit(RIG_BASE + d * 3600 + 120);
		if (d == 2)
			assert_int_equal(series_store_fold(rig.h->series), DB_OK);
	}
	series_store_went(rig.h->series, is_two, NULL);
	while (history_tidy(rig.h))
		;
	assert_int_equal(series_store_fold(rig.h->series), DB_OK);
	assert_int_equal(rig_total(&k[1], 60).points, 0);
	assert_int_equal(rig_total(&k[1], 86400).points, 0);
	assert_int_equal(rig_total(&k[0], 60).points, 4);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_begin, rig_end)
	const struct CMUnitTest tests[] = {
		TEST(seconds_are_kept_for_an_hour),
		TEST(seconds_of_too_many_series_are_counted),
		TEST(seconds_of_many_leave_some_for_the_few),
		TEST(what_is_too_old_goes),
		TEST(tenants_keep_less),
		TEST(a_tenant_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
