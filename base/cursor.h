/*
 * Hostile bytes are read through a cursor whose error sticks: take what you need, look at
 * `bad` once at the end. A getter on a bad cursor gives 0 or NULL and moves nothing.
 */
#ifndef WEIR_BASE_CURSOR_H
#define WEIR_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rcur {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct rcur
rcur_of(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	return (struct rcur){ p, p + len, false };
}

static inline size_t
rcur_left(const struct rcur *c)
{
	return c->bad ? 0 : (size_t)(c->end - c->p);
}

/* The next n bytes, or NULL. They stay owned by whoever owns the buffer. */
static inline const uint8_t *
rcur_take(struct rcur *c, size_t n)
{
	if (__builtin_expect(c->bad || n > (size_t)(c->end - c->p), 0)) {
		c->bad = true;
		return NULL;
	}
	c->p += n;
	return c->p - n;
}

static inline bool
rcur_skip(struct rcur *c, size_t n)
{
	return rcur_take(c, n) != NULL;
}

static inline uint8_t
rcur_u8(struct rcur *c)
{
	const uint8_t *b = rcur_take(c, 1);

	return b == NULL ? 0 : b[0];
}

/* Big-endian (network order). */
static inline uint16_t
rcur_be16(struct rcur *c)
{
	const uint8_t *b = rcur_take(c, 2);

	return b == NULL ? 0 : (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t
rcur_be32(struct rcur *c)
{
	const uint8_t *b = rcur_take(c, 4);

	return b == NULL ? 0 : (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline uint64_t
rcur_be64(struct rcur *c)
{
	uint64_t hi = rcur_be32(c);

	return hi << 32 | rcur_be32(c);
}

/* Host order: only for our own structures that cross a process boundary of this machine. */
static inline bool
rcur_copy(struct rcur *c, void *dst, size_t n)
{
	const uint8_t *b = rcur_take(c, n);

	if (b == NULL)
		return false;
	memcpy(dst, b, n);
	return true;
}

/* A cursor over the next n bytes, which are taken from c; bad when there are fewer. */
static inline struct rcur
rcur_sub(struct rcur *c, size_t n)
{
	const uint8_t *b = rcur_take(c, n);

	return b == NULL ? (struct rcur){ NULL, NULL, true } : (struct rcur){ b, b + n, false };
}

/* The writing twin: full means bad, nothing is written past the end. */
struct wcur {
	uint8_t *start, *p, *end;
	bool bad;
};

static inline struct wcur
wcur_of(void *bytes, size_t len)
{
	uint8_t *p = bytes;

	return (struct wcur){ p, p, p + len, false };
}

static inline size_t
wcur_len(const struct wcur *c)
{
	return (size_t)(c->p - c->start);
}

static inline bool
wcur_put(struct wcur *c, const void *src, size_t n)
{
	if (c->bad || n > (size_t)(c->end - c->p)) {
		c->bad = true;
		return false;
	}
	if (n > 0)
		memcpy(c->p, src, n);
	c->p += n;
	return true;
}

static inline bool
wcur_u8(struct wcur *c, uint8_t v)
{
	return wcur_put(c, &v, 1);
}

static inline bool
wcur_be16(struct wcur *c, uint16_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	return wcur_put(c, b, sizeof(b));
}

static inline bool
wcur_be32(struct wcur *c, uint32_t v)
{
	uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	return wcur_put(c, b, sizeof(b));
}

static inline bool
wcur_be64(struct wcur *c, uint64_t v)
{
	return wcur_be32(c, (uint32_t)(v >> 32)) && wcur_be32(c, (uint32_t)v);
}

#endif
