/*
 * A column of numbers, or a string of bytes, as a part of a block: encoded in whatever form is shortest, with
 * a description that stands in the block's head. What is read may be a damaged disk's: descriptions are
 * judged when they are read, bytes before they are used.
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

enum column_coding {
	COLUMN_CONSTANT, /* all are `least`: no bytes */
	COLUMN_BITS,     /* value - least, `width` bits each, lowest first */
	COLUMN_PLANES,   /* value - least, `width` bytes each: all lowest bytes, then the next; squeezed */
	COLUMN_RAW,      /* bytes as they are */
	COLUMN_SQUEEZED, /* bytes, squeezed */
	COLUMN_CODINGS
};

enum column_order {
	COLUMN_PLAIN,
	COLUMN_DELTA, /* each as the distance from the one before, the first from `start` */
	COLUMN_SIGNED /* numbers are differences and may be below 0 */
};

struct column {
	uint8_t number; /* which column of the block */
	uint8_t coding, order;
	uint8_t width;
	uint8_t thousands; /* differences are divided by 1000 so many times */
	uint32_t count;    /* numbers, or bytes before they were squeezed */
	uint32_t len;      /* bytes in the block */
	uint32_t check;    /* of them */
	uint64_t least, start;
	size_t at; /* where they begin, behind the head */
};

/* Memory to work in, for one thread. */
struct column_work {
	struct squeeze *squeeze;
	uint8_t *planes; /* 8 * COLUMN_MAX */
};
void column_work_init(struct column_work *w);
void column_work_free(struct column_work *w);

/* Adds n numbers to out and describes them in c, whose number and order are set. What v holds is used up. */
void column_put(struct column_work *w, struct column *c, uint64_t *v, uint32_t n, struct bytes *out);
void column_put_bytes(struct column_work *w, struct column *c, const void *bytes, size_t n, bool squeezed,
		      struct bytes *out);
/* c->count numbers; false where the bytes are not what c says. */
bool column_get(struct column_work *w, const struct column *c, const uint8_t *body, uint64_t *v);
/* v[i] is number row[i] of c, n times, without unpacking the others; row[i] < c->count. Not of COLUMN_DELTA.
 */
bool column_pick(struct column_work *w, const struct column *c, const uint8_t *body, const uint32_t *row,
		 uint32_t n, uint64_t *v);
/* c->count bytes into out; false as above. */
bool column_get_bytes(struct column_work *w, const struct column *c, const uint8_t *body, void *out);
/* COLUMN_RAW: where they are, NULL where they are damaged. */
const uint8_t *column_raw(const struct column *c, const uint8_t *body);

/* The description as it stands in a head. Reading: *at is where the bytes of the next column begin; bad where
 * it is none or its bytes are not within body_len. */
void column_describe(struct wcur *w, const struct column *c);
#define COLUMN_DESCRIPTION_MAX 48
void column_read(struct rcur *r, struct column *c, size_t *at, size_t body_len);

#endif
