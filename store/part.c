/* Sums of the live flows that a narrowed grant sees. */
#include "part.h"

#include <string.h>

#include "base/mem.h"
#include "mask.h"

void
part_show(const struct view *v, const struct live *l, const struct live_flow *r, struct part_flow *p)
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
part_add(struct subject *u, const struct view *v, const struct part_flow *p)
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

void
part_latest(const struct store *s, const struct view *v, int64_t *last_ns, int64_t *second)
{
	struct flow_walk w = { 0 };
	const struct live_flow *r;
	const struct engine *e;

	while (view_next_flow(v, &w, &e, &r)) {
		if (s->points.point[r->point].boot->kind != POINT_FILE)
			continue;
		if (r->last_ns > *last_ns)
			*last_ns = r->last_ns;
		if (r->rate.second > *second)
			*second = r->rate.second;
	}
}

/* A host that began since may be beyond what there was. */
static bool
mark(struct part_hosts *h, uint32_t host)
{
	uint8_t bit = (uint8_t)(1u << host % 8);

	if (host / 8 >= h->room) {
		size_t room = 2 * (size_t)(host / 8) + 64;

		h->mark = mem_reallocarray(h->mark, room, 1);
		memset(h->mark + h->room, 0, room - h->room);
		h->room = room;
	}

	bool fresh = (h->mark[host / 8] & bit) == 0;

	h->mark[host / 8] |= bit;
	return fresh;
}

void
part_hosts_add(struct part_hosts *h, const struct part_flow *p)
{
	for (int i = CLIENT; i <= SERVER; i++)
		if (p->host[i] != HOST_NONE && !p->hidden[i])
			h->n += mark(h, p->host[i]);
}
