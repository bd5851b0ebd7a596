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

#include "audit_log.h"
#include "authd_scratch.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "ipc/boot.h"

static struct accounts_db *accounts;
static struct db *db;
static struct master_id master; /* of a key file that is sealed: none is */
static struct audit *au;
static char key_file[128], tail_file[128], anchor_file[128];
static struct audit_rules rules;

static struct audit *
open_again(struct db_error *e)
{
	accounts = scratch_reopen();
	db = accounts_db_tables(accounts);
	au = audit_open(db, key_file, tail_file, &rules, e);
	return au;
}

static int
open_log(void **state)
{
	struct db_error e = { 0 };

	(void)state;
	accounts = scratch_open();
	accounts_db_close(&accounts);
	(void)snprintf(key_file, sizeof(key_file), "%s.key", scratch_file);
	(void)snprintf(tail_file, sizeof(tail_file), "%s.tail", scratch_file);
	(void)snprintf(anchor_file, sizeof(anchor_file), "%s.anchors", scratch_file);
	rules = (struct audit_rules){ .keep_ns = INT64_MAX / 4, .anchor_interval_ns = 3600 * NS_PER_S };
	rules.anchors = open(anchor_file, O_WRONLY | O_APPEND | O_CREAT, 0600);
	assert_int_not_equal(rules.anchors, -1);
	if (open_again(&e) == NULL)
		fail_msg("%s", e.text);
	assert_int_equal(audit_tick(au, clock_utc_ns()), DB_OK); /* writes the first anchor */
	return 0;
}

static int
close_log(void **state)
{
	(void)state;
	audit_close(&au);
	close(rules.anchors);
	(void)unlink(key_file);
	(void)unlink(tail_file);
	(void)unlink(anchor_file);
	scratch_close(&accounts);
	return 0;
}

/* As if it had been killed: what it had in memory is never looked at again. */
static struct audit *
reopen(struct db_error *e)
{
	static struct audit *dead[256];
	static size_t ndead;

	assert_true(ndead < ARRAY_LEN(dead));
	dead[ndead++] = au;
	accounts_db_close(&accounts);
	return open_again(e);
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
	int fd = open(key_file, O_RDWR);

	(void)state;
	write_some(1);
	assert_int_equal(audit_key_read(fd, NULL, old, &master), AUDIT_KEY_READ);
	/* Both keys are in the file, the log does not name the next. */
	*both = *old;
	both->next_epoch = old->epoch + 1;
	{
		uint8_t pk[32];

		crypto_sign_keypair(pk, both->next_secret);
	}
	assert_true(audit_key_write(fd, NULL, both));
	assert_non_null(reopen(&e));
	write_some(1);
	expect_sound(3);
	/* The log names the next, both are still in the file. */
	assert_int_equal(audit_key_read(fd, NULL, old, &master), AUDIT_KEY_READ);
	assert_int_equal(audit_tick(au, clock_utc_ns() + (AUDIT_EPOCH_S + 1) * NS_PER_S), DB_OK);
	assert_int_equal(audit_key_read(fd, NULL, both, &master), AUDIT_KEY_READ);
	both->next_epoch = both->epoch;
	memcpy(both->next_secret, both->secret, sizeof(both->secret));
	both->epoch = old->epoch;
	memcpy(both->secret, old->secret, sizeof(both->secret));
	assert_true(audit_key_write(fd, NULL, both));
	assert_non_null(reopen(&e));
	write_some(1);
	expect_sound(5);
	assert_int_equal(audit_tick(au, clock_utc_ns()), DB_OK);
	assert_int_equal(audit_key_read(fd, NULL, both, &master), AUDIT_KEY_READ);
	assert_true(both->epoch == 3 && both->next_epoch == 0);
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
	int fd = open(key_file, O_RDWR);

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
	assert_int_equal(audit_key_read(fd, NULL, k, &master), AUDIT_KEY_READ);
	crypto_sign_keypair(pk, k->secret);
	assert_true(audit_key_write(fd, NULL, k));
	assert_null(reopen(&e));
	assert_non_null(strstr(e.text, "is not the key of this audit log"));
	close(fd);
	sodium_free(k);
}

/* --- the tail and anchors --- */

static void
remove_entry(uint64_t n)
{
	struct be64 key = be64_of(n);
	struct txn x = txn_begin(db, true);

	txn_delete(&x, TABLE_AUDIT, be64_bytes(&key));
	assert_int_equal(txn_end(&x), DB_OK);
}

static struct audit_anchor
tail_of(const char *path, unsigned line)
{
	FILE *f = fopen(path, "r");
	char text[AUDIT_ANCHOR_TEXT_MAX];
	struct audit_anchor a;

	assert_non_null(f);
	for (unsigned i = 0; i <= line; i++)
		assert_non_null(fgets(text, sizeof(text), f));
	(void)fclose(f);
	assert_true(audit_anchor_parse(text, strcspn(text, "\n"), &a));
	return a;
}

/* The last entry of all, as a search of the newest finds it. */
static struct audit_entry
last_entry(void)
{
	struct db_bytes key, record;
	struct txn x = txn_begin(db, false);
	struct audit_entry e;
	struct audit_seal s;

	assert_true(txn_last(&x, TABLE_AUDIT, &key, &record));
	assert_true(audit_entry_decode(record.p, record.n, &e, &s));
	assert_int_equal(txn_end(&x), DB_OK);
	return e;
}

/* Entries of the running epoch that are cut off show by the tail, and authd says so when it starts. */
static void
cut_off_end_is_found(void **state)
{
	struct db_error error = { 0 };
	struct audit_entry e;
	uint64_t n;

	(void)state;
	write_some(5);
	assert_int_equal(audit_tick(au, clock_utc_ns()), DB_OK);
	assert_int_equal(tail_of(tail_file, 0).sequence, 6);
	remove_entry(6);
	remove_entry(5);
	assert_non_null(reopen(&error));
	e = last_entry();
	assert_int_equal(e.kind, AUDIT_FAULT);
	assert_non_null(strstr(e.detail, "the entries 5 to 6 are cut off"));
	assert_int_equal(e.sequence, 5);
	assert_int_equal(audit_tick(au, clock_utc_ns()), DB_OK);
	/* And it is said once: the log has it now. */
	assert_non_null(reopen(&error));
	assert_true(last_entry().kind == AUDIT_EPOCH);

	/* Past the end of an epoch: the key in the file is then not the one that the log names. */
	write_some(3);
	assert_int_equal(audit_epoch_end(au), DB_OK);
	assert_int_equal(audit_tick(au, clock_utc_ns()), DB_OK);
	n = last_entry().sequence;
	remove_entry(n);
	assert_non_null(reopen(&error));
	e = last_entry();
	assert_int_equal(e.kind, AUDIT_FAULT);
	assert_non_null(strstr(e.detail, "is cut off"));
	assert_int_equal(verify().found.fault, AUDIT_NEW_KEY);
}

static void
edited_entry_is_told_at_the_start(void **state)
{
	struct be64 key = be64_of(3);
	struct txn x;
	uint8_t record[AUDIT_RECORD_MAX];
	struct db_error error = { 0 };
	struct db_bytes v;
	size_t n;

	(void)state;
	write_some(5);
	x = txn_begin(db, true);
	assert_true(txn_get(&x, TABLE_AUDIT, be64_bytes(&key), &v));
	n = v.n;
	memcpy(record, v.p, n);
	record[n - 1] ^= 1;
	txn_put(&x, TABLE_AUDIT, be64_bytes(&key), db_bytes(record, n));
	assert_int_equal(txn_end(&x), DB_OK);
	assert_int_equal(verify().found.sequence, 3);
	assert_non_null(reopen(&error));
	assert_int_equal(last_entry().kind, AUDIT_FAULT);
}

/* One at the first tick, then at the interval, on request and at the end; each holds for the log. */
static void
anchors_are_written(void **state)
{
	struct audit_anchor a[3], asked;
	struct db_error error = { 0 };
	struct audit_walk w;

	(void)state;
	write_some(2);
	assert_int_equal(audit_tick(au, clock_utc_ns()), DB_OK);
	a[0] = tail_of(anchor_file, 0);
	assert_true(a[0].sequence == 1 && a[0].epoch == 1);
	assert_int_equal(audit_tick(au, clock_utc_ns() + 3601 * NS_PER_S), DB_OK);
	a[1] = tail_of(anchor_file, 1);
	assert_true(a[1].sequence == 4 && a[1].epoch == 2); /* begun, two entries, the epoch's end */
	assert_int_equal(audit_anchor_now(au, &asked), DB_OK);
	a[2] = tail_of(anchor_file, 2);
	assert_memory_equal(&a[2].signature, asked.signature, sizeof(asked.signature));
	write_some(1);
	audit_close(&au);
	assert_int_equal(tail_of(anchor_file, 3).sequence, last_entry().sequence);
	assert_int_equal(tail_of(tail_file, 0).sequence, last_entry().sequence);
	w = verify();
	assert_int_equal(w.found.fault, AUDIT_SOUND);
	a[0] = tail_of(anchor_file, 3);
	assert_true(audit_anchor_holds(&w, &a[0]));
	a[0].hash[5] ^= 1;
	assert_false(audit_anchor_holds(&w, &a[0]));
	accounts_db_close(&accounts);
	assert_non_null(open_again(&error));
}

/* --- retention --- */

static void
old_entries_go_epoch_by_epoch(void **state)
{
	struct audit_walk w;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct audit_anchor a;

		write_some(10);
		assert_int_equal(audit_anchor_now(au, &a), DB_OK);
	}
	write_some(3);
	w = verify();
	assert_true(w.first == 1 && w.head.epoch == 4);
	au->rules.keep_ns = 3600 * NS_PER_S;
	assert_int_equal(audit_trim_tick(au, clock_utc_ns()), DB_OK); /* nothing is old enough */
	assert_int_equal(verify().first, 1);
	assert_int_equal(audit_trim_tick(au, clock_utc_ns() + 2 * 3600 * NS_PER_S), DB_OK);
	w = verify();
	assert_string_equal(w.found.text, "");
	assert_int_equal(w.first, 34); /* the third end of an epoch */
	assert_int_equal(last_entry().kind, AUDIT_TRIMMED);
	assert_string_equal(last_entry().subject, "entry:34");
	/* What was trimmed by hand is not what was trimmed. */
	remove_entry(34);
	remove_entry(35);
	w = verify();
	assert_int_equal(w.found.fault, AUDIT_NO_START);
}

/* --- failures --- */

static void
floods_are_counted(void **state)
{
	struct audit_entry e = audit_entry_of(AUDIT_LOGIN_FAILED, AUDIT_REFUSED, "unknown", "");
	uint64_t before;

	(void)state;
	e.has_address = true;
	assert_true(ip_parse("192.0.2.1", &e.address));
	for (int i = 0; i < 100000; i++)
		assert_int_equal(audit_failure(au, &e, i >= 7), DB_OK);
	assert_int_equal(last_entry().sequence, 8);
	au->flood.begun_ns -= 61 * NS_PER_S;
	before = last_entry().sequence;
	assert_int_equal(audit_tick(au, clock_utc_ns()), DB_OK);
	assert_int_equal(last_entry().sequence, before + 1);
	{
		struct be64 key = be64_of(before + 1);
		struct txn x = txn_begin(db, false);
		struct db_bytes v;
		struct audit_seal s;

		assert_true(txn_get(&x, TABLE_AUDIT, be64_bytes(&key), &v));
		assert_true(audit_entry_decode(v.p, v.n, &e, &s));
		assert_int_equal(txn_end(&x), DB_OK);
	}
	assert_int_equal(e.kind, AUDIT_LOGIN_FAILED);
	assert_non_null(strstr(e.detail, "99993 more attempts"));
	assert_true(e.has_address);
}

/* --- reading --- */

static unsigned
occurrences(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static const char *
list(struct json_writer *w, const struct audit_query *q, enum db_status expected)
{
	size_t len;
	const char *text;

	json_reset(w);
	assert_int_equal(audit_list(au, q, w, NULL), expected);
	text = expected == DB_OK ? json_text(w, &len) : NULL;
	assert_true(text != NULL || expected != DB_OK);
	return text;
}

static void
write_of(uint32_t tenant, const char *actor, enum audit_kind kind)
{
	struct audit_entry e = audit_entry_of(kind, AUDIT_DONE, actor, "user:\"x\"");

	e.tenant = tenant;
	assert_int_equal(audit_write(au, &e), DB_OK);
}

static void
filters_and_pages(void **state)
{
	struct audit_query q = { .to_ns = INT64_MAX, .limit = 10 };
	struct json_writer *w = json_new(1 << 20);
	unsigned pages = 0, entries = 0;
	const char *text, *cursor;

	(void)state;
	for (unsigned i = 0; i < 47; i++)
		write_of(i % 3, i % 2 ? "user:alice" : "user:bob", i % 5 ? AUDIT_LOGIN : AUDIT_TOKEN_ADDED);
	do {
		text = list(w, &q, DB_OK);
		entries += occurrences(text, "\"kind\":");
		pages++;
		cursor = strstr(text, "\"cursor\":\"");
		if (cursor != NULL)
			assert_int_equal(sscanf(cursor, "\"cursor\":\"%103[0-9a-f]\"", q.cursor), 1);
	} while (cursor != NULL);
	assert_int_equal(entries, 48);
	assert_int_equal(pages, 5);

	q = (struct audit_query){ .to_ns = INT64_MAX, .limit = 100, .kind = AUDIT_TOKEN_ADDED };
	assert_int_equal(occurrences(list(w, &q, DB_OK), "\"kind\":\"token_added\""), 10);
	(void)str_copy(q.actor, sizeof(q.actor), "user:alice");
	assert_int_equal(occurrences(list(w, &q, DB_OK), "\"actor\":\"user:alice\""), 5);
	q = (struct audit_query){ .to_ns = INT64_MAX, .limit = 100, .one_tenant = true, .tenant = 2 };
	text = list(w, &q, DB_OK);
	assert_int_equal(occurrences(text, "\"kind\":"), 15);
	assert_null(strstr(text, "sequence"));
	q = (struct audit_query){ .to_ns = INT64_MAX, .limit = 100, .from_ns = clock_utc_ns() + NS_PER_S };
	assert_int_equal(occurrences(list(w, &q, DB_OK), "\"kind\":"), 0);
	q = (struct audit_query){ .to_ns = 1, .limit = 100 };
	assert_int_equal(occurrences(list(w, &q, DB_OK), "\"kind\":"), 0);
	q = (struct audit_query){ .to_ns = INT64_MAX, .limit = 100, .cursor = "00112233" };
	(void)list(w, &q, DB_NONE);
	json_free(&w);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_log, close_log)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(entry_and_change_are_one),
		TEST(log_goes_on_after_a_restart),
		TEST(epoch_ends_and_its_key_is_gone),
		TEST(each_crash_of_an_epochs_end_is_mended),
		TEST(lost_key_begins_anew_and_is_told),
		TEST(wrong_or_damaged_key_is_refused),
		TEST(cut_off_end_is_found),
		TEST(edited_entry_is_told_at_the_start),
		TEST(anchors_are_written),
		TEST(old_entries_go_epoch_by_epoch),
		TEST(floods_are_counted),
		TEST(filters_and_pages),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
