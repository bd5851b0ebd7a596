/*
 * What went by not long ago: keys of 64 bits, well mixed. Of what was added last nearly all is remembered, of
 * what was added long before nothing.
 */
#ifndef WEIR_STORE_SEEN_H
#define WEIR_STORE_SEEN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

#define SEEN_WAYS 8u /* a line of the cache: the newest key first */

struct seen {
	uint64_t (*line)[SEEN_WAYS];
	uint32_t mask;
};

/* lines: a power of two. */
static inline void
seen_init(struct seen *s, uint32_t lines)
{
	s->line = mem_pages(lines * sizeof(*s->line));
	s->mask = lines - 1;
}

static inline void
seen_free(struct seen *s)
{
	if (s->line != NULL)
		munmap(s->line, ((size_t)s->mask + 1) * sizeof(*s->line));
	s->line = NULL;
}

static inline uint64_t *
seen_line(const struct seen *s, uint64_t key)
{
	return s->line[key & s->mask];
}

static inline bool
seen_has(const struct seen *s, uint64_t key)
{
	const uint64_t *l = seen_line(s, key);

	for (unsigned i = 0; i < SEEN_WAYS; i++)
		if (l[i] == key)
			return true;
	return false;
}

static inline void
seen_add(struct seen *s, uint64_t key)
{
	uint64_t *l = seen_line(s, key);

	memmove(l + 1, l, (SEEN_WAYS - 1) * sizeof(*l));
	l[0] = key;
}

#endif
