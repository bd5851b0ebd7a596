#include "mapping.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "groups.h"
#include "rows.h"
#include "tenants.h"

#define SIDE_MAX    128
#define GROUP_ARENA (8u << 20) /* the longest record of a group in memory */

static_assert(sizeof(((struct settings *)NULL)->ldap_groups.item[0]) == MAPPING_ITEM_MAX &&
		  sizeof(((struct provider_settings *)NULL)->groups.item[0]) == MAPPING_ITEM_MAX,
	      "one form of mapping for all providers");
static_assert(ARRAY_LEN(((struct settings *)NULL)->ldap_groups.item) <= MAPPING_MAX &&
		  ARRAY_LEN(((struct provider_settings *)NULL)->groups.item) <= MAPPING_MAX,
	      "room for all lines");

struct mapping
mapping_of_directory(const struct settings *s)
{
	return (struct mapping){ .item = s->ldap_groups.item, .n = s->ldap_groups.n };
}

struct mapping
mapping_of_provider(const struct provider_settings *o)
{
	return (struct mapping){ .item = o->groups.item,
				 .n = o->groups.n,
				 .plain = true,
				 .tenant = o->tenants.item,
				 .ntenants = o->tenants.n };
}

bool
account_is_directorys(const struct account *who)
{
	return strcmp(who->provider, PROVIDER_LDAP) == 0;
}

static bool
take_side(const char *from, size_t len, char *out, size_t size)
{
	while (len > 0 && *from == ' ') {
		from++;
		len--;
	}
	while (len > 0 && from[len - 1] == ' ')
		len--;
	if (len == 0 || len >= size)
		return false;
	memcpy(out, from, len);
	out[len] = '\0';
	return true;
}

bool
mapping_read(const char *item, char *from, size_t fromsize, char *to, size_t tosize)
{
	const char *arrow = strstr(item, "=>");

	return arrow != NULL && take_side(item, (size_t)(arrow - item), from, fromsize) &&
	       take_side(arrow + 2, strlen(arrow + 2), to, tosize);
}

bool
mapping_has(const struct mapping *m, const struct person_told *t, const char *from)
{
	const char *const *group = t == NULL ? NULL : m->plain ? t->group : t->named;
	size_t n = t == NULL ? 0 : m->plain ? t->ngroups : t->nnamed;

	for (size_t i = 0; i < n; i++)
		if (strcmp(from, group[i]) == 0)
			return true;
	return false;
}

bool
mapping_names(const struct mapping *m, const char *group)
{
	const struct person_told t = { .ngroups = 1, .group = &group, .nnamed = 1, .named = &group };

	return mapping_admits(m, &t);
}

bool
mapping_admits(const struct mapping *m, const struct person_told *t)
{
	char from[SIDE_MAX], to[SIDE_MAX];

	for (uint32_t i = 0; i < m->n; i++)
		if (mapping_read(m->item[i], from, sizeof(from), to, sizeof(to)) && mapping_has(m, t, from))
			return true;
	return false;
}

/* Whether any of the provider's groups that are this one of Weir's was told. */
static bool
is_wanted(const struct mapping *m, const char *name, const struct person_told *t)
{
	char from[SIDE_MAX], to[SIDE_MAX];

	for (uint32_t i = 0; i < m->n; i++)
		if (mapping_read(m->item[i], from, sizeof(from), to, sizeof(to)) && strcmp(to, name) == 0 &&
		    mapping_has(m, t, from))
			return true;
	return false;
}

static bool
is_member(const uint64_t *of, size_t n, uint64_t group)
{
	for (size_t i = 0; i < n; i++)
		if (of[i] == group)
			return true;
	return false;
}

static bool
is_tenant_allowed(struct txn *x, const struct mapping *m, uint32_t tenant)
{
	char name[TENANT_NAME_MAX];

	tenant_name(x, tenant, name);
	for (uint32_t i = 0; i < m->ntenants; i++)
		if (strcmp(m->tenant[i], name) == 0)
			return true;
	return false;
}

/* Whether all that a group gives is in tenants that the provider may let people into. */
static bool
is_group_allowed(struct txn *x, const struct mapping *m, uint64_t number)
{
	struct arena *arena;
	bool allowed = true;
	struct group g;

	if (m->ntenants == 0)
		return true;
	arena = arena_new(GROUP_ARENA);
	group_read(x, number, arena, &g);
	for (size_t i = 0; x->rc == 0 && i < g.access.n; i++)
		allowed = allowed && is_tenant_allowed(x, m, g.access.item[i].tenant);
	arena_free(&arena);
	return allowed && x->rc == 0;
}

/* Takes those that were given and are none of n that the settings name. */
static bool
take_unnamed(struct txn *x, uint64_t account, const uint64_t *named, size_t n)
{
	uint64_t given[GROUPS_OF_ONE_MAX];
	size_t ngiven = groups_given(x, account, given);
	bool changed = false;

	for (size_t i = 0; i < ngiven && x->rc == 0; i++) {
		if (is_member(named, n, given[i]))
			continue;
		member_remove(x, given[i], account);
		changed = true;
	}
	return changed;
}

/* The numbers of Weir's groups that a mapping names and that are there. */
static size_t
groups_named(struct txn *x, const struct mapping *m, uint64_t out[static MAPPING_MAX])
{
	char from[SIDE_MAX], to[SIDE_MAX];
	size_t n = 0;

	for (uint32_t i = 0; i < m->n && i < MAPPING_MAX && x->rc == 0; i++) {
		uint64_t group = mapping_read(m->item[i], from, sizeof(from), to, sizeof(to))
				     ? name_look(x, TABLE_GROUP_NAMES, to)
				     : 0;

		if (group != 0)
			out[n++] = group;
	}
	return n;
}

bool
mapping_prune(struct txn *x, const struct mapping *m, uint64_t account)
{
	uint64_t named[MAPPING_MAX];

	return take_unnamed(x, account, named, groups_named(x, m, named));
}

bool
mapping_write(struct txn *x, const struct mapping *m, uint64_t account, const struct person_told *t)
{
	bool changed = mapping_prune(x, m, account);
	uint64_t of[GROUPS_OF_ONE_MAX], given[GROUPS_OF_ONE_MAX];
	size_t n = groups_of(x, account, of), ngiven = groups_given(x, account, given);
	char from[SIDE_MAX], to[SIDE_MAX];

	for (uint32_t i = 0; i < m->n && x->rc == 0; i++) {
		uint64_t group;
		bool is, wanted;

		if (!mapping_read(m->item[i], from, sizeof(from), to, sizeof(to)))
			continue;
		group = name_look(x, TABLE_GROUP_NAMES, to);
		if (group == 0)
			continue;
		is = is_member(of, n, group);
		wanted = is_wanted(m, to, t) && is_group_allowed(x, m, group);
		/* Also what he was given here before: from now on it is the provider's to give. */
		if (wanted && !is_member(given, ngiven, group))
			member_give(x, group, account);
		if (!wanted && is)
			member_remove(x, group, account);
		if (is == wanted)
			continue;
		n = groups_of(x, account, of);
		ngiven = groups_given(x, account, given);
		changed = true;
	}
	return changed;
}
