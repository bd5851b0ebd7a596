/* The columns of one block: each is unpacked when it is asked for, and kept until the next block. */
#ifndef WEIR_STORE_COLUMNS_H
#define WEIR_STORE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block.h"

struct columns; /* one thread's */
/* r is the caller's and outlives it. */
struct columns *columns_new(struct block_reader *r);
void columns_free(struct columns **c);

/* b and its bytes outlive what is asked of it. */
void columns_begin(struct columns *c, const struct block *b);
const struct block *columns_block(const struct columns *c);
struct block_reader *columns_reader(const struct columns *c);

/* From here on only rows of these frames are looked at: what is told of others says nothing, and is not
 * unpacked. All of them at first. */
void columns_focus(struct columns *c, uint64_t frames);
uint64_t columns_focused(const struct columns *c);

/* A column of flow_columns.def or an enum block_part of numbers: one a row. NULL: damaged. */
const uint64_t *columns_numbers(struct columns *c, unsigned number);

/* What occurs in a block, each once, and which of it each row has: below n. */
enum { PAIR_ADDRESSES, PAIR_MACS, PAIR_ROUTERS, PAIRS }; /* of wide_pairs */
struct column_pair {
	uint32_t n;
	const uint8_t *value; /* 16, 6, 16 bytes each */
	const uint64_t *code[2];
};
bool columns_pair(struct columns *c, unsigned pair, struct column_pair *p);

/* Which code an address has, and the frames of rows that it is an end in. False: none, or *damaged. */
bool columns_find_address(struct columns *c, const struct ip_addr *ip, uint64_t *code, uint64_t *frames,
			  bool *damaged);
/* As columns_pair of the addresses, without anybody's codes. */
bool columns_addresses(struct columns *c, struct column_pair *p);
/* The codes of the ends, as of columns_pair; NULL: damaged. They may be of no address. */
const uint64_t *columns_ends(struct columns *c, int side);

struct column_names {
	uint32_t n;
	const char *text;
	const uint32_t *at; /* name i is [at[i], at[i + 1]) */
	const uint64_t *code;
};
bool columns_names(struct columns *c, struct column_names *names);

static inline const struct ip_addr *
column_address(const struct column_pair *p, uint64_t code)
{
	return (const struct ip_addr *)(const void *)(p->value + code * sizeof(struct ip_addr));
}

#endif
