/* Narrowings: compiled, and asked whether they admit a flow. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/compiled.h"

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

int
exporter_order(const void *va, const void *vb)
{
	const struct exporter_ref *a = va, *b = vb;
	int d = memcmp(a->ip.b, b->ip.b, sizeof(a->ip.b));

	d = d != 0 ? d : ORDER(a->has_interface, b->has_interface);
	return d != 0 ? d : ORDER(a->interface, b->interface);
}

static int
number_order(const void *va, const void *vb)
{
	const uint32_t *a = va, *b = vb;

	return ORDER(*a, *b);
}

static void
compile_one(const struct snapshot *s, const struct narrowing *from, struct narrowed *n)
{
	struct span *spans = mem_calloc(from->nnetworks == 0 ? 1 : from->nnetworks, sizeof(*spans));

	*n = (struct narrowed){ .number = from->number,
				.masked = from->masked,
				.npoints = from->ninterfaces,
				.nexporters = from->nexporters,
				.has_networks = from->nnetworks > 0 };
	n->points = mem_calloc(n->npoints + 1, sizeof(*n->points));
	for (size_t i = 0; i < n->npoints; i++)
		n->points[i] = snapshot_point(s, from->interfaces[i]);
	qsort(n->points, n->npoints, sizeof(*n->points), number_order);
	n->exporters = mem_calloc(n->nexporters + 1, sizeof(*n->exporters));
	for (size_t i = 0; i < n->nexporters; i++) {
		n->exporters[i].ip = from->exporters[i].ip;
		n->exporters[i].has_interface = from->exporters[i].has_interface;
		n->exporters[i].interface =
		    from->exporters[i].has_interface ? from->exporters[i].interface : 0;
	}
	qsort(n->exporters, n->nexporters, sizeof(*n->exporters), exporter_order);
	for (size_t i = 0; i < from->nnetworks; i++)
		spans[i] = span_of(&from->networks[i], 1);
	qsort(spans, from->nnetworks, sizeof(*spans), span_order);
	ranges_make(&n->networks, spans, from->nnetworks);
	free(spans);
}

void
snapshot_compile_narrowings(struct snapshot *s, const struct document *d)
{
	s->narrowed = mem_calloc(d->nnarrowings + 1, sizeof(s->narrowed[0]));
	for (; s->nnarrowed < d->nnarrowings; s->nnarrowed++)
		compile_one(s, &d->narrowings[s->nnarrowed], &s->narrowed[s->nnarrowed]);
}

static int
narrowed_order(const void *va, const void *vb)
{
	const struct narrowed *a = va, *b = vb;

	return ORDER(a->number, b->number);
}

const struct narrowed *
snapshot_narrowing(const struct snapshot *s, uint32_t number)
{
	struct narrowed key = { .number = number };

	return s->nnarrowed == 0 ? NULL
				 : bsearch(&key, s->narrowed, s->nnarrowed, sizeof(key), narrowed_order);
}

static bool
has_point(const struct narrowed *n, uint32_t point)
{
	return point != 0 && n->npoints > 0 &&
	       bsearch(&point, n->points, n->npoints, sizeof(point), number_order) != NULL;
}

static bool
has_exporter(const struct narrowed *n, const struct ip_addr *ip, bool has_interface, uint32_t interface)
{
	struct exporter_ref key = { .ip = *ip, .has_interface = has_interface, .interface = interface };

	return bsearch(&key, n->exporters, n->nexporters, sizeof(key), exporter_order) != NULL;
}

static bool
admits_place(const struct narrowed *n, const struct vantage *at)
{
	static const struct ip_addr none;

	if ((n->npoints == 0 && n->nexporters == 0) || has_point(n, at->point))
		return true;
	if (n->nexporters == 0 || ip_equal(&at->exporter, &none))
		return false;
	return has_exporter(n, &at->exporter, false, 0) ||
	       has_exporter(n, &at->exporter, true, at->in_interface) ||
	       has_exporter(n, &at->exporter, true, at->out_interface);
}

static bool
admits_end(const struct narrowed *n, const struct ip_addr *ip)
{
	return ranges_find(&n->networks, ip)->tenant != 0;
}

bool
narrowed_admits(const struct narrowed *n, const struct vantage *at, const struct ip_addr *client,
		const struct ip_addr *server)
{
	return admits_place(n, at) && (!n->has_networks || admits_end(n, client) || admits_end(n, server));
}

static bool
admits_network(const struct narrowed *n, const struct ip_prefix *network)
{
	struct ip_addr last = network->addr;

	for (unsigned bit = network->bits; bit < 128; bit++)
		last.b[bit / 8] |= (uint8_t)(0x80u >> bit % 8);
	return ranges_hold(&n->networks, &network->addr, &last);
}

bool
narrowed_holds(const struct narrowed *n, const struct ip_prefix *network)
{
	return n->npoints == 0 && n->nexporters == 0 && (!n->has_networks || admits_network(n, network));
}

bool
narrowed_holds_exporter(const struct narrowed *n, const struct exporter_ref *e)
{
	bool anywhere = n->npoints == 0 && n->nexporters == 0;

	if (n->has_networks)
		return false;
	return anywhere || (n->nexporters > 0 &&
			    (has_exporter(n, &e->ip, false, 0) ||
			     (e->has_interface != 0 && has_exporter(n, &e->ip, true, e->interface))));
}

bool
narrowed_masks(const struct narrowed *n)
{
	return n->masked;
}

bool
narrowed_is_whole(const struct narrowed *n)
{
	return n->npoints == 0 && n->nexporters == 0 && !n->has_networks;
}

enum narrowed_part
narrowed_point(const struct narrowed *n, uint32_t point)
{
	bool anywhere = n->npoints == 0 && n->nexporters == 0;

	if (anywhere || has_point(n, point))
		return n->has_networks ? NARROWED_SOME : NARROWED_ALL;
	return n->nexporters > 0 ? NARROWED_SOME : NARROWED_NONE;
}
