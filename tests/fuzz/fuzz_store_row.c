/* Rows and chunks as a damaged disk could hold them: what can be read is written again the same way. */
#include <assert.h>
#include <string.h>

#include "flow_row.h"
#include "series_chunk.h"

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
chunks(const uint8_t *d, size_t n)
{
	struct chunk c, again;
	uint8_t bytes[CHUNK_MAX];

	if (!chunk_decode(d, n, &c))
		return;
	assert(chunk_decode(bytes, chunk_encode(&c, bytes), &again));
	assert(memcmp(&c, &again, sizeof(c)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	if (n > 0 && d[0] & 1)
		rows(d + 1, n - 1);
	else if (n > 0)
		chunks(d + 1, n - 1);
	return 0;
}
