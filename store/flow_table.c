/* Rows of a batch as columns: see flow_table.h. */
#include "flow_table.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "row_order.h"

#define AHEAD 8u  /* rows lie in the batch as they came: so many before its turn one is asked for */
#define TILE  64u /* rows that are looked at for one column after the other while they are near */

static_assert(BLOCK_ROWS_MAX % TILE == 0, "tiles end where columns do");

struct flow_table *
flow_table_new(void)
{
	static const unsigned parts[TABLE_TEXTS] = { PART_NAME, PART_INFO, PART_ATTRIBUTES };
	struct flow_table *t = mem_calloc(1, sizeof(*t));

	t->tenant = mem_calloc(BLOCK_ROWS_MAX, sizeof(*t->tenant));
	for (unsigned i = 0; i < TABLE_PAIRS; i++) {
		t->pair[i].p = &wide_pairs[i];
		for (int side = 0; side < 2; side++)
			t->pair[i].index[side] = mem_calloc(BLOCK_ROWS_MAX, sizeof(uint32_t));
	}
	for (unsigned i = 0; i < TABLE_TEXTS; i++) {
		t->texts[i].part = parts[i];
		t->texts[i].index = mem_calloc(BLOCK_ROWS_MAX, sizeof(uint32_t));
	}
	randombytes_buf(&t->seed, sizeof(t->seed));
	flow_table_reset(t);
	return t;
}

void
flow_table_free(struct flow_table **tp)
{
	struct flow_table *t = *tp;

	if (t == NULL)
		return;
	for (unsigned i = 0; i < TABLE_COLUMNS; i++)
		free(t->column[i].v);
	for (unsigned i = 0; i < TABLE_PAIRS; i++) {
		distinct_free(&t->pair[i].seen);
		bytes_free(&t->pair[i].value);
		free(t->pair[i].index[0]);
		free(t->pair[i].index[1]);
	}
	for (unsigned i = 0; i < TABLE_TEXTS; i++) {
		distinct_free(&t->texts[i].seen);
		bytes_free(&t->texts[i].text);
		bytes_free(&t->texts[i].at);
		free(t->texts[i].index);
	}
	free(t->tenant);
	free(t->order);
	free(t->sort[0]);
	free(t->sort[1]);
	free(t->work);
	free(t->numbers);
	free(t);
	*tp = NULL;
}

void
flow_table_reset(struct flow_table *t)
{
	t->n = 0;
	t->sorted = false;
	for (unsigned i = 0; i < TABLE_COLUMNS; i++) {
		t->column[i].varies = false;
		t->column[i].only = 0;
	}
	for (unsigned i = 0; i < TABLE_PAIRS; i++) {
		distinct_reset(&t->pair[i].seen);
		t->pair[i].value.len = 0;
	}
	for (unsigned i = 0; i < TABLE_TEXTS; i++) {
		distinct_reset(&t->texts[i].seen);
		t->texts[i].text.len = t->texts[i].at.len = 0;
	}
}

/* --- columns
 * ---------------------------------------------------------------------------------------------------------------
 */

uint64_t *
flow_table_vary(struct table_column *c, uint32_t at)
{
	if (c->v == NULL)
		c->v = mem_calloc(BLOCK_ROWS_MAX, sizeof(*c->v));
	for (uint32_t i = 0; !c->varies && i < at; i++)
		c->v[i] = c->only;
	c->varies = true;
	return c->v + at;
}

void
flow_table_fill(struct table_column *c, uint32_t at, uint32_t n, uint64_t v)
{
	if (at == 0 && !c->varies)
		c->only = v;
	if (!c->varies && c->only == v)
		return;

	uint64_t *to = flow_table_vary(c, at);

	for (uint32_t i = 0; i < n; i++)
		to[i] = v;
}

/* --- values and strings
 * ----------------------------------------------------------------------------------------------------------
 */

struct value_key {
	const struct table_pair *pair;
	const uint8_t *value;
};

static bool
same_value(const void *ctx, uint32_t number)
{
	const struct value_key *k = ctx;
	size_t size = k->pair->p->size;

	return memcmp(k->pair->value.p + number * size, k->value, size) == 0;
}

uint32_t
flow_table_value(struct flow_table *t, struct table_pair *p, const uint8_t *value)
{
	const struct value_key k = { p, value };
	size_t size = p->p->size;
	uint64_t half[2] = { 0 };

	memcpy(half, value, size);

	uint64_t hash = hash_mix(half[0] ^ t->seed, half[1] ^ UINT64_C(0x9e3779b97f4a7c15));
	uint64_t *slot = distinct_find(&p->seen, hash, same_value, &k);

	if (*slot != 0)
		return (uint32_t)*slot - 1;
	memcpy(bytes_room(&p->value, size), value, size);
	p->value.len += size;
	return distinct_add(&p->seen, slot, hash);
}

struct text_key {
	const struct table_texts *x;
	const void *text;
	uint32_t len;
};

static bool
same_text(const void *ctx, uint32_t number)
{
	const struct text_key *k = ctx;
	const struct table_text *s = table_text_at(k->x, number);

	return s->len == k->len && (k->len == 0 || memcmp(k->x->text.p + s->at, k->text, k->len) == 0);
}

uint32_t
flow_table_text(struct flow_table *t, struct table_texts *x, const void *text, uint32_t len)
{
	const struct text_key k = { x, text, len };
	const struct table_text s = { (uint32_t)x->text.len, len };
	uint64_t hash = len == 0 ? t->seed : hash_bytes(text, len, t->seed);
	uint64_t *slot = distinct_find(&x->seen, hash, same_text, &k);

	if (*slot != 0)
		return (uint32_t)*slot - 1;
	if (len > 0)
		memcpy(bytes_room(&x->text, len), text, len);
	x->text.len += len;
	memcpy(bytes_room(&x->at, sizeof(s)), &s, sizeof(s));
	x->at.len += sizeof(s);
	return distinct_add(&x->seen, slot, hash);
}

/* --- rows, a tile at a time
 * --------------------------------------------------------------------------------------------------------
 */

#define WORDS (sizeof(struct rec_flow) / 8)

/* Some rows, and the bits that are not the same in all of them and the table's first. */
struct tile {
	const struct block_row *row;
	const struct rec_flow *first;
	uint32_t at, n;
	uint64_t differs[WORDS];
	uint64_t v[TILE], from[TILE]; /* to work with: cleared once, not for each column */
};

/* left: rows from the tile's first on that there are. */
static void
note_differences(struct tile *t, uint32_t left)
{
	uint64_t first[WORDS];

	static_assert(sizeof(first) == sizeof(struct rec_flow), "whole words");
	memcpy(first, t->first, sizeof(first));
	memset(t->differs, 0, sizeof(t->differs));
	for (uint32_t i = 0; i < t->n; i++) {
		if (i + AHEAD < left)
			for (size_t at = 0; at < sizeof(struct rec_flow); at += 64)
				__builtin_prefetch((const uint8_t *)t->row[i + AHEAD].f + at);
		for (size_t k = 0; k < WORDS; k++) {
			uint64_t other;

			memcpy(&other, (const uint8_t *)t->row[i].f + k * sizeof(other), sizeof(other));
			t->differs[k] |= first[k] ^ other;
		}
	}
}

static bool
is_constant(const struct tile *t, size_t offset, size_t size)
{
	const uint8_t *differs = (const uint8_t *)t->differs + offset;

	for (size_t i = 0; i < size; i++)
		if (differs[i] != 0)
			return false;
	return true;
}

static bool
is_constant_column(const struct tile *t, const struct flow_column *c)
{
	return is_constant(t, c->offset, c->width == BIG_ENDIAN_8 ? 8 : c->width);
}

static void
take_field(const struct block_row *row, uint32_t n, const struct flow_column *c, uint64_t *v)
{
	size_t at = c->offset;

#define TAKE(type, convert)                                                                                  \
	for (uint32_t i = 0; i < n; i++) {                                                                   \
		type x;                                                                                      \
                                                                                                             \
		memcpy(&x, (const uint8_t *)row[i].f + at, sizeof(x));                                       \
		v[i] = convert(x);                                                                           \
	}                                                                                                    \
	break
	switch (c->width) {
	case 1:
		TAKE(uint8_t, );
	case 2:
		TAKE(uint16_t, );
	case 4:
		TAKE(uint32_t, );
	case 8:
		TAKE(uint64_t, );
	default:
		TAKE(uint64_t, __builtin_bswap64);
	}
#undef TAKE
}

static void
take_column(struct flow_table *t, struct tile *tile, const struct flow_column *c)
{
	const struct flow_column *base = c->base == 0 ? NULL : flow_column_of(c->base);
	struct table_column *to = &t->column[c->number];
	bool constant = is_constant_column(tile, c) && (base == NULL || is_constant_column(tile, base));
	uint32_t n = constant ? 1 : tile->n;
	uint64_t *v = tile->v;

	/* What is the same in all rows of all tiles is what it was in the first one. */
	if (constant && tile->at > 0 && !to->varies)
		return;
	take_field(tile->row, n, c, v);
	if (base != NULL) {
		take_field(tile->row, n, base, tile->from);
		for (uint32_t i = 0; i < n; i++)
			v[i] = tile->from[i] - v[i];
	}
	if (constant)
		flow_table_fill(to, tile->at, tile->n, v[0]);
	else
		memcpy(flow_table_vary(to, tile->at), v, n * sizeof(*v));
}

static void
take_pair(struct flow_table *t, const struct tile *tile, struct table_pair *p)
{
	for (int side = 0; side < 2; side++) {
		size_t at = p->p->offset[side], size = p->p->size;
		uint32_t *index = p->index[side] + tile->at;
		bool constant = is_constant(tile, at, size);

		for (uint32_t i = 0; i < tile->n; i++) {
			const uint8_t *value = (const uint8_t *)tile->row[i].f + at;

			index[i] = i > 0 && (constant || memcmp((const uint8_t *)tile->row[i - 1].f + at,
								value, size) == 0)
				       ? index[i - 1]
				       : flow_table_value(t, p, value);
		}
	}
}

static const void *
text_of(const struct block_row *r, unsigned part, uint32_t *len)
{
	switch (part) {
	case PART_NAME:
		*len = r->f->server_name_len;
		return r->texts.server_name;
	case PART_INFO:
		*len = r->f->info_len;
		return r->texts.info;
	default:
		*len = r->f->attributes_len;
		return r->texts.attributes;
	}
}

static void
take_texts(struct flow_table *t, const struct tile *tile, struct table_texts *x)
{
	uint32_t *index = x->index + tile->at, before = 1, len;

	for (uint32_t i = 0; i < tile->n; i++, before = len) {
		const void *text = text_of(&tile->row[i], x->part, &len);

		index[i] = i > 0 && (len | before) == 0 ? index[i - 1] : flow_table_text(t, x, text, len);
	}
}

static void
take_tile(struct flow_table *t, struct tile *tile)
{
	uint32_t *tenant = t->tenant + tile->at;
	uint64_t any = 0;

	for (uint32_t i = 0; i < tile->n; i++) {
		tenant[i] = tile->row[i].tenant;
		any |= tile->v[i] = tile->row[i].secondary;
	}
	if (any == 0)
		flow_table_fill(&t->column[PART_SECONDARY], tile->at, tile->n, 0);
	else
		memcpy(flow_table_vary(&t->column[PART_SECONDARY], tile->at), tile->v,
		       tile->n * sizeof(*tile->v));
	for (size_t i = 0; i < flow_column_count; i++)
		take_column(t, tile, &flow_columns[i]);
	for (unsigned i = 0; i < TABLE_PAIRS; i++)
		take_pair(t, tile, &t->pair[i]);
	for (unsigned i = 0; i < TABLE_TEXTS; i++)
		take_texts(t, tile, &t->texts[i]);
}

void
flow_table_take(struct flow_table *t, const struct block_row *row, uint32_t n)
{
	struct tile tile = { .first = row[0].f };

	flow_table_reset(t);
	for (uint32_t at = 0; at < n; at += TILE) {
		tile.row = row + at;
		tile.at = at;
		tile.n = n - at < TILE ? n - at : TILE;
		note_differences(&tile, n - at);
		take_tile(t, &tile);
	}
	t->n = n;
}

/* --- their order
 * -----------------------------------------------------------------------------------------------------------
 */

static uint64_t
number_at(const struct flow_table *t, unsigned column, uint32_t row)
{
	const struct table_column *c = &t->column[column];

	return c->varies ? c->v[row] : c->only;
}

static int
by_slice(const void *a, const void *b, void *ctx)
{
	static const unsigned columns[] = { COLUMN_ID_HIGH, COLUMN_ID_LOW, COLUMN_SLICE };
	const struct row_order *x = a, *y = b;

	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		uint64_t v = number_at(ctx, columns[i], x->at), w = number_at(ctx, columns[i], y->at);

		if (v != w)
			return v < w ? -1 : 1;
	}
	return 0;
}

void
flow_table_sort(struct flow_table *t)
{
	if (t->order == NULL) {
		t->order = mem_calloc(BLOCK_ROWS_MAX, sizeof(*t->order));
		for (int i = 0; i < 2; i++)
			t->sort[i] = mem_calloc(BLOCK_ROWS_MAX, sizeof(*t->sort[i]));
	}

	struct row_order *r = t->sort[0];

	for (uint32_t i = 0; i < t->n; i++)
		r[i] = (struct row_order){ (int64_t)number_at(t, COLUMN_LAST, i), t->tenant[i], i };
	row_order_sort(r, t->sort[1], t->n);
	for (uint32_t from = 0, to; from < t->n; from = to) {
		for (to = from + 1;
		     to < t->n && r[to].last_ns == r[from].last_ns && r[to].tenant == r[from].tenant; to++)
			;
		if (to - from > 1)
			qsort_r(&r[from], to - from, sizeof(*r), by_slice, t);
	}
	for (uint32_t i = 0; i < t->n; i++)
		t->order[i] = r[i].at;
	t->sorted = true;
}
