/*
 * Walls within and between tenants, asked for by a captured httpd that holds whatever grants it ever saw.
 * What a narrowed grant is answered from all traffic is, byte for byte, what is answered where only the flows
 * that it may see ever came: two stores, one of which gets them through a plain filter first.
 */
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
#include "store_world.h"

#define FLOWS       70u
#define FILTERS     40u
#define FILTER_TEXT 2048 /* bytes of the longest that is drawn */

/* --- traffic
 * -----------------------------------------------------------------------------------------------------------
 */

struct traffic {
	struct rec_flow flow[FLOWS];
};

static const char *const addresses[] = {
	"10.2.0.1",  "10.2.0.2",    "10.2.128.1",   "10.3.0.1",    "10.3.0.2",        "10.1.0.1",
	"192.0.2.1", "192.0.2.200", "198.51.100.7", "2001:db8::1", "2001:db8:0:1::1", "2001:db9::1",
};
static const char *const texts[] = { "www.example.comGET /secret", "", "sni.example" };

static const char *
text_of(const struct rec_flow *f)
{
	return texts[f->id.b[15] % ARRAY_LEN(texts)];
}

static void
random_traffic(const struct world *w, struct traffic *t)
{
	for (uint32_t i = 0; i < FLOWS; i++) {
		const char *a = addresses[randombytes_uniform(ARRAY_LEN(addresses))];
		const char *b = addresses[randombytes_uniform(ARRAY_LEN(addresses))];
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

static void
put(struct world *w, const struct rec_flow *f, bool ends)
{
	struct rec_flow copy = *f;

	copy.end_reason = ends ? END_IDLE : END_NONE;
	world_put(w, 0, ends ? REC_FLOW_END : REC_FLOW_OPEN, &copy, sizeof(copy),
		  f->server_name_len == 0 ? NULL : text_of(f));
}

/* What came is in the next answer, however long the list. */
static void
pump(struct world *w)
{
	world_pump(w);
	orders_expire(w->s);
}

/* --- the plain filter
 * --------------------------------------------------------------------------------------------------- */

struct lists {
	char interfaces[2][64];
	struct exporter_ref exporters[2];
	struct ip_prefix networks[2];
};

static struct narrowing
random_narrowing(uint32_t number, struct lists *l)
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

/* As store_world.h says it. */
static bool
of_tenant(uint32_t tenant, const struct rec_flow *f)
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

/* --- two stores
 * -------------------------------------------------------------------------------------------------------- */

/* Who asks: a tenant's grant, narrowed by some. */
struct who {
	uint32_t tenant;
	size_t n;
	struct narrowing narrowing[2];
	struct lists lists[2];
	bool masked;
};

static bool
sees(const struct who *who, const struct rec_flow *f)
{
	for (size_t i = 0; i < who->n; i++)
		if (!admitted(&who->narrowing[i], f))
			return false;
	return of_tenant(who->tenant, f);
}

static struct world *all, *some; /* everything came; only what is seen came */

static struct world *
make_world(void)
{
	struct world *w = world_new(64 << 20, 0);

	world_engine(w, 0, 1000);
	return w;
}

static int
setup(void **state)
{
	(void)state;
	all = make_world();
	some = make_world();
	some->utc = all->utc;
	/* Whether a list is long, and looked through in parts or beside the loop, makes no difference to what
	 * it says. */
	orders_set_few(all->s->orders, randombytes_uniform(2) == 0 ? 0 : UINT32_MAX);
	if (randombytes_uniform(2) == 0)
		world_threads(all);
	orders_set_few(some->s->orders, randombytes_uniform(2) == 0 ? 0 : UINT32_MAX);
	assert_int_not_equal(all->first_segment, some->first_segment); /* their files are apart */
	/* Ids are veiled by a secret of the database; let it be the same one. */
	memcpy((uint8_t *)(uintptr_t)history_secret(some->s->history), history_secret(all->s->history),
	       FLOW_ID_SECRET);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_free(all);
	world_free(some);
	return 0;
}

static struct grant
grant_of(struct world *w, const struct who *who, bool narrowed)
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

/* A filter in its wire form. */
struct sieve {
	char text[FILTER_TEXT];
	uint8_t bytes[FILTER_BYTES_MAX];
	size_t len; /* 0: none */
};

static enum answer_status
ask_through(struct world *w, const struct who *who, bool narrowed, const struct wire_question *q,
	    const struct sieve *sieve)
{
	struct grant g = grant_of(w, who, narrowed);
	uint8_t bytes[GRANT_BYTES_MAX];
	size_t len = world_grant_as(w, &g, true, bytes);

	grants_heard(w->s->grants, clock_boot_ns());
	return world_ask_filtered(w, q, bytes, len, sieve->bytes, sieve->len);
}

static enum answer_status
ask_as(struct world *w, const struct who *who, bool narrowed, const struct wire_question *q)
{
	static const struct sieve none;

	return ask_through(w, who, narrowed, q, &none);
}

static void
same_answers(const struct wire_question *q)
{
	if (some->status != all->status || some->nrows != all->nrows || some->rows_len != all->rows_len)
		fail_msg("question %u (from %lld, sort %u, limit %u, point %u, ip %u, cursor %d and %d): "
			 "status %u and %u, rows %u and %u, "
			 "bytes %zu and %zu",
			 q->kind, (long long)q->from_ns, q->sort, q->limit, q->point, q->has_ip,
			 all->has_cursor, some->has_cursor, all->status, some->status, all->nrows,
			 some->nrows, all->rows_len, some->rows_len);
	assert_int_equal(some->has_cursor, all->has_cursor);
	if (all->rows_len > 0)
		assert_memory_equal(some->rows, all->rows, all->rows_len);
}

/* Every kind of question, in some variants: the i-th, false past the last. */
static bool
question_at(const struct world *w, unsigned i, struct wire_question *q)
{
	const unsigned variants = 2 * (unsigned)ARRAY_LEN(addresses);
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
	assert_true(ip_parse(addresses[v / 2], &q->ip));
	q->vlan = (uint16_t)(v % 2);
	if (kind == ASK_SERIES || v % 6 == 5) {
		q->key_len = 3;
		memcpy(q->key, "DNS", 3);
	}
	return kind < ASK_KIND_COUNT;
}

/* Which kinds a grant for the whole must answer alike where only the part came: what store keeps of hosts and
 * applications is what it makes of the flows. Of points and totals it keeps more than the flows tell; and of
 * hosts that the platform sees, what they had in flows that are another tenant's first. */
static bool
is_of_flows(const struct who *who, uint32_t kind)
{
	if (kind == ASK_HOSTS || kind == ASK_HOST || kind == ASK_DEVICES)
		return who->tenant != TENANT_PLATFORM;
	return kind == ASK_FLOWS || kind == ASK_APPLICATIONS || kind == ASK_GROUPS;
}

static void
compare_all(const struct who *who, bool whole)
{
	struct wire_question q;

	for (unsigned i = 0; question_at(all, i, &q); i++) {
		(void)ask_as(all, who, true, &q);
		(void)ask_as(some, who, true, &q);
		same_answers(&q);
		if (!whole || !is_of_flows(who, q.kind))
			continue;
		(void)ask_as(some, who, false, &q);
		same_answers(&q);
	}
}

/* --- filters
 * -----------------------------------------------------------------------------------------------------------
 */

/* Every field, with what some of the flows have. */
static const char *const tests_of_filters[] = {
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

static const char *
random_test(void)
{
	return tests_of_filters[randombytes_uniform(ARRAY_LEN(tests_of_filters))];
}

static void
random_text(char out[static FILTER_TEXT])
{
	char before[FILTER_TEXT];
	int n = snprintf(out, FILTER_TEXT, "%s", random_test());

	for (uint32_t more = randombytes_uniform(6); more > 0; more--) {
		const char *word = randombytes_uniform(2) ? "and" : "or";

		memcpy(before, out, sizeof(before));
		switch (randombytes_uniform(3)) {
		case 0:
			n = snprintf(out, FILTER_TEXT, "not (%s)", before);
			break;
		case 1:
			n = snprintf(out, FILTER_TEXT, "(%s) %s %s", before, word, random_test());
			break;
		default:
			n = snprintf(out, FILTER_TEXT, "%s %s not (%s)", random_test(), word, before);
			break;
		}
		assert_true(n > 0 && n < FILTER_TEXT);
	}
}

static void
compile(struct sieve *s)
{
	static struct filter_program program;
	struct filter_error e;

	if (!filter_compile(s->text, strlen(s->text), &program, &e))
		fail_msg("%s: %s", s->text, e.text);
	s->len = filter_encode(&program, s->bytes, sizeof(s->bytes));
	assert_true(s->len > 0);
}

static void
draw(struct sieve *yes, struct sieve *no)
{
	random_text(yes->text);
	assert_true(snprintf(no->text, sizeof(no->text), "not (%s)", yes->text) < FILTER_TEXT);
	compile(yes);
	compile(no);
}

/* Whether a row shows what the text, which is one test, asks for. */
static bool
shows(const struct row_flow *r, const char *text)
{
	struct ip_addr ip;

	if (strncmp(text, "sni ", 4) == 0)
		return !r->masked[SERVER];
	if (strncmp(text, "mac ", 4) == 0)
		return r->flow.mac[CLIENT][0] != 0 || r->flow.mac[SERVER][0] != 0;
	if (strncmp(text, "ip ", 3) != 0)
		return true;
	assert_true(ip_parse(text + 3, &ip));
	return ip_equal(&r->flow.ip[CLIENT], &ip) || ip_equal(&r->flow.ip[SERVER], &ip);
}

/* Whom a mask hides nobody finds by what it hides: a filter is answered of what is shown. Returns how many
 * rows there were. */
static unsigned
nothing_is_found_behind_a_mask(const struct who *who, int64_t from_ns)
{
	static struct sieve s;
	struct wire_question q = world_question(ASK_FLOWS);
	unsigned rows = 0;

	q.limit = 1000;
	q.from_ns = from_ns;
	for (size_t i = 0; i < ARRAY_LEN(tests_of_filters); i++) {
		assert_true(str_copy(s.text, sizeof(s.text), tests_of_filters[i]));
		compile(&s);
		(void)ask_through(all, who, true, &q, &s);
		for (uint32_t n = 0; n < all->nrows; n++)
			if (!shows(world_row(all, n, sizeof(struct row_flow), NULL), s.text))
				fail_msg("%s: row %u has it hidden", s.text, n);
		rows += all->nrows;
	}
	return rows;
}

/* The filter sees what the part does, of flows that live and of those that are kept, and a flow passes either
 * it or its opposite. */
static void
compare_filters(const struct who *who, bool whole)
{
	static struct sieve yes, no;
	struct wire_question q = world_question(ASK_FLOWS);

	for (unsigned i = 0; i < FILTERS; i++) {
		uint32_t total, passed;

		q.limit = 1000;
		q.sort = i % 2 ? SORT_LAST : SORT_FIRST;
		q.from_ns = i % 3 == 0 ? all->utc * NS_PER_S - NS_PER_S : 0;
		draw(&yes, &no);
		(void)ask_as(all, who, true, &q);
		total = all->nrows;
		(void)ask_through(all, who, true, &q, &no);
		passed = all->nrows;
		if (ask_through(all, who, true, &q, &yes) == ANSWER_OK) {
			assert_int_equal(all->nrows + passed, total);
		} else { /* a masked view may not ask where an end is */
			assert_int_equal(all->status, ANSWER_BAD_QUESTION);
			assert_true(grant_of(all, who, true).masked);
		}
		(void)ask_through(some, who, true, &q, &yes);
		same_answers(&q);
		if (whole) {
			(void)ask_through(some, who, false, &q, &yes);
			same_answers(&q);
		}
		/* Page by page, too. */
		q.limit = 3;
		(void)ask_through(all, who, true, &q, &yes);
		(void)ask_through(some, who, true, &q, &yes);
		same_answers(&q);
	}
}

/* By id: what is not seen is as what does not exist. */
static void
compare_ids(const struct who *who, const struct traffic *t)
{
	struct wire_question q = world_question(ASK_FLOW);
	struct flow_id_key key;

	flow_id_key(history_secret(all->s->history), who->tenant, &key);
	for (size_t i = 0; i < FLOWS; i++) {
		q.flow = flow_id_veil(&key, &t->flow[i].id);
		assert_int_equal(ask_as(all, who, true, &q),
				 sees(who, &t->flow[i]) ? ANSWER_OK : ANSWER_NOT_FOUND);
		(void)ask_as(some, who, true, &q);
		same_answers(&q);
	}
}

/* Sums that store makes for the part, of what it keeps no sum of: against adding up. */
static void
compare_sums(const struct who *who, const struct traffic *t)
{
	struct wire_question q = world_question(ASK_TOTALS);
	struct row_totals expected = { 0 }, got;
	uint32_t hosts = 0;

	if (who->tenant != BETA && who->tenant != GAMMA) /* to whom a point belongs gets its frames */
		return;
	for (size_t i = 0; i < FLOWS; i++) {
		if (!sees(who, &t->flow[i]))
			continue;
		expected.flows++;
		for (int side = 0; side < 2; side++) {
			expected.bytes += t->flow[i].count.bytes[side];
			expected.packets += t->flow[i].count.packets[side];
		}
	}
	assert_int_equal(ask_as(all, who, true, &q), ANSWER_OK);
	memcpy(&got, world_row(all, 0, sizeof(got), NULL), sizeof(got));
	assert_int_equal(got.flows, expected.flows);
	assert_int_equal(got.flows_seen, expected.flows);
	assert_true(got.bytes == expected.bytes && got.packets == expected.packets);
	assert_int_equal(got.dropped + got.undecoded + got.flows_stored, 0);
	q.kind = ASK_HOSTS;
	q.limit = 1000;
	assert_int_equal(ask_as(all, who, true, &q), ANSWER_OK);
	hosts = all->nrows;
	/* Of hosts that a mask hides there may be a number, but no rows. */
	if (!grant_of(all, who, true).masked)
		assert_int_equal(got.hosts, hosts);
	q.kind = ASK_POINTS;
	assert_int_equal(ask_as(all, who, true, &q), ANSWER_OK);
	assert_int_equal(all->nrows, expected.flows > 0);
}

static struct who
random_who(void)
{
	static const uint32_t tenants[] = { TENANT_PLATFORM, ALPHA, BETA, GAMMA };

	return (struct who){ .tenant = tenants[randombytes_uniform(4)],
			     .n = 1 + randombytes_uniform(2),
			     .masked = randombytes_uniform(4) == 0 };
}

static void
a_part_is_what_a_filter_lets_through(void **state)
{
	static struct traffic t;
	struct who who = random_who();

	(void)state;
	for (uint32_t i = 0; i < who.n; i++)
		who.narrowing[i] = random_narrowing(i + 1, &who.lists[i]);
	world_policy(all, who.narrowing, who.n);
	world_policy(some, who.narrowing, who.n);
	random_traffic(all, &t);
	for (size_t i = 0; i < FLOWS; i++) {
		put(all, &t.flow[i], false);
		if (sees(&who, &t.flow[i]))
			put(some, &t.flow[i], false);
	}
	pump(all);
	pump(some);
	compare_all(&who, true);
	compare_filters(&who, true);
	compare_sums(&who, &t);
	compare_ids(&who, &t);

	/* Half of them end, and are kept. */
	for (size_t i = 0; i < FLOWS; i += 2) {
		put(all, &t.flow[i], true);
		if (sees(&who, &t.flow[i]))
			put(some, &t.flow[i], true);
	}
	pump(all);
	pump(some);
	compare_all(&who, false); /* they are not on disk yet */
	world_commit(all);
	world_commit(some);
	compare_all(&who, false);
	compare_filters(&who, false);
	compare_ids(&who, &t);
}

/* --- masks
 * -------------------------------------------------------------------------------------------------------------
 */

static bool
is_own(uint32_t tenant, const struct ip_addr *ip)
{
	static const char *const networks[] = { [BETA] = "10.2.0.0/16", [GAMMA] = "10.3.0.0/16" };
	struct ip_prefix p;

	/* Alpha and the platform have no networks of their own: private addresses are local. */
	assert_true(prefix_parse(tenant == BETA || tenant == GAMMA ? networks[tenant] : "10.0.0.0/8", &p));
	return prefix_contains(&p, ip);
}

static void
check_masked_flow(uint32_t tenant, const struct row_flow *r, const struct traffic *t)
{
	static const uint8_t none[6];
	const struct rec_flow *f = NULL;

	for (size_t i = 0; i < FLOWS; i++)
		if (t->flow[i].first_ns == r->flow.first_ns)
			f = &t->flow[i];
	assert_non_null(f);
	for (int side = CLIENT; side <= SERVER; side++) {
		struct ip_addr expected = f->ip[side];

		assert_int_equal(r->masked[side], !is_own(tenant, &f->ip[side]));
		if (!r->masked[side]) {
			assert_memory_equal(&r->flow.ip[side], &f->ip[side], sizeof(expected));
			continue;
		}
		memset(&expected.b[ip_is_v4(&expected) ? 15 : 6], 0, ip_is_v4(&expected) ? 1 : 10);
		assert_memory_equal(&r->flow.ip[side], &expected, sizeof(expected));
		assert_memory_equal(r->flow.mac[side], none, sizeof(none));
		assert_int_equal(r->info_len + r->attributes_len, 0);
		assert_int_equal(side == CLIENT ? r->client_name_len : r->server_host_len, 0);
	}
	assert_int_equal(r->server_name_len, r->masked[SERVER] ? 0 : f->server_name_len);
}

/* Of those that end, every second one, and of those that live. */
static bool
everyone_has_some(const struct traffic *t, const uint32_t *tenants, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		unsigned flows[2] = { 0 };

		for (size_t i = 0; i < FLOWS; i++)
			flows[i % 2] += of_tenant(tenants[k], &t->flow[i]);
		if (flows[0] == 0 || flows[1] == 0)
			return false;
	}
	return true;
}

/* Whoever is masked gets every answer that tells nothing of who is remote; and asks for it in vain. */
static void
masked_ends_stay_hidden(void **state)
{
	static const uint32_t tenants[] = { TENANT_PLATFORM, ALPHA, BETA, GAMMA };
	static struct traffic t;
	struct wire_question q;
	unsigned masked = 0;

	(void)state;
	do
		random_traffic(all, &t);
	while (!everyone_has_some(&t, tenants, ARRAY_LEN(tenants)));
	for (size_t i = 0; i < FLOWS; i++) {
		put(all, &t.flow[i], false);
		if (i % 2 == 0)
			put(all, &t.flow[i], true);
	}
	pump(all);
	world_commit(all);
	for (size_t k = 0; k < ARRAY_LEN(tenants); k++) {
		const struct who who = { .tenant = tenants[k], .masked = true };

		assert_true(nothing_is_found_behind_a_mask(&who, 0) > 0);
		assert_true(nothing_is_found_behind_a_mask(&who, all->utc * NS_PER_S - NS_PER_S) > 0);
		for (unsigned i = 0; question_at(all, i, &q); i++) {
			enum answer_status status = ask_as(all, &who, true, &q);

			if (q.has_ip != 0 && !is_own(who.tenant, &q.ip)) {
				assert_int_equal(status, q.kind == ASK_HOST ? ANSWER_NOT_FOUND : ANSWER_OK);
				assert_int_equal(all->nrows, 0);
			}
			for (uint32_t n = 0; n < all->nrows; n++) {
				if (all->row_kind == ROW_FLOW)
					check_masked_flow(
					    who.tenant, world_row(all, n, sizeof(struct row_flow), NULL), &t);
				if (all->row_kind == ROW_HOST)
					assert_true(
					    is_own(who.tenant, &((const struct row_host *)world_row(
								     all, n, sizeof(struct row_host), NULL))
								    ->ip));
				if (all->row_kind == ROW_DEVICE) {
					const struct row_device *d =
					    world_row(all, n, sizeof(struct row_device), NULL);

					for (uint32_t ip = 0; ip < d->nips; ip++)
						assert_true(is_own(who.tenant, &d->ip[ip]));
				}
				masked += all->row_kind == ROW_FLOW;
			}
		}
	}
	assert_true(masked > 100);
}

/* A limited viewer is masked by its role. */
static void
limited_viewers_are_masked(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);
	struct grant g = world_grant_plain(all, ALPHA);
	struct rec_flow f = world_flow(all, 1, ETH0, "10.1.0.1", "192.0.2.200");
	uint8_t bytes[GRANT_BYTES_MAX];
	const struct row_flow *r;

	(void)state;
	put(all, &f, false);
	pump(all);
	g.role = ROLE_LIMITED_VIEWER;
	assert_int_equal(world_ask_with(all, &q, bytes, world_grant_as(all, &g, true, bytes)), ANSWER_OK);
	r = world_row(all, 0, sizeof(*r), NULL);
	assert_true(r->masked[SERVER] == 1 && r->masked[CLIENT] == 0);
	assert_int_equal(r->flow.ip[SERVER].b[15], 0);
}

/* --- what is kept of the whole only
 * ------------------------------------------------------------------------------------------- */

static void
series_of_a_part(void **state)
{
	struct ip_prefix net;
	char interfaces[2][64] = { "eth0", "one.pcap" };
	struct who who = { .tenant = ALPHA, .n = 1 };
	struct wire_question q = world_question(ASK_SERIES);
	struct rec_flow f = world_flow(all, 1, ETH0, "10.1.0.1", "192.0.2.1");
	struct rec_second second = { .point = ETH0, .second = all->utc, .packets = 10, .bytes = 5000 };

	(void)state;
	assert_true(prefix_parse("10.1.0.0/16", &net));
	put(all, &f, false);
	world_put(all, 0, REC_SECOND, &second, sizeof(second), NULL);
	pump(all);
	world_commit(all);
	q.resolution_s = 60;
	q.from_ns = all->utc * NS_PER_S - NS_PER_S;
	for (unsigned i = 0; i < 2; i++) {
		who.narrowing[0] =
		    i == 0 ? (struct narrowing){ .number = 1, .networks = &net, .nnetworks = 1 }
			   : (struct narrowing){ .number = 1, .interfaces = interfaces, .ninterfaces = 1 };
		world_policy(all, who.narrowing, 1);
		for (q.subject = 1; q.subject < SERIES_SUBJECT_COUNT; q.subject++) {
			const bool some_of_it = q.subject == SERIES_TENANT || q.subject == SERIES_POINT;
			const struct row_series *r;

			q.point = ETH0;
			q.key_len = 3;
			memcpy(q.key, "DNS", 3);
			assert_int_equal(ask_as(all, &who, true, &q), ANSWER_OK);
			assert_int_equal(all->nrows, some_of_it);
			if (!some_of_it)
				continue;
			/* Of an interface that is seen whole its frames are kept; of its flows seconds are
			 * not. */
			r = world_row(all, 0, sizeof(*r), NULL);
			assert_int_equal(r->bytes, i == 0 ? 4000 : 5000);
			q.resolution_s = 1;
			assert_int_equal(ask_as(all, &who, true, &q), i == 0 ? ANSWER_NARROWED : ANSWER_OK);
			q.resolution_s = 60;
		}
	}
	/* Several interfaces are added up: alpha's other one is a file. */
	second.point = FILE1;
	world_put(all, 0, REC_SECOND, &second, sizeof(second), NULL);
	pump(all);
	world_commit(all);
	for (unsigned both = 0; both < 2; both++) {
		const struct row_series *r;

		who.narrowing[0] =
		    (struct narrowing){ .number = 1, .interfaces = interfaces, .ninterfaces = 1 + both };
		world_policy(all, who.narrowing, 1);
		q.subject = SERIES_TENANT;
		assert_int_equal(ask_as(all, &who, true, &q), ANSWER_OK);
		assert_int_equal(all->nrows, 1);
		r = world_row(all, 0, sizeof(*r), NULL);
		assert_true(r->bytes == 5000u * (1 + both) && r->packets == 10u * (1 + both));
	}
	who.narrowing[0] = (struct narrowing){ .number = 1, .interfaces = interfaces, .ninterfaces = 1 };
	world_policy(all, who.narrowing, 1);
	/* Of an interface that is not the part's nothing is there, as of one that does not exist. */
	q.subject = SERIES_POINT;
	for (q.point = ETH1; q.point < FILE1 + 10; q.point++) {
		assert_int_equal(ask_as(all, &who, true, &q), ANSWER_OK);
		assert_int_equal(all->nrows, 0);
	}
}

/* --- quotas
 * ------------------------------------------------------------------------------------------------------------
 */

static uint64_t
counter(const char *name)
{
	for (uint32_t i = 0; i < all->nrows; i++) {
		const char *text;
		const struct row_counter *r = world_row(all, i, sizeof(*r), &text);

		if (r->name_len == strlen(name) && memcmp(text, name, r->name_len) == 0)
			return r->count;
	}
	return 0;
}

static void
expect_quota(uint32_t tenant, uint32_t flows, uint64_t over)
{
	struct wire_question q = world_question(ASK_FLOWS);

	q.limit = 1000;
	assert_int_equal(world_ask(all, tenant, &q), ANSWER_OK);
	assert_int_equal(all->nrows, flows);
	q.kind = ASK_COUNTERS;
	assert_int_equal(world_ask(all, tenant, &q), ANSWER_OK);
	assert_int_equal(counter("store.tenant_quota"), over);
	assert_int_equal(counter("store.tenant_quota.beta"), tenant == TENANT_PLATFORM ? over : 0);
}

/* Who has more flows than its quota gets no more; a flow that another has too stays the other's; nobody else
 * is told. */
static void
quotas_hold(void **state)
{
	struct rec_flow f;

	(void)state;
	all->flows_per_s[BETA] = 5;
	world_policy(all, NULL, 0);
	for (uint64_t i = 0; i < 27; i++) {
		f = world_flow(all, i + 1, ETH1, i < 23 ? "10.2.0.1" : "10.3.0.1",
			       i < 20 ? "192.0.2.1" : "10.3.0.2");
		put(all, &f, false);
	}
	for (uint64_t i = 100; i < 110; i++) {
		f = world_flow(all, i, ETH0, "10.2.0.1", "192.0.2.1");
		put(all, &f, false);
	}
	pump(all); /* at one moment */
	expect_quota(BETA, 5, 18);
	expect_quota(GAMMA, 7, 0);
	expect_quota(ALPHA, 10, 0);
	expect_quota(TENANT_PLATFORM, 22, 18);
	/* A limit that is gone: what was counted stays, and flows come. */
	all->flows_per_s[BETA] = 0;
	world_policy(all, NULL, 0);
	f = world_flow(all, 200, ETH1, "10.2.0.1", "192.0.2.1");
	put(all, &f, false);
	pump(all);
	expect_quota(BETA, 6, 18);
}

/* What is older than a tenant's retention it does not find by time, by id or in a series, though others do.
 */
static void
retention_holds(void **state)
{
	struct rec_flow f = world_flow(all, 1, ETH1, "10.2.0.1", "10.3.0.1");
	struct wire_question q = world_question(ASK_FLOWS);
	struct flow_id_key key;

	(void)state;
	all->retention_s[BETA] = 3600;
	world_policy(all, NULL, 0);
	f.first_ns = f.slice_ns = f.last_ns -= 7200 * NS_PER_S;
	put(all, &f, true);
	f = world_flow(all, 2, ETH1, "10.2.0.1", "10.3.0.1");
	put(all, &f, true);
	pump(all);
	world_commit(all);
	for (uint32_t tenant = BETA; tenant <= GAMMA; tenant++) {
		const uint32_t seen = tenant == BETA ? 1 : 2;

		q = world_question(ASK_FLOWS);
		q.from_ns = 1;
		assert_int_equal(world_ask(all, tenant, &q), ANSWER_OK);
		assert_int_equal(all->nrows, seen);
		q.kind = ASK_SERIES;
		q.subject = SERIES_TENANT;
		q.resolution_s = 60;
		assert_int_equal(world_ask(all, tenant, &q), ANSWER_OK);
		assert_int_equal(all->nrows, seen);
		q = world_question(ASK_FLOW);
		flow_id_key(history_secret(all->s->history), tenant, &key);
		f = world_flow(all, 1, ETH1, "10.2.0.1", "10.3.0.1");
		q.flow = flow_id_veil(&key, &f.id);
		assert_int_equal(world_ask(all, tenant, &q), tenant == BETA ? ANSWER_NOT_FOUND : ANSWER_OK);
	}
}

/* A tenant that keeps its minutes for an hour sees older ones in coarser points only, and is given those
 * where it does not say how fine it wants them. */
static void
each_resolution_has_its_time(void **state)
{
	struct rec_flow f = world_flow(all, 1, ETH1, "10.2.0.1", "10.3.0.1");
	struct wire_question q = world_question(ASK_SERIES);

	(void)state;
	all->keep_minutes_s[BETA] = 3600;
	world_policy(all, NULL, 0);
	f.first_ns = f.slice_ns = f.last_ns -= 7200 * NS_PER_S;
	put(all, &f, true);
	f = world_flow(all, 2, ETH1, "10.2.0.1", "10.3.0.1");
	put(all, &f, true);
	pump(all);
	world_commit(all);
	q.subject = SERIES_TENANT;
	q.from_ns = (all->utc - 8000) * NS_PER_S;
	for (uint32_t tenant = BETA; tenant <= GAMMA; tenant++) {
		const struct row_series *r;

		q.resolution_s = 60;
		assert_int_equal(world_ask(all, tenant, &q), ANSWER_OK);
		assert_int_equal(all->nrows, tenant == BETA ? 1 : 2);
		q.resolution_s = 300;
		assert_int_equal(world_ask(all, tenant, &q), ANSWER_OK);
		assert_int_equal(all->nrows, 2);
		q.resolution_s = 0;
		q.limit = 1000;
		assert_int_equal(world_ask(all, tenant, &q), ANSWER_OK);
		assert_int_equal(all->nrows, 2);
		r = world_row(all, 0, sizeof(*r), NULL);
		assert_int_equal(r->resolution_s, tenant == BETA ? 300 : 60);
	}
}

/* --- a captured httpd
 * ----------------------------------------------------------------------------------------------------- */

/* Every kind of question with every grant that is none: nothing but the refusal. */
static void
no_question_without_a_grant(void **state)
{
	struct who who = { .tenant = BETA };
	struct wire_question q;
	struct rec_flow f = world_flow(all, 1, ETH1, "10.2.0.1", "192.0.2.1");

	(void)state;
	put(all, &f, true);
	pump(all);
	world_commit(all);
	for (unsigned i = 0; question_at(all, i, &q); i++) {
		uint8_t good[GRANT_BYTES_MAX], bad[GRANT_BYTES_MAX];
		struct grant g = grant_of(all, &who, true), other;
		size_t len = world_grant_as(all, &g, true, good), n;

#define REFUSED(bytes, size)                                                                                 \
	do {                                                                                                 \
		assert_int_equal(world_ask_with(all, &q, bytes, size), ANSWER_NOT_GRANTED);                  \
		assert_int_equal(all->rows_len, 0);                                                          \
	} while (0)
		grants_heard(all->s->grants, clock_boot_ns());
		assert_int_not_equal(world_ask_with(all, &q, good, len), ANSWER_NOT_GRANTED);
		memcpy(bad, good, len); /* forged: one bit, anywhere */
		bad[randombytes_uniform((uint32_t)len)] ^= (uint8_t)(1u << randombytes_uniform(8));
		REFUSED(bad, len);
		memcpy(bad, good, len); /* signed with another's key */
		crypto_sign_detached(bad + len - 64, NULL, bad, len - 64, some->sign_secret);
		REFUSED(bad, len);
		other = grant_of(all, &who, true); /* of another httpd */
		other.audience_instance = 7;
		n = world_grant_as(all, &other, true, bad);
		REFUSED(bad, n);
		other = grant_of(all, &who, true); /* over */
		other.issued_ns -= 60 * NS_PER_S;
		other.expires_ns -= 60 * NS_PER_S;
		n = world_grant_as(all, &other, true, bad);
		REFUSED(bad, n);
		other = grant_of(all, &who, true); /* of a time when authd was another */
		n = world_grant_as(all, &other, false, bad);
		REFUSED(bad, n);
		other = grant_of(all, &who, true); /* for something else */
		other.scopes = UINT64_C(1) << ACTION_READ_AUDIT;
		n = world_grant_as(all, &other, true, bad);
		REFUSED(bad, n);
		grants_revoke(all->s->grants, g.id); /* and the good one, played again */
		REFUSED(good, len);
	}
}

/* Keys rotate: for as long as store is told of both, what either signed is good; then it is not. */
static void
keys_rotate_under_grants(void **state)
{
	const struct who who = { .tenant = BETA };
	struct wire_question q = world_question(ASK_FLOWS);
	struct wire_grant_keys keys = { .n = 2 };
	struct grant g = grant_of(all, &who, true);
	uint8_t before[GRANT_BYTES_MAX], after[GRANT_BYTES_MAX];
	size_t nbefore = world_grant_as(all, &g, true, before), nafter;

	(void)state;
	assert_int_equal(world_ask_with(all, &q, before, nbefore), ANSWER_OK);
	memcpy(keys.key[1], all->sign_public, sizeof(keys.key[1]));
	crypto_sign_keypair(all->sign_public, all->sign_secret);
	memcpy(keys.key[0], all->sign_public, sizeof(keys.key[0]));
	assert_true(grants_keys(all->s->grants, &keys));
	g = grant_of(all, &who, true);
	nafter = world_grant_as(all, &g, true, after);
	assert_int_equal(world_ask_with(all, &q, before, nbefore), ANSWER_OK);
	assert_int_equal(world_ask_with(all, &q, after, nafter), ANSWER_OK);
	world_policy(all, NULL, 0); /* signed with the new one */
	assert_int_equal(world_ask_with(all, &q, before, nbefore), ANSWER_OK);
	keys.n = 1;
	assert_true(grants_keys(all->s->grants, &keys));
	assert_int_equal(world_ask_with(all, &q, before, nbefore), ANSWER_NOT_GRANTED);
	assert_int_equal(world_ask_with(all, &q, after, nafter), ANSWER_OK);
}

/* A cursor tells nothing of where it stands, and is nobody else's. */
static void
cursors_are_opaque(void **state)
{
	struct who who = { .tenant = BETA };
	struct wire_question q = world_question(ASK_HOSTS);

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct rec_flow f = world_flow(all, i + 1, ETH1, "10.2.0.1", "192.0.2.1");

		f.ip[CLIENT].b[15] = (uint8_t)(i + 1);
		put(all, &f, false);
	}
	pump(all);
	q.limit = 5;
	assert_int_equal(ask_as(all, &who, true, &q), ANSWER_OK);
	assert_true(all->has_cursor);
	for (size_t at = 0; at + 4 <= all->cursor_len; at++)
		assert_true(memcmp(all->cursor + at, "\x0a\x02\x00", 3) != 0 &&
			    memcmp(all->cursor + at, "\xc0\x00\x02", 3) != 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define A_PART  TEST(a_part_is_what_a_filter_lets_through)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_question_without_a_grant),
		TEST(keys_rotate_under_grants),
		TEST(cursors_are_opaque),
		TEST(limited_viewers_are_masked),
		TEST(masked_ends_stay_hidden),
		TEST(series_of_a_part),
		TEST(quotas_hold),
		TEST(retention_holds),
		TEST(each_resolution_has_its_time),
		/* Each with a tenant, narrowings and flows of its own. */
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
		A_PART,
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
