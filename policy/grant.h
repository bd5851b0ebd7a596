/*
 * A grant: what authd allows one subject for a minute, signed (Ed25519), carried by httpd as opaque bytes,
 * verified by store on every question. Pure: no I/O, no state.
 */
#ifndef WEIR_POLICY_GRANT_H
#define WEIR_POLICY_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/role.h"

#define GRANT_ID_LEN         16
#define GRANT_BYTES_MAX      4096
#define GRANT_SUBJECT_MAX    128
#define GRANT_LIFE_S         60
#define GRANT_SIGN_PUBLIC    32
#define GRANT_SIGN_SECRET    64
#define GRANT_NARROWINGS_MAX 4

struct grant {
	uint8_t id[GRANT_ID_LEN];   /* random */
	uint32_t audience_proc;     /* enum proc of the asker ... */
	uint32_t audience_instance; /* ... and its instance: another one cannot use it */
	uint32_t tenant;            /* number in the snapshot; TENANT_PLATFORM where the role spans all */
	uint32_t role;              /* enum role */
	uint64_t snapshot;          /* number of the policy snapshot that it was made from */
	uint64_t scopes; /* bits of enum action that it is narrowed to; all ones: whatever the role has */
	/* Numbers in the snapshot, ascending: a row must be admitted by all of them. */
	uint32_t nnarrowings, narrowing[GRANT_NARROWINGS_MAX];
	bool masked;                     /* remote addresses are hidden: grant_is_masked */
	bool of_token;                   /* a token was shown for it, no session */
	int64_t issued_ns, expires_ns;   /* UTC */
	char subject[GRANT_SUBJECT_MAX]; /* "user:alice", terminated */
};

/* Adds a narrowing where it is not yet there. False, and nothing is added, where there is no room: such a
 * grant must not be given out. */
bool grant_narrow(struct grant *g, uint32_t number);
/* By itself or by its role; its narrowings can mask too: the snapshot says so. */
static inline bool
grant_is_masked(const struct grant *g)
{
	return g->masked || g->role == ROLE_LIMITED_VIEWER;
}

/* Encodes and signs into out[size]; returns the length, 0 where the fields are out of bounds or out is too
 * small. */
size_t grant_sign(const struct grant *g, const uint8_t secret[static GRANT_SIGN_SECRET], uint8_t *out,
		  size_t size);

enum grant_verdict { GRANT_GOOD, GRANT_MALFORMED, GRANT_FORGED, GRANT_EXPIRED, GRANT_NOT_YET };

/* Verifies the signature against nkeys public keys, then the encoding and the times. Only GRANT_GOOD sets *g.
 * Clock skew between processes of one machine is none: expires_ns is exact. */
enum grant_verdict grant_verify(const uint8_t *bytes, size_t len, const uint8_t (*keys)[GRANT_SIGN_PUBLIC],
				size_t nkeys, int64_t now_ns, struct grant *g);

#endif
