/*
 * The process that computes argon2id, so that authd's loop never waits for it: forked before the sandbox, it
 * holds one end of a socketpair and nothing else. One request is answered by one answer; at end of file it
 * ends.
 */
#ifndef WEIR_AUTHD_HASHER_H
#define WEIR_AUTHD_HASHER_H

#include <stdint.h>
#include <sys/types.h>

#include "record.h"

enum hash_kind {
	HASH_MAKE = 1, /* a hash of the password */
	HASH_VERIFY    /* against hash; where hash is empty, against one that nothing matches */
};

enum hash_verdict {
	HASH_MADE = 1,
	HASH_MATCH, /* hash holds a new one where the old one's cost is not what the settings say */
	HASH_MISMATCH,
	HASH_FAILED /* no memory for it: nothing was judged */
};

struct hash_request {
	uint64_t serial;
	uint32_t kind;
	uint32_t reserved;
	char password[PASSWORD_MAX];
	char hash[PASSWORD_HASH_MAX];
};

struct hash_answer {
	uint64_t serial;
	uint32_t verdict;
	uint32_t reserved;
	char hash[PASSWORD_HASH_MAX];
};

struct hash_cost {
	uint64_t passes;
	size_t memory;
};

/* Forks one; returns our end of its socketpair. Dies where there can be none. */
int hasher_fork(unsigned number, const struct hash_cost *cost);

#endif
