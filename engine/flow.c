/* The flow table. */
#include "flow.h"

#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

void
flow_table_init(struct flow_table *t, uint32_t max)
{
	t->max = max;
	t->flow = mem_pages_small((size_t)max * sizeof(struct flow));
	t->free = FLOW_NONE;
	index_init(&t->index, max);
}

void
flow_table_free(struct flow_table *t)
{
	munmap(t->flow, (size_t)t->max * sizeof(struct flow));
	index_free(&t->index);
	memset(t, 0, sizeof(*t));
}

void
flow_table_stays(struct flow_table *t)
{
	mem_pages_merge(t->flow, (size_t)t->max * sizeof(struct flow));
}

uint32_t
flow_find(const struct flow_table *t, const struct flow_key *key, uint32_t hash)
{
	uint32_t at = index_home(&t->index, hash);
	uint32_t n = index_next(&t->index, hash, &at);

	while (n != FLOW_NONE && !flow_key_equal(&t->flow[n].key, key))
		n = index_next(&t->index, hash, &at);
	return n;
}

uint32_t
flow_prefetch(const struct flow_table *t, uint32_t hash, bool segment)
{
	uint32_t at = index_home(&t->index, hash);
	uint32_t n = index_next(&t->index, hash, &at);

	if (n == FLOW_NONE)
		return n;
	const char *f = (const char *)&t->flow[n];

	__builtin_prefetch(f, 1);
	__builtin_prefetch(f + 64, 1);
	if (segment)
		__builtin_prefetch(f + 128, 1);
	return n;
}

uint32_t
flow_insert(struct flow_table *t, const struct flow_key *key, uint32_t hash)
{
	uint32_t number = t->free;
	struct flow *f;

	if (number != FLOW_NONE)
		t->free = t->flow[number].wheel_next;
	else if (t->fresh < t->max)
		number = t->fresh++;
	else
		return FLOW_NONE;
	f = &t->flow[number];
	memset(f, 0, sizeof(*f));
	f->key = *key;
	f->hash = hash;
	f->generation = (uint32_t)++t->sequence;
	f->sequence_high = (uint16_t)(t->sequence >> 32);
	f->flags = FLOW_USED;
	f->touched = f->dpi = f->wheel_next = f->wheel_prev = f->host[0] = f->host[1] = FLOW_NONE;
	f->wheel_slot = UINT16_MAX; /* wheel.h: in no slot */
	index_put(&t->index, hash, number);
	t->used++;
	return number;
}

void
flow_remove(struct flow_table *t, uint32_t number)
{
	struct flow *f = &t->flow[number];

	index_take(&t->index, f->hash, number);
	f->flags = 0;
	f->wheel_next = t->free;
	t->free = number;
	t->used--;
}
