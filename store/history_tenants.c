/* Limits and counts by tenant: see history_tenants.h. */
#include "history_tenants.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "history_parts.h"
#include "policy/snapshot.h"

struct known {
	struct tenant_limits l;
	int64_t cut_ns; /* blocks that end by then are more than its bytes; INT64_MIN: none is */
	uint64_t bytes, counting, forgotten;
};

struct list {
	struct known *t;
	size_t n;
	uint32_t *removed; /* ascending */
	size_t nremoved;
	uint64_t policy;
};

/* A block of a tenant that has a limit of bytes. */
struct counted {
	uint32_t tenant;
	int64_t most_last_ns;
	uint64_t bytes;
};

struct tenants {
	pthread_mutex_t lock;
	struct list said; /* under the lock: what the policy said and was not taken yet; policy 0: nothing */
	struct list has;  /* the writer's; under the lock where it changes, or another thread reads */
	struct counted *block;
	size_t nblocks, blocks_cap;
};

static const char policy_key[] = "policy";

struct tenants *
tenants_new(void)
{
	struct tenants *t = mem_calloc(1, sizeof(*t));

	if (pthread_mutex_init(&t->lock, NULL) != 0)
		fatal("cannot make a lock");
	return t;
}

static void
list_free(struct list *l)
{
	free(l->t);
	free(l->removed);
	*l = (struct list){ 0 };
}

void
tenants_free(struct tenants **tp)
{
	struct tenants *t = *tp;

	if (t == NULL)
		return;
	pthread_mutex_destroy(&t->lock);
	list_free(&t->said);
	list_free(&t->has);
	free(t->block);
	free(t);
	*tp = NULL;
}

static int
by_tenant(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return (x->l.tenant > y->l.tenant) - (x->l.tenant < y->l.tenant);
}

static struct known *
find(const struct list *l, uint32_t tenant)
{
	const struct known key = { .l.tenant = tenant };

	return l->n == 0 ? NULL : bsearch(&key, l->t, l->n, sizeof(key), by_tenant);
}

static int
by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool
is_removed(const struct list *l, uint32_t tenant)
{
	return l->nremoved != 0 &&
	       bsearch(&tenant, l->removed, l->nremoved, sizeof(tenant), by_number) != NULL;
}

void
history_tenants(struct history *h, const struct tenants_said *said, uint64_t policy)
{
	struct tenants *all = h->tenants;
	struct list next = { .t = mem_calloc(said->n + 1, sizeof(*next.t)),
			     .n = said->n,
			     .removed = mem_calloc(said->nremoved + 1, sizeof(*next.removed)),
			     .nremoved = said->nremoved,
			     .policy = policy };

	for (size_t i = 0; i < said->n; i++)
		next.t[i] = (struct known){ .l = said->tenant[i], .cut_ns = INT64_MIN };
	if (said->nremoved > 0)
		memcpy(next.removed, said->removed, said->nremoved * sizeof(*next.removed));
	pthread_mutex_lock(&all->lock);
	list_free(&all->said);
	all->said = next;
	pthread_mutex_unlock(&all->lock);
}

void
history_tenant_counts(struct history *h, uint32_t tenant, uint64_t *bytes, uint64_t *forgotten)
{
	struct tenants *t = h->tenants;

	pthread_mutex_lock(&t->lock);

	const struct known *k = find(&t->has, tenant);

	*bytes = k == NULL ? 0 : k->bytes;
	*forgotten = k == NULL ? 0 : k->forgotten;
	pthread_mutex_unlock(&t->lock);
}

/* --- taking it over
 * -----------------------------------------------------------------------------------------------------------
 */

/* A policy that is older than one that was known here is of accounts that were put back. */
static void
note_policy(struct history *h, uint64_t policy)
{
	const struct db_bytes key = { policy_key, sizeof(policy_key) };
	uint64_t before = 0;
	struct db_bytes v;
	struct db_txn x;

	db_begin(h->db, &x, true);
	if (db_get(&x, DB_META, key, &v) && v.n == sizeof(before))
		memcpy(&before, v.p, sizeof(before));
	if (policy > before)
		db_put(&x, DB_META, key, (struct db_bytes){ &policy, sizeof(policy) });
	if (db_end(&x) == DB_OK && policy < before)
		log_warn("the accounts are older than the history: what is kept of tenants that they do not "
			 "know stays, and only the platform sees it");
}

/* Counts go on; true where a tenant was removed. */
static bool
carry_over(struct tenants *t, const struct list *before)
{
	bool went = false;

	for (size_t i = 0; i < before->n; i++) {
		const struct known *old = &before->t[i];
		struct known *now = find(&t->has, old->l.tenant);

		if (now == NULL)
			continue;
		now->bytes = old->bytes;
		now->forgotten = old->forgotten;
	}
	for (size_t i = 0; i < t->has.nremoved && !went; i++)
		went = !is_removed(before, t->has.removed[i]);
	return went;
}

bool
tenants_take(struct history *h)
{
	struct tenants *t = h->tenants;
	struct list before = { 0 };
	bool changed, went = false;

	pthread_mutex_lock(&t->lock);
	changed = t->said.policy != 0;
	if (changed) {
		before = t->has;
		t->has = t->said;
		t->said = (struct list){ 0 };
		/* After a start nobody knows who went before: what was written last is looked at anew. */
		went = carry_over(t, &before) || before.policy == 0;
	}
	pthread_mutex_unlock(&t->lock);
	if (!changed)
		return false;
	note_policy(h, t->has.policy);
	t->nblocks = 0;
	list_free(&before);
	return went;
}

/* --- asking
 * -----------------------------------------------------------------------------------------------------------------
 */

bool
tenants_is_gone(const struct tenants *t, uint32_t tenant)
{
	return is_removed(&t->has, tenant);
}

unsigned
tenants_retention(const struct tenants *t, uint32_t tenant)
{
	/* 0: for longer, or as long as store keeps any. */
	static const int64_t most_days[RETENTION_CLASSES - 1] = { 2, 8, 32, 100, 400 };
	const struct known *k = find(&t->has, tenant);
	int64_t keep_ns = k == NULL || k->l.keep_ns == 0 ? INT64_MAX : k->l.keep_ns;
	unsigned class = 0;

	while (class < RETENTION_CLASSES - 1 && keep_ns > most_days[class] * 86400 * NS_PER_S)
		class ++;
	return RETENTION_CLASSES - 1 - class;
}

bool
tenants_is_old(const struct tenants *t, uint32_t tenant, int64_t last_ns, int64_t at_ns)
{
	const struct known *k = find(&t->has, tenant);

	return k != NULL && k->l.keep_ns != 0 && last_ns < at_ns - k->l.keep_ns;
}

int64_t
tenants_floor(const struct tenants *t, uint32_t tenant, int64_t now_ns)
{
	const struct known *k = find(&t->has, tenant);
	int64_t floor = k == NULL || k->l.keep_ns == 0 ? INT64_MIN : now_ns - k->l.keep_ns;

	if (k != NULL && k->cut_ns != INT64_MIN && k->cut_ns + 1 > floor)
		floor = k->cut_ns + 1;
	return floor;
}

/* --- sweeps
 * -----------------------------------------------------------------------------------------------------------------
 */

void
tenants_count(struct tenants *t, uint32_t tenant, int64_t most_last_ns, uint64_t bytes)
{
	struct known *k = find(&t->has, tenant);

	if (k == NULL)
		return;
	k->counting += bytes;
	if (k->l.stored_bytes == 0)
		return;
	if (t->nblocks == t->blocks_cap) {
		t->blocks_cap = t->blocks_cap == 0 ? 256 : t->blocks_cap * 2;
		t->block = mem_reallocarray(t->block, t->blocks_cap, sizeof(*t->block));
	}
	t->block[t->nblocks++] = (struct counted){ tenant, most_last_ns, bytes };
}

void
tenants_forgot(struct tenants *t, uint32_t tenant, uint64_t rows)
{
	struct known *k = find(&t->has, tenant);

	if (k == NULL)
		return;
	pthread_mutex_lock(&t->lock);
	k->forgotten += rows;
	pthread_mutex_unlock(&t->lock);
}

static int
oldest_first(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;

	if (x->tenant != y->tenant)
		return x->tenant < y->tenant ? -1 : 1;
	return (x->most_last_ns > y->most_last_ns) - (x->most_last_ns < y->most_last_ns);
}

bool
tenants_swept(struct tenants *t)
{
	uint64_t left = 0;
	bool over = false;

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->has.n; i++) {
		t->has.t[i].bytes = t->has.t[i].counting;
		t->has.t[i].counting = 0;
		t->has.t[i].cut_ns = INT64_MIN;
	}
	pthread_mutex_unlock(&t->lock);
	if (t->nblocks > 1)
		qsort(t->block, t->nblocks, sizeof(*t->block), oldest_first);
	for (size_t i = 0; i < t->nblocks; i++) {
		const struct counted *c = &t->block[i];
		struct known *k = find(&t->has, c->tenant);

		/* From the oldest on, until what is left is no more than it may have. */
		if (i == 0 || t->block[i - 1].tenant != c->tenant)
			left = k == NULL ? 0 : k->bytes;
		if (k == NULL || left <= k->l.stored_bytes)
			continue;
		left -= c->bytes < left ? c->bytes : left;
		k->cut_ns = c->most_last_ns;
		over = true;
	}
	t->nblocks = 0;
	return over;
}
