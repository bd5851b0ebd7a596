#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CHUNK 16384u

struct chunk {
	struct chunk *next;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct chunk *head;
	size_t limit, given;
};

struct arena *
arena_new(size_t limit)
{
	struct arena *a = mem_calloc(1, sizeof(*a));

	a->limit = limit;
	return a;
}

void *
arena_alloc(struct arena *a, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct chunk *c = a->head;
	void *p;

	if (size > a->limit || size > SIZE_MAX - align)
		return NULL;
	size = (size + align - 1) / align * align;
	if (size > a->limit - a->given)
		return NULL;
	if (c == NULL || size > c->size - c->used) {
		size_t room = size > CHUNK ? size : CHUNK;

		c = calloc(1, sizeof(*c) + room);
		if (c == NULL)
			return NULL;
		c->size = room;
		c->next = a->head;
		a->head = c;
	}
	p = c->bytes + c->used;
	c->used += size;
	a->given += size;
	return p;
}

void
arena_reset(struct arena *a)
{
	while (a->head != NULL) {
		struct chunk *next = a->head->next;

		free(a->head);
		a->head = next;
	}
	a->given = 0;
}

void
arena_free(struct arena **a)
{
	if (*a == NULL)
		return;
	arena_reset(*a);
	free(*a);
	*a = NULL;
}
