/* The only place that says yes. Pure: no I/O, no state. */
#ifndef WEIR_POLICY_DECIDE_H
#define WEIR_POLICY_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/grant.h"

/* What somebody may do in one tenant: an access of a user or group, or what a token carries. */
struct right {
	uint32_t tenant; /* TENANT_PLATFORM: all */
	uint32_t role;   /* enum role */
	uint64_t scopes; /* all ones: whatever the role has */
};

/* What an action is done to. */
struct resource {
	uint32_t tenant;   /* whose it is; TENANT_PLATFORM: nobody's, or a person's without accesses */
	const char *owner; /* the subject whose own it is (session, token, password); NULL: nobody's own */
	/* A user or group, or whose token or session it is: what it has now ... */
	const struct right *has;
	size_t nhas;
	/* ... and what it is to have from now on: nobody gives what he has not. Who sets a password or takes
	 * a second factor away could then be that person: gets is what it has. */
	const struct right *gets;
	size_t ngets;
};

/*
 * Role, scopes and tenant of the grant against the table in role.c. Beyond it:
 *   - every right that a person has must be of a tenant that the grant reaches, or he does not exist; to
 *     change him, also of a role that the grant's covers;
 *   - rights are given only by who has them: role, every scope of them, and no narrowing; one's own token
 *     needs no more than that its rights are one's own;
 *   - a token changes nothing of its owner's account: it would outlive itself.
 */
bool policy_decide(const struct grant *g, enum action action, const struct resource *r);

/* Of things that have a tenant and nothing else. */
static inline bool
policy_decide_tenant(const struct grant *g, enum action action, uint32_t tenant)
{
	const struct resource r = { .tenant = tenant };

	return policy_decide(g, action, &r);
}

#endif
