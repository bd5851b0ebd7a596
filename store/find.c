/* Kept flows, found in their blocks: see find.h. */
#include "find.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "policy/snapshot.h"

#define IDS_FEW      512u /* rows of which each is picked */
#define LISTINGS_MAX 8u   /* that merges may overtake; the one after them is of one transaction */

struct find *
find_new(struct history *h)
{
	struct find *f = mem_calloc(1, sizeof(*f));

	f->h = h;
	f->portion = FIND_PORTION;
	f->reader = block_reader_new();
	f->columns = columns_new(f->reader);
	f->last = mem_calloc(COLUMN_MAX, sizeof(*f->last));
	f->high = mem_calloc(COLUMN_MAX, sizeof(*f->high));
	f->low = mem_calloc(COLUMN_MAX, sizeof(*f->low));
	f->slice = mem_calloc(COLUMN_MAX, sizeof(*f->slice));
	f->tenant = mem_calloc(COLUMN_MAX, sizeof(*f->tenant));
	f->wanted = mem_calloc(COLUMN_MAX, sizeof(*f->wanted));
	f->row = mem_calloc(COLUMN_MAX, sizeof(*f->row));
	return f;
}

void
find_reset(struct find *f)
{
	for (size_t i = 0; i < f->ntexts; i++)
		free(f->texts[i]);
	f->npicks = f->ntexts = 0;
}

void
find_free(struct find **fp)
{
	struct find *f = *fp;

	if (f == NULL)
		return;
	find_reset(f);
	columns_free(&f->columns);
	block_reader_free(&f->reader);
	free(f->block);
	free(f->pick);
	free(f->last);
	free(f->high);
	free(f->low);
	free(f->slice);
	free(f->tenant);
	free(f->wanted);
	free(f->row);
	free(f->kept);
	free(f->texts);
	free(f);
	*fp = NULL;
}

int
find_compare(const struct flow_position *a, const struct flow_position *b)
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

/* --- which blocks
 * -----------------------------------------------------------------------------------------------------------
 */

struct range {
	struct find *f;
	uint32_t tenant;
	int64_t from_ns, to_ns;
	/* Where the next portion begins, and how much of this one is left. */
	uint32_t segment;
	uint64_t sequence;
	uint32_t left;
	bool cut;
};

static bool
add_block(void *ctx, const struct block_entry *e)
{
	struct range *r = ctx;
	struct find *f = r->f;

	if (r->left == 0) {
		r->segment = e->segment;
		r->sequence = e->sequence;
		r->cut = true;
		return false;
	}
	r->left--;
	if (e->most_last_ns < r->from_ns || e->least_last_ns >= r->to_ns ||
	    (r->tenant != TENANT_PLATFORM && e->tenants == 1 && e->tenant != r->tenant))
		return true;
	if (f->nblocks == f->blocks_cap) {
		f->blocks_cap = f->blocks_cap == 0 ? 256 : f->blocks_cap * 2;
		f->block = mem_reallocarray(f->block, f->blocks_cap, sizeof(*f->block));
	}
	f->block[f->nblocks++] = *e;
	return true;
}

static void
add_portion(struct range *r, struct db_txn *x, uint32_t portion)
{
	uint32_t first = r->segment;
	struct segment_entry s;

	r->left = portion;
	r->cut = false;
	for (uint32_t n = first; !r->cut && catalogue_segment(x, n, &s); n = s.number + 1) {
		if (!s.gone && s.most_last_ns >= r->from_ns && s.least_last_ns < r->to_ns)
			catalogue_blocks_from(x, s.number, s.number == first ? r->sequence : 0, add_block, r);
		if (s.number == UINT32_MAX)
			break;
	}
}

/* The number of transactions that it took. */
static unsigned
list_blocks(struct range *r, uint32_t portion, enum db_status *status)
{
	unsigned n = 0;
	struct db_txn x;

	r->f->nblocks = 0;
	r->segment = 0;
	r->sequence = 0;
	do {
		db_begin(r->f->h->db, &x, false);
		add_portion(r, &x, portion);
		*status = db_end(&x);
		n++;
	} while (*status == DB_OK && r->cut);
	return n;
}

static int
newest_first(const void *a, const void *b)
{
	const struct block_entry *x = a, *y = b;

	if (x->most_last_ns != y->most_last_ns)
		return x->most_last_ns > y->most_last_ns ? -1 : 1;
	return x->sequence > y->sequence ? -1 : x->sequence < y->sequence;
}

bool
find_blocks(struct find *f, uint32_t tenant, int64_t from_ns, int64_t to_ns, enum db_status *status)
{
	struct range r = { .f = f, .tenant = tenant, .from_ns = from_ns, .to_ns = to_ns };

	for (unsigned i = 0; i <= LISTINGS_MAX; i++) {
		unsigned moves = atomic_load(&f->h->moves);

		if (list_blocks(&r, i < LISTINGS_MAX ? f->portion : UINT32_MAX, status) == 1 ||
		    *status != DB_OK || (moves % 2 == 0 && atomic_load(&f->h->moves) == moves))
			break;
	}
	if (f->nblocks > 1)
		qsort(f->block, f->nblocks, sizeof(*f->block), newest_first);
	return *status == DB_OK;
}

/* --- into one
 * ---------------------------------------------------------------------------------------------------------------
 */

/* Whose rows: all of a block of one tenant, or a part of one of several. */
static bool
mark_rows(struct find *f, uint64_t tenant)
{
	uint64_t least, most;
	uint32_t from, to;

	if (tenant == FIND_NONE)
		return true;
	if (tenant == FIND_ALL) {
		memset(f->wanted, 1, f->head.rows);
		f->mine = f->head.rows;
		return block_tenants(f->reader, &f->head, f->tenant);
	}
	if (tenant != TENANT_PLATFORM) {
		if (!block_rows_of(f->reader, &f->head, (uint32_t)tenant, &from, &to))
			return false;
		memset(f->wanted, 0, f->head.rows);
		memset(f->wanted + from, 1, to - from);
		f->mine = to - from;
		for (uint32_t i = from; i < to; i++)
			f->tenant[i] = (uint32_t)tenant;
		return true;
	}
	f->mine = f->head.rows;
	/* What is another tenant's primary row is one to the platform: the secondary row is not. */
	block_range(&f->head, PART_SECONDARY, &least, &most);
	if (most == 0) {
		memset(f->wanted, 1, f->head.rows);
		return block_tenants(f->reader, &f->head, f->tenant);
	}
	if (!block_tenants(f->reader, &f->head, f->tenant) ||
	    !block_numbers(f->reader, &f->head, PART_SECONDARY, f->slice))
		return false;
	for (uint32_t i = 0; i < f->head.rows; i++)
		f->wanted[i] = f->slice[i] == 0;
	return true;
}

static void
skip_dead(struct find *f, const struct block_entry *e)
{
	struct db_txn x;

	db_begin(f->h->db, &x, false);
	catalogue_skip_dead(&x, e->segment, e->sequence, f->wanted, f->head.rows);
	db_end(&x);
}

static bool
look_into(struct find *f, const struct block_entry *e, struct db_bytes bytes, uint64_t tenant,
	  bool (*may)(struct find *f, void *ctx),
	  bool (*look)(struct find *f, const struct block_entry *e, void *ctx), void *ctx)
{
	if (!block_open(&f->head, bytes.p, bytes.n))
		return false;
	if (may != NULL && !may(f, ctx))
		return true;
	if (!mark_rows(f, tenant))
		return false;
	if (tenant != FIND_NONE)
		skip_dead(f, e);
	return look(f, e, ctx);
}

static void
damaged(struct find *f, const struct block_entry *e)
{
	if (atomic_fetch_add(&f->h->blocks_damaged, 1) == 0)
		log_error("flows-%08" PRIx32 ".mdb: block %" PRIu64
			  " is damaged: its %u flows are left out; others like it are counted only",
			  e->segment, e->sequence, e->rows);
}

bool
find_look_at(struct find *f, const struct block_entry *e, uint64_t tenant,
	     bool (*may)(struct find *f, void *ctx),
	     bool (*look)(struct find *f, const struct block_entry *e, void *ctx), void *ctx)
{
	uint8_t key[8];
	struct wcur c = wcur_of(key, sizeof(key));
	enum db_status status;
	struct db *db = segments_read(f->h->segments, e->segment, &status);
	bool good = false;
	struct db_bytes v;
	struct db_txn x;

	if (db != NULL) {
		wcur_be64(&c, e->sequence);
		db_begin(db, &x, false);
		good = db_get(&x, DB_ONLY, (struct db_bytes){ key, sizeof(key) }, &v) &&
		       look_into(f, e, v, tenant, may, look, ctx);
		db_end(&x);
		segments_end(f->h->segments, db);
	}
	if (!good)
		damaged(f, e);
	return good;
}

struct look {
	bool (*look)(struct find *f, const struct block_entry *e, void *ctx);
	void *ctx;
};

static bool
look_with_ends(struct find *f, const struct block_entry *e, void *ctx)
{
	const struct look *l = ctx;

	return block_numbers(f->reader, &f->head, COLUMN_LAST, f->last) && l->look(f, e, l->ctx);
}

bool
find_look(struct find *f, const struct block_entry *e, uint64_t tenant,
	  bool (*look)(struct find *f, const struct block_entry *e, void *ctx), void *ctx)
{
	struct look l = { look, ctx };

	return find_look_at(f, e, tenant, NULL, look_with_ends, &l);
}

bool
find_ids(struct find *f)
{
	return block_numbers(f->reader, &f->head, COLUMN_ID_HIGH, f->high) &&
	       block_numbers(f->reader, &f->head, COLUMN_ID_LOW, f->low) &&
	       block_numbers(f->reader, &f->head, COLUMN_SLICE, f->slice);
}

static bool
pick_wanted(struct find *f, unsigned number, uint32_t n, uint64_t *v, uint64_t *work)
{
	if (!block_numbers_at(f->reader, &f->head, number, f->row, n, work))
		return false;
	for (uint32_t i = 0; i < n; i++)
		v[f->row[i]] = work[i];
	return true;
}

bool
find_ids_wanted(struct find *f, bool has_ends)
{
	uint64_t work[IDS_FEW];
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->head.rows; i++) {
		if (f->wanted[i] == 0)
			continue;
		if (n == IDS_FEW)
			return (has_ends || block_numbers(f->reader, &f->head, COLUMN_LAST, f->last)) &&
			       find_ids(f);
		f->row[n++] = i;
	}
	return (has_ends || pick_wanted(f, COLUMN_LAST, n, f->last, work)) &&
	       pick_wanted(f, COLUMN_ID_HIGH, n, f->high, work) &&
	       pick_wanted(f, COLUMN_ID_LOW, n, f->low, work) &&
	       pick_wanted(f, COLUMN_SLICE, n, f->slice, work);
}

struct flow_position
find_position(const struct find *f, uint32_t row)
{
	struct flow_position at = { .last_ns = (int64_t)f->last[row],
				    .slice = (uint32_t)f->slice[row],
				    .tenant = f->tenant[row] };
	struct wcur c = wcur_of(at.id.b, sizeof(at.id.b));

	wcur_be64(&c, f->high[row]);
	wcur_be64(&c, f->low[row]);
	return at;
}

/* --- rows whole
 * -------------------------------------------------------------------------------------------------------------
 */

/* The picks of one block. */
struct wanted_rows {
	const struct find_pick *const *pick;
	uint32_t n;
	void *texts;
};

static bool
fetch_rows(struct find *f, const struct block_entry *e, void *ctx)
{
	struct wanted_rows *w = ctx;
	struct kept_flow **out = mem_calloc(w->n, sizeof(struct kept_flow *));
	uint32_t *row = mem_calloc(w->n, sizeof(*row));

	(void)e;
	for (uint32_t i = 0; i < w->n; i++) {
		row[i] = w->pick[i]->row;
		out[i] = &f->kept[w->pick[i] - f->pick];
	}

	bool good = block_fetch(f->reader, &f->head, row, w->n, out, &w->texts) &&
		    block_numbers_at(f->reader, &f->head, PART_SECONDARY, row, w->n, f->slice);

	for (uint32_t i = 0; i < w->n; i++) {
		if (!good) {
			out[i]->texts.server_name = NULL;
			continue;
		}
		out[i]->tenant = w->pick[i]->at.tenant;
		out[i]->secondary = f->slice[i] != 0;
	}
	if (!good)
		free(w->texts);
	free(row);
	free(out);
	return good;
}

static int
by_block(const void *a, const void *b)
{
	const struct find_pick *x = *(const struct find_pick *const *)a,
			       *y = *(const struct find_pick *const *)b;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

bool
find_fetch(struct find *f)
{
	bool stopped = false;
	const struct find_pick **order = mem_calloc(f->npicks + 1, sizeof(const struct find_pick *));

	if (f->npicks > f->kept_cap) {
		f->kept_cap = f->npicks;
		f->kept = mem_reallocarray(f->kept, f->kept_cap, sizeof(*f->kept));
		f->texts = mem_reallocarray(f->texts, f->kept_cap, sizeof(*f->texts));
	}
	for (size_t i = 0; i < f->npicks; i++)
		order[i] = &f->pick[i];
	if (f->npicks > 1)
		qsort(order, f->npicks, sizeof(const struct find_pick *), by_block);
	for (size_t i = 0, n; i < f->npicks && !(stopped = job_should_stop(f->job)); i += n) {
		for (n = 1; i + n < f->npicks && order[i + n]->block == order[i]->block;)
			n++;

		struct wanted_rows w = { order + i, (uint32_t)n, NULL };

		for (size_t k = 0; k < n; k++)
			f->kept[order[i + k] - f->pick].texts.server_name = NULL;
		if (find_look_at(f, &f->block[order[i]->block], FIND_NONE, NULL, fetch_rows, &w))
			f->texts[f->ntexts++] = w.texts;
	}
	free(order);
	return !stopped;
}
