/* Slabs of states: the lowest that has a free one comes first, so that those above empty out; of those that
 * are wholly free all but one go back to the kernel. */
#include "states.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

#define SLAB_STATES 2048u

static size_t
pool_size(const struct states *s)
{
	return s->size * (s->max + 1u);
}

void
states_init(struct states *s, uint32_t max, size_t bytes)
{
	memset(s, 0, sizeof(*s));
	s->size = (bytes + 63) & ~(size_t)63;
	s->used_size = bytes;
	s->max = max;
	s->nslabs = (max + SLAB_STATES - 1) / SLAB_STATES;
	s->pool = mem_pages(pool_size(s));
	s->slab = mem_calloc(s->nslabs, sizeof(*s->slab));
	s->free = mem_pages(sizeof(s->free[0]) * SLAB_STATES * s->nslabs);
	for (uint32_t n = max; n-- > 0;) { /* so that the first is taken first */
		struct states_slab *l = &s->slab[n / SLAB_STATES];

		s->free[n / SLAB_STATES * SLAB_STATES + l->nfree++] = (uint16_t)(n % SLAB_STATES);
	}
}

void
states_free(struct states *s)
{
	munmap(s->pool, pool_size(s));
	munmap(s->free, sizeof(s->free[0]) * SLAB_STATES * s->nslabs);
	free(s->slab);
	memset(s, 0, sizeof(*s));
}

/* How many states a slab has: the last one may be short. */
static uint32_t
slab_states(const struct states *s, uint32_t slab)
{
	uint32_t left = s->max - slab * SLAB_STATES;

	return left < SLAB_STATES ? left : SLAB_STATES;
}

uint32_t
states_take(struct states *s)
{
	struct states_slab *l;
	uint32_t number;

	if (s->used == s->max)
		return STATES_NONE;
	while (s->slab[s->lowest].nfree == 0)
		s->lowest++;
	l = &s->slab[s->lowest];
	if (l->resident && l->nfree == slab_states(s, s->lowest))
		s->idle--;
	l->resident = true;
	number = s->lowest * SLAB_STATES + s->free[s->lowest * SLAB_STATES + --l->nfree];
	s->used++;
	memset(states_at(s, number), 0, s->used_size);
	return number;
}

/* One stays at hand; SLAB_STATES times the size of a state is whole pages. */
static void
slab_is_free(struct states *s, uint32_t slab)
{
	if (s->idle == 0) {
		s->idle++;
		return;
	}
	(void)madvise(states_at(s, slab * SLAB_STATES), slab_states(s, slab) * s->size & ~(size_t)4095,
		      MADV_DONTNEED);
	s->slab[slab].resident = false;
}

void
states_give(struct states *s, uint32_t number)
{
	uint32_t slab = number / SLAB_STATES;
	struct states_slab *l = &s->slab[slab];

	s->free[slab * SLAB_STATES + l->nfree++] = (uint16_t)(number % SLAB_STATES);
	s->used--;
	if (slab < s->lowest)
		s->lowest = slab;
	if (l->nfree == slab_states(s, slab))
		slab_is_free(s, slab);
}
