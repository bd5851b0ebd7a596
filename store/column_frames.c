/*
 * Frames of a column, and descriptions of columns: see column.h.
 *
 * A table has an entry for each frame. Of numbers: how they are coded (0 all the same, 1 to 64 bits each, 128
 * + bytes each in planes), the least, of COLUMN_DELTA how far it begins from the one before, and unless they
 * are all the same how many bytes it has and their check. Of bytes: how many, twice, and one more where they
 * are squeezed; then as of numbers, the first of the two only where they are squeezed.
 */
#include <string.h>

#include "base/mem.h"
#include "column_parts.h"
#include "varint.h"

#define ENTRY_MAX     40u
#define CODING_PLANES 0x80u

/* --- writing
 * ---------------------------------------------------------------------------------------------------------------
 */

static uint64_t
fold(uint64_t d)
{
	return d << 1 ^ (0 - (d >> 63));
}

static uint64_t
unfold(uint64_t z)
{
	return z >> 1 ^ (0 - (z & 1));
}

void
column_frame_note(struct bytes *table, const struct column *f, uint64_t before)
{
	struct wcur c = wcur_of(bytes_room(table, ENTRY_MAX), ENTRY_MAX);

	if (f->coding > COLUMN_PLANES) {
		varint_put(&c, (uint64_t)f->count << 1 | (f->coding == COLUMN_SQUEEZED));
		if (f->coding == COLUMN_SQUEEZED)
			varint_put(&c, f->len);
		wcur_be32(&c, f->check);
	} else {
		wcur_u8(&c, (uint8_t)(f->width | (f->coding == COLUMN_PLANES ? CODING_PLANES : 0)));
		varint_put(&c, f->least);
		if (f->order == COLUMN_DELTA)
			varint_put(&c, fold(f->start - before));
		if (f->coding != COLUMN_CONSTANT) {
			varint_put(&c, f->len);
			wcur_be32(&c, f->check);
		}
	}
	table->len += wcur_len(&c);
}

void
column_frames_end(struct column_work *w, struct column *c, size_t from, struct bytes *out)
{
	memcpy(bytes_room(out, w->table.len), w->table.p, w->table.len);
	out->len += w->table.len;
	c->table = (uint32_t)w->table.len;
	c->len = (uint32_t)(out->len - from);
	c->check = column_check(w->table.p, w->table.len);
}

/* --- reading
 * ---------------------------------------------------------------------------------------------------------------
 */

bool
column_frames_begin(struct column_frames *f, const struct column *c, const uint8_t *body)
{
	*f = (struct column_frames){ .column = c, .at = c->at, .end = c->at + c->len - c->table };
	if (!column_is_framed(c))
		return true;
	f->table = rcur_of(body + f->end, c->table);
	return column_check(body + f->end, c->table) == c->check;
}

static void
read_bytes_entry(struct column_frames *f, struct column *frame)
{
	uint64_t count = varint_below(&f->table, 2 * BYTES_MAX);

	frame->coding = count & 1 ? COLUMN_SQUEEZED : COLUMN_RAW;
	frame->count = (uint32_t)(count >> 1);
	frame->len = count & 1 ? (uint32_t)varint_below(&f->table, UINT32_MAX) : frame->count;
	frame->check = rcur_be32(&f->table);
}

static void
read_numbers_entry(struct column_frames *f, struct column *frame)
{
	const struct column *c = f->column;
	uint32_t most = 1u << c->frame_bits, left = c->count - (f->next << c->frame_bits);
	uint8_t coding = rcur_u8(&f->table);

	frame->count = left < most ? left : most;
	frame->order = c->order;
	frame->thousands = c->thousands;
	frame->coding = coding == 0 ? COLUMN_CONSTANT : coding & CODING_PLANES ? COLUMN_PLANES : COLUMN_BITS;
	frame->width = coding & (CODING_PLANES - 1);
	frame->least = varint_get(&f->table);
	if (c->order == COLUMN_DELTA)
		f->start = frame->start = f->start + unfold(varint_get(&f->table));
	if (coding == 0)
		return;
	frame->len = (uint32_t)varint_below(&f->table, UINT32_MAX);
	frame->check = rcur_be32(&f->table);
	if (frame->coding == COLUMN_PLANES
		? frame->width < 1 || frame->width > 8
		: frame->width > 64 || frame->len != bits_size(frame->count, frame->width))
		f->table.bad = true;
}

bool
column_frames_next(struct column_frames *f, struct column *frame)
{
	const struct column *c = f->column;

	if (f->next == (column_is_framed(c) ? frames_of(c->units, c->frame_bits) : 1)) {
		if (rcur_left(&f->table) != 0)
			f->table.bad = true;
		return false;
	}
	if (!column_is_framed(c)) {
		f->next++;
		*frame = *c;
		return true;
	}
	*frame = (struct column){ .number = c->number, .at = f->at };
	if (c->coding == COLUMN_FRAMES)
		read_numbers_entry(f, frame);
	else
		read_bytes_entry(f, frame);
	if (f->table.bad || frame->len > f->end - f->at) {
		f->table.bad = true;
		return false;
	}
	f->at += frame->len;
	f->next++;
	return true;
}

/* --- descriptions
 * ----------------------------------------------------------------------------------------------------------
 */

void
column_describe(struct wcur *w, const struct column *c)
{
	wcur_u8(w, c->number);
	wcur_u8(w, (uint8_t)(c->coding | c->order << 4));
	varint_put(w, c->count);
	if (column_is_numbers(c)) {
		wcur_u8(w, c->width);
		wcur_u8(w, c->thousands);
		varint_put(w, c->least);
		varint_put(w, c->start);
	}
	if (column_is_framed(c)) {
		wcur_u8(w, c->frame_bits);
		varint_put(w, c->table);
	}
	if (c->coding == COLUMN_FRAMED_BYTES)
		varint_put(w, c->units);
	if (c->coding != COLUMN_CONSTANT) {
		varint_put(w, c->len);
		wcur_be32(w, c->check);
	}
}

/* What holds of every column that we write. */
static bool
is_sane(const struct column *c)
{
	switch (c->coding) {
	case COLUMN_CONSTANT:
		return c->count <= COLUMN_MAX;
	case COLUMN_BITS:
		return c->count <= COLUMN_MAX && c->width >= 1 && c->width <= 64 &&
		       c->len == bits_size(c->count, c->width);
	case COLUMN_PLANES:
		return c->count <= COLUMN_MAX && c->width >= 1 && c->width <= 8;
	case COLUMN_RAW:
		return c->len == c->count;
	case COLUMN_SQUEEZED:
		return c->count <= BYTES_MAX;
	case COLUMN_FRAMES:
	case COLUMN_FRAMED_BYTES:
		/* Frames are as many as a set has room for. */
		return (c->coding == COLUMN_FRAMED_BYTES || c->count <= COLUMN_MAX) && c->frame_bits >= 1 &&
		       c->frame_bits <= 16 && c->units <= FRAMES_MAX << c->frame_bits &&
		       frames_of(c->units, c->frame_bits) <= FRAMES_MAX && c->table <= c->len;
	default:
		return false;
	}
}

void
column_read(struct rcur *r, struct column *c, size_t *at, size_t body_len)
{
	*c = (struct column){ .number = rcur_u8(r), .at = *at };

	uint8_t form = rcur_u8(r);

	c->coding = form & 15;
	c->order = form >> 4;
	c->count = (uint32_t)varint_below(r, BYTES_MAX);
	if (column_is_numbers(c)) {
		c->width = rcur_u8(r);
		c->thousands = rcur_u8(r);
		c->least = varint_get(r);
		c->start = varint_get(r);
	}
	if (column_is_framed(c)) {
		c->frame_bits = rcur_u8(r);
		c->table = (uint32_t)varint_below(r, UINT32_MAX);
	}
	c->units = c->coding == COLUMN_FRAMED_BYTES ? (uint32_t)varint_below(r, BYTES_MAX) : c->count;
	if (c->coding != COLUMN_CONSTANT) {
		c->len = (uint32_t)varint_below(r, UINT32_MAX);
		c->check = rcur_be32(r);
	}
	if (c->coding >= COLUMN_CODINGS || c->order > COLUMN_SIGNED || c->thousands > 3 || !is_sane(c) ||
	    c->len > body_len - *at)
		r->bad = true;
	if (!r->bad)
		*at += c->len;
}
