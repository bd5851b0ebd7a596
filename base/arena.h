/* A bounded pool of memory for objects that die together: one per request, one per answer. */
#ifndef WEIR_BASE_ARENA_H
#define WEIR_BASE_ARENA_H

#include <stddef.h>

struct arena;

/* An arena that gives at most limit bytes in all. */
struct arena *arena_new(size_t limit);
/* Zeroed memory aligned for any type, or NULL where the limit is reached. Freed with the arena. */
void *arena_alloc(struct arena *a, size_t size);
/* Gives everything back at once; the arena can be used again. */
void arena_reset(struct arena *a);
/* Frees *a and clears it; *a may be NULL. */
void arena_free(struct arena **a);

#endif
