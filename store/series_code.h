/*
 * Numbers of very different sizes as bits: how many bits a number has is told by a Huffman code of these
 * lengths, then come the bits below its highest. Close to what the numbers hold, whatever they are like.
 */
#ifndef WEIR_STORE_SERIES_CODE_H
#define WEIR_STORE_SERIES_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"
#include "bytes.h"

#define CODE_CLASSES 65u /* bits of a number: 0 to 64 */

struct code {
	uint8_t len[CODE_CLASSES]; /* of the code of each class; 0: does not occur, or is the only one */
	unsigned least, most;      /* classes that occur lie within */
};

static inline unsigned
code_class(uint64_t v)
{
	return v == 0 ? 0 : 64 - (unsigned)__builtin_clzll(v);
}

/* The code for numbers of which count[class] each are there, one at least; returns the bits that they take.
 */
uint64_t code_make(struct code *c, const uint32_t count[static CODE_CLASSES]);
/* The code and n numbers. */
void code_put(const struct code *c, const uint64_t *v, uint32_t n, struct bytes *out);
/* n numbers; false where the bytes are none. r goes behind them. */
bool code_get(struct rcur *r, uint64_t *v, uint32_t n);

#endif
