/* The set of live grants: given out again while they last, bounded, gone with their session. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/clock.h"
#include "grants.h"

#define NOW (INT64_C(1800000000) * NS_PER_S)

static uint8_t public_key[1][GRANT_SIGN_PUBLIC], secret_key[GRANT_SIGN_SECRET];

static const struct grant_words words = { "alice", "acme", true };

static struct grant
example(uint32_t instance)
{
	return (struct grant){ .audience_proc = 6,
			       .audience_instance = instance,
			       .tenant = 1,
			       .role = ROLE_VIEWER,
			       .scopes = UINT64_MAX,
			       .issued_ns = NOW,
			       .expires_ns = NOW + GRANT_LIFE_S * NS_PER_S,
			       .subject = "user:alice" };
}

static void
reused_for_the_same_audience_while_it_lasts(void **state)
{
	struct grants set = { 0 };
	struct holder s = { .expires_ns = INT64_MAX };
	struct grant g = example(0);
	struct live_grant *l;

	(void)state;
	assert_null(grants_reusable(&s, 6, 0, "", NOW));
	l = grants_issue(&set, &g, secret_key, &s, &words);
	assert_non_null(l);
	assert_int_equal(set.count, 1);
	assert_ptr_equal(grants_reusable(&s, 6, 0, "", NOW), l);
	assert_ptr_equal(grants_reusable(&s, 6, 0, "", NOW + 30 * NS_PER_S - 1), l);
	assert_null(grants_reusable(&s, 6, 0, "", NOW + 30 * NS_PER_S));
	assert_null(grants_reusable(&s, 6, 1, "", NOW));
	assert_null(grants_reusable(&s, 1, 0, "", NOW));
	assert_null(
	    grants_reusable(&s, 6, 0, "", NOW - 1)); /* the clock was set back: store would not take it yet */
	s.expires_ns = g.expires_ns;                 /* no later grant could last longer */
	assert_ptr_equal(grants_reusable(&s, 6, 0, "", NOW + 59 * NS_PER_S), l);
	assert_null(grants_reusable(&s, 6, 0, "", NOW + 60 * NS_PER_S));
	assert_int_equal(
	    grant_verify(l->bytes, l->len, (const uint8_t(*)[GRANT_SIGN_PUBLIC])public_key, 1, NOW, &g),
	    GRANT_GOOD);
	assert_memory_equal(g.id, l->live.id, sizeof(g.id));
	assert_string_equal(g.subject, "user:alice");
	/* Asked for by its tenant's name it is the same, by another's it is none. */
	assert_ptr_equal(grants_reusable(&s, 6, 0, "acme", NOW), l);
	assert_null(grants_reusable(&s, 6, 0, "other", NOW));
	l->words.is_default = false;
	assert_null(grants_reusable(&s, 6, 0, "", NOW));
	assert_ptr_equal(grants_find(&set, g.id), l);
	g.id[0] ^= 1;
	assert_null(grants_find(&set, g.id));
	grants_drop(&set, l);
	assert_int_equal(set.count, 0);
	assert_null(s.grants);
}

static uint64_t
rights_of(struct grant g)
{
	struct grants set = { 0 };
	struct live_grant *l = grants_issue(&set, &g, secret_key, NULL, NULL);
	uint64_t rights;

	assert_non_null(l);
	rights = l->rights;
	grants_drop(&set, l);
	return rights;
}

static void
rights_are_what_it_allows(void **state)
{
	struct grant one = example(0), other = example(3), less = one, hidden = one, part = one;

	(void)state;
	other.expires_ns = NOW + NS_PER_S;
	other.snapshot = 7;
	assert_true(rights_of(one) == rights_of(other));
	less.scopes = 1;
	hidden.masked = true;
	assert_true(grant_narrow(&part, 4));
	assert_true(rights_of(one) != rights_of(less));
	assert_true(rights_of(one) != rights_of(hidden));
	assert_true(rights_of(one) != rights_of(part));
	other.role = ROLE_OPERATOR;
	assert_true(rights_of(one) != rights_of(other));
	other = one;
	other.tenant = 2;
	assert_true(rights_of(one) != rights_of(other));
}

static void
a_session_has_few(void **state)
{
	struct grants set = { 0 };
	struct holder s = { .expires_ns = INT64_MAX };

	(void)state;
	for (uint32_t i = 0; i < GRANTS_PER_HOLDER; i++) {
		struct grant g = example(i);

		assert_non_null(grants_issue(&set, &g, secret_key, &s, &words));
	}
	{
		struct grant g = example(99);

		assert_null(grants_issue(&set, &g, secret_key, &s, &words));
		assert_non_null(
		    grants_issue(&set, &g, secret_key, NULL, NULL)); /* the command line has no session */
	}
	assert_int_equal(set.count, GRANTS_PER_HOLDER + 1);
	assert_ptr_equal(grants_surplus(&s)->holder, &s);
	grants_sweep(&set, NOW + 60 * NS_PER_S - 1);
	assert_int_equal(set.count, GRANTS_PER_HOLDER + 1);
	grants_sweep(&set, NOW + 60 * NS_PER_S);
	assert_int_equal(set.count, 0);
	assert_null(set.first);
	assert_null(s.grants);
}

static void
dropped_in_any_order(void **state)
{
	struct grants set = { 0 };
	struct holder s[3] = { 0 };
	struct live_grant *l[12];

	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t n = 12;

		for (uint32_t i = 0; i < n; i++) {
			struct grant g = example(i);

			l[i] = grants_issue(&set, &g, secret_key, i % 4 == 3 ? NULL : &s[i % 4], &words);
			assert_non_null(l[i]);
		}
		while (n > 0) {
			uint32_t i = randombytes_uniform((uint32_t)n);

			grants_drop(&set, l[i]);
			l[i] = l[--n];
			assert_int_equal(set.count, n);
		}
		assert_true(set.first == NULL && s[0].grants == NULL && s[1].grants == NULL &&
			    s[2].grants == NULL);
	}
}

static void
what_cannot_be_is_not_signed(void **state)
{
	struct grants set = { 0 };
	struct grant g = example(0);

	(void)state;
	g.role = ROLE_NONE;
	assert_null(grants_issue(&set, &g, secret_key, NULL, NULL));
	assert_int_equal(set.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reused_for_the_same_audience_while_it_lasts),
		cmocka_unit_test(rights_are_what_it_allows),
		cmocka_unit_test(a_session_has_few),
		cmocka_unit_test(dropped_in_any_order),
		cmocka_unit_test(what_cannot_be_is_not_signed),
	};

	if (sodium_init() < 0)
		return 1;
	crypto_sign_keypair(public_key[0], secret_key);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
