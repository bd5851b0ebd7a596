/* The table of who may do what, in words for a reader, and the rule that a narrower grant never allows more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/mem.h"
#include "policy/grant.h"
#include "policy/snapshot.h"

#define MINE   7u
#define THEIRS 8u

/*
 * For each role and action: whose things, first with a grant for tenant 7, then with one for all tenants.
 *   t  the grant's tenant (7)     o  another tenant (8)     u  unassigned flows     p  the platform's,
 * nobody's
 */
static const char golden[] = "role                    action           tenant 7  all tenants\n"
			     "platform-administrator  read-traffic     t...      tou.\n"
			     "platform-administrator  read-platform    ...p      ...p\n"
			     "platform-administrator  read-health      t..p      toup\n"
			     "platform-administrator  manage-tenant    t...      tou.\n"
			     "platform-administrator  manage-platform  ...p      ...p\n"
			     "platform-administrator  read-audit       t..p      toup\n"
			     "auditor                 read-traffic     ....      ....\n"
			     "auditor                 read-platform    ...p      ...p\n"
			     "auditor                 read-health      t..p      toup\n"
			     "auditor                 manage-tenant    ....      ....\n"
			     "auditor                 manage-platform  ....      ....\n"
			     "auditor                 read-audit       t..p      toup\n"
			     "tenant-administrator    read-traffic     t...      ....\n"
			     "tenant-administrator    read-platform    ....      ....\n"
			     "tenant-administrator    read-health      t..p      ...p\n"
			     "tenant-administrator    manage-tenant    t...      ....\n"
			     "tenant-administrator    manage-platform  ....      ....\n"
			     "tenant-administrator    read-audit       t...      ....\n"
			     "operator                read-traffic     t...      ....\n"
			     "operator                read-platform    ....      ....\n"
			     "operator                read-health      t..p      ...p\n"
			     "operator                manage-tenant    ....      ....\n"
			     "operator                manage-platform  ....      ....\n"
			     "operator                read-audit       ....      ....\n"
			     "viewer                  read-traffic     t...      ....\n"
			     "viewer                  read-platform    ....      ....\n"
			     "viewer                  read-health      t..p      ...p\n"
			     "viewer                  manage-tenant    ....      ....\n"
			     "viewer                  manage-platform  ....      ....\n"
			     "viewer                  read-audit       ....      ....\n"
			     "limited-viewer          read-traffic     t...      ....\n"
			     "limited-viewer          read-platform    ....      ....\n"
			     "limited-viewer          read-health      t..p      ...p\n"
			     "limited-viewer          manage-tenant    ....      ....\n"
			     "limited-viewer          manage-platform  ....      ....\n"
			     "limited-viewer          read-audit       ....      ....\n";

static const uint32_t resources[4] = { MINE, THEIRS, TENANT_UNASSIGNED, TENANT_PLATFORM };

static struct grant
grant_of(uint32_t role, uint32_t tenant)
{
	return (struct grant){ .role = role, .tenant = tenant, .scopes = UINT64_MAX };
}

static void
cells(uint32_t role, enum action a, uint32_t tenant, char out[5])
{
	struct grant g = grant_of(role, tenant);

	memcpy(out, "toup", 5);
	for (size_t i = 0; i < 4; i++)
		if (!policy_decide(&g, a, resources[i]))
			out[i] = '.';
}

static void
golden_table(void **state)
{
	char text[8192];
	size_t n;

	(void)state;
	n = (size_t)snprintf(text, sizeof(text), "%-22s  %-15s  %-8s  %s\n", "role", "action", "tenant 7",
			     "all tenants");
	for (unsigned r = 1; r < ROLE_COUNT; r++)
		for (unsigned a = 1; a < ACTION_COUNT; a++) {
			char one[5], all[5];

			cells(r, (enum action)a, MINE, one);
			cells(r, (enum action)a, TENANT_PLATFORM, all);
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%-22s  %-15s  %-8s  %s\n",
					      role_name((enum role)r), action_name((enum action)a), one, all);
			assert_true(n < sizeof(text));
		}
	assert_string_equal(text, golden);
}

static void
nothing_for_nobody(void **state)
{
	static const uint32_t bad_roles[] = { ROLE_NONE, ROLE_COUNT, 1000, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_roles); i++)
		for (unsigned a = 0; a < 70; a++)
			for (size_t r = 0; r < 4; r++) {
				struct grant g = grant_of(bad_roles[i], resources[r]);

				assert_false(policy_decide(&g, (enum action)a, resources[r]));
			}
	for (unsigned role = 0; role < ROLE_COUNT; role++)
		for (size_t r = 0; r < 4; r++) {
			struct grant g = grant_of(role, TENANT_PLATFORM);

			assert_false(policy_decide(&g, (enum action)0, resources[r]));
			assert_false(policy_decide(&g, ACTION_COUNT, resources[r]));
			assert_false(policy_decide(&g, (enum action)64, resources[r]));
			assert_false(policy_decide(&g, (enum action)65, resources[r]));
		}
}

/* Random grants, each narrowed at random (fewer scopes; a weaker role is not narrowing): never a new yes. */
static void
narrowing_never_allows_more(void **state)
{
	unsigned refused = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct grant wide =
		    grant_of(1 + randombytes_uniform(ROLE_COUNT - 1), resources[randombytes_uniform(2)]);
		struct grant narrow;

		randombytes_buf(&wide.scopes, sizeof(wide.scopes));
		narrow = wide;
		while (narrow.scopes == wide.scopes) {
			uint64_t mask;

			randombytes_buf(&mask, sizeof(mask));
			narrow.scopes &= mask;
		}
		for (unsigned a = 0; a < ACTION_COUNT; a++)
			for (size_t r = 0; r < 4; r++) {
				bool before = policy_decide(&wide, (enum action)a, resources[r]);
				bool after = policy_decide(&narrow, (enum action)a, resources[r]);

				assert_false(after && !before);
				refused += before && !after;
			}
	}
	assert_true(refused > 0); /* narrowing does something */
}

/* A grant without scopes allows nothing; each scope allows its own action and no other. */
static void
scopes_are_exact(void **state)
{
	(void)state;
	for (unsigned role = 1; role < ROLE_COUNT; role++)
		for (unsigned a = 1; a < ACTION_COUNT; a++)
			for (unsigned bit = 0; bit < 64; bit++)
				for (size_t r = 0; r < 4; r++) {
					struct grant full = grant_of(role, MINE), g = full;

					g.scopes = UINT64_C(1) << bit;
					assert_int_equal(
					    policy_decide(&g, (enum action)a, resources[r]),
					    bit == a && policy_decide(&full, (enum action)a, resources[r]));
					g.scopes = 0;
					assert_false(policy_decide(&g, (enum action)a, resources[r]));
				}
}

/* A grant for a tenant never reaches more tenants than the same role's grant for all of them. */
static void
tenant_never_reaches_others(void **state)
{
	(void)state;
	for (unsigned role = 1; role < ROLE_COUNT; role++)
		for (unsigned a = 1; a < ACTION_COUNT; a++) {
			struct grant g = grant_of(role, MINE);

			assert_false(policy_decide(&g, (enum action)a, THEIRS));
			assert_false(policy_decide(&g, (enum action)a, TENANT_UNASSIGNED));
		}
}

static void
names_round_trip(void **state)
{
	(void)state;
	for (unsigned r = 1; r < ROLE_COUNT; r++)
		assert_int_equal(role_parse(role_name((enum role)r)), r);
	assert_int_equal(role_parse("none"), ROLE_NONE);
	assert_int_equal(role_parse(""), ROLE_NONE);
	assert_int_equal(role_parse("Operator"), ROLE_NONE);
	assert_string_equal(role_name((enum role)99), "none");
	assert_string_equal(action_name((enum action)99), "none");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_table),
		cmocka_unit_test(nothing_for_nobody),
		cmocka_unit_test(narrowing_never_allows_more),
		cmocka_unit_test(scopes_are_exact),
		cmocka_unit_test(tenant_never_reaches_others),
		cmocka_unit_test(names_round_trip),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
