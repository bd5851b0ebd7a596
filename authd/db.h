/*
 * LMDB, and the only file of authd that knows it: tables of bytes, and transactions whose error sticks. After
 * the first failure every further call does nothing, and the end of the transaction undoes it all and says
 * why.
 *
 * Where a master key is set, the rows that hold secrets (db_is_secret) are sealed on disk (vault/box.h). Who
 * reads and writes them here does not notice.
 *
 * What belongs together (a change and its audit entry) is put within one transaction, so that the disk has
 * all of it or nothing. A write transaction that ended well is on disk.
 */
#ifndef WEIR_AUTHD_DB_H
#define WEIR_AUTHD_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum table {
	TABLE_META,
	TABLE_ACCOUNTS,       /* number -> account */
	TABLE_NAMES,          /* name of an account -> number */
	TABLE_ACCESSES,       /* account -> what it has by itself */
	TABLE_LOGINS,         /* account -> when somebody came in by it, or tried */
	TABLE_FACTORS,        /* account -> second factor */
	TABLE_SESSIONS,       /* id -> session */
	TABLE_GROUPS,         /* number -> group */
	TABLE_GROUP_NAMES,    /* name -> number */
	TABLE_MEMBERS,        /* group, account -> nothing */
	TABLE_MEMBERSHIPS,    /* account, group -> nothing */
	TABLE_TENANTS,        /* number -> tenant */
	TABLE_TENANT_NAMES,   /* name -> number */
	TABLE_SELECTORS,      /* of the first version of the format; empty */
	TABLE_NARROWINGS,     /* number -> narrowing */
	TABLE_NARROWING_KEYS, /* hash of the content -> number */
	TABLE_TOKENS,         /* hash -> token */
	TABLE_TOKENS_OF,      /* owner, hash -> nothing */
	TABLE_TOKEN_USES,     /* hash -> when it was last shown */
	TABLE_AUDIT,          /* sequence -> audit entry */
	TABLE_CONFIGURATION,  /* key of the configuration -> hash of its value */
	TABLE_LABELS,         /* tenant, what it is of -> label */
	TABLE_WATCHED,        /* tenant, host or network -> nothing */
	TABLE_SUBJECTS,       /* provider, NUL, what somebody is called there -> number of the account */
	TABLE_REMOVED,        /* number of a tenant that was removed -> when */
	TABLE_TOLD,           /* account -> what its provider told at the last login */
	TABLE_GIVEN,          /* account, group -> nothing: memberships that a provider gave */
	TABLE_COUNT
};

enum db_status {
	DB_OK,
	DB_NONE,       /* no such record */
	DB_EXISTS,     /* the name is taken */
	DB_FULL,       /* as many are there as may be: db_why says of what; nothing was changed */
	DB_UNWRITABLE, /* nothing was changed: disk full, most likely; it may work later */
	DB_BROKEN      /* damaged, or LMDB refuses to go on: authd is to end */
};

/* Why a database could not be opened. */
struct db_error {
	int status; /* EXIT_FAILED: try again later; EXIT_BAD_INPUT: it is no use */
	char text[400];
};

struct db_bytes {
	const void *p;
	size_t n;
};

struct db;
struct master_keys;

struct txn {
	struct db *db;
	void *txn; /* MDB_txn; NULL: it never began, or it is over */
	bool write;
	int rc;           /* LMDB's or errno; 0: good so far */
	const char *full; /* of what there are bound already (txn_full); NULL */
	size_t bound;
};

/* Opens (or makes) the file at path and its tables. NULL with *e. Before the sandbox. No row is taken for a
 * sealed one: authd opens by at_rest_open (at_rest.h). */
struct db *db_open(const char *path, struct db_error *e);
/* The same for a file that nobody else can have open: no lock is made. */
struct db *db_open_alone(const char *path, struct db_error *e);
void db_close(struct db **db);
/* From now on rows with secrets are sealed, and taken for nothing else: keys (NULL: they are as they are)
 * live as long as the database. */
void db_seal(struct db *db, const struct master_keys *keys);
/* What db_seal was told. */
const struct master_keys *db_keys(const struct db *db);
/* Whether the row of this key is one of those: accounts (hashes of passwords), second factors, the key that
 * signs grants. */
bool db_is_secret(enum table t, struct db_bytes key);
/* Writes a copy of the file at path as of one moment into fd, while another process may write it. False with
 * *e. */
bool db_copy(const char *path, int fd, struct db_error *e);
/* What the last DB_FULL, DB_UNWRITABLE or DB_BROKEN was about. */
const char *db_why(const struct db *db);
/* Fills *e (and returns false) for a transaction that failed while the database was being opened. */
bool db_fail(const struct txn *x, const char *path, struct db_error *e);

/* A read transaction sees one moment and must be short; there is one write transaction at a time. */
struct txn txn_begin(struct db *db, bool write);
/* Commits, or undoes where anything failed. */
enum db_status txn_end(struct txn *x);
/* Undoes a transaction in which nothing failed: a change that was only tried. */
void txn_abort(struct txn *x);

/* The value lives until the next write, the next row with secrets, or the end. False where there is no such
 * key (the transaction has then failed with DB_NONE) and on error. */
bool txn_get(struct txn *x, enum table t, struct db_bytes key, struct db_bytes *value);
/* As txn_get, but that there is no such key is no failure. */
bool txn_look(struct txn *x, enum table t, struct db_bytes key, struct db_bytes *value);
void txn_put(struct txn *x, enum table t, struct db_bytes key, struct db_bytes value);
/* Fails with DB_EXISTS where the key is there. */
void txn_put_new(struct txn *x, enum table t, struct db_bytes key, struct db_bytes value);
/* A key that is not there is no failure. */
void txn_delete(struct txn *x, enum table t, struct db_bytes key);
/* Removes every record of a table. */
void txn_empty(struct txn *x, enum table t);
/* Makes it fail: a record that cannot be, or what the caller found out by itself (any status but DB_OK
 * and DB_FULL). */
void txn_damaged(struct txn *x);
void txn_fail(struct txn *x, enum db_status status);
/* Makes it fail with DB_FULL: there are bound of what ("accounts"; lives for ever). */
void txn_full(struct txn *x, const char *what, size_t bound);
/* Records in a table. */
size_t txn_count(struct txn *x, enum table t);

/* Calls each for every record of a table in the order of keys; each says whether the record is good. */
typedef bool txn_each_fn(void *ctx, struct db_bytes key, struct db_bytes value);
void txn_each(struct txn *x, enum table t, txn_each_fn *each, void *ctx);
/* The same from the first key that is not less than from (or, backwards, from the last that is not greater),
 * until each says that it is enough. each may not write. */
void txn_walk(struct txn *x, enum table t, struct db_bytes from, bool backwards, txn_each_fn *more,
	      void *ctx);
/* The first or the last record. False where the table is empty, which is no failure. */
bool txn_first(struct txn *x, enum table t, struct db_bytes *key, struct db_bytes *value);
bool txn_last(struct txn *x, enum table t, struct db_bytes *key, struct db_bytes *value);

/* --- numbers as keys and values: big-endian, so that they are in order --- */

struct be64 {
	uint8_t b[8];
};

struct be64 be64_of(uint64_t v);
bool be64_read(struct db_bytes v, uint64_t *n);

static inline struct db_bytes
db_bytes(const void *p, size_t n)
{
	return (struct db_bytes){ p, n };
}

static inline struct db_bytes
be64_bytes(const struct be64 *k)
{
	return (struct db_bytes){ k->b, sizeof(k->b) };
}

#endif
