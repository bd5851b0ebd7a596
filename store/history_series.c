/* Series in history: chunks of points (series_chunk.h), written, read and deleted. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "history_parts.h"
#include "keys.h"
#include "series_chunk.h"
#include "sum.h"

/* --- writing
 * ---------------------------------------------------------------------------------------------------------------
 */

static int64_t
minute_of(const struct batch_delta *d)
{
	return d->second / 60;
}

/* By minute, then series, then second: the order of the keys of the finest chunks. */
static int
delta_compare(const void *a, const void *b, void *ctx)
{
	const struct batch_delta *deltas = ctx, *x = &deltas[*(const uint32_t *)a],
				 *y = &deltas[*(const uint32_t *)b];

#define BY(p, q)                                                                                             \
	if ((p) != (q))                                                                                      \
	return (p) < (q) ? -1 : 1
	BY(minute_of(x), minute_of(y));
	BY(x->key.tenant, y->key.tenant);
	BY(x->key.subject, y->key.subject);
	BY(x->key.number, y->key.number);
	BY(x->second, y->second);
#undef BY
	return 0;
}

static bool
same_chunk(const struct batch_delta *a, const struct batch_delta *b)
{
	return minute_of(a) == minute_of(b) && a->key.tenant == b->key.tenant &&
	       a->key.subject == b->key.subject && a->key.number == b->key.number;
}

static void
chunk_load(struct db_txn *x, const struct key_bytes *k, struct chunk *c)
{
	struct db_bytes v;

	memset(c, 0, sizeof(*c));
	if (db_get(x, DB_SERIES, key_of(k), &v) && !chunk_decode(v.p, v.n, c))
		memset(c, 0, sizeof(*c));
}

static void
chunk_save(struct db_txn *x, const struct key_bytes *k, const struct chunk *c)
{
	uint8_t bytes[CHUNK_MAX];

	db_put(x, DB_SERIES, key_of(k), (struct db_bytes){ bytes, chunk_encode(c, bytes) });
}

/* Adds one minute's sum to the point of a coarser chunk. */
static void
add_coarse(struct db_txn *x, unsigned res, const struct series_key *key, int64_t second,
	   const struct chunk_point *sum)
{
	const struct chunk_resolution *r = &chunk_resolutions[res];
	int64_t bucket = second / r->seconds;
	struct key_bytes k = series_key_bytes(res, bucket / r->points, key);
	struct chunk c;

	chunk_load(x, &k, &c);
	chunk_add(&c, (unsigned)(bucket % r->points), sum->bytes, sum->packets, sum->bytes_max,
		  sum->packets_max, sum->flows_max);
	chunk_save(x, &k, &c);
}

/* n deltas of one series within one minute: into its seconds, and their sum into its minute and hour. */
static void
write_minute(struct db_txn *x, const struct batch *b, const uint32_t *order, uint32_t n)
{
	const struct batch_delta *first = &b->delta[order[0]];
	struct key_bytes k = series_key_bytes(CHUNK_SECONDS, minute_of(first), &first->key);
	struct chunk_point sum = { 0 };
	struct chunk c;

	chunk_load(x, &k, &c);
	for (uint32_t i = 0; i < n; i++) {
		const struct batch_delta *d = &b->delta[order[i]];
		unsigned at = (unsigned)(d->second % 60);
		struct chunk_point *p = &c.point[at];

		uint64_t bytes = sum_sat(d->v.in_bytes, d->v.out_bytes),
			 packets = sum_sat(d->v.in_packets, d->v.out_packets);

		chunk_add(&c, at, bytes, packets, 0, 0, d->v.flows_max);
		p->bytes_max = p->bytes;
		p->packets_max = p->packets;
		sum.bytes = sum_sat(sum.bytes, bytes);
		sum.packets = sum_sat(sum.packets, packets);
		sum.bytes_max = p->bytes > sum.bytes_max ? p->bytes : sum.bytes_max;
		sum.packets_max = p->packets > sum.packets_max ? p->packets : sum.packets_max;
		sum.flows_max = d->v.flows_max > sum.flows_max ? d->v.flows_max : sum.flows_max;
	}
	chunk_save(x, &k, &c);
	add_coarse(x, CHUNK_MINUTES, &first->key, first->second, &sum);
	add_coarse(x, CHUNK_HOURS, &first->key, first->second, &sum);
}

void
history_add_series(struct history *h, struct db_txn *x, const struct batch *b)
{
	if (b->ndelta > h->order_cap) {
		h->order_cap = b->ndelta;
		h->order = mem_reallocarray(h->order, h->order_cap, sizeof(*h->order));
	}
	for (uint32_t i = 0; i < b->ndelta; i++)
		h->order[i] = i;
	if (b->ndelta > 1)
		qsort_r(h->order, b->ndelta, sizeof(*h->order), delta_compare, b->delta);
	for (uint32_t i = 0, n; i < b->ndelta && x->status == DB_OK; i += n) {
		for (n = 1;
		     i + n < b->ndelta && same_chunk(&b->delta[h->order[i]], &b->delta[h->order[i + n]]);)
			n++;
		write_minute(x, b, &h->order[i], n);
	}
}

unsigned
history_trim_series(struct db_txn *x, unsigned res, int64_t cutoff_s, unsigned budget)
{
	const struct chunk_resolution *r = &chunk_resolutions[res];
	static const struct series_key none;
	struct key_bytes from = series_key_bytes(res, 0, &none);
	int64_t span = (int64_t)r->seconds * r->points;
	struct db_cursor c;
	struct db_bytes key;
	unsigned n = 0;

	db_cursor_open(x, DB_SERIES, &c);
	for (bool more = db_seek(&c, key_of(&from), &key, NULL); more && n < budget;
	     more = db_next(&c, &key, NULL), n++) {
		struct rcur k = rcur_of(key.p, key.n);

		if (rcur_u8(&k) != res || (int64_t)rcur_be64(&k) >= cutoff_s / span || k.bad)
			break;
		db_cursor_delete(&c);
	}
	db_cursor_close(&c);
	return n;
}

bool
history_is_series(struct db_bytes key, struct db_bytes v)
{
	struct rcur k = rcur_of(key.p, key.n);
	struct chunk c;

	return key.n == SERIES_KEY_LEN && rcur_u8(&k) < CHUNK_RESOLUTIONS && chunk_decode(v.p, v.n, &c);
}

/* --- reading
 * ---------------------------------------------------------------------------------------------------------------
 */

struct points {
	int64_t from_s, to_s;
	bool (*visit)(void *ctx, const struct series_point *p);
	void *ctx;
};

static bool
visit_chunk(const struct points *q, const struct chunk *c, int64_t start_s, uint32_t step_s)
{
	for (unsigned i = 0; i < CHUNK_POINTS; i++) {
		int64_t t = start_s + (int64_t)i * step_s;
		const struct chunk_point *p = &c->point[i];

		if ((c->present >> i & 1) == 0 || t < q->from_s || t >= q->to_s)
			continue;

		struct series_point out = { .time_s = t,
					    .finest_s = 1,
					    .sum = { p->bytes, 0, p->packets, 0, p->flows_max },
					    .most = { p->bytes_max, 0, p->packets_max, 0, p->flows_max },
					    .bytes = p->bytes,
					    .packets = p->packets,
					    .bytes_max = p->bytes_max,
					    .packets_max = p->packets_max,
					    .flows_max = p->flows_max };

		if (!q->visit(q->ctx, &out))
			return false;
	}
	return true;
}

static const struct chunk_resolution *
resolution_of(uint32_t seconds, unsigned *index)
{
	for (*index = 0; *index < CHUNK_RESOLUTIONS; ++*index)
		if (chunk_resolutions[*index].seconds == seconds)
			return &chunk_resolutions[*index];
	return NULL;
}

#define SERIES_CHUNKS_MAX 4096 /* looked at for one question */

enum db_status
history_series(struct history *h, const struct series_key *key, uint32_t resolution_s, int64_t from_s,
	       int64_t to_s, bool (*visit)(void *ctx, const struct series_point *p), void *ctx)
{
	struct points q = { from_s, to_s, visit, ctx };
	unsigned res;
	const struct chunk_resolution *r = resolution_of(resolution_s, &res);
	struct db_txn x;
	struct chunk c;

	if (r == NULL || from_s < 0 || to_s <= from_s)
		return DB_OK;

	int64_t span = (int64_t)r->seconds * r->points, chunk = from_s / span, last = (to_s - 1) / span;
	bool on = true;

	db_begin(h->db, &x, false);
	for (unsigned n = 0; on && chunk <= last && n < SERIES_CHUNKS_MAX && x.status == DB_OK;
	     n++, chunk++) {
		struct key_bytes k = series_key_bytes(res, chunk, key);
		struct db_bytes v;

		if (db_get(&x, DB_SERIES, key_of(&k), &v) && chunk_decode(v.p, v.n, &c))
			on = visit_chunk(&q, &c, chunk * span, r->seconds);
	}
	return db_end(&x);
}
