#include "columns.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct columns {
	struct block_reader *reader;
	const struct block *block;
	uint64_t *number[256]; /* COLUMN_MAX each, made when it is first needed */
	bool has[256], sound[256];
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
	memset(c->has, 0, sizeof(c->has));
	memset(c->sound, 0, sizeof(c->sound));
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

const uint64_t *
columns_numbers(struct columns *c, unsigned number)
{
	if (!c->has[number]) {
		if (c->number[number] == NULL)
			c->number[number] = mem_calloc(COLUMN_MAX, sizeof(uint64_t));
		c->has[number] = true;
		c->sound[number] = block_numbers(c->reader, c->block, number, c->number[number]);
	}
	return c->sound[number] ? c->number[number] : NULL;
}

/* As it, where each has to be below n: judged once a block. */
static const uint64_t *
codes(struct columns *c, unsigned number, uint32_t n)
{
	bool judged = c->has[number];
	const uint64_t *v = columns_numbers(c, number);
	uint64_t most = 0;

	if (judged || v == NULL)
		return v;
	for (uint32_t i = 0; i < c->block->rows; i++)
		most = v[i] > most ? v[i] : most;
	c->sound[number] = most < n;
	return most < n ? v : NULL;
}

bool
columns_pair(struct columns *c, unsigned pair, struct column_pair *p)
{
	const struct wide_pair *w = &wide_pairs[pair];

	if (!c->has_values[pair]) {
		c->has_values[pair] = true;
		c->nvalues[pair] = block_values(c->reader, c->block, w, &c->values[pair]);
	}
	*p = (struct column_pair){ .n = c->nvalues[pair], .value = c->values[pair].p };
	if (p->n == 0)
		return false;
	for (int side = 0; side < 2; side++)
		if ((p->code[side] = codes(c, w->index[side], p->n)) == NULL)
			return false;
	return true;
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
