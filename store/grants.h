/*
 * Who may ask: the keys, the policy snapshot and the set of live grants that authd pushes, and the check that
 * every question goes through. Nothing is answered before all three are there, nor while authd is silent.
 */
#ifndef WEIR_STORE_GRANTS_H
#define WEIR_STORE_GRANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"
#include "policy/grant.h"
#include "policy/snapshot.h"

#define GRANTS_SILENCE_NS INT64_C(10000000000) /* after this much silence of authd nothing is answered */
#define GRANTS_LIVE_MAX   65536

struct grants;

struct grants *grants_new(void);
void grants_free(struct grants **g);

/* Anything came from authd at now_boot_ns. */
void grants_heard(struct grants *g, int64_t now_boot_ns);

/* What authd sends; false where it is malformed. */
bool grants_keys(struct grants *g, const struct wire_grant_keys *k);
/* Takes over a document; false where it is forged, malformed or older than what is there. bytes stay the
 * caller's. */
bool grants_snapshot(struct grants *g, uint64_t number, const uint8_t *bytes, size_t len);
/* A part of the whole set; *full counts grants that had no room. */
bool grants_set(struct grants *g, const struct wire_grant_ids *head, const struct wire_grant_live *ids,
		int64_t now_ns, uint64_t *full);
void grants_add(struct grants *g, const struct wire_grant_live *id, int64_t now_ns, uint64_t *full);
void grants_revoke(struct grants *g, const uint8_t id[static GRANT_ID_BYTES]);

/* The newest snapshot, NULL before the first. */
const struct snapshot *grants_policy(const struct grants *g);

/* The same for somebody who goes on using it when a newer one has come: he frees it. */
struct snapshot *grants_hold_policy(const struct grants *g);

/* Judges the grant of a question from proc@instance. ANSWER_OK: *out is set; otherwise the status to answer
 * with. */
enum answer_status grants_check(struct grants *g, const uint8_t *bytes, size_t len, uint32_t proc,
				uint32_t instance, int64_t now_utc_ns, int64_t now_boot_ns,
				struct grant *out);
/* Whether a grant that was good when something began still is. */
enum answer_status grants_still(const struct grants *g, const struct grant *grant, int64_t now_utc_ns,
				int64_t now_boot_ns);

#endif
