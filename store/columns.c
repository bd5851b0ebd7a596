#include "columns.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct columns {
	struct block_reader *reader;
	const struct block *block;
	uint64_t focus;
	uint64_t *number[256]; /* COLUMN_MAX each, made when it is first needed */
	uint64_t has[256];     /* frames that are unpacked */
	uint64_t judged[256];  /* frames whose codes are known to be of something */
	bool damaged[256];
	struct bytes values[PAIRS], names;
	uint32_t nvalues[PAIRS], nnames;
	bool has_values[PAIRS], has_names;
	uint32_t *name_at;
};

struct columns *
columns_new(struct block_reader *r)
{
	struct columns *c = mem_calloc(1, sizeof(*c));

	c->reader = r;
	c->name_at = mem_calloc(COLUMN_MAX + 1, sizeof(*c->name_at));
	return c;
}

void
columns_free(struct columns **cp)
{
	struct columns *c = *cp;

	if (c == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(c->number); i++)
		free(c->number[i]);
	for (size_t i = 0; i < PAIRS; i++)
		bytes_free(&c->values[i]);
	bytes_free(&c->names);
	free(c->name_at);
	free(c);
	*cp = NULL;
}

void
columns_begin(struct columns *c, const struct block *b)
{
	c->block = b;
	c->focus = FRAMES_ALL;
	memset(c->has, 0, sizeof(c->has));
	memset(c->judged, 0, sizeof(c->judged));
	memset(c->damaged, 0, sizeof(c->damaged));
	memset(c->has_values, 0, sizeof(c->has_values));
	c->has_names = false;
}

const struct block *
columns_block(const struct columns *c)
{
	return c->block;
}

struct block_reader *
columns_reader(const struct columns *c)
{
	return c->reader;
}

void
columns_focus(struct columns *c, uint64_t frames)
{
	c->focus = frames;
}

uint64_t
columns_focused(const struct columns *c)
{
	return c->focus;
}

const uint64_t *
columns_numbers(struct columns *c, unsigned number)
{
	uint64_t missing = c->focus & ~c->has[number];

	if (c->number[number] == NULL)
		c->number[number] = mem_calloc(COLUMN_MAX, sizeof(uint64_t));
	if (missing != 0 && !c->damaged[number]) {
		c->damaged[number] =
		    !block_numbers_of(c->reader, c->block, number, &missing, c->number[number]);
		c->has[number] |= missing;
	}
	return c->damaged[number] ? NULL : c->number[number];
}

/* As it, where each has to be below n: judged once a block. */
static const uint64_t *
codes(struct columns *c, unsigned number, uint32_t n)
{
	const uint64_t *v = columns_numbers(c, number);
	uint64_t most = 0;

	if (v == NULL || (c->focus & ~c->judged[number]) == 0)
		return v;
	for (uint32_t from, to = 0; block_next_rows(c->block, c->focus & ~c->judged[number], &from, &to);)
		for (uint32_t i = from; i < to; i++)
			most = v[i] > most ? v[i] : most;
	c->judged[number] |= c->focus;
	c->damaged[number] |= most >= n;
	return most < n ? v : NULL;
}

static bool
values(struct columns *c, unsigned pair, struct column_pair *p)
{
	if (!c->has_values[pair]) {
		c->has_values[pair] = true;
		c->nvalues[pair] = block_values(c->reader, c->block, &wide_pairs[pair], &c->values[pair]);
	}
	*p = (struct column_pair){ .n = c->nvalues[pair], .value = c->values[pair].p };
	return p->n > 0;
}

bool
columns_pair(struct columns *c, unsigned pair, struct column_pair *p)
{
	if (!values(c, pair, p))
		return false;
	for (int side = 0; side < 2; side++)
		if ((p->code[side] = codes(c, wide_pairs[pair].index[side], p->n)) == NULL)
			return false;
	return true;
}

bool
columns_addresses(struct columns *c, struct column_pair *p)
{
	return values(c, PAIR_ADDRESSES, p);
}

bool
columns_find_address(struct columns *c, const struct ip_addr *ip, uint64_t *code, uint64_t *frames,
		     bool *damaged)
{
	return block_find_address(c->reader, c->block, ip, code, frames, damaged);
}

const uint64_t *
columns_ends(struct columns *c, int side)
{
	return columns_numbers(c, wide_pairs[PAIR_ADDRESSES].index[side]);
}

bool
columns_names(struct columns *c, struct column_names *names)
{
	if (!c->has_names) {
		c->has_names = true;
		c->nnames = block_names(c->reader, c->block, &c->names, c->name_at);
	}
	*names = (struct column_names){ .n = c->nnames, .text = (const char *)c->names.p, .at = c->name_at };
	return c->nnames > 0 && (names->code = codes(c, PART_NAME, c->nnames)) != NULL;
}
