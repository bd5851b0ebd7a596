/*
 * Blocks: up to 65,536 kept flows as compressed columns, with what is needed to skip a block that cannot hold
 * what is looked for. Bytes that are read may be a damaged disk's.
 */
#ifndef WEIR_STORE_BLOCK_H
#define WEIR_STORE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block_layout.h"
#include "column.h"
#include "flow_row.h"

#define BLOCK_ROWS_MAX COLUMN_MAX

/* --- writing --- */

struct block_row {
	const struct rec_flow *f;
	struct flow_texts texts;
	uint32_t tenant;
	bool secondary;
};

/* What a block is, beside its bytes. */
struct block_about {
	uint32_t rows, tenant, tenants; /* tenant: the first of so many */
	int64_t least_last_ns, most_last_ns;
};

struct flow_table;
struct block_writer; /* one thread's */
struct block_writer *block_writer_new(void);
void block_writer_free(struct block_writer **w);
/* Frames of 2^bits rows instead of FRAME_BITS, or more where there would be too many: for tests, whose blocks
 * are small. */
void block_writer_frames(struct block_writer *w, unsigned bits);
/* n rows in their order, 1..BLOCK_ROWS_MAX. The bytes are the writer's until the next call. */
const uint8_t *block_encode(struct block_writer *w, const struct block_row *row, uint32_t n, size_t *len,
			    struct block_about *about);
/* As it: n rows of t, from the one that is `from` in its order on. */
const uint8_t *block_encode_table(struct block_writer *w, const struct flow_table *t, uint32_t from,
				  uint32_t n, size_t *len, struct block_about *about);

/* --- reading --- */

struct block {
	uint32_t rows;
	uint8_t frame_bits; /* log2 of the rows of a frame; 16 in the first format: one frame */
	int64_t least_last_ns, most_last_ns;
	const uint8_t *body;
	size_t body_len;
	unsigned ncolumns;
	struct column column[BLOCK_COLUMNS_MAX];
	uint8_t where[256]; /* of a number: index + 1 in column; 0 not there: zeros */
};

/* Sets of a block's frames of rows are the bits of a number: FRAMES_ALL. */
static inline uint64_t
block_frame_of(const struct block *b, uint32_t row)
{
	return UINT64_C(1) << (row >> b->frame_bits);
}

/* The next stretch of rows, [*from, *to), whose frames are in the set; it begins at *to, 0 at first. False:
 * no more. */
static inline bool
block_next_rows(const struct block *b, uint64_t frames, uint32_t *from, uint32_t *to)
{
	uint64_t most = UINT64_C(1) << b->frame_bits;
	uint64_t at = *to, end;

	if (frames == FRAMES_ALL) {
		*from = *to;
		*to = b->rows;
		return *from < *to;
	}
	while (at < b->rows && (frames & block_frame_of(b, (uint32_t)at)) == 0)
		at += most;
	for (end = at; end < b->rows && (frames & block_frame_of(b, (uint32_t)end)) != 0;)
		end += most;
	*from = (uint32_t)(at < b->rows ? at : b->rows);
	*to = (uint32_t)(end < b->rows ? end : b->rows);
	return *from < *to;
}

/* Reads the head; false where these are no block. The bytes must outlive what is done with b. */
bool block_open(struct block *b, const void *bytes, size_t len);

/* What a question wants of flows; 0 bits of `has` want all. */
struct block_want {
	bool has_ip, has_application, has_point, has_port;
	uint16_t application, port; /* of either side, as ip */
	uint32_t point;
	struct ip_addr ip;
};

/* False: no row of it is wanted. Looks at filters only. */
bool block_may_match(const struct block *b, const struct block_want *f);
bool block_may_hold_id(const struct block *b, const struct flow_id *id);

struct block_reader; /* one thread's */
struct block_reader *block_reader_new(void);
void block_reader_free(struct block_reader **r);

/* The rows of a tenant are [*from, *to). False where the block is damaged; *from == *to: none. */
bool block_rows_of(struct block_reader *r, const struct block *b, uint32_t tenant, uint32_t *from,
		   uint32_t *to);
/* tenant[i] of each row. */
bool block_tenants(struct block_reader *r, const struct block *b, uint32_t *tenant);
/* A column of flow_columns.def, or PART_SECONDARY: b->rows numbers. */
bool block_numbers(struct block_reader *r, const struct block *b, unsigned number, uint64_t *v);
/* As it, of the rows alone whose frames are in *frames; which have theirs in v then, it says. */
bool block_numbers_of(struct block_reader *r, const struct block *b, unsigned number, uint64_t *frames,
		      uint64_t *v);
/* As it, of n rows only: of a column that is told as no difference from another one. */
bool block_numbers_at(struct block_reader *r, const struct block *b, unsigned number, const uint32_t *row,
		      uint32_t n, uint64_t *v);
/* The values of a pair of wide_pairs, p->size bytes each, one behind the other into out; 0 where damaged. */
uint32_t block_values(struct block_reader *r, const struct block *b, const struct wide_pair *p,
		      struct bytes *out);
/* Which of the addresses that occur ip is, and the frames of rows that it is an end in; false where it is
 * none, or *damaged. */
bool block_find_address(struct block_reader *r, const struct block *b, const struct ip_addr *ip,
			uint64_t *code, uint64_t *frames, bool *damaged);
/* Whether the block has sums of its rows. */
bool block_has_sums(const struct block *b);
/* What the rows of each of n addresses that occur sum up to (PART_ADDRESS_FLOWS and so on), or of all
 * (PART_TOTALS, 2): false where that is not there, or damaged. */
bool block_sums(struct block_reader *r, const struct block *b, unsigned number, uint32_t n, uint64_t *v);
/* The server names that occur into out, and where each begins into at, COLUMN_MAX + 1; how many, 0 where
 * damaged. */
uint32_t block_names(struct block_reader *r, const struct block *b, struct bytes *out, uint32_t *at);
/* The applications that occur, each once; how many, 0 where that is not known. They are r's until it is used
 * again. */
uint32_t block_applications(struct block_reader *r, const struct block *b, const uint64_t **v);
/* Whether an address or a port can be one of a row's ends. True where a filter is damaged. */
bool block_may_hold_address(const struct block *b, const struct ip_addr *ip);
bool block_may_hold_port(const struct block *b, uint16_t port);
/* No row's number in the column is outside [*least, *most]; told by the description alone. */
void block_range(const struct block *b, unsigned number, uint64_t *least, uint64_t *most);
/* wanted[i] &= whether row i is. */
bool block_match(struct block_reader *r, const struct block *b, const struct block_want *f, uint8_t *wanted);
/*
 * Row row[i] into *out[i], n times; tenant and secondary are not set. *texts is memory that their strings are
 * in, the caller's to free. False: damaged.
 */
bool block_fetch(struct block_reader *r, const struct block *b, const uint32_t *row, uint32_t n,
		 struct kept_flow *const *out, void **texts);

#endif
