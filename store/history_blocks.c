/* Blocks into the segments that are written: what comes, until its segment is full or its hour is over, and
 * what was merged, by days. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "history_parts.h"

#define SEGMENT_MOST ((uint64_t)4 << 30)
#define FRESH_MOST   ((uint64_t)64 << 20)
#define FRESH_NS     (3600 * NS_PER_S) /* after it, what came is merged */
#define SEGMENT_ROOM                                                                                         \
	((uint64_t)64 << 20) /* of its map beyond what it is to hold: for the block that fills it */
#define SEGMENTS 16u         /* that a full store has at least: the oldest goes at a time */
#define DAY_NS   (86400 * NS_PER_S)

/* Of what comes, and of what was merged, by retention class. */
static const char *const sequence_key[1 + RETENTION_CLASSES] = {
	"sequence",          "merged sequence",   "merged sequence 1", "merged sequence 2",
	"merged sequence 3", "merged sequence 4", "merged sequence 5",
};

static struct db_bytes
sequence_of(const struct segment_writer *w)
{
	const char *key = sequence_key[w->merged ? 1 + w->retention : 0];

	return (struct db_bytes){ key, strlen(key) };
}

static uint64_t
segment_size(const struct history *h, const struct segment_writer *w)
{
	uint64_t part = h->limits.size / SEGMENTS,
		 most = w->merged || h->limits.keep_everything ? SEGMENT_MOST : FRESH_MOST;

	return part > most ? most : part;
}

static bool
is_over(const struct history *h, const struct segment_writer *w, int64_t now_ns)
{
	const struct segment_entry *s = &w->segment;

	if (s->rows == 0)
		return false;
	if (s->bytes >= segment_size(h, w) || now_ns / DAY_NS != s->made_ns / DAY_NS)
		return true;
	return !w->merged && !h->limits.keep_everything &&
	       (now_ns - s->made_ns >= FRESH_NS || now_ns < s->made_ns);
}

/* What could not be made whole is not left behind: a later attempt begins anew. */
static enum db_status
open_segment(struct history *h, struct segment_writer *w, char why[static HISTORY_WHY_MAX])
{
	uint64_t size = segment_size(h, w) / 4 * 5 + SEGMENT_ROOM;
	bool fresh = w->segment.rows == 0;
	enum db_status status;
	char err[512] = "";

	w->db = segments_write(h->segments, w->segment.number, size, &status, err, sizeof(err));
	if (w->db != NULL)
		return DB_OK;
	str_copy(why, HISTORY_WHY_MAX, err);
	if (fresh && status == DB_FOREIGN) {
		w->segment.number = 0; /* under another one, then */
		return DB_IO;
	}
	if (fresh)
		segments_retire(h->segments, w->segment.number);
	if (status == DB_FOREIGN)
		return DB_DAMAGED;
	return fresh && status == DB_DAMAGED ? DB_IO : status;
}

/* Never one that the catalogue still has: of a segment whose file is deleted, entries go in steps. */
static uint32_t
next_number(struct history *h)
{
	h->newest = segments_free_number(h->newest + 1);
	return h->newest;
}

void
history_seal(struct history *h, struct segment_writer *w)
{
	if (w->db != NULL)
		segments_sealed(h->segments, w->segment.number);
	w->db = NULL;
	w->segment = (struct segment_entry){ 0 };
}

static enum db_status
segment_for(struct history *h, struct segment_writer *w, int64_t now_ns, char why[static HISTORY_WHY_MAX])
{
	if (is_over(h, w, now_ns))
		history_seal(h, w);
	if (w->db != NULL)
		return DB_OK;
	if (w->segment.number == 0)
		w->segment = (struct segment_entry){ .number = next_number(h) };
	if (w->segment.rows == 0) {
		w->segment.made_ns = now_ns;
		w->segment.merged = w->merged;
		w->segment.retention = w->retention;
	}
	return open_segment(h, w, why);
}

static void
block_key(uint64_t sequence, uint8_t key[static 8])
{
	struct wcur c = wcur_of(key, 8);

	wcur_be64(&c, sequence);
}

static enum db_status
put(struct segment_writer *w, const uint8_t *bytes, size_t len, char why[static HISTORY_WHY_MAX])
{
	uint8_t key[8];
	struct db_txn x;

	block_key(w->sequence + 1, key);
	db_clear_readers(w->db);
	db_begin(w->db, &x, true);
	db_put(&x, DB_ONLY, (struct db_bytes){ key, sizeof(key) }, (struct db_bytes){ bytes, len });

	enum db_status status = db_end(&x);

	if (status != DB_OK)
		str_copy(why, HISTORY_WHY_MAX, db_why(&x));
	return status;
}

static enum db_status
put_encoded(struct history *h, struct segment_writer *w, const uint8_t *bytes, size_t len,
	    const struct block_about *about, int64_t now_ns, struct block_entry *e,
	    char why[static HISTORY_WHY_MAX])
{
	enum db_status status = segment_for(h, w, now_ns, why);

	if (status == DB_OK)
		status = put(w, bytes, len, why);
	if (status == DB_OK)
		*e = (struct block_entry){ .segment = w->segment.number,
					   .sequence = w->sequence + 1,
					   .rows = about->rows,
					   .bytes = (uint32_t)len,
					   .tenant = about->tenant,
					   .tenants = about->tenants,
					   .least_last_ns = about->least_last_ns,
					   .most_last_ns = about->most_last_ns };
	return status;
}

enum db_status
history_put_block(struct history *h, struct segment_writer *w, const struct block_row *row, uint32_t n,
		  int64_t now_ns, struct block_entry *e, char why[static HISTORY_WHY_MAX])
{
	struct block_about about;
	size_t len;
	const uint8_t *bytes = block_encode(h->blocks, row, n, &len, &about);

	return put_encoded(h, w, bytes, len, &about, now_ns, e, why);
}

enum db_status
history_put_table(struct history *h, struct segment_writer *w, const struct flow_table *t, uint32_t from,
		  uint32_t n, int64_t now_ns, struct block_entry *e, char why[static HISTORY_WHY_MAX])
{
	struct block_about about;
	size_t len;
	const uint8_t *bytes = block_encode_table(h->blocks, t, from, n, &len, &about);

	return put_encoded(h, w, bytes, len, &about, now_ns, e, why);
}

void
history_block_done(struct segment_writer *w, const struct block_entry *e)
{
	struct segment_entry *s = &w->segment;

	if (s->rows == 0 || e->least_last_ns < s->least_last_ns)
		s->least_last_ns = e->least_last_ns;
	if (s->rows == 0 || e->most_last_ns > s->most_last_ns)
		s->most_last_ns = e->most_last_ns;
	s->rows += e->rows;
	s->bytes = db_file_bytes(w->db);
	w->sequence = e->sequence;
}

void
history_catalogue(struct db_txn *x, const struct segment_writer *w, const struct block_entry *e)
{
	catalogue_put_block(x, e);
	catalogue_put_segment(x, &w->segment);
	db_put(x, DB_META, sequence_of(w), (struct db_bytes){ &w->sequence, sizeof(w->sequence) });
}

void
history_drop_unnamed(struct segment_writer *w)
{
	struct db_bytes key;
	struct db_cursor c;
	struct db_txn x;
	uint8_t from[8];
	bool any;

	if (w->db == NULL)
		return;
	block_key(w->sequence + 1, from);
	db_begin(w->db, &x, false);
	db_cursor_open(&x, DB_ONLY, &c);
	any = db_seek(&c, (struct db_bytes){ from, sizeof(from) }, &key, NULL) && key.n == sizeof(from);
	db_cursor_close(&c);
	(void)db_end(&x);
	if (!any)
		return;
	db_begin(w->db, &x, true);
	db_cursor_open(&x, DB_ONLY, &c);
	for (bool more = db_seek(&c, (struct db_bytes){ from, sizeof(from) }, &key, NULL);
	     more && key.n == sizeof(from); more = db_next(&c, &key, NULL))
		db_cursor_delete(&c);
	db_cursor_close(&c);
	(void)db_end(&x);
}

struct segment_writer *
history_writer_of(struct history *h, uint32_t segment)
{
	if (segment == h->fresh.segment.number)
		return &h->fresh;
	for (unsigned i = 0; i < RETENTION_CLASSES; i++)
		if (segment == h->merged[i].segment.number)
			return &h->merged[i];
	return NULL;
}

/* --- after a start
 * ------------------------------------------------------------------------------------------------------------
 */

/* A segment that was not full is written on. Where that is damaged, so is what was written last: a human
 * decides. */
static enum db_status
go_on(struct history *h, struct segment_writer *w, char why[static HISTORY_WHY_MAX])
{
	enum db_status status = DB_OK;

	if (w->segment.number != 0 && w->segment.bytes < segment_size(h, w) &&
	    !segments_is_linked(w->segment.number))
		status = open_segment(h, w, why);
	history_drop_unnamed(w);
	if (w->db == NULL)
		w->segment = (struct segment_entry){ 0 };
	return status == DB_DAMAGED ? status : DB_OK;
}

static void
read_sequence(struct db_txn *x, struct segment_writer *w)
{
	struct db_bytes v;

	if (db_get(x, DB_META, sequence_of(w), &v) && v.n == sizeof(w->sequence))
		memcpy(&w->sequence, v.p, sizeof(w->sequence));
}

enum db_status
history_find_segments(struct history *h, char why[static HISTORY_WHY_MAX])
{
	static const struct segment_entry none;
	struct segment_entry e;
	struct db_txn x;

	db_begin(h->db, &x, false);
	read_sequence(&x, &h->fresh);
	for (unsigned i = 0; i < RETENTION_CLASSES; i++) {
		h->merged[i].merged = true;
		h->merged[i].retention = i;
		read_sequence(&x, &h->merged[i]);
	}
	for (uint32_t n = 0; catalogue_segment(&x, n, &e); n = e.number + 1) {
		h->newest = e.number;
		if (!e.gone && !e.left)
			(e.merged ? &h->merged[e.retention] : &h->fresh)->segment =
			    history_is_worn(&e) ? none : e;
	}

	enum db_status status = db_end(&x);

	if (status != DB_OK)
		str_copy(why, HISTORY_WHY_MAX, db_why(&x));
	if (status == DB_OK)
		status = go_on(h, &h->fresh, why);
	for (unsigned i = 0; i < RETENTION_CLASSES && status == DB_OK; i++)
		status = go_on(h, &h->merged[i], why);
	return status;
}
