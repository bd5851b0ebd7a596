/* Sums of the live flows that a narrowed grant sees. */
#include "part.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mask.h"
#include "policy/snapshot.h"

static void
show(const struct view *v, const struct live *l, const struct live_flow *r, struct part_flow *p)
{
	/* The platform sees each flow once, as its primary tenant's. */
	const struct stamp *st =
	    v->platform || r->stamp.tenant == v->tenant ? &r->stamp : &l->second[live_slot(l, r)];

	live_record(l, r, &v->s->points, &p->f);
	p->point = r->point;
	p->tenant = st->tenant;
	p->host = st->host;
	p->device = st->device;
	p->served = (r->flags & LIVE_SERVED) != 0;
	p->rate_second = r->rate.second;
	for (int i = CLIENT; i <= SERVER; i++) {
		p->hidden[i] = mask_hides(v, &r->ip[i]);
		p->rate[i] = rate_at(&r->rate, v->rate_second, i);
	}
}

void
part_each(const struct store *s, const struct view *v, void (*visit)(void *ctx, const struct part_flow *p),
	  void *ctx)
{
	struct flow_walk w = { 0 };
	const struct live_flow *r;
	const struct engine *e;
	struct part_flow p;

	(void)s;
	while (view_next_flow(v, &w, &e, &r)) {
		show(v, &e->live, r, &p);
		visit(ctx, &p);
	}
}

/* --- sums
 * -------------------------------------------------------------------------------------------------------------
 */

static void
sum_add(struct subject *u, const struct view *v, const struct part_flow *p)
{
	const struct flow_counters *c = &p->f.count;

	u->bytes = sum_sat(u->bytes, c->bytes[0] + c->bytes[1]);
	u->packets = sum_sat(u->packets, c->packets[0] + c->packets[1]);
	u->flows++;
	u->flows_active++;
	u->rate.second = v->rate_second;
	u->rate.now[0] = sum_sat(u->rate.now[0], p->rate[0] + p->rate[1]);
	if (u->first_ns == 0 || p->f.first_ns < u->first_ns)
		u->first_ns = p->f.first_ns;
	if (p->f.last_ns > u->last_ns)
		u->last_ns = p->f.last_ns;
}

struct sums {
	const struct view *v;
	struct subject *u;
};

static void
add_to_point(void *ctx, const struct part_flow *p)
{
	struct sums *t = ctx;

	sum_add(&t->u[p->point], t->v, p);
}

void
part_points(const struct store *s, const struct view *v, struct subject *points)
{
	struct sums t = { v, points };

	memset(points, 0, BOOT_POINTS_MAX * sizeof(*points));
	part_each(s, v, add_to_point, &t);
}

static void
add_to_application(void *ctx, const struct part_flow *p)
{
	struct sums *t = ctx;
	struct subject *u = &t->u[p->f.application];

	sum_add(u, t->v, p);
	if (p->f.category != 0)
		u->category = p->f.category;
}

struct subject *
part_applications(const struct store *s, const struct view *v, size_t *n)
{
	struct subject *u = mem_calloc(NAME_NUMBER_MAX, sizeof(*u));
	struct sums t = { v, u };

	part_each(s, v, add_to_application, &t);
	*n = 0;
	for (uint32_t i = 0; i < NAME_NUMBER_MAX; i++) {
		if (u[i].flows == 0)
			continue;
		u[i].key = (struct series_key){ v->tenant, SERIES_APPLICATION, i };
		u[(*n)++] = u[i];
	}
	return u;
}

/* --- times
 * ------------------------------------------------------------------------------------------------------------
 */

struct latest {
	const struct store *s;
	int64_t last_ns, second;
};

static void
note_time(void *ctx, const struct part_flow *p)
{
	struct latest *l = ctx;

	if (l->s->points.point[p->point].boot->kind != POINT_FILE)
		return;
	if (p->f.last_ns > l->last_ns)
		l->last_ns = p->f.last_ns;
	if (p->rate_second > l->second)
		l->second = p->rate_second;
}

void
part_latest(const struct store *s, const struct view *v, int64_t *last_ns, int64_t *second)
{
	struct latest l = { s, *last_ns, *second };

	part_each(s, v, note_time, &l);
	*last_ns = l.last_ns;
	*second = l.second;
}

/* --- hosts
 * ------------------------------------------------------------------------------------------------------------
 */

struct host_marks {
	uint8_t *mark; /* a bit a host of the store's table */
	uint32_t n;
};

static void
mark_hosts(void *ctx, const struct part_flow *p)
{
	struct host_marks *m = ctx;

	for (int i = CLIENT; i <= SERVER; i++) {
		uint8_t bit = (uint8_t)(1u << p->host[i] % 8);

		if (p->host[i] == HOST_NONE || p->hidden[i] || (m->mark[p->host[i] / 8] & bit) != 0)
			continue;
		m->mark[p->host[i] / 8] |= bit;
		m->n++;
	}
}

uint32_t
part_hosts(const struct store *s, const struct view *v)
{
	struct host_marks m = { .mark = mem_calloc(hosts_limit(s->hosts) / 8 + 1, 1) };

	part_each(s, v, mark_hosts, &m);
	free(m.mark);
	return m.n;
}
