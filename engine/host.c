/*
 * The host table: an index, and a list of second chances. A host that is used only gets a flag: to keep the
 * list by last use would touch three hosts that nobody asked for, at each use.
 */
#include "host.h"

#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/prefetch.h"

#define EVICT_LOOKS 8

void
host_table_init(struct host_table *t, uint32_t max, struct texts *texts, const uint64_t seed[static 2])
{
	memset(t, 0, sizeof(*t));
	t->host = mem_pages((size_t)max * sizeof(struct host));
	t->max = max;
	t->texts = texts;
	t->seed[0] = seed[0];
	t->seed[1] = seed[1];
	t->free = t->newest = t->oldest = HOST_NONE;
	index_init(&t->index, max);
}

void
host_table_free(struct host_table *t)
{
	munmap(t->host, (size_t)t->max * sizeof(struct host));
	index_free(&t->index);
}

static uint32_t
hash_of(const struct host_table *t, const struct host_key *key)
{
	uint64_t w[3], h;

	memcpy(w, key, sizeof(w));
	h = hash_mix(w[0] ^ t->seed[0], w[1] ^ t->seed[1]);
	h = hash_mix(w[2] ^ t->seed[1], h ^ t->seed[0]);
	return (uint32_t)(h >> 32);
}

static void
unlink_host(struct host_table *t, uint32_t number)
{
	struct host *h = &t->host[number];

	if (h->newer != HOST_NONE)
		t->host[h->newer].older = h->older;
	else
		t->newest = h->older;
	if (h->older != HOST_NONE)
		t->host[h->older].newer = h->newer;
	else
		t->oldest = h->newer;
}

static void
link_newest(struct host_table *t, uint32_t number)
{
	struct host *h = &t->host[number];

	h->newer = HOST_NONE;
	h->older = t->newest;
	if (t->newest != HOST_NONE)
		t->host[t->newest].newer = number;
	else
		t->oldest = number;
	t->newest = number;
}

/* The host that was not used for longest, roughly: whoever has flows or was used since it was looked at last
 * comes to the end of the list. Where only such are met, the first of them has to do, so that no packet waits
 * for long. */
static uint32_t
coldest(struct host_table *t)
{
	const uint32_t first = t->oldest;

	for (unsigned i = 0; i < EVICT_LOOKS; i++) {
		uint32_t number = t->oldest;
		struct host *h = &t->host[number];

		if (h->flows == 0 && !(h->flags & HOST_WARM))
			return number;
		h->flags &= (uint8_t)~HOST_WARM;
		unlink_host(t, number);
		link_newest(t, number);
	}
	return first;
}

static void
evict(struct host_table *t, host_gone *gone, void *ctx)
{
	uint32_t number = coldest(t);
	struct host *h = &t->host[number];

	gone(ctx, number);
	unlink_host(t, number);
	index_take(&t->index, h->hash, number);
	text_drop(t->texts, h->as_name);
	text_drop(t->texts, h->city);
	h->flags = 0;
	h->newer = t->free;
	t->free = number;
	t->used--;
	t->evicted++;
}

static uint32_t
find(const struct host_table *t, const struct host_key *key, uint32_t hash)
{
	uint32_t at = index_home(&t->index, hash);
	uint32_t n = index_next(&t->index, hash, &at);

	while (n != HOST_NONE && memcmp(&t->host[n].key, key, sizeof(*key)) != 0)
		n = index_next(&t->index, hash, &at);
	return n;
}

uint32_t
host_find(const struct host_table *t, const struct host_key *key)
{
	return find(t, key, hash_of(t, key));
}

uint32_t
host_prefetch_index(const struct host_table *t, const struct host_key *key)
{
	uint32_t hash = hash_of(t, key);

	__builtin_prefetch(&t->index.slot[index_home(&t->index, hash)]);
	return hash;
}

void
host_prefetch(const struct host_table *t, uint32_t hash)
{
	uint32_t at = index_home(&t->index, hash);
	uint32_t n = index_next(&t->index, hash, &at);

	prefetch_only();
	if (n != HOST_NONE)
		__builtin_prefetch(&t->host[n], 1);
}

static bool
is_local(const struct host_table *t, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < t->nlocal; i++)
		if (prefix_contains(&t->local[i], ip))
			return true;
	return false;
}

uint32_t
host_get(struct host_table *t, const struct host_key *key, unsigned point, host_gone *gone, void *ctx)
{
	uint32_t hash = hash_of(t, key), n = find(t, key, hash);
	struct host *h;

	if (n != HOST_NONE)
		return n;
	if (t->used == t->max)
		evict(t, gone, ctx);
	if (t->free != HOST_NONE) {
		n = t->free;
		t->free = t->host[n].newer;
	} else {
		n = t->fresh++;
	}
	h = &t->host[n];
	memset(h, 0, sizeof(*h));
	h->key = *key;
	h->hash = hash;
	h->flags = (uint8_t)(HOST_USED | (is_local(t, &key->ip) ? HOST_LOCAL : 0));
	h->point = (uint8_t)point;
	index_put(&t->index, hash, n);
	link_newest(t, n);
	t->used++;
	return n;
}

bool
host_is(const struct host_table *t, uint32_t number, const struct host_key *key)
{
	return number < t->max && (t->host[number].flags & HOST_USED) &&
	       memcmp(&t->host[number].key, key, sizeof(*key)) == 0;
}
