/* Columns back into rows: see block.h and block_layout.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "block.h"
#include "bloom.h"
#include "ipc/attribute.h"

struct block_reader {
	struct column_work work;
	uint64_t *v, *other; /* COLUMN_MAX */
	struct bytes values; /* of a pair, or of one kind of strings */
	uint32_t *text_at;   /* COLUMN_MAX + 1: where each string of a kind begins */
};

struct block_reader *
block_reader_new(void)
{
	struct block_reader *r = mem_calloc(1, sizeof(*r));

	column_work_init(&r->work);
	r->v = mem_calloc(COLUMN_MAX, sizeof(*r->v));
	r->other = mem_calloc(COLUMN_MAX, sizeof(*r->other));
	r->text_at = mem_calloc(COLUMN_MAX + 1, sizeof(*r->text_at));
	return r;
}

void
block_reader_free(struct block_reader **rp)
{
	struct block_reader *r = *rp;

	if (r == NULL)
		return;
	column_work_free(&r->work);
	bytes_free(&r->values);
	free(r->v);
	free(r->other);
	free(r->text_at);
	free(r);
	*rp = NULL;
}

/* --- the head
 * ---------------------------------------------------------------------------------------------------------------
 */

static void
read_columns(struct block *b, struct rcur *c)
{
	size_t at = 0;

	b->ncolumns = rcur_u8(c);
	if (b->ncolumns > BLOCK_COLUMNS_MAX)
		c->bad = true;
	for (unsigned i = 0; i < b->ncolumns && !c->bad; i++) {
		column_read(c, &b->column[i], &at, b->body_len);
		if (b->where[b->column[i].number] != 0)
			c->bad = true;
		b->where[b->column[i].number] = (uint8_t)(i + 1);
	}
}

bool
block_open(struct block *b, const void *bytes, size_t len)
{
	struct rcur front = rcur_of(bytes, len);
	uint32_t magic = rcur_be32(&front), head_len = rcur_be32(&front);
	uint64_t check = rcur_be64(&front);
	struct rcur head = rcur_sub(&front, head_len);

	memset(b, 0, offsetof(struct block, column));
	memset(b->where, 0, sizeof(b->where));
	if (magic != BLOCK_MAGIC || head.bad || hash_bytes(head.p, head_len, BLOCK_MAGIC) != check)
		return false;
	b->body = front.p;
	b->body_len = rcur_left(&front);
	b->rows = rcur_be32(&head);
	b->least_last_ns = (int64_t)rcur_be64(&head);
	b->most_last_ns = (int64_t)rcur_be64(&head);
	read_columns(b, &head);
	return !head.bad && rcur_left(&head) == 0 && b->rows >= 1 && b->rows <= BLOCK_ROWS_MAX;
}

/* NULL: not there. */
static const struct column *
part(const struct block *b, unsigned number)
{
	return b->where[number] == 0 ? NULL : &b->column[b->where[number] - 1];
}

/* n numbers of a column; zeros where it is not there. */
static bool
numbers(struct block_reader *r, const struct block *b, unsigned number, uint32_t n, uint64_t *v)
{
	const struct column *c = part(b, number);

	if (c == NULL) {
		memset(v, 0, n * sizeof(*v));
		return true;
	}
	return c->count == n && column_get(&r->work, c, b->body, v);
}

bool
block_numbers_at(struct block_reader *r, const struct block *b, unsigned number, const uint32_t *row,
		 uint32_t n, uint64_t *v)
{
	const struct column *c = part(b, number);

	if (c == NULL) {
		memset(v, 0, n * sizeof(*v));
		return true;
	}
	if (c->count != b->rows)
		return false;
	if (c->order != COLUMN_DELTA)
		return column_pick(&r->work, c, b->body, row, n, v);
	if (!column_get(&r->work, c, b->body, r->other))
		return false;
	for (uint32_t i = 0; i < n; i++)
		v[i] = r->other[row[i]];
	return true;
}

/* --- what is in it
 * -----------------------------------------------------------------------------------------------------------
 */

/* True where a filter is damaged: then the rows say so. */
static bool
may_hold(const struct block *b, unsigned number, uint64_t key)
{
	const struct column *c = part(b, number);
	const uint8_t *filter = c == NULL ? NULL : column_raw(c, b->body);

	return filter == NULL || c->len == 0 || c->len % BLOOM_BLOCK != 0 ||
	       bloom_may_hold(filter, c->len, key);
}

bool
block_may_hold_address(const struct block *b, const struct ip_addr *ip)
{
	return may_hold(b, PART_ADDRESS_FILTER, filter_key_of_address(ip));
}

bool
block_may_hold_port(const struct block *b, uint16_t port)
{
	return may_hold(b, PART_PORT_FILTER, filter_key_of_number(port));
}

bool
block_may_match(const struct block *b, const struct block_want *f)
{
	return (!f->has_ip || block_may_hold_address(b, &f->ip)) &&
	       (!f->has_port || block_may_hold_port(b, f->port));
}

void
block_range(const struct block *b, unsigned number, uint64_t *least, uint64_t *most)
{
	const struct column *c = part(b, number);
	unsigned bits;

	*least = 0;
	*most = c == NULL ? 0 : UINT64_MAX;
	if (c == NULL || c->order != COLUMN_PLAIN || c->coding > COLUMN_PLANES)
		return;
	bits = c->coding == COLUMN_CONSTANT ? 0 : c->coding == COLUMN_BITS ? c->width : 8u * c->width;
	*least = c->least;
	if (bits == 0)
		*most = c->least;
	else if (bits < 64 && (UINT64_C(1) << bits) - 1 <= UINT64_MAX - c->least)
		*most = c->least + (UINT64_C(1) << bits) - 1;
	else
		*least = 0; /* what is damaged wraps */
}

bool
block_may_hold_id(const struct block *b, const struct flow_id *id)
{
	return may_hold(b, PART_ID_FILTER, filter_key_of_id(big_endian_64(id->b), big_endian_64(id->b + 8)));
}

/* Tenants into r->v, how many rows each has into r->other; returns how many there are, 0 where the block is
 * damaged. */
static uint32_t
tenant_runs(struct block_reader *r, const struct block *b)
{
	const struct column *rows = part(b, PART_TENANT_ROWS);
	uint64_t left = b->rows;

	if (rows == NULL || rows->count > b->rows ||
	    !numbers(r, b, PART_TENANT_ROWS, rows->count, r->other) ||
	    !numbers(r, b, PART_TENANTS, rows->count, r->v))
		return 0;
	for (uint32_t i = 0; i < rows->count; i++) {
		if (r->other[i] > left)
			return 0;
		left -= r->other[i];
	}
	return left == 0 ? rows->count : 0;
}

bool
block_rows_of(struct block_reader *r, const struct block *b, uint32_t tenant, uint32_t *from, uint32_t *to)
{
	uint32_t n = tenant_runs(r, b), at = 0;

	*from = *to = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (r->v[i] == tenant) {
			*from = at;
			*to = at + (uint32_t)r->other[i];
			break;
		}
		at += (uint32_t)r->other[i];
	}
	return n > 0;
}

bool
block_tenants(struct block_reader *r, const struct block *b, uint32_t *tenant)
{
	uint32_t n = tenant_runs(r, b), at = 0;

	for (uint32_t i = 0; i < n; i++)
		for (uint64_t k = 0; k < r->other[i]; k++)
			tenant[at++] = (uint32_t)r->v[i];
	return n > 0;
}

/* --- numbers
 * ----------------------------------------------------------------------------------------------------------------
 */

#define BASES_MAX 4 /* a base is an earlier column, and the longest chain has three */

bool
block_numbers(struct block_reader *r, const struct block *b, unsigned number, uint64_t *v)
{
	unsigned chain[BASES_MAX], n = 0;

	for (const struct flow_column *c = flow_column_of(number); n < BASES_MAX;
	     c = flow_column_of(c->base)) {
		chain[n++] = c == NULL ? number : c->number;
		if (c == NULL || c->base == 0)
			break;
	}
	if (!numbers(r, b, chain[n - 1], b->rows, v))
		return false;
	while (--n > 0) {
		if (!numbers(r, b, chain[n - 1], b->rows, r->other))
			return false;
		for (uint32_t i = 0; i < b->rows; i++)
			v[i] -= r->other[i];
	}
	return true;
}

/* --- values that occur again and again
 * -------------------------------------------------------------------------------------- */

uint32_t
block_values(struct block_reader *r, const struct block *b, const struct wide_pair *p, struct bytes *values)
{
	const struct column *c = part(b, p->values);
	size_t most = (size_t)2 * b->rows * p->size;

	values->len = 0;
	if (c == NULL) {
		memset(bytes_room(values, p->size), 0, p->size);
		return 1;
	}
	if (c->count > most || c->count % p->size != 0 || c->count == 0)
		return 0;

	uint32_t n = c->count / p->size;
	uint8_t *out = bytes_room(values, (size_t)2 * c->count), *turned = out + c->count;

	if (!column_get_bytes(&r->work, c, b->body, turned))
		return 0;
	for (size_t k = 0; k < p->size; k++)
		for (uint32_t i = 0; i < n; i++)
			out[i * p->size + k] = turned[k * n + i];
	return n;
}

static bool
match_number(struct block_reader *r, const struct block *b, unsigned column, uint64_t wanted_value,
	     uint8_t *wanted)
{
	if (!block_numbers(r, b, column, r->v))
		return false;
	for (uint32_t i = 0; i < b->rows; i++)
		wanted[i] &= r->v[i] == wanted_value;
	return true;
}

/* Either side's number. */
static bool
match_side(struct block_reader *r, const struct block *b, const uint8_t column[2], uint64_t wanted_value,
	   uint8_t *wanted)
{
	if (!numbers(r, b, column[0], b->rows, r->v) || !numbers(r, b, column[1], b->rows, r->other))
		return false;
	for (uint32_t i = 0; i < b->rows; i++)
		wanted[i] &= (r->v[i] == wanted_value) | (r->other[i] == wanted_value);
	return true;
}

static bool
match_address(struct block_reader *r, const struct block *b, const struct ip_addr *ip, uint8_t *wanted)
{
	uint32_t n = block_values(r, b, &wide_pairs[0], &r->values);

	for (uint32_t i = 0; i < n; i++)
		if (memcmp(r->values.p + i * sizeof(*ip), ip, sizeof(*ip)) == 0)
			return match_side(r, b, wide_pairs[0].index, i, wanted);
	memset(wanted, 0, b->rows);
	return n > 0;
}

uint32_t
block_applications(struct block_reader *r, const struct block *b, const uint64_t **v)
{
	const struct column *c = part(b, PART_APPLICATIONS);

	*v = r->v;
	if (c == NULL) { /* only what has no number */
		r->v[0] = 0;
		return 1;
	}
	return column_get(&r->work, c, b->body, r->v) ? c->count : 0;
}

static bool
has_application(struct block_reader *r, const struct block *b, uint16_t application)
{
	const uint64_t *v;
	uint32_t n = block_applications(r, b, &v);

	for (uint32_t i = 0; i < n; i++)
		if (v[i] == application)
			return true;
	return n == 0; /* damaged: the rows say so */
}

bool
block_match(struct block_reader *r, const struct block *b, const struct block_want *f, uint8_t *wanted)
{
	static const uint8_t ports[2] = { COLUMN_PORT_CLIENT, COLUMN_PORT_SERVER };

	if (f->has_application && !has_application(r, b, f->application)) {
		memset(wanted, 0, b->rows);
		return true;
	}
	return (!f->has_application || match_number(r, b, COLUMN_APPLICATION, f->application, wanted)) &&
	       (!f->has_point || match_number(r, b, COLUMN_POINT, f->point, wanted)) &&
	       (!f->has_port || match_side(r, b, ports, f->port, wanted)) &&
	       (!f->has_ip || match_address(r, b, &f->ip, wanted));
}

/* --- whole rows
 * -------------------------------------------------------------------------------------------------------------
 */

/* Rows that are fetched. */
struct fetch {
	struct block_reader *r;
	const struct block *b;
	const uint32_t *row;
	uint32_t n;
	struct kept_flow *const *out;
};

static uint64_t
field_of(const struct rec_flow *f, const struct flow_column *c)
{
	uint64_t v = 0;

	/* Little-endian, as everything that shares a machine with us (wire.h). */
	memcpy(&v, (const uint8_t *)f + c->offset, c->width == BIG_ENDIAN_8 ? 8 : c->width);
	return c->width == BIG_ENDIAN_8 ? __builtin_bswap64(v) : v;
}

static bool
fetch_fields(const struct fetch *f)
{
	for (size_t k = 0; k < flow_column_count; k++) {
		const struct flow_column *c = &flow_columns[k];

		if (c->base == 0 && part(f->b, c->number) == NULL)
			continue;
		if (!block_numbers_at(f->r, f->b, c->number, f->row, f->n, f->r->v))
			return false;

		const struct flow_column *base = c->base == 0 ? NULL : flow_column_of(c->base);

		for (uint32_t i = 0; i < f->n; i++) {
			struct rec_flow *out = &f->out[i]->f;
			uint64_t v = f->r->v[i];

			flow_column_set(out, c, base == NULL ? v : field_of(out, base) - v);
		}
	}
	return true;
}

static bool
fetch_pair(const struct fetch *f, const struct wide_pair *p)
{
	uint32_t n = block_values(f->r, f->b, p, &f->r->values);

	for (int side = 0; side < 2; side++) {
		if (n == 0 || !block_numbers_at(f->r, f->b, p->index[side], f->row, f->n, f->r->v))
			return false;
		for (uint32_t i = 0; i < f->n; i++) {
			uint64_t at = f->r->v[i];

			if (at >= n)
				return false;
			memcpy((uint8_t *)&f->out[i]->f + p->offset[side], f->r->values.p + at * p->size,
			       p->size);
		}
	}
	return true;
}

/* The strings of one kind into values and where they begin into at; how many, 0 where damaged. */
static uint32_t
read_texts(struct block_reader *r, const struct block *b, unsigned number, uint32_t longest,
	   struct bytes *values, uint32_t *at)
{
	const struct column *lengths = part(b, number + 1), *c = part(b, number + 2);
	uint64_t total = 0;

	values->len = 0;
	at[0] = 0;
	if (c == NULL || lengths == NULL) {
		at[1] = 0;
		(void)bytes_room(values, 1);
		return c == NULL && lengths == NULL ? 1 : 0;
	}
	if (lengths->count > b->rows || !column_get(&r->work, lengths, b->body, r->v))
		return 0;
	for (uint32_t i = 0; i < lengths->count; i++) {
		if (r->v[i] > longest)
			return 0;
		total += r->v[i];
		at[i + 1] = (uint32_t)total;
	}
	if (total != c->count || !column_get_bytes(&r->work, c, b->body, bytes_room(values, c->count + 1)))
		return 0;
	return lengths->count;
}

uint32_t
block_names(struct block_reader *r, const struct block *b, struct bytes *out, uint32_t *at)
{
	return read_texts(r, b, PART_NAME, SERVER_NAME_MAX, out, at);
}

static void
set_text(struct kept_flow *k, unsigned number, const char *text, uint16_t len)
{
	switch (number) {
	case PART_NAME:
		k->texts.server_name = text;
		k->f.server_name_len = len;
		break;
	case PART_INFO:
		k->texts.info = text;
		k->f.info_len = len;
		break;
	default:
		k->texts.attributes = text;
		k->f.attributes_len = len;
	}
}

/* Strings of one kind, copied to *end, which moves on: memory for the longest of all is there. */
static bool
fetch_texts(const struct fetch *f, unsigned number, uint32_t longest, struct bytes *texts, size_t *placed)
{
	struct block_reader *r = f->r;
	uint32_t n = read_texts(r, f->b, number, longest, &r->values, r->text_at);

	if (n == 0 || !block_numbers_at(r, f->b, number, f->row, f->n, r->v))
		return false;
	for (uint32_t i = 0; i < f->n; i++) {
		uint64_t at = r->v[i];

		if (at >= n)
			return false;

		uint32_t len = r->text_at[at + 1] - r->text_at[at];
		const uint8_t *text = r->values.p + r->text_at[at];

		if (number == PART_ATTRIBUTES && !attributes_are_sane(text, len))
			return false;
		if (len > 0)
			memcpy(bytes_room(texts, len), text, len);
		/* Where it is in texts: that may still move. */
		placed[i] = texts->len;
		set_text(f->out[i], number, NULL, (uint16_t)len);
		texts->len += len;
	}
	return true;
}

static bool
fetch_all_texts(const struct fetch *f, void **out)
{
	static const struct {
		unsigned part;
		uint32_t longest;
	} kinds[3] = { { PART_NAME, SERVER_NAME_MAX },
		       { PART_INFO, INFO_MAX },
		       { PART_ATTRIBUTES, ATTRIBUTES_MAX } };
	struct bytes texts = { 0 };
	size_t *placed = mem_calloc(f->n, 3 * sizeof(*placed));
	bool good = true;

	(void)bytes_room(&texts, 1);
	for (size_t k = 0; k < 3 && good; k++)
		good = fetch_texts(f, kinds[k].part, kinds[k].longest, &texts, placed + k * f->n);
	for (size_t k = 0; k < 3 && good; k++)
		for (uint32_t i = 0; i < f->n; i++) {
			const struct rec_flow *r = &f->out[i]->f;
			const uint16_t len[3] = { r->server_name_len, r->info_len, r->attributes_len };

			set_text(f->out[i], kinds[k].part, (const char *)texts.p + placed[k * f->n + i],
				 len[k]);
		}
	free(placed);
	if (good)
		*out = texts.p;
	else
		bytes_free(&texts);
	return good;
}

bool
block_fetch(struct block_reader *r, const struct block *b, const uint32_t *row, uint32_t n,
	    struct kept_flow *const *out, void **texts)
{
	const struct fetch f = { r, b, row, n, out };

	*texts = NULL;
	for (uint32_t i = 0; i < n; i++) {
		memset(out[i], 0, sizeof(*out[i]));
		if (row[i] >= b->rows)
			return false;
	}
	if (!fetch_fields(&f))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(wide_pairs); i++)
		if (!fetch_pair(&f, &wide_pairs[i]))
			return false;
	for (uint32_t i = 0; i < n; i++) {
		const struct rec_flow *k = &out[i]->f;

		if (k->first_ns < 0 || k->slice_ns < 0 || k->first_ns > k->last_ns ||
		    k->slice_ns > k->last_ns)
			return false;
	}
	return fetch_all_texts(&f, texts);
}
