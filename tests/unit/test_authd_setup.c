/* The set-up secret: one at a time, nothing but it, and gone when it is done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "setup.h"

static void
only_the_last_secret(void **state)
{
	struct setup s = { 0 };
	uint8_t first[SETUP_SECRET_BYTES], second[SETUP_SECRET_BYTES], zero[SETUP_SECRET_BYTES] = { 0 };

	(void)state;
	assert_false(setup_matches(&s, zero));
	setup_arm(&s, first);
	assert_true(setup_matches(&s, first));
	assert_false(setup_matches(&s, zero));
	setup_arm(&s, second);
	assert_false(setup_matches(&s, first));
	assert_true(setup_matches(&s, second));
	assert_memory_not_equal(s.hash, second, sizeof(second)); /* only its hash is kept */
	setup_disarm(&s);
	assert_false(setup_matches(&s, second));
}

static void
each_bit_counts(void **state)
{
	struct setup s = { 0 };
	uint8_t secret[SETUP_SECRET_BYTES];

	(void)state;
	setup_arm(&s, secret);
	for (size_t i = 0; i < sizeof(secret) * 8; i++) {
		secret[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_false(setup_matches(&s, secret));
		secret[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_last_secret),
		cmocka_unit_test(each_bit_counts),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
