#include "upgrade.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "base/mem.h"
#include "rows.h"
#include "tenants.h"

/*
 * Format 1 had one administrator with a role and a tenant in the account, tenants of a name only, and
 * selectors in a table of their own.
 */

/* What a walk collects, because nothing may be written meanwhile. */
struct list {
	void *item;
	size_t n, size;
};

static void *
list_more(struct list *l)
{
	l->item = mem_reallocarray(l->item, l->n + 1, l->size);
	return (uint8_t *)l->item + l->n++ * l->size;
}

static bool
take_account(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct account_v1 a;
	bool good = account_v1_decode(value.p, value.n, &a);

	(void)key;
	if (good)
		memcpy(list_more(ctx), &a, sizeof(a));
	sodium_memzero(&a, sizeof(a));
	return good;
}

/* Who had a role that spans everything worked in the one tenant that there was: it has the platform. */
static void
upgrade_account(struct txn *x, const struct account_v1 *old)
{
	struct access own = { .tenant = old->tenant, .role = old->role };
	struct accesses accesses = { 1, &own };

	if (old->role == ROLE_PLATFORM_ADMINISTRATOR || old->role == ROLE_AUDITOR)
		own.tenant = TENANT_PLATFORM;
	account_write(x, &old->account);
	accesses_write(x, old->account.number, &accesses);
}

static void
upgrade_accounts(struct txn *x)
{
	struct list l = { .size = sizeof(struct account_v1) };
	const struct account_v1 *a;

	txn_each(x, TABLE_ACCOUNTS, take_account, &l);
	a = l.item;
	for (size_t i = 0; i < l.n; i++)
		upgrade_account(x, &a[i]);
	if (l.item != NULL)
		sodium_memzero(l.item, l.n * l.size);
	free(l.item);
}

static bool
take_tenant(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct tenant t;

	(void)key;
	if (!tenant_v1_decode(value.p, value.n, &t))
		return false;
	memcpy(list_more(ctx), &t, sizeof(t));
	return true;
}

static bool
take_selector(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct tenant_selector s;

	(void)key;
	if (!selector_v1_decode(value.p, value.n, &s))
		return false;
	memcpy(list_more(ctx), &s, sizeof(s));
	return true;
}

/* Selectors came in the order of their tenants. */
static void
upgrade_tenant(struct txn *x, const struct tenant *t, struct tenant_selector *all, size_t nall)
{
	struct tenant_record r = { .tenant = *t };

	for (size_t i = 0; i < nall; i++) {
		if (all[i].tenant != t->number)
			continue;
		if (r.nselectors++ == 0)
			r.selectors = &all[i];
	}
	name_add(x, TABLE_TENANT_NAMES, t->name, t->number);
	tenant_write(x, &r);
}

static void
upgrade_tenants(struct txn *x)
{
	struct list tenants = { .size = sizeof(struct tenant) },
		    selectors = { .size = sizeof(struct tenant_selector) };
	const struct tenant *t;
	uint64_t next = 1;

	txn_each(x, TABLE_TENANTS, take_tenant, &tenants);
	txn_each(x, TABLE_SELECTORS, take_selector, &selectors);
	t = tenants.item;
	for (size_t i = 0; i < tenants.n; i++) {
		upgrade_tenant(x, &t[i], selectors.item, selectors.n);
		next = t[i].number >= next ? t[i].number + UINT64_C(1) : next;
	}
	txn_empty(x, TABLE_SELECTORS);
	meta_put(x, META_NEXT_TENANT, next);
	free(tenants.item);
	free(selectors.item);
}

void
upgrade(struct txn *x)
{
	if (meta_number(x, META_FORMAT) != 1)
		return;
	upgrade_accounts(x);
	upgrade_tenants(x);
	meta_put(x, META_NEXT_GROUP, 1);
	meta_put(x, META_NEXT_NARROWING, 1);
	meta_put(x, META_FORMAT, FORMAT_VERSION);
}
