/* Rows of blocks as columns, without making records of them: see flow_table.h. */
#include <string.h>

#include "base/mem.h"
#include "block_parts.h"
#include "flow_table.h"
#include "ipc/attribute.h"

/* A stretch of a block. */
struct stretch {
	struct block_reader *r;
	const struct block *b;
	const uint32_t *row;
	uint32_t n;
	uint64_t frames; /* that rows are in */
};

#define WANTED UINT32_MAX /* of t->numbers: a row has it, and it has no number here yet */

/* A column that says without its bytes what all rows have. */
static bool
is_constant(const struct stretch *s, const struct column *part, uint64_t *only)
{
	return part == NULL || (part->count == s->b->rows && column_is_constant(part, only));
}

/* --- numbers
 * ---------------------------------------------------------------------------------------------------------------
 */

static uint64_t
mask_of(const struct flow_column *c)
{
	return c == NULL || c->base != 0 || c->width >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * c->width) - 1;
}

/* c: NULL of a column that is no field of a record. */
static bool
join_column(struct flow_table *t, const struct stretch *s, unsigned number, const struct flow_column *c)
{
	const struct column *part = block_part(s->b, number);
	struct table_column *to = &t->column[number];
	uint64_t only = 0, mask = mask_of(c), *v;

	if (is_constant(s, part, &only)) {
		flow_table_fill(to, t->n, s->n, only & mask);
		return true;
	}
	if (!block_column(s->r, s->b, number, s->frames, t->work))
		return false;
	v = flow_table_vary(to, t->n);
	/* What is damaged may be more than its field has room for. */
	for (uint32_t i = 0; i < s->n; i++)
		v[i] = t->work[s->row[i]] & mask;
	return true;
}

static int64_t
time_of(const struct flow_table *t, unsigned column, uint32_t row)
{
	const struct table_column *c = &t->column[column];

	return (int64_t)(c->varies ? c->v[row] : c->only);
}

/* As block_fetch judges rows. */
static bool
times_are_sane(const struct flow_table *t, uint32_t n)
{
	for (uint32_t i = t->n; i < t->n + n; i++) {
		uint64_t last = (uint64_t)time_of(t, COLUMN_LAST, i),
			 slice = last - (uint64_t)time_of(t, COLUMN_SLICE_NS, i),
			 first = slice - (uint64_t)time_of(t, COLUMN_FIRST_NS, i);

		if ((int64_t)first < 0 || (int64_t)slice < 0 || (int64_t)first > (int64_t)last ||
		    (int64_t)slice > (int64_t)last)
			return false;
	}
	return true;
}

/* --- codes: which of count values or strings a row has
 * ----------------------------------------------------------------------------------------------------------
 */

/* As they stand in the block into index; those that occur are marked in t->numbers. */
static bool
join_codes(struct flow_table *t, const struct stretch *s, unsigned number, uint32_t count, uint32_t *index)
{
	const struct column *part = block_part(s->b, number);
	uint64_t only = 0;
	bool constant = is_constant(s, part, &only);

	if (!constant && !block_column(s->r, s->b, number, s->frames, t->work))
		return false;
	for (uint32_t i = 0; i < s->n; i++) {
		uint64_t code = constant ? only : t->work[s->row[i]];

		if (code >= count)
			return false;
		index[i] = (uint32_t)code;
		t->numbers[code] = WANTED;
	}
	return true;
}

/* Codes into numbers of the table. */
static void
translate(const struct flow_table *t, uint32_t *index, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		index[i] = t->numbers[index[i]] - 1;
}

/* Frames of values or strings in which some are wanted. */
static uint64_t
frames_wanted(const struct flow_table *t, const struct column *c, uint32_t count)
{
	uint64_t frames = 0;

	if (!column_is_framed(c))
		return FRAMES_ALL;
	for (uint32_t i = 0; i < count; i++)
		if (t->numbers[i] == WANTED)
			frames |= UINT64_C(1) << (i >> c->frame_bits);
	return frames;
}

/* --- values
 * ----------------------------------------------------------------------------------------------------------------
 */

static bool
number_values(struct flow_table *t, const struct stretch *s, struct table_pair *p, const struct column *c,
	      uint32_t count)
{
	struct value_frames frames = { 0 };
	uint64_t wanted = frames_wanted(t, c, count);
	bool damaged = !column_frames_begin(&frames.f, c, s->b->body);
	uint32_t done = 0;

	while (!damaged && block_next_values(s->r, s->b, p->p, &frames, wanted, &damaged)) {
		if (frames.n > count - frames.from)
			return false;
		for (uint32_t i = 0; i < frames.n; i++) {
			uint8_t value[16];

			if (t->numbers[frames.from + i] != WANTED)
				continue;
			for (size_t k = 0; k < p->p->size; k++)
				value[k] = s->r->values.p[k * frames.n + i];
			t->numbers[frames.from + i] = flow_table_value(t, p, value) + 1;
		}
		done = frames.from + frames.n;
	}
	for (uint32_t i = done; i < count; i++)
		damaged |= t->numbers[i] == WANTED;
	return !damaged;
}

static bool
join_pair(struct flow_table *t, const struct stretch *s, struct table_pair *p)
{
	static const uint8_t none[16];
	const struct column *c = block_part(s->b, p->p->values);
	uint32_t count = c == NULL ? 1 : block_count_values(s->b, c, p->p);

	memset(t->numbers, 0, count * sizeof(*t->numbers));
	for (int side = 0; side < 2; side++)
		if (!join_codes(t, s, p->p->index[side], count, p->index[side] + t->n))
			return false;
	if (c == NULL)
		t->numbers[0] = flow_table_value(t, p, none) + 1;
	else if (!number_values(t, s, p, c, count))
		return false;
	for (int side = 0; side < 2; side++)
		translate(t, p->index[side] + t->n, s->n);
	return true;
}

/* --- strings
 * ----------------------------------------------------------------------------------------------------------------
 */

/* n strings of a frame, whose lengths are len, are in r->values. */
static bool
number_frame(struct flow_table *t, const struct stretch *s, struct table_texts *x, uint32_t *number,
	     const uint64_t *len, uint32_t n, size_t bytes)
{
	uint64_t longest = x->part == PART_ATTRIBUTES ? ATTRIBUTES_MAX : SERVER_NAME_MAX, at = 0;

	static_assert(SERVER_NAME_MAX == INFO_MAX, "both are as long");
	for (uint32_t i = 0; i < n; at += len[i++]) {
		const uint8_t *text = s->r->values.p + at;

		if (len[i] > longest || len[i] > bytes - at)
			return false;
		if (number[i] != WANTED)
			continue;
		if (x->part == PART_ATTRIBUTES && !attributes_are_sane(text, len[i]))
			return false;
		number[i] = flow_table_text(t, x, text, (uint32_t)len[i]) + 1;
	}
	return at == bytes;
}

static bool
number_texts(struct flow_table *t, const struct stretch *s, struct table_texts *x, const struct column *c,
	     const struct column *lengths)
{
	uint64_t wanted = frames_wanted(t, c, lengths->count);
	struct column_frames walk;
	struct column frame;
	uint32_t from = 0, n;

	if ((column_is_framed(c) && c->units != lengths->count) ||
	    !column_get(&s->r->work, lengths, s->b->body, t->work) ||
	    !column_frames_begin(&walk, c, s->b->body))
		return false;
	for (; column_frames_next(&walk, &frame); from += n) {
		n = lengths->count - from;
		if (column_is_framed(c) && n > 1u << c->frame_bits)
			n = 1u << c->frame_bits;
		if ((wanted >> (walk.next - 1) & 1) == 0)
			continue;
		s->r->values.len = 0;
		if (!column_get_bytes(&s->r->work, &frame, s->b->body,
				      bytes_room(&s->r->values, (size_t)frame.count + 1)) ||
		    !number_frame(t, s, x, t->numbers + from, t->work + from, n, frame.count))
			return false;
	}
	return from == lengths->count && !walk.table.bad;
}

static bool
join_texts(struct flow_table *t, const struct stretch *s, struct table_texts *x)
{
	const struct column *lengths = block_part(s->b, x->part + 1), *c = block_part(s->b, x->part + 2);
	uint32_t count = 1;

	if ((c == NULL) != (lengths == NULL))
		return false;
	if (c != NULL) {
		count = lengths->count;
		if (count > s->b->rows || !column_is_numbers(lengths) || column_is_numbers(c))
			return false;
	}
	memset(t->numbers, 0, count * sizeof(*t->numbers));
	if (!join_codes(t, s, x->part, count, x->index + t->n))
		return false;
	if (c == NULL)
		t->numbers[0] = flow_table_text(t, x, "", 0) + 1;
	else if (!number_texts(t, s, x, c, lengths))
		return false;
	translate(t, x->index + t->n, s->n);
	return true;
}

/* --- all
 * -------------------------------------------------------------------------------------------------------------------
 */

static bool
join(struct flow_table *t, const struct stretch *s)
{
	for (size_t i = 0; i < flow_column_count; i++)
		if (!join_column(t, s, flow_columns[i].number, &flow_columns[i]))
			return false;
	if (!join_column(t, s, PART_SECONDARY, NULL) || !times_are_sane(t, s->n))
		return false;
	for (unsigned i = 0; i < TABLE_PAIRS; i++)
		if (!join_pair(t, s, &t->pair[i]))
			return false;
	for (unsigned i = 0; i < TABLE_TEXTS; i++)
		if (!join_texts(t, s, &t->texts[i]))
			return false;
	return true;
}

bool
flow_table_join(struct flow_table *t, struct block_reader *r, const struct block *b, const uint32_t *row,
		uint32_t n, uint32_t tenant)
{
	struct stretch s = { r, b, row, n, 0 };

	if (t->work == NULL) {
		t->work = mem_calloc(COLUMN_MAX, sizeof(*t->work));
		t->numbers = mem_calloc(2 * COLUMN_MAX, sizeof(*t->numbers));
	}
	if (n > BLOCK_ROWS_MAX - t->n)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		s.frames |= block_frame_of(b, row[i]);
		t->tenant[t->n + i] = tenant;
	}
	if (n > 0 && !join(t, &s))
		return false;
	t->n += n;
	t->sorted = false;
	return true;
}
