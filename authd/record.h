/*
 * What stands in authd's database, as bytes and back: each record begins with its version, is big-endian, and
 * has one encoding. Pure.
 */
#ifndef WEIR_AUTHD_RECORD_H
#define WEIR_AUTHD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"
#include "policy/snapshot.h"

#define PASSWORD_HASH_MAX 128 /* crypto_pwhash_STRBYTES, terminated */
#define SESSION_ID_LEN    32
#define RECORD_MAX        512

struct account {
	uint64_t number; /* 1 and up, never reused */
	uint32_t role;   /* enum role */
	uint32_t tenant;
	int64_t created_ns; /* UTC, as all times here */
	char name[ACCOUNT_NAME_MAX];
	char hash[PASSWORD_HASH_MAX]; /* argon2id */
};

struct session_record {
	uint8_t id[SESSION_ID_LEN]; /* BLAKE2b of the cookie */
	uint64_t account;
	int64_t created_ns, last_seen_ns, expires_ns;
};

struct signing_record {
	uint8_t secret[64];          /* Ed25519; its second half is the public key */
	uint8_t previous_public[32]; /* of the key before */
	uint8_t has_previous;
	int64_t created_ns;
};

/* Each encoder returns the length, 0 where out is too small. Each decoder takes exactly len bytes and checks
 * bounds. */
size_t account_encode(const struct account *a, uint8_t *out, size_t size);
bool account_decode(const void *bytes, size_t len, struct account *a);
size_t session_encode(const struct session_record *s, uint8_t *out, size_t size);
bool session_decode(const void *bytes, size_t len, struct session_record *s);
size_t signing_encode(const struct signing_record *s, uint8_t *out, size_t size);
bool signing_decode(const void *bytes, size_t len, struct signing_record *s);
size_t tenant_encode(const struct tenant *t, uint8_t *out, size_t size);
bool tenant_decode(const void *bytes, size_t len, struct tenant *t);
size_t selector_encode(const struct tenant_selector *s, uint8_t *out, size_t size);
bool selector_decode(const void *bytes, size_t len, struct tenant_selector *s);

#endif
