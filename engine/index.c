/* Open addressing. */
#include "index.h"

#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

void
index_init(struct index *x, uint32_t max)
{
	uint32_t bits = 4;

	while ((UINT64_C(2) << bits) < (uint64_t)max * 3)
		bits++;
	x->shift = 32 - bits;
	x->mask = (uint32_t)((UINT64_C(1) << bits) - 1);
	x->slot = mem_pages(((size_t)x->mask + 1) * sizeof(struct index_slot));
}

void
index_free(struct index *x)
{
	munmap(x->slot, ((size_t)x->mask + 1) * sizeof(struct index_slot));
	x->slot = NULL;
}

void
index_put(struct index *x, uint32_t hash, uint32_t number)
{
	uint32_t i = index_home(x, hash);

	while (x->slot[i].number != 0)
		i = (i + 1) & x->mask;
	x->slot[i] = (struct index_slot){ hash, number + 1 };
}

void
index_take(struct index *x, uint32_t hash, uint32_t number)
{
	uint32_t gap = index_home(x, hash);

	while (x->slot[gap].number != number + 1)
		gap = (gap + 1) & x->mask;
	/* Whatever follows moves into the gap, unless that would put it before its home. */
	for (uint32_t j = (gap + 1) & x->mask; x->slot[j].number != 0; j = (j + 1) & x->mask) {
		uint32_t home = index_home(x, x->slot[j].hash);

		if (((j - home) & x->mask) >= ((j - gap) & x->mask)) {
			x->slot[gap] = x->slot[j];
			gap = j;
		}
	}
	x->slot[gap] = (struct index_slot){ 0, 0 };
}
