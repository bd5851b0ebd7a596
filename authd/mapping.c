#include "mapping.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "groups.h"
#include "rows.h"

#define SIDE_MAX 128

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

static bool
has(const struct person_told *t, const char *from)
{
	for (size_t i = 0; t != NULL && i < t->ngroups; i++)
		if (mapping_means(from, t->group[i]))
			return true;
	return false;
}

bool
mapping_admits(const struct settings *s, const struct person_told *t)
{
	char from[SIDE_MAX], to[SIDE_MAX];

	for (uint32_t i = 0; i < s->ldap_groups.n; i++)
		if (mapping_read(s->ldap_groups.item[i], from, sizeof(from), to, sizeof(to)) && has(t, from))
			return true;
	return false;
}

/* Whether any of the directory's groups that are this one of Weir's was told. */
static bool
is_wanted(const struct settings *s, const char *name, const struct person_told *t)
{
	char from[SIDE_MAX], to[SIDE_MAX];

	for (uint32_t i = 0; i < s->ldap_groups.n; i++)
		if (mapping_read(s->ldap_groups.item[i], from, sizeof(from), to, sizeof(to)) &&
		    strcmp(to, name) == 0 && has(t, from))
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

bool
mapping_write(struct txn *x, const struct settings *s, uint64_t account, const struct person_told *t)
{
	uint64_t of[GROUPS_OF_ONE_MAX];
	size_t n = groups_of(x, account, of);
	char from[SIDE_MAX], to[SIDE_MAX];
	bool changed = false;

	for (uint32_t i = 0; i < s->ldap_groups.n && x->rc == 0; i++) {
		uint64_t group;
		bool is, wanted;

		if (!mapping_read(s->ldap_groups.item[i], from, sizeof(from), to, sizeof(to)))
			continue;
		group = name_look(x, TABLE_GROUP_NAMES, to);
		if (group == 0)
			continue;
		is = is_member(of, n, group);
		wanted = is_wanted(s, to, t);
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
