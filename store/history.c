/* What was: opened and closed, the dictionary, and what was applied of engines' records. */
#include "history.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "find.h"
#include "history_parts.h"

#define FORMAT HISTORY_FORMAT

static const char format_key[] = "format", secret_key[] = "secret";

void
history_limits_of(const struct settings *s, bool analyze, struct history_limits *l)
{
	*l = (struct history_limits){
		.size = (uint64_t)s->store_size,
		.keep_flows_ns = s->keep_flows_ms * NS_PER_MS,
		.keep_ns = { s->keep_seconds_ms * NS_PER_MS, s->keep_minutes_ms * NS_PER_MS,
			     s->keep_five_minutes_ms * NS_PER_MS, s->keep_hours_ms * NS_PER_MS,
			     s->keep_days_ms * NS_PER_MS },
		.keep_everything = analyze,
	};
}

/* --- opening
 * ----------------------------------------------------------------------------------------------------------
 */

const struct db_bytes history_format_at = { format_key, sizeof(format_key) };
const struct db_bytes history_secret_at = { secret_key, sizeof(secret_key) };

/* The format of what is there; our own where nothing is. */
static uint32_t
read_format(struct db_txn *x)
{
	struct db_bytes v;
	uint32_t format = FORMAT;

	if (!db_get(x, DB_META, history_format_at, &v))
		return FORMAT;
	if (v.n == sizeof(format))
		memcpy(&format, v.p, sizeof(format));
	if (v.n != sizeof(format) || format == 0)
		x->status = DB_DAMAGED;
	else if (format > FORMAT)
		x->status = DB_NEWER;
	return format;
}

static void
read_secret(struct history *h, struct db_txn *x)
{
	struct db_bytes v;

	if (db_get(x, DB_META, history_secret_at, &v) && v.n == sizeof(h->secret)) {
		memcpy(h->secret, v.p, sizeof(h->secret));
		return;
	}
	randombytes_buf(h->secret, sizeof(h->secret));
	db_put(x, DB_META, history_secret_at, (struct db_bytes){ h->secret, sizeof(h->secret) });
}

/* A database of an older or our own format, or none yet: which one is settled here. What is older is brought
 * to ours once the rest is open. */
static enum db_status
check_format(struct history *h, uint32_t *format, char *err, size_t errsize)
{
	static const uint32_t ours = FORMAT;
	struct db_bytes v;
	struct db_txn x;

	db_begin(h->db, &x, true);
	*format = read_format(&x);
	if (!db_get(&x, DB_META, history_format_at, &v))
		db_put(&x, DB_META, history_format_at, (struct db_bytes){ &ours, sizeof(ours) });
	read_secret(h, &x);

	enum db_status s = db_end(&x);

	if (s == DB_NEWER)
		snprintf(err, errsize,
			 "the store's database has format %u and this Weir knows %u: start the newer Weir "
			 "that wrote it, or move it away",
			 *format, FORMAT);
	else if (s == DB_DAMAGED)
		snprintf(err, errsize,
			 "data.mdb in the store's directory is damaged (no format): move it away or restore "
			 "a copy, then start again");
	else if (s != DB_OK)
		snprintf(err, errsize, "data.mdb in the store's directory cannot be written: %s", db_why(&x));
	return s;
}

bool
history_name(struct names *names, struct db_bytes key, struct db_bytes v)
{
	struct rcur c = rcur_of(key.p, key.n);
	uint8_t kind = rcur_u8(&c);
	uint16_t number = rcur_be16(&c);

	return !c.bad && key.n == 3 && names_restore(names, kind, number, v.p, v.n);
}

static enum db_status
restore_names(struct history *h, struct names *names, char *err, size_t errsize)
{
	struct db_bytes key, v;
	struct db_cursor c;
	struct db_txn x;
	bool good = true;

	db_begin(h->db, &x, false);
	db_cursor_open(&x, DB_NAMES, &c);
	for (bool more = db_seek(&c, (struct db_bytes){ "", 1 }, &key, &v); more && good;
	     more = db_next(&c, &key, &v))
		good = history_name(names, key, v);
	db_cursor_close(&c);

	enum db_status s = db_end(&x);

	if (s == DB_OK && good)
		return DB_OK;
	snprintf(err, errsize,
		 "data.mdb in the store's directory is damaged (dictionary): move it away or restore a copy, "
		 "then start again");
	return DB_DAMAGED;
}

/* Files that the catalogue names are kept. */
static bool
is_known(void *ctx, uint32_t number)
{
	struct history *h = ctx;
	struct segment_entry e;
	struct db_txn x;

	db_begin(h->db, &x, false);

	bool known = catalogue_segment(&x, number, &e) && e.number == number && !e.gone;

	/* Where the catalogue cannot be read, nothing is deleted. */
	return db_end(&x) != DB_OK || known;
}

static void
open_segments(struct history *h)
{
	uint8_t identity[SEGMENT_IDENTITY];

	segments_identity(h->secret, sizeof(h->secret), identity);
	h->segments = segments_new(identity, !h->limits.keep_everything);
	segments_sweep(h->segments, is_known, h);
	h->blocks = block_writer_new();
}

static enum db_status
open_all(struct history *h, struct names *names, char *err, size_t errsize)
{
	char why[HISTORY_WHY_MAX] = "";
	uint8_t identity[SERIES_IDENTITY];
	uint32_t format = FORMAT;
	enum db_status s = check_format(h, &format, err, errsize);

	if (s == DB_OK)
		s = restore_names(h, names, err, errsize);
	if (s != DB_OK)
		return s;
	open_segments(h);
	s = history_find_segments(h, why);
	if (s != DB_OK)
		snprintf(err, errsize, "%s", why);
	if (s == DB_OK) {
		series_identity(h->secret, sizeof(h->secret), identity);
		s = history_open_series(h, identity, err, errsize);
	}
	if (s == DB_OK && format < FORMAT)
		s = history_upgrade(h, err, errsize);
	if (s == DB_OK)
		history_recall(h);
	return s;
}

struct history *
history_open(const struct history_limits *l, struct names *names, enum db_status *status, char *err,
	     size_t errsize)
{
	struct history *h = mem_calloc(1, sizeof(*h));

	h->limits = *l;
	h->tenants = tenants_new();
	h->sweep = sweep_new();
	atomic_store(&h->floor_ns, INT64_MIN);
	h->db = db_open(l->size, !l->keep_everything, status, err, errsize);
	if (h->db != NULL)
		db_clear_readers(h->db);
	if (h->db != NULL)
		*status = open_all(h, names, err, errsize);
	if (h->db == NULL || *status != DB_OK)
		history_close(&h);
	return h;
}

void
history_close(struct history **hp)
{
	struct history *h = *hp;

	if (h == NULL)
		return;
	history_merge_free(h);
	sweep_free(&h->sweep);
	tenants_free(&h->tenants);
	find_free(&h->back);
	segments_free(&h->segments);
	history_close_series(h);
	db_close(&h->db);
	block_writer_free(&h->blocks);
	seen_free(&h->seen);
	seen_free(&h->lost);
	free(h->rows);
	free(h->sort[0]);
	free(h->sort[1]);
	free(h->keys);
	free(h->same);
	free(h->fate);
	sodium_memzero(h->secret, sizeof(h->secret));
	free(h);
	*hp = NULL;
}

void
history_counts(const struct history *h, uint64_t *forgotten, uint64_t *damaged)
{
	*forgotten = atomic_load(&h->rows_forgotten);
	*damaged = atomic_load(&h->blocks_damaged) + series_store_damaged(h->series);
}

uint64_t
history_seconds_refused(const struct history *h)
{
	return series_store_refused(h->series);
}

const uint8_t *
history_secret(const struct history *h)
{
	return h->secret;
}

void
history_applied(struct history *h, void (*visit)(void *ctx, const struct batch_applied *a), void *ctx)
{
	struct db_bytes key, v, from = { HISTORY_APPLIED, sizeof(HISTORY_APPLIED) - 1 };
	struct batch_applied a;
	struct db_cursor c;
	struct db_txn x;

	db_begin(h->db, &x, false);
	db_cursor_open(&x, DB_META, &c);
	for (bool more = db_seek(&c, from, &key, &v); more; more = db_next(&c, &key, &v)) {
		if (key.n < from.n || memcmp(key.p, from.p, from.n) != 0)
			break;
		if (v.n != sizeof(a)) /* of another build: replayed records are then counted twice, once */
			continue;
		memcpy(&a, v.p, sizeof(a));
		visit(ctx, &a);
	}
	db_cursor_close(&c);
	db_end(&x);
}
