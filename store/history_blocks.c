/* Blocks into the segment that is written: the newest one, until it is full or its day is over. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "history_parts.h"

#define SEGMENT_MOST ((uint64_t)4 << 30)
#define SEGMENT_ROOM                                                                                         \
	((uint64_t)64 << 20) /* of its map beyond what it is to hold: for the block that fills it */
#define SEGMENTS 16u         /* that a full store has at least: the oldest goes at a time */
#define DAY_NS   (86400 * NS_PER_S)

static uint64_t
segment_size(const struct history *h)
{
	uint64_t part = h->limits.size / SEGMENTS;

	return part > SEGMENT_MOST ? SEGMENT_MOST : part;
}

static bool
is_over(const struct history *h, int64_t now_ns)
{
	const struct segment_entry *s = &h->segment;

	return s->rows > 0 && (s->bytes >= segment_size(h) || now_ns / DAY_NS != s->made_ns / DAY_NS);
}

/* What could not be made whole is not left behind: a later attempt begins anew. */
static enum db_status
open_segment(struct history *h, char why[static HISTORY_WHY_MAX])
{
	uint64_t size = segment_size(h) / 4 * 5 + SEGMENT_ROOM;
	bool fresh = h->segment.rows == 0;
	enum db_status status;
	char err[512] = "";

	h->segment_db = segments_write(h->segments, h->segment.number, size, &status, err, sizeof(err));
	if (h->segment_db != NULL)
		return DB_OK;
	str_copy(why, HISTORY_WHY_MAX, err);
	if (fresh)
		segments_retire(h->segments, h->segment.number);
	return fresh && status == DB_DAMAGED ? DB_IO : status;
}

static enum db_status
segment_for(struct history *h, int64_t now_ns, char why[static HISTORY_WHY_MAX])
{
	if (is_over(h, now_ns)) {
		h->segment_db = NULL;
		h->segment = (struct segment_entry){ .number = h->segment.number + 1 };
	}
	if (h->segment_db != NULL)
		return DB_OK;
	if (h->segment.rows == 0)
		h->segment = (struct segment_entry){ .number = segments_free_number(h->segment.number),
						     .made_ns = now_ns };
	return open_segment(h, why);
}

static enum db_status
put(struct history *h, const uint8_t *bytes, size_t len, char why[static HISTORY_WHY_MAX])
{
	uint8_t key[8];
	struct wcur c = wcur_of(key, sizeof(key));
	struct db_txn x;

	wcur_be64(&c, h->sequence + 1);
	db_begin(h->segment_db, &x, true);
	db_put(&x, DB_ONLY, (struct db_bytes){ key, sizeof(key) }, (struct db_bytes){ bytes, len });

	enum db_status status = db_end(&x);

	if (status != DB_OK)
		str_copy(why, HISTORY_WHY_MAX, db_why(&x));
	return status;
}

static void
describe(const struct history *h, uint32_t n, struct block_entry *e)
{
	*e = (struct block_entry){ .segment = h->segment.number,
				   .sequence = h->sequence + 1,
				   .least_last_ns = h->rows[0].f->last_ns,
				   .most_last_ns = h->rows[0].f->last_ns,
				   .rows = n,
				   .tenant = h->rows[0].tenant,
				   .tenants = 1 };
	for (uint32_t i = 1; i < n; i++) {
		int64_t last = h->rows[i].f->last_ns;

		e->least_last_ns = last < e->least_last_ns ? last : e->least_last_ns;
		e->most_last_ns = last > e->most_last_ns ? last : e->most_last_ns;
		e->tenants += h->rows[i].tenant != h->rows[i - 1].tenant;
	}
}

enum db_status
history_put_block(struct history *h, uint32_t n, int64_t now_ns, struct block_entry *e,
		  char why[static HISTORY_WHY_MAX])
{
	size_t len;
	const uint8_t *bytes = block_encode(h->blocks, h->rows, n, &len);
	enum db_status status = segment_for(h, now_ns, why);

	if (status == DB_OK)
		status = put(h, bytes, len, why);
	if (status == DB_OK)
		describe(h, n, e);
	return status;
}

void
history_catalogue(struct history *h, struct db_txn *x, const struct block_entry *e,
		  struct segment_entry *segment)
{
	*segment = h->segment;
	if (segment->rows == 0 || e->least_last_ns < segment->least_last_ns)
		segment->least_last_ns = e->least_last_ns;
	if (segment->rows == 0 || e->most_last_ns > segment->most_last_ns)
		segment->most_last_ns = e->most_last_ns;
	segment->rows += e->rows;
	segment->bytes = db_file_bytes(h->segment_db);
	catalogue_put_block(x, e);
	catalogue_put_segment(x, segment);
	db_put(x, DB_META, (struct db_bytes){ HISTORY_SEQUENCE, sizeof(HISTORY_SEQUENCE) },
	       (struct db_bytes){ &e->sequence, sizeof(e->sequence) });
}

void
history_block_done(struct history *h, const struct block_entry *e, const struct segment_entry *segment)
{
	h->sequence = e->sequence;
	h->segment = *segment;
}

/* A segment that was not full is written on. Where that is damaged, so is what was written last: a human
 * decides. */
static enum db_status
go_on_with(struct history *h, const struct segment_entry *last, char why[static HISTORY_WHY_MAX])
{
	enum db_status status = DB_OK;

	h->segment = *last;
	if (!last->gone && last->bytes < segment_size(h))
		status = open_segment(h, why);
	if (h->segment_db == NULL)
		h->segment = (struct segment_entry){ .number = last->number + 1 };
	return status == DB_DAMAGED ? status : DB_OK;
}

enum db_status
history_find_segment(struct history *h, char why[static HISTORY_WHY_MAX])
{
	struct segment_entry last;
	struct db_bytes v;
	struct db_txn x;

	db_begin(h->db, &x, false);
	if (db_get(&x, DB_META, (struct db_bytes){ HISTORY_SEQUENCE, sizeof(HISTORY_SEQUENCE) }, &v) &&
	    v.n == sizeof(h->sequence))
		memcpy(&h->sequence, v.p, sizeof(h->sequence));

	bool any = catalogue_last_segment(&x, &last);
	enum db_status status = db_end(&x);

	if (status != DB_OK)
		str_copy(why, HISTORY_WHY_MAX, db_why(&x));
	h->segment.number = 1;
	return status == DB_OK && any ? go_on_with(h, &last, why) : status;
}
