/* The writing half of history: a block of a batch's flows goes into a segment, and then one transaction makes
 * it, and all else of the batch, be there. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "history_parts.h"

#define ROOM_ATTEMPTS 16

static void
write_names(struct db_txn *x, const struct batch *b)
{
	for (uint32_t i = 0; i < b->nname; i++) {
		const struct batch_name *n = &b->name[i];
		const uint8_t key[3] = { (uint8_t)n->kind, (uint8_t)(n->number >> 8), (uint8_t)n->number };

		db_put(x, DB_NAMES, (struct db_bytes){ key, sizeof(key) },
		       (struct db_bytes){ n->text, n->len });
	}
}

static void
write_applied(struct db_txn *x, const struct batch *b)
{
	for (uint32_t i = 0; i < b->napplied; i++) {
		uint8_t key[sizeof(HISTORY_APPLIED) - 1 + 8];
		struct wcur c = wcur_of(key, sizeof(key));

		wcur_put(&c, HISTORY_APPLIED, sizeof(HISTORY_APPLIED) - 1);
		wcur_be32(&c, b->applied[i].worker);
		wcur_be32(&c, b->applied[i].point);
		db_put(x, DB_META, (struct db_bytes){ key, sizeof(key) },
		       (struct db_bytes){ &b->applied[i], sizeof(b->applied[i]) });
	}
}

/* --- the commit
 * ------------------------------------------------------------------------------------------------------------
 */

/* The rows of a batch as a block. Where it cannot be written, x fails with it. */
static bool
write_flows(struct history *h, const struct batch *b, struct db_txn *x, int64_t now_ns,
	    struct segment_writer *after, char why[static HISTORY_WHY_MAX])
{
	struct block_entry e;
	uint32_t n = history_rows(h, b, x);

	if (n == 0 || x->status != DB_OK)
		return false;
	x->status = history_put_block(h, &h->fresh, h->rows, n, now_ns, &e, why);
	if (x->status != DB_OK)
		return false;
	*after = h->fresh;
	history_block_done(after, &e);
	history_catalogue(x, after, &e);
	return true;
}

static void
set_floor(struct history *h, int64_t now_ns)
{
	if (!h->limits.keep_everything)
		atomic_store(&h->floor_ns, now_ns - h->limits.keep_flows_ns);
}

static enum db_status
write_once(struct history *h, const struct batch *b, int64_t now_ns, char why[static HISTORY_WHY_MAX])
{
	struct history_gone gone = { 0 };
	struct segment_writer after;
	struct db_txn x;

	why[0] = '\0';
	h->now_ns = now_ns;
	db_clear_readers(h->db);
	db_begin(h->db, &x, true);

	bool block = write_flows(h, b, &x, now_ns, &after, why);

	write_names(&x, b);
	history_add_series_ids(&x, b);
	history_add_series(h, &x, b);
	write_applied(&x, b);
	history_trim(h, &x, now_ns, &gone);

	enum db_status s = db_end(&x);

	if (s != DB_OK) {
		if (why[0] == '\0')
			str_copy(why, HISTORY_WHY_MAX, db_why(&x));
		return s;
	}
	if (block)
		h->fresh = after;
	if (b->nflows > 0)
		history_remember(h, b);
	h->merge_rest -= h->merge_rest > 0;
	set_floor(h, now_ns);
	if (!h->limits.keep_everything)
		history_seal_old(h, now_ns - h->limits.keep_flows_ns);
	history_series_written(h, now_ns);
	history_retire(h, &gone);
	return DB_OK;
}

/* Deletes alone, when a batch found no room in the map (a full disk is no reason to delete): half a commit's
 * worth of deleting needs far less room than it makes. */
static bool
make_room(struct history *h)
{
	struct history_gone gone = { 0 };
	struct db_txn x;

	db_begin(h->db, &x, true);
	history_make_room(h, &x, &gone);
	if (db_end(&x) != DB_OK)
		return false;
	history_retire(h, &gone);
	return true;
}

enum db_status
history_write(struct history *h, const struct batch *b, int64_t now_ns, char why[static HISTORY_WHY_MAX])
{
	enum db_status s = write_once(h, b, now_ns, why);

	for (int i = 0; s == DB_MAP_FULL && i < ROOM_ATTEMPTS && make_room(h); i++)
		s = write_once(h, b, now_ns, why);
	return s;
}
