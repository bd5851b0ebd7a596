/* What one grant sees. */
#include "view.h"

#include <string.h>

#include "base/clock.h"
#include "mask.h"
#include "part.h"
#include "sum.h"
#include "whose.h"

enum narrowed_part
view_part(const struct view *v, uint32_t point)
{
	enum narrowed_part least = NARROWED_ALL;

	for (uint32_t i = 0; i < v->nnarrowed; i++) {
		enum narrowed_part p = narrowed_point(v->narrowed[i], v->point_number[point]);

		least = p < least ? p : least;
	}
	return least;
}

bool
view_admits_at(const struct view *v, const struct vantage *at, const struct ip_addr *client,
	       const struct ip_addr *server)
{
	for (uint32_t i = 0; i < v->nnarrowed; i++)
		if (!narrowed_admits(v->narrowed[i], at, client, server))
			return false;
	return true;
}

bool
view_admits(const struct view *v, const struct rec_flow *f)
{
	uint32_t point = points_index(&v->s->points, f->point);
	struct vantage at = { .exporter = f->exporter,
			      .in_interface = f->in_interface,
			      .out_interface = f->out_interface };

	if (v->nnarrowed == 0)
		return true;
	if (point != POINT_NONE) { /* else of a time when the configuration was another: no name to go by */
		at.point = v->point_number[point];
		at.space = v->s->points.point[point].boot->space;
		at.vlan = f->vlan[0];
	}
	return view_admits_at(v, &at, &f->ip[CLIENT], &f->ip[SERVER]);
}

bool
view_admits_live(const struct view *v, const struct live *l, const struct live_flow *r)
{
	const struct point *p = &v->s->points.point[r->point];
	struct vantage at = { .point = v->point_number[r->point], .space = p->boot->space, .vlan = r->vlan };

	if (r->flags & LIVE_RARE) {
		const struct live_rare *x = &l->rare[live_slot(l, r)];

		at.exporter = x->exporter;
		at.in_interface = x->in_interface;
		at.out_interface = x->out_interface;
	}
	return view_admits_at(v, &at, &r->ip[CLIENT], &r->ip[SERVER]);
}

#define AHEAD 16 /* rows that are asked for before their turn: a tenant's lie anywhere */

/* The n-th row that may be the viewer's: a tenant's are in its list, the platform's are all. NULL: no more.
 */
static const struct live_flow *
nth_row(const struct view *v, const struct live *l, uint32_t n)
{
	const uint32_t *entry;
	uint32_t count;

	if (v->platform)
		return n < l->limit ? &l->flow[n] : NULL;
	entry = slots_of(l->slots, v->tenant, &count);
	if (n >= count)
		return NULL;
	__builtin_prefetch(&l->flow[slots_slot(entry[n + AHEAD < count ? n + AHEAD : count - 1])]);
	return &l->flow[slots_slot(entry[n])];
}

bool
view_next_flow(const struct view *v, struct flow_walk *w, const struct engine **e, const struct live_flow **r)
{
	for (; w->engine < v->s->nengines; w->engine++, w->at = 0) {
		*e = &v->s->engine[w->engine];
		while ((*r = nth_row(v, &(*e)->live, w->at)) != NULL) {
			w->at++;
			if (view_sees_flow(v, &(*e)->live, *r))
				return true;
		}
	}
	return false;
}

bool
view_owns_point(struct store *s, const struct view *v, uint32_t point)
{
	return (v->platform || s->points.point[point].owner == v->tenant) &&
	       view_part(v, point) == NARROWED_ALL;
}

bool
view_sees_point(struct store *s, const struct view *v, uint32_t point)
{
	if (view_part(v, point) == NARROWED_NONE)
		return false;
	return view_owns_point(s, v, point) || v->platform ||
	       subjects_find(s->subjects, v->tenant, SERIES_POINT, s->points.point[point].boot->id) != NULL;
}

/* The newest second that every worker of the point has closed; a worker that says nothing is not waited for.
 */
static int64_t
closed_second(const struct store *s, uint32_t point)
{
	int64_t least = INT64_MAX, newest = -1;

	for (unsigned i = 0; i < s->nengines; i++) {
		const struct progress *g = &s->engine[i].progress[point];

		if (g->second > newest)
			newest = g->second;
		if (g->state == POINT_UP && s->now_boot_ns - g->heard_ns < 3 * NS_PER_S && g->second < least)
			least = g->second;
	}
	return least == INT64_MAX ? newest : least;
}

int64_t
view_point_second(struct store *s, const struct view *v, uint32_t point)
{
	int64_t second = closed_second(s, point), floor_s = s->now_ns / NS_PER_S - 2;

	if (s->points.point[point].boot->kind == POINT_INTERFACE)
		return second < floor_s ? floor_s : second;
	if (view_owns_point(s, v, point))
		return second;
	if (view_part(v, point) == NARROWED_SOME)
		return v->rate_second;

	const struct subject *u =
	    subjects_find(s->subjects, v->tenant, SERIES_POINT, s->points.point[point].boot->id);

	return u == NULL ? -1 : u->rate.second;
}

/* The last frame of a file that the viewer may know of. */
static int64_t
last_seen(struct store *s, const struct view *v, uint32_t point)
{
	if (view_owns_point(s, v, point))
		return s->points.point[point].last_ns;

	const struct subject *u =
	    subjects_find(s->subjects, v->tenant, SERIES_POINT, s->points.point[point].boot->id);

	return u == NULL ? 0 : u->last_ns;
}

/* Of narrowings that name nothing only the mask counts. */
static void
take_narrowings(const struct grant *g, struct view *v)
{
	v->masked = grant_is_masked(g);
	for (uint32_t i = 0; i < g->nnarrowings; i++) {
		/* grants_check has seen that they are there. */
		const struct narrowed *n = snapshot_narrowing(v->policy, g->narrowing[i]);

		v->masked |= narrowed_masks(n);
		if (!narrowed_is_whole(n))
			v->narrowed[v->nnarrowed++] = n;
	}
}

static int64_t
retained_since(const struct view *v)
{
	const struct tenant *t = v->platform ? NULL : snapshot_tenant(v->policy, v->tenant);

	if (t == NULL || t->quota.retention_s == 0 || t->quota.retention_s > (uint64_t)v->now_ns / NS_PER_S)
		return 0;
	return v->now_ns - (int64_t)t->quota.retention_s * NS_PER_S;
}

void
view_clock(struct store *s, struct view *v)
{
	bool live = false, some = false; /* of files only a part is seen */

	v->now_ns = 0;
	v->rate_second = -1;
	for (uint32_t i = 0; i < s->points.n; i++) {
		if (!view_sees_point(s, v, i))
			continue;
		if (s->points.point[i].boot->kind == POINT_FILE && view_part(v, i) == NARROWED_SOME) {
			some = true;
			continue;
		}

		int64_t second = view_point_second(s, v, i), last = last_seen(s, v, i);

		live |= s->points.point[i].boot->kind == POINT_INTERFACE;
		v->rate_second = second > v->rate_second ? second : v->rate_second;
		v->now_ns = last > v->now_ns ? last : v->now_ns;
	}
	if (some)
		part_latest(s, v, &v->now_ns, &v->rate_second);
	if (live || v->now_ns == 0)
		v->now_ns = s->now_ns;
}

void
view_renew(struct store *s, struct view *v)
{
	struct snapshot *was = v->policy;

	v->policy = grants_hold_policy(s->grants);
	snapshot_free(&was);
	for (uint32_t i = 0; i < s->points.n; i++)
		v->point_number[i] = s->points.point[i].policy_number;
}

void
view_make(struct store *s, const struct grant *g, struct view *v)
{
	memset(v, 0, sizeof(*v));
	v->grant = *g;
	v->tenant = g->tenant;
	v->platform = g->tenant == TENANT_PLATFORM;
	v->s = s;
	view_renew(s, v);
	take_narrowings(g, v);
	v->sees_platform = (policy_decide_tenant(g, ACTION_READ_PLATFORM, TENANT_PLATFORM) ||
			    policy_decide_tenant(g, ACTION_READ_METRICS, TENANT_PLATFORM)) &&
			   v->nnarrowed == 0;
	flow_id_key(history_secret(s->history), g->tenant, &v->id);
	view_clock(s, v);
	v->since_ns = retained_since(v);
}

void
view_end(struct view *v)
{
	snapshot_free(&v->policy);
}

const struct host_share *
view_host(const struct view *v, const struct host *h, struct host_share *sum)
{
	const struct host_share *p = host_share_of(h, SHARE_PRIMARY), *o = host_share_of(h, SHARE_SECONDARY);

	if (!host_is_used(h) || (!v->platform && h->key.tenant != v->tenant) || mask_hides(v, &h->key.ip))
		return NULL;
	if (o == NULL)
		return p;
	if (v->platform) {
		bool has = (p->packets[0] | p->packets[1] | p->active[0] | p->active[1]) != 0 ||
			   (o->packets[0] | o->packets[1] | o->active[0] | o->active[1]) == 0;

		return has ? p : NULL;
	}
	*sum = (struct host_share){ .rate.second = v->rate_second };
	for (int i = 0; i < 2; i++) {
		sum->bytes[i] = sum_sat(p->bytes[i], o->bytes[i]);
		sum->packets[i] = sum_sat(p->packets[i], o->packets[i]);
		sum->active[i] = p->active[i] + o->active[i];
		sum->seen[i] = p->seen[i] + o->seen[i];
		/* As one rate, of the second that is asked for. */
		sum->rate.now[i] =
		    rate_at(&p->rate, v->rate_second, i) + rate_at(&o->rate, v->rate_second, i);
	}
	return sum;
}
