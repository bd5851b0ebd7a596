/* Records in, live views out; and records that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ingest.h"
#include "ipc/attribute.h"
#include "pump.h"
#include "store_world.h"

static struct world *w;

static int
setup(void **state)
{
	(void)state;
	w = world_new(64 << 20, 0);
	world_engine(w, 0, 1000);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static void
put_flow(uint16_t kind, struct rec_flow *f, const char *name)
{
	f->server_name_len = (uint16_t)(name == NULL ? 0 : strlen(name));
	world_put(w, 0, kind, f, sizeof(*f), name);
}

static void
put_count(const struct rec_flow *f, int64_t second, uint64_t sent, uint64_t received)
{
	struct rec_flow_count c = { .slot = f->slot,
				    .generation = f->generation,
				    .second = second,
				    .last_ns = second * NS_PER_S,
				    .state = FLOW_ESTABLISHED };

	c.count.bytes[0] = sent;
	c.count.bytes[1] = received;
	c.count.packets[0] = sent / 100;
	c.count.packets[1] = received / 100;
	world_put(w, 0, REC_FLOW_COUNT, &c, sizeof(c), NULL);
}

static void
a_flow_lives(void **state)
{
	struct rec_flow f = world_flow(w, 1, ETH0, "10.1.0.5", "192.0.2.1");
	struct wire_question q = world_question(ASK_FLOWS);
	const char *text;

	(void)state;
	f.application = APP_TLS;
	f.category = CAT_WEB;
	f.risks = UINT64_C(1) << RISK_A | UINT64_C(1) << RISK_B;
	f.score = 60;
	put_flow(REC_FLOW_OPEN, &f, "www.example.org");
	put_count(&f, w->utc, 5000, 9000);
	world_pump(w);

	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);

	const struct row_flow *r = world_row(w, 0, sizeof(*r), &text);

	assert_int_equal(r->flow.count.bytes[0], 5000);
	assert_int_equal(r->flow.count.bytes[1], 9000);
	assert_int_equal(r->live, 1);
	assert_memory_equal(text, "TLS.GoogleWebwww.example.org", 28);
	assert_memory_equal(text + 28, "Risk A,Risk B", 13);
	assert_memory_equal(text + 41, "eth0", 4);
	assert_memory_not_equal(r->flow.id.b, f.id.b, 16);

	/* The same by its id, as the tenant knows it; nobody else finds it. */
	struct wire_question by_id = world_question(ASK_FLOW);

	by_id.flow = r->flow.id;
	assert_int_equal(world_ask(w, ALPHA, &by_id), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	assert_int_equal(world_ask(w, BETA, &by_id), ANSWER_NOT_FOUND);
	by_id.flow = f.id;
	assert_int_equal(world_ask(w, ALPHA, &by_id), ANSWER_NOT_FOUND);
}

/* The longest strings that a flow can have, from the ring to the answer. */
static void
the_longest_record_is_taken(void **state)
{
	char text[FLOW_TEXT_MAX + 1] = "", a[256] = "";
	struct wire_question q = world_question(ASK_FLOWS);
	struct wcur list = wcur_of(text + SERVER_NAME_MAX + INFO_MAX, ATTRIBUTES_MAX);
	struct rec_flow f = world_flow(w, 1, ETH0, "10.1.0.5", "192.0.2.1");
	const struct row_flow *r;
	const char *got;

	(void)state;
	memset(text, 'n', SERVER_NAME_MAX + INFO_MAX);
	memset(a, 'a', 255);
	for (size_t i = 0, left; i < attribute_count; i++) {
		left = ATTRIBUTES_MAX - wcur_len(&list);
		if (attribute_rows[i].kind == ATTRIBUTE_TEXT && left > 2)
			attribute_put_text(&list, (enum attribute)attribute_rows[i].number, a,
					   left - 2 < 255 ? left - 2 : 255);
	}
	f.server_name_len = SERVER_NAME_MAX;
	f.info_len = INFO_MAX;
	f.attributes_len = (uint16_t)wcur_len(&list);
	assert_int_equal(f.attributes_len, ATTRIBUTES_MAX);
	for (int ends = 0; ends < 2; ends++) {
		f.end_reason = ends ? END_IDLE : END_NONE;
		world_put(w, 0, ends ? REC_FLOW_END : REC_FLOW_OPEN, &f, sizeof(f), text);
		world_pump(w);
		world_commit(w);
		q.from_ns = ends;
		assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
		assert_int_equal(w->nrows, 1);
		r = world_row(w, 0, sizeof(*r), &got);
		got += r->application_len + r->category_len;
		assert_memory_equal(got, text, SERVER_NAME_MAX + INFO_MAX);
		got += SERVER_NAME_MAX + INFO_MAX + r->risks_len + r->client_name_len + r->server_host_len +
		       r->point_len;
		assert_int_equal(r->attributes_len, ATTRIBUTES_MAX);
		assert_memory_equal(got, text + SERVER_NAME_MAX + INFO_MAX, ATTRIBUTES_MAX);
	}
	assert_int_equal(w->s->counters.n[OWN_BAD_RECORD], 0);
}

static void
hosts_and_applications_sum_flows(void **state)
{
	struct wire_question q = world_question(ASK_HOST);
	const char *text;

	(void)state;
	for (uint64_t n = 0; n < 10; n++) {
		struct rec_flow f = world_flow(w, n, ETH0, "10.1.0.5", "192.0.2.1");

		f.ip[SERVER].b[15] = (uint8_t)n;
		f.application = n < 7 ? APP_DNS : APP_TLS;
		put_flow(REC_FLOW_OPEN, &f, NULL);
	}
	world_pump(w);
	q.has_ip = 1;
	assert_true(ip_parse("10.1.0.5", &q.ip));
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);

	const struct row_host *h = world_row(w, 0, sizeof(*h), &text);

	assert_int_equal(h->bytes[0], 10000);
	assert_int_equal(h->bytes[1], 30000);
	assert_int_equal(h->packets[0], 40);
	assert_int_equal(h->flows_client, 10);
	assert_int_equal(h->flows_server, 0);
	assert_int_equal(h->peers, 10);
	assert_int_equal(h->local, 1);
	assert_memory_equal(text, "DNS,TLS.Google", 14);

	q = world_question(ASK_APPLICATIONS);
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 2);

	const struct row_application *a = world_row(w, 0, sizeof(*a), &text);

	assert_int_equal(a->flows, 7);
	assert_int_equal(a->bytes, 7 * 4000);
	assert_memory_equal(text, "DNS", 3);
	/* Nothing of it is anybody else's. */
	assert_int_equal(world_ask(w, BETA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 0);
}

static void
an_application_found_late_takes_its_bytes_along(void **state)
{
	struct rec_flow f = world_flow(w, 3, ETH0, "10.1.0.5", "192.0.2.1");
	struct wire_question q = world_question(ASK_APPLICATIONS);
	const char *text;

	(void)state;
	put_flow(REC_FLOW_OPEN, &f, NULL);
	world_pump(w);
	f.application = APP_TLS;
	f.count.bytes[0] += 10;
	put_flow(REC_FLOW_OPEN, &f, NULL);
	world_pump(w);
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);

	const struct row_application *a = world_row(w, 0, sizeof(*a), &text);

	assert_int_equal(a->bytes, 4010);
	assert_int_equal(a->flows, 1);
	assert_memory_equal(text, "TLS.Google", 10);
}

static struct rec_learned
learned(uint8_t kind, const char *ip, const char *a, const char *b)
{
	struct rec_learned l = { .point = ETH1, .kind = kind, .time_ns = w->utc * NS_PER_S };

	assert_true(ip_parse(ip, &l.ip) && ip_parse(a, &l.end[0]) && ip_parse(b, &l.end[1]));
	return l;
}

static void
put_learned(struct rec_learned l, const char *text)
{
	l.len = (uint8_t)strlen(text);
	world_put(w, 0, REC_LEARNED, &l, sizeof(l), text);
}

/* Beta and gamma both talk to one server. Each sees the name that its own packets told, and nothing of the
 * other's; which worker was told, and which one saw the flow, makes no difference. */
static void
names_are_of_the_tenant_whose_packets_told_them(void **state)
{
	struct rec_flow b = world_flow(w, 1, ETH1, "10.2.0.5", "198.51.100.7");
	struct rec_flow g = world_flow(w, 2, ETH1, "10.3.0.5", "198.51.100.7");
	struct wire_question q = world_question(ASK_HOST), flows = world_question(ASK_FLOWS);
	const struct row_host *r;
	struct rec_learned l;
	const char *text;

	(void)state;
	world_engine(w, 1, 1000);
	l = learned(HOST_NAME_DNS, "198.51.100.7", "192.0.2.53", "10.2.0.5");
	l.len = 7;
	world_put(w, 1, REC_LEARNED, &l, sizeof(l), "of-beta");
	put_learned(learned(HOST_NAME_TLS, "198.51.100.7", "10.3.0.5", "198.51.100.7"), "of-gamma");
	put_learned(learned(LEARNED_OS, "10.3.0.5", "10.3.0.5", "198.51.100.7"), "Plan 9");
	put_flow(REC_FLOW_OPEN, &b, NULL);
	put_flow(REC_FLOW_OPEN, &g, NULL);
	world_pump(w);
	q.has_ip = 1;
	assert_true(ip_parse("198.51.100.7", &q.ip));
	assert_int_equal(world_ask(w, BETA, &q), ANSWER_OK);
	r = world_row(w, 0, sizeof(*r), &text);
	assert_int_equal(r->names_len, 7);
	assert_memory_equal(text, "of-beta", 7);
	assert_int_equal(r->name_source[0], HOST_NAME_DNS);
	assert_int_equal(world_ask(w, GAMMA, &q), ANSWER_OK);
	r = world_row(w, 0, sizeof(*r), &text);
	assert_int_equal(r->names_len, 8);
	assert_memory_equal(text, "of-gamma", 8);
	assert_int_equal(r->os_len, 0);
	/* The same beside flows. */
	assert_int_equal(world_ask(w, GAMMA, &flows), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	assert_int_equal(
	    ((const struct row_flow *)world_row(w, 0, sizeof(struct row_flow), NULL))->server_host_len, 8);
	/* The platform sees each tenant's own. */
	assert_int_equal(world_ask(w, TENANT_PLATFORM, &flows), ANSWER_OK);
	assert_int_equal(w->nrows, 2);
	for (uint32_t i = 0; i < 2; i++) {
		const struct row_flow *f = world_row(w, i, sizeof(*f), NULL);

		assert_int_equal(f->server_host_len, f->flow.ip[CLIENT].b[13] == 2 ? 7 : 8);
	}
	assert_true(ip_parse("10.3.0.5", &q.ip));
	assert_int_equal(world_ask(w, GAMMA, &q), ANSWER_OK);
	r = world_row(w, 0, sizeof(*r), &text);
	assert_int_equal(r->os_len, 6);
}

/* What files say of an address is everybody's. */
static void
places_of_addresses(void **state)
{
	struct rec_host h = { .as_number = 64500, .country = "DE", .as_name_len = 4, .city_len = 3 };
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.5", "198.51.100.7");
	struct wire_question q = world_question(ASK_HOST);
	const struct row_host *r;
	const char *text;

	(void)state;
	q.has_ip = 1;
	assert_true(ip_parse("198.51.100.7", &q.ip));
	h.ip = q.ip;
	world_put(w, 0, REC_HOST, &h, sizeof(h), "NameUlm");
	put_flow(REC_FLOW_OPEN, &f, NULL);
	world_pump(w);
	assert_int_equal(world_ask(w, BETA, &q), ANSWER_OK);
	r = world_row(w, 0, sizeof(*r), &text);
	assert_int_equal(r->as_number, 64500);
	assert_memory_equal(r->country, "DE", 2);
	assert_memory_equal(text + r->names_len + r->applications_len + r->risks_len + r->vendor_len,
			    "NameUlm", 7);
	h = (struct rec_host){ .ip = q.ip, .country = "FR" };
	world_put(w, 0, REC_HOST, &h, sizeof(h), NULL);
	world_pump(w);
	assert_int_equal(world_ask(w, BETA, &q), ANSWER_OK);
	r = world_row(w, 0, sizeof(*r), &text);
	assert_int_equal(r->as_number, 0);
	assert_memory_equal(r->country, "FR", 2);
	assert_int_equal(r->as_name_len + r->city_len, 0);
	h.country[0] = 1;
	world_put(w, 0, REC_HOST, &h, sizeof(h), NULL);
	world_pump(w);
	assert_int_equal(w->s->counters.n[OWN_BAD_RECORD], 1);
}

/* Served is what answered; used is what was asked of others. TCP's troubles are summed when a slice ends. */
static void
ports_and_tcp_of_hosts(void **state)
{
	struct wire_question q = world_question(ASK_HOST);
	const struct row_host *r;

	(void)state;
	for (uint64_t n = 0; n < 10; n++) {
		struct rec_flow f = world_flow(w, n, ETH0, "10.1.0.5", "192.0.2.1");

		f.protocol = 6;
		f.port[SERVER] = (uint16_t)(n < 6 ? 443 : n < 9 ? 22 : 9999);
		f.tcp.flags[SERVER] = n < 9 ? 0x12 : 0x14;
		f.count.payload[SERVER] = 0;
		f.tcp.retransmissions[CLIENT] = 1;
		f.tcp.lost[SERVER] = 2;
		f.tcp.handshake_us[CLIENT] = 1000;
		f.tcp.handshake_us[SERVER] = 3000;
		f.state = n == 9 ? FLOW_RESET : FLOW_CLOSED;
		f.end_reason = END_CLOSED;
		put_flow(REC_FLOW_END, &f, NULL);
	}
	world_pump(w);
	q.has_ip = 1;
	assert_true(ip_parse("192.0.2.1", &q.ip));
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	r = world_row(w, 0, sizeof(*r), NULL);
	assert_int_equal(r->flows_server, 0);
	assert_int_equal(r->flows_seen[SERVER], 10);
	assert_int_equal(r->flows_seen[CLIENT], 0);
	assert_int_equal(r->served[0].port, 443);
	assert_int_equal(r->served[0].flows, 6);
	assert_int_equal(r->served[0].bytes, 6 * 4000);
	assert_int_equal(r->served[1].port, 22);
	assert_int_equal(r->served[1].flows, 3);
	assert_int_equal(r->served[2].protocol, 0); /* 9999 was refused */
	assert_int_equal(r->used[0].protocol, 0);
	assert_int_equal(r->tcp.retransmissions[1], 10);
	assert_int_equal(r->tcp.retransmissions[0], 0);
	assert_int_equal(r->tcp.lost[0], 20);
	assert_int_equal(r->tcp.resets, 1);
	assert_int_equal(r->tcp.handshakes, 10);
	assert_int_equal(r->tcp.handshake_us, 30000);
	assert_true(ip_parse("10.1.0.5", &q.ip));
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	r = world_row(w, 0, sizeof(*r), NULL);
	assert_int_equal(r->used[0].port, 443);
	assert_int_equal(r->served[0].protocol, 0);
	assert_int_equal(r->tcp.retransmissions[0], 10);
	assert_int_equal(r->tcp.handshake_us, 10000);
}

static void
put_device(const char *ip, uint8_t last, uint32_t requests)
{
	struct rec_device d = { .point = ETH1,
				.mac = { 2, 0, 0, 0, 0, last },
				.arp_requests = requests,
				.frames = requests,
				.bytes = 60 * requests };

	d.first_ns = d.last_ns = w->utc * NS_PER_S;
	d.has_ip = ip != NULL;
	assert_true(ip == NULL || ip_parse(ip, &d.ip));
	world_put(w, 0, REC_DEVICE, &d, sizeof(d), NULL);
}

/* A device belongs to the tenants whose flows and addresses it has; a router has none of the addresses behind
 * it. */
static void
devices_of_tenants(void **state)
{
	struct rec_flow b = world_flow(w, 1, ETH1, "10.2.0.5", "198.51.100.7");
	struct rec_flow g = world_flow(w, 2, ETH1, "10.3.0.5", "198.51.100.7");
	struct wire_question q = world_question(ASK_DEVICES), hosts = world_question(ASK_HOST);
	const struct row_device *d;

	(void)state;
	q.sort = SORT_BYTES;
	b.mac[CLIENT][0] = g.mac[CLIENT][0] = b.mac[SERVER][0] = g.mac[SERVER][0] = 2;
	b.mac[CLIENT][5] = 5;
	g.mac[CLIENT][5] = 6;
	b.mac[SERVER][5] = g.mac[SERVER][5] = 1; /* the router, of both */
	put_flow(REC_FLOW_OPEN, &b, NULL);
	put_flow(REC_FLOW_OPEN, &g, NULL);
	put_device("10.2.0.5", 5, 3);
	put_device("10.2.0.77", 5, 1);
	put_device("10.3.0.9", 9, 1);
	put_device(NULL, 10, 1); /* nobody's */
	world_pump(w);
	assert_int_equal(world_ask(w, BETA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 2);
	d = world_row(w, 0, sizeof(*d), NULL);
	assert_memory_equal(d->mac, "\2\0\0\0\0\5", 6);
	assert_int_equal(d->bytes[0], 1000 + 240);
	assert_int_equal(d->bytes[1], 3000);
	assert_int_equal(d->arp_requests, 4);
	assert_int_equal(d->nips, 2);
	d = world_row(w, 1, sizeof(*d), NULL);
	assert_memory_equal(d->mac, "\2\0\0\0\0\1", 6);
	assert_int_equal(d->bytes[0], 3000);
	assert_int_equal(d->nips, 0);
	assert_int_equal(world_ask(w, GAMMA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 3);
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 0);
	assert_int_equal(world_ask(w, TENANT_PLATFORM, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 6);
	/* The host has its MAC address. */
	hosts.has_ip = 1;
	assert_true(ip_parse("10.2.0.5", &hosts.ip));
	assert_int_equal(world_ask(w, BETA, &hosts), ANSWER_OK);
	assert_int_equal(((const struct row_host *)world_row(w, 0, sizeof(struct row_host), NULL))->mac[5],
			 5);
	assert_true(ip_parse("198.51.100.7", &hosts.ip));
	assert_int_equal(world_ask(w, BETA, &hosts), ANSWER_OK);
	assert_int_equal(((const struct row_host *)world_row(w, 0, sizeof(struct row_host), NULL))->has_mac,
			 0);
}

static void
a_flow_between_tenants_counts_once_for_the_platform(void **state)
{
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.5", "10.3.0.9");
	struct wire_question q = world_question(ASK_HOSTS);
	uint64_t sent = 0;

	(void)state;
	f.application = APP_DNS;
	put_flow(REC_FLOW_OPEN, &f, NULL);
	world_pump(w);
	for (uint32_t t = BETA; t <= GAMMA; t++) {
		assert_int_equal(world_ask(w, t, &q), ANSWER_OK);
		assert_int_equal(w->nrows, 2);
	}
	assert_int_equal(world_ask(w, TENANT_PLATFORM, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 2);
	for (uint32_t i = 0; i < 2; i++)
		sent += ((const struct row_host *)world_row(w, i, sizeof(struct row_host), NULL))->bytes[0];
	assert_int_equal(sent, 4000);
	q = world_question(ASK_APPLICATIONS);
	assert_int_equal(world_ask(w, TENANT_PLATFORM, &q), ANSWER_OK);
	assert_int_equal(
	    ((const struct row_application *)world_row(w, 0, sizeof(struct row_application), NULL))->bytes,
	    4000);
	q = world_question(ASK_FLOWS);
	assert_int_equal(world_ask(w, TENANT_PLATFORM, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
}

static void
totals_and_drops_of_a_point(void **state)
{
	struct rec_second sec = { .point = ETH0, .second = w->utc, .packets = 100, .bytes = 5000 };
	struct rec_drops d = { .point = ETH0, .place = PLACE_RING, .is_loss = 1, .count = 7 };
	struct wire_question q = world_question(ASK_TOTALS);
	const char *text;

	(void)state;
	sec.undecoded[REASON_ARP] = 8;
	world_put(w, 0, REC_SECOND, &sec, sizeof(sec), NULL);
	world_put(w, 0, REC_DROPS, &d, sizeof(d), NULL);
	d.count = 3; /* who counts began anew */
	world_put(w, 0, REC_DROPS, &d, sizeof(d), NULL);
	world_pump(w);
	for (uint32_t tenant = TENANT_PLATFORM; tenant <= ALPHA; tenant++) {
		assert_int_equal(world_ask(w, tenant, &q), ANSWER_OK);

		const struct row_totals *t = world_row(w, 0, sizeof(*t), NULL);

		assert_int_equal(t->packets, 100);
		assert_int_equal(t->bytes, 5000);
		assert_int_equal(t->undecoded, 8);
		assert_int_equal(t->counted, 92);
		assert_int_equal(t->dropped, 10);
	}
	/* Beta sees only its own flows of eth1, and there are none. */
	assert_int_equal(world_ask(w, BETA, &q), ANSWER_OK);
	assert_int_equal(
	    ((const struct row_totals *)world_row(w, 0, sizeof(struct row_totals), NULL))->packets, 0);
	q = world_question(ASK_COUNTERS);
	assert_int_equal(world_ask(w, BETA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 0);
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 2);

	const struct row_counter *c = world_row(w, 0, sizeof(*c), &text);

	assert_int_equal(c->count, 10);
	assert_memory_equal(text, "capture.ring_fulleth0", 21);
}

static void
a_slot_used_again_ends_what_was_in_it(void **state)
{
	struct rec_flow f = world_flow(w, 1, ETH0, "10.1.0.5", "192.0.2.1");
	struct wire_question q = world_question(ASK_FLOWS);

	(void)state;
	put_flow(REC_FLOW_OPEN, &f, NULL);
	world_pump(w);

	struct rec_flow g = world_flow(w, 4097, ETH0, "10.1.0.6", "192.0.2.1");

	assert_int_equal(g.slot, f.slot);
	put_flow(REC_FLOW_OPEN, &g, NULL);
	world_pump(w);
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	assert_int_equal(w->s->counters.n[OWN_FLOWS_LOST], 1);
	/* Counters of the old one find nothing and do no harm. */
	put_count(&f, w->utc, 90000, 90000);
	world_pump(w);
	assert_int_equal(w->s->counters.n[OWN_BAD_RECORD], 0);
	assert_int_equal(w->s->counters.n[OWN_UNKNOWN_SLOT], 1);
}

static void
an_engine_that_dies_leaves_lost_flows(void **state)
{
	struct rec_flow f = world_flow(w, 1, ETH0, "10.1.0.5", "192.0.2.1");
	struct wire_question q = world_question(ASK_FLOWS);

	(void)state;
	put_flow(REC_FLOW_OPEN, &f, NULL);
	put_count(&f, w->utc, 5000, 9000);
	ring_publish(w->ring[0]);
	pump_gone(w->s,
		  store_engine(w->s, 0)); /* before anything was taken: what is in the ring still counts */
	world_pump(w);
	world_commit(w);
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 0);
	q.from_ns = 1;
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);

	const struct row_flow *r = world_row(w, 0, sizeof(*r), NULL);

	assert_int_equal(r->flow.end_reason, END_LOST);
	assert_int_equal(r->flow.count.bytes[0], 5000);

	/* It comes back alive (only its channel had ended): the slice goes on and its end replaces the lost
	 * one. */
	world_engine(w, 0, 1000);
	f.count.bytes[0] = 6000;
	f.count.bytes[1] = 9000;
	f.count.packets[0] = 60;
	f.count.packets[1] = 90;
	put_flow(REC_FLOW_OPEN, &f, NULL);
	f.last_ns += 5 * NS_PER_S;
	f.end_reason = END_IDLE;
	put_flow(REC_FLOW_END, &f, NULL);
	world_pump(w);
	world_commit(w);
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	r = world_row(w, 0, sizeof(*r), NULL);
	assert_int_equal(r->flow.end_reason, END_IDLE);
	assert_int_equal(r->flow.count.bytes[0], 6000);
}

/* --- lies
 * ----------------------------------------------------------------------------------------------------------------
 */

static struct rec_flow good;

static void
lie_slot(struct rec_flow *f)
{
	f->slot = 4096;
}
static void
lie_point(struct rec_flow *f)
{
	f->point = 99;
}
static void
lie_space(struct rec_flow *f)
{
	f->space = 1;
}
static void
lie_tunnel(struct rec_flow *f)
{
	f->tunnel = TUNNEL_COUNT;
}
static void
lie_state(struct rec_flow *f)
{
	f->state = FLOW_STATE_COUNT;
}
static void
lie_reason(struct rec_flow *f)
{
	f->end_reason = END_LOST;
}
static void
lie_ended(struct rec_flow *f)
{
	f->end_reason = END_IDLE;
}
static void
lie_before(struct rec_flow *f)
{
	f->first_ns = -1;
}
static void
lie_future(struct rec_flow *f)
{
	f->last_ns += INT64_C(86400) * NS_PER_S;
}
static void
lie_far(struct rec_flow *f)
{
	f->last_ns = INT64_MAX;
}
static void
lie_huge(struct rec_flow *f)
{
	f->count.bytes[1] = UINT64_MAX;
}
static void
lie_application(struct rec_flow *f)
{
	f->application = 6;
}
static void
lie_application_range(struct rec_flow *f)
{
	f->application = UINT16_MAX;
}
static void
lie_category(struct rec_flow *f)
{
	f->category = 77;
}
static void
lie_risk(struct rec_flow *f)
{
	f->risks = 1;
}
static void
lie_length(struct rec_flow *f)
{
	f->server_name_len = 10;
}
static void
lie_info(struct rec_flow *f)
{
	f->info_len = UINT16_MAX;
}

static void
lie_attributes(struct rec_flow *f)
{
	f->attributes_len = UINT16_MAX;
}
static void
lie_breed(struct rec_flow *f)
{
	f->breed = BREED_COUNT;
}
static void
lie_confidence(struct rec_flow *f)
{
	f->confidence = CONFIDENCE_COUNT;
}

static void (*const lies[])(struct rec_flow *) = { lie_slot,       lie_point,  lie_space,     lie_tunnel,
						   lie_state,      lie_reason, lie_ended,     lie_before,
						   lie_future,     lie_far,    lie_huge,      lie_category,
						   lie_risk,       lie_length, lie_info,      lie_application,
						   lie_attributes, lie_breed,  lie_confidence };

static void
lies_about_flows_end_the_channel(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		struct engine *e = store_engine(w->s, 0);
		uint64_t before = w->s->counters.n[OWN_BAD_RECORD];
		struct rec_flow f = world_flow(w, 1, ETH0, "10.1.0.5", "192.0.2.1");

		world_pump(w);
		lies[i](&f);
		world_put(w, 0, REC_FLOW_OPEN, &f, sizeof(f), NULL);
		good = world_flow(w, 2, ETH0, "10.1.0.5", "192.0.2.1");
		world_put(w, 0, REC_FLOW_OPEN, &good, sizeof(good), NULL);
		world_pump(w);
		assert_int_equal(w->s->counters.n[OWN_BAD_RECORD], before + 1);
		assert_null(e->now.ring); /* nothing behind the lie was read */
		assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
		assert_int_equal(w->nrows, 0);
		world_engine(w, 0, 2000 + (int64_t)i);
	}
	(void)lie_application_range;
}

static const char *
judge(uint16_t kind, const void *rec, size_t len)
{
	world_pump(w);
	return ingest_record(w->s, store_engine(w->s, 0), kind, rec, len);
}

/* Attributes go as they came to whoever looks at the flow: a list that is none ends the channel. */
static void
attributes_are_judged(void **state)
{
	static const char *const lists[] = { "\3\2h2\1\1x", "\177\1x", "\1\10short" };
	struct wire_question q = world_question(ASK_FLOWS);
	struct {
		struct rec_flow f;
		char list[16];
	} r = { .f = world_flow(w, 1, ETH0, "10.1.0.5", "192.0.2.1") };
	const char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		r.f.attributes_len = (uint16_t)strlen(lists[i]);
		memcpy(r.list, lists[i], strlen(lists[i]));
		assert_non_null(judge(REC_FLOW_OPEN, &r, sizeof(r.f) + r.f.attributes_len));
	}
	r.f.attributes_len = 9;
	world_put(w, 0, REC_FLOW_OPEN, &r.f, sizeof(r.f), "\1\7TLSv1.3");
	world_pump(w);
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);

	const struct row_flow *row = world_row(w, 0, sizeof(*row), &text);

	assert_int_equal(row->attributes_len, 9);
	assert_memory_equal(text + row->application_len + row->category_len + row->point_len, "\1\7TLSv1.3",
			    9);
}

static void
lies_about_other_things(void **state)
{
	struct rec_second sec = { .point = ETH0, .second = w->utc, .packets = 10 };
	struct rec_flow f = world_flow(w, 1, ETH0, "10.1.0.5", "192.0.2.1");
	struct rec_flow_count c = { .slot = f.slot, .generation = f.generation, .second = w->utc };
	struct rec_point p = { .point = ETH0, .state = POINT_UP };
	struct rec_drops d = { .point = ETH0, .place = PLACE_RING };
	struct {
		struct rec_name n;
		char text[4];
	} n = { { NAME_APPLICATION, APP_DNS, 0, 4 }, "DNT" };

	(void)state;
	assert_null(judge(REC_FLOW_OPEN, &f, sizeof(f)));
	assert_non_null(judge(0, &f, sizeof(f)));
	assert_non_null(judge(REC_KIND_COUNT, &f, sizeof(f)));
	assert_non_null(judge(REC_FLOW_OPEN, &f, sizeof(f) - 1));
	assert_non_null(judge(REC_SECOND, &sec, sizeof(sec) - 1));

	n.n.len = 3;
	assert_non_null(judge(REC_NAME, &n, sizeof(n.n) + 3)); /* the number has another name */
	n.n.number = 900;
	assert_null(judge(REC_NAME, &n, sizeof(n.n) + 3));
	assert_non_null(judge(REC_NAME, &n, sizeof(n.n) + 4));
	n.n.number = NAME_NUMBER_MAX;
	assert_non_null(judge(REC_NAME, &n, sizeof(n.n) + 3));
	n.n = (struct rec_name){ NAME_RISK, 64, 0, 3 };
	assert_non_null(judge(REC_NAME, &n, sizeof(n.n) + 3));
	n.n = (struct rec_name){ NAME_KIND_COUNT, 1, 0, 3 };
	assert_non_null(judge(REC_NAME, &n, sizeof(n.n) + 3));
	n.n = (struct rec_name){ NAME_PLACE, 1, 0, 3 };
	n.text[1] = '\n';
	assert_non_null(judge(REC_NAME, &n, sizeof(n.n) + 3));

	sec.worker = 1;
	assert_non_null(judge(REC_SECOND, &sec, sizeof(sec)));
	sec.worker = 0;
	sec.undecoded[REASON_ARP] = 11;
	assert_non_null(judge(REC_SECOND, &sec, sizeof(sec)));
	sec.undecoded[REASON_ARP] = 0;
	sec.undecoded[1] = 1;
	assert_non_null(judge(REC_SECOND, &sec, sizeof(sec)));
	sec.undecoded[1] = 0;
	sec.second = INT64_MAX / 2;
	assert_non_null(judge(REC_SECOND, &sec, sizeof(sec)));
	sec.second = w->utc;
	assert_null(judge(REC_SECOND, &sec, sizeof(sec)));

	c.count = f.count;
	c.count.bytes[0]--;
	assert_non_null(judge(REC_FLOW_COUNT, &c, sizeof(c)));
	c.count.bytes[0] += 2;
	c.second = -1;
	assert_non_null(judge(REC_FLOW_COUNT, &c, sizeof(c)));
	c.second = w->utc;
	c.last_ns = w->utc * NS_PER_S;
	assert_null(judge(REC_FLOW_COUNT, &c, sizeof(c)));
	f.ip[0].b[15]++;
	assert_non_null(judge(REC_FLOW_OPEN, &f, sizeof(f)));

	p.state = 4;
	assert_non_null(judge(REC_POINT, &p, sizeof(p)));
	p.state = POINT_UP;
	p.worker = 1;
	assert_non_null(judge(REC_POINT, &p, sizeof(p)));
	d.place = 10;
	assert_non_null(judge(REC_DROPS, &d, sizeof(d)));
	d.place = PLACE_RING;
	d.point = 99;
	assert_non_null(judge(REC_DROPS, &d, sizeof(d)));
}

static void
nothing_is_taken_before_a_snapshot(void **state)
{
	struct rec_flow f = world_flow(w, 1, ETH0, "10.1.0.5", "192.0.2.1");
	struct grants *with = w->s->grants;

	(void)state;
	put_flow(REC_FLOW_OPEN, &f, NULL);
	w->s->grants = grants_new();
	world_pump(w);
	assert_int_equal(w->s->engine[0].live.limit, 0);
	grants_free(&w->s->grants);
	w->s->grants = with;
	world_pump(w);
	assert_int_equal(w->s->engine[0].live.limit, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_flow_lives),
		TEST(the_longest_record_is_taken),
		TEST(hosts_and_applications_sum_flows),
		TEST(an_application_found_late_takes_its_bytes_along),
		TEST(names_are_of_the_tenant_whose_packets_told_them),
		TEST(places_of_addresses),
		TEST(ports_and_tcp_of_hosts),
		TEST(devices_of_tenants),
		TEST(a_flow_between_tenants_counts_once_for_the_platform),
		TEST(totals_and_drops_of_a_point),
		TEST(a_slot_used_again_ends_what_was_in_it),
		TEST(an_engine_that_dies_leaves_lost_flows),
		TEST(lies_about_flows_end_the_channel),
		TEST(attributes_are_judged),
		TEST(lies_about_other_things),
		TEST(nothing_is_taken_before_a_snapshot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
