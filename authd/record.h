/*
 * What stands in authd's database, as bytes and back: each record begins with its version, is big-endian, and
 * has one encoding. These have a fixed size in memory; record_policy.h has those with lists. Pure.
 */
#ifndef WEIR_AUTHD_RECORD_H
#define WEIR_AUTHD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"

#define PASSWORD_HASH_MAX 128 /* crypto_pwhash_STRBYTES, terminated */
#define SESSION_ID_LEN    32
#define TITLE_MAX         128
#define PROVIDER_MAX      32  /* with its end */
#define SUBJECT_MAX       256 /* likewise */
#define RECORD_MAX        1024

enum account_kind { ACCOUNT_PERSON = 1, ACCOUNT_SERVICE, ACCOUNT_KIND_COUNT };

struct account {
	uint64_t number; /* 1 and up, never reused */
	uint32_t kind;   /* enum account_kind */
	bool disabled;   /* nobody comes in by it, its sessions and tokens are void */
	bool absent;     /* likewise: its provider says that he may not come in, until it says that he may */
	int64_t created_ns; /* UTC, as all times here */
	char name[ACCOUNT_NAME_MAX];
	char title[TITLE_MAX];
	char hash[PASSWORD_HASH_MAX]; /* argon2id; "": no password opens it */
	/* Who says whether it is he, where that is not Weir itself (""), and what he is called there for
	 * good, whatever his name becomes ("": not known yet, or nothing). */
	char provider[PROVIDER_MAX];
	char subject[SUBJECT_MAX];
};

/* An account as the first version of the format had it. */
struct account_v1 {
	struct account account;
	uint32_t role, tenant;
};

/* When somebody came in by an account, and when somebody tried. */
struct login_record {
	int64_t last_ns; /* 0: never */
	struct ip_addr last_ip;
	int64_t failed_ns; /* 0: never */
	struct ip_addr failed_ip;
	uint32_t failures; /* since the last that came in */
};

#define SESSION_SID_LEN 16

/* Who opened a session, where it was not a password. */
struct session_origin {
	char provider[PROVIDER_NAME_MAX]; /* "": Weir's own accounts, or the directory */
	uint8_t sid[SESSION_SID_LEN];     /* BLAKE2b of the provider's own session id; zero: not told */
};

struct session_record {
	uint8_t id[SESSION_ID_LEN]; /* BLAKE2b of the cookie */
	uint64_t account;
	int64_t created_ns, last_seen_ns, expires_ns;
	struct ip_addr ip;     /* that it was begun from */
	char agent[AGENT_MAX]; /* what that called itself */
	struct session_origin origin;
};

#define RECOVERY_CODES    10
#define TOTP_SECRET_LEN   20
#define RECOVERY_HASH_LEN 32

enum factor_kind { FACTOR_TOTP = 1, FACTOR_KIND_COUNT };

/* The second factor of an account. */
struct factor_record {
	uint32_t kind;  /* enum factor_kind */
	bool confirmed; /* a code of it was shown once: from then on it is asked for */
	int64_t created_ns;
	uint8_t secret[TOTP_SECRET_LEN];
	uint64_t last_step; /* of the last code that was taken: none of it or before it is taken again */
	uint32_t nrecovery; /* codes that are left */
	uint8_t recovery[RECOVERY_CODES][RECOVERY_HASH_LEN];
};

/* When a token was last shown. */
struct token_use {
	int64_t ns;
	struct ip_addr ip;
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
/* Also takes the second version, which knew no providers but the directory. */
bool account_decode(const void *bytes, size_t len, struct account *a);
bool account_v1_decode(const void *bytes, size_t len, struct account_v1 *a);
size_t login_encode(const struct login_record *l, uint8_t *out, size_t size);
bool login_decode(const void *bytes, size_t len, struct login_record *l);
size_t session_encode(const struct session_record *s, uint8_t *out, size_t size);
/* Also takes the first version, which knew neither address nor agent, and the second, which did not know
 * origins. */
bool session_decode(const void *bytes, size_t len, struct session_record *s);
size_t factor_encode(const struct factor_record *f, uint8_t *out, size_t size);
bool factor_decode(const void *bytes, size_t len, struct factor_record *f);
size_t token_use_encode(const struct token_use *u, uint8_t *out, size_t size);
bool token_use_decode(const void *bytes, size_t len, struct token_use *u);
size_t signing_encode(const struct signing_record *s, uint8_t *out, size_t size);
bool signing_decode(const void *bytes, size_t len, struct signing_record *s);

#endif
