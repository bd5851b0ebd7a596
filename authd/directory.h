/* The directory that authd keeps its files in is its own, and nobody else's. */
#ifndef WEIR_AUTHD_DIRECTORY_H
#define WEIR_AUTHD_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

#define ACCOUNTS_FILE "accounts.mdb"
#define ACCOUNTS_LOCK "accounts.mdb-lock"

/* Looks at the working directory and at the files in it that are there: owner, type and mode. False with a
 * line that says what to do. */
bool directory_judge(char *err, size_t size);

#endif
