#include "told.h"

#include <string.h>

#include "codec.h"
#include "rows.h"

#define TOLD_VERSION 1

size_t
told_groups(struct told *t, const char **group)
{
	size_t n = 0;

	for (char *at = t->groups, *end; (end = strchr(at, '\n')) != NULL && n < TOLD_GROUPS_COUNT;
	     at = end + 1) {
		*end = '\0';
		group[n++] = at;
	}
	return n;
}

static size_t
told_encode(const struct told *t, uint8_t *out, size_t size)
{
	struct wcur w = wcur_of(out, size);
	size_t n = strlen(t->groups);

	wcur_u8(&w, TOLD_VERSION);
	codec_put_time(&w, t->last_ns);
	wcur_u8(&w, t->lapsed);
	wcur_u8(&w, t->cut);
	wcur_be32(&w, (uint32_t)n);
	wcur_put(&w, t->groups, n);
	return codec_finished(&w);
}

bool
told_decode(const void *bytes, size_t len, struct told *t)
{
	struct rcur c = rcur_of(bytes, len);
	uint32_t n;

	memset(t, 0, sizeof(*t));
	if (rcur_u8(&c) != TOLD_VERSION)
		return false;
	t->last_ns = codec_take_time(&c);
	t->lapsed = codec_take_flag(&c);
	t->cut = codec_take_flag(&c);
	n = rcur_be32(&c);
	if (n >= sizeof(t->groups))
		return false;
	rcur_copy(&c, t->groups, n);
	return codec_ended(&c) && memchr(t->groups, 0, n) == NULL;
}

bool
told_look(struct txn *x, uint64_t account, struct told *t)
{
	struct be64 key = be64_of(account);
	struct db_bytes v;

	memset(t, 0, sizeof(*t));
	if (!txn_look(x, TABLE_TOLD, be64_bytes(&key), &v))
		return false;
	if (!told_decode(v.p, v.n, t))
		txn_damaged(x);
	return x->rc == 0;
}

void
told_write(struct txn *x, uint64_t account, const struct told *t)
{
	size_t size;
	uint8_t *room = row_scratch(&size);

	row_put(x, TABLE_TOLD, account, told_encode(t, room, size));
}

void
told_remove(struct txn *x, uint64_t account)
{
	struct be64 key = be64_of(account);

	txn_delete(x, TABLE_TOLD, be64_bytes(&key));
}
