/* What tenants keep for a shorter time than the store does: their chunks are taken out of packs, some packs
 * at a time, once an hour and when it changes. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "series_parts.h"

#define STEP_PACKS 64u
#define STEP_BYTES (1u << 20)
#define ROUND_S    3600

void
series_store_tenants(struct series_store *s, const struct history_keep *t, size_t n)
{
	struct history_keep *list = mem_reallocarray(NULL, n + 1, sizeof(*list));

	for (size_t i = 0; i < n; i++)
		list[i] = t[i];
	pthread_mutex_lock(&s->telling);
	free(s->told);
	s->told = list;
	s->ntold = n;
	s->told_anew = true;
	pthread_mutex_unlock(&s->telling);
}

void
series_drop_free(struct series_store *s)
{
	free(s->told);
	free(s->tenant);
	bytes_free(&s->drop_copy);
	pack_writer_free(&s->drop_pack);
}

static void
hear(struct series_store *s)
{
	pthread_mutex_lock(&s->telling);
	if (s->told_anew) {
		free(s->tenant);
		s->tenant = s->told;
		s->ntenants = s->ntold;
		s->told = NULL;
		s->told_anew = false;
		s->dropped_s = INT64_MIN / 2;
	}
	pthread_mutex_unlock(&s->telling);
}

void
series_store_went(struct series_store *s, bool (*is_gone)(const void *ctx, uint32_t tenant), const void *ctx)
{
	s->is_gone = is_gone;
	s->gone_ctx = ctx;
	s->went = true;
}

bool
series_is_gone(const struct series_store *s, uint32_t tenant)
{
	return s->is_gone != NULL && s->is_gone(s->gone_ctx, tenant);
}

static int
by_number(const void *a, const void *b)
{
	const struct history_keep *x = a, *y = b;

	return x->tenant < y->tenant ? -1 : x->tenant > y->tenant;
}

/* Whether a tenant's points of a stretch of time are over for it. */
static bool
is_over(const struct series_store *s, uint32_t tenant, unsigned resolution, int64_t span)
{
	const struct history_keep key = { .tenant = tenant }, *t = NULL;

	if (s->ntenants > 0)
		t = bsearch(&key, s->tenant, s->ntenants, sizeof(key), by_number);
	if (series_is_gone(s, tenant))
		return true;
	return t != NULL && (t->keep_s[resolution] < 0 ||
			     (span + 1) * chunk_span_s(resolution) <= s->now_s - t->keep_s[resolution]);
}

static bool
has_any(const struct series_store *s, unsigned resolution, int64_t span, struct db_bytes v)
{
	struct series_key key;
	const uint8_t *chunk;
	struct pack p;
	size_t len;

	if (!pack_open(&p, v.p, v.n))
		return false; /* who reads or adds to it says so */
	while (pack_next(&p, &key, &chunk, &len))
		if (is_over(s, key.tenant, resolution, span))
			return true;
	return false;
}

/* The pack without what is over; it goes where nothing is left. */
static void
put_rest(struct series_store *s, struct db_txn *x, const struct series_db_key *at, struct db_bytes v)
{
	struct series_key key, low;
	unsigned resolution;
	const uint8_t *chunk;
	int64_t span;
	struct pack p;
	size_t len;

	s->drop_copy.len = 0;
	memcpy(bytes_room(&s->drop_copy, v.n), v.p, v.n);
	pack_begin(&s->drop_pack);
	if (!series_pack_key_read(series_bytes(at), &resolution, &span, &low) ||
	    !pack_open(&p, s->drop_copy.p, v.n))
		return;
	while (pack_next(&p, &key, &chunk, &len))
		if (!is_over(s, key.tenant, resolution, span))
			pack_add(&s->drop_pack, &key, chunk, len);
	if (s->drop_pack.n == 0) {
		db_delete(x, DB_ONLY, series_bytes(at));
		return;
	}
	chunk = pack_end(&s->drop_pack, &len);
	db_put(x, DB_ONLY, series_bytes(at), (struct db_bytes){ chunk, len });
}

/* Looks at the next packs; those in which something is over are in at[], *n of them. False behind the last.
 */
static bool
look(struct series_store *s, struct db_txn *x, struct series_db_key *at, unsigned *n)
{
	struct db_bytes key, v;
	struct series_key low;
	struct db_cursor c;
	unsigned resolution, seen = 0;
	size_t bytes = 0;
	int64_t span;
	bool more;

	*n = 0;
	db_cursor_open(x, DB_ONLY, &c);
	more = db_seek(&c, series_bytes(&s->drop_from), &key, &v);
	for (; more && seen < STEP_PACKS && bytes < STEP_BYTES; more = db_next(&c, &key, &v), seen++) {
		if (!series_pack_key_read(key, &resolution, &span, &low)) {
			more = false;
			break;
		}
		s->drop_from = series_pack_key(resolution, span, &low, false);
		bytes += v.n;
		if (has_any(s, resolution, span, v))
			at[(*n)++] = s->drop_from;
		s->drop_from = series_pack_key(resolution, span, &low, true);
	}
	db_cursor_close(&c);
	return more;
}

bool
series_drop_due(struct series_store *s)
{
	static const struct series_key first;

	hear(s);
	bool rest = s->now_s >= s->dropped_s && s->now_s < s->dropped_s + ROUND_S;

	if (s->fold_rest > 0 || (!s->went && (s->dropping || s->ntenants == 0 || rest)))
		return s->dropping && s->fold_rest == 0;
	s->dropping = true;
	s->went = false;
	s->dropped_s = s->now_s;
	s->drop_from = series_pack_key(CHUNK_KEPT, 0, &first, false);
	return true;
}

void
series_drop_step(struct series_store *s)
{
	struct series_db_key at[STEP_PACKS], from = s->drop_from;
	struct db_bytes v;
	struct db_txn x;
	unsigned n;

	db_begin(s->db, &x, true);
	s->dropping = look(s, &x, at, &n);
	for (unsigned i = 0; i < n; i++)
		if (db_get(&x, DB_ONLY, series_bytes(&at[i]), &v))
			put_rest(s, &x, &at[i], v);

	enum db_status status = db_end(&x);

	series_says(s, status, &x);
	if (status == DB_OK)
		return;
	s->dropping = true;
	s->drop_from = from;
	s->fold_rest = SERIES_REST_TURNS;
}
