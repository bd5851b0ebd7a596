#include "check.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "configuration.h"
#include "ipc/boot.h"
#include "labels.h"
#include "record_policy.h"
#include "rows.h"
#include "told.h"
#include "upgrade.h"
#include "watched.h"

#define ARENA_BYTES (8u << 20) /* the longest record in memory */

static bool
check_account(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct account a;
	uint64_t number;
	bool good = be64_read(key, &number) && account_decode(value.p, value.n, &a) && a.number == number;

	(void)ctx;
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
check_accesses(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct accesses a;
	uint64_t number;

	return be64_read(key, &number) && accesses_decode(value.p, value.n, ctx, &a);
}

static bool
check_login(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct login_record l;
	uint64_t number;

	(void)ctx;
	return be64_read(key, &number) && login_decode(value.p, value.n, &l);
}

static bool
check_factor(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct factor_record f;
	uint64_t number;
	bool good = be64_read(key, &number) && factor_decode(value.p, value.n, &f);

	(void)ctx;
	sodium_memzero(&f, sizeof(f));
	return good;
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
check_group(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct group g;
	uint64_t number;

	return be64_read(key, &number) && group_decode(value.p, value.n, ctx, &g) && g.number == number;
}

static bool
check_pair(void *ctx, struct db_bytes key, struct db_bytes value)
{
	(void)ctx;
	return key.n == sizeof(struct be64_pair) && value.n == 0;
}

static bool
check_tenant(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct tenant_record t;
	uint64_t number;

	return be64_read(key, &number) && tenant_decode(value.p, value.n, ctx, &t) &&
	       t.tenant.number == number;
}

static bool
check_narrowing(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct narrowing n;
	uint64_t number;

	return be64_read(key, &number) && number > 0 && number < UINT32_MAX &&
	       narrowing_decode(value.p, value.n, ctx, &n);
}

static bool
check_narrowing_key(void *ctx, struct db_bytes key, struct db_bytes value)
{
	uint64_t number;

	(void)ctx;
	return key.n == 32 && be64_read(value, &number);
}

static bool
check_token(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct token t;

	return key.n == TOKEN_HASH_LEN && token_decode(value.p, value.n, ctx, &t) &&
	       memcmp(t.hash, key.p, TOKEN_HASH_LEN) == 0;
}

static bool
check_token_of(void *ctx, struct db_bytes key, struct db_bytes value)
{
	(void)ctx;
	return key.n == 8 + TOKEN_HASH_LEN && value.n == 0;
}

static bool
check_token_use(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct token_use u;

	(void)ctx;
	return key.n == TOKEN_HASH_LEN && token_use_decode(value.p, value.n, &u);
}

static bool
check_configuration(void *ctx, struct db_bytes key, struct db_bytes value)
{
	(void)ctx;
	return configuration_good(key, value);
}

static bool
check_label(void *ctx, struct db_bytes key, struct db_bytes value)
{
	(void)ctx;
	return label_good(key, value);
}

static bool
check_watched(void *ctx, struct db_bytes key, struct db_bytes value)
{
	(void)ctx;
	return watched_good(key, value);
}

static bool
check_subject(void *ctx, struct db_bytes key, struct db_bytes value)
{
	uint64_t number;

	(void)ctx;
	return key.n > 2 && key.n < PROVIDER_MAX + SUBJECT_MAX && be64_read(value, &number) && number > 0;
}

static bool
check_removed(void *ctx, struct db_bytes key, struct db_bytes value)
{
	uint64_t number, when;

	(void)ctx;
	return be64_read(key, &number) && be64_read(value, &when) && number > TENANT_PLATFORM &&
	       number < TENANT_UNASSIGNED;
}

static bool
check_told(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct told t;
	uint64_t number;

	(void)ctx;
	return be64_read(key, &number) && number > 0 && told_decode(value.p, value.n, &t);
}

/* The audit log judges its own entries. */
static txn_each_fn *const checks[TABLE_COUNT] = {
	[TABLE_ACCOUNTS] = check_account,
	[TABLE_NAMES] = check_name,
	[TABLE_ACCESSES] = check_accesses,
	[TABLE_LOGINS] = check_login,
	[TABLE_FACTORS] = check_factor,
	[TABLE_SESSIONS] = check_session,
	[TABLE_GROUPS] = check_group,
	[TABLE_GROUP_NAMES] = check_name,
	[TABLE_MEMBERS] = check_pair,
	[TABLE_MEMBERSHIPS] = check_pair,
	[TABLE_TENANTS] = check_tenant,
	[TABLE_TENANT_NAMES] = check_name,
	[TABLE_NARROWINGS] = check_narrowing,
	[TABLE_NARROWING_KEYS] = check_narrowing_key,
	[TABLE_TOKENS] = check_token,
	[TABLE_TOKENS_OF] = check_token_of,
	[TABLE_TOKEN_USES] = check_token_use,
	[TABLE_CONFIGURATION] = check_configuration,
	[TABLE_LABELS] = check_label,
	[TABLE_WATCHED] = check_watched,
	[TABLE_SUBJECTS] = check_subject,
	[TABLE_REMOVED] = check_removed,
	[TABLE_TOLD] = check_told,
	[TABLE_GIVEN] = check_pair,
};

struct checking {
	txn_each_fn *check;
	struct arena *arena;
};

static bool
check_one(void *ctx, struct db_bytes key, struct db_bytes value)
{
	const struct checking *c = ctx;
	bool good = c->check(c->arena, key, value);

	arena_reset(c->arena);
	return good;
}

bool
check_all(struct db *db, const char *path, struct db_error *e)
{
	struct txn x = txn_begin(db, false);
	uint64_t format = meta_number(&x, META_FORMAT);
	struct checking c = { NULL, arena_new(ARENA_BYTES) };

	for (unsigned t = 0; t < TABLE_COUNT && format == FORMAT_VERSION; t++) {
		c.check = checks[t];
		if (c.check != NULL)
			txn_each(&x, (enum table)t, check_one, &c);
	}
	arena_free(&c.arena);
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
