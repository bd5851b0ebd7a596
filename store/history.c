/* What was, opened and read: rows of LMDB behind the interface of history.h. history_write.c writes. */
#include "history.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "history_write.h"
#include "keys.h"
#include "policy/snapshot.h"
#include "series_chunk.h"

#define FORMAT 1u

static const char format_key[] = "format", secret_key[] = "secret";

void
history_limits_of(const struct settings *s, bool analyze, struct history_limits *l)
{
	*l = (struct history_limits){
		.size = (uint64_t)s->store_size,
		.keep_flows_ns = s->keep_flows_ms * NS_PER_MS,
		.keep_ns = { s->keep_seconds_ms * NS_PER_MS, s->keep_minutes_ms * NS_PER_MS,
			     s->keep_hours_ms * NS_PER_MS },
		.keep_everything = analyze,
	};
}

/* --- opening
 * ----------------------------------------------------------------------------------------------------------
 */

/* A database of an older or our own format, or none yet: which one is settled here. */
static enum db_status
check_format(struct history *h, char *err, size_t errsize)
{
	struct db_bytes key = { format_key, sizeof(format_key) }, skey = { secret_key, sizeof(secret_key) },
			v;
	uint32_t format = FORMAT;
	struct db_txn x;

	db_begin(h->db, &x, true);
	if (db_get(&x, DB_META, key, &v)) {
		if (v.n == sizeof(format))
			memcpy(&format, v.p, sizeof(format));
		if (v.n != sizeof(format) || format == 0)
			x.status = DB_DAMAGED;
		else if (format > FORMAT)
			x.status = DB_NEWER;
	} else {
		db_put(&x, DB_META, key, (struct db_bytes){ &format, sizeof(format) });
	}
	if (db_get(&x, DB_META, skey, &v) && v.n == sizeof(h->secret)) {
		memcpy(h->secret, v.p, sizeof(h->secret));
	} else {
		randombytes_buf(h->secret, sizeof(h->secret));
		db_put(&x, DB_META, skey, (struct db_bytes){ h->secret, sizeof(h->secret) });
	}

	enum db_status s = db_end(&x);

	if (s == DB_NEWER)
		snprintf(err, errsize,
			 "the store's database has format %u and this Weir knows %u: start the newer Weir "
			 "that wrote it, or move it away",
			 format, FORMAT);
	else if (s == DB_DAMAGED)
		snprintf(err, errsize,
			 "data.mdb in the store's directory is damaged (no format): move it away or restore "
			 "a copy, then start again");
	else if (s != DB_OK)
		snprintf(err, errsize, "data.mdb in the store's directory cannot be written: %s", db_why(&x));
	return s;
}

static bool
restore_name(struct names *names, struct db_bytes key, struct db_bytes v)
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
		good = restore_name(names, key, v);
	db_cursor_close(&c);

	enum db_status s = db_end(&x);

	if (s == DB_OK && good)
		return DB_OK;
	snprintf(err, errsize,
		 "data.mdb in the store's directory is damaged (dictionary): move it away or restore a copy, "
		 "then start again");
	return DB_DAMAGED;
}

struct history *
history_open(const struct history_limits *l, struct names *names, enum db_status *status, char *err,
	     size_t errsize)
{
	struct history *h = mem_calloc(1, sizeof(*h));

	h->limits = *l;
	h->db = db_open(l->size, !l->keep_everything, status, err, errsize);
	if (h->db != NULL)
		*status = check_format(h, err, errsize);
	if (h->db != NULL && *status == DB_OK)
		*status = restore_names(h, names, err, errsize);
	if (h->db == NULL || *status != DB_OK)
		history_close(&h);
	return h;
}

void
history_close(struct history **h)
{
	if (*h == NULL)
		return;
	db_close(&(*h)->db);
	free((*h)->order);
	free((*h)->rows);
	sodium_memzero((*h)->secret, sizeof((*h)->secret));
	free(*h);
	*h = NULL;
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

/* --- kept flows by time
 * ------------------------------------------------------------------------------------------------- */

/* The next row of one tenant. Rows of several tenants are merged by a heap, newest on top. */
struct head {
	struct flow_position at;
	struct db_bytes row;
};

struct merge {
	struct db_txn x;
	struct db_cursor c;
	struct head *head;
	size_t n, cap;
	int64_t from_ns;
};

static int
position_compare(const struct flow_position *a, const struct flow_position *b)
{
	if (a->last_ns != b->last_ns)
		return a->last_ns < b->last_ns ? -1 : 1;
	if (a->tenant != b->tenant)
		return a->tenant < b->tenant ? -1 : 1;

	int d = memcmp(a->id.b, b->id.b, sizeof(a->id.b));

	if (d != 0)
		return d;
	return a->slice < b->slice ? -1 : a->slice > b->slice;
}

static void
sift_down(struct merge *m, size_t i)
{
	for (;;) {
		size_t top = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < m->n; child++)
			if (position_compare(&m->head[child].at, &m->head[top].at) > 0)
				top = child;
		if (top == i)
			return;

		struct head h = m->head[i];

		m->head[i] = m->head[top];
		m->head[top] = h;
		i = top;
	}
}

/* Whether key is a row of this tenant that is new enough; then it becomes *h. */
static bool
head_set(const struct merge *m, uint32_t tenant, struct db_bytes key, struct db_bytes v, struct head *h)
{
	h->row = v;
	return flow_key_read(key, &h->at) && h->at.tenant == tenant && h->at.last_ns >= m->from_ns;
}

/* The first key behind the rows of tenant that are still to come: those below it, in the order of the merge.
 */
static struct key_bytes
upper_bound(const struct flow_query *q, uint32_t tenant)
{
	static const struct flow_id none;
	const struct flow_position *after = q->after;

	if (after == NULL || after->last_ns >= q->to_ns)
		return flow_key(tenant, q->to_ns, &none, 0);
	if (tenant == after->tenant)
		return flow_key(tenant, after->last_ns, &after->id, after->slice);
	return flow_key(tenant, after->last_ns + (tenant < after->tenant), &none, 0);
}

static void
merge_add(struct merge *m, const struct flow_query *q, uint32_t tenant)
{
	struct key_bytes bound = upper_bound(q, tenant);
	struct db_bytes key, v;
	struct head h;

	if (!db_seek_before(&m->c, key_of(&bound), &key, &v) || !head_set(m, tenant, key, v, &h))
		return;
	if (m->n == m->cap) {
		m->cap = m->cap == 0 ? 16 : m->cap * 2;
		m->head = mem_reallocarray(m->head, m->cap, sizeof(*m->head));
	}
	m->head[m->n++] = h;
}

/* The next tenant, from *tenant on, that has keys in the table; keys begin with the tenant. */
static bool
next_tenant(struct db_cursor *c, uint32_t *tenant)
{
	uint8_t from[4] = { (uint8_t)(*tenant >> 24), (uint8_t)(*tenant >> 16), (uint8_t)(*tenant >> 8),
			    (uint8_t)*tenant };
	struct db_bytes key;

	if (!db_seek(c, (struct db_bytes){ from, sizeof(from) }, &key, NULL) || key.n < 4)
		return false;

	struct rcur r = rcur_of(key.p, key.n);

	*tenant = rcur_be32(&r);
	return true;
}

/* Only one tenant is left: from now on the cursor stands where it is, and walks with it. */
static void
merge_alone(struct merge *m)
{
	struct db_bytes key, v;

	if (m->n != 1)
		return;

	const struct flow_position *at = &m->head[0].at;
	struct key_bytes k = flow_key(at->tenant, at->last_ns, &at->id, at->slice);

	db_seek(&m->c, key_of(&k), &key, &v);
}

static void
merge_begin(struct merge *m, struct history *h, const struct flow_query *q)
{
	uint32_t tenant = 0;

	*m = (struct merge){ .from_ns = q->from_ns };
	db_begin(h->db, &m->x, false);
	db_cursor_open(&m->x, DB_FLOWS, &m->c);
	if (q->tenant != TENANT_PLATFORM) {
		merge_add(m, q, q->tenant);
		return;
	}
	while (next_tenant(&m->c, &tenant)) {
		merge_add(m, q, tenant);
		if (tenant == UINT32_MAX)
			break;
		tenant++;
	}
	for (size_t i = m->n / 2; i-- > 0;)
		sift_down(m, i);
	merge_alone(m);
}

/* The top row was used: its tenant's next one takes its place. */
static void
merge_next(struct merge *m)
{
	struct head *top = &m->head[0];
	struct db_bytes key, v;
	struct key_bytes at = flow_key(top->at.tenant, top->at.last_ns, &top->at.id, top->at.slice);

	/* With one tenant the cursor stands there already. */
	bool alone = m->n == 1;
	bool have = alone ? db_previous(&m->c, &key, &v) : db_seek_before(&m->c, key_of(&at), &key, &v);

	if (!have || !head_set(m, top->at.tenant, key, v, top))
		*top = m->head[--m->n];
	if (m->n > 1)
		sift_down(m, 0);
	if (!alone)
		merge_alone(m);
}

static enum db_status
merge_end(struct merge *m)
{
	db_cursor_close(&m->c);
	free(m->head);
	m->head = NULL;
	return db_end(&m->x);
}

/* A row as stored: a byte that says secondary or not, then the row. */
static bool
row_read(const struct flow_position *at, struct db_bytes row, struct kept_flow *k)
{
	const uint8_t *b = row.p;

	memset(k, 0, sizeof(*k));
	if (row.n < 1)
		return false;
	k->tenant = at->tenant;
	k->secondary = (b[0] & HISTORY_SECONDARY) != 0;
	k->f.id = at->id;
	k->f.slice = at->slice;
	k->f.last_ns = at->last_ns;
	return flow_row_decode(b + 1, row.n - 1, k);
}

enum db_status
history_flows(struct history *h, const struct flow_query *q,
	      bool (*visit)(void *ctx, const struct kept_flow *k), void *ctx, struct flow_position *last,
	      bool *finished)
{
	struct kept_flow k;
	struct merge m;
	bool on = true;

	merge_begin(&m, h, q);
	for (unsigned visits = 0; on && m.n > 0 && visits < q->visits && m.x.status == DB_OK; visits++) {
		*last = m.head[0].at;
		if (row_read(last, m.head[0].row, &k) && !(k.secondary && q->tenant == TENANT_PLATFORM))
			on = visit(ctx, &k);
		if (on)
			merge_next(&m);
	}
	*finished = on && m.n == 0;
	return merge_end(&m);
}

/* --- one flow
 * ------------------------------------------------------------------------------------------------------------
 */

struct slices {
	struct db_txn x;
	struct db_cursor c;
	const struct flow_id *id;
	unsigned left;
	bool primary_only, on;
	bool (*visit)(void *ctx, const struct kept_flow *k);
	void *ctx;
};

static void
visit_slices(struct slices *s, uint32_t tenant)
{
	struct key_bytes from = id_key(tenant, s->id, 0);
	struct db_bytes key, v, row;
	struct kept_flow k;

	for (bool more = db_seek(&s->c, key_of(&from), &key, &v); more && s->on && s->left > 0;
	     more = db_next(&s->c, &key, &v)) {
		if (key.n != ID_KEY_LEN || memcmp(key.p, from.b, ID_KEY_LEN - 4) != 0 || v.n != 8)
			return;

		struct rcur end = rcur_of(v.p, v.n),
			    slice = rcur_of((const uint8_t *)key.p + ID_KEY_LEN - 4, 4);
		struct flow_position at = { .last_ns = (int64_t)rcur_be64(&end),
					    .id = *s->id,
					    .slice = rcur_be32(&slice),
					    .tenant = tenant };
		struct key_bytes fk = flow_key(tenant, at.last_ns, s->id, at.slice);

		s->left--;
		if (db_get(&s->x, DB_FLOWS, key_of(&fk), &row) && row_read(&at, row, &k) &&
		    !(s->primary_only && k.secondary))
			s->on = s->visit(s->ctx, &k);
	}
}

enum db_status
history_flow(struct history *h, uint32_t tenant, const struct flow_id *id, unsigned max,
	     bool (*visit)(void *ctx, const struct kept_flow *k), void *ctx)
{
	struct slices s = { .id = id, .left = max, .on = true, .visit = visit, .ctx = ctx };

	s.primary_only = tenant == TENANT_PLATFORM;
	db_begin(h->db, &s.x, false);
	db_cursor_open(&s.x, DB_IDS, &s.c);
	if (tenant != TENANT_PLATFORM) {
		visit_slices(&s, tenant);
	} else {
		for (uint32_t t = 0; s.on && s.left > 0 && next_tenant(&s.c, &t); t++) {
			visit_slices(&s, t);
			if (t == UINT32_MAX)
				break;
		}
	}
	db_cursor_close(&s.c);
	return db_end(&s.x);
}

/* --- series
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

		struct series_point out = { t,           p->bytes, p->packets, p->bytes_max, p->packets_max,
					    p->flows_max };

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
