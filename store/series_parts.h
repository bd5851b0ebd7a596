/* What the files of the store of series share: series_store.c, series_fold.c, series_read.c. */
#ifndef WEIR_STORE_SERIES_PARTS_H
#define WEIR_STORE_SERIES_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "series_open.h"
#include "series_pack.h"
#include "series_store.h"

/* How far what came is in series.mdb: written within every transaction that changes it. */
struct series_state {
	uint64_t all;  /* entries of the journal up to here are in as a whole */
	uint64_t upto; /* and up to here, what they add to minutes before `minute` */
	int64_t minute;
	uint64_t block;  /* the newest block of minutes */
	uint64_t folded; /* blocks up to here are in chunks, and gone */
	bool folding;    /* blocks up to fold_block are in chunks for series up to fold_key */
	uint64_t fold_block;
	struct series_key fold_key;
};

#define SERIES_KEY_BYTES 22u

struct series_db_key {
	uint8_t b[SERIES_KEY_BYTES + 1];
	size_t n;
};

struct fold;

struct series_reader {
	struct series_reader *next; /* that nobody uses */
	struct chunk_work *work;
	struct chunk_point points[CHUNK_POINTS_MAX];
};

struct series_store {
	struct db *db;
	struct series_limits limits;
	struct series_open *open;
	_Atomic uint64_t damaged;

	/* Memory of those who read: as many as ever read at the same time. */
	pthread_mutex_t reading;
	struct series_reader *readers;

	/* The writer's own. */
	struct chunk_work *work;
	struct series_state state;
	uint64_t taken; /* newest entry of the journal in memory */
	struct fold *fold;
	int64_t closed_s, now_s;
	unsigned fold_rest; /* turns before a fold that failed is tried again */
	bool failing;
	struct bytes block;

	/* Of what tenants keep: told by another thread, and as the writer has it. */
	pthread_mutex_t telling;
	struct history_keep *told, *tenant;
	size_t ntold, ntenants;
	bool told_anew, dropping, went;
	bool (*is_gone)(const void *ctx, uint32_t tenant); /* NULL: none is */
	const void *gone_ctx;
	int64_t dropped_s;
	struct series_db_key drop_from;
	struct bytes drop_copy;
	struct pack_writer drop_pack;
};

#define SERIES_REST_TURNS 10u /* before what failed is tried again */

static inline struct db_bytes
series_bytes(const struct series_db_key *k)
{
	return (struct db_bytes){ k->b, k->n };
}

/* Where the pack begins whose first series may be `key`. after: the first key behind it. */
struct series_db_key series_pack_key(unsigned resolution, int64_t span, const struct series_key *key,
				     bool after);
/* False where it is no key of a pack. */
bool series_pack_key_read(struct db_bytes b, unsigned *resolution, int64_t *span, struct series_key *key);
struct series_db_key series_block_key(uint64_t number);

void series_state_put(struct db_txn *x, const struct series_state *s);
/* Counts it and says so. key: of the series it is about, NULL: several. */
void series_damaged(struct series_store *s, unsigned resolution, int64_t span, const struct series_key *key);
/* The series can, or cannot, be written. */
void series_says(struct series_store *s, enum db_status status, const struct db_txn *x);

/* The pack that has or would have `key`: its bytes in *v, its first key in *low. False: there is none. */
bool series_find_pack(struct db_cursor *c, unsigned resolution, int64_t span, const struct series_key *key,
		      struct series_key *low, struct db_bytes *v);

/* series_fold.c */
void series_fold_free(struct series_store *s);
/* Goes on where a fold was under way when store died. */
void series_fold_resume(struct series_store *s);
bool series_fold_due(const struct series_store *s);

/* series_drop.c */
void series_drop_free(struct series_store *s);

/* series_read.c */
void series_readers_free(struct series_store *s);
bool series_drop_due(struct series_store *s);
bool series_is_gone(const struct series_store *s, uint32_t tenant);
void series_drop_step(struct series_store *s);

#endif
