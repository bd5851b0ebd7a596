/* The meet of two grants. */
#include "policy/derive.h"

#include <string.h>

#include "policy/snapshot.h"

static bool
meet_tenant(uint32_t parent, uint32_t wanted, uint32_t *out)
{
	if (parent != wanted && parent != TENANT_PLATFORM && wanted != TENANT_PLATFORM)
		return false;
	*out = parent == TENANT_PLATFORM ? wanted : parent;
	return true;
}

static bool
meet_role(uint32_t parent, uint32_t wanted, bool spanning, uint32_t *out)
{
	if (role_covers((enum role)parent, (enum role)wanted, spanning))
		*out = wanted;
	else if (role_covers((enum role)wanted, (enum role)parent, spanning))
		*out = parent;
	else
		return false;
	return true;
}

/* Nobody uses another's grant, nor through another door. */
static bool
meet_asker(struct grant *g, const struct grant *wanted)
{
	if (wanted->subject[0] != '\0' && strncmp(wanted->subject, g->subject, sizeof(g->subject)) != 0)
		return false;
	if (g->audience_proc == 0) {
		g->audience_proc = wanted->audience_proc;
		g->audience_instance = wanted->audience_instance;
	}
	return wanted->audience_proc == 0 || (wanted->audience_proc == g->audience_proc &&
					      wanted->audience_instance == g->audience_instance);
}

static bool
meet_narrowings(struct grant *g, const struct grant *wanted)
{
	for (uint32_t i = 0; i < wanted->nnarrowings; i++)
		if (i >= GRANT_NARROWINGS_MAX || !grant_narrow(g, wanted->narrowing[i]))
			return false;
	return true;
}

bool
policy_derive(const struct grant *parent, const struct grant *wanted, struct grant *out)
{
	struct grant g = *parent;

	if (parent->nnarrowings > GRANT_NARROWINGS_MAX ||
	    !meet_tenant(parent->tenant, wanted->tenant, &g.tenant) ||
	    !meet_role(parent->role, wanted->role, g.tenant == TENANT_PLATFORM, &g.role) ||
	    !meet_asker(&g, wanted) || !meet_narrowings(&g, wanted))
		return false;
	memcpy(g.id, wanted->id, sizeof(g.id));
	g.scopes &= wanted->scopes;
	g.masked |= wanted->masked;
	g.of_token |= wanted->of_token;
	g.snapshot = wanted->snapshot > g.snapshot ? wanted->snapshot : g.snapshot;
	g.issued_ns = wanted->issued_ns > g.issued_ns ? wanted->issued_ns : g.issued_ns;
	g.expires_ns = wanted->expires_ns < g.expires_ns ? wanted->expires_ns : g.expires_ns;
	if (g.expires_ns <= g.issued_ns)
		return false;
	*out = g;
	return true;
}
