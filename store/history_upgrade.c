/* From format 1, in which each flow was a row of data.mdb (flow_row.h), to blocks. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "history_parts.h"

#define OLD_KEY_LEN   32u /* tenant, end, id, slice */
#define OLD_SECONDARY 1u  /* first byte of a row's value; the row follows */
#define ROWS_AT_ONCE  32768u

struct upgrade {
	struct history *h;
	struct db_txn x;
	struct kept_flow *row;
	uint32_t n;
	uint64_t rows, skipped;
	char why[HISTORY_WHY_MAX];
};

static bool
read_old(struct db_bytes key, struct db_bytes v, struct kept_flow *k)
{
	struct rcur c = rcur_of(key.p, key.n), row = rcur_of(v.p, v.n);

	memset(k, 0, sizeof(*k));
	k->tenant = rcur_be32(&c);
	k->f.last_ns = (int64_t)rcur_be64(&c);
	rcur_copy(&c, k->f.id.b, sizeof(k->f.id.b));
	k->f.slice = rcur_be32(&c);
	k->secondary = (rcur_u8(&row) & OLD_SECONDARY) != 0;
	return !c.bad && !row.bad && key.n == OLD_KEY_LEN && k->f.last_ns >= 0 &&
	       flow_row_decode(row.p, rcur_left(&row), k);
}

/* Old keys sort as the rows of a block do. */
static void
put_rows(struct upgrade *u)
{
	struct history *h = u->h;
	struct block_entry e;

	if (u->n == 0)
		return;
	h->rows = mem_reallocarray(h->rows, ROWS_AT_ONCE, sizeof(*h->rows));
	for (uint32_t i = 0; i < u->n; i++)
		h->rows[i] = (struct block_row){ &u->row[i].f, u->row[i].texts, u->row[i].tenant,
						 u->row[i].secondary };

	enum db_status s =
	    history_put_block(h, &h->fresh, h->rows, u->n, u->row[u->n - 1].f.last_ns, &e, u->why);

	if (s == DB_OK) {
		history_block_done(&h->fresh, &e);
		history_catalogue(&u->x, &h->fresh, &e);
	} else if (u->x.status == DB_OK) {
		u->x.status = s;
	}
	u->rows += u->n;
	u->n = 0;
}

static void
put_all(struct upgrade *u)
{
	struct db_bytes key, v;
	struct db_cursor c;

	db_cursor_open(&u->x, DB_OLD_FLOWS, &c);
	for (bool more = db_seek(&c, (struct db_bytes){ "", 1 }, &key, &v); more;
	     more = db_next(&c, &key, &v)) {
		if (read_old(key, v, &u->row[u->n]))
			u->n++;
		else
			u->skipped++;
		/* Strings are where the rows are: in pages that stay while nothing of this table is written.
		 */
		if (u->n == ROWS_AT_ONCE)
			put_rows(u);
	}
	put_rows(u);
	db_cursor_close(&c);
}

enum db_status
history_upgrade(struct history *h, char *err, size_t errsize)
{
	static const uint32_t format = 2;
	struct upgrade u = { .h = h, .row = mem_calloc(ROWS_AT_ONCE, sizeof(*u.row)) };

	log_info("the store's database is of an older format: its flows are brought to the present one");
	db_begin(h->db, &u.x, true);
	if (db_has(h->db, DB_OLD_FLOWS))
		put_all(&u);
	db_drop(&u.x, DB_OLD_FLOWS);
	db_drop(&u.x, DB_OLD_IDS);
	db_put(&u.x, DB_META, (struct db_bytes){ "format", sizeof("format") },
	       (struct db_bytes){ &format, sizeof(format) });

	enum db_status s = db_end(&u.x);

	free(u.row);
	free(h->rows);
	h->rows = NULL;
	if (s != DB_OK)
		snprintf(err, errsize,
			 "the store's database cannot be brought to format 2 (%s): make room, or start the "
			 "older Weir that wrote it",
			 u.why[0] != '\0' ? u.why : db_why(&u.x));
	else
		log_info("%" PRIu64 " flows were brought over, %" PRIu64 " could not be read", u.rows,
			 u.skipped);
	return s;
}
