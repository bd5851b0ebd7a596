/* Lists in a table by tenant, open addressing; a list without slots goes when the table grows. */
#include "slots.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/mem.h"

#define LISTS_FIRST 16u
#define ROOM_FIRST  64u

struct list {
	uint32_t *entry; /* slot * 2 + share; NULL: the place in the table is free */
	uint32_t tenant, n, room;
};

struct slots {
	struct list *list;
	uint32_t mask, used;
	uint32_t max;
	uint32_t *place[2]; /* of a slot in its list, by share */
};

struct slots *
slots_new(uint32_t max)
{
	struct slots *s = mem_calloc(1, sizeof(*s));

	s->max = max;
	s->mask = LISTS_FIRST - 1;
	s->list = mem_calloc(LISTS_FIRST, sizeof(*s->list));
	for (int i = 0; i < 2; i++)
		s->place[i] = mem_pages((size_t)max * sizeof(*s->place[i]));
	return s;
}

void
slots_free(struct slots **sp)
{
	struct slots *s = *sp;

	if (s == NULL)
		return;
	for (uint32_t i = 0; i <= s->mask; i++)
		free(s->list[i].entry);
	free(s->list);
	for (int i = 0; i < 2; i++)
		munmap(s->place[i], (size_t)s->max * sizeof(*s->place[i]));
	free(s);
	*sp = NULL;
}

/* The tenant's list, or the free place where it would be: there always is one. */
static struct list *
find(const struct slots *s, uint32_t tenant)
{
	uint64_t h = hash_mix(tenant ^ UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xd6e8feb86659fd93));
	uint32_t i = (uint32_t)h & s->mask;

	while (s->list[i].entry != NULL && s->list[i].tenant != tenant)
		i = (i + 1) & s->mask;
	return &s->list[i];
}

/* Lists with slots find their places in a new table. */
static void
grow(struct slots *s)
{
	struct slots old = *s;

	s->used = 0;
	for (uint32_t i = 0; i <= old.mask; i++)
		s->used += old.list[i].n > 0;
	for (s->mask = LISTS_FIRST - 1; s->used * 4 > s->mask;)
		s->mask = s->mask * 2 + 1;
	s->list = mem_calloc((size_t)s->mask + 1, sizeof(*s->list));
	for (uint32_t i = 0; i <= old.mask; i++) {
		if (old.list[i].n > 0)
			*find(s, old.list[i].tenant) = old.list[i];
		else
			free(old.list[i].entry);
	}
	free(old.list);
}

static struct list *
list_for(struct slots *s, uint32_t tenant)
{
	struct list *l = find(s, tenant);

	if (l->entry != NULL)
		return l;
	if (s->used * 2 > s->mask) {
		grow(s);
		l = find(s, tenant);
	}
	s->used++;
	*l = (struct list){ .tenant = tenant, .room = ROOM_FIRST };
	l->entry = mem_calloc(l->room, sizeof(*l->entry));
	return l;
}

void
slots_add(struct slots *s, uint32_t tenant, int share, uint32_t slot)
{
	struct list *l = list_for(s, tenant);

	if (l->n == l->room) {
		l->room *= 2;
		l->entry = mem_reallocarray(l->entry, l->room, sizeof(*l->entry));
	}
	s->place[share][slot] = l->n;
	l->entry[l->n++] = slot * 2 + (uint32_t)share;
}

void
slots_remove(struct slots *s, uint32_t tenant, int share, uint32_t slot)
{
	struct list *l = find(s, tenant);
	uint32_t place = s->place[share][slot], last = l->entry[--l->n];

	l->entry[place] = last;
	s->place[slots_share(last)][slots_slot(last)] = place;
}

const uint32_t *
slots_of(const struct slots *s, uint32_t tenant, uint32_t *n)
{
	const struct list *l = find(s, tenant);

	*n = l->entry == NULL ? 0 : l->n;
	return l->entry;
}
