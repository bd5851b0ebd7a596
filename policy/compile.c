/*
 * Compiles the selectors of a snapshot document.
 *
 * Selectors are grouped by what they say of the place (point, exporter, its interface, VLAN, address space),
 * and groups are found by hash. Within a group the networks become disjoint ranges, each naming the tenant of
 * the longest prefix that covers it. A flow is looked up in one group for each combination of named parts
 * that any selector has: seldom more than a few.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "policy/compiled.h"
#include "policy/snapshot_format.h"

/* --- points
 * -----------------------------------------------------------------------------------------------------------
 */

static int
name_order(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
compile_points(struct snapshot *s, const struct document *d)
{
	size_t all = 0, room = d->nselectors;

	for (size_t i = 0; i < d->nnarrowings; i++)
		room += d->narrowings[i].ninterfaces;
	s->points = mem_calloc(room == 0 ? 1 : room, sizeof(s->points[0]));
	for (size_t i = 0; i < d->nselectors; i++)
		if (d->selectors[i].point[0] != '\0')
			memcpy(s->points[all++], d->selectors[i].point, sizeof(s->points[0]));
	for (size_t i = 0; i < d->nnarrowings; i++)
		for (size_t k = 0; k < d->narrowings[i].ninterfaces; k++)
			memcpy(s->points[all++], d->narrowings[i].interfaces[k], sizeof(s->points[0]));
	qsort(s->points, all, sizeof(s->points[0]), name_order);
	for (size_t i = 0; i < all; i++)
		if (s->npoints == 0 || strcmp(s->points[s->npoints - 1], s->points[i]) != 0)
			memmove(s->points[s->npoints++], s->points[i], sizeof(s->points[0]));
}

/* Exact names only: eth1 never means eth10. */
uint32_t
snapshot_point(const struct snapshot *s, const char *name)
{
	char(*hit)[64];

	if (s->npoints == 0 || name[0] == '\0')
		return 0;
	hit = bsearch(name, s->points, s->npoints, sizeof(s->points[0]), name_order);
	return hit == NULL ? 0 : (uint32_t)(hit - s->points) + 1;
}

/* --- groups
 * -----------------------------------------------------------------------------------------------------------
 */

/* A selector in one address space. */
struct item {
	struct place place;
	struct span span;
};

uint64_t
place_hash(const struct place *p)
{
	uint64_t a, b;

	memcpy(&a, p->exporter.b, sizeof(a));
	memcpy(&b, p->exporter.b + sizeof(a), sizeof(b));
	a ^= hash_mix(UINT64_C(0x9e3779b97f4a7c15) ^ ((uint64_t)p->point << 32 | p->vlan),
		      UINT64_C(0xd6e8feb86659fd93) ^ ((uint64_t)p->interface << 32 | p->space));
	return hash_mix(a ^ UINT64_C(0xa0761d6478bd642f), b ^ p->mask ^ UINT64_C(0xe7037ed1a0b428db));
}

static int
item_order(const void *va, const void *vb)
{
	const struct item *a = va, *b = vb;
	int d = memcmp(&a->place, &b->place, sizeof(a->place));

	return d != 0 ? d : span_order(&a->span, &b->span);
}

static struct item
item_of(const struct snapshot *s, const struct tenant_selector *sel)
{
	struct item it = { .span = { .last = ~(u128)0, .tenant = sel->tenant } };

	if (sel->point[0] != '\0') {
		it.place.mask |= PLACE_POINT;
		it.place.point = snapshot_point(s, sel->point);
	}
	if (sel->has_exporter) {
		it.place.mask |= PLACE_EXPORTER;
		it.place.exporter = sel->exporter;
	}
	if (sel->has_interface) {
		it.place.mask |= PLACE_INTERFACE;
		it.place.interface = sel->interface;
	}
	if (sel->vlan != VLAN_ANY) {
		it.place.mask |= PLACE_VLAN;
		it.place.vlan = sel->vlan;
	}
	if (sel->has_network)
		it.span = span_of(&sel->network, sel->tenant);
	return it;
}

/* A selector of a tenant with address spaces is one in each of them. */
static struct item *
make_items(const struct snapshot *s, const struct document *d, size_t *n)
{
	struct item *list;

	*n = 0;
	for (size_t i = 0; i < d->nselectors; i++) {
		const struct tenant *t = snapshot_tenant(s, d->selectors[i].tenant);

		*n += t->nspaces == 0 ? 1 : t->nspaces;
	}
	list = mem_calloc(*n == 0 ? 1 : *n, sizeof(*list));
	*n = 0;
	for (size_t i = 0; i < d->nselectors; i++) {
		const struct tenant *t = snapshot_tenant(s, d->selectors[i].tenant);
		struct item it = item_of(s, &d->selectors[i]);

		if (t->nspaces == 0)
			list[(*n)++] = it;
		for (uint32_t k = 0; k < t->nspaces; k++) {
			it.place.mask |= PLACE_SPACE;
			it.place.space = t->space[k];
			list[(*n)++] = it;
		}
	}
	qsort(list, *n, sizeof(*list), item_order);
	return list;
}

/* The items of one group, from the first on; spans is room for all of them. Returns how many there are. */
static size_t
make_group(struct group *g, const struct item *it, size_t n, struct span *spans)
{
	size_t k = 0;

	*g = (struct group){ .place = it->place, .only = it->span.tenant };
	for (; k < n && memcmp(&it[k].place, &g->place, sizeof(g->place)) == 0; k++) {
		spans[k] = it[k].span;
		if (it[k].span.tenant != g->only)
			g->only = 0;
		g->whole |= it[k].span.start == 0 && it[k].span.last == ~(u128)0;
	}
	ranges_make(&g->networks, spans, k);
	return k;
}

static void
index_groups(struct snapshot *s)
{
	bool there[PLACE_MASKS] = { false };

	for (s->bucket_mask = 1; s->bucket_mask < 2 * s->ngroups; s->bucket_mask *= 2)
		;
	s->bucket = mem_calloc(s->bucket_mask, sizeof(*s->bucket));
	s->bucket_mask--;
	for (size_t i = 0; i < s->ngroups; i++) {
		uint32_t at = (uint32_t)place_hash(&s->groups[i].place) & s->bucket_mask;

		while (s->bucket[at] != 0)
			at = (at + 1) & s->bucket_mask;
		s->bucket[at] = (uint32_t)i + 1;
		there[s->groups[i].place.mask] = true;
	}
	for (uint32_t m = PLACE_MASKS; m-- > 0;)
		if (there[m])
			s->mask[s->nmasks++] = m;
}

static void
compile_groups(struct snapshot *s, const struct document *d)
{
	size_t n;
	struct item *items = make_items(s, d, &n);
	struct span *spans = mem_calloc(n == 0 ? 1 : n, sizeof(*spans));

	for (size_t i = 0; i < n; i++)
		s->ngroups +=
		    i == 0 || memcmp(&items[i - 1].place, &items[i].place, sizeof(items[i].place)) != 0;
	s->groups = mem_calloc(s->ngroups == 0 ? 1 : s->ngroups, sizeof(s->groups[0]));
	s->ngroups = 0;
	for (size_t i = 0; i < n;)
		i += make_group(&s->groups[s->ngroups++], &items[i], n - i, spans);
	free(spans);
	free(items);
	index_groups(s);
}

/* --- networks of each tenant, wherever they are looked at
 * ------------------------------------------------------------------------------ */

static int
by_tenant(const void *va, const void *vb)
{
	const struct span *a = va, *b = vb;

	return a->tenant != b->tenant ? (a->tenant > b->tenant) - (a->tenant < b->tenant) : span_order(a, b);
}

static void
compile_networks(struct snapshot *s, const struct document *d)
{
	struct span *spans = mem_calloc(d->nselectors == 0 ? 1 : d->nselectors, sizeof(*spans));
	size_t n = 0, end;

	s->networks = mem_calloc(s->ntenants == 0 ? 1 : s->ntenants, sizeof(s->networks[0]));
	for (size_t i = 0; i < d->nselectors; i++)
		if (d->selectors[i].has_network)
			spans[n++] = span_of(&d->selectors[i].network, d->selectors[i].tenant);
	qsort(spans, n, sizeof(*spans), by_tenant);
	for (size_t i = 0; i < n; i = end) {
		const struct tenant *t = snapshot_tenant(s, spans[i].tenant);

		for (end = i; end < n && spans[end].tenant == t->number;)
			end++;
		ranges_make(&s->networks[t - s->tenants], &spans[i], end - i);
	}
	free(spans);
}

void
snapshot_compile(struct snapshot *s, const struct document *d)
{
	compile_points(s, d);
	compile_groups(s, d);
	compile_networks(s, d);
	snapshot_compile_narrowings(s, d);
}
