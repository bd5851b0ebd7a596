#include "part_memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/mem.h"

struct part_memory {
	LIST_ENTRY(part_memory) entry;
	struct part_memories *all;
	uint32_t tenant;
	uint64_t bytes;
	bool full;
};

struct part_memories {
	LIST_HEAD(, part_memory) list;
	uint64_t most;
};

struct part_memories *
part_memories_new(uint64_t most)
{
	struct part_memories *all = mem_calloc(1, sizeof(*all));

	LIST_INIT(&all->list);
	all->most = most;
	return all;
}

void
part_memories_free(struct part_memories **all)
{
	free(*all);
	*all = NULL;
}

struct part_memory *
part_memory_new(struct part_memories *all, uint32_t tenant)
{
	struct part_memory *m = mem_calloc(1, sizeof(*m));

	m->all = all;
	m->tenant = tenant;
	LIST_INSERT_HEAD(&all->list, m, entry);
	return m;
}

void
part_memory_free(struct part_memory **m)
{
	if (*m != NULL)
		LIST_REMOVE(*m, entry);
	free(*m);
	*m = NULL;
}

static bool
has_room(const struct part_memory *m, uint64_t bytes)
{
	const struct part_memory *other;
	uint64_t all = bytes, own = bytes;

	LIST_FOREACH(other, &m->all->list, entry)
	{
		all += other->bytes;
		own += other->tenant == m->tenant ? other->bytes : 0;
	}
	return all <= m->all->most && own <= m->all->most / 2;
}

void *
part_memory_grow(struct part_memory *m, void *array, size_t *room, size_t least, size_t size)
{
	size_t want = *room < 32 ? 64 : *room > SIZE_MAX / 2 ? SIZE_MAX : 2 * *room;

	want = want < least ? least : want;
	/* None is more than all may have, so the sums cannot overflow. */
	if (m->full || want > m->all->most / size || !has_room(m, (want - *room) * size)) {
		m->full = true;
		return array;
	}
	array = mem_reallocarray(array, want, size);
	memset((char *)array + *room * size, 0, (want - *room) * size);
	m->bytes += (want - *room) * size;
	*room = want;
	return array;
}

bool
part_memory_is_full(const struct part_memory *m)
{
	return m->full;
}
