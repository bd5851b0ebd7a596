#include "label_view.h"

#include <string.h>

#include "authd.h"
#include "base/auto.h"
#include "base/mem.h"
#include "tenants.h"

/* Networks of the tenant's selectors, where there are any; else the local ones: store/mask.c does likewise.
 */
static void
read_own(struct admin_call *c, uint32_t tenant, struct label_view *v)
{
	struct tenant_record t = { .nselectors = 0 };
	struct ip_prefix *own;

	v->own = v->local;
	v->nown = local_networks_read(&c->a->boot->settings, v->local);
	if (tenant == TENANT_PLATFORM)
		return;
	tenant_read(&c->x, tenant, c->arena, &t);
	own = arena_alloc(c->arena, (t.nselectors + 1) * sizeof(*own));
	if (own == NULL) {
		v->nothing = true;
		return;
	}
	for (size_t i = 0, n = 0; i < t.nselectors; i++) {
		if (!t.selectors[i].has_network)
			continue;
		own[n++] = t.selectors[i].network;
		v->own = own;
		v->nown = n;
	}
}

void
label_view_of(struct admin_call *c, uint32_t tenant, struct label_view *v)
{
	const struct grant *g = &c->grant;

	memset(v, 0, sizeof(*v));
	v->masked = grant_is_masked(g);
	for (uint32_t i = 0; i < g->nnarrowings; i++) {
		struct be64 key = be64_of(g->narrowing[i]);
		struct narrowing *n = &v->within[v->nwithin++];
		struct db_bytes value;

		if (!txn_look(&c->x, TABLE_NARROWINGS, be64_bytes(&key), &value))
			v->nothing = true;
		else if (!narrowing_decode(value.p, value.n, c->arena, n))
			txn_damaged(&c->x);
		v->masked = v->masked || n->masked;
	}
	if (v->masked)
		read_own(c, tenant, v);
}

bool
label_network_is_own(struct admin_call *c, uint32_t tenant, const char *network)
{
	AUTO(mem_drop) struct label_view *v = mem_calloc(1, sizeof(*v));
	struct ip_prefix p;

	read_own(c, tenant, v);
	for (size_t i = 0; i < v->nown && prefix_parse(network, &p); i++)
		if (v->own[i].bits == p.bits && ip_equal(&v->own[i].addr, &p.addr))
			return true;
	return false;
}

static bool
is_within(const struct ip_prefix *networks, size_t n, const struct ip_prefix *what)
{
	for (size_t i = 0; i < n; i++)
		if (networks[i].bits <= what->bits && prefix_contains(&networks[i], &what->addr))
			return true;
	return false;
}

static bool
holds(const struct narrowing *n, const struct ip_prefix *what)
{
	return n->ninterfaces == 0 && n->nexporters == 0 &&
	       (n->nnetworks == 0 || is_within(n->networks, n->nnetworks, what));
}

static bool
shows_addresses(const struct label_view *v, const struct label *l)
{
	struct ip_prefix what;

	if (!prefix_parse(l->key, &what))
		return false;
	for (size_t i = 0; i < v->nwithin; i++)
		if (!holds(&v->within[i], &what))
			return false;
	return !v->masked || ip_is_multicast_or_broadcast(&what.addr) || is_within(v->own, v->nown, &what);
}

static bool
names_interface(const struct narrowing *n, const char *name)
{
	for (size_t i = 0; i < n->ninterfaces; i++)
		if (strcmp(n->interfaces[i], name) == 0)
			return true;
	return n->ninterfaces == 0 && n->nexporters == 0;
}

bool
label_view_shows(const struct label_view *v, const struct label *l)
{
	if (v->nothing)
		return false;
	if (l->kind != LABEL_INTERFACE)
		return shows_addresses(v, l);
	for (size_t i = 0; i < v->nwithin; i++)
		if (!names_interface(&v->within[i], l->key))
			return false;
	return true;
}
