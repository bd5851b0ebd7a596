/* Makes a snapshot document: authd's side. */
#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "policy/snapshot.h"
#include "policy/snapshot_format.h"

static_assert(SNAPSHOT_SIGNATURE == crypto_sign_BYTES, "the format agrees with libsodium");

struct snapshot_builder {
	uint64_t number;
	bool bad; /* something was out of bounds: no document */
	size_t ntenants, tenants_room, nselectors, selectors_room, nnarrowings, narrowings_room;
	size_t nentries; /* of all narrowings */
	size_t nremoved, removed_room;
	uint32_t *removed;
	size_t nwatched, watched_room;
	struct watched_item *watched;
	struct tenant *tenants;
	struct tenant_selector *selectors;
	struct narrowing *narrowings; /* with lists of our own */
};

struct snapshot_builder *
snapshot_builder_new(uint64_t number)
{
	struct snapshot_builder *b = mem_calloc(1, sizeof(*b));

	b->number = number;
	return b;
}

/* Room for one more of n objects of size bytes, doubling up to limit; NULL past it. */
static void *
grow(void *p, size_t n, size_t *room, size_t size, size_t limit)
{
	if (n >= limit)
		return NULL;
	if (n < *room)
		return p;
	*room = *room == 0 ? 16 : *room * 2;
	return mem_reallocarray(p, *room, size);
}

bool
snapshot_add_tenant(struct snapshot_builder *b, const struct tenant *t)
{
	struct tenant *p = NULL;

	if (snapshot_tenant_good(t))
		p = grow(b->tenants, b->ntenants, &b->tenants_room, sizeof(*p), SNAPSHOT_TENANTS_MAX);
	if (p == NULL) {
		b->bad = true;
		return false;
	}
	b->tenants = p;
	b->tenants[b->ntenants++] = *t;
	return true;
}

bool
snapshot_add_selector(struct snapshot_builder *b, const struct tenant_selector *s)
{
	struct tenant_selector *p = NULL;

	if (snapshot_selector_good(s))
		p = grow(b->selectors, b->nselectors, &b->selectors_room, sizeof(*p), SNAPSHOT_SELECTORS_MAX);
	if (p == NULL) {
		b->bad = true;
		return false;
	}
	b->selectors = p;
	b->selectors[b->nselectors++] = *s;
	return true;
}

static bool
narrowing_good(const struct narrowing *n, size_t room)
{
	if (n->number == 0 || n->ninterfaces > room || n->nexporters > room - n->ninterfaces ||
	    n->nnetworks > room - n->ninterfaces - n->nexporters)
		return false;
	for (size_t i = 0; i < n->ninterfaces; i++)
		if (!snapshot_interface_good(n->interfaces[i]))
			return false;
	for (size_t i = 0; i < n->nexporters; i++)
		if (n->exporters[i].has_interface > 1)
			return false;
	for (size_t i = 0; i < n->nnetworks; i++)
		if (!snapshot_prefix_good(&n->networks[i]))
			return false;
	return true;
}

/* NULL where there is nothing to copy. */
static void *
copy_of(const void *from, size_t n, size_t size)
{
	void *p = n == 0 ? NULL : mem_calloc(n, size);

	if (p != NULL)
		memcpy(p, from, n * size);
	return p;
}

bool
snapshot_add_narrowing(struct snapshot_builder *b, const struct narrowing *n)
{
	struct narrowing *p = NULL;

	if (narrowing_good(n, SNAPSHOT_NARROWING_ENTRIES_MAX - b->nentries))
		p = grow(b->narrowings, b->nnarrowings, &b->narrowings_room, sizeof(*p),
			 SNAPSHOT_NARROWINGS_MAX);
	if (p == NULL) {
		b->bad = true;
		return false;
	}
	b->narrowings = p;
	p += b->nnarrowings++;
	b->nentries += n->ninterfaces + n->nexporters + n->nnetworks;
	*p = *n;
	p->interfaces = copy_of(n->interfaces, n->ninterfaces, sizeof(n->interfaces[0]));
	p->exporters = copy_of(n->exporters, n->nexporters, sizeof(n->exporters[0]));
	p->networks = copy_of(n->networks, n->nnetworks, sizeof(n->networks[0]));
	return true;
}

bool
snapshot_add_removed(struct snapshot_builder *b, uint32_t number)
{
	uint32_t *p = NULL;

	if (number != TENANT_PLATFORM && number != TENANT_UNASSIGNED)
		p = grow(b->removed, b->nremoved, &b->removed_room, sizeof(*p), SNAPSHOT_REMOVED_MAX);
	if (p == NULL) {
		b->bad = true;
		return false;
	}
	b->removed = p;
	b->removed[b->nremoved++] = number;
	return true;
}

bool
snapshot_add_watched(struct snapshot_builder *b, const struct watched_item *w)
{
	struct watched_item *p = NULL;

	if (snapshot_watched_good(w))
		p = grow(b->watched, b->nwatched, &b->watched_room, sizeof(*p), SNAPSHOT_WATCHED_MAX);
	if (p == NULL) {
		b->bad = true;
		return false;
	}
	b->watched = p;
	b->watched[b->nwatched++] = *w;
	return true;
}

static int
by_number(const void *va, const void *vb)
{
	const struct tenant *a = va, *b = vb;

	return (a->number > b->number) - (a->number < b->number);
}

static int
narrowing_by_number(const void *va, const void *vb)
{
	const struct narrowing *a = va, *b = vb;

	return (a->number > b->number) - (a->number < b->number);
}

static bool
has_tenant(const struct snapshot_builder *b, uint32_t number)
{
	struct tenant key = { .number = number };

	return b->ntenants != 0 && bsearch(&key, b->tenants, b->ntenants, sizeof(key), by_number) != NULL;
}

static int
removed_order(const void *va, const void *vb)
{
	const uint32_t *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

/* Each once, and none of a tenant that is there. Sorts them. */
static bool
removed_agree(struct snapshot_builder *b)
{
	if (b->nremoved > 1)
		qsort(b->removed, b->nremoved, sizeof(b->removed[0]), removed_order);
	for (size_t i = 0; i < b->nremoved; i++)
		if ((i > 0 && b->removed[i] == b->removed[i - 1]) || has_tenant(b, b->removed[i]))
			return false;
	return true;
}

/* Numbers are unique, and every selector and what is watched belong to a tenant that is there. Sorts tenants
 * and narrowings. */
static bool
builder_agrees(struct snapshot_builder *b)
{
	if (b->bad)
		return false;
	if (b->ntenants > 1)
		qsort(b->tenants, b->ntenants, sizeof(b->tenants[0]), by_number);
	if (b->nnarrowings > 1)
		qsort(b->narrowings, b->nnarrowings, sizeof(b->narrowings[0]), narrowing_by_number);
	for (size_t i = 1; i < b->ntenants; i++)
		if (b->tenants[i].number == b->tenants[i - 1].number)
			return false;
	for (size_t i = 1; i < b->nnarrowings; i++)
		if (b->narrowings[i].number == b->narrowings[i - 1].number)
			return false;
	for (size_t i = 0; i < b->nselectors; i++)
		if (!has_tenant(b, b->selectors[i].tenant))
			return false;
	for (size_t i = 0; i < b->nwatched; i++)
		if (b->watched[i].tenant != TENANT_PLATFORM && !has_tenant(b, b->watched[i].tenant))
			return false;
	return removed_agree(b);
}

static void
put_text(struct wcur *w, const char *s)
{
	wcur_u8(w, (uint8_t)strlen(s));
	wcur_put(w, s, strlen(s));
}

static void
put_network(struct wcur *w, const struct ip_prefix *p)
{
	wcur_put(w, p->addr.b, sizeof(p->addr.b));
	wcur_u8(w, p->bits);
}

static void
put_tenant(struct wcur *w, const struct tenant *t)
{
	wcur_be32(w, t->number);
	put_text(w, t->name);
	put_text(w, t->title);
	wcur_be64(w, t->quota.flows_per_s);
	wcur_be64(w, t->quota.stored_bytes);
	wcur_be64(w, t->quota.retention_s);
	wcur_be64(w, t->quota.series);
	for (unsigned i = 0; i < TENANT_KEEPS; i++)
		wcur_be64(w, t->quota.keep_s[i]);
	wcur_u8(w, (uint8_t)t->nspaces);
	for (uint32_t i = 0; i < t->nspaces; i++)
		wcur_be32(w, t->space[i]);
}

static void
put_selector(struct wcur *w, const struct tenant_selector *s)
{
	wcur_be32(w, s->tenant);
	put_text(w, s->point);
	wcur_be32(w, s->vlan);
	wcur_u8(w, (uint8_t)((s->has_network ? PART_NETWORK : 0) | (s->has_exporter ? PART_EXPORTER : 0) |
			     (s->has_interface ? PART_INTERFACE : 0)));
	if (s->has_network)
		put_network(w, &s->network);
	if (s->has_exporter)
		wcur_put(w, s->exporter.b, sizeof(s->exporter.b));
	if (s->has_interface)
		wcur_be32(w, s->interface);
}

static void
put_narrowing(struct wcur *w, const struct narrowing *n)
{
	wcur_be32(w, n->number);
	wcur_u8(w, n->masked);
	wcur_be32(w, (uint32_t)n->ninterfaces);
	wcur_be32(w, (uint32_t)n->nexporters);
	wcur_be32(w, (uint32_t)n->nnetworks);
	for (size_t i = 0; i < n->ninterfaces; i++)
		put_text(w, n->interfaces[i]);
	for (size_t i = 0; i < n->nexporters; i++) {
		const struct exporter_ref *e = &n->exporters[i];

		wcur_u8(w, (uint8_t)(PART_EXPORTER | (e->has_interface ? PART_INTERFACE : 0)));
		wcur_put(w, e->ip.b, sizeof(e->ip.b));
		if (e->has_interface)
			wcur_be32(w, e->interface);
	}
	for (size_t i = 0; i < n->nnetworks; i++)
		put_network(w, &n->networks[i]);
}

static void
put_watched(struct wcur *w, const struct watched_item *i)
{
	wcur_be32(w, i->tenant);
	wcur_u8(w, (uint8_t)i->kind);
	wcur_be32(w, i->space);
	wcur_be16(w, (uint16_t)i->vlan);
	put_network(w, &i->what);
}

static void
builder_write(const struct snapshot_builder *b, struct wcur *w)
{
	wcur_put(w, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_LEN);
	wcur_be64(w, b->number);
	wcur_be32(w, (uint32_t)b->ntenants);
	wcur_be32(w, (uint32_t)b->nselectors);
	wcur_be32(w, (uint32_t)b->nnarrowings);
	wcur_be32(w, (uint32_t)b->nwatched);
	wcur_be32(w, (uint32_t)b->nremoved);
	for (size_t i = 0; i < b->ntenants; i++)
		put_tenant(w, &b->tenants[i]);
	for (size_t i = 0; i < b->nselectors; i++)
		put_selector(w, &b->selectors[i]);
	for (size_t i = 0; i < b->nnarrowings; i++)
		put_narrowing(w, &b->narrowings[i]);
	for (size_t i = 0; i < b->nremoved; i++)
		wcur_be32(w, b->removed[i]);
	for (size_t i = 0; i < b->nwatched; i++)
		put_watched(w, &b->watched[i]);
}

/* Longest encoding of each part, lengths included. */
#define TENANT_BYTES                                                                                         \
	(4 + 1 + TENANT_NAME_MAX + 1 + TENANT_TITLE_MAX + (4 + TENANT_KEEPS) * 8 + 1 + 4 * TENANT_SPACES_MAX)
#define SELECTOR_BYTES  (4 + 1 + 64 + 4 + 1 + 17 + 16 + 4)
#define NARROWING_BYTES (4 + 1 + 3 * 4)
#define ENTRY_BYTES     (1 + 64)
#define WATCHED_BYTES   (4 + 1 + 4 + 2 + 17)
static_assert(SNAPSHOT_HEADER + (size_t)SNAPSHOT_TENANTS_MAX * TENANT_BYTES +
		      (size_t)SNAPSHOT_SELECTORS_MAX * SELECTOR_BYTES +
		      (size_t)SNAPSHOT_NARROWINGS_MAX * NARROWING_BYTES +
		      (size_t)SNAPSHOT_NARROWING_ENTRIES_MAX * ENTRY_BYTES +
		      (size_t)SNAPSHOT_WATCHED_MAX * WATCHED_BYTES + (size_t)SNAPSHOT_REMOVED_MAX * 4 +
		      SNAPSHOT_SIGNATURE <=
		  SNAPSHOT_BYTES_MAX,
	      "the largest snapshot fits");

void
snapshot_builder_free(struct snapshot_builder **bp)
{
	struct snapshot_builder *b = *bp;

	for (size_t i = 0; i < b->nnarrowings; i++) {
		free(b->narrowings[i].interfaces);
		free((void *)b->narrowings[i].exporters);
		free((void *)b->narrowings[i].networks);
	}
	free(b->tenants);
	free(b->selectors);
	free(b->narrowings);
	free(b->removed);
	free(b->watched);
	free(b);
	*bp = NULL;
}

uint8_t *
snapshot_finish(struct snapshot_builder **bp, const uint8_t secret[static 64], size_t *len)
{
	struct snapshot_builder *b = *bp;
	size_t room = SNAPSHOT_HEADER + b->ntenants * TENANT_BYTES + b->nselectors * SELECTOR_BYTES +
		      b->nnarrowings * NARROWING_BYTES + b->nentries * ENTRY_BYTES +
		      b->nwatched * WATCHED_BYTES + b->nremoved * 4 + SNAPSHOT_SIGNATURE;
	AUTO(mem_drop) uint8_t *doc = NULL;
	uint8_t *done = NULL;

	if (builder_agrees(b)) {
		struct wcur w;

		doc = mem_calloc(1, room);
		w = wcur_of(doc, room - SNAPSHOT_SIGNATURE);
		builder_write(b, &w);
		if (!w.bad && crypto_sign_detached(w.p, NULL, doc, wcur_len(&w), secret) == 0) {
			*len = wcur_len(&w) + SNAPSHOT_SIGNATURE;
			done = doc;
			doc = NULL;
		}
	}
	snapshot_builder_free(bp);
	return done;
}
