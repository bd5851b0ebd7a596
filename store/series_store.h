/*
 * Points of series in series.mdb, and what is open of them in memory (series_open.h). Knows no batches and no
 * flows: history_series.c brings what commits add, numbered, and keeps it in its journal for as long as it is
 * asked to.
 *
 * Minutes that are over are written together as a block; about every hour blocks become chunks of each
 * resolution, in packs (series_pack.h) by (resolution, stretch of time, series).
 */
#ifndef WEIR_STORE_SERIES_STORE_H
#define WEIR_STORE_SERIES_STORE_H

#include "db.h"
#include "history.h"
#include "series_chunk.h"
#include "series_record.h"

#define SERIES_FILE     "series.mdb"
#define SERIES_IDENTITY 32u

struct series_limits {
	uint64_t size; /* of the file, at most */
	int64_t keep_s[CHUNK_RESOLUTIONS];
	bool keep_everything; /* nothing is trimmed by age, and no commit waits for the disk */
};

struct series_store;

/* What marks series.mdb of the database with this secret. */
void series_identity(const uint8_t *secret, size_t len, uint8_t identity[static SERIES_IDENTITY]);

/* Opens or makes series.mdb in the working directory and takes what its blocks hold. identity: of the
 * database that it belongs to. NULL with *status and a sentence in err. */
struct series_store *series_store_open(const struct series_limits *l,
				       const uint8_t identity[static SERIES_IDENTITY], enum db_status *status,
				       char *err, size_t errsize);
void series_store_close(struct series_store **s);

/* --- by the writer */

/* What entry `number` of the journal adds. At a start entries come again: what is in already is left out. */
void series_store_take(struct series_store *s, uint64_t number, const struct series_record *r, size_t n);
/* The newest entry of which anything is in series.mdb: numbers go on behind it. */
uint64_t series_store_newest(const struct series_store *s);
/* Whether an entry whose newest minute this is need not come again. */
bool series_store_has(const struct series_store *s, uint64_t number, int64_t minute);

/* A tenant went: nothing of those that is_gone says is kept, nor taken into chunks from now on. */
void series_store_went(struct series_store *s, bool (*is_gone)(const void *ctx, uint32_t tenant),
		       const void *ctx);

/* After a commit: writes minutes that are over, deletes what is too old. What fails is tried again later; a
 * sentence says it in the log. */
void series_store_turn(struct series_store *s, int64_t now_s);
/* A step of making chunks; false where there is nothing to do. */
bool series_store_tidy(struct series_store *s);
/* Makes chunks of all that is over, now. */
enum db_status series_store_fold(struct series_store *s);
/* Deletes some of the oldest points, finest first. */
void series_store_make_room(struct series_store *s);
/* Adds points of one series to chunks of a resolution within one transaction of its own: n of them, in order.
 * For what comes from older formats. */
struct series_points {
	struct series_key key;
	const struct chunk_point *p;
	size_t n;
};
enum db_status series_store_add(struct series_store *s, unsigned resolution,
				const struct series_points *series, size_t n);
/* Deletes everything. */
enum db_status series_store_clear(struct series_store *s);

/* --- by anybody */

/* What tenants keep that is less than the limits: by ascending number. It is deleted some time within the
 * next hour, in whole chunks; who asks has to look no further back. */
void series_store_tenants(struct series_store *s, const struct history_keep *t, size_t n);

uint64_t series_store_bytes(const struct series_store *s);
/* Packs and chunks that could not be read, and seconds that were not kept (series_open.h). */
uint64_t series_store_damaged(const struct series_store *s);
uint64_t series_store_refused(const struct series_store *s);

/* Points of one series with from_s <= their time < to_s, in order, in *p, which the caller frees. */
enum db_status series_store_read(struct series_store *s, const struct series_key *key, unsigned resolution,
				 int64_t from_s, int64_t to_s, struct chunk_point **p, size_t *n);

/* Whether an entry of series.mdb is as it was written, every point of it; *chunks: how many of a series it
 * has. */
bool series_entry_is_good(struct chunk_work *w, struct db_bytes key, struct db_bytes v, uint64_t *chunks);

#endif
