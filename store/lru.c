/* Chained buckets, and a list in order of learning. */
#include "lru.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/mem.h"

#define NONE UINT32_MAX

struct links {
	uint32_t next; /* in its bucket: number + 1 */
	uint32_t hash; /* so that rows of other keys need not be looked at */
	uint32_t older, newer;
};

struct lru {
	uint8_t *row;
	struct links *links;
	uint32_t *bucket; /* number + 1 */
	size_t row_size, key_size;
	void (*drop)(void *row);
	uint32_t max, mask, n;
	uint32_t oldest, newest;
	uint64_t seed;
};

struct lru *
lru_new(uint32_t max, size_t row_size, size_t key_size, void (*drop)(void *row))
{
	struct lru *l = mem_calloc(1, sizeof(*l));

	*l = (struct lru){ .row_size = row_size, .key_size = key_size, .drop = drop, .max = max };
	for (l->mask = 1; l->mask < max; l->mask *= 2)
		;
	l->bucket = mem_pages(l->mask * sizeof(*l->bucket));
	l->mask--;
	l->row = mem_pages(max * row_size);
	l->links = mem_pages(max * sizeof(*l->links));
	l->oldest = l->newest = NONE;
	randombytes_buf(&l->seed, sizeof(l->seed));
	return l;
}

void *
lru_at(const struct lru *l, uint32_t i)
{
	return l->row + i * l->row_size;
}

uint32_t
lru_number(const struct lru *l, const void *row)
{
	return (uint32_t)((size_t)((const uint8_t *)row - l->row) / l->row_size);
}

uint32_t
lru_count(const struct lru *l)
{
	return l->n;
}

void
lru_free(struct lru **lp)
{
	struct lru *l = *lp;

	if (l == NULL)
		return;
	for (uint32_t i = 0; l->drop != NULL && i < l->n; i++)
		l->drop(lru_at(l, i));
	munmap(l->row, l->max * l->row_size);
	munmap(l->links, l->max * sizeof(*l->links));
	munmap(l->bucket, ((size_t)l->mask + 1) * sizeof(*l->bucket));
	free(l);
	*lp = NULL;
}

static uint32_t
hash_of(const struct lru *l, const void *key)
{
	return (uint32_t)hash_bytes(key, l->key_size, l->seed);
}

static uint32_t
find(const struct lru *l, const void *key, uint32_t hash)
{
	for (uint32_t i = l->bucket[hash & l->mask]; i != 0; i = l->links[i - 1].next)
		if (l->links[i - 1].hash == hash && memcmp(lru_at(l, i - 1), key, l->key_size) == 0)
			return i - 1;
	return NONE;
}

void *
lru_find(struct lru *l, const void *key)
{
	uint32_t i = find(l, key, hash_of(l, key));

	return i == NONE ? NULL : lru_at(l, i);
}

static void
list_remove(struct lru *l, uint32_t i)
{
	const struct links *k = &l->links[i];

	if (k->older != NONE)
		l->links[k->older].newer = k->newer;
	else
		l->oldest = k->newer;
	if (k->newer != NONE)
		l->links[k->newer].older = k->older;
	else
		l->newest = k->older;
}

static void
list_add(struct lru *l, uint32_t i)
{
	l->links[i].older = l->newest;
	l->links[i].newer = NONE;
	if (l->newest != NONE)
		l->links[l->newest].newer = i;
	else
		l->oldest = i;
	l->newest = i;
}

/* A row that was never used, or the oldest one's, in no list and no bucket. */
static uint32_t
row_take(struct lru *l, bool *evicted)
{
	uint32_t i = l->oldest, *at;

	*evicted = l->n == l->max;
	if (!*evicted)
		return l->n++;
	at = &l->bucket[l->links[i].hash & l->mask];
	while (*at != i + 1)
		at = &l->links[*at - 1].next;
	*at = l->links[i].next;
	list_remove(l, i);
	if (l->drop != NULL)
		l->drop(lru_at(l, i));
	return i;
}

void *
lru_get(struct lru *l, const void *key, bool *evicted)
{
	uint32_t hash = hash_of(l, key), i = find(l, key, hash), *bucket;
	uint8_t *row;

	*evicted = false;
	if (i != NONE && i != l->newest) {
		list_remove(l, i);
		list_add(l, i);
	}
	if (i != NONE)
		return lru_at(l, i);
	i = row_take(l, evicted);
	row = lru_at(l, i);
	memset(row, 0, l->row_size);
	memcpy(row, key, l->key_size);
	bucket = &l->bucket[hash & l->mask];
	l->links[i].hash = hash;
	l->links[i].next = *bucket;
	*bucket = i + 1;
	list_add(l, i);
	return row;
}
