/*
 * A column of numbers, or a string of bytes, as a part of a block: encoded in whatever form is shortest, with
 * a description that stands in the block's head. A long one is cut into frames, each of which is unpacked
 * without the others. What is read may be a damaged disk's: descriptions are judged when they are read, bytes
 * before they are used.
 */
#ifndef WEIR_STORE_COLUMN_H
#define WEIR_STORE_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "bytes.h"
#include "squeeze.h"

#define COLUMN_MAX 65536u              /* numbers in one column */
#define BYTES_MAX  ((size_t)256 << 20) /* in one string of bytes: what a block may make us allocate */

#define FRAME_BITS       11u /* of what is written: 2,048 numbers, or strings, a frame */
#define FRAME_BITS_LEAST 6u  /* sets of rows are words of 64 */
#define FRAMES_MAX       64u /* a set of them is the bits of a number */
#define FRAMES_ALL       UINT64_MAX

enum column_coding {
	COLUMN_CONSTANT, /* all are `least`: no bytes */
	COLUMN_BITS,     /* value - least, `width` bits each, lowest first */
	COLUMN_PLANES,   /* value - least, `width` bytes each: all lowest bytes, then the next; squeezed */
	COLUMN_RAW,      /* bytes as they are */
	COLUMN_SQUEEZED, /* bytes, squeezed */
	/* Frames one behind the other, each in one of the codings above, and a table of them at the end. */
	COLUMN_FRAMES,       /* of numbers */
	COLUMN_FRAMED_BYTES, /* of bytes: of so many strings each */
	COLUMN_CODINGS
};

enum column_order {
	COLUMN_PLAIN,
	COLUMN_DELTA, /* each as the distance from the one before, the first (of a frame) from `start` */
	COLUMN_SIGNED /* numbers are differences and may be below 0 */
};

struct column {
	uint8_t number; /* which column of the block */
	uint8_t coding, order;
	uint8_t width;
	uint8_t thousands; /* differences are divided by 1000 so many times */
	uint32_t count;    /* numbers, or bytes before they were squeezed */
	uint32_t len;      /* bytes in the block */
	uint32_t check;    /* of them; of frames, of their table */
	uint64_t least, start;
	size_t at; /* where they begin, behind the head */
	/* Of frames. Of COLUMN_PLAIN numbers, least and start are the least and the greatest of all. */
	uint8_t frame_bits;    /* log2 of the numbers, or strings, in each but the last; 0: no frames */
	uint32_t table, units; /* bytes of the table; numbers, or strings, of all */
};

static inline bool
column_is_numbers(const struct column *c)
{
	return c->coding <= COLUMN_PLANES || c->coding == COLUMN_FRAMES;
}

static inline bool
column_is_framed(const struct column *c)
{
	return c->coding >= COLUMN_FRAMES;
}

/* Whether all its numbers are *only, as the description tells. Of differences from the one before it is not
 * asked. */
bool column_is_constant(const struct column *c, uint64_t *only);

/* Frames of n numbers. */
static inline uint32_t
frames_of(uint32_t n, unsigned frame_bits)
{
	return frame_bits == 0 ? 1 : (n + (1u << frame_bits) - 1) >> frame_bits;
}

/* Memory to work in, for one thread. */
struct column_work {
	struct squeeze *squeeze;
	uint8_t *planes;   /* 8 * COLUMN_MAX */
	uint64_t *numbers; /* COLUMN_MAX */
	struct bytes table;
};
void column_work_init(struct column_work *w);
void column_work_free(struct column_work *w);

/* Adds n numbers to out and describes them in c, whose number and order are set. What v holds is used up.
 * Where c->frame_bits is set and they are more than a frame, in frames. */
void column_put(struct column_work *w, struct column *c, uint64_t *v, uint32_t n, struct bytes *out);
void column_put_bytes(struct column_work *w, struct column *c, const void *bytes, size_t n, bool squeezed,
		      struct bytes *out);
/* As it, squeezed and in frames: c->units strings, size[i] bytes are the i-th frame. */
void column_put_framed(struct column_work *w, struct column *c, const void *bytes, const size_t *size,
		       struct bytes *out);
/* c->count numbers; false where the bytes are not what c says. */
bool column_get(struct column_work *w, const struct column *c, const uint8_t *body, uint64_t *v);
/* As it, of the frames alone whose bit is set: the others' places in v stay as they are. A column without
 * frames is unpacked whole. */
bool column_get_frames(struct column_work *w, const struct column *c, const uint8_t *body, uint64_t frames,
		       uint64_t *v);
/* v[i] is number row[i] of c, n times, without unpacking what is not needed for it; row[i] < c->count. */
bool column_pick(struct column_work *w, const struct column *c, const uint8_t *body, const uint32_t *row,
		 uint32_t n, uint64_t *v);
/* c->count bytes into out; false as above. */
bool column_get_bytes(struct column_work *w, const struct column *c, const uint8_t *body, void *out);
/* COLUMN_RAW: where they are, NULL where they are damaged. */
const uint8_t *column_raw(const struct column *c, const uint8_t *body);

/* A walk through the frames of a column; one without frames is one frame. */
struct column_frames {
	const struct column *column;
	struct rcur table;
	uint32_t next;  /* the number of the frame that comes */
	size_t at, end; /* where its bytes are, and where those of all end */
	uint64_t start;
};
/* False where the table is damaged. */
bool column_frames_begin(struct column_frames *f, const struct column *c, const uint8_t *body);
/* The next one as a column by itself; false where there is none, or it is damaged: f->table.bad. */
bool column_frames_next(struct column_frames *f, struct column *frame);

/* The description as it stands in a head. Reading: *at is where the bytes of the next column begin; bad where
 * it is none or its bytes are not within body_len. */
void column_describe(struct wcur *w, const struct column *c);
#define COLUMN_DESCRIPTION_MAX 64
void column_read(struct rcur *r, struct column *c, size_t *at, size_t body_len);

#endif
