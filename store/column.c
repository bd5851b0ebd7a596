/* Columns, or single frames of them: see column.h. */
#include "column.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "column_parts.h"

#define SQUEEZE_FROM 64u /* bytes: below it zstd's own frame outweighs what it saves */

void
column_work_init(struct column_work *w)
{
	*w = (struct column_work){ .squeeze = squeeze_new(),
				   .planes = mem_calloc(COLUMN_MAX, 8),
				   .numbers = mem_calloc(COLUMN_MAX, sizeof(*w->numbers)) };
}

void
column_work_free(struct column_work *w)
{
	squeeze_free(&w->squeeze);
	free(w->planes);
	free(w->numbers);
	bytes_free(&w->table);
	w->planes = NULL;
	w->numbers = NULL;
}

uint32_t
column_check(const uint8_t *p, size_t n)
{
	return (uint32_t)hash_bytes(p, n, 0);
}

/* --- numbers of the same width
 * --------------------------------------------------------------------------------------------- */

static void
put_le(uint8_t *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t
get_le(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static void
pack(const uint64_t *v, uint32_t n, unsigned bits, uint8_t *out)
{
	uint64_t word = 0;
	unsigned filled = 0;

	for (uint32_t i = 0; i < n; i++) {
		word |= v[i] << filled;
		filled += bits;
		if (filled < 64)
			continue;
		put_le(out, word, 8);
		out += 8;
		filled -= 64;
		word = filled == 0 ? 0 : v[i] >> (bits - filled);
	}
	put_le(out, word, (filled + 7) / 8);
}

static uint64_t
mask_of(unsigned bits)
{
	return bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* One number that begins `shift` bits behind p, where `have` bytes are. */
static inline void
unpack_one(const uint8_t *p, size_t have, unsigned shift, unsigned bits, uint64_t *v)
{
	/* Of constant length where it can be: that is one load. */
	uint64_t low = have >= 8 ? get_le(p, 8) : get_le(p, have);

	*v = low >> shift;
	if (shift + bits > 64)
		*v |= (uint64_t)p[8] << (64 - shift);
	*v &= mask_of(bits);
}

/* len is bits_size(n, bits). */
static void
unpack(const uint8_t *p, size_t len, uint32_t n, unsigned bits, uint64_t *v)
{
	for (uint32_t i = 0; i < n; i++) {
		size_t bit = (size_t)i * bits, at = bit / 8;

		unpack_one(p + at, len - at, bit % 8, bits, &v[i]);
	}
}

static void
split(const uint64_t *v, uint32_t n, unsigned width, uint8_t *planes)
{
	for (unsigned b = 0; b < width; b++)
		for (uint32_t i = 0; i < n; i++)
			planes[(size_t)b * n + i] = (uint8_t)(v[i] >> (8 * b));
}

static void
join(const uint8_t *planes, uint32_t n, unsigned width, uint64_t *v)
{
	for (uint32_t i = 0; i < n; i++)
		v[i] = planes[i];
	for (unsigned b = 1; b < width; b++)
		for (uint32_t i = 0; i < n; i++)
			v[i] |= (uint64_t)planes[(size_t)b * n + i] << (8 * b);
}

/* --- differences
 * -----------------------------------------------------------------------------------------------------------
 */

static uint64_t
fold(int64_t d)
{
	return (uint64_t)d << 1 ^ (d < 0 ? UINT64_MAX : 0);
}

static int64_t
unfold(uint64_t z)
{
	return (int64_t)(z >> 1 ^ (0 - (z & 1)));
}

/* Times of a capture are often whole microseconds, those of an exporter milliseconds. */
static uint8_t
common_thousands(uint64_t *v, uint32_t n)
{
	uint8_t times = 0;

	for (; times < 3; times++) {
		uint64_t any = 0;

		for (uint32_t i = 0; i < n; i++) {
			if ((int64_t)v[i] % 1000 != 0)
				return times;
			any |= v[i];
		}
		if (any == 0)
			return times;
		for (uint32_t i = 0; i < n; i++)
			v[i] = (uint64_t)((int64_t)v[i] / 1000);
	}
	return times;
}

/* The first number of each `frame` numbers goes into start. */
static void
differ(struct column *c, uint64_t *v, uint32_t n, uint32_t frame, uint64_t start[static FRAMES_MAX])
{
	if (c->order == COLUMN_DELTA) {
		for (uint32_t i = n; i-- > 0;) {
			if (i % frame != 0) {
				v[i] -= v[i - 1];
			} else {
				start[i / frame] = v[i];
				v[i] = 0;
			}
		}
	}
	if (c->order != COLUMN_PLAIN) {
		c->thousands = common_thousands(v, n);
		for (uint32_t i = 0; i < n; i++)
			v[i] = fold((int64_t)v[i]);
	}
}

static const uint64_t units[] = { 1, 1000, 1000000, 1000000000 };

/* Sums wrap: a damaged column gives wrong numbers, not undefined ones. */
static void
undiffer(const struct column *c, uint64_t *v)
{
	if (c->order == COLUMN_PLAIN)
		return;
	for (uint32_t i = 0; i < c->count; i++)
		v[i] = (uint64_t)unfold(v[i]) * units[c->thousands];
	if (c->order == COLUMN_DELTA)
		for (uint64_t i = 0, sum = c->start; i < c->count; i++)
			v[i] = sum += v[i];
}

/* --- columns
 * ---------------------------------------------------------------------------------------------------------------
 */

static uint64_t
subtract_least(struct column *c, uint64_t *v, uint32_t n)
{
	uint64_t least = v[0], most = v[0];

	for (uint32_t i = 1; i < n; i++) {
		least = v[i] < least ? v[i] : least;
		most = v[i] > most ? v[i] : most;
	}
	c->least = least;
	if (most > least && least > 0)
		for (uint32_t i = 0; i < n; i++)
			v[i] -= least;
	return most - least;
}

static void
end_column(struct column *c, size_t len, struct bytes *out)
{
	c->len = (uint32_t)len;
	c->check = column_check(out->p + out->len, len);
	out->len += len;
}

/* n numbers, at least one, in one of the codings without frames. */
static void
encode(struct column_work *w, struct column *c, uint64_t *v, uint32_t n, struct bytes *out)
{
	uint64_t range = subtract_least(c, v, n);

	c->coding = COLUMN_CONSTANT;
	c->count = n;
	if (range == 0)
		return;

	unsigned bits = 64 - (unsigned)__builtin_clzll(range), width = (bits + 7) / 8;
	size_t packed = bits_size(n, bits), squeezed = 0;
	uint8_t *room = bytes_room(out, packed + 8);

	if (packed >= SQUEEZE_FROM) {
		split(v, n, width, w->planes);
		squeezed = squeeze(w->squeeze, w->planes, (size_t)n * width, room, packed - 1);
	}
	c->coding = squeezed > 0 ? COLUMN_PLANES : COLUMN_BITS;
	c->width = (uint8_t)(squeezed > 0 ? width : bits);
	if (squeezed == 0)
		pack(v, n, bits, room);
	end_column(c, squeezed > 0 ? squeezed : packed, out);
}

static bool
all_equal(const uint64_t *v, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		if (v[i] != v[0])
			return false;
	return true;
}

static void
encode_frames(struct column_work *w, struct column *c, uint64_t *v, uint32_t n, const uint64_t *start,
	      struct bytes *out)
{
	uint32_t most = 1u << c->frame_bits;
	size_t at = out->len;

	w->table.len = 0;
	c->coding = COLUMN_FRAMES;
	c->units = n;
	for (uint32_t from = 0; from < n; from += most) {
		struct column frame = { .order = c->order, .start = start[from / most] };

		encode(w, &frame, v + from, n - from < most ? n - from : most, out);
		column_frame_note(&w->table, &frame, from == 0 ? 0 : start[from / most - 1]);
	}
	column_frames_end(w, c, at, out);
}

/* What description tells of all: a reader knows without its frames what cannot be in it. */
static void
note_range(struct column *c, const uint64_t *v, uint32_t n)
{
	c->least = c->start = v[0];
	for (uint32_t i = 1; i < n; i++) {
		c->least = v[i] < c->least ? v[i] : c->least;
		c->start = v[i] > c->start ? v[i] : c->start;
	}
}

void
column_put(struct column_work *w, struct column *c, uint64_t *v, uint32_t n, struct bytes *out)
{
	bool framed = c->frame_bits != 0 && n > 1u << c->frame_bits;
	uint64_t start[FRAMES_MAX] = { 0 };

	c->coding = COLUMN_CONSTANT;
	c->count = n;
	if (n == 0)
		return;
	framed = framed && !all_equal(v, n);
	differ(c, v, n, framed ? 1u << c->frame_bits : COLUMN_MAX + 1, start);
	if (framed) {
		if (c->order == COLUMN_PLAIN)
			note_range(c, v, n);
		encode_frames(w, c, v, n, start, out);
		return;
	}
	c->frame_bits = 0;
	c->start = start[0];
	encode(w, c, v, n, out);
}

void
column_put_bytes(struct column_work *w, struct column *c, const void *bytes, size_t n, bool squeezed,
		 struct bytes *out)
{
	uint8_t *room = bytes_room(out, n + 1);
	size_t len = squeezed && n >= SQUEEZE_FROM ? squeeze(w->squeeze, bytes, n, room, n - 1) : 0;

	c->coding = len > 0 ? COLUMN_SQUEEZED : COLUMN_RAW;
	c->count = (uint32_t)n;
	if (len == 0 && n > 0)
		memcpy(room, bytes, n);
	end_column(c, len > 0 ? len : n, out);
}

void
column_put_framed(struct column_work *w, struct column *c, const void *bytes, const size_t *size,
		  struct bytes *out)
{
	const uint8_t *from = bytes;
	size_t at = out->len, total = 0;

	w->table.len = 0;
	for (uint32_t k = 0; k < frames_of(c->units, c->frame_bits); total += size[k++]) {
		struct column frame = { 0 };

		column_put_bytes(w, &frame, from + total, size[k], true, out);
		column_frame_note(&w->table, &frame, 0);
	}
	c->coding = COLUMN_FRAMED_BYTES;
	c->count = (uint32_t)total;
	column_frames_end(w, c, at, out);
}

static bool
whole(const struct column *c, const uint8_t *body)
{
	return column_check(body + c->at, c->len) == c->check;
}

/* One column without frames. */
static bool
decode(struct column_work *w, const struct column *c, const uint8_t *body, uint64_t *v)
{
	const uint8_t *p = body + c->at;

	if (c->count > COLUMN_MAX || c->coding > COLUMN_PLANES)
		return false;
	if (c->coding != COLUMN_CONSTANT && !whole(c, body))
		return false;
	if (c->coding == COLUMN_BITS) {
		unpack(p, c->len, c->count, c->width, v);
	} else if (c->coding == COLUMN_PLANES) {
		if (!squeeze_undo(w->squeeze, p, c->len, w->planes, (size_t)c->count * c->width))
			return false;
		join(w->planes, c->count, c->width, v);
	} else {
		memset(v, 0, c->count * sizeof(*v));
	}
	for (uint32_t i = 0; c->least != 0 && i < c->count; i++)
		v[i] += c->least;
	undiffer(c, v);
	return true;
}

bool
column_get_frames(struct column_work *w, const struct column *c, const uint8_t *body, uint64_t frames,
		  uint64_t *v)
{
	struct column_frames f;
	struct column frame;
	uint32_t at = 0;

	if (c->count > COLUMN_MAX || !column_is_numbers(c) || !column_frames_begin(&f, c, body))
		return false;
	for (; column_frames_next(&f, &frame); at += frame.count)
		if ((!column_is_framed(c) || (frames >> (f.next - 1) & 1) != 0) &&
		    !decode(w, &frame, body, v + at))
			return false;
	return !f.table.bad;
}

bool
column_is_constant(const struct column *c, uint64_t *only)
{
	if (c->coding != COLUMN_CONSTANT || c->order == COLUMN_DELTA)
		return false;
	*only = c->order == COLUMN_PLAIN ? c->least : (uint64_t)unfold(c->least) * units[c->thousands];
	return true;
}

bool
column_get(struct column_work *w, const struct column *c, const uint8_t *body, uint64_t *v)
{
	return column_get_frames(w, c, body, FRAMES_ALL, v);
}

static uint64_t
number_at(const struct column_work *w, const struct column *c, const uint8_t *p, uint32_t row)
{
	uint64_t v = 0, number;

	if (c->coding == COLUMN_BITS) {
		size_t bit = (size_t)row * c->width, at = bit / 8, have = c->len - at;

		unpack_one(p + at, have, bit % 8, c->width, &v);
	}
	for (unsigned b = 0; c->coding == COLUMN_PLANES && b < c->width; b++)
		v |= (uint64_t)w->planes[(size_t)b * c->count + row] << (8 * b);
	number = v + c->least;
	return c->order == COLUMN_PLAIN ? number : (uint64_t)unfold(number) * units[c->thousands];
}

/* Rows of one frame that begins at row `from`. */
static bool
pick(struct column_work *w, const struct column *c, const uint8_t *body, uint32_t from, const uint32_t *row,
     uint32_t n, uint64_t *v)
{
	const uint8_t *p = body + c->at;

	if (c->order == COLUMN_DELTA) {
		if (!decode(w, c, body, w->numbers))
			return false;
		for (uint32_t i = 0; i < n; i++)
			v[i] = w->numbers[row[i] - from];
		return true;
	}
	if (c->coding > COLUMN_PLANES || (c->coding != COLUMN_CONSTANT && !whole(c, body)) ||
	    (c->coding == COLUMN_PLANES &&
	     !squeeze_undo(w->squeeze, p, c->len, w->planes, (size_t)c->count * c->width)))
		return false;
	for (uint32_t i = 0; i < n; i++)
		v[i] = number_at(w, c, p, row[i] - from);
	return true;
}

/* Rows that are not in their order. */
static bool
pick_any(struct column_work *w, const struct column *c, const uint8_t *body, const uint32_t *row, uint32_t n,
	 uint64_t *v)
{
	if (!column_get(w, c, body, w->numbers))
		return false;
	for (uint32_t i = 0; i < n; i++)
		v[i] = w->numbers[row[i]];
	return true;
}

bool
column_pick(struct column_work *w, const struct column *c, const uint8_t *body, const uint32_t *row,
	    uint32_t n, uint64_t *v)
{
	struct column_frames f;
	struct column frame;
	uint32_t from = 0, done = 0;

	for (uint32_t i = 1; column_is_framed(c) && i < n; i++)
		if (row[i] < row[i - 1])
			return pick_any(w, c, body, row, n, v);
	if (c->count > COLUMN_MAX || !column_is_numbers(c) || !column_frames_begin(&f, c, body))
		return false;
	for (; done < n && column_frames_next(&f, &frame); from += frame.count) {
		uint32_t here = done;

		while (done < n && (!column_is_framed(c) || row[done] - from < frame.count))
			done++;
		if (done > here && !pick(w, &frame, body, from, row + here, done - here, v + here))
			return false;
	}
	return done == n;
}

const uint8_t *
column_raw(const struct column *c, const uint8_t *body)
{
	return c->coding == COLUMN_RAW && whole(c, body) ? body + c->at : NULL;
}

/* One string without frames. */
static bool
decode_bytes(struct column_work *w, const struct column *c, const uint8_t *body, uint8_t *out)
{
	if ((c->coding != COLUMN_RAW && c->coding != COLUMN_SQUEEZED) || !whole(c, body))
		return false;
	if (c->coding == COLUMN_SQUEEZED)
		return squeeze_undo(w->squeeze, body + c->at, c->len, out, c->count);
	if (c->count > 0)
		memcpy(out, body + c->at, c->count);
	return true;
}

bool
column_get_bytes(struct column_work *w, const struct column *c, const uint8_t *body, void *out)
{
	struct column_frames f;
	struct column frame;
	size_t at = 0;

	if (column_is_numbers(c) || !column_frames_begin(&f, c, body))
		return false;
	for (; column_frames_next(&f, &frame); at += frame.count)
		if (frame.count > c->count - at || !decode_bytes(w, &frame, body, (uint8_t *)out + at))
			return false;
	return !f.table.bad && at == c->count;
}
