/* The names of roles and actions, and the table of who may do what. */
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

static const unsigned char ranks[] = {
	[ROLE_NONE] = 0,           [ROLE_PLATFORM_ADMINISTRATOR] = 6,
	[ROLE_AUDITOR] = 4,        [ROLE_TENANT_ADMINISTRATOR] = 5,
	[ROLE_OPERATOR] = 3,       [ROLE_VIEWER] = 2,
	[ROLE_LIMITED_VIEWER] = 1,
};
static_assert(ARRAY_LEN(ranks) == ROLE_COUNT, "rank every role");

#define NO 0
#define T  REACH_TENANT
#define P  REACH_PLATFORM
#define S  REACH_SPANNING
#define E  REACH_EACH
#define O  REACH_OWN

/* docs/ROLES.md has the same in words, and tests/unit/test_policy_decide.c compares. */
/* clang-format off */
static const struct {
	const char *name;
	unsigned char reach[ROLE_COUNT];
} actions[] = {
	/*                                             none platform-adm. auditor tenant-adm. operator viewer limited viewer */
	[0]                     = { "none",           { NO,  NO,           NO,     NO,         NO,      NO,    NO } },
	[ACTION_READ_TRAFFIC]   = { "traffic:read",   { NO,  T,            NO,     T,          T,       T,     T } },
	[ACTION_READ_PLATFORM]  = { "platform:read",  { NO,  S,            S,      NO,         NO,      NO,    NO } },
	[ACTION_READ_HEALTH]    = { "health:read",    { NO,  T | P,        T | P,  T | P,      T | P,   T | P, T | P } },
	[ACTION_READ_AUDIT]     = { "audit:read",     { NO,  T | S,        T | S,  T,          NO,      NO,    NO } },
	[ACTION_READ_TENANTS]   = { "tenants:read",   { NO,  T | S,        T | S,  T,          NO,      NO,    NO } },
	[ACTION_WRITE_TENANTS]  = { "tenants:write",  { NO,  E | S,        NO,     NO,         NO,      NO,    NO } },
	[ACTION_READ_USERS]     = { "users:read",     { NO,  T | S,        T | S,  T,          NO,      NO,    NO } },
	[ACTION_WRITE_USERS]    = { "users:write",    { NO,  T | S,        NO,     T,          NO,      NO,    NO } },
	[ACTION_READ_GROUPS]    = { "groups:read",    { NO,  T | S,        T | S,  T,          NO,      NO,    NO } },
	[ACTION_WRITE_GROUPS]   = { "groups:write",   { NO,  T | S,        NO,     T,          NO,      NO,    NO } },
	[ACTION_READ_SESSIONS]  = { "sessions:read",  { NO,  T | S,        T | S,  T,          NO,      NO,    NO } },
	[ACTION_WRITE_SESSIONS] = { "sessions:write", { NO,  T | S,        NO,     T,          NO,      NO,    NO } },
	[ACTION_READ_TOKENS]    = { "tokens:read",    { NO,  T | S,        T | S,  T,          NO,      NO,    NO } },
	[ACTION_WRITE_TOKENS]   = { "tokens:write",   { NO,  T | S,        NO,     T,          NO,      NO,    NO } },
	[ACTION_READ_ACCOUNT]   = { "account:read",   { NO,  O,            O,      O,          O,       O,     O } },
	[ACTION_WRITE_ACCOUNT]  = { "account:write",  { NO,  O,            O,      O,          O,       O,     O } },
	[ACTION_WRITE_PLATFORM] = { "platform:write", { NO,  S,            NO,     NO,         NO,      NO,    NO } },
	[ACTION_READ_LABELS]    = { "labels:read",    { NO,  T | S,        NO,     T | S,      T | S,   T | S, T | S } },
	[ACTION_WRITE_LABELS]   = { "labels:write",   { NO,  T | S,        NO,     T | S,      T | S,   NO,    NO } },
	[ACTION_READ_METRICS]   = { "metrics:read",   { NO,  T | S,        NO,     T,          T,       T,     T } },
};
/* clang-format on */
static_assert(ARRAY_LEN(actions) == ACTION_COUNT, "a row for every action");
static_assert(ACTION_COUNT <= 64, "scopes are one word");

const char *
role_name(enum role r)
{
	return (unsigned)r < ROLE_COUNT ? names[r] : names[ROLE_NONE];
}

/* What ntopng calls its roles: they are read, and never written. */
static const struct {
	const char *name;
	enum role role;
} aliases[] = {
	{ "Administrator", ROLE_PLATFORM_ADMINISTRATOR },
	{ "Unprivileged", ROLE_VIEWER },
	{ "Limited View", ROLE_LIMITED_VIEWER },
};

enum role
role_parse(const char *name)
{
	for (unsigned r = ROLE_NONE + 1; r < ROLE_COUNT; r++)
		if (strcmp(name, names[r]) == 0)
			return (enum role)r;
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (strcmp(name, aliases[i].name) == 0)
			return aliases[i].role;
	return ROLE_NONE;
}

unsigned
role_rank(enum role r)
{
	return (unsigned)r < ROLE_COUNT ? ranks[r] : 0;
}

const char *
action_name(enum action a)
{
	return (unsigned)a < ACTION_COUNT ? actions[a].name : actions[0].name;
}

enum action
action_parse(const char *name)
{
	for (unsigned a = 1; a < ACTION_COUNT; a++)
		if (strcmp(name, actions[a].name) == 0)
			return (enum action)a;
	return (enum action)0;
}

unsigned
role_reach(enum role r, enum action a)
{
	if ((unsigned)r >= ROLE_COUNT || (unsigned)a >= ACTION_COUNT)
		return 0;
	return actions[a].reach[r];
}

uint64_t
role_scopes(enum role r)
{
	uint64_t scopes = 0;

	for (unsigned a = 1; a < ACTION_COUNT; a++)
		if (role_reach(r, (enum action)a) != 0)
			scopes |= UINT64_C(1) << a;
	return scopes;
}

/* What reach comes to: where a grant spans all, what is only for such grants is as good as the rest. */
static unsigned
reach_as(unsigned reach, bool spanning)
{
	unsigned as = reach & (REACH_TENANT | REACH_PLATFORM | REACH_OWN);

	if (spanning && (reach & REACH_SPANNING))
		as |= REACH_PLATFORM;
	if (spanning && (reach & REACH_EACH))
		as |= REACH_TENANT;
	return as;
}

bool
role_covers(enum role upper, enum role lower, bool spanning)
{
	if (role_rank(lower) == 0 || role_rank(upper) < role_rank(lower))
		return false;
	for (unsigned a = 1; a < ACTION_COUNT; a++) {
		unsigned up = reach_as(role_reach(upper, (enum action)a), spanning);
		unsigned low = reach_as(role_reach(lower, (enum action)a), spanning);

		if ((low & ~up) != 0)
			return false;
	}
	return true;
}
