/*
 * authd's database, opened only to read its audit log: of a running authd, of one that is down, or of a copy.
 * Wraps LMDB. What is in it may be an enemy's work: open it, enter the sandbox, and only then read.
 */
#ifndef WEIR_CLI_AUDIT_FILE_H
#define WEIR_CLI_AUDIT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct audit_file;

/* Whose the accounts.mdb of the working directory is; false with errno. */
bool audit_file_owner(uid_t *owner);
/* Opens it and makes nothing. NULL with a sentence in err. */
struct audit_file *audit_file_open(char err[static 400]);
void audit_file_close(struct audit_file **f);

/* Calls each for every record in the order of their numbers, until it has enough (false). False with a
 * sentence in err where the database cannot be read. */
typedef bool audit_file_each_fn(void *ctx, uint64_t sequence, const void *record, size_t len);
bool audit_file_each(struct audit_file *f, audit_file_each_fn *each, void *ctx, char err[static 400]);

#endif
