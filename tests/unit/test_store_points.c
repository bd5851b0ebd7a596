/* Points of series: whatever is added, in whatever order, over restarts and folds, is answered as a naive
 * reference would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "history_parts.h"
#include "series_pack.h"
#include "series_parts.h"
#include "series_rig.h"

#define HOURS  5
#define LENGTH (HOURS * 3600)

/* However their times come, a series has one delta of each in a batch. */
static void
a_time_of_a_series_is_one_delta(void **state)
{
	enum { SERIES = 40, TIMES = 60, ADDS = 20000 };
	static uint64_t sum[SERIES][TIMES][2];
	struct batch b;
	uint32_t last[SERIES], times = 0, full = 0;

	(void)state;
	batch_init(&b, 1 << 20, SERIES * TIMES * 2 - 100);
	for (int round = 0; round < 2; round++) {
		memset(sum, 0, sizeof(sum));
		memset(last, 0, sizeof(last));
		for (int i = 0; i < ADDS; i++) {
			uint32_t k = (uint32_t)rig_draw(SERIES), at = (uint32_t)rig_draw(TIMES),
				 kind = (uint32_t)rig_draw(2);
			struct series_key key = { k % 4, SERIES_APPLICATION + k % 2, k / 2 };
			struct series_value v = { .in_bytes = 1 + rig_draw(1000) };
			uint32_t n = b.ndelta;
			bool added = kind == 0 ? batch_add_second(&b, &key, &last[k], 60 * at, &v)
					       : batch_add_minute(&b, &key, &last[k], at, &v);

			assert_true(added || (b.ndelta == b.delta_max && sum[k][at][kind] == 0));
			assert_int_equal(b.ndelta - n, added && sum[k][at][kind] == 0);
			sum[k][at][kind] += added ? v.in_bytes : 0;
			full += !added;
		}
		times = 0;
		for (uint32_t i = 0; i < b.ndelta; i++) {
			const struct batch_delta *d = &b.delta[i];
			uint32_t k = d->key.number * 2 + (d->key.subject - SERIES_APPLICATION);

			assert_int_equal(d->v.in_bytes, sum[k][d->second / 60][d->span_s == 60]);
			times++;
		}
		assert_int_equal(times, b.delta_max);
		batch_reset(&b);
	}
	assert_true(full > 0);
	batch_free(&b);
}

enum { BY_SECOND = 3, SERIES = 8, LATE = SERIES - 1 };

static struct series_value (*truth)[LENGTH]; /* by second; of series by the minute: at its first */

static struct series_key
key_of(unsigned i)
{
	return (struct series_key){ 1 + i / 4, 1 + i % 4, i * 1000003 };
}

struct expected {
	int64_t from_s, to_s, at_s;
	uint32_t resolution_s;
	unsigned series;
	unsigned points;
};

static struct series_value
least_of(const struct series_value *v, bool most, int64_t n, int64_t step)
{
	struct series_value r = v[0];

	for (int64_t i = 0; i < n; i += step) {
#define TAKE(f) r.f = (v[i].f > r.f) == most ? v[i].f : r.f;
		TAKE(in_bytes)
		TAKE(out_bytes)
		TAKE(in_packets)
		TAKE(out_packets)
#undef TAKE
	}
	return r;
}

/* The bucket's sum; false where nothing is in it. */
static bool
sum_of(unsigned series, int64_t at_s, uint32_t resolution_s, struct series_value *sum)
{
	bool any = false;

	*sum = (struct series_value){ 0 };
	for (int64_t s = at_s - RIG_BASE; s < at_s - RIG_BASE + resolution_s; s++) {
		if (s < 0 || s >= LENGTH)
			continue;
		any = any || truth[series][s].in_packets != 0;
		series_value_add(sum, &truth[series][s]);
	}
	return any;
}

static void
assert_same(const struct series_value *a, const struct series_value *b)
{
	assert_int_equal(a->in_bytes, b->in_bytes);
	assert_int_equal(a->out_bytes, b->out_bytes);
	assert_int_equal(a->in_packets, b->in_packets);
	assert_int_equal(a->out_packets, b->out_packets);
}

static bool
check_point(void *ctx, const struct series_point *p)
{
	struct expected *e = ctx;
	struct series_value sum;

	while (!sum_of(e->series, e->at_s, e->resolution_s, &sum)) {
		e->at_s += e->resolution_s;
		assert_true(e->at_s < e->to_s);
	}
	assert_int_equal(p->time_s, e->at_s);
	assert_same(&p->sum, &sum);
	assert_int_equal(p->sum.flows_max, sum.flows_max);
	assert_int_equal(p->bytes, sum.in_bytes + sum.out_bytes);
	if (e->series != LATE && e->at_s >= RIG_BASE && e->at_s + e->resolution_s <= RIG_BASE + LENGTH) {
		const struct series_value *v = &truth[e->series][e->at_s - RIG_BASE];
		int64_t step = e->series < BY_SECOND ? 1 : 60;
		struct series_value least = least_of(v, false, e->resolution_s, step),
				    most = least_of(v, true, e->resolution_s, step);

		assert_int_equal(p->finest_s, step);
		assert_same(&p->most, &most);
		assert_same(&p->least, &least);
	}
	e->at_s += e->resolution_s;
	e->points++;
	return true;
}

static void
check(unsigned series, uint32_t resolution_s, int64_t from_s, int64_t to_s)
{
	const struct series_key k = key_of(series);
	struct expected e = { from_s,       to_s,   (from_s + resolution_s - 1) / resolution_s * resolution_s,
			      resolution_s, series, 0 };
	struct series_value sum;

	assert_int_equal(history_series(rig.h, &k, resolution_s, from_s, to_s, check_point, &e), DB_OK);
	for (; e.at_s < to_s; e.at_s += resolution_s)
		assert_false(sum_of(series, e.at_s, resolution_s, &sum));
}

static void
check_all(int64_t now_s)
{
	static const uint32_t resolutions[] = { 60, 300, 3600, 86400, 120, 600, 7200 };

	for (unsigned i = 0; i < SERIES; i++)
		for (size_t r = 0; r < ARRAY_LEN(resolutions); r++) {
			check(i, resolutions[r], RIG_BASE - 86400, now_s + 1);
			check(i, resolutions[r], RIG_BASE + (int64_t)rig_draw(LENGTH),
			      now_s - (int64_t)rig_draw(1000));
		}
}

static void
add_some(unsigned series, int64_t now_s)
{
	const struct series_key k = key_of(series);
	bool by_minute = series >= BY_SECOND;
	struct series_value v = { 0 };
	int64_t second = now_s - (int64_t)rig_draw(4), at;

	if (series == LATE && rig_draw(4) == 0)
		second -= (int64_t)rig_draw(7200);
	if (second < RIG_BASE)
		return;
	rig_draw_value(&v, 40);
	v.in_packets |= 1;
	v.flows_max = rig_draw(50);
	at = second - RIG_BASE;
	series_value_add(&truth[series][by_minute ? at / 60 * 60 : at], &v);
	rig_add(&k, second, by_minute, &v);
}

static void
tidy_somewhat(void)
{
	if (rig_draw(3) != 0)
		return;
	for (uint64_t n = rig_draw(20); n > 0 && history_tidy(rig.h); n--)
		;
}

/* Added to in pieces, read at any time, store dying at any time (what it has in memory is never told to it).
 */
static void
series_are_as_a_reference_says(void **state)
{
	(void)state;
	truth = mem_calloc(SERIES, sizeof(*truth));
	for (int64_t t = 0; t < LENGTH; t += 1 + (int64_t)rig_draw(5)) {
		int64_t now = RIG_BASE + t;

		/* The last one is mostly idle. */
		for (unsigned i = 0; i < SERIES; i++)
			for (uint64_t n = rig_draw(3); n > 0; n--)
				if (i != LATE - 1 || rig_draw(300) == 0)
					add_some(i, now);
		rig_commit(now);
		tidy_somewhat();
		if (rig_draw(700) == 0) {
			rig_close();
			rig_open();
		}
		if (rig_draw(800) == 0)
			check_all(now);
	}
	check_all(RIG_BASE + LENGTH - 1);
	while (history_tidy(rig.h))
		;
	assert_true(rig.h->series->state.folded > 100); /* most of it went through chunks */
	assert_int_equal(series_store_fold(rig.h->series), DB_OK);
	check_all(RIG_BASE + LENGTH - 1);
	rig_close();
	rig_open();
	check_all(RIG_BASE + LENGTH - 1);
	assert_int_equal(series_store_damaged(rig.h->series), 0);
	free(truth);
}

/* A minute that lies far ahead is not waited for, and does not hold up the journal. */
static void
times_that_are_far_ahead(void **state)
{
	const struct series_key k = { 1, 1, 0 };
	const struct series_value v = { .in_bytes = 10, .in_packets = 1 };

	(void)state;
	rig_add(&k, RIG_BASE + 1000 * 86400, false, &v);
	rig_add(&k, RIG_BASE, false, &v);
	rig_add(&k, -5, false, &v);
	rig_add(&k, INT64_MAX, false, &v);
	rig_commit(RIG_BASE);
	for (int i = 1; i < 5; i++) {
		rig_add(&k, RIG_BASE + 30 * i, false, &v);
		rig_commit(RIG_BASE + 30 * i);
	}
	rig_close();
	rig_open();
	assert_int_equal(rig_total(&k, 60).sum.in_packets, 6);
	assert_int_equal(series_store_fold(rig.h->series), DB_OK);
	rig_close();
	rig_open();
	assert_int_equal(rig_total(&k, 60).sum.in_packets, 6);
	assert_int_equal(rig_total(&k, 86400).sum.in_packets, 6);
}

static void
percentiles(void **state)
{
	const struct series_key k = { 1, 1, 0 };
	struct series_percentile p;

	(void)state;
	for (uint64_t i = 1; i <= 100; i++) {
		const struct series_value v = { .in_bytes = 1000 * i,
						.out_bytes = 5 * (101 - i),
						.in_packets = 1 };

		rig_add(&k, RIG_BASE + 300 * (int64_t)i, true, &v);
	}
	rig_commit(RIG_BASE + 40000);
	assert_int_equal(
	    history_series_percentile(rig.h, &k, 300, RIG_BASE + 300, RIG_BASE + 300 * 101, 95, &p), DB_OK);
	assert_int_equal(p.buckets, 100);
	assert_int_equal(p.in_bytes, 95000);
	assert_int_equal(p.out_bytes, 5 * 95);
	assert_int_equal(p.bytes, 95000 + 5 * 6);
	/* Buckets without traffic count. */
	assert_int_equal(
	    history_series_percentile(rig.h, &k, 300, RIG_BASE + 300, RIG_BASE + 300 * 201, 95, &p), DB_OK);
	assert_int_equal(p.buckets, 200);
	assert_int_equal(p.in_bytes, 90000);
	assert_int_equal(
	    history_series_percentile(rig.h, &k, 300, RIG_BASE + 300, RIG_BASE + 300 * 2001, 95, &p), DB_OK);
	assert_int_equal(p.in_bytes, 0);
	assert_int_equal(
	    history_series_percentile(rig.h, &k, 300, RIG_BASE + 300, RIG_BASE + 300 * 2001, 100, &p), DB_OK);
	assert_int_equal(p.in_bytes, 100000);
}

/* A damaged pack is left out and counted; other stretches of time are there. */
static void
damage_is_left_out(void **state)
{
	const struct series_value v = { .in_bytes = 10, .in_packets = 1 };
	const struct series_key k = { 1, 1, 7 }, first = { 0 };
	const int64_t day = 86400, span = RIG_BASE / day;
	struct series_db_key at = series_pack_key(CHUNK_MINUTES, span, &first, false);
	struct db_bytes bytes;
	uint64_t forgotten, damaged;
	struct db_txn x;
	uint8_t copy[256];

	(void)state;
	rig_add(&k, RIG_BASE, true, &v);
	rig_add(&k, RIG_BASE + day, true, &v);
	rig_commit(RIG_BASE + 2 * day);
	assert_int_equal(series_store_fold(rig.h->series), DB_OK);
	assert_int_equal(rig_total(&k, 60).points, 2);
	db_begin(rig.h->series->db, &x, true);
	assert_true(db_get(&x, DB_ONLY, series_bytes(&at), &bytes));
	assert_true(bytes.n < sizeof(copy));
	memcpy(copy, bytes.p, bytes.n);
	copy[bytes.n - 1] ^= 1;
	db_put(&x, DB_ONLY, series_bytes(&at), (struct db_bytes){ copy, bytes.n });
	assert_int_equal(db_end(&x), DB_OK);
	assert_int_equal(rig_total(&k, 60).points, 1);
	history_counts(rig.h, &forgotten, &damaged);
	assert_int_equal(damaged, 1);
	assert_int_equal(rig_total(&k, 3600).points, 2);
}

/* Many series in one stretch of time: packs divide, and each series is found. */
static void
packs_divide(void **state)
{
	struct series_value v = { .in_packets = 1 };

	(void)state;
	for (int64_t m = 0; m < 40; m++) {
		for (uint32_t i = 0; i < 3000; i++) {
			struct series_key k = { i % 7, 1 + i % 3, i };

			v.in_bytes = rig_draw(1 << 20);
			rig_add(&k, RIG_BASE + 60 * m, true, &v);
		}
		rig_commit(RIG_BASE + 60 * m);
		if (m % 10 == 9)
			assert_int_equal(series_store_fold(rig.h->series), DB_OK);
	}
	rig_commit(RIG_BASE + 60 * 42);
	assert_int_equal(series_store_fold(rig.h->series), DB_OK);
	for (uint32_t i = 0; i < 3000; i += 13) {
		struct series_key k = { i % 7, 1 + i % 3, i };

		assert_int_equal(rig_total(&k, 60).points, 40);
		assert_int_equal(rig_total(&k, 3600).sum.in_packets, 40);
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_begin, rig_end)
	const struct CMUnitTest tests[] = {
		TEST(a_time_of_a_series_is_one_delta),
		TEST(series_are_as_a_reference_says),
		TEST(times_that_are_far_ahead),
		TEST(percentiles),
		TEST(damage_is_left_out),
		TEST(packs_divide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
