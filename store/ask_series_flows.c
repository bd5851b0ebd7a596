/* Questions about series of which a part is seen: looked for in kept flows, beside the loop, and then in
 * those that are active. What ends in between is in neither until the question comes again. */
#include <stdlib.h>

#include "ask_series.h"
#include "base/clock.h"
#include "base/mem.h"
#include "part.h"
#include "series_flows.h"
#include "sum.h"

#define LATE_NS (60 * NS_PER_S) /* longer than engine.active_timeout no slice takes, about */

struct series_part {
	unsigned holds;
	struct series_range range; /* of this page */
	int64_t to_s;              /* of all */
	struct series_flows w;
	uint64_t told, most; /* of w.added: what a walk was told of, and what live flows may cost */
	enum db_status status;
};

static void
drop(void *ctx)
{
	struct series_part *p = ctx;

	if (--p->holds > 0)
		return;
	series_flows_end(&p->w);
	free(p);
}

static void
look_through_kept(void *ctx, const struct question *a, struct find *f, struct job *j)
{
	struct series_part *p = ctx;

	(void)a;
	(void)j; /* f has it */
	p->status = series_flows_kept(f, &p->w);
}

static bool
add_live(void *ctx, const struct question *a, const struct engine *e, const struct live_flow *r)
{
	struct series_part *p = ctx;
	struct part_flow shown;

	part_show(&a->v, &e->live, r, &shown);
	series_flows_add(&p->w, &shown.f);
	return p->w.added <= p->most;
}

static uint64_t
cost_of_live(void *ctx)
{
	struct series_part *p = ctx;
	uint64_t since = p->w.added - p->told;

	p->told = p->w.added;
	return since;
}

static bool
has_traffic(const struct series_value *v)
{
	return (v->in_bytes | v->out_bytes | v->in_packets | v->out_packets) != 0;
}

/* Neither the busiest second nor how many flows were active at a time is known. */
static void
put_points(struct question *a, const struct series_part *p)
{
	for (uint32_t i = 0; i < p->w.n; i++) {
		const struct series_value *v = &p->w.bucket[i];
		const struct series_point point = { .time_s = p->w.from_s + (int64_t)i * p->w.resolution_s,
						    .sum = *v,
						    .bytes = sum_sat(v->in_bytes, v->out_bytes),
						    .packets = sum_sat(v->in_packets, v->out_packets) };

		if (has_traffic(v))
			ask_put_series_point(a, &point, p->w.resolution_s);
	}
}

static void
put_percentile(struct question *a, const struct series_part *p)
{
	struct series_percentile found;

	series_percentile_of(p->w.bucket, p->w.n, p->w.n, a->q.percent, &found);
	ask_put_percentile(a, &found, &p->range, 0);
}

static void
answer(struct store *s, struct question *a, void *ctx)
{
	struct series_part *p = ctx;

	if (p->w.added > p->most) {
		ask_stopped(s, a, JOB_COSTLY);
	} else if (a->q.percent != 0) {
		put_percentile(a, p);
	} else {
		put_points(a, p);
		if (p->range.to_s < p->to_s)
			ask_end_series_page(s, a, p->range.to_s, p->range.resolution_s);
		else
			ask_end(a);
	}
	drop(p);
}

static void
look_through_live(struct store *s, struct question *a, void *ctx, enum job_end end)
{
	static const struct ask_walk walk = {
		.row = add_live, .cost = cost_of_live, .answer = answer, .drop = drop
	};
	struct series_part *p = ctx;

	if (end != JOB_DONE) {
		ask_stopped(s, a, end);
	} else if (p->status != DB_OK) {
		ask_history_end(a, p->status);
	} else {
		p->holds++;
		p->told = p->w.added;
		p->most = sum_sat(p->w.added, (uint64_t)s->boot->settings.query_rows);
		ask_walk(s, a, &walk, p);
	}
}

void
ask_series_of_flows(struct store *s, struct question *a, const struct series_id *id,
		    const struct series_range *r)
{
	static const struct ask_work work = { JOB_HISTORY, look_through_kept, look_through_live, drop };
	static const struct series_id none;
	const int64_t longest_ns = s->boot->settings.active_timeout_ms * NS_PER_MS + LATE_NS;
	struct series_part *p = mem_calloc(1, sizeof(*p));

	*p = (struct series_part){ .holds = 1, .range = *r, .to_s = r->to_s, .status = DB_OK };
	/* A page is a stretch of time, whatever is in it: looking for its points alone is looking once. */
	if (a->q.percent == 0 && series_range_buckets(r) > a->limit)
		p->range.to_s = r->from_s + (int64_t)a->limit * r->resolution_s;
	series_flows_begin(&p->w, &a->v, id == NULL ? &none : id, p->range.from_s, p->range.to_s,
			   r->resolution_s, longest_ns);
	p->w.nothing = id == NULL;
	ask_work(s, a, &work, p);
}
