/* Questions about now: observation points, live flows, applications, totals. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/mem.h"
#include "orders.h"
#include "part.h"
#include "sum.h"

/* --- lists
 * ------------------------------------------------------------------------------------------------------------------
 */

struct topk *
ask_list_begin(const struct question *a)
{
	struct topk *t = mem_calloc(1, sizeof(*t));

	topk_begin(t, a->limit, a->q.ascending != 0, a->has_page ? &a->page.at : NULL);
	return t;
}

void
ask_list_end(struct store *s, struct question *a, struct topk *t)
{
	if (t->n > 0 && topk_more(t))
		ask_end_page(s, a, a->q.kind, &t->heap[t->n - 1]);
	else
		ask_end(a);
	free(t);
}

bool
ask_wrong_page(struct question *a)
{
	if (!a->has_page || a->page.kind == a->q.kind)
		return false;
	answer_end(&a->out, ANSWER_BAD_QUESTION, NULL, 0);
	return true;
}

#define LOOKED_MAX 4096u /* rows of an order, for one page: most of them may have ended since it was made */

/* Rows are looked at as they are now: those that went are left out, and a page is in order by what it shows.
 * Where it ended is told by the order that it was made of. It has fewer rows than were asked for where too
 * many went. */
static void
page_of(struct store *s, struct question *a, const struct ask_live_list *l, const struct order *o)
{
	struct topk *t = mem_calloc(1, sizeof(*t));
	struct topk_entry e, last;
	struct order_page p;
	unsigned looked = 0;
	bool more = true;

	order_page(o, live_sort(l->list, a->q.sort), a->q.ascending != 0, a->has_page ? &a->page.at : NULL,
		   &p);
	topk_begin(t, a->limit, a->q.ascending != 0, NULL);
	while (t->n < t->k && looked < LOOKED_MAX && (more = order_next(&p, &e))) {
		last = e;
		looked++;
		if (l->still(s, a, &e))
			topk_offer(t, &e);
	}
	topk_finish(t);
	for (size_t i = 0; i < t->n; i++)
		l->put(s, a, &t->heap[i]);
	if (looked > 0 && more && order_next(&p, &e))
		ask_end_page(s, a, a->q.kind, &last);
	else
		ask_end(a);
	free(t);
}

bool
ask_ordered(struct store *s, struct question *a, const struct ask_live_list *l)
{
	const struct order *o;

	if (!orders_are_for(&a->v, l->list))
		return false;
	switch (orders_find(s, &a->v, l->list, live_sort(l->list, a->q.sort), &o)) {
	case ORDER_READY:
		page_of(s, a, l, o);
		return true;
	case ORDER_SOON:
		a->park = true;
		return true;
	default:
		return false;
	}
}

/* --- points and totals
 * -------------------------------------------------------------------------------------------------------- */

static uint64_t
dropped_at(const struct store *s, uint32_t point)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < s->nengines; i++)
		for (uint32_t d = 0; d < s->engine[i].ndrops; d++)
			if (s->engine[i].drop[d].is_loss && s->engine[i].drop[d].point == point)
				n = sum_sat(n,
					    sum_sat(s->engine[i].drop[d].before, s->engine[i].drop[d].last));
	return n;
}

/* Up where one worker sees it; ended once every worker came to the end of the file. */
static uint32_t
state_of(const struct store *s, uint32_t point)
{
	unsigned up = 0, ended = 0;

	for (unsigned i = 0; i < s->nengines; i++) {
		up += s->engine[i].progress[point].state == POINT_UP;
		ended += s->engine[i].progress[point].state == POINT_ENDED;
	}
	if (up > 0)
		return POINT_UP;
	return ended == s->nengines && ended > 0 ? POINT_ENDED : POINT_DOWN;
}

static uint32_t
hosts_at_point(const struct store *s, uint32_t point)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < s->nengines; i++)
		n += s->engine[i].progress[point].hosts_active;
	return n;
}

/* The sums of what is seen, where that is a part. */
struct parts {
	struct subject point[BOOT_POINTS_MAX];
	struct part_hosts hosts;
};

static void
parts_drop(void *ctx)
{
	struct parts *p = ctx;

	if (p != NULL)
		free(p->hosts.mark);
	free(p);
}

static bool
parts_add(void *ctx, const struct question *a, const struct engine *e, const struct live_flow *r)
{
	struct parts *parts = ctx;
	struct part_flow p;

	part_show(&a->v, &e->live, r, &p);
	part_add(&parts->point[p.point], &a->v, &p);
	part_hosts_add(&parts->hosts, &p);
	return true;
}

/* What the viewer gets of a point, or NULL: there is none for it. parts: of who sees parts of points. */
static const struct subject *
shown(struct store *s, const struct view *v, uint32_t i, const struct parts *parts)
{
	if (!view_sees_point(s, v, i))
		return NULL;
	if (view_part(v, i) == NARROWED_SOME)
		return parts != NULL && parts->point[i].flows > 0 ? &parts->point[i] : NULL;
	if (view_owns_point(s, v, i))
		return subjects_at(s->subjects, s->points.point[i].subject);
	return subjects_find(s->subjects, v->tenant, SERIES_POINT, s->points.point[i].boot->id);
}

/* What the launcher said of the process that has the interface. */
static uint64_t
speed_of(const struct store *s, uint32_t point)
{
	const struct wire_component *c = components_find(&s->components, PROC_CAPTURE, point);

	return c == NULL ? 0 : c->speed_bps;
}

static void
point_row(struct store *s, const struct view *v, uint32_t i, const struct subject *u, struct row_point *r)
{
	const struct point *p = &s->points.point[i];
	bool owns = view_owns_point(s, v, i);
	int64_t second = view_point_second(s, v, i);

	*r = (struct row_point){
		.id = p->boot->id, .space = p->boot->space, .kind = p->boot->kind, .state = state_of(s, i)
	};
	str_copy(r->name, sizeof(r->name), p->boot->name);
	r->bytes = owns ? p->bytes : u->bytes;
	r->packets = owns ? p->packets : u->packets;
	r->bytes_per_s = rate_at(owns ? &p->rate : &u->rate, second, 0);
	r->packets_per_s = rate_at(owns ? &p->rate : &u->rate, second, 1);
	r->dropped = owns ? dropped_at(s, i) : 0;
	r->flows = u->flows_active;
	r->hosts = owns ? hosts_at_point(s, i) : 0;
	r->first_ns = owns ? p->first_ns : u->first_ns;
	r->last_ns = owns ? p->last_ns : u->last_ns;
	/* Who sees a part of its traffic would take what is left for free. */
	r->speed_bps = owns ? speed_of(s, i) : 0;
}

/* parts: NULL where all is seen. */
static void
answer_points(struct store *s, struct question *a, void *parts)
{
	struct row_point r;

	for (uint32_t i = 0; i < s->points.n; i++) {
		const struct subject *u = shown(s, &a->v, i, parts);

		if (u == NULL || (a->q.point != ANY_POINT && a->q.point != s->points.point[i].boot->id))
			continue;
		point_row(s, &a->v, i, u, &r);
		answer_row(&a->out);
		answer_put(&a->out, &r, sizeof(r));
		answer_row_end(&a->out);
	}
	ask_end(a);
	parts_drop(parts);
}

void
ask_points(struct store *s, struct question *a)
{
	static const struct ask_walk walk = { .row = parts_add, .answer = answer_points, .drop = parts_drop };

	if (a->v.nnarrowed == 0)
		answer_points(s, a, NULL);
	else
		ask_walk(s, a, &walk, mem_calloc(1, sizeof(struct parts)));
}

static uint64_t
undecoded_at(const struct point *p)
{
	uint64_t n = 0;

	for (int i = 0; i < NAMES_UNDECODED_MAX; i++)
		n = sum_sat(n, p->undecoded[i]);
	return n;
}

static void
total_add_point(struct store *s, const struct view *v, uint32_t i, const struct subject *u,
		struct row_totals *t)
{
	bool owns = view_owns_point(s, v, i), truncated = false;
	struct row_point r;

	point_row(s, v, i, u, &r);
	if (v->nnarrowed > 0) {
		t->flows += r.flows;
		t->flows_seen += u->flows;
	}
	t->points++;
	t->points_ended += r.state == POINT_ENDED;
	t->packets = sum_sat(t->packets, r.packets);
	t->bytes = sum_sat(t->bytes, r.bytes);
	t->bytes_per_s = sum_sat(t->bytes_per_s, r.bytes_per_s);
	t->packets_per_s = sum_sat(t->packets_per_s, r.packets_per_s);
	t->dropped = sum_sat(t->dropped, r.dropped);
	t->undecoded = sum_sat(t->undecoded, owns ? undecoded_at(&s->points.point[i]) : 0);
	for (unsigned e = 0; owns && e < s->nengines; e++) {
		const struct progress *g = &s->engine[e].progress[i];

		t->captured = sum_sat(t->captured, g->captured);
		truncated |= g->truncated;
	}
	t->truncated_files += truncated;
}

static void
answer_totals(struct store *s, struct question *a, void *ctx)
{
	const struct parts *parts = ctx;
	const struct subject *u = a->v.platform ? subjects_at(s->subjects, s->platform_total)
						: subjects_find(s->subjects, a->v.tenant, SERIES_TENANT, 0);
	struct row_totals t = { 0 };

	for (uint32_t i = 0; i < s->points.n; i++) {
		const struct subject *p = shown(s, &a->v, i, parts);

		if (p == NULL)
			continue;
		total_add_point(s, &a->v, i, p, &t);
		t.hosts += a->v.platform && parts == NULL ? hosts_at_point(s, i) : 0;
	}
	t.counted = sum_less(t.packets, t.undecoded);
	if (parts != NULL) {
		t.hosts = parts->hosts.n;
	} else if (u != NULL) {
		t.flows = u->flows_active;
		t.flows_seen = u->flows;
		t.hosts += a->v.platform ? 0 : u->hosts_active;
	}
	if (a->v.sees_platform) {
		t.flows_stored = s->flows_stored;
		t.packets_stored = s->packets_stored;
	}
	if (a->v.platform && parts == NULL) {
		t.dropped = sum_sat(t.dropped, dropped_at(s, POINT_NONE));
		for (enum own_counter i = 0; i < OWN_COUNTER_COUNT; i++)
			if (own_counter_is_loss(i))
				t.dropped = sum_sat(t.dropped, s->counters.n[i]);
	}
	answer_row(&a->out);
	answer_put(&a->out, &t, sizeof(t));
	answer_row_end(&a->out);
	ask_end(a);
	parts_drop(ctx);
}

void
ask_totals(struct store *s, struct question *a)
{
	static const struct ask_walk walk = { .row = parts_add, .answer = answer_totals, .drop = parts_drop };

	if (a->v.nnarrowed == 0)
		answer_totals(s, a, NULL);
	else
		ask_walk(s, a, &walk, mem_calloc(1, sizeof(struct parts)));
}

/* --- live flows
 * ---------------------------------------------------------------------------------------------------------------------
 */

/* What a list of live flows is made with. */
struct flow_list {
	const struct store *s;
	struct topk *t;
	bool has_application;
	uint16_t application;
	bool any; /* nothing is asked that a record has to be looked at for */
};

static void
flow_list_drop(void *ctx)
{
	struct flow_list *l = ctx;

	free(l->t);
	free(l);
}

static bool
is_wanted(const struct flow_list *l, const struct question *a, const struct engine *e,
	  const struct live_flow *r)
{
	char text[FLOW_TEXT_MAX];
	struct rec_flow f;

	live_record(&e->live, r, &l->s->points, &f);
	live_text(&e->live, r, text);
	return ask_wants_flow(a, &f, text, r->stamp.tenant, l->has_application, l->application);
}

static bool
offer_flow(void *ctx, const struct question *a, const struct engine *e, const struct live_flow *r)
{
	struct flow_list *l = ctx;
	struct topk_entry x = { .value =
				    live_flow_value(r, live_sort(LIVE_FLOWS, a->q.sort), a->v.rate_second),
				.ref = { e->index, live_slot(&e->live, r) } };
	struct flow_id id;

	if ((!l->any && !is_wanted(l, a, e, r)) || !topk_wants(l->t, x.value))
		return true;
	id = flow_id_veil(&a->v.id, &r->id);
	live_flow_tie(&id, r->slice, x.tie);
	topk_offer(l->t, &x);
	return true;
}

void
ask_put_live_flow(struct store *s, struct question *a, const struct engine *e, const struct live_flow *r)
{
	const uint64_t rate[2] = { rate_at(&r->rate, a->v.rate_second, 0),
				   rate_at(&r->rate, a->v.rate_second, 1) };
	char text[FLOW_TEXT_MAX];
	struct flow_texts texts;
	struct rec_flow f;

	live_record(&e->live, r, &s->points, &f);
	live_text(&e->live, r, text);
	texts = flow_texts_of(&f, text);
	ask_put_flow(s, a, r->stamp.tenant, &f, &texts, rate);
}

/* The slot may be another flow's by now. */
static bool
is_still_flow(struct store *s, struct question *a, struct topk_entry *x)
{
	const struct live *l = &s->engine[x->ref[0]].live;
	const struct live_flow *r = &l->flow[x->ref[1]];
	struct flow_id id;

	if (!view_sees_flow(&a->v, l, r))
		return false;
	id = flow_id_veil(&a->v.id, &r->id);
	x->value = live_flow_value(r, live_sort(LIVE_FLOWS, a->q.sort), a->v.rate_second);
	return memcmp(id.b, x->tie, sizeof(id.b)) == 0;
}

static void
put_listed_flow(struct store *s, struct question *a, const struct topk_entry *x)
{
	const struct engine *e = &s->engine[x->ref[0]];

	ask_put_live_flow(s, a, e, &e->live.flow[x->ref[1]]);
}

/* What has ended since it was met, and what is in its slot by now, is left out. */
static void
answer_flows(struct store *s, struct question *a, void *ctx)
{
	struct flow_list *l = ctx;
	struct topk *t = l->t;

	topk_finish(t);
	for (size_t i = 0; i < t->n; i++) {
		struct topk_entry x = t->heap[i];

		if (is_still_flow(s, a, &x))
			put_listed_flow(s, a, &x);
	}
	l->t = NULL;
	flow_list_drop(l);
	ask_list_end(s, a, t);
}

void
ask_live_flows(struct store *s, struct question *a)
{
	static const struct ask_live_list list = { LIVE_FLOWS, is_still_flow, put_listed_flow };
	static const struct ask_walk walk = { .row = offer_flow,
					      .answer = answer_flows,
					      .drop = flow_list_drop };
	struct flow_list *l;
	uint16_t application = 0;
	bool any = a->q.key_len == 0 && a->q.point == ANY_POINT && a->q.has_ip == 0 && a->filter == NULL;

	if (ask_wrong_page(a) || (any && a->v.nnarrowed == 0 && ask_ordered(s, a, &list)))
		return;
	if (a->q.key_len > 0 && !ask_application(s, a, &application)) {
		ask_end(a);
		return;
	}
	l = mem_calloc(1, sizeof(*l));
	*l = (struct flow_list){ .s = s,
				 .t = ask_list_begin(a),
				 .has_application = a->q.key_len > 0,
				 .application = application,
				 .any = any };
	ask_walk(s, a, &walk, l);
}

/* --- applications
 * ----------------------------------------------------------------------------------------------------------------------
 */

static uint64_t
application_value(const struct question *a, const struct subject *u)
{
	switch (a->q.sort) {
	case SORT_PACKETS:
		return u->packets;
	case SORT_RATE:
		return rate_at(&u->rate, a->v.rate_second, 0);
	case SORT_FLOWS:
		return u->flows;
	case SORT_FIRST:
		return (uint64_t)u->first_ns;
	case SORT_LAST:
		return (uint64_t)u->last_ns;
	default:
		return u->bytes;
	}
}

static void
put_application(struct store *s, struct question *a, const struct subject *u)
{
	const char *name = ask_application_name(s, (uint16_t)u->key.number);
	const char *category = names_text(s->names, NAME_CATEGORY, u->category);
	struct row_application r = { .bytes = u->bytes,
				     .packets = u->packets,
				     .bytes_per_s = rate_at(&u->rate, a->v.rate_second, 0),
				     .flows = u->flows > UINT32_MAX ? UINT32_MAX : (uint32_t)u->flows,
				     .name_len = (uint16_t)strlen(name),
				     .category_len = (uint16_t)strlen(category) };

	answer_row(&a->out);
	answer_put(&a->out, &r, sizeof(r));
	answer_put(&a->out, name, r.name_len);
	answer_put(&a->out, category, r.category_len);
	answer_row_end(&a->out);
}

/* i: its number in the list that it is of. */
static void
offer_application(struct store *s, struct question *a, struct topk *t, const struct subject *u, uint32_t i)
{
	struct topk_entry e = { .value = application_value(a, u), .ref = { i, 0 } };

	if (u->key.tenant != a->v.tenant || u->key.subject != SERIES_APPLICATION ||
	    (u->flows == 0 && u->packets == 0) || !topk_wants(t, e.value))
		return;

	/* By name: numbers would tell in which order applications came up anywhere. */
	const char *name = ask_application_name(s, (uint16_t)u->key.number);

	memcpy(e.tie, name, strnlen(name, sizeof(e.tie)));
	topk_offer(t, &e);
}

static void
put_applications(struct store *s, struct question *a, struct topk *t, const struct subject *list)
{
	topk_finish(t);
	for (size_t i = 0; i < t->n; i++)
		put_application(s, a, &list[t->heap[i].ref[0]]);
	ask_list_end(s, a, t);
}

/* ctx: subjects by number of the application, NAME_NUMBER_MAX. */
static bool
add_to_application(void *ctx, const struct question *a, const struct engine *e, const struct live_flow *r)
{
	struct part_flow p;

	part_show(&a->v, &e->live, r, &p);

	struct subject *u = (struct subject *)ctx + p.f.application;

	u->key = (struct series_key){ a->v.tenant, SERIES_APPLICATION, p.f.application };
	part_add(u, &a->v, &p);
	if (p.f.category != 0)
		u->category = p.f.category;
	return true;
}

static void
answer_applications(struct store *s, struct question *a, void *ctx)
{
	const struct subject *list = ctx;
	struct topk *t = ask_list_begin(a);

	for (uint32_t i = 0; i < NAME_NUMBER_MAX; i++)
		offer_application(s, a, t, &list[i], i);
	put_applications(s, a, t, list);
	free(ctx);
}

/* What is kept of the tenant: as many as there are names of applications, at most. */
static void
list_applications(struct store *s, struct question *a)
{
	struct topk *t = ask_list_begin(a);
	uint32_t i = SUBJECT_NONE;

	while ((i = subjects_next_application(s->subjects, a->v.tenant, i)) != SUBJECT_NONE)
		offer_application(s, a, t, subjects_at(s->subjects, i), i);
	put_applications(s, a, t, subjects_at(s->subjects, 0));
}

void
ask_applications(struct store *s, struct question *a)
{
	static const struct ask_walk walk = { .row = add_to_application,
					      .answer = answer_applications,
					      .drop = free };

	if (ask_wrong_page(a))
		return;
	if (a->v.nnarrowed == 0)
		list_applications(s, a);
	else
		ask_walk(s, a, &walk, mem_calloc(NAME_NUMBER_MAX, sizeof(struct subject)));
}
