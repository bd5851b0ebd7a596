/* From format 1, in which each flow was a row of data.mdb (flow_row.h), to blocks; from formats 1 and 2, in
 * which series were chunks in data.mdb (series_old.h), to series.mdb; and from format 3, whose blocks have no
 * frames: they stay as they are, and are read, until their segment is written anew. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "history_parts.h"
#include "series_old.h"

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

/* --- series
 * ----------------------------------------------------------------------------------------------------------------
 */

#define OLD_SERIES_KEY 18u   /* resolution, chunk, tenant, subject, number */
#define SERIES_AT_ONCE 1024u /* chunks */

struct old_series {
	struct history *h;
	struct chunk_point (*p)[OLD_CHUNK_POINTS];
	struct series_points at[SERIES_AT_ONCE];
	size_t n;
	unsigned resolution;
	int64_t chunk;
	uint64_t chunks, skipped;
};

/* What was read last, of one stretch of time, into chunks of two resolutions. */
static enum db_status
put_series(struct old_series *o)
{
	static const unsigned to[][2] = {
		[OLD_MINUTES] = { CHUNK_MINUTES, CHUNK_FIVE_MINUTES },
		[OLD_HOURS] = { CHUNK_HOURS, CHUNK_DAYS },
	};
	enum db_status status = DB_OK;

	for (int i = 0; o->n > 0 && i < 2 && status == DB_OK; i++) {
		unsigned r = to[o->resolution][i];
		uint32_t have = o->resolution == OLD_HOURS && i == 1 ? 3600 : 60;

		for (size_t k = 0; k < o->n; k++)
			o->at[k].n = chunk_coarser(o->p[k], o->at[k].n, have, chunk_resolutions[r].seconds);
		status = series_store_add(o->h->series, r, o->at, o->n);
	}
	o->n = 0;
	return status;
}

static enum db_status
take_old_chunk(struct old_series *o, struct db_bytes key, struct db_bytes v)
{
	struct rcur k = rcur_of(key.p, key.n);
	uint8_t resolution = rcur_u8(&k);
	int64_t chunk = (int64_t)rcur_be64(&k);
	struct series_key of = { .tenant = rcur_be32(&k) };
	enum db_status status = DB_OK;

	of.subject = rcur_u8(&k);
	of.number = rcur_be32(&k);
	if (resolution == OLD_SECONDS) /* an hour at most, whose minutes are there too */
		return DB_OK;
	if (o->n == SERIES_AT_ONCE || resolution != o->resolution || chunk != o->chunk)
		status = put_series(o);
	o->resolution = resolution;
	o->chunk = chunk;
	o->at[o->n] = (struct series_points){ of, o->p[o->n], 0 };
	if (!k.bad && key.n == OLD_SERIES_KEY && chunk >= 0 && chunk < INT64_C(1) << 32)
		o->at[o->n].n = old_chunk_decode(resolution, chunk, v.p, v.n, o->p[o->n]);
	if (o->at[o->n].n > 0) {
		o->n++;
		o->chunks++;
	} else {
		o->skipped++;
	}
	return status;
}

/* Old keys are in the order of (resolution, time, series), as is needed. */
static enum db_status
upgrade_series(struct history *h)
{
	struct old_series *o = mem_calloc(1, sizeof(*o));
	enum db_status status = series_store_clear(h->series), read;
	struct db_bytes key, v;
	struct db_cursor c;
	struct db_txn x;

	o->h = h;
	o->p = mem_calloc(SERIES_AT_ONCE, sizeof(*o->p));
	db_begin(h->db, &x, false);
	db_cursor_open(&x, DB_OLD_SERIES, &c);
	for (bool more = db_seek(&c, (struct db_bytes){ "", 1 }, &key, &v); more && status == DB_OK;
	     more = db_next(&c, &key, &v))
		status = take_old_chunk(o, key, v);
	db_cursor_close(&c);
	read = db_end(&x);
	if (status == DB_OK)
		status = put_series(o);
	log_info("%" PRIu64 " chunks of series were brought over, %" PRIu64 " could not be read", o->chunks,
		 o->skipped);
	free(o->p);
	free(o);
	return status == DB_OK ? read : status;
}

/* --- both
 * -----------------------------------------------------------------------------------------------------------------
 */

static enum db_status
upgrade_flows(struct history *h, char *err, size_t errsize)
{
	static const uint32_t format = HISTORY_FORMAT;
	struct upgrade u = { .h = h, .row = mem_calloc(ROWS_AT_ONCE, sizeof(*u.row)) };
	bool flows = db_has(h->db, DB_OLD_FLOWS);

	db_begin(h->db, &u.x, true);
	if (flows)
		put_all(&u);
	db_drop(&u.x, DB_OLD_FLOWS);
	db_drop(&u.x, DB_OLD_IDS);
	db_drop(&u.x, DB_OLD_SERIES);
	db_put(&u.x, DB_META, (struct db_bytes){ "format", sizeof("format") },
	       (struct db_bytes){ &format, sizeof(format) });

	enum db_status s = db_end(&u.x);

	free(u.row);
	free(h->rows);
	h->rows = NULL;
	if (s != DB_OK)
		snprintf(err, errsize,
			 "the store's database cannot be brought to format %u (%s): make room, or start the "
			 "older Weir that wrote it",
			 HISTORY_FORMAT, u.why[0] != '\0' ? u.why : db_why(&u.x));
	else if (flows)
		log_info("%" PRIu64 " flows were brought over, %" PRIu64 " could not be read", u.rows,
			 u.skipped);
	return s;
}

/* Series first: where it ends before its last step, all of it is done again. */
enum db_status
history_upgrade(struct history *h, char *err, size_t errsize)
{
	enum db_status s = DB_OK;

	log_info("the store's database is of an older format: what it has is brought to the present one");
	if (db_has(h->db, DB_OLD_SERIES))
		s = upgrade_series(h);
	if (s != DB_OK) {
		snprintf(err, errsize,
			 "the store's series cannot be brought to format %u: make room, or start the older "
			 "Weir that wrote them",
			 HISTORY_FORMAT);
		return s;
	}
	return upgrade_flows(h, err, errsize);
}
