/* A version byte, the number of points, then for each its distance from the one before and its values as
 * varints. */
#include "series_old.h"

#include "varint.h"

#define VERSION 1u

uint32_t
old_chunk_decode(unsigned resolution, int64_t chunk, const uint8_t *bytes, size_t len,
		 struct chunk_point p[static OLD_CHUNK_POINTS])
{
	const unsigned points = resolution == OLD_MINUTES ? 60 : 24,
		       step = resolution == OLD_MINUTES ? 1 : 60;
	struct rcur r = rcur_of(bytes, len);
	uint8_t version = rcur_u8(&r), n = rcur_u8(&r);
	unsigned at = 0;

	if ((resolution != OLD_MINUTES && resolution != OLD_HOURS) || version != VERSION || n > points)
		return 0;
	for (unsigned i = 0; i < n && !r.bad; i++) {
		uint8_t distance = rcur_u8(&r);

		at += distance;
		if (at >= points || (i > 0 && distance == 0))
			return 0;
		p[i] = (struct chunk_point){ .bucket = (chunk * points + at) * step,
					     .finest_s = 1,
					     .minutes = step };
		p[i].sum.in_bytes = varint_get(&r);
		p[i].sum.in_packets = varint_get(&r);
		p[i].most.in_bytes = varint_get(&r);
		p[i].most.in_packets = varint_get(&r);
		p[i].sum.flows_max = p[i].most.flows_max = varint_get(&r);
	}
	return r.bad ? 0 : n;
}
