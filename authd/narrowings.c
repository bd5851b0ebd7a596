#include "narrowings.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rows.h"
#include "tenants.h"

#define RECORD_ARENA (4u << 20) /* what one record may take in memory */

#define NARROWING_KEY 32

/* Content as a key: a hash of its bytes. The bytes stay in the scratch. */
static size_t
content_key(const struct narrowing *n, uint8_t key[static NARROWING_KEY])
{
	size_t size, len;
	uint8_t *room = row_scratch(&size);

	len = narrowing_encode(n, room, size);
	(void)crypto_generichash(key, NARROWING_KEY, room, len, NULL, 0);
	return len;
}

uint32_t
narrowing_look(struct txn *x, const struct narrowing *n)
{
	uint8_t key[NARROWING_KEY];
	uint64_t number = 0;
	struct db_bytes v;

	(void)content_key(n, key);
	if (txn_look(x, TABLE_NARROWING_KEYS, db_bytes(key, sizeof(key)), &v) && !be64_read(v, &number))
		txn_damaged(x);
	return (uint32_t)number;
}

/* --- room --- */

size_t
narrowing_entries(const struct narrowing *n)
{
	return n->ninterfaces + n->nexporters + n->nnetworks;
}

struct sum {
	struct arena *arena;
	size_t entries;
};

static bool
add_entries(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct sum *s = ctx;
	struct narrowing n;
	bool good = narrowing_decode(value.p, value.n, s->arena, &n);

	(void)key;
	if (good)
		s->entries += narrowing_entries(&n);
	arena_reset(s->arena);
	return good;
}

/* Whether a snapshot has room for one more: one that cannot be made leaves store without any. */
static bool
has_room(struct txn *x, const struct narrowing *n)
{
	struct sum s = { arena_new(RECORD_ARENA), 0 };

	txn_each(x, TABLE_NARROWINGS, add_entries, &s);
	arena_free(&s.arena);
	return txn_count(x, TABLE_NARROWINGS) < SNAPSHOT_NARROWINGS_MAX &&
	       s.entries + narrowing_entries(n) <= SNAPSHOT_NARROWING_ENTRIES_MAX;
}

/* --- what nothing names any more --- */

/* Keys of the narrowings that accesses and tokens name. */
struct used {
	struct arena *arena; /* for one record at a time */
	uint8_t (*key)[NARROWING_KEY];
	size_t n, room;
};

static void
use(struct used *u, const struct narrowing *n)
{
	if (narrowing_is_whole(n))
		return;
	if (u->n == u->room) {
		u->room = u->room == 0 ? 256 : 2 * u->room;
		u->key = mem_reallocarray(u->key, u->room, sizeof(*u->key));
	}
	(void)content_key(n, u->key[u->n++]);
}

static bool
use_all(struct used *u, bool good, const struct accesses *a)
{
	for (size_t i = 0; good && i < a->n; i++)
		use(u, &a->item[i].within);
	arena_reset(u->arena);
	return good;
}

static bool
use_accesses(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct used *u = ctx;
	struct accesses a;

	(void)key;
	return use_all(u, accesses_decode(value.p, value.n, u->arena, &a), &a);
}

static bool
use_group(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct used *u = ctx;
	struct group g;

	(void)key;
	return use_all(u, group_decode(value.p, value.n, u->arena, &g), &g.access);
}

static bool
use_token(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct used *u = ctx;
	struct token t;
	bool good = token_decode(value.p, value.n, u->arena, &t);

	(void)key;
	if (good)
		use(u, &t.access.within);
	arena_reset(u->arena);
	return good;
}

static int
key_order(const void *a, const void *b)
{
	return memcmp(a, b, NARROWING_KEY);
}

struct unused {
	const struct used *used;
	struct {
		uint64_t number;
		uint8_t key[NARROWING_KEY];
	} * item;
	size_t n;
};

static bool
take_unused(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct unused *u = ctx;
	uint8_t content[NARROWING_KEY];
	uint64_t number;

	if (!be64_read(key, &number))
		return false;
	(void)crypto_generichash(content, sizeof(content), value.p, value.n, NULL, 0);
	if (u->used->n > 0 && bsearch(content, u->used->key, u->used->n, sizeof(content), key_order) != NULL)
		return true;
	u->item[u->n].number = number;
	memcpy(u->item[u->n++].key, content, sizeof(content));
	return true;
}

/* Their numbers are never another's. A grant that is out and has one, because a login joined several
 * accesses, shows nothing until it is renewed. */
static void
drop_unused(struct txn *x)
{
	struct used used = { arena_new(RECORD_ARENA), NULL, 0, 0 };
	struct unused unused = { .used = &used };

	txn_each(x, TABLE_ACCESSES, use_accesses, &used);
	txn_each(x, TABLE_GROUPS, use_group, &used);
	txn_each(x, TABLE_TOKENS, use_token, &used);
	if (used.n > 0)
		qsort(used.key, used.n, sizeof(*used.key), key_order);
	unused.item = mem_calloc(txn_count(x, TABLE_NARROWINGS) + 1, sizeof(*unused.item));
	if (x->rc == 0)
		txn_each(x, TABLE_NARROWINGS, take_unused, &unused);
	for (size_t i = 0; i < unused.n && x->rc == 0; i++) {
		struct be64 number = be64_of(unused.item[i].number);

		txn_delete(x, TABLE_NARROWINGS, be64_bytes(&number));
		txn_delete(x, TABLE_NARROWING_KEYS, db_bytes(unused.item[i].key, NARROWING_KEY));
	}
	free(unused.item);
	free(used.key);
	arena_free(&used.arena);
}

/* --- numbers --- */

uint32_t
narrowing_number(struct txn *x, const struct narrowing *n)
{
	uint32_t known = narrowing_is_whole(n) ? 0 : narrowing_look(x, n);
	uint8_t key[NARROWING_KEY];
	uint64_t number;
	struct be64 value;
	size_t len;

	if (known != 0 || narrowing_is_whole(n))
		return known;
	if (!has_room(x, n))
		drop_unused(x);
	number = meta_next(x, META_NEXT_NARROWING);
	if (txn_count(x, TABLE_NARROWINGS) >= SNAPSHOT_NARROWINGS_MAX || number >= UINT32_MAX)
		txn_full(x, "different lists of interfaces, exporters and networks", SNAPSHOT_NARROWINGS_MAX);
	else if (!has_room(x, n))
		txn_full(x, "interfaces, exporters and networks in all lists together",
			 SNAPSHOT_NARROWING_ENTRIES_MAX);
	len = content_key(n, key);
	value = be64_of(number);
	row_put(x, TABLE_NARROWINGS, number, len);
	txn_put(x, TABLE_NARROWING_KEYS, db_bytes(key, sizeof(key)), be64_bytes(&value));
	policy_changed(x);
	return (uint32_t)number;
}

/* --- one form --- */

static int
name_order(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int
byte_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ip_prefix));
}

static int
exporter_order(const void *va, const void *vb)
{
	const struct exporter_ref *a = va, *b = vb;
	int d = memcmp(a->ip.b, b->ip.b, sizeof(a->ip.b));

	d = d != 0 ? d : (a->has_interface > b->has_interface) - (a->has_interface < b->has_interface);
	return d != 0 ? d : (a->interface > b->interface) - (a->interface < b->interface);
}

/* Sorts n items of size bytes and drops repetitions; returns how many are left. */
static size_t
sort_unique(void *list, size_t n, size_t size, int (*order)(const void *, const void *))
{
	uint8_t *p = list;
	size_t kept = 0;

	if (n == 0)
		return 0;
	qsort(list, n, size, order);
	for (size_t i = 1; i < n; i++)
		if (order(p + kept * size, p + i * size) != 0) {
			kept++;
			memmove(p + kept * size, p + i * size, size);
		}
	return kept + 1;
}

void
narrowing_sort(struct narrowing *n)
{
	n->ninterfaces = sort_unique((void *)(uintptr_t)n->interfaces, n->ninterfaces,
				     sizeof(n->interfaces[0]), name_order);
	n->nexporters = sort_unique((void *)(uintptr_t)n->exporters, n->nexporters, sizeof(n->exporters[0]),
				    exporter_order);
	n->nnetworks =
	    sort_unique((void *)(uintptr_t)n->networks, n->nnetworks, sizeof(n->networks[0]), byte_order);
}
