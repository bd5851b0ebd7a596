/* Random grants made out of random others: never a new yes, never more to see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/mem.h"
#include "policy/decide.h"
#include "policy/derive.h"
#include "policy/snapshot.h"

#define NOW (INT64_C(1800000000) * NS_PER_S)

static const uint32_t tenants[] = { TENANT_PLATFORM, 7, 8 };

static struct grant
random_grant(void)
{
	static const char *const subjects[] = { "user:a", "user:b", "" };
	struct grant g = { .tenant = tenants[randombytes_uniform(ARRAY_LEN(tenants))],
			   .role = 1 + randombytes_uniform(ROLE_COUNT - 1),
			   .audience_proc = randombytes_uniform(3),
			   .audience_instance = randombytes_uniform(2),
			   .snapshot = randombytes_uniform(5),
			   .scopes = UINT64_MAX,
			   .masked = randombytes_uniform(4) == 0,
			   .of_token = randombytes_uniform(3) == 0,
			   .issued_ns = NOW + randombytes_uniform(50),
			   .expires_ns = NOW + 10 + randombytes_uniform(60) };

	randombytes_buf(g.id, sizeof(g.id));
	if (randombytes_uniform(2))
		randombytes_buf(&g.scopes, sizeof(g.scopes));
	assert_true(str_copy(g.subject, sizeof(g.subject), subjects[randombytes_uniform(3)]));
	for (uint32_t n = randombytes_uniform(GRANT_NARROWINGS_MAX + 1); n > 0; n--)
		assert_true(grant_narrow(&g, 1 + randombytes_uniform(6)));
	return g;
}

static struct right
random_right(void)
{
	struct right r = { .tenant = tenants[randombytes_uniform(ARRAY_LEN(tenants))],
			   .role = randombytes_uniform(ROLE_COUNT + 1),
			   .scopes = UINT64_MAX };

	if (randombytes_uniform(2))
		randombytes_buf(&r.scopes, sizeof(r.scopes));
	return r;
}

static bool
narrowed_by(const struct grant *g, uint32_t number)
{
	for (uint32_t i = 0; i < g->nnarrowings; i++)
		if (g->narrowing[i] == number)
			return true;
	return false;
}

static void
has_all_narrowings_of(const struct grant *d, const struct grant *from)
{
	for (uint32_t i = 0; i < from->nnarrowings; i++)
		assert_true(narrowed_by(d, from->narrowing[i]));
}

/* Everything that says what a grant may do. */
static void
is_within(const struct grant *d, const struct grant *parent)
{
	assert_true(parent->tenant == TENANT_PLATFORM || d->tenant == parent->tenant);
	assert_int_equal(d->scopes & ~parent->scopes, 0);
	assert_true(d->masked || !parent->masked);
	assert_true(grant_is_masked(d) || !grant_is_masked(parent));
	assert_true(d->of_token || !parent->of_token);
	assert_true(d->issued_ns >= parent->issued_ns && d->expires_ns <= parent->expires_ns);
	assert_true(d->expires_ns > d->issued_ns);
	has_all_narrowings_of(d, parent);
}

static bool
decides_no_more(const struct grant *d, const struct grant *parent, const struct grant *wanted)
{
	static const char *const owners[] = { NULL, "user:a", "user:b" };
	struct right has[2] = { random_right(), random_right() }, gets = random_right();
	const struct resource r = { .tenant = randombytes_uniform(5) == 0
						  ? TENANT_UNASSIGNED
						  : tenants[randombytes_uniform(ARRAY_LEN(tenants))],
				    .owner = owners[randombytes_uniform(3)],
				    .has = has,
				    .nhas = randombytes_uniform(3),
				    .gets = &gets,
				    .ngets = randombytes_uniform(2) };
	unsigned a = randombytes_uniform(ACTION_COUNT + 1);
	bool yes = policy_decide(d, (enum action)a, &r);

	assert_false(yes && !policy_decide(parent, (enum action)a, &r));
	/* Nor more than what was wanted, where that says whose grant it is. */
	assert_false(yes && wanted->subject[0] != '\0' && !policy_decide(wanted, (enum action)a, &r));
	return yes;
}

static void
derived_never_allows_more(void **state)
{
	unsigned made = 0, yes = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct grant parent = random_grant(), wanted = random_grant(), d = { .role = 77 };

		if (!policy_derive(&parent, &wanted, &d)) {
			assert_int_equal(d.role, 77);
			continue;
		}
		made++;
		is_within(&d, &parent);
		is_within(&d, &wanted);
		assert_string_equal(d.subject, parent.subject);
		assert_memory_equal(d.id, wanted.id, sizeof(d.id));
		assert_true(d.snapshot >= parent.snapshot && d.snapshot >= wanted.snapshot);
		for (int k = 0; k < 20; k++)
			yes += decides_no_more(&d, &parent, &wanted);
	}
	assert_true(made > 1000 && yes > 1000); /* it was about something */
}

/* What derives from itself is itself. */
static void
derived_from_itself(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct grant g = random_grant(), d;

		if (g.expires_ns <= g.issued_ns)
			continue;
		assert_true(policy_derive(&g, &g, &d));
		assert_int_equal(d.role, g.role);
		assert_int_equal(d.tenant, g.tenant);
		assert_true(d.scopes == g.scopes && d.nnarrowings == g.nnarrowings && d.masked == g.masked);
	}
}

static struct grant
plain(uint32_t role, uint32_t tenant)
{
	return (struct grant){ .role = role,
			       .tenant = tenant,
			       .scopes = UINT64_MAX,
			       .issued_ns = NOW,
			       .expires_ns = NOW + 60,
			       .subject = "user:a" };
}

static void
what_it_comes_to(void **state)
{
	struct grant admin = plain(ROLE_PLATFORM_ADMINISTRATOR, TENANT_PLATFORM),
		     one = plain(ROLE_OPERATOR, 7), other = plain(ROLE_VIEWER, 8),
		     auditor = plain(ROLE_AUDITOR, 7), limited = plain(ROLE_LIMITED_VIEWER, 7), d;

	(void)state;
	assert_true(policy_derive(&admin, &one, &d));
	assert_true(d.role == ROLE_OPERATOR && d.tenant == 7);
	assert_true(policy_derive(&one, &admin, &d));
	assert_true(d.role == ROLE_OPERATOR && d.tenant == 7);
	assert_true(policy_derive(&one, &limited, &d));
	assert_int_equal(d.role, ROLE_LIMITED_VIEWER);
	assert_true(policy_derive(&limited, &one, &d));
	assert_int_equal(d.role, ROLE_LIMITED_VIEWER);
	assert_false(policy_derive(&one, &other, &d));   /* another tenant */
	assert_false(policy_derive(&one, &auditor, &d)); /* neither covers the other */
	for (uint32_t i = 1; i <= 3; i++) {
		assert_true(grant_narrow(&one, i));
		assert_true(grant_narrow(&limited, i + 2));
	}
	assert_false(policy_derive(&one, &limited, &d)); /* 1 to 5 */
	limited.nnarrowings = 2;                         /* 3, 4 */
	assert_true(policy_derive(&one, &limited, &d));
	assert_int_equal(d.nnarrowings, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(d.narrowing[i], i + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derived_never_allows_more),
		cmocka_unit_test(derived_from_itself),
		cmocka_unit_test(what_it_comes_to),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
