/*
 * LMDB, and the only file that knows it. Transactions carry their error: after the first failure every
 * further call does nothing, and the end of the transaction undoes it all and says why.
 */
#ifndef WEIR_STORE_DB_H
#define WEIR_STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum db_table {
	DB_META,
	DB_NAMES,
	DB_JOURNAL, /* of series */
	DB_SERIES_IDS,
	DB_SEGMENTS,
	DB_BLOCKS,
	DB_DEAD,
	DB_OLD_FLOWS, /* of older formats: there only until they are brought to ours */
	DB_OLD_IDS,
	DB_OLD_SERIES,
	DB_TABLE_COUNT
};
#define DB_ONLY DB_META /* the one table of a database that db_open_file opened */

enum db_status {
	DB_OK,
	DB_FULL,     /* the disk or a quota is full: worth trying again later */
	DB_MAP_FULL, /* store.size is reached: the oldest has to go */
	DB_IO,       /* the disk failed: worth trying again later */
	DB_DAMAGED,  /* the file is no database of ours, or broken */
	DB_FOREIGN,  /* the file is of another database of ours: nothing of it was touched */
	DB_NEWER,    /* written by a newer Weir */
	DB_REFUSED,  /* permissions */
	DB_BROKEN    /* LMDB gave up on itself: only a restart helps */
};

struct db_bytes {
	const void *p;
	size_t n;
};

struct db;
struct db_txn {
	struct db *db;
	void *txn; /* MDB_txn */
	bool write;
	enum db_status status;
	int code; /* LMDB's or errno */
};
struct db_cursor {
	struct db_txn *x;
	void *cursor; /* MDB_cursor */
};

/*
 * Opens (or makes) the database in the working directory with a map of size bytes. Every file and table is
 * opened here: afterwards nothing is. NULL with *status and a sentence in err that names the file and what to
 * do. Not durable: what is committed need not outlive the machine, and no commit waits for the disk.
 */
struct db *db_open(uint64_t size, bool durable, enum db_status *status, char *err, size_t errsize);
/* As it, to be read only, while another process may write it; tables that are not there are no error. */
struct db *db_open_beside(enum db_status *status, char *err, size_t errsize);
enum db_mode { DB_DURABLE, DB_QUICK, DB_READ_ONLY, DB_BESIDE };
/*
 * A database of one table in the file `name` of the working directory; made where it is not there, unless it
 * is to be read only. DB_READ_ONLY is for files that nobody writes any more: it takes no lock. DB_BESIDE is
 * for those that another process may be writing. NULL as above.
 */
struct db *db_open_file(const char *name, uint64_t size, enum db_mode mode, enum db_status *status, char *err,
			size_t errsize);
void db_close(struct db **db);
/*
 * Writes a copy of the file as of one moment into fd, all of it. Beside a process that writes it, pages that
 * are freed meanwhile are not used again until the copy is done, since LMDB has no other way to see one
 * moment: so the file grows by what is written while it is copied. False with *status.
 */
bool db_copy(const struct db *db, int fd, enum db_status *status);
/* Gives up the places of readers that died, and says how many: what they looked at was kept for them. */
unsigned db_clear_readers(struct db *db);
/* The most that the map may grow to. */
uint64_t db_size(const struct db *db);

/* A read transaction sees one moment and must be short; there is one write transaction at a time, in one
 * thread. */
void db_begin(struct db *db, struct db_txn *x, bool write);
/* The number of a write transaction; of a read transaction, that of the newest one that it sees. */
uint64_t db_number(const struct db_txn *x);
/* Commits a write transaction that had no error, else undoes it; ends a read transaction. */
enum db_status db_end(struct db_txn *x);
/* In words, for the log and the page. */
const char *db_why(const struct db_txn *x);

/* False where there is no such key, and on error. What v points to lives until the next write or the end. */
bool db_get(struct db_txn *x, enum db_table t, struct db_bytes key, struct db_bytes *v);
void db_put(struct db_txn *x, enum db_table t, struct db_bytes key, struct db_bytes v);
/* Puts only where the key is new; otherwise false, and *have is what was there. */
bool db_put_new(struct db_txn *x, enum db_table t, struct db_bytes key, struct db_bytes v,
		struct db_bytes *have);
void db_delete(struct db_txn *x, enum db_table t, struct db_bytes key);

/* Cursors end before their transaction. Each move is false past the ends and on error. */
void db_cursor_open(struct db_txn *x, enum db_table t, struct db_cursor *c);
void db_cursor_close(struct db_cursor *c);
/* The first entry whose key is not less than from. */
bool db_seek(struct db_cursor *c, struct db_bytes from, struct db_bytes *key, struct db_bytes *v);
/* The last entry whose key is less than before. */
bool db_seek_before(struct db_cursor *c, struct db_bytes before, struct db_bytes *key, struct db_bytes *v);
bool db_next(struct db_cursor *c, struct db_bytes *key, struct db_bytes *v);
bool db_previous(struct db_cursor *c, struct db_bytes *key, struct db_bytes *v);
/* As db_put and db_put_new: for keys in order, since the cursor need not look for a page that it stands on.
 */
void db_cursor_put(struct db_cursor *c, struct db_bytes key, struct db_bytes v);
bool db_cursor_put_new(struct db_cursor *c, struct db_bytes key, struct db_bytes v, struct db_bytes *have);
/* Deletes the entry that the cursor stands on; db_next then gives the one behind it. */
void db_cursor_delete(struct db_cursor *c);

/* Whether a table of an older format is there. */
bool db_has(const struct db *db, enum db_table t);
/* Deletes it, with all that is in it. */
void db_drop(struct db_txn *x, enum db_table t);
/* Makes it: tests play an older Weir. */
void db_make(struct db_txn *x, enum db_table t);

/* Bytes of pages that hold something. */
uint64_t db_used(struct db_txn *x);
/* Bytes of the file, as of the last commit. */
uint64_t db_file_bytes(const struct db *db);

#endif
