/* The key that grants and snapshots are signed with: made at the first start, changed now and then, locked in
 * memory. */
#ifndef WEIR_AUTHD_SIGNING_H
#define WEIR_AUTHD_SIGNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "accounts_db.h"
#include "ipc/wire.h"
#include "policy/grant.h"

#define SIGNING_KEY_LIFE_S (90 * 86400) /* an older one is replaced */
/* While what the key before signed may be out: it stays trusted so long, and none is replaced sooner. */
#define SIGNING_OVERLAP_S (2 * GRANT_LIFE_S)

struct signing {
	struct signing_record *key;  /* locked */
	struct signing_record *next; /* locked: what signing_rotate drew */
};

/* Loads the key, or makes one (also where it is too old: what the old one signed stays good). False where the
 * disk will not have it. */
bool signing_load(struct signing *s, struct accounts_db *db, int64_t now_ns);
/* Whether it may be replaced: what the one before signed has run out. */
bool signing_may_rotate(const struct signing *s, int64_t now_ns);
/* Whether it is too old. */
bool signing_is_old(const struct signing *s, int64_t now_ns);
/* Draws a new key and puts it within x. Once x is on disk, signing_adopt makes it the one that signs. */
void signing_rotate(struct signing *s, struct txn *x, int64_t now_ns);
void signing_adopt(struct signing *s);
/* Forgets the key before, where nothing that it signed can be out any more; true where it was there. */
bool signing_drop_previous(struct signing *s, struct accounts_db *db, int64_t now_ns);
/* Wipes it. */
void signing_forget(struct signing *s);
/* When it was made; UTC. */
int64_t signing_since(const struct signing *s);
const uint8_t *signing_secret(const struct signing *s);
/* The public keys that store is to trust: current, previous. */
void signing_public(const struct signing *s, struct wire_grant_keys *k);
/* The signed policy snapshot, to be freed by the caller; NULL where tenants in the database are out of
 * bounds. */
uint8_t *signing_snapshot(const struct signing *s, struct accounts_db *db, size_t *len);

#endif
