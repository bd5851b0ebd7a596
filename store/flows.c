/* Live flows: each delta of a flow goes to the hosts, totals and series of its tenants, and to the
 * platform's. */
#include "flows.h"

#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "minutes.h"
#include "subject_series.h"
#include "sum.h"
#include "watched.h"
#include "whose.h"

#define TCP_FLAG_SYN 0x02u

enum part { PART_LIVE = 1, PART_SERIES = 2, PART_ALL = 3 };

/* --- adding
 * ------------------------------------------------------------------------------------------------------------
 */

static void
subject_add(struct store *s, uint32_t i, const struct series_value *v, int64_t second, int64_t last_ns,
	    unsigned parts)
{
	if (i == SUBJECT_NONE)
		return;

	struct subject *u = subjects_at(s->subjects, i);

	if (parts & PART_LIVE) {
		uint64_t bytes = v->in_bytes + v->out_bytes, packets = v->in_packets + v->out_packets;

		u->bytes = sum_sat(u->bytes, bytes);
		u->packets = sum_sat(u->packets, packets);
		rate_add(&u->rate, second, bytes, packets);
		if (last_ns > u->last_ns)
			u->last_ns = last_ns;
	}
	if ((parts & PART_SERIES) == 0)
		return;

	struct series_value most = *v;

	most.flows_max = u->flows_active;
	subject_second(s, u, second, &most);
}

/* Hosts tell their series once a minute: what is in there already they do not tell again. */
static void
host_add(struct store *s, const struct stamp *st, int share, enum side side, const struct live_flow *r,
	 const struct flow_counters *d, int64_t second, unsigned parts)
{
	const uint32_t i = st->host[side];
	const int sent = (int)side, received = 1 - (int)side;
	const struct host_told now = { { d->bytes[sent], d->bytes[received] },
				       { d->packets[sent], d->packets[received] } };

	if (i == HOST_NONE) {
		const struct host_key k = { st->tenant, s->points.point[r->point].boot->space, r->ip[side],
					    r->vlan };

		if (parts & PART_SERIES)
			minutes_unkept(s, &k, share, &now);
		return;
	}

	struct host *h = hosts_at(s->hosts, i);
	struct host_share *n = host_share(s->hosts, h, share);

	for (int k = 0; k < 2; k++) {
		n->bytes[k] = sum_sat(n->bytes[k], now.bytes[k]);
		n->packets[k] = sum_sat(n->packets[k], now.packets[k]);
	}
	rate_add(&n->rate, second, d->bytes[sent], d->bytes[received]);
	if ((parts & PART_SERIES) == 0)
		hosts_tell_not(s->hosts, i, share, &now);
	else if (h->watched != 0)
		watched_count(s, h, share, &now, second);
	if (r->last_ns > h->last_ns)
		h->last_ns = r->last_ns;
	if (r->application != 0)
		host_add_application(s->hosts, h, r->application, d->bytes[0] + d->bytes[1],
				     d->packets[0] + d->packets[1]);
}

static struct device_key
device_key_of(const struct live_flow *r, const struct stamp *st, const uint8_t mac[static 6])
{
	struct device_key k = { st->tenant, r->point, r->vlan, { 0 } };

	memcpy(k.mac, mac, sizeof(k.mac));
	return k;
}

static void
device_count(struct store *s, const struct live_flow *r, const struct stamp *st, int share, enum side side,
	     const struct flow_counters *d)
{
	const uint64_t bytes[2] = { d->bytes[side], d->bytes[1 - (int)side] };
	const uint64_t packets[2] = { d->packets[side], d->packets[1 - (int)side] };
	struct device_key k;

	if (st->device[side] == DEVICE_NONE)
		return;
	k = device_key_of(r, st, r->mac[side]);
	device_add(s->devices, st->device[side], &k, share, bytes, packets, r->last_ns);
}

/* As whoever has the server inside sees it, or as all others do. */
static struct series_value
value_of(const struct flow_counters *d, bool turned)
{
	const int inner = turned ? SERVER : CLIENT, outer = 1 - inner;

	return (struct series_value){ .in_bytes = d->bytes[outer],
				      .out_bytes = d->bytes[inner],
				      .in_packets = d->packets[outer],
				      .out_packets = d->packets[inner] };
}

/* Which way the frames of the point's next second went, of which only their sum is told: in the eyes of whose
 * point it is. */
static void
point_flows(const struct store *s, struct engine *e, const struct live_flow *r, const struct flow_counters *d)
{
	unsigned whose = s->points.point[r->point].owner == 0 ? TURNED_PLATFORM : 1u << SHARE_PRIMARY;
	const struct series_value v = value_of(d, (r->turned & whose) != 0);

	series_value_add(&e->progress[r->point].flows, &v);
}

/* x: the exporter that told of it, NULL for none. */
static void
account(struct store *s, struct engine *e, struct live_flow *r, const struct flow_counters *d,
	const struct exported *x, int64_t second, unsigned parts)
{
	const struct series_value platform = value_of(d, (r->turned & TURNED_PLATFORM) != 0);
	const struct stamp *st;

	if (platform.in_packets + platform.out_packets == 0 && platform.in_bytes + platform.out_bytes == 0)
		return;
	if (parts & PART_LIVE)
		rate_add(&r->rate, second, d->bytes[0], d->bytes[1]);
	for (int t = 0; t < SHARES && (st = live_stamp(&e->live, r, t)) != NULL; t++) {
		const struct series_value v = value_of(d, (r->turned & 1u << t) != 0);

		for (int i = 0; i < 3; i++)
			subject_add(s, st->subject[i], &v, second, r->last_ns, parts);
		if (parts & PART_LIVE) {
			host_add(s, st, t, CLIENT, r, d, second, parts);
			host_add(s, st, t, SERVER, r, d, second, parts);
			device_count(s, r, st, t, CLIENT, d);
			device_count(s, r, st, t, SERVER, d);
		}
		if (x != NULL && (parts & PART_SERIES) && st->tenant != TENANT_UNASSIGNED)
			minutes_exported(s, st->tenant, x, &v, d, second);
	}
	subject_add(s, r->platform_application, &platform, second, r->last_ns, parts);
	if ((parts & PART_SERIES) == 0)
		return;
	point_flows(s, e, r, d);
	if (x != NULL)
		minutes_exported(s, TENANT_PLATFORM, x, &platform, d, second);
}

/* NULL: it was seen here. */
static const struct exported *
exported_of(const struct rec_flow *f, struct exported *x)
{
	static const struct ip_addr none;

	if (ip_equal(&f->exporter, &none))
		return NULL;
	*x = (struct exported){ f->exporter, f->in_interface, f->out_interface };
	return x;
}

static const struct exported *
exported_live(const struct live *l, const struct live_flow *r, struct exported *x)
{
	static const struct ip_addr none;
	const struct live_rare *rare = &l->rare[live_slot(l, r)];

	if ((r->flags & LIVE_RARE) == 0 || ip_equal(&rare->exporter, &none))
		return NULL;
	*x = (struct exported){ rare->exporter, rare->in_interface, rare->out_interface };
	return x;
}

/* What came since the row was last told, which becomes the row's. */
static struct flow_counters
advance(struct live_flow *r, const struct flow_counters *now)
{
	struct flow_counters d;

	for (int i = 0; i < 2; i++) {
		d.bytes[i] = sum_less(now->bytes[i], r->count.bytes[i]);
		d.packets[i] = sum_less(now->packets[i], r->count.packets[i]);
		d.payload[i] = sum_less(now->payload[i], r->count.payload[i]);
		r->count.bytes[i] += d.bytes[i];
		r->count.packets[i] += d.packets[i];
		r->count.payload[i] += d.payload[i];
	}
	return d;
}

/* What of the row's counters is in live totals. */
static struct live_counted
counted(const struct live *l, const struct live_flow *r)
{
	struct live_counted n = { r->count.bytes[0] + r->count.bytes[1],
				  r->count.packets[0] + r->count.packets[1] };

	if (r->flags & LIVE_UNCOUNTED) {
		const struct live_counted *not = &l->uncounted[live_slot(l, r)];

		n.bytes = sum_less(n.bytes, not ->bytes);
		n.packets = sum_less(n.packets, not ->packets);
	}
	return n;
}

/* --- stamps
 * ------------------------------------------------------------------------------------------------------------
 */

static uint32_t
subject_begin(struct store *s, uint32_t tenant, enum series_subject subject, uint32_t number,
	      const struct rec_flow *f, bool is_new)
{
	struct series_key k = { tenant, subject, number };
	uint32_t i = subjects_get(s->subjects, &k);

	if (i == SUBJECT_NONE) {
		s->counters.n[OWN_SUBJECTS_FULL]++;
		return i;
	}

	struct subject *u = subjects_at(s->subjects, i);

	if (u->minute == 0)
		subject_admit(s, u, s->open);
	u->flows_active++;
	u->flows += is_new;
	if (u->first_ns == 0 || f->first_ns < u->first_ns)
		u->first_ns = f->first_ns;
	if (subject == SERIES_APPLICATION && f->category != 0)
		u->category = f->category;
	return i;
}

static void
subject_end(struct store *s, uint32_t i)
{
	if (i != SUBJECT_NONE)
		subjects_at(s->subjects, i)->flows_active--;
}

/* Addresses of other networks are behind the device that sent the frame, which is a router. */
static uint32_t
device_flow_begins(struct store *s, const struct live_flow *r, const struct stamp *st,
		   const struct rec_flow *f, enum side side)
{
	/* Not of the row, whose addresses were only just put there together. */
	struct device_key k = device_key_of(r, st, f->mac[side]);
	bool evicted, local;
	uint32_t i;

	if (!device_is_one(k.mac))
		return DEVICE_NONE;
	local = st->host[side] != HOST_NONE ? hosts_at(s->hosts, st->host[side])->local
					    : store_is_local(s, &r->ip[side]);
	i = device_begin(s->devices, &k, local ? &r->ip[side] : NULL, r->first_ns, &evicted);
	s->counters.n[OWN_FACTS_FULL] += evicted;
	return i;
}

static bool
is_inside(const struct store *s, uint32_t tenant, const struct ip_addr *ip)
{
	struct ip_prefix network;

	return whose_network(s, tenant, ip, &network);
}

static uint32_t
host_begin(struct store *s, const struct rec_flow *f, const struct host_place *place, uint32_t point,
	   int share, enum side side, uint32_t tenant_subject, bool is_new)
{
	bool fresh;
	uint32_t i = hosts_get(s->hosts, place, &fresh);

	if (i == HOST_NONE) {
		s->counters.n[OWN_HOSTS_FULL]++;
		return i;
	}

	struct host *h = hosts_at(s->hosts, i);

	if (fresh) {
		h->first_ns = f->first_ns;
		h->local = store_is_local(s, &f->ip[side]);
		h->inside = is_inside(s, place->key.tenant, &f->ip[side]);
		h->watched = watched_marks(s, h) & WATCHED_MARKS;
		resolve_host(s, h);
	}
	if (f->first_ns < h->first_ns)
		h->first_ns = f->first_ns;
	if (f->last_ns > h->last_ns)
		h->last_ns = f->last_ns;
	h->points |= UINT32_C(1) << point;
	host_share(s->hosts, h, share)->seen[side] += is_new;
	if (h->local && device_is_one(f->mac[side]))
		host_set_mac(h, f->mac[side], side == CLIENT ? HOST_MAC_SENT : HOST_MAC_RECEIVED);
	host_add_peer(s->hosts, h, &f->ip[1 - (int)side]);
	if (hosts_flow_begins(s->hosts, i, share, side) && tenant_subject != SUBJECT_NONE)
		subjects_at(s->subjects, tenant_subject)->hosts_active++;
	return i;
}

static void
host_end(struct store *s, uint32_t i, int share, enum side side, uint32_t tenant_subject)
{
	if (i != HOST_NONE && hosts_flow_ends(s->hosts, i, share, side) && tenant_subject != SUBJECT_NONE)
		subjects_at(s->subjects, tenant_subject)->hosts_active--;
}

/* For whom the server is the inner end: where only that one is inside. Hosts know whether they are. */
static void
turn(const struct store *s, struct live_flow *r, const struct stamp *st, int share)
{
	bool inside[2], local[2];

	for (int side = CLIENT; side <= SERVER; side++) {
		const struct host *h =
		    st->host[side] == HOST_NONE ? NULL : hosts_at(s->hosts, st->host[side]);

		inside[side] = h != NULL ? h->inside : is_inside(s, st->tenant, &r->ip[side]);
		local[side] = h != NULL ? h->local : store_is_local(s, &r->ip[side]);
	}
	if (inside[SERVER] && !inside[CLIENT])
		r->turned |= (uint8_t)(1u << share);
	if (share == SHARE_PRIMARY && local[SERVER] && !local[CLIENT])
		r->turned |= TURNED_PLATFORM;
}

static void
stamp_tenant(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f, int share,
	     uint32_t tenant, bool is_new)
{
	const struct boot_point *p = s->points.point[r->point].boot;
	struct stamp *st = live_stamp(&e->live, r, share);
	struct host_place place[2];

	for (int side = CLIENT; side <= SERVER; side++)
		hosts_expect(s->hosts, tenant, f->space, &f->ip[side], f->vlan[0], &place[side]);
	st->tenant = tenant;
	st->subject[STAMP_TENANT] = subject_begin(s, tenant, SERIES_TENANT, 0, f, is_new);
	st->subject[STAMP_POINT] = subject_begin(s, tenant, SERIES_POINT, p->id, f, is_new);
	st->subject[STAMP_APPLICATION] =
	    subject_begin(s, tenant, SERIES_APPLICATION, f->application, f, is_new);
	for (int side = CLIENT; side <= SERVER; side++) {
		st->host[side] = host_begin(s, f, &place[side], r->point, share, (enum side)side,
					    st->subject[STAMP_TENANT], is_new);
		st->device[side] = device_flow_begins(s, r, st, f, (enum side)side);
	}
	turn(s, r, st, share);
	if (r != live_spare(&e->live))
		slots_add(e->live.slots, tenant, share, live_slot(&e->live, r));
}

/* The platform's own counts of live flows: in all, and at the point. */
static void
count_platform(struct store *s, const struct live_flow *r, bool begins, bool is_new)
{
	const uint32_t subjects[] = { s->platform_total, s->points.point[r->point].subject };

	for (int i = 0; i < 2; i++) {
		struct subject *u = subjects_at(s->subjects, subjects[i]);

		u->flows_active += begins ? 1 : UINT32_MAX;
		u->flows += is_new;
	}
}

/* Whose flow this is, now and in history: decided once, by the snapshot of this moment. */
static void
stamp(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f, bool is_new)
{
	struct tenant_match m = whose_flow(s, r->point, f);

	stamp_tenant(s, e, r, f, SHARE_PRIMARY, m.primary == TENANT_PLATFORM ? TENANT_UNASSIGNED : m.primary,
		     is_new);
	if (m.secondary != TENANT_PLATFORM && m.secondary != m.primary) {
		r->flags |= LIVE_SHARED;
		stamp_tenant(s, e, r, f, SHARE_SECONDARY, m.secondary, is_new);
	}
	r->platform_application =
	    subject_begin(s, TENANT_PLATFORM, SERIES_APPLICATION, f->application, f, is_new);
	count_platform(s, r, true, is_new);
}

static void
unstamp(struct store *s, struct engine *e, struct live_flow *r)
{
	const struct stamp *st;

	for (int t = 0; t < SHARES && (st = live_stamp(&e->live, r, t)) != NULL; t++) {
		host_end(s, st->host[CLIENT], t, CLIENT, st->subject[STAMP_TENANT]);
		host_end(s, st->host[SERVER], t, SERVER, st->subject[STAMP_TENANT]);
		for (int i = 0; i < 3; i++)
			subject_end(s, st->subject[i]);
		if (r != live_spare(&e->live))
			slots_remove(e->live.slots, st->tenant, t, live_slot(&e->live, r));
	}
	subject_end(s, r->platform_application);
	count_platform(s, r, false, false);
}

/* --- meaning
 * -------------------------------------------------------------------------------------------------------------
 */

/* What was counted for one application turns out to be another's. Series stay as they are: that time is over.
 */
static uint32_t
subject_move(struct store *s, uint32_t from, uint32_t tenant, const struct rec_flow *f, int64_t last_ns,
	     const struct live_counted *n)
{
	if (from != SUBJECT_NONE) {
		struct subject *u = subjects_at(s->subjects, from);

		u->flows_active--;
		u->flows -= u->flows > 0;
		u->bytes = sum_less(u->bytes, n->bytes);
		u->packets = sum_less(u->packets, n->packets);
	}

	uint32_t to = subject_begin(s, tenant, SERIES_APPLICATION, f->application, f, true);

	if (to != SUBJECT_NONE) {
		struct subject *u = subjects_at(s->subjects, to);

		u->bytes = sum_sat(u->bytes, n->bytes);
		u->packets = sum_sat(u->packets, n->packets);
		if (last_ns > u->last_ns)
			u->last_ns = last_ns;
	}
	return to;
}

static void
application_change(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f)
{
	const struct live_counted n = counted(&e->live, r);
	const uint16_t from = r->application, to = f->application;
	struct stamp *st;

	r->application = to;
	for (int t = 0; t < SHARES && (st = live_stamp(&e->live, r, t)) != NULL; t++) {
		st->subject[STAMP_APPLICATION] =
		    subject_move(s, st->subject[STAMP_APPLICATION], st->tenant, f, r->last_ns, &n);
		for (int side = CLIENT; side <= SERVER; side++) {
			if (st->host[side] == HOST_NONE)
				continue;

			struct host *h = hosts_at(s->hosts, st->host[side]);

			if (from != 0)
				host_less_application(h, from, n.bytes, n.packets);
			if (to != 0)
				host_add_application(s->hosts, h, to, n.bytes, n.packets);
		}
	}
	r->platform_application =
	    subject_move(s, r->platform_application, TENANT_PLATFORM, f, r->last_ns, &n);
}

/* Whether the server took part: who only was tried at serves nothing. */
static bool
is_served(const struct rec_flow *f)
{
	if (f->protocol == IPPROTO_TCP)
		return (f->tcp.flags[SERVER] & TCP_FLAG_SYN) != 0 || f->count.payload[SERVER] > 0;
	return f->count.packets[SERVER] > 0;
}

static bool
has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_DCCP ||
	       protocol == IPPROTO_SCTP || protocol == IPPROTO_UDPLITE;
}

static void
ports_add(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f, uint32_t flows,
	  uint64_t bytes)
{
	const struct stamp *st;

	for (int t = 0; t < SHARES && (st = live_stamp(&e->live, r, t)) != NULL; t++) {
		if (st->host[CLIENT] != HOST_NONE)
			host_add_port(s->hosts, hosts_at(s->hosts, st->host[CLIENT]), PORT_USED, f->protocol,
				      f->port[SERVER], flows, bytes);
		if (st->host[SERVER] != HOST_NONE)
			host_add_port(s->hosts, hosts_at(s->hosts, st->host[SERVER]), PORT_SERVED,
				      f->protocol, f->port[SERVER], flows, bytes);
	}
}

/* Once a flow, as soon as its server has answered. */
static void
ports_begin(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f)
{
	if ((r->flags & LIVE_SERVED) || !has_ports(f->protocol) || !is_served(f))
		return;
	r->flags |= LIVE_SERVED;
	ports_add(s, e, r, f, f->slice == 0, 0);
}

static struct host_tcp
host_tcp_from(const struct rec_flow *f, enum side side)
{
	struct host_tcp h = { .resets = f->state == FLOW_RESET };

	for (int i = 0; i < 2; i++) {
		int from = i == 0 ? (int)side : 1 - (int)side;

		h.retransmissions[i] = f->tcp.retransmissions[from];
		h.out_of_order[i] = f->tcp.out_of_order[from];
		h.lost[i] = f->tcp.lost[from];
		h.zero_windows[i] = f->tcp.zero_windows[from];
	}
	if (f->slice == 0 && f->tcp.handshake_us[side] > 0) {
		h.handshakes = 1;
		h.handshake_us = f->tcp.handshake_us[side];
	}
	return h;
}

/* What a slice tells when it is complete. */
static void
hosts_finish(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f)
{
	const struct host_tcp tcp[2] = { host_tcp_from(f, CLIENT), host_tcp_from(f, SERVER) };
	const struct stamp *st;

	ports_begin(s, e, r, f);
	if (r->flags & LIVE_SERVED)
		ports_add(s, e, r, f, 0, f->count.bytes[CLIENT] + f->count.bytes[SERVER]);
	if (f->protocol != IPPROTO_TCP)
		return;
	for (int t = 0; t < SHARES && (st = live_stamp(&e->live, r, t)) != NULL; t++)
		for (int side = CLIENT; side <= SERVER; side++)
			if (st->host[side] != HOST_NONE)
				host_add_tcp(s->hosts, hosts_at(s->hosts, st->host[side]), &tcp[side]);
}

static void
hosts_learn(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f)
{
	const struct stamp *st;

	if (f->risks == 0 && f->score == 0)
		return;
	for (int t = 0; t < SHARES && (st = live_stamp(&e->live, r, t)) != NULL; t++) {
		for (int side = CLIENT; side <= SERVER; side++) {
			if (st->host[side] == HOST_NONE)
				continue;

			struct host *h = hosts_at(s->hosts, st->host[side]);
			uint16_t *score = side == CLIENT ? &h->score_client : &h->score_server;

			h->risks |= f->risks;
			if (f->score > *score)
				*score = f->score;
		}
	}
}

/* --- the life of a flow
 * ---------------------------------------------------------------------------------------------------- */

static int64_t
second_of(int64_t ns)
{
	return ns / NS_PER_S;
}

/* A row is made, and what it counted so far is added where it is not yet in. */
static void
begin(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f, uint32_t point)
{
	struct progress *p = &e->progress[point];
	bool known = p->resumed && memcmp(f->id.b, p->resume_id.b, sizeof(f->id.b)) <= 0;
	unsigned parts = !known ? PART_ALL : p->live_known ? 0 : PART_LIVE;
	struct exported x;

	live_begin(r, f, point);
	stamp(s, e, r, f, f->slice == 0 && (parts & PART_LIVE) != 0);
	hosts_learn(s, e, r, f);

	struct flow_counters d = advance(r, &f->count);

	if ((parts & PART_LIVE) == 0) {
		e->live.uncounted[live_slot(&e->live, r)] =
		    (struct live_counted){ d.bytes[0] + d.bytes[1], d.packets[0] + d.packets[1] };
		r->flags |= LIVE_UNCOUNTED;
	}
	account(s, e, r, &d, exported_of(f, &x), second_of(f->last_ns), parts);
	ports_begin(s, e, r, f);
	if (memcmp(f->id.b, p->applied.newest.b, sizeof(f->id.b)) > 0) {
		p->applied.newest = f->id;
		p->dirty = true;
	}
}

/* f: the slice as it is kept. */
static void
finish(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f, const char *text)
{
	const struct stamp *second = live_stamp(&e->live, r, SHARE_SECONDARY);
	const uint32_t tenant[2] = { r->stamp.tenant, second == NULL ? TENANT_PLATFORM : second->tenant };
	const struct flow_texts texts = flow_texts_of(f, text);

	if (!batch_add_flow(s->open, tenant, f, &texts))
		s->counters.n[OWN_HISTORY_FULL]++;
	if (s->recents->n > 0)
		recent_tell_end(s, tenant, f, text);
	hosts_finish(s, e, r, f);
	unstamp(s, e, r);
	live_end(&e->live, r);
}

static void
learn(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f, const char *text)
{
	if (!live_learn(&e->live, r, f, text))
		s->counters.n[OWN_TEXTS_FULL]++;
}

void
flow_begin(struct store *s, struct engine *e, const struct rec_flow *f, uint32_t point, const char *text)
{
	struct live_flow *r = &e->live.flow[f->slot];

	if (f->slot >= e->live.limit)
		e->live.limit = f->slot + 1;
	begin(s, e, r, f, point);
	learn(s, e, r, f, text);
	if (s->recents->n > 0)
		recent_tell(s, e, r, FLOW_OPENED);
}

/* What a record says anew of a row that stays or ends. */
static void
change(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f)
{
	if (f->application != r->application)
		application_change(s, e, r, f);
	hosts_learn(s, e, r, f);
	r->last_ns = f->last_ns;

	struct flow_counters d = advance(r, &f->count);

	struct exported x;

	account(s, e, r, &d, exported_of(f, &x), second_of(f->last_ns), PART_ALL);
	ports_begin(s, e, r, f);
}

void
flow_update(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f,
	    const char *text)
{
	change(s, e, r, f);
	learn(s, e, r, f, text);
	if (s->recents->n > 0)
		recent_tell(s, e, r, FLOW_CHANGED);
}

void
flow_count(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow_count *c)
{
	struct flow_counters d = advance(r, &c->count);
	struct exported x;

	if (c->last_ns > r->last_ns)
		r->last_ns = c->last_ns;
	r->state = (uint8_t)c->state;
	account(s, e, r, &d, exported_live(&e->live, r, &x), c->second, PART_ALL);
	if (s->recents->n > 0)
		recent_tell(s, e, r, FLOW_CHANGED);
}

void
flow_end(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f, const char *text)
{
	change(s, e, r, f);
	finish(s, e, r, f, text);
}

void
flow_whole(struct store *s, struct engine *e, const struct rec_flow *f, uint32_t point, const char *text)
{
	struct live_flow *r = live_spare(&e->live);

	begin(s, e, r, f, point);
	finish(s, e, r, f, text);
}

void
flow_lost(struct store *s, struct engine *e, struct live_flow *r)
{
	char text[FLOW_TEXT_MAX];
	struct rec_flow f;

	live_record(&e->live, r, &s->points, &f);
	live_text(&e->live, r, text);
	f.end_reason = END_LOST;
	s->counters.n[OWN_FLOWS_LOST]++;
	finish(s, e, r, &f, text);
}
