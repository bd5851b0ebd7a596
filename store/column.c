/* Columns: see column.h. */
#include "column.h"

#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "varint.h"

#define SQUEEZE_FROM 64u /* bytes: below it zstd's own frame outweighs what it saves */

void
column_work_init(struct column_work *w)
{
	*w = (struct column_work){ squeeze_new(), mem_calloc(COLUMN_MAX, 8) };
}

void
column_work_free(struct column_work *w)
{
	squeeze_free(&w->squeeze);
	free(w->planes);
	w->planes = NULL;
}

static uint32_t
check_of(const uint8_t *p, size_t n)
{
	return (uint32_t)hash_bytes(p, n, 0);
}

/* --- numbers of the same width
 * --------------------------------------------------------------------------------------------- */

static size_t
bits_size(uint32_t n, unsigned bits)
{
	return ((size_t)n * bits + 7) / 8;
}

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
		for (uint32_t i = 0; i < n; i++)
			if ((int64_t)v[i] % 1000 != 0)
				return times;
		for (uint32_t i = 0; i < n; i++)
			v[i] = (uint64_t)((int64_t)v[i] / 1000);
	}
	return times;
}

static void
differ(struct column *c, uint64_t *v, uint32_t n)
{
	if (c->order == COLUMN_DELTA) {
		c->start = v[0];
		for (uint32_t i = n - 1; i > 0; i--)
			v[i] -= v[i - 1];
		v[0] = 0;
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
	c->check = check_of(out->p + out->len, len);
	out->len += len;
}

void
column_put(struct column_work *w, struct column *c, uint64_t *v, uint32_t n, struct bytes *out)
{
	c->coding = COLUMN_CONSTANT;
	c->count = n;
	if (n == 0)
		return;
	differ(c, v, n);

	uint64_t range = subtract_least(c, v, n);

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

static bool
whole(const struct column *c, const uint8_t *body)
{
	return check_of(body + c->at, c->len) == c->check;
}

bool
column_get(struct column_work *w, const struct column *c, const uint8_t *body, uint64_t *v)
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

bool
column_pick(struct column_work *w, const struct column *c, const uint8_t *body, const uint32_t *row,
	    uint32_t n, uint64_t *v)
{
	const uint8_t *p = body + c->at;

	if (c->count > COLUMN_MAX || c->coding > COLUMN_PLANES || c->order == COLUMN_DELTA ||
	    (c->coding != COLUMN_CONSTANT && !whole(c, body)) ||
	    (c->coding == COLUMN_PLANES &&
	     !squeeze_undo(w->squeeze, p, c->len, w->planes, (size_t)c->count * c->width)))
		return false;
	for (uint32_t i = 0; i < n; i++)
		v[i] = number_at(w, c, p, row[i]);
	return true;
}

const uint8_t *
column_raw(const struct column *c, const uint8_t *body)
{
	return c->coding == COLUMN_RAW && whole(c, body) ? body + c->at : NULL;
}

bool
column_get_bytes(struct column_work *w, const struct column *c, const uint8_t *body, void *out)
{
	if (c->coding < COLUMN_RAW || !whole(c, body))
		return false;
	if (c->coding == COLUMN_SQUEEZED)
		return squeeze_undo(w->squeeze, body + c->at, c->len, out, c->count);
	if (c->count > 0)
		memcpy(out, body + c->at, c->count);
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
	if (c->coding <= COLUMN_PLANES) {
		wcur_u8(w, c->width);
		wcur_u8(w, c->thousands);
		varint_put(w, c->least);
		varint_put(w, c->start);
	}
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
	default:
		return c->count <= BYTES_MAX;
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
	if (c->coding <= COLUMN_PLANES) {
		c->width = rcur_u8(r);
		c->thousands = rcur_u8(r);
		c->least = varint_get(r);
		c->start = varint_get(r);
	}
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
