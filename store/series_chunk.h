/*
 * The points of one series within one stretch of time as bytes: columns, each in whatever form is shortest.
 * What is read may be a damaged disk's: it is judged as it is read.
 */
#ifndef WEIR_STORE_SERIES_CHUNK_H
#define WEIR_STORE_SERIES_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "bytes.h"

#define CHUNK_POINTS_MAX 1440u

struct chunk_point {
	int64_t bucket;    /* Unix seconds / the resolution */
	uint32_t finest_s; /* 1 or 60: what least and most are of */
	uint32_t minutes;  /* of the bucket that had traffic: least is of them only; 1 up to a minute */
	struct series_value sum, least, most; /* least.flows_max is 0, most's is sum's */
};

/* A resolution and how many of its points make a chunk. */
struct chunk_resolution {
	uint32_t seconds, points;
};

enum { CHUNK_SECONDS, CHUNK_MINUTES, CHUNK_FIVE_MINUTES, CHUNK_HOURS, CHUNK_DAYS, CHUNK_RESOLUTIONS };
#define CHUNK_KEPT CHUNK_MINUTES /* from here on: those that are on disk */
extern const struct chunk_resolution chunk_resolutions[CHUNK_RESOLUTIONS];

static inline int64_t
chunk_span_s(unsigned resolution)
{
	return (int64_t)chunk_resolutions[resolution].seconds * chunk_resolutions[resolution].points;
}

/* Memory to work in, for one thread. */
struct chunk_work;
struct chunk_work *chunk_work_new(void);
void chunk_work_free(struct chunk_work **w);

/* Appends n points (1 to as many as the resolution has) of chunk number `span`, in order of time, to out. */
void chunk_encode(struct chunk_work *w, unsigned resolution, int64_t span, const struct chunk_point *p,
		  uint32_t n, struct bytes *out);
/* How many points there are, in p; 0 where the bytes are no chunk. */
uint32_t chunk_decode(struct chunk_work *w, unsigned resolution, int64_t span, const uint8_t *bytes,
		      size_t len, struct chunk_point p[static CHUNK_POINTS_MAX]);

/* Adds what came later for the same second or minute. */
void chunk_point_add(struct chunk_point *p, const struct chunk_point *q);
/* Adds other minutes of the same bucket. */
void chunk_point_join(struct chunk_point *p, const struct chunk_point *q);
/* Points in order, of a resolution that divides the wanted one, as its points, in place; returns how many. */
size_t chunk_coarser(struct chunk_point *p, size_t n, uint32_t have_s, uint32_t want_s);

#endif
