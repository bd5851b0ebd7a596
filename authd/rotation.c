#include "rotation.h"

#include "authd.h"
#include "base/log.h"

void
rotation_publish(struct authd *a)
{
	store_link_keys(a);
}

static enum db_status
rotate_old(struct authd *a, int64_t now)
{
	struct audit_entry e = audit_entry_of(AUDIT_KEY_ROTATED, AUDIT_DONE, "system", "key:grants");
	struct txn x = txn_begin(accounts_db_tables(a->db), true);
	enum db_status status;

	audit_detail(&e, "it was older than %d days", SIGNING_KEY_LIFE_S / 86400);
	signing_rotate(&a->signing, &x, now);
	audit_add(a->audit, &x, &e);
	status = txn_end(&x);
	if (status != DB_OK)
		return status; /* the old one goes on */
	signing_adopt(&a->signing);
	rotation_publish(a);
	return DB_OK;
}

enum db_status
rotation_tick(struct authd *a, int64_t now)
{
	if (signing_is_old(&a->signing, now))
		return rotate_old(a, now);
	if (signing_drop_previous(&a->signing, a->db, now))
		rotation_publish(a);
	return DB_OK;
}
