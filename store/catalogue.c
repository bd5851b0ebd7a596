/* Entries as keys and values: see catalogue.h. Numbers are big-endian, so that keys sort as they count. */
#include "catalogue.h"

#include <string.h>

#include "base/cursor.h"

#define SEGMENT_LEN 49u /* 41 before there were rows that are forgotten */
#define BLOCK_LEN   32u /* 28 before it said its bytes */
#define KEY_MAX     16u

enum { SEGMENT_GONE = 1, SEGMENT_MERGED = 2, SEGMENT_LEFT = 4, SEGMENT_WORN = 8, SEGMENT_ENDING = 128 };
#define SEGMENT_RETENTION 4 /* three bits of the flags from this one on are the retention class */

struct key {
	uint8_t b[KEY_MAX];
	size_t n;
};

static struct db_bytes
bytes_of(const struct key *k)
{
	return (struct db_bytes){ k->b, k->n };
}

static struct key
segment_key(uint32_t number)
{
	struct key k = { .n = 4 };
	struct wcur c = wcur_of(k.b, sizeof(k.b));

	wcur_be32(&c, number);
	return k;
}

static struct key
block_key(uint32_t segment, uint64_t sequence)
{
	struct key k = { .n = 12 };
	struct wcur c = wcur_of(k.b, sizeof(k.b));

	wcur_be32(&c, segment);
	wcur_be64(&c, sequence);
	return k;
}

static struct key
dead_key(uint32_t segment, uint64_t sequence, uint32_t row)
{
	struct key k = { .n = 16 };
	struct wcur c = wcur_of(k.b, sizeof(k.b));

	wcur_be32(&c, segment);
	wcur_be64(&c, sequence);
	wcur_be32(&c, row);
	return k;
}

/* --- segments
 * ---------------------------------------------------------------------------------------------------------------
 */

void
catalogue_put_segment(struct db_txn *x, const struct segment_entry *e)
{
	struct key k = segment_key(e->number);
	uint8_t v[SEGMENT_LEN];
	struct wcur c = wcur_of(v, sizeof(v));

	wcur_u8(&c, (uint8_t)((e->gone ? SEGMENT_GONE : 0) | (e->merged ? SEGMENT_MERGED : 0) |
			      (e->left ? SEGMENT_LEFT : 0) | (e->worn ? SEGMENT_WORN : 0) |
			      (e->ending ? SEGMENT_ENDING : 0) | e->retention << SEGMENT_RETENTION));
	wcur_be64(&c, (uint64_t)e->made_ns);
	wcur_be64(&c, (uint64_t)e->least_last_ns);
	wcur_be64(&c, (uint64_t)e->most_last_ns);
	wcur_be64(&c, e->rows);
	wcur_be64(&c, e->bytes);
	wcur_be64(&c, e->dead);
	db_put(x, DB_SEGMENTS, bytes_of(&k), (struct db_bytes){ v, sizeof(v) });
}

void
catalogue_delete_segment(struct db_txn *x, uint32_t number)
{
	struct key k = segment_key(number);

	db_delete(x, DB_SEGMENTS, bytes_of(&k));
}

static bool
read_segment(struct db_bytes key, struct db_bytes v, struct segment_entry *e)
{
	struct rcur k = rcur_of(key.p, key.n), c = rcur_of(v.p, v.n);
	uint8_t flags = rcur_u8(&c);

	e->number = rcur_be32(&k);
	e->gone = (flags & SEGMENT_GONE) != 0;
	e->merged = (flags & SEGMENT_MERGED) != 0;
	e->left = (flags & SEGMENT_LEFT) != 0;
	e->worn = (flags & SEGMENT_WORN) != 0;
	e->ending = (flags & SEGMENT_ENDING) != 0;
	e->retention = flags >> SEGMENT_RETENTION & 7;
	e->made_ns = (int64_t)rcur_be64(&c);
	e->least_last_ns = (int64_t)rcur_be64(&c);
	e->most_last_ns = (int64_t)rcur_be64(&c);
	e->rows = rcur_be64(&c);
	e->bytes = rcur_be64(&c);
	e->dead = rcur_left(&c) == 0 ? 0 : rcur_be64(&c);
	return !k.bad && !c.bad && e->retention < RETENTION_CLASSES;
}

bool
catalogue_segment(struct db_txn *x, uint32_t number, struct segment_entry *e)
{
	struct key k = segment_key(number);
	struct db_bytes key, v;
	struct db_cursor c;

	db_cursor_open(x, DB_SEGMENTS, &c);

	bool there = db_seek(&c, bytes_of(&k), &key, &v) && read_segment(key, v, e);

	db_cursor_close(&c);
	return there;
}

bool
catalogue_segment_before(struct db_txn *x, uint32_t number, struct segment_entry *e)
{
	struct key k = segment_key(number);
	struct db_bytes key, v;
	struct db_cursor c;

	db_cursor_open(x, DB_SEGMENTS, &c);

	bool there = db_seek_before(&c, bytes_of(&k), &key, &v) && read_segment(key, v, e);

	db_cursor_close(&c);
	return there;
}

/* --- blocks
 * -----------------------------------------------------------------------------------------------------------------
 */

void
catalogue_put_block(struct db_txn *x, const struct block_entry *e)
{
	struct key k = block_key(e->segment, e->sequence);
	uint8_t v[BLOCK_LEN];
	struct wcur c = wcur_of(v, sizeof(v));

	wcur_be64(&c, (uint64_t)e->least_last_ns);
	wcur_be64(&c, (uint64_t)e->most_last_ns);
	wcur_be32(&c, e->rows);
	wcur_be32(&c, e->tenants);
	wcur_be32(&c, e->tenant);
	wcur_be32(&c, e->bytes);
	db_put(x, DB_BLOCKS, bytes_of(&k), (struct db_bytes){ v, sizeof(v) });
}

static bool
read_block(struct db_bytes key, struct db_bytes v, struct block_entry *e)
{
	struct rcur k = rcur_of(key.p, key.n), c = rcur_of(v.p, v.n);

	e->segment = rcur_be32(&k);
	e->sequence = rcur_be64(&k);
	e->least_last_ns = (int64_t)rcur_be64(&c);
	e->most_last_ns = (int64_t)rcur_be64(&c);
	e->rows = rcur_be32(&c);
	e->tenants = rcur_be32(&c);
	e->tenant = rcur_be32(&c);
	e->bytes = rcur_left(&c) == 0 ? 0 : rcur_be32(&c);
	return !k.bad && !c.bad;
}

static void
visit_blocks(struct db_txn *x, const struct key *from, uint32_t segment, bool newest_first,
	     bool (*visit)(void *ctx, const struct block_entry *e), void *ctx)
{
	struct block_entry e;
	struct db_bytes key, v;
	struct db_cursor c;

	db_cursor_open(x, DB_BLOCKS, &c);
	for (bool more = newest_first ? db_seek_before(&c, bytes_of(from), &key, &v)
				      : db_seek(&c, bytes_of(from), &key, &v);
	     more; more = newest_first ? db_previous(&c, &key, &v) : db_next(&c, &key, &v))
		if (!read_block(key, v, &e) || e.segment != segment || !visit(ctx, &e))
			break;
	db_cursor_close(&c);
}

void
catalogue_blocks(struct db_txn *x, uint32_t segment, bool newest_first,
		 bool (*visit)(void *ctx, const struct block_entry *e), void *ctx)
{
	struct key from = block_key(segment, newest_first ? UINT64_MAX : 0);

	visit_blocks(x, &from, segment, newest_first, visit, ctx);
}

void
catalogue_blocks_from(struct db_txn *x, uint32_t segment, uint64_t sequence,
		      bool (*visit)(void *ctx, const struct block_entry *e), void *ctx)
{
	struct key from = block_key(segment, sequence);

	visit_blocks(x, &from, segment, false, visit, ctx);
}

/* Deletes keys of a table that begin with a segment's number, or with a block's. */
static unsigned
forget(struct db_txn *x, enum db_table t, const struct key *from, unsigned n)
{
	struct db_bytes key;
	struct db_cursor c;
	unsigned done = 0;

	db_cursor_open(x, t, &c);
	for (bool more = db_seek(&c, bytes_of(from), &key, NULL); more && done < n;
	     more = db_next(&c, &key, NULL), done++) {
		if (key.n < from->n || memcmp(key.p, from->b, from->n) != 0)
			break;
		db_cursor_delete(&c);
	}
	db_cursor_close(&c);
	return done;
}

void
catalogue_forget_block(struct db_txn *x, const struct block_entry *e)
{
	struct key k = block_key(e->segment, e->sequence);

	db_delete(x, DB_BLOCKS, bytes_of(&k));
	(void)forget(x, DB_DEAD, &k, e->rows);
}

bool
catalogue_forget_blocks(struct db_txn *x, uint32_t segment, unsigned n)
{
	struct key from = segment_key(segment);
	unsigned blocks = forget(x, DB_BLOCKS, &from, n);

	return blocks < n && forget(x, DB_DEAD, &from, n - blocks) < n - blocks;
}

/* --- dead rows
 * --------------------------------------------------------------------------------------------------------------
 */

void
catalogue_put_dead(struct db_txn *x, uint32_t segment, uint64_t sequence, uint32_t row)
{
	struct key k = dead_key(segment, sequence, row);

	db_put(x, DB_DEAD, bytes_of(&k), (struct db_bytes){ "", 0 });
}

void
catalogue_skip_dead(struct db_txn *x, uint32_t segment, uint64_t sequence, uint8_t *wanted, uint32_t n)
{
	struct key from = dead_key(segment, sequence, 0);
	struct db_bytes key;
	struct db_cursor c;

	db_cursor_open(x, DB_DEAD, &c);
	for (bool more = db_seek(&c, bytes_of(&from), &key, NULL); more; more = db_next(&c, &key, NULL)) {
		struct rcur k = rcur_of(key.p, key.n);

		if (rcur_be32(&k) != segment || rcur_be64(&k) != sequence)
			break;

		uint32_t row = rcur_be32(&k);

		if (!k.bad && row < n)
			wanted[row] = 0;
	}
	db_cursor_close(&c);
}
