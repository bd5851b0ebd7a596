/* Series in history: what commits add goes into a journal with everything else of theirs, and from there to
 * the store of series (series_store.h). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "history_parts.h"
#include "series_pack.h"
#include "series_store.h"
#include "sum.h"

#define FRONT      12u  /* of an entry: the newest minute in it, and how many records there are */
#define PRUNE      256u /* entries that go with one commit */
#define SECOND_END (INT64_C(1) << 40) /* no time that is meant is behind it */

/* The entry of the commit that is under way. */
struct series_journal {
	struct series_record *r;
	uint32_t n, cap;
	uint64_t number; /* of the next entry */
	struct bytes bytes;
};

/* --- writing
 * ---------------------------------------------------------------------------------------------------------------
 */

static void
take_deltas(struct series_journal *j, const struct batch *b)
{
	if (b->ndelta > j->cap) {
		j->cap = b->ndelta;
		j->r = mem_reallocarray(j->r, j->cap, sizeof(*j->r));
	}
	j->n = 0;
	for (uint32_t i = 0; i < b->ndelta; i++) {
		const struct batch_delta *d = &b->delta[i];

		if (d->second < 0 || d->second >= SECOND_END)
			continue;
		j->r[j->n++] = (struct series_record){
			.key = d->key,
			.kind = d->span_s == 1 ? RECORD_SECOND : RECORD_MINUTE,
			.p = { .bucket = d->span_s == 1 ? d->second : d->second / 60, .sum = d->v },
		};
	}
}

static int
record_compare(const void *a, const void *b)
{
	const struct series_record *x = a, *y = b;
	int order = series_key_compare(&x->key, &y->key);

	if (order != 0)
		return order;
	return x->p.bucket < y->p.bucket ? -1 : x->p.bucket > y->p.bucket;
}

static void
encode(struct series_journal *j)
{
	struct record_place at = { 0 };
	int64_t newest = 0;

	j->bytes.len = 0;

	/* All at once: it does not move below the cursors. */
	size_t room = FRONT + (size_t)j->n * RECORD_MAX;
	struct wcur front = wcur_of(bytes_room(&j->bytes, room), FRONT);
	struct wcur w = wcur_of(j->bytes.p + FRONT, room - FRONT);

	for (uint32_t i = 0; i < j->n; i++) {
		int64_t minute = record_minute(&j->r[i]);

		newest = minute > newest ? minute : newest;
		record_put(&w, &at, &j->r[i]);
	}
	wcur_be64(&front, (uint64_t)newest);
	wcur_be32(&front, j->n);
	j->bytes.len = FRONT + wcur_len(&w);
}

static struct db_bytes
number_key(uint64_t number, uint8_t out[static 8])
{
	struct wcur c = wcur_of(out, 8);

	wcur_be64(&c, number);
	return (struct db_bytes){ out, 8 };
}

/* Entries of which series.mdb has everything. */
static void
prune(struct history *h, struct db_txn *x)
{
	struct db_bytes key, v;
	struct db_cursor c;
	unsigned n = 0;

	db_cursor_open(x, DB_JOURNAL, &c);
	for (bool more = db_seek(&c, (struct db_bytes){ "", 1 }, &key, &v); more && n < PRUNE;
	     more = db_next(&c, &key, &v), n++) {
		struct rcur k = rcur_of(key.p, key.n), r = rcur_of(v.p, v.n);
		uint64_t number = rcur_be64(&k);
		int64_t newest = (int64_t)rcur_be64(&r);

		if (!r.bad && !series_store_has(h->series, number, newest))
			break;
		db_cursor_delete(&c);
	}
	db_cursor_close(&c);
}

void
history_add_series(struct history *h, struct db_txn *x, const struct batch *b)
{
	struct series_journal *j = h->journal;
	uint8_t key[8];

	take_deltas(j, b);
	if (j->n > 1)
		qsort(j->r, j->n, sizeof(*j->r), record_compare);
	if (j->n > 0) {
		encode(j);
		db_put(x, DB_JOURNAL, number_key(j->number, key),
		       (struct db_bytes){ j->bytes.p, j->bytes.len });
	}
	prune(h, x);
}

void
history_series_written(struct history *h, int64_t now_ns)
{
	struct series_journal *j = h->journal;

	if (j->n > 0)
		series_store_take(h->series, j->number++, j->r, j->n);
	j->n = 0;
	series_store_turn(h->series, now_ns / NS_PER_S);
}

bool
history_is_journal(struct db_bytes key, struct db_bytes v)
{
	struct rcur c = rcur_of(v.p, v.n);
	struct record_place at = { 0 };
	struct series_record r;
	bool good = rcur_skip(&c, FRONT - 4) && key.n == 8;

	for (uint32_t n = rcur_be32(&c); good && n > 0; n--)
		good = record_get(&c, &at, &r) && r.kind != RECORD_POINT;
	return good && !c.bad && rcur_left(&c) == 0;
}

/* --- opening
 * ---------------------------------------------------------------------------------------------------------------
 */

static bool
replay_entry(struct history *h, struct db_bytes key, struct db_bytes v)
{
	struct series_journal *j = h->journal;
	struct rcur k = rcur_of(key.p, key.n), c = rcur_of(v.p, v.n);
	struct record_place at = { 0 };
	uint64_t number = rcur_be64(&k);
	bool good;

	rcur_skip(&c, FRONT - 4);

	uint32_t n = rcur_be32(&c);

	/* A record takes more bytes than this. */
	good = !k.bad && !c.bad && n <= rcur_left(&c) / 4;
	if (good && n > j->cap) {
		j->cap = n;
		j->r = mem_reallocarray(j->r, j->cap, sizeof(*j->r));
	}
	for (j->n = 0; good && j->n < n; j->n += good)
		good = record_get(&c, &at, &j->r[j->n]) && j->r[j->n].kind != RECORD_POINT;
	series_store_take(h->series, number, j->r, j->n);
	j->number = number + 1;
	j->n = 0;
	return good;
}

static enum db_status
replay(struct history *h)
{
	struct db_bytes key, v;
	struct db_cursor c;
	struct db_txn x;

	db_begin(h->db, &x, false);
	db_cursor_open(&x, DB_JOURNAL, &c);
	for (bool more = db_seek(&c, (struct db_bytes){ "", 1 }, &key, &v); more;
	     more = db_next(&c, &key, &v)) {
		if (replay_entry(h, key, v))
			continue;
		atomic_fetch_add(&h->blocks_damaged, 1);
		log_error("data.mdb: an entry of the journal of series is damaged: what is behind the damage "
			  "in it is lost");
	}
	db_cursor_close(&c);
	return db_end(&x);
}

enum db_status
history_open_series(struct history *h, const uint8_t identity[static SERIES_IDENTITY], char *err,
		    size_t errsize)
{
	struct series_limits l = { .size = h->limits.size / 2, .keep_everything = h->limits.keep_everything };
	enum db_status status;

	for (unsigned i = 0; i < CHUNK_RESOLUTIONS; i++)
		l.keep_s[i] = h->limits.keep_ns[i] / NS_PER_S;
	h->journal = mem_calloc(1, sizeof(*h->journal));
	h->series = series_store_open(&l, identity, &status, err, errsize);
	if (h->series == NULL)
		return status;
	/* data.mdb may be an older copy than series.mdb is. */
	h->journal->number = series_store_newest(h->series) + 1;
	status = replay(h);
	if (status != DB_OK)
		snprintf(err, errsize,
			 "data.mdb in the store's directory cannot be read (journal of series)");
	if (h->journal->number <= series_store_newest(h->series))
		h->journal->number = series_store_newest(h->series) + 1;
	return status;
}

void
history_close_series(struct history *h)
{
	series_store_close(&h->series);
	if (h->journal == NULL)
		return;
	free(h->journal->r);
	bytes_free(&h->journal->bytes);
	free(h->journal);
	h->journal = NULL;
}

/* --- reading
 * ----------------------------------------------------------------------------------------------------------------
 */

/* The coarsest resolution that is kept and of whose points the buckets can be made. */
static bool
resolution_of(uint32_t seconds, unsigned *r)
{
	for (*r = CHUNK_RESOLUTIONS; *r > 0;)
		if (seconds % chunk_resolutions[--*r].seconds == 0)
			return seconds != 0 && (*r != CHUNK_SECONDS || seconds == 1);
	return false;
}

static struct series_point
point_of(const struct chunk_point *p, uint32_t resolution_s)
{
	struct series_point out = { .time_s = p->bucket * resolution_s,
				    .finest_s = p->finest_s,
				    .sum = p->sum,
				    .least = p->least,
				    .most = p->most };

	/* Minutes without traffic are in no point. */
	if (p->minutes < resolution_s / 60)
		out.least = (struct series_value){ 0 };
	out.bytes = sum_sat(p->sum.in_bytes, p->sum.out_bytes);
	out.packets = sum_sat(p->sum.in_packets, p->sum.out_packets);
	out.bytes_max = sum_sat(p->most.in_bytes, p->most.out_bytes);
	out.packets_max = sum_sat(p->most.in_packets, p->most.out_packets);
	out.flows_max = p->sum.flows_max;
	return out;
}

static enum db_status
points(struct history *h, const struct series_key *key, uint32_t resolution_s, int64_t from_s, int64_t to_s,
       struct chunk_point **p, size_t *n)
{
	enum db_status status;
	unsigned r;

	*p = NULL;
	*n = 0;
	if (!resolution_of(resolution_s, &r) || from_s < 0 || to_s <= from_s)
		return DB_OK;
	to_s = to_s < SECOND_END ? to_s : SECOND_END;
	/* Whole buckets: those that begin within. */
	from_s = (from_s + resolution_s - 1) / resolution_s * resolution_s;
	to_s = (to_s + resolution_s - 1) / resolution_s * resolution_s;
	status = series_store_read(h->series, key, r, from_s, to_s, p, n);
	*n = chunk_coarser(*p, *n, chunk_resolutions[r].seconds, resolution_s);
	return status;
}

enum db_status
history_series(struct history *h, const struct series_key *key, uint32_t resolution_s, int64_t from_s,
	       int64_t to_s, bool (*visit)(void *ctx, const struct series_point *p), void *ctx)
{
	struct chunk_point *p;
	size_t n;
	enum db_status status = points(h, key, resolution_s, from_s, to_s, &p, &n);

	for (size_t i = 0; i < n; i++) {
		struct series_point out = point_of(&p[i], resolution_s);

		if (!visit(ctx, &out))
			break;
	}
	free(p);
	return status;
}

static bool
is_gone(const void *ctx, uint32_t tenant)
{
	return tenants_is_gone(ctx, tenant);
}

void
history_forget_series(struct history *h)
{
	series_store_went(h->series, is_gone, h->tenants);
}

void
history_tenants_keep(struct history *h, const struct history_keep *list, size_t n)
{
	series_store_tenants(h->series, list, n);
}

static int
value_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* v[0..n) and as many zeros as make it `all`: the one at `rank`, counted from 1. */
static uint64_t
ranked(uint64_t *v, size_t n, size_t all, size_t rank)
{
	size_t zeros = all - n;

	if (rank <= zeros)
		return 0;
	qsort(v, n, sizeof(*v), value_compare);
	return v[rank - zeros - 1];
}

#define RANK(field, f)                                                                                       \
	for (size_t i = 0; i < n; i++)                                                                       \
		work[i] = f;                                                                                 \
	out->field = ranked(work, n, (size_t)buckets, rank);

void
series_percentile_of(const struct series_value *v, size_t n, uint64_t buckets, unsigned percent,
		     struct series_percentile *out)
{
	uint64_t *work = mem_reallocarray(NULL, n + 1, sizeof(*work));

	buckets = buckets < n ? n : buckets;
	/* Nearest rank, rounded up, in a way that does not overflow. */
	size_t rank = (size_t)(buckets / 100 * percent + (buckets % 100 * percent + 99) / 100);

	*out = (struct series_percentile){ .buckets = buckets };
	if (buckets > 0) {
		RANK(in_bytes, v[i].in_bytes)
		RANK(out_bytes, v[i].out_bytes)
		RANK(bytes, sum_sat(v[i].in_bytes, v[i].out_bytes))
	}
	free(work);
}
#undef RANK

enum db_status
history_series_percentile(struct history *h, const struct series_key *key, uint32_t resolution_s,
			  int64_t from_s, int64_t to_s, unsigned percent, struct series_percentile *out)
{
	struct chunk_point *p;
	size_t n;
	enum db_status status = points(h, key, resolution_s, from_s, to_s, &p, &n);
	struct series_value *v = mem_reallocarray(NULL, n + 1, sizeof(*v));

	*out = (struct series_percentile){ 0 };
	for (size_t i = 0; i < n; i++)
		v[i] = p[i].sum;
	if (status == DB_OK && resolution_s != 0 && percent >= 1 && percent <= 100 && to_s > from_s)
		series_percentile_of(v, n,
				     (uint64_t)((to_s + resolution_s - 1) / resolution_s -
						(from_s + resolution_s - 1) / resolution_s),
				     percent, out);
	free(v);
	free(p);
	return status;
}

uint32_t
series_points_of(uint32_t n, uint32_t resolution_s)
{
	unsigned r;

	return resolution_of(resolution_s, &r) ? n * (resolution_s / chunk_resolutions[r].seconds) : 0;
}

uint32_t
series_chunk_points(uint32_t resolution_s)
{
	unsigned r;

	return resolution_of(resolution_s, &r) && r >= CHUNK_KEPT ? chunk_resolutions[r].points
								  : CHUNK_POINTS_MAX;
}
