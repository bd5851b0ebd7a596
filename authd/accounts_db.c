#include "accounts_db.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check.h"
#include "rights.h"
#include "rows.h"
#include "tenants.h"
#include "upgrade.h"

struct accounts_db {
	struct db *db;
	struct at_rest_change at_rest;
	bool has_administrator, has_own_administrator;
	uint64_t snapshot;
};

/* First start: what must be there for everything else, at once. */
static void
found(struct txn *x)
{
	struct tenant_selector everything = { .vlan = UINT32_MAX };
	struct tenant_record first = { .tenant = { .name = "default" },
				       .nselectors = 1,
				       .selectors = &everything };

	meta_put(x, META_FORMAT, FORMAT_VERSION);
	meta_put(x, META_NEXT_ACCOUNT, 1);
	meta_put(x, META_NEXT_GROUP, 1);
	meta_put(x, META_NEXT_TENANT, 1);
	meta_put(x, META_NEXT_NARROWING, 1);
	meta_put(x, META_SNAPSHOT, 0);
	at_rest_mark(x);
	tenant_add(x, &first);
}

static bool
found_or_upgrade(struct db *db, const char *path, struct db_error *e)
{
	struct txn x = txn_begin(db, true);

	if (txn_count(&x, TABLE_META) == 0)
		found(&x);
	else
		upgrade(&x);
	return txn_end(&x) == DB_OK || db_fail(&x, path, e);
}

struct accounts_db *
accounts_db_open(const char *path, const struct master_keys *keys, struct db_error *e)
{
	struct accounts_db *db = mem_calloc(1, sizeof(*db));

	db->db = at_rest_open(path, keys, &db->at_rest, e);
	if (db->db != NULL && found_or_upgrade(db->db, path, e) && check_all(db->db, path, e) &&
	    accounts_db_refresh(db) == DB_OK)
		return db;
	accounts_db_close(&db);
	return NULL;
}

void
accounts_db_close(struct accounts_db **dbp)
{
	struct accounts_db *db = *dbp;

	if (db == NULL)
		return;
	db_close(&db->db);
	free(db);
	*dbp = NULL;
}

const struct at_rest_change *
accounts_db_at_rest(const struct accounts_db *db)
{
	return &db->at_rest;
}

struct db *
accounts_db_tables(struct accounts_db *db)
{
	return db->db;
}

const char *
accounts_db_why(const struct accounts_db *db)
{
	return db_why(db->db);
}

enum db_status
accounts_db_refresh(struct accounts_db *db)
{
	struct txn x = txn_begin(db->db, false);
	bool administrator = rights_any_administrator(&x, false), own = rights_any_administrator(&x, true);
	uint64_t snapshot = meta_number(&x, META_SNAPSHOT);
	enum db_status status = txn_end(&x);

	if (status == DB_OK) {
		db->has_administrator = administrator;
		db->has_own_administrator = own;
		db->snapshot = snapshot;
	}
	return status;
}

bool
accounts_db_has_administrator(const struct accounts_db *db)
{
	return db->has_administrator;
}

bool
accounts_db_has_own_administrator(const struct accounts_db *db)
{
	return db->has_own_administrator;
}

uint64_t
accounts_db_snapshot_number(const struct accounts_db *db)
{
	return db->snapshot;
}

/* --- sessions --- */

void
sessions_put(struct txn *x, const struct session_record *put, size_t nput,
	     const uint8_t (*gone)[SESSION_ID_LEN], size_t ngone)
{
	size_t size;
	uint8_t *room = row_scratch(&size);

	for (size_t i = 0; i < ngone; i++)
		txn_delete(x, TABLE_SESSIONS, db_bytes(gone[i], SESSION_ID_LEN));
	for (size_t i = 0; i < nput; i++)
		row_put_at(x, TABLE_SESSIONS, db_bytes(put[i].id, sizeof(put[i].id)),
			   session_encode(&put[i], room, size));
}

enum db_status
accounts_db_sessions(struct accounts_db *db, const struct session_record *put, size_t nput,
		     const uint8_t (*gone)[SESSION_ID_LEN], size_t ngone)
{
	struct txn x = txn_begin(db->db, true);

	sessions_put(&x, put, nput, gone, ngone);
	return txn_end(&x);
}

struct each_session {
	void (*each)(void *ctx, const struct session_record *s);
	void *ctx;
};

static bool
one_session(void *ctx, struct db_bytes key, struct db_bytes value)
{
	const struct each_session *e = ctx;
	struct session_record s;

	(void)key;
	if (!session_decode(value.p, value.n, &s))
		return false;
	e->each(e->ctx, &s);
	return true;
}

bool
accounts_db_each_session(struct accounts_db *db, void (*each)(void *ctx, const struct session_record *s),
			 void *ctx)
{
	struct each_session e = { each, ctx };
	struct txn x = txn_begin(db->db, false);

	txn_each(&x, TABLE_SESSIONS, one_session, &e);
	return txn_end(&x) == DB_OK;
}

/* --- the signing key --- */

enum db_status
accounts_db_signing(struct accounts_db *db, struct signing_record *s)
{
	struct txn x = txn_begin(db->db, false);
	struct db_bytes v;

	if (txn_get(&x, TABLE_META, db_bytes(META_SIGNING, strlen(META_SIGNING)), &v) &&
	    !signing_decode(v.p, v.n, s))
		txn_damaged(&x);
	return txn_end(&x);
}

void
accounts_db_put_signing(struct txn *x, const struct signing_record *s)
{
	size_t size;
	uint8_t *room = row_scratch(&size);

	row_put_at(x, TABLE_META, db_bytes(META_SIGNING, strlen(META_SIGNING)),
		   signing_encode(s, room, size));
}

enum db_status
accounts_db_set_signing(struct accounts_db *db, const struct signing_record *s)
{
	struct txn x = txn_begin(db->db, true);

	accounts_db_put_signing(&x, s);
	return txn_end(&x);
}
