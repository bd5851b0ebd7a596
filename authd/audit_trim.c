#include <stdio.h>

#include "audit_log.h"
#include "base/clock.h"
#include "base/log.h"

#define TRIM_INTERVAL_S 3600
#define TRIM_MOST       16384 /* entries of one transaction */

/* The last end of an epoch that is old enough: everything before it may go, and it stays, since it names the
 * key of what follows. */
struct oldest {
	int64_t before_ns;
	uint64_t first, keep_from, looked;
};

static bool
look(void *ctx, struct db_bytes key, struct db_bytes record)
{
	struct oldest *o = ctx;
	struct audit_entry e;
	struct audit_seal s;

	(void)key;
	if (!audit_entry_decode(record.p, record.n, &e, &s) || e.time_ns >= o->before_ns)
		return false;
	if (o->first == 0)
		o->first = e.sequence;
	else if (e.kind == AUDIT_EPOCH)
		o->keep_from = e.sequence;
	return ++o->looked < TRIM_MOST;
}

enum db_status
audit_trim_tick(struct audit *au, int64_t now_ns)
{
	struct oldest o = { .before_ns = now_ns - au->rules.keep_ns };
	struct audit_entry e = audit_entry_of(AUDIT_TRIMMED, AUDIT_DONE, "system", "");
	struct be64 from = be64_of(0);
	enum db_status status;
	struct txn x;

	if (au->trimmed_ns != 0 && now_ns >= au->trimmed_ns &&
	    now_ns - au->trimmed_ns < TRIM_INTERVAL_S * NS_PER_S)
		return DB_OK;
	x = txn_begin(au->db, true);
	txn_walk(&x, TABLE_AUDIT, be64_bytes(&from), false, look, &o);
	if (o.keep_from == 0) {
		au->trimmed_ns = now_ns;
		txn_abort(&x);
		return DB_OK;
	}
	for (uint64_t n = o.first; n < o.keep_from; n++) {
		struct be64 key = be64_of(n);

		txn_delete(&x, TABLE_AUDIT, be64_bytes(&key));
	}
	(void)snprintf(e.subject, sizeof(e.subject), "entry:%llu", (unsigned long long)o.keep_from);
	audit_detail(&e, "the entries %llu to %llu were older than authd.audit_keep",
		     (unsigned long long)o.first, (unsigned long long)o.keep_from - 1);
	audit_add(au, &x, &e);
	status = txn_end(&x);
	/* There may be more: the next tick goes on. */
	if (status == DB_OK)
		log_info("audit: %s", e.detail);
	return status;
}
