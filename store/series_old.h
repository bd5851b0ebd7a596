/* Chunks of series as format 2 of the database had them: read when it is brought to ours. */
#ifndef WEIR_STORE_SERIES_OLD_H
#define WEIR_STORE_SERIES_OLD_H

#include "series_chunk.h"

#define OLD_CHUNK_POINTS 60u

/* What was kept: seconds of a minute, minutes of an hour, hours of a day. */
enum { OLD_SECONDS, OLD_MINUTES, OLD_HOURS };

/* How many points there are, with minutes as their buckets; 0 where the bytes are no chunk of minutes or
 * hours. */
uint32_t old_chunk_decode(unsigned resolution, int64_t chunk, const uint8_t *bytes, size_t len,
			  struct chunk_point p[static OLD_CHUNK_POINTS]);

#endif
