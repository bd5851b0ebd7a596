/* A small hash table of what is watched. An item that is not any more stays until the minute has taken what
 * it counted, else that would be counted again. */
#include "watched.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "minutes.h"
#include "subject_series.h"
#include "sum.h"
#include "whose.h"

#define ITEMS_MAX (2u * SNAPSHOT_WATCHED_MAX) /* what is watched, and what was */
#define BUCKETS   16384u
#define FEW_HOSTS 16384u /* are marked at once: in two milliseconds */
#define LOOKS     32768u /* for hosts of what is watched, where hosts are many: the others wait for theirs */
#define WALKS     2u     /* of the first one a part may have been over when the item ended */

struct item {
	struct series_id id;
	uint32_t next; /* in its bucket, or of the free ones: index + 1 */
	bool used, listed;
	uint8_t walks;   /* of all hosts, since it is not listed any more */
	bool kept;       /* the book let it have a series ... */
	uint32_t minute; /* ... when it was asked; 0: not yet */
	struct series_key key;
	uint32_t delta, delta_generation; /* of the open batch */
	struct host_told told;            /* in seconds, that no minute has taken yet */
};

struct watched {
	struct item *item;
	uint32_t limit, unused, n, networks; /* networks: of those that are listed */
	uint32_t bucket[BUCKETS];            /* index + 1 */
	uint64_t seed;
};

struct watched *
watched_new(void)
{
	struct watched *w = mem_calloc(1, sizeof(*w));

	w->item = mem_calloc(ITEMS_MAX, sizeof(*w->item));
	randombytes_buf(&w->seed, sizeof(w->seed));
	return w;
}

void
watched_free(struct watched **w)
{
	if (*w == NULL)
		return;
	free((*w)->item);
	free(*w);
	*w = NULL;
}

/* --- items
 * ------------------------------------------------------------------------------------------------------------
 */

static uint32_t *
bucket_of(struct watched *w, const struct series_id *id)
{
	return &w->bucket[hash_bytes(id, sizeof(*id), w->seed) % BUCKETS];
}

static struct item *
find(struct watched *w, const struct series_id *id)
{
	for (uint32_t i = w->n == 0 ? 0 : *bucket_of(w, id); i != 0; i = w->item[i - 1].next)
		if (memcmp(&w->item[i - 1].id, id, sizeof(*id)) == 0)
			return &w->item[i - 1];
	return NULL;
}

static void
drop(struct watched *w, struct item *t)
{
	const uint32_t number = (uint32_t)(t - w->item) + 1;
	uint32_t *at = bucket_of(w, &t->id);

	while (*at != number)
		at = &w->item[*at - 1].next;
	*at = t->next;
	*t = (struct item){ .next = w->unused };
	w->unused = number;
	w->n--;
}

/* Where there is no room, one that ended goes before its time: the snapshot lists half of the items at most.
 */
static struct item *
make(struct watched *w, const struct series_id *id)
{
	uint32_t number;

	for (uint32_t i = 0; w->n == ITEMS_MAX && i < w->limit; i++)
		if (!w->item[i].listed)
			drop(w, &w->item[i]);
	number = w->unused != 0 ? w->unused : w->limit + 1;
	if (w->unused != 0)
		w->unused = w->item[number - 1].next;
	else
		w->limit++;

	uint32_t *bucket = bucket_of(w, id);

	w->item[number - 1] = (struct item){ .id = *id, .used = true, .next = *bucket };
	*bucket = number;
	w->n++;
	return &w->item[number - 1];
}

static struct series_id
host_id(uint32_t tenant, const struct host_key *k)
{
	return (struct series_id){
		.tenant = tenant, .subject = SERIES_HOST, .space = k->space, .number = k->vlan, .ip = k->ip
	};
}

static struct series_id
network_id(uint32_t tenant, const struct ip_prefix *p)
{
	return (struct series_id){
		.tenant = tenant, .subject = SERIES_NETWORK, .number = p->bits, .ip = p->addr
	};
}

/* --- what is watched
 * ----------------------------------------------------------------------------------------------------
 */

static void
list_one(struct watched *w, const struct watched_item *l)
{
	const struct host_key k = { l->tenant, l->space, l->what.addr, l->vlan };
	const struct series_id id =
	    l->kind == WATCHED_HOST ? host_id(l->tenant, &k) : network_id(l->tenant, &l->what);
	struct item *t = find(w, &id);

	if (t == NULL)
		t = make(w, &id);
	w->networks += !t->listed && l->kind == WATCHED_NETWORK;
	t->listed = true;
	t->walks = 0;
}

static void
mark(struct store *s, const struct host_key *k, unsigned marks)
{
	struct host *h = hosts_find(s->hosts, k);

	if (h != NULL)
		h->watched = (h->watched | marks) & WATCHED_MARKS;
}

/* The platform watches an address whoever's it is: it has hosts of every tenant. */
static void
mark_hosts(struct store *s, const struct snapshot *policy, const struct watched_item *l, size_t looks)
{
	struct host_key k = { l->tenant, l->space, l->what.addr, l->vlan };

	if (l->kind != WATCHED_HOST)
		return;
	if (l->tenant != TENANT_PLATFORM) {
		mark(s, &k, WATCHED_ITSELF);
		return;
	}
	k.tenant = TENANT_UNASSIGNED;
	mark(s, &k, WATCHED_ITSELF << WATCHED_PLATFORM);
	for (size_t i = 0; i < snapshot_tenants(policy) && i < looks; i++) {
		k.tenant = snapshot_tenant_at(policy, i)->number;
		mark(s, &k, WATCHED_ITSELF << WATCHED_PLATFORM);
	}
}

void
watched_policy(struct store *s)
{
	const struct snapshot *policy = grants_policy(s->grants);
	struct watched *w = s->watched;
	const struct watched_item *list;
	size_t n;

	list = snapshot_watched(policy, &n);
	for (uint32_t i = 0; i < w->limit; i++)
		w->item[i].listed = false;
	w->networks = 0;
	for (size_t i = 0; i < n; i++)
		list_one(w, &list[i]);
	/* Marks are only added here: what a host with one has counted in seconds its minute must know of. */
	if (n > 0 && hosts_limit(s->hosts) <= FEW_HOSTS) {
		for (uint32_t i = 0; i < hosts_limit(s->hosts); i++) {
			struct host *h = hosts_at(s->hosts, i);

			if (host_is_used(h))
				h->watched = (h->watched | watched_marks(s, h)) & WATCHED_MARKS;
		}
		return;
	}
	for (size_t i = 0; i < n; i++)
		mark_hosts(s, policy, &list[i], LOOKS / n);
}

static bool
is_listed(struct watched *w, const struct series_id *id)
{
	const struct item *t = find(w, id);

	return t != NULL && t->listed;
}

static unsigned
marks_for(const struct store *s, uint32_t tenant, const struct host *h)
{
	struct watched *w = s->watched;
	struct series_id id = host_id(tenant, &h->key);
	unsigned marks = is_listed(w, &id) ? WATCHED_ITSELF : 0;
	struct ip_prefix network;

	if (w->networks == 0 || !whose_network(s, tenant, &h->key.ip, &network))
		return marks;
	id = network_id(tenant, &network);
	return marks | (is_listed(w, &id) ? WATCHED_AROUND : 0);
}

unsigned
watched_marks(const struct store *s, const struct host *h)
{
	unsigned marks;

	if (s->watched->n == 0)
		return 0;
	marks = marks_for(s, TENANT_PLATFORM, h) << WATCHED_PLATFORM;
	return h->key.tenant == TENANT_UNASSIGNED ? marks : marks | marks_for(s, h->key.tenant, h);
}

bool
watched_has(const struct store *s, const struct series_id *id)
{
	return is_listed(s->watched, id);
}

void
watched_walked(struct store *s)
{
	struct watched *w = s->watched;

	for (uint32_t i = 0; i < w->limit; i++) {
		struct item *t = &w->item[i];

		if (t->used && !t->listed && ++t->walks == WALKS)
			drop(w, t);
	}
}

/* --- counting
 * -------------------------------------------------------------------------------------------------------------
 */

/* Whether it has a series in this minute. */
static bool
admitted(struct store *s, struct item *t)
{
	const uint32_t now = minutes_now(s);
	const struct series_entry *e;

	if (t->minute == now)
		return t->kept;
	e = batch_fits_series(s->open)
		? series_book_use(s->book, &t->id, now, series_limit(s, t->id.tenant), s->open)
		: NULL;
	t->minute = now;
	t->kept = e != NULL;
	if (e != NULL)
		t->key = series_entry_key(e);
	return t->kept;
}

/* What finds no room here is the minute's, as it is of all others. */
static void
count(struct store *s, const struct series_id *id, const struct host_told *d, bool inside, int64_t second)
{
	struct item *t = find(s->watched, id);
	const int in = inside ? 1 : 0, out = 1 - in;
	const struct series_value v = { .in_bytes = d->bytes[in],
					.out_bytes = d->bytes[out],
					.in_packets = d->packets[in],
					.out_packets = d->packets[out] };

	if (t == NULL || !t->listed || !admitted(s, t))
		return;
	if (t->delta_generation != s->open->generation) {
		t->delta_generation = s->open->generation;
		t->delta = 0;
	}
	if (!batch_add_second(s->open, &t->key, &t->delta, second, &v))
		return;
	for (int k = 0; k < 2; k++) {
		t->told.bytes[k] = sum_sat(t->told.bytes[k], d->bytes[k]);
		t->told.packets[k] = sum_sat(t->told.packets[k], d->packets[k]);
	}
}

static void
count_for(struct store *s, uint32_t tenant, unsigned marks, const struct host *h, bool inside,
	  const struct host_told *d, int64_t second)
{
	struct ip_prefix network;
	struct series_id id;

	if (marks & WATCHED_ITSELF) {
		id = host_id(tenant, &h->key);
		count(s, &id, d, inside, second);
	}
	if ((marks & WATCHED_AROUND) && whose_network(s, tenant, &h->key.ip, &network)) {
		id = network_id(tenant, &network);
		count(s, &id, d, true, second);
	}
}

void
watched_count(struct store *s, const struct host *h, int share, const struct host_told *d, int64_t second)
{
	const unsigned tenant = h->watched & (WATCHED_ITSELF | WATCHED_AROUND);
	const unsigned platform = h->watched >> WATCHED_PLATFORM;

	if (tenant != 0)
		count_for(s, h->key.tenant, tenant, h, h->inside, d, second);
	if (platform != 0 && share == SHARE_PRIMARY)
		count_for(s, TENANT_PLATFORM, platform, h, h->local, d, second);
}

static uint64_t
move(uint64_t *from, uint64_t *also_from)
{
	const uint64_t n = *from < *also_from ? *from : *also_from;

	*from -= n;
	*also_from -= n;
	return n;
}

bool
watched_take(struct store *s, const struct series_id *id, struct host_told *d, struct host_told *taken)
{
	struct item *t = find(s->watched, id);

	if (t == NULL)
		return false;
	for (int k = 0; k < 2; k++) {
		taken->bytes[k] = move(&d->bytes[k], &t->told.bytes[k]);
		taken->packets[k] = move(&d->packets[k], &t->told.packets[k]);
	}
	return true;
}
