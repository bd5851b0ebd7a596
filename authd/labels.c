#include "labels.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mem.h"
#include "codec.h"
#include "tenants.h"

#define LABEL_VERSION 1

static const char *const kinds[] = { NULL, "host", "interface", "network" };
static_assert(ARRAY_LEN(kinds) == LABEL_KIND_COUNT, "name every kind");

const char *
label_kind_name(uint32_t kind)
{
	return kind < LABEL_KIND_COUNT ? kinds[kind] : NULL;
}

uint32_t
label_kind_parse(const char *name)
{
	for (uint32_t k = 1; k < LABEL_KIND_COUNT; k++)
		if (strcmp(name, kinds[k]) == 0)
			return k;
	return 0;
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

int
label_order(const struct label *a, const struct label *b)
{
	int d = ORDER(a->kind, b->kind);

	d = d != 0 ? d : ORDER(a->space, b->space);
	d = d != 0 ? d : ORDER(a->vlan, b->vlan);
	return d != 0 ? d : strcmp(a->key, b->key);
}

/* --- records: what it is of is the key, in the order of label_order --- */

size_t
label_key_encode(uint32_t tenant, const struct label *l, uint8_t out[static LABEL_KEY_BYTES])
{
	struct wcur w = wcur_of(out, LABEL_KEY_BYTES);

	wcur_be32(&w, tenant);
	wcur_u8(&w, (uint8_t)l->kind);
	wcur_be32(&w, l->space);
	wcur_be16(&w, l->vlan);
	wcur_put(&w, l->key, strnlen(l->key, sizeof(l->key)));
	return codec_finished(&w);
}

bool
label_key_decode(struct db_bytes key, uint32_t *tenant, struct label *l)
{
	struct rcur k = rcur_of(key.p, key.n);
	size_t n;

	memset(l, 0, sizeof(*l));
	*tenant = rcur_be32(&k);
	l->kind = rcur_u8(&k);
	l->space = rcur_be32(&k);
	l->vlan = rcur_be16(&k);
	n = rcur_left(&k);
	return n > 0 && n < sizeof(l->key) && rcur_copy(&k, l->key, n) && strlen(l->key) == n && !k.bad &&
	       l->kind > 0 && l->kind < LABEL_KIND_COUNT;
}

static bool
record_decode(struct db_bytes key, struct db_bytes value, uint32_t *tenant, struct label *l)
{
	struct rcur v = rcur_of(value.p, value.n);

	if (!label_key_decode(key, tenant, l) || rcur_u8(&v) != LABEL_VERSION)
		return false;
	codec_take_text(&v, l->text, sizeof(l->text));
	return codec_ended(&v) && l->text[0] != '\0';
}

bool
label_good(struct db_bytes key, struct db_bytes value)
{
	struct label l;
	uint32_t tenant;

	return record_decode(key, value, &tenant, &l);
}

/* --- a tenant's --- */

struct walk {
	struct txn *x;
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
	struct walk w = { x, tenant, each, ctx, 0, false };
	uint8_t from[4];
	struct wcur at = wcur_of(from, sizeof(from));

	wcur_be32(&at, tenant);
	txn_walk(x, TABLE_LABELS, db_bytes(from, sizeof(from)), false, walk_one, &w);
	if (w.damaged)
		txn_damaged(x);
	return w.n;
}

void
labels_each(struct txn *x, uint32_t tenant, label_fn *each, void *ctx)
{
	(void)walk(x, tenant, each, ctx);
}

size_t
labels_count(struct txn *x, uint32_t tenant)
{
	return walk(x, tenant, NULL, NULL);
}

bool
label_look(struct txn *x, uint32_t tenant, struct label *l)
{
	uint8_t key[LABEL_KEY_BYTES];
	struct db_bytes k = db_bytes(key, label_key_encode(tenant, l, key)), v;
	struct label found;
	uint32_t whose;

	l->text[0] = '\0';
	if (!txn_look(x, TABLE_LABELS, k, &v))
		return false;
	if (!record_decode(k, v, &whose, &found)) {
		txn_damaged(x);
		return false;
	}
	*l = found;
	return true;
}

static void
put_record(struct txn *x, struct db_bytes key, const struct label *l, size_t has)
{
	uint8_t value[TITLE_MAX + 2];
	struct wcur w = wcur_of(value, sizeof(value));

	wcur_u8(&w, LABEL_VERSION);
	codec_put_text(&w, l->text, sizeof(l->text));
	if (!tenant_has_room(x, TABLE_LABELS, has, LABELS_ALL_MAX))
		txn_full(x, "labels of all tenants", LABELS_ALL_MAX);
	txn_put(x, TABLE_LABELS, key, db_bytes(value, codec_finished(&w)));
}

void
label_put(struct txn *x, uint32_t tenant, const struct label *l)
{
	uint8_t key[LABEL_KEY_BYTES];
	struct db_bytes k = db_bytes(key, label_key_encode(tenant, l, key)), v;

	size_t has = txn_look(x, TABLE_LABELS, k, &v) ? 0 : labels_count(x, tenant);

	if (has >= LABELS_MAX)
		txn_full(x, "labels", LABELS_MAX);
	put_record(x, k, l, has);
}

void
label_remove(struct txn *x, uint32_t tenant, const struct label *l)
{
	uint8_t key[LABEL_KEY_BYTES];

	txn_delete(x, TABLE_LABELS, db_bytes(key, label_key_encode(tenant, l, key)));
}

struct gathered {
	struct label *item;
	size_t n;
};

static void
gather(void *ctx, const struct label *l)
{
	struct gathered *g = ctx;

	if (g->n < LABELS_MAX)
		g->item[g->n++] = *l;
}

/* Both in order: what is in both, what is new, and what goes. */
struct labels_changed
labels_replace(struct txn *x, uint32_t tenant, const struct label *to, size_t n)
{
	struct gathered was = { mem_calloc(LABELS_MAX, sizeof(*was.item)), 0 };
	struct labels_changed ch = { 0, 0 };
	uint8_t key[LABEL_KEY_BYTES];
	size_t i = 0, k = 0;

	labels_each(x, tenant, gather, &was);
	while (x->rc == 0 && (i < was.n || k < n)) {
		int d = i == was.n ? 1 : k == n ? -1 : label_order(&was.item[i], &to[k]);

		if (d < 0) {
			label_remove(x, tenant, &was.item[i++]);
			ch.removed++;
			continue;
		}
		if (d > 0 || strcmp(was.item[i].text, to[k].text) != 0) {
			put_record(x, db_bytes(key, label_key_encode(tenant, &to[k], key)), &to[k], k);
			ch.set++;
		}
		i += d == 0;
		k++;
	}
	free(was.item);
	return ch;
}
