/* Numbers of a file that was written in the byte order of some machine, read through a cursor. */
#ifndef WEIR_CAPTURE_ORDER_H
#define WEIR_CAPTURE_ORDER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/cursor.h"

static inline uint16_t
order_u16(struct rcur *c, bool swapped)
{
	const uint8_t *b = rcur_take(c, 2);
	uint16_t v = 0;

	if (b != NULL)
		memcpy(&v, b, sizeof(v));
	return swapped ? __builtin_bswap16(v) : v;
}

static inline uint32_t
order_u32(struct rcur *c, bool swapped)
{
	const uint8_t *b = rcur_take(c, 4);
	uint32_t v = 0;

	if (b != NULL)
		memcpy(&v, b, sizeof(v));
	return swapped ? __builtin_bswap32(v) : v;
}

static inline uint64_t
order_u64(struct rcur *c, bool swapped)
{
	const uint8_t *b = rcur_take(c, 8);
	uint64_t v = 0;

	if (b != NULL)
		memcpy(&v, b, sizeof(v));
	return swapped ? __builtin_bswap64(v) : v;
}

#endif
