/*
 * Flows as columns in memory, which is what a block is made of: filled from the rows of a batch, or from
 * stretches of blocks that are joined into another one. Up to BLOCK_ROWS_MAX rows. What is the same in all of
 * them takes no memory, and of addresses and strings each stands once.
 */
#ifndef WEIR_STORE_FLOW_TABLE_H
#define WEIR_STORE_FLOW_TABLE_H

#include "block.h"
#include "bytes.h"
#include "distinct.h"

#define TABLE_COLUMNS (PART_SECONDARY + 1u) /* by the numbers of flow_columns.def, and PART_SECONDARY */

/* As the column of a block: one that has a base is the distance from it. */
struct table_column {
	uint64_t *v; /* BLOCK_ROWS_MAX, made when it is first needed */
	uint64_t only;
	bool varies; /* false: all rows are `only` */
};

/* The values of a pair (wide_pairs), p->size bytes each, and which of them rows have. */
struct table_pair {
	const struct wide_pair *p;
	struct distinct seen;
	struct bytes value;
	uint32_t *index[2];
};

/* Strings of one kind: PART_NAME, PART_INFO, PART_ATTRIBUTES. */
struct table_texts {
	unsigned part;
	struct distinct seen;
	struct bytes text, at; /* at: a struct table_text each */
	uint32_t *index;
};

struct table_text {
	uint32_t at, len;
};

#define TABLE_PAIRS 3u
#define TABLE_TEXTS 3u

struct flow_table {
	uint32_t n;
	uint32_t *tenant;
	struct table_column column[TABLE_COLUMNS];
	struct table_pair pair[TABLE_PAIRS];
	struct table_texts texts[TABLE_TEXTS];
	uint32_t *order; /* rows in the order of a block: flow_table_sort */
	bool sorted;     /* else they are in their order as they stand */
	/* To work with. */
	struct row_order *sort[2];
	uint64_t *work;    /* a column of a block */
	uint32_t *numbers; /* of values or strings of a block: number here + 1 */
	uint64_t seed;
};

struct flow_table *flow_table_new(void);
void flow_table_free(struct flow_table **t);
void flow_table_reset(struct flow_table *t);
/* What flow_table.c and flow_table_join.c share: rows [at, at + n) of a column are all v; memory for those of
 * one that are not; the number of a value, or a string. */
void flow_table_fill(struct table_column *c, uint32_t at, uint32_t n, uint64_t v);
uint64_t *flow_table_vary(struct table_column *c, uint32_t at);
uint32_t flow_table_value(struct flow_table *t, struct table_pair *p, const uint8_t *value);
uint32_t flow_table_text(struct flow_table *t, struct table_texts *x, const void *text, uint32_t len);

static inline const struct table_text *
table_text_at(const struct table_texts *t, uint32_t number)
{
	return (const struct table_text *)(const void *)t->at.p + number;
}

/* Instead of what it has: n rows in the order of a block, 1..BLOCK_ROWS_MAX. */
void flow_table_take(struct flow_table *t, const struct block_row *row, uint32_t n);
/*
 * Adds n rows of a block, row[0] < row[1] < ..., all of them tenant's; there must be room. False where the
 * block is damaged: what the table has then is good for nothing.
 */
bool flow_table_join(struct flow_table *t, struct block_reader *r, const struct block *b, const uint32_t *row,
		     uint32_t n, uint32_t tenant);
/* Finds the order of rows by tenant, end, id and slice. */
void flow_table_sort(struct flow_table *t);

#endif
