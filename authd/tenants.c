#include "tenants.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "labels.h"
#include "rows.h"
#include "watched.h"

#define RECORD_ARENA    (4u << 20)              /* what one record may take in memory */
#define NUMBERS_BEGAN_S INT64_C(1735689600)     /* 2025 */
#define NUMBERS_END     (TENANT_UNASSIGNED / 2) /* clocks that are ahead of it are wrong */

void
policy_changed(struct txn *x)
{
	(void)meta_next(x, META_SNAPSHOT);
}

/* --- tenants --- */

void
tenant_read(struct txn *x, uint32_t number, struct arena *arena, struct tenant_record *t)
{
	struct be64 key = be64_of(number);
	struct db_bytes v;

	memset(t, 0, sizeof(*t));
	if (txn_get(x, TABLE_TENANTS, be64_bytes(&key), &v) && !tenant_decode(v.p, v.n, arena, t))
		txn_damaged(x);
}

uint32_t
tenant_number(struct txn *x, const char *name)
{
	return (uint32_t)name_look(x, TABLE_TENANT_NAMES, name);
}

bool
tenant_look(struct txn *x, const char *name, struct arena *arena, struct tenant_record *t)
{
	uint32_t number = tenant_number(x, name);

	memset(t, 0, sizeof(*t));
	if (number == 0)
		return false;
	tenant_read(x, number, arena, t);
	return x->rc == 0;
}

void
tenant_name(struct txn *x, uint32_t number, char out[static TENANT_NAME_MAX])
{
	struct arena *arena;
	struct tenant_record t = { .nselectors = 0 };
	struct be64 key = be64_of(number);
	struct db_bytes v;

	(void)str_copy(out, TENANT_NAME_MAX, number == TENANT_PLATFORM ? "*" : "");
	if (number == TENANT_PLATFORM || !txn_look(x, TABLE_TENANTS, be64_bytes(&key), &v))
		return;
	arena = arena_new(RECORD_ARENA);
	if (tenant_decode(v.p, v.n, arena, &t))
		(void)str_copy(out, TENANT_NAME_MAX, t.tenant.name);
	else
		txn_damaged(x);
	arena_free(&arena);
}

void
tenant_write(struct txn *x, struct tenant_record *t)
{
	size_t size;
	uint8_t *room = row_scratch(&size);

	for (size_t i = 0; i < t->nselectors; i++)
		t->selectors[i].tenant = t->tenant.number;
	row_put(x, TABLE_TENANTS, t->tenant.number, tenant_encode(t, room, size));
	policy_changed(x);
}

static bool
was_given(struct txn *x, uint64_t number)
{
	struct be64 key = be64_of(number);
	struct db_bytes v;

	return txn_look(x, TABLE_TENANTS, be64_bytes(&key), &v) ||
	       txn_look(x, TABLE_REMOVED, be64_bytes(&key), &v);
}

/* Numbers are seconds, about: an older copy of this database that is put back gives none again that was given
 * since, by which the newcomer would be shown what is kept of somebody else. */
static uint64_t
next_number(struct txn *x)
{
	uint64_t number = meta_number(x, META_NEXT_TENANT);
	int64_t seconds = clock_utc_ns() / NS_PER_S - NUMBERS_BEGAN_S;

	if (number > 1 && seconds > 0 && (uint64_t)seconds > number && (uint64_t)seconds < NUMBERS_END)
		number = (uint64_t)seconds;
	while (was_given(x, number))
		number++;
	meta_put(x, META_NEXT_TENANT, number + 1);
	return number;
}

void
tenant_add(struct txn *x, struct tenant_record *t)
{
	uint64_t number = next_number(x);

	if (txn_count(x, TABLE_TENANTS) >= SNAPSHOT_TENANTS_MAX || number >= TENANT_UNASSIGNED)
		txn_full(x, "tenants", SNAPSHOT_TENANTS_MAX);
	t->tenant.number = (uint32_t)number;
	name_add(x, TABLE_TENANT_NAMES, t->tenant.name, number);
	tenant_write(x, t);
}

/* Store deletes what it kept of these, and of nobody else. Of very many those that were made first are let
 * go: that is done for long. */
static void
note_removed(struct txn *x, uint32_t number)
{
	struct be64 key = be64_of(number), now = be64_of((uint64_t)clock_utc_ns());
	struct db_bytes first, v;

	txn_put(x, TABLE_REMOVED, be64_bytes(&key), be64_bytes(&now));
	if (txn_count(x, TABLE_REMOVED) <= SNAPSHOT_REMOVED_MAX || !txn_first(x, TABLE_REMOVED, &first, &v))
		return;

	uint64_t oldest;

	if (!be64_read(first, &oldest))
		txn_damaged(x);
	key = be64_of(oldest);
	txn_delete(x, TABLE_REMOVED, be64_bytes(&key));
}

void
tenant_remove(struct txn *x, const struct tenant *t)
{
	struct be64 key = be64_of(t->number);

	name_remove(x, TABLE_TENANT_NAMES, t->name);
	txn_delete(x, TABLE_TENANTS, be64_bytes(&key));
	(void)labels_replace(x, t->number, NULL, 0);
	(void)watched_replace(x, t->number, NULL, 0);
	note_removed(x, t->number);
	policy_changed(x);
}

/* The half of it is whoever's comes first; of the other half everybody has his part, whoever was first. */
bool
tenant_has_room(struct txn *x, enum table t, size_t has, size_t all_max)
{
	size_t all = txn_count(x, t), share = all_max / 2 / (txn_count(x, TABLE_TENANTS) + 1);

	return all < all_max / 2 || (all < all_max && has < (share == 0 ? 1 : share));
}

struct use {
	uint32_t tenant;
	struct arena *arena;
	bool found;
};

static bool
names_tenant(struct use *u, const struct accesses *a)
{
	for (size_t i = 0; i < a->n; i++)
		u->found = u->found || a->item[i].tenant == u->tenant;
	arena_reset(u->arena);
	return true;
}

static bool
accesses_use(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct use *u = ctx;
	struct accesses a;

	(void)key;
	return accesses_decode(value.p, value.n, u->arena, &a) && names_tenant(u, &a);
}

static bool
group_uses(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct use *u = ctx;
	struct group g;

	(void)key;
	return group_decode(value.p, value.n, u->arena, &g) && names_tenant(u, &g.access);
}

static bool
token_uses(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct use *u = ctx;
	struct token t;
	bool good = token_decode(value.p, value.n, u->arena, &t);

	(void)key;
	u->found = u->found || (good && t.access.tenant == u->tenant);
	arena_reset(u->arena);
	return good;
}

bool
tenant_in_use(struct txn *x, uint32_t number)
{
	struct use u = { number, arena_new(RECORD_ARENA), false };

	txn_each(x, TABLE_ACCESSES, accesses_use, &u);
	txn_each(x, TABLE_GROUPS, group_uses, &u);
	txn_each(x, TABLE_TOKENS, token_uses, &u);
	arena_free(&u.arena);
	return u.found;
}

/* --- the snapshot --- */

struct build {
	struct snapshot_builder *b;
	struct arena *arena;
};

static bool
add_tenant(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct build *to = ctx;
	struct tenant_record t;
	bool good = tenant_decode(value.p, value.n, to->arena, &t) && snapshot_add_tenant(to->b, &t.tenant);

	(void)key;
	for (size_t i = 0; good && i < t.nselectors; i++)
		good = snapshot_add_selector(to->b, &t.selectors[i]);
	arena_reset(to->arena);
	return good;
}

static bool
add_narrowing(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct build *to = ctx;
	struct narrowing n;
	uint64_t number = 0;
	bool good = be64_read(key, &number) && narrowing_decode(value.p, value.n, to->arena, &n);

	if (good) {
		n.number = (uint32_t)number;
		good = snapshot_add_narrowing(to->b, &n);
	}
	arena_reset(to->arena);
	return good;
}

static bool
add_removed(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct build *to = ctx;
	uint64_t number = 0;

	(void)value;
	return be64_read(key, &number) && snapshot_add_removed(to->b, (uint32_t)number);
}

void
policy_build(struct txn *x, struct snapshot_builder *b)
{
	struct build to = { b, arena_new(RECORD_ARENA) };

	txn_each(x, TABLE_TENANTS, add_tenant, &to);
	txn_each(x, TABLE_NARROWINGS, add_narrowing, &to);
	txn_each(x, TABLE_REMOVED, add_removed, &to);
	watched_build(x, b);
	arena_free(&to.arena);
}

struct fitting {
	struct build build;
	bool fits;
};

static bool
fit_tenant(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct fitting *f = ctx;

	f->fits = add_tenant(&f->build, key, value);
	return f->fits;
}

bool
policy_fits(struct txn *x)
{
	struct fitting f = { { snapshot_builder_new(1), arena_new(RECORD_ARENA) }, true };
	struct be64 first = be64_of(0);

	txn_walk(x, TABLE_TENANTS, be64_bytes(&first), false, fit_tenant, &f);
	arena_free(&f.build.arena);
	snapshot_builder_free(&f.build.b);
	return f.fits;
}
