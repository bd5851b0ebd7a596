/* Whose a flow is. */
#include <string.h>

#include "policy/compiled.h"

static const struct group *
group_find(const struct snapshot *s, const struct place *p)
{
	uint32_t at = (uint32_t)place_hash(p) & s->bucket_mask;

	for (; s->bucket[at] != 0; at = (at + 1) & s->bucket_mask) {
		const struct group *g = &s->groups[s->bucket[at] - 1];

		if (memcmp(&g->place, p, sizeof(*p)) == 0)
			return g;
	}
	return NULL;
}

static bool
ip_is_zero(const struct ip_addr *a)
{
	static const struct ip_addr zero;

	return ip_equal(a, &zero);
}

/* The place as selectors of this mask would name it. */
static struct place
place_of(const struct vantage *at, uint32_t mask)
{
	struct place p = { .mask = mask };

	if (mask & PLACE_POINT)
		p.point = at->point;
	if (mask & PLACE_EXPORTER)
		p.exporter = at->exporter;
	if (mask & PLACE_INTERFACE)
		p.interface = at->in_interface;
	if (mask & PLACE_VLAN)
		p.vlan = at->vlan;
	if (mask & PLACE_SPACE)
		p.space = at->space;
	return p;
}

/* Of an exporter's two interfaces each has groups of its own. */
#define FOUND_MAX (2 * PLACE_MASKS)

/* Every group that the place belongs to, the most particular first. */
static size_t
groups_of(const struct snapshot *s, const struct vantage *at, const struct group *found[static FOUND_MAX])
{
	bool exported = !ip_is_zero(&at->exporter);
	size_t n = 0;

	for (uint32_t i = 0; i < s->nmasks; i++) {
		uint32_t mask = s->mask[i];

		if (((mask & PLACE_POINT) && at->point == 0) || ((mask & PLACE_EXPORTER) && !exported))
			continue;

		struct place p = place_of(at, mask);

		found[n] = group_find(s, &p);
		n += found[n] != NULL;
		if ((mask & PLACE_INTERFACE) && at->out_interface != at->in_interface) {
			p.interface = at->out_interface;
			found[n] = group_find(s, &p);
			n += found[n] != NULL;
		}
	}
	return n;
}

/* The longest prefix; the earlier group where they are equally long. */
static uint32_t
end_tenant(const struct group *const groups[], size_t n, const struct ip_addr *ip)
{
	struct range_value best = { 0, 0 };

	for (size_t i = 0; i < n; i++) {
		const struct range_value *v = ranges_find(&groups[i]->networks, ip);

		if (v->tenant != 0 && (best.tenant == 0 || v->specificity > best.specificity))
			best = *v;
	}
	return best.tenant;
}

struct tenant_match
snapshot_match(const struct snapshot *s, const struct vantage *at, const struct ip_addr *client,
	       const struct ip_addr *server)
{
	const struct group *groups[FOUND_MAX];
	size_t n = groups_of(s, at, groups);
	uint32_t a = end_tenant(groups, n, client), b = end_tenant(groups, n, server);

	if (a == 0 && b == 0)
		return (struct tenant_match){ TENANT_UNASSIGNED, 0 };
	if (a == 0)
		return (struct tenant_match){ b, 0 };
	return (struct tenant_match){ a, b == a ? 0 : b };
}

/* Whether anything that is seen at the point can belong to the group. */
static bool
group_looks_at(const struct group *g, uint32_t point, uint32_t space)
{
	return ((g->place.mask & PLACE_POINT) == 0 || g->place.point == point) &&
	       ((g->place.mask & PLACE_SPACE) == 0 || g->place.space == space);
}

uint32_t
snapshot_point_owner(const struct snapshot *s, uint32_t point, uint32_t space)
{
	uint32_t owner = 0;
	bool whole = false;

	for (size_t i = 0; i < s->ngroups; i++) {
		const struct group *g = &s->groups[i];

		if (!group_looks_at(g, point, space))
			continue;
		if (g->only == 0 || (owner != 0 && g->only != owner))
			return 0; /* some of its flows may be another's */
		owner = g->only;
		whole |= g->whole && (g->place.mask & ~(PLACE_POINT | PLACE_SPACE)) == 0;
	}
	return whole ? owner : 0;
}

bool
snapshot_has_networks(const struct snapshot *s, uint32_t tenant)
{
	const struct tenant *t = snapshot_tenant(s, tenant);

	return t != NULL && s->networks[t - s->tenants].n > 0;
}

bool
snapshot_in_networks(const struct snapshot *s, uint32_t tenant, const struct ip_addr *ip)
{
	return snapshot_has_networks(s, tenant) &&
	       ranges_find(&s->networks[snapshot_tenant(s, tenant) - s->tenants], ip)->tenant != 0;
}
