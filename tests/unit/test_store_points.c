/* Series: chunks are lossless, and whatever is added, in whatever order, over restarts, kills and folds, is
 * answered as a naive reference would. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "history_parts.h"
#include "series_code.h"
#include "series_pack.h"
#include "series_parts.h"
#include "store_world.h"

#define BASE   INT64_C(1699999200) /* a whole hour */
#define HOURS  5
#define LENGTH (HOURS * 3600)

static struct history *h;
static struct names *names;
static struct batch batch;
static struct history_limits limits;
static char dir[64];
static uint64_t seed;

static uint64_t
draw(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

/* Of any size, small ones as often as large ones. */
static uint64_t
draw_number(unsigned bits)
{
	uint64_t n = draw(bits + 1);

	return n == 0 ? 0 : draw(UINT64_MAX) >> (64 - n);
}

static void
open_history(void)
{
	h = world_history(&limits, &names);
}

static void
close_history(void)
{
	history_close(&h);
	names_free(&names);
}

static int
setup(void **state)
{
	(void)state;
	str_copy(dir, sizeof(dir), "/dev/shm/weir-points-test-XXXXXX");
	if (mkdtemp(dir) == NULL || chdir(dir) != 0)
		return -1;
	limits = (struct history_limits){ .size = 256 << 20, .keep_flows_ns = 1000 * 86400 * NS_PER_S };
	for (unsigned i = 0; i < ARRAY_LEN(limits.keep_ns); i++)
		limits.keep_ns[i] = 10000 * 86400 * NS_PER_S;
	seed = UINT64_C(0x243f6a8885a308d3);
	batch_init(&batch, 8 << 20, 65536);
	open_history();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (h != NULL)
		close_history();
	batch_free(&batch);
	world_delete_files();
	return chdir("/") != 0 || rmdir(dir) != 0;
}

static void
commit(int64_t now_s)
{
	char why[HISTORY_WHY_MAX];

	assert_int_equal(history_write(h, &batch, now_s * NS_PER_S, why), DB_OK);
	batch_reset(&batch);
}

static void
add(const struct series_key *k, int64_t second, bool by_minute, const struct series_value *v)
{
	uint32_t last = 0;

	assert_true(by_minute ? batch_add_minute(&batch, k, &last, second / 60, v)
			      : batch_add_second(&batch, k, &last, second, v));
}

/* --- batches
 * ---------------------------------------------------------------------------------------------------
 */

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
			uint32_t k = (uint32_t)draw(SERIES), at = (uint32_t)draw(TIMES),
				 kind = (uint32_t)draw(2);
			struct series_key key = { k % 4, SERIES_APPLICATION + k % 2, k / 2 };
			struct series_value v = { .in_bytes = 1 + draw(1000) };
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

/* --- codes, chunks, packs
 * ---------------------------------------------------------------------------------------------------
 */

static void
codes_are_lossless(void **state)
{
	static uint64_t v[2000], back[2000];

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		uint32_t count[CODE_CLASSES] = { 0 }, n = 1 + (uint32_t)draw(2000);
		unsigned bits = (unsigned)draw(65);
		struct bytes out = { 0 };
		struct code c;

		for (uint32_t i = 0; i < n; i++) {
			/* Also weights that would make the longest codes. */
			v[i] = round % 3 == 0
				   ? UINT64_C(1) << __builtin_ctzll(draw(UINT64_MAX) | UINT64_C(1) << 40)
				   : draw_number(bits);
			count[code_class(v[i])]++;
		}

		uint64_t promised = code_make(&c, count);

		code_put(&c, v, n, &out);
		assert_int_equal(out.len, (promised + 7) / 8);

		struct rcur r = rcur_of(out.p, out.len);

		assert_true(code_get(&r, back, n));
		assert_int_equal(rcur_left(&r), 0);
		assert_memory_equal(v, back, n * sizeof(*v));
		r = rcur_of(out.p, out.len - 1);
		assert_false(out.len > 1 && code_get(&r, back, n) && rcur_left(&r) == 0 &&
			     memcmp(v, back, n * sizeof(*v)) == 0 && c.least != c.most);
		bytes_free(&out);
	}
}

static void
draw_value(struct series_value *v, unsigned bits)
{
	v->in_bytes = draw_number(bits);
	v->out_bytes = draw(3) == 0 ? 0 : draw_number(bits);
	v->in_packets = draw_number(bits);
	v->out_packets = draw(3) == 0 ? 0 : draw_number(bits);
}

static uint32_t
draw_points(unsigned resolution, int64_t span, struct chunk_point *p)
{
	const uint32_t points = chunk_resolutions[resolution].points;
	unsigned bits = (unsigned)draw(65), gaps = (unsigned)draw(5), kind = (unsigned)draw(3);
	uint32_t n = 0;

	for (int64_t b = span * points; b < (span + 1) * points; b++) {
		if (gaps > 0 && draw(1 + gaps * gaps * 4) != 0 && !(n == 0 && b == (span + 1) * points - 1))
			continue;
		memset(&p[n], 0, sizeof(p[n]));
		p[n].bucket = b;
		p[n].finest_s = kind == 0 || (kind == 2 && draw(2) == 0) ? 1 : 60;
		p[n].minutes = chunk_resolutions[resolution].seconds <= 60 ? 1 : (uint32_t)draw(60);
		draw_value(&p[n].sum, bits);
		p[n].sum.flows_max = draw(100);
		if (kind > 0 && resolution == CHUNK_MINUTES) {
			p[n].least = p[n].most = p[n].sum;
			p[n].least.flows_max = 0;
		} else {
			draw_value(&p[n].least, bits);
			draw_value(&p[n].most, bits);
		}
		p[n].most.flows_max = p[n].sum.flows_max;
		n++;
	}
	return n;
}

static void
chunks_are_lossless(void **state)
{
	static struct chunk_point p[CHUNK_POINTS_MAX], back[CHUNK_POINTS_MAX];
	struct chunk_work *w = chunk_work_new();
	struct bytes out = { 0 };

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		unsigned resolution = (unsigned)draw(CHUNK_RESOLUTIONS);
		int64_t span = (int64_t)draw(30000);
		uint32_t n = draw_points(resolution, span, p);

		out.len = 0;
		chunk_encode(w, resolution, span, p, n, &out);
		assert_int_equal(chunk_decode(w, resolution, span, out.p, out.len, back), n);
		assert_memory_equal(p, back, n * sizeof(*p));
		for (unsigned cut = 0; cut < 8 && cut < out.len; cut++)
			assert_int_equal(chunk_decode(w, resolution, span, out.p, draw(out.len), back), 0);
		for (unsigned i = 0; i < 8; i++) { /* damaged: anything but a crash */
			out.p[draw(out.len)] ^= (uint8_t)(1 << draw(8));
			(void)chunk_decode(w, resolution, span, out.p, out.len, back);
		}
	}
	bytes_free(&out);
	chunk_work_free(&w);
}

static void
packs_give_back_what_they_got(void **state)
{
	struct pack_writer w = { 0 };
	struct series_key key[500], k;
	const uint8_t *chunk, *bytes;
	uint8_t *copy;
	struct pack p;
	size_t len, n;

	(void)state;
	pack_begin(&w);
	for (uint32_t i = 0; i < 500; i++) {
		key[i] = (struct series_key){ i / 100 * 1000, 1 + i / 20 % 5, i % 20 * 0x0ccccccc };
		pack_add(&w, &key[i], (const uint8_t *)&key[i], 1 + i % sizeof(key[i]));
	}
	bytes = pack_end(&w, &len);
	assert_true(pack_open(&p, bytes, len));
	for (uint32_t i = 0; i < 500; i++) {
		assert_true(pack_next(&p, &k, &chunk, &n));
		assert_int_equal(series_key_compare(&k, &key[i]), 0);
		assert_int_equal(n, 1 + i % sizeof(key[i]));
		assert_memory_equal(chunk, &key[i], n);
	}
	assert_false(pack_next(&p, &k, &chunk, &n));
	assert_true(pack_open(&p, bytes, len) && pack_find(&p, &key[321], &chunk, &n));
	assert_memory_equal(chunk, &key[321], n);
	k = (struct series_key){ 1000, 1, 1 };
	assert_true(pack_open(&p, bytes, len));
	assert_false(pack_find(&p, &k, &chunk, &n));
	copy = mem_calloc(len, 1);
	for (size_t i = 0; i < len; i += 97) {
		memcpy(copy, bytes, len);
		copy[i] ^= 1;
		assert_false(pack_open(&p, copy, len));
	}
	free(copy);
	pack_writer_free(&w);
}

/* --- against a reference
 * ---------------------------------------------------------------------------------------------------
 */

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
	for (int64_t s = at_s - BASE; s < at_s - BASE + resolution_s; s++) {
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
	if (e->series != LATE && e->at_s >= BASE && e->at_s + e->resolution_s <= BASE + LENGTH) {
		const struct series_value *v = &truth[e->series][e->at_s - BASE];
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

	assert_int_equal(history_series(h, &k, resolution_s, from_s, to_s, check_point, &e), DB_OK);
	for (; e.at_s < to_s; e.at_s += resolution_s)
		assert_false(sum_of(series, e.at_s, resolution_s, &sum));
}

static void
check_all(int64_t now_s)
{
	static const uint32_t resolutions[] = { 60, 300, 3600, 86400, 120, 600, 7200 };

	for (unsigned i = 0; i < SERIES; i++)
		for (size_t r = 0; r < ARRAY_LEN(resolutions); r++) {
			check(i, resolutions[r], BASE - 86400, now_s + 1);
			check(i, resolutions[r], BASE + (int64_t)draw(LENGTH), now_s - (int64_t)draw(1000));
		}
}

static void
add_some(unsigned series, int64_t now_s)
{
	const struct series_key k = key_of(series);
	bool by_minute = series >= BY_SECOND;
	struct series_value v = { 0 };
	int64_t second = now_s - (int64_t)draw(4), at;

	if (series == LATE && draw(4) == 0)
		second -= (int64_t)draw(7200);
	if (second < BASE)
		return;
	draw_value(&v, 40);
	v.in_packets |= 1;
	v.flows_max = draw(50);
	at = second - BASE;
	series_value_add(&truth[series][by_minute ? at / 60 * 60 : at], &v);
	add(&k, second, by_minute, &v);
}

static void
tidy_somewhat(void)
{
	if (draw(3) != 0)
		return;
	for (uint64_t n = draw(20); n > 0 && history_tidy(h); n--)
		;
}

/* Added to in pieces, read at any time, store dying at any time (what it has in memory is never told to it).
 */
static void
series_are_as_a_reference_says(void **state)
{
	(void)state;
	truth = mem_calloc(SERIES, sizeof(*truth));
	for (int64_t t = 0; t < LENGTH; t += 1 + (int64_t)draw(5)) {
		int64_t now = BASE + t;

		/* The last one is mostly idle. */
		for (unsigned i = 0; i < SERIES; i++)
			for (uint64_t n = draw(3); n > 0; n--)
				if (i != LATE - 1 || draw(300) == 0)
					add_some(i, now);
		commit(now);
		tidy_somewhat();
		if (draw(700) == 0) {
			close_history();
			open_history();
		}
		if (draw(800) == 0)
			check_all(now);
	}
	check_all(BASE + LENGTH - 1);
	while (history_tidy(h))
		;
	assert_true(h->series->state.folded > 100); /* most of it went through chunks */
	assert_int_equal(series_store_fold(h->series), DB_OK);
	check_all(BASE + LENGTH - 1);
	close_history();
	open_history();
	check_all(BASE + LENGTH - 1);
	assert_int_equal(series_store_damaged(h->series), 0);
	free(truth);
}

/* --- single matters
 * ---------------------------------------------------------------------------------------------------------
 */

struct total {
	struct series_value sum, most, least;
	unsigned points;
	int64_t first_s;
	uint32_t finest_s;
};

static bool
total_add(void *ctx, const struct series_point *p)
{
	struct total *t = ctx;

	series_value_add(&t->sum, &p->sum);
	t->most = p->most;
	t->least = p->least;
	t->finest_s = p->finest_s;
	if (t->points++ == 0)
		t->first_s = p->time_s;
	return true;
}

static struct total
total(const struct series_key *k, uint32_t resolution_s)
{
	struct total t = { 0 };

	assert_int_equal(history_series(h, k, resolution_s, 0, INT64_MAX, total_add, &t), DB_OK);
	return t;
}

static void
seconds_are_kept_for_an_hour(void **state)
{
	const struct series_key k = { 1, 1, 0 };
	struct series_value v = { .in_bytes = 10, .in_packets = 1 };

	(void)state;
	for (int64_t i = 0; i < 2 * 3600; i += 2) {
		add(&k, BASE + i, false, &v);
		commit(BASE + i);
	}
	struct total t = total(&k, 1);

	assert_true(t.points >= 1770 && t.points <= 1830);
	assert_true(t.first_s >= BASE + 3600 - 60);
	assert_int_equal(total(&k, 60).sum.in_packets, 3600);

	/* What comes for a second that is over is a part of it. */
	v.in_bytes = 1000;
	add(&k, BASE + 7000, false, &v);
	commit(BASE + 7300);
	t = (struct total){ 0 };
	assert_int_equal(history_series(h, &k, 1, BASE + 7000, BASE + 7001, total_add, &t), DB_OK);
	assert_int_equal(t.sum.in_bytes, 1010);
	t = (struct total){ 0 };
	assert_int_equal(history_series(h, &k, 60, BASE + 6960, BASE + 7020, total_add, &t), DB_OK);
	assert_int_equal(t.most.in_bytes, 1010);
	assert_int_equal(t.sum.in_bytes, 1300);

	close_history(); /* seconds are in memory only */
	open_history();
	assert_true(total(&k, 1).points < 180);
	assert_int_equal(total(&k, 60).sum.in_packets, 3601);
}

static void
seconds_of_too_many_series_are_counted(void **state)
{
	const struct series_value v = { .in_bytes = 10, .in_packets = 1 };
	struct series_key k = { 1, 1, 0 };

	(void)state;
	for (; k.number < OPEN_RINGS_MAX + 5; k.number++)
		add(&k, BASE, false, &v);
	commit(BASE);
	assert_int_equal(history_seconds_refused(h), 5);
	k.number = 0;
	assert_int_equal(total(&k, 1).points, 1);
	k.number = OPEN_RINGS_MAX + 1;
	assert_int_equal(total(&k, 1).points, 0);
	assert_int_equal(total(&k, 60).sum.in_bytes, 10);
	assert_int_equal(total(&k, 60).finest_s, 60);
}

/* A minute that lies far ahead is not waited for, and does not hold up the journal. */
static void
times_that_are_far_ahead(void **state)
{
	const struct series_key k = { 1, 1, 0 };
	const struct series_value v = { .in_bytes = 10, .in_packets = 1 };

	(void)state;
	add(&k, BASE + 1000 * 86400, false, &v);
	add(&k, BASE, false, &v);
	add(&k, -5, false, &v);
	add(&k, INT64_MAX, false, &v);
	commit(BASE);
	for (int i = 1; i < 5; i++) {
		add(&k, BASE + 30 * i, false, &v);
		commit(BASE + 30 * i);
	}
	close_history();
	open_history();
	assert_int_equal(total(&k, 60).sum.in_packets, 6);
	assert_int_equal(series_store_fold(h->series), DB_OK);
	close_history();
	open_history();
	assert_int_equal(total(&k, 60).sum.in_packets, 6);
	assert_int_equal(total(&k, 86400).sum.in_packets, 6);
}

static void
what_is_too_old_goes(void **state)
{
	const struct series_key k = { 1, 1, 0 };
	const struct series_value v = { .in_bytes = 10, .in_packets = 1 };
	const int64_t day = 86400;

	(void)state;
	limits.keep_ns[CHUNK_MINUTES] = 2 * day * NS_PER_S;
	limits.keep_ns[CHUNK_FIVE_MINUTES] = 10 * day * NS_PER_S;
	close_history();
	open_history();
	for (int64_t d = 0; d < 20; d++) {
		add(&k, BASE + d * day, true, &v);
		commit(BASE + d * day);
		commit(BASE + d * day + 120);
		assert_int_equal(series_store_fold(h->series), DB_OK);
	}
	commit(BASE + 20 * day);
	commit(BASE + 20 * day + 60);
	assert_in_range(total(&k, 60).points, 2, 4);
	assert_in_range(total(&k, 300).points, 9, 14);
	assert_int_equal(total(&k, 3600).points, 20);
	assert_int_equal(total(&k, 86400).points, 20);
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
			add(&k[i], BASE + d * day, true, &v);
		commit(BASE + d * day);
	}
	commit(BASE + 20 * day);
	assert_int_equal(series_store_fold(h->series), DB_OK);
	series_store_tenants(h->series, &keep, 1);
	while (history_tidy(h))
		;
	assert_in_range(total(&k[1], 60).points, 4, 6);
	assert_in_range(total(&k[1], 3600).points, 4, 15); /* ten days are a chunk */
	/* Each resolution for its own time. */
	keep.keep_s[CHUNK_MINUTES] = -1;
	series_store_tenants(h->series, &keep, 1);
	while (history_tidy(h))
		;
	assert_int_equal(total(&k[1], 60).points, 0);
	assert_in_range(total(&k[1], 3600).points, 4, 15);
	for (int i = 0; i < 3; i += 2) {
		assert_int_equal(total(&k[i], 60).points, 20);
		assert_int_equal(total(&k[i], 86400).points, 20);
	}
	for (unsigned r = 0; r < CHUNK_RESOLUTIONS; r++)
		keep.keep_s[r] = -1;
	series_store_tenants(h->series, &keep, 1);
	while (history_tidy(h))
		;
	assert_int_equal(total(&k[1], 60).points, 0);
	assert_int_equal(total(&k[1], 86400).points, 0);
	assert_int_equal(total(&k[0], 86400).points, 20);
	/* What comes again finds its place. */
	for (int i = 0; i < 3; i++)
		add(&k[i], BASE + 20 * day, true, &v);
	commit(BASE + 20 * day + 120);
	series_store_tenants(h->series, NULL, 0);
	assert_int_equal(series_store_fold(h->series), DB_OK);
	assert_int_equal(total(&k[1], 60).points, 1);
	assert_int_equal(total(&k[2], 60).points, 21);
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
			add(&k[i], BASE + d * 3600, true, &v);
		commit(BASE + d * 3600 + 120);
		if (d == 2)
			assert_int_equal(series_store_fold(h->series), DB_OK);
	}
	series_store_went(h->series, is_two, NULL);
	while (history_tidy(h))
		;
	assert_int_equal(series_store_fold(h->series), DB_OK);
	assert_int_equal(total(&k[1], 60).points, 0);
	assert_int_equal(total(&k[1], 86400).points, 0);
	assert_int_equal(total(&k[0], 60).points, 4);
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

		add(&k, BASE + 300 * (int64_t)i, true, &v);
	}
	commit(BASE + 40000);
	assert_int_equal(history_series_percentile(h, &k, 300, BASE + 300, BASE + 300 * 101, 95, &p), DB_OK);
	assert_int_equal(p.buckets, 100);
	assert_int_equal(p.in_bytes, 95000);
	assert_int_equal(p.out_bytes, 5 * 95);
	assert_int_equal(p.bytes, 95000 + 5 * 6);
	/* Buckets without traffic count. */
	assert_int_equal(history_series_percentile(h, &k, 300, BASE + 300, BASE + 300 * 201, 95, &p), DB_OK);
	assert_int_equal(p.buckets, 200);
	assert_int_equal(p.in_bytes, 90000);
	assert_int_equal(history_series_percentile(h, &k, 300, BASE + 300, BASE + 300 * 2001, 95, &p), DB_OK);
	assert_int_equal(p.in_bytes, 0);
	assert_int_equal(history_series_percentile(h, &k, 300, BASE + 300, BASE + 300 * 2001, 100, &p),
			 DB_OK);
	assert_int_equal(p.in_bytes, 100000);
}

/* A damaged pack is left out and counted; other stretches of time are there. */
static void
damage_is_left_out(void **state)
{
	const struct series_value v = { .in_bytes = 10, .in_packets = 1 };
	const struct series_key k = { 1, 1, 7 }, first = { 0 };
	const int64_t day = 86400, span = BASE / day;
	struct series_db_key at = series_pack_key(CHUNK_MINUTES, span, &first, false);
	struct db_bytes bytes;
	uint64_t forgotten, damaged;
	struct db_txn x;
	uint8_t copy[256];

	(void)state;
	add(&k, BASE, true, &v);
	add(&k, BASE + day, true, &v);
	commit(BASE + 2 * day);
	assert_int_equal(series_store_fold(h->series), DB_OK);
	assert_int_equal(total(&k, 60).points, 2);
	db_begin(h->series->db, &x, true);
	assert_true(db_get(&x, DB_ONLY, series_bytes(&at), &bytes));
	assert_true(bytes.n < sizeof(copy));
	memcpy(copy, bytes.p, bytes.n);
	copy[bytes.n - 1] ^= 1;
	db_put(&x, DB_ONLY, series_bytes(&at), (struct db_bytes){ copy, bytes.n });
	assert_int_equal(db_end(&x), DB_OK);
	assert_int_equal(total(&k, 60).points, 1);
	history_counts(h, &forgotten, &damaged);
	assert_int_equal(damaged, 1);
	assert_int_equal(total(&k, 3600).points, 2);
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

			v.in_bytes = draw(1 << 20);
			add(&k, BASE + 60 * m, true, &v);
		}
		commit(BASE + 60 * m);
		if (m % 10 == 9)
			assert_int_equal(series_store_fold(h->series), DB_OK);
	}
	commit(BASE + 60 * 42);
	assert_int_equal(series_store_fold(h->series), DB_OK);
	for (uint32_t i = 0; i < 3000; i += 13) {
		struct series_key k = { i % 7, 1 + i % 3, i };

		assert_int_equal(total(&k, 60).points, 40);
		assert_int_equal(total(&k, 3600).sum.in_packets, 40);
	}
}

/* --- readers beside the writer
 * --------------------------------------------------------------------------------------------------
 */

static _Atomic uint64_t written; /* packets of each series that are committed */
static _Atomic bool over;

static uint64_t
packets(const struct series_key *k, uint32_t resolution_s)
{
	struct total t = { 0 };

	/* In a thread that cmocka does not know, nothing may fail but by what it returns. */
	if (history_series(h, k, resolution_s, 0, INT64_MAX, total_add, &t) != DB_OK)
		return UINT64_MAX;
	return t.sum.in_packets;
}

static uint64_t
begin_at(void *ctx)
{
	return *(const uint64_t *)ctx;
}

static size_t
open_points(struct series_open *o, const struct series_key *k, uint64_t seen)
{
	struct chunk_point *p;
	size_t n;

	series_open_read(o, k, 0, INT64_MAX, begin_at, &seen, &p, &n);
	free(p);
	return n;
}

/* Whose transaction has the chunks of what is over does not get it a second time, whose has not does; and
 * what could not be written stays. */
static void
a_transaction_says_what_is_where(void **state)
{
	struct series_record r = { .key = { 1, 1, 7 }, .kind = RECORD_MINUTE, .p = { .bucket = 100 } };
	struct series_open *o = series_open_new();
	struct series_open_list l = { 0 };
	struct bytes out = { 0 };
	uint32_t n;

	(void)state;
	r.p.sum.in_packets = 1;
	series_open_take(o, &r, 1);
	assert_int_equal(open_points(o, &r.key, 1), 1);
	series_open_over(o, 101, &out, &n);
	assert_int_equal(n, 1);
	series_open_close(o);
	assert_int_equal(open_points(o, &r.key, 1), 1);
	series_open_list(o, NULL, &l);
	assert_int_equal(l.n, 1);
	series_open_folding(o, l.series, l.n, 9);
	assert_int_equal(open_points(o, &r.key, 8), 1);
	assert_int_equal(open_points(o, &r.key, 9), 0);
	assert_int_equal(open_points(o, &r.key, 10), 0);
	series_open_folding(o, l.series, l.n, 0);
	assert_int_equal(open_points(o, &r.key, 10), 1);
	series_open_folding(o, l.series, l.n, 11);
	series_open_folded(o, l.series, l.n);
	assert_int_equal(open_points(o, &r.key, 10), 0);
	free(l.series);
	bytes_free(&out);
	series_open_free(&o);
}

/* Looks at series while they go from minutes to blocks to chunks: all that is committed is there, once. */
static void *
look(void *arg)
{
	static const uint32_t resolutions[] = { 60, 300, 3600, 86400 };
	uint64_t *wrong = arg;

	for (unsigned i = 0; !atomic_load(&over); i++) {
		const struct series_key k = { 1, 1, i % 50 };
		uint64_t before = atomic_load(&written), have = packets(&k, resolutions[i % 4]),
			 after = atomic_load(&written);

		if (have < before || have > after + 1)
			++*wrong;
	}
	return NULL;
}

static void
readers_see_all_of_it_once(void **state)
{
	const struct series_value v = { .in_packets = 1, .in_bytes = 100 };
	uint64_t wrong[2] = { 0 };
	pthread_t reader[2];

	(void)state;
	atomic_store(&over, false);
	atomic_store(&written, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&reader[i], NULL, look, &wrong[i]), 0);
	for (int64_t t = 0; t < 4000; t++) {
		for (uint32_t i = 0; i < 50; i++) {
			const struct series_key k = { 1, 1, i };

			add(&k, BASE + t * 20, i % 2 == 0, &v);
		}
		commit(BASE + t * 20);
		atomic_fetch_add(&written, 1);
		(void)history_tidy(h);
	}
	atomic_store(&over, true);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(reader[i], NULL), 0);
	assert_true(h->series->state.folded > 100);
	assert_int_equal(wrong[0] + wrong[1], 0);
}

/* --- kills
 * ---------------------------------------------------------------------------------------------------------------
 */

#define KILLS     25
#define COMMIT_MS 20000 /* no commit takes as long */

/* Commits a packet a second, for a moment each, and says how many there are. Never returns. */
static void
commit_on(int fd, uint64_t done)
{
	const struct series_key second = { 1, 1, 0 }, minute = { 2, 1, 0 };
	const struct series_value v = { .in_packets = 1, .in_bytes = 100 };

	open_history();
	for (;; done++) {
		int64_t now = BASE + (int64_t)done * 7;

		add(&second, now, false, &v);
		add(&minute, now, true, &v);
		commit(now);
		while (history_tidy(h))
			;
		if (write(fd, &(uint64_t){ done + 1 }, sizeof(done)) != sizeof(done))
			_exit(1);
	}
}

/* Once it has said that it committed some, and a moment later. */
static uint64_t
run_and_kill(uint64_t done, uint64_t commits, int64_t microseconds)
{
	const uint64_t enough = done + commits;
	struct pollfd said;
	uint64_t got;
	int fd[2], status;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fd[0]);
		commit_on(fd[1], done);
	}
	close(fd[1]);
	said = (struct pollfd){ .fd = fd[0], .events = POLLIN };
	while (done < enough && poll(&said, 1, COMMIT_MS) == 1 &&
	       read(fd[0], &got, sizeof(got)) == sizeof(got))
		done = got;
	usleep((useconds_t)microseconds);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	while (read(fd[0], &got, sizeof(got)) == sizeof(got))
		done = got;
	close(fd[0]);
	assert_true(done >= enough);
	return done;
}

/* What was committed is there once, whenever store is killed; at most the commit that was under way is too.
 */
static void
kills_lose_nothing(void **state)
{
	const struct series_key second = { 1, 1, 0 }, minute = { 2, 1, 0 };
	uint64_t done = 0;

	(void)state;
	close_history();
	for (unsigned i = 0; i < KILLS; i++) {
		uint64_t commits = i % 5 == 0 ? 0 : 31 + draw(60); /* some are killed as they begin */

		done = run_and_kill(done, commits, (int64_t)draw(5000));
		open_history();

		uint64_t have = total(&second, 60).sum.in_packets;

		assert_in_range(have, done, done + 1);
		assert_int_equal(total(&minute, 60).sum.in_packets, have);
		assert_int_equal(total(&second, 3600).sum.in_packets, have);
		assert_int_equal(total(&minute, 300).sum.in_packets, have);
		assert_int_equal(total(&minute, 86400).sum.in_bytes, have * 100);
		done = have;
		close_history();
	}
	assert_true(done > 600); /* there were folds */
	open_history();
	assert_true(h->series->state.folded > 0);
}

/* --- format 2
 * ---------------------------------------------------------------------------------------------------------------
 */

/* A chunk as format 2 wrote it: every point i has i + 1 packets of 100 bytes, 50 bytes in its busiest second.
 */
static void
put_old(struct db_txn *x, uint8_t resolution, int64_t chunk, uint32_t tenant, uint8_t points)
{
	uint8_t key[18], bytes[400] = { 1, points };
	struct wcur k = wcur_of(key, sizeof(key)), v = wcur_of(bytes + 2, sizeof(bytes) - 2);

	wcur_u8(&k, resolution);
	wcur_be64(&k, (uint64_t)chunk);
	wcur_be32(&k, tenant);
	wcur_u8(&k, 1);
	wcur_be32(&k, 9);
	for (uint8_t i = 0; i < points; i++) {
		wcur_u8(&v, i > 0);
		wcur_u8(&v, 100);
		wcur_u8(&v, (uint8_t)(i + 1));
		wcur_u8(&v, 50);
		wcur_u8(&v, 1);
		wcur_u8(&v, 3);
	}
	db_put(x, DB_OLD_SERIES, (struct db_bytes){ key, sizeof(key) },
	       (struct db_bytes){ bytes, 2 + wcur_len(&v) });
}

static void
format_2_is_brought_over(void **state)
{
	static const uint32_t format = 2;
	const struct series_key k = { 3, 1, 9 };
	const struct series_value v = { .in_bytes = 7, .in_packets = 1 };
	struct db_txn x;
	struct total t;

	(void)state;
	db_begin(h->db, &x, true);
	db_make(&x, DB_OLD_SERIES);
	put_old(&x, 0, BASE / 60, 3, 60);
	for (int i = 0; i < 3; i++)
		for (uint32_t tenant = 1; tenant < 5; tenant++)
			put_old(&x, 1, BASE / 3600 + i, tenant, 60);
	for (int i = 0; i < 2; i++)
		put_old(&x, 2, BASE / 86400 - 1 + i, 3, 24);
	put_old(&x, 1, BASE / 3600 + 9, 3, 61); /* damaged */
	db_put(&x, DB_META, (struct db_bytes){ "format", sizeof("format") },
	       (struct db_bytes){ &format, sizeof(format) });
	assert_int_equal(db_end(&x), DB_OK);
	/* As if the older Weir had left it, and an upgrade had died. */
	add(&k, BASE, true, &v);
	close_history();
	open_history();
	assert_false(db_has(h->db, DB_OLD_SERIES));
	t = total(&k, 60);
	assert_int_equal(t.points, 180);
	assert_int_equal(t.first_s, BASE);
	assert_int_equal(t.sum.in_packets, 3 * 60 * 61 / 2);
	assert_int_equal(t.most.in_bytes, 50);
	assert_int_equal(total(&k, 300).points, 36);
	assert_int_equal(total(&k, 300).sum.in_packets, 3 * 60 * 61 / 2);
	t = total(&k, 3600);
	assert_int_equal(t.points, 48);
	assert_int_equal(t.sum.in_packets, 2 * 24 * 25 / 2);
	assert_int_equal(total(&k, 86400).points, 2);
	assert_int_equal(total(&k, 86400).sum.flows_max, 3);
	close_history();
	open_history();
	assert_int_equal(total(&k, 60).points, 180);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_time_of_a_series_is_one_delta),
		TEST(codes_are_lossless),
		TEST(chunks_are_lossless),
		TEST(packs_give_back_what_they_got),
		TEST(series_are_as_a_reference_says),
		TEST(seconds_are_kept_for_an_hour),
		TEST(seconds_of_too_many_series_are_counted),
		TEST(times_that_are_far_ahead),
		TEST(what_is_too_old_goes),
		TEST(tenants_keep_less),
		TEST(a_tenant_goes),
		TEST(percentiles),
		TEST(damage_is_left_out),
		TEST(packs_divide),
		TEST(a_transaction_says_what_is_where),
		TEST(readers_see_all_of_it_once),
		TEST(kills_lose_nothing),
		TEST(format_2_is_brought_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
