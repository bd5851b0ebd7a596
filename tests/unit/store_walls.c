/* See store_walls.h. */
#include "store_walls.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "filter/filter.h"
#include "orders.h"

struct walls walls;

/* --- traffic
 * -----------------------------------------------------------------------------------------------------------
 */

const char *const walls_addresses[WALLS_ADDRESSES] = {
	"10.2.0.1",  "10.2.0.2",    "10.2.128.1",   "10.3.0.1",    "10.3.0.2",        "10.1.0.1",
	"192.0.2.1", "192.0.2.200", "198.51.100.7", "2001:db8::1", "2001:db8:0:1::1", "2001:db9::1",
};
static const char *const texts[] = { "www.example.comGET /secret", "", "sni.example" };

static const char *
text_of(const struct rec_flow *f)
{
	return texts[f->id.b[15] % ARRAY_LEN(texts)];
}

void
walls_random_traffic(const struct world *w, struct walls_traffic *t)
{
	for (uint32_t i = 0; i < WALLS_FLOWS; i++) {
		const char *a = walls_addresses[randombytes_uniform(ARRAY_LEN(walls_addresses))];
		const char *b = walls_addresses[randombytes_uniform(ARRAY_LEN(walls_addresses))];
		struct rec_flow f = world_flow(w, i + 1, randombytes_uniform(3) == 0 ? ETH0 : ETH1, a, b);

		f.vlan[0] = (uint16_t)randombytes_uniform(2);
		/* No more than a host keeps. */
		f.port[SERVER] = (uint16_t)(randombytes_uniform(2) * 390 + 53);
		f.protocol = randombytes_uniform(2) ? 6 : 17;
		f.first_ns -= (int64_t)i * 1000; /* one order, whatever the ids look like */
		f.last_ns += (int64_t)i * 1000;
		for (int side = 0; side < 2; side++) {
			f.count.bytes[side] += randombytes_random(); /* no two sums are equal */
			f.count.packets[side] += randombytes_uniform(100);
			/* A host has one, wherever it is seen. */
			f.mac[side][0] = 2;
			f.mac[side][5] = f.ip[side].b[15];
			f.mac[side][4] = f.ip[side].b[13];
		}
		f.application = randombytes_uniform(3) == 0 ? 0 : randombytes_uniform(2) ? APP_DNS : APP_TLS;
		f.category = f.application == APP_TLS ? CAT_WEB : 0;
		f.risks = randombytes_uniform(4) == 0 ? UINT64_C(1) << RISK_A : 0;
		f.score = (uint16_t)randombytes_uniform(100);
		if (randombytes_uniform(3) == 0) {
			f.exporter.b[15] = (uint8_t)(1 + randombytes_uniform(2));
			f.in_interface = randombytes_uniform(3);
			f.out_interface = randombytes_uniform(3);
			f.next_hop = f.ip[CLIENT];
		}
		f.server_name_len = (uint16_t)strlen(text_of(&f));
		if (f.server_name_len > 15) { /* the rest is the first one's info */
			f.info_len = (uint16_t)(f.server_name_len - 15);
			f.server_name_len = 15;
		}
		t->flow[i] = f;
	}
}

void
walls_put(struct world *w, const struct rec_flow *f, bool ends)
{
	struct rec_flow copy = *f;

	copy.end_reason = ends ? END_IDLE : END_NONE;
	world_put(w, 0, ends ? REC_FLOW_END : REC_FLOW_OPEN, &copy, sizeof(copy),
		  f->server_name_len == 0 ? NULL : text_of(f));
}

void
walls_pump(struct world *w)
{
	world_pump(w);
	orders_expire(w->s);
}

/* --- the plain filter
 * --------------------------------------------------------------------------------------------------- */

struct narrowing
walls_random_narrowing(uint32_t number, struct walls_lists *l)
{
	static const char *const points[] = { "eth0", "eth1", "one.pcap" };
	static const char *const networks[] = { "10.2.0.0/24",  "10.2.0.0/16", "10.3.0.1",
						"192.0.2.0/24", "0.0.0.0/0",   "2001:db8::/32",
						"198.51.100.7", "10.0.0.0/8" };
	struct narrowing n = { .number = number,
			       .masked = randombytes_uniform(5) == 0,
			       .ninterfaces = randombytes_uniform(3),
			       .nexporters = randombytes_uniform(3) == 0 ? randombytes_uniform(3) : 0,
			       .nnetworks = randombytes_uniform(3),
			       .interfaces = l->interfaces,
			       .exporters = l->exporters,
			       .networks = l->networks };

	for (size_t i = 0; i < n.ninterfaces; i++)
		assert_true(str_copy(l->interfaces[i], 64, points[randombytes_uniform(3)]));
	for (size_t i = 0; i < n.nexporters; i++)
		l->exporters[i] =
		    (struct exporter_ref){ .ip = { { [15] = (uint8_t)(1 + randombytes_uniform(2)) } },
					   .has_interface = (uint8_t)randombytes_uniform(2),
					   .interface = randombytes_uniform(3) };
	for (size_t i = 0; i < n.nnetworks; i++)
		assert_true(
		    prefix_parse(networks[randombytes_uniform(ARRAY_LEN(networks))], &l->networks[i]));
	return n;
}

static bool
admitted(const struct narrowing *n, const struct rec_flow *f)
{
	const char *point = f->point == ETH0 ? "eth0" : "eth1";
	bool place = n->ninterfaces + n->nexporters == 0, end = n->nnetworks == 0;

	for (size_t i = 0; i < n->ninterfaces; i++)
		place |= strcmp(n->interfaces[i], point) == 0;
	for (size_t i = 0; i < n->nexporters; i++) {
		const struct exporter_ref *e = &n->exporters[i];

		place |=
		    ip_equal(&f->exporter, &e->ip) && (!e->has_interface || e->interface == f->in_interface ||
						       e->interface == f->out_interface);
	}
	for (size_t i = 0; i < n->nnetworks; i++)
		end |= prefix_contains(&n->networks[i], &f->ip[CLIENT]) ||
		       prefix_contains(&n->networks[i], &f->ip[SERVER]);
	return place && end;
}

static bool
is_in(const char *network, const struct rec_flow *f)
{
	struct ip_prefix p;

	assert_true(prefix_parse(network, &p));
	return prefix_contains(&p, &f->ip[CLIENT]) || prefix_contains(&p, &f->ip[SERVER]);
}

bool
walls_of_tenant(uint32_t tenant, const struct rec_flow *f)
{
	switch (tenant) {
	case ALPHA:
		return f->point == ETH0;
	case BETA:
		return f->point == ETH1 && is_in("10.2.0.0/16", f);
	case GAMMA:
		return f->point == ETH1 && is_in("10.3.0.0/16", f);
	default:
		return true;
	}
}

bool
walls_sees(const struct walls_who *who, const struct rec_flow *f)
{
	for (size_t i = 0; i < who->n; i++)
		if (!admitted(&who->narrowing[i], f))
			return false;
	return walls_of_tenant(who->tenant, f);
}

/* --- two stores
 * -------------------------------------------------------------------------------------------------------- */

static struct world *
make_world(void)
{
	struct world *w = world_new(64 << 20, 0);

	world_engine(w, 0, 1000);
	return w;
}

int
walls_setup(void **state)
{
	(void)state;
	walls.all = make_world();
	walls.some = make_world();
	walls.some->utc = walls.all->utc;
	/* Whether a list is long, and looked through in parts or beside the loop, makes no difference to what
	 * it says. */
	orders_set_few(walls.all->s->orders, randombytes_uniform(2) == 0 ? 0 : UINT32_MAX);
	if (randombytes_uniform(2) == 0)
		world_threads(walls.all);
	orders_set_few(walls.some->s->orders, randombytes_uniform(2) == 0 ? 0 : UINT32_MAX);
	assert_int_not_equal(walls.all->first_segment, walls.some->first_segment); /* their files are apart */
	/* Ids are veiled by a secret of the database; let it be the same one. */
	memcpy((uint8_t *)(uintptr_t)history_secret(walls.some->s->history),
	       history_secret(walls.all->s->history), FLOW_ID_SECRET);
	return 0;
}

int
walls_teardown(void **state)
{
	(void)state;
	world_free(walls.all);
	world_free(walls.some);
	return 0;
}

struct grant
walls_grant_of(struct world *w, const struct walls_who *who, bool narrowed)
{
	struct grant g = world_grant_plain(w, who->tenant);

	g.masked = who->masked;
	for (size_t i = 0; i < who->n; i++) {
		g.masked |= who->narrowing[i].masked;
		if (narrowed)
			assert_true(grant_narrow(&g, who->narrowing[i].number));
	}
	return g;
}

enum answer_status
walls_ask_through(struct world *w, const struct walls_who *who, bool narrowed, const struct wire_question *q,
		  const struct walls_sieve *sieve)
{
	struct grant g = walls_grant_of(w, who, narrowed);
	uint8_t bytes[GRANT_BYTES_MAX];
	size_t len = world_grant_as(w, &g, true, bytes);

	grants_heard(w->s->grants, clock_boot_ns());
	return world_ask_filtered(w, q, bytes, len, sieve->bytes, sieve->len);
}

enum answer_status
walls_ask_as(struct world *w, const struct walls_who *who, bool narrowed, const struct wire_question *q)
{
	static const struct walls_sieve none;

	return walls_ask_through(w, who, narrowed, q, &none);
}

bool
walls_question_at(const struct world *w, unsigned i, struct wire_question *q)
{
	const unsigned variants = 2 * (unsigned)ARRAY_LEN(walls_addresses);
	unsigned kind = 1 + i / variants, v = i % variants;

	*q = world_question((enum question_kind)kind);
	q->limit = v % 7 == 3 ? 4 : 1000;
	q->sort = kind == ASK_FLOWS ? (v % 2 ? SORT_LAST : SORT_FIRST) : v % SORT_KEY_COUNT;
	q->ascending = v / 2 % 2;
	q->subject = (uint16_t)(1 + v % 3);
	q->resolution_s = kind == ASK_SERIES ? 60 : 0;
	if (v % 5 == 4)
		q->point = v % 2 == 0 ? ETH0 : ETH1;
	if (kind == ASK_GROUPS) {
		q->grouping.dimension[0] = (uint8_t)(1 + v * 7 % (DIMENSION_TENANT - 1));
		q->grouping.dimension[1] = v % 3 == 0 || q->grouping.dimension[0] == DIMENSION_SERVER_IP
					       ? DIMENSION_NONE
					       : DIMENSION_SERVER_IP;
		q->grouping.bits_v4 = v % 4 == 1 ? 20 : 0;
		q->grouping.measure = (uint8_t)(v % MEASURE_COUNT);
		q->grouping.measures = MEASURE_BIT(MEASURE_COUNT) - 1;
	}
	if ((kind == ASK_FLOWS && v % 3 == 1) || kind == ASK_SERIES)
		q->from_ns = w->utc * NS_PER_S - NS_PER_S;
	q->has_ip = kind == ASK_HOST || (kind == ASK_FLOWS && v % 4 == 3);
	assert_true(ip_parse(walls_addresses[v / 2], &q->ip));
	q->vlan = (uint16_t)(v % 2);
	if (kind == ASK_SERIES || v % 6 == 5) {
		q->key_len = 3;
		memcpy(q->key, "DNS", 3);
	}
	return kind < ASK_KIND_COUNT;
}

/* --- filters
 * -----------------------------------------------------------------------------------------------------------
 */

const char *const walls_filters[] = {
	"ip 10.2.0.1",
	"src net 10.2.0.0/16",
	"dst ip 192.0.2.200",
	"net 192.0.2.0/24",
	"src ip 198.51.100.7",
	"net 2001:db8::/32",
	"ip 2001:db8:0:1::1",
	"port 53",
	"dst port in [ 53 443 ]",
	"mac 02:00:00:00:00:01",
	"mac 02:00:00:00:00:c8",
	"ip 192.0.2.200",
	"as 0",
	"country NL",
	"next-hop 10.2.0.0/16",
	"flags S",
	"dscp 0",
	"ttl > 0",
	"bytes > 2g",
	"src bytes < 3g",
	"packets > 60",
	"goodput > 0",
	"retransmissions 0",
	"any",
	"tcp",
	"udp",
	"ipv6",
	"duration > 1",
	"bps > 1g",
	"pps > 10",
	"bpp > 20m",
	"latency > 0",
	"icmp-type 0",
	"vlan 0",
	"vlan 1",
	"if eth0",
	"if eth1",
	"if one.pcap",
	"in if 1",
	"out if 2",
	"exporter ::1",
	"app DNS",
	"app TLS",
	"app Unknown",
	"category web",
	"sni example.com",
	"sni sni.example",
	"risk any",
	"score > 50",
	"state new",
	"end idle",
	"breed unsafe",
	"tenant alpha",
	"tenant beta",
	"tenant unassigned",
};
const uint32_t walls_nfilters = ARRAY_LEN(walls_filters);

void
walls_compile(struct walls_sieve *s)
{
	static struct filter_program program;
	struct filter_error e;

	if (!filter_compile(s->text, strlen(s->text), &program, &e))
		fail_msg("%s: %s", s->text, e.text);
	s->len = filter_encode(&program, s->bytes, sizeof(s->bytes));
	assert_true(s->len > 0);
}
