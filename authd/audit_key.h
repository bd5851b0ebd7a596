/*
 * The file that holds the audit log's signing key: one block, overwritten in place. While one epoch gives way
 * to the next both keys are in it, so that a crash at any moment leaves the one that the log goes on with.
 * Where a master key is set, what is in it is sealed (vault/box.h).
 */
#ifndef WEIR_AUTHD_AUDIT_KEY_H
#define WEIR_AUTHD_AUDIT_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/chain.h"
#include "vault/master.h"

/* Locked memory, always. */
struct audit_key {
	uint32_t epoch; /* 0: there is no key */
	uint8_t secret[AUDIT_SECRET_BYTES];
	uint32_t next_epoch; /* 0: there is none */
	uint8_t next_secret[AUDIT_SECRET_BYTES];
};

enum audit_key_status {
	AUDIT_KEY_READ,
	AUDIT_KEY_OLD, /* read, but it is not sealed as it should be: it is to be written again */
	AUDIT_KEY_EMPTY,
	AUDIT_KEY_DAMAGED,
	AUDIT_KEY_NO_MASTER /* sealed with a master key that is not here: *id says with which */
};

/* keys: NULL where nothing is sealed. */
enum audit_key_status audit_key_read(int fd, const struct master_keys *keys, struct audit_key *k,
				     struct master_id *id);
/* Returns when it is on disk; false with errno. */
bool audit_key_write(int fd, const struct master_keys *keys, const struct audit_key *k);

/* The public key of a secret one. */
static inline const uint8_t *
audit_key_public(const uint8_t secret[static AUDIT_SECRET_BYTES])
{
	return secret + AUDIT_SECRET_BYTES - AUDIT_KEY_BYTES;
}

#endif
