/* The database of accounts: what was acknowledged is there, whatever happens to the process or the disk. */
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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "authd_scratch.h"
#include "base/mem.h"
#include "ipc/boot.h"
#include "policy/role.h"
#include "signing.h"

static struct accounts_db *db;

static int
open_db(void **state)
{
	(void)state;
	db = scratch_open();
	return 0;
}

static int
close_db(void **state)
{
	(void)state;
	scratch_close(&db);
	return 0;
}

static void
create_find_restart(void **state)
{
	struct account a = scratch_account("alice"), b;
	struct session_record s = { .id = { 9 }, .created_ns = 1, .last_seen_ns = 2, .expires_ns = 3 };
	struct stat st;

	(void)state;
	assert_false(accounts_db_has_administrator(db));
	assert_int_equal(accounts_db_find(db, "alice", &b), DB_NONE);
	assert_int_equal(accounts_db_find(db, "", &b), DB_NONE);
	assert_int_equal(accounts_db_create(db, &a, &s), DB_OK);
	assert_true(a.number == 1 && s.account == 1);
	assert_true(accounts_db_has_administrator(db));
	a.number = 0;
	assert_int_equal(accounts_db_create(db, &a, NULL), DB_EXISTS);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(accounts_db_find(db, "alice", &b), DB_OK);
		assert_true(b.number == 1 && b.role == ROLE_PLATFORM_ADMINISTRATOR && b.tenant == 1 &&
			    b.created_ns == 5);
		assert_string_equal(b.name, "alice");
		assert_string_equal(b.hash, "$argon2id$x");
		assert_int_equal(accounts_db_get(db, 1, &b), DB_OK);
		assert_int_equal(accounts_db_get(db, 2, &b), DB_NONE);
		assert_int_equal(accounts_db_find(db, "Alice", &b), DB_NONE);
		assert_int_equal(accounts_db_find(db, "alic", &b), DB_NONE);
		accounts_db_close(&db);
		db = scratch_reopen();
		assert_true(accounts_db_has_administrator(db));
	}
	/* A number is never given twice, not even after a name that was refused. */
	a = scratch_account("bob");
	assert_int_equal(accounts_db_create(db, &a, NULL), DB_OK);
	assert_true(a.number == 2);
	assert_int_equal(stat(scratch_file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
hash_is_renewed(void **state)
{
	struct account a = scratch_account("alice");

	(void)state;
	assert_int_equal(accounts_db_create(db, &a, NULL), DB_OK);
	assert_int_equal(accounts_db_set_hash(db, 1, "$argon2id$other"), DB_OK);
	assert_int_equal(accounts_db_set_hash(db, 7, "$argon2id$other"), DB_NONE);
	assert_int_equal(accounts_db_get(db, 1, &a), DB_OK);
	assert_string_equal(a.hash, "$argon2id$other");
	assert_string_equal(a.name, "alice");
}

static void
default_tenant_is_there(void **state)
{
	static struct signing signing;
	const uint8_t(*keys)[32];
	struct wire_grant_keys k;
	struct snapshot *s;
	struct tenant t;
	uint8_t *doc;
	size_t len;

	(void)state;
	assert_int_equal(accounts_db_tenant(db, 1, &t), DB_OK);
	assert_string_equal(t.name, "default");
	assert_int_equal(accounts_db_tenant(db, 2, &t), DB_NONE);
	assert_true(signing_load(&signing, db, 1));
	signing_public(&signing, &k);
	keys = (const uint8_t(*)[32])k.key;
	doc = signing_snapshot(&signing, db, &len);
	assert_non_null(doc);
	s = snapshot_open(doc, len, keys, k.n);
	assert_non_null(s);
	assert_true(snapshot_number(s) == accounts_db_snapshot_number(db));
	assert_true(snapshot_point_owner(s, snapshot_point(s, "anything"), 0) == 1);
	snapshot_free(&s);
	free(doc);
}

/* The same key after a restart; a new one when it is old, with the former beside it. */
static void
signing_key_lives_and_is_replaced(void **state)
{
	static struct signing signing;
	const int64_t life = SIGNING_KEY_LIFE_S * INT64_C(1000000000);
	struct wire_grant_keys first, again, next;

	(void)state;
	assert_true(signing_load(&signing, db, 1000));
	signing_public(&signing, &first);
	assert_int_equal(first.n, 1);
	accounts_db_close(&db);
	db = scratch_reopen();
	assert_true(signing_load(&signing, db, 1000 + life - 1));
	signing_public(&signing, &again);
	assert_memory_equal(&first, &again, sizeof(first));
	assert_true(signing_load(&signing, db, 1000 + life));
	signing_public(&signing, &next);
	assert_int_equal(next.n, 2);
	assert_memory_not_equal(next.key[0], first.key[0], SIGN_KEY_BYTES);
	assert_memory_equal(next.key[1], first.key[0], SIGN_KEY_BYTES);
	assert_true(signing_load(&signing, db, 1000 + life + 1));
	signing_public(&signing, &again);
	assert_memory_equal(&next, &again, sizeof(next));
}

/* --- a disk that is full --- */

static void
refused_writes_change_nothing(void **state)
{
	struct account a = scratch_account("alice"), b = scratch_account("bob");
	struct session_record s[64] = { 0 };
	struct rlimit was, small;
	struct stat st;
	enum db_status status = DB_OK;

	(void)state;
	assert_int_equal(accounts_db_create(db, &a, NULL), DB_OK);
	assert_int_equal(stat(scratch_file, &st), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = (struct rlimit){ (rlim_t)st.st_size, was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (unsigned round = 0; round < 100 && status == DB_OK; round++) {
		for (size_t i = 0; i < ARRAY_LEN(s); i++) {
			randombytes_buf(s[i].id, sizeof(s[i].id));
			s[i].account = 1;
		}
		status = accounts_db_sessions(db, s, ARRAY_LEN(s), NULL, 0);
	}
	assert_int_equal(status, DB_UNWRITABLE);
	assert_non_null(strstr(accounts_db_why(db), "too large"));
	assert_int_equal(accounts_db_find(db, "alice", &b), DB_OK); /* reading goes on */
	b = scratch_account("bob");
	status = accounts_db_create(db, &b, NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	if (status == DB_UNWRITABLE)
		assert_int_equal(accounts_db_find(db, "bob", &b), DB_NONE);
	b = scratch_account("carol");
	assert_int_equal(accounts_db_create(db, &b, NULL), DB_OK);
	accounts_db_close(&db);
	db = scratch_reopen();
	assert_int_equal(accounts_db_find(db, "alice", &b), DB_OK);
	assert_int_equal(accounts_db_find(db, "carol", &b), DB_OK);
}

/* --- kill -9 --- */

/* Makes accounts and sessions without end, telling each number once it is on disk. */
static _Noreturn void
write_until_killed(int out, uint64_t first)
{
	struct accounts_db *mine = scratch_reopen();

	for (uint64_t i = first;; i++) {
		struct account a = scratch_account("x");
		struct session_record s = { .created_ns = 1 };

		(void)snprintf(a.name, sizeof(a.name), "user%llu", (unsigned long long)i);
		memcpy(s.id, &i, sizeof(i));
		if (accounts_db_create(mine, &a, &s) != DB_OK ||
		    write(out, &i, sizeof(i)) != (ssize_t)sizeof(i))
			_exit(1);
	}
}

struct seen {
	uint64_t upto, found;
};

static void
see(void *ctx, const struct session_record *s)
{
	struct seen *seen = ctx;
	uint64_t i;

	memcpy(&i, s->id, sizeof(i));
	seen->found += i <= seen->upto;
}

static void
acknowledged_writes_survive_kill(void **state)
{
	uint64_t last = 0;

	(void)state;
	accounts_db_close(&db);
	for (int round = 0; round < 200; round++) {
		struct seen seen;
		int ends[2], status;
		uint64_t i, wanted = last + 1 + randombytes_uniform(10);
		pid_t pid;

		assert_int_equal(pipe(ends), 0);
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0)
			write_until_killed(ends[1], last + 1);
		close(ends[1]);
		while (last < wanted && read(ends[0], &i, sizeof(i)) == (ssize_t)sizeof(i))
			last = i;
		(void)usleep(randombytes_uniform(2000)); /* somewhere in the next one */
		assert_int_equal(kill(pid, SIGKILL), 0);
		while (read(ends[0], &i, sizeof(i)) == (ssize_t)sizeof(i))
			last = i;
		close(ends[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));

		db = scratch_reopen(); /* which reads and judges every record */
		for (uint64_t n = 1; n <= last; n++) {
			struct account a;
			char name[32];

			(void)snprintf(name, sizeof(name), "user%llu", (unsigned long long)n);
			assert_int_equal(accounts_db_find(db, name, &a), DB_OK);
		}
		seen = (struct seen){ last, 0 };
		assert_true(accounts_db_each_session(db, see, &seen));
		assert_true(seen.found == last);
		/* One more may be there that was not acknowledged any more. */
		{
			struct account a;
			char name[32];

			(void)snprintf(name, sizeof(name), "user%llu", (unsigned long long)last + 1);
			if (accounts_db_find(db, name, &a) == DB_OK)
				last++;
		}
		accounts_db_close(&db);
	}
}

/* --- damage --- */

static void
each_damaged_page_is_refused_or_harmless(void **state)
{
	struct account a = scratch_account("alice"), b;
	unsigned refused = 0;
	struct stat st;
	int fd;

	(void)state;
	assert_int_equal(accounts_db_create(db, &a, NULL), DB_OK);
	accounts_db_close(&db);
	fd = open(scratch_file, O_RDWR);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t at = 8192; at < st.st_size; at += 4096) {
		uint8_t page[4096], zero[4096] = { 0 };
		struct db_error e;

		assert_int_equal(pread(fd, page, sizeof(page), at), sizeof(page));
		assert_int_equal(pwrite(fd, zero, sizeof(zero), at), sizeof(zero));
		db = accounts_db_open(scratch_file, &e);
		refused += db == NULL;
		if (db == NULL)
			assert_int_equal(e.status, EXIT_BAD_INPUT);
		else
			assert_int_equal(accounts_db_find(db, "alice", &b), DB_OK); /* a page that is free */
		accounts_db_close(&db);
		assert_int_equal(pwrite(fd, page, sizeof(page), at), sizeof(page));
	}
	assert_true(refused > 0);
	close(fd);
	db = scratch_reopen();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_db, close_db)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(create_find_restart),
		TEST(hash_is_renewed),
		TEST(default_tenant_is_there),
		TEST(signing_key_lives_and_is_replaced),
		TEST(refused_writes_change_nothing),
		TEST(acknowledged_writes_survive_kill),
		TEST(each_damaged_page_is_refused_or_harmless),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
