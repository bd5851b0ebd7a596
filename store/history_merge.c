/*
 * Blocks of what came, every second one of all tenants, are made into blocks of one tenant each, when their
 * segment is not written any more: a row is written twice in its life. In steps, on the writer's thread,
 * between commits. What was made of a segment takes its place all at once.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "block_parts.h"
#include "find.h"
#include "flow_table.h"

#define STEP_BLOCKS  64u     /* of which tenants are listed in a step */
#define STEP_ROWS    16384u  /* taken in a step */
#define BLOCK_BYTES  900000u /* aim */
#define ROWS_LEAST   8192u
#define REST_COMMITS 60u    /* before the next attempt, where the disk would not have it */
#define OUTS_MAX     65536u /* blocks made of one segment */

/* Rows of a tenant in a block. */
struct merge_part {
	uint32_t tenant, block; /* index in find->block */
	uint32_t rows;
};

struct merge_out {
	struct block_entry e;
	unsigned retention; /* of the writer that it went through */
};

struct merge {
	struct segment_entry source;
	struct find *find; /* its blocks, oldest first */
	size_t listed;     /* blocks whose tenants are known */
	struct merge_part *part;
	size_t nparts, parts_cap, at; /* by tenant, then block; at: the next to take */
	uint32_t rows_most;           /* of a block that is made */
	/* Rows that were taken and are not written yet: of one tenant. */
	struct flow_table *table;
	/* Blocks that were made, and the segments that they are in: the last one of a class is still
	 * written. */
	struct merge_out *out;
	size_t nouts, outs_cap;
	struct segment_writer was[RETENTION_CLASSES]; /* h->merged as it was before */
	struct segment_entry full[4 * RETENTION_CLASSES];
	size_t nfull;
	bool again; /* what was made of it is not true any more */
};

static void
end_merge(struct history *h)
{
	struct merge *m = h->merge;

	if (m == NULL)
		return;
	find_free(&m->find);
	flow_table_free(&m->table);
	free(m->part);
	free(m->out);
	free(m);
	h->merge = NULL;
}

void
history_merge_free(struct history *h)
{
	end_merge(h);
}

/* Rows of blocks that were made in a segment. */
static uint64_t
rows_made_in(const struct merge *m, uint32_t segment)
{
	uint64_t rows = 0;

	for (size_t i = 0; i < m->nouts; i++)
		if (m->out[i].e.segment == segment)
			rows += m->out[i].e.rows;
	return rows;
}

/* A segment that was filled up: with what nobody will name, behind what it had before. */
static void
give_up_full(struct history *h, const struct segment_entry *full)
{
	struct segment_entry e;
	struct db_txn x;
	bool known;

	db_begin(h->db, &x, true);
	known = catalogue_segment(&x, full->number, &e) && e.number == full->number;
	if (known && !e.gone) {
		e.bytes = full->bytes;
		e.dead += rows_made_in(h->merge, e.number);
		catalogue_put_segment(&x, &e);
	}
	/* Where that cannot be told, its rows take more room than they should. */
	if (db_end(&x) == DB_OK && !known)
		segments_retire(h->segments, full->number);
}

/* What was made so far is given up. A segment that was begun meanwhile is written on: the catalogue does not
 * know it yet. */
static void
give_up(struct history *h)
{
	for (unsigned i = 0; i < RETENTION_CLASSES; i++) {
		const struct segment_writer *was = &h->merge->was[i];

		if (h->merged[i].segment.number == was->segment.number)
			h->merged[i].segment = was->segment;
		else
			h->merged[i].segment.rows = 0;
		h->merged[i].sequence = was->sequence;
		history_drop_unnamed(&h->merged[i]);
	}
	for (size_t i = 0; i < h->merge->nfull; i++)
		give_up_full(h, &h->merge->full[i]);
	end_merge(h);
}

void
history_merge_again(struct history *h, uint32_t segment)
{
	const struct merge *m = h->merge;
	bool ours = m != NULL && m->source.number == segment;

	for (size_t i = 0; m != NULL && i < m->nfull; i++)
		ours |= m->full[i].number == segment;
	if (ours)
		h->merge->again = true;
}

/* --- beginning
 * --------------------------------------------------------------------------------------------------------------
 */

static bool
add_source_block(void *ctx, const struct block_entry *e)
{
	struct find *f = ctx;

	if (f->nblocks == f->blocks_cap) {
		f->blocks_cap = f->blocks_cap == 0 ? 256 : f->blocks_cap * 2;
		f->block = mem_reallocarray(f->block, f->blocks_cap, sizeof(*f->block));
	}
	f->block[f->nblocks++] = *e;
	return true;
}

/* The oldest segment of blocks that came, and is not written any more; else one that is worn. */
static bool
next_source(struct history *h, struct segment_entry *e)
{
	struct db_txn x;
	bool found = false;

	db_begin(h->db, &x, false);
	for (uint32_t n = 0; !found && catalogue_segment(&x, n, e); n = e->number + 1)
		found = !e->gone && !e->merged && !e->left && e->number != h->fresh.segment.number;
	return db_end(&x) == DB_OK && (found || history_worn(h, e));
}

static uint32_t
rows_for(const struct segment_entry *source)
{
	uint64_t per_row = source->bytes / (source->rows == 0 ? 1 : source->rows) + 1,
		 n = BLOCK_BYTES / per_row;

	return (uint32_t)(n < ROWS_LEAST ? ROWS_LEAST : n > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX : n);
}

static bool
begin_merge(struct history *h)
{
	struct segment_entry source;
	struct db_txn x;

	if (h->limits.keep_everything || h->merge_rest > 0 || !next_source(h, &source))
		return false;

	struct merge *m = mem_calloc(1, sizeof(*m));

	h->merge = m;
	m->source = source;
	m->find = find_new(h);
	memcpy(m->was, h->merged, sizeof(m->was));
	m->rows_most = rows_for(&source);
	m->table = flow_table_new();
	db_begin(h->db, &x, false);
	catalogue_blocks(&x, source.number, false, add_source_block, m->find);
	db_end(&x);
	return true;
}

/* --- which tenants are in which blocks
 * -------------------------------------------------------------------------------------- */

static void
add_part(struct merge *m, uint32_t tenant, uint32_t block, uint32_t rows)
{
	if (m->nparts == m->parts_cap) {
		m->parts_cap = m->parts_cap == 0 ? 1024 : m->parts_cap * 2;
		m->part = mem_reallocarray(m->part, m->parts_cap, sizeof(*m->part));
	}
	m->part[m->nparts++] = (struct merge_part){ tenant, block, rows };
}

static bool
list_tenants(struct find *f, const struct block_entry *e, void *ctx)
{
	struct merge *m = ctx;

	(void)e;
	for (uint32_t i = 0, n; i < f->head.rows; i += n) {
		for (n = 1; i + n < f->head.rows && f->tenant[i + n] == f->tenant[i];)
			n++;
		if (!tenants_is_gone(f->h->tenants, f->tenant[i]))
			add_part(m, f->tenant[i], (uint32_t)m->listed, n);
	}
	return true;
}

static int
by_tenant(const void *a, const void *b)
{
	const struct merge_part *x = a, *y = b;

	if (x->tenant != y->tenant)
		return x->tenant < y->tenant ? -1 : 1;
	return x->block < y->block ? -1 : x->block > y->block;
}

/* A segment that cannot be read whole stays as it is: what can be read of it still can. */
static void
leave_as_it_is(struct history *h)
{
	struct segment_entry e = h->merge->source;
	struct db_txn x;

	log_warn("flows-%08" PRIx32 ".mdb is damaged: it is not merged", e.number);
	e.left = true;
	db_begin(h->db, &x, true);
	catalogue_put_segment(&x, &e);
	(void)db_end(&x);
	give_up(h);
}

static bool
step_listing(struct history *h)
{
	struct merge *m = h->merge;

	for (unsigned i = 0; i < STEP_BLOCKS && m->listed < m->find->nblocks; i++, m->listed++)
		if (!find_look_at(m->find, &m->find->block[m->listed], FIND_ALL, NULL, list_tenants, m))
			return false;
	if (m->listed == m->find->nblocks && m->nparts > 1)
		qsort(m->part, m->nparts, sizeof(*m->part), by_tenant);
	return true;
}

/* --- rows
 * -------------------------------------------------------------------------------------------------------------------
 */

static bool
take_rows(struct find *f, const struct block_entry *e, void *ctx)
{
	struct merge *m = ctx;
	uint32_t tenant = m->part[m->at].tenant, from, to, n = 0;
	int64_t all = atomic_load(&f->h->floor_ns), own = tenants_floor(f->h->tenants, tenant, f->h->now_ns),
		floor = own > all ? own : all;
	uint64_t frames = 0;

	(void)e;
	if (!block_rows_of(f->reader, &f->head, tenant, &from, &to))
		return false;
	for (uint32_t i = from; i < to; i++)
		frames |= block_frame_of(&f->head, i);
	if (!block_column(f->reader, &f->head, COLUMN_LAST, frames, f->last))
		return false;
	for (uint32_t i = from; i < to; i++)
		if (f->wanted[i] != 0 && (int64_t)f->last[i] >= floor)
			f->row[n++] = i;
	return flow_table_join(m->table, f->reader, &f->head, f->row, n, tenant);
}

static bool
put_one(struct history *h, uint32_t from, uint32_t n)
{
	struct merge *m = h->merge;
	struct segment_writer *w = &h->merged[tenants_retention(h->tenants, m->table->tenant[0])];
	char why[HISTORY_WHY_MAX] = "";
	struct segment_entry before = w->segment;
	struct block_entry e;

	if (m->nouts == OUTS_MAX || m->nfull == ARRAY_LEN(m->full) ||
	    history_put_table(h, w, m->table, from, n, m->source.made_ns, &e, why) != DB_OK)
		return false;
	/* Another one was begun: that before is as full as it gets. */
	if (before.number != 0 && w->segment.number != before.number)
		m->full[m->nfull++] = before;
	history_block_done(w, &e);
	if (m->nouts == m->outs_cap) {
		m->outs_cap = m->outs_cap == 0 ? 64 : m->outs_cap * 2;
		m->out = mem_reallocarray(m->out, m->outs_cap, sizeof(*m->out));
	}
	m->out[m->nouts++] = (struct merge_out){ e, w->retention };
	return true;
}

/* Writes the rows that were taken, in as few blocks as may be. */
static bool
put_rows(struct history *h)
{
	struct merge *m = h->merge;
	uint32_t n = m->table->n, blocks = (n + m->rows_most - 1) / m->rows_most;
	bool good = true;

	flow_table_sort(m->table);
	for (uint32_t i = 0, from = 0; i < blocks && good; i++) {
		uint32_t to = (uint32_t)((uint64_t)n * (i + 1) / blocks);

		good = put_one(h, from, to - from);
		from = to;
	}
	flow_table_reset(m->table);
	return good;
}

enum step { STEP_ON, STEP_DAMAGED, STEP_LATER };

/* Takes rows of one tenant; writes them where they fill a block, or are all of it. */
static enum step
step_rows(struct history *h)
{
	struct merge *m = h->merge;

	for (uint32_t taken = 0; taken < STEP_ROWS && m->at < m->nparts; m->at++) {
		const struct merge_part *p = &m->part[m->at];
		bool first = m->at == 0 || m->part[m->at - 1].tenant != p->tenant;

		if (m->table->n > 0 && (first || m->table->n + p->rows > m->rows_most))
			return put_rows(h) ? STEP_ON : STEP_LATER;
		if (!find_look_at(m->find, &m->find->block[p->block], p->tenant, NULL, take_rows, m))
			return STEP_DAMAGED;
		taken += p->rows;
	}
	if (m->at == m->nparts && m->table->n > 0 && !put_rows(h))
		return STEP_LATER;
	return STEP_ON;
}

/* --- the end
 * ----------------------------------------------------------------------------------------------------------------
 */

/* From here on the source is not there, and what was made of it is. */
static bool
finish(struct history *h)
{
	struct merge *m = h->merge;
	struct segment_entry source = m->source;
	struct db_txn x;
	bool done;

	source.gone = true;
	db_begin(h->db, &x, true);
	for (size_t i = 0; i < m->nfull; i++)
		catalogue_put_segment(&x, &m->full[i]);
	for (size_t i = 0; i < m->nouts; i++)
		history_catalogue(&x, &h->merged[m->out[i].retention], &m->out[i].e);
	catalogue_put_segment(&x, &source);
	atomic_fetch_add(&h->moves, 1);
	done = db_end(&x) == DB_OK;
	atomic_fetch_add(&h->moves, 1);
	if (!done)
		return false;
	segments_retire(h->segments, source.number);
	end_merge(h);
	return true;
}

bool
history_tidy(struct history *h)
{
	if (series_store_tidy(h->series))
		return true;
	/* It seals what is merged next, and looks at no segment that is. */
	if (h->merge == NULL && history_sweep(h))
		return true;
	if (h->merge == NULL)
		return begin_merge(h);

	struct merge *m = h->merge;
	enum step s = STEP_ON;

	if (m->again) {
		give_up(h);
		return true;
	}
	if (m->listed < m->find->nblocks)
		s = step_listing(h) ? STEP_ON : STEP_DAMAGED;
	else if (m->at < m->nparts || m->table->n > 0)
		s = step_rows(h);
	else
		s = finish(h) ? STEP_ON : STEP_LATER;
	if (s == STEP_DAMAGED)
		leave_as_it_is(h);
	if (s != STEP_LATER)
		return true;
	give_up(h);
	h->merge_rest = REST_COMMITS;
	return false;
}
