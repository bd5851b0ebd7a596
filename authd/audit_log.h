/* The inside of the audit log, for the audit_*.c files. */
#ifndef WEIR_AUTHD_AUDIT_LOG_H
#define WEIR_AUTHD_AUDIT_LOG_H

#include "audit.h"
#include "audit/anchor.h"
#include "audit/chain.h"
#include "audit_flood.h"
#include "audit_key.h"

struct audit {
	struct db *db;
	struct audit_rules rules;
	int key_fd, tail_fd;
	struct audit_key *key; /* locked */
	bool key_unwritten;    /* the file still has the key of an epoch that is over */
	uint64_t epoch_first;  /* sequence of the entry that the running epoch began with */
	int64_t epoch_ns;      /* and when that was */
	uint64_t tail;         /* sequence that the tail file tells of; 0: none */
	int64_t anchored_ns;   /* when the last anchor was written; 0: not since the start */
	int64_t trimmed_ns;    /* when the oldest entries were last looked at */
	struct audit_flood flood;
	uint8_t cursor_key[32]; /* audit_list.c */
};

/* Where the log has got to, as this transaction sees it. False where it cannot be told, or the transaction
 * has failed. */
bool audit_head(struct audit *au, struct txn *x, struct audit_head *h);
/* Signs e, as the next entry behind *h, with secret and puts it; next_key as audit_chain_append has it. */
void audit_append(struct txn *x, struct audit_head *h, struct audit_entry *e, const uint8_t *next_key,
		  const uint8_t secret[static AUDIT_SECRET_BYTES]);

/* audit_epoch.c: finds the key that the log goes on with, or begins the log. False with *e. */
bool audit_epoch_open(struct audit *au, const char *key_file, struct db_error *e);
/* Ends the running epoch, unless it is empty. */
enum db_status audit_epoch_end(struct audit *au);
/* Ends it where it is time to, and sees that the key of the one before is gone. */
enum db_status audit_epoch_tick(struct audit *au, int64_t now_ns);

/* audit_tail.c: the tail file, anchors, and whether the log on disk is the one that was left (false with
 * *found). */
bool audit_tail_check(struct audit *au, struct audit_finding *found);
void audit_tail_tick(struct audit *au, int64_t now_ns);

/* audit_trim.c: removes what is older than the rules say, once an hour. */
enum db_status audit_trim_tick(struct audit *au, int64_t now_ns);

#endif
