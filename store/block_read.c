/* Columns back into rows: see block.h and block_layout.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "block_parts.h"
#include "bloom.h"

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
	bytes_free(&r->all);
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
		if (column_is_framed(&b->column[i]) && b->column[i].frame_bits != b->frame_bits)
			c->bad = true;
		b->where[b->column[i].number] = (uint8_t)(i + 1);
	}
}

#define FRAME_BITS_1 16u /* of the first format: a block is one frame */

bool
block_open(struct block *b, const void *bytes, size_t len)
{
	struct rcur front = rcur_of(bytes, len);
	uint32_t magic = rcur_be32(&front), head_len = rcur_be32(&front);
	uint64_t check = rcur_be64(&front);
	struct rcur head = rcur_sub(&front, head_len);

	memset(b, 0, offsetof(struct block, column));
	memset(b->where, 0, sizeof(b->where));
	if ((magic != BLOCK_MAGIC && magic != BLOCK_MAGIC_1) || head.bad ||
	    hash_bytes(head.p, head_len, magic) != check)
		return false;
	b->body = front.p;
	b->body_len = rcur_left(&front);
	b->rows = rcur_be32(&head);
	b->least_last_ns = (int64_t)rcur_be64(&head);
	b->most_last_ns = (int64_t)rcur_be64(&head);
	b->frame_bits = magic == BLOCK_MAGIC_1 ? FRAME_BITS_1 : rcur_u8(&head);
	if (b->frame_bits < FRAME_BITS_LEAST || b->frame_bits > FRAME_BITS_1)
		return false;
	read_columns(b, &head);
	return !head.bad && rcur_left(&head) == 0 && b->rows >= 1 && b->rows <= BLOCK_ROWS_MAX &&
	       frames_of(b->rows, b->frame_bits) <= FRAMES_MAX;
}

/* n numbers of a column, as far as they are in these frames; zeros where it is not there. */
static bool
numbers(struct block_reader *r, const struct block *b, unsigned number, uint32_t n, uint64_t frames,
	uint64_t *v)
{
	const struct column *c = block_part(b, number);

	if (c == NULL) {
		memset(v, 0, n * sizeof(*v));
		return true;
	}
	return c->count == n && column_get_frames(&r->work, c, b->body, frames, v);
}

bool
block_column(struct block_reader *r, const struct block *b, unsigned number, uint64_t frames, uint64_t *v)
{
	return numbers(r, b, number, b->rows, frames, v);
}

bool
block_numbers_at(struct block_reader *r, const struct block *b, unsigned number, const uint32_t *row,
		 uint32_t n, uint64_t *v)
{
	const struct column *c = block_part(b, number);

	if (c == NULL) {
		memset(v, 0, n * sizeof(*v));
		return true;
	}
	return c->count == b->rows && column_pick(&r->work, c, b->body, row, n, v);
}

/* --- what is in it
 * -----------------------------------------------------------------------------------------------------------
 */

/* True where a filter is damaged: then the rows say so. */
static bool
may_hold(const struct block *b, unsigned number, uint64_t key)
{
	const struct column *c = block_part(b, number);
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
	const struct column *c = block_part(b, PART_PORTS);
	const uint8_t *bits = c == NULL || c->count != PORTS_SIZE ? NULL : column_raw(c, b->body);

	if (bits != NULL)
		return (bits[port / 8] >> port % 8 & 1) != 0;
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
	const struct column *c = block_part(b, number);
	const struct flow_column *field = flow_column_of(number);
	bool differs = field != NULL && field->base != 0; /* what is there is told from another column */
	unsigned bits;

	*least = 0;
	*most = c == NULL && !differs ? 0 : UINT64_MAX;
	if (c == NULL || differs || c->order != COLUMN_PLAIN || !column_is_numbers(c))
		return;
	if (column_is_framed(c)) {
		*least = c->least;
		*most = c->start;
		return;
	}
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
	const struct column *rows = block_part(b, PART_TENANT_ROWS);
	uint64_t left = b->rows;

	if (rows == NULL || rows->count > b->rows ||
	    !numbers(r, b, PART_TENANT_ROWS, rows->count, FRAMES_ALL, r->other) ||
	    !numbers(r, b, PART_TENANTS, rows->count, FRAMES_ALL, r->v))
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
block_numbers_of(struct block_reader *r, const struct block *b, unsigned number, uint64_t *frames,
		 uint64_t *v)
{
	unsigned chain[BASES_MAX], n = 0;

	for (const struct flow_column *c = flow_column_of(number); n < BASES_MAX;
	     c = flow_column_of(c->base)) {
		chain[n++] = c == NULL ? number : c->number;
		if (c == NULL || c->base == 0)
			break;
	}
	/* What is unpacked whole would spoil differences that were made of some of its frames before. */
	for (unsigned i = 0; i < n; i++)
		if (block_part(b, chain[i]) == NULL || !column_is_framed(block_part(b, chain[i])))
			*frames = FRAMES_ALL;
	if (!numbers(r, b, chain[n - 1], b->rows, *frames, v))
		return false;
	while (--n > 0) {
		if (!numbers(r, b, chain[n - 1], b->rows, *frames, r->other))
			return false;
		for (uint32_t from, to = 0; block_next_rows(b, *frames, &from, &to);)
			for (uint32_t i = from; i < to; i++)
				v[i] -= r->other[i];
	}
	return true;
}

bool
block_numbers(struct block_reader *r, const struct block *b, unsigned number, uint64_t *v)
{
	uint64_t frames = FRAMES_ALL;

	return block_numbers_of(r, b, number, &frames, v);
}

/* No address has no flows: that part is there where the others are, which may be zeros. */
bool
block_has_sums(const struct block *b)
{
	return block_part(b, PART_ADDRESS_FLOWS) != NULL;
}

bool
block_sums(struct block_reader *r, const struct block *b, unsigned number, uint32_t n, uint64_t *v)
{
	return block_has_sums(b) && numbers(r, b, number, n, FRAMES_ALL, v);
}

/* --- values that occur again and again
 * -------------------------------------------------------------------------------------- */

uint32_t
block_count_values(const struct block *b, const struct column *c, const struct wide_pair *p)
{
	if (column_is_numbers(c) || c->count > (size_t)2 * b->rows * p->size || c->count % p->size != 0 ||
	    (column_is_framed(c) && c->units != c->count / p->size))
		return 0;
	return c->count / p->size;
}

bool
block_next_values(struct block_reader *r, const struct block *b, const struct wide_pair *p,
		  struct value_frames *v, uint64_t frames, bool *damaged)
{
	struct column frame;

	for (v->from += v->n; column_frames_next(&v->f, &frame); v->from += v->n) {
		v->n = frame.count / p->size;
		if (frame.count % p->size != 0) {
			*damaged = true;
			return false;
		}
		if ((frames >> (v->f.next - 1) & 1) == 0)
			continue;
		r->values.len = 0;
		*damaged =
		    !column_get_bytes(&r->work, &frame, b->body, bytes_room(&r->values, frame.count + 1));
		return !*damaged;
	}
	*damaged |= v->f.table.bad;
	return false;
}

uint32_t
block_values(struct block_reader *r, const struct block *b, const struct wide_pair *p, struct bytes *values)
{
	const struct column *c = block_part(b, p->values);
	struct value_frames frames = { 0 };
	bool damaged = false;
	uint32_t n = c == NULL ? 1 : block_count_values(b, c, p);
	uint8_t *out;

	values->len = 0;
	out = bytes_room(values, (size_t)(n + 1) * p->size);
	if (c == NULL) {
		memset(out, 0, p->size);
		return 1;
	}
	if (n == 0 || !column_frames_begin(&frames.f, c, b->body))
		return 0;
	while (block_next_values(r, b, p, &frames, FRAMES_ALL, &damaged)) {
		if (frames.n > n - frames.from)
			return 0;
		for (size_t k = 0; k < p->size; k++)
			for (uint32_t i = 0; i < frames.n; i++)
				out[(frames.from + i) * p->size + k] = r->values.p[k * frames.n + i];
	}
	return damaged || frames.from != n ? 0 : n;
}

/* Which of n values of 16 bytes, that stand byte by byte, is wanted; n where none is. Last bytes differ most.
 */
static uint32_t
find_value(const uint8_t *turned, uint32_t n, const uint8_t wanted[static 16])
{
	const uint8_t *last = turned + (size_t)15 * n;

	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *at = memchr(last + i, wanted[15], n - i);
		size_t k = 15;

		if (at == NULL)
			return n;
		i = (uint32_t)(at - last);
		while (k > 0 && turned[(k - 1) * n + i] == wanted[k - 1])
			k--;
		if (k == 0)
			return i;
	}
	return n;
}

bool
block_find_address(struct block_reader *r, const struct block *b, const struct ip_addr *ip, uint64_t *code,
		   uint64_t *rows, bool *damaged)
{
	const struct wide_pair *p = &wide_pairs[0];
	const struct column *c = block_part(b, p->values), *where = block_part(b, PART_ADDRESS_FRAMES);
	struct value_frames frames = { 0 };
	uint32_t n = c == NULL ? 1 : block_count_values(b, c, p), at;

	*rows = FRAMES_ALL;
	*code = 0;
	*damaged = n == 0 || (c != NULL && !column_frames_begin(&frames.f, c, b->body));
	if (*damaged || c == NULL)
		return !*damaged && memcmp(ip, &(struct ip_addr){ 0 }, sizeof(*ip)) == 0;
	while (block_next_values(r, b, p, &frames, FRAMES_ALL, damaged)) {
		if ((at = find_value(r->values.p, frames.n, ip->b)) == frames.n)
			continue;
		*code = frames.from + at;
		if (where == NULL)
			return true;
		at += frames.from;
		*damaged =
		    where->count != n || at >= n || !column_pick(&r->work, where, b->body, &at, 1, rows);
		return !*damaged;
	}
	return false;
}

/* wanted[] of the rows of other frames is 0. */
static void
leave_frames(const struct block *b, uint64_t frames, uint8_t *wanted)
{
	if (frames != FRAMES_ALL)
		for (uint32_t from, to = 0; block_next_rows(b, ~frames, &from, &to);)
			memset(wanted + from, 0, to - from);
}

/* Either side's number; column[0] == column[1]: there is one only. */
static bool
match_side(struct block_reader *r, const struct block *b, const uint8_t column[2], uint64_t wanted_value,
	   uint64_t frames, uint8_t *wanted)
{
	if (!numbers(r, b, column[0], b->rows, frames, r->v) ||
	    !numbers(r, b, column[1], b->rows, frames, r->other))
		return false;
	for (uint32_t from, to = 0; block_next_rows(b, frames, &from, &to);)
		for (uint32_t i = from; i < to; i++)
			wanted[i] &= (r->v[i] == wanted_value) | (r->other[i] == wanted_value);
	return true;
}

/* *frames: those that it can be in. */
static bool
match_address(struct block_reader *r, const struct block *b, const struct ip_addr *ip, uint64_t *frames,
	      uint8_t *wanted)
{
	uint64_t code;
	bool damaged;

	if (!block_find_address(r, b, ip, &code, frames, &damaged))
		*frames = 0;
	leave_frames(b, *frames, wanted);
	return !damaged && match_side(r, b, wide_pairs[0].index, code, *frames, wanted);
}

static bool
match_number(struct block_reader *r, const struct block *b, unsigned column, uint64_t wanted_value,
	     uint64_t frames, uint8_t *wanted)
{
	if (!block_numbers_of(r, b, column, &frames, r->v))
		return false;
	for (uint32_t from, to = 0; block_next_rows(b, frames, &from, &to);)
		for (uint32_t i = from; i < to; i++)
			wanted[i] &= r->v[i] == wanted_value;
	return true;
}

uint32_t
block_applications(struct block_reader *r, const struct block *b, const uint64_t **v)
{
	const struct column *c = block_part(b, PART_APPLICATIONS);

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
	uint64_t frames = FRAMES_ALL;

	if (f->has_application && !has_application(r, b, f->application)) {
		memset(wanted, 0, b->rows);
		return true;
	}
	return (!f->has_ip || match_address(r, b, &f->ip, &frames, wanted)) &&
	       (!f->has_application ||
		match_number(r, b, COLUMN_APPLICATION, f->application, frames, wanted)) &&
	       (!f->has_point || match_number(r, b, COLUMN_POINT, f->point, frames, wanted)) &&
	       (!f->has_port || match_side(r, b, ports, f->port, frames, wanted));
}
