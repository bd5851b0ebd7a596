/*
 * Kept flows, found in their blocks: which blocks can hold what is wanted, which rows of them are, and those
 * rows whole. Each block is looked at within one short transaction.
 */
#ifndef WEIR_STORE_FIND_H
#define WEIR_STORE_FIND_H

#include "columns.h"
#include "history_parts.h"
#include "jobs.h"

/* A row that was found. */
struct find_pick {
	struct flow_position at;
	uint32_t block; /* index in f->block */
	uint32_t row;
};

struct find {
	struct history *h;
	struct job *job; /* that it is used for: it is stopped between blocks. NULL: nobody stops it */
	struct block_reader *reader;
	struct block_entry *block; /* those that may hold what is wanted, newest end first */
	size_t nblocks, blocks_cap;
	uint32_t portion; /* of the catalogue that is read in one transaction, in blocks: FIND_PORTION */
	struct find_pick *pick;
	size_t npicks, picks_cap;
	struct block head;
	struct columns *columns; /* of head, where columns_begin was called */
	uint32_t
	    mine; /* rows of the tenant's in the block that is looked at, as far as they cost something */
	/* Of the block that is looked at, COLUMN_MAX each. */
	uint64_t *last, *high, *low, *slice;
	uint32_t *tenant;
	uint8_t *wanted;
	uint32_t *row;          /* some of them */
	struct kept_flow *kept; /* of the picks, in their order */
	void **texts;           /* memory behind them */
	size_t ntexts, kept_cap;
};

struct find *find_new(struct history *h);
void find_free(struct find **f);

/* Some milliseconds' worth: a reader that stays makes the catalogue grow. */
#define FIND_PORTION 65536u

/* Lists the blocks that hold ends within [from, to) and rows of tenant (TENANT_PLATFORM: any): as of one
 * moment, or of several between which no block took another's place. False on error: *status. */
bool find_blocks(struct find *f, uint32_t tenant, int64_t from_ns, int64_t to_ns, enum db_status *status);

#define FIND_ALL  UINT64_MAX       /* every row of every tenant, secondary ones too */
#define FIND_NONE (UINT64_MAX - 1) /* whose they are is not looked at: wanted and tenant say nothing */

/*
 * Opens a block and calls look with f->head, f->last and f->wanted of all its rows: 1 where the row is alive
 * and tenant's. look may use f->reader. False where the block is damaged, which is counted and said.
 */
/* As it, without f->last. may (NULL: always) sees nothing but f->head, and may use f->reader: where it says
 * no, the block is not looked into. */
bool find_look_at(struct find *f, const struct block_entry *e, uint64_t tenant,
		  bool (*may)(struct find *f, void *ctx),
		  bool (*look)(struct find *f, const struct block_entry *e, void *ctx), void *ctx);
bool find_look(struct find *f, const struct block_entry *e, uint64_t tenant,
	       bool (*look)(struct find *f, const struct block_entry *e, void *ctx), void *ctx);
/* The ids and slices of the block that is looked at, into f->high, f->low, f->slice. */
bool find_ids(struct find *f);
/* The same of those rows alone that are wanted; and their ends into f->last, where those of all are not
 * there. */
bool find_ids_wanted(struct find *f, bool has_ends);
struct flow_position find_position(const struct find *f, uint32_t row);

/* Where a comes in the order of history_flows, before (> 0) or behind b. */
int find_compare(const struct flow_position *a, const struct flow_position *b);
/* Keeps the picks' rows whole in f->kept, in the picks' order. A row that is damaged has no server_name
 * (NULL). False: f->job was stopped. */
bool find_fetch(struct find *f);
void find_reset(struct find *f);

#endif
