#include "db.h"

#include <errno.h>
#include <fcntl.h>
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
#include "locked.h"
#include "rows.h"
#include "vault/box.h"

#define MAP_BYTES  (UINT64_C(1) << 30) /* most that the file may grow to */
#define SECRET_MAX 2048                /* bytes of the longest row with secrets */
#define RC_SEALED  (-29000)            /* beside LMDB's: a sealed row does not open */

static const char *const table_names[TABLE_COUNT] = {
	[TABLE_META] = "meta",
	[TABLE_ACCOUNTS] = "accounts",
	[TABLE_NAMES] = "names",
	[TABLE_ACCESSES] = "accesses",
	[TABLE_LOGINS] = "logins",
	[TABLE_FACTORS] = "factors",
	[TABLE_SESSIONS] = "sessions",
	[TABLE_GROUPS] = "groups",
	[TABLE_GROUP_NAMES] = "group-names",
	[TABLE_MEMBERS] = "members",
	[TABLE_MEMBERSHIPS] = "memberships",
	[TABLE_TENANTS] = "tenants",
	[TABLE_TENANT_NAMES] = "tenant-names",
	[TABLE_SELECTORS] = "selectors",
	[TABLE_NARROWINGS] = "narrowings",
	[TABLE_NARROWING_KEYS] = "narrowing-keys",
	[TABLE_TOKENS] = "tokens",
	[TABLE_TOKENS_OF] = "tokens-of",
	[TABLE_TOKEN_USES] = "token-uses",
	[TABLE_AUDIT] = "audit",
	[TABLE_CONFIGURATION] = "configuration",
	[TABLE_LABELS] = "labels",
	[TABLE_WATCHED] = "watched",
	[TABLE_SUBJECTS] = "subjects",
	[TABLE_REMOVED] = "removed-tenants",
	[TABLE_TOLD] = "told",
	[TABLE_GIVEN] = "given",
};

struct db {
	MDB_env *env;
	MDB_dbi table[TABLE_COUNT];
	const struct master_keys *keys; /* NULL: nothing is sealed */
	char why[200];
};

static uint8_t *opened; /* locked: the last sealed row that was opened */

static const char *
words_of(int rc)
{
	return rc == RC_SEALED ? "a sealed row does not open: it was altered, or stood elsewhere"
			       : mdb_strerror(rc);
}

/* --- sealed rows --- */

void
db_seal(struct db *db, const struct master_keys *keys)
{
	db->keys = keys;
	if (keys != NULL && opened == NULL)
		opened = locked_pages(SECRET_MAX);
}

const struct master_keys *
db_keys(const struct db *db)
{
	return db->keys;
}

bool
db_is_secret(enum table t, struct db_bytes key)
{
	return t == TABLE_ACCOUNTS || t == TABLE_FACTORS ||
	       (t == TABLE_META && key.n == strlen(META_SIGNING) && memcmp(key.p, META_SIGNING, key.n) == 0);
}

static struct box_place
place_of(enum table t, struct db_bytes key)
{
	return (struct box_place){ table_names[t], key.p, key.n };
}

/* What a row says, where it may be sealed. */
static int
unsealed(struct db *db, enum table t, struct db_bytes key, struct db_bytes *value)
{
	struct box_place at = place_of(t, key);

	if (db->keys == NULL || !db_is_secret(t, key))
		return 0;
	if (box_open(db->keys, &at, value->p, value->n, opened, SECRET_MAX, &value->n, NULL) != BOX_OPENED)
		return RC_SEALED;
	value->p = opened;
	return 0;
}

/* --- transactions --- */

struct txn
txn_begin(struct db *db, bool write)
{
	struct txn x = { .db = db, .write = write };
	MDB_txn *txn = NULL;

	x.rc = mdb_txn_begin(db->env, NULL, write ? 0 : MDB_RDONLY, &txn);
	x.txn = x.rc == 0 ? txn : NULL;
	return x;
}

static enum db_status
status_of(const struct txn *x)
{
	struct db *db = x->db;
	int rc = x->rc;

	if (rc == 0)
		return DB_OK;
	if (rc == MDB_NOTFOUND)
		return DB_NONE;
	if (rc == MDB_KEYEXIST)
		return DB_EXISTS;
	if (x->full != NULL) {
		(void)snprintf(db->why, sizeof(db->why), "There are as many %s as there may be: %zu.",
			       x->full, x->bound);
		return DB_FULL;
	}
	/* LMDB calls a write that came out short EIO and takes its transaction back. A write that may have
	 * left its mark makes every later transaction MDB_PANIC. */
	(void)str_copy(db->why, sizeof(db->why),
		       rc == EIO ? "A write was cut short: no space left on device, or it fails"
				 : words_of(rc));
	if (rc == EIO || rc == MDB_MAP_FULL || rc == ENOSPC || rc == EDQUOT || rc == EFBIG || rc == ENOMEM ||
	    rc == EROFS)
		return DB_UNWRITABLE;
	return DB_BROKEN;
}

/* A file shorter than its pages would be a SIGBUS instead of an error: behind its end, zeros are read and
 * refused. One that was not cut can be so, too: LMDB writes no page that a transaction took and gave back. */
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

enum db_status
txn_end(struct txn *x)
{
	bool committed = x->rc == 0;

	if (committed)
		x->rc = mdb_txn_commit(x->txn);
	else if (x->txn != NULL)
		mdb_txn_abort(x->txn);
	x->txn = NULL;
	if (committed && x->write && x->rc == 0)
		(void)lengthen(x->db->env); /* for whoever reads a copy; the next start does it, too */
	return status_of(x);
}

void
txn_abort(struct txn *x)
{
	if (x->txn != NULL)
		mdb_txn_abort(x->txn);
	x->txn = NULL;
}

static MDB_val
val(struct db_bytes b)
{
	return (MDB_val){ b.n, (void *)(uintptr_t)b.p };
}

static struct db_bytes
bytes(MDB_val v)
{
	return (struct db_bytes){ v.mv_data, v.mv_size };
}

bool
txn_get(struct txn *x, enum table t, struct db_bytes key, struct db_bytes *value)
{
	MDB_val k = val(key), v;

	if (x->rc == 0 && (x->rc = mdb_get(x->txn, x->db->table[t], &k, &v)) == 0) {
		*value = bytes(v);
		x->rc = unsealed(x->db, t, key, value);
	}
	return x->rc == 0;
}

bool
txn_look(struct txn *x, enum table t, struct db_bytes key, struct db_bytes *value)
{
	if (x->rc != 0)
		return false;
	if (txn_get(x, t, key, value))
		return true;
	if (x->rc == MDB_NOTFOUND)
		x->rc = 0;
	return false;
}

static void
put(struct txn *x, enum table t, struct db_bytes key, struct db_bytes value, unsigned flags)
{
	uint8_t sealed[SECRET_MAX + BOX_OVERHEAD];
	MDB_val k = val(key), v = val(value);

	if (x->rc == 0 && x->db->keys != NULL && db_is_secret(t, key)) {
		struct box_place at = place_of(t, key);

		v.mv_data = sealed;
		v.mv_size = box_seal(x->db->keys, &at, value.p, value.n, sealed, sizeof(sealed));
		if (v.mv_size == 0)
			x->rc = EINVAL;
	}
	if (x->rc == 0)
		x->rc = mdb_put(x->txn, x->db->table[t], &k, &v, flags);
}

void
txn_put(struct txn *x, enum table t, struct db_bytes key, struct db_bytes value)
{
	put(x, t, key, value, 0);
}

void
txn_put_new(struct txn *x, enum table t, struct db_bytes key, struct db_bytes value)
{
	put(x, t, key, value, MDB_NOOVERWRITE);
}

void
txn_delete(struct txn *x, enum table t, struct db_bytes key)
{
	MDB_val k = val(key);
	int rc;

	if (x->rc != 0)
		return;
	rc = mdb_del(x->txn, x->db->table[t], &k, NULL);
	if (rc != MDB_NOTFOUND)
		x->rc = rc;
}

void
txn_empty(struct txn *x, enum table t)
{
	if (x->rc == 0)
		x->rc = mdb_drop(x->txn, x->db->table[t], 0);
}

void
txn_damaged(struct txn *x)
{
	x->rc = MDB_CORRUPTED;
}

void
txn_fail(struct txn *x, enum db_status status)
{
	static const int codes[] = {
		[DB_NONE] = MDB_NOTFOUND,
		[DB_EXISTS] = MDB_KEYEXIST,
		[DB_UNWRITABLE] = EFBIG,
		[DB_BROKEN] = EINVAL,
	};

	if (x->rc == 0)
		x->rc = codes[status];
}

void
txn_full(struct txn *x, const char *what, size_t bound)
{
	if (x->rc != 0)
		return;
	x->rc = EDQUOT;
	x->full = what;
	x->bound = bound;
}

size_t
txn_count(struct txn *x, enum table t)
{
	MDB_stat st = { 0 };

	if (x->rc == 0)
		x->rc = mdb_stat(x->txn, x->db->table[t], &st);
	return x->rc == 0 ? st.ms_entries : 0;
}

/* --- in the order of keys --- */

static MDB_cursor *
cursor_open(struct txn *x, enum table t)
{
	MDB_cursor *c = NULL;

	if (x->rc == 0)
		x->rc = mdb_cursor_open(x->txn, x->db->table[t], &c);
	return x->rc == 0 ? c : NULL;
}

/* The end of the table is no failure. */
static void
cursor_close(struct txn *x, MDB_cursor *c, int rc)
{
	if (rc != 0 && rc != MDB_NOTFOUND)
		x->rc = rc;
	mdb_cursor_close(c);
}

void
txn_each(struct txn *x, enum table t, txn_each_fn *each, void *ctx)
{
	MDB_cursor *c = cursor_open(x, t);
	MDB_val key, value;
	int rc;

	if (c == NULL)
		return;
	while ((rc = mdb_cursor_get(c, &key, &value, MDB_NEXT)) == 0) {
		struct db_bytes k = bytes(key), v = bytes(value);

		rc = unsealed(x->db, t, k, &v);
		if (rc == 0 && !each(ctx, k, v))
			rc = MDB_CORRUPTED;
		if (rc != 0)
			break;
	}
	cursor_close(x, c, rc);
}

/* Stands on the last key that is not greater than from. */
static int
seek_back(MDB_cursor *c, MDB_val *key, MDB_val *value)
{
	MDB_val from = *key;
	int rc = mdb_cursor_get(c, key, value, MDB_SET_RANGE);

	if (rc == MDB_NOTFOUND)
		return mdb_cursor_get(c, key, value, MDB_LAST);
	if (rc == 0 &&
	    (key->mv_size != from.mv_size || memcmp(key->mv_data, from.mv_data, from.mv_size) != 0))
		return mdb_cursor_get(c, key, value, MDB_PREV);
	return rc;
}

void
txn_walk(struct txn *x, enum table t, struct db_bytes from, bool backwards, txn_each_fn *more, void *ctx)
{
	MDB_cursor *c = cursor_open(x, t);
	MDB_val key = val(from), value;
	int rc;

	if (c == NULL)
		return;
	rc = backwards ? seek_back(c, &key, &value) : mdb_cursor_get(c, &key, &value, MDB_SET_RANGE);
	while (rc == 0) {
		struct db_bytes k = bytes(key), v = bytes(value);

		rc = unsealed(x->db, t, k, &v);
		if (rc != 0 || !more(ctx, k, v))
			break;
		rc = mdb_cursor_get(c, &key, &value, backwards ? MDB_PREV : MDB_NEXT);
	}
	cursor_close(x, c, rc);
}

static bool
at_end(struct txn *x, enum table t, MDB_cursor_op end, struct db_bytes *key, struct db_bytes *value)
{
	MDB_cursor *c = cursor_open(x, t);
	MDB_val k, v;
	int rc;

	if (c == NULL)
		return false;
	rc = mdb_cursor_get(c, &k, &v, end);
	if (rc == 0) {
		*key = bytes(k);
		*value = bytes(v);
		rc = unsealed(x->db, t, *key, value);
	}
	cursor_close(x, c, rc);
	return rc == 0;
}

bool
txn_first(struct txn *x, enum table t, struct db_bytes *key, struct db_bytes *value)
{
	return at_end(x, t, MDB_FIRST, key, value);
}

bool
txn_last(struct txn *x, enum table t, struct db_bytes *key, struct db_bytes *value)
{
	return at_end(x, t, MDB_LAST, key, value);
}

/* --- opening --- */

static bool
fail_rc(struct db_error *e, const char *path, int rc)
{
	bool damaged = rc == MDB_INVALID || rc == MDB_CORRUPTED || rc == MDB_VERSION_MISMATCH ||
		       rc == MDB_PAGE_NOTFOUND || rc == MDB_BAD_TXN || rc == MDB_PANIC ||
		       rc == MDB_INCOMPATIBLE || rc == MDB_NOTFOUND || rc == RC_SEALED;

	e->status = damaged ? EXIT_BAD_INPUT : EXIT_FAILED;
	if (damaged)
		(void)snprintf(
		    e->text, sizeof(e->text),
		    "%s: the accounts are damaged (%s): put back a copy of this file, or move it away "
		    "to begin anew",
		    path, words_of(rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc));
	else
		(void)snprintf(e->text, sizeof(e->text), "%s: %s: make room or mend it, and start again",
			       path, mdb_strerror(rc));
	return false;
}

bool
db_fail(const struct txn *x, const char *path, struct db_error *e)
{
	return fail_rc(e, path, x->rc);
}

static int
open_environment(struct db *db, const char *path, unsigned flags)
{
	int rc = mdb_env_create(&db->env);

	if (rc == 0)
		rc = mdb_env_set_mapsize(db->env, MAP_BYTES);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(db->env, TABLE_COUNT);
	if (rc == 0)
		rc = mdb_env_open(db->env, path, MDB_NOSUBDIR | MDB_NOTLS | flags, 0600);
	return rc != 0 ? rc : lengthen(db->env);
}

static int
open_tables(struct db *db)
{
	struct txn x = txn_begin(db, true);

	for (unsigned t = 0; t < TABLE_COUNT && x.rc == 0; t++)
		x.rc = mdb_dbi_open(x.txn, table_names[t], MDB_CREATE, &db->table[t]);
	(void)txn_end(&x);
	return x.rc;
}

static struct db *
open_file(const char *path, unsigned flags, struct db_error *e)
{
	struct db *db = mem_calloc(1, sizeof(*db));
	int rc = open_environment(db, path, flags);

	if (rc == 0)
		rc = open_tables(db);
	if (rc == 0)
		return db;
	(void)fail_rc(e, path, rc);
	db_close(&db);
	return NULL;
}

struct db *
db_open(const char *path, struct db_error *e)
{
	return open_file(path, 0, e);
}

struct db *
db_open_alone(const char *path, struct db_error *e)
{
	return open_file(path, MDB_NOLOCK, e);
}

void
db_close(struct db **dbp)
{
	struct db *db = *dbp;

	if (db == NULL)
		return;
	if (db->env != NULL)
		mdb_env_close(db->env);
	if (db->keys != NULL)
		sodium_memzero(opened, SECRET_MAX);
	free(db);
	*dbp = NULL;
}

/* Where no lock file is, nobody runs with it, and none is to be made. */
static int
open_beside(MDB_env *env, const char *path)
{
	char lock[64];
	struct stat st;
	unsigned flags = MDB_RDONLY | MDB_NOSUBDIR | MDB_NOTLS;
	int n = snprintf(lock, sizeof(lock), "%s-lock", path);

	if (n < 0 || (size_t)n >= sizeof(lock))
		return ENAMETOOLONG;
	if (fstatat(AT_FDCWD, lock, &st, AT_SYMLINK_NOFOLLOW) == -1)
		flags |= MDB_NOLOCK;
	return mdb_env_open(env, path, flags, 0600);
}

bool
db_copy(const char *path, int fd, struct db_error *e)
{
	MDB_env *env = NULL;
	int rc = mdb_env_create(&env);

	if (rc == 0)
		rc = open_beside(env, path);
	if (rc == 0)
		rc = mdb_env_copyfd(env, fd);
	if (env != NULL)
		mdb_env_close(env);
	return rc == 0 || fail_rc(e, path, rc);
}

const char *
db_why(const struct db *db)
{
	return db->why;
}

/* --- numbers --- */

struct be64
be64_of(uint64_t v)
{
	struct be64 k = { { 0 } };
	struct wcur w = wcur_of(k.b, sizeof(k.b));

	wcur_be64(&w, v);
	return k;
}

bool
be64_read(struct db_bytes v, uint64_t *n)
{
	struct rcur c = rcur_of(v.p, v.n);

	*n = rcur_be64(&c);
	return !c.bad && rcur_left(&c) == 0;
}
