/* Questions about series. */
#include <stdlib.h>
#include <string.h>

#include "as_names.h"
#include "ask.h"
#include "base/clock.h"
#include "base/mem.h"
#include "mask.h"
#include "minutes.h"
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
				.flows_max = p->flows_max,
				.finest_s = p->finest_s,
				.in_bytes = p->sum.in_bytes,
				.out_bytes = p->sum.out_bytes,
				.in_packets = p->sum.in_packets,
				.out_packets = p->sum.out_packets };

	answer_row(&l->a->out);
	answer_put(&l->a->out, &r, sizeof(r));
	answer_row_end(&l->a->out);
	l->last_s = p->time_s;
	l->left--;
	return true;
}

/* All others are kept by the minute. */
static bool
is_by_second(uint32_t subject)
{
	return subject == SERIES_TENANT || subject == SERIES_POINT || subject == SERIES_APPLICATION;
}

static const uint32_t resolutions[] = { 1, 60, 300, 3600, 86400 };

/* How long points are kept of the resolution that those of this one are made of. */
static int64_t
kept_s(const struct store *s, uint32_t resolution_s)
{
	const struct settings *set = &s->boot->settings;
	const int64_t keep_ms[] = { set->keep_seconds_ms, set->keep_minutes_ms, set->keep_five_minutes_ms,
				    set->keep_hours_ms, set->keep_days_ms };
	size_t i = ARRAY_LEN(resolutions) - 1;

	while (i > 0 && resolution_s % resolutions[i] != 0)
		i--;
	return keep_ms[i] / 1000;
}

/* The finest resolution that covers the range within the limit of points and is kept for so long. */
static uint32_t
resolution_for(const struct store *s, const struct question *a, int64_t from_s, int64_t to_s)
{
	int64_t age_s = a->v.now_ns / NS_PER_S - from_s;

	for (unsigned i = is_by_second(a->q.subject) ? 0 : 1; i + 1 < ARRAY_LEN(resolutions); i++)
		if ((to_s - from_s) / resolutions[i] <= (int64_t)a->limit &&
		    age_s <= kept_s(s, resolutions[i]))
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
		return v->sees_platform ? SEES_ALL : SEES_NONE;
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
	if ((s->boot->flags & BOOT_ANALYZE) != 0)
		return 0;
	return later(a->v.now_ns / NS_PER_S - kept_s(s, resolution_s), 0);
}

/* Of buckets that are over. */
static void
put_percentile(struct store *s, struct question *a, const struct series_key *k, uint32_t resolution_s,
	       int64_t from_s, int64_t to_s)
{
	int64_t over_s = a->v.now_ns / NS_PER_S / resolution_s * resolution_s;
	struct series_percentile p;
	enum db_status status;

	to_s = to_s < over_s ? to_s : over_s;
	status = history_series_percentile(s->history, k, resolution_s, from_s, to_s, a->q.percent, &p);
	if (status == DB_OK) {
		struct row_series r = { .time_ns = from_s * NS_PER_S,
					.resolution_s = resolution_s,
					.bytes = p.bytes,
					.packets = p.buckets,
					.in_bytes = p.in_bytes,
					.out_bytes = p.out_bytes };

		answer_row(&a->out);
		answer_put(&a->out, &r, sizeof(r));
		answer_row_end(&a->out);
	}
	ask_history_end(a, status);
}

void
ask_series(struct store *s, struct question *a)
{
	int64_t from_s = second_from(a->q.from_ns);
	int64_t to_s = a->q.to_ns == 0 ? a->v.now_ns / NS_PER_S + 1 : second_from(a->q.to_ns);
	struct plot l = { .a = a, .left = a->limit };
	struct series_id id;
	struct series_key k;
	bool named = id_of(s, a, &id);
	/* First: whether there is such a name is nothing that a part may tell. */
	enum sees sees = part_of(s, &a->v, &id);

	if (a->has_page && a->page.kind != (ASK_SERIES | PAGE_HISTORY)) {
		answer_end(&a->out, ANSWER_BAD_QUESTION, NULL, 0);
		return;
	}
	/* Percentiles of several series cannot be added up. */
	if (sees == SEES_PART || (a->q.percent != 0 && a->v.nnarrowed > 0 && a->q.subject == SERIES_TENANT)) {
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
	/* Of another question it may be older than all that is asked for here. */
	if (a->has_page)
		from_s = later(from_s, (int64_t)a->page.at.value);
	if (!named || sees == SEES_NONE || from_s >= to_s || !key_of(s, a, &id, &k)) {
		ask_end(a);
		return;
	}
	if (a->q.percent != 0) {
		put_percentile(s, a, &k, l.resolution_s, from_s, to_s);
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

/* Never by numbers that tell in which order things came up. */
static void
list_tie(const struct series_id *id, const char *text, uint8_t tie[static TOPK_TIE])
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

static void
put_series_of(struct store *s, struct question *a, const struct series_entry *e)
{
	const struct series_pace pace = series_entry_pace(e, minutes_now(s));
	const char *name = NULL;
	char text[SERIES_TEXT_MAX];
	uint8_t name_len = 0;
	struct row_series_of r = { .in_bytes = e->total.in_bytes,
				   .out_bytes = e->total.out_bytes,
				   .in_packets = e->total.in_packets,
				   .out_packets = e->total.out_packets,
				   .in_bytes_per_s = pace.in_bytes,
				   .out_bytes_per_s = pace.out_bytes,
				   .last_ns = (int64_t)e->minute * 60 * NS_PER_S,
				   .space = e->id.space,
				   .key_len = (uint16_t)strlen(series_id_text(s->names, &e->id, text)) };

	if (e->id.subject == SERIES_HOST && e->id.number != SERIES_OTHER)
		r.vlan = (uint16_t)e->id.number;
	if (e->id.subject == SERIES_AS)
		name = as_names_text(s->as_names, e->id.number, &name_len);
	r.name_len = name_len;
	answer_row(&a->out);
	answer_put(&a->out, &r, sizeof(r));
	answer_put(&a->out, text, r.key_len);
	answer_put(&a->out, name, r.name_len);
	answer_row_end(&a->out);
}

/* Nothing of such a list is a part's. */
static bool
is_of_the_whole(const struct question *a)
{
	bool where = a->q.subject == SERIES_AS || a->q.subject == SERIES_COUNTRY;

	return (where && a->v.masked) ||
	       (a->v.nnarrowed > 0 &&
		(where || a->q.subject == SERIES_APPLICATION || a->q.subject == SERIES_CATEGORY));
}

/* There is one series of the tenant, and interfaces have a list of their own. */
void
ask_series_list(struct store *s, struct question *a)
{
	const struct series_entry *e;
	char text[SERIES_TEXT_MAX];
	uint32_t at = 0;

	if (ask_wrong_page(a))
		return;
	if (a->q.subject == SERIES_TENANT || a->q.subject == SERIES_POINT) {
		answer_end(&a->out, ANSWER_BAD_QUESTION, NULL, 0);
		return;
	}
	if (is_of_the_whole(a)) {
		answer_end(&a->out, ANSWER_NARROWED, NULL, 0);
		return;
	}

	struct topk *t = ask_list_begin(a);

	while ((e = series_book_next(s->book, a->v.tenant, &at)) != NULL) {
		struct topk_entry k = { .value = list_value(a, e), .tenant = e->id.tenant, .ref = { at, 0 } };

		if (e->id.subject != a->q.subject || part_of(s, &a->v, &e->id) != SEES_ALL ||
		    !topk_wants(t, k.value))
			continue;
		list_tie(&e->id, series_id_text(s->names, &e->id, text), k.tie);
		topk_offer(t, &k);
	}
	topk_finish(t);
	for (size_t n = 0; n < t->n; n++)
		put_series_of(s, a, series_book_at(s->book, t->heap[n].ref[0]));
	ask_list_end(s, a, t);
}
