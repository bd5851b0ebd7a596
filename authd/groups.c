#include "groups.h"

#include <string.h>

#include "base/auto.h"
#include "base/mem.h"
#include "rows.h"

void
group_read(struct txn *x, uint64_t number, struct arena *arena, struct group *g)
{
	struct be64 key = be64_of(number);
	struct db_bytes v;

	memset(g, 0, sizeof(*g));
	if (txn_get(x, TABLE_GROUPS, be64_bytes(&key), &v) && !group_decode(v.p, v.n, arena, g))
		txn_damaged(x);
}

bool
group_look(struct txn *x, const char *name, struct arena *arena, struct group *g)
{
	uint64_t number = name_look(x, TABLE_GROUP_NAMES, name);

	memset(g, 0, sizeof(*g));
	if (number == 0)
		return false;
	group_read(x, number, arena, g);
	return x->rc == 0;
}

void
group_write(struct txn *x, const struct group *g)
{
	size_t size;
	uint8_t *room = row_scratch(&size);

	row_put(x, TABLE_GROUPS, g->number, group_encode(g, room, size));
}

void
group_add(struct txn *x, struct group *g)
{
	if (txn_count(x, TABLE_GROUPS) >= GROUPS_MAX)
		txn_full(x, "groups", GROUPS_MAX);
	g->number = meta_next(x, META_NEXT_GROUP);
	name_add(x, TABLE_GROUP_NAMES, g->name, g->number);
	group_write(x, g);
}

void
group_remove(struct txn *x, const struct group *g)
{
	AUTO(mem_drop) uint64_t *member = mem_calloc(MEMBERS_MAX, sizeof(*member));
	struct be64 key = be64_of(g->number);
	size_t n = members_of(x, g->number, member);

	for (size_t i = 0; i < n; i++)
		member_remove(x, g->number, member[i]);
	name_remove(x, TABLE_GROUP_NAMES, g->name);
	txn_delete(x, TABLE_GROUPS, be64_bytes(&key));
}

void
member_add(struct txn *x, uint64_t group, uint64_t account)
{
	struct be64_pair there = be64_pair_of(group, account), back = be64_pair_of(account, group);

	txn_put(x, TABLE_MEMBERS, be64_pair_bytes(&there), db_bytes("", 0));
	txn_put(x, TABLE_MEMBERSHIPS, be64_pair_bytes(&back), db_bytes("", 0));
}

void
member_give(struct txn *x, uint64_t group, uint64_t account)
{
	struct be64_pair back = be64_pair_of(account, group);

	member_add(x, group, account);
	txn_put(x, TABLE_GIVEN, be64_pair_bytes(&back), db_bytes("", 0));
}

void
member_remove(struct txn *x, uint64_t group, uint64_t account)
{
	struct be64_pair there = be64_pair_of(group, account), back = be64_pair_of(account, group);

	txn_delete(x, TABLE_MEMBERS, be64_pair_bytes(&there));
	txn_delete(x, TABLE_MEMBERSHIPS, be64_pair_bytes(&back));
	txn_delete(x, TABLE_GIVEN, be64_pair_bytes(&back));
}

void
memberships_remove(struct txn *x, uint64_t account)
{
	uint64_t group[GROUPS_OF_ONE_MAX];
	size_t n = groups_of(x, account, group);

	for (size_t i = 0; i < n; i++)
		member_remove(x, group[i], account);
}

size_t
members_of(struct txn *x, uint64_t group, uint64_t *out)
{
	return pairs_of(x, TABLE_MEMBERS, group, out, MEMBERS_MAX);
}

size_t
groups_of(struct txn *x, uint64_t account, uint64_t *out)
{
	return pairs_of(x, TABLE_MEMBERSHIPS, account, out, GROUPS_OF_ONE_MAX);
}

size_t
groups_given(struct txn *x, uint64_t account, uint64_t *out)
{
	return pairs_of(x, TABLE_GIVEN, account, out, GROUPS_OF_ONE_MAX);
}
