/*
 * An entry of the audit log, and its bytes: who did what to whom, when, from where, and how it ended. Pure.
 *
 * Nothing secret is ever put into one: no password, cookie, token, code or key, and no name that nobody has
 * (people type their password where the name belongs).
 */
#ifndef WEIR_AUDIT_ENTRY_H
#define WEIR_AUDIT_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define AUDIT_ACTOR_MAX      136 /* bytes with the end, as below */
#define AUDIT_CREDENTIAL_MAX 40
#define AUDIT_TENANT_MAX     64
#define AUDIT_DETAIL_MAX     512

#define AUDIT_HASH_BYTES      32 /* BLAKE2b-256 */
#define AUDIT_KEY_BYTES       32 /* Ed25519, public */
#define AUDIT_SIGNATURE_BYTES 64
#define AUDIT_RECORD_MAX      1280

enum audit_kind {
	AUDIT_NONE = 0,
#define AUDIT_KIND(name, number, text) AUDIT_##name = (number),
#include "audit/kind.def"
#undef AUDIT_KIND
	AUDIT_KIND_LIMIT = 64 /* numbers are below */
};

enum audit_outcome {
	AUDIT_DONE = 1,
	AUDIT_REFUSED, /* not allowed, or the wrong password */
	AUDIT_FAILED,  /* allowed, but it could not be done */
	AUDIT_OUTCOME_LIMIT
};

struct audit_entry {
	/* What the log sets. */
	uint64_t sequence; /* 1 and up, without a gap */
	uint32_t epoch;    /* 1 and up */
	int64_t time_ns;   /* UTC */

	/* What the caller says. Texts are terminated; what is too long is cut. */
	enum audit_kind kind;
	enum audit_outcome outcome;
	uint32_t tenant; /* whose matter it is: its number, which no other ever gets; 0: the platform's */
	char tenant_name[AUDIT_TENANT_MAX];
	char actor[AUDIT_ACTOR_MAX];           /* "user:alice", "cli:0", "system", "unknown" */
	char credential[AUDIT_CREDENTIAL_MAX]; /* "session:" or "token:" and the beginning of its id; or "" */
	bool has_address;
	struct ip_addr address;
	char subject[AUDIT_ACTOR_MAX]; /* "user:bob", "group:noc", "tenant:acme", "token:ab12"; or "" */
	char detail[AUDIT_DETAIL_MAX]; /* what changed, in words; or "" */
};

/* What holds an entry in its place. */
struct audit_seal {
	uint8_t
	    previous[AUDIT_HASH_BYTES]; /* of the whole record of the entry before; zeros before the first */
	bool has_key;
	uint8_t key[AUDIT_KEY_BYTES]; /* BEGUN: the key of this epoch; EPOCH: of the next */
	uint8_t signature[AUDIT_SIGNATURE_BYTES];
};

/* "login"; NULL for a number that is no kind. AUDIT_NONE for a name that is none. */
const char *audit_kind_name(enum audit_kind k);
enum audit_kind audit_kind_named(const char *name);
/* "done", "refused", "failed"; NULL */
const char *audit_outcome_name(enum audit_outcome o);

/* The record without its signature: what is signed. Returns the length, 0 where something is out of bounds.
 */
size_t audit_entry_encode(const struct audit_entry *e, const struct audit_seal *s, uint8_t *out, size_t size);
/* Takes exactly len bytes (signature included), and only what audit_entry_encode makes. Either out may not be
 * NULL. */
bool audit_entry_decode(const void *record, size_t len, struct audit_entry *e, struct audit_seal *s);

#endif
