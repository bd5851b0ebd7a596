/* A table of series, a pool of open minutes, and rings of seconds: see series_open.h. */
#include "series_open.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "series_pack.h"

#define NONE           UINT32_MAX
#define BUCKETS_FIRST  1024u
#define UNDER_ONE_LOCK 64u /* minutes that are closed before readers have their turn */

/* The seconds of a minute. */
struct seconds {
	uint64_t present;
	struct series_value v[60];
};

struct cell {
	uint32_t series, next; /* of the same series, or of the free ones */
	int64_t minute;
	struct series_value sum;
	struct seconds *seconds; /* NULL: nothing is known below the minute */
};

struct ring {
	struct {
		int64_t minute;
		uint8_t *chunk; /* NULL: none */
		size_t len;
	} slot[OPEN_RING_MINUTES];
	int64_t newest;
};

struct series {
	struct series_key key;
	uint32_t next; /* in its bucket */
	uint32_t cell; /* its first; NONE */
	struct ring *ring;
	struct bytes over; /* records of minutes that are over */
	struct record_place place;
	uint64_t folding; /* the transaction that will have them; 0 none */
};

struct series_open {
	pthread_mutex_t lock;
	struct chunk_work *work; /* under the lock */
	struct chunk_point *points;
	struct series *series;
	uint32_t nseries, series_cap;
	uint32_t *bucket, nbuckets;
	struct cell *cell;
	uint32_t ncells, cells_cap, free_cell;
	uint64_t seed;
	uint32_t *closing; /* cells */
	uint32_t nclosing;
	uint32_t rings;
	size_t bytes;
	_Atomic uint64_t refused;
};

struct series_open *
series_open_new(void)
{
	struct series_open *o = mem_calloc(1, sizeof(*o));

	if (pthread_mutex_init(&o->lock, NULL) != 0)
		fatal("cannot make a lock");
	o->work = chunk_work_new();
	o->points = mem_calloc(CHUNK_POINTS_MAX, sizeof(*o->points));
	o->nbuckets = BUCKETS_FIRST;
	o->bucket = mem_calloc(o->nbuckets, sizeof(*o->bucket));
	memset(o->bucket, 0xff, o->nbuckets * sizeof(*o->bucket));
	o->free_cell = NONE;
	randombytes_buf(&o->seed, sizeof(o->seed));
	return o;
}

static void
ring_free(struct series_open *o, struct ring **r)
{
	if (*r == NULL)
		return;
	for (unsigned i = 0; i < OPEN_RING_MINUTES; i++)
		free((*r)->slot[i].chunk);
	free(*r);
	*r = NULL;
	o->rings--;
}

void
series_open_free(struct series_open **op)
{
	struct series_open *o = *op;

	if (o == NULL)
		return;
	for (uint32_t i = 0; i < o->nseries; i++) {
		ring_free(o, &o->series[i].ring);
		bytes_free(&o->series[i].over);
	}
	for (uint32_t i = 0; i < o->ncells; i++)
		free(o->cell[i].seconds);
	chunk_work_free(&o->work);
	free(o->points);
	pthread_mutex_destroy(&o->lock);
	free(o->series);
	free(o->bucket);
	free(o->cell);
	free(o->closing);
	free(o);
	*op = NULL;
}

/* Readers change nothing but the lock. */
static void
lock(const struct series_open *o)
{
	pthread_mutex_lock(&((struct series_open *)(uintptr_t)o)->lock);
}

static void
unlock(const struct series_open *o)
{
	pthread_mutex_unlock(&((struct series_open *)(uintptr_t)o)->lock);
}

/* --- the table
 * ---------------------------------------------------------------------------------------------------------------
 */

static uint32_t *
bucket_of(const struct series_open *o, const struct series_key *k)
{
	uint64_t h = hash_mix(((uint64_t)k->tenant << 32 | k->number) ^ o->seed,
			      k->subject + UINT64_C(0x9e3779b97f4a7c15));

	return &o->bucket[h & (o->nbuckets - 1)];
}

static struct series *
find(const struct series_open *o, const struct series_key *k)
{
	for (uint32_t i = *bucket_of(o, k); i != NONE; i = o->series[i].next)
		if (series_key_compare(&o->series[i].key, k) == 0)
			return &o->series[i];
	return NULL;
}

static void
index_all(struct series_open *o)
{
	memset(o->bucket, 0xff, o->nbuckets * sizeof(*o->bucket));
	for (uint32_t i = 0; i < o->nseries; i++) {
		uint32_t *b = bucket_of(o, &o->series[i].key);

		o->series[i].next = *b;
		*b = i;
	}
}

static struct series *
get(struct series_open *o, const struct series_key *k)
{
	struct series *s = find(o, k);

	if (s != NULL)
		return s;
	if (o->nseries == o->series_cap) {
		o->series_cap = o->series_cap == 0 ? BUCKETS_FIRST : o->series_cap * 2;
		o->series = mem_reallocarray(o->series, o->series_cap, sizeof(*o->series));
	}
	if (o->nseries == o->nbuckets) {
		o->nbuckets *= 2;
		o->bucket = mem_reallocarray(o->bucket, o->nbuckets, sizeof(*o->bucket));
		index_all(o);
	}

	uint32_t *b = bucket_of(o, k);

	s = &o->series[o->nseries];
	*s = (struct series){ .key = *k, .next = *b, .cell = NONE };
	*b = o->nseries++;
	return s;
}

/* --- seconds
 * -----------------------------------------------------------------------------------------------------------------
 */

/* Of these there are as many as traffic and exporters say. */
static bool
is_unbounded(const struct series_key *k)
{
	return k->subject == SERIES_APPLICATION || k->subject == SERIES_EXPORTER_INTERFACE;
}

static bool
ring_get(struct series_open *o, struct series *s)
{
	if (s->ring != NULL)
		return true;
	if (o->rings >= OPEN_RINGS_MAX - (is_unbounded(&s->key) ? OPEN_RINGS_OTHERS : 0))
		return false;
	s->ring = mem_calloc(1, sizeof(*s->ring));
	s->ring->newest = INT64_MIN;
	o->rings++;
	return true;
}

static void
seconds_read(struct series_open *o, const struct ring *r, int64_t minute, struct seconds *to)
{
	unsigned at = (unsigned)(minute % OPEN_RING_MINUTES);
	struct chunk_point *p = o->points;
	uint32_t n;

	if (r->slot[at].chunk == NULL || r->slot[at].minute != minute)
		return;
	n = chunk_decode(o->work, CHUNK_SECONDS, minute, r->slot[at].chunk, r->slot[at].len, p);
	for (uint32_t i = 0; i < n; i++) {
		to->present |= UINT64_C(1) << (p[i].bucket % 60);
		to->v[p[i].bucket % 60] = p[i].sum;
	}
}

static uint32_t
seconds_points(const struct seconds *s, int64_t minute, struct chunk_point *p)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < 60; i++) {
		if ((s->present >> i & 1) == 0)
			continue;
		p[n] = (struct chunk_point){ .bucket = minute * 60 + i,
					     .finest_s = 1,
					     .minutes = 1,
					     .sum = s->v[i],
					     .least = s->v[i],
					     .most = s->v[i] };
		p[n++].least.flows_max = 0;
	}
	return n;
}

static void
seconds_keep(struct series_open *o, struct ring *r, int64_t minute, const struct seconds *s)
{
	struct chunk_point p[60];
	unsigned at = (unsigned)(minute % OPEN_RING_MINUTES);
	uint32_t n = seconds_points(s, minute, p);
	struct bytes b = { 0 };

	if (n == 0 || (r->slot[at].chunk != NULL && r->slot[at].minute > minute))
		return;
	chunk_encode(o->work, CHUNK_SECONDS, minute, p, n, &b);
	free(r->slot[at].chunk);
	r->slot[at].chunk = mem_reallocarray(b.p, b.len, 1);
	r->slot[at].len = b.len;
	r->slot[at].minute = minute;
	r->newest = minute > r->newest ? minute : r->newest;
}

/* --- open minutes
 * ------------------------------------------------------------------------------------------------------------
 */

static struct cell *
cell_of(struct series_open *o, struct series *s, int64_t minute)
{
	uint32_t i = s->cell;

	while (i != NONE && o->cell[i].minute != minute)
		i = o->cell[i].next;
	if (i != NONE)
		return &o->cell[i];
	if (o->free_cell != NONE) {
		i = o->free_cell;
		o->free_cell = o->cell[i].next;
	} else {
		if (o->ncells == o->cells_cap) {
			o->cells_cap = o->cells_cap == 0 ? BUCKETS_FIRST : o->cells_cap * 2;
			o->cell = mem_reallocarray(o->cell, o->cells_cap, sizeof(*o->cell));
		}
		i = o->ncells++;
	}
	o->cell[i] = (struct cell){ .series = (uint32_t)(s - o->series), .next = s->cell, .minute = minute };
	s->cell = i;
	return &o->cell[i];
}

static void
cell_drop(struct series_open *o, uint32_t i)
{
	struct series *s = &o->series[o->cell[i].series];
	uint32_t *link = &s->cell;

	while (*link != i)
		link = &o->cell[*link].next;
	*link = o->cell[i].next;
	free(o->cell[i].seconds);
	o->cell[i] = (struct cell){ .series = NONE, .next = o->free_cell };
	o->free_cell = i;
}

static void
add_second(struct series_open *o, struct series *s, struct cell *c, int64_t second,
	   const struct series_value *v)
{
	if (!ring_get(o, s)) {
		o->refused++;
		return;
	}
	if (c->seconds == NULL) {
		c->seconds = mem_calloc(1, sizeof(*c->seconds));
		seconds_read(o, s->ring, c->minute, c->seconds);
	}
	c->seconds->present |= UINT64_C(1) << (second % 60);
	series_value_add(&c->seconds->v[second % 60], v);
}

static struct chunk_point
cell_point(const struct cell *c)
{
	struct chunk_point p = { .bucket = c->minute, .finest_s = 60, .minutes = 1, .sum = c->sum };

	p.least = p.most = p.sum;
	if (c->seconds != NULL) {
		p.finest_s = 1;
		p.least = p.most = c->seconds->v[0];
		for (unsigned i = 1; i < 60; i++) {
			const struct series_value *v = &c->seconds->v[i];

#define SPREAD(f)                                                                                            \
	p.least.f = v->f < p.least.f ? v->f : p.least.f;                                                     \
	p.most.f = v->f > p.most.f ? v->f : p.most.f;
			SPREAD(in_bytes)
			SPREAD(out_bytes)
			SPREAD(in_packets)
			SPREAD(out_packets)
#undef SPREAD
		}
	}
	p.least.flows_max = 0;
	p.most.flows_max = p.sum.flows_max;
	return p;
}

/* --- taking
 * -----------------------------------------------------------------------------------------------------------------
 */

static void
put_over(struct series_open *o, struct series *s, const struct chunk_point *p)
{
	struct series_record r = { s->key, RECORD_POINT, *p };
	struct wcur w;

	if (s->over.len == 0)
		s->place = (struct record_place){ .key = s->key };
	w = wcur_of(bytes_room(&s->over, RECORD_MAX), RECORD_MAX);
	record_put(&w, &s->place, &r);
	s->over.len += wcur_len(&w);
	o->bytes += wcur_len(&w);
}

static void
take(struct series_open *o, const struct series_record *r)
{
	struct series *s = get(o, &r->key);
	struct cell *c;

	if (r->kind == RECORD_POINT) {
		put_over(o, s, &r->p);
		return;
	}
	c = cell_of(o, s, record_minute(r));
	series_value_add(&c->sum, &r->p.sum);
	if (r->kind == RECORD_SECOND)
		add_second(o, s, c, r->p.bucket, &r->p.sum);
}

void
series_open_take(struct series_open *o, const struct series_record *r, size_t n)
{
	lock(o);
	for (size_t i = 0; i < n; i++)
		take(o, &r[i]);
	unlock(o);
}

/* --- minutes that are over
 * ---------------------------------------------------------------------------------------------------
 */

static int
cell_compare(const void *a, const void *b, void *ctx)
{
	const struct series_open *o = ctx;
	const struct cell *x = &o->cell[*(const uint32_t *)a], *y = &o->cell[*(const uint32_t *)b];
	int order = series_key_compare(&o->series[x->series].key, &o->series[y->series].key);

	if (order != 0)
		return order;
	return x->minute < y->minute ? -1 : x->minute > y->minute;
}

void
series_open_over(struct series_open *o, int64_t minute, struct bytes *out, uint32_t *n)
{
	struct record_place at = { 0 };

	o->closing = mem_reallocarray(o->closing, o->ncells + 1, sizeof(*o->closing));
	o->nclosing = 0;
	for (uint32_t i = 0; i < o->ncells; i++)
		if (o->cell[i].series != NONE && o->cell[i].minute < minute)
			o->closing[o->nclosing++] = i;
	if (o->nclosing > 1)
		qsort_r(o->closing, o->nclosing, sizeof(*o->closing), cell_compare, o);
	for (uint32_t i = 0; i < o->nclosing; i++) {
		const struct cell *c = &o->cell[o->closing[i]];
		struct series_record r = { o->series[c->series].key, RECORD_POINT, cell_point(c) };
		struct wcur w = wcur_of(bytes_room(out, RECORD_MAX), RECORD_MAX);

		record_put(&w, &at, &r);
		out->len += wcur_len(&w);
	}
	*n = o->nclosing;
}

void
series_open_close(struct series_open *o)
{
	for (uint32_t i = 0; i < o->nclosing;) {
		lock(o);
		for (unsigned k = 0; k < UNDER_ONE_LOCK && i < o->nclosing; k++, i++) {
			const struct cell *c = &o->cell[o->closing[i]];
			struct series *s = &o->series[c->series];
			struct chunk_point p = cell_point(c);

			put_over(o, s, &p);
			if (c->seconds != NULL && s->ring != NULL)
				seconds_keep(o, s->ring, c->minute, c->seconds);
			cell_drop(o, o->closing[i]);
		}
		unlock(o);
	}
	o->nclosing = 0;
}

int64_t
series_open_newest(const struct series_open *o)
{
	int64_t newest = INT64_MIN;

	for (uint32_t i = 0; i < o->ncells; i++)
		if (o->cell[i].series != NONE && o->cell[i].minute > newest)
			newest = o->cell[i].minute;
	return newest;
}

bool
series_open_is_over(const struct series_open *o, int64_t minute)
{
	for (uint32_t i = 0; i < o->ncells; i++)
		if (o->cell[i].series != NONE && o->cell[i].minute < minute)
			return true;
	return false;
}

size_t
series_open_bytes(const struct series_open *o)
{
	return o->bytes;
}

size_t
series_open_count(const struct series_open *o)
{
	return o->nseries;
}

static int
series_compare(const void *a, const void *b, void *ctx)
{
	const struct series_open *o = ctx;

	return series_key_compare(&o->series[*(const uint32_t *)a].key, &o->series[*(const uint32_t *)b].key);
}

void
series_open_list(struct series_open *o, const struct series_key *after, struct series_open_list *l)
{
	l->series = mem_reallocarray(l->series, o->nseries + 1, sizeof(*l->series));
	l->n = 0;
	for (uint32_t i = 0; i < o->nseries; i++)
		if (o->series[i].over.len > 0 &&
		    (after == NULL || series_key_compare(&o->series[i].key, after) > 0))
			l->series[l->n++] = i;
	if (l->n > 1)
		qsort_r(l->series, l->n, sizeof(*l->series), series_compare, o);
}

const struct series_key *
series_open_key(const struct series_open *o, uint32_t series)
{
	return &o->series[series].key;
}

static void
put_point(struct chunk_point **p, size_t *n, size_t *cap, const struct chunk_point *q)
{
	if (*n == *cap) {
		*cap = *cap == 0 ? 64 : *cap * 2;
		*p = mem_reallocarray(*p, *cap, sizeof(**p));
	}
	(*p)[(*n)++] = *q;
}

static void
get_over(const struct series *s, int64_t from, int64_t to, struct chunk_point **p, size_t *n, size_t *cap)
{
	struct rcur c = rcur_of(s->over.p, s->over.len);
	struct record_place at = { .key = s->key };
	struct series_record r;

	while (rcur_left(&c) > 0 && record_get(&c, &at, &r))
		if (r.p.bucket >= from && r.p.bucket < to)
			put_point(p, n, cap, &r.p);
}

static int
point_compare(const void *a, const void *b)
{
	const struct chunk_point *x = a, *y = b;

	return x->bucket < y->bucket ? -1 : x->bucket > y->bucket;
}

void
series_open_points(struct series_open *o, uint32_t series, struct chunk_point **p, size_t *n, size_t *cap)
{
	size_t first = *n, to = first;

	get_over(&o->series[series], INT64_MIN, INT64_MAX, p, n, cap);
	if (*n - first > 1)
		qsort(*p + first, *n - first, sizeof(**p), point_compare);
	for (size_t i = first; i < *n; i++) {
		if (to > first && (*p)[to - 1].bucket == (*p)[i].bucket)
			chunk_point_add(&(*p)[to - 1], &(*p)[i]);
		else
			(*p)[to++] = (*p)[i];
	}
	*n = to;
}

void
series_open_folding(struct series_open *o, const uint32_t *series, size_t n, uint64_t txn)
{
	lock(o);
	for (size_t i = 0; i < n; i++)
		o->series[series[i]].folding = txn;
	unlock(o);
}

void
series_open_folded(struct series_open *o, const uint32_t *series, size_t n)
{
	lock(o);
	for (size_t i = 0; i < n; i++) {
		struct series *s = &o->series[series[i]];

		o->bytes -= s->over.len;
		bytes_free(&s->over);
		s->folding = 0;
	}
	unlock(o);
}

void
series_open_sweep(struct series_open *o, int64_t minute)
{
	uint32_t *moved = mem_calloc(o->nseries + 1, sizeof(*moved)), n = 0;

	lock(o);
	for (uint32_t i = 0; i < o->nseries; i++) {
		struct series *s = &o->series[i];

		moved[i] = NONE;
		if (s->ring != NULL && s->cell == NONE && s->ring->newest < minute - OPEN_RING_MINUTES)
			ring_free(o, &s->ring);
		if (s->cell == NONE && s->ring == NULL && s->over.len == 0) {
			bytes_free(&s->over);
			continue;
		}
		moved[i] = n;
		o->series[n++] = *s;
	}
	o->nseries = n;
	for (uint32_t i = 0; i < o->ncells; i++)
		if (o->cell[i].series != NONE)
			o->cell[i].series = moved[o->cell[i].series];
	index_all(o);
	unlock(o);
	free(moved);
}

/* --- reading
 * ----------------------------------------------------------------------------------------------------------------
 */

uint64_t
series_open_refused(const struct series_open *o)
{
	return o->refused;
}

void
series_open_read(struct series_open *o, const struct series_key *key, int64_t from, int64_t to,
		 uint64_t (*begin)(void *ctx), void *ctx, struct chunk_point **p, size_t *n)
{
	size_t cap = 0;

	*p = NULL;
	*n = 0;
	lock(o);

	uint64_t seen = begin(ctx);
	const struct series *s = find(o, key);

	if (s != NULL && (s->folding == 0 || seen < s->folding))
		get_over(s, from, to, p, n, &cap);
	for (uint32_t i = s == NULL ? NONE : s->cell; i != NONE; i = o->cell[i].next) {
		struct chunk_point q = cell_point(&o->cell[i]);

		if (q.bucket >= from && q.bucket < to)
			put_point(p, n, &cap, &q);
	}
	unlock(o);
}

static void
get_seconds(struct series_open *o, const struct series *s, int64_t minute, struct seconds *to)
{
	uint32_t i = s->cell;

	memset(to, 0, sizeof(*to));
	while (i != NONE && o->cell[i].minute != minute)
		i = o->cell[i].next;
	if (i != NONE && o->cell[i].seconds != NULL)
		*to = *o->cell[i].seconds;
	else if (s->ring != NULL)
		seconds_read(o, s->ring, minute, to);
}

/* Minutes of which there may be seconds. */
static void
minutes_of(const struct series_open *o, const struct series *s, int64_t *least, int64_t *most)
{
	*most = s->ring == NULL ? INT64_MIN : s->ring->newest;
	*least = INT64_MAX;
	for (unsigned i = 0; s->ring != NULL && i < OPEN_RING_MINUTES; i++)
		if (s->ring->slot[i].chunk != NULL && s->ring->slot[i].minute < *least)
			*least = s->ring->slot[i].minute;
	for (uint32_t i = s->cell; i != NONE; i = o->cell[i].next) {
		*least = o->cell[i].minute < *least ? o->cell[i].minute : *least;
		*most = o->cell[i].minute > *most ? o->cell[i].minute : *most;
	}
}

void
series_open_seconds(struct series_open *o, const struct series_key *key, int64_t from, int64_t to,
		    struct chunk_point **p, size_t *n)
{
	struct chunk_point of_minute[60];
	int64_t least, most;
	struct seconds s;
	size_t cap = 0;

	*p = NULL;
	*n = 0;
	lock(o);

	const struct series *found = find(o, key);

	if (found != NULL) {
		minutes_of(o, found, &least, &most);
		/* What is older than the ring is long is not told, though it may stand there still. */
		if (most != INT64_MIN && least <= most - OPEN_RING_MINUTES)
			least = most - OPEN_RING_MINUTES;
		least = least > from / 60 ? least : from / 60;
		most = most < to / 60 ? most : to / 60;
		for (int64_t m = least; m <= most; m++) {
			get_seconds(o, found, m, &s);
			for (uint32_t i = 0, k = seconds_points(&s, m, of_minute); i < k; i++)
				if (of_minute[i].bucket >= from && of_minute[i].bucket < to)
					put_point(p, n, &cap, &of_minute[i]);
		}
	}
	unlock(o);
}
