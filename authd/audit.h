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

#include "audit/anchor.h"
#include "audit/entry.h"
#include "db.h"

struct json_writer;

#define AUDIT_KEY_FILE  "audit.key"
#define AUDIT_TAIL_FILE "audit.tail" /* audit/anchor.h: where the log ends */

/* An epoch ends within a second after it has so many entries, or is so old and not empty. */
#define AUDIT_EPOCH_ENTRIES 256
#define AUDIT_EPOCH_S       600

struct audit;

struct audit_rules {
	int64_t keep_ns;            /* remove entries that are older; they go epoch by epoch */
	int64_t anchor_interval_ns; /* write an anchor so often */
	int anchors; /* descriptor that anchors are appended to, owned by the caller; -1: the log only */
};

/*
 * Opens the log of a database, with the files of these names (made where they are missing): before the
 * sandbox. Says in the log and with an entry where the log is not what it was when it was left. NULL with *e
 * where the key cannot be read or is not this log's.
 */
struct audit *audit_open(struct db *db, const char *key_file, const char *tail_file,
			 const struct audit_rules *rules, struct db_error *e);
/* Tells what was only counted, ends the epoch, writes an anchor; then wipes the key. */
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

/*
 * What a stranger can cause again and again (a failed login, a token that is none): written while there are
 * few, else counted by address and told once a minute, so that nobody can fill the disk (audit_flood.h).
 * held_back: the throttle refused to look at it; it is counted always. DB_OK where it was counted. Other than
 * DB_OK: it is not to be answered with more than AUTH_UNAVAILABLE.
 */
enum db_status audit_failure(struct audit *au, struct audit_entry *e, bool held_back);

/* Ends the epoch (unless it is empty) and writes an anchor. */
enum db_status audit_anchor_now(struct audit *au, struct audit_anchor *a);

/* When the running epoch and its key began; UTC. */
int64_t audit_key_since(const struct audit *au);

/* Everything that comes with time. Once a second. now_ns: clock_utc_ns */
enum db_status audit_tick(struct audit *au, int64_t now_ns);

/* --- reading --- */

#define AUDIT_CURSOR_MAX 104 /* with its end */

struct audit_query {
	int64_t from_ns, to_ns; /* [from, to) */
	char actor[AUDIT_ACTOR_MAX];
	enum audit_kind kind; /* AUDIT_NONE: all */
	bool one_tenant;      /* only entries of this tenant, and nothing that tells of others */
	uint32_t tenant;
	char cursor[AUDIT_CURSOR_MAX]; /* of the page before; "": the newest */
	unsigned limit;                /* entries at most */
};

/*
 * Writes {"entries": [...], "cursor": "..."} as a value under key: the newest first; cursor is null behind
 * the last page. A page may be short, even empty, where many entries do not match. DB_NONE: the cursor is
 * none (they last until authd restarts).
 */
enum db_status audit_list(struct audit *au, const struct audit_query *q, struct json_writer *w,
			  const char *key);

#endif
