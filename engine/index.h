/*
 * From a hash to numbers of a table: open addressing, linear probing, the hash kept beside the number,
 * removal by shifting back. At most two thirds full, so that a look-up touches one cache line as a rule.
 */
#ifndef WEIR_ENGINE_INDEX_H
#define WEIR_ENGINE_INDEX_H

#include <stdint.h>

#define INDEX_NONE UINT32_MAX

struct index_slot {
	uint32_t hash, number; /* number + 1; 0: empty */
};

struct index {
	struct index_slot *slot;
	uint32_t shift, mask;
};

/* For at most max numbers. Dies where there is no memory. */
void index_init(struct index *x, uint32_t max);
void index_free(struct index *x);
/* hash and number are not in the index yet. */
void index_put(struct index *x, uint32_t hash, uint32_t number);
/* hash and number are in it. */
void index_take(struct index *x, uint32_t hash, uint32_t number);

static inline uint32_t
index_home(const struct index *x, uint32_t hash)
{
	return hash >> x->shift;
}

/* Candidates for a hash, one after the other: *at starts at index_home; INDEX_NONE after the last. */
static inline uint32_t
index_next(const struct index *x, uint32_t hash, uint32_t *at)
{
	for (;;) {
		const struct index_slot *s = &x->slot[*at];

		*at = (*at + 1) & x->mask;
		if (s->number == 0)
			return INDEX_NONE;
		if (s->hash == hash)
			return s->number - 1;
	}
}

#endif
