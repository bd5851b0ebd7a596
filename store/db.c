/* LMDB behind a sticky error: see db.h. */
#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <lmdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/boot.h"

#define DATA_FILE "data.mdb"
#define LOCK_FILE "lock.mdb"

static const char *const table_names[] = {
	[DB_META] = "meta",         [DB_NAMES] = "names",
	[DB_JOURNAL] = "journal",   [DB_SERIES_IDS] = "series_ids",
	[DB_SEGMENTS] = "segments", [DB_BLOCKS] = "blocks",
	[DB_DEAD] = "dead",         [DB_OLD_FLOWS] = "flows",
	[DB_OLD_IDS] = "ids",       [DB_OLD_SERIES] = "series",
};
_Static_assert(sizeof(table_names) / sizeof(table_names[0]) == DB_TABLE_COUNT, "name every table");

struct db {
	MDB_env *env;
	MDB_dbi dbi[DB_TABLE_COUNT];
	bool has[DB_TABLE_COUNT];
	uint64_t size;
	char name[32]; /* of the file */
};

static enum db_status
status_of(int code)
{
	switch (code) {
	case MDB_SUCCESS:
		return DB_OK;
	case MDB_MAP_FULL:
		return DB_MAP_FULL;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return DB_FULL;
	case MDB_INVALID:
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INCOMPATIBLE:
	case MDB_VERSION_MISMATCH:
		return DB_DAMAGED;
	case EACCES:
	case EPERM:
	case EROFS:
		return DB_REFUSED;
	case MDB_PANIC:
	case MDB_BAD_TXN:
		return DB_BROKEN;
	default:
		return DB_IO;
	}
}

static void
sentence(char *err, size_t size, enum db_status s, int code, const char *file)
{
	switch (s) {
	case DB_DAMAGED:
		snprintf(err, size,
			 "%s in the store's directory is damaged (%s): move it away or restore a copy, then "
			 "start again",
			 file, mdb_strerror(code));
		return;
	case DB_REFUSED:
		snprintf(err, size,
			 "%s in the store's directory cannot be opened (%s): give the directory and its "
			 "files to the store's user",
			 file, mdb_strerror(code));
		return;
	case DB_MAP_FULL:
		snprintf(err, size, "the store's database is larger than store.size: raise it in weir.yaml");
		return;
	case DB_FULL:
		snprintf(err, size,
			 "%s in the store's directory cannot be written (%s): make room on the disk", file,
			 mdb_strerror(code));
		return;
	default:
		snprintf(err, size, "%s in the store's directory cannot be opened (%s)", file,
			 mdb_strerror(code));
	}
}

/* LMDB found its own pages in an impossible state. */
static void
on_assert(MDB_env *env, const char *what)
{
	const struct db *db = mdb_env_get_userctx(env);

	fatal_status(
	    EXIT_BAD_INPUT,
	    "%s in the store's directory is damaged (%s): move it away or restore a copy, then start again",
	    db->name, what);
}

/* Only the owner may touch what is in here: refuse what somebody else could have prepared. */
static bool
permissions_ok(char *err, size_t size)
{
	static const char *const files[] = { ".", DATA_FILE, LOCK_FILE };
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const char *what = i == 0 ? "the store's directory" : files[i];

		if (lstat(files[i], &st) == -1) {
			if (errno == ENOENT)
				continue;
			snprintf(err, size, "%s cannot be read (%s)", what, strerror(errno));
			return false;
		}
		if (st.st_uid != geteuid() || (st.st_mode & 022) != 0 ||
		    (i == 0 ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))) {
			snprintf(err, size,
				 "%s must belong to user %u and be writable by nobody else (is: user %u, "
				 "mode %03o)",
				 what, (unsigned)geteuid(), (unsigned)st.st_uid,
				 (unsigned)(st.st_mode & 07777));
			return false;
		}
		if (i > 0 && access(files[i], R_OK | W_OK) == -1) {
			snprintf(err, size, "%s in the store's directory cannot be opened (%s): chmod 600 it",
				 what, strerror(errno));
			return false;
		}
	}
	if (access(".", R_OK | W_OK | X_OK) == -1) {
		snprintf(err, size, "the store's directory cannot be written (%s): chmod 700 it",
			 strerror(errno));
		return false;
	}
	return true;
}

/* --- the end of a file
 *
 * LMDB writes no page that a transaction took and gave back, so a file may rightly end before the last page
 * that its header counts. One that was cut does, too, and whoever reads behind its end dies of SIGBUS. Here
 * the file is made as long as it says; where it was not, it is believed if all that was missing are pages
 * that nobody uses.
 * -----------------------------------------------------------------------------------------------------------
 */

struct extent {
	int fd;
	off_t bytes;               /* of the file */
	uint64_t page, have, want; /* bytes of a page; pages of the file, pages that its header counts */
};

static int
measure(MDB_env *env, struct extent *e)
{
	struct stat file;
	MDB_envinfo info;
	MDB_stat st;
	int rc = mdb_env_info(env, &info);

	if (rc == 0)
		rc = mdb_env_stat(env, &st);
	if (rc == 0)
		rc = mdb_env_get_fd(env, &e->fd);
	if (rc == 0 && fstat(e->fd, &file) == -1)
		rc = errno;
	if (rc != 0)
		return rc;
	e->bytes = file.st_size;
	e->page = st.ms_psize;
	e->have = (uint64_t)file.st_size / e->page;
	e->want = (uint64_t)info.me_last_pgno + 1;
	return e->want * e->page > info.me_mapsize ? MDB_CORRUPTED : 0;
}

/* After a commit. On a full disk as well: the rest has no blocks. */
static void
lengthen(struct db *db)
{
	struct extent e;

	if (measure(db->env, &e) == 0 && e.have < e.want && ftruncate(e.fd, (off_t)(e.want * e.page)) == -1)
		log_debug("%s: cannot be made as long as it says: %s", db->name, strerror(errno));
}

/* A record of the list of free pages is their number, and they. */
static uint64_t
free_among(const MDB_val *v, uint64_t from, uint64_t to)
{
	size_t n, pgno;
	uint64_t found = 0;

	if (v->mv_size < sizeof(n))
		return 0;
	memcpy(&n, v->mv_data, sizeof(n));
	for (size_t i = 1; i <= n && i < v->mv_size / sizeof(pgno); i++) {
		memcpy(&pgno, (const char *)v->mv_data + i * sizeof(pgno), sizeof(pgno));
		found += pgno >= from && pgno < to;
	}
	return found;
}

static bool
are_free(MDB_env *env, uint64_t from, uint64_t to)
{
	MDB_cursor *c = NULL;
	MDB_txn *txn = NULL;
	MDB_val key, v;
	uint64_t found = 0;
	int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);

	if (rc == 0)
		rc = mdb_cursor_open(txn, 0 /* the list of free pages */, &c);
	for (; rc == 0 && (rc = mdb_cursor_get(c, &key, &v, MDB_NEXT)) == 0;)
		found += free_among(&v, from, to);
	if (c != NULL)
		mdb_cursor_close(c);
	if (txn != NULL)
		mdb_txn_abort(txn);
	return rc == MDB_NOTFOUND && found == to - from;
}

/* Of a file that we write, or wrote: nobody else does. */
static int
complete(struct db *db, enum db_mode mode, const struct extent *e)
{
	AUTO(fd_drop) int own = mode == DB_READ_ONLY ? open(db->name, O_RDWR | O_CLOEXEC) : -1;
	int fd = mode == DB_READ_ONLY ? own : e->fd;

	if (fd == -1 || ftruncate(fd, (off_t)(e->want * e->page)) == -1)
		return errno;
	if (are_free(db->env, e->have, e->want))
		return 0;
	return ftruncate(fd, e->bytes) == -1 ? errno : MDB_CORRUPTED;
}

#define WRITER_MS 1000 /* for whoever writes a file to make it long enough, after its commit */

static int
make_whole(struct db *db, enum db_mode mode)
{
	struct extent e;
	int rc = measure(db->env, &e);

	for (unsigned ms = 0; rc == 0 && e.have < e.want && mode == DB_BESIDE && ms < WRITER_MS; ms++) {
		(void)poll(NULL, 0, 1);
		rc = measure(db->env, &e);
	}
	if (rc != 0 || e.have >= e.want)
		return rc;
	return mode == DB_BESIDE ? MDB_CORRUPTED : complete(db, mode, &e);
}

/* Tables that are not there are made, but those of an older format, and where nothing is written. */
static int
open_table(struct db *db, MDB_txn *txn, enum db_table t, unsigned flags)
{
	bool make = t < DB_OLD_FLOWS && (flags & MDB_RDONLY) == 0;
	int rc = mdb_dbi_open(txn, table_names[t], make ? MDB_CREATE : 0, &db->dbi[t]);

	db->has[t] = rc == 0;
	return !make && rc == MDB_NOTFOUND ? 0 : rc;
}

static int
open_tables(struct db *db, unsigned flags)
{
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(db->env, NULL, flags & MDB_RDONLY, &txn);

	for (enum db_table t = 0; rc == 0 && t < DB_TABLE_COUNT; t++)
		rc = open_table(db, txn, t, flags);
	if (rc == 0)
		return mdb_txn_commit(txn);
	if (txn != NULL)
		mdb_txn_abort(txn);
	return rc;
}

static int
open_only_table(struct db *db, unsigned flags)
{
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(db->env, NULL, flags & MDB_RDONLY, &txn);

	if (rc == 0)
		rc = mdb_dbi_open(txn, NULL, 0, &db->dbi[DB_ONLY]);
	db->has[DB_ONLY] = rc == 0;
	if (rc == 0)
		return mdb_txn_commit(txn);
	if (txn != NULL)
		mdb_txn_abort(txn);
	return rc;
}

#define LOCK_BYTES 8192 /* of LMDB's table of 126 readers */

/* LMDB makes its table of readers as a file without blocks, and writes to it in memory: on a disk that is
 * full then, that kills. So it has its blocks before. */
static int
reserve_lock(const char *path, unsigned flags)
{
	AUTO(fd_drop) int fd = -1;
	char lock[PATH_MAX];

	(void)snprintf(lock, sizeof(lock), "%s%s", path,
		       (flags & MDB_NOSUBDIR) != 0 ? "-lock" : "/" LOCK_FILE);
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1)
		return errno;
	if (fallocate(fd, 0, 0, LOCK_BYTES) == 0 || errno == EOPNOTSUPP)
		return 0;
	return errno;
}

static int
open_env(struct db *db, const char *path, enum db_mode mode, unsigned flags)
{
	int rc = (flags & (MDB_NOLOCK | MDB_RDONLY)) != 0 ? 0 : reserve_lock(path, flags);

	if (rc == 0)
		rc = mdb_env_create(&db->env);
	if (rc == 0)
		rc = mdb_env_set_mapsize(db->env, (size_t)db->size);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(db->env, (flags & MDB_NOSUBDIR) != 0 ? 0 : DB_TABLE_COUNT);
	if (rc == 0)
		rc = mdb_env_set_userctx(db->env, db);
	if (rc == 0)
		rc = mdb_env_set_assert(db->env, on_assert);
	/* NOTLS: a read transaction belongs to its owner, not to a thread. */
	if (rc == 0)
		rc = mdb_env_open(db->env, path, MDB_NOTLS | flags, 0600);
	return rc != 0 ? rc : make_whole(db, mode);
}

/* db, or NULL with the reason where rc says that it could not be opened. */
static struct db *
opened(struct db *db, int rc, enum db_status *status, char *err, size_t errsize)
{
	*status = status_of(rc);
	if (rc == 0)
		return db;
	/* What LMDB does not know as its own it calls EINVAL, or reports a page that is not there. */
	if (rc == EINVAL)
		*status = DB_DAMAGED;
	sentence(err, errsize, *status, rc, db->name);
	db_close(&db);
	return NULL;
}

static struct db *
db_named(const char *name, uint64_t size)
{
	struct db *db = mem_calloc(1, sizeof(*db));

	db->size = size & ~(uint64_t)0xffff;
	str_copy(db->name, sizeof(db->name), name);
	return db;
}

struct db *
db_open(uint64_t size, bool durable, enum db_status *status, char *err, size_t errsize)
{
	*status = DB_REFUSED;
	if (!permissions_ok(err, errsize))
		return NULL;

	struct db *db = db_named(DATA_FILE, size);
	int rc = open_env(db, ".", DB_DURABLE, durable ? 0 : MDB_NOSYNC);

	if (rc == 0)
		rc = open_tables(db, 0);
	return opened(db, rc, status, err, errsize);
}

/* Where no lock file is, nobody runs with it, and none is to be made. */
static unsigned
beside(const char *lock)
{
	struct stat st;
	bool alone = fstatat(AT_FDCWD, lock, &st, AT_SYMLINK_NOFOLLOW) == -1;

	return MDB_RDONLY | (alone ? MDB_NOLOCK : 0u);
}

struct db *
db_open_beside(enum db_status *status, char *err, size_t errsize)
{
	struct db *db = db_named(DATA_FILE, 0);
	unsigned flags = beside(LOCK_FILE);
	int rc = open_env(db, ".", DB_BESIDE, flags);

	if (rc == 0)
		rc = open_tables(db, flags);
	return opened(db, rc, status, err, errsize);
}

struct db *
db_open_file(const char *name, uint64_t size, enum db_mode mode, enum db_status *status, char *err,
	     size_t errsize)
{
	static const unsigned flags_of[] = {
		[DB_DURABLE] = 0, [DB_QUICK] = MDB_NOSYNC, [DB_READ_ONLY] = MDB_RDONLY | MDB_NOLOCK
	};
	struct db *db = db_named(name, size);
	char lock[sizeof(db->name) + 8];
	unsigned flags;
	int rc;

	snprintf(lock, sizeof(lock), "%s-lock", db->name);
	flags = mode == DB_BESIDE ? beside(lock) : flags_of[mode];
	rc = open_env(db, name, mode, MDB_NOSUBDIR | flags);
	if (rc == 0)
		rc = open_only_table(db, flags);
	return opened(db, rc, status, err, errsize);
}

void
db_close(struct db **db)
{
	if (*db == NULL)
		return;
	if ((*db)->env != NULL)
		mdb_env_close((*db)->env);
	free(*db);
	*db = NULL;
}

unsigned
db_clear_readers(struct db *db)
{
	int dead = 0;

	if (mdb_reader_check(db->env, &dead) != 0 || dead <= 0)
		return 0;
	log_info("%s: %d readers had died", db->name, dead);
	return (unsigned)dead;
}

bool
db_copy(const struct db *db, int fd, enum db_status *status)
{
	*status = status_of(mdb_env_copyfd(db->env, fd));
	return *status == DB_OK;
}

uint64_t
db_size(const struct db *db)
{
	return db->size;
}

/* Keeps the first error and says whether rc was none. */
static bool
note(struct db_txn *x, int rc)
{
	if (rc != 0 && x->status == DB_OK) {
		x->status = status_of(rc);
		x->code = rc;
	}
	return rc == 0;
}

void
db_begin(struct db *db, struct db_txn *x, bool write)
{
	MDB_txn *txn = NULL;

	*x = (struct db_txn){ .db = db, .write = write };
	note(x, mdb_txn_begin(db->env, NULL, write ? 0 : MDB_RDONLY, &txn));
	x->txn = txn;
}

enum db_status
db_end(struct db_txn *x)
{
	if (x->txn != NULL) {
		if (!x->write || x->status != DB_OK)
			mdb_txn_abort(x->txn);
		else if (note(x, mdb_txn_commit(x->txn)))
			lengthen(x->db);
	}
	x->txn = NULL;
	return x->status;
}

uint64_t
db_number(const struct db_txn *x)
{
	return x->txn == NULL ? 0 : mdb_txn_id(x->txn);
}

/* LMDB calls a write that came out short EIO, whatever the cause. */
static bool
disk_is_full(const struct db *db)
{
	struct statfs fs;
	int fd;

	return mdb_env_get_fd(db->env, &fd) == 0 && fstatfs(fd, &fs) == 0 &&
	       (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize < (256u << 10);
}

const char *
db_why(const struct db_txn *x)
{
	if (x->code == EIO && disk_is_full(x->db))
		return strerror(ENOSPC);
	return x->code == MDB_MAP_FULL ? "store.size is reached" : mdb_strerror(x->code);
}

static MDB_val
val(struct db_bytes b)
{
	return (MDB_val){ b.n, (void *)(uintptr_t)b.p };
}

bool
db_get(struct db_txn *x, enum db_table t, struct db_bytes key, struct db_bytes *v)
{
	MDB_val k = val(key), d;

	if (x->status != DB_OK)
		return false;

	int rc = mdb_get(x->txn, x->db->dbi[t], &k, &d);

	if (rc == MDB_NOTFOUND || !note(x, rc))
		return false;
	*v = (struct db_bytes){ d.mv_data, d.mv_size };
	return true;
}

void
db_put(struct db_txn *x, enum db_table t, struct db_bytes key, struct db_bytes v)
{
	MDB_val k = val(key), d = val(v);

	if (x->status == DB_OK)
		note(x, mdb_put(x->txn, x->db->dbi[t], &k, &d, 0));
}

bool
db_put_new(struct db_txn *x, enum db_table t, struct db_bytes key, struct db_bytes v, struct db_bytes *have)
{
	MDB_val k = val(key), d = val(v);

	if (x->status != DB_OK)
		return true;

	int rc = mdb_put(x->txn, x->db->dbi[t], &k, &d, MDB_NOOVERWRITE);

	if (rc == MDB_KEYEXIST) {
		*have = (struct db_bytes){ d.mv_data, d.mv_size };
		return false;
	}
	note(x, rc);
	return true;
}

void
db_delete(struct db_txn *x, enum db_table t, struct db_bytes key)
{
	MDB_val k = val(key);

	if (x->status != DB_OK)
		return;

	int rc = mdb_del(x->txn, x->db->dbi[t], &k, NULL);

	if (rc != MDB_NOTFOUND)
		note(x, rc);
}

void
db_cursor_open(struct db_txn *x, enum db_table t, struct db_cursor *c)
{
	MDB_cursor *cursor = NULL;

	*c = (struct db_cursor){ .x = x };
	if (x->status == DB_OK)
		note(x, mdb_cursor_open(x->txn, x->db->dbi[t], &cursor));
	c->cursor = cursor;
}

void
db_cursor_close(struct db_cursor *c)
{
	if (c->cursor != NULL)
		mdb_cursor_close(c->cursor);
	c->cursor = NULL;
}

static bool
move(struct db_cursor *c, MDB_cursor_op op, struct db_bytes *key, struct db_bytes *v)
{
	MDB_val k = val(*key), d = { 0, NULL };

	if (c->x->status != DB_OK)
		return false;

	int rc = mdb_cursor_get(c->cursor, &k, &d, op);

	/* EINVAL: the cursor stands nowhere, as behind the last entry. */
	if (rc == MDB_NOTFOUND || rc == EINVAL || !note(c->x, rc))
		return false;
	*key = (struct db_bytes){ k.mv_data, k.mv_size };
	if (v != NULL)
		*v = (struct db_bytes){ d.mv_data, d.mv_size };
	return true;
}

bool
db_seek(struct db_cursor *c, struct db_bytes from, struct db_bytes *key, struct db_bytes *v)
{
	*key = from;
	return move(c, MDB_SET_RANGE, key, v);
}

bool
db_seek_before(struct db_cursor *c, struct db_bytes before, struct db_bytes *key, struct db_bytes *v)
{
	*key = before;
	return move(c, MDB_SET_RANGE, key, v) ? move(c, MDB_PREV, key, v) : move(c, MDB_LAST, key, v);
}

bool
db_next(struct db_cursor *c, struct db_bytes *key, struct db_bytes *v)
{
	return move(c, MDB_NEXT, key, v);
}

bool
db_previous(struct db_cursor *c, struct db_bytes *key, struct db_bytes *v)
{
	return move(c, MDB_PREV, key, v);
}

void
db_cursor_put(struct db_cursor *c, struct db_bytes key, struct db_bytes v)
{
	MDB_val k = val(key), d = val(v);

	if (c->x->status == DB_OK)
		note(c->x, mdb_cursor_put(c->cursor, &k, &d, 0));
}

bool
db_cursor_put_new(struct db_cursor *c, struct db_bytes key, struct db_bytes v, struct db_bytes *have)
{
	MDB_val k = val(key), d = val(v);
	int rc;

	if (c->x->status != DB_OK)
		return true;
	rc = mdb_cursor_put(c->cursor, &k, &d, MDB_NOOVERWRITE);
	if (rc == MDB_KEYEXIST) {
		*have = (struct db_bytes){ d.mv_data, d.mv_size };
		return false;
	}
	note(c->x, rc);
	return true;
}

void
db_cursor_delete(struct db_cursor *c)
{
	if (c->x->status == DB_OK)
		note(c->x, mdb_cursor_del(c->cursor, 0));
}

bool
db_has(const struct db *db, enum db_table t)
{
	return db->has[t];
}

void
db_drop(struct db_txn *x, enum db_table t)
{
	if (x->status == DB_OK && x->db->has[t])
		note(x, mdb_drop(x->txn, x->db->dbi[t], 1));
	x->db->has[t] = false;
}

void
db_make(struct db_txn *x, enum db_table t)
{
	if (x->status == DB_OK)
		x->db->has[t] = note(x, mdb_dbi_open(x->txn, table_names[t], MDB_CREATE, &x->db->dbi[t]));
}

uint64_t
db_used(struct db_txn *x)
{
	uint64_t pages = 2;
	MDB_stat st = { 0 };

	for (int t = 0; x->status == DB_OK && t < DB_TABLE_COUNT; t++)
		if (x->db->has[t] && note(x, mdb_stat(x->txn, x->db->dbi[t], &st)))
			pages += st.ms_branch_pages + st.ms_leaf_pages + st.ms_overflow_pages;
	return pages * st.ms_psize;
}

uint64_t
db_file_bytes(const struct db *db)
{
	MDB_envinfo info = { 0 };
	MDB_stat st = { 0 };

	if (mdb_env_info(db->env, &info) != 0 || mdb_env_stat(db->env, &st) != 0)
		return 0;
	return ((uint64_t)info.me_last_pgno + 1) * st.ms_psize;
}
