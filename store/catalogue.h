/* Which blocks of flows there are, and in which segments: tables of data.mdb. A block is there when the
 * catalogue says so. */
#ifndef WEIR_STORE_CATALOGUE_H
#define WEIR_STORE_CATALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"

/* Tenants that keep flows for about as long have segments in common, which end as a whole. */
#define RETENTION_CLASSES 6u

/* A file of blocks. */
struct segment_entry {
	uint32_t number;
	bool gone;   /* its file is deleted: only its blocks' entries are left, to be deleted in steps */
	bool merged; /* its blocks are of one tenant each */
	bool left;   /* they cannot be made so: it stays as it is */
	bool worn;   /* blocks of a deleted tenant are in its file */
	bool ending; /* all that is left of it is too old within a day */
	unsigned retention; /* merged: how long its tenants keep flows; below RETENTION_CLASSES */
	int64_t made_ns;
	int64_t least_last_ns, most_last_ns;
	uint64_t rows, bytes; /* bytes of its file */
	uint64_t dead;        /* rows of blocks that were forgotten */
};

/* A block in it. */
struct block_entry {
	uint32_t segment;
	uint64_t sequence; /* its key in the segment; later blocks have larger ones */
	int64_t least_last_ns, most_last_ns;
	uint32_t rows, tenants; /* rows; of how many tenants */
	uint32_t tenant;        /* where it is of one */
	uint32_t bytes;         /* 0: not known */
};

void catalogue_put_segment(struct db_txn *x, const struct segment_entry *e);
void catalogue_delete_segment(struct db_txn *x, uint32_t number);
/* The first entry from number on. */
bool catalogue_segment(struct db_txn *x, uint32_t number, struct segment_entry *e);
/* The last entry before number. */
bool catalogue_segment_before(struct db_txn *x, uint32_t number, struct segment_entry *e);

void catalogue_put_block(struct db_txn *x, const struct block_entry *e);
/* Calls visit for the blocks of a segment, oldest first, or newest first, until it returns false. */
void catalogue_blocks(struct db_txn *x, uint32_t segment, bool newest_first,
		      bool (*visit)(void *ctx, const struct block_entry *e), void *ctx);
/* As it, oldest first, from a sequence on. */
void catalogue_blocks_from(struct db_txn *x, uint32_t segment, uint64_t sequence,
			   bool (*visit)(void *ctx, const struct block_entry *e), void *ctx);
/* The block is not there any more, whatever its file has. */
void catalogue_forget_block(struct db_txn *x, const struct block_entry *e);
/* Deletes entries of a segment's blocks and dead rows, at most n; true where none is left. */
bool catalogue_forget_blocks(struct db_txn *x, uint32_t segment, unsigned n);

/* A row that a later one replaced. */
void catalogue_put_dead(struct db_txn *x, uint32_t segment, uint64_t sequence, uint32_t row);
/* wanted[row] = 0 for the dead rows of a block of n. */
void catalogue_skip_dead(struct db_txn *x, uint32_t segment, uint64_t sequence, uint8_t *wanted, uint32_t n);

#endif
