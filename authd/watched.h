/*
 * What is watched: the hosts and networks of a tenant (or of the platform, under TENANT_PLATFORM) that are to
 * have series with a point each second. As it stands in the database: within the caller's transaction, to
 * which failures stick. It is part of the policy: store does the rest.
 */
#ifndef WEIR_AUTHD_WATCHED_H
#define WEIR_AUTHD_WATCHED_H

#include "labels.h"
#include "policy/snapshot.h"

#define WATCHED_MAX 256 /* of one tenant; of all SNAPSHOT_WATCHED_MAX, of which everybody has a share */

/* Calls each for everything that the tenant watches, in the order of label_order, with an empty text; each
 * may not write. */
void watched_each(struct txn *x, uint32_t tenant, label_fn *each, void *ctx);
bool watched_is(struct txn *x, uint32_t tenant, const struct label *what);
/* Watches a host or a network, or does not any more. DB_FULL where the tenant, or all together, watch as much
 * as may be. False: it is so already. */
bool watched_set(struct txn *x, uint32_t tenant, const struct label *what, bool watched);
/* Makes it these n (at most WATCHED_MAX), which are in the order of label_order, each once. */
struct labels_changed watched_replace(struct txn *x, uint32_t tenant, const struct label *to, size_t n);

/* All of it, into a snapshot. */
void watched_build(struct txn *x, struct snapshot_builder *b);
/* Whether a record may stand so in the database. */
bool watched_good(struct db_bytes key, struct db_bytes value);

#endif
