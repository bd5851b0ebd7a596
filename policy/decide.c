/* The one place that says yes: a table of action by role, then the grant's scopes and tenant. */
#include <assert.h>

#include "base/mem.h"
#include "policy/grant.h"
#include "policy/snapshot.h"

/* Whose things a role may do an action to. */
enum reach {
	NO = 0,
	OWN = 1,    /* the tenant that the grant is for */
	NOBODY = 2, /* what belongs to no tenant: processes, platform-wide counters */
	OTHERS = 4, /* every tenant and unassigned flows, but only where the grant is for TENANT_PLATFORM */
};
#define BOTH (OWN | NOBODY)
#define ALL  (OWN | NOBODY | OTHERS)
#define WIDE (OWN | OTHERS)

/* tests/unit/test_policy_decide.c holds the same table in words. */
/* clang-format off */
static const unsigned char reaches[ACTION_COUNT][ROLE_COUNT] = {
	/*                           none  platform-adm.  auditor  tenant-adm.  operator  viewer  limited viewer */
	[ACTION_READ_TRAFFIC]    = { NO,   WIDE,          NO,      OWN,         OWN,      OWN,    OWN },
	[ACTION_READ_PLATFORM]   = { NO,   NOBODY,        NOBODY,  NO,          NO,       NO,     NO },
	[ACTION_READ_HEALTH]     = { NO,   ALL,           ALL,     BOTH,        BOTH,     BOTH,   BOTH },
	[ACTION_MANAGE_TENANT]   = { NO,   WIDE,          NO,      OWN,         NO,       NO,     NO },
	[ACTION_MANAGE_PLATFORM] = { NO,   NOBODY,        NO,      NO,          NO,       NO,     NO },
	[ACTION_READ_AUDIT]      = { NO,   ALL,           ALL,     OWN,         NO,       NO,     NO },
};
/* clang-format on */
static_assert(ACTION_COUNT <= 64, "scopes are one word");

static unsigned
reach_needed(const struct grant *g, uint32_t resource_tenant)
{
	if (resource_tenant == TENANT_PLATFORM)
		return NOBODY;
	if (resource_tenant != TENANT_UNASSIGNED && resource_tenant == g->tenant)
		return OWN;
	return g->tenant == TENANT_PLATFORM ? OTHERS : 0;
}

bool
policy_decide(const struct grant *g, enum action action, uint32_t resource_tenant)
{
	if (g->role >= ROLE_COUNT || (unsigned)action >= ACTION_COUNT)
		return false;
	if (!(g->scopes >> action & 1))
		return false;
	return (reaches[action][g->role] & reach_needed(g, resource_tenant)) != 0;
}
