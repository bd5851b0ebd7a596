#include "rights.h"

#include <string.h>

#include "accounts.h"
#include "base/auto.h"
#include "base/mem.h"
#include "groups.h"
#include "narrowings.h"
#include "tenants.h"

void
rights_gather(struct txn *x, uint64_t account, struct arena *arena, struct accesses *all)
{
	struct accesses part[GROUPS_OF_ONE_MAX + 1];
	uint64_t group[GROUPS_OF_ONE_MAX];
	size_t n = groups_of(x, account, group), total;

	memset(all, 0, sizeof(*all));
	accesses_read(x, account, arena, &part[0]);
	total = part[0].n;
	for (size_t i = 0; i < n && x->rc == 0; i++) {
		struct group g;

		group_read(x, group[i], arena, &g);
		part[i + 1] = g.access;
		total += g.access.n;
	}
	if (x->rc != 0)
		return;
	total = total < RIGHTS_MAX ? total : RIGHTS_MAX;
	all->item = arena_alloc(arena, (total + 1) * sizeof(*all->item));
	if (all->item == NULL) {
		txn_fail(x, DB_BROKEN);
		return;
	}
	for (size_t i = 0; i <= n; i++)
		for (size_t k = 0; k < part[i].n && all->n < total; k++)
			all->item[all->n++] = part[i].item[k];
}

/* --- several accesses to one tenant --- */

static bool
same_exporter(const struct exporter_ref *a, const struct exporter_ref *b)
{
	return ip_equal(&a->ip, &b->ip) && a->has_interface == b->has_interface &&
	       a->interface == b->interface;
}

/* The lists are sorted. */
static bool
same_places(const struct narrowing *a, const struct narrowing *b)
{
	bool same = a->ninterfaces == b->ninterfaces && a->nexporters == b->nexporters;

	for (size_t i = 0; same && i < a->ninterfaces; i++)
		same = strcmp(a->interfaces[i], b->interfaces[i]) == 0;
	for (size_t i = 0; same && i < a->nexporters; i++)
		same = same_exporter(&a->exporters[i], &b->exporters[i]);
	return same;
}

static bool
same_networks(const struct narrowing *a, const struct narrowing *b)
{
	return a->nnetworks == b->nnetworks &&
	       (a->nnetworks == 0 ||
		memcmp(a->networks, b->networks, a->nnetworks * sizeof(a->networks[0])) == 0);
}

static bool
all_places(const struct narrowing *n)
{
	return n->ninterfaces == 0 && n->nexporters == 0;
}

/* Both lists, in the arena; NULL where it is full or they are too long together. */
static void *
joined(struct arena *arena, const void *a, size_t na, const void *b, size_t nb, size_t size)
{
	uint8_t *p = na + nb > NARROWING_LIST_MAX ? NULL : arena_alloc(arena, (na + nb + 1) * size);

	if (p == NULL)
		return NULL;
	if (na > 0)
		memcpy(p, a, na * size);
	if (nb > 0)
		memcpy(p + na * size, b, nb * size);
	return p;
}

static bool
join_networks(struct arena *arena, struct narrowing *a, const struct narrowing *b)
{
	if (a->nnetworks == 0 || b->nnetworks == 0) {
		a->nnetworks = 0;
		return true;
	}
	a->networks =
	    joined(arena, a->networks, a->nnetworks, b->networks, b->nnetworks, sizeof(*a->networks));
	a->nnetworks += b->nnetworks;
	return a->networks != NULL;
}

static bool
join_places(struct arena *arena, struct narrowing *a, const struct narrowing *b)
{
	if (all_places(a) || all_places(b)) {
		a->ninterfaces = a->nexporters = 0;
		return true;
	}
	a->interfaces = joined(arena, a->interfaces, a->ninterfaces, b->interfaces, b->ninterfaces,
			       sizeof(*a->interfaces));
	a->exporters =
	    joined(arena, a->exporters, a->nexporters, b->exporters, b->nexporters, sizeof(*a->exporters));
	a->ninterfaces += b->ninterfaces;
	a->nexporters += b->nexporters;
	return a->interfaces != NULL && a->exporters != NULL;
}

/* Makes *a what a and b show together, where one narrowing can say that and no more. */
static bool
join(struct arena *arena, struct narrowing *a, const struct narrowing *b)
{
	struct narrowing both = *a;
	bool places = same_places(a, b), networks = same_networks(a, b);

	if (places && networks) {
		both.masked = a->masked && b->masked;
	} else if (a->masked != b->masked || !(places || networks)) {
		if (narrowing_is_whole(b))
			both = *b;
		else if (!narrowing_is_whole(a))
			return false;
	} else if (places ? !join_networks(arena, &both, b) : !join_places(arena, &both, b)) {
		return false;
	}
	narrowing_sort(&both);
	*a = both;
	return true;
}

static bool
counts(const struct access *a, uint32_t tenant, uint32_t role)
{
	return (a->tenant == tenant || a->tenant == TENANT_PLATFORM) && a->role == role;
}

static uint32_t
highest_role(const struct accesses *all, uint32_t tenant)
{
	uint32_t best = ROLE_NONE;

	for (size_t i = 0; i < all->n; i++)
		if ((all->item[i].tenant == tenant || all->item[i].tenant == TENANT_PLATFORM) &&
		    role_rank((enum role)all->item[i].role) > role_rank((enum role)best))
			best = all->item[i].role;
	return best;
}

/* The first that counts, joined with every other that can be, until none can any more. */
static void
join_all(const struct accesses *all, struct arena *arena, struct rights *r)
{
	bool used[RIGHTS_MAX] = { false }, more = true, begun = false;

	while (more) {
		more = false;
		for (size_t i = 0; i < all->n; i++) {
			const struct access *a = &all->item[i];

			if (used[i] || !counts(a, r->tenant, r->role))
				continue;
			if (!begun)
				r->within = a->within;
			else if (!join(arena, &r->within, &a->within))
				continue;
			begun = used[i] = more = true;
		}
	}
}

bool
rights_choose(struct txn *x, const struct accesses *all, const char *tenant, struct arena *arena,
	      struct rights *r)
{
	memset(r, 0, sizeof(*r));
	if (all->n == 0)
		return false;
	if (tenant[0] == '\0') {
		r->tenant = all->item[0].tenant;
	} else if (strcmp(tenant, "*") != 0) {
		r->tenant = tenant_number(x, tenant);
		if (r->tenant == 0)
			return false;
	}
	r->role = highest_role(all, r->tenant);
	if (r->role == ROLE_NONE)
		return false;
	tenant_name(x, r->tenant, r->tenant_name);
	join_all(all, arena, r);
	return x->rc == 0 && r->tenant_name[0] != '\0';
}

size_t
rights_list(const struct accesses *all, struct right *out, size_t max)
{
	size_t n = all->n < max ? all->n : max;

	for (size_t i = 0; i < n; i++)
		out[i] = (struct right){ all->item[i].tenant, all->item[i].role, UINT64_MAX };
	return n;
}

uint32_t
rights_matter(const struct accesses *a, const struct accesses *b)
{
	const struct accesses *both[] = { a, b };
	uint32_t tenant = TENANT_UNASSIGNED;

	for (size_t i = 0; i < ARRAY_LEN(both); i++)
		for (size_t k = 0; k < both[i]->n; k++) {
			uint32_t other = both[i]->item[k].tenant;

			if (tenant != TENANT_UNASSIGNED && other != tenant)
				return TENANT_PLATFORM;
			tenant = other;
		}
	return tenant == TENANT_UNASSIGNED ? TENANT_PLATFORM : tenant;
}

/* --- whether there is an administrator --- */

struct search {
	struct txn *x;
	struct arena *arena;
	bool own; /* none of a provider's */
	bool found;
};

static bool
administers(const struct accesses *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->item[i].tenant == TENANT_PLATFORM && a->item[i].role == ROLE_PLATFORM_ADMINISTRATOR)
			return true;
	return false;
}

static bool
is_sought(const struct search *s, uint64_t number)
{
	struct account a;
	struct be64 key = be64_of(number);
	struct db_bytes v;

	return txn_look(s->x, TABLE_ACCOUNTS, be64_bytes(&key), &v) && account_decode(v.p, v.n, &a) &&
	       account_is_open(&a) && !(s->own && a.provider[0] != '\0');
}

static bool
search_accounts(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct search *s = ctx;
	struct accesses a;
	uint64_t number;

	if (be64_read(key, &number) && accesses_decode(value.p, value.n, s->arena, &a) && administers(&a))
		s->found = is_sought(s, number);
	arena_reset(s->arena);
	return !s->found;
}

static bool
search_groups(void *ctx, struct db_bytes key, struct db_bytes value)
{
	AUTO(mem_drop) uint64_t *member = NULL;
	struct search *s = ctx;
	struct group g;
	size_t n = 0;

	(void)key;
	if (group_decode(value.p, value.n, s->arena, &g) && administers(&g.access)) {
		member = mem_calloc(MEMBERS_MAX, sizeof(*member));
		n = members_of(s->x, g.number, member);
	}
	for (size_t i = 0; i < n && !s->found; i++)
		s->found = is_sought(s, member[i]);
	arena_reset(s->arena);
	return !s->found;
}

bool
rights_any_administrator(struct txn *x, bool own)
{
	struct be64 first = be64_of(0);
	struct search s = { x, arena_new(RIGHTS_ARENA), own, false };

	txn_walk(x, TABLE_ACCESSES, be64_bytes(&first), false, search_accounts, &s);
	if (!s.found)
		txn_walk(x, TABLE_GROUPS, be64_bytes(&first), false, search_groups, &s);
	arena_free(&s.arena);
	return s.found;
}
