/* The writing half of history: one batch is one transaction; old rows go in small steps along with it. */
#include "history_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "keys.h"
#include "series_chunk.h"
#include "sum.h"

#define TRIM_ROWS     2000u /* deleted along with one commit, at least */
#define TRIM_TENANTS  64u
#define TRIM_CHUNKS   500u
#define PRESSURE      85u /* percent of the map in use: from here on the oldest goes, whatever its age */
#define ROOM_ATTEMPTS 4

/* --- rows and names
 * --------------------------------------------------------------------------------------------------- */

static struct batch_flow
flow_at(const struct batch *b, uint32_t at)
{
	struct batch_flow f;

	memcpy(&f, b->rows + 8 * (size_t)at, sizeof(f));
	return f;
}

/* Each row once for each of its tenants. */
static size_t
list_rows(struct history *h, const struct batch *b)
{
	size_t n = 0;

	if (2 * b->nflows > h->rows_cap) {
		h->rows_cap = 2 * b->nflows;
		h->rows = mem_reallocarray(h->rows, h->rows_cap, sizeof(*h->rows));
	}
	for (size_t at = 0; at < b->rows_len;) {
		struct batch_flow f = flow_at(b, (uint32_t)(at / 8));

		for (int t = 0; t < 2 && (t == 0 || f.tenant[t] != 0); t++)
			h->rows[n++] = (struct history_row){ .last_ns = f.last_ns,
							     .id = f.id,
							     .tenant = f.tenant[t],
							     .slice = f.slice,
							     .at = (uint32_t)(at / 8),
							     .secondary = t == 1 };
		at += sizeof(f) + ((f.len + 7) & ~(size_t)7);
	}
	return n;
}

#define BY(p, q)                                                                                             \
	if ((p) != (q))                                                                                      \
	return (p) < (q) ? -1 : 1

/* As the keys of DB_IDS; what came later behind what came before. */
static int
compare_by_id(const void *a, const void *b)
{
	const struct history_row *x = a, *y = b;
	int id;

	BY(x->tenant, y->tenant);
	id = memcmp(&x->id, &y->id, sizeof(x->id));
	if (id != 0)
		return id;
	BY(x->slice, y->slice);
	BY(x->at, y->at);
	return 0;
}

/* As the keys of DB_FLOWS. */
static int
compare_by_end(const void *a, const void *b)
{
	const struct history_row *x = a, *y = b;

	BY(x->tenant, y->tenant);
	BY(x->last_ns, y->last_ns);
	return compare_by_id(a, b);
}
#undef BY

/* A slice that is there already with another end (a flow that was given up when its channel broke, then
 * ended) is replaced. */
static void
put_id(struct db_cursor *c, const struct history_row *r)
{
	struct key_bytes key = id_key(r->tenant, &r->id, r->slice);
	struct db_bytes have;
	uint8_t end[8];
	struct wcur w = wcur_of(end, sizeof(end));

	wcur_be64(&w, (uint64_t)r->last_ns);
	if (!db_cursor_put_new(c, key_of(&key), (struct db_bytes){ end, sizeof(end) }, &have)) {
		struct rcur old = rcur_of(have.p, have.n);
		int64_t old_ns = (int64_t)rcur_be64(&old);

		if (!old.bad && old_ns != r->last_ns) {
			struct key_bytes gone = flow_key(r->tenant, old_ns, &r->id, r->slice);

			db_delete(c->x, DB_FLOWS, key_of(&gone));
			db_cursor_put(c, key_of(&key), (struct db_bytes){ end, sizeof(end) });
		}
	}
}

static bool
same_slice(const struct history_row *a, const struct history_row *b)
{
	return a->tenant == b->tenant && a->slice == b->slice && memcmp(&a->id, &b->id, sizeof(a->id)) == 0;
}

/* Keys are put in their order: a commit then goes through each table once, from left to right. */
static void
write_ids(struct history *h, struct db_txn *x, size_t *n)
{
	struct db_cursor c;
	size_t left = 0;

	qsort(h->rows, *n, sizeof(*h->rows), compare_by_id);
	db_cursor_open(x, DB_IDS, &c);
	for (size_t i = 0; i < *n; i++) {
		/* Twice in one batch: only the later one stays. */
		if (i + 1 < *n && same_slice(&h->rows[i], &h->rows[i + 1]))
			continue;
		put_id(&c, &h->rows[i]);
		h->rows[left++] = h->rows[i];
	}
	db_cursor_close(&c);
	*n = left;
}

static void
write_flows(struct history *h, struct db_txn *x, const struct batch *b)
{
	uint8_t value[1 + FLOW_ROW_MAX];
	size_t n = list_rows(h, b);
	struct db_cursor c;

	if (n == 0)
		return;
	write_ids(h, x, &n);
	qsort(h->rows, n, sizeof(*h->rows), compare_by_end);
	db_cursor_open(x, DB_FLOWS, &c);
	for (size_t i = 0; i < n && x->status == DB_OK; i++) {
		const struct history_row *r = &h->rows[i];
		struct key_bytes key = flow_key(r->tenant, r->last_ns, &r->id, r->slice);
		struct batch_flow f = flow_at(b, r->at);

		value[0] = r->secondary ? HISTORY_SECONDARY : 0;
		memcpy(value + 1, b->rows + 8 * (size_t)r->at + sizeof(f), f.len);
		db_cursor_put(&c, key_of(&key), (struct db_bytes){ value, 1 + f.len });
	}
	db_cursor_close(&c);
}

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

/* --- series
 * ------------------------------------------------------------------------------------------------------------
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

		chunk_add(&c, at, d->bytes, d->packets, 0, 0, d->flows_max);
		p->bytes_max = p->bytes;
		p->packets_max = p->packets;
		sum.bytes = sum_sat(sum.bytes, d->bytes);
		sum.packets = sum_sat(sum.packets, d->packets);
		sum.bytes_max = p->bytes > sum.bytes_max ? p->bytes : sum.bytes_max;
		sum.packets_max = p->packets > sum.packets_max ? p->packets : sum.packets_max;
		sum.flows_max = d->flows_max > sum.flows_max ? d->flows_max : sum.flows_max;
	}
	chunk_save(x, &k, &c);
	add_coarse(x, CHUNK_MINUTES, &first->key, first->second, &sum);
	add_coarse(x, CHUNK_HOURS, &first->key, first->second, &sum);
}

static void
write_series(struct history *h, struct db_txn *x, const struct batch *b)
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

/* --- what is too old
 * ------------------------------------------------------------------------------------------------------ */

/* Deletes a tenant's flows that ended before cutoff, at most budget; returns how many. */
static unsigned
trim_tenant(struct db_txn *x, struct db_cursor *c, uint32_t tenant, int64_t cutoff_ns, unsigned budget)
{
	static const struct flow_id none;
	struct key_bytes from = flow_key(tenant, 0, &none, 0);
	struct flow_position at;
	struct db_bytes key;
	unsigned n = 0;

	for (bool more = db_seek(c, key_of(&from), &key, NULL); more && n < budget;
	     more = db_next(c, &key, NULL), n++) {
		if (key.n != FLOW_KEY_LEN || !flow_key_read(key, &at) || at.tenant != tenant ||
		    at.last_ns >= cutoff_ns)
			break;

		struct key_bytes ikey = id_key(tenant, &at.id, at.slice);

		db_delete(x, DB_IDS, key_of(&ikey));
		db_cursor_delete(c);
	}
	return n;
}

/* The first flow key from a tenant on: whose it is, and how old. */
static bool
oldest_of(struct db_cursor *c, uint32_t tenant, struct flow_position *at)
{
	static const struct flow_id none;
	struct key_bytes from = flow_key(tenant, 0, &none, 0);
	struct db_bytes key;

	return db_seek(c, key_of(&from), &key, NULL) && flow_key_read(key, at);
}

/* Goes round the tenants, a few of them along with each commit. */
static unsigned
trim_flows(struct history *h, struct db_txn *x, int64_t cutoff_ns, unsigned budget, unsigned tenants)
{
	struct flow_position at;
	struct db_cursor c;
	bool round = false;
	unsigned n = 0;

	db_cursor_open(x, DB_FLOWS, &c);
	for (unsigned i = 0; i < tenants && n < budget && x->status == DB_OK; i++) {
		if (!oldest_of(&c, h->trim_tenant, &at)) {
			if (h->trim_tenant == 0 || round)
				break;
			h->trim_tenant = 0;
			round = true;
			continue;
		}
		n += trim_tenant(x, &c, at.tenant, cutoff_ns, budget - n);
		h->trim_tenant = at.tenant == UINT32_MAX ? 0 : at.tenant + 1;
	}
	db_cursor_close(&c);
	return n;
}

/* Deletes the chunks of a resolution that end before cutoff, at most budget. */
static unsigned
trim_chunks(struct db_txn *x, unsigned res, int64_t cutoff_s, unsigned budget)
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

static bool
under_pressure(struct history *h, struct db_txn *x)
{
	return db_used(x) / 100 > db_size(h->db) / 10000 * PRESSURE;
}

/* The map is nearly full: the oldest sixty-fourth of the flows goes, or where there are hardly any, the
 * oldest chunks. */
static void
trim_oldest(struct history *h, struct db_txn *x, int64_t now_ns, unsigned budget)
{
	int64_t oldest_ns = INT64_MAX;
	struct flow_position at;
	struct db_cursor c;

	db_cursor_open(x, DB_FLOWS, &c);
	for (uint32_t t = 0; oldest_of(&c, t, &at); t++) {
		oldest_ns = at.last_ns < oldest_ns ? at.last_ns : oldest_ns;
		t = at.tenant;
		if (t == UINT32_MAX)
			break;
	}
	db_cursor_close(&c);

	unsigned n = 0;

	if (oldest_ns != INT64_MAX) {
		int64_t step = now_ns > oldest_ns ? (now_ns - oldest_ns) / 64 : 0;

		step = step < 10 * NS_PER_S ? 10 * NS_PER_S : step;
		n = trim_flows(h, x, oldest_ns + step, budget, UINT32_MAX >> 1);
	}
	for (unsigned res = 0; n < TRIM_CHUNKS && res < CHUNK_RESOLUTIONS; res++)
		n += trim_chunks(x, res, now_ns / NS_PER_S, TRIM_CHUNKS - n);
}

static void
trim(struct history *h, struct db_txn *x, int64_t now_ns, unsigned budget)
{
	if (under_pressure(h, x))
		trim_oldest(h, x, now_ns, budget);
	if (h->limits.keep_everything)
		return;
	trim_flows(h, x, now_ns - h->limits.keep_flows_ns, budget, TRIM_TENANTS);
	for (unsigned res = 0; res < CHUNK_RESOLUTIONS; res++)
		trim_chunks(x, res, (now_ns - h->limits.keep_ns[res]) / NS_PER_S, TRIM_CHUNKS);
}

/* --- the commit
 * ------------------------------------------------------------------------------------------------------------
 */

static enum db_status
write_once(struct history *h, const struct batch *b, int64_t now_ns, char why[static HISTORY_WHY_MAX])
{
	struct db_txn x;

	db_begin(h->db, &x, true);
	write_names(&x, b);
	write_flows(h, &x, b);
	write_series(h, &x, b);
	write_applied(&x, b);
	trim(h, &x, now_ns, TRIM_ROWS + 2 * (unsigned)b->nflows);

	enum db_status s = db_end(&x);

	if (s != DB_OK)
		str_copy(why, HISTORY_WHY_MAX, db_why(&x));
	return s;
}

/* Deletes alone, when a batch found no room in the map (a full disk is no reason to delete): half a commit's
 * worth of deleting needs far less room than it makes. */
static bool
make_room(struct history *h, int64_t now_ns, unsigned rows)
{
	struct db_txn x;

	db_begin(h->db, &x, true);
	trim_oldest(h, &x, now_ns, TRIM_ROWS + rows);
	return db_end(&x) == DB_OK;
}

enum db_status
history_write(struct history *h, const struct batch *b, int64_t now_ns, char why[static HISTORY_WHY_MAX])
{
	enum db_status s = write_once(h, b, now_ns, why);

	for (int i = 0; s == DB_MAP_FULL && i < ROOM_ATTEMPTS && make_room(h, now_ns, (unsigned)b->nflows);
	     i++)
		s = write_once(h, b, now_ns, why);
	return s;
}
