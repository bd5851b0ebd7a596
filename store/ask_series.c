/* Questions about series. */
#include <stdlib.h>
#include <string.h>

#include "as_names.h"
#include "ask_series.h"
#include "base/clock.h"
#include "base/mem.h"
#include "mask.h"
#include "minutes.h"
#include "sum.h"
#include "watched.h"
#include "whose.h"

#define POINTS_MAX  98000 /* of a question, in one range */
#define POINTS_FEW  1500  /* ... and chunks, that the loop reads itself: in less than half a millisecond */
#define CHUNKS_FEW  4
#define STRETCH_MAX 98000 /* points of what is kept, read at a time */
#define STRETCH_FEW 1000  /* buckets: fewer are not worth a look by themselves, whatever the page shows */
#define LATEST_S    (INT64_MAX / NS_PER_S - 3 * 86400) /* behind it a bucket and a slice still have times */

void
ask_put_series_point(struct question *a, const struct series_point *p, uint32_t resolution_s)
{
	struct row_series r = { .time_ns = p->time_s * NS_PER_S,
				.resolution_s = resolution_s,
				.bytes = p->bytes,
				.packets = p->packets,
				.bytes_max = p->bytes_max,
				.packets_max = p->packets_max,
				.flows_max = p->flows_max,
				.finest_s = p->finest_s,
				.in_bytes = p->sum.in_bytes,
				.out_bytes = p->sum.out_bytes,
				.in_packets = p->sum.in_packets,
				.out_packets = p->sum.out_packets };

	answer_row(&a->out);
	answer_put(&a->out, &r, sizeof(r));
	answer_row_end(&a->out);
}

void
ask_put_percentile(struct question *a, const struct series_percentile *p, const struct series_range *r,
		   uint32_t finest_s)
{
	struct row_series row = { .time_ns = r->from_s * NS_PER_S,
				  .resolution_s = r->resolution_s,
				  .finest_s = finest_s,
				  .bytes = p->bytes,
				  .packets = p->buckets,
				  .in_bytes = p->in_bytes,
				  .out_bytes = p->out_bytes };

	answer_row(&a->out);
	answer_put(&a->out, &row, sizeof(row));
	answer_row_end(&a->out);
	ask_end(a);
}

/* The resolution is the page's where the question leaves it to store: what is finest changes with time. */
void
ask_end_series_page(struct store *s, struct question *a, int64_t next_s, uint32_t resolution_s)
{
	struct topk_entry at = { .value = (uint64_t)next_s, .ref = { resolution_s, 0 } };

	ask_end_page(s, a, ASK_SERIES | PAGE_HISTORY, &at);
}

/* All others are kept by the minute. */
static bool
is_by_second(const struct store *s, const struct series_id *id)
{
	return id->subject == SERIES_TENANT || id->subject == SERIES_POINT ||
	       id->subject == SERIES_APPLICATION || id->subject == SERIES_EXPORTER_INTERFACE ||
	       watched_has(s, id);
}

static const uint32_t resolutions[] = { 1, 60, 300, 3600, 86400 };

/* How long points are kept of the resolution that those of this one are made of: for the tenant. */
static int64_t
kept_s(const struct store *s, const struct view *v, uint32_t resolution_s)
{
	const struct settings *set = &s->boot->settings;
	const int64_t keep_ms[] = { set->keep_seconds_ms, set->keep_minutes_ms, set->keep_five_minutes_ms,
				    set->keep_hours_ms, set->keep_days_ms };
	size_t i = ARRAY_LEN(resolutions) - 1;

	while (i > 0 && resolution_s % resolutions[i] != 0)
		i--;
	return whose_keep_s(v->platform || v->policy == NULL ? NULL : snapshot_tenant(v->policy, v->tenant),
			    (unsigned)i, keep_ms[i] / 1000);
}

/* The finest resolution that covers the range within the limit of points and is kept for so long; of flows
 * that are kept it is what their slices allow. */
static uint32_t
resolution_for(const struct store *s, const struct question *a, const struct series_id *id, int64_t from_s,
	       int64_t to_s, bool of_flows)
{
	int64_t age_s = a->v.now_ns / NS_PER_S - from_s;

	for (unsigned i = is_by_second(s, id) && !of_flows ? 0 : 1; i + 1 < ARRAY_LEN(resolutions); i++)
		if ((to_s - from_s) / resolutions[i] <= (int64_t)a->limit &&
		    (of_flows || age_s <= kept_s(s, &a->v, resolutions[i])))
			return resolutions[i];
	return resolutions[ARRAY_LEN(resolutions) - 1];
}

/* --- what the viewer may see
 * -----------------------------------------------------------------------------------------------
 */

enum sees { SEES_NONE, SEES_PART, SEES_ALL };

static enum sees
part_of_point(const struct store *s, const struct view *v, uint32_t id)
{
	uint32_t point = points_index(&s->points, id);
	enum narrowed_part part = point == POINT_NONE ? NARROWED_NONE : view_part(v, point);

	return part == NARROWED_NONE ? SEES_NONE : part == NARROWED_SOME ? SEES_PART : SEES_ALL;
}

/* Some points, each of them whole: their series can be added up. */
static enum sees
part_of_tenant(const struct store *s, const struct view *v)
{
	for (uint32_t i = 0; v->nnarrowed > 0 && i < s->points.n; i++)
		if (view_part(v, i) == NARROWED_SOME)
			return SEES_PART;
	return SEES_ALL;
}

static bool
holds(const struct narrowed *n, const struct series_id *id)
{
	const struct ip_prefix one = { id->ip, 128 }, network = { id->ip, (uint8_t)id->number };
	const struct exporter_ref e = { .ip = id->ip,
					.has_interface = id->subject == SERIES_EXPORTER_INTERFACE,
					.interface = id->number };

	if (id->number == SERIES_OTHER)
		return false;
	switch (id->subject) {
	case SERIES_HOST:
		return narrowed_holds(n, &one);
	case SERIES_NETWORK:
		return narrowed_holds(n, &network);
	case SERIES_EXPORTER:
	case SERIES_EXPORTER_INTERFACE:
		return narrowed_holds_exporter(n, &e);
	default:
		return false;
	}
}

/* Whether store ran is nobody's secret: without it nobody can tell silence from a gap. */
static bool
tells_running(const struct store *s, const struct series_id *id)
{
	return id->subject == SERIES_WEIR && id->number != 0 &&
	       id->number == names_find(s->names, NAME_PLACE, MINUTES_RUNNING, strlen(MINUTES_RUNNING));
}

/* Series are kept of the tenant as a whole: who sees a part of it gets those of which every flow is in that
 * part. Where remote ends are hidden, so is what tells where they are. */
static enum sees
part_of(const struct store *s, const struct view *v, const struct series_id *id)
{
	switch (id->subject) {
	case SERIES_TENANT:
		return part_of_tenant(s, v);
	case SERIES_POINT:
		return part_of_point(s, v, id->number);
	case SERIES_WEIR:
		return v->sees_platform || tells_running(s, id) ? SEES_ALL : SEES_NONE;
	case SERIES_AS:
	case SERIES_COUNTRY:
		if (v->masked)
			return SEES_PART;
		break;
	case SERIES_HOST:
		if (id->number != SERIES_OTHER && mask_hides(v, &id->ip))
			return SEES_NONE;
		break;
	default:
		break;
	}
	for (uint32_t i = 0; i < v->nnarrowed; i++)
		if (!holds(v->narrowed[i], id))
			return SEES_PART;
	return SEES_ALL;
}

/* The series of a point: of all its frames where the viewer owns it, else of the tenant's. */
static struct series_key
point_series(struct store *s, const struct view *v, uint32_t point)
{
	return (struct series_key){ view_owns_point(s, v, point) ? TENANT_PLATFORM : v->tenant, SERIES_POINT,
				    s->points.point[point].boot->id };
}

/* What is asked for. False: it names nothing that there could be. */
static bool
id_of(const struct store *s, const struct question *a, struct series_id *id)
{
	char key[sizeof(a->q.key) + 1] = "";

	*id = (struct series_id){ .tenant = a->v.tenant, .subject = a->q.subject };
	if (id->subject == SERIES_POINT)
		id->number = a->q.point;
	if (id->subject == SERIES_POINT || id->subject == SERIES_TENANT)
		return true; /* neither has a key */
	memcpy(key, a->q.key, a->q.key_len);
	if (!series_id_parse(s->names, key, id))
		return false;
	if (tells_running(s, id))
		id->tenant = TENANT_PLATFORM;
	if (id->subject == SERIES_HOST && id->number != SERIES_OTHER) {
		id->space = a->q.space;
		id->number = a->q.vlan;
	}
	return true;
}

/* The key of its series. False: there is none. */
static bool
key_of(struct store *s, const struct question *a, const struct series_id *id, struct series_key *k)
{
	const struct series_entry *e;

	*k = (struct series_key){ id->tenant, id->subject, id->number };
	if (id->subject == SERIES_POINT)
		*k = point_series(s, &a->v, points_index(&s->points, id->number));
	if (!series_id_is_numbered(id))
		return true;
	e = series_book_find(s->book, id);
	if (e == NULL)
		return false;
	*k = series_entry_key(e);
	return true;
}

/* Whether the viewer has it, also where it was silent: what others have is as silent as what is nowhere. */
static bool
is_there(struct store *s, const struct view *v, const struct series_id *id)
{
	uint32_t point;

	switch (id->subject) {
	case SERIES_TENANT:
		return true;
	case SERIES_POINT:
		point = points_index(&s->points, id->number);
		return point != POINT_NONE && view_sees_point(s, v, point);
	default:
		return series_book_find(s->book, id) != NULL;
	}
}

/* --- what is kept of it
 * -----------------------------------------------------------------------------------------------------------
 */

/* A series, or several together: the tenant's for who sees some of its points whole. */
struct plot {
	struct history *h;
	struct series_key *key;
	uint32_t nkeys;
	struct series_range range;
	uint32_t percent, most; /* points, at most; of a percentile all of them */
	bool there;             /* is_there */
	/* What is found. */
	struct series_point *point;
	struct series_value *value; /* percent != 0 */
	uint32_t n;
	int64_t next_s; /* where the next page begins; 0: there is none */
	struct series_percentile percentile;
	enum db_status status;
};

static void
drop_plot(void *ctx)
{
	struct plot *l = ctx;

	free(l->key);
	free(l->point);
	free(l->value);
	free(l);
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
	b->finest_s = p->finest_s;
	series_value_add(&b->sum, &p->sum);
	return true;
}

/* Takes what has traffic, until there is enough. */
static void
take_pile(struct plot *l, const struct pile *h)
{
	for (size_t i = 0; i < h->n && l->n < l->most; i++) {
		if (h->bucket[i].finest_s == 0)
			continue;
		if (l->percent != 0)
			l->value[l->n] = h->bucket[i].sum;
		else
			l->point[l->n] = h->bucket[i];
		if (++l->n == l->most && l->percent == 0)
			l->next_s = h->bucket[i].time_s + h->resolution_s;
	}
}

/* A stretch of time after the other, so that a page costs what it shows. */
static void
find_plot(void *ctx, const struct question *a, struct find *f, struct job *j)
{
	struct plot *l = ctx;
	const struct series_range *r = &l->range;
	struct pile h = { .resolution_s = r->resolution_s };
	uint32_t most = series_points_of(1, r->resolution_s);

	(void)a;
	(void)f;
	most = most >= STRETCH_MAX ? 1 : STRETCH_MAX / most;
	if (most > l->most && most > STRETCH_FEW)
		most = l->most > STRETCH_FEW ? l->most : STRETCH_FEW;
	h.bucket = mem_calloc(most, sizeof(*h.bucket));
	if (l->percent != 0)
		l->value = mem_calloc(l->most, sizeof(*l->value));
	else
		l->point = mem_calloc(l->most, sizeof(*l->point));
	for (h.from_s = r->from_s; h.from_s < r->to_s && l->n < l->most && !job_should_stop(j);
	     h.from_s += (int64_t)h.n * r->resolution_s) {
		int64_t left = (r->to_s - h.from_s + r->resolution_s - 1) / r->resolution_s;

		h.n = left < most ? (size_t)left : most;
		memset(h.bucket, 0, h.n * sizeof(*h.bucket));
		for (uint32_t i = 0; i < l->nkeys && l->status == DB_OK; i++)
			l->status = history_series(l->h, &l->key[i], r->resolution_s, h.from_s,
						   h.from_s + (int64_t)h.n * r->resolution_s, pile_add, &h);
		take_pile(l, &h);
	}
	free(h.bucket);
	if (l->percent != 0)
		series_percentile_of(l->value, l->n, series_range_buckets(r), l->percent, &l->percentile);
}

static void
answer_plot(struct store *s, struct question *a, void *ctx, enum job_end end)
{
	const struct plot *l = ctx;

	if (end != JOB_DONE) {
		ask_stopped(s, a, end);
	} else if (l->status != DB_OK) {
		ask_history_end(a, l->status);
	} else if (l->percent != 0 && l->n == 0 && !l->there) {
		ask_end(a);
	} else if (l->percent != 0) {
		ask_put_percentile(a, &l->percentile, &l->range, 60);
	} else {
		for (uint32_t i = 0; i < l->n; i++)
			ask_put_series_point(a, &l->point[i], l->range.resolution_s);
		if (l->next_s != 0)
			ask_end_series_page(s, a, l->next_s, l->range.resolution_s);
		else
			ask_end(a);
	}
}

/* Whether it takes less time than handing it over does: all of the range, of which as much is looked through
 * as it takes to find a page's points. */
static bool
is_short(const struct plot *l)
{
	uint64_t buckets = series_range_buckets(&l->range);
	uint32_t points = series_points_of(1, l->range.resolution_s),
		 chunk = series_chunk_points(l->range.resolution_s);

	return buckets * points * l->nkeys <= POINTS_FEW &&
	       (buckets * points / chunk + 1) * l->nkeys <= CHUNKS_FEW;
}

static void
ask_plot(struct store *s, struct question *a, const struct series_id *id, const struct series_range *r,
	 struct series_key *key, uint32_t nkeys)
{
	static const struct ask_work work = { JOB_LIVE, find_plot, answer_plot, drop_plot };
	struct plot *l = mem_calloc(1, sizeof(*l));

	*l = (struct plot){ .h = s->history,
			    .key = key,
			    .nkeys = nkeys,
			    .range = *r,
			    .percent = a->q.percent,
			    .there = is_there(s, &a->v, id),
			    .most = a->limit,
			    .status = DB_OK };
	if (l->percent != 0)
		l->most = (uint32_t)series_range_buckets(r);
	if (!is_short(l)) {
		ask_work(s, a, &work, l);
		return;
	}
	find_plot(l, a, NULL, NULL);
	answer_plot(s, a, l, JOB_DONE);
	drop_plot(l);
}

/* The keys of its series; *n 0: there is none. The caller frees them. */
static struct series_key *
keys_of(struct store *s, const struct question *a, const struct series_id *id, uint32_t *n)
{
	const bool points = a->v.nnarrowed > 0 && id->subject == SERIES_TENANT;
	struct series_key *key = mem_calloc(points ? s->points.n + 1 : 1, sizeof(*key));

	*n = 0;
	if (!points)
		*n = key_of(s, a, id, &key[0]) ? 1 : 0;
	for (uint32_t i = 0; points && i < s->points.n; i++)
		if (view_sees_point(s, &a->v, i))
			key[(*n)++] = point_series(s, &a->v, i);
	return key;
}

/* --- the question
 * ------------------------------------------------------------------------------------------------------------
 */

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
kept_since(const struct store *s, const struct question *a, uint32_t resolution_s, bool of_flows)
{
	if ((s->boot->flags & BOOT_ANALYZE) != 0)
		return 0;
	return later(a->v.now_ns / NS_PER_S -
			 (of_flows ? s->boot->settings.keep_flows_ms / 1000 : kept_s(s, &a->v, resolution_s)),
		     0);
}

/* What flows can tell a part: all but what they do not have (seconds), what is hidden, and the sum of what
 * found no room, of which a part has none of its own. */
static bool
flows_tell(const struct view *v, const struct series_id *id, uint32_t resolution_s)
{
	return id->number != SERIES_OTHER && resolution_s >= 60 &&
	       !(v->masked && (id->subject == SERIES_AS || id->subject == SERIES_COUNTRY));
}

/* What is asked for, in whole buckets. False: that is too much. */
static bool
range_of(const struct store *s, const struct question *a, const struct series_id *id, bool of_flows,
	 struct series_range *r)
{
	int64_t from_s = second_from(a->q.from_ns);

	r->to_s = a->q.to_ns == 0 ? a->v.now_ns / NS_PER_S + 1 : second_from(a->q.to_ns);
	r->to_s = r->to_s < LATEST_S ? r->to_s : LATEST_S;
	r->resolution_s = a->q.resolution_s;
	if (r->resolution_s == 0)
		r->resolution_s =
		    a->has_page ? a->page.at.ref[0] : resolution_for(s, a, id, from_s, r->to_s, of_flows);
	if (r->resolution_s == 0)
		return false; /* the page of a question that said it */
	/* The bucket that holds from begins before it; what is older than is kept need not be looked for. */
	r->from_s =
	    later(from_s, later(kept_since(s, a, r->resolution_s, of_flows), a->v.since_ns / NS_PER_S));
	r->from_s -= r->from_s % r->resolution_s;
	if (r->from_s < r->to_s && series_range_buckets(r) > POINTS_MAX)
		return false;
	/* Of another question it may be older than all that is asked for here. */
	if (a->has_page)
		r->from_s = later(r->from_s, (int64_t)a->page.at.value);
	/* Of buckets that are over. */
	if (a->q.percent != 0 && r->to_s > a->v.now_ns / NS_PER_S)
		r->to_s = a->v.now_ns / NS_PER_S / r->resolution_s * r->resolution_s;
	return true;
}

void
ask_series(struct store *s, struct question *a)
{
	struct series_range r;
	struct series_key *key;
	struct series_id id;
	uint32_t nkeys;
	bool named = id_of(s, a, &id);
	/* First: whether there is such a name is nothing that a part may tell. */
	enum sees sees = part_of(s, &a->v, &id);

	if ((a->has_page && a->page.kind != (ASK_SERIES | PAGE_HISTORY)) ||
	    !range_of(s, a, &id, sees == SEES_PART, &r)) {
		answer_end(&a->out, ANSWER_BAD_QUESTION, NULL, 0);
	} else if (sees == SEES_PART && !flows_tell(&a->v, &id, r.resolution_s)) {
		answer_end(&a->out, ANSWER_NARROWED, NULL, 0);
	} else if (sees == SEES_NONE || r.from_s >= r.to_s) {
		ask_end(a);
	} else if (sees == SEES_PART) {
		ask_series_of_flows(s, a, named ? &id : NULL, &r);
	} else if (key = keys_of(s, a, &id, &nkeys), named && nkeys > 0) {
		ask_plot(s, a, &id, &r, key, nkeys);
	} else {
		free(key);
		ask_end(a);
	}
}

/* --- what there is
 * ----------------------------------------------------------------------------------------------------------
 */

static uint64_t
list_value(const struct question *a, const struct series_entry *e)
{
	const struct series_value *v = &e->total;

	return a->q.sort == SORT_PACKETS ? sum_sat(v->in_packets, v->out_packets)
					 : sum_sat(v->in_bytes, v->out_bytes);
}

void
ask_series_tie(const struct series_id *id, const char *text, uint8_t tie[static TOPK_TIE])
{
	if (series_id_is_numbered(id)) { /* texts of addresses are longer than a tie */
		memcpy(tie, id->ip.b, sizeof(id->ip.b));
		memcpy(tie + sizeof(id->ip.b), &id->space, sizeof(id->space));
		memcpy(tie + sizeof(id->ip.b) + sizeof(id->space), &id->number, sizeof(id->number));
	} else {
		memcpy(tie, text, strnlen(text, TOPK_TIE));
	}
}
static_assert(TOPK_TIE == sizeof(struct ip_addr) + 2 * sizeof(uint32_t), "what has an address is told by it");

/* Since this store started its traffic has told of it, as all others' does: whether a name is there must not
 * tell that somebody else has been talking to it. */
const char *
ask_as_name(struct store *s, const struct view *v, uint32_t number, uint8_t *len)
{
	const struct series_id id = { .tenant = v->tenant, .subject = SERIES_AS, .number = number };
	const struct series_entry *e = v->platform ? NULL : series_book_find(s->book, &id);

	*len = 0;
	if (e != NULL && sum_sat(e->total.in_packets, e->total.out_packets) == 0)
		return NULL;
	return as_names_text(s->as_names, number, len);
}

void
ask_put_series_of(struct store *s, struct question *a, const struct series_id *id, struct row_series_of *r)
{
	const char *name = NULL;
	char text[SERIES_TEXT_MAX];
	uint8_t name_len = 0;

	r->key_len = (uint16_t)strlen(series_id_text(s->names, id, text));
	if (id->subject == SERIES_AS)
		name = ask_as_name(s, &a->v, id->number, &name_len);
	r->name_len = name_len;
	answer_row(&a->out);
	answer_put(&a->out, r, sizeof(*r));
	answer_put(&a->out, text, r->key_len);
	answer_put(&a->out, name, r->name_len);
	answer_row_end(&a->out);
}

static void
put_entry(struct store *s, struct question *a, const struct series_entry *e)
{
	const struct series_pace pace = series_entry_pace(e, minutes_now(s));
	struct row_series_of r = { .in_bytes = e->total.in_bytes,
				   .out_bytes = e->total.out_bytes,
				   .in_packets = e->total.in_packets,
				   .out_packets = e->total.out_packets,
				   .in_bytes_per_s = pace.in_bytes,
				   .out_bytes_per_s = pace.out_bytes,
				   .last_ns = (int64_t)e->minute * 60 * NS_PER_S,
				   .space = e->id.space };

	if (e->id.subject == SERIES_HOST && e->id.number != SERIES_OTHER)
		r.vlan = (uint16_t)e->id.number;
	ask_put_series_of(s, a, &e->id, &r);
}

static bool
tells_where(const struct question *a)
{
	return a->q.subject == SERIES_AS || a->q.subject == SERIES_COUNTRY;
}

/* None of these is a part's as a whole. */
static bool
is_of_the_whole(const struct question *a)
{
	return tells_where(a) || a->q.subject == SERIES_APPLICATION || a->q.subject == SERIES_CATEGORY;
}

/* What is there when it is looked at may be another series than when the walk began, or none. */
static bool
is_listed(const struct store *s, const struct question *a, const struct series_entry *e)
{
	return e->id.subject == a->q.subject && e->id.tenant == a->v.tenant &&
	       part_of(s, &a->v, &e->id) == SEES_ALL;
}

static void
list_item(void *ctx, struct store *s, const struct question *a, uint32_t item)
{
	const struct series_entry *e = series_book_at(s->book, item);
	struct topk_entry k = { .value = list_value(a, e), .tenant = e->id.tenant, .ref = { item, 0 } };
	struct topk *t = ctx;
	char text[SERIES_TEXT_MAX];

	if (!is_listed(s, a, e) || !topk_wants(t, k.value))
		return;
	ask_series_tie(&e->id, series_id_text(s->names, &e->id, text), k.tie);
	topk_offer(t, &k);
}

static void
answer_list(struct store *s, struct question *a, void *ctx)
{
	struct topk *t = ctx;

	topk_finish(t);
	for (size_t i = 0; i < t->n; i++) {
		const struct series_entry *e = series_book_at(s->book, t->heap[i].ref[0]);

		if (is_listed(s, a, e))
			put_entry(s, a, e);
	}
	ask_list_end(s, a, t);
}

/* There is one series of the tenant, and interfaces have a list of their own. */
void
ask_series_list(struct store *s, struct question *a)
{
	static const struct ask_walk walk = { .item = list_item, .answer = answer_list, .drop = free };
	const uint32_t *all;
	uint32_t n;

	if (ask_wrong_page(a))
		return;
	if (a->q.subject == SERIES_TENANT || a->q.subject == SERIES_POINT) {
		answer_end(&a->out, ANSWER_BAD_QUESTION, NULL, 0);
		return;
	}
	if (a->v.masked && tells_where(a)) {
		answer_end(&a->out, ANSWER_NARROWED, NULL, 0);
		return;
	}
	if (a->v.nnarrowed > 0 && is_of_the_whole(a)) {
		ask_part_sums(s, a);
		return;
	}
	all = series_book_of(s->book, a->v.tenant, &n);
	ask_walk_items(s, a, &walk, all, n, ask_list_begin(a));
}
