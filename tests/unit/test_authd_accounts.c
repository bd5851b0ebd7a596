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

#include "accounts.h"
#include "authd_scratch.h"
#include "base/arena.h"
#include "base/cursor.h"
#include "base/mem.h"
#include "ipc/boot.h"
#include "policy/role.h"
#include "record_policy.h"
#include "rights.h"
#include "rows.h"
#include "signing.h"
#include "tenants.h"

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

static enum db_status
get(uint64_t number, struct account *a)
{
	struct txn x = txn_begin(accounts_db_tables(db), false);

	account_read(&x, number, a);
	return txn_end(&x);
}

static void
create_find_restart(void **state)
{
	struct account a = scratch_account("alice"), b;
	struct session_record s = { .id = { 9 }, .created_ns = 1, .last_seen_ns = 2, .expires_ns = 3 };
	struct stat st;

	(void)state;
	assert_false(accounts_db_has_administrator(db));
	assert_int_equal(scratch_find(db, "alice", &b), DB_NONE);
	assert_int_equal(scratch_find(db, "", &b), DB_NONE);
	assert_int_equal(scratch_create(db, &a, TENANT_PLATFORM, ROLE_PLATFORM_ADMINISTRATOR, &s), DB_OK);
	assert_true(a.number == 1 && s.account == 1);
	assert_true(accounts_db_has_administrator(db));
	a.number = 0;
	assert_int_equal(scratch_create(db, &a, TENANT_PLATFORM, ROLE_PLATFORM_ADMINISTRATOR, NULL),
			 DB_EXISTS);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(scratch_find(db, "alice", &b), DB_OK);
		assert_true(b.number == 1 && b.kind == ACCOUNT_PERSON && !b.disabled && b.created_ns == 5);
		assert_string_equal(b.name, "alice");
		assert_string_equal(b.hash, "$argon2id$x");
		assert_int_equal(get(1, &b), DB_OK);
		assert_int_equal(get(2, &b), DB_NONE);
		assert_int_equal(scratch_find(db, "Alice", &b), DB_NONE);
		assert_int_equal(scratch_find(db, "alic", &b), DB_NONE);
		accounts_db_close(&db);
		db = scratch_reopen();
		assert_true(accounts_db_has_administrator(db));
	}
	/* A number is never given twice, not even after a name that was refused. */
	a = scratch_account("bob");
	assert_int_equal(scratch_create(db, &a, TENANT_PLATFORM, ROLE_PLATFORM_ADMINISTRATOR, NULL), DB_OK);
	assert_true(a.number == 2);
	assert_int_equal(stat(scratch_file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* Somebody whom a provider knows is found by what he is called there for good, whatever his name becomes. */
static void
subjects_are_found_and_go_with_the_account(void **state)
{
	struct account a = scratch_account("alice"), b = scratch_account("bob"), c;
	struct txn x;

	(void)state;
	for (struct account *p = &a; p != NULL; p = p == &a ? &b : NULL) {
		p->hash[0] = '\0';
		assert_true(str_copy(p->provider, sizeof(p->provider), "ldap"));
		assert_int_equal(scratch_create(db, p, 1, ROLE_VIEWER, NULL), DB_OK);
	}
	x = txn_begin(accounts_db_tables(db), true);
	account_bind(&x, &a, "entryUUID=1");
	account_rename(&x, &a, "alice2");
	assert_int_equal(txn_end(&x), DB_OK);
	accounts_db_close(&db);
	db = scratch_reopen();
	x = txn_begin(accounts_db_tables(db), true);
	assert_int_equal(subject_look(&x, "ldap", "entryUUID=1"), a.number);
	assert_int_equal(subject_look(&x, "ldap", "entryUUID=2"), 0);
	assert_int_equal(subject_look(&x, "ldapentry", "UUID=1"), 0);
	assert_int_equal(subject_look(&x, "corp", "entryUUID=1"), 0);
	assert_int_equal(subject_look(&x, "ldap", ""), 0);
	assert_false(account_look(&x, "alice", &c));
	assert_true(account_look(&x, "alice2", &c));
	assert_string_equal(c.subject, "entryUUID=1");
	assert_true(account_is_open(&c));
	c.absent = true;
	assert_false(account_is_open(&c));
	account_bind(&x, &c, "entryUUID=2");
	assert_int_equal(subject_look(&x, "ldap", "entryUUID=1"), 0);
	assert_int_equal(txn_end(&x), DB_OK);
	/* Neither a subject nor a name is taken from another. */
	x = txn_begin(accounts_db_tables(db), true);
	account_bind(&x, &b, "entryUUID=2");
	assert_int_equal(txn_end(&x), DB_EXISTS);
	x = txn_begin(accounts_db_tables(db), true);
	account_read(&x, b.number, &b);
	account_rename(&x, &b, "alice2");
	assert_int_equal(txn_end(&x), DB_EXISTS);
	x = txn_begin(accounts_db_tables(db), true);
	account_remove(&x, &c);
	assert_int_equal(subject_look(&x, "ldap", "entryUUID=2"), 0);
	assert_int_equal(txn_end(&x), DB_OK);
}

/* The second version of the record had no providers: a hash that is none stood for the directory. */
static void
accounts_of_the_second_version_are_read(void **state)
{
	uint8_t bytes[256], again[256];
	struct wcur w;
	struct account a;
	size_t n;

	(void)state;
	for (int is_directory = 0; is_directory < 2; is_directory++) {
		const char *hash = is_directory ? "directory" : "$argon2id$x";

		w = wcur_of(bytes, sizeof(bytes));
		wcur_u8(&w, 2);
		wcur_be64(&w, 9);
		wcur_be32(&w, ACCOUNT_PERSON);
		wcur_u8(&w, 0);
		wcur_be64(&w, 5);
		wcur_u8(&w, 3);
		wcur_put(&w, "bob", 3);
		wcur_u8(&w, 0);
		wcur_u8(&w, (uint8_t)strlen(hash));
		wcur_put(&w, hash, strlen(hash));
		assert_true(account_decode(bytes, wcur_len(&w), &a));
		assert_string_equal(a.provider, is_directory ? "ldap" : "");
		assert_string_equal(a.hash, is_directory ? "" : hash);
		n = account_encode(&a, again, sizeof(again));
		assert_true(n > 0 && again[0] == 3 && account_decode(again, n, &a));
	}
	/* Nobody is absent but at a provider, and who has one has no password here. */
	a.absent = true;
	n = account_encode(&a, again, sizeof(again));
	assert_true(n > 0 && account_decode(again, n, &a));
	a.provider[0] = '\0';
	n = account_encode(&a, again, sizeof(again));
	assert_false(account_decode(again, n, &a));
	a.absent = false;
	(void)str_copy(a.provider, sizeof(a.provider), "ldap");
	(void)str_copy(a.hash, sizeof(a.hash), "$argon2id$x");
	n = account_encode(&a, again, sizeof(again));
	assert_false(account_decode(again, n, &a));
}

static void
default_tenant_is_there(void **state)
{
	static struct signing signing;
	const uint8_t(*keys)[32];
	struct wire_grant_keys k;
	struct snapshot *s;
	char name[TENANT_NAME_MAX];
	struct txn x;
	uint8_t *doc;
	size_t len;

	(void)state;
	x = txn_begin(accounts_db_tables(db), false);
	tenant_name(&x, 1, name);
	assert_string_equal(name, "default");
	tenant_name(&x, 2, name);
	assert_string_equal(name, "");
	tenant_name(&x, TENANT_PLATFORM, name);
	assert_string_equal(name, "*");
	assert_int_equal(tenant_number(&x, "default"), 1);
	assert_int_equal(txn_end(&x), DB_OK);
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

/* --- the format before --- */

static void
put_v1(struct txn *x, enum table t, struct db_bytes key, const struct wcur *w)
{
	assert_false(w->bad);
	txn_put(x, t, key, db_bytes(w->start, wcur_len(w)));
}

static void
v1_text(struct wcur *w, const char *s)
{
	wcur_u8(w, (uint8_t)strlen(s));
	wcur_put(w, s, strlen(s));
}

static void
v1_account(struct txn *x, uint64_t number, const char *name, uint32_t role, uint32_t tenant)
{
	uint8_t room[512];
	struct wcur w = wcur_of(room, sizeof(room));
	struct be64 key = be64_of(number);

	wcur_u8(&w, 1);
	wcur_be64(&w, number);
	wcur_be32(&w, role);
	wcur_be32(&w, tenant);
	wcur_be64(&w, 77);
	v1_text(&w, name);
	v1_text(&w, "$argon2id$old");
	put_v1(x, TABLE_ACCOUNTS, be64_bytes(&key), &w);
	txn_put(x, TABLE_NAMES, db_bytes(name, strlen(name)), be64_bytes(&key));
}

static void
v1_tenant(struct txn *x, uint32_t number, const char *name, const char *point)
{
	uint8_t room[512];
	struct wcur w = wcur_of(room, sizeof(room));
	struct be64 key = be64_of(number), selector = be64_of((uint64_t)number << 32);

	wcur_u8(&w, 1);
	wcur_be32(&w, number);
	v1_text(&w, name);
	put_v1(x, TABLE_TENANTS, be64_bytes(&key), &w);
	w = wcur_of(room, sizeof(room));
	wcur_u8(&w, 1);
	wcur_be32(&w, number);
	v1_text(&w, point);
	wcur_be32(&w, UINT32_MAX);
	wcur_u8(&w, 0);
	for (int i = 0; i < 17; i++)
		wcur_u8(&w, 0);
	put_v1(x, TABLE_SELECTORS, be64_bytes(&selector), &w);
}

static void
v1_session(struct txn *x, const uint8_t id[static SESSION_ID_LEN], uint64_t account)
{
	uint8_t room[128];
	struct wcur w = wcur_of(room, sizeof(room));

	wcur_u8(&w, 1);
	wcur_put(&w, id, SESSION_ID_LEN);
	wcur_be64(&w, account);
	for (int64_t time = 5; time < 8; time++)
		wcur_be64(&w, (uint64_t)time);
	put_v1(x, TABLE_SESSIONS, db_bytes(id, SESSION_ID_LEN), &w);
}

/* Makes the database one of the first version, as that wrote it. */
static void
become_v1(void)
{
	static const uint8_t id[SESSION_ID_LEN] = { 42 };
	struct txn x = txn_begin(accounts_db_tables(db), true);

	for (unsigned t = 0; t < TABLE_COUNT; t++)
		txn_empty(&x, (enum table)t);
	meta_put(&x, META_FORMAT, 1);
	meta_put(&x, META_NEXT_ACCOUNT, 3);
	meta_put(&x, META_SNAPSHOT, 1);
	v1_account(&x, 1, "root-admin", ROLE_PLATFORM_ADMINISTRATOR, 1);
	v1_account(&x, 2, "watcher", ROLE_VIEWER, 1);
	v1_tenant(&x, 1, "default", "");
	v1_tenant(&x, 4, "other", "eth1");
	v1_session(&x, id, 1);
	assert_int_equal(txn_end(&x), DB_OK);
	accounts_db_close(&db);
}

static void
count_one(void *ctx, const struct session_record *s)
{
	*(unsigned *)ctx += s->account == 1 && s->id[0] == 42 && s->expires_ns == 7;
}

static void
an_older_format_is_brought_up(void **state)
{
	struct arena *arena = arena_new(1 << 20);
	unsigned sessions = 0;
	struct tenant_record t;
	struct accesses own;
	struct account a;
	struct txn x;

	(void)state;
	become_v1();
	for (int round = 0; round < 2; round++) { /* the second opening finds it brought up */
		db = scratch_reopen();
		assert_true(accounts_db_has_administrator(db));
		assert_true(accounts_db_snapshot_number(db) == 3);
		assert_int_equal(scratch_find(db, "root-admin", &a), DB_OK);
		assert_true(a.number == 1 && a.created_ns == 77);
		assert_string_equal(a.hash, "$argon2id$old");
		x = txn_begin(accounts_db_tables(db), false);
		accesses_read(&x, 1, arena, &own);
		assert_true(own.n == 1 && own.item[0].tenant == TENANT_PLATFORM &&
			    own.item[0].role == ROLE_PLATFORM_ADMINISTRATOR);
		accesses_read(&x, 2, arena, &own);
		assert_true(own.n == 1 && own.item[0].tenant == 1 && own.item[0].role == ROLE_VIEWER);
		assert_true(tenant_look(&x, "other", arena, &t));
		assert_true(t.tenant.number == 4 && t.nselectors == 1);
		assert_string_equal(t.selectors[0].point, "eth1");
		assert_int_equal(txn_count(&x, TABLE_SELECTORS), 0);
		assert_int_equal(txn_end(&x), DB_OK);
		assert_true(accounts_db_each_session(db, count_one, &sessions));
		accounts_db_close(&db);
	}
	assert_int_equal(sessions, 2);
	db = scratch_reopen();
	x = txn_begin(accounts_db_tables(db), true);
	t = (struct tenant_record){ .tenant = { .name = "third" } };
	tenant_add(&x, &t);
	assert_int_equal(txn_end(&x), DB_OK);
	assert_true(t.tenant.number >= 5); /* numbers go on */
	arena_free(&arena);
}

/* While authd runs: both are trusted until nothing that the former signed can be out, and none is replaced
 * before that. */
static void
signing_key_rotates_while_running(void **state)
{
	static struct signing signing;
	const int64_t s = INT64_C(1000000000), overlap = SIGNING_OVERLAP_S * s;
	struct wire_grant_keys first, both, alone;
	struct txn x;

	(void)state;
	assert_true(signing_load(&signing, db, 1000));
	signing_public(&signing, &first);
	assert_true(signing_may_rotate(&signing, 1000));
	assert_false(signing_drop_previous(&signing, db, 1000 + overlap));
	x = txn_begin(accounts_db_tables(db), true);
	signing_rotate(&signing, &x, 2000);
	txn_fail(&x, DB_UNWRITABLE);
	assert_int_equal(txn_end(&x), DB_UNWRITABLE); /* and the old one goes on */
	signing_public(&signing, &both);
	assert_memory_equal(&both, &first, sizeof(first));

	x = txn_begin(accounts_db_tables(db), true);
	signing_rotate(&signing, &x, 2000);
	assert_int_equal(txn_end(&x), DB_OK);
	signing_adopt(&signing);
	signing_public(&signing, &both);
	assert_int_equal(both.n, 2);
	assert_memory_equal(both.key[1], first.key[0], SIGN_KEY_BYTES);
	assert_memory_not_equal(both.key[0], first.key[0], SIGN_KEY_BYTES);
	assert_false(signing_may_rotate(&signing, 2000 + overlap - 1));
	assert_false(signing_drop_previous(&signing, db, 2000 + overlap - 1));
	assert_true(signing_drop_previous(&signing, db, 2000 + overlap));
	assert_true(signing_may_rotate(&signing, 2000 + overlap));
	signing_public(&signing, &alone);
	assert_int_equal(alone.n, 1);
	assert_memory_equal(alone.key[0], both.key[0], SIGN_KEY_BYTES);
	accounts_db_close(&db);
	db = scratch_reopen();
	assert_true(signing_load(&signing, db, 3000));
	signing_public(&signing, &both);
	assert_memory_equal(&both, &alone, sizeof(both));
	assert_false(signing_is_old(&signing, 2000 + SIGNING_KEY_LIFE_S * s - 1));
	assert_true(signing_is_old(&signing, 2000 + SIGNING_KEY_LIFE_S * s));
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
	assert_int_equal(scratch_create(db, &a, TENANT_PLATFORM, ROLE_PLATFORM_ADMINISTRATOR, NULL), DB_OK);
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
	assert_int_equal(scratch_find(db, "alice", &b), DB_OK); /* reading goes on */
	b = scratch_account("bob");
	status = scratch_create(db, &b, TENANT_PLATFORM, ROLE_PLATFORM_ADMINISTRATOR, NULL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	if (status == DB_UNWRITABLE)
		assert_int_equal(scratch_find(db, "bob", &b), DB_NONE);
	b = scratch_account("carol");
	assert_int_equal(scratch_create(db, &b, TENANT_PLATFORM, ROLE_PLATFORM_ADMINISTRATOR, NULL), DB_OK);
	accounts_db_close(&db);
	db = scratch_reopen();
	assert_int_equal(scratch_find(db, "alice", &b), DB_OK);
	assert_int_equal(scratch_find(db, "carol", &b), DB_OK);
}

/* The disk has room for a part of what is written: LMDB says EIO then, and goes on. */
static void
a_write_that_is_cut_short_changes_nothing(void **state)
{
	struct account a = scratch_account("alice"), b;
	struct session_record s[64] = { 0 };
	struct rlimit was, small;
	struct stat st;

	(void)state;
	assert_int_equal(scratch_create(db, &a, TENANT_PLATFORM, ROLE_PLATFORM_ADMINISTRATOR, NULL), DB_OK);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	for (rlim_t pages = 0; pages < 4; pages++) {
		enum db_status status = DB_OK;

		assert_int_equal(stat(scratch_file, &st), 0);
		small = (struct rlimit){ (rlim_t)st.st_size + pages * 4096 + 2048, was.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
		for (unsigned round = 0; round < 100 && status == DB_OK; round++) {
			for (size_t i = 0; i < ARRAY_LEN(s); i++) {
				randombytes_buf(s[i].id, sizeof(s[i].id));
				s[i].account = 1;
			}
			status = accounts_db_sessions(db, s, ARRAY_LEN(s), NULL, 0);
		}
		assert_int_equal(status, DB_UNWRITABLE);
		assert_non_null(strstr(accounts_db_why(db), "cut short"));
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
		b = scratch_account((const char *[]){ "bob", "carol", "dave", "erin" }[pages]);
		assert_int_equal(scratch_create(db, &b, TENANT_PLATFORM, ROLE_PLATFORM_ADMINISTRATOR, NULL),
				 DB_OK);
	}
	accounts_db_close(&db);
	db = scratch_reopen();
	assert_int_equal(scratch_find(db, "alice", &b), DB_OK);
	assert_int_equal(scratch_find(db, "erin", &b), DB_OK);
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
		if (scratch_create(mine, &a, TENANT_PLATFORM, ROLE_PLATFORM_ADMINISTRATOR, &s) != DB_OK ||
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
			assert_int_equal(scratch_find(db, name, &a), DB_OK);
		}
		seen = (struct seen){ last, 0 };
		assert_true(accounts_db_each_session(db, see, &seen));
		assert_true(seen.found == last);
		/* One more may be there that was not acknowledged any more. */
		{
			struct account a;
			char name[32];

			(void)snprintf(name, sizeof(name), "user%llu", (unsigned long long)last + 1);
			if (scratch_find(db, name, &a) == DB_OK)
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
	assert_int_equal(scratch_create(db, &a, TENANT_PLATFORM, ROLE_PLATFORM_ADMINISTRATOR, NULL), DB_OK);
	accounts_db_close(&db);
	fd = open(scratch_file, O_RDWR);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t at = 8192; at < st.st_size; at += 4096) {
		uint8_t page[4096], zero[4096] = { 0 };
		struct db_error e;

		assert_int_equal(pread(fd, page, sizeof(page), at), sizeof(page));
		assert_int_equal(pwrite(fd, zero, sizeof(zero), at), sizeof(zero));
		db = accounts_db_open(scratch_file, NULL, &e);
		refused += db == NULL;
		if (db == NULL)
			assert_int_equal(e.status, EXIT_BAD_INPUT);
		else
			assert_int_equal(scratch_find(db, "alice", &b), DB_OK); /* a page that is free */
		accounts_db_close(&db);
		assert_int_equal(pwrite(fd, page, sizeof(page), at), sizeof(page));
	}
	assert_true(refused > 0);
	close(fd);
	db = scratch_reopen();
}

/* A tenant as it was written before series had times of their own is read, and has none. */
static void
a_tenant_of_before_is_read(void **state)
{
	struct tenant_record now = { .tenant = { .number = 7, .name = "acme" } }, before;
	const uint64_t series = UINT64_C(0x1122334455667788);
	uint8_t bytes[1024], mark[8];
	struct wcur c = wcur_of(mark, sizeof(mark));
	struct arena *arena = arena_new(1 << 16);
	size_t len, at = 0;

	(void)state;
	now.tenant.quota.series = series;
	now.tenant.quota.retention_s = 3600;
	for (unsigned i = 0; i < TENANT_KEEPS; i++)
		now.tenant.quota.keep_s[i] = 60 + i;
	len = tenant_encode(&now, bytes, sizeof(bytes));
	assert_true(len > 0);
	assert_true(tenant_decode(bytes, len, arena, &before));
	assert_memory_equal(&before.tenant.quota, &now.tenant.quota, sizeof(now.tenant.quota));
	wcur_be64(&c, series);
	while (at + sizeof(mark) < len && memcmp(bytes + at, mark, sizeof(mark)) != 0)
		at++;
	at += sizeof(mark);
	assert_true(at + TENANT_KEEPS * 8 < len);
	bytes[0] = 2;
	memmove(bytes + at, bytes + at + TENANT_KEEPS * 8, len - at - TENANT_KEEPS * 8);
	assert_true(tenant_decode(bytes, len - TENANT_KEEPS * 8, arena, &before));
	assert_string_equal(before.tenant.name, "acme");
	assert_true(before.tenant.quota.series == series && before.tenant.quota.retention_s == 3600);
	for (unsigned i = 0; i < TENANT_KEEPS; i++)
		assert_true(before.tenant.quota.keep_s[i] == 0);
	/* Nor is one of today without them. */
	bytes[0] = 3;
	assert_false(tenant_decode(bytes, len - TENANT_KEEPS * 8, arena, &before));
	arena_free(&arena);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_db, close_db)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(create_find_restart),
		TEST(subjects_are_found_and_go_with_the_account),
		TEST(accounts_of_the_second_version_are_read),
		TEST(default_tenant_is_there),
		TEST(signing_key_lives_and_is_replaced),
		TEST(signing_key_rotates_while_running),
		TEST(an_older_format_is_brought_up),
		TEST(a_tenant_of_before_is_read),
		TEST(refused_writes_change_nothing),
		TEST(a_write_that_is_cut_short_changes_nothing),
		TEST(acknowledged_writes_survive_kill),
		TEST(each_damaged_page_is_refused_or_harmless),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
