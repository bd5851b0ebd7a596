/* Whole rows out of a block, and the strings that occur in it: see block.h and block_layout.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "block_parts.h"
#include "ipc/attribute.h"

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

		if (c->base == 0 && block_part(f->b, c->number) == NULL)
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

#define FEW_OF 4u /* below a fourth of what occurs, only the frames of what is wanted are unpacked */

static void
set_value(const struct fetch *f, const struct wide_pair *p, int side, uint32_t i, const void *value)
{
	memcpy((uint8_t *)&f->out[i]->f + p->offset[side], value, p->size);
}

/* The values that r->v says, of all that occur. */
static bool
fetch_values(const struct fetch *f, const struct wide_pair *p, int side)
{
	uint32_t n = block_values(f->r, f->b, p, &f->r->all);

	for (uint32_t i = 0; i < f->n; i++) {
		if (f->r->v[i] >= n)
			return false;
		set_value(f, p, side, i, f->r->all.p + f->r->v[i] * p->size);
	}
	return n > 0;
}

/* The same of few rows. */
static bool
fetch_few_values(const struct fetch *f, const struct wide_pair *p, int side, const struct column *c)
{
	struct value_frames frames = { 0 };
	uint64_t wanted = 0;
	uint32_t done = 0;
	bool damaged = !column_frames_begin(&frames.f, c, f->b->body);

	for (uint32_t i = 0; i < f->n; i++) {
		if (f->r->v[i] >= c->units)
			return false;
		wanted |= UINT64_C(1) << (f->r->v[i] >> c->frame_bits);
	}
	while (!damaged && block_next_values(f->r, f->b, p, &frames, wanted, &damaged))
		for (uint32_t i = 0; i < f->n; i++) {
			uint64_t at = f->r->v[i] - frames.from;
			uint8_t value[16];

			if (f->r->v[i] < frames.from || at >= frames.n)
				continue;
			for (size_t k = 0; k < p->size; k++)
				value[k] = f->r->values.p[k * frames.n + at];
			set_value(f, p, side, i, value);
			done++;
		}
	return !damaged && done == f->n;
}

static bool
fetch_pair(const struct fetch *f, const struct wide_pair *p)
{
	const struct column *c = block_part(f->b, p->values);
	bool few = c != NULL && column_is_framed(c) && block_count_values(f->b, c, p) / FEW_OF > f->n;

	for (int side = 0; side < 2; side++)
		if (!block_numbers_at(f->r, f->b, p->index[side], f->row, f->n, f->r->v) ||
		    !(few ? fetch_few_values(f, p, side, c) : fetch_values(f, p, side)))
			return false;
	return true;
}

/* --- strings
 * ----------------------------------------------------------------------------------------------------------------
 */

/* The strings of one kind into values and where they begin into at; how many, 0 where damaged. */
static uint32_t
read_texts(struct block_reader *r, const struct block *b, unsigned number, uint32_t longest,
	   struct bytes *values, uint32_t *at)
{
	const struct column *lengths = block_part(b, number + 1), *c = block_part(b, number + 2);
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

/* Where strings of one kind are put. */
struct placing {
	const struct fetch *f;
	unsigned number; /* PART_NAME and so on */
	struct bytes *texts;
	size_t *placed; /* of each row */
};

/* The string of the i-th row is copied. It may be moved on: it is told where it is, not its address. */
static bool
place(const struct placing *p, uint32_t i, const uint8_t *text, uint32_t len)
{
	if (p->number == PART_ATTRIBUTES && !attributes_are_sane(text, len))
		return false;
	if (len > 0)
		memcpy(bytes_room(p->texts, len), text, len);
	p->placed[i] = p->texts->len;
	set_text(p->f->out[i], p->number, NULL, (uint16_t)len);
	p->texts->len += len;
	return true;
}

/* Strings that r->v of them says, of all. */
static bool
place_all(const struct placing *p, uint32_t longest)
{
	const struct fetch *f = p->f;
	struct block_reader *r = f->r;
	uint32_t n = read_texts(r, f->b, p->number, longest, &r->values, r->text_at);

	if (n == 0 || !block_numbers_at(r, f->b, p->number, f->row, f->n, r->v))
		return false;
	for (uint32_t i = 0; i < f->n; i++) {
		uint64_t at = r->v[i];

		if (at >= n ||
		    !place(p, i, r->values.p + r->text_at[at], r->text_at[at + 1] - r->text_at[at]))
			return false;
	}
	return true;
}

/* Where each of a frame's strings begins, into r->text_at; false where damaged. */
static bool
read_frame_lengths(struct block_reader *r, const struct block *b, const struct column *lengths, uint32_t from,
		   uint32_t n, uint32_t longest, uint32_t bytes)
{
	uint64_t total = 0;

	if (!column_get_frames(&r->work, lengths, b->body, UINT64_C(1) << (from >> b->frame_bits), r->other))
		return false;
	r->text_at[0] = 0;
	for (uint32_t i = 0; i < n; i++) {
		if (r->other[from + i] > longest)
			return false;
		total += r->other[from + i];
		r->text_at[i + 1] = (uint32_t)total;
	}
	return total == bytes;
}

/* The same of few rows, whose frames alone are unpacked. */
static bool
place_few(const struct placing *p, uint32_t longest, const struct column *lengths, const struct column *c)
{
	const struct fetch *f = p->f;
	struct block_reader *r = f->r;
	struct column_frames walk;
	struct column frame;
	uint64_t wanted = 0;
	uint32_t from = 0, done = 0, n;

	if (!block_numbers_at(r, f->b, p->number, f->row, f->n, r->v) ||
	    !column_frames_begin(&walk, c, f->b->body))
		return false;
	for (uint32_t i = 0; i < f->n; i++) {
		if (r->v[i] >= c->units)
			return false;
		wanted |= UINT64_C(1) << (r->v[i] >> c->frame_bits);
	}
	for (; column_frames_next(&walk, &frame); from += n) {
		n = c->units - from < 1u << c->frame_bits ? c->units - from : 1u << c->frame_bits;
		if ((wanted >> (walk.next - 1) & 1) == 0)
			continue;
		r->values.len = 0;
		if (!column_get_bytes(&r->work, &frame, f->b->body,
				      bytes_room(&r->values, (size_t)frame.count + 1)) ||
		    !read_frame_lengths(r, f->b, lengths, from, n, longest, frame.count))
			return false;
		for (uint32_t i = 0; i < f->n; i++) {
			uint64_t at = r->v[i] - from;

			if (r->v[i] < from || at >= n)
				continue;
			if (!place(p, i, r->values.p + r->text_at[at], r->text_at[at + 1] - r->text_at[at]))
				return false;
			done++;
		}
	}
	return done == f->n;
}

/* Strings of one kind behind those that are there. */
static bool
fetch_texts(const struct placing *p, uint32_t longest)
{
	const struct block *b = p->f->b;
	const struct column *lengths = block_part(b, p->number + 1), *c = block_part(b, p->number + 2);

	if (c != NULL && lengths != NULL && c->coding == COLUMN_FRAMED_BYTES && column_is_numbers(lengths) &&
	    lengths->count == c->units && c->units <= b->rows && c->units / FEW_OF > p->f->n)
		return place_few(p, longest, lengths, c);
	return place_all(p, longest);
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
		good = fetch_texts(&(struct placing){ f, kinds[k].part, &texts, placed + k * f->n },
				   kinds[k].longest);
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
