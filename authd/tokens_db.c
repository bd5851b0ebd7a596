#include "tokens_db.h"

#include <string.h>

#include "rows.h"

/* Key of TABLE_TOKENS_OF. */
struct owner_key {
	uint8_t b[8 + TOKEN_HASH_LEN];
};

static struct owner_key
owner_key(uint64_t owner, const uint8_t hash[static TOKEN_HASH_LEN])
{
	struct be64 number = be64_of(owner);
	struct owner_key k;

	memcpy(k.b, number.b, sizeof(number.b));
	memcpy(k.b + sizeof(number.b), hash, TOKEN_HASH_LEN);
	return k;
}

bool
token_look(struct txn *x, const uint8_t hash[static TOKEN_HASH_LEN], struct arena *arena, struct token *t)
{
	struct db_bytes v;

	memset(t, 0, sizeof(*t));
	if (!txn_look(x, TABLE_TOKENS, db_bytes(hash, TOKEN_HASH_LEN), &v))
		return false;
	if (!token_decode(v.p, v.n, arena, t))
		txn_damaged(x);
	return x->rc == 0;
}

struct by_id {
	const uint8_t *id;
	uint8_t hash[TOKEN_HASH_LEN];
	bool found;
};

static bool
take_first(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct by_id *b = ctx;

	(void)value;
	b->found = key.n == TOKEN_HASH_LEN && memcmp(key.p, b->id, TOKEN_ID_LEN) == 0;
	if (b->found)
		memcpy(b->hash, key.p, TOKEN_HASH_LEN);
	return false;
}

bool
token_look_id(struct txn *x, const uint8_t id[static TOKEN_ID_LEN], struct arena *arena, struct token *t)
{
	uint8_t from[TOKEN_HASH_LEN] = { 0 };
	struct by_id b = { id, { 0 }, false };

	memcpy(from, id, TOKEN_ID_LEN);
	txn_walk(x, TABLE_TOKENS, db_bytes(from, sizeof(from)), false, take_first, &b);
	return b.found && token_look(x, b.hash, arena, t);
}

void
token_add(struct txn *x, const struct token *t)
{
	struct owner_key owned = owner_key(t->owner, t->hash);
	uint8_t of_one[TOKENS_OF_ONE_MAX][TOKEN_HASH_LEN];
	size_t size;
	uint8_t *room;

	if (txn_count(x, TABLE_TOKENS) >= TOKENS_MAX)
		txn_full(x, "tokens", TOKENS_MAX);
	if (tokens_of(x, t->owner, of_one) >= TOKENS_OF_ONE_MAX)
		txn_full(x, "tokens of this owner", TOKENS_OF_ONE_MAX);
	room = row_scratch(&size);
	row_put_at(x, TABLE_TOKENS, db_bytes(t->hash, sizeof(t->hash)), token_encode(t, room, size));
	txn_put(x, TABLE_TOKENS_OF, db_bytes(owned.b, sizeof(owned.b)), db_bytes("", 0));
}

static void
remove_one(struct txn *x, uint64_t owner, const uint8_t hash[static TOKEN_HASH_LEN])
{
	struct owner_key owned = owner_key(owner, hash);

	txn_delete(x, TABLE_TOKENS, db_bytes(hash, TOKEN_HASH_LEN));
	txn_delete(x, TABLE_TOKEN_USES, db_bytes(hash, TOKEN_HASH_LEN));
	txn_delete(x, TABLE_TOKENS_OF, db_bytes(owned.b, sizeof(owned.b)));
}

void
token_remove(struct txn *x, const struct token *t)
{
	remove_one(x, t->owner, t->hash);
}

void
tokens_remove_of(struct txn *x, uint64_t owner)
{
	uint8_t hash[TOKENS_OF_ONE_MAX][TOKEN_HASH_LEN];
	size_t n = tokens_of(x, owner, hash);

	for (size_t i = 0; i < n; i++)
		remove_one(x, owner, hash[i]);
}

struct owned {
	struct be64 owner;
	uint8_t (*out)[TOKEN_HASH_LEN];
	size_t n;
};

static bool
take_owned(void *ctx, struct db_bytes key, struct db_bytes value)
{
	struct owned *o = ctx;
	const uint8_t *k = key.p;

	(void)value;
	if (key.n != sizeof(struct owner_key) || memcmp(k, o->owner.b, sizeof(o->owner.b)) != 0)
		return false;
	memcpy(o->out[o->n++], k + sizeof(o->owner.b), TOKEN_HASH_LEN);
	return o->n < TOKENS_OF_ONE_MAX;
}

size_t
tokens_of(struct txn *x, uint64_t owner, uint8_t (*out)[TOKEN_HASH_LEN])
{
	static const uint8_t first[TOKEN_HASH_LEN];
	struct owner_key from = owner_key(owner, first);
	struct owned o = { be64_of(owner), out, 0 };

	txn_walk(x, TABLE_TOKENS_OF, db_bytes(from.b, sizeof(from.b)), false, take_owned, &o);
	return o.n;
}

void
token_use_read(struct txn *x, const uint8_t hash[static TOKEN_HASH_LEN], struct token_use *u)
{
	struct db_bytes v;

	memset(u, 0, sizeof(*u));
	if (txn_look(x, TABLE_TOKEN_USES, db_bytes(hash, TOKEN_HASH_LEN), &v) &&
	    !token_use_decode(v.p, v.n, u))
		txn_damaged(x);
}

void
token_use_write(struct txn *x, const uint8_t hash[static TOKEN_HASH_LEN], const struct token_use *u)
{
	size_t size;
	uint8_t *room = row_scratch(&size);

	row_put_at(x, TABLE_TOKEN_USES, db_bytes(hash, TOKEN_HASH_LEN), token_use_encode(u, room, size));
}
