/*
 * authd's database as a whole: opened, brought up from an older format, every record judged once; its
 * sessions and the signing key. accounts.h, groups.h, tenants.h and tokens_db.h have the rest, one subject
 * each. Every change is one transaction that is on disk when the call returns DB_OK.
 */
#ifndef WEIR_AUTHD_ACCOUNTS_DB_H
#define WEIR_AUTHD_ACCOUNTS_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "at_rest.h"
#include "db.h"
#include "record.h"

struct accounts_db;

/* Opens (or makes) the file at path, checks every record in it, and makes tenant 1 at first. keys seal its
 * secrets (NULL: nothing does) and live as long. NULL with *e. Before the sandbox. */
struct accounts_db *accounts_db_open(const char *path, const struct master_keys *keys, struct db_error *e);
/* What became of its secrets when it was opened. */
const struct at_rest_change *accounts_db_at_rest(const struct accounts_db *db);
void accounts_db_close(struct accounts_db **db);
/* The tables beneath, for what has to be within one transaction with others. */
struct db *accounts_db_tables(struct accounts_db *db);
/* What the last DB_FULL, DB_UNWRITABLE or DB_BROKEN was about. */
const char *accounts_db_why(const struct accounts_db *db);

/* The three below, as they are after a transaction that may have changed them. */
enum db_status accounts_db_refresh(struct accounts_db *db);
/* Whether somebody may come in as platform administrator. */
bool accounts_db_has_administrator(const struct accounts_db *db);
/* Whether one of them is an account of Weir's own, no provider's. */
bool accounts_db_has_own_administrator(const struct accounts_db *db);
/* Number of the policy snapshot: goes up with each change of tenants and narrowings. */
uint64_t accounts_db_snapshot_number(const struct accounts_db *db);

/* Writes sessions and removes others, at once. An id that is not there is no error. */
enum db_status accounts_db_sessions(struct accounts_db *db, const struct session_record *put, size_t nput,
				    const uint8_t (*gone)[SESSION_ID_LEN], size_t ngone);
/* The same within a transaction. */
void sessions_put(struct txn *x, const struct session_record *put, size_t nput,
		  const uint8_t (*gone)[SESSION_ID_LEN], size_t ngone);
/* Calls each for every session; false where the database is broken. */
bool accounts_db_each_session(struct accounts_db *db, void (*each)(void *ctx, const struct session_record *s),
			      void *ctx);

/* DB_NONE where no key was ever made. */
enum db_status accounts_db_signing(struct accounts_db *db, struct signing_record *s);
enum db_status accounts_db_set_signing(struct accounts_db *db, const struct signing_record *s);
/* The same within a transaction. */
void accounts_db_put_signing(struct txn *x, const struct signing_record *s);

#endif
