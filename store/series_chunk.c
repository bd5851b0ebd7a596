/*
 * Columns of points: see series_chunk.h. A chunk is: version and flags, the number of points, their times,
 * how each column is told (a nibble a column), then the columns.
 */
#include "series_chunk.h"

#include <string.h>

#include "base/mem.h"
#include "series_code.h"
#include "squeeze.h"
#include "sum.h"
#include "varint.h"

#define VERSION     2u    /* 1: of format 2 of the database */
#define FLAG_DENSE  0x10u /* no gap between the points */
#define FLAG_FLAT   0x20u /* least and most of each point are its sum */
#define FLAG_SINGLE 0x40u /* finest_s is 1 for all */
#define FLAG_MIXED  0x80u /* or told for each */

#define SUMS    5u
#define SPREAD  8u /* least and most of four */
#define MINUTES (SUMS + SPREAD)
#define COLUMNS (MINUTES + 1)

/* How numbers are told. */
enum order {
	ORDER_PLAIN,
	ORDER_DELTA, /* as the distance from the one before */
	ORDER_EVEN,  /* as the distance from what it were if the sum came evenly */
	ORDERS
};
enum coding { CODING_ONE, CODING_VARINTS, CODING_CODE, CODING_SQUEEZED };

#define VARINTS_MAX   (CHUNK_POINTS_MAX * 10)
#define SQUEEZE_LEAST 24u /* bytes: less is not worth the attempt */
#define NOISE_BITS    7u  /* a number: above them there is nothing for zstd to find */

struct chunk_work {
	struct squeeze *squeeze;
	uint64_t v[ORDERS][CHUNK_POINTS_MAX], even[CHUNK_POINTS_MAX];
	uint8_t varints[VARINTS_MAX], squeezed[VARINTS_MAX];
};

const struct chunk_resolution chunk_resolutions[CHUNK_RESOLUTIONS] = {
	[CHUNK_SECONDS] = { 1, 60 },   [CHUNK_MINUTES] = { 60, 1440 }, [CHUNK_FIVE_MINUTES] = { 300, 864 },
	[CHUNK_HOURS] = { 3600, 240 }, [CHUNK_DAYS] = { 86400, 128 },
};

struct chunk_work *
chunk_work_new(void)
{
	struct chunk_work *w = mem_calloc(1, sizeof(*w));

	w->squeeze = squeeze_new();
	return w;
}

void
chunk_work_free(struct chunk_work **wp)
{
	if (*wp == NULL)
		return;
	squeeze_free(&(*wp)->squeeze);
	free(*wp);
	*wp = NULL;
}

/* --- points
 * ----------------------------------------------------------------------------------------------------------------
 */

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

#define EACH_OF_FOUR(X) X(in_bytes) X(out_bytes) X(in_packets) X(out_packets)

/* All that is known below a minute is lost where one of both knows nothing. */
static bool
is_flat(const struct chunk_point *p)
{
#define SAME(f) p->least.f == p->sum.f && p->most.f == p->sum.f &&
	return EACH_OF_FOUR(SAME) true;
#undef SAME
}

void
chunk_point_add(struct chunk_point *p, const struct chunk_point *q)
{
	bool flat = is_flat(p) && is_flat(q);

	series_value_add(&p->sum, &q->sum);
	p->finest_s = p->finest_s > q->finest_s ? p->finest_s : q->finest_s;
	/* What is added can only raise what was the least. */
#define ADD(f)                                                                                               \
	p->most.f = flat ? p->sum.f : larger(p->most.f, q->most.f);                                          \
	p->least.f = flat ? p->sum.f : larger(p->least.f, q->least.f);
	EACH_OF_FOUR(ADD)
#undef ADD
	p->most.flows_max = p->sum.flows_max;
}

void
chunk_point_join(struct chunk_point *p, const struct chunk_point *q)
{
	series_value_add(&p->sum, &q->sum);
	p->finest_s = p->finest_s > q->finest_s ? p->finest_s : q->finest_s;
	p->minutes += q->minutes;
#define JOIN(f)                                                                                              \
	p->most.f = larger(p->most.f, q->most.f);                                                            \
	p->least.f = smaller(p->least.f, q->least.f);
	EACH_OF_FOUR(JOIN)
#undef JOIN
	p->most.flows_max = p->sum.flows_max;
}

size_t
chunk_coarser(struct chunk_point *p, size_t n, uint32_t have_s, uint32_t want_s)
{
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t bucket = p[i].bucket / (want_s / have_s);

		if (to > 0 && p[to - 1].bucket == bucket) {
			chunk_point_join(&p[to - 1], &p[i]);
		} else {
			p[to] = p[i];
			p[to++].bucket = bucket;
		}
	}
	return to;
}

/* --- columns
 * ---------------------------------------------------------------------------------------------------------------
 */

/* Sums first: what is told by them comes behind. */
static uint64_t *
field(struct chunk_point *p, unsigned column)
{
	uint64_t *const fields[MINUTES] = {
		&p->sum.in_bytes,      &p->sum.out_bytes,  &p->sum.in_packets,  &p->sum.out_packets,
		&p->sum.flows_max,     &p->most.in_bytes,  &p->most.out_bytes,  &p->most.in_packets,
		&p->most.out_packets,  &p->least.in_bytes, &p->least.out_bytes, &p->least.in_packets,
		&p->least.out_packets,
	};

	return fields[column];
}

static bool
is_spread(unsigned column)
{
	return column >= SUMS && column < MINUTES;
}

static bool
is_least(unsigned column)
{
	return column >= SUMS + SPREAD / 2 && column < MINUTES;
}

static uint64_t
get_field(const struct chunk_point *p, unsigned column)
{
	return column == MINUTES ? p->minutes : *field((struct chunk_point *)(uintptr_t)p, column);
}

static void
set_field(struct chunk_point *p, unsigned column, uint64_t v)
{
	if (column == MINUTES)
		p->minutes = (uint32_t)v;
	else
		*field(p, column) = v;
}

static unsigned
columns_of(unsigned resolution, uint8_t flags)
{
	if (chunk_resolutions[resolution].seconds > 60)
		return COLUMNS;
	return (flags & FLAG_FLAT) != 0 ? SUMS : MINUTES;
}

/* What a spread column would be if the point's sum had come evenly in its finest steps. */
static uint64_t
even(const struct chunk_point *p, unsigned resolution, unsigned column)
{
	uint64_t steps = chunk_resolutions[resolution].seconds / p->finest_s;
	uint64_t sum = get_field(p, (column - SUMS) % (SPREAD / 2));

	steps = steps == 0 ? 1 : steps;
	return sum / steps + (!is_least(column) && sum % steps != 0);
}

/* --- numbers
 * --------------------------------------------------------------------------------------------------------------
 */

static uint64_t
zigzag(uint64_t d)
{
	return d << 1 ^ (0 - (d >> 63));
}

static uint64_t
unzigzag(uint64_t z)
{
	return z >> 1 ^ (0 - (z & 1));
}

static bool
all_one(const uint64_t *v, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		if (v[i] != v[0])
			return false;
	return true;
}

static size_t
varint_len(uint64_t v)
{
	return v == 0 ? 1 : (code_class(v) + 6) / 7;
}

/* One way of telling n numbers, and the bytes it takes. */
struct way {
	enum order order;
	enum coding coding;
	size_t len;
	struct code code;
};

static void
try_order(const uint64_t *v, uint32_t n, enum order order, struct way *best)
{
	uint32_t count[CODE_CLASSES] = { 0 };
	struct code code;
	size_t varints = 0, len;

	for (uint32_t i = 0; i < n; i++) {
		count[code_class(v[i])]++;
		varints += varint_len(v[i]);
	}
	len = (size_t)(code_make(&code, count) + 7) / 8;
	if (len < best->len)
		*best = (struct way){ order, CODING_CODE, len, code };
	if (varints < best->len)
		*best = (struct way){ order, CODING_VARINTS, varints, code };
}

static size_t
put_varints(struct chunk_work *w, const uint64_t *v, uint32_t n)
{
	struct wcur c = wcur_of(w->varints, sizeof(w->varints));

	for (uint32_t i = 0; i < n; i++)
		varint_put(&c, v[i]);
	return wcur_len(&c);
}

static void
append(struct bytes *out, const void *p, size_t n)
{
	memcpy(bytes_room(out, n), p, n);
	out->len += n;
}

static void
append_varint(struct bytes *out, uint64_t v)
{
	struct wcur c = wcur_of(bytes_room(out, 10), 10);

	varint_put(&c, v);
	out->len += wcur_len(&c);
}

/* Repetitions, which zstd finds and a code of lengths does not. */
static size_t
squeezed(struct chunk_work *w, const uint64_t *v, uint32_t n)
{
	return squeeze(w->squeeze, w->varints, put_varints(w, v, n), w->squeezed, sizeof(w->squeezed));
}

static void
try_squeeze(struct chunk_work *w, uint32_t n, struct way *best)
{
	if (best->len < SQUEEZE_LEAST || best->len * 8 > (size_t)n * NOISE_BITS)
		return;
	for (enum order o = ORDER_PLAIN; o <= ORDER_DELTA; o++) {
		size_t len = squeezed(w, w->v[o], n);

		if (len != 0 && len + 2 < best->len)
			*best = (struct way){ .order = o, .coding = CODING_SQUEEZED, .len = len + 2 };
	}
}

/* The numbers of w->v[ORDER_PLAIN]; evenly: w->even has what they are told by. Returns the nibble. */
static unsigned
put_numbers(struct chunk_work *w, uint32_t n, bool evenly, bool below, struct bytes *out)
{
	const uint64_t *v = w->v[ORDER_PLAIN];
	struct way best = { .coding = CODING_ONE, .len = SIZE_MAX };
	size_t len;

	if (all_one(v, n)) {
		append_varint(out, v[0]);
		return CODING_ONE;
	}
	for (uint32_t i = 0; i < n; i++) {
		w->v[ORDER_DELTA][i] = zigzag(v[i] - (i == 0 ? 0 : v[i - 1]));
		w->v[ORDER_EVEN][i] = !evenly ? 0 : below ? w->even[i] - v[i] : v[i] - w->even[i];
	}
	for (enum order o = ORDER_PLAIN; o < (evenly ? ORDERS : ORDER_EVEN); o++)
		try_order(w->v[o], n, o, &best);
	try_squeeze(w, n, &best);
	if (best.coding == CODING_SQUEEZED) {
		len = squeezed(w, w->v[best.order], n); /* w->squeezed has what was tried last */
		append_varint(out, len);
		append(out, w->squeezed, len);
	} else if (best.coding == CODING_VARINTS) {
		append(out, w->varints, put_varints(w, w->v[best.order], n));
	} else {
		code_put(&best.code, w->v[best.order], n, out);
	}
	return (unsigned)best.order << 2 | best.coding;
}

static bool
get_varints(struct rcur *r, uint64_t *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		v[i] = varint_get(r);
	return !r->bad;
}

/* As get_varints, of squeezed ones: their length before they were is whatever it says, within what fits. */
static bool
get_squeezed(struct chunk_work *w, struct rcur *r, uint64_t *v, uint32_t n)
{
	size_t len = (size_t)varint_below(r, VARINTS_MAX), raw;
	const uint8_t *p = rcur_take(r, len);

	if (p == NULL || !squeeze_undo_some(w->squeeze, p, len, w->varints, sizeof(w->varints), &raw))
		return false;

	struct rcur c = rcur_of(w->varints, raw);

	return get_varints(&c, v, n) && rcur_left(&c) == 0;
}

static bool
get_numbers(struct chunk_work *w, struct rcur *r, unsigned nibble, uint64_t *v, uint32_t n, bool below)
{
	enum order order = (enum order)(nibble >> 2);
	bool good = false;

	switch ((enum coding)(nibble & 3)) {
	case CODING_ONE:
		v[0] = varint_get(r);
		for (uint32_t i = 1; i < n; i++)
			v[i] = v[0];
		return order == ORDER_PLAIN && !r->bad;
	case CODING_VARINTS:
		good = get_varints(r, v, n);
		break;
	case CODING_CODE:
		good = code_get(r, v, n);
		break;
	case CODING_SQUEEZED:
		good = get_squeezed(w, r, v, n);
		break;
	}
	if (!good || order >= ORDERS)
		return false;
	for (uint32_t i = 0; order == ORDER_DELTA && i < n; i++)
		v[i] = unzigzag(v[i]) + (i == 0 ? 0 : v[i - 1]);
	for (uint32_t i = 0; order == ORDER_EVEN && i < n; i++)
		v[i] = below ? w->even[i] - v[i] : w->even[i] + v[i];
	return true;
}

/* --- a chunk
 * ---------------------------------------------------------------------------------------------------------------
 */

static uint8_t
flags_of(const struct chunk_point *p, uint32_t n)
{
	uint8_t flags = VERSION;
	bool flat = true, same = true;

	for (uint32_t i = 0; i < n; i++) {
		flat = flat && is_flat(&p[i]);
		same = same && p[i].finest_s == p[0].finest_s;
	}
	if (flat)
		flags |= FLAG_FLAT;
	if (!same)
		flags |= FLAG_MIXED;
	else if (p[0].finest_s == 1)
		flags |= FLAG_SINGLE;
	if (p[n - 1].bucket - p[0].bucket == (int64_t)n - 1)
		flags |= FLAG_DENSE;
	return flags;
}

/* The numbers of a list that is no column, behind their nibble. */
static void
put_list(struct chunk_work *w, uint32_t n, struct bytes *out)
{
	size_t at = out->len;

	append(out, "", 1);

	unsigned nibble = put_numbers(w, n, false, false, out);

	out->p[at] = (uint8_t)nibble;
}

static void
put_times(struct chunk_work *w, const struct chunk_point *p, uint32_t n, struct bytes *out)
{
	for (uint32_t i = 1; i < n; i++)
		w->v[ORDER_PLAIN][i - 1] = (uint64_t)(p[i].bucket - p[i - 1].bucket) - 1;
	put_list(w, n - 1, out);
}

void
chunk_encode(struct chunk_work *w, unsigned resolution, int64_t span, const struct chunk_point *p, uint32_t n,
	     struct bytes *out)
{
	uint8_t flags = flags_of(p, n), nibbles[(COLUMNS + 1) / 2] = { 0 };
	unsigned columns = columns_of(resolution, flags);
	size_t at;

	append(out, &flags, 1);
	append_varint(out, n);
	append_varint(out, (uint64_t)(p[0].bucket - span * chunk_resolutions[resolution].points));
	if ((flags & FLAG_DENSE) == 0)
		put_times(w, p, n, out);
	if (flags & FLAG_MIXED) {
		for (uint32_t i = 0; i < n; i++)
			w->v[ORDER_PLAIN][i] = p[i].finest_s;
		put_list(w, n, out);
	}
	at = out->len;
	append(out, nibbles, (columns + 1) / 2);
	for (unsigned c = 0; c < columns; c++) {
		for (uint32_t i = 0; i < n; i++) {
			w->v[ORDER_PLAIN][i] = get_field(&p[i], c);
			w->even[i] = is_spread(c) ? even(&p[i], resolution, c) : 0;
		}
		nibbles[c / 2] |= (uint8_t)(put_numbers(w, n, is_spread(c), is_least(c), out) << (c % 2 * 4));
	}
	memcpy(out->p + at, nibbles, (columns + 1) / 2);
}

static bool
get_times(struct chunk_work *w, struct rcur *r, uint8_t flags, int64_t first, int64_t end,
	  struct chunk_point *p, uint32_t n)
{
	uint64_t *v = w->v[ORDER_PLAIN];

	memset(v, 0, n * sizeof(*v));
	if ((flags & FLAG_DENSE) == 0 && n > 1 && !get_numbers(w, r, rcur_u8(r), v, n - 1, false))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (first >= end)
			return false;
		p[i].bucket = first;
		if (v[i] >= CHUNK_POINTS_MAX)
			return false;
		first += 1 + (int64_t)v[i];
	}
	return true;
}

static bool
get_finest(struct chunk_work *w, struct rcur *r, uint8_t flags, struct chunk_point *p, uint32_t n)
{
	uint64_t *v = w->v[ORDER_PLAIN];

	if (flags & FLAG_MIXED && !get_numbers(w, r, rcur_u8(r), v, n, false))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t finest = flags & FLAG_MIXED ? v[i] : flags & FLAG_SINGLE ? 1 : 60;

		if (finest != 1 && finest != 60)
			return false;
		p[i].finest_s = (uint32_t)finest;
		p[i].minutes = 1;
	}
	return true;
}

static bool
get_columns(struct chunk_work *w, struct rcur *r, unsigned resolution, unsigned columns,
	    struct chunk_point *p, uint32_t n)
{
	const uint8_t *nibbles = rcur_take(r, (columns + 1) / 2);
	uint64_t *v = w->v[ORDER_PLAIN];

	for (unsigned c = 0; c < columns && nibbles != NULL; c++) {
		for (uint32_t i = 0; is_spread(c) && i < n; i++)
			w->even[i] = even(&p[i], resolution, c);
		if (!get_numbers(w, r, nibbles[c / 2] >> (c % 2 * 4) & 15, v, n, is_least(c)))
			return false;
		for (uint32_t i = 0; i < n; i++)
			set_field(&p[i], c, v[i]);
	}
	return nibbles != NULL && !r->bad;
}

uint32_t
chunk_decode(struct chunk_work *w, unsigned resolution, int64_t span, const uint8_t *bytes, size_t len,
	     struct chunk_point p[static CHUNK_POINTS_MAX])
{
	const uint32_t points = chunk_resolutions[resolution].points;
	struct rcur r = rcur_of(bytes, len);
	uint8_t flags = rcur_u8(&r);
	uint32_t n = (uint32_t)varint_below(&r, points);
	int64_t first = span * points + (int64_t)varint_below(&r, points - 1);
	unsigned columns = columns_of(resolution, flags);

	if (r.bad || n == 0 || (flags & 0xf) != VERSION)
		return 0;
	memset(p, 0, n * sizeof(*p));
	if (!get_times(w, &r, flags, first, (span + 1) * points, p, n) || !get_finest(w, &r, flags, p, n) ||
	    !get_columns(w, &r, resolution, columns, p, n) || rcur_left(&r) != 0)
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		if (columns == SUMS) {
			p[i].least = p[i].most = p[i].sum;
			p[i].least.flows_max = 0;
		}
		p[i].most.flows_max = p[i].sum.flows_max;
	}
	return n;
}
