/* The lists of live flows, hosts and devices, row by row. */
#include "live_rows.h"

#include <string.h>

#include "base/prefetch.h"
#include "lru.h"

#define BIT(sort) (UINT32_C(1) << (sort))

uint32_t
live_sorts(enum live_list list)
{
	static const uint32_t sorts[LIVE_LISTS] = {
		[LIVE_FLOWS] = BIT(SORT_BYTES) | BIT(SORT_PACKETS) | BIT(SORT_RATE) | BIT(SORT_FIRST) |
			       BIT(SORT_LAST) | BIT(SORT_SCORE),
		[LIVE_HOSTS] = BIT(SORT_BYTES) | BIT(SORT_PACKETS) | BIT(SORT_RATE) | BIT(SORT_FIRST) |
			       BIT(SORT_LAST) | BIT(SORT_SCORE) | BIT(SORT_FLOWS),
		[LIVE_DEVICES] = BIT(SORT_BYTES) | BIT(SORT_PACKETS) | BIT(SORT_FIRST) | BIT(SORT_LAST),
	};

	return sorts[list];
}

enum sort_key
live_sort(enum live_list list, uint32_t sort)
{
	return live_sorts(list) >> sort & 1 ? (enum sort_key)sort : SORT_BYTES;
}

/* --- keys
 * ---------------------------------------------------------------------------------------------------------------
 */

uint64_t
live_flow_value(const struct live_flow *r, enum sort_key sort, int64_t rate_second)
{
	const struct flow_counters *c = &r->count;

	switch (sort) {
	case SORT_PACKETS:
		return c->packets[0] + c->packets[1];
	case SORT_RATE:
		return rate_at(&r->rate, rate_second, 0) + rate_at(&r->rate, rate_second, 1);
	case SORT_FIRST:
		return (uint64_t)r->first_ns;
	case SORT_LAST:
		return (uint64_t)r->last_ns;
	case SORT_SCORE:
		return r->score;
	default:
		return c->bytes[0] + c->bytes[1];
	}
}

uint64_t
live_host_value(const struct host *h, const struct host_share *n, enum sort_key sort, int64_t rate_second)
{
	switch (sort) {
	case SORT_PACKETS:
		return sum_sat(n->packets[0], n->packets[1]);
	case SORT_RATE:
		return sum_sat(rate_at(&n->rate, rate_second, 0), rate_at(&n->rate, rate_second, 1));
	case SORT_FIRST:
		return (uint64_t)h->first_ns;
	case SORT_LAST:
		return (uint64_t)h->last_ns;
	case SORT_SCORE:
		return host_score(h);
	case SORT_FLOWS:
		return (uint64_t)n->active[0] + n->active[1];
	default:
		return sum_sat(n->bytes[0], n->bytes[1]);
	}
}

uint64_t
live_device_value(const struct device *d, const struct device_share *n, enum sort_key sort)
{
	switch (sort) {
	case SORT_PACKETS:
		return sum_sat(n->packets[0], n->packets[1]);
	case SORT_FIRST:
		return (uint64_t)d->first_ns;
	case SORT_LAST:
		return (uint64_t)d->last_ns;
	default:
		return sum_sat(n->bytes[0], n->bytes[1]);
	}
}

/* --- ties
 * ---------------------------------------------------------------------------------------------------------------
 */

static void
put_be32(uint8_t out[static 4], uint32_t v)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> (24 - 8 * i));
}

void
live_flow_tie(const struct flow_id *id, uint32_t slice, uint8_t tie[static TOPK_TIE])
{
	memset(tie, 0, TOPK_TIE);
	memcpy(tie, id->b, sizeof(id->b));
	put_be32(tie + 16, slice);
}

void
live_host_tie(const struct host_key *k, uint8_t tie[static TOPK_TIE])
{
	memcpy(tie, k->ip.b, 16);
	put_be32(tie + 16, k->space);
	put_be32(tie + 20, k->vlan);
}

void
live_device_tie(const struct store *s, const struct device_key *k, uint8_t tie[static TOPK_TIE])
{
	memset(tie, 0, TOPK_TIE);
	memcpy(tie, k->mac, 6);
	put_be32(tie + 8, s->points.point[k->point].boot->id);
	put_be32(tie + 12, k->vlan);
}

/* --- rows
 * ---------------------------------------------------------------------------------------------------------------
 */

bool
live_device(const struct view *v, const struct device *d, struct device_share *sum)
{
	const struct device_share *p = &d->share[SHARE_PRIMARY], *o = &d->share[SHARE_SECONDARY];

	*sum = *p;
	if (v->platform)
		return (p->packets[0] | p->packets[1]) != 0 || (o->packets[0] | o->packets[1]) == 0;
	if (d->key.tenant != v->tenant)
		return false;
	for (int i = 0; i < 2; i++) {
		sum->bytes[i] = sum_sat(p->bytes[i], o->bytes[i]);
		sum->packets[i] = sum_sat(p->packets[i], o->packets[i]);
	}
	return true;
}

bool
live_part(const struct view *v, enum live_list list, unsigned part, struct live_part *p)
{
	const struct store *s = v->s;

	*p = (struct live_part){ .n = 0 };
	if (list == LIVE_FLOWS && part < s->nengines) {
		const struct live *l = &s->engine[part].live;

		if (v->platform)
			p->n = l->limit;
		else
			p->entry = slots_of(l->slots, v->tenant, &p->n);
		return true;
	}
	if (list == LIVE_FLOWS || part > 0)
		return false;
	if (list == LIVE_DEVICES)
		p->n = lru_count(s->devices);
	else if (v->platform)
		p->n = hosts_limit(s->hosts);
	else
		p->entry = hosts_of(s->hosts, v->tenant, &p->n);
	return true;
}

uint64_t
live_count(const struct view *v, enum live_list list)
{
	struct live_part p;
	uint64_t n = 0;

	for (unsigned i = 0; live_part(v, list, i, &p); i++)
		n += p.n;
	return n;
}

void
live_expect(const struct view *v, enum live_list list, unsigned part, uint32_t row)
{
	const struct store *s = v->s;
	const char *at = NULL;
	size_t size = 0;

	prefetch_only();
	if (list == LIVE_FLOWS) {
		at = (const char *)&s->engine[part].live.flow[row];
		size = sizeof(struct live_flow);
	} else if (list == LIVE_HOSTS) {
		at = (const char *)hosts_at(s->hosts, row);
		size = offsetof(struct host, port);
	}
	for (size_t i = 0; i < size; i += 64)
		__builtin_prefetch(at + i);
}

static bool
take_flow(const struct view *v, unsigned part, uint32_t slot, struct order_row *out, uint64_t *value)
{
	const struct live *l = &v->s->engine[part].live;
	const struct live_flow *r = &l->flow[slot];

	if (!view_sees_flow(v, l, r))
		return false;
	for (int i = SORT_BYTES; i <= SORT_SCORE; i++)
		value[i] = live_flow_value(r, (enum sort_key)i, v->rate_second);
	out->tenant = 0;
	live_flow_tie(&r->id, r->slice, out->tie);
	return true;
}

static bool
take_host(const struct view *v, uint32_t row, struct order_row *out, uint64_t *value)
{
	const struct host *h = hosts_at(v->s->hosts, row);
	struct host_share sum;
	const struct host_share *n = view_host(v, h, &sum);

	if (n == NULL)
		return false;
	for (int i = SORT_BYTES; i < SORT_KEY_COUNT; i++)
		value[i] = live_host_value(h, n, (enum sort_key)i, v->rate_second);
	out->tenant = h->key.tenant;
	live_host_tie(&h->key, out->tie);
	return true;
}

static bool
take_device(const struct view *v, uint32_t row, struct order_row *out, uint64_t *value)
{
	const struct device *d = lru_at(v->s->devices, row);
	struct device_share sum;

	if (!live_device(v, d, &sum))
		return false;
	for (int i = SORT_BYTES; i <= SORT_LAST; i++)
		value[i] = live_device_value(d, &sum, (enum sort_key)i);
	out->tenant = d->key.tenant;
	live_device_tie(v->s, &d->key, out->tie);
	return true;
}

bool
live_take(const struct view *v, enum live_list list, unsigned part, uint32_t row, struct order_row *out,
	  uint64_t value[static SORT_KEY_COUNT])
{
	out->ref[0] = list == LIVE_FLOWS ? part : row;
	out->ref[1] = list == LIVE_FLOWS ? row : 0;
	switch (list) {
	case LIVE_FLOWS:
		return take_flow(v, part, row, out, value);
	case LIVE_HOSTS:
		return take_host(v, row, out, value);
	default:
		return take_device(v, row, out, value);
	}
}
