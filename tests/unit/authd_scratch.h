/* A database in a directory of its own, for tests of one part of authd. */
#ifndef WEIR_TESTS_AUTHD_SCRATCH_H
#define WEIR_TESTS_AUTHD_SCRATCH_H

#include "accounts_db.h"
#include "policy/role.h"

extern char scratch_file[96]; /* of the database */

/* A new directory: scratch_file is to be in it. */
void scratch_make(void);
/* The same with a new database. */
struct accounts_db *scratch_open(void);
/* Opens the same database again. */
struct accounts_db *scratch_reopen(void);
/* Closes it (or NULL) and removes the directory. */
void scratch_close(struct accounts_db **db);

/* A person of this name, not in the database. */
struct account scratch_account(const char *name);
/* Makes it, with an access of this role to a tenant, and a session (NULL: none), in one transaction. */
enum db_status scratch_create(struct accounts_db *db, struct account *a, uint32_t tenant, enum role role,
			      struct session_record *s);
/* DB_NONE where there is none of this name. */
enum db_status scratch_find(struct accounts_db *db, const char *name, struct account *a);

#endif
