/* What block_read.c and block_fetch.c share. */
#ifndef WEIR_STORE_BLOCK_PARTS_H
#define WEIR_STORE_BLOCK_PARTS_H

#include "block.h"

struct block_reader {
	struct column_work work;
	uint64_t *v, *other; /* COLUMN_MAX */
	struct bytes values; /* of a frame of a pair, or of one kind of strings */
	struct bytes all;    /* of a pair */
	uint32_t *text_at;   /* COLUMN_MAX + 1: where each string of a kind begins */
};

/* NULL: not there. */
static inline const struct column *
block_part(const struct block *b, unsigned number)
{
	return b->where[number] == 0 ? NULL : &b->column[b->where[number] - 1];
}

/* The numbers of a column as far as they are in these frames, as the column tells them; zeros where it is not
 * there. */
bool block_column(struct block_reader *r, const struct block *b, unsigned number, uint64_t frames,
		  uint64_t *v);

/* How many values of p there are in c, its column; 0 where it is damaged. */
uint32_t block_count_values(const struct block *b, const struct column *c, const struct wide_pair *p);

/* A walk through the frames of values. f: begun. */
struct value_frames {
	struct column_frames f;
	uint32_t from, n; /* which values are in the frame */
};
/* The next frame that is in the set into r->values: the first bytes of all its values, then the second ones.
 */
bool block_next_values(struct block_reader *r, const struct block *b, const struct wide_pair *p,
		       struct value_frames *v, uint64_t frames, bool *damaged);

#endif
