/* Asks the compiled snapshot whose something is. */
#include "whose.h"

#include <stdlib.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/mem.h"
#include "history_tenants.h"
#include "watched.h"

static int64_t
lesser(int64_t a, uint64_t b)
{
	return b == 0 || b > (uint64_t)a ? a : (int64_t)b;
}

int64_t
whose_keep_s(const struct tenant *t, unsigned resolution, int64_t otherwise_s)
{
	int64_t keep_s = otherwise_s;

	if (t == NULL)
		return keep_s;
	if (resolution > 0)
		keep_s = lesser(keep_s, t->quota.keep_s[resolution - 1]);
	return lesser(keep_s, t->quota.retention_s);
}

static bool
keeps_less(const struct tenant_quota *q)
{
	bool less = q->retention_s != 0;

	for (unsigned i = 0; i < TENANT_KEEPS; i++)
		less |= q->keep_s[i] != 0;
	return less;
}

/* Tenants that keep their series for a shorter time than the store does. */
static void
tell_retention(const struct store *s, const struct snapshot *policy)
{
	struct history_keep *list = mem_calloc(snapshot_tenants(policy) + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < snapshot_tenants(policy); i++) {
		const struct tenant *t = snapshot_tenant_at(policy, i);

		if (!keeps_less(&t->quota))
			continue;
		list[n].tenant = t->number;
		for (unsigned r = 0; r < ARRAY_LEN(list[n].keep_s); r++)
			list[n].keep_s[r] = whose_keep_s(t, r, INT64_MAX);
		n++;
	}
	history_tenants_keep(s->history, list, n);
	free(list);
}

/* What history may keep of each. */
static void
tell_history(struct store *s, const struct snapshot *policy)
{
	size_t n = snapshot_tenants(policy);
	AUTO(mem_drop) struct tenant_limits *limits = mem_calloc(n + 1, sizeof(*limits));
	struct tenants_said said;

	/* The snapshot's tenants are in order. */
	for (size_t i = 0; i < n; i++) {
		const struct tenant *t = snapshot_tenant_at(policy, i);
		uint64_t most = INT64_MAX / NS_PER_S;

		limits[i] = (struct tenant_limits){
			.tenant = t->number,
			.keep_ns =
			    (int64_t)(t->quota.retention_s < most ? t->quota.retention_s : most) * NS_PER_S,
			.stored_bytes = t->quota.stored_bytes,
		};
	}
	said = (struct tenants_said){ .tenant = limits, .n = n };
	said.removed = snapshot_removed(policy, &said.nremoved);
	history_tenants(s->history, &said, snapshot_number(policy));
	s->tidy_wanted = true;
}

static bool
is_there(const void *ctx, uint32_t tenant)
{
	const struct store *s = ctx;

	return tenant == TENANT_PLATFORM || tenant == TENANT_UNASSIGNED ||
	       snapshot_tenant(grants_policy(s->grants), tenant) != NULL;
}

bool
whose_policy(struct store *s, uint64_t number, const uint8_t *bytes, size_t len)
{
	const struct snapshot *policy;

	if (!grants_snapshot(s->grants, number, bytes, len))
		return false;
	policy = grants_policy(s->grants);
	quotas_policy(&s->quotas, policy);
	tell_retention(s, policy);
	tell_history(s, policy);
	series_book_tenants(s->book, is_there, s);
	watched_policy(s);
	for (uint32_t i = 0; i < s->points.n; i++) {
		struct point *p = &s->points.point[i];

		p->policy_number = snapshot_point(policy, p->boot->name);
		p->owner = snapshot_point_owner(policy, p->policy_number, p->boot->space);
	}
	return true;
}

void
whose_vantage(const struct store *s, uint32_t point, const struct rec_flow *f, struct vantage *at)
{
	const struct point *p = &s->points.point[point];

	*at = (struct vantage){ .point = p->policy_number,
				.space = p->boot->space,
				.vlan = f->vlan[0],
				.exporter = f->exporter,
				.in_interface = f->in_interface,
				.out_interface = f->out_interface };
}

static struct tenant_match
match(const struct store *s, uint32_t point, const struct rec_flow *f)
{
	struct vantage at;

	whose_vantage(s, point, f, &at);
	return snapshot_match(grants_policy(s->grants), &at, &f->ip[CLIENT], &f->ip[SERVER]);
}

struct tenant_match
whose_likely(const struct store *s, uint32_t point, const struct rec_flow *f)
{
	return match(s, point, f);
}

bool
whose_admits(struct store *s, uint32_t point, const struct rec_flow *f)
{
	struct tenant_match m;

	s->has_admitted = false;
	if (!s->quotas.any || s->points.point[point].boot->kind == POINT_FILE)
		return true;
	m = match(s, point, f);
	if (m.secondary != TENANT_PLATFORM && !quota_take(&s->quotas, m.secondary, s->now_ns)) {
		s->counters.n[OWN_TENANT_QUOTA]++;
		m.secondary = TENANT_PLATFORM;
	}
	if (!quota_take(&s->quotas, m.primary, s->now_ns)) {
		s->counters.n[OWN_TENANT_QUOTA]++;
		if (m.secondary == TENANT_PLATFORM)
			return false;
		m = (struct tenant_match){ .primary = m.secondary };
	}
	s->admitted = m;
	s->has_admitted = true;
	return true;
}

struct tenant_match
whose_flow(struct store *s, uint32_t point, const struct rec_flow *f)
{
	if (!s->has_admitted)
		return match(s, point, f);
	s->has_admitted = false;
	return s->admitted;
}

struct tenant_match
whose_ends(const struct store *s, uint32_t point, uint32_t vlan, const struct ip_addr *a,
	   const struct ip_addr *b)
{
	const struct point *p = &s->points.point[point];
	const struct vantage at = { .point = p->policy_number, .space = p->boot->space, .vlan = vlan };

	return snapshot_match(grants_policy(s->grants), &at, a, b);
}

bool
whose_network_by(const struct store *s, const struct snapshot *policy, uint32_t tenant,
		 const struct ip_addr *ip, struct ip_prefix *network)
{
	bool found = false;

	if (tenant != TENANT_PLATFORM && policy != NULL && snapshot_has_networks(policy, tenant))
		return snapshot_network(policy, tenant, ip, network);
	for (uint32_t i = 0; i < s->nlocal; i++) {
		if (!prefix_contains(&s->local[i], ip) || (found && s->local[i].bits <= network->bits))
			continue;
		*network = s->local[i];
		found = true;
	}
	return found;
}

bool
whose_network(const struct store *s, uint32_t tenant, const struct ip_addr *ip, struct ip_prefix *network)
{
	return whose_network_by(s, grants_policy(s->grants), tenant, ip, network);
}
