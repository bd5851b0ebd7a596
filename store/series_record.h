/*
 * What series got, as bytes in a row: what a commit adds to seconds and minutes (the journal), and minutes
 * that are over (points). Each record is told by its distance from the one before.
 */
#ifndef WEIR_STORE_SERIES_RECORD_H
#define WEIR_STORE_SERIES_RECORD_H

#include "base/cursor.h"
#include "batch.h"
#include "series_chunk.h"

enum series_record_kind {
	RECORD_SECOND, /* adds p.sum to second p.bucket */
	RECORD_MINUTE, /* adds p.sum to minute p.bucket, of which nothing below is known */
	RECORD_POINT,  /* a point of the 1 min resolution */
	RECORD_KINDS
};

struct series_record {
	struct series_key key;
	enum series_record_kind kind;
	struct chunk_point p;
};

/* Of the record before: zeros at the start. */
struct record_place {
	struct series_key key;
	int64_t second;
};

#define RECORD_MAX (15u + 1 + 10 + 13 * 10) /* bytes */

void record_put(struct wcur *w, struct record_place *at, const struct series_record *r);
bool record_get(struct rcur *c, struct record_place *at, struct series_record *r);

static inline int64_t
record_minute(const struct series_record *r)
{
	return r->kind == RECORD_SECOND ? r->p.bucket / 60 : r->p.bucket;
}

#endif
