/* Rows and old chunks as a damaged disk could hold them: rows that can be read are written again the same
 * way. */
#include <assert.h>
#include <string.h>

#include "flow_row.h"
#include "series_old.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

static void
rows(const uint8_t *d, size_t n)
{
	struct kept_flow k = { .f.last_ns = INT64_C(1) << 60 }, again = { .f.last_ns = INT64_C(1) << 60 };
	uint8_t row[FLOW_ROW_MAX];

	if (!flow_row_decode(d, n, &k))
		return;
	assert(k.f.first_ns <= k.f.last_ns && k.f.slice_ns <= k.f.last_ns && k.f.first_ns >= 0);

	size_t len = flow_row_encode(&k.f, &k.texts, row);

	assert(len > 0 && flow_row_decode(row, len, &again));
	assert(memcmp(&k.f, &again.f, sizeof(k.f)) == 0);
}

static void
old_chunks(const uint8_t *d, size_t n)
{
	struct chunk_point p[OLD_CHUNK_POINTS];
	uint32_t points = n < 1 ? 0 : old_chunk_decode(d[0] % 3, 1000, d + 1, n - 1, p);

	for (uint32_t i = 1; i < points; i++)
		assert(p[i].bucket > p[i - 1].bucket);
}

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	if (n > 0 && d[0] & 1)
		rows(d + 1, n - 1);
	else if (n > 0)
		old_chunks(d + 1, n - 1);
	return 0;
}
