/* A database in a directory of its own, for tests of one part of authd. */
#ifndef WEIR_TESTS_AUTHD_SCRATCH_H
#define WEIR_TESTS_AUTHD_SCRATCH_H

#include "accounts_db.h"

extern char scratch_file[96]; /* of the database */

/* A new directory with a new database in it. */
struct accounts_db *scratch_open(void);
/* Opens the same database again. */
struct accounts_db *scratch_reopen(void);
/* Closes it (or NULL) and removes the directory. */
void scratch_close(struct accounts_db **db);

/* A platform administrator of this name. */
struct account scratch_account(const char *name);

#endif
