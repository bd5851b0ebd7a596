/* The device table: an index, a list by last use, and a list of those that changed. */
#include "device.h"

#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/mem.h"

void
device_table_init(struct device_table *t, uint32_t max, uint64_t seed)
{
	memset(t, 0, sizeof(*t));
	t->row = mem_pages((size_t)max * sizeof(*t->row));
	t->changed = mem_pages((size_t)max * sizeof(*t->changed));
	t->max = max;
	t->seed = seed;
	t->newest = t->oldest = DEVICE_NONE;
	index_init(&t->index, max);
}

void
device_table_free(struct device_table *t)
{
	munmap(t->row, (size_t)t->max * sizeof(*t->row));
	munmap(t->changed, (size_t)t->max * sizeof(*t->changed));
	index_free(&t->index);
}

static void
unlink_device(struct device_table *t, const struct device *d)
{
	if (d->newer != DEVICE_NONE)
		t->row[d->newer].older = d->older;
	else
		t->newest = d->older;
	if (d->older != DEVICE_NONE)
		t->row[d->older].newer = d->newer;
	else
		t->oldest = d->newer;
}

static void
link_newest(struct device_table *t, struct device *d)
{
	uint32_t number = (uint32_t)(d - t->row);

	d->newer = DEVICE_NONE;
	d->older = t->newest;
	if (t->newest != DEVICE_NONE)
		t->row[t->newest].newer = number;
	else
		t->oldest = number;
	t->newest = number;
}

static void
mark(struct device_table *t, struct device *d)
{
	if (d->changed != DEVICE_NONE)
		return;
	d->changed = t->nchanged;
	t->changed[t->nchanged++] = (uint32_t)(d - t->row);
}

static void
unmark(struct device_table *t, struct device *d)
{
	uint32_t last;

	if (d->changed == DEVICE_NONE)
		return;
	last = t->changed[--t->nchanged];
	t->changed[d->changed] = last;
	t->row[last].changed = d->changed;
	d->changed = DEVICE_NONE;
}

static struct device *
find(const struct device_table *t, uint32_t hash, const struct device_key *key)
{
	uint32_t at = index_home(&t->index, hash);
	uint32_t n = index_next(&t->index, hash, &at);

	while (n != INDEX_NONE && memcmp(&t->row[n].key, key, sizeof(*key)) != 0)
		n = index_next(&t->index, hash, &at);
	return n == INDEX_NONE ? NULL : &t->row[n];
}

/* A row that was never used, or that of the least recently seen. */
static struct device *
take_row(struct device_table *t)
{
	struct device *d;

	if (t->used < t->max)
		return &t->row[t->used++];
	d = &t->row[t->oldest];
	unlink_device(t, d);
	unmark(t, d);
	index_take(&t->index, d->hash, (uint32_t)(d - t->row));
	t->evicted++;
	return d;
}

struct device *
device_seen(struct device_table *t, const struct device_key *key, int64_t now_ns)
{
	uint32_t hash = (uint32_t)(hash_bytes(key, sizeof(*key), t->seed) >> 32);
	struct device *d = find(t, hash, key);

	if (d == NULL) {
		d = take_row(t);
		*d = (struct device){ .key = *key, .hash = hash, .changed = DEVICE_NONE };
		index_put(&t->index, hash, (uint32_t)(d - t->row));
	} else {
		unlink_device(t, d);
	}
	link_newest(t, d);
	mark(t, d);
	if (d->first_ns == 0)
		d->first_ns = now_ns;
	d->last_ns = now_ns;
	return d;
}

struct device *
device_changed(struct device_table *t)
{
	return t->nchanged == 0 ? NULL : &t->row[t->changed[t->nchanged - 1]];
}

void
device_was_told(struct device_table *t, struct device *d)
{
	unmark(t, d);
	d->arp_requests = d->arp_replies = 0;
	d->frames = d->bytes = 0;
	d->first_ns = 0; /* of what is counted from now on */
}

void
device_tell_again(struct device_table *t)
{
	for (uint32_t n = 0; n < t->used; n++) {
		if (t->row[n].first_ns == 0)
			t->row[n].first_ns = t->row[n].last_ns;
		mark(t, &t->row[n]);
	}
}
