/* The points of one series within one stretch of time, as a value in the database. Only history.c uses it. */
#ifndef WEIR_STORE_SERIES_CHUNK_H
#define WEIR_STORE_SERIES_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_VERSION 1
#define CHUNK_POINTS  60
#define CHUNK_MAX     (2 + CHUNK_POINTS * 52)

struct chunk_point {
	uint64_t bytes, packets;
	uint64_t bytes_max, packets_max; /* of the busiest second within */
	uint64_t flows_max;
};

struct chunk {
	uint64_t present; /* bit i: point[i] holds something */
	struct chunk_point point[CHUNK_POINTS];
};

/* A resolution and how many of its points make a chunk. */
struct chunk_resolution {
	uint32_t seconds;
	uint32_t points;
};

enum { CHUNK_SECONDS, CHUNK_MINUTES, CHUNK_HOURS, CHUNK_RESOLUTIONS };
extern const struct chunk_resolution chunk_resolutions[CHUNK_RESOLUTIONS];

/* Returns the length. */
size_t chunk_encode(const struct chunk *c, uint8_t out[static CHUNK_MAX]);
/* False where the bytes are no chunk. */
bool chunk_decode(const uint8_t *p, size_t len, struct chunk *c);
/* Adds to point i. The busiest second of a second is itself: max is of the whole second, not of what is
 * added. */
void chunk_add(struct chunk *c, unsigned i, uint64_t bytes, uint64_t packets, uint64_t bytes_max,
	       uint64_t packets_max, uint64_t flows_max);

#endif
