/* Whose traffic is: the policy snapshot's word on what was seen at an observation point. */
#ifndef WEIR_STORE_WHOSE_H
#define WEIR_STORE_WHOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/snapshot.h"
#include "store.h"

/* Takes over a snapshot, as grants_snapshot, and looks its names of our points up: once, not for each flow.
 */
bool whose_policy(struct store *s, uint64_t number, const uint8_t *bytes, size_t len);

/* How long points of series of a resolution (0: 1 s, then 1 min, 5 min, 1 h, 1 d) are kept for a tenant
 * (NULL: without quotas), where the store keeps them for otherwise_s. */
int64_t whose_keep_s(const struct tenant *t, unsigned resolution, int64_t otherwise_s);

/* Before a flow begins: whether a tenant of it may have another one now. Those that may not do not get it; a
 * flow without any is not taken, and counted. What it found is what whose_flow says of this flow next. Files
 * are no flood: they wait. */
bool whose_admits(struct store *s, uint32_t point, const struct rec_flow *f);
/* Where a flow of this point (index) was seen. */
void whose_vantage(const struct store *s, uint32_t point, const struct rec_flow *f, struct vantage *at);
/* The longest of the tenant's networks that holds ip; of a tenant without any, of the platform and of nobody
 * one of local_networks. False: ip is outside. */
bool whose_network(const struct store *s, uint32_t tenant, const struct ip_addr *ip,
		   struct ip_prefix *network);
/* The same by a policy that the caller holds (NULL: none): by any thread. */
bool whose_network_by(const struct store *s, const struct snapshot *policy, uint32_t tenant,
		      const struct ip_addr *ip, struct ip_prefix *network);
struct tenant_match whose_flow(struct store *s, uint32_t point, const struct rec_flow *f);
/* What it will likely say of a flow that has its turn later: for nothing but memory that is asked for ahead.
 */
struct tenant_match whose_likely(const struct store *s, uint32_t point, const struct rec_flow *f);
/* Of what was seen here between two ends. */
struct tenant_match whose_ends(const struct store *s, uint32_t point, uint32_t vlan, const struct ip_addr *a,
			       const struct ip_addr *b);

#endif
