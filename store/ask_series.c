/* Questions about series. */
#include <stdlib.h>

#include "ask.h"
#include "base/clock.h"
#include "base/mem.h"
#include "sum.h"

#define POINTS_MAX 98000 /* of a series, in one range: what 4096 chunks of any resolution hold */

struct plot {
	struct question *a;
	uint32_t resolution_s;
	unsigned left;
	int64_t last_s;
};

static bool
put_series_point(void *ctx, const struct series_point *p)
{
	struct plot *l = ctx;

	if (l->left == 0)
		return false;

	struct row_series r = { .time_ns = p->time_s * NS_PER_S,
				.resolution_s = l->resolution_s,
				.bytes = p->bytes,
				.packets = p->packets,
				.bytes_max = p->bytes_max,
				.packets_max = p->packets_max,
				.flows_max = p->flows_max };

	answer_row(&l->a->out);
	answer_put(&l->a->out, &r, sizeof(r));
	answer_row_end(&l->a->out);
	l->last_s = p->time_s;
	l->left--;
	return true;
}

/* The finest resolution that covers the range within the limit of points and is kept for so long. */
static uint32_t
resolution_for(const struct store *s, const struct question *a, int64_t from_s, int64_t to_s)
{
	static const uint32_t resolutions[] = { 1, 60, 3600 };
	const struct settings *set = &s->boot->settings;
	const int64_t keep_s[] = { set->keep_seconds_ms / 1000, set->keep_minutes_ms / 1000, INT64_MAX };
	int64_t age_s = a->v.now_ns / NS_PER_S - from_s;

	for (int i = 0; i < 2; i++)
		if ((to_s - from_s) / resolutions[i] <= (int64_t)a->limit && age_s <= keep_s[i])
			return resolutions[i];
	return resolutions[2];
}

/* Whether the viewer sees all of the tenant's traffic that the series sums, or none at all. Series are kept
 * of nothing smaller. */
static bool
series_is_whole(const struct store *s, const struct question *a)
{
	uint32_t point = points_index(&s->points, a->q.point);

	if (a->v.nnarrowed == 0)
		return true;
	if (a->q.subject == SERIES_POINT)
		return point == POINT_NONE || view_part(&a->v, point) != NARROWED_SOME;
	for (uint32_t i = 0; i < s->points.n; i++)
		if (view_part(&a->v, i) == NARROWED_SOME)
			return false;
	return a->q.subject == SERIES_TENANT; /* some points, each of them whole */
}

/* The series of a point: of all its frames where the viewer owns it, else of the tenant's. */
static struct series_key
point_series(struct store *s, const struct view *v, uint32_t point)
{
	return (struct series_key){ view_owns_point(s, v, point) ? TENANT_PLATFORM : v->tenant, SERIES_POINT,
				    s->points.point[point].boot->id };
}

/* What is asked for. False: nothing that the viewer could see. */
static bool
series_of(struct store *s, const struct question *a, struct series_key *k)
{
	uint16_t application;

	*k = (struct series_key){ a->v.tenant, a->q.subject, 0 };
	if (a->q.subject == SERIES_APPLICATION) {
		if (!ask_application(s, a, &application))
			return false;
		k->number = application;
	}
	if (a->q.subject == SERIES_POINT) {
		uint32_t point = points_index(&s->points, a->q.point);

		if (point == POINT_NONE || view_part(&a->v, point) == NARROWED_NONE)
			return false;
		*k = point_series(s, &a->v, point);
	}
	return true;
}

/* Buckets of several series, added up. */
struct pile {
	struct series_point *bucket;
	size_t n;
	int64_t from_s;
	uint32_t resolution_s;
};

static bool
pile_add(void *ctx, const struct series_point *p)
{
	struct pile *h = ctx;
	size_t at = (size_t)((p->time_s - h->from_s) / h->resolution_s);
	struct series_point *b = &h->bucket[at];

	if (p->time_s < h->from_s || at >= h->n)
		return true;
	b->time_s = p->time_s;
	b->bytes = sum_sat(b->bytes, p->bytes);
	b->packets = sum_sat(b->packets, p->packets);
	/* Each one's busiest second, though they may not have been the same. */
	b->bytes_max = sum_sat(b->bytes_max, p->bytes_max);
	b->packets_max = sum_sat(b->packets_max, p->packets_max);
	b->flows_max = sum_sat(b->flows_max, p->flows_max);
	return true;
}

/* The tenant's series for who sees some of its points: theirs together. */
static enum db_status
plot_points(struct store *s, struct plot *l, int64_t from_s, int64_t to_s)
{
	const struct view *v = &l->a->v;
	struct pile h = { .n = (size_t)((to_s - from_s) / l->resolution_s) + 1,
			  .from_s = from_s,
			  .resolution_s = l->resolution_s };
	enum db_status status = DB_OK;

	h.bucket = mem_calloc(h.n, sizeof(*h.bucket));
	for (uint32_t i = 0; i < s->points.n && status == DB_OK; i++) {
		struct series_key k = point_series(s, v, i);

		if (view_sees_point(s, v, i))
			status = history_series(s->history, &k, l->resolution_s, from_s, to_s, pile_add, &h);
	}
	for (size_t i = 0; i < h.n && status == DB_OK; i++)
		if (h.bucket[i].time_s != 0 && !put_series_point(l, &h.bucket[i]))
			break;
	free(h.bucket);
	return status;
}

/* The first second that does not begin before ns. */
static int64_t
second_from(int64_t ns)
{
	return ns / NS_PER_S + (ns % NS_PER_S != 0);
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
kept_since(const struct store *s, const struct question *a, uint32_t resolution_s)
{
	const struct settings *set = &s->boot->settings;
	int64_t keep_ms = resolution_s == 1    ? set->keep_seconds_ms
			  : resolution_s == 60 ? set->keep_minutes_ms
					       : set->keep_hours_ms;

	if ((s->boot->flags & BOOT_ANALYZE) != 0)
		return 0;
	/* A chunk goes when all of it is too old: the longest is a day. */
	return later(a->v.now_ns / NS_PER_S - keep_ms / 1000 - 86400, 0);
}

void
ask_series(struct store *s, struct question *a)
{
	int64_t from_s = second_from(a->q.from_ns);
	int64_t to_s = a->q.to_ns == 0 ? a->v.now_ns / NS_PER_S + 1 : second_from(a->q.to_ns);
	struct plot l = { .a = a, .left = a->limit };
	struct series_key k;

	if (a->has_page && a->page.kind != (ASK_SERIES | PAGE_HISTORY)) {
		answer_end(&a->out, ANSWER_BAD_QUESTION, NULL, 0);
		return;
	}
	if (!series_is_whole(s, a)) {
		answer_end(&a->out, ANSWER_NARROWED, NULL, 0);
		return;
	}
	l.resolution_s = a->q.resolution_s != 0 ? a->q.resolution_s : resolution_for(s, a, from_s, to_s);
	/* The bucket that holds from begins before it; what is older than is kept need not be looked for. */
	from_s = later(from_s, later(kept_since(s, a, l.resolution_s), a->v.since_ns / NS_PER_S));
	from_s -= from_s % l.resolution_s;
	if ((to_s - from_s) / l.resolution_s > POINTS_MAX) {
		answer_end(&a->out, ANSWER_BAD_QUESTION, NULL, 0);
		return;
	}
	if (a->has_page)
		from_s = (int64_t)a->page.at.value;
	if (!series_of(s, a, &k) || from_s >= to_s) {
		ask_end(a);
		return;
	}
	l.last_s = from_s - 1;

	enum db_status status =
	    a->v.nnarrowed > 0 && a->q.subject == SERIES_TENANT
		? plot_points(s, &l, from_s, to_s)
		: history_series(s->history, &k, l.resolution_s, from_s, to_s, put_series_point, &l);

	if (status != DB_OK || l.left > 0) {
		ask_history_end(a, status);
		return;
	}

	struct topk_entry at = { .value = (uint64_t)(l.last_s + l.resolution_s) };

	ask_end_page(s, a, ASK_SERIES | PAGE_HISTORY, &at);
}
