/*
 * Minutes that are over become chunks: for every series, in the order of their keys, its points of each
 * resolution are added to the pack that has it. In steps, each a transaction that also says how far they are.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "series_parts.h"

#define FOLD_BLOCKS 60u          /* of minutes */
#define FOLD_BYTES  (256u << 20) /* of points that are over: earlier, where there are so many series */
#define FOLD_SERIES (1u << 20)   /* in memory, likewise */
#define STEP_SERIES 256u
#define STEP_POINTS 16384u
#define BLOCKS_GONE 64u /* in one transaction */

/* Points of one series that belong to one chunk. */
struct group {
	unsigned resolution;
	int64_t span;
	const struct series_key *key;
	size_t first, n; /* of fold->point */
};

struct entry {
	struct series_key key;
	size_t at, len; /* in fold->chunks */
};

struct fold {
	struct series_open_list list;
	size_t at; /* of the list */
	bool listed;

	struct chunk_point *minute, *point;
	size_t nminutes, minutes_cap, npoints, points_cap;
	struct group *group;
	size_t ngroups, groups_cap;

	struct bytes old, chunks;
	struct entry *entry;
	size_t nentries, entries_cap;
	struct pack_writer pack;
	struct chunk_point had[CHUNK_POINTS_MAX], all[CHUNK_POINTS_MAX];
};

static struct fold *
fold_new(void)
{
	return mem_calloc(1, sizeof(struct fold));
}

static void
fold_free(struct fold **fp)
{
	struct fold *f = *fp;

	if (f == NULL)
		return;
	free(f->list.series);
	free(f->minute);
	free(f->point);
	free(f->group);
	free(f->entry);
	bytes_free(&f->old);
	bytes_free(&f->chunks);
	pack_writer_free(&f->pack);
	free(f);
	*fp = NULL;
}

void
series_fold_free(struct series_store *s)
{
	fold_free(&s->fold);
}

void
series_fold_resume(struct series_store *s)
{
	if (s->state.folding)
		s->fold = fold_new();
}

bool
series_fold_due(const struct series_store *s)
{
	return s->fold_rest == 0 &&
	       (s->fold != NULL || s->state.block - s->state.folded >= FOLD_BLOCKS ||
		series_open_bytes(s->open) > FOLD_BYTES ||
		(series_open_count(s->open) > FOLD_SERIES && series_open_bytes(s->open) > 0));
}

/* --- points of each resolution
 * -------------------------------------------------------------------------------------------------
 */

static struct group *
new_group(struct fold *f)
{
	if (f->ngroups == f->groups_cap) {
		f->groups_cap = f->groups_cap == 0 ? 1024 : f->groups_cap * 2;
		f->group = mem_reallocarray(f->group, f->groups_cap, sizeof(*f->group));
	}
	return &f->group[f->ngroups++];
}

/* Points of one series, in order, as groups of a chunk each. */
static void
add_groups(struct fold *f, unsigned resolution, const struct series_key *key, const struct chunk_point *p,
	   size_t n)
{
	int64_t points = chunk_resolutions[resolution].points;
	struct group *g = NULL;

	if (n > f->points_cap - f->npoints) {
		f->points_cap = f->points_cap * 2 + n;
		f->point = mem_reallocarray(f->point, f->points_cap, sizeof(*f->point));
	}
	for (size_t i = 0; i < n; i++) {
		if (g == NULL || g->span != p[i].bucket / points) {
			g = new_group(f);
			*g = (struct group){ resolution, p[i].bucket / points, key, f->npoints, 0 };
		}
		f->point[f->npoints++] = p[i];
		g->n++;
	}
}

static void
add_resolutions(struct fold *f, const struct series_key *key)
{
	struct chunk_point *coarse = mem_reallocarray(NULL, f->nminutes, sizeof(*coarse));

	add_groups(f, CHUNK_MINUTES, key, f->minute, f->nminutes);
	for (unsigned r = CHUNK_MINUTES + 1; r < CHUNK_RESOLUTIONS; r++) {
		memcpy(coarse, f->minute, f->nminutes * sizeof(*coarse));
		add_groups(f, r, key, coarse,
			   chunk_coarser(coarse, f->nminutes, 60, chunk_resolutions[r].seconds));
	}
	free(coarse);
}

static int
group_compare(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->resolution != y->resolution)
		return x->resolution < y->resolution ? -1 : 1;
	if (x->span != y->span)
		return x->span < y->span ? -1 : 1;
	return series_key_compare(x->key, y->key);
}

/* --- packs
 * ------------------------------------------------------------------------------------------------------------------
 */

static void
add_entry(struct fold *f, const struct series_key *key, size_t at)
{
	if (f->nentries == f->entries_cap) {
		f->entries_cap = f->entries_cap == 0 ? 256 : f->entries_cap * 2;
		f->entry = mem_reallocarray(f->entry, f->entries_cap, sizeof(*f->entry));
	}
	f->entry[f->nentries++] = (struct entry){ *key, at, f->chunks.len - at };
}

static void
keep_chunk(struct fold *f, const struct series_key *key, const uint8_t *chunk, size_t len)
{
	size_t at = f->chunks.len;

	memcpy(bytes_room(&f->chunks, len), chunk, len);
	f->chunks.len += len;
	add_entry(f, key, at);
}

/* What the chunk had and what comes, both in order. */
static uint32_t
merge_points(struct fold *f, const struct group *g, uint32_t had)
{
	const struct chunk_point *p = f->point + g->first, *end = p + g->n;
	uint32_t n = 0;

	for (uint32_t i = 0; i < had || p < end; n++) {
		bool old = i < had && (p == end || f->had[i].bucket <= p->bucket);
		bool new = p < end && (i == had || p->bucket <= f->had[i].bucket);

		f->all[n] = old ? f->had[i] : *p;
		if (old && new && g->resolution == CHUNK_MINUTES)
			chunk_point_add(&f->all[n], p);
		else if (old && new)
			chunk_point_join(&f->all[n], p);
		i += old;
		p += new;
	}
	return n;
}

static void
merge_chunk(struct series_store *s, const struct group *g, const uint8_t *chunk, size_t len)
{
	struct fold *f = s->fold;
	size_t at = f->chunks.len;
	uint32_t had = chunk == NULL ? 0 : chunk_decode(s->work, g->resolution, g->span, chunk, len, f->had);

	if (chunk != NULL && had == 0)
		series_damaged(s, g->resolution, g->span, g->key);
	chunk_encode(s->work, g->resolution, g->span, f->all, merge_points(f, g, had), &f->chunks);
	add_entry(f, g->key, at);
}

/* The entries as packs of about the same size; the first is found by `low`. */
static void
put_packs(struct fold *f, struct db_txn *x, const struct group *g, const struct series_key *low)
{
	size_t pieces = f->chunks.len / PACK_MAX + 1, each = f->chunks.len / pieces, len;
	struct series_key first = *low;

	pack_begin(&f->pack);
	for (size_t i = 0; i < f->nentries; i++) {
		const struct entry *e = &f->entry[i];

		pack_add(&f->pack, &e->key, f->chunks.p + e->at, e->len);
		if (f->pack.chunks.len < each && i + 1 < f->nentries)
			continue;

		const uint8_t *p = pack_end(&f->pack, &len);
		struct series_db_key k = series_pack_key(g->resolution, g->span, &first, false);

		db_put(x, DB_ONLY, series_bytes(&k), (struct db_bytes){ p, len });
		pack_begin(&f->pack);
		if (i + 1 < f->nentries)
			first = f->entry[i + 1].key;
	}
}

/* n groups whose series belong to one pack. */
static void
merge_pack(struct series_store *s, struct db_txn *x, const struct group *g, size_t n,
	   const struct series_key *low, struct db_bytes old)
{
	struct fold *f = s->fold;
	struct pack p = { 0 };
	struct series_key key;
	const uint8_t *chunk;
	size_t len, i = 0;

	f->old.len = f->chunks.len = f->nentries = 0;
	if (old.n > 0) {
		memcpy(bytes_room(&f->old, old.n), old.p, old.n);
		if (!pack_open(&p, f->old.p, old.n))
			series_damaged(s, g->resolution, g->span, NULL);
	}
	while (pack_next(&p, &key, &chunk, &len)) {
		for (; i < n && series_key_compare(g[i].key, &key) < 0; i++)
			merge_chunk(s, &g[i], NULL, 0);
		if (i < n && series_key_compare(g[i].key, &key) == 0)
			merge_chunk(s, &g[i++], chunk, len);
		else
			keep_chunk(f, &key, chunk, len);
	}
	for (; i < n; i++)
		merge_chunk(s, &g[i], NULL, 0);
	put_packs(f, x, g, low);
}

/* How many of n groups come before the pack behind the one that begins at `low`. */
static size_t
within(struct db_cursor *c, const struct group *g, size_t n, const struct series_key *low)
{
	struct series_db_key behind = series_pack_key(g->resolution, g->span, low, true);
	struct series_key next;
	struct db_bytes at;
	unsigned res;
	int64_t span;
	size_t m = 1;

	if (!db_seek(c, series_bytes(&behind), &at, NULL) || !series_pack_key_read(at, &res, &span, &next) ||
	    res != g->resolution || span != g->span)
		return n;
	while (m < n && series_key_compare(g[m].key, &next) < 0)
		m++;
	return m;
}

/* n groups of one resolution and stretch of time. */
static void
merge_span(struct series_store *s, struct db_txn *x, const struct group *g, size_t n)
{
	for (size_t i = 0, m; i < n && x->status == DB_OK; i += m) {
		struct series_key low = { 0 };
		struct db_bytes old = { NULL, 0 };
		struct db_cursor c;

		db_cursor_open(x, DB_ONLY, &c);
		if (!series_find_pack(&c, g->resolution, g->span, g[i].key, &low, &old)) {
			low = (struct series_key){ 0 };
			old = (struct db_bytes){ NULL, 0 };
		}
		m = within(&c, &g[i], n - i, &low);
		db_cursor_close(&c);
		merge_pack(s, x, &g[i], m, &low, old);
	}
}

static void
merge_groups(struct series_store *s, struct db_txn *x)
{
	struct fold *f = s->fold;

	if (f->ngroups > 1)
		qsort(f->group, f->ngroups, sizeof(*f->group), group_compare);
	for (size_t i = 0, n; i < f->ngroups; i += n) {
		const struct group *g = &f->group[i];

		for (n = 1; i + n < f->ngroups && g[n].resolution == g->resolution && g[n].span == g->span;
		     n++)
			;
		merge_span(s, x, g, n);
	}
}

/* --- steps
 * ------------------------------------------------------------------------------------------------------------------
 */

static bool
committed(struct series_store *s, struct db_txn *x, const struct series_state *after)
{
	series_state_put(x, after);

	enum db_status status = db_end(x);

	series_says(s, status, x);
	if (status == DB_OK) {
		s->state = *after;
		return true;
	}
	if (status == DB_MAP_FULL)
		series_store_make_room(s);
	s->fold_rest = SERIES_REST_TURNS;
	return false;
}

static void
begin(struct series_store *s)
{
	struct fold *f = s->fold;

	if (!s->state.folding)
		s->state.fold_block = s->state.block;
	series_open_list(s->open, s->state.folding ? &s->state.fold_key : NULL, &f->list);
	f->at = 0;
	f->listed = true;
}

static bool
step_series(struct series_store *s)
{
	struct fold *f = s->fold;
	const uint32_t *series = f->list.series + f->at;
	struct series_state after = s->state;
	struct db_txn x;
	size_t n = 0;

	f->npoints = f->ngroups = 0;
	for (; n < STEP_SERIES && f->at + n < f->list.n && f->npoints < STEP_POINTS; n++) {
		f->nminutes = 0;
		series_open_points(s->open, series[n], &f->minute, &f->nminutes, &f->minutes_cap);
		if (!series_is_gone(s, series_open_key(s->open, series[n])->tenant))
			add_resolutions(f, series_open_key(s->open, series[n]));
	}
	after.folding = true;
	after.fold_key = *series_open_key(s->open, series[n - 1]);
	db_begin(s->db, &x, true);
	merge_groups(s, &x);
	series_open_folding(s->open, series, n, db_number(&x));
	if (!committed(s, &x, &after)) {
		series_open_folding(s->open, series, n, 0);
		return false;
	}
	series_open_folded(s->open, series, n);
	f->at += n;
	return true;
}

/* Some of the blocks that are in chunks go, at last all. */
static bool
step_blocks(struct series_store *s)
{
	struct series_state after = s->state;
	struct db_txn x;

	db_begin(s->db, &x, true);
	for (unsigned i = 0; i < BLOCKS_GONE && after.folded < after.fold_block; i++) {
		struct series_db_key k = series_block_key(++after.folded);

		db_delete(&x, DB_ONLY, series_bytes(&k));
	}
	if (after.folded == after.fold_block) {
		after.folding = false;
		after.fold_key = (struct series_key){ 0 };
	}
	if (!committed(s, &x, &after))
		return false;
	if (!after.folding) {
		fold_free(&s->fold);
		series_open_sweep(s->open, s->now_s / 60);
	}
	return true;
}

static bool
step(struct series_store *s)
{
	if (s->fold == NULL)
		s->fold = fold_new();
	if (!s->fold->listed)
		begin(s);
	return s->fold->at < s->fold->list.n ? step_series(s) : step_blocks(s);
}

bool
series_store_tidy(struct series_store *s)
{
	if (series_fold_due(s))
		return step(s);
	if (!series_drop_due(s))
		return false;
	series_drop_step(s);
	return true;
}

enum db_status
series_store_fold(struct series_store *s)
{
	do {
		if (!step(s))
			return DB_IO;
	} while (s->fold != NULL);
	return DB_OK;
}

enum db_status
series_store_add(struct series_store *s, unsigned resolution, const struct series_points *series, size_t n)
{
	struct db_txn x;

	s->fold = s->fold == NULL ? fold_new() : s->fold;
	s->fold->npoints = s->fold->ngroups = 0;
	for (size_t i = 0; i < n; i++)
		add_groups(s->fold, resolution, &series[i].key, series[i].p, series[i].n);
	db_begin(s->db, &x, true);
	merge_groups(s, &x);

	enum db_status status = db_end(&x);

	series_says(s, status, &x);
	fold_free(&s->fold);
	return status;
}
