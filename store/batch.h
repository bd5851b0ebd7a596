/*
 * What one commit writes: kept flows, additions to series, new names, and how far each engine's records are
 * in it. Built by the main thread, then handed whole to the writer. Bounded: batch_full says when to stop.
 */
#ifndef WEIR_STORE_BATCH_H
#define WEIR_STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "flow_row.h"
#include "names.h"
#include "series_id.h"

/* Whose series: what a subject is (subjects.h), and its key in history. */
struct series_key {
	uint32_t tenant;
	uint32_t subject; /* enum series_subject */
	uint32_t number;  /* series_id.h, or of the book (series_book.h) */
};

/*
 * What a series counts in some time. In and out are as the tenant whose series it is sees them, relative to
 * its networks (without any: local_networks). Of traffic that stays within or passes by, the client's end
 * counts as the inner one: what clients send is out. What belongs to no flow is in.
 */
struct series_value {
	uint64_t in_bytes, out_bytes, in_packets, out_packets;
	uint64_t flows_max; /* most active flows; 0 where not known */
};

/* Sums, and the larger number of flows. */
void series_value_add(struct series_value *to, const struct series_value *v);

struct batch_delta {
	struct series_key key;
	uint32_t span_s; /* 1 or 60 */
	int64_t second;  /* of a minute: its first */
	struct series_value v;
};

struct batch_flow {
	uint32_t tenant[2]; /* the primary one and, unless 0, the secondary one */
	uint32_t text;      /* where its strings begin in the batch's */
	uint32_t reserved;
	struct rec_flow f;
};

struct batch_name {
	uint16_t kind, number, len, reserved;
	char text[NAME_TEXT_MAX + 1];
};

/* What a series is of, and its number; or (gone) that this is forgotten. */
struct batch_series {
	struct series_id id;
	uint32_t number;
	uint32_t minute; /* UTC: had traffic then */
	bool gone;
};

/* How far the records of one engine's run are applied to series and totals of a point. Kept with the data, so
 * that what is replayed after a restart of store is recognised. */
struct batch_applied {
	uint32_t worker, point;
	int64_t run;             /* start of the engine process */
	int64_t second;          /* newest second applied */
	uint64_t packets, bytes; /* cumulative over the run: live totals survive a restart of store */
	uint64_t undecoded[NAMES_UNDECODED_MAX]; /* by dictionary number - 1 */
	struct flow_id newest;                   /* of the flows applied */
};

#define BATCH_ENGINES     64
#define BATCH_APPLIED_MAX 512
#define BATCH_SERIES_MAX  16384u
#define BATCH_FLOWS_MAX   32768u /* with a row for each of two tenants they fit one block */

struct batch {
	struct batch_flow *flow;
	size_t nflows, flow_cap; /* slices */
	struct bytes text;
	size_t rows_max;  /* bytes of both */
	uint64_t packets; /* counted in them */
	struct batch_delta *delta;
	uint32_t ndelta, delta_cap, delta_max;
	uint32_t *delta_at;  /* a table of them by series and time: index + 1 */
	uint32_t delta_mask; /* places in it - 1; twice as many as there may be deltas */
	uint64_t seed;
	uint32_t generation; /* changes with each use of the memory: subjects remember deltas by it */
	struct batch_name *name;
	uint32_t nname, name_cap;
	struct batch_series *series;
	uint32_t nseries, series_cap;
	struct batch_applied *applied;
	uint32_t napplied;
	uint64_t position[BATCH_ENGINES];     /* of each engine's ring, taken so far */
	uint64_t ring[BATCH_ENGINES];         /* which ring that was (engine.h); 0 none */
	uint16_t names_upto[NAME_KIND_COUNT]; /* the dictionary is complete up to here with this batch */
};

/* rows_max bytes of rows and delta_max deltas are the most that it takes. */
void batch_init(struct batch *b, size_t rows_max, uint32_t delta_max);
void batch_free(struct batch *b);
/* Empties it for the next use. */
void batch_reset(struct batch *b);
bool batch_full(const struct batch *b);
/* Whether whatever n records add will fit. */
bool batch_fits(const struct batch *b, unsigned n);
bool batch_empty(const struct batch *b);

/* False where there is no room. */
bool batch_add_flow(struct batch *b, const uint32_t tenant[static 2], const struct rec_flow *f,
		    const struct flow_texts *texts);
/* Adds to a second of a series, which has one delta of each in a batch. *last is the series' memory of the
 * one that was added to last (index + 1, 0 none): where it is the same again nothing is looked up. False: no
 * room. */
bool batch_add_second(struct batch *b, const struct series_key *key, uint32_t *last, int64_t second,
		      const struct series_value *v);
/* Adds to a minute (Unix seconds / 60) of a series that is not kept by the second: nothing is known of it
 * below the minute. It may be added to in any number of batches. Otherwise as batch_add_second. */
bool batch_add_minute(struct batch *b, const struct series_key *key, uint32_t *last, int64_t minute,
		      const struct series_value *v);
/* Whether what the book says of one more series will fit; and a minute of it. */
bool batch_fits_series(const struct batch *b);
bool batch_fits_minute(const struct batch *b);
void batch_add_series(struct batch *b, const struct batch_series *s);
void batch_add_name(struct batch *b, enum name_kind kind, uint16_t number, const char *text);
/* Forgets rows and additions to series, keeps names and what series are of. */
void batch_discard(struct batch *b);

#endif
