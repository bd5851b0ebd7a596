/* Counts flows against the limits of their tenants. */
#include "quota.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

static int
by_tenant(const void *va, const void *vb)
{
	const struct quota *a = va, *b = vb;

	return (a->tenant > b->tenant) - (a->tenant < b->tenant);
}

static struct quota *
find(const struct quotas *q, uint32_t tenant)
{
	struct quota key = { .tenant = tenant };

	return q->n == 0 ? NULL : bsearch(&key, q->quota, q->n, sizeof(key), by_tenant);
}

void
quotas_policy(struct quotas *q, const struct snapshot *policy)
{
	size_t tenants = snapshot_tenants(policy);
	struct quotas next = { .quota = mem_calloc(tenants + 1, sizeof(*next.quota)) };

	/* The snapshot's tenants are in order. */
	for (size_t i = 0; i < tenants; i++) {
		const struct tenant *t = snapshot_tenant_at(policy, i);
		const struct quota *old = find(q, t->number);
		struct quota *to = &next.quota[next.n];

		if (t->quota.flows_per_s == 0 && (old == NULL || old->over == 0))
			continue;
		if (old != NULL)
			*to = *old;
		to->tenant = t->number;
		to->flows_per_s = t->quota.flows_per_s;
		next.any |= to->flows_per_s > 0;
		next.n++;
	}
	quotas_free(q);
	*q = next;
}

void
quotas_free(struct quotas *q)
{
	free(q->quota);
	*q = (struct quotas){ .n = 0 };
}

bool
quota_take(struct quotas *q, uint32_t tenant, int64_t now_ns)
{
	struct quota *t = find(q, tenant);
	int64_t second = now_ns / NS_PER_S;

	if (t == NULL || t->flows_per_s == 0)
		return true;
	if (t->second != second) {
		t->second = second;
		t->taken = 0;
	}
	if (t->taken >= t->flows_per_s) {
		t->over++;
		return false;
	}
	t->taken++;
	return true;
}

uint64_t
quota_over(const struct quotas *q, uint32_t tenant)
{
	const struct quota *t = find(q, tenant);

	return t == NULL ? 0 : t->over;
}
