/* Questions about hosts and devices that are known now. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "lru.h"
#include "mask.h"
#include "slots.h"
#include "sum.h"
#include "vendors.h"

/* --- hosts
 * ----------------------------------------------------------------------------------------------------------------------
 */

/* Names of the applications with most bytes, and their numbers beside them. */
static size_t
put_applications(struct store *s, const struct host *h, struct row_host *r, char *out, size_t size)
{
	bool used[HOST_APPS] = { false };
	struct wcur c = wcur_of(out, size);
	const struct host_app *app;
	const uint16_t *number;
	int n = (int)host_applications(h, &number, &app);

	for (int row = 0; row < n; row++) {
		int best = -1;

		for (int i = 0; i < n; i++)
			if (!used[i] && number[i] != 0 && app[i].bytes > 0 &&
			    (best == -1 || app[i].bytes > app[best].bytes))
				best = i;
		if (best == -1)
			break;
		used[best] = true;
		r->application_bytes[row] = app[best].bytes - app[best].before;
		r->application_packets[row] = app[best].packets;
		ask_list_add(&c, names_text(s->names, NAME_APPLICATION, number[best]));
	}
	return wcur_len(&c);
}

static bool
port_first(const struct host_port *a, const struct host_port *b)
{
	if (a->flows != b->flows)
		return a->flows > b->flows;
	return a->protocol != b->protocol ? a->protocol < b->protocol : a->port < b->port;
}

/* Those with most flows first. */
static void
put_ports(const struct host *h, enum host_port_kind kind, struct row_port *out)
{
	bool used[HOST_PORTS] = { false };
	unsigned places;
	const struct host_port *list = host_ports(h, kind, &places);
	int n = (int)places;

	for (int row = 0; row < n; row++) {
		int best = -1;

		for (int i = 0; i < n; i++)
			if (!used[i] && list[i].protocol != 0 &&
			    (best == -1 || port_first(&list[i], &list[best])))
				best = i;
		if (best == -1)
			break;
		used[best] = true;
		out[row] = (struct row_port){ .port = list[best].port,
					      .protocol = list[best].protocol,
					      .flows = list[best].flows - list[best].before,
					      .bytes = list[best].bytes };
	}
}

/* One name a line. */
static size_t
host_names(const struct known *k, struct row_host *r, char *out, size_t size)
{
	struct wcur c = wcur_of(out, size);

	for (unsigned i = 0; k != NULL && i < k->nnames; i++) {
		if (i > 0)
			wcur_u8(&c, '\n');
		wcur_put(&c, k->name[i].text, k->name[i].len);
		r->name_source[i] = k->name[i].source;
	}
	return wcur_len(&c);
}

static void
fill_host(struct store *s, const struct question *a, const struct host *h, const struct host_share *n,
	  struct row_host *r)
{
	*r = (struct row_host){ .ip = h->key.ip,
				.space = h->key.space,
				.vlan = (uint16_t)h->key.vlan,
				.local = h->local,
				.has_mac = h->mac_from != HOST_MAC_NONE,
				.score_client = h->score_client,
				.score_server = h->score_server,
				.flows_client = n->active[CLIENT],
				.flows_server = n->active[SERVER],
				.peers = host_peers(s->hosts, h),
				.tcp = host_tcp_of(h),
				.first_ns = h->first_ns,
				.last_ns = h->last_ns };
	for (int i = 0; i < 2; i++) {
		r->bytes[i] = n->bytes[i];
		r->packets[i] = n->packets[i];
		r->bytes_per_s[i] = rate_at(&n->rate, a->v.rate_second, i);
		r->flows_seen[i] = n->seen[i];
	}
	memcpy(r->mac, h->mac, sizeof(r->mac));
	put_ports(h, PORT_SERVED, r->served);
	put_ports(h, PORT_USED, r->used);
}

static void
put_host(struct store *s, struct question *a, const struct host *h, const struct host_share *n)
{
	char applications[HOST_APPS * (NAME_TEXT_MAX + 1)], risks[RISKS_TEXT_MAX],
	    names[HOST_NAMES * (HOST_NAME_MAX_LEN + 1)];
	const struct known *k = known_find(s->known, &h->key);
	const struct place *p = places_find(s->places, &h->key.ip);
	const char *vendor = NULL;
	size_t vendor_len = 0;
	struct row_host r;

	fill_host(s, a, h, n, &r);
	if (r.has_mac)
		vendor = vendors_find(s->vendors, h->mac, &vendor_len);
	r.names_len = (uint16_t)host_names(k, &r, names, sizeof(names));
	r.applications_len = (uint16_t)put_applications(s, h, &r, applications, sizeof(applications));
	r.risks_len = (uint16_t)ask_risks(s, h->risks, risks, sizeof(risks));
	r.vendor_len = (uint16_t)vendor_len;
	r.os_len = k == NULL ? 0 : k->os_len;
	if (p != NULL) {
		r.as_number = p->as_number;
		r.as_name_len = p->as_name_len;
		r.city_len = p->city_len;
		memcpy(r.country, p->country, sizeof(r.country));
	}
	answer_row(&a->out);
	answer_put(&a->out, &r, sizeof(r));
	answer_put(&a->out, names, r.names_len);
	answer_put(&a->out, applications, r.applications_len);
	answer_put(&a->out, risks, r.risks_len);
	answer_put(&a->out, vendor, r.vendor_len);
	answer_put(&a->out, p == NULL ? NULL : p->text, (size_t)r.as_name_len + r.city_len);
	answer_put(&a->out, k == NULL ? NULL : k->os, r.os_len);
	answer_row_end(&a->out);
}

static bool
is_still_host(struct store *s, struct question *a, struct topk_entry *e)
{
	const struct host *h = hosts_at(s->hosts, e->ref[0]);
	uint8_t tie[TOPK_TIE];
	struct host_share sum;
	const struct host_share *n = view_host(&a->v, h, &sum);

	if (n == NULL || h->key.tenant != e->tenant)
		return false;
	live_host_tie(&h->key, tie);
	e->value = live_host_value(h, n, live_sort(LIVE_HOSTS, a->q.sort), a->v.rate_second);
	return memcmp(tie, e->tie, sizeof(tie)) == 0;
}

static void
put_listed_host(struct store *s, struct question *a, const struct topk_entry *e)
{
	const struct host *h = hosts_at(s->hosts, e->ref[0]);
	struct host_share sum;
	const struct host_share *n = view_host(&a->v, h, &sum);

	if (n != NULL)
		put_host(s, a, h, n);
}

/* Offers each host of the list, or of those at a point. */
static void
offer_hosts(struct store *s, struct question *a, uint32_t point, struct topk *t)
{
	struct live_part p;
	struct host_share sum;

	live_part(&a->v, LIVE_HOSTS, 0, &p);
	for (uint32_t i = 0; i < p.n; i++) {
		uint32_t row = p.entry == NULL ? i : slots_slot(p.entry[i]);
		const struct host *h = hosts_at(s->hosts, row);
		const struct host_share *n = view_host(&a->v, h, &sum);

		if (n == NULL || (point != POINT_NONE && (h->points >> point & 1) == 0))
			continue;

		struct topk_entry e = { .value = live_host_value(h, n, live_sort(LIVE_HOSTS, a->q.sort),
								 a->v.rate_second),
					.tenant = h->key.tenant,
					.ref = { row, 0 } };

		if (!topk_wants(t, e.value))
			continue;
		live_host_tie(&h->key, e.tie);
		topk_offer(t, &e);
	}
}

void
ask_hosts(struct store *s, struct question *a)
{
	static const struct ask_live_list list = { LIVE_HOSTS, is_still_host, put_listed_host };
	uint32_t point = a->q.point == ANY_POINT ? POINT_NONE : points_index(&s->points, a->q.point);

	if (a->v.nnarrowed > 0) {
		ask_part_hosts(s, a);
		return;
	}
	if (ask_wrong_page(a) || (a->q.point == ANY_POINT && ask_ordered(s, a, &list)))
		return;

	struct topk *t = ask_list_begin(a);

	if (a->q.point == ANY_POINT || point != POINT_NONE)
		offer_hosts(s, a, point, t);
	topk_finish(t);
	for (size_t i = 0; i < t->n; i++)
		put_listed_host(s, a, &t->heap[i]);
	ask_list_end(s, a, t);
}

/* A host of several tenants is as many rows to the platform. */
void
ask_host(struct store *s, struct question *a)
{
	if (a->v.nnarrowed > 0) {
		ask_part_host(s, a);
		return;
	}

	const struct snapshot *policy = grants_policy(s->grants);
	size_t tenants = a->v.platform ? snapshot_tenants(policy) + 1 : 1;
	const struct host_share *n;
	struct host_share sum;
	unsigned found = 0;

	for (size_t i = 0; i < tenants && a->q.has_ip != 0 && found < a->limit; i++) {
		const struct tenant *t = snapshot_tenant_at(policy, i);
		struct host_key k = { .space = a->q.space, .ip = a->q.ip, .vlan = a->q.vlan };

		k.tenant = !a->v.platform ? a->v.tenant : t == NULL ? TENANT_UNASSIGNED : t->number;

		const struct host *h = hosts_find(s->hosts, &k);

		n = h == NULL ? NULL : view_host(&a->v, h, &sum);
		if (n == NULL)
			continue;
		put_host(s, a, h, n);
		found++;
	}
	answer_end(&a->out, found > 0 ? ANSWER_OK : ANSWER_NOT_FOUND, NULL, 0);
}

/* --- devices
 * --------------------------------------------------------------------------------------------------------------------
 */

static int
ip_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ip_addr));
}

void
ask_put_device(struct store *s, struct question *a, const struct device *d, const struct device_share *n)
{
	const struct boot_point *p = s->points.point[d->key.point].boot;
	size_t vendor_len;
	const char *vendor = vendors_find(s->vendors, d->key.mac, &vendor_len);
	struct row_device r = { .point = p->id,
				.space = p->space,
				.vlan = d->key.vlan,
				.arp_requests =
				    d->arp_requests > UINT32_MAX ? UINT32_MAX : (uint32_t)d->arp_requests,
				.arp_replies =
				    d->arp_replies > UINT32_MAX ? UINT32_MAX : (uint32_t)d->arp_replies,
				.first_ns = d->first_ns,
				.last_ns = d->last_ns,
				.vendor_len = (uint16_t)vendor_len,
				.point_len = (uint16_t)strlen(p->name) };

	memcpy(r.mac, d->key.mac, sizeof(r.mac));
	for (uint32_t i = 0; i < DEVICE_IPS && i < d->nips; i++)
		if (!mask_hides(&a->v, &d->ip[i]))
			r.ip[r.nips++] = d->ip[i];
	qsort(r.ip, r.nips, sizeof(r.ip[0]), ip_order);
	memcpy(r.bytes, n->bytes, sizeof(r.bytes));
	memcpy(r.packets, n->packets, sizeof(r.packets));
	answer_row(&a->out);
	answer_put(&a->out, &r, sizeof(r));
	answer_put(&a->out, vendor, r.vendor_len);
	answer_put(&a->out, p->name, r.point_len);
	answer_row_end(&a->out);
}

static bool
is_still_device(struct store *s, struct question *a, struct topk_entry *e)
{
	const struct device *d = lru_at(s->devices, e->ref[0]);
	uint8_t tie[TOPK_TIE];
	struct device_share n;

	if (!live_device(&a->v, d, &n) || d->key.tenant != e->tenant)
		return false;
	live_device_tie(s, &d->key, tie);
	e->value = live_device_value(d, &n, live_sort(LIVE_DEVICES, a->q.sort));
	return memcmp(tie, e->tie, sizeof(tie)) == 0;
}

static void
put_listed_device(struct store *s, struct question *a, const struct topk_entry *e)
{
	const struct device *d = lru_at(s->devices, e->ref[0]);
	struct device_share n;

	if (live_device(&a->v, d, &n))
		ask_put_device(s, a, d, &n);
}

static void
offer_devices(struct store *s, struct question *a, struct topk *t)
{
	struct device_share n;

	for (uint32_t i = 0; i < lru_count(s->devices); i++) {
		const struct device *d = lru_at(s->devices, i);

		if (!live_device(&a->v, d, &n) ||
		    (a->q.point != ANY_POINT && s->points.point[d->key.point].boot->id != a->q.point))
			continue;

		struct topk_entry e = { .value = live_device_value(d, &n, live_sort(LIVE_DEVICES, a->q.sort)),
					.tenant = d->key.tenant,
					.ref = { i, 0 } };

		if (!topk_wants(t, e.value))
			continue;
		live_device_tie(s, &d->key, e.tie);
		topk_offer(t, &e);
	}
}

void
ask_devices(struct store *s, struct question *a)
{
	static const struct ask_live_list list = { LIVE_DEVICES, is_still_device, put_listed_device };

	if (a->v.nnarrowed > 0) {
		ask_part_devices(s, a);
		return;
	}
	if (ask_wrong_page(a) || (a->q.point == ANY_POINT && ask_ordered(s, a, &list)))
		return;

	struct topk *t = ask_list_begin(a);

	offer_devices(s, a, t);
	topk_finish(t);
	for (size_t i = 0; i < t->n; i++)
		put_listed_device(s, a, &t->heap[i]);
	ask_list_end(s, a, t);
}
