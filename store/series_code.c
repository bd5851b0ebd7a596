/* A canonical Huffman code of lengths: see series_code.h. */
#include "series_code.h"

#include <string.h>

#define LEN_MAX 15u /* of a code: a nibble each */

/* --- making
 * ----------------------------------------------------------------------------------------------------------------
 */

/* The two lightest roots, of n nodes. */
static bool
lightest(const uint64_t *weight, const uint16_t *parent, unsigned n, unsigned pair[2])
{
	unsigned found = 0;

	for (unsigned i = 0; i < n; i++) {
		if (weight[i] == 0 || parent[i] != 0)
			continue;
		if (found < 2)
			pair[found++] = i;
		else if (weight[i] < weight[pair[weight[pair[0]] < weight[pair[1]]]])
			pair[weight[pair[0]] < weight[pair[1]]] = i;
	}
	return found == 2;
}

/* Lengths by Huffman's tree; false where one is too long. */
static bool
lengths(const uint32_t *count, uint8_t *len)
{
	uint64_t weight[2 * CODE_CLASSES] = { 0 };
	uint16_t parent[2 * CODE_CLASSES] = { 0 };
	unsigned n = CODE_CLASSES, pair[2];

	for (unsigned i = 0; i < CODE_CLASSES; i++)
		weight[i] = count[i];
	for (; lightest(weight, parent, n, pair); n++) {
		weight[n] = weight[pair[0]] + weight[pair[1]];
		parent[pair[0]] = parent[pair[1]] = (uint16_t)n;
	}
	for (unsigned i = 0; i < CODE_CLASSES; i++) {
		unsigned l = 0;

		for (unsigned k = i; parent[k] != 0; k = parent[k])
			l++;
		if (l > LEN_MAX)
			return false;
		len[i] = (uint8_t)l;
	}
	return true;
}

uint64_t
code_make(struct code *c, const uint32_t count[static CODE_CLASSES])
{
	uint32_t less[CODE_CLASSES];
	uint64_t bits = 0;

	c->least = CODE_CLASSES;
	c->most = 0;
	for (unsigned i = 0; i < CODE_CLASSES; i++) {
		if (count[i] == 0)
			continue;
		c->least = i < c->least ? i : c->least;
		c->most = i;
	}
	memcpy(less, count, sizeof(less));
	while (!lengths(less, c->len))
		for (unsigned i = 0; i < CODE_CLASSES; i++)
			less[i] = less[i] / 2 + less[i] % 2;
	for (unsigned i = c->least; i <= c->most; i++)
		bits += (uint64_t)count[i] * (c->len[i] + (i > 1 ? i - 1 : 0));
	return bits + 16 + 4 * (uint64_t)(c->most - c->least + 1);
}

/* The codes themselves: shorter ones first, then by class. */
static void
codes(const struct code *c, uint16_t *word)
{
	unsigned next = 0;

	for (unsigned l = 1; l <= LEN_MAX; l++, next <<= 1)
		for (unsigned i = c->least; i <= c->most; i++)
			if (c->len[i] == l)
				word[i] = (uint16_t)next++;
}

/* --- writing
 * ---------------------------------------------------------------------------------------------------------------
 */

struct bits_out {
	uint8_t *p;
	uint64_t held;
	unsigned n; /* below 8 between calls */
};

static void
put_some(struct bits_out *b, uint64_t v, unsigned n)
{
	b->held = b->held << n | v;
	for (b->n += n; b->n >= 8; b->n -= 8)
		*b->p++ = (uint8_t)(b->held >> (b->n - 8));
}

static void
put_bits(struct bits_out *b, uint64_t v, unsigned n)
{
	if (n > 32) {
		put_some(b, v >> 32 & ((UINT64_C(1) << (n - 32)) - 1), n - 32);
		n = 32;
	}
	if (n > 0)
		put_some(b, v & ((UINT64_C(1) << n) - 1), n);
}

void
code_put(const struct code *c, const uint64_t *v, uint32_t n, struct bytes *out)
{
	/* A code and 63 bits below the highest are less than ten bytes. */
	uint8_t *start = bytes_room(out, 2 + CODE_CLASSES + (size_t)n * 10);
	struct bits_out b = { .p = start };
	uint16_t word[CODE_CLASSES] = { 0 };

	codes(c, word);
	put_bits(&b, c->least, 8);
	put_bits(&b, c->most, 8);
	for (unsigned i = c->least; i <= c->most; i++)
		put_bits(&b, c->len[i], 4);
	for (uint32_t i = 0; i < n; i++) {
		unsigned k = code_class(v[i]);

		put_bits(&b, word[k], c->len[k]);
		if (k > 1)
			put_bits(&b, v[i], k - 1);
	}
	put_bits(&b, 0, (8 - b.n) % 8);
	out->len += (size_t)(b.p - start);
}

/* --- reading
 * ---------------------------------------------------------------------------------------------------------------
 */

struct bits_in {
	const uint8_t *p, *end;
	uint64_t held; /* the next bits, highest first */
	unsigned n;
	bool bad;
};

static void
refill(struct bits_in *b)
{
	while (b->n <= 56 && b->p < b->end) {
		b->held |= (uint64_t)*b->p++ << (56 - b->n);
		b->n += 8;
	}
}

/* n is 1 to 32. */
static uint64_t
get_some(struct bits_in *b, unsigned n)
{
	if (b->n < n)
		refill(b);
	if (b->n < n) {
		b->bad = true;
		return 0;
	}

	uint64_t v = b->held >> (64 - n);

	b->held <<= n;
	b->n -= n;
	return v;
}

static uint64_t
get_bits(struct bits_in *b, unsigned n)
{
	uint64_t high = 0;

	if (n > 32) {
		high = get_some(b, n - 32) << 32;
		n = 32;
	}
	return n == 0 ? 0 : high | get_some(b, n);
}

/* Of codes of each length: the first one, how many there are, and where their classes begin. */
struct decoder {
	uint32_t first[LEN_MAX + 1], number[LEN_MAX + 1], at[LEN_MAX + 1];
	uint8_t class[CODE_CLASSES];
	unsigned longest;
};

/* False where the lengths are not of a complete code. */
static bool
decoder_make(struct decoder *d, const struct code *c)
{
	uint32_t next = 0, n = 0;

	memset(d, 0, sizeof(*d));
	for (unsigned l = 1; l <= LEN_MAX; l++, next <<= 1) {
		d->first[l] = next;
		d->at[l] = n;
		for (unsigned i = c->least; i <= c->most; i++)
			if (c->len[i] == l)
				d->class[n++] = (uint8_t)i;
		d->number[l] = n - d->at[l];
		next += d->number[l];
		if (next > UINT32_C(1) << l)
			return false;
		if (d->number[l] > 0)
			d->longest = l;
	}
	return next == UINT32_C(1) << (LEN_MAX + 1);
}

static unsigned
get_class(struct bits_in *b, const struct decoder *d)
{
	if (b->n < LEN_MAX)
		refill(b);

	uint32_t ahead = (uint32_t)(b->held >> (64 - LEN_MAX));

	for (unsigned l = 1; l <= d->longest; l++) {
		uint32_t k = (ahead >> (LEN_MAX - l)) - d->first[l];

		if (k >= d->number[l])
			continue;
		if (l > b->n)
			break;
		b->held <<= l;
		b->n -= l;
		return d->class[d->at[l] + k];
	}
	b->bad = true;
	return 0;
}

static bool
read_code(struct bits_in *b, struct code *c)
{
	memset(c, 0, sizeof(*c));
	c->least = (unsigned)get_bits(b, 8);
	c->most = (unsigned)get_bits(b, 8);
	if (c->most >= CODE_CLASSES || c->least > c->most)
		return false;
	for (unsigned i = c->least; i <= c->most; i++)
		c->len[i] = (uint8_t)get_bits(b, 4);
	return !b->bad;
}

bool
code_get(struct rcur *r, uint64_t *v, uint32_t n)
{
	struct bits_in b = { .p = r->p, .end = r->end, .bad = r->bad };
	struct decoder d;
	struct code c;

	if (!read_code(&b, &c) || (c.least != c.most && !decoder_make(&d, &c)))
		return false;
	for (uint32_t i = 0; i < n && !b.bad; i++) {
		unsigned k = c.least == c.most ? c.least : get_class(&b, &d);

		v[i] = k < 2 ? k : UINT64_C(1) << (k - 1) | get_bits(&b, k - 1);
	}
	/* Whole bytes that were looked at and not needed are not ours. */
	r->p = b.p - b.n / 8;
	return !b.bad;
}
