/*
 * What the rows of a block have of one dimension: each row a code, each code a key. Codes are the block's
 * own: where a value stands once in a block, it is looked at once.
 */
#ifndef WEIR_STORE_GROUP_AXIS_H
#define WEIR_STORE_GROUP_AXIS_H

#include <stdbool.h>
#include <stdint.h>

#include "columns.h"
#include "ipc/dimension.h"
#include "view.h"

#define AXIS_WORDS_MAX 3u /* of a key */
#define AXIS_CODES_MAX (2 * COLUMN_MAX + 1)
#define AXIS_RISKS     65u /* codes of risks: 0 none, else the number */

struct group_axis {
	enum dimension dimension;
	const struct view *view;
	uint8_t bits_v4, bits_v6; /* of networks */
	uint32_t words;           /* of a key */
	bool has_name;            /* its second word is where a name is: group_table.h */
	uint64_t seed;

	/* Of the block. */
	uint32_t n;              /* codes are below */
	const uint64_t *code[2]; /* of each row, by end; both the same but where each end counts */
	bool exact;              /* different codes are different keys */
	const char *text;        /* where names are */
	struct column_pair ends;
	struct column_names names;

	/* Keys of codes that were asked for. */
	uint64_t *key, *hash;
	uint32_t *asked; /* `block` where it was in this block */
	uint32_t block;
	/* Codes of numbers. */
	uint64_t *made[2], *value;
	uint32_t *slot, *slot_block;
};

void group_axis_init(struct group_axis *a, enum dimension d, const struct view *v, uint8_t bits_v4,
		     uint8_t bits_v6, uint64_t seed);
void group_axis_free(struct group_axis *a);

/* The next block; tenant: of each row that is wanted. False: it is damaged. */
bool group_axis_block(struct group_axis *a, struct columns *c, const uint32_t *tenant, const uint32_t *row,
		      uint32_t nrows);
/* a->words words, good until the next block; *hash is theirs. */
const uint64_t *group_axis_key(struct group_axis *a, uint64_t code, uint64_t *hash);
uint64_t group_axis_hash(const struct group_axis *a, const uint64_t *key);
bool group_axis_same(struct group_axis *a, uint64_t one, uint64_t other);

/* Whether its keys are whole addresses, and a flow counts for both its ends: what blocks keep sums of. */
bool group_axis_is_each_address(const struct group_axis *a);
/* As group_axis_block, for the addresses of the block without its rows: codes are below what it returns; 0
 * where damaged. */
uint32_t group_axis_addresses(struct group_axis *a, struct columns *c);

static inline bool
group_axis_counts_each(const struct group_axis *a)
{
	return dimension_rows[a->dimension].ends == DIMENSION_EACH;
}

#endif
