/* Roles, and the actions they allow: one table. policy/decide.h says yes or no by it. */
#ifndef WEIR_POLICY_ROLE_H
#define WEIR_POLICY_ROLE_H

#include <stdbool.h>
#include <stdint.h>

enum role {
	ROLE_NONE,
	ROLE_PLATFORM_ADMINISTRATOR,
	ROLE_AUDITOR,
	ROLE_TENANT_ADMINISTRATOR,
	ROLE_OPERATOR,
	ROLE_VIEWER,
	ROLE_LIMITED_VIEWER, /* remote addresses are masked */
	ROLE_COUNT
};

/* "platform-administrator", ...; "none" for anything else. */
const char *role_name(enum role r);
/* ROLE_NONE where the name is none. */
enum role role_parse(const char *name);
/* Where somebody has several roles in one tenant the one that ranks highest counts; ROLE_NONE ranks 0. */
unsigned role_rank(enum role r);

/* What a grant can be narrowed to: a scope is the name of an action, and bit 1 << action in its scopes. */
enum action {
	ACTION_READ_TRAFFIC = 1, /* live and kept flows, hosts, series of the grant's tenant */
	ACTION_READ_PLATFORM,    /* drops that belong to no tenant, processes */
	ACTION_READ_HEALTH,      /* whether Weir works, without names of points of others */
	ACTION_READ_AUDIT,
	ACTION_READ_TENANTS,
	ACTION_WRITE_TENANTS, /* selectors say whose traffic it is: never a tenant's own business */
	ACTION_READ_USERS,    /* who there is, with accesses */
	ACTION_WRITE_USERS,
	ACTION_READ_GROUPS,
	ACTION_WRITE_GROUPS,
	ACTION_READ_SESSIONS, /* of others */
	ACTION_WRITE_SESSIONS,
	ACTION_READ_TOKENS, /* of others */
	ACTION_WRITE_TOKENS,
	ACTION_READ_ACCOUNT,   /* one's own: accesses, sessions, tokens */
	ACTION_WRITE_ACCOUNT,  /* one's own: password, second factor, sessions, tokens */
	ACTION_WRITE_PLATFORM, /* keys, anchors, settings */
	ACTION_READ_LABELS,    /* what hosts, interfaces and networks are called */
	ACTION_WRITE_LABELS,
	ACTION_READ_METRICS, /* sums of interfaces, counters and processes: what /metrics tells */
	ACTION_COUNT
};

/* "traffic:read", ...; "none" for anything else. */
const char *action_name(enum action a);
/* 0 where the name is none. */
enum action action_parse(const char *name);

/* Whose things a role may do an action to. */
enum reach {
	REACH_TENANT = 1,   /* of the tenants that the grant is for: one, or all and unassigned traffic */
	REACH_PLATFORM = 2, /* what belongs to no tenant */
	REACH_SPANNING = 4, /* likewise, but only where the grant is for all tenants */
	REACH_EACH = 16,    /* of any tenant, but only where the grant is for all */
	REACH_OWN = 8,      /* the subject's own */
};
/* Bits of enum reach; 0: nothing. */
unsigned role_reach(enum role r, enum action a);
/* The scopes that the role has any use for. */
uint64_t role_scopes(enum role r);
/* Whether everything that lower may do, upper may; as somebody who works in one tenant, or (spanning) in all.
 * One that ranks lower never covers one that ranks higher, whatever the table says, and nothing covers
 * ROLE_NONE. */
bool role_covers(enum role upper, enum role lower, bool spanning);

#endif
