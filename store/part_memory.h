/*
 * Memory of questions that sum what a narrowed grant sees. It grows with the hosts that are met, so it is
 * bounded: of each tenant, and of all together. Of the loop's thread only.
 */
#ifndef WEIR_STORE_PART_MEMORY_H
#define WEIR_STORE_PART_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PART_MEMORY_MAX (UINT64_C(512) << 20)

struct part_memories; /* of all questions together */
struct part_memory;   /* of one */

/* most: bytes, PART_MEMORY_MAX; a tenant may have half of it. */
struct part_memories *part_memories_new(uint64_t most);
/* No question holds any. */
void part_memories_free(struct part_memories **all);

struct part_memory *part_memory_new(struct part_memories *all, uint32_t tenant);
/* The arrays are the caller's to free. */
void part_memory_free(struct part_memory **m);
/*
 * Room in an array of *room elements of size for at least that many, about twice what it had; new ones are
 * zeroed. Returns the array; as it was, with *room, where the bounds do not allow it: part_memory_is_full
 * from then on.
 */
void *part_memory_grow(struct part_memory *m, void *array, size_t *room, size_t least, size_t size);
/* It got no more at some time: what was summed is not whole. */
bool part_memory_is_full(const struct part_memory *m);

#endif
