/* Names that store has weir-dial ask for: whose, and what of its answers is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "store.h"

static struct boot boot;
static struct store store;

static int
set_up(void **state)
{
	(void)state;
	memset(&boot, 0, sizeof(boot));
	memset(&store, 0, sizeof(store));
	settings_default(&boot.settings);
	store.boot = &boot;
	return sodium_init() == -1;
}

static int
tear_down(void **state)
{
	(void)state;
	resolve_free(&store.resolve);
	return 0;
}

static void
test_wants_what_the_setting_says(void **state)
{
	(void)state;
	assert_null(resolve_new(&store));
	boot.settings.dns_mode = DNS_MODE_ALL;
	boot.flags = BOOT_ANALYZE;
	assert_null(resolve_new(&store));
	boot.flags = 0;
	store.resolve = resolve_new(&store);
	assert_non_null(store.resolve);
	/* Without weir-dial nothing waits, and nothing is lost by its going. */
	resolve_host(&store, &(struct host){ .local = true });
	resolve_turn(&store);
	resolve_lost(&store);
	assert_int_equal(store.counters.n[OWN_UNRESOLVED], 0);
}

static void
test_believes_no_lie(void **state)
{
	struct wire_name_told w = { .ticket = 3, .len = 1, .name = "x" };

	(void)state;
	assert_false(resolve_told(&store, &w)); /* nobody asks */
	boot.settings.dns_mode = DNS_MODE_LOCAL;
	store.resolve = resolve_new(&store);
	assert_true(resolve_told(&store, &w)); /* of an earlier store, perhaps */
	w.ticket = NAME_ASKS;
	assert_false(resolve_told(&store, &w));
	w.ticket = 3;
	w.len = HOST_NAME_MAX_LEN + 1;
	assert_false(resolve_told(&store, &w));
	w.len = 1;
	w.reserved = 1;
	assert_false(resolve_told(&store, &w));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_wants_what_the_setting_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_believes_no_lie, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("store_resolve", tests, NULL, NULL);
}
