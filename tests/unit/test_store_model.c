/*
 * Random records in; every live answer equals that of a model which keeps a plain list of all slices and adds
 * them up anew for each question. Few applications, ports and peers, so that nothing has to make room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "flow_id.h"
#include "history.h"
#include "hosts.h"
#include "store_world.h"

#define SLICES 3000
#define SLOTS  60
#define STEPS  4000

static const uint32_t viewers[] = { TENANT_PLATFORM, ALPHA, BETA, GAMMA };

struct slice {
	struct rec_flow f; /* as last told; counters and last_ns of now */
	unsigned engine;
	char text[64];
	bool live;
	uint32_t tenant[2]; /* primary and, unless 0, secondary */
	bool served;
	uint16_t score; /* the largest it had */
	uint64_t risks;
	int64_t last_ns; /* the latest it was told to have */
	struct delta {
		int64_t second;
		uint64_t bytes[2];
	} delta[8];
	unsigned ndelta;
};

static struct world *w;
static struct slice slice[SLICES];
static unsigned nslices;
static struct slice *in_slot[2][SLOTS];
static uint32_t generation[2][SLOTS];
static uint64_t seed, sequence;

static uint64_t
any(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* --- records in
 * ------------------------------------------------------------------------------------------------------------
 */

static uint32_t
tenant_of_end(const struct rec_flow *f, enum side side)
{
	const uint8_t *b = f->ip[side].b + 12;

	if (f->point != ETH1)
		return ALPHA;
	return b[0] != 10 ? 0 : b[1] == 2 ? BETA : b[1] == 3 ? GAMMA : 0;
}

static void
stamp_slice(struct slice *x)
{
	uint32_t client = tenant_of_end(&x->f, CLIENT), server = tenant_of_end(&x->f, SERVER);

	x->tenant[0] = client != 0 ? client : server != 0 ? server : TENANT_UNASSIGNED;
	x->tenant[1] = client != 0 && server != client ? server : 0;
}

static struct ip_addr
any_address(void)
{
	const uint8_t b[4] = { 10, (uint8_t)(1 + any(3)), 0, (uint8_t)(1 + any(3)) };
	const uint8_t far_away[4] = { 192, 0, 2, (uint8_t)(1 + any(3)) };

	return ip_from_v4(any(3) == 0 ? far_away : b);
}

static void
any_meaning(struct rec_flow *f)
{
	static const uint16_t application[] = { 0, APP_DNS, APP_TLS };

	f->application = application[any(3)];
	f->category = any(2) == 0 ? 0 : CAT_WEB;
	f->risks = any(4) == 0 ? UINT64_C(1) << RISK_A : 0;
	f->score = f->risks != 0 ? (uint16_t)any(100) : 0;
	f->state = (uint8_t)any(FLOW_STATE_COUNT);
	f->latency_us = (uint32_t)any(1000);
	f->ttl_min[0] = (uint8_t)any(256);
	f->dscp[1] = (uint8_t)any(64);
	f->confidence = (uint8_t)any(CONFIDENCE_COUNT);
	if (any(3) == 0)
		f->as_number[any(2)] = (uint32_t)any(70000);
	if (f->protocol == 6)
		f->tcp.retransmissions[any(2)] += (uint32_t)any(3);
}

static void
more_packets(struct rec_flow *f)
{
	for (int side = CLIENT; side <= SERVER; side++) {
		uint64_t n = any(5);

		f->count.packets[side] += n;
		f->count.bytes[side] += n * (60 + any(1000));
		f->count.payload[side] += n;
	}
}

static void
answered(struct slice *x)
{
	const struct rec_flow *f = &x->f;

	x->served |= f->protocol == 6 ? f->tcp.flags[SERVER] != 0 || f->count.payload[SERVER] > 0
				      : f->count.packets[SERVER] > 0;
}

/* Kept as it was last known. */
static void
lose(struct slice *x)
{
	x->live = false;
	answered(x);
}

static void
tell(struct slice *x, uint16_t kind)
{
	struct rec_flow f = x->f;

	snprintf(x->text, sizeof(x->text), "%.*s", (int)any(63),
		 "a-name-of-a-server-which-is-long-enough-for-two.example.org.and");
	x->f.server_name_len = f.server_name_len = (uint16_t)strlen(x->text);
	world_put(w, x->engine, kind, &f, sizeof(f), x->text);
	x->risks |= f.risks;
	x->score = f.score > x->score ? f.score : x->score;
	answered(x);
}

/* What a record adds to what the slice had before. One without news says nothing of hosts, but the first. */
static void
grown(struct slice *x, const struct flow_counters *before, int64_t second)
{
	bool news =
	    x->f.count.packets[0] != before->packets[0] || x->f.count.packets[1] != before->packets[1];

	if ((news || x->last_ns == 0) && x->f.last_ns > x->last_ns)
		x->last_ns = x->f.last_ns;
	if (!news)
		return;

	struct delta *d = &x->delta[x->ndelta++];

	assert_true(x->ndelta <= ARRAY_LEN(x->delta));
	d->second = second;
	for (int i = 0; i < 2; i++)
		d->bytes[i] = x->f.count.bytes[i] - before->bytes[i];
}

static struct slice *
new_slice(unsigned engine, uint32_t slot, uint32_t generation_of)
{
	struct slice *x = &slice[nslices++];

	memset(x, 0, sizeof(*x));
	x->engine = engine;
	x->f.slot = slot;
	x->f.generation = generation_of;
	return x;
}

static int64_t
any_second(void)
{
	return w->utc - 3 + (int64_t)any(4);
}

static struct slice *
begin_flow(unsigned engine, uint32_t slot)
{
	static const uint32_t points[] = { ETH0, ETH1, ETH1 };
	struct slice *x = new_slice(engine, slot, ++generation[engine][slot]);
	struct rec_flow *f = &x->f;

	sequence++;
	f->id.b[3] = 1;
	for (int i = 0; i < 8; i++)
		f->id.b[15 - i] = (uint8_t)(sequence >> (8 * i));
	f->point = points[any(3)];
	f->protocol = any(2) == 0 ? 6 : 17;
	for (int side = CLIENT; side <= SERVER; side++) {
		f->ip[side] = any_address();
		f->mac[side][0] = 2;
		f->mac[side][5] = (uint8_t)any(3);
	}
	f->port[CLIENT] = (uint16_t)(40000 + any(1000));
	f->port[SERVER] = any(2) == 0 ? 53 : 443;
	f->vlan[1] = any(8) == 0 ? 7 : 0;
	f->first_ns = f->slice_ns = (w->utc - 5) * NS_PER_S;
	f->tcp.flags[SERVER] = f->protocol == 6 && any(2) == 0 ? 0x12 : 0;
	stamp_slice(x);
	return x;
}

static void
step(void)
{
	unsigned engine = (unsigned)any(2);
	uint32_t slot = (uint32_t)any(SLOTS);
	struct slice *x = in_slot[engine][slot];
	static const struct flow_counters none;
	uint64_t what = any(10);
	int64_t second = any_second();

	if (x != NULL && what == 0) { /* its end was lost */
		lose(x);
		x = in_slot[engine][slot] = NULL;
	}
	if (x == NULL) {
		x = begin_flow(engine, slot);
		any_meaning(&x->f);
		more_packets(&x->f);
		x->f.last_ns = second * NS_PER_S;
		x->live = what < 8;
		x->f.end_reason = x->live ? END_NONE : END_IDLE;
		tell(x, x->live ? REC_FLOW_OPEN : REC_FLOW_END);
		grown(x, &none, second);
		in_slot[engine][slot] = x->live ? x : NULL;
		return;
	}

	struct flow_counters before = x->f.count;

	more_packets(&x->f);
	if (what < 6 && x->ndelta < 6) {
		struct rec_flow_count c = { .slot = slot,
					    .generation = x->f.generation,
					    .second = second,
					    .last_ns = second * NS_PER_S + (int64_t)any(1000),
					    .count = x->f.count,
					    .state = (uint16_t)any(FLOW_STATE_COUNT) };

		world_put(w, engine, REC_FLOW_COUNT, &c, sizeof(c), NULL);
		x->f.state = (uint8_t)c.state;
		if (c.last_ns > x->f.last_ns)
			x->f.last_ns = c.last_ns;
		grown(x, &before, second);
		return;
	}
	any_meaning(&x->f);
	x->f.last_ns = second * NS_PER_S;
	if (what < 8 && x->ndelta < 6) {
		tell(x, REC_FLOW_OPEN);
		grown(x, &before, second);
		return;
	}
	x->f.end_reason = END_CLOSED;
	tell(x, REC_FLOW_END);
	grown(x, &before, second);
	x->live = false;
	in_slot[engine][slot] = NULL;
}

/* --- the model's answers
 * -------------------------------------------------------------------------------------------------- */

static bool
is_of(const struct slice *x, uint32_t viewer)
{
	return viewer == TENANT_PLATFORM || x->tenant[0] == viewer || x->tenant[1] == viewer;
}

/* The newest second is the last that is known; the one before is, too. */
struct rating {
	int64_t newest;
	uint64_t bytes[2];
};

static void
rate_of(const struct slice *x, enum side sent, int64_t second, struct rating *r)
{
	for (unsigned i = 0; i < x->ndelta; i++) {
		const struct delta *d = &x->delta[i];

		r->newest = d->second > r->newest ? d->second : r->newest;
		for (int side = 0; side < 2; side++)
			r->bytes[side] +=
			    d->second == second ? d->bytes[side == 0 ? (int)sent : 1 - (int)sent] : 0;
	}
}

static uint64_t
rating(const struct rating *r, int64_t second, int which)
{
	return second >= r->newest - 1 ? r->bytes[which] : 0;
}

static int64_t
rate_second(void)
{
	return w->s->now_ns / NS_PER_S - 2;
}

/* --- comparing
 * ----------------------------------------------------------------------------------------------------------------
 */

static void
same_flow(const struct row_flow *r, const char *text, const struct slice *x)
{
	struct rec_flow f = x->f;
	struct rating rate = { 0 };

	rate_of(x, CLIENT, rate_second(), &rate);
	f.id = r->flow.id;
	f.space = r->flow.space;
	f.slot = f.generation = 0;
	f.application = f.category = f.server_name_len = 0;
	f.risks = 0;
	assert_memory_equal(&r->flow, &f, sizeof(f));
	assert_int_equal(r->live, 1);
	assert_int_equal(r->server_name_len, strlen(x->text));
	assert_memory_equal(text + r->application_len + r->category_len, x->text, strlen(x->text));
	for (int i = 0; i < 2; i++)
		assert_int_equal(r->bytes_per_s[i], rating(&rate, rate_second(), i));
}

static uint64_t
value_of(const struct row_flow *r, enum sort_key sort)
{
	const struct flow_counters *c = &r->flow.count;

	switch (sort) {
	case SORT_PACKETS:
		return c->packets[0] + c->packets[1];
	case SORT_RATE:
		return r->bytes_per_s[0] + r->bytes_per_s[1];
	case SORT_FIRST:
		return (uint64_t)r->flow.first_ns;
	case SORT_LAST:
		return (uint64_t)r->flow.last_ns;
	case SORT_SCORE:
		return r->flow.score;
	default:
		return c->bytes[0] + c->bytes[1];
	}
}

static bool
is_wanted(const struct slice *x, const struct wire_question *q)
{
	if (q->point != ANY_POINT && q->point != x->f.point)
		return false;
	if (q->key_len > 0 && x->f.application != APP_DNS)
		return false;
	return q->has_ip == 0 || ip_equal(&x->f.ip[0], &q->ip) || ip_equal(&x->f.ip[1], &q->ip);
}

/* Page by page, in order, each flow that the viewer may see and asked for once. */
static void
flows_are_the_models(uint32_t viewer)
{
	struct wire_question q = world_question(ASK_FLOWS);
	struct flow_id_key veil;
	unsigned got = 0, expected = 0;
	uint64_t last = 0;

	q.sort = (uint32_t)any(SORT_FLOWS);
	q.sort = q.sort == SORT_RATE ? SORT_DEFAULT : q.sort; /* between pages a second may begin */
	q.ascending = (uint32_t)any(2);
	q.limit = (uint32_t)(1 + any(40));
	if (any(3) == 0)
		q.point = ETH1;
	if (any(3) == 0) {
		q.has_ip = 1;
		q.ip = any_address();
	}
	if (any(4) == 0) {
		q.key_len = 3;
		memcpy(q.key, "DNS", 3);
	}
	flow_id_key(history_secret(w->s->history), viewer, &veil);
	for (unsigned i = 0; i < nslices; i++)
		expected += slice[i].live && is_of(&slice[i], viewer) && is_wanted(&slice[i], &q);
	do {
		assert_int_equal(world_ask(w, viewer, &q), ANSWER_OK);
		for (uint32_t i = 0; i < w->nrows; i++, got++) {
			const char *text;
			const struct row_flow *r = world_row(w, i, sizeof(*r), &text);
			struct flow_id id = flow_id_unveil(&veil, &r->flow.id);
			uint64_t value = value_of(r, q.sort);
			unsigned n = 0;

			assert_true(got == 0 || (q.ascending ? value >= last : value <= last));
			last = value;
			while (n < nslices &&
			       (!slice[n].live || memcmp(&slice[n].f.id, &id, sizeof(id)) != 0))
				n++;
			assert_true(n < nslices && is_of(&slice[n], viewer) && is_wanted(&slice[n], &q));
			same_flow(r, text, &slice[n]);
		}
		memcpy(q.cursor, w->cursor, sizeof(q.cursor));
		q.cursor_len = w->cursor_len;
	} while (w->has_cursor);
	assert_int_equal(got, expected);
}

/* Adds a slice to a host's row, as seen by one of its tenants. */
static void
add_to_host(struct row_host *h, struct rating *rate, const struct slice *x, enum side side, int64_t second)
{
	const int from[2] = { (int)side, 1 - (int)side };

	for (int i = 0; i < 2; i++) {
		h->bytes[i] += x->f.count.bytes[from[i]];
		h->packets[i] += x->f.count.packets[from[i]];
		h->tcp.retransmissions[i] += x->live ? 0 : x->f.tcp.retransmissions[from[i]];
	}
	h->tcp.resets += !x->live && x->f.protocol == 6 && x->f.state == FLOW_RESET;
	h->flows_seen[side]++;
	if (side == CLIENT)
		h->flows_client += x->live;
	else
		h->flows_server += x->live;
	if (side == CLIENT)
		h->score_client = x->score > h->score_client ? x->score : h->score_client;
	else
		h->score_server = x->score > h->score_server ? x->score : h->score_server;
	h->last_ns = x->last_ns > h->last_ns ? x->last_ns : h->last_ns;
	rate_of(x, side, second, rate);
}

struct ports {
	uint32_t flows[2][2];
	uint64_t bytes[2][2]; /* [served, used][53, 443] of UDP; those of TCP alike */
};

static void
add_to_ports(struct ports *p, const struct slice *x, enum side side)
{
	int which = x->f.port[SERVER] == 443, kind = side == SERVER ? 0 : 1;

	if (!x->served)
		return;
	p->flows[kind][which]++;
	if (!x->live)
		p->bytes[kind][which] += x->f.count.bytes[0] + x->f.count.bytes[1];
}

static void
same_ports(const struct row_port *list, const struct ports p[static 2], int kind)
{
	unsigned named = 0, expected = 0;

	for (int proto = 0; proto < 2; proto++)
		for (int which = 0; which < 2; which++)
			expected += p[proto].flows[kind][which] > 0;
	for (int i = 0; i < HOST_PORTS && list[i].protocol != 0; i++, named++) {
		const struct ports *of = &p[list[i].protocol == 6];
		int which = list[i].port == 443;

		assert_int_equal(list[i].flows, of->flows[kind][which]);
		assert_int_equal(list[i].bytes, of->bytes[kind][which]);
	}
	assert_int_equal(named, expected);
}

/* A tenant's row of a host. */
static void
same_host(const struct row_host *r, const char *text, uint32_t tenant)
{
	struct row_host h = { 0 };
	struct rating rate = { 0 };
	struct ports ports[2] = { 0 };
	struct ip_addr peer[64];
	unsigned npeers = 0;
	uint64_t dns = 0, tls = 0;

	for (unsigned i = 0; i < nslices; i++) {
		const struct slice *x = &slice[i];

		if (x->tenant[0] != tenant && x->tenant[1] != tenant)
			continue;
		for (enum side side = CLIENT; side <= SERVER; side++) {
			const struct ip_addr *other = &x->f.ip[1 - (int)side];
			unsigned n = 0;

			if (!ip_equal(&x->f.ip[side], &r->ip))
				continue;
			while (n < npeers && !ip_equal(&peer[n], other))
				n++;
			if (n == npeers)
				peer[npeers++] = *other;
			add_to_ports(&ports[x->f.protocol == 6], x, side);
			dns += x->f.application == APP_DNS ? x->f.count.bytes[0] + x->f.count.bytes[1] : 0;
			tls += x->f.application == APP_TLS ? x->f.count.bytes[0] + x->f.count.bytes[1] : 0;
			add_to_host(&h, &rate, x, side, rate_second());
		}
	}
	assert_memory_equal(r->bytes, h.bytes, sizeof(h.bytes));
	assert_memory_equal(r->packets, h.packets, sizeof(h.packets));
	assert_memory_equal(r->flows_seen, h.flows_seen, sizeof(h.flows_seen));
	assert_int_equal(r->flows_client, h.flows_client);
	assert_int_equal(r->flows_server, h.flows_server);
	assert_int_equal(r->score_client, h.score_client);
	assert_int_equal(r->score_server, h.score_server);
	assert_int_equal(r->last_ns, h.last_ns);
	assert_int_equal(r->first_ns, (w->utc - 5) * NS_PER_S);
	assert_int_equal(r->peers, npeers);
	assert_memory_equal(&r->tcp, &h.tcp, sizeof(h.tcp));
	same_ports(r->served, ports, 0);
	same_ports(r->used, ports, 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(r->bytes_per_s[i], rating(&rate, rate_second(), i));
	text += r->names_len;
	if (dns > 0 && (tls == 0 || dns > tls))
		assert_memory_equal(text, "DNS", 3);
	if (tls > dns)
		assert_memory_equal(text, "TLS", 3);
	assert_int_equal(r->application_bytes[0], dns > tls ? dns : tls);
	assert_int_equal(r->application_bytes[1], dns > tls ? tls : dns);
}

/* The platform sees a row for each tenant, which together have every flow once. */
static void
same_sum(const struct ip_addr *ip)
{
	uint64_t got = 0, expected = 0;

	for (uint32_t i = 0; i < w->nrows; i++)
		got += ((const struct row_host *)world_row(w, i, sizeof(struct row_host), NULL))->bytes[0];
	for (unsigned i = 0; i < nslices; i++)
		for (int side = CLIENT; side <= SERVER; side++)
			expected += ip_equal(&slice[i].f.ip[side], ip) ? slice[i].f.count.bytes[side] : 0;
	assert_int_equal(got, expected);
}

static bool
has_host(uint32_t viewer, const struct ip_addr *ip)
{
	for (unsigned i = 0; i < nslices; i++)
		if (is_of(&slice[i], viewer) &&
		    (ip_equal(&slice[i].f.ip[0], ip) || ip_equal(&slice[i].f.ip[1], ip)))
			return true;
	return false;
}

/* Each address, one by one; and the list has as many. */
static void
hosts_are_the_models(uint32_t viewer)
{
	struct wire_question q = world_question(ASK_HOST), all = world_question(ASK_HOSTS);
	unsigned total = 0;

	q.has_ip = 1;
	for (unsigned n = 0; n < 12; n++) {
		const uint8_t near[4] = { 10, (uint8_t)(n / 3), 0, (uint8_t)(n % 3 + 1) };
		const uint8_t far_away[4] = { 192, 0, 2, (uint8_t)(n % 3 + 1) };

		q.ip = ip_from_v4(n < 3 ? far_away : near);
		if (!has_host(viewer, &q.ip)) {
			assert_int_equal(world_ask(w, viewer, &q), ANSWER_NOT_FOUND);
			continue;
		}
		assert_int_equal(world_ask(w, viewer, &q), ANSWER_OK);
		total += w->nrows;
		if (viewer == TENANT_PLATFORM) {
			same_sum(&q.ip);
			continue;
		}
		assert_int_equal(w->nrows, 1);

		const char *text;
		const struct row_host *r = world_row(w, 0, sizeof(*r), &text);

		same_host(r, text, viewer);
	}
	all.limit = 1000;
	assert_int_equal(world_ask(w, viewer, &all), ANSWER_OK);
	assert_int_equal(w->nrows, total);
}

static void
applications_are_the_models(uint32_t viewer)
{
	struct wire_question q = world_question(ASK_APPLICATIONS);

	assert_int_equal(world_ask(w, viewer, &q), ANSWER_OK);
	for (uint32_t i = 0; i < w->nrows; i++) {
		const char *text;
		const struct row_application *r = world_row(w, i, sizeof(*r), &text);
		uint16_t number = text[0] == 'D' ? APP_DNS : text[0] == 'T' ? APP_TLS : 0;
		uint64_t bytes = 0, packets = 0, flows = 0;

		for (unsigned n = 0; n < nslices; n++) {
			const struct slice *x = &slice[n];

			if (!is_of(x, viewer) || x->f.application != number)
				continue;
			flows++;
			bytes += x->f.count.bytes[0] + x->f.count.bytes[1];
			packets += x->f.count.packets[0] + x->f.count.packets[1];
		}
		assert_int_equal(r->flows, flows);
		assert_int_equal(r->bytes, bytes);
		assert_int_equal(r->packets, packets);
	}
}

static void
totals_are_the_models(uint32_t viewer)
{
	struct wire_question q = world_question(ASK_TOTALS);
	unsigned live = 0, seen = 0;

	for (unsigned i = 0; i < nslices; i++) {
		live += slice[i].live && is_of(&slice[i], viewer);
		seen += is_of(&slice[i], viewer);
	}
	assert_int_equal(world_ask(w, viewer, &q), ANSWER_OK);

	const struct row_totals *t = world_row(w, 0, sizeof(*t), NULL);

	assert_int_equal(t->flows, live);
	assert_int_equal(t->flows_seen, seen);
}

static void
devices_are_the_models(uint32_t viewer)
{
	struct wire_question q = world_question(ASK_DEVICES);
	uint64_t got[2] = { 0 }, expected[2] = { 0 };

	for (unsigned i = 0; i < nslices; i++)
		for (int side = CLIENT; side <= SERVER; side++)
			for (int k = 0; k < 2; k++)
				expected[k] += is_of(&slice[i], viewer)
						   ? slice[i].f.count.bytes[k == 0 ? side : 1 - side]
						   : 0;
	assert_int_equal(world_ask(w, viewer, &q), ANSWER_OK);
	for (uint32_t i = 0; i < w->nrows; i++) {
		const struct row_device *d = world_row(w, i, sizeof(*d), NULL);

		for (int k = 0; k < 2; k++)
			got[k] += d->bytes[k];
	}
	assert_memory_equal(got, expected, sizeof(got));
}

static void
kept_rows_are_the_models(uint32_t viewer)
{
	struct wire_question q = world_question(ASK_FLOWS);
	unsigned got = 0, expected = 0;
	uint64_t bytes = 0, expected_bytes = 0;

	world_commit(w);
	for (unsigned i = 0; i < nslices; i++) {
		if (slice[i].live || !is_of(&slice[i], viewer))
			continue;
		expected++;
		expected_bytes += slice[i].f.count.bytes[0] + slice[i].f.count.bytes[1];
	}
	q.from_ns = 1;
	q.limit = 1000;
	do {
		assert_int_equal(world_ask(w, viewer, &q), ANSWER_OK);
		for (uint32_t i = 0; i < w->nrows; i++, got++) {
			const struct row_flow *r = world_row(w, i, sizeof(*r), NULL);

			bytes += r->flow.count.bytes[0] + r->flow.count.bytes[1];
		}
		memcpy(q.cursor, w->cursor, sizeof(q.cursor));
		q.cursor_len = w->cursor_len;
	} while (w->has_cursor);
	assert_int_equal(got, expected);
	assert_int_equal(bytes, expected_bytes);
}

static void
answers_are_the_models(void)
{
	for (size_t i = 0; i < ARRAY_LEN(viewers); i++) {
		flows_are_the_models(viewers[i]);
		hosts_are_the_models(viewers[i]);
		applications_are_the_models(viewers[i]);
		totals_are_the_models(viewers[i]);
		devices_are_the_models(viewers[i]);
	}
}

static void
play(uint64_t begin_with)
{
	seed = begin_with;
	nslices = 0;
	memset(in_slot, 0, sizeof(in_slot));
	memset(generation, 0, sizeof(generation));
	w = world_new(64 << 20, 0);
	for (unsigned i = 0; i < 2; i++)
		world_engine(w, i, 1000);
	for (unsigned i = 0; i < STEPS && nslices < SLICES; i++) {
		step();
		if (any(500) != 0)
			continue;
		world_pump(w);
		answers_are_the_models();
	}
	/* An engine dies: what it kept is lost, and kept as it was last known. */
	world_pump(w);
	world_engine(w, 1, 2000);
	world_pump(w);
	for (unsigned i = 0; i < nslices; i++)
		if (slice[i].live && slice[i].engine == 1)
			lose(&slice[i]);
	answers_are_the_models();
	for (size_t i = 0; i < ARRAY_LEN(viewers); i++)
		kept_rows_are_the_models(viewers[i]);
	assert_int_equal(w->s->counters.n[OWN_BAD_RECORD], 0);
	world_free(w);
}

static void
every_live_answer_is_the_models(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 4; i++)
		play(i * UINT64_C(0x9e3779b97f4a7c15));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_live_answer_is_the_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
