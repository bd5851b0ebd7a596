/* What column.c and column_frames.c share. */
#ifndef WEIR_STORE_COLUMN_PARTS_H
#define WEIR_STORE_COLUMN_PARTS_H

#include "column.h"

uint32_t column_check(const uint8_t *p, size_t n);
/* Bytes of n numbers of so many bits. */
static inline size_t
bits_size(uint32_t n, unsigned bits)
{
	return ((size_t)n * bits + 7) / 8;
}

/* Adds a frame to the table. before: where the frame before began, of COLUMN_DELTA. */
void column_frame_note(struct bytes *table, const struct column *frame, uint64_t before);
/* The frames are out from `from` on: the table follows. */
void column_frames_end(struct column_work *w, struct column *c, size_t from, struct bytes *out);

#endif
