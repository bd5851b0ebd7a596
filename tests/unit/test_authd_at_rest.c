/* The database of accounts with a master key: what lies on disk, who opens it, and what a death leaves. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "accounts.h"
#include "audit.h"
#include "audit_key.h"
#include "authd_scratch.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ipc/boot.h"
#include "policy/role.h"
#include "rows.h"
#include "signing.h"

#define HASH  "$argon2id$v=19$m=65536,t=3,p=1$kept-from-strangers"
#define USERS 40

static struct accounts_db *db;
static struct master_keys first, second, both;
static const uint8_t seed[TOTP_SECRET_LEN] = "a seed that is known";
static uint8_t signing[64];
static char key_file[128], tail_file[128];

static struct master_keys
drawn(void)
{
	struct master_keys k = { .n = 1 };

	master_draw(&k.key[0]);
	return k;
}

static int
begin(void **state)
{
	(void)state;
	first = drawn();
	second = drawn();
	both = second;
	both.key[both.n++] = first.key[0];
	db = NULL;
	scratch_make();
	(void)snprintf(key_file, sizeof(key_file), "%s.key", scratch_file);
	(void)snprintf(tail_file, sizeof(tail_file), "%s.tail", scratch_file);
	return 0;
}

static int
end(void **state)
{
	char new[128];

	(void)state;
	(void)snprintf(new, sizeof(new), "%s-new", scratch_file);
	(void)unlink(new);
	(void)unlink(key_file);
	(void)unlink(tail_file);
	scratch_close(&db);
	return 0;
}

/* With nobody's word but the error's. */
static const char *
opened(const struct master_keys *keys)
{
	static struct db_error e;

	memset(&e, 0, sizeof(e));
	accounts_db_close(&db);
	db = accounts_db_open(scratch_file, keys, &e);
	return db == NULL ? e.text : "";
}

static void
must_open(const struct master_keys *keys)
{
	const char *why = opened(keys);

	if (db == NULL)
		fail_msg("%s", why);
}

static void
add_users(void)
{
	struct factor_record f = { .kind = FACTOR_TOTP, .confirmed = true, .created_ns = 1 };
	struct signing s = { 0 };

	for (unsigned i = 0; i < USERS; i++) {
		struct account a = scratch_account("");
		struct txn x;

		(void)snprintf(a.name, sizeof(a.name), "user-%u", i);
		(void)snprintf(a.hash, sizeof(a.hash), "%s", HASH);
		assert_int_equal(scratch_create(db, &a, TENANT_PLATFORM, ROLE_PLATFORM_ADMINISTRATOR, NULL),
				 DB_OK);
		memcpy(f.secret, seed, sizeof(f.secret));
		x = txn_begin(accounts_db_tables(db), true);
		factor_write(&x, a.number, &f);
		assert_int_equal(txn_end(&x), DB_OK);
	}
	assert_true(signing_load(&s, db, clock_utc_ns()));
	memcpy(signing, signing_secret(&s), sizeof(signing));
	signing_forget(&s);
}

/* Everything is there, and says what it said. */
static void
users_are_there(void)
{
	struct txn x = txn_begin(accounts_db_tables(db), false);
	struct signing_record s;

	assert_int_equal(txn_count(&x, TABLE_ACCOUNTS), USERS);
	for (unsigned i = 0; i < USERS; i++) {
		struct factor_record f;
		struct account a;

		account_read(&x, i + 1, &a);
		assert_int_equal(x.rc, 0);
		assert_string_equal(a.hash, HASH);
		assert_true(factor_look(&x, i + 1, &f));
		assert_memory_equal(f.secret, seed, sizeof(seed));
	}
	assert_int_equal(txn_end(&x), DB_OK);
	assert_int_equal(accounts_db_signing(db, &s), DB_OK);
	assert_memory_equal(s.secret, signing, sizeof(signing));
}

/* How often bytes stand in a file. */
static size_t
count(const char *path, const void *bytes, size_t n)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	char *all;
	size_t found = 0;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	all = malloc((size_t)st.st_size + 1);
	assert_non_null(all);
	assert_int_equal(fread(all, 1, (size_t)st.st_size, f), st.st_size);
	(void)fclose(f);
	for (char *at = all; (at = memmem(at, (size_t)(all + st.st_size - at), bytes, n)) != NULL; at++)
		found++;
	free(all);
	return found;
}

static size_t
secrets_on_disk(void)
{
	return count(scratch_file, HASH, strlen(HASH)) + count(scratch_file, seed, sizeof(seed)) +
	       count(scratch_file, signing, 32);
}

static size_t
sealed_rows(const struct master_keys *k)
{
	uint8_t mark[1 + MASTER_ID_BYTES] = { 0xb5 };

	memcpy(mark + 1, k->key[0].id.b, MASTER_ID_BYTES);
	return count(scratch_file, mark, sizeof(mark));
}

static void
new_database_is_sealed_from_its_first_row(void **state)
{
	(void)state;
	must_open(&first);
	assert_false(accounts_db_at_rest(db)->sealed || accounts_db_at_rest(db)->had);
	add_users();
	must_open(&first);
	assert_true(!accounts_db_at_rest(db)->sealed && accounts_db_at_rest(db)->had);
	users_are_there();
	accounts_db_close(&db);
	assert_int_equal(secrets_on_disk(), 0);
	assert_true(sealed_rows(&first) >= 2 * USERS + 1);
}

/* Nothing of what was there before is left in the file, not even between its rows. */
static void
database_of_before_is_sealed_when_a_key_is_set(void **state)
{
	struct stat st;

	(void)state;
	must_open(NULL);
	add_users();
	accounts_db_close(&db);
	assert_true(secrets_on_disk() >= 2 * USERS + 1);
	must_open(&first);
	assert_true(accounts_db_at_rest(db)->sealed && !accounts_db_at_rest(db)->had);
	users_are_there();
	accounts_db_close(&db);
	assert_int_equal(secrets_on_disk(), 0);
	assert_int_equal(stat(scratch_file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	must_open(&first);
	assert_false(accounts_db_at_rest(db)->sealed);
	users_are_there();
}

static void
another_key_seals_everything_anew(void **state)
{
	(void)state;
	must_open(&first);
	add_users();
	must_open(&both);
	assert_true(accounts_db_at_rest(db)->sealed && accounts_db_at_rest(db)->had);
	assert_memory_equal(&accounts_db_at_rest(db)->before, &first.key[0].id, sizeof(struct master_id));
	users_are_there();
	accounts_db_close(&db);
	assert_int_equal(sealed_rows(&first), 0);
	assert_int_equal(secrets_on_disk(), 0);
	must_open(&second);
	users_are_there();
	must_open(&both);
	assert_false(accounts_db_at_rest(db)->sealed);
}

static void
wrong_and_missing_keys_are_named(void **state)
{
	char needed[MASTER_ID_TEXT], there[MASTER_ID_TEXT];
	struct master_keys strangers = second;
	const char *why;

	(void)state;
	(void)master_id_text(&first.key[0].id, needed);
	(void)master_id_text(&second.key[0].id, there);
	must_open(&first);
	add_users();
	why = opened(NULL);
	assert_null(db);
	assert_non_null(strstr(why, "authd.master_key must name"));
	assert_non_null(strstr(why, needed));
	assert_non_null(strstr(why, scratch_file));
	why = opened(&second);
	assert_null(db);
	assert_non_null(strstr(why, needed));
	assert_non_null(strstr(why, there));
	/* An old key is no key where it does not open what is there. */
	master_draw(&strangers.key[strangers.n++]);
	why = opened(&strangers);
	assert_null(db);
	assert_non_null(strstr(why, "and one more"));
	must_open(&first); /* nothing was changed */
	users_are_there();
}

/* The bytes of a row as they lie on disk: the database, opened as if nothing were sealed. */
static void
meddle(void (*with)(struct txn *x))
{
	struct db_error e;
	struct db *raw;
	struct txn x;

	accounts_db_close(&db);
	raw = db_open(scratch_file, &e);
	assert_non_null(raw);
	x = txn_begin(raw, true);
	with(&x);
	assert_int_equal(txn_end(&x), DB_OK);
	db_close(&raw);
}

static struct db_bytes
raw_row(struct txn *x, enum table t, uint64_t number, uint8_t room[static 1024])
{
	struct be64 key = be64_of(number);
	struct db_bytes v = { 0 };

	assert_true(txn_get(x, t, be64_bytes(&key), &v) && v.n <= 1024);
	memcpy(room, v.p, v.n);
	return db_bytes(room, v.n);
}

static void
raw_put(struct txn *x, enum table t, uint64_t number, struct db_bytes v)
{
	struct be64 key = be64_of(number);

	txn_put(x, t, be64_bytes(&key), v);
}

/* The second factor of one account for another's: whoever can write the file, and has one of his own. */
static void
swap_factors(struct txn *x)
{
	uint8_t a[1024], b[1024];
	struct db_bytes one = raw_row(x, TABLE_FACTORS, 1, a), two = raw_row(x, TABLE_FACTORS, 2, b);

	raw_put(x, TABLE_FACTORS, 1, two);
	raw_put(x, TABLE_FACTORS, 2, one);
}

static void
flip_a_bit(struct txn *x)
{
	uint8_t a[1024];
	struct db_bytes row = raw_row(x, TABLE_ACCOUNTS, 7, a);

	a[row.n - 20] ^= 4;
	raw_put(x, TABLE_ACCOUNTS, 7, row);
}

static void
put_in_the_clear(struct txn *x)
{
	struct account a = scratch_account("user-2");
	uint8_t room[1024];

	a.number = 3;
	raw_put(x, TABLE_ACCOUNTS, 3, db_bytes(room, account_encode(&a, room, sizeof(room))));
}

static void
forget_the_mark(struct txn *x)
{
	txn_delete(x, TABLE_META, db_bytes(META_SEALED, strlen(META_SEALED)));
}

static void
remember_the_mark(struct txn *x)
{
	txn_put(x, TABLE_META, db_bytes(META_SEALED, strlen(META_SEALED)),
		db_bytes(first.key[0].id.b, MASTER_ID_BYTES));
}

static void
meddled_rows_do_not_open(void **state)
{
	void (*const with[])(struct txn *) = { swap_factors, flip_a_bit, put_in_the_clear, forget_the_mark };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(with); i++) {
		must_open(&first);
		add_users();
		meddle(with[i]);
		assert_non_null(strstr(opened(&first), "damaged"));
		if (with[i] == forget_the_mark) { /* nothing was sealed twice */
			meddle(remember_the_mark);
			must_open(&first);
			users_are_there();
		}
		scratch_close(&db);
		scratch_make();
	}
}

/* --- the audit log's key --- */

static const char *
log_opened(struct audit **au)
{
	const struct audit_rules rules = { INT64_MAX / 4, 3600 * NS_PER_S, -1 };
	static struct db_error e;

	memset(&e, 0, sizeof(e));
	*au = audit_open(accounts_db_tables(db), key_file, tail_file, &rules, &e);
	return e.text;
}

static bool
key_file_begins(const char *magic, const struct master_keys *k)
{
	return count(key_file, magic, 8) == 1 &&
	       (k == NULL || count(key_file, k->key[0].id.b, MASTER_ID_BYTES) == 1);
}

static void
log_goes_on(void)
{
	struct audit_entry e = audit_entry_of(AUDIT_LOGIN, AUDIT_DONE, "user:a", "");
	struct audit *au;
	const char *why = log_opened(&au);

	if (au == NULL)
		fail_msg("%s", why);
	/* As soon as it is open: nothing needs a former key any more. */
	assert_true(db_keys(accounts_db_tables(db)) == NULL ||
		    key_file_begins("WEIRAUK2", db_keys(accounts_db_tables(db))));
	assert_int_equal(audit_write(au, &e), DB_OK);
	assert_int_equal(e.kind, AUDIT_LOGIN);
	audit_close(&au);
}

static size_t
entries(void)
{
	struct txn x = txn_begin(accounts_db_tables(db), false);
	size_t n = txn_count(&x, TABLE_AUDIT);

	assert_int_equal(txn_end(&x), DB_OK);
	return n;
}

/* From an open one to a sealed one to one sealed with another key: always the same log. */
static void
key_of_the_audit_log_is_sealed(void **state)
{
	size_t n;

	(void)state;
	must_open(NULL);
	log_goes_on();
	assert_true(key_file_begins("WEIRAUK1", NULL));
	must_open(&first);
	log_goes_on();
	assert_true(key_file_begins("WEIRAUK2", &first));
	n = entries();
	/* The database has the new key already, the file not yet: whoever died between the two goes on. */
	must_open(&both);
	assert_int_equal(entries(), n);
	assert_true(key_file_begins("WEIRAUK2", &first));
	log_goes_on();
	assert_true(key_file_begins("WEIRAUK2", &second));
	must_open(&second);
	log_goes_on();
}

/* The log does not begin anew where its key is there, but not the one that opens it. */
static void
key_of_the_audit_log_with_a_wrong_master_is_refused(void **state)
{
	struct audit_key k = { .epoch = 1 };
	struct audit *au;
	size_t n;
	int fd;

	(void)state;
	must_open(&first);
	log_goes_on();
	n = entries();
	fd = open(key_file, O_RDWR | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_true(audit_key_write(fd, &second, &k));
	close(fd);
	assert_non_null(strstr(log_opened(&au), "which is not here"));
	assert_null(au);
	assert_int_equal(entries(), n);
}

/* --- deaths --- */

/* Kills the child at the n-th thing that happens in its folder; false where it was through before. */
static bool
killed_at(pid_t child, int watch, unsigned n)
{
	char events[4096] __attribute__((aligned(8)));
	int status;

	for (unsigned seen = 0; seen < n;) {
		ssize_t got = read(watch, events, sizeof(events));

		if (got <= 0) {
			if (waitpid(child, &status, WNOHANG) == child)
				return false;
			continue;
		}
		for (char *at = events; at < events + got;) {
			const struct inotify_event *e = (const void *)at;

			seen++;
			at += sizeof(*e) + e->len;
		}
	}
	(void)kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status);
}

static void
die_while_it_is_sealed_anew(unsigned n, bool *died)
{
	char folder[128];
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	pid_t child;

	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(scratch_file, '/') - scratch_file),
		       scratch_file);
	assert_int_not_equal(
	    inotify_add_watch(watch, folder, IN_CREATE | IN_DELETE | IN_MODIFY | IN_MOVE | IN_CLOSE_WRITE),
	    -1);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		struct db_error e;

		_exit(accounts_db_open(scratch_file, &both, &e) != NULL ? 0 : 1);
	}
	*died = killed_at(child, watch, n);
	close(watch);
}

static void
death_at_any_moment_loses_nothing(void **state)
{
	bool died = true;
	unsigned n;

	(void)state;
	must_open(&first);
	add_users();
	accounts_db_close(&db);
	for (n = 1; died && n < 200; n++) {
		die_while_it_is_sealed_anew(n, &died);
		must_open(&both);
		users_are_there();
		/* Back to where it was, for the next. */
		must_open(&(struct master_keys){ 2, { first.key[0], second.key[0] } });
		users_are_there();
		accounts_db_close(&db);
	}
	assert_in_range(n, 4, 199); /* it did die in between, and at last it did not */
	must_open(&first);
	users_are_there();
}

/* What stands in the place of the new file is no reason not to start. */
static void
leftovers_are_swept(void **state)
{
	char new[128];
	FILE *f;

	(void)state;
	must_open(&first);
	add_users();
	(void)snprintf(new, sizeof(new), "%s-new", scratch_file);
	f = fopen(new, "w");
	assert_non_null(f);
	assert_true(fputs("half of a database", f) >= 0 && fclose(f) == 0);
	must_open(&both);
	users_are_there();
	assert_int_equal(access(new, F_OK), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_database_is_sealed_from_its_first_row),
		TEST(database_of_before_is_sealed_when_a_key_is_set),
		TEST(another_key_seals_everything_anew),
		TEST(wrong_and_missing_keys_are_named),
		TEST(meddled_rows_do_not_open),
		TEST(key_of_the_audit_log_is_sealed),
		TEST(key_of_the_audit_log_with_a_wrong_master_is_refused),
		TEST(death_at_any_moment_loses_nothing),
		TEST(leftovers_are_swept),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
