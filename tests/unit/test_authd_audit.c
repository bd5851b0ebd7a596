/* The audit log on disk: with each change or not at all, and with a key that is gone once its epoch is over.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "audit.h"
#include "audit/chain.h"
#include "audit_key.h"
#include "authd_scratch.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ipc/boot.h"

static struct accounts_db *accounts;
static struct db *db;
static struct audit *au;
static char key_file[128];

static int
open_log(void **state)
{
	struct db_error e = { 0 };

	(void)state;
	accounts = scratch_open();
	db = accounts_db_tables(accounts);
	(void)snprintf(key_file, sizeof(key_file), "%s.key", scratch_file);
	au = audit_open(db, key_file, &e);
	assert_non_null(au);
	return 0;
}

static int
close_log(void **state)
{
	(void)state;
	audit_close(&au);
	(void)unlink(key_file);
	scratch_close(&accounts);
	return 0;
}

static struct audit *
reopen(struct db_error *e)
{
	audit_close(&au);
	accounts_db_close(&accounts);
	accounts = scratch_reopen();
	db = accounts_db_tables(accounts);
	au = audit_open(db, key_file, e);
	return au;
}

static bool
step(void *ctx, struct db_bytes key, struct db_bytes record)
{
	struct audit_entry e;
	uint64_t n;

	return be64_read(key, &n) && audit_walk_step(ctx, n, record.p, record.n, true, &e);
}

static struct audit_walk
verify(void)
{
	struct be64 from = be64_of(0);
	struct txn x = txn_begin(db, false);
	struct audit_walk w = { 0 };

	txn_walk(&x, TABLE_AUDIT, be64_bytes(&from), false, step, &w);
	(void)audit_walk_end(&w);
	assert_int_equal(txn_end(&x), DB_OK);
	return w;
}

static void
expect_sound(uint64_t entries)
{
	struct audit_walk w = verify();

	assert_string_equal(w.found.text, "");
	assert_int_equal(w.head.sequence, entries);
}

static void
write_some(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct audit_entry e = audit_entry_of(AUDIT_LOGIN, AUDIT_DONE, "user:alice", "");

		assert_int_equal(audit_write(au, &e), DB_OK);
	}
}

static void
entry_and_change_are_one(void **state)
{
	struct audit_entry e = audit_entry_of(AUDIT_USER_ADDED, AUDIT_DONE, "cli:0", "user:bob");
	struct db_bytes v;
	struct txn x = txn_begin(db, true);

	(void)state;
	txn_put(&x, TABLE_META, db_bytes("test", 4), db_bytes("1", 1));
	audit_detail(&e, "%s", "role viewer");
	audit_add(au, &x, &e);
	assert_int_equal(e.sequence, 2);
	audit_add(au, &x, &e); /* more than one in a transaction */
	assert_int_equal(e.sequence, 3);
	assert_int_equal(txn_end(&x), DB_OK);
	expect_sound(3);

	x = txn_begin(db, true);
	txn_put(&x, TABLE_META, db_bytes("test", 4), db_bytes("2", 1));
	audit_add(au, &x, &e);
	txn_fail(&x, DB_EXISTS);
	assert_int_equal(txn_end(&x), DB_EXISTS);
	expect_sound(3);
	x = txn_begin(db, false);
	assert_true(txn_get(&x, TABLE_META, db_bytes("test", 4), &v) && memcmp(v.p, "1", 1) == 0);
	assert_int_equal(txn_end(&x), DB_OK);
	/* What is no entry fails the change. */
	x = txn_begin(db, true);
	e.actor[0] = '\0';
	audit_add(au, &x, &e);
	assert_int_equal(txn_end(&x), DB_BROKEN);
	expect_sound(3);
}

static void
log_goes_on_after_a_restart(void **state)
{
	struct db_error e = { 0 };

	(void)state;
	for (uint64_t i = 1; i < 5; i++) {
		write_some(1);
		assert_non_null(reopen(&e));
		expect_sound(1 + i);
	}
}

/* By number and by age; one that is empty does not end. Its key is then nowhere in the file. */
static void
epoch_ends_and_its_key_is_gone(void **state)
{
	int64_t now = clock_utc_ns();
	uint8_t before[512], after[512];
	int fd = open(key_file, O_RDONLY);

	(void)state;
	assert_int_equal(pread(fd, before, sizeof(before), 0), sizeof(before));
	assert_int_equal(audit_tick(au, now + (AUDIT_EPOCH_S + 1) * NS_PER_S), DB_OK);
	expect_sound(1);
	write_some(1);
	assert_int_equal(audit_tick(au, clock_utc_ns()), DB_OK);
	expect_sound(2);
	assert_int_equal(audit_tick(au, now + (AUDIT_EPOCH_S + 1) * NS_PER_S), DB_OK);
	expect_sound(3);
	assert_int_equal(verify().head.epoch, 2);
	assert_int_equal(pread(fd, after, sizeof(after), 0), sizeof(after));
	assert_null(memmem(after, sizeof(after), before + 12, 32)); /* the secret half */
	write_some(AUDIT_EPOCH_ENTRIES);
	assert_int_equal(audit_tick(au, clock_utc_ns()), DB_OK);
	assert_int_equal(verify().head.epoch, 3);
	expect_sound(4 + AUDIT_EPOCH_ENTRIES);
	close(fd);
}

/* A crash anywhere between the key file and the log: the log goes on in each case. */
static void
each_crash_of_an_epochs_end_is_mended(void **state)
{
	struct audit_key *old = sodium_malloc(sizeof(*old)), *both = sodium_malloc(sizeof(*both));
	struct db_error e = { 0 };
	int fd = audit_key_open(key_file);

	(void)state;
	write_some(1);
	assert_int_equal(audit_key_read(fd, old), AUDIT_KEY_READ);
	/* Both keys are in the file, the log does not name the next. */
	*both = *old;
	both->next_epoch = old->epoch + 1;
	{
		uint8_t pk[32];

		crypto_sign_keypair(pk, both->next_secret);
	}
	assert_true(audit_key_write(fd, both));
	assert_non_null(reopen(&e));
	write_some(1);
	expect_sound(3);
	/* The log names the next, both are still in the file. */
	assert_int_equal(audit_key_read(fd, old), AUDIT_KEY_READ);
	assert_int_equal(audit_tick(au, clock_utc_ns() + (AUDIT_EPOCH_S + 1) * NS_PER_S), DB_OK);
	assert_int_equal(audit_key_read(fd, both), AUDIT_KEY_READ);
	both->next_epoch = both->epoch;
	memcpy(both->next_secret, both->secret, sizeof(both->secret));
	both->epoch = old->epoch;
	memcpy(both->secret, old->secret, sizeof(both->secret));
	assert_true(audit_key_write(fd, both));
	assert_non_null(reopen(&e));
	write_some(1);
	expect_sound(5);
	assert_int_equal(audit_tick(au, clock_utc_ns()), DB_OK);
	assert_int_equal(audit_key_read(fd, both), AUDIT_KEY_READ);
	assert_true(both->epoch == 2 && both->next_epoch == 0);
	close(fd);
	sodium_free(old);
	sodium_free(both);
}

static void
lost_key_begins_anew_and_is_told(void **state)
{
	struct db_error e = { 0 };
	struct audit_walk w;

	(void)state;
	write_some(2);
	assert_int_equal(unlink(key_file), 0);
	assert_non_null(reopen(&e));
	write_some(1);
	w = verify();
	assert_int_equal(w.found.fault, AUDIT_NEW_KEY);
	assert_int_equal(w.found.sequence, 4);
	assert_int_equal(w.head.sequence, 5);
}

static void
wrong_or_damaged_key_is_refused(void **state)
{
	struct db_error e = { 0 };
	struct audit_key *k = sodium_malloc(sizeof(*k));
	uint8_t pk[32], byte;
	struct stat st;
	int fd = audit_key_open(key_file);

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_size == 512 && (st.st_mode & 07777) == 0600);
	write_some(2);
	for (off_t at = 0; at < 180; at += 7) {
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		assert_null(reopen(&e));
		assert_int_equal(e.status, EXIT_BAD_INPUT);
		assert_non_null(strstr(e.text, "move it away"));
		byte ^= 1;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	assert_int_equal(audit_key_read(fd, k), AUDIT_KEY_READ);
	crypto_sign_keypair(pk, k->secret);
	assert_true(audit_key_write(fd, k));
	assert_null(reopen(&e));
	assert_non_null(strstr(e.text, "is not the key of this audit log"));
	close(fd);
	sodium_free(k);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_log, close_log)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(entry_and_change_are_one),         TEST(log_goes_on_after_a_restart),
		TEST(epoch_ends_and_its_key_is_gone),   TEST(each_crash_of_an_epochs_end_is_mended),
		TEST(lost_key_begins_anew_and_is_told), TEST(wrong_or_damaged_key_is_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
