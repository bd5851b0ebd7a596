#include "reconcile.h"

#include <sodium.h>
#include <string.h>

#include "accounts.h"
#include "authd.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "events.h"
#include "mapping.h"
#include "newcomers.h"
#include "people.h"
#include "providers.h"
#include "told.h"

#define BATCH 64u /* accounts of one transaction */

struct batch {
	uint64_t after; /* account */
	size_t n;
	uint64_t account[BATCH];
	bool changed[BATCH];
};

/* Accounts by number: those of providers behind the last. */
static bool
take(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct batch *b = ctx;
	struct account who;

	(void)key;
	if (!account_decode(value.p, value.n, &who))
		return false;
	if (who.number > b->after && who.provider[0] != '\0')
		b->account[b->n++] = who.number;
	sodium_memzero(&who, sizeof(who));
	return b->n < BATCH;
}

/* True where anything was taken or given. */
static bool
settle_identity(struct txn *x, struct provider *p, uint64_t account)
{
	AUTO(mem_drop) struct told *told = mem_calloc(1, sizeof(*told));
	AUTO(mem_drop) const char **group = mem_calloc(TOLD_GROUPS_COUNT, sizeof(*group));
	struct person_told t = { .group = group };

	if (!told_look(x, account, told) || told->lapsed)
		return mapping_write(x, &p->mapping, account, NULL);
	t.ngroups = told_groups(told, group);
	return mapping_write(x, &p->mapping, account, &t);
}

static bool
settle(struct authd *a, struct txn *x, uint64_t account)
{
	static const struct mapping nothing = { .n = 0 };
	struct mapping m = nothing;
	struct audit_entry e;
	struct account who;
	struct provider *p;
	bool changed;

	account_read(x, account, &who);
	if (x->rc != 0)
		return false;
	p = providers_find(a->providers, who.provider);
	if (account_is_directorys(&who) && people_are_there(a->people))
		m = mapping_of_directory(&a->boot->settings);
	changed = p == NULL ? mapping_prune(x, &m, account) : settle_identity(x, p, account);
	if (changed) {
		e = events_entry(AUDIT_RIGHTS_REMOVED, AUDIT_DONE, who.name, NULL);
		audit_detail(&e, "the settings give other groups now");
		audit_add(a->audit, x, &e);
	}
	sodium_memzero(&who, sizeof(who));
	return changed;
}

/* False where it could not be written. */
static bool
settle_batch(struct authd *a, struct batch *b)
{
	struct txn x = txn_begin(accounts_db_tables(a->db), true);
	const struct be64 from = be64_of(b->after + 1);
	enum db_status status;

	b->n = 0;
	txn_walk(&x, TABLE_ACCOUNTS, be64_bytes(&from), false, take, b);
	for (size_t i = 0; i < b->n && x.rc == 0; i++)
		b->changed[i] = settle(a, &x, b->account[i]);
	status = txn_end(&x);
	if (status != DB_OK)
		return false;
	for (size_t i = 0; i < b->n; i++)
		if (b->changed[i])
			newcomers_settle(a, b->account[i]);
	if (b->n > 0)
		b->after = b->account[b->n - 1];
	return true;
}

void
reconcile(struct authd *a)
{
	struct batch b = { .after = 0 };

	if (a->reconciled)
		return;
	do {
		if (!settle_batch(a, &b)) {
			static struct log_limit unwritten;

			log_warn_limited(&unwritten,
					 "what the settings do not give any more is not taken yet: %s",
					 accounts_db_why(a->db));
			return;
		}
	} while (b.n == BATCH);
	a->reconciled = true;
}
