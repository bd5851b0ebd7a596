#include "watched.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "rows.h"
#include "tenants.h"

/* Records are keys alone: LABEL_KEY_BYTES of labels.h. */

static bool
record_decode(struct db_bytes key, struct db_bytes value, uint32_t *tenant, struct label *l)
{
	return value.n == 0 && label_key_decode(key, tenant, l) &&
	       (l->kind == LABEL_HOST || l->kind == LABEL_NETWORK);
}

static bool
item_of(uint32_t tenant, const struct label *l, struct watched_item *w)
{
	*w = (struct watched_item){ .tenant = tenant, .space = l->space, .vlan = l->vlan };
	if (l->kind == LABEL_NETWORK) {
		w->kind = WATCHED_NETWORK;
		return prefix_parse(l->key, &w->what);
	}
	w->kind = WATCHED_HOST;
	w->what.bits = 128;
	return ip_parse(l->key, &w->what.addr);
}

bool
watched_good(struct db_bytes key, struct db_bytes value)
{
	struct watched_item w;
	struct label l;
	uint32_t tenant;

	return record_decode(key, value, &tenant, &l) && item_of(tenant, &l, &w);
}

/* --- a tenant's --- */

struct walk {
	uint32_t tenant;
	label_fn *each;
	void *ctx;
	size_t n;
	bool damaged;
};

static bool
walk_one(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct walk *w = ctx;
	struct label l;
	uint32_t tenant;

	w->damaged = !record_decode(key, value, &tenant, &l);
	if (w->damaged || tenant != w->tenant)
		return false;
	w->n++;
	if (w->each != NULL)
		w->each(w->ctx, &l);
	return true;
}

static size_t
walk(struct txn *x, uint32_t tenant, label_fn *each, void *ctx)
{
	struct walk w = { tenant, each, ctx, 0, false };
	uint8_t from[4];
	struct wcur at = wcur_of(from, sizeof(from));

	wcur_be32(&at, tenant);
	txn_walk(x, TABLE_WATCHED, db_bytes(from, sizeof(from)), false, walk_one, &w);
	if (w.damaged)
		txn_damaged(x);
	return w.n;
}

void
watched_each(struct txn *x, uint32_t tenant, label_fn *each, void *ctx)
{
	(void)walk(x, tenant, each, ctx);
}

bool
watched_is(struct txn *x, uint32_t tenant, const struct label *what)
{
	uint8_t key[LABEL_KEY_BYTES];
	struct db_bytes v;

	return txn_look(x, TABLE_WATCHED, db_bytes(key, label_key_encode(tenant, what, key)), &v);
}

static void
put(struct txn *x, uint32_t tenant, const struct label *what, size_t has)
{
	uint8_t key[LABEL_KEY_BYTES];

	if (has >= WATCHED_MAX)
		txn_full(x, "watched hosts and networks", WATCHED_MAX);
	if (!tenant_has_room(x, TABLE_WATCHED, has, SNAPSHOT_WATCHED_MAX))
		txn_full(x, "watched hosts and networks of all tenants", SNAPSHOT_WATCHED_MAX);
	txn_put(x, TABLE_WATCHED, db_bytes(key, label_key_encode(tenant, what, key)), db_bytes(NULL, 0));
}

static void
take(struct txn *x, uint32_t tenant, const struct label *what)
{
	uint8_t key[LABEL_KEY_BYTES];

	txn_delete(x, TABLE_WATCHED, db_bytes(key, label_key_encode(tenant, what, key)));
}

bool
watched_set(struct txn *x, uint32_t tenant, const struct label *what, bool watched)
{
	if (watched_is(x, tenant, what) == watched || x->rc != 0)
		return false;
	if (watched)
		put(x, tenant, what, walk(x, tenant, NULL, NULL));
	else
		take(x, tenant, what);
	policy_changed(x);
	return true;
}

struct gathered {
	struct label *item;
	size_t n;
};

static void
gather(void *ctx, const struct label *l)
{
	struct gathered *g = ctx;

	if (g->n < WATCHED_MAX)
		g->item[g->n++] = *l;
}

/* What goes makes room before what comes takes it. */
struct labels_changed
watched_replace(struct txn *x, uint32_t tenant, const struct label *to, size_t n)
{
	struct gathered was = { mem_calloc(WATCHED_MAX, sizeof(*was.item)), 0 };
	struct labels_changed ch = { 0, 0 };
	size_t has = 0;

	watched_each(x, tenant, gather, &was);
	for (size_t i = 0, k = 0; i < was.n && x->rc == 0; i++) {
		while (k < n && label_order(&to[k], &was.item[i]) < 0)
			k++;
		if (k < n && label_order(&to[k], &was.item[i]) == 0) {
			has++;
			continue;
		}
		take(x, tenant, &was.item[i]);
		ch.removed++;
	}
	for (size_t k = 0; k < n && x->rc == 0; k++) {
		if (watched_is(x, tenant, &to[k]))
			continue;
		put(x, tenant, &to[k], has++);
		ch.set++;
	}
	free(was.item);
	if (ch.set + ch.removed > 0)
		policy_changed(x);
	return ch;
}

/* --- the snapshot --- */

static bool
build_one(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct watched_item w;
	struct label l;
	uint32_t tenant;

	return record_decode(key, value, &tenant, &l) && item_of(tenant, &l, &w) &&
	       snapshot_add_watched(ctx, &w);
}

void
watched_build(struct txn *x, struct snapshot_builder *b)
{
	txn_each(x, TABLE_WATCHED, build_one, b);
}
