/*
 * Records with lists: tenants, accesses, groups, tokens and narrowings, as bytes and back. What a decoder
 * makes lives in the arena that it is given; where that is full, it fails as for a record that cannot be.
 * Pure.
 */
#ifndef WEIR_AUTHD_RECORD_POLICY_H
#define WEIR_AUTHD_RECORD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "policy/role.h"
#include "policy/snapshot.h"
#include "record.h"

#define SELECTORS_MAX      2048 /* of one tenant */
#define ACCESSES_MAX       64   /* of one user or group */
#define NARROWING_LIST_MAX 2048 /* interfaces, exporters or networks of one narrowing */
#define TOKEN_SOURCES_MAX  64
#define TOKEN_HASH_LEN     32
#define LIST_RECORD_MAX    (1u << 20) /* bytes of the longest of these records */

struct tenant_record {
	struct tenant tenant;
	size_t nselectors;
	struct tenant_selector *selectors;
};

/* What somebody has in one tenant, or (TENANT_PLATFORM) in all. */
struct access {
	uint32_t tenant;
	uint32_t role;           /* enum role */
	struct narrowing within; /* all lists empty and not masked: the tenant whole. Its number is 0 here */
};

struct accesses {
	size_t n;
	struct access *item;
};

struct group {
	uint64_t number; /* 1 and up, never reused */
	char name[ACCOUNT_NAME_MAX];
	char title[TITLE_MAX];
	struct accesses access;
};

struct token {
	uint8_t hash[TOKEN_HASH_LEN]; /* BLAKE2b of its text */
	uint64_t owner;               /* an account's number */
	char label[TITLE_MAX];
	struct access access;
	uint64_t scopes;    /* bits of enum action; all ones: whatever the role has */
	int64_t created_ns; /* UTC */
	int64_t expires_ns; /* 0: never */
	size_t nsources;    /* none: from anywhere */
	struct ip_prefix *sources;
};

static inline bool
narrowing_is_whole(const struct narrowing *n)
{
	return n->ninterfaces == 0 && n->nexporters == 0 && n->nnetworks == 0 && !n->masked;
}

/* Each encoder returns the length, 0 where out is too small. */
size_t tenant_encode(const struct tenant_record *t, uint8_t *out, size_t size);
bool tenant_decode(const void *bytes, size_t len, struct arena *arena, struct tenant_record *t);
size_t accesses_encode(const struct accesses *a, uint8_t *out, size_t size);
bool accesses_decode(const void *bytes, size_t len, struct arena *arena, struct accesses *a);
bool accesses_equal(const struct accesses *a, const struct accesses *b);
size_t group_encode(const struct group *g, uint8_t *out, size_t size);
bool group_decode(const void *bytes, size_t len, struct arena *arena, struct group *g);
size_t token_encode(const struct token *t, uint8_t *out, size_t size);
bool token_decode(const void *bytes, size_t len, struct arena *arena, struct token *t);
/* The content of a narrowing, without its number. */
size_t narrowing_encode(const struct narrowing *n, uint8_t *out, size_t size);
bool narrowing_decode(const void *bytes, size_t len, struct arena *arena, struct narrowing *n);

/* A tenant and a selector of the first version of the format. */
bool tenant_v1_decode(const void *bytes, size_t len, struct tenant *t);
bool selector_v1_decode(const void *bytes, size_t len, struct tenant_selector *s);

#endif
