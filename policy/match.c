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

struct ends {
	const struct ip_addr *ip[2];
	struct range_value best[2];
};

/* The longest prefix; of the group that was asked first where they are equally long. */
static void
ask_group(const struct snapshot *s, const struct place *p, struct ends *e)
{
	const struct group *g = group_find(s, p);

	for (int i = 0; g != NULL && i < 2; i++) {
		const struct range_value *v = ranges_find(&g->networks, e->ip[i]);

		if (v->tenant != 0 && (e->best[i].tenant == 0 || v->specificity > e->best[i].specificity))
			e->best[i] = *v;
	}
}

struct tenant_match
snapshot_match(const struct snapshot *s, const struct vantage *at, const struct ip_addr *client,
	       const struct ip_addr *server)
{
	bool exported = !ip_is_zero(&at->exporter);
	struct ends e = { .ip = { client, server } };
	uint32_t a, b;

	/* The most particular first. */
	for (uint32_t i = 0; i < s->nmasks; i++) {
		uint32_t mask = s->mask[i];

		if (((mask & PLACE_POINT) && at->point == 0) || ((mask & PLACE_EXPORTER) && !exported))
			continue;

		struct place p = place_of(at, mask);

		ask_group(s, &p, &e);
		if ((mask & PLACE_INTERFACE) && at->out_interface != at->in_interface) {
			p.interface = at->out_interface;
			ask_group(s, &p, &e);
		}
	}
	a = e.best[0].tenant;
	b = e.best[1].tenant;
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

bool
snapshot_network(const struct snapshot *s, uint32_t tenant, const struct ip_addr *ip,
		 struct ip_prefix *network)
{
	const struct range_value *v;

	if (!snapshot_has_networks(s, tenant))
		return false;
	v = ranges_find(&s->networks[snapshot_tenant(s, tenant) - s->tenants], ip);
	if (v->tenant == 0)
		return false;
	/* The prefix that won has this many bits, and ip is in it. */
	*network = (struct ip_prefix){ .addr = *ip, .bits = (uint8_t)(v->specificity - 1) };
	for (unsigned bit = network->bits; bit < 128; bit++)
		network->addr.b[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	return true;
}
