/* Kept flows, read: by their end, and by their id. */
#include <string.h>

#include "find.h"
#include "policy/snapshot.h"

#define ROUND_FIRST 512u /* rows found at a time: a page, and more while more is asked for */
#define ROUND_MOST  4096u
#define SCAN_ROWS   4000000u /* of blocks that are looked into for one question of the platform */
#define SLICES_MOST 65536u   /* of one flow */

/* --- by their end
 * ------------------------------------------------------------------------------------------------------------
 */

/* One round: the newest rows before a position. */
struct round {
	const struct flow_query *q;
	int64_t from_ns;
	const struct flow_position *before; /* NULL: q->to_ns */
	size_t most;                        /* picks */
	uint32_t block;                     /* that is looked at */
};

/* The oldest pick is on top. */
static void
sift_down(struct find_pick *p, size_t n, size_t i)
{
	for (;;) {
		size_t top = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
			if (find_compare(&p[child].at, &p[top].at) < 0)
				top = child;
		if (top == i)
			return;

		struct find_pick was = p[i];

		p[i] = p[top];
		p[top] = was;
		i = top;
	}
}

static void
sift_up(struct find_pick *p, size_t i)
{
	while (i > 0 && find_compare(&p[i].at, &p[(i - 1) / 2].at) < 0) {
		struct find_pick was = p[i];

		p[i] = p[(i - 1) / 2];
		p[(i - 1) / 2] = was;
		i = (i - 1) / 2;
	}
}

static void
consider(struct find *f, const struct round *r, uint32_t row)
{
	struct find_pick p = { find_position(f, row), r->block, row };

	if (r->before != NULL && find_compare(&p.at, r->before) >= 0)
		return;
	if (f->npicks < r->most) {
		f->pick[f->npicks] = p;
		sift_up(f->pick, f->npicks++);
	} else if (find_compare(&p.at, &f->pick[0].at) > 0) {
		f->pick[0] = p;
		sift_down(f->pick, f->npicks, 0);
	}
}

/* Nothing older than this is of use. */
static int64_t
oldest_of_use(const struct find *f, const struct round *r)
{
	int64_t top = f->npicks == r->most ? f->pick[0].at.last_ns : INT64_MIN;

	return top > r->from_ns ? top : r->from_ns;
}

static bool
may_have_newest(struct find *f, void *ctx)
{
	const struct flow_query *q = ((const struct round *)ctx)->q;

	return block_may_match(&f->head, &q->filter) &&
	       (q->test == NULL || q->test->may_match(q->test->ctx, f->reader, &f->head));
}

/* Rows whose end is within the round's time; *has_ends: f->last has all of them. False: damaged. */
static bool
match_ends(struct find *f, const struct round *r, bool *has_ends)
{
	int64_t from = oldest_of_use(f, r), to = r->before == NULL ? r->q->to_ns : r->before->last_ns;
	bool inclusive = r->before != NULL;

	*has_ends = f->head.least_last_ns < from || f->head.most_last_ns > to ||
		    (f->head.most_last_ns == to && !inclusive);
	if (!*has_ends)
		return true;
	if (!block_numbers(f->reader, &f->head, COLUMN_LAST, f->last))
		return false;
	for (uint32_t i = 0; i < f->head.rows; i++) {
		int64_t last = (int64_t)f->last[i];

		f->wanted[i] &= last >= from && (last < to || (inclusive && last == to));
	}
	return true;
}

/* The first row from this one on that is wanted; f->head.rows: there is none. */
static uint32_t
next_wanted(const struct find *f, uint32_t row)
{
	const uint8_t *at = memchr(f->wanted + row, 1, f->head.rows - row);

	return at == NULL ? f->head.rows : (uint32_t)(at - f->wanted);
}

static bool
any_wanted(const struct find *f)
{
	return next_wanted(f, 0) < f->head.rows;
}

static bool
look_for_newest(struct find *f, const struct block_entry *e, void *ctx)
{
	const struct round *r = ctx;
	const struct block_test *test = r->q->test;
	bool has_ends;

	(void)e;
	job_spend(f->job, f->mine);
	if (!match_ends(f, r, &has_ends))
		return false;
	if (!any_wanted(f))
		return true;
	columns_begin(f->columns, &f->head);
	if (!block_match(f->reader, &f->head, &r->q->filter, f->wanted) ||
	    (test != NULL && !test->match(test->ctx, f->columns, f->tenant, f->wanted)))
		return false;
	if (!any_wanted(f))
		return true;
	if (!find_ids_wanted(f, has_ends))
		return false;
	for (uint32_t i = next_wanted(f, 0); i < f->head.rows; i = next_wanted(f, i + 1))
		consider(f, r, i);
	return true;
}

static int
newest_first(const void *a, const void *b)
{
	return -find_compare(&((const struct find_pick *)a)->at, &((const struct find_pick *)b)->at);
}

/* Picks that are not newer than edge are given up. */
static void
drop_older(struct find *f, int64_t edge_ns)
{
	while (f->npicks > 0 && f->pick[f->npicks - 1].at.last_ns <= edge_ns)
		f->npicks--;
}

/*
 * Fills f->pick, newest first. Blocks that were not looked at, for want of time, hold nothing newer than
 * *edge_ns; INT64_MIN where all were. False: f->job was stopped, and nothing is sure.
 */
static bool
run_round(struct find *f, struct round *r, int64_t *edge_ns)
{
	int64_t to = r->before == NULL ? r->q->to_ns : r->before->last_ns;
	uint64_t scanned = 0;

	find_reset(f);
	*edge_ns = INT64_MIN;
	for (size_t i = 0; i < f->nblocks; i++) {
		const struct block_entry *e = &f->block[i];

		if (e->most_last_ns < oldest_of_use(f, r))
			break;
		if (e->least_last_ns > to)
			continue;

		bool stopped = job_should_stop(f->job);

		/* Blocks are of several tenants: where one tenant's question stopped would tell of the
		 * others. */
		if ((stopped || scanned >= SCAN_ROWS) && e->most_last_ns < to &&
		    r->q->tenant == TENANT_PLATFORM) {
			*edge_ns = e->most_last_ns;
			break;
		}
		if (stopped)
			return false;
		r->block = (uint32_t)i;
		scanned += e->rows;
		find_look_at(f, e, r->q->tenant, may_have_newest, look_for_newest, r);
	}
	qsort(f->pick, f->npicks, sizeof(*f->pick), newest_first);
	drop_older(f, *edge_ns);
	return true;
}

/* All rows that are newer than edge were looked at. */
static struct flow_position
behind(int64_t edge_ns)
{
	struct flow_position p = { .last_ns = edge_ns, .slice = UINT32_MAX, .tenant = UINT32_MAX };

	memset(p.id.b, 0xff, sizeof(p.id.b));
	return p;
}

static void
room_for_picks(struct find *f, size_t n)
{
	if (n <= f->picks_cap)
		return;
	f->picks_cap = n;
	f->pick = mem_reallocarray(f->pick, n, sizeof(*f->pick));
}

static void
read_flows(struct find *f, const struct flow_query *q, int64_t from_ns,
	   bool (*visit)(void *ctx, const struct kept_flow *k), void *ctx, struct flow_position *last,
	   bool *finished)
{
	struct round r = { .q = q, .from_ns = from_ns, .before = q->after, .most = ROUND_FIRST };
	struct flow_position before;
	unsigned visits = 0;
	int64_t edge;

	for (;;) {
		r.most = r.most > q->visits - visits ? q->visits - visits : r.most;
		room_for_picks(f, r.most);
		if (!run_round(f, &r, &edge) || !find_fetch(f))
			return;
		for (size_t i = 0; i < f->npicks; i++) {
			*last = f->pick[i].at;
			visits++;
			if (f->kept[i].texts.server_name != NULL && !visit(ctx, &f->kept[i]))
				return;
		}
		if (edge != INT64_MIN) {
			*last = behind(edge);
			return;
		}
		if (f->npicks < r.most) {
			*finished = true;
			return;
		}
		if (visits >= q->visits)
			return;
		before = *last;
		r.before = &before;
		r.most = r.most * 2 > ROUND_MOST ? ROUND_MOST : r.most * 2;
	}
}

static int64_t
kept_from(struct history *h, int64_t from_ns)
{
	int64_t floor = atomic_load(&h->floor_ns);

	return from_ns > floor ? from_ns : floor;
}

enum db_status
history_flows(struct find *f, const struct flow_query *q, bool (*visit)(void *ctx, const struct kept_flow *k),
	      void *ctx, struct flow_position *last, bool *finished)
{
	struct history *h = f->h;
	int64_t from = kept_from(h, q->from_ns), to = q->to_ns;
	enum db_status status;
	unsigned reader;

	*finished = q->visits == 0;
	if (q->after != NULL && q->after->last_ns < to)
		to = q->after->last_ns == INT64_MAX ? INT64_MAX : q->after->last_ns + 1;

	struct flow_query clipped = *q;

	if (q->after != NULL && q->after->last_ns >= q->to_ns)
		clipped.after = NULL;
	reader = segments_reader_begins(h->segments);
	if (q->visits > 0 && find_blocks(f, q->tenant, from, to, &status))
		read_flows(f, &clipped, from, visit, ctx, last, finished);
	else if (q->visits == 0)
		status = DB_OK;
	find_reset(f);
	segments_reader_ends(h->segments, reader);
	return status;
}

/* --- one flow
 * ---------------------------------------------------------------------------------------------------------------
 */

struct by_id {
	const struct flow_id *id;
	uint32_t block;
};

static bool
may_have_id(struct find *f, void *ctx)
{
	return block_may_hold_id(&f->head, ((const struct by_id *)ctx)->id);
}

static bool
look_for_id(struct find *f, const struct block_entry *e, void *ctx)
{
	const struct by_id *w = ctx;
	int64_t floor = atomic_load(&f->h->floor_ns);
	uint64_t high = big_endian_64(w->id->b), low = big_endian_64(w->id->b + 8);

	(void)e;
	job_spend(f->job, f->mine);
	if (!block_numbers(f->reader, &f->head, COLUMN_LAST, f->last) || !find_ids(f))
		return false;
	for (uint32_t i = 0; i < f->head.rows && f->npicks < SLICES_MOST; i++) {
		if (f->wanted[i] == 0 || f->low[i] != low || f->high[i] != high ||
		    (int64_t)f->last[i] < floor)
			continue;
		if (f->npicks == f->picks_cap)
			room_for_picks(f, f->picks_cap == 0 ? 64 : 2 * f->picks_cap);
		f->pick[f->npicks++] = (struct find_pick){ find_position(f, i), w->block, i };
	}
	return true;
}

static int
first_slice_first(const void *a, const void *b)
{
	const struct flow_position *x = &((const struct find_pick *)a)->at,
				   *y = &((const struct find_pick *)b)->at;

	if (x->tenant != y->tenant)
		return x->tenant < y->tenant ? -1 : 1;
	return x->slice < y->slice ? -1 : x->slice > y->slice;
}

static void
read_flow(struct find *f, uint32_t tenant, const struct flow_id *id, unsigned max,
	  bool (*visit)(void *ctx, const struct kept_flow *k), void *ctx)
{
	struct by_id w = { .id = id };

	find_reset(f);
	for (size_t i = 0; i < f->nblocks && !job_should_stop(f->job); i++) {
		w.block = (uint32_t)i;
		find_look_at(f, &f->block[i], tenant, may_have_id, look_for_id, &w);
	}
	if (f->npicks > 1)
		qsort(f->pick, f->npicks, sizeof(*f->pick), first_slice_first);
	if (f->npicks > max)
		f->npicks = max;

	if (!find_fetch(f))
		return;
	for (size_t i = 0; i < f->npicks; i++)
		if (f->kept[i].texts.server_name != NULL && !visit(ctx, &f->kept[i]))
			break;
}

enum db_status
history_flow(struct find *f, uint32_t tenant, const struct flow_id *id, unsigned max,
	     bool (*visit)(void *ctx, const struct kept_flow *k), void *ctx)
{
	struct history *h = f->h;
	enum db_status status;
	unsigned reader = segments_reader_begins(h->segments);

	if (find_blocks(f, tenant, kept_from(h, INT64_MIN), INT64_MAX, &status))
		read_flow(f, tenant, id, max, visit, ctx);
	find_reset(f);
	segments_reader_ends(h->segments, reader);
	return status;
}
