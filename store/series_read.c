/* Points of one series: what chunks on disk have, and what is open of them in memory. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "series_parts.h"

struct reading {
	struct series_store *s;
	struct series_reader *reader;
	struct db_txn x;
	const struct series_key *key;
	unsigned resolution;
	int64_t from, to; /* buckets */
	struct chunk_point *p;
	size_t n, cap;
};

/* --- who reads
 * ---------------------------------------------------------------------------------------------------------------
 */

static struct series_reader *
reader_take(struct series_store *s)
{
	struct series_reader *r;

	pthread_mutex_lock(&s->reading);
	r = s->readers;
	if (r != NULL)
		s->readers = r->next;
	pthread_mutex_unlock(&s->reading);
	if (r != NULL)
		return r;
	r = mem_calloc(1, sizeof(*r));
	r->work = chunk_work_new();
	return r;
}

static void
reader_give(struct series_store *s, struct series_reader *r)
{
	pthread_mutex_lock(&s->reading);
	r->next = s->readers;
	s->readers = r;
	pthread_mutex_unlock(&s->reading);
}

void
series_readers_free(struct series_store *s)
{
	struct series_reader *r;

	while ((r = s->readers) != NULL) {
		s->readers = r->next;
		chunk_work_free(&r->work);
		free(r);
	}
}

/* --- what is there
 * -----------------------------------------------------------------------------------------------------------
 */

static uint64_t
begin(void *ctx)
{
	struct reading *r = ctx;

	db_begin(r->s->db, &r->x, false);
	return db_number(&r->x);
}

static void
put(struct reading *r, const struct chunk_point *p, size_t n)
{
	if (n == 0)
		return;
	if (n > r->cap - r->n) {
		r->cap = r->cap * 2 > r->n + n ? r->cap * 2 : r->n + n;
		r->p = mem_reallocarray(r->p, r->cap, sizeof(*r->p));
	}
	memcpy(r->p + r->n, p, n * sizeof(*p));
	r->n += n;
}

static void
read_chunk(struct reading *r, int64_t span, struct db_bytes v)
{
	struct series_store *s = r->s;
	struct chunk_point *p = r->reader->points;
	const uint8_t *chunk;
	struct pack pack;
	size_t len;
	uint32_t n, first = 0;

	if (!pack_open(&pack, v.p, v.n)) {
		series_damaged(s, r->resolution, span, NULL);
		return;
	}
	if (!pack_find(&pack, r->key, &chunk, &len))
		return;
	n = chunk_decode(r->reader->work, r->resolution, span, chunk, len, p);
	if (n == 0) {
		series_damaged(s, r->resolution, span, r->key);
		return;
	}
	while (first < n && p[first].bucket < r->from)
		first++;
	while (n > first && p[n - 1].bucket >= r->to)
		n--;
	put(r, p + first, n - first);
}

/* The stretch of time at or behind `span` of which there is anything; false where there is none. */
static bool
next_span(const struct reading *r, struct db_cursor *c, int64_t *span)
{
	static const struct series_key first;
	struct series_db_key from = series_pack_key(r->resolution, *span, &first, false);
	struct series_key k;
	struct db_bytes key;
	unsigned res;

	return db_seek(c, series_bytes(&from), &key, NULL) && series_pack_key_read(key, &res, span, &k) &&
	       res == r->resolution;
}

static void
read_disk(struct reading *r)
{
	int64_t points = chunk_resolutions[r->resolution].points, span = r->from / points;
	struct series_key low;
	struct db_cursor c;
	struct db_bytes v;

	db_cursor_open(&r->x, DB_ONLY, &c);
	for (; next_span(r, &c, &span) && span <= (r->to - 1) / points; span++)
		if (series_find_pack(&c, r->resolution, span, r->key, &low, &v))
			read_chunk(r, span, v);
	db_cursor_close(&c);
}

static int
by_time(const void *a, const void *b)
{
	const struct chunk_point *x = a, *y = b;

	return x->bucket < y->bucket ? -1 : x->bucket > y->bucket;
}

/* Minutes in any order, of which one may be there in parts, as points of the resolution. */
static size_t
in_order(struct chunk_point *p, size_t n, unsigned resolution)
{
	size_t to = 0;

	if (n > 1)
		qsort(p, n, sizeof(*p), by_time);
	for (size_t i = 0; i < n; i++) {
		if (to > 0 && p[to - 1].bucket == p[i].bucket)
			chunk_point_add(&p[to - 1], &p[i]);
		else
			p[to++] = p[i];
	}
	return chunk_coarser(p, to, 60, chunk_resolutions[resolution].seconds);
}

/* Puts what is open between what is there; both are in order. */
static void
add_open(struct reading *r, struct chunk_point *open, size_t nopen)
{
	size_t n = r->n, i = 0;

	nopen = in_order(open, nopen, r->resolution);
	for (size_t k = 0; k < nopen; k++) {
		while (i < n && r->p[i].bucket < open[k].bucket)
			i++;
		if (i == n || r->p[i].bucket != open[k].bucket)
			put(r, &open[k], 1);
		else if (r->resolution == CHUNK_MINUTES)
			chunk_point_add(&r->p[i], &open[k]);
		else
			chunk_point_join(&r->p[i], &open[k]);
	}
	if (r->n > n && n > 0 && r->p[n].bucket < r->p[n - 1].bucket)
		qsort(r->p, r->n, sizeof(*r->p), by_time);
}

static enum db_status
read_kept(struct reading *r)
{
	const uint32_t seconds = chunk_resolutions[r->resolution].seconds;
	struct chunk_point *open;
	size_t nopen;

	r->reader = reader_take(r->s);
	series_open_read(r->s->open, r->key, r->from * seconds / 60, r->to * seconds / 60, begin, r, &open,
			 &nopen);
	read_disk(r);

	enum db_status status = db_end(&r->x);

	reader_give(r->s, r->reader);
	add_open(r, open, nopen);
	free(open);
	return status;
}

enum db_status
series_store_read(struct series_store *s, const struct series_key *key, unsigned resolution, int64_t from_s,
		  int64_t to_s, struct chunk_point **p, size_t *n)
{
	const uint32_t seconds = chunk_resolutions[resolution].seconds;
	struct reading r = { .s = s, .key = key, .resolution = resolution };
	enum db_status status = DB_OK;

	r.from = (from_s + seconds - 1) / seconds;
	r.to = (to_s + seconds - 1) / seconds;
	*p = NULL;
	*n = 0;
	if (from_s < 0 || r.from >= r.to)
		return DB_OK;
	if (resolution == CHUNK_SECONDS) {
		series_open_seconds(s->open, key, from_s, to_s, p, n);
		return DB_OK;
	}
	status = read_kept(&r);
	*p = r.p;
	*n = r.n;
	return status;
}
