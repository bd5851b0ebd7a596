/* Which values occur among some: a table of numbers by hash, that grows. The values are its user's. */
#ifndef WEIR_STORE_DISTINCT_H
#define WEIR_STORE_DISTINCT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define DISTINCT_FIRST 256u /* slots */

struct distinct {
	uint64_t *slot; /* half of the hash, number + 1; 0: free */
	uint32_t mask;
	uint32_t n;
};

static inline void
distinct_reset(struct distinct *d)
{
	if (d->slot == NULL) {
		d->slot = mem_calloc(DISTINCT_FIRST, sizeof(*d->slot));
		d->mask = DISTINCT_FIRST - 1;
	} else {
		memset(d->slot, 0, ((size_t)d->mask + 1) * sizeof(*d->slot));
	}
	d->n = 0;
}

static inline void
distinct_free(struct distinct *d)
{
	free(d->slot);
	*d = (struct distinct){ 0 };
}

/* The slot of a value with this hash: one that is taken by an equal one, or a free one. */
static inline uint64_t *
distinct_find(const struct distinct *d, uint64_t hash, bool (*equal)(const void *ctx, uint32_t number),
	      const void *ctx)
{
	uint32_t tag = (uint32_t)(hash >> 32);

	for (uint32_t at = tag & d->mask;; at = (at + 1) & d->mask) {
		uint64_t s = d->slot[at];

		if (s == 0 || ((uint32_t)(s >> 32) == tag && equal(ctx, (uint32_t)s - 1)))
			return &d->slot[at];
	}
}

static inline void
distinct_grow(struct distinct *d)
{
	uint32_t was = d->mask + 1;
	uint64_t *old = d->slot;

	d->mask = 2 * was - 1;
	d->slot = mem_calloc((size_t)2 * was, sizeof(*d->slot));
	for (uint32_t i = 0; i < was; i++) {
		uint32_t at = (uint32_t)(old[i] >> 32) & d->mask;

		if (old[i] == 0)
			continue;
		while (d->slot[at] != 0)
			at = (at + 1) & d->mask;
		d->slot[at] = old[i];
	}
	free(old);
}

/* Takes the free slot that was found: the number of the value that is new. */
static inline uint32_t
distinct_add(struct distinct *d, uint64_t *slot, uint64_t hash)
{
	uint32_t number = d->n++;

	*slot = hash >> 32 << 32 | d->n;
	if (2 * d->n > d->mask)
		distinct_grow(d);
	return number;
}

#endif
