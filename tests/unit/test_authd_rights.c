/* Which of somebody's accesses counts in a tenant, and what several of them come to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "accounts.h"
#include "authd_scratch.h"
#include "base/mem.h"
#include "groups.h"
#include "narrowings.h"
#include "rights.h"
#include "rows.h"
#include "tenants.h"

static struct accounts_db *db;
static struct arena *arena;
static struct txn x;

static int
open_all(void **state)
{
	struct tenant_record t = { .tenant = { .number = 2, .name = "acme" } };

	(void)state;
	db = scratch_open();
	arena = arena_new(32 << 20);
	x = txn_begin(accounts_db_tables(db), true);
	name_add(&x, TABLE_TENANT_NAMES, t.tenant.name, t.tenant.number);
	tenant_write(&x, &t);
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	txn_abort(&x);
	arena_free(&arena);
	scratch_close(&db);
	return 0;
}

static const char eth1[][64] = { "eth1" }, eth2[][64] = { "eth2" };
static const struct ip_prefix ten = { { { [10] = 0xff, [11] = 0xff, [12] = 10 } }, 104 };
static const struct ip_prefix eleven = { { { [10] = 0xff, [11] = 0xff, [12] = 11 } }, 104 };

#define PLACE(name) .ninterfaces = 1, .interfaces = (void *)(uintptr_t)(name)
#define NET(p)      .nnetworks = 1, .networks = &(p)

static struct rights
choose(const char *tenant, struct access *item, size_t n, bool there)
{
	const struct accesses all = { n, item };
	struct rights r;

	assert_int_equal(rights_choose(&x, &all, tenant, arena, &r), there);
	return r;
}

static void
the_first_or_the_named(void **state)
{
	struct access a[] = { { .tenant = 2, .role = ROLE_VIEWER }, { .tenant = 1, .role = ROLE_OPERATOR } };

	(void)state;
	assert_int_equal(choose("", a, 2, true).tenant, 2);
	assert_string_equal(choose("", a, 2, true).tenant_name, "acme");
	assert_int_equal(choose("default", a, 2, true).role, ROLE_OPERATOR);
	(void)choose("*", a, 2, false);
	(void)choose("nowhere", a, 2, false);
	(void)choose("default", a, 1, false);
	(void)choose("", a, 0, false);
}

static void
the_platform_is_everywhere(void **state)
{
	struct access a[] = { { .tenant = 2, .role = ROLE_VIEWER },
			      { .tenant = TENANT_PLATFORM, .role = ROLE_AUDITOR } };

	(void)state;
	assert_int_equal(choose("", a, 2, true).tenant, 2);
	assert_int_equal(choose("", a, 2, true).role, ROLE_AUDITOR); /* it ranks higher, there too */
	assert_int_equal(choose("*", a, 2, true).tenant, TENANT_PLATFORM);
	assert_int_equal(choose("default", a, 2, true).role, ROLE_AUDITOR);
}

static void
roles_do_not_mix(void **state)
{
	struct access a[] = { { .tenant = 2, .role = ROLE_VIEWER },
			      { .tenant = 2, .role = ROLE_OPERATOR, .within = { NET(ten) } } };
	struct rights r = choose("acme", a, 2, true);

	(void)state;
	assert_int_equal(r.role, ROLE_OPERATOR);
	assert_int_equal(r.within.nnetworks, 1); /* not the viewer's whole tenant */
}

static void
what_is_of_one_role_is_joined_where_that_is_exact(void **state)
{
	struct access a[3] = { { .tenant = 2, .role = ROLE_VIEWER, .within = { PLACE(eth1), NET(ten) } },
			       { .tenant = 2, .role = ROLE_VIEWER, .within = { PLACE(eth1), NET(eleven) } },
			       { .tenant = 2, .role = ROLE_VIEWER, .within = { PLACE(eth2), NET(eleven) } } };
	struct rights r = choose("acme", a, 2, true);

	(void)state;
	assert_int_equal(r.within.ninterfaces, 1);
	assert_int_equal(r.within.nnetworks, 2);
	/* eth1 with both networks and eth2 with one of them: no narrowing says that, and none may say more.
	 */
	r = choose("acme", a, 3, true);
	assert_int_equal(r.within.ninterfaces, 1);
	assert_string_equal(r.within.interfaces[0], "eth1");
	assert_int_equal(r.within.nnetworks, 2);
	/* Places alike. */
	a[0].within = (struct narrowing){ PLACE(eth1) };
	a[1].within = (struct narrowing){ PLACE(eth2) };
	r = choose("acme", a, 2, true);
	assert_int_equal(r.within.ninterfaces, 2);
	/* A place and a network: joined in a list each they would be all of both. */
	a[1].within = (struct narrowing){ NET(ten) };
	r = choose("acme", a, 2, true);
	assert_true(r.within.ninterfaces == 1 && r.within.nnetworks == 0);
	/* The whole takes in everything, masked or not. */
	a[1].within = (struct narrowing){ .ninterfaces = 0 };
	r = choose("acme", a, 2, true);
	assert_true(narrowing_is_whole(&r.within));
	a[0].within = (struct narrowing){ .masked = true };
	r = choose("acme", a, 2, true);
	assert_true(narrowing_is_whole(&r.within));
	a[1].within = (struct narrowing){ NET(ten) };
	assert_true(choose("acme", a, 2, true).within.masked);
}

static void
groups_count_as_ones_own(void **state)
{
	struct access of_group = { .tenant = 1, .role = ROLE_OPERATOR };
	struct group g = { .name = "noc", .access = { 1, &of_group } };
	struct account who = scratch_account("alice");
	struct access own = { .tenant = 2, .role = ROLE_VIEWER };
	struct accesses all;
	struct rights r;

	(void)state;
	account_add(&x, &who);
	accesses_write(&x, who.number, &(struct accesses){ 1, &own });
	group_add(&x, &g);
	member_add(&x, g.number, who.number);
	member_add(&x, g.number, who.number);
	rights_gather(&x, who.number, arena, &all);
	assert_int_equal(all.n, 2);
	assert_true(rights_choose(&x, &all, "", arena, &r) && r.tenant == 2); /* its own come first */
	assert_true(rights_choose(&x, &all, "default", arena, &r) && r.role == ROLE_OPERATOR);
	member_remove(&x, g.number, who.number);
	rights_gather(&x, who.number, arena, &all);
	assert_int_equal(all.n, 1);
	member_add(&x, g.number, who.number);
	account_remove(&x, &who);
	assert_int_equal(txn_count(&x, TABLE_MEMBERS) + txn_count(&x, TABLE_MEMBERSHIPS) +
			     txn_count(&x, TABLE_ACCESSES) + txn_count(&x, TABLE_NAMES),
			 0);
	assert_int_equal(x.rc, 0);
}

static void
narrowings_are_numbered_by_content(void **state)
{
	char names[][64] = { "eth2", "eth1", "eth2" };
	struct narrowing a = { .ninterfaces = 3, .interfaces = (void *)names }, b = { PLACE(eth1) };
	uint64_t before = meta_number(&x, META_SNAPSHOT);
	uint32_t first;

	(void)state;
	narrowing_sort(&a);
	assert_int_equal(a.ninterfaces, 2);
	assert_string_equal(a.interfaces[0], "eth1");
	first = narrowing_number(&x, &a);
	assert_int_equal(first, 1);
	assert_int_equal(narrowing_number(&x, &a), first);
	assert_int_equal(narrowing_number(&x, &b), 2);
	assert_int_equal(narrowing_look(&x, &b), 2);
	b.masked = true;
	assert_int_equal(narrowing_look(&x, &b), 0);
	b = (struct narrowing){ .ninterfaces = 0 };
	assert_int_equal(narrowing_number(&x, &b), 0);
	assert_true(meta_number(&x, META_SNAPSHOT) == before + 2);
}

#define FULL (SNAPSHOT_NARROWING_ENTRIES_MAX / NARROWING_LIST_MAX)

/* The i-th of those of which FULL fill a snapshot. */
static struct narrowing
long_one(unsigned i)
{
	struct ip_prefix *p = arena_alloc(arena, NARROWING_LIST_MAX * sizeof(*p));

	assert_non_null(p);
	for (unsigned k = 0; k < NARROWING_LIST_MAX; k++)
		p[k] = (struct ip_prefix){ { { [10] = 0xff,
					       [11] = 0xff,
					       [12] = 10,
					       [13] = (uint8_t)i,
					       [14] = (uint8_t)(k >> 8),
					       [15] = (uint8_t)k } },
					   128 };
	return (struct narrowing){ .nnetworks = NARROWING_LIST_MAX, .networks = p };
}

/* What store is told can be made whatever was asked for. */
static void
policy_is_whole(void)
{
	struct snapshot_builder *b = snapshot_builder_new(1);

	policy_build(&x, b);
	snapshot_builder_free(&b);
	assert_int_equal(x.rc, 0);
}

static void
narrowings_that_nobody_has_make_room(void **state)
{
	struct account who = scratch_account("alice");
	struct access one = { .tenant = 2, .role = ROLE_VIEWER, .within = long_one(3) };
	const struct accesses own = { 1, &one };
	struct narrowing first = long_one(0), more = long_one(FULL);
	uint32_t kept = 0;

	(void)state;
	account_add(&x, &who);
	accesses_write(&x, who.number, &own);
	for (unsigned i = 0; i < FULL; i++) {
		struct narrowing n = long_one(i);
		uint32_t number = narrowing_number(&x, &n);

		assert_int_equal(number, i + 1);
		kept = i == 3 ? number : kept;
	}
	policy_is_whole();
	assert_int_equal(narrowing_look(&x, &first), 1);
	/* Now it is full: all but alice's go, and no number is another's. */
	assert_int_equal(narrowing_number(&x, &more), FULL + 1);
	assert_int_equal(txn_count(&x, TABLE_NARROWINGS), 2);
	assert_int_equal(txn_count(&x, TABLE_NARROWING_KEYS), 2);
	assert_int_equal(narrowing_look(&x, &one.within), kept);
	assert_int_equal(narrowing_look(&x, &first), 0);
	assert_int_equal(narrowing_number(&x, &first), FULL + 2);
	policy_is_whole();
}

static void
narrowings_end_where_a_snapshot_does(void **state)
{
	struct narrowing more = long_one(FULL);

	(void)state;
	for (unsigned i = 0; i < FULL; i += 16) {
		char name[16];
		struct account who;
		struct access item[16];
		const struct accesses own = { 16, item };

		(void)snprintf(name, sizeof(name), "user%u", i);
		who = scratch_account(name);
		account_add(&x, &who);
		for (unsigned k = 0; k < 16; k++)
			item[k] =
			    (struct access){ .tenant = 2, .role = ROLE_VIEWER, .within = long_one(i + k) };
		accesses_write(&x, who.number, &own);
		for (unsigned k = 0; k < 16; k++)
			assert_int_equal(narrowing_number(&x, &item[k].within), i + k + 1);
	}
	policy_is_whole();
	(void)narrowing_number(&x, &more);
	assert_true(x.rc != 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)

/* --- tenants that go
 * -----------------------------------------------------------------------------------------------------------
 */

/* A number is given once, also by a copy of the database that is older than the tenant; and store is told
 * which tenants were removed. */
static void
numbers_are_given_once(void **state)
{
	struct tenant_record first = { .tenant = { .name = "first" } }, second = first, again = first;
	struct snapshot_builder *b = snapshot_builder_new(1);
	uint8_t public_key[1][32], secret[64];
	const uint32_t *removed;
	struct snapshot *s;
	uint8_t *doc;
	size_t n, len;

	(void)state;
	assert_true(str_copy(second.tenant.name, sizeof(second.tenant.name), "second"));
	tenant_add(&x, &first);
	tenant_add(&x, &second);
	assert_true(second.tenant.number > first.tenant.number && first.tenant.number > 1000000);
	tenant_remove(&x, &first.tenant);
	meta_put(&x, META_NEXT_TENANT, 3);
	tenant_add(&x, &again);
	assert_true(again.tenant.number > first.tenant.number);
	assert_int_not_equal(again.tenant.number, second.tenant.number);
	tenant_remove(&x, &second.tenant);
	assert_int_equal(x.rc, 0);

	policy_build(&x, b);
	assert_int_equal(crypto_sign_keypair(public_key[0], secret), 0);
	doc = snapshot_finish(&b, secret, &len);
	assert_non_null(doc);
	s = snapshot_open(doc, len, (const uint8_t(*)[32])public_key, 1);
	assert_non_null(s);
	removed = snapshot_removed(s, &n);
	assert_int_equal(n, 2);
	assert_int_equal(removed[0], first.tenant.number);
	assert_int_equal(removed[1], second.tenant.number);
	snapshot_free(&s);
	free(doc);
}

/* Very many: those that were made first are let go. */
static void
the_removed_are_bounded(void **state)
{
	struct be64 key;
	struct db_bytes v;

	(void)state;
	for (uint32_t i = 0; i < SNAPSHOT_REMOVED_MAX + 5; i++) {
		struct tenant t = { .number = 10 + i, .name = "x" };

		tenant_remove(&x, &t);
	}
	assert_int_equal(x.rc, 0);
	assert_int_equal(txn_count(&x, TABLE_REMOVED), SNAPSHOT_REMOVED_MAX);
	key = be64_of(14);
	assert_false(txn_look(&x, TABLE_REMOVED, be64_bytes(&key), &v));
	key = be64_of(15);
	assert_true(txn_look(&x, TABLE_REMOVED, be64_bytes(&key), &v));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_or_the_named),
		TEST(the_platform_is_everywhere),
		TEST(roles_do_not_mix),
		TEST(what_is_of_one_role_is_joined_where_that_is_exact),
		TEST(groups_count_as_ones_own),
		TEST(numbers_are_given_once),
		TEST(the_removed_are_bounded),
		TEST(narrowings_are_numbered_by_content),
		TEST(narrowings_that_nobody_has_make_room),
		TEST(narrowings_end_where_a_snapshot_does),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
