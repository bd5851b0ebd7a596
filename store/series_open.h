/*
 * Series that are open, in memory: minutes that still get something, minutes that are over and not yet in
 * chunks on disk, and the seconds of the last hour. What is here is on disk too, but for the seconds: in the
 * journal and in blocks of minutes (history_series.c).
 *
 * One thread changes it, others read at the same time.
 */
#ifndef WEIR_STORE_SERIES_OPEN_H
#define WEIR_STORE_SERIES_OPEN_H

#include "series_chunk.h"
#include "series_record.h"

#define OPEN_RING_MINUTES 60u
#define OPEN_RINGS_MAX    10000u /* series whose seconds are kept, ... */
#define OPEN_RINGS_OTHERS 4096u  /* ... so many of them of neither applications nor exporters' interfaces */

struct series_open;

struct series_open *series_open_new(void);
void series_open_free(struct series_open **o);

/* --- by the thread that changes it */

/* Takes n records: what a commit added, or points of a block of minutes. */
void series_open_take(struct series_open *o, const struct series_record *r, size_t n);

/* Minutes before `minute` as records of points, in the order of their keys, as bytes: *n of them. Nothing
 * changes yet: series_open_close says that they are on disk, and must be next. */
void series_open_over(struct series_open *o, int64_t minute, struct bytes *out, uint32_t *n);
void series_open_close(struct series_open *o);
/* The newest minute that gets something; INT64_MIN where none does. */
int64_t series_open_newest(const struct series_open *o);
/* Whether there are minutes before `minute`. */
bool series_open_is_over(const struct series_open *o, int64_t minute);

/* Bytes of points that are over, and series. */
size_t series_open_bytes(const struct series_open *o);
size_t series_open_count(const struct series_open *o);

/* Series with points that are over, with keys behind `after` (NULL: all), in order. They stay as they are
 * until series_open_folded. */
struct series_open_list {
	uint32_t *series;
	size_t n;
};
void series_open_list(struct series_open *o, const struct series_key *after, struct series_open_list *l);
const struct series_key *series_open_key(const struct series_open *o, uint32_t series);
/* Appends the points that are over of one series to *p, in order of time, each minute once; *n and *cap grow.
 */
void series_open_points(struct series_open *o, uint32_t series, struct chunk_point **p, size_t *n,
			size_t *cap);
/* Transaction `txn` of series.mdb will have the points of these series; 0: it failed. */
void series_open_folding(struct series_open *o, const uint32_t *series, size_t n, uint64_t txn);
/* It has them. */
void series_open_folded(struct series_open *o, const uint32_t *series, size_t n);
/* Forgets series of which there is nothing. The lists are void. */
void series_open_sweep(struct series_open *o, int64_t minute);

/* --- by anybody */

/* Seconds that were added without being kept each, since OPEN_RINGS_MAX series have theirs kept. */
uint64_t series_open_refused(const struct series_open *o);
/*
 * Minutes of one series within [from, to), in any order, as of the moment in which `begin` is called: it
 * begins a transaction of series.mdb and returns its number, so that no point is in both or in none.
 */
void series_open_read(struct series_open *o, const struct series_key *key, int64_t from, int64_t to,
		      uint64_t (*begin)(void *ctx), void *ctx, struct chunk_point **p, size_t *n);
/* Seconds of one series within [from, to), in order. */
void series_open_seconds(struct series_open *o, const struct series_key *key, int64_t from, int64_t to,
			 struct chunk_point **p, size_t *n);

#endif
