/*
 * Compiles a snapshot document and matches flows with it: store's side.
 *
 * Selectors are grouped by what they say of point and VLAN. Within a group the networks become disjoint
 * ranges of addresses in order, each naming the tenant of the longest prefix that covers it, so that one
 * binary search finds it. A flow is looked up in the four groups that can apply: (point, VLAN), (point, any),
 * (any, VLAN), (any, any).
 */
#include "policy/snapshot.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "policy/snapshot_format.h"

__extension__ typedef unsigned __int128 u128;

#define POINT_ANY 0u /* index of "no point named"; named points count from 1 */

/* Where a range begins; it ends where the next one does. */
struct range {
	u128 start;
	uint32_t tenant;      /* 0: none */
	uint32_t specificity; /* 0: a selector without network; else bits of the prefix + 1 */
};

struct group {
	uint32_t point;    /* index, POINT_ANY */
	uint32_t vlan;     /* VLAN_ANY */
	uint32_t first, n; /* its ranges */
};

/* A selector while it is compiled. */
struct item {
	uint32_t point, vlan, tenant, specificity;
	u128 start, last;
};

struct snapshot {
	uint64_t number;
	size_t ntenants, npoints, ngroups, nranges, nitems;
	struct tenant *tenants; /* ascending by number */
	char (*points)[64];     /* ascending by name; index 1 is points[0] */
	struct group *groups;   /* ascending by (point, vlan) */
	struct range *ranges;
	struct item *items; /* ascending by (point, vlan, start, specificity, tenant) */
};

static u128
address(const struct ip_addr *a)
{
	struct rcur c = rcur_of(a->b, sizeof(a->b));
	u128 hi = rcur_be64(&c);

	return hi << 64 | rcur_be64(&c);
}

/* --- reading the document
 * --------------------------------------------------------------------------------------------- */

static bool
take_text(struct rcur *c, char *out, size_t size)
{
	size_t n = rcur_u8(c);

	memset(out, 0, size);
	return n < size && rcur_copy(c, out, n) && strlen(out) == n && snapshot_text_good(out, size);
}

static bool
take_tenant(struct rcur *c, struct tenant *t)
{
	t->number = rcur_be32(c);
	return take_text(c, t->name, sizeof(t->name)) && snapshot_tenant_good(t);
}

static bool
take_selector(struct rcur *c, struct tenant_selector *s)
{
	memset(s, 0, sizeof(*s));
	s->tenant = rcur_be32(c);
	if (!take_text(c, s->point, sizeof(s->point)))
		return false;
	s->vlan = rcur_be32(c);
	s->has_network = rcur_u8(c);
	if (s->has_network == 1) {
		rcur_copy(c, s->network.addr.b, sizeof(s->network.addr.b));
		s->network.bits = rcur_u8(c);
	}
	return !c->bad && snapshot_selector_good(s);
}

static int
tenant_order(const void *va, const void *vb)
{
	const struct tenant *a = va, *b = vb;

	return (a->number > b->number) - (a->number < b->number);
}

static bool
take_tenants(struct rcur *c, struct snapshot *s, uint32_t n)
{
	s->tenants = mem_calloc(n == 0 ? 1 : n, sizeof(s->tenants[0]));
	for (; s->ntenants < n; s->ntenants++) {
		struct tenant *t = &s->tenants[s->ntenants];

		if (!take_tenant(c, t) || (s->ntenants > 0 && tenant_order(t - 1, t) >= 0))
			return false;
	}
	return true;
}

static struct tenant_selector *
take_selectors(struct rcur *c, const struct snapshot *s, uint32_t n)
{
	struct tenant_selector *list = mem_calloc(n == 0 ? 1 : n, sizeof(*list));

	for (uint32_t i = 0; i < n; i++)
		if (!take_selector(c, &list[i]) || snapshot_tenant(s, list[i].tenant) == NULL) {
			free(list);
			return NULL;
		}
	return list;
}

/* --- compiling
 * -------------------------------------------------------------------------------------------------------- */

static int
name_order(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
compile_points(struct snapshot *s, const struct tenant_selector *list, size_t n)
{
	size_t all = 0;

	s->points = mem_calloc(n == 0 ? 1 : n, sizeof(s->points[0]));
	for (size_t i = 0; i < n; i++)
		if (list[i].point[0] != '\0')
			memcpy(s->points[all++], list[i].point, sizeof(s->points[0]));
	qsort(s->points, all, sizeof(s->points[0]), name_order);
	for (size_t i = 0; i < all; i++)
		if (s->npoints == 0 || strcmp(s->points[s->npoints - 1], s->points[i]) != 0)
			memmove(s->points[s->npoints++], s->points[i], sizeof(s->points[0]));
}

/* Exact names only: eth1 never means eth10. POINT_ANY where no selector names it. */
static uint32_t
point_index(const struct snapshot *s, const char *name)
{
	char(*hit)[64];

	if (s->npoints == 0 || name[0] == '\0')
		return POINT_ANY;
	hit = bsearch(name, s->points, s->npoints, sizeof(s->points[0]), name_order);
	return hit == NULL ? POINT_ANY : (uint32_t)(hit - s->points) + 1;
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int
item_order(const void *va, const void *vb)
{
	const struct item *a = va, *b = vb;
	int d = ORDER(a->point, b->point);

	d = d != 0 ? d : ORDER(a->vlan, b->vlan);
	d = d != 0 ? d : ORDER(a->start, b->start);
	d = d != 0 ? d : ORDER(a->specificity, b->specificity);
	return d != 0 ? d : ORDER(a->tenant, b->tenant);
}

static void
compile_items(struct snapshot *s, const struct tenant_selector *list, size_t n)
{
	s->items = mem_calloc(n == 0 ? 1 : n, sizeof(s->items[0]));
	s->nitems = n;
	for (size_t i = 0; i < n; i++) {
		struct item *it = &s->items[i];
		unsigned bits = list[i].has_network ? list[i].network.bits : 0;

		it->point = point_index(s, list[i].point);
		it->vlan = list[i].vlan;
		it->tenant = list[i].tenant;
		it->specificity = list[i].has_network ? bits + 1 : 0;
		it->start = list[i].has_network ? address(&list[i].network.addr) : 0;
		it->last = bits == 128 ? it->start : it->start | ~(u128)0 >> bits;
	}
	qsort(s->items, n, sizeof(s->items[0]), item_order);
}

/* From start on, tenant and specificity hold; a range of the same start that was put before is overruled. */
static void
put_range(struct snapshot *s, struct group *g, u128 start, const struct item *it)
{
	struct range *r = &s->ranges[s->nranges];

	if (g->n > 0 && r[-1].start == start) {
		r--;
	} else {
		g->n++;
		s->nranges++;
	}
	r->start = start;
	r->tenant = it == NULL ? 0 : it->tenant;
	r->specificity = it == NULL ? 0 : it->specificity;
}

/* Prefixes nest or are disjoint: those that are open form a stack, never deeper than there are lengths. */
struct nest {
	const struct item *open[130];
	unsigned depth;
};

/* Ends the open prefixes that end before start (or all); what lies around them holds again. */
static void
close_prefixes(struct snapshot *s, struct group *g, struct nest *st, bool all, u128 start)
{
	while (st->depth > 0 && (all || st->open[st->depth - 1]->last < start)) {
		u128 last = st->open[--st->depth]->last;

		if (last != ~(u128)0)
			put_range(s, g, last + 1, st->depth == 0 ? NULL : st->open[st->depth - 1]);
	}
}

/* Compiles the items of one group, which begins at items[i]; returns the index behind it. */
static size_t
compile_group(struct snapshot *s, size_t i)
{
	struct group *g = &s->groups[s->ngroups++];
	const struct item *it = &s->items[i];
	struct nest st = { .depth = 0 };

	*g = (struct group){ it->point, it->vlan, (uint32_t)s->nranges, 0 };
	put_range(s, g, 0, NULL);
	for (; i < s->nitems && s->items[i].point == g->point && s->items[i].vlan == g->vlan; i++) {
		it = &s->items[i];
		close_prefixes(s, g, &st, false, it->start);
		if (st.depth > 0 && st.open[st.depth - 1]->start == it->start &&
		    st.open[st.depth - 1]->specificity == it->specificity)
			continue; /* the same prefix again: the tenant with the lower number has it */
		st.open[st.depth++] = it;
		put_range(s, g, it->start, it);
	}
	close_prefixes(s, g, &st, true, 0);
	return i;
}

static void
compile(struct snapshot *s, const struct tenant_selector *list, size_t n)
{
	compile_points(s, list, n);
	compile_items(s, list, n);
	/* Each item opens at most one range and closes one; each group begins with one. */
	s->groups = mem_calloc(n == 0 ? 1 : n, sizeof(s->groups[0]));
	s->ranges = mem_calloc(n == 0 ? 1 : 3 * n, sizeof(s->ranges[0]));
	for (size_t i = 0; i < n;)
		i = compile_group(s, i);
}

struct snapshot *
snapshot_open(const uint8_t *bytes, size_t len, const uint8_t (*keys)[32], size_t nkeys)
{
	struct rcur c;
	const uint8_t *magic;
	struct snapshot *s;
	struct tenant_selector *list = NULL;
	uint32_t ntenants, nselectors;
	bool genuine = false;

	if (len < SNAPSHOT_HEADER + SNAPSHOT_SIGNATURE || len > SNAPSHOT_BYTES_MAX)
		return NULL;
	len -= SNAPSHOT_SIGNATURE;
	for (size_t i = 0; i < nkeys && !genuine; i++)
		genuine = crypto_sign_verify_detached(bytes + len, bytes, len, keys[i]) == 0;
	c = rcur_of(bytes, len);
	magic = rcur_take(&c, SNAPSHOT_MAGIC_LEN);
	if (!genuine || memcmp(magic, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_LEN) != 0)
		return NULL;
	s = mem_calloc(1, sizeof(*s));
	s->number = rcur_be64(&c);
	ntenants = rcur_be32(&c);
	nselectors = rcur_be32(&c);
	if (ntenants <= SNAPSHOT_TENANTS_MAX && nselectors <= SNAPSHOT_SELECTORS_MAX &&
	    take_tenants(&c, s, ntenants))
		list = take_selectors(&c, s, nselectors);
	if (list == NULL || c.bad || rcur_left(&c) != 0) {
		free(list);
		snapshot_free(&s);
		return NULL;
	}
	compile(s, list, nselectors);
	free(list);
	return s;
}

void
snapshot_free(struct snapshot **sp)
{
	struct snapshot *s = *sp;

	if (s == NULL)
		return;
	free(s->tenants);
	free(s->points);
	free(s->groups);
	free(s->ranges);
	free(s->items);
	free(s);
	*sp = NULL;
}

/* --- asking
 * -----------------------------------------------------------------------------------------------------------
 */

uint64_t
snapshot_number(const struct snapshot *s)
{
	return s->number;
}

size_t
snapshot_tenants(const struct snapshot *s)
{
	return s->ntenants;
}

const struct tenant *
snapshot_tenant_at(const struct snapshot *s, size_t i)
{
	return i < s->ntenants ? &s->tenants[i] : NULL;
}

const struct tenant *
snapshot_tenant(const struct snapshot *s, uint32_t number)
{
	struct tenant key = { .number = number };

	return s->ntenants == 0 ? NULL : bsearch(&key, s->tenants, s->ntenants, sizeof(key), tenant_order);
}

static const struct group *
group_find(const struct snapshot *s, uint32_t point, uint32_t vlan)
{
	size_t lo = 0, hi = s->ngroups;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const struct group *g = &s->groups[mid];

		if (g->point < point || (g->point == point && g->vlan < vlan))
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == s->ngroups || s->groups[lo].point != point || s->groups[lo].vlan != vlan)
		return NULL;
	return &s->groups[lo];
}

/* The range that holds a. The first range of a group starts at 0, so there is always one. */
static const struct range *
range_find(const struct snapshot *s, const struct group *g, u128 a)
{
	const struct range *base = &s->ranges[g->first];
	size_t n = g->n;

	while (n > 1) {
		size_t half = n / 2;

		base += base[half].start <= a ? half : 0;
		n -= half;
	}
	return base;
}

/* Of the groups in order (the most particular first), the longest prefix; the earlier where they are equally
 * long. */
static uint32_t
end_tenant(const struct snapshot *s, const struct group *const groups[4], const struct ip_addr *ip)
{
	const struct range *best = NULL;
	u128 a = address(ip);

	for (size_t i = 0; i < 4; i++) {
		const struct range *r;

		if (groups[i] == NULL)
			continue;
		r = range_find(s, groups[i], a);
		if (r->tenant != 0 && (best == NULL || r->specificity > best->specificity))
			best = r;
	}
	return best == NULL ? 0 : best->tenant;
}

struct tenant_match
snapshot_match(const struct snapshot *s, const char *point, uint32_t vlan, const struct ip_addr *client,
	       const struct ip_addr *server)
{
	uint32_t p = point_index(s, point);
	const struct group *groups[4] = {
		p == POINT_ANY || vlan == VLAN_ANY ? NULL : group_find(s, p, vlan),
		p == POINT_ANY ? NULL : group_find(s, p, VLAN_ANY),
		vlan == VLAN_ANY ? NULL : group_find(s, POINT_ANY, vlan),
		group_find(s, POINT_ANY, VLAN_ANY),
	};
	uint32_t a = end_tenant(s, groups, client), b = end_tenant(s, groups, server);

	if (a == 0 && b == 0)
		return (struct tenant_match){ TENANT_UNASSIGNED, 0 };
	if (a == 0)
		return (struct tenant_match){ b, 0 };
	return (struct tenant_match){ a, b == a ? 0 : b };
}

bool
snapshot_owns_point(const struct snapshot *s, uint32_t tenant, const char *point)
{
	uint32_t p = point_index(s, point);
	bool whole = false;

	for (size_t i = 0; i < s->nitems; i++) {
		const struct item *it = &s->items[i];

		if (it->point != POINT_ANY && it->point != p)
			continue;
		if (it->tenant != tenant)
			return false; /* some of its flows may be another's */
		if (it->vlan == VLAN_ANY && it->start == 0 && it->last == ~(u128)0)
			whole = true;
	}
	return whole;
}
