/* How many flows of each tenant may begin in a second, by the policy snapshot; and how many were too many. */
#ifndef WEIR_STORE_QUOTA_H
#define WEIR_STORE_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/snapshot.h"

struct quota {
	uint32_t tenant;
	uint64_t flows_per_s; /* 0: no limit any more */
	int64_t second;       /* that taken belongs to */
	uint64_t taken, over; /* over: since store started */
};

/* Only tenants that have or had a limit. All zero: none. */
struct quotas {
	struct quota *quota; /* ascending by tenant */
	size_t n;
	bool any; /* one has a limit now */
};

/* Takes the limits over; what was counted stays, as long as the tenant is there. */
void quotas_policy(struct quotas *q, const struct snapshot *policy);
void quotas_free(struct quotas *q);
/* Whether another flow of the tenant may begin at now_ns; if so it counts. */
bool quota_take(struct quotas *q, uint32_t tenant, int64_t now_ns);
/* Flows of the tenant that were not taken. */
uint64_t quota_over(const struct quotas *q, uint32_t tenant);

#endif
