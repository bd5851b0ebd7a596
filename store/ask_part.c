/*
 * Hosts and devices for a grant that sees a part of its tenant: made of the live flows that it sees, because
 * what is kept of a host counts flows that it does not. What packets of others may have told (names, systems,
 * ARP) is left out.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/hash.h"
#include "base/mem.h"
#include "lru.h"
#include "part.h"
#include "part_memory.h"
#include "sum.h"
#include "vendors.h"

/* --- what the flows say of each host
 * ---------------------------------------------------------------------------------- */

struct tally {
	struct host_key key;
	uint32_t row;      /* place in the answer + 1 */
	uint32_t flows[2]; /* as client, as server */
	uint32_t points;
	uint64_t bytes[2], packets[2], rate[2]; /* [0] sent, [1] received */
	uint64_t risks;
	int64_t first_ns, last_ns;
	uint16_t score[2]; /* as flows */
	bool has_mac;
	uint8_t mac[6];
};

/* One flow's word on one host; sorted, equal ones stand together. */
struct detail {
	uint32_t row;
	uint32_t kind;
	uint64_t key;
	uint64_t bytes, packets;
};

/* What is made of a question. */
struct tallies {
	struct part_memory *memory;
	uint32_t *of; /* by host of the store's table: tally + 1 */
	size_t hosts;
	struct tally *t;
	size_t n, room;
	const struct wire_question *only; /* ASK_HOST: nobody else counts */
	struct topk *list;                /* those of the page; ASK_HOST: NULL */
	/* Of those that are shown. */
	struct detail *d;
	size_t nd, d_room;
	uint64_t seed;
};

static struct host_key
key_of(const struct part_flow *p, int side)
{
	return (struct host_key){ p->tenant, p->f.space, p->f.ip[side], p->f.vlan[0] };
}

/* NULL: there is none. Rows go and others take their place while flows are looked through. */
static struct tally *
tally_find(const struct tallies *all, uint32_t host, const struct host_key *key)
{
	struct tally *t = host >= all->hosts || all->of[host] == 0 ? NULL : &all->t[all->of[host] - 1];

	return t == NULL || memcmp(&t->key, key, sizeof(*key)) != 0 ? NULL : t;
}

/* NULL: there is no room. */
static struct tally *
tally_of(struct tallies *all, uint32_t host, const struct host_key *key)
{
	struct tally *t = tally_find(all, host, key);

	if (t != NULL)
		return t;
	/* A host that began since may be beyond what there was. */
	if (host >= all->hosts)
		all->of =
		    part_memory_grow(all->memory, all->of, &all->hosts, (size_t)host + 1, sizeof(*all->of));
	if (all->n == all->room)
		all->t = part_memory_grow(all->memory, all->t, &all->room, all->n + 1, sizeof(*all->t));
	if (part_memory_is_full(all->memory))
		return NULL;
	all->t[all->n] = (struct tally){ .key = *key };
	all->of[host] = (uint32_t)++all->n;
	return &all->t[all->n - 1];
}

static bool
counts(const struct tallies *all, const struct part_flow *p, int side)
{
	const struct wire_question *q = all->only;

	if (p->host[side] == HOST_NONE || p->hidden[side])
		return false;
	return q == NULL ||
	       (ip_equal(&p->f.ip[side], &q->ip) && p->f.space == q->space && p->f.vlan[0] == q->vlan);
}

static bool
tally_flow(void *ctx, const struct question *a, const struct engine *e, const struct live_flow *r)
{
	struct tallies *all = ctx;
	struct part_flow flow;
	const struct part_flow *p = &flow;

	part_show(&a->v, &e->live, r, &flow);
	for (int side = CLIENT; side <= SERVER; side++) {
		const int other = 1 - side;
		const struct host_key key = key_of(p, side);
		struct tally *t;

		if (!counts(all, p, side))
			continue;
		t = tally_of(all, p->host[side], &key);
		if (t == NULL)
			return false;
		t->flows[side]++;
		t->points |= UINT32_C(1) << p->point;
		t->bytes[0] = sum_sat(t->bytes[0], p->f.count.bytes[side]);
		t->bytes[1] = sum_sat(t->bytes[1], p->f.count.bytes[other]);
		t->packets[0] = sum_sat(t->packets[0], p->f.count.packets[side]);
		t->packets[1] = sum_sat(t->packets[1], p->f.count.packets[other]);
		t->rate[0] = sum_sat(t->rate[0], p->rate[side]);
		t->rate[1] = sum_sat(t->rate[1], p->rate[other]);
		/* Frames that it sent tell its address surer than those to it. */
		if (device_is_one(p->f.mac[side]) && (side == CLIENT || !t->has_mac)) {
			t->has_mac = true;
			memcpy(t->mac, p->f.mac[side], sizeof(t->mac));
		}
		t->risks |= p->f.risks;
		t->score[side] = p->f.score > t->score[side] ? p->f.score : t->score[side];
		if (t->first_ns == 0 || p->f.first_ns < t->first_ns)
			t->first_ns = p->f.first_ns;
		if (p->f.last_ns > t->last_ns)
			t->last_ns = p->f.last_ns;
	}
	return true;
}

/* --- details of those that are shown: applications, ports, peers
 * ------------------------------------------------------- */

enum detail_kind { DETAIL_APPLICATION, DETAIL_SERVED, DETAIL_USED, DETAIL_PEER };

#define DETAILS_MAX (UINT32_C(1) << 21) /* beyond, the rows go without */

static void
detail_add(struct tallies *all, uint32_t row, enum detail_kind kind, uint64_t key,
	   const struct flow_counters *c)
{
	if (all->nd > DETAILS_MAX)
		return;
	if (all->nd == all->d_room)
		all->d = part_memory_grow(all->memory, all->d, &all->d_room, all->nd + 1, sizeof(*all->d));
	if (part_memory_is_full(all->memory))
		return;
	all->d[all->nd++] = (struct detail){ row, kind, key, sum_sat(c->bytes[0], c->bytes[1]),
					     sum_sat(c->packets[0], c->packets[1]) };
}

static bool
detail_flow(void *ctx, const struct question *a, const struct engine *e, const struct live_flow *r)
{
	struct tallies *all = ctx;
	struct part_flow p;

	part_show(&a->v, &e->live, r, &p);
	for (int side = CLIENT; side <= SERVER; side++) {
		const uint32_t port = (uint32_t)p.f.protocol << 16 | p.f.port[SERVER];
		const struct host_key key = key_of(&p, side);
		const struct tally *t = counts(all, &p, side) ? tally_find(all, p.host[side], &key) : NULL;

		if (t == NULL || t->row == 0)
			continue;
		if (p.f.application != 0)
			detail_add(all, t->row, DETAIL_APPLICATION, p.f.application, &p.f.count);
		if (p.served)
			detail_add(all, t->row, side == SERVER ? DETAIL_SERVED : DETAIL_USED, port,
				   &p.f.count);
		detail_add(all, t->row, DETAIL_PEER,
			   hash_bytes(&p.f.ip[1 - side], sizeof(p.f.ip[0]), all->seed), &p.f.count);
	}
	return !part_memory_is_full(all->memory);
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int
by_key(const void *va, const void *vb)
{
	const struct detail *a = va, *b = vb;
	int d = ORDER(a->row, b->row);

	d = d != 0 ? d : ORDER(a->kind, b->kind);
	return d != 0 ? d : ORDER(a->key, b->key);
}

/* What is wanted of a kind: first those with most bytes, ports by flows (which .packets then counts). */
static int
by_weight(const void *va, const void *vb)
{
	const struct detail *a = va, *b = vb;
	bool port = a->kind != DETAIL_APPLICATION;
	int d = port ? ORDER(b->packets, a->packets) : ORDER(b->bytes, a->bytes);

	return d != 0 ? d : ORDER(a->key, b->key);
}

/* Makes one of each run of equal keys; returns how many there are. */
static size_t
merge_runs(struct detail *d, size_t n)
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		bool port = d[i].kind == DETAIL_SERVED || d[i].kind == DETAIL_USED;

		if (port)
			d[i].packets = 1; /* flows */
		if (out > 0 && by_key(&d[out - 1], &d[i]) == 0) {
			d[out - 1].bytes = sum_sat(d[out - 1].bytes, d[i].bytes);
			d[out - 1].packets = sum_sat(d[out - 1].packets, d[i].packets);
		} else {
			d[out++] = d[i];
		}
	}
	return out;
}

static void
sort_details(void *ctx, const struct question *a, struct find *f, struct job *j)
{
	struct tallies *all = ctx;

	(void)a;
	(void)f;
	(void)j;
	if (all->nd > DETAILS_MAX)
		all->nd = 0;
	if (all->nd > 1)
		qsort(all->d, all->nd, sizeof(*all->d), by_key);
	all->nd = merge_runs(all->d, all->nd);
}

/* The details of a row and kind, in the order of their weight. */
static struct detail *
details_of(const struct tallies *ds, uint32_t row, enum detail_kind kind, size_t *n)
{
	struct detail key = { .row = row, .kind = kind };
	size_t lo = 0, hi = ds->nd;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (by_key(&ds->d[mid], &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (*n = 0; lo + *n < ds->nd && ds->d[lo + *n].row == row && ds->d[lo + *n].kind == kind;)
		++*n;
	/* Their place among the others stays, so that the next search finds its own. */
	if (kind != DETAIL_PEER && *n > 1)
		qsort(&ds->d[lo], *n, sizeof(*ds->d), by_weight);
	return ds->d == NULL ? NULL : &ds->d[lo];
}

static void
fill_ports(const struct tallies *ds, uint32_t row, enum detail_kind kind, struct row_port *out)
{
	size_t n;
	const struct detail *d = details_of(ds, row, kind, &n);

	for (size_t i = 0; i < n && i < HOST_PORTS; i++)
		out[i] = (struct row_port){ .port = (uint16_t)d[i].key,
					    .protocol = (uint8_t)(d[i].key >> 16),
					    .flows = (uint32_t)d[i].packets };
}

static size_t
fill_applications(struct store *s, const struct tallies *ds, uint32_t row, struct row_host *r, char *out,
		  size_t size)
{
	struct wcur c = wcur_of(out, size);
	size_t n;
	const struct detail *d = details_of(ds, row, DETAIL_APPLICATION, &n);

	for (size_t i = 0; i < n && i < HOST_APPS; i++) {
		r->application_bytes[i] = d[i].bytes;
		r->application_packets[i] = d[i].packets;
		ask_list_add(&c, names_text(s->names, NAME_APPLICATION, (uint16_t)d[i].key));
	}
	return wcur_len(&c);
}

/* --- rows
 * -------------------------------------------------------------------------------------------------------------
 */

static void
put_part_host(struct store *s, struct question *a, const struct tally *t, const struct tallies *ds)
{
	char applications[HOST_APPS * (NAME_TEXT_MAX + 1)], risks[RISKS_TEXT_MAX];
	const struct place *p = places_find(s->places, &t->key.ip);
	struct row_host r = { .ip = t->key.ip,
			      .space = t->key.space,
			      .vlan = (uint16_t)t->key.vlan,
			      .local = store_is_local(s, &t->key.ip),
			      .score_client = t->score[CLIENT],
			      .score_server = t->score[SERVER],
			      .flows_client = t->flows[CLIENT],
			      .flows_server = t->flows[SERVER],
			      .first_ns = t->first_ns,
			      .last_ns = t->last_ns };
	const char *vendor = NULL;
	size_t peers, vendor_len = 0;

	/* Other networks' hosts are behind a router, whose it would be. */
	if (r.local && t->has_mac) {
		r.has_mac = 1;
		memcpy(r.mac, t->mac, sizeof(r.mac));
		vendor = vendors_find(s->vendors, t->mac, &vendor_len);
	}
	r.vendor_len = (uint16_t)vendor_len;
	for (int i = 0; i < 2; i++) {
		r.bytes[i] = t->bytes[i];
		r.packets[i] = t->packets[i];
		r.bytes_per_s[i] = t->rate[i];
		r.flows_seen[i] = t->flows[i];
	}
	fill_ports(ds, t->row, DETAIL_SERVED, r.served);
	fill_ports(ds, t->row, DETAIL_USED, r.used);
	(void)details_of(ds, t->row, DETAIL_PEER, &peers);
	r.peers = (uint32_t)peers;
	r.applications_len =
	    (uint16_t)fill_applications(s, ds, t->row, &r, applications, sizeof(applications));
	r.risks_len = (uint16_t)ask_risks(s, t->risks, risks, sizeof(risks));
	if (p != NULL) {
		r.as_number = p->as_number;
		r.as_name_len = p->as_name_len;
		r.city_len = p->city_len;
		memcpy(r.country, p->country, sizeof(r.country));
	}
	answer_row(&a->out);
	answer_put(&a->out, &r, sizeof(r));
	answer_put(&a->out, applications, r.applications_len);
	answer_put(&a->out, risks, r.risks_len);
	answer_put(&a->out, vendor, r.vendor_len);
	answer_put(&a->out, p == NULL ? NULL : p->text, (size_t)r.as_name_len + r.city_len);
	answer_row_end(&a->out);
}

static void
tallies_drop(void *ctx)
{
	struct tallies *all = ctx;

	part_memory_free(&all->memory);
	free(all->of);
	free(all->t);
	free(all->d);
	free(all->list);
	free(all);
}

/* Whether what was summed is not whole, and the question refused for it. */
static bool
is_too_much(struct store *s, struct question *a, const struct part_memory *m)
{
	if (!part_memory_is_full(m))
		return false;
	s->counters.n[OWN_QUESTIONS_BUSY]++;
	answer_end(&a->out, ANSWER_BUSY, NULL, 0);
	return true;
}

static uint64_t
tally_value(const struct question *a, const struct tally *t)
{
	switch (a->q.sort) {
	case SORT_PACKETS:
		return sum_sat(t->packets[0], t->packets[1]);
	case SORT_RATE:
		return sum_sat(t->rate[0], t->rate[1]);
	case SORT_FIRST:
		return (uint64_t)t->first_ns;
	case SORT_LAST:
		return (uint64_t)t->last_ns;
	case SORT_SCORE:
		return t->score[CLIENT] > t->score[SERVER] ? t->score[CLIENT] : t->score[SERVER];
	case SORT_FLOWS:
		return (uint64_t)t->flows[0] + t->flows[1];
	default:
		return sum_sat(t->bytes[0], t->bytes[1]);
	}
}

/*
 * A list: flows are looked through for what each host has, then a thread beside the loop chooses the page,
 * then flows are looked through for the details of those on it, which a thread puts in order.
 */
static void
answer_hosts(struct store *s, struct question *a, void *ctx, enum job_end end)
{
	struct tallies *all = ctx;
	struct topk *t = all->list;

	if (end != JOB_DONE) {
		ask_stopped(s, a, end);
		return;
	}
	for (size_t i = 0; i < t->n; i++)
		put_part_host(s, a, &all->t[t->heap[i].ref[0]], all);
	all->list = NULL;
	ask_list_end(s, a, t);
}

static void
details_met(struct store *s, struct question *a, void *ctx)
{
	static const struct ask_work work = { JOB_LIVE, sort_details, answer_hosts, tallies_drop };
	struct tallies *all = ctx;

	if (is_too_much(s, a, all->memory))
		tallies_drop(all);
	else
		ask_work(s, a, &work, all);
}

static void
choose_hosts(void *ctx, const struct question *a, struct find *f, struct job *j)
{
	uint32_t point = a->q.point == ANY_POINT ? POINT_NONE : points_index(&a->v.s->points, a->q.point);
	struct tallies *all = ctx;
	struct topk *t = all->list = ask_list_begin(a);

	(void)f;
	(void)j;
	for (size_t i = 0; i < all->n; i++) {
		const struct host_key *k = &all->t[i].key;
		struct topk_entry e = { .value = tally_value(a, &all->t[i]),
					.tenant = k->tenant,
					.ref = { (uint32_t)i, 0 } };

		if (a->q.point != ANY_POINT && (point == POINT_NONE || (all->t[i].points >> point & 1) == 0))
			continue;
		if (!topk_wants(t, e.value))
			continue;
		live_host_tie(k, e.tie);
		topk_offer(t, &e);
	}
	topk_finish(t);
	for (size_t i = 0; i < t->n; i++)
		all->t[t->heap[i].ref[0]].row = (uint32_t)i + 1;
}

static void
hosts_chosen(struct store *s, struct question *a, void *ctx, enum job_end end)
{
	static const struct ask_walk details = { .row = detail_flow,
						 .answer = details_met,
						 .drop = tallies_drop };
	struct tallies *all, *taken = ctx;

	if (end != JOB_DONE) {
		ask_stopped(s, a, end);
		return;
	}
	/* What was chosen goes on; an empty one is dropped. */
	all = mem_calloc(1, sizeof(*all));
	*all = *taken;
	memset(taken, 0, sizeof(*taken));
	ask_walk(s, a, &details, all);
}

static void
hosts_met(struct store *s, struct question *a, void *ctx)
{
	static const struct ask_work work = { JOB_LIVE, choose_hosts, hosts_chosen, tallies_drop };
	struct tallies *all = ctx;

	if (is_too_much(s, a, all->memory))
		tallies_drop(all);
	else
		ask_work(s, a, &work, all);
}

static struct tallies *
tallies_new(struct store *s, const struct question *a, const struct wire_question *only)
{
	struct tallies *all = mem_calloc(1, sizeof(*all));

	all->memory = part_memory_new(s->part_memories, a->v.tenant);
	all->only = only;
	randombytes_buf(&all->seed, sizeof(all->seed));
	return all;
}

void
ask_part_hosts(struct store *s, struct question *a)
{
	static const struct ask_walk walk = { .row = tally_flow, .answer = hosts_met, .drop = tallies_drop };

	if (!ask_wrong_page(a))
		ask_walk(s, a, &walk, tallies_new(s, a, NULL));
}

static void
answer_host(struct store *s, struct question *a, void *ctx, enum job_end end)
{
	struct tallies *all = ctx;

	if (end != JOB_DONE) {
		ask_stopped(s, a, end);
		return;
	}
	for (size_t i = 0; i < all->n; i++)
		put_part_host(s, a, &all->t[i], all);
	answer_end(&a->out, all->n > 0 ? ANSWER_OK : ANSWER_NOT_FOUND, NULL, 0);
}

static void
host_details_met(struct store *s, struct question *a, void *ctx)
{
	static const struct ask_work work = { JOB_LIVE, sort_details, answer_host, tallies_drop };
	struct tallies *all = ctx;

	if (is_too_much(s, a, all->memory))
		tallies_drop(all);
	else
		ask_work(s, a, &work, all);
}

static void
host_met(struct store *s, struct question *a, void *ctx)
{
	static const struct ask_walk details = { .row = detail_flow,
						 .answer = host_details_met,
						 .drop = tallies_drop };
	struct tallies *all = ctx;

	if (is_too_much(s, a, all->memory)) {
		tallies_drop(all);
		return;
	}
	for (size_t i = 0; i < all->n; i++)
		all->t[i].row = (uint32_t)i + 1;
	if (all->n > a->limit)
		all->n = a->limit;
	ask_walk(s, a, &details, all);
}

/* To the platform a host of several tenants is as many rows. */
void
ask_part_host(struct store *s, struct question *a)
{
	static const struct ask_walk walk = { .row = tally_flow, .answer = host_met, .drop = tallies_drop };

	if (a->q.has_ip == 0)
		answer_end(&a->out, ANSWER_NOT_FOUND, NULL, 0);
	else
		ask_walk(s, a, &walk, tallies_new(s, a, &a->q));
}

/* --- devices
 * ----------------------------------------------------------------------------------------------------------
 */

struct device_tally {
	struct device_key key;
	uint32_t nips;
	struct ip_addr ip[DEVICE_IPS];
	uint64_t bytes[2], packets[2];
	int64_t first_ns, last_ns;
};

struct device_tallies {
	const struct store *s;
	struct part_memory *memory;
	uint32_t *of; /* [devices], by device of the store's table: tally + 1 */
	size_t devices;
	struct device_tally *t;
	size_t n, room;
	struct topk *list; /* those of the page */
};

/* A row may have gone to another device since. NULL: there is no room. */
static struct device_tally *
device_tally_of(struct device_tallies *all, uint32_t device, const struct device_key *key)
{
	struct device_tally *t =
	    device >= all->devices || all->of[device] == 0 ? NULL : &all->t[all->of[device] - 1];

	if (t != NULL && memcmp(&t->key, key, sizeof(*key)) == 0)
		return t;
	if (device >= all->devices)
		all->of = part_memory_grow(all->memory, all->of, &all->devices, (size_t)device + 1,
					   sizeof(*all->of));
	if (all->n == all->room)
		all->t = part_memory_grow(all->memory, all->t, &all->room, all->n + 1, sizeof(*all->t));
	if (part_memory_is_full(all->memory))
		return NULL;
	all->t[all->n] = (struct device_tally){ .key = *key };
	all->of[device] = (uint32_t)++all->n;
	return &all->t[all->n - 1];
}

static void
note_ip(struct device_tally *t, const struct ip_addr *ip)
{
	for (uint32_t i = 0; i < t->nips; i++)
		if (ip_equal(&t->ip[i], ip))
			return;
	if (t->nips < DEVICE_IPS)
		t->ip[t->nips++] = *ip;
}

/* Whether the row is still the device that it was when the flow began. */
static bool
is_device_of(const struct device_tallies *all, const struct part_flow *p, int side)
{
	const struct device *d;

	if (p->device[side] == DEVICE_NONE || p->device[side] >= lru_count(all->s->devices))
		return false;
	d = lru_at(all->s->devices, p->device[side]);
	return d->key.tenant == p->tenant && d->key.point == p->point && d->key.vlan == p->f.vlan[0] &&
	       memcmp(d->key.mac, p->f.mac[side], sizeof(d->key.mac)) == 0;
}

static bool
tally_device(void *ctx, const struct question *a, const struct engine *e, const struct live_flow *r)
{
	struct device_tallies *all = ctx;
	struct part_flow flow;
	const struct part_flow *p = &flow;

	part_show(&a->v, &e->live, r, &flow);
	for (int side = CLIENT; side <= SERVER; side++) {
		const int other = 1 - side;
		struct device_tally *t;

		if (!is_device_of(all, p, side))
			continue;
		t = device_tally_of(all, p->device[side], lru_at(all->s->devices, p->device[side]));
		if (t == NULL)
			return false;
		if (!p->hidden[side] && store_is_local(all->s, &p->f.ip[side]))
			note_ip(t, &p->f.ip[side]);
		t->bytes[0] = sum_sat(t->bytes[0], p->f.count.bytes[side]);
		t->bytes[1] = sum_sat(t->bytes[1], p->f.count.bytes[other]);
		t->packets[0] = sum_sat(t->packets[0], p->f.count.packets[side]);
		t->packets[1] = sum_sat(t->packets[1], p->f.count.packets[other]);
		if (t->first_ns == 0 || p->f.first_ns < t->first_ns)
			t->first_ns = p->f.first_ns;
		if (p->f.last_ns > t->last_ns)
			t->last_ns = p->f.last_ns;
	}
	return true;
}

static void
put_part_device(struct store *s, struct question *a, const struct device_tally *t)
{
	struct device shown = {
		.key = t->key, .nips = t->nips, .first_ns = t->first_ns, .last_ns = t->last_ns
	};
	struct device_share sum;

	memcpy(shown.ip, t->ip, sizeof(shown.ip));
	memcpy(sum.bytes, t->bytes, sizeof(sum.bytes));
	memcpy(sum.packets, t->packets, sizeof(sum.packets));
	ask_put_device(s, a, &shown, &sum);
}

static uint64_t
device_tally_value(const struct question *a, const struct device_tally *t)
{
	switch (a->q.sort) {
	case SORT_PACKETS:
		return sum_sat(t->packets[0], t->packets[1]);
	case SORT_FIRST:
		return (uint64_t)t->first_ns;
	case SORT_LAST:
		return (uint64_t)t->last_ns;
	default:
		return sum_sat(t->bytes[0], t->bytes[1]);
	}
}

static void
device_tallies_drop(void *ctx)
{
	struct device_tallies *all = ctx;

	part_memory_free(&all->memory);
	free(all->of);
	free(all->t);
	free(all->list);
	free(all);
}

static void
choose_devices(void *ctx, const struct question *a, struct find *f, struct job *j)
{
	struct device_tallies *all = ctx;
	struct topk *t = all->list = ask_list_begin(a);

	(void)f;
	(void)j;
	for (size_t i = 0; i < all->n; i++) {
		const struct device_key *k = &all->t[i].key;
		struct topk_entry e = { .value = device_tally_value(a, &all->t[i]),
					.tenant = k->tenant,
					.ref = { (uint32_t)i, 0 } };

		if (a->q.point != ANY_POINT && all->s->points.point[k->point].boot->id != a->q.point)
			continue;
		if (!topk_wants(t, e.value))
			continue;
		live_device_tie(all->s, k, e.tie);
		topk_offer(t, &e);
	}
	topk_finish(t);
}

static void
answer_devices(struct store *s, struct question *a, void *ctx, enum job_end end)
{
	struct device_tallies *all = ctx;
	struct topk *t = all->list;

	if (end != JOB_DONE) {
		ask_stopped(s, a, end);
		return;
	}
	for (size_t i = 0; i < t->n; i++)
		put_part_device(s, a, &all->t[t->heap[i].ref[0]]);
	all->list = NULL;
	ask_list_end(s, a, t);
}

static void
devices_met(struct store *s, struct question *a, void *ctx)
{
	static const struct ask_work work = { JOB_LIVE, choose_devices, answer_devices, device_tallies_drop };
	struct device_tallies *all = ctx;

	if (is_too_much(s, a, all->memory))
		device_tallies_drop(all);
	else
		ask_work(s, a, &work, all);
}

void
ask_part_devices(struct store *s, struct question *a)
{
	static const struct ask_walk walk = { .row = tally_device,
					      .answer = devices_met,
					      .drop = device_tallies_drop };
	struct device_tallies *all;

	if (ask_wrong_page(a))
		return;
	all = mem_calloc(1, sizeof(*all));
	all->s = s;
	all->memory = part_memory_new(s->part_memories, a->v.tenant);
	ask_walk(s, a, &walk, all);
}
