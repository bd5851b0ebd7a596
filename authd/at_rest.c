#include "at_rest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/boot.h"
#include "rows.h"
#include "vault/box.h"

#define PATH_ROOM 512

static bool
fail(struct db_error *e, const char *path)
{
	e->status = EXIT_FAILED;
	(void)snprintf(e->text, sizeof(e->text), "%s: %s", path, strerror(errno));
	return false;
}

/* --- what the file says of itself --- */

/* The key that it is sealed with; false where there is none. */
static bool
mark_read(struct txn *x, struct master_id *id)
{
	struct db_bytes v;

	if (!txn_look(x, TABLE_META, db_bytes(META_SEALED, strlen(META_SEALED)), &v))
		return false;
	if (v.n != sizeof(id->b)) {
		txn_damaged(x);
		return false;
	}
	memcpy(id->b, v.p, sizeof(id->b));
	return true;
}

void
at_rest_mark(struct txn *x)
{
	const struct master_keys *keys = db_keys(x->db);

	if (keys != NULL)
		txn_put(x, TABLE_META, db_bytes(META_SEALED, strlen(META_SEALED)),
			db_bytes(keys->key[0].id.b, sizeof(keys->key[0].id.b)));
}

static bool
refuse(struct db_error *e, const char *path, const struct master_id *id, const struct master_keys *keys)
{
	char needed[MASTER_ID_TEXT], there[MASTER_ID_TEXT];

	e->status = EXIT_BAD_INPUT;
	(void)master_id_text(id, needed);
	if (keys == NULL)
		(void)snprintf(e->text, sizeof(e->text),
			       "%s is sealed with the master key %s: authd.master_key must name a file or "
			       "credential with it",
			       path, needed);
	else
		(void)snprintf(e->text, sizeof(e->text),
			       "%s is sealed with the master key %s, and authd.master_key has %s%s: put the "
			       "right one into its file, behind the other where there are two",
			       path, needed, master_id_text(&keys->key[0].id, there),
			       keys->n > 1 ? " and one more" : "");
	return false;
}

/* --- writing it anew --- */

struct copying {
	struct txn *to;
	enum table table;
	bool open; /* nothing is sealed in it */
};

static bool
copy_row(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct copying *c = ctx;

	/* It does not say so any more, but it is: sealed twice, nobody would open it again. */
	if (c->open && db_is_secret(c->table, key) && box_is(value.p, value.n))
		return false;
	txn_put(c->to, c->table, key, value);
	return true;
}

static bool
copy_all(struct db *from, struct db *to, const char *path, const char *new, struct db_error *e)
{
	struct txn r = txn_begin(from, false), w = txn_begin(to, true);
	struct copying c = { .to = &w, .open = db_keys(from) == NULL };

	for (unsigned t = 0; t < TABLE_COUNT; t++) {
		c.table = (enum table)t;
		txn_each(&r, c.table, copy_row, &c);
	}
	at_rest_mark(&w);
	if (txn_end(&r) != DB_OK) {
		txn_fail(&w, DB_BROKEN);
		(void)txn_end(&w);
		return db_fail(&r, path, e);
	}
	return txn_end(&w) == DB_OK || db_fail(&w, new, e);
}

/* The lock belongs to the file that goes: who still reads that (a backup) keeps both. */
static bool
replace(const char *path, const char *new, struct db_error *e)
{
	char lock[PATH_ROOM];

	(void)snprintf(lock, sizeof(lock), "%.500s-lock", path);
	if (unlink(lock) == -1 && errno != ENOENT)
		return fail(e, lock);
	if (rename(new, path) == -1)
		return fail(e, new);
	return folder_sync_of(path) || fail(e, path);
}

/* Takes from, which is closed. */
static bool
write_anew(struct db **from, const char *path, const char *new, const struct master_keys *keys,
	   struct db_error *e)
{
	struct db *to = db_open_alone(new, e);
	bool good = to != NULL;

	if (good) {
		db_seal(to, keys);
		good = copy_all(*from, to, path, new, e);
	}
	db_close(&to);
	db_close(from);
	if (good && replace(path, new, e))
		return true;
	(void)unlink(new);
	return false;
}

/* --- opening --- */

static struct db *
open_again(const char *path, const struct master_keys *keys, struct db_error *e)
{
	struct db *db = db_open(path, e);

	if (db != NULL)
		db_seal(db, keys);
	return db;
}

/* The file as it is, and what it says of itself. rows: of the table that no database is without. */
static struct db *
open_as_it_is(const char *path, struct at_rest_change *change, size_t *rows, struct db_error *e)
{
	struct db *db = db_open(path, e);
	struct txn x;

	if (db == NULL)
		return NULL;
	x = txn_begin(db, false);
	change->had = mark_read(&x, &change->before);
	*rows = txn_count(&x, TABLE_META);
	if (txn_end(&x) == DB_OK)
		return db;
	(void)db_fail(&x, path, e);
	db_close(&db);
	return NULL;
}

static bool
is_newest(const struct master_keys *keys, const struct at_rest_change *c)
{
	return c->had && memcmp(&c->before, &keys->key[0].id, sizeof(c->before)) == 0;
}

struct db *
at_rest_open(const char *path, const struct master_keys *keys, struct at_rest_change *change,
	     struct db_error *e)
{
	char new[PATH_ROOM];
	struct db *db;
	size_t rows = 0;

	memset(change, 0, sizeof(*change));
	(void)snprintf(new, sizeof(new), "%.500s-new", path);
	if (unlink(new) == -1 && errno != ENOENT) { /* of a start that was cut short */
		(void)fail(e, new);
		return NULL;
	}
	db = open_as_it_is(path, change, &rows, e);
	if (db == NULL)
		return NULL;
	if (change->had && master_find(keys, &change->before) == NULL) {
		(void)refuse(e, path, &change->before, keys);
		db_close(&db);
		return NULL;
	}
	db_seal(db, change->had || rows == 0 ? keys : NULL);
	if (rows == 0 || keys == NULL || is_newest(keys, change))
		return db;
	change->sealed = true;
	return write_anew(&db, path, new, keys, e) ? open_again(path, keys, e) : NULL;
}
