/* Chunks, packs and records of series as a damaged disk could hold them, with checks that hold by chance:
 * what can be read is written again, and is then the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "series_chunk.h"
#include "series_pack.h"
#include "series_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

#define SPAN      19675 /* a day of 2023 */
#define PACK_SEED UINT64_C(0x5765697253657269)

static struct chunk_work *work;
static struct chunk_point point[CHUNK_POINTS_MAX], again[CHUNK_POINTS_MAX];

static void
chunk(unsigned resolution, const uint8_t *d, size_t n)
{
	uint32_t points = chunk_decode(work, resolution, SPAN, d, n, point);
	struct bytes out = { 0 };

	if (points == 0)
		return;
	for (uint32_t i = 0; i < points; i++)
		assert(point[i].bucket / chunk_resolutions[resolution].points == SPAN &&
		       (i == 0 || point[i - 1].bucket < point[i].bucket));
	chunk_encode(work, resolution, SPAN, point, points, &out);
	assert(chunk_decode(work, resolution, SPAN, out.p, out.len, again) == points);
	assert(memcmp(point, again, points * sizeof(*point)) == 0);
	bytes_free(&out);
	(void)chunk_coarser(point, points, 60, 3600);
}

static void
pack(const uint8_t *d, size_t n)
{
	uint8_t *bytes = mem_calloc(n + 8, 1);
	struct wcur w = wcur_of(bytes, 8);
	struct series_key key;
	const uint8_t *p;
	struct pack k;
	size_t len, sum = 0;

	memcpy(bytes + 8, d, n);
	wcur_be64(&w, hash_bytes(bytes + 8, n, PACK_SEED));
	if (pack_open(&k, bytes, n + 8)) {
		for (; pack_next(&k, &key, &p, &len); sum += len)
			assert(p >= bytes && p + len <= bytes + n + 8);
		assert(sum <= n);
	}
	free(bytes);
}

static void
records(const uint8_t *d, size_t n)
{
	struct rcur c = rcur_of(d, n), back;
	struct record_place at = { 0 }, from = { 0 }, to = { 0 };
	struct series_record r, same;
	uint8_t bytes[RECORD_MAX];

	while (rcur_left(&c) > 0 && record_get(&c, &at, &r)) {
		struct wcur w = wcur_of(bytes, sizeof(bytes));

		record_put(&w, &from, &r);
		assert(!w.bad);
		back = rcur_of(bytes, wcur_len(&w));
		assert(record_get(&back, &to, &same) && rcur_left(&back) == 0);
		if (r.kind == RECORD_POINT)
			assert(memcmp(&r, &same, sizeof(r)) == 0);
		assert(series_key_compare(&r.key, &same.key) == 0 && r.p.bucket == same.p.bucket);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	if (work == NULL)
		work = chunk_work_new();
	if (n == 0)
		return 0;
	if (d[0] < CHUNK_RESOLUTIONS)
		chunk(d[0], d + 1, n - 1);
	else if (d[0] == CHUNK_RESOLUTIONS)
		pack(d + 1, n - 1);
	else
		records(d + 1, n - 1);
	return 0;
}
