/*
 * What tenants may not keep any more, found and forgotten: the blocks of one tenant that are too old for it,
 * more than its bytes, or of one that was deleted. A block that the catalogue does not name is not there; of
 * a segment, where 30 % of the rows are so forgotten, or a deleted tenant had any, what is left is written
 * anew (history_merge.c), unless it will be too old within a day: tenants that keep flows for about as long
 * share segments, which mostly go whole. A segment a step, on the writer's thread, between commits.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "history_parts.h"

#define SWEEP_NS (60 * NS_PER_S) /* from one to the next, where nothing is too much */

struct sweep {
	uint32_t next; /* segment */
	bool under_way;
	int64_t began_ns;
	/* Of a segment. */
	struct block_entry *block;
	size_t n, cap;
};

struct sweep *
sweep_new(void)
{
	return mem_calloc(1, sizeof(struct sweep));
}

void
sweep_free(struct sweep **sp)
{
	if (*sp == NULL)
		return;
	free((*sp)->block);
	free(*sp);
	*sp = NULL;
}

static bool
add_block(void *ctx, const struct block_entry *e)
{
	struct sweep *s = ctx;

	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 256 : s->cap * 2;
		s->block = mem_reallocarray(s->block, s->cap, sizeof(*s->block));
	}
	s->block[s->n++] = *e;
	return true;
}

/* The next segment of blocks of one tenant each, and its blocks. */
static bool
list_next(struct history *h, struct segment_entry *e)
{
	struct sweep *s = h->sweep;
	struct db_txn x;
	bool found = false;

	s->n = 0;
	db_begin(h->db, &x, false);
	while (!found && catalogue_segment(&x, s->next, e)) {
		s->next = e->number + 1;
		found = e->merged && !e->gone && !e->left;
	}
	if (found)
		catalogue_blocks(&x, e->number, false, add_block, s);
	return db_end(&x) == DB_OK && found;
}

/* Of blocks that were written before it was told: a share of the file. */
static uint64_t
bytes_of(const struct segment_entry *e, const struct block_entry *b)
{
	return b->bytes != 0 ? b->bytes : e->bytes / (e->rows + e->dead + 1) * b->rows;
}

static void
count_again(struct segment_entry *e, const struct block_entry *b)
{
	if (e->rows == 0 || b->least_last_ns < e->least_last_ns)
		e->least_last_ns = b->least_last_ns;
	if (e->rows == 0 || b->most_last_ns > e->most_last_ns)
		e->most_last_ns = b->most_last_ns;
	e->rows += b->rows;
}

/* Which of the blocks that were listed are not to be kept: they come first, and e is what is left. Returns
 * how many. */
static size_t
judge(struct history *h, struct segment_entry *e)
{
	const struct segment_entry was = *e;
	struct block_entry *block = h->sweep->block;
	size_t n = 0;

	e->rows = 0;
	e->ending = true;
	for (size_t i = 0; i < h->sweep->n; i++) {
		struct block_entry b = block[i];
		bool gone = tenants_is_gone(h->tenants, b.tenant);

		if (!gone && b.most_last_ns >= tenants_floor(h->tenants, b.tenant, h->now_ns)) {
			count_again(e, &b);
			e->ending = e->ending && tenants_is_old(h->tenants, b.tenant, b.most_last_ns,
								h->now_ns + 86400 * NS_PER_S);
			tenants_count(h->tenants, b.tenant, b.most_last_ns, bytes_of(&was, &b));
			continue;
		}
		e->worn |= gone;
		e->dead += b.rows;
		block[i] = block[n];
		block[n++] = b;
	}
	return n;
}

bool
history_is_worn(const struct segment_entry *e)
{
	return e->worn || (!e->ending && e->dead * 10 >= (e->rows + e->dead) * 3);
}

static bool
sweep_segment(struct history *h, struct segment_entry *e)
{
	const bool ending = e->ending;
	size_t n = judge(h, e);
	struct segment_writer *w = history_writer_of(h, e->number);
	struct history_gone gone = { 0 };
	struct db_txn x;

	/* Where somebody may keep it for longer now, what is dead in it has to be written out of it. */
	if (n == 0 && e->ending == ending)
		return true;
	if (e->rows == 0) {
		e->gone = true;
		gone.number[gone.n++] = e->number;
	}
	db_begin(h->db, &x, true);
	for (size_t i = 0; i < n; i++)
		catalogue_forget_block(&x, &h->sweep->block[i]);
	catalogue_put_segment(&x, e);
	if (db_end(&x) != DB_OK)
		return false;
	for (size_t i = 0; i < n; i++)
		tenants_forgot(h->tenants, h->sweep->block[i].tenant, h->sweep->block[i].rows);
	if (w != NULL) {
		if (e->rows == 0 || history_is_worn(e))
			history_seal(h, w);
		else
			w->segment = *e;
	}
	history_retire(h, &gone);
	return true;
}

/* What was written last may have rows of a tenant that is deleted: it is merged at once, without them. */
static void
take_policy(struct history *h)
{
	struct sweep *s = h->sweep;

	if (!tenants_take(h))
		return;
	history_forget_series_ids(h);
	history_forget_series(h);
	if (h->fresh.segment.rows > 0)
		history_seal(h, &h->fresh);
	s->under_way = true;
	s->next = 0;
}

static bool
due(const struct history *h)
{
	int64_t since = h->now_ns - h->sweep->began_ns;

	return h->now_ns != 0 && (since >= SWEEP_NS || since < 0);
}

bool
history_sweep(struct history *h)
{
	struct sweep *s = h->sweep;
	struct segment_entry e;

	if (h->limits.keep_everything)
		return false;
	take_policy(h);
	if (!s->under_way && !due(h))
		return false;
	if (!s->under_way)
		s->next = 0;
	s->under_way = true;
	if (list_next(h, &e))
		return sweep_segment(h, &e);
	s->began_ns = h->now_ns;
	s->under_way = tenants_swept(h->tenants);
	s->next = 0;
	return s->under_way;
}

bool
history_worn(struct history *h, struct segment_entry *e)
{
	struct db_txn x;
	bool found = false;

	db_begin(h->db, &x, false);
	for (uint32_t n = 0; !found && catalogue_segment(&x, n, e); n = e->number + 1)
		found = e->merged && !e->gone && !e->left && history_writer_of(h, e->number) == NULL &&
			history_is_worn(e);
	return db_end(&x) == DB_OK && found;
}
