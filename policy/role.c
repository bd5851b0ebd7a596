/* The names of roles and actions. */
#include "policy/role.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"

static const char *const names[] = {
	[ROLE_NONE] = "none",
	[ROLE_PLATFORM_ADMINISTRATOR] = "platform-administrator",
	[ROLE_AUDITOR] = "auditor",
	[ROLE_TENANT_ADMINISTRATOR] = "tenant-administrator",
	[ROLE_OPERATOR] = "operator",
	[ROLE_VIEWER] = "viewer",
	[ROLE_LIMITED_VIEWER] = "limited-viewer",
};
static_assert(ARRAY_LEN(names) == ROLE_COUNT, "name every role");

static const char *const actions[] = {
	[0] = "none",
	[ACTION_READ_TRAFFIC] = "read-traffic",
	[ACTION_READ_PLATFORM] = "read-platform",
	[ACTION_READ_HEALTH] = "read-health",
	[ACTION_MANAGE_TENANT] = "manage-tenant",
	[ACTION_MANAGE_PLATFORM] = "manage-platform",
	[ACTION_READ_AUDIT] = "read-audit",
};
static_assert(ARRAY_LEN(actions) == ACTION_COUNT, "name every action");

const char *
role_name(enum role r)
{
	return (unsigned)r < ROLE_COUNT ? names[r] : names[ROLE_NONE];
}

enum role
role_parse(const char *name)
{
	for (unsigned r = ROLE_NONE + 1; r < ROLE_COUNT; r++)
		if (strcmp(name, names[r]) == 0)
			return (enum role)r;
	return ROLE_NONE;
}

const char *
action_name(enum action a)
{
	return (unsigned)a < ACTION_COUNT ? actions[a] : actions[0];
}
