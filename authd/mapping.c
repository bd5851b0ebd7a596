#include "mapping.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "groups.h"
#include "rows.h"
#include "tenants.h"

#define SIDE_MAX    128
#define GROUP_ARENA (8u << 20) /* the longest record of a group in memory */

static_assert(sizeof(((struct settings *)NULL)->ldap_groups.item[0]) == MAPPING_ITEM_MAX &&
		  sizeof(((struct provider_settings *)NULL)->groups.item[0]) == MAPPING_ITEM_MAX,
	      "one form of mapping for all providers");

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
mapping_means(const char *from, const char *dn)
{
	const char *value = strchr(dn, '=');
	size_t len;

	if (strchr(from, '=') != NULL)
		return strcasecmp(from, dn) == 0;
	if (value == NULL)
		return false;
	value++;
	len = strcspn(value, ",+");
	return strlen(from) == len && strncasecmp(from, value, len) == 0;
}

bool
mapping_has(const struct mapping *m, const struct person_told *t, const char *from)
{
	for (size_t i = 0; t != NULL && i < t->ngroups; i++)
		if (m->plain ? strcmp(from, t->group[i]) == 0 : mapping_means(from, t->group[i]))
			return true;
	return false;
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

bool
mapping_write(struct txn *x, const struct mapping *m, uint64_t account, const struct person_told *t)
{
	uint64_t of[GROUPS_OF_ONE_MAX];
	size_t n = groups_of(x, account, of);
	char from[SIDE_MAX], to[SIDE_MAX];
	bool changed = false;

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
		if (is == wanted)
			continue;
		if (wanted)
			member_add(x, group, account);
		else
			member_remove(x, group, account);
		n = groups_of(x, account, of);
		changed = true;
	}
	return changed;
}
