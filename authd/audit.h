/*
 * The audit log: every entry in authd's database, in the same transaction as what it tells of. audit/chain.h
 * says what holds it together and what that proves.
 *
 * The signing key of the running epoch is in locked memory and in a small file beside the database
 * (AUDIT_KEY_FILE), which is overwritten in place: LMDB copies on write, and what it has freed stays readable
 * in its file for long. On a file system that copies on write as well, or on flash that moves blocks, a
 * former key may survive on the medium until it is reused; whoever reads raw media can then do for that epoch
 * what chain.h says of the running one.
 */
#ifndef WEIR_AUTHD_AUDIT_H
#define WEIR_AUTHD_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/entry.h"
#include "db.h"

#define AUDIT_KEY_FILE "audit.key"

/* An epoch ends within a second after it has so many entries, or is so old and not empty. */
#define AUDIT_EPOCH_ENTRIES 256
#define AUDIT_EPOCH_S       600

struct audit;

/* Opens the log of a database, with the key in key_file (made where it is missing): before the sandbox. NULL
 * with *e where the key cannot be read or is not this log's. */
struct audit *audit_open(struct db *db, const char *key_file, struct db_error *e);
/* Wipes the key. */
void audit_close(struct audit **au);

/*
 * Writes an entry within the caller's transaction: it is on disk when the transaction has ended well, or none
 * of it is. A failure sticks to the transaction as any other does: a change that cannot be written down is
 * not made. The caller fills kind, outcome, actor and what else is known; sequence, epoch and time are set
 * here.
 */
void audit_add(struct audit *au, struct txn *x, struct audit_entry *e);
/* The same in a transaction of its own, for what changes nothing: a failed login, a read. */
enum db_status audit_write(struct audit *au, struct audit_entry *e);

/* An entry with its first words in place. actor as entry.h says. */
struct audit_entry audit_entry_of(enum audit_kind kind, enum audit_outcome outcome, const char *actor,
				  const char *subject);
/* Writes the detail; what does not fit is cut. */
void audit_detail(struct audit_entry *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ends the epoch where it is time to. Once a second. */
enum db_status audit_tick(struct audit *au, int64_t now_ns);

#endif
