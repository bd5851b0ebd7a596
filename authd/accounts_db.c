#include "accounts_db.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ipc/boot.h"
#include "policy/role.h"

#define FORMAT_VERSION 1

/* Keys of TABLE_META. */
#define META_FORMAT       "format"
#define META_NEXT_ACCOUNT "next-account"
#define META_SNAPSHOT     "snapshot"
#define META_SIGNING      "signing-key"

struct accounts_db {
	struct db *db;
	uint64_t administrators, snapshot;
};

static void
put_number(struct txn *x, const char *key, uint64_t v)
{
	struct be64 n = be64_of(v);

	txn_put(x, TABLE_META, db_bytes(key, strlen(key)), be64_bytes(&n));
}

static uint64_t
get_number(struct txn *x, const char *key)
{
	uint64_t n = 0;
	struct db_bytes v;

	if (txn_get(x, TABLE_META, db_bytes(key, strlen(key)), &v) && !be64_read(v, &n))
		txn_damaged(x);
	return n;
}

/* --- opening --- */

/* First start: what must be there for everything else, at once with the tables themselves. */
static void
found(struct txn *x)
{
	static const struct tenant first = { .number = 1, .name = "default" };
	static const struct tenant_selector everything = { .tenant = 1, .vlan = UINT32_MAX };
	struct be64 tenant_key = be64_of(first.number), selector_key = be64_of((uint64_t)first.number << 32);
	uint8_t buf[RECORD_MAX];
	size_t n;

	put_number(x, META_FORMAT, FORMAT_VERSION);
	put_number(x, META_NEXT_ACCOUNT, 1);
	put_number(x, META_SNAPSHOT, 1);
	n = tenant_encode(&first, buf, sizeof(buf));
	txn_put(x, TABLE_TENANTS, be64_bytes(&tenant_key), db_bytes(buf, n));
	n = selector_encode(&everything, buf, sizeof(buf));
	txn_put(x, TABLE_SELECTORS, be64_bytes(&selector_key), db_bytes(buf, n));
}

static bool
found_if_new(struct db *db, const char *path, struct db_error *e)
{
	struct txn x = txn_begin(db, true);

	if (txn_count(&x, TABLE_META) == 0)
		found(&x);
	return txn_end(&x) == DB_OK || db_fail(&x, path, e);
}

static bool
check_account(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct accounts_db *db = ctx;
	struct account a;
	uint64_t number;
	bool good = be64_read(key, &number) && account_decode(value.p, value.n, &a) && a.number == number;

	if (good && a.role == ROLE_PLATFORM_ADMINISTRATOR)
		db->administrators++;
	sodium_memzero(&a, sizeof(a));
	return good;
}

static bool
check_name(void *ctx, struct db_bytes key, struct db_bytes value)
{
	uint64_t number;

	(void)ctx;
	return key.n > 0 && key.n < ACCOUNT_NAME_MAX && be64_read(value, &number) && number > 0;
}

static bool
check_session(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct session_record s;

	(void)ctx;
	return key.n == SESSION_ID_LEN && session_decode(value.p, value.n, &s) &&
	       memcmp(s.id, key.p, SESSION_ID_LEN) == 0;
}

static bool
check_tenant(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct tenant t;
	uint64_t number;

	(void)ctx;
	return be64_read(key, &number) && tenant_decode(value.p, value.n, &t) && t.number == number;
}

static bool
check_selector(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct tenant_selector s;
	uint64_t number;

	(void)ctx;
	return be64_read(key, &number) && selector_decode(value.p, value.n, &s) && s.tenant == number >> 32;
}

static txn_each_fn *const checks[TABLE_COUNT] = {
	[TABLE_ACCOUNTS] = check_account,   [TABLE_NAMES] = check_name,
	[TABLE_SESSIONS] = check_session,   [TABLE_TENANTS] = check_tenant,
	[TABLE_SELECTORS] = check_selector,
};

/* Every record is read once: a damaged page shows here and not at a login. */
static bool
check_all(struct accounts_db *db, const char *path, struct db_error *e)
{
	struct txn x = txn_begin(db->db, false);
	uint64_t format = get_number(&x, META_FORMAT);

	db->snapshot = get_number(&x, META_SNAPSHOT);
	(void)get_number(&x, META_NEXT_ACCOUNT);
	for (unsigned t = 0; t < TABLE_COUNT; t++)
		if (checks[t] != NULL)
			txn_each(&x, (enum table)t, checks[t], db);
	if (txn_end(&x) != DB_OK)
		return db_fail(&x, path, e);
	if (format == FORMAT_VERSION)
		return true;
	e->status = EXIT_BAD_INPUT;
	(void)snprintf(
	    e->text, sizeof(e->text),
	    "%s: the accounts are of another version of Weir: use that version, or move the file away", path);
	return false;
}

struct accounts_db *
accounts_db_open(const char *path, struct db_error *e)
{
	struct accounts_db *db = mem_calloc(1, sizeof(*db));

	db->db = db_open(path, e);
	if (db->db != NULL && found_if_new(db->db, path, e) && check_all(db, path, e))
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

/* --- accounts --- */

static void
txn_account(struct txn *x, uint64_t number, struct account *a)
{
	struct be64 key = be64_of(number);
	struct db_bytes v;

	if (txn_get(x, TABLE_ACCOUNTS, be64_bytes(&key), &v) && !account_decode(v.p, v.n, a))
		txn_damaged(x);
}

static void
txn_put_account(struct txn *x, const struct account *a)
{
	struct be64 key = be64_of(a->number);
	uint8_t buf[RECORD_MAX];
	size_t n = account_encode(a, buf, sizeof(buf));

	if (n == 0)
		txn_fail(x, DB_BROKEN);
	txn_put(x, TABLE_ACCOUNTS, be64_bytes(&key), db_bytes(buf, n));
	sodium_memzero(buf, sizeof(buf));
}

static void
txn_put_session(struct txn *x, const struct session_record *s)
{
	uint8_t buf[RECORD_MAX];
	size_t n = session_encode(s, buf, sizeof(buf));

	txn_put(x, TABLE_SESSIONS, db_bytes(s->id, sizeof(s->id)), db_bytes(buf, n));
}

enum db_status
accounts_db_find(struct accounts_db *db, const char *name, struct account *a)
{
	size_t n = strnlen(name, ACCOUNT_NAME_MAX);
	struct txn x;
	uint64_t number = 0;
	struct db_bytes v;

	if (n == 0 || n == ACCOUNT_NAME_MAX)
		return DB_NONE;
	x = txn_begin(db->db, false);
	if (txn_get(&x, TABLE_NAMES, db_bytes(name, n), &v) && !be64_read(v, &number))
		txn_damaged(&x);
	txn_account(&x, number, a);
	return txn_end(&x);
}

enum db_status
accounts_db_get(struct accounts_db *db, uint64_t number, struct account *a)
{
	struct txn x = txn_begin(db->db, false);

	txn_account(&x, number, a);
	return txn_end(&x);
}

bool
accounts_db_has_administrator(const struct accounts_db *db)
{
	return db->administrators > 0;
}

enum db_status
accounts_db_create(struct accounts_db *db, struct account *a, struct session_record *s)
{
	struct txn x = txn_begin(db->db, true);
	struct be64 number;
	enum db_status status;

	a->number = get_number(&x, META_NEXT_ACCOUNT);
	number = be64_of(a->number);
	txn_put_new(&x, TABLE_NAMES, db_bytes(a->name, strlen(a->name)), be64_bytes(&number));
	txn_put_account(&x, a);
	put_number(&x, META_NEXT_ACCOUNT, a->number + 1);
	if (s != NULL) {
		s->account = a->number;
		txn_put_session(&x, s);
	}
	status = txn_end(&x);
	if (status == DB_OK && a->role == ROLE_PLATFORM_ADMINISTRATOR)
		db->administrators++;
	return status;
}

enum db_status
accounts_db_set_hash(struct accounts_db *db, uint64_t number, const char *hash)
{
	struct txn x = txn_begin(db->db, true);
	struct account a = { 0 };

	txn_account(&x, number, &a);
	if (!str_copy(a.hash, sizeof(a.hash), hash))
		txn_fail(&x, DB_BROKEN);
	if (x.rc == 0)
		txn_put_account(&x, &a);
	sodium_memzero(&a, sizeof(a));
	return txn_end(&x);
}

/* --- sessions --- */

enum db_status
accounts_db_sessions(struct accounts_db *db, const struct session_record *put, size_t nput,
		     const uint8_t (*gone)[SESSION_ID_LEN], size_t ngone)
{
	struct txn x = txn_begin(db->db, true);

	for (size_t i = 0; i < ngone; i++)
		txn_delete(&x, TABLE_SESSIONS, db_bytes(gone[i], SESSION_ID_LEN));
	for (size_t i = 0; i < nput; i++)
		txn_put_session(&x, &put[i]);
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

/* --- the signing key and the tenants --- */

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

enum db_status
accounts_db_set_signing(struct accounts_db *db, const struct signing_record *s)
{
	struct txn x = txn_begin(db->db, true);
	uint8_t buf[RECORD_MAX];
	size_t n = signing_encode(s, buf, sizeof(buf));

	txn_put(&x, TABLE_META, db_bytes(META_SIGNING, strlen(META_SIGNING)), db_bytes(buf, n));
	sodium_memzero(buf, sizeof(buf));
	return txn_end(&x);
}

uint64_t
accounts_db_snapshot_number(const struct accounts_db *db)
{
	return db->snapshot;
}

enum db_status
accounts_db_tenant(struct accounts_db *db, uint32_t number, struct tenant *t)
{
	struct txn x = txn_begin(db->db, false);
	struct be64 key = be64_of(number);
	struct db_bytes v;

	if (txn_get(&x, TABLE_TENANTS, be64_bytes(&key), &v) && !tenant_decode(v.p, v.n, t))
		txn_damaged(&x);
	return txn_end(&x);
}

static bool
add_tenant(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct tenant t;

	(void)key;
	return tenant_decode(value.p, value.n, &t) && snapshot_add_tenant(ctx, &t);
}

static bool
add_selector(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct tenant_selector s;

	(void)key;
	return selector_decode(value.p, value.n, &s) && snapshot_add_selector(ctx, &s);
}

bool
accounts_db_build_snapshot(struct accounts_db *db, struct snapshot_builder *b)
{
	struct txn x = txn_begin(db->db, false);

	txn_each(&x, TABLE_TENANTS, add_tenant, b);
	txn_each(&x, TABLE_SELECTORS, add_selector, b);
	return txn_end(&x) == DB_OK;
}
