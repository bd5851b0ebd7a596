/*
 * Room for the states of flows under inspection: fixed in number and size, of pages that go back to the
 * kernel where they are not needed. What a state holds is its user's; it is all zero when it is taken.
 */
#ifndef WEIR_ENGINE_STATES_H
#define WEIR_ENGINE_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATES_NONE UINT32_MAX

struct states_slab {
	uint32_t nfree;
	bool resident; /* a state of it was used since its memory was given back */
};

struct states {
	size_t size, used_size; /* of a state: in the pool, and what is cleared of it */
	uint8_t *pool;
	uint16_t *free; /* for each slab a stack of the numbers in it that are free */
	struct states_slab *slab;
	uint32_t max, used, nslabs;
	uint32_t lowest; /* no slab below has a free state */
	uint32_t idle;   /* slabs that are resident and wholly free */
};

/* Room for max states of so many bytes, and for a spare one whose number is max. Dies without memory. */
void states_init(struct states *s, uint32_t max, size_t bytes);
void states_free(struct states *s);

/* The number of a state, or STATES_NONE where all are in use. */
uint32_t states_take(struct states *s);
void states_give(struct states *s, uint32_t number);

static inline void *
states_at(const struct states *s, uint32_t number)
{
	return s->pool + s->size * number;
}

#endif
