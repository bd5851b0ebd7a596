#include "rows.h"

#include <sodium.h>
#include <string.h>

#include "base/cursor.h"
#include "record_policy.h"

uint64_t
meta_number(struct txn *x, const char *key)
{
	uint64_t n = 0;
	struct db_bytes v;

	if (txn_get(x, TABLE_META, db_bytes(key, strlen(key)), &v) && !be64_read(v, &n))
		txn_damaged(x);
	return n;
}

void
meta_put(struct txn *x, const char *key, uint64_t v)
{
	struct be64 n = be64_of(v);

	txn_put(x, TABLE_META, db_bytes(key, strlen(key)), be64_bytes(&n));
}

uint64_t
meta_next(struct txn *x, const char *key)
{
	uint64_t n = meta_number(x, key);

	meta_put(x, key, n + 1);
	return n;
}

struct be64_pair
be64_pair_of(uint64_t first, uint64_t second)
{
	struct be64_pair k = { { 0 } };
	struct wcur w = wcur_of(k.b, sizeof(k.b));

	wcur_be64(&w, first);
	wcur_be64(&w, second);
	return k;
}

struct pairs {
	uint64_t first;
	uint64_t *out;
	size_t n, max;
};

static bool
take_pair(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct pairs *p = ctx;
	struct rcur c = rcur_of(key.p, key.n);

	(void)value;
	if (p->n == p->max || rcur_be64(&c) != p->first)
		return false;
	p->out[p->n++] = rcur_be64(&c);
	return true;
}

size_t
pairs_of(struct txn *x, enum table t, uint64_t first, uint64_t *out, size_t max)
{
	struct be64_pair from = be64_pair_of(first, 0);
	struct pairs p = { first, out, 0, max };

	txn_walk(x, t, be64_pair_bytes(&from), false, take_pair, &p);
	return p.n;
}

uint8_t *
row_scratch(size_t *size)
{
	static uint8_t room[LIST_RECORD_MAX];

	*size = sizeof(room);
	return room;
}

void
row_put_at(struct txn *x, enum table t, struct db_bytes key, size_t n)
{
	size_t size;
	uint8_t *room = row_scratch(&size);

	if (n == 0)
		txn_fail(x, DB_BROKEN);
	txn_put(x, t, key, db_bytes(room, n));
	sodium_memzero(room, n);
}

void
row_put(struct txn *x, enum table t, uint64_t key, size_t n)
{
	struct be64 k = be64_of(key);

	row_put_at(x, t, be64_bytes(&k), n);
}

uint64_t
name_look(struct txn *x, enum table t, const char *name)
{
	size_t n = strnlen(name, ACCOUNT_NAME_MAX);
	uint64_t number = 0;
	struct db_bytes v;

	if (n == 0 || n == ACCOUNT_NAME_MAX)
		return 0;
	if (txn_look(x, t, db_bytes(name, n), &v) && !be64_read(v, &number))
		txn_damaged(x);
	return number;
}

void
name_add(struct txn *x, enum table t, const char *name, uint64_t number)
{
	struct be64 v = be64_of(number);

	txn_put_new(x, t, db_bytes(name, strlen(name)), be64_bytes(&v));
}

void
name_remove(struct txn *x, enum table t, const char *name)
{
	txn_delete(x, t, db_bytes(name, strlen(name)));
}
