/* Numbers of 7 bits a byte, low bits first (LEB128), through base/cursor.h. */
#ifndef WEIR_STORE_VARINT_H
#define WEIR_STORE_VARINT_H

#include "base/cursor.h"

static inline void
varint_put(struct wcur *c, uint64_t v)
{
	uint8_t b[10];
	size_t n = 0;

	do {
		b[n] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		v >>= 7;
		n++;
	} while (v != 0);
	wcur_put(c, b, n);
}

/* 0 and a bad cursor where it is cut off or does not fit 64 bits. */
static inline uint64_t
varint_get(struct rcur *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t b = rcur_u8(c);

		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if ((b & 0x80) == 0)
			return c->bad ? 0 : v;
	}
	c->bad = true;
	return 0;
}

/* As varint_get, bad where it is above max. */
static inline uint64_t
varint_below(struct rcur *c, uint64_t max)
{
	uint64_t v = varint_get(c);

	if (v > max)
		c->bad = true;
	return c->bad ? 0 : v;
}

#endif
