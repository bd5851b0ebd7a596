/* The table of who may do what, in words for a reader, what beyond it protects people from each other, and
 * the rule that a narrower grant never allows more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/mem.h"
#include "policy/decide.h"
#include "policy/snapshot.h"

#define MINE   7u
#define THEIRS 8u

/*
 * Whose things, with a grant for one tenant, and with one for all:
 *   t  its tenant's    o  another tenant's    u  unassigned    p  the platform's, nobody's    s  the
 * subject's own docs/ROLES.md shows the same.
 */
/* clang-format off */
static const char for_a_tenant[] =
    "for a tenant     platform-administrator  auditor  tenant-administrator  operator  viewer  limited-viewer\n"
    "traffic:read     t....                   .....    t....                 t....     t....   t....\n"
    "platform:read    .....                   .....    .....                 .....     .....   .....\n"
    "health:read      t..p.                   t..p.    t..p.                 t..p.     t..p.   t..p.\n"
    "audit:read       t....                   t....    t....                 .....     .....   .....\n"
    "tenants:read     t....                   t....    t....                 .....     .....   .....\n"
    "tenants:write    .....                   .....    .....                 .....     .....   .....\n"
    "users:read       t....                   t....    t....                 .....     .....   .....\n"
    "users:write      t....                   .....    t....                 .....     .....   .....\n"
    "groups:read      t....                   t....    t....                 .....     .....   .....\n"
    "groups:write     t....                   .....    t....                 .....     .....   .....\n"
    "sessions:read    t....                   t....    t....                 .....     .....   .....\n"
    "sessions:write   t....                   .....    t....                 .....     .....   .....\n"
    "tokens:read      t....                   t....    t....                 .....     .....   .....\n"
    "tokens:write     t....                   .....    t....                 .....     .....   .....\n"
    "account:read     ....s                   ....s    ....s                 ....s     ....s   ....s\n"
    "account:write    ....s                   ....s    ....s                 ....s     ....s   ....s\n"
    "platform:write   .....                   .....    .....                 .....     .....   .....\n"
    "labels:read      t....                   .....    t....                 t....     t....   t....\n"
    "labels:write     t....                   .....    t....                 t....     .....   .....\n"
    "metrics:read     t....                   .....    t....                 t....     t....   t....\n"
    "\n";
static const char for_all[] =
    "for all          platform-administrator  auditor  tenant-administrator  operator  viewer  limited-viewer\n"
    "traffic:read     tou..                   .....    tou..                 tou..     tou..   tou..\n"
    "platform:read    ...p.                   ...p.    .....                 .....     .....   .....\n"
    "health:read      toup.                   toup.    toup.                 toup.     toup.   toup.\n"
    "audit:read       toup.                   toup.    tou..                 .....     .....   .....\n"
    "tenants:read     toup.                   toup.    tou..                 .....     .....   .....\n"
    "tenants:write    toup.                   .....    .....                 .....     .....   .....\n"
    "users:read       toup.                   toup.    tou..                 .....     .....   .....\n"
    "users:write      toup.                   .....    tou..                 .....     .....   .....\n"
    "groups:read      toup.                   toup.    tou..                 .....     .....   .....\n"
    "groups:write     toup.                   .....    tou..                 .....     .....   .....\n"
    "sessions:read    toup.                   toup.    tou..                 .....     .....   .....\n"
    "sessions:write   toup.                   .....    tou..                 .....     .....   .....\n"
    "tokens:read      toup.                   toup.    tou..                 .....     .....   .....\n"
    "tokens:write     toup.                   .....    tou..                 .....     .....   .....\n"
    "account:read     ....s                   ....s    ....s                 ....s     ....s   ....s\n"
    "account:write    ....s                   ....s    ....s                 ....s     ....s   ....s\n"
    "platform:write   ...p.                   .....    .....                 .....     .....   .....\n"
    "labels:read      toup.                   .....    toup.                 toup.     toup.   toup.\n"
    "labels:write     toup.                   .....    toup.                 toup.     .....   .....\n"
    "metrics:read     toup.                   .....    tou..                 tou..     tou..   tou..\n"
    "\n";
static const char changes_users[] =
    "changes users who have in its tenant only:\n"
    "platform-administrator: platform-administrator, auditor, tenant-administrator, operator, viewer, limited-viewer\n"
    "auditor: nobody\n"
    "tenant-administrator: auditor, tenant-administrator, operator, viewer, limited-viewer\n"
    "operator: nobody\n"
    "viewer: nobody\n"
    "limited-viewer: nobody\n";
/* clang-format on */

/* What each letter of a cell asks for. */
static const struct resource resources[] = {
	{ .tenant = MINE },
	{ .tenant = THEIRS },
	{ .tenant = TENANT_UNASSIGNED },
	{ .tenant = TENANT_PLATFORM },
	{ .tenant = MINE, .owner = "user:me" },
};
static const char letters[] = "toups";

static struct grant
grant_of(uint32_t role, uint32_t tenant)
{
	return (struct grant){ .role = role, .tenant = tenant, .scopes = UINT64_MAX, .subject = "user:me" };
}

/* --- tables
 * ------------------------------------------------------------------------------------------------------------
 */

struct text {
	char s[16384];
	size_t n;
};

static void say(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
say(struct text *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	t->n += (size_t)vsnprintf(t->s + t->n, sizeof(t->s) - t->n, format, ap);
	va_end(ap);
	assert_true(t->n < sizeof(t->s));
}

static const char *
cell(uint32_t role, enum action a, uint32_t tenant, char out[static 6])
{
	struct grant g = grant_of(role, tenant);

	memcpy(out, letters, sizeof(letters));
	for (size_t i = 0; i < ARRAY_LEN(resources); i++) {
		/* What is one's own tenant's is not yet one's own. */
		bool own = i == 4 && policy_decide(&g, a, &resources[0]);

		if (own || !policy_decide(&g, a, &resources[i]))
			out[i] = '.';
	}
	return out;
}

static void
heading(struct text *t, const char *first)
{
	say(t, "%-15s", first);
	for (unsigned r = 1; r < ROLE_COUNT; r++)
		say(t, "  %s", role_name((enum role)r));
	say(t, "\n");
}

static void
action_table(struct text *t, const char *title, uint32_t tenant)
{
	heading(t, title);
	for (unsigned a = 1; a < ACTION_COUNT; a++) {
		char text[6];

		say(t, "%-15s", action_name((enum action)a));
		for (unsigned r = 1; r < ROLE_COUNT; r++)
			say(t, "  %-*s", r + 1 < ROLE_COUNT ? (int)strlen(role_name((enum role)r)) : 0,
			    cell(r, (enum action)a, tenant, text));
		say(t, "\n");
	}
}

/* Who may change a person of each role, within the tenant of both. */
static void
people_table(struct text *t)
{
	say(t, "changes users who have in its tenant only:\n");
	for (unsigned r = 1; r < ROLE_COUNT; r++) {
		struct grant g = grant_of(r, MINE);

		unsigned n = 0;

		say(t, "%s", role_name((enum role)r));
		for (unsigned of = 1; of < ROLE_COUNT; of++) {
			struct right has = { MINE, of, UINT64_MAX };
			struct resource person = { .tenant = MINE, .has = &has, .nhas = 1 };

			if (policy_decide(&g, ACTION_WRITE_USERS, &person))
				say(t, "%s %s", n++ == 0 ? ":" : ",", role_name((enum role)of));
		}
		say(t, "%s\n", n == 0 ? ": nobody" : "");
	}
}

static void
golden_table(void **state)
{
	static struct text t;

	(void)state;
	t.n = 0;
	action_table(&t, "for a tenant", MINE);
	say(&t, "\n");
	assert_string_equal(t.s, for_a_tenant);
	t.n = 0;
	action_table(&t, "for all", TENANT_PLATFORM);
	say(&t, "\n");
	assert_string_equal(t.s, for_all);
	t.n = 0;
	people_table(&t);
	assert_string_equal(t.s, changes_users);
}

/* What people read is what is tested. */
static void
documented(void **state)
{
	static char text[32768];
	FILE *f = fopen(ROLES_DOC, "r");
	const char *at;

	(void)state;
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	at = strstr(text, for_a_tenant);
	assert_non_null(at);
	at += strlen(for_a_tenant);
	assert_memory_equal(at, for_all, strlen(for_all));
	at += strlen(for_all);
	assert_memory_equal(at, changes_users, strlen(changes_users));
}

/* --- refusals
 * ----------------------------------------------------------------------------------------------------------
 */

static void
nothing_for_nobody(void **state)
{
	static const uint32_t bad_roles[] = { ROLE_NONE, ROLE_COUNT, 1000, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_roles); i++)
		for (unsigned a = 0; a < 70; a++)
			for (size_t r = 0; r < ARRAY_LEN(resources); r++) {
				struct grant g = grant_of(bad_roles[i], resources[r].tenant);

				assert_false(policy_decide(&g, (enum action)a, &resources[r]));
			}
	for (unsigned role = 0; role < ROLE_COUNT; role++)
		for (size_t r = 0; r < ARRAY_LEN(resources); r++) {
			static const unsigned none[] = { 0, ACTION_COUNT, 64, 65 };
			struct grant g = grant_of(role, TENANT_PLATFORM);

			for (size_t a = 0; a < ARRAY_LEN(none); a++)
				assert_false(policy_decide(&g, (enum action)none[a], &resources[r]));
		}
}

/* A grant without scopes allows nothing; each scope allows its own action and no other. */
static void
scopes_are_exact(void **state)
{
	(void)state;
	for (unsigned role = 1; role < ROLE_COUNT; role++)
		for (unsigned a = 1; a < ACTION_COUNT; a++)
			for (unsigned bit = 0; bit < 64; bit++)
				for (size_t r = 0; r < ARRAY_LEN(resources); r++) {
					struct grant full = grant_of(role, MINE), g = full;
					bool may = policy_decide(&full, (enum action)a, &resources[r]);

					g.scopes = UINT64_C(1) << bit;
					assert_int_equal(policy_decide(&g, (enum action)a, &resources[r]),
							 bit == a && may);
					g.scopes = 0;
					assert_false(policy_decide(&g, (enum action)a, &resources[r]));
				}
}

/* A grant for a tenant never reaches another's things, nor unassigned traffic, nor the platform's. */
static void
tenant_never_reaches_others(void **state)
{
	(void)state;
	for (unsigned role = 1; role < ROLE_COUNT; role++)
		for (unsigned a = 1; a < ACTION_COUNT; a++) {
			struct grant g = grant_of(role, MINE);

			assert_false(policy_decide_tenant(&g, (enum action)a, THEIRS));
			assert_false(policy_decide_tenant(&g, (enum action)a, TENANT_UNASSIGNED));
			/* Whether Weir is well everybody may know. */
			assert_int_equal(policy_decide_tenant(&g, (enum action)a, TENANT_PLATFORM),
					 a == ACTION_READ_HEALTH);
		}
}

/* --- people
 * ------------------------------------------------------------------------------------------------------------
 */

#define R(tenant, role) ((struct right){ tenant, role, UINT64_MAX })

static bool
may(const struct grant *g, enum action a, const struct right *has, size_t nhas, const struct right *gets,
    size_t ngets)
{
	const struct resource r = {
		.tenant = g->tenant, .has = has, .nhas = nhas, .gets = gets, .ngets = ngets
	};

	return policy_decide(g, a, &r);
}

/* One access elsewhere, or one role above, and a tenant's administrator cannot touch the person; where it is
 * elsewhere, not even see. */
static void
people_of_other_tenants(void **state)
{
	const struct grant g = grant_of(ROLE_TENANT_ADMINISTRATOR, MINE);
	const struct right mine[] = { R(MINE, ROLE_VIEWER), R(MINE, ROLE_TENANT_ADMINISTRATOR) };
	const struct right both[] = { R(MINE, ROLE_VIEWER), R(THEIRS, ROLE_VIEWER) };
	const struct right all[] = { R(MINE, ROLE_VIEWER), R(TENANT_PLATFORM, ROLE_VIEWER) };
	const struct right above[] = { R(MINE, ROLE_PLATFORM_ADMINISTRATOR) };

	(void)state;
	assert_true(may(&g, ACTION_READ_USERS, mine, 2, NULL, 0));
	assert_true(may(&g, ACTION_WRITE_USERS, mine, 2, mine, 2));
	assert_false(may(&g, ACTION_READ_USERS, both, 2, NULL, 0));
	assert_false(may(&g, ACTION_WRITE_USERS, both, 2, NULL, 0));
	assert_false(may(&g, ACTION_READ_USERS, all, 2, NULL, 0));
	assert_false(may(&g, ACTION_WRITE_SESSIONS, all, 2, NULL, 0));
	assert_true(may(&g, ACTION_READ_USERS, above, 1, NULL, 0));
	assert_false(may(&g, ACTION_WRITE_USERS, above, 1, NULL, 0));
	assert_false(may(&g, ACTION_WRITE_TOKENS, above, 1, NULL, 0));
	/* Given: not beyond one's tenant, nor above one's role. */
	assert_false(may(&g, ACTION_WRITE_USERS, mine, 2, both, 2));
	assert_false(may(&g, ACTION_WRITE_USERS, mine, 2, all, 2));
	assert_false(may(&g, ACTION_WRITE_USERS, mine, 2, above, 1));
	assert_false(may(&g, ACTION_WRITE_TOKENS, mine, 2, above, 1));
}

/* Who spans all tenants without being the platform's administrator reaches into each, never to who spans all
 * himself with more. */
static void
people_seen_from_all_tenants(void **state)
{
	const struct grant admin = grant_of(ROLE_PLATFORM_ADMINISTRATOR, TENANT_PLATFORM);
	const struct grant tenants = grant_of(ROLE_TENANT_ADMINISTRATOR, TENANT_PLATFORM);
	const struct grant auditor = grant_of(ROLE_AUDITOR, TENANT_PLATFORM);
	const struct right person[] = { R(MINE, ROLE_VIEWER), R(THEIRS, ROLE_AUDITOR),
					R(TENANT_PLATFORM, ROLE_PLATFORM_ADMINISTRATOR) };

	(void)state;
	assert_true(may(&admin, ACTION_WRITE_USERS, person, 3, person, 3));
	assert_true(may(&auditor, ACTION_READ_USERS, person, 3, NULL, 0));
	assert_false(may(&auditor, ACTION_WRITE_USERS, person, 3, NULL, 0));
	const struct resource in_tenants = {
		.tenant = MINE, .has = person, .nhas = 2, .gets = person, .ngets = 2
	};
	const struct resource everywhere = { .tenant = MINE, .has = person, .nhas = 3 };

	assert_true(policy_decide(&tenants, ACTION_WRITE_USERS, &in_tenants));
	assert_false(policy_decide(&tenants, ACTION_WRITE_USERS, &everywhere));
	assert_false(policy_decide(&tenants, ACTION_READ_USERS, &everywhere));
}

/* Nobody gives what he has not: scopes, and what a narrowing or a mask keeps from him. */
static void
rights_are_given_by_who_has_them(void **state)
{
	const struct right viewer = R(MINE, ROLE_VIEWER);
	const struct right reader = { MINE, ROLE_VIEWER, UINT64_C(1) << ACTION_READ_TRAFFIC };
	struct grant g = grant_of(ROLE_TENANT_ADMINISTRATOR, MINE);

	(void)state;
	assert_true(may(&g, ACTION_WRITE_USERS, NULL, 0, &viewer, 1));
	g.scopes = UINT64_C(1) << ACTION_WRITE_USERS | UINT64_C(1) << ACTION_READ_TRAFFIC;
	assert_false(may(&g, ACTION_WRITE_USERS, NULL, 0, &viewer, 1));
	assert_true(may(&g, ACTION_WRITE_USERS, NULL, 0, &reader, 1));
	assert_true(may(&g, ACTION_WRITE_USERS, &viewer, 1, NULL, 0));
	g.masked = true;
	assert_false(may(&g, ACTION_WRITE_USERS, NULL, 0, &reader, 1));
	assert_true(may(&g, ACTION_WRITE_USERS, &viewer, 1, NULL, 0));
	g.masked = false;
	assert_true(grant_narrow(&g, 3));
	assert_false(may(&g, ACTION_WRITE_USERS, NULL, 0, &reader, 1));
}

static void
own_things(void **state)
{
	struct right token = R(MINE, ROLE_VIEWER);
	const struct resource mine = { .tenant = MINE, .owner = "user:me", .gets = &token, .ngets = 1 };
	const struct resource hers = { .tenant = MINE, .owner = "user:men", .gets = &token, .ngets = 1 };
	struct grant g = grant_of(ROLE_OPERATOR, MINE);

	(void)state;
	assert_true(policy_decide(&g, ACTION_WRITE_ACCOUNT, &mine));
	assert_false(policy_decide(&g, ACTION_WRITE_ACCOUNT, &hers));
	assert_false(policy_decide(&g, ACTION_READ_ACCOUNT, &hers));
	assert_false(policy_decide_tenant(&g, ACTION_READ_ACCOUNT, MINE));
	/* A narrowed user's token is narrowed as its owner is. */
	g.masked = true;
	assert_true(policy_decide(&g, ACTION_WRITE_ACCOUNT, &mine));
	token.role = ROLE_TENANT_ADMINISTRATOR;
	assert_false(policy_decide(&g, ACTION_WRITE_ACCOUNT, &mine));
	token = R(THEIRS, ROLE_VIEWER);
	assert_false(policy_decide(&g, ACTION_WRITE_ACCOUNT, &mine));
	token = R(TENANT_PLATFORM, ROLE_VIEWER);
	assert_false(policy_decide(&g, ACTION_WRITE_ACCOUNT, &mine));
	token = R(MINE, ROLE_VIEWER);
	/* A token sees its owner's account and changes nothing of it. */
	g.of_token = true;
	assert_true(policy_decide(&g, ACTION_READ_ACCOUNT, &mine));
	assert_false(policy_decide(&g, ACTION_WRITE_ACCOUNT, &mine));
}

/* --- roles
 * -------------------------------------------------------------------------------------------------------------
 */

/* By what can be decided, not by the table: whoever covers a role may do all that it may. */
static void
covering_is_what_it_says(void **state)
{
	(void)state;
	for (unsigned up = 1; up < ROLE_COUNT; up++)
		for (unsigned low = 1; low < ROLE_COUNT; low++)
			for (int spanning = 0; spanning < 2; spanning++) {
				uint32_t tenant = spanning ? TENANT_PLATFORM : MINE;
				struct grant u = grant_of(up, tenant), l = grant_of(low, tenant);
				bool all = true;

				for (unsigned a = 1; a < ACTION_COUNT; a++)
					for (size_t r = 0; r < ARRAY_LEN(resources); r++)
						all &= policy_decide(&u, (enum action)a, &resources[r]) ||
						       !policy_decide(&l, (enum action)a, &resources[r]);
				all &= role_rank((enum role)up) >= role_rank((enum role)low);
				assert_int_equal(role_covers((enum role)up, (enum role)low, spanning), all);
				assert_true(up == low ||
					    role_rank((enum role)up) != role_rank((enum role)low));
			}
	assert_false(role_covers(ROLE_NONE, ROLE_VIEWER, false));
	assert_false(role_covers(ROLE_VIEWER, ROLE_NONE, false));
	assert_false(role_covers(ROLE_COUNT, ROLE_VIEWER, false));
	assert_int_equal(role_rank(ROLE_COUNT), 0);
}

static void
names_round_trip(void **state)
{
	(void)state;
	for (unsigned r = 1; r < ROLE_COUNT; r++)
		assert_int_equal(role_parse(role_name((enum role)r)), r);
	for (unsigned a = 1; a < ACTION_COUNT; a++)
		assert_int_equal(action_parse(action_name((enum action)a)), a);
	assert_int_equal(role_parse("none"), ROLE_NONE);
	assert_int_equal(role_parse(""), ROLE_NONE);
	assert_int_equal(role_parse("Operator"), ROLE_NONE);
	/* The names that ntopng's guide has. */
	assert_int_equal(role_parse("Administrator"), ROLE_PLATFORM_ADMINISTRATOR);
	assert_int_equal(role_parse("Unprivileged"), ROLE_VIEWER);
	assert_int_equal(role_parse("Limited View"), ROLE_LIMITED_VIEWER);
	assert_int_equal(action_parse("none"), 0);
	assert_int_equal(action_parse("traffic"), 0);
	assert_string_equal(role_name((enum role)99), "none");
	assert_string_equal(action_name((enum action)99), "none");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_table),
		cmocka_unit_test(documented),
		cmocka_unit_test(nothing_for_nobody),
		cmocka_unit_test(scopes_are_exact),
		cmocka_unit_test(tenant_never_reaches_others),
		cmocka_unit_test(people_of_other_tenants),
		cmocka_unit_test(people_seen_from_all_tenants),
		cmocka_unit_test(rights_are_given_by_who_has_them),
		cmocka_unit_test(own_things),
		cmocka_unit_test(covering_is_what_it_says),
		cmocka_unit_test(names_round_trip),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
