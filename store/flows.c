/* Live flows: each delta of a flow goes to the hosts, totals and series of its tenants, and to the
 * platform's. */
#include "flows.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sum.h"
#include "whose.h"

#define TCP_FLAG_SYN 0x02u

enum part { PART_LIVE = 1, PART_SERIES = 2, PART_ALL = 3 };

/* --- adding
 * ------------------------------------------------------------------------------------------------------------
 */

static void
subject_add(struct store *s, uint32_t i, uint64_t bytes, uint64_t packets, int64_t second, int64_t last_ns,
	    unsigned parts)
{
	if (i == SUBJECT_NONE)
		return;

	struct subject *u = subjects_at(s->subjects, i);

	if (parts & PART_LIVE) {
		u->bytes = sum_sat(u->bytes, bytes);
		u->packets = sum_sat(u->packets, packets);
		rate_add(&u->rate, second, bytes, packets);
		if (last_ns > u->last_ns)
			u->last_ns = last_ns;
	}
	if ((parts & PART_SERIES) == 0)
		return;
	if (u->delta_generation != s->open->generation) {
		u->delta_generation = s->open->generation;
		u->delta = 0;
	}
	if (!batch_add_second(s->open, &u->key, &u->delta, second, bytes, packets, u->flows_active))
		s->counters.n[OWN_HISTORY_FULL]++;
}

static void
host_add(struct store *s, uint32_t i, int share, enum side side, const struct live_flow *r,
	 const struct flow_counters *d, int64_t second)
{
	if (i == HOST_NONE)
		return;

	struct host *h = hosts_at(s->hosts, i);
	struct host_share *n = &h->share[share];
	const int sent = (int)side, received = 1 - (int)side;

	n->bytes[0] = sum_sat(n->bytes[0], d->bytes[sent]);
	n->bytes[1] = sum_sat(n->bytes[1], d->bytes[received]);
	n->packets[0] = sum_sat(n->packets[0], d->packets[sent]);
	n->packets[1] = sum_sat(n->packets[1], d->packets[received]);
	rate_add(&n->rate, second, d->bytes[sent], d->bytes[received]);
	if (r->f.last_ns > h->last_ns)
		h->last_ns = r->f.last_ns;
	if (r->f.application != 0)
		host_add_application(h, r->f.application, d->bytes[0] + d->bytes[1],
				     d->packets[0] + d->packets[1]);
}

static struct device_key
device_key_of(const struct live_flow *r, int share, enum side side)
{
	struct device_key k = { r->stamp[share].tenant, r->point, r->f.vlan[0], { 0 } };

	memcpy(k.mac, r->f.mac[side], sizeof(k.mac));
	return k;
}

static void
device_count(struct store *s, const struct live_flow *r, int share, enum side side,
	     const struct flow_counters *d)
{
	const uint64_t bytes[2] = { d->bytes[side], d->bytes[1 - (int)side] };
	const uint64_t packets[2] = { d->packets[side], d->packets[1 - (int)side] };
	struct device_key k;

	if (r->stamp[share].device[side] == DEVICE_NONE)
		return;
	k = device_key_of(r, share, side);
	device_add(s->devices, r->stamp[share].device[side], &k, share, bytes, packets, r->f.last_ns);
}

static void
account(struct store *s, struct live_flow *r, const struct flow_counters *d, int64_t second, unsigned parts)
{
	uint64_t bytes = d->bytes[0] + d->bytes[1], packets = d->packets[0] + d->packets[1];

	if (packets == 0 && bytes == 0)
		return;
	if (parts & PART_LIVE) {
		rate_add(&r->rate, second, d->bytes[0], d->bytes[1]);
		r->counted_bytes += bytes;
		r->counted_packets += packets;
	}
	for (int t = 0; t < 2 && r->stamp[t].tenant != TENANT_PLATFORM; t++) {
		const struct stamp *st = &r->stamp[t];

		for (int i = 0; i < 3; i++)
			subject_add(s, st->subject[i], bytes, packets, second, r->f.last_ns, parts);
		if (parts & PART_LIVE) {
			host_add(s, st->host[CLIENT], t, CLIENT, r, d, second);
			host_add(s, st->host[SERVER], t, SERVER, r, d, second);
			device_count(s, r, t, CLIENT, d);
			device_count(s, r, t, SERVER, d);
		}
	}
	subject_add(s, r->platform_application, bytes, packets, second, r->f.last_ns, parts);
}

/* What came since the row was last told, which becomes the row's. */
static struct flow_counters
advance(struct live_flow *r, const struct flow_counters *now)
{
	struct flow_counters d;

	for (int i = 0; i < 2; i++) {
		d.bytes[i] = sum_less(now->bytes[i], r->f.count.bytes[i]);
		d.packets[i] = sum_less(now->packets[i], r->f.count.packets[i]);
		d.payload[i] = sum_less(now->payload[i], r->f.count.payload[i]);
		r->f.count.bytes[i] += d.bytes[i];
		r->f.count.packets[i] += d.packets[i];
		r->f.count.payload[i] += d.payload[i];
	}
	return d;
}

/* --- stamps
 * ------------------------------------------------------------------------------------------------------------
 */

static uint32_t
subject_begin(struct store *s, uint32_t tenant, enum series_subject subject, uint32_t number,
	      const struct live_flow *r, bool is_new)
{
	struct series_key k = { tenant, subject, number };
	uint32_t i = subjects_get(s->subjects, &k);

	if (i == SUBJECT_NONE) {
		s->counters.n[OWN_SUBJECTS_FULL]++;
		return i;
	}

	struct subject *u = subjects_at(s->subjects, i);

	u->flows_active++;
	u->flows += is_new;
	if (u->first_ns == 0 || r->f.first_ns < u->first_ns)
		u->first_ns = r->f.first_ns;
	if (subject == SERIES_APPLICATION && r->f.category != 0)
		u->category = r->f.category;
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
device_flow_begins(struct store *s, const struct live_flow *r, int share, enum side side)
{
	struct device_key k = device_key_of(r, share, side);
	bool evicted;
	uint32_t i;

	if (!device_is_one(k.mac))
		return DEVICE_NONE;
	i = device_begin(s->devices, &k, store_is_local(s, &r->f.ip[side]) ? &r->f.ip[side] : NULL,
			 r->f.first_ns, &evicted);
	s->counters.n[OWN_FACTS_FULL] += evicted;
	return i;
}

static uint32_t
host_begin(struct store *s, const struct live_flow *r, int share, enum side side, uint32_t tenant_subject,
	   bool is_new)
{
	const struct rec_flow *f = &r->f;
	struct host_key k = { r->stamp[share].tenant, f->space, f->ip[side], f->vlan[0] };
	bool fresh;
	uint32_t i = hosts_get(s->hosts, &k, &fresh);

	if (i == HOST_NONE) {
		s->counters.n[OWN_HOSTS_FULL]++;
		return i;
	}

	struct host *h = hosts_at(s->hosts, i);

	if (fresh) {
		h->first_ns = f->first_ns;
		h->local = store_is_local(s, &k.ip);
		resolve_host(s, h);
	}
	if (f->first_ns < h->first_ns)
		h->first_ns = f->first_ns;
	if (f->last_ns > h->last_ns)
		h->last_ns = f->last_ns;
	h->points |= UINT32_C(1) << r->point;
	h->share[share].seen[side] += is_new;
	if (h->local && device_is_one(f->mac[side]))
		host_set_mac(h, f->mac[side], side == CLIENT ? HOST_MAC_SENT : HOST_MAC_RECEIVED);
	host_add_peer(h, &f->ip[1 - (int)side], hosts_seed(s->hosts));
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

static void
stamp_tenant(struct store *s, struct live_flow *r, int share, uint32_t tenant, bool is_new)
{
	struct stamp *st = &r->stamp[share];
	const struct boot_point *p = s->points.point[r->point].boot;

	st->tenant = tenant;
	if (tenant == TENANT_PLATFORM)
		return;
	st->subject[STAMP_TENANT] = subject_begin(s, tenant, SERIES_TENANT, 0, r, is_new);
	st->subject[STAMP_POINT] = subject_begin(s, tenant, SERIES_POINT, p->id, r, is_new);
	st->subject[STAMP_APPLICATION] =
	    subject_begin(s, tenant, SERIES_APPLICATION, r->f.application, r, is_new);
	for (int side = CLIENT; side <= SERVER; side++) {
		st->host[side] = host_begin(s, r, share, (enum side)side, st->subject[STAMP_TENANT], is_new);
		st->device[side] = device_flow_begins(s, r, share, (enum side)side);
	}
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
stamp(struct store *s, struct live_flow *r, bool is_new)
{
	const struct rec_flow *f = &r->f;
	struct tenant_match m = whose_flow(s, r->point, f);

	stamp_tenant(s, r, SHARE_PRIMARY, m.primary == TENANT_PLATFORM ? TENANT_UNASSIGNED : m.primary,
		     is_new);
	stamp_tenant(s, r, SHARE_SECONDARY, m.secondary == m.primary ? TENANT_PLATFORM : m.secondary, is_new);
	r->platform_application =
	    subject_begin(s, TENANT_PLATFORM, SERIES_APPLICATION, f->application, r, is_new);
	count_platform(s, r, true, is_new);
}

static void
unstamp(struct store *s, struct live_flow *r)
{
	for (int t = 0; t < 2 && r->stamp[t].tenant != TENANT_PLATFORM; t++) {
		struct stamp *st = &r->stamp[t];

		host_end(s, st->host[CLIENT], t, CLIENT, st->subject[STAMP_TENANT]);
		host_end(s, st->host[SERVER], t, SERVER, st->subject[STAMP_TENANT]);
		for (int i = 0; i < 3; i++)
			subject_end(s, st->subject[i]);
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
subject_move(struct store *s, uint32_t from, uint32_t tenant, uint16_t application, const struct live_flow *r)
{
	if (from != SUBJECT_NONE) {
		struct subject *u = subjects_at(s->subjects, from);

		u->flows_active--;
		u->flows -= u->flows > 0;
		u->bytes = sum_less(u->bytes, r->counted_bytes);
		u->packets = sum_less(u->packets, r->counted_packets);
	}

	uint32_t to = subject_begin(s, tenant, SERIES_APPLICATION, application, r, true);

	if (to != SUBJECT_NONE) {
		struct subject *u = subjects_at(s->subjects, to);

		u->bytes = sum_sat(u->bytes, r->counted_bytes);
		u->packets = sum_sat(u->packets, r->counted_packets);
		if (r->f.last_ns > u->last_ns)
			u->last_ns = r->f.last_ns;
	}
	return to;
}

static void
application_change(struct store *s, struct live_flow *r, uint16_t to)
{
	uint16_t from = r->f.application;

	r->f.application = to;
	for (int t = 0; t < 2 && r->stamp[t].tenant != TENANT_PLATFORM; t++) {
		struct stamp *st = &r->stamp[t];

		st->subject[STAMP_APPLICATION] =
		    subject_move(s, st->subject[STAMP_APPLICATION], st->tenant, to, r);
		for (int side = CLIENT; side <= SERVER; side++) {
			if (st->host[side] == HOST_NONE)
				continue;

			struct host *h = hosts_at(s->hosts, st->host[side]);

			if (from != 0)
				host_less_application(h, from, r->counted_bytes, r->counted_packets);
			if (to != 0)
				host_add_application(h, to, r->counted_bytes, r->counted_packets);
		}
	}
	r->platform_application = subject_move(s, r->platform_application, TENANT_PLATFORM, to, r);
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
ports_add(struct store *s, const struct live_flow *r, uint32_t flows, uint64_t bytes)
{
	const struct rec_flow *f = &r->f;

	for (int t = 0; t < 2 && r->stamp[t].tenant != TENANT_PLATFORM; t++) {
		const uint32_t *host = r->stamp[t].host;

		if (host[CLIENT] != HOST_NONE)
			host_add_port(hosts_at(s->hosts, host[CLIENT])->used_port, f->protocol,
				      f->port[SERVER], flows, bytes);
		if (host[SERVER] != HOST_NONE)
			host_add_port(hosts_at(s->hosts, host[SERVER])->served, f->protocol, f->port[SERVER],
				      flows, bytes);
	}
}

/* Once a flow, as soon as its server has answered. */
static void
ports_begin(struct store *s, struct live_flow *r)
{
	if (r->is_served || !has_ports(r->f.protocol) || !is_served(&r->f))
		return;
	r->is_served = true;
	ports_add(s, r, r->f.slice == 0, 0);
}

static void
host_tcp_add(struct host_tcp *h, const struct rec_flow *f, enum side side)
{
	for (int i = 0; i < 2; i++) {
		int from = i == 0 ? (int)side : 1 - (int)side;

		h->retransmissions[i] += f->tcp.retransmissions[from];
		h->out_of_order[i] += f->tcp.out_of_order[from];
		h->lost[i] += f->tcp.lost[from];
		h->zero_windows[i] += f->tcp.zero_windows[from];
	}
	h->resets += f->state == FLOW_RESET;
	if (f->slice == 0 && f->tcp.handshake_us[side] > 0) {
		h->handshakes++;
		h->handshake_us += f->tcp.handshake_us[side];
	}
}

/* What a slice tells when it is complete. */
static void
hosts_finish(struct store *s, struct live_flow *r)
{
	ports_begin(s, r);
	if (r->is_served)
		ports_add(s, r, 0, r->f.count.bytes[CLIENT] + r->f.count.bytes[SERVER]);
	if (r->f.protocol != IPPROTO_TCP)
		return;
	for (int t = 0; t < 2 && r->stamp[t].tenant != TENANT_PLATFORM; t++)
		for (int side = CLIENT; side <= SERVER; side++)
			if (r->stamp[t].host[side] != HOST_NONE)
				host_tcp_add(&hosts_at(s->hosts, r->stamp[t].host[side])->tcp, &r->f,
					     (enum side)side);
}

static void
hosts_learn(struct store *s, const struct live_flow *r)
{
	for (int t = 0; t < 2 && r->stamp[t].tenant != TENANT_PLATFORM; t++) {
		for (int side = CLIENT; side <= SERVER; side++) {
			if (r->stamp[t].host[side] == HOST_NONE)
				continue;

			struct host *h = hosts_at(s->hosts, r->stamp[t].host[side]);

			h->risks |= r->f.risks;
			if (r->f.score > h->score)
				h->score = r->f.score;
		}
	}
}

static size_t
flow_text_len(const struct rec_flow *f)
{
	return (size_t)f->server_name_len + f->info_len + f->attributes_len;
}

static void
text_set(struct live_flow *r, const struct rec_flow *f, const char *text)
{
	size_t old = flow_text_len(&r->f), len = flow_text_len(f);

	if (len != old || (len > 0 && r->text == NULL)) {
		free(r->text);
		r->text = len == 0 ? NULL : mem_calloc(len, 1);
	}
	if (len > 0)
		memcpy(r->text, text, len);
}

/* Everything of f but the counters becomes the row's. */
static void
learn(struct store *s, struct live_flow *r, const struct rec_flow *f, const char *text)
{
	struct flow_counters count = r->f.count;

	text_set(r, f, text);
	if (f->application != r->f.application)
		application_change(s, r, f->application);
	r->f = *f;
	r->f.count = count;
	hosts_learn(s, r);
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
begin(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f, uint32_t point,
      const char *text)
{
	struct progress *p = &e->progress[point];
	bool known = p->resumed && memcmp(f->id.b, p->resume_id.b, sizeof(f->id.b)) <= 0;
	unsigned parts = !known ? PART_ALL : p->live_known ? 0 : PART_LIVE;

	memset(r, 0, sizeof(*r));
	r->active = true;
	r->point = point;
	text_set(r, f, text);
	r->f = *f;
	memset(&r->f.count, 0, sizeof(r->f.count));
	stamp(s, r, f->slice == 0 && (parts & PART_LIVE) != 0);
	hosts_learn(s, r);

	struct flow_counters d = advance(r, &f->count);

	account(s, r, &d, second_of(f->last_ns), parts);
	ports_begin(s, r);
	if (memcmp(f->id.b, p->applied.newest.b, sizeof(f->id.b)) > 0) {
		p->applied.newest = f->id;
		p->dirty = true;
	}
}

static void
finish(struct store *s, struct live_flow *r)
{
	const uint32_t tenant[2] = { r->stamp[0].tenant, r->stamp[1].tenant };

	const struct flow_texts texts = flow_texts_of(&r->f, r->text);

	if (!batch_add_flow(s->open, tenant, &r->f, &texts))
		s->counters.n[OWN_HISTORY_FULL]++;
	hosts_finish(s, r);
	unstamp(s, r);
	free(r->text);
	r->text = NULL;
	r->active = false;
}

void
flow_begin(struct store *s, struct engine *e, const struct rec_flow *f, uint32_t point, const char *text)
{
	if (f->slot >= e->limit)
		e->limit = f->slot + 1;
	begin(s, e, &e->flow[f->slot], f, point, text);
}

void
flow_update(struct store *s, struct live_flow *r, const struct rec_flow *f, const char *text)
{
	learn(s, r, f, text);

	struct flow_counters d = advance(r, &f->count);

	account(s, r, &d, second_of(f->last_ns), PART_ALL);
	ports_begin(s, r);
}

void
flow_count(struct store *s, struct live_flow *r, const struct rec_flow_count *c)
{
	struct flow_counters d = advance(r, &c->count);

	if (c->last_ns > r->f.last_ns)
		r->f.last_ns = c->last_ns;
	r->f.state = (uint8_t)c->state;
	account(s, r, &d, c->second, PART_ALL);
}

void
flow_end(struct store *s, struct live_flow *r, const struct rec_flow *f, const char *text)
{
	flow_update(s, r, f, text);
	finish(s, r);
}

void
flow_whole(struct store *s, struct engine *e, const struct rec_flow *f, uint32_t point, const char *text)
{
	struct live_flow r;

	begin(s, e, &r, f, point, text);
	finish(s, &r);
}

void
flow_lost(struct store *s, struct live_flow *r)
{
	r->f.end_reason = END_LOST;
	s->counters.n[OWN_FLOWS_LOST]++;
	finish(s, r);
}
