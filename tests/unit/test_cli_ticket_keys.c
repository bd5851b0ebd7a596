/* Keys of TLS session tickets: when they change, and what is still taken then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "ticket_keys.h"

#define START_MS 5000

static struct ticket_keys t;

static int
make(void **state)
{
	(void)state;
	return sodium_init() >= 0 && ticket_keys_open(&t) ? 0 : -1;
}

static int
drop(void **state)
{
	(void)state;
	ticket_keys_close(&t);
	return 0;
}

static void
an_hour_makes_another(void **state)
{
	uint8_t first[TICKET_KEY_BYTES], second[TICKET_KEY_BYTES];

	(void)state;
	memcpy(first, t.keys->key[0], sizeof(first));
	assert_int_equal(t.keys->n, 1);
	assert_false(ticket_keys_look(&t, START_MS)); /* its hour begins */
	assert_false(ticket_keys_look(&t, START_MS + TICKET_KEYS_LIFE_MS - 1));
	assert_memory_equal(t.keys->key[0], first, sizeof(first));

	assert_true(ticket_keys_look(&t, START_MS + TICKET_KEYS_LIFE_MS));
	assert_int_equal(t.keys->n, 2);
	assert_memory_not_equal(t.keys->key[0], first, sizeof(first));
	assert_memory_equal(t.keys->key[1], first, sizeof(first));
	memcpy(second, t.keys->key[0], sizeof(second));
	assert_false(ticket_keys_look(&t, START_MS + TICKET_KEYS_LIFE_MS + 1));

	/* Of the first one nothing is left. */
	assert_true(ticket_keys_look(&t, START_MS + 2 * (int64_t)TICKET_KEYS_LIFE_MS));
	assert_memory_equal(t.keys->key[1], second, sizeof(second));
	assert_memory_not_equal(t.keys->key[0], first, sizeof(first));
}

static void
renewing_forgets_both(void **state)
{
	struct wire_ticket_keys before;

	(void)state;
	(void)ticket_keys_look(&t, START_MS);
	assert_true(ticket_keys_look(&t, START_MS + TICKET_KEYS_LIFE_MS));
	before = *t.keys;
	ticket_keys_renew(&t);
	assert_int_equal(t.keys->n, 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_memory_not_equal(t.keys->key[0], before.key[i], TICKET_KEY_BYTES);
		assert_memory_not_equal(t.keys->key[1], before.key[i], TICKET_KEY_BYTES);
	}
	/* Its hour begins at the next look. */
	assert_false(ticket_keys_look(&t, START_MS + 3 * (int64_t)TICKET_KEYS_LIFE_MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_hour_makes_another, make, drop),
		cmocka_unit_test_setup_teardown(renewing_forgets_both, make, drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
