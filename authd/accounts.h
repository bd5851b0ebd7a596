/* Users as they stand in the database: names, accesses, second factors, and when they came in. Everything
 * happens within the caller's transaction, to which failures stick. */
#ifndef WEIR_AUTHD_ACCOUNTS_H
#define WEIR_AUTHD_ACCOUNTS_H

#include "db.h"
#include "record_policy.h"

#define ACCOUNTS_MAX 65536

/* False where there is none of this name, which is no failure. */
bool account_look(struct txn *x, const char *name, struct account *a);
/* Fails with DB_NONE. */
void account_read(struct txn *x, uint64_t number, struct account *a);
/* Gives it its number. DB_EXISTS where the name or the subject is taken, DB_FULL where there are
 * ACCOUNTS_MAX. */
void account_add(struct txn *x, struct account *a);
/* Its name and its subject stay. */
void account_write(struct txn *x, const struct account *a);
/* The number of the account of somebody whom a provider calls so; 0 where there is none. */
uint64_t subject_look(struct txn *x, const char *provider, const char *subject);
/* Makes it the account of that subject of its provider's, whose it was not; DB_EXISTS where it is another's.
 */
void account_bind(struct txn *x, struct account *a, const char *subject);
/* DB_EXISTS where the name is taken. */
void account_rename(struct txn *x, struct account *a, const char *name);
/* Whether somebody can come in by it, and what he has goes on. */
bool account_is_open(const struct account *a);
/* The sessions on disk but for one (NULL: all of them). */
void sessions_remove_of(struct txn *x, uint64_t account, const uint8_t *but);
/* With everything that is kept for it: accesses, second factor, memberships, tokens and sessions on disk. */
void account_remove(struct txn *x, const struct account *a);

/* Its own, not its groups'; none where nothing was ever written. */
void accesses_read(struct txn *x, uint64_t account, struct arena *arena, struct accesses *a);
void accesses_write(struct txn *x, uint64_t account, const struct accesses *a);

/* All zero where nobody ever came. */
void login_read(struct txn *x, uint64_t account, struct login_record *l);
void login_write(struct txn *x, uint64_t account, const struct login_record *l);

bool factor_look(struct txn *x, uint64_t account, struct factor_record *f);
void factor_write(struct txn *x, uint64_t account, const struct factor_record *f);
void factor_remove(struct txn *x, uint64_t account);

#endif
