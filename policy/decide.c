/* Asks the table of role.c, then what of a person stands against it. */
#include "policy/decide.h"

#include <string.h>

#include "policy/snapshot.h"

/* Which bits of enum reach, any of them, let the grant at what is tenant's. */
static unsigned
reach_needed(const struct grant *g, uint32_t tenant)
{
	bool spanning = g->tenant == TENANT_PLATFORM;

	if (tenant == TENANT_PLATFORM)
		return REACH_PLATFORM | (spanning ? REACH_SPANNING : 0u);
	if (spanning)
		return REACH_TENANT | REACH_EACH;
	return tenant != TENANT_UNASSIGNED && tenant == g->tenant ? REACH_TENANT : 0;
}

static bool
is_own(const struct grant *g, const struct resource *r)
{
	return r->owner != NULL && r->owner[0] != '\0' &&
	       strncmp(r->owner, g->subject, sizeof(g->subject)) == 0;
}

static bool
changes(enum action a)
{
	switch (a) {
	case ACTION_WRITE_USERS:
	case ACTION_WRITE_GROUPS:
	case ACTION_WRITE_SESSIONS:
	case ACTION_WRITE_TOKENS:
		return true;
	default:
		return false;
	}
}

/* A right within what the grant itself may do. */
static bool
covers(const struct grant *g, const struct right *r)
{
	return role_covers((enum role)g->role, (enum role)r->role, r->tenant == TENANT_PLATFORM);
}

/* Every right that he has is the grant's business. */
static bool
within_reach(const struct grant *g, enum action a, unsigned reach, const struct resource *r)
{
	for (size_t i = 0; i < r->nhas; i++)
		if ((reach & reach_needed(g, r->has[i].tenant)) == 0 ||
		    (changes(a) && !covers(g, &r->has[i])))
			return false;
	return true;
}

/* Whether the grant has what is to be given. */
static bool
has_to_give(const struct grant *g, const struct right *r)
{
	bool same = r->tenant == g->tenant && r->tenant != TENANT_UNASSIGNED;

	if (!same && (g->tenant != TENANT_PLATFORM || r->tenant == TENANT_UNASSIGNED))
		return false;
	return covers(g, r) && (r->scopes & role_scopes((enum role)r->role) & ~g->scopes) == 0;
}

static bool
may_give(const struct grant *g, const struct resource *r, bool own)
{
	if (r->ngets > 0 && !own && (g->nnarrowings > 0 || g->masked))
		return false;
	for (size_t i = 0; i < r->ngets; i++)
		if (!has_to_give(g, &r->gets[i]))
			return false;
	return true;
}

bool
policy_decide(const struct grant *g, enum action action, const struct resource *r)
{
	unsigned reach = role_reach((enum role)g->role, action);

	if (reach == 0 || !(g->scopes >> action & 1))
		return false;
	if (reach & REACH_OWN)
		return is_own(g, r) && !(action == ACTION_WRITE_ACCOUNT && g->of_token) &&
		       may_give(g, r, true);
	return (reach & reach_needed(g, r->tenant)) != 0 && within_reach(g, action, reach, r) &&
	       may_give(g, r, false);
}
