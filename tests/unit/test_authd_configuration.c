/* What the configuration was at the last start, and the entry that says which keys of it are others now. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "authd_scratch.h"
#include "base/clock.h"
#include "configuration.h"

static struct accounts_db *accounts;
static struct db *db;
static struct audit *au;
static char key_file[128], tail_file[128];
static struct settings settings;

static int
open_all(void **state)
{
	const struct audit_rules rules = { INT64_MAX / 4, 3600 * NS_PER_S, -1 };
	struct db_error e = { 0 };

	(void)state;
	accounts = scratch_open();
	db = accounts_db_tables(accounts);
	(void)snprintf(key_file, sizeof(key_file), "%s.key", scratch_file);
	(void)snprintf(tail_file, sizeof(tail_file), "%s.tail", scratch_file);
	au = audit_open(db, key_file, tail_file, &rules, &e);
	if (au == NULL)
		fail_msg("%s", e.text);
	settings_default(&settings);
	assert_int_equal(configuration_note(au, db, &settings), DB_OK);
	return 0;
}

static int
close_all(void **state)
{
	(void)state;
	audit_close(&au);
	(void)unlink(key_file);
	(void)unlink(tail_file);
	scratch_close(&accounts);
	return 0;
}

/* The detail of the last entry where it is of a change, "" where it is of anything else. */
static const char *
told(void)
{
	static struct audit_entry e;
	struct txn x = txn_begin(db, false);
	struct db_bytes key, record;
	struct audit_seal seal;

	assert_true(txn_last(&x, TABLE_AUDIT, &key, &record));
	assert_true(audit_entry_decode(record.p, record.n, &e, &seal));
	assert_int_equal(txn_end(&x), DB_OK);
	if (e.kind != AUDIT_CONFIGURATION_CHANGED)
		return "";
	assert_string_equal(e.actor, "system");
	assert_string_equal(e.subject, "weir.yaml");
	return e.detail;
}

static size_t
entries(void)
{
	struct txn x = txn_begin(db, false);
	size_t n = txn_count(&x, TABLE_AUDIT);

	assert_int_equal(txn_end(&x), DB_OK);
	return n;
}

static void
set(const char *key, const char *value)
{
	char err[200];

	if (!settings_set(&settings, key, value, err, sizeof(err)))
		fail_msg("%s", err);
}

static void
start_tells(const char *detail)
{
	size_t before = entries();

	assert_int_equal(configuration_note(au, db, &settings), DB_OK);
	assert_string_equal(told(), detail);
	assert_int_equal(entries(), before + (detail[0] != '\0'));
	assert_int_equal(configuration_note(au, db, &settings), DB_OK); /* once */
	assert_int_equal(entries(), before + (detail[0] != '\0'));
}

static void
what_did_not_change_is_not_told(void **state)
{
	(void)state;
	start_tells(""); /* nor was the first start */
	set("name", "another");
	set("name", "weir");
	start_tells(""); /* whatever stands behind the text's end */
}

static void
keys_that_changed_are_named(void **state)
{
	(void)state;
	set("engine.flows", "2048");
	start_tells("engine.flows");
	set("interfaces", "eth1");
	set("engine.dpi", "no");
	set("name", "secret");
	start_tells("name, interfaces, engine.dpi");
	set("interfaces", "eth2");
	start_tells("interfaces");
	settings_clear_list(&settings, "interfaces");
	set("interfaces", "eth2");
	set("interfaces", "eth1");
	start_tells("interfaces"); /* in another order */
}

static void
keep(const char *key, uint8_t version)
{
	uint8_t record[33] = { version };
	struct txn x = txn_begin(db, true);

	txn_put(&x, TABLE_CONFIGURATION, db_bytes(key, strlen(key)), db_bytes(record, sizeof(record)));
	assert_int_equal(txn_end(&x), DB_OK);
}

static void
keys_come_and_go(void **state)
{
	struct txn x = txn_begin(db, true);

	(void)state;
	txn_delete(&x, TABLE_CONFIGURATION, db_bytes("log_level", 9));
	assert_int_equal(txn_end(&x), DB_OK);
	keep("engine.of_old", 1);
	start_tells("log_level, engine.of_old");
}

static void
more_than_fit_are_counted(void **state)
{
	char key[64];
	const char *more;

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(key, sizeof(key), "gone.with_a_name_of_some_length_%02u", i);
		keep(key, 1);
	}
	assert_int_equal(configuration_note(au, db, &settings), DB_OK);
	more = strstr(told(), ", and ");
	assert_non_null(more);
	assert_string_equal(more, ", and 27 more"); /* 13 of 35 bytes fit */
}

static void
damage_is_found_when_it_is_opened(void **state)
{
	struct db_error e;

	(void)state;
	audit_close(&au);
	accounts_db_close(&accounts);
	accounts = scratch_reopen(); /* every key of today's is good */
	db = accounts_db_tables(accounts);
	keep("engine.flows", 2);
	accounts_db_close(&accounts);
	assert_null(accounts_db_open(scratch_file, NULL, &e));
	assert_non_null(strstr(e.text, "damaged"));
}

static void
only_records_that_can_be_are_good(void **state)
{
	const uint8_t good[34] = { 1 }, bad[33] = { 0 };

	(void)state;
	assert_true(configuration_good(db_bytes("a.b_9", 5), db_bytes(good, 33)));
	assert_false(configuration_good(db_bytes("a.b_9", 5), db_bytes(good, 32)));
	assert_false(configuration_good(db_bytes("a.b_9", 5), db_bytes(good, 34)));
	assert_false(configuration_good(db_bytes("a.b_9", 5), db_bytes(bad, 33)));
	assert_false(configuration_good(db_bytes("a.b_9", 5), db_bytes(good, 0)));
	assert_false(configuration_good(db_bytes("", 0), db_bytes(good, 33)));
	assert_false(configuration_good(db_bytes("a\n", 2), db_bytes(good, 33)));
	assert_false(configuration_good(
	    db_bytes("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 65),
	    db_bytes(good, 33)));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_did_not_change_is_not_told),
		TEST(keys_that_changed_are_named),
		TEST(keys_come_and_go),
		TEST(more_than_fit_are_counted),
		TEST(damage_is_found_when_it_is_opened),
		cmocka_unit_test(only_records_that_can_be_are_good),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
