#include "audit_file.h"

#include <errno.h>
#include <limits.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/mem.h"

#define DATABASE   "accounts.mdb"
#define TABLE      "audit"
#define TABLES_MAX 64

struct audit_file {
	MDB_env *env;
};

static bool
refuse(char err[static 400], const char *path, const char *why)
{
	(void)snprintf(err, 400, "%.200s: %.190s", path, why);
	return false;
}

/* A page behind the end of the file would be a SIGBUS. */
static bool
whole(struct audit_file *f, const char *path, char err[static 400])
{
	MDB_envinfo info;
	MDB_stat st;
	struct stat file;
	int fd = -1;

	if (mdb_env_info(f->env, &info) != 0 || mdb_env_stat(f->env, &st) != 0 ||
	    mdb_env_get_fd(f->env, &fd) != 0 || fstat(fd, &file) != 0)
		return refuse(err, path, "cannot be looked at");
	if (info.me_last_pgno >= (uint64_t)file.st_size / st.ms_psize)
		return refuse(err, path, "is shorter than it says: it was cut off");
	return true;
}

static bool
open_env(struct audit_file *f, const char *path, char err[static 400])
{
	char lock[PATH_MAX];
	unsigned flags = MDB_RDONLY | MDB_NOSUBDIR | MDB_NOTLS;
	int rc;

	if (access(path, R_OK) == -1)
		return refuse(err, path, strerror(errno));
	/* Where no lock file is, nobody runs with it, and none is to be made here. */
	(void)snprintf(lock, sizeof(lock), "%s-lock", path);
	if (access(lock, F_OK) == -1)
		flags |= MDB_NOLOCK;
	rc = mdb_env_create(&f->env);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(f->env, TABLES_MAX);
	if (rc == 0)
		rc = mdb_env_open(f->env, path, flags, 0600);
	return rc == 0 ? whole(f, path, err) : refuse(err, path, mdb_strerror(rc));
}

bool
audit_file_owner(uid_t *owner)
{
	struct stat st;

	if (stat(DATABASE, &st) != 0)
		return false;
	*owner = st.st_uid;
	return true;
}

struct audit_file *
audit_file_open(char err[static 400])
{
	struct audit_file *f = mem_calloc(1, sizeof(*f));

	if (open_env(f, DATABASE, err))
		return f;
	audit_file_close(&f);
	return NULL;
}

void
audit_file_close(struct audit_file **fp)
{
	struct audit_file *f = *fp;

	if (f == NULL)
		return;
	if (f->env != NULL)
		mdb_env_close(f->env);
	free(f);
	*fp = NULL;
}

static int
walk(MDB_txn *txn, audit_file_each_fn *each, void *ctx)
{
	MDB_cursor *c = NULL;
	MDB_val key, record;
	MDB_dbi table;
	int rc = mdb_dbi_open(txn, TABLE, 0, &table);

	if (rc == 0)
		rc = mdb_cursor_open(txn, table, &c);
	while (rc == 0 && (rc = mdb_cursor_get(c, &key, &record, MDB_NEXT)) == 0) {
		struct rcur k = rcur_of(key.mv_data, key.mv_size);
		uint64_t sequence = rcur_be64(&k);

		if (k.bad || rcur_left(&k) != 0)
			rc = MDB_CORRUPTED;
		else if (!each(ctx, sequence, record.mv_data, record.mv_size))
			break;
	}
	if (c != NULL)
		mdb_cursor_close(c);
	return c != NULL && rc == MDB_NOTFOUND ? 0 : rc;
}

bool
audit_file_each(struct audit_file *f, audit_file_each_fn *each, void *ctx, char err[static 400])
{
	MDB_txn *txn = NULL;
	int rc = mdb_txn_begin(f->env, NULL, MDB_RDONLY, &txn);

	if (rc == 0) {
		rc = walk(txn, each, ctx);
		mdb_txn_abort(txn);
	}
	if (rc == MDB_NOTFOUND)
		return refuse(err, DATABASE, "has no audit log");
	return rc == 0 || refuse(err, DATABASE, mdb_strerror(rc));
}
