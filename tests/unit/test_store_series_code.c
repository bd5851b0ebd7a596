/* How points of series are told on disk: codes, chunks and packs give back what they got, and damage is only
 * found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "series_chunk.h"
#include "series_code.h"
#include "series_pack.h"
#include "series_rig.h"

static void
codes_are_lossless(void **state)
{
	static uint64_t v[2000], back[2000];

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		uint32_t count[CODE_CLASSES] = { 0 }, n = 1 + (uint32_t)rig_draw(2000);
		unsigned bits = (unsigned)rig_draw(65);
		struct bytes out = { 0 };
		struct code c;

		for (uint32_t i = 0; i < n; i++) {
			/* Also weights that would make the longest codes. */
			v[i] = round % 3 == 0
				   ? UINT64_C(1) << __builtin_ctzll(rig_draw(UINT64_MAX) | UINT64_C(1) << 40)
				   : rig_draw_number(bits);
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

static uint32_t
draw_points(unsigned resolution, int64_t span, struct chunk_point *p)
{
	const uint32_t points = chunk_resolutions[resolution].points;
	unsigned bits = (unsigned)rig_draw(65), gaps = (unsigned)rig_draw(5), kind = (unsigned)rig_draw(3);
	uint32_t n = 0;

	for (int64_t b = span * points; b < (span + 1) * points; b++) {
		if (gaps > 0 && rig_draw(1 + gaps * gaps * 4) != 0 &&
		    !(n == 0 && b == (span + 1) * points - 1))
			continue;
		memset(&p[n], 0, sizeof(p[n]));
		p[n].bucket = b;
		p[n].finest_s = kind == 0 || (kind == 2 && rig_draw(2) == 0) ? 1 : 60;
		p[n].minutes = chunk_resolutions[resolution].seconds <= 60 ? 1 : (uint32_t)rig_draw(60);
		rig_draw_value(&p[n].sum, bits);
		p[n].sum.flows_max = rig_draw(100);
		if (kind > 0 && resolution == CHUNK_MINUTES) {
			p[n].least = p[n].most = p[n].sum;
			p[n].least.flows_max = 0;
		} else {
			rig_draw_value(&p[n].least, bits);
			rig_draw_value(&p[n].most, bits);
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
		unsigned resolution = (unsigned)rig_draw(CHUNK_RESOLUTIONS);
		int64_t span = (int64_t)rig_draw(30000);
		uint32_t n = draw_points(resolution, span, p);

		out.len = 0;
		chunk_encode(w, resolution, span, p, n, &out);
		assert_int_equal(chunk_decode(w, resolution, span, out.p, out.len, back), n);
		assert_memory_equal(p, back, n * sizeof(*p));
		for (unsigned cut = 0; cut < 8 && cut < out.len; cut++)
			assert_int_equal(chunk_decode(w, resolution, span, out.p, rig_draw(out.len), back),
					 0);
		for (unsigned i = 0; i < 8; i++) { /* damaged: anything but a crash */
			out.p[rig_draw(out.len)] ^= (uint8_t)(1 << rig_draw(8));
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

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_begin, rig_end)
	const struct CMUnitTest tests[] = {
		TEST(codes_are_lossless),
		TEST(chunks_are_lossless),
		TEST(packs_give_back_what_they_got),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
