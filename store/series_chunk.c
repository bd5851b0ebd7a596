/* Chunks: a version byte, the number of points, then for each its distance from the one before and its values
 * as varints. */
#include "series_chunk.h"

#include <string.h>

#include "sum.h"
#include "varint.h"

const struct chunk_resolution chunk_resolutions[CHUNK_RESOLUTIONS] = {
	[CHUNK_SECONDS] = { 1, 60 },
	[CHUNK_MINUTES] = { 60, 60 },
	[CHUNK_HOURS] = { 3600, 24 },
};

size_t
chunk_encode(const struct chunk *c, uint8_t out[static CHUNK_MAX])
{
	struct wcur w = wcur_of(out, CHUNK_MAX);
	unsigned before = 0;

	wcur_u8(&w, CHUNK_VERSION);
	wcur_u8(&w, (uint8_t)__builtin_popcountll(c->present));
	for (unsigned i = 0; i < CHUNK_POINTS; i++) {
		const struct chunk_point *p = &c->point[i];

		if ((c->present >> i & 1) == 0)
			continue;
		wcur_u8(&w, (uint8_t)(i - before));
		before = i;
		varint_put(&w, p->bytes);
		varint_put(&w, p->packets);
		varint_put(&w, p->bytes_max);
		varint_put(&w, p->packets_max);
		varint_put(&w, p->flows_max);
	}
	return wcur_len(&w);
}

bool
chunk_decode(const uint8_t *bytes, size_t len, struct chunk *c)
{
	struct rcur r = rcur_of(bytes, len);
	unsigned at = 0;

	memset(c, 0, sizeof(*c));
	if (rcur_u8(&r) != CHUNK_VERSION)
		return false;
	for (unsigned n = rcur_u8(&r); n > 0 && !r.bad; n--) {
		at += rcur_u8(&r);
		if (at >= CHUNK_POINTS)
			return false;

		struct chunk_point *p = &c->point[at];

		p->bytes = varint_get(&r);
		p->packets = varint_get(&r);
		p->bytes_max = varint_get(&r);
		p->packets_max = varint_get(&r);
		p->flows_max = varint_get(&r);
		c->present |= UINT64_C(1) << at;
	}
	return !r.bad;
}

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void
chunk_add(struct chunk *c, unsigned i, uint64_t bytes, uint64_t packets, uint64_t bytes_max,
	  uint64_t packets_max, uint64_t flows_max)
{
	struct chunk_point *p = &c->point[i];

	c->present |= UINT64_C(1) << i;
	p->bytes = sum_sat(p->bytes, bytes);
	p->packets = sum_sat(p->packets, packets);
	p->bytes_max = larger(p->bytes_max, bytes_max);
	p->packets_max = larger(p->packets_max, packets_max);
	p->flows_max = larger(p->flows_max, flows_max);
}
