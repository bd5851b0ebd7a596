/* Guessing is slowed down, and nobody is locked out for good. The clock is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/clock.h"
#include "throttle.h"

static struct throttle *t;
static int64_t now;
static struct throttle_attempt attempt;
static uint32_t retry;

static int
open_throttle(void **state)
{
	(void)state;
	t = throttle_new();
	now = 1000 * NS_PER_S;
	return 0;
}

static int
close_throttle(void **state)
{
	(void)state;
	throttle_free(&t);
	return 0;
}

static struct ip_addr
ip(const char *text)
{
	struct ip_addr a;

	assert_true(ip_parse(text, &a));
	return a;
}

static bool
tries(const char *name, const char *from)
{
	struct ip_addr a = ip(from);

	retry = 0;
	return throttle_begin(t, name, &a, now, &attempt, &retry);
}

static void
succeeds(const char *name, const char *from)
{
	assert_true(tries(name, from));
	throttle_succeeded(t, &attempt, now);
}

static void
waits_double_up_to_a_bound(void **state)
{
	uint32_t last = 0;
	unsigned free = 0;

	(void)state;
	while (tries("alice", "192.0.2.1"))
		free++;
	assert_int_equal(free, 6); /* five for nothing, the sixth brings the first wait */
	for (int i = 0; i < 20; i++) {
		assert_false(tries("alice", "192.0.2.1"));
		assert_true(retry >= last / 2 && retry <= 60);
		last = retry;
		/* Asking again during the wait makes it no longer. */
		for (int k = 0; k < 50; k++)
			assert_false(tries("alice", "192.0.2.1"));
		assert_int_equal(retry, last);
		now += (int64_t)retry * NS_PER_S;
		assert_true(tries("alice", "192.0.2.1"));
	}
	assert_true(last >= 30);
}

static void
failures_are_forgotten(void **state)
{
	unsigned free = 0;

	(void)state;
	for (int i = 0; i < 40; i++) {
		(void)tries("alice", "192.0.2.1");
		now += 60 * NS_PER_S / 2;
	}
	now += 3600 * NS_PER_S;
	while (tries("alice", "192.0.2.1"))
		free++;
	assert_int_equal(free, 6);
}

static void
an_address_is_held_back_whatever_the_name(void **state)
{
	unsigned free = 0;
	char name[32];

	(void)state;
	do
		(void)snprintf(name, sizeof(name), "user%u", free);
	while (tries(name, "2001:db8:1:2::1") && ++free < 1000);
	assert_int_equal(free, 11);
	/* The whole /64 is one client; the next one is another. */
	assert_false(tries("someone", "2001:db8:1:2:ffff::9"));
	assert_true(tries("someone", "2001:db8:1:3::1"));
	/* Without a name (the set-up link) too. */
	assert_false(tries(NULL, "2001:db8:1:2::5"));
	assert_true(tries(NULL, "192.0.2.9"));
}

/* Many addresses guess at one account: those that failed are held back, the user is not. */
static void
others_do_not_lock_the_user_out(void **state)
{
	char from[32];
	unsigned let_in = 0;

	(void)state;
	succeeds("alice", "192.0.2.1");
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 100; i++) {
			(void)snprintf(from, sizeof(from), "198.51.100.%d", i);
			let_in += tries("alice", from);
		}
		now += NS_PER_S / 10;
		/* From home, where it worked before, and from a place never seen. */
		succeeds("alice", "192.0.2.1");
		(void)snprintf(from, sizeof(from), "203.0.113.%d", round);
		succeeds("alice", from);
	}
	/* A hundred addresses had one free attempt each, and then the account's waits hold for all of them.
	 */
	assert_true(let_in < 150);
}

/* Behind one address with a guesser: the user who logged in from there before still gets in. */
static void
a_known_user_behind_the_same_address(void **state)
{
	char name[32];

	(void)state;
	succeeds("alice", "192.0.2.1");
	for (int i = 0; i < 30; i++) {
		(void)snprintf(name, sizeof(name), "user%d", i);
		(void)tries(name, "192.0.2.1");
	}
	assert_false(tries("bob", "192.0.2.1"));
	succeeds("alice", "192.0.2.1");
	/* Not for ever: guessing at alice from there is held back too. */
	for (int i = 0; i < 6; i++)
		assert_true(tries("alice", "192.0.2.1"));
	assert_false(tries("alice", "192.0.2.1"));
}

static void
forgiven_attempts_cost_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_true(tries("alice", "192.0.2.1"));
		throttle_forgive(t, &attempt);
	}
	/* An own account does not wash a guesser's address clean. */
	for (int i = 0; i < 10; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "user%d", i);
		assert_true(tries(name, "192.0.2.1"));
		succeeds("mallory", "192.0.2.1");
	}
	assert_true(tries("user11", "192.0.2.1"));
	assert_false(tries("user12", "192.0.2.1"));
}

/* More clients than the tables hold: nothing grows, nothing breaks, and a fresh failure still counts. */
static void
tables_are_bounded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		struct ip_addr a = { { 0x20, 0x01, 0x0d, 0xb8, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
				       (uint8_t)i } };
		char name[32];

		(void)snprintf(name, sizeof(name), "user%u", i);
		(void)throttle_begin(t, name, &a, now, &attempt, &retry);
		now += NS_PER_MS;
	}
	for (int i = 0; i < 6; i++)
		assert_true(tries("alice", "192.0.2.1"));
	assert_false(tries("alice", "192.0.2.1"));
}

static bool
tries_code(const char *name, unsigned network)
{
	struct ip_addr a = { { 0x20, 1, (uint8_t)(network >> 8), (uint8_t)network } };

	retry = 0;
	return throttle_begin_code(t, name, &a, now, &attempt, &retry);
}

/* Who knows the password and has networks without end guesses no faster for that. */
static void
codes_are_guessed_slowly_from_everywhere(void **state)
{
	const struct ip_addr home = ip("192.0.2.1");
	unsigned guesses = 0;

	(void)state;
	succeeds("alice", "192.0.2.1");
	for (unsigned i = 0; i < 3600; i++) {
		guesses += tries_code("alice", i);
		assert_true(retry <= 300);
		now += NS_PER_S;
	}
	assert_true(guesses > 10 && guesses < 40);
	/* The password is another matter, and so is another's code. */
	assert_true(tries("alice", "2001:db8::1"));
	assert_true(tries_code("bob", 1));
	/* Nor does it lock her out where she was before. */
	assert_false(tries_code("alice", 9999));
	assert_true(throttle_begin_code(t, "alice", &home, now, &attempt, &retry));
	throttle_succeeded(t, &attempt, now);
}

static void
random_use_stays_within_bounds(void **state)
{
	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct ip_addr a = { { (uint8_t)randombytes_uniform(6) } };
		char name[2] = { (char)('a' + randombytes_uniform(6)), 0 };
		bool in = throttle_begin(t, randombytes_uniform(5) ? name : NULL, &a, now, &attempt, &retry);

		assert_true(in || (retry >= 1 && retry <= 60));
		if (in && randombytes_uniform(3) == 0)
			throttle_forgive(t, &attempt);
		else if (in && randombytes_uniform(8) == 0)
			throttle_succeeded(t, &attempt, now);
		now += randombytes_uniform(1000) * NS_PER_MS;
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_throttle, close_throttle)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(waits_double_up_to_a_bound),
		TEST(failures_are_forgotten),
		TEST(an_address_is_held_back_whatever_the_name),
		TEST(others_do_not_lock_the_user_out),
		TEST(a_known_user_behind_the_same_address),
		TEST(forgiven_attempts_cost_nothing),
		TEST(codes_are_guessed_slowly_from_everywhere),
		TEST(tables_are_bounded),
		TEST(random_use_stays_within_bounds),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
