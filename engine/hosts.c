/* The hosts at the ends of flows: found once a flow, touched once a second, told of when something new is
 * known. */
#include <string.h>

#include "base/clock.h"
#include "engine.h"

static struct host_key
key_of(const struct point *p, const struct ip_addr *ip, uint16_t vlan)
{
	return (struct host_key){ *ip, p->boot->space, vlan, 0 };
}

static struct host_key
key_of_end(const struct engine *e, const struct flow *f, unsigned side)
{
	unsigned client = (f->flags & FLOW_SWAPPED) != 0;

	return key_of(&e->point[f->key.point], &f->key.ip[client ^ side], f->key.vlan[0]);
}

void
hosts_mark(struct engine *e, uint32_t number)
{
	struct host *h = &e->hosts.host[number];
	struct touched *l = &e->point[h->point].dirty;

	if ((h->flags & HOST_DIRTY) || !(h->flags & HOST_SEEN))
		return;
	h->flags |= HOST_DIRTY;
	h->dirty = l->n;
	l->number[l->n++] = number;
}

static void
unmark(struct engine *e, uint32_t number)
{
	struct host *h = &e->hosts.host[number];
	struct touched *l = &e->point[h->point].dirty;
	uint32_t last;

	if (!(h->flags & HOST_DIRTY))
		return;
	last = l->number[--l->n];
	l->number[h->dirty] = last;
	e->hosts.host[last].dirty = h->dirty;
	h->flags &= (uint8_t)~HOST_DIRTY;
}

static void
gone(void *ctx, uint32_t number)
{
	struct engine *e = ctx;
	struct host *h = &e->hosts.host[number];

	unmark(e, number);
	if (h->flows > 0)
		e->point[h->point].hosts--;
}

void
hosts_of_flow(struct engine *e, struct point *p, struct flow *f, const struct packet *k, unsigned sender)
{
	for (unsigned side = 0; side < 2; side++) {
		struct host_key key = key_of_end(e, f, side);
		uint32_t n = host_get(&e->hosts, &key, p->index, p->now_ns, gone, e);
		struct host *h = &e->hosts.host[n];

		f->host[side] = n;
		if (h->flows++ == 0)
			e->point[h->point].hosts++;
		host_touch(&e->hosts, n, p->now_ns);
		/* What stands in a frame is the host's own address only where no router is between: on local
		 * networks. */
		if (k->mac != NULL && side == sender && (h->flags & HOST_LOCAL) &&
		    host_set_mac(&e->hosts, n, k->mac + 6))
			hosts_mark(e, n);
		if (!(h->flags & HOST_SEEN)) {
			h->flags |= HOST_SEEN;
			hosts_mark(e, n);
		}
	}
}

void
hosts_release(struct engine *e, struct flow *f)
{
	for (unsigned side = 0; side < 2; side++) {
		struct host_key key = key_of_end(e, f, side);
		struct host *h;

		if (!host_is(&e->hosts, f->host[side], &key))
			continue;
		h = &e->hosts.host[f->host[side]];
		if (h->flows > 0 && --h->flows == 0)
			e->point[h->point].hosts--;
	}
}

void
hosts_touch(struct engine *e, const struct point *p, const struct flow *f)
{
	(void)p;
	for (unsigned side = 0; side < 2; side++) {
		struct host_key key = key_of_end(e, f, side);

		if (host_is(&e->hosts, f->host[side], &key))
			host_touch(&e->hosts, f->host[side], f->last_ns);
	}
}

/* A name may come before the first packet of its host. It is kept, but never at the cost of a host that was
 * seen. */
void
hosts_name(struct engine *e, const struct point *p, const struct ip_addr *ip, uint16_t vlan,
	   enum host_name_source source, const char *name, size_t len)
{
	struct host_key key = key_of(p, ip, vlan);
	uint32_t n = host_find(&e->hosts, &key);

	if (n == HOST_NONE) {
		if (e->hosts.used >= e->hosts.max / 4 * 3)
			return;
		n = host_get(&e->hosts, &key, p->index, p->now_ns, gone, e);
	}
	if (host_set_name(&e->hosts, n, source, name, len))
		hosts_mark(e, n);
}

bool
hosts_tell(struct engine *e, struct point *p, unsigned budget)
{
	for (; p->dirty.n > 0 && budget > 0; budget--) {
		uint32_t n = p->dirty.number[p->dirty.n - 1];

		if (!engine_ready(e, p))
			return false;
		if (!report_host(e, n, !p->live))
			return true; /* the ring is nearly full: the next second's occasion */
		unmark(e, n);
	}
	return p->dirty.n == 0;
}
