/* Bytes that grow at their end. Whoever fills them bounds them. */
#ifndef WEIR_STORE_BYTES_H
#define WEIR_STORE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

struct bytes {
	uint8_t *p;
	size_t len, cap;
};

/* Room for n more behind what is there: write it, then add to len what was written. */
static inline uint8_t *
bytes_room(struct bytes *b, size_t n)
{
	if (n > b->cap - b->len) {
		b->cap = b->cap * 2 > b->len + n ? b->cap * 2 : b->len + n;
		b->p = mem_reallocarray(b->p, b->cap, 1);
	}
	return b->p + b->len;
}

static inline void
bytes_free(struct bytes *b)
{
	free(b->p);
	*b = (struct bytes){ 0 };
}

#endif
