/*
 * What was: kept flows and series, by tenant. Callers know questions and batches, not the layout: flows are
 * columns in blocks, blocks stand in segments, data.mdb holds their catalogue and the dictionary, and
 * series.mdb the points of series. One thread writes (history_write); others may read at the same time.
 */
#ifndef WEIR_STORE_HISTORY_H
#define WEIR_STORE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/settings.h"
#include "batch.h"
#include "block.h"
#include "db.h"
#include "flow_id.h"

struct history;
struct find; /* find.h: what a thread that reads flows has for itself */

#define HISTORY_WHY_MAX 200

struct history_limits {
	uint64_t size;
	int64_t keep_flows_ns, keep_ns[5]; /* of series of 1 s, 1 min, 5 min, 1 h, 1 d */
	bool keep_everything;              /* analyze: nothing is trimmed by age */
};
void history_limits_of(const struct settings *s, bool analyze, struct history_limits *l);

/* Opens the database in the working directory, checks its format, restores the dictionary into names. NULL
 * with *status and a sentence in err. */
struct history *history_open(const struct history_limits *l, struct names *names, enum db_status *status,
			     char *err, size_t errsize);
void history_close(struct history **h);
/* Random, made with the database: ids and cursors are derived from it. */
const uint8_t *history_secret(const struct history *h);
/* Calls visit for each record of how far engines' records were applied. */
void history_applied(struct history *h, void (*visit)(void *ctx, const struct batch_applied *a), void *ctx);

/* Calls visit for each series of whose key is known what it is of. */
void history_series_ids(struct history *h, void (*visit)(void *ctx, const struct batch_series *s), void *ctx);

/* Rows that went before their time because store.size was reached, and blocks that could not be read, since
 * the start. */
void history_counts(const struct history *h, uint64_t *forgotten, uint64_t *damaged);

/* Writes all of b or nothing, and deletes what is older than now minus its time. Twice the same batch is as
 * once, but for series: they add up. On failure a sentence in why. */
enum db_status history_write(struct history *h, const struct batch *b, int64_t now_ns,
			     char why[static HISTORY_WHY_MAX]);

/* A short piece of work between two writes, by the thread that writes: what came is put into a better order.
 * False where there is nothing to do until the next write. */
bool history_tidy(struct history *h);

/* Where a row stands in the order of history_flows: newest end first. */
struct flow_position {
	int64_t last_ns;
	struct flow_id id;
	uint32_t slice, tenant;
};

struct columns;

/* What else is asked of a block's rows: may_match looks at no row, match sets wanted[i] to 0 where row i is
 * not wanted; false: the block is damaged. tenant: of each row that is wanted so far. */
struct block_test {
	bool (*may_match)(void *ctx, struct block_reader *r, const struct block *b);
	bool (*match)(void *ctx, struct columns *c, const uint32_t *tenant, uint8_t *wanted);
	void *ctx;
};

struct flow_query {
	uint32_t tenant;                   /* TENANT_PLATFORM: the primary rows of all */
	int64_t from_ns, to_ns;            /* last packet within [from, to) */
	const struct flow_position *after; /* NULL: from the newest */
	unsigned visits;                   /* rows visited, at most */
	struct block_want filter;          /* rows that it does not want are not visited */
	const struct block_test *test;     /* the same; NULL: none */
};

/* Calls visit for rows in order until it returns false, none is left (*finished), the visits are used up or
 * a question of the platform has taken long enough. *last is a position behind which nothing was looked at;
 * it stays as it was where f->job was stopped before there was one. A question of a tenant is stopped between
 * rows of its own: where, does not tell of others.
 */
enum db_status history_flows(struct find *f, const struct flow_query *q,
			     bool (*visit)(void *ctx, const struct kept_flow *k), void *ctx,
			     struct flow_position *last, bool *finished);
/* Every slice of one flow, first one first, at most max; TENANT_PLATFORM as above. Where f->job is stopped,
 * some may be missing. */
enum db_status history_flow(struct find *f, uint32_t tenant, const struct flow_id *id, unsigned max,
			    bool (*visit)(void *ctx, const struct kept_flow *k), void *ctx);

/*
 * What a bucket holds: sums, and the least and most of what is known within it, which is each second or,
 * where the series is kept by the minute, each minute (finest_s). What had no traffic counts as 0.
 */
struct series_point {
	int64_t time_s;
	uint32_t finest_s, reserved;
	struct series_value sum, least, most;
	/* In and out together; the most of both together is at most this. */
	uint64_t bytes, packets, bytes_max, packets_max, flows_max;
};
/* The points of a series within [from, to), oldest first, until visit returns false. resolution_s: 1 or a
 * multiple of 60; what is coarser than a minute is added up where it is not kept. Buckets without traffic are
 * left out; those that are open are in it, as of the last commit. */
enum db_status history_series(struct history *h, const struct series_key *key, uint32_t resolution_s,
			      int64_t from_s, int64_t to_s,
			      bool (*visit)(void *ctx, const struct series_point *p), void *ctx);

/*
 * What providers bill: of the buckets that begin within [from, to), those without traffic too, the bytes that
 * `percent` (1 to 100) of them do not exceed, by nearest rank. The field's is 95 of 300 s.
 */
struct series_percentile {
	uint64_t buckets;
	uint64_t in_bytes, out_bytes; /* each by itself */
	uint64_t bytes;               /* of both together */
};
/* Of n buckets with traffic and as many without as make it `buckets`; percent: 1 to 100. */
void series_percentile_of(const struct series_value *v, size_t n, uint64_t buckets, unsigned percent,
			  struct series_percentile *out);
enum db_status history_series_percentile(struct history *h, const struct series_key *key,
					 uint32_t resolution_s, int64_t from_s, int64_t to_s,
					 unsigned percent, struct series_percentile *out);
/* What tenants keep of their series that is less than the limits, by ascending number: it goes from the disk
 * some time within an hour. From any thread; the list replaces the one before. */
struct history_keep {
	uint32_t tenant;
	int64_t keep_s[5]; /* of 1 s, 1 min, 5 min, 1 h, 1 d; below 0: nothing */
};
void history_tenants_keep(struct history *h, const struct history_keep *list, size_t n);
/* How many points of what is kept n buckets of a resolution are made of; how many a chunk of it has. */
uint32_t series_points_of(uint32_t n, uint32_t resolution_s);
uint32_t series_chunk_points(uint32_t resolution_s);
/* Seconds that were added to more series than have each of theirs kept. */
uint64_t history_seconds_refused(const struct history *h);

#endif
