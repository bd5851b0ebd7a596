/* What the files of history share: history*.c and find.c. */
#ifndef WEIR_STORE_HISTORY_PARTS_H
#define WEIR_STORE_HISTORY_PARTS_H

#include <stdatomic.h>

#include "block.h"
#include "catalogue.h"
#include "history.h"
#include "history_tenants.h"
#include "seen.h"
#include "segments.h"
#include "series_store.h"

#define HISTORY_APPLIED "applied/"

/* history.c: of what data.mdb is, in the table DB_META. */
#define HISTORY_FORMAT        4u
#define HISTORY_FORMAT_BLOCKS 3u /* the same but that all its blocks are of their first format */
extern const struct db_bytes history_format_at, history_secret_at;
/* An entry of the dictionary: they come in order. False where it is none. */
bool history_name(struct names *names, struct db_bytes key, struct db_bytes v);

struct find;
struct row_order;
struct series_journal;

/* A segment that is written. */
struct segment_writer {
	struct segment_entry segment; /* number 0: none */
	struct db *db;                /* NULL: none is open */
	uint64_t sequence;            /* of the last block that stays */
	bool merged;                  /* blocks of one tenant each */
	unsigned retention;           /* merged: of tenants of this class */
};

struct merge;

struct history {
	struct db *db; /* catalogue, dictionary, journal of series */
	struct series_store *series;
	struct segments *segments;
	struct history_limits limits;
	uint8_t secret[FLOW_ID_SECRET];
	/* Ends of flows that are kept: before it, a row is as if it was not there. */
	_Atomic int64_t floor_ns;
	_Atomic uint64_t rows_forgotten, blocks_damaged;
	/* Times that merged blocks took the place of others, twice: odd while they are about to. Who lists
	 * blocks in several transactions begins again where it changed. */
	_Atomic unsigned moves;

	/* The writer's own. */
	struct block_writer *blocks;
	struct block_row *rows;    /* of a batch: 2 * BATCH_FLOWS_MAX */
	uint64_t *keys;            /* of a batch's slices */
	uint32_t *same;            /* a table of them */
	uint8_t *fate;             /* of its slices: history_rows.c */
	struct find *back;         /* to find what was written before; NULL until it is needed */
	struct row_order *sort[2]; /* 2 * BATCH_FLOWS_MAX each */
	struct seen seen, lost;
	uint64_t seed;
	struct segment_writer fresh, merged[RETENTION_CLASSES]; /* what comes, and what was made of it */
	uint32_t newest;                                        /* number of a segment that was given */
	struct merge *merge;                                    /* NULL: none is under way */
	struct tenants *tenants;
	struct sweep *sweep;
	int64_t now_ns;      /* of the last commit; 0: there was none */
	unsigned merge_rest; /* commits before the next one */
	struct series_journal *journal;
};

/* history_series.c */
enum db_status history_open_series(struct history *h, const uint8_t identity[static SERIES_IDENTITY],
				   char *err, size_t errsize);
void history_close_series(struct history *h);
/* Puts what b adds into the journal. */
void history_add_series(struct history *h, struct db_txn *x, const struct batch *b);
/* Whether an entry of the table is one of the journal. */
bool history_is_journal(struct db_bytes key, struct db_bytes v);
/* A tenant is gone: so are the points of its series. */
void history_forget_series(struct history *h);
/* It is committed. */
void history_series_written(struct history *h, int64_t now_ns);

/* history_ids.c */
void history_add_series_ids(struct db_txn *x, const struct batch *b);
/* A tenant went: its hosts, networks and exporters are nobody's business any more. */
void history_forget_series_ids(struct history *h);
/* Whether an entry says what a series is of. */
bool history_is_series_id(struct db_bytes key, struct db_bytes value);

/* history_rows.c: the rows of a batch into h->rows, each slice once, in the order of a block; returns how
 * many. Those that are on disk already are left out; those that stand there with another end are marked dead
 * within x. */
uint32_t history_rows(struct history *h, const struct batch *b, struct db_txn *x);
/* They are on disk. */
void history_remember(struct history *h, const struct batch *b);
/* After a start: what was written last. */
void history_recall(struct history *h);

/*
 * history_blocks.c: puts a block of n rows into w's segment, and says in e what the catalogue is to be told.
 * Until it was told, nobody sees the block, and the next one takes its place. now: of what the segment's hour
 * or day is.
 */
enum db_status history_put_block(struct history *h, struct segment_writer *w, const struct block_row *row,
				 uint32_t n, int64_t now_ns, struct block_entry *e,
				 char why[static HISTORY_WHY_MAX]);
/* As it: n rows of t, from the one that is `from` in its order on. */
enum db_status history_put_table(struct history *h, struct segment_writer *w, const struct flow_table *t,
				 uint32_t from, uint32_t n, int64_t now_ns, struct block_entry *e,
				 char why[static HISTORY_WHY_MAX]);
/* The block stays: w's entry has it. */
void history_block_done(struct segment_writer *w, const struct block_entry *e);
/* Tells the catalogue, within x. */
void history_catalogue(struct db_txn *x, const struct segment_writer *w, const struct block_entry *e);
/* Deletes blocks behind the last one that stays: their keys are used again, but there may be fewer next time.
 * What the disk does not let it delete stays until then. */
void history_drop_unnamed(struct segment_writer *w);
/* Its segment is not written any more; what comes goes into another one. */
void history_seal(struct history *h, struct segment_writer *w);
/* The writer whose segment it is; NULL: it is not written any more. */
struct segment_writer *history_writer_of(struct history *h, uint32_t segment);
/* After a start: where writing goes on. */
enum db_status history_find_segments(struct history *h, char why[static HISTORY_WHY_MAX]);

/* history_merge.c. A row of a segment was replaced, or the segment is gone: what was merged of it so far is
 * not true any more. */
void history_merge_again(struct history *h, uint32_t segment);
void history_merge_free(struct history *h);

/* history_sweep.c: a step of it; false where there is nothing to do. */
struct sweep *sweep_new(void);
void sweep_free(struct sweep **s);
bool history_sweep(struct history *h);
/* A segment of which enough is forgotten for the rest to be written anew. */
bool history_is_worn(const struct segment_entry *e);
bool history_worn(struct history *h, struct segment_entry *e);

/* history_room.c: what is too old, or too much. Files that go are in *gone: to be retired when x has been
 * committed. */
#define HISTORY_GONE_MAX 16u
struct history_gone {
	uint32_t n, number[HISTORY_GONE_MAX];
	uint64_t rows;
};
void history_trim(struct history *h, struct db_txn *x, int64_t now_ns, struct history_gone *gone);
/* What is written, is older than cutoff_ns and has no row that ends since is sealed, so that it goes with the
 * next commit: nothing may come any more that would fill it. Between commits. */
void history_seal_old(struct history *h, int64_t cutoff_ns);
/* As history_trim, where a batch found no room. */
void history_make_room(struct history *h, struct db_txn *x, struct history_gone *gone);
void history_retire(struct history *h, const struct history_gone *gone);

/* history_upgrade.c */
enum db_status history_upgrade(struct history *h, char *err, size_t errsize);

#endif
