/*
 * The file that holds the audit log's signing key: one block, overwritten in place. While one epoch gives way
 * to the next both keys are in it, so that a crash at any moment leaves the one that the log goes on with.
 */
#ifndef WEIR_AUTHD_AUDIT_KEY_H
#define WEIR_AUTHD_AUDIT_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/chain.h"

/* Locked memory, always. */
struct audit_key {
	uint32_t epoch; /* 0: there is no key */
	uint8_t secret[AUDIT_SECRET_BYTES];
	uint32_t next_epoch; /* 0: there is none */
	uint8_t next_secret[AUDIT_SECRET_BYTES];
};

enum audit_key_status { AUDIT_KEY_READ, AUDIT_KEY_EMPTY, AUDIT_KEY_DAMAGED };

enum audit_key_status audit_key_read(int fd, struct audit_key *k);
/* Returns when it is on disk; false with errno. */
bool audit_key_write(int fd, const struct audit_key *k);

/* The public key of a secret one. */
static inline const uint8_t *
audit_key_public(const uint8_t secret[static AUDIT_SECRET_BYTES])
{
	return secret + AUDIT_SECRET_BYTES - AUDIT_KEY_BYTES;
}

#endif
