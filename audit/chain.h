/*
 * What makes the audit log one that cannot be edited: each entry holds the hash of the whole entry before it
 * and is signed with the key of its epoch (Ed25519). An epoch ends with an EPOCH entry that names the next
 * epoch's public key; then its secret key is destroyed. To check a log no secret is needed, only the first
 * public key, or any later anchor (anchor.h) that somebody kept elsewhere. Pure.
 *
 * What this proves (Bellare and Yee, Forward Integrity for Secure Audit Logs, 1997; Schneier and Kelsey,
 * Secure Audit Logs to Support Computer Forensics, 1999): whoever takes authd, its memory and its files, has
 * the secret key of the running epoch and no other. He cannot change, remove or reorder an entry of an epoch
 * that is over, nor put one in: he cannot sign it, and the key that he could sign with is named by an entry
 * that he cannot sign either. He can write what he likes from now on, and rewrite the entries of the running
 * epoch (some minutes, or some hundred entries: AUDIT_EPOCH_* in authd/audit.h). That is why epochs are
 * short. He can cut entries off the end, back to any epoch's beginning, or throw the log away and begin one
 * anew (the truncation attack: Ma and Tsudik, A New Approach to Secure Logging, 2009). Only what is out of
 * his reach shows that: anchors, in a file that he cannot shorten or on another machine. Whoever has the
 * files but not the key (a copy, a disk, an editor) can do none of it unseen: the tail (anchor.h) is signed
 * too.
 */
#ifndef WEIR_AUDIT_CHAIN_H
#define WEIR_AUDIT_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/entry.h"

#define AUDIT_SECRET_BYTES 64 /* Ed25519, as libsodium keeps it */

/* Where a chain has got to: what the next entry is chained to. All zeros: before the first entry. */
struct audit_head {
	uint64_t sequence;
	uint32_t epoch;                 /* of the next entry */
	uint8_t hash[AUDIT_HASH_BYTES]; /* of the last record */
	uint8_t key[AUDIT_KEY_BYTES];   /* that the next entry is signed with */
};

/* Gives e the next place after *h, signs it and writes the record; *h moves on. e->sequence and e->epoch are
 * set here. next_key: BEGUN and EPOCH, else NULL. Returns the length; 0 where a field of e is out of bounds.
 */
size_t audit_chain_append(struct audit_head *h, struct audit_entry *e, const uint8_t *next_key,
			  const uint8_t secret[static AUDIT_SECRET_BYTES],
			  uint8_t out[static AUDIT_RECORD_MAX]);

enum audit_fault {
	AUDIT_SOUND,
	AUDIT_UNREADABLE, /* it is no entry */
	AUDIT_MISSING,    /* entries before it are not there */
	AUDIT_MOVED,      /* it stands at another one's place */
	AUDIT_EDITED,     /* it is not what was signed */
	AUDIT_UNCHAINED,  /* it is signed, but does not follow the one before */
	AUDIT_NEW_KEY, /* the log was begun anew behind the entry before: the key was lost, or somebody had no
			  key */
	AUDIT_CUT_OFF, /* entries behind it are not there */
	AUDIT_NO_START,       /* the beginning is gone, and no entry says that it was trimmed */
	AUDIT_ANCHOR_DIFFERS, /* it is not the one that was anchored */
	AUDIT_ANCHOR_BAD      /* the anchor is not of this log */
};

struct audit_finding {
	enum audit_fault fault;
	uint64_t sequence; /* of the entry that is wrong */
	char text[200];    /* a sentence */
};

/* Follows a log from its first entry on. Zero it to begin. */
struct audit_walk {
	struct audit_head head;
	uint64_t first; /* sequence of the first entry that is there; 0: none yet */
	uint64_t anew;  /* the last entry that began the log anew; 0: none */
	bool trimmed;   /* an entry says that what was before the first was trimmed */
	int64_t first_ns, last_ns;
	struct audit_finding found;
};

/* The next record, and the sequence it is kept under. False at the first fault (w->found), and from then on.
 * With check_signatures false only the hashes are looked at: an error of the disk shows, an enemy's work may
 * not. */
bool audit_walk_step(struct audit_walk *w, uint64_t key, const void *record, size_t len,
		     bool check_signatures, struct audit_entry *e);
/* After the last record: whether the beginning is there. */
bool audit_walk_end(struct audit_walk *w);
/* Fills w->found, once. Always false. */
bool audit_walk_fault(struct audit_walk *w, enum audit_fault fault, uint64_t sequence, const char *text);

/* Keyed hashes: what is signed for one purpose is never good for another. */
enum audit_purpose { AUDIT_FOR_ENTRY, AUDIT_FOR_LINK, AUDIT_FOR_ANCHOR, AUDIT_FOR_TAIL };
void audit_digest(enum audit_purpose purpose, const void *bytes, size_t len,
		  uint8_t out[static AUDIT_HASH_BYTES]);

#endif
