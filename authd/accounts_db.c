#include "accounts_db.h"

#include <errno.h>
#include <lmdb.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "ipc/boot.h"
#include "policy/role.h"

#define FORMAT_VERSION 1
#define MAP_BYTES      (UINT64_C(256) << 20) /* most that the file may grow to */

/* The tables, and how each record in them is judged when the database is opened. */
enum table {
	TABLE_META,
	TABLE_ACCOUNTS,
	TABLE_NAMES,
	TABLE_SESSIONS,
	TABLE_TENANTS,
	TABLE_SELECTORS,
	TABLE_COUNT
};

static const char *const table_names[TABLE_COUNT] = {
	[TABLE_META] = "meta",           [TABLE_ACCOUNTS] = "accounts", /* number -> account */
	[TABLE_NAMES] = "names",                                        /* name -> number */
	[TABLE_SESSIONS] = "sessions",                                  /* id -> session */
	[TABLE_TENANTS] = "tenants",                                    /* number -> tenant */
	[TABLE_SELECTORS] = "selectors",                                /* tenant, index -> selector */
};

/* Keys of TABLE_META. */
#define META_FORMAT       "format"
#define META_NEXT_ACCOUNT "next-account"
#define META_SNAPSHOT     "snapshot"
#define META_SIGNING      "signing-key"

struct accounts_db {
	MDB_env *env;
	MDB_dbi table[TABLE_COUNT];
	uint64_t administrators, snapshot;
	char why[200];
};

/* A transaction whose error sticks: later calls do nothing, and its end aborts. */
struct txn {
	struct accounts_db *db;
	MDB_txn *txn;
	int rc;
};

static struct txn
txn_begin(struct accounts_db *db, unsigned flags)
{
	struct txn x = { db, NULL, 0 };

	x.rc = mdb_txn_begin(db->env, NULL, flags, &x.txn);
	if (x.rc != 0)
		x.txn = NULL;
	return x;
}

static MDB_val
val(const void *p, size_t n)
{
	return (MDB_val){ n, (void *)(uintptr_t)p };
}

static void
txn_put(struct txn *x, enum table t, MDB_val key, MDB_val value, unsigned flags)
{
	if (x->rc == 0)
		x->rc = mdb_put(x->txn, x->db->table[t], &key, &value, flags);
}

/* The value lives until the transaction ends. */
static bool
txn_get(struct txn *x, enum table t, MDB_val key, MDB_val *value)
{
	if (x->rc == 0)
		x->rc = mdb_get(x->txn, x->db->table[t], &key, value);
	return x->rc == 0;
}

static void
txn_delete(struct txn *x, enum table t, MDB_val key)
{
	int rc;

	if (x->rc != 0)
		return;
	rc = mdb_del(x->txn, x->db->table[t], &key, NULL);
	if (rc != MDB_NOTFOUND)
		x->rc = rc;
}

static void
txn_damaged(struct txn *x)
{
	x->rc = MDB_CORRUPTED;
}

static enum db_status
status_of(struct accounts_db *db, int rc)
{
	if (rc == 0)
		return DB_OK;
	if (rc == MDB_NOTFOUND)
		return DB_NONE;
	if (rc == MDB_KEYEXIST)
		return DB_EXISTS;
	(void)str_copy(db->why, sizeof(db->why), mdb_strerror(rc));
	if (rc == MDB_MAP_FULL || rc == ENOSPC || rc == EDQUOT || rc == EFBIG || rc == ENOMEM || rc == EROFS)
		return DB_UNWRITABLE;
	return DB_BROKEN;
}

/* Commit, or abort where anything failed. */
static enum db_status
txn_end(struct txn *x)
{
	if (x->rc == 0)
		x->rc = mdb_txn_commit(x->txn);
	else if (x->txn != NULL)
		mdb_txn_abort(x->txn);
	x->txn = NULL;
	return status_of(x->db, x->rc);
}

/* --- numbers as keys and values --- */

struct be64 {
	uint8_t b[8];
};

static struct be64
be64_of(uint64_t v)
{
	struct be64 k = { { 0 } };
	struct wcur w = wcur_of(k.b, sizeof(k.b));

	wcur_be64(&w, v);
	return k;
}

static bool
be64_read(MDB_val v, uint64_t *n)
{
	struct rcur c = rcur_of(v.mv_data, v.mv_size);

	*n = rcur_be64(&c);
	return !c.bad && rcur_left(&c) == 0;
}

static void
put_number(struct txn *x, const char *key, uint64_t v)
{
	struct be64 n = be64_of(v);

	txn_put(x, TABLE_META, val(key, strlen(key)), val(n.b, sizeof(n.b)), 0);
}

static uint64_t
get_number(struct txn *x, const char *key)
{
	uint64_t n = 0;
	MDB_val v;

	if (txn_get(x, TABLE_META, val(key, strlen(key)), &v) && !be64_read(v, &n))
		txn_damaged(x);
	return n;
}

/* --- opening --- */

static bool
fail(struct db_error *e, int status, const char *path, const char *what)
{
	e->status = status;
	(void)snprintf(e->text, sizeof(e->text), "%s: %s", path, what);
	return false;
}

static bool
fail_rc(struct db_error *e, const char *path, int rc)
{
	char text[200];
	bool damaged = rc == MDB_INVALID || rc == MDB_CORRUPTED || rc == MDB_VERSION_MISMATCH ||
		       rc == MDB_PAGE_NOTFOUND || rc == MDB_BAD_TXN || rc == MDB_PANIC ||
		       rc == MDB_INCOMPATIBLE;

	if (damaged)
		(void)snprintf(text, sizeof(text),
			       "the accounts are damaged (%s): put back a copy of this file, or move it away "
			       "to begin anew",
			       mdb_strerror(rc));
	else
		(void)snprintf(text, sizeof(text), "%s: make room or mend it, and start again",
			       mdb_strerror(rc));
	return fail(e, damaged ? EXIT_BAD_INPUT : EXIT_FAILED, path, text);
}

/* A file shorter than its pages would be a SIGBUS instead of an error: behind its end, zeros are read and
 * refused. */
static int
lengthen(MDB_env *env)
{
	MDB_envinfo info;
	MDB_stat st;
	struct stat file;
	uint64_t want;
	int fd = -1;

	if (mdb_env_info(env, &info) != 0 || mdb_env_stat(env, &st) != 0 || mdb_env_get_fd(env, &fd) != 0 ||
	    fstat(fd, &file) != 0)
		return errno == 0 ? EINVAL : errno;
	want = (uint64_t)(info.me_last_pgno + 1) * st.ms_psize;
	if (want > MAP_BYTES)
		return MDB_CORRUPTED;
	if ((uint64_t)file.st_size < want && ftruncate(fd, (off_t)want) != 0)
		return errno;
	return 0;
}

static int
open_environment(struct accounts_db *db, const char *path)
{
	int rc = mdb_env_create(&db->env);

	if (rc == 0)
		rc = mdb_env_set_mapsize(db->env, MAP_BYTES);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(db->env, TABLE_COUNT);
	if (rc == 0)
		rc = mdb_env_open(db->env, path, MDB_NOSUBDIR | MDB_NOTLS, 0600);
	return rc != 0 ? rc : lengthen(db->env);
}

/* First start: what must be there for everything else, at once with the tables themselves. */
static void
found(struct txn *x)
{
	static const struct tenant first = { 1, "default" };
	static const struct tenant_selector everything = { .tenant = 1, .vlan = UINT32_MAX };
	struct be64 tenant_key = be64_of(first.number), selector_key = be64_of((uint64_t)first.number << 32);
	uint8_t buf[RECORD_MAX];
	size_t n;

	put_number(x, META_FORMAT, FORMAT_VERSION);
	put_number(x, META_NEXT_ACCOUNT, 1);
	put_number(x, META_SNAPSHOT, 1);
	n = tenant_encode(&first, buf, sizeof(buf));
	txn_put(x, TABLE_TENANTS, val(tenant_key.b, sizeof(tenant_key.b)), val(buf, n), 0);
	n = selector_encode(&everything, buf, sizeof(buf));
	txn_put(x, TABLE_SELECTORS, val(selector_key.b, sizeof(selector_key.b)), val(buf, n), 0);
}

static int
open_tables(struct accounts_db *db)
{
	struct txn x = txn_begin(db, 0);
	size_t entries = 0;

	for (unsigned t = 0; t < TABLE_COUNT && x.rc == 0; t++)
		x.rc = mdb_dbi_open(x.txn, table_names[t], MDB_CREATE, &db->table[t]);
	if (x.rc == 0) {
		MDB_stat st;

		x.rc = mdb_stat(x.txn, db->table[TABLE_META], &st);
		entries = st.ms_entries;
	}
	if (x.rc == 0 && entries == 0)
		found(&x);
	(void)txn_end(&x);
	return x.rc;
}

/* Calls each for every record of a table; each says whether the record is good. */
typedef bool each_fn(void *ctx, MDB_val key, MDB_val value);

static void
txn_each(struct txn *x, enum table t, each_fn *each, void *ctx)
{
	MDB_cursor *c = NULL;
	MDB_val key, value;

	if (x->rc == 0)
		x->rc = mdb_cursor_open(x->txn, x->db->table[t], &c);
	if (x->rc != 0)
		return;
	while ((x->rc = mdb_cursor_get(c, &key, &value, MDB_NEXT)) == 0)
		if (!each(ctx, key, value)) {
			x->rc = MDB_CORRUPTED;
			break;
		}
	if (x->rc == MDB_NOTFOUND)
		x->rc = 0;
	mdb_cursor_close(c);
}

static bool
check_account(void *ctx, MDB_val key, MDB_val value)
{
	struct accounts_db *db = ctx;
	struct account a;
	uint64_t number;
	bool good =
	    be64_read(key, &number) && account_decode(value.mv_data, value.mv_size, &a) && a.number == number;

	if (good && a.role == ROLE_PLATFORM_ADMINISTRATOR)
		db->administrators++;
	sodium_memzero(&a, sizeof(a));
	return good;
}

static bool
check_name(void *ctx, MDB_val key, MDB_val value)
{
	uint64_t number;

	(void)ctx;
	return key.mv_size > 0 && key.mv_size < ACCOUNT_NAME_MAX && be64_read(value, &number) && number > 0;
}

static bool
check_session(void *ctx, MDB_val key, MDB_val value)
{
	struct session_record s;

	(void)ctx;
	return key.mv_size == SESSION_ID_LEN && session_decode(value.mv_data, value.mv_size, &s) &&
	       memcmp(s.id, key.mv_data, SESSION_ID_LEN) == 0;
}

static bool
check_tenant(void *ctx, MDB_val key, MDB_val value)
{
	struct tenant t;
	uint64_t number;

	(void)ctx;
	return be64_read(key, &number) && tenant_decode(value.mv_data, value.mv_size, &t) &&
	       t.number == number;
}

static bool
check_selector(void *ctx, MDB_val key, MDB_val value)
{
	struct tenant_selector s;
	uint64_t number;

	(void)ctx;
	return be64_read(key, &number) && selector_decode(value.mv_data, value.mv_size, &s) &&
	       s.tenant == number >> 32;
}

static each_fn *const checks[TABLE_COUNT] = {
	[TABLE_ACCOUNTS] = check_account,   [TABLE_NAMES] = check_name,
	[TABLE_SESSIONS] = check_session,   [TABLE_TENANTS] = check_tenant,
	[TABLE_SELECTORS] = check_selector,
};

/* Every record is read once: a damaged page shows here and not at a login. */
static bool
check_all(struct accounts_db *db, const char *path, struct db_error *e)
{
	struct txn x = txn_begin(db, MDB_RDONLY);
	uint64_t format = get_number(&x, META_FORMAT);
	int rc;

	db->snapshot = get_number(&x, META_SNAPSHOT);
	(void)get_number(&x, META_NEXT_ACCOUNT);
	for (unsigned t = 0; t < TABLE_COUNT; t++)
		if (checks[t] != NULL)
			txn_each(&x, (enum table)t, checks[t], db);
	rc = x.rc;
	(void)txn_end(&x);
	if (rc == MDB_NOTFOUND)
		rc = MDB_CORRUPTED;
	if (rc != 0)
		return fail_rc(e, path, rc);
	if (format != FORMAT_VERSION)
		return fail(
		    e, EXIT_BAD_INPUT, path,
		    "the accounts are of another version of Weir: use that version, or move the file away");
	return true;
}

struct accounts_db *
accounts_db_open(const char *path, struct db_error *e)
{
	struct accounts_db *db = mem_calloc(1, sizeof(*db));
	int rc = open_environment(db, path);

	if (rc == 0)
		rc = open_tables(db);
	if (rc != 0)
		(void)fail_rc(e, path, rc);
	else if (check_all(db, path, e))
		return db;
	accounts_db_close(&db);
	return NULL;
}

void
accounts_db_close(struct accounts_db **dbp)
{
	struct accounts_db *db = *dbp;

	if (db == NULL)
		return;
	if (db->env != NULL)
		mdb_env_close(db->env);
	free(db);
	*dbp = NULL;
}

const char *
accounts_db_why(const struct accounts_db *db)
{
	return db->why;
}

/* --- accounts --- */

static void
txn_account(struct txn *x, uint64_t number, struct account *a)
{
	struct be64 key = be64_of(number);
	MDB_val v;

	if (txn_get(x, TABLE_ACCOUNTS, val(key.b, sizeof(key.b)), &v) &&
	    !account_decode(v.mv_data, v.mv_size, a))
		txn_damaged(x);
}

static void
txn_put_account(struct txn *x, const struct account *a)
{
	struct be64 key = be64_of(a->number);
	uint8_t buf[RECORD_MAX];
	size_t n = account_encode(a, buf, sizeof(buf));

	if (n == 0 && x->rc == 0)
		x->rc = EINVAL;
	txn_put(x, TABLE_ACCOUNTS, val(key.b, sizeof(key.b)), val(buf, n), 0);
	sodium_memzero(buf, sizeof(buf));
}

static void
txn_put_session(struct txn *x, const struct session_record *s)
{
	uint8_t buf[RECORD_MAX];
	size_t n = session_encode(s, buf, sizeof(buf));

	txn_put(x, TABLE_SESSIONS, val(s->id, sizeof(s->id)), val(buf, n), 0);
}

enum db_status
accounts_db_find(struct accounts_db *db, const char *name, struct account *a)
{
	size_t n = strnlen(name, ACCOUNT_NAME_MAX);
	struct txn x;
	uint64_t number = 0;
	MDB_val v;

	if (n == 0 || n == ACCOUNT_NAME_MAX)
		return DB_NONE;
	x = txn_begin(db, MDB_RDONLY);
	if (txn_get(&x, TABLE_NAMES, val(name, n), &v) && !be64_read(v, &number))
		txn_damaged(&x);
	txn_account(&x, number, a);
	return txn_end(&x);
}

enum db_status
accounts_db_get(struct accounts_db *db, uint64_t number, struct account *a)
{
	struct txn x = txn_begin(db, MDB_RDONLY);

	txn_account(&x, number, a);
	return txn_end(&x);
}

bool
accounts_db_has_administrator(const struct accounts_db *db)
{
	return db->administrators > 0;
}

enum db_status
accounts_db_create(struct accounts_db *db, struct account *a, struct session_record *s)
{
	struct txn x = txn_begin(db, 0);
	struct be64 number;
	enum db_status status;

	a->number = get_number(&x, META_NEXT_ACCOUNT);
	number = be64_of(a->number);
	txn_put(&x, TABLE_NAMES, val(a->name, strlen(a->name)), val(number.b, sizeof(number.b)),
		MDB_NOOVERWRITE);
	txn_put_account(&x, a);
	put_number(&x, META_NEXT_ACCOUNT, a->number + 1);
	if (s != NULL) {
		s->account = a->number;
		txn_put_session(&x, s);
	}
	status = txn_end(&x);
	if (status == DB_OK && a->role == ROLE_PLATFORM_ADMINISTRATOR)
		db->administrators++;
	return status;
}

enum db_status
accounts_db_set_hash(struct accounts_db *db, uint64_t number, const char *hash)
{
	struct txn x = txn_begin(db, 0);
	struct account a = { 0 };

	txn_account(&x, number, &a);
	if (!str_copy(a.hash, sizeof(a.hash), hash) && x.rc == 0)
		x.rc = EINVAL;
	if (x.rc == 0)
		txn_put_account(&x, &a);
	sodium_memzero(&a, sizeof(a));
	return txn_end(&x);
}

/* --- sessions --- */

enum db_status
accounts_db_sessions(struct accounts_db *db, const struct session_record *put, size_t nput,
		     const uint8_t (*gone)[SESSION_ID_LEN], size_t ngone)
{
	struct txn x = txn_begin(db, 0);

	for (size_t i = 0; i < ngone; i++)
		txn_delete(&x, TABLE_SESSIONS, val(gone[i], SESSION_ID_LEN));
	for (size_t i = 0; i < nput; i++)
		txn_put_session(&x, &put[i]);
	return txn_end(&x);
}

struct each_session {
	void (*each)(void *ctx, const struct session_record *s);
	void *ctx;
};

static bool
one_session(void *ctx, MDB_val key, MDB_val value)
{
	const struct each_session *e = ctx;
	struct session_record s;

	(void)key;
	if (!session_decode(value.mv_data, value.mv_size, &s))
		return false;
	e->each(e->ctx, &s);
	return true;
}

bool
accounts_db_each_session(struct accounts_db *db, void (*each)(void *ctx, const struct session_record *s),
			 void *ctx)
{
	struct each_session e = { each, ctx };
	struct txn x = txn_begin(db, MDB_RDONLY);

	txn_each(&x, TABLE_SESSIONS, one_session, &e);
	return txn_end(&x) == DB_OK;
}

/* --- the signing key and the tenants --- */

enum db_status
accounts_db_signing(struct accounts_db *db, struct signing_record *s)
{
	struct txn x = txn_begin(db, MDB_RDONLY);
	MDB_val v;

	if (txn_get(&x, TABLE_META, val(META_SIGNING, strlen(META_SIGNING)), &v) &&
	    !signing_decode(v.mv_data, v.mv_size, s))
		txn_damaged(&x);
	return txn_end(&x);
}

enum db_status
accounts_db_set_signing(struct accounts_db *db, const struct signing_record *s)
{
	struct txn x = txn_begin(db, 0);
	uint8_t buf[RECORD_MAX];
	size_t n = signing_encode(s, buf, sizeof(buf));

	txn_put(&x, TABLE_META, val(META_SIGNING, strlen(META_SIGNING)), val(buf, n), 0);
	sodium_memzero(buf, sizeof(buf));
	return txn_end(&x);
}

uint64_t
accounts_db_snapshot_number(const struct accounts_db *db)
{
	return db->snapshot;
}

enum db_status
accounts_db_tenant(struct accounts_db *db, uint32_t number, struct tenant *t)
{
	struct txn x = txn_begin(db, MDB_RDONLY);
	struct be64 key = be64_of(number);
	MDB_val v;

	if (txn_get(&x, TABLE_TENANTS, val(key.b, sizeof(key.b)), &v) &&
	    !tenant_decode(v.mv_data, v.mv_size, t))
		txn_damaged(&x);
	return txn_end(&x);
}

static bool
add_tenant(void *ctx, MDB_val key, MDB_val value)
{
	struct tenant t;

	(void)key;
	return tenant_decode(value.mv_data, value.mv_size, &t) && snapshot_add_tenant(ctx, &t);
}

static bool
add_selector(void *ctx, MDB_val key, MDB_val value)
{
	struct tenant_selector s;

	(void)key;
	return selector_decode(value.mv_data, value.mv_size, &s) && snapshot_add_selector(ctx, &s);
}

bool
accounts_db_build_snapshot(struct accounts_db *db, struct snapshot_builder *b)
{
	struct txn x = txn_begin(db, MDB_RDONLY);

	txn_each(&x, TABLE_TENANTS, add_tenant, b);
	txn_each(&x, TABLE_SELECTORS, add_selector, b);
	return txn_end(&x) == DB_OK;
}
