/*
 * The database of accounts as it lies on disk: with rows of secrets that are sealed, where a master key is
 * set (vault/master.h). What is not sealed yet, or with the key before, is written anew into another file,
 * which takes the place of the first all at once: nothing of the former bytes is left in it, and a death at
 * any moment leaves one or the other.
 */
#ifndef WEIR_AUTHD_AT_REST_H
#define WEIR_AUTHD_AT_REST_H

#include "db.h"
#include "vault/master.h"

/* What became of the file when it was opened. */
struct at_rest_change {
	bool sealed; /* it was written anew, sealed with the newest key */
	bool had;    /* it was sealed before: */
	struct master_id before;
};

/* Opens (or makes) the database at path; keys may be NULL, and live as long as it. NULL with *e: also where
 * it is sealed and its key is not there. Before the sandbox. */
struct db *at_rest_open(const char *path, const struct master_keys *keys, struct at_rest_change *change,
			struct db_error *e);
/* Writes into a database that is new what it is sealed with; nothing where it is not. */
void at_rest_mark(struct txn *x);

#endif
