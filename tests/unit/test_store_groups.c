/*
 * Random flows of several tenants, random questions for groups, random grants; every answer equals that of a
 * reference that keeps a plain list of flows, takes those that the viewer sees and that pass the filter one
 * by one, and adds each to a list of groups.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/mem.h"
#include "filter.h"
#include "filter/filter.h"
#include "history.h"
#include "known.h"
#include "mask.h"
#include "store_world.h"
#include "sum.h"
#include "view.h"

#define FLOWS  7000u
#define ROUNDS 400u

struct flow {
	uint32_t tenant[2];
	struct rec_flow f;
	const char *name;
};

static struct world *w;
static struct flow flow[FLOWS];
static uint32_t nflows;
static uint16_t application[3], category[3], risk[3];

static uint32_t
any(uint32_t below)
{
	return randombytes_uniform(below);
}

/* --- flows
 * -------------------------------------------------------------------------------------------------------------
 */

static const char *const server_names[] = { "", "", "example.com", "www.example.com", "example.org", "a.b" };

static struct ip_addr
any_address(bool many)
{
	const uint8_t v4[4] = { any(2) ? 10 : 192, (uint8_t)(1 + any(3)), (uint8_t)any(many ? 250 : 2),
				(uint8_t)(many ? any(250) : 1 + any(3)) };
	struct ip_addr ip = ip_from_v4(v4);

	if (any(6) == 0) {
		memset(&ip, 0, sizeof(ip));
		ip.b[0] = 0x20;
		ip.b[7] = (uint8_t)any(2);
		ip.b[15] = (uint8_t)any(3);
	}
	return ip;
}

static void
any_meaning(struct rec_flow *f)
{
	static const uint32_t points[] = { ETH0, ETH1, ETH1, 9999 };

	f->point = points[any(4)];
	f->protocol = any(2) ? 6 : any(2) ? 17 : 1;
	f->vlan[0] = (uint16_t)any(3);
	f->vlan[1] = (uint16_t)any(2);
	f->state = (uint8_t)any(FLOW_STATE_COUNT);
	f->end_reason = (uint8_t)(1 + any(END_REASON_COUNT - 1));
	f->breed = (uint8_t)any(BREED_COUNT);
	f->application = any(3) == 0 ? 0 : application[any(3)];
	f->category = any(3) == 0 ? 0 : category[any(3)];
	for (int i = 0; any(3) == 0 && i < 3; i++)
		if (any(2))
			f->risks |= UINT64_C(1) << (risk[i] - 1);
	f->score = (uint16_t)any(100);
	f->latency_us = any(2) ? any(5000) : 0;
	f->icmp_type = (uint8_t)any(2);
	f->in_interface = any(2) ? any(3) : 0;
	f->out_interface = any(2) ? 70000 + any(3) : 0;
	if (any(3) == 0)
		f->exporter.b[15] = (uint8_t)(1 + any(2));
	if (any(3) == 0)
		f->next_hop = any_address(false);
}

static void
any_end(struct rec_flow *f, int side, bool many)
{
	f->ip[side] = any_address(many);
	f->port[side] = (uint16_t)(any(2) ? 443 : 40000 + any(5));
	f->mac[side][0] = 2;
	f->mac[side][5] = (uint8_t)any(3);
	f->count.packets[side] = any(100);
	f->count.bytes[side] = any(50) == 0 ? UINT64_MAX / 4 : any(4); /* many ties, some too large to add */
	f->count.payload[side] = any(1000);
	f->tcp.retransmissions[side] = any(5);
	f->tcp.out_of_order[side] = any(5);
	f->tcp.lost[side] = any(5);
	f->tcp.zero_windows[side] = any(5);
	f->tcp.flags[side] = (uint8_t)any(32);
	f->dscp[side] = (uint8_t)any(3);
	f->ttl_min[side] = (uint8_t)any(60);
	f->ttl_max[side] = (uint8_t)(60 + any(60));
	f->as_number[side] = any(3) == 0 ? 64500 + any(3) : 0;
}

static void
any_flow(struct flow *x, uint64_t n, bool many)
{
	static const uint32_t tenants[] = { ALPHA, BETA, GAMMA, TENANT_UNASSIGNED };

	memset(x, 0, sizeof(*x));
	x->tenant[0] = tenants[any(4)];
	x->tenant[1] = any(3) == 0 ? tenants[any(3)] : 0;
	if (x->tenant[1] == x->tenant[0])
		x->tenant[1] = 0;
	for (int i = 0; i < 8; i++)
		x->f.id.b[15 - i] = (uint8_t)(n >> (8 * i));
	x->f.id.b[3] = 1;
	any_meaning(&x->f);
	any_end(&x->f, CLIENT, many);
	any_end(&x->f, SERVER, many);
	if (any(8) == 0) {
		x->f.ip[SERVER] = x->f.ip[CLIENT];
		x->f.port[SERVER] = x->f.port[CLIENT];
	}
	x->f.last_ns = (w->utc + any(100)) * NS_PER_S + any(1000000000);
	x->f.slice_ns = x->f.last_ns - any(100) * (NS_PER_S / 7);
	x->f.first_ns = x->f.slice_ns - any(2);
	x->name = server_names[any(ARRAY_LEN(server_names))];
	x->f.server_name_len = (uint16_t)strlen(x->name);
}

static void
keep(uint32_t n, bool many)
{
	for (uint32_t i = 0; i < n; i++) {
		struct flow *x = &flow[nflows];
		struct flow_texts t = { x->name, "", "" };

		any_flow(x, nflows + 1, many);
		t.server_name = x->name;
		assert_true(batch_add_flow(w->s->open, x->tenant, &x->f, &t));
		nflows++;
	}
	world_commit(w);
}

static void
learn_place(const char *ip, const char *country, uint32_t as_number)
{
	struct rec_host h = { .as_number = as_number };

	assert_true(ip_parse(ip, &h.ip));
	memcpy(h.country, country, 2);
	(void)places_learn(w->s->places, &h, "");
}

static int
set_up(void **state)
{
	/* In another order than that of their names. */
	static const char *const names[3][3] = { { "TLS.Google", "DNS", "HTTP" },
						 { "Web", "Cloud", "Network" },
						 { "Weak Cipher", "Known Protocol", "Malformed" } };
	struct names *n;

	(void)state;
	w = world_new(256 << 20, 0);
	n = w->s->names;
	for (int i = 0; i < 3; i++) {
		application[i] = names_intern(n, NAME_APPLICATION, names[0][i], strlen(names[0][i]));
		category[i] = names_intern(n, NAME_CATEGORY, names[1][i], strlen(names[1][i]));
		risk[i] = names_intern(n, NAME_RISK, names[2][i], strlen(names[2][i]));
	}
	learn_place("10.1.0.1", "NL", 64500);
	learn_place("192.1.1.2", "DE", 64501);
	learn_place("192.2.1.1", "NL", 0);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

/* --- the reference
 * ------------------------------------------------------------------------------------------------------
 */

struct sum {
	uint64_t groups, value[MEASURE_COUNT], bucket[GROUP_BUCKETS_MAX];
};

struct found {
	struct group_key key[GROUP_DIMENSIONS_MAX];
	char text[GROUP_DIMENSIONS_MAX][64];
	struct sum sum;
};

static struct {
	struct found group[4 * FLOWS];
	uint32_t n;
	struct sum all;
} ref;

/* An address of an end as the viewer sees it, then its network. */
static void
put_address(const struct wire_question *q, const struct ip_addr *shown, bool hidden, struct group_key *k)
{
	bool v4 = ip_is_v4(shown);
	unsigned bits = v4 ? q->grouping.bits_v4 : q->grouping.bits_v6, most = v4 ? 24 : 48;

	bits = bits == 0 ? (v4 ? 32 : 128) : bits;
	bits = hidden && most < bits ? most : bits;
	k->bits = (uint8_t)bits;
	for (unsigned i = 0; i < bits + (v4 ? 96 : 0); i++)
		k->ip.b[i / 8] |= (uint8_t)(shown->b[i / 8] & 0x80u >> i % 8);
}

static void
put_text(struct found *g, unsigned i, const char *text)
{
	assert_true(str_copy(g->text[i], sizeof(g->text[i]), text));
	g->key[i].text_len = (uint16_t)strlen(text);
}

static struct place_short
place_of(const struct ip_addr *ip)
{
	return places_look(w->s->places, ip);
}

static uint32_t
as_of(const struct rec_flow *f, int side)
{
	return f->as_number[side] != 0 ? f->as_number[side] : place_of(&f->ip[side]).as_number;
}

static void
put_country(struct found *g, unsigned i, const struct ip_addr *ip)
{
	char text[3] = "";

	memcpy(text, place_of(ip).country, 2);
	put_text(g, i, text);
}

static uint64_t
mac_of(const struct rec_flow *f, int side)
{
	uint64_t v = 0;

	for (int i = 0; i < 6; i++)
		v = v << 8 | f->mac[side][i];
	return v;
}

static void
put_interface(struct found *g, unsigned i, uint32_t point)
{
	g->key[i].number = point;
	put_text(g, i, point == ETH0 ? "eth0" : point == ETH1 ? "eth1" : "");
}

static void
put_tenant(struct found *g, unsigned i, uint32_t tenant)
{
	static const char *const names[] = { "", "alpha", "beta", "gamma" };

	g->key[i].number = tenant;
	put_text(g, i, tenant == TENANT_UNASSIGNED ? "unassigned" : names[tenant]);
}

struct shown {
	const struct flow *x;
	const struct rec_flow *f;
	const bool *hidden;
	uint32_t tenant;
};

static void
put_key(const struct wire_question *q, const struct shown *s, int end, unsigned risk_number, unsigned i,
	struct found *g)
{
	const struct names *n = w->s->names;
	const struct rec_flow *f = s->f;
	struct group_key *k = &g->key[i];

	k->dimension = q->grouping.dimension[i];
	switch ((enum dimension)k->dimension) {
	case DIMENSION_IP:
		put_address(q, &f->ip[end], s->hidden[end], k);
		break;
	case DIMENSION_CLIENT_IP:
		put_address(q, &f->ip[CLIENT], s->hidden[CLIENT], k);
		break;
	case DIMENSION_SERVER_IP:
		put_address(q, &f->ip[SERVER], s->hidden[SERVER], k);
		break;
	case DIMENSION_PORT:
		k->number = f->port[end];
		break;
	case DIMENSION_CLIENT_PORT:
		k->number = f->port[CLIENT];
		break;
	case DIMENSION_SERVER_PORT:
		k->number = f->port[SERVER];
		break;
	case DIMENSION_MAC:
		k->number = mac_of(f, end);
		break;
	case DIMENSION_CLIENT_MAC:
		k->number = mac_of(f, CLIENT);
		break;
	case DIMENSION_SERVER_MAC:
		k->number = mac_of(f, SERVER);
		break;
	case DIMENSION_COUNTRY:
		put_country(g, i, &f->ip[end]);
		break;
	case DIMENSION_CLIENT_COUNTRY:
		put_country(g, i, &f->ip[CLIENT]);
		break;
	case DIMENSION_SERVER_COUNTRY:
		put_country(g, i, &f->ip[SERVER]);
		break;
	case DIMENSION_AS:
		k->number = as_of(f, end);
		break;
	case DIMENSION_CLIENT_AS:
		k->number = as_of(f, CLIENT);
		break;
	case DIMENSION_SERVER_AS:
		k->number = as_of(f, SERVER);
		break;
	case DIMENSION_DSCP:
		k->number = f->dscp[end];
		break;
	case DIMENSION_PROTOCOL:
		k->number = f->protocol;
		break;
	case DIMENSION_APPLICATION:
		put_text(g, i,
			 f->application == 0 ? "Unknown" : names_text(n, NAME_APPLICATION, f->application));
		break;
	case DIMENSION_CATEGORY:
		put_text(g, i, names_text(n, NAME_CATEGORY, f->category));
		break;
	case DIMENSION_SERVER_NAME:
		put_text(g, i, f->server_name_len == 0 ? "" : s->x->name);
		break;
	case DIMENSION_INTERFACE:
		put_interface(g, i, f->point);
		break;
	case DIMENSION_VLAN:
		k->number = f->vlan[0];
		break;
	case DIMENSION_EXPORTER:
		k->ip = f->exporter;
		k->bits = 128;
		break;
	case DIMENSION_IN_INTERFACE:
		k->number = f->in_interface;
		break;
	case DIMENSION_OUT_INTERFACE:
		k->number = f->out_interface;
		break;
	case DIMENSION_NEXT_HOP:
		k->ip = f->next_hop;
		k->bits = ip_is_v4(&f->next_hop) ? 32 : 128;
		break;
	case DIMENSION_RISK:
		put_text(g, i, names_text(n, NAME_RISK, (uint16_t)risk_number));
		break;
	case DIMENSION_STATE:
		k->number = f->state;
		break;
	case DIMENSION_END_REASON:
		k->number = f->end_reason;
		break;
	case DIMENSION_BREED:
		k->number = f->breed;
		break;
	case DIMENSION_TENANT:
		put_tenant(g, i, s->tenant);
		break;
	default:
		fail();
	}
}

static uint64_t
both(const uint64_t v[2])
{
	return sum_sat(v[0], v[1]);
}

static uint64_t
value_of(const struct rec_flow *f, unsigned measure, int end)
{
	switch ((enum measure)measure) {
	case MEASURE_FLOWS:
		return 1;
	case MEASURE_BYTES:
		return both(f->count.bytes);
	case MEASURE_BYTES_SENT:
		return f->count.bytes[end];
	case MEASURE_BYTES_RECEIVED:
		return f->count.bytes[!end];
	case MEASURE_PACKETS:
		return both(f->count.packets);
	case MEASURE_PACKETS_SENT:
		return f->count.packets[end];
	case MEASURE_PACKETS_RECEIVED:
		return f->count.packets[!end];
	case MEASURE_GOODPUT:
		return both(f->count.payload);
	case MEASURE_RETRANSMISSIONS:
		return f->tcp.retransmissions[0] + f->tcp.retransmissions[1];
	case MEASURE_OUT_OF_ORDER:
		return f->tcp.out_of_order[0] + f->tcp.out_of_order[1];
	case MEASURE_LOST:
		return f->tcp.lost[0] + f->tcp.lost[1];
	case MEASURE_ZERO_WINDOWS:
		return f->tcp.zero_windows[0] + f->tcp.zero_windows[1];
	case MEASURE_DURATION:
		return (uint64_t)(f->last_ns - f->slice_ns) / NS_PER_MS;
	case MEASURE_SCORE:
		return f->score;
	default:
		return 0;
	}
}

static void
add(const struct wire_question *q, struct sum *sum, const struct rec_flow *f, int end)
{
	const struct wire_grouping *by = &q->grouping;

	for (unsigned m = 0; m < MEASURE_COUNT; m++)
		if ((by->measures | MEASURE_BIT(by->measure)) & MEASURE_BIT(m))
			sum->value[m] = sum_sat(sum->value[m], value_of(f, m, end));
	if (by->bucket_s != 0) {
		int64_t width = by->bucket_s * NS_PER_S;
		uint64_t *b = &sum->bucket[f->last_ns / width - q->from_ns / width];

		*b = sum_sat(*b, value_of(f, by->measure, end));
	}
}

static struct found *
group_of(const struct found *like)
{
	for (uint32_t i = 0; i < ref.n; i++)
		if (memcmp(ref.group[i].key, like->key, sizeof(like->key)) == 0 &&
		    memcmp(ref.group[i].text, like->text, sizeof(like->text)) == 0)
			return &ref.group[i];
	assert_true(ref.n < ARRAY_LEN(ref.group));
	ref.group[ref.n] = *like;
	ref.group[ref.n].sum.groups = 1;
	return &ref.group[ref.n++];
}

static bool
has_dimension(const struct wire_question *q, enum dimension_ends ends)
{
	for (unsigned i = 0; i < GROUP_DIMENSIONS_MAX; i++)
		if (q->grouping.dimension[i] != 0 &&
		    dimension_rows[q->grouping.dimension[i]].ends == (uint8_t)ends)
			return true;
	return false;
}

static void
count(const struct wire_question *q, const struct shown *s)
{
	static struct found g[2];
	uint64_t risks = has_dimension(q, DIMENSION_MANY) ? s->f->risks : 0;

	add(q, &ref.all, s->f, CLIENT);
	if (q->grouping.dimension[0] == 0)
		return;
	do {
		unsigned number = risks == 0 ? 0 : (unsigned)__builtin_ctzll(risks) + 1;

		memset(g, 0, sizeof(g));
		for (unsigned i = 0; i < GROUP_DIMENSIONS_MAX && q->grouping.dimension[i] != 0; i++) {
			put_key(q, s, CLIENT, number, i, &g[0]);
			put_key(q, s, SERVER, number, i, &g[1]);
		}
		add(q, &group_of(&g[0])->sum, s->f, CLIENT);
		if (has_dimension(q, DIMENSION_EACH) && memcmp(&g[0], &g[1], sizeof(g[0])) != 0)
			add(q, &group_of(&g[1])->sum, s->f, SERVER);
		risks &= risks - 1;
	} while (risks != 0);
}

static void
refer(const struct wire_question *q, const struct grant *grant, const struct filter_program *program)
{
	struct filter *f = program == NULL ? NULL : filter_bind(w->s, program);
	struct view v;

	memset(&ref, 0, sizeof(ref));
	view_make(w->s, grant, &v);
	for (uint32_t i = 0; i < 2 * nflows; i++) {
		const struct flow *x = &flow[i / 2];
		uint32_t tenant = x->tenant[i % 2];
		struct rec_flow shown = x->f;
		bool hidden[2];

		if (tenant == 0 || (v.platform ? i % 2 == 1 : tenant != v.tenant) ||
		    x->f.last_ns < q->from_ns || (q->to_ns != 0 && x->f.last_ns >= q->to_ns) ||
		    (q->point != ANY_POINT && x->f.point != q->point) || !view_admits(&v, &x->f))
			continue;
		mask_flow(&v, &shown, hidden);
		if (f == NULL || filter_passes(f, &(struct filter_flow){ &shown, x->name, tenant }))
			count(q, &(struct shown){ x, &shown, hidden, tenant });
	}
	ref.all.groups = ref.n;
	filter_free(&f);
	view_end(&v);
}

static const struct wire_question *asked; /* for qsort */

static int
by_order(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	uint64_t v = x->sum.value[asked->grouping.measure], u = y->sum.value[asked->grouping.measure];

	if (v != u)
		return (v < u) == (asked->ascending != 0) ? -1 : 1;
	for (unsigned i = 0; i < GROUP_DIMENSIONS_MAX; i++) {
		int d = strcmp(x->text[i], y->text[i]);

		if (dimension_rows[x->key[i].dimension].type != DIMENSION_TYPE_NAME)
			d = x->key[i].number != y->key[i].number
				? (x->key[i].number < y->key[i].number ? -1 : 1)
				: memcmp(&x->key[i].ip, &y->key[i].ip, 16);
		if (d == 0)
			d = x->key[i].bits - y->key[i].bits;
		if (d != 0)
			return d;
	}
	return 0;
}

/* --- comparing
 * ---------------------------------------------------------------------------------------------------------
 */

static void
same_row(uint32_t row, enum group_what what, const struct sum *sum, const struct found *g)
{
	const char *strings;
	const struct row_group *r = world_row(w, row, sizeof(*r), &strings);

	assert_int_equal(r->what, what);
	assert_int_equal(r->groups, sum->groups);
	assert_memory_equal(r->value, sum->value, sizeof(sum->value));
	for (unsigned i = 0; g != NULL && i < GROUP_DIMENSIONS_MAX; i++) {
		assert_memory_equal(&r->key[i], &g->key[i], sizeof(g->key[i]));
		assert_memory_equal(strings, g->text[i], g->key[i].text_len);
		strings += g->key[i].text_len;
	}

	size_t n = r->buckets_len / sizeof(struct group_bucket), told = 0;

	for (size_t i = 0; i < GROUP_BUCKETS_MAX; i++) {
		struct group_bucket b;
		int64_t width = asked->grouping.bucket_s * NS_PER_S;

		if (sum->bucket[i] == 0)
			continue;
		assert_true(told < n);
		memcpy(&b, strings + told++ * sizeof(b), sizeof(b));
		assert_int_equal(b.value, sum->bucket[i]);
		assert_int_equal(b.time_ns, (asked->from_ns / width + (int64_t)i) * width);
	}
	assert_int_equal(told, n);
}

static void
add_rest(struct sum *rest, const struct sum *sum)
{
	rest->groups++;
	for (unsigned m = 0; m < MEASURE_COUNT; m++)
		rest->value[m] = sum_sat(rest->value[m], sum->value[m]);
	for (unsigned i = 0; i < GROUP_BUCKETS_MAX; i++)
		rest->bucket[i] = sum_sat(rest->bucket[i], sum->bucket[i]);
}

static void
same_answer(const struct wire_question *q)
{
	static struct sum rest;
	uint32_t limit = q->limit == 0 ? 100 : q->limit, shown = ref.n < limit ? ref.n : limit;

	memset(&rest, 0, sizeof(rest));
	asked = q;
	qsort(ref.group, ref.n, sizeof(ref.group[0]), by_order);
	assert_int_equal(w->row_kind, ROW_GROUP);
	assert_int_equal(w->nrows, shown + 2);
	same_row(0, GROUP_ALL, &ref.all, NULL);
	for (uint32_t i = 0; i < ref.n; i++) {
		if (i < shown)
			same_row(1 + i, GROUP_ONE, &ref.group[i].sum, &ref.group[i]);
		else
			add_rest(&rest, &ref.group[i].sum);
	}
	same_row(1 + shown, GROUP_REST, &rest, NULL);
}

/* --- questions
 * -------------------------------------------------------------------------------------------------------
 */

static const char *const tests[] = {
	"ip 10.1.0.1",
	"src net 10.0.0.0/8",
	"dst net 192.2.1.0/24",
	"ip 10.77.77.77",
	"net 2000::/16",
	"port 443",
	"dst port < 1000",
	"port 7",
	"src port in [ 40001 40002 ]",
	"mac 02:00:00:00:00:01",
	"dst mac 02:00:00:00:00:02",
	"flags S",
	"src flags R",
	"dscp 1",
	"ttl < 10",
	"bytes > 2",
	"src bytes 0",
	"packets > 150",
	"goodput < 500",
	"retransmissions > 6",
	"any",
	"tcp",
	"proto 1",
	"ipv6",
	"duration > 5s",
	"bps > 1k",
	"pps > 20",
	"bpp > 1",
	"latency > 1",
	"icmp-type 1",
	"vlan 1",
	"if eth0",
	"if eth1",
	"in if 1",
	"out if > 70000",
	"exporter ::1",
	"app DNS",
	"app google",
	"app Unknown",
	"app none",
	"category web",
	"sni example.com",
	"risk any",
	"risk malformed",
	"score > 90",
	"state established",
	"end idle",
	"breed unsafe",
	"tenant beta",
	"country NL", /* from here on not for masked views */
	"as 64500",
	"next-hop 10.1.0.0/16",
};
#define TESTS_OF_WHERE 3

static void
any_filter(bool masked, struct filter_program *p)
{
	const uint32_t n = ARRAY_LEN(tests) - (masked ? TESTS_OF_WHERE : 0);
	char text[400], before[400];
	struct filter_error e;

	snprintf(text, sizeof(text), "%s", tests[any(n)]);
	for (uint32_t more = any(4); more > 0; more--) {
		memcpy(before, text, sizeof(before));
		snprintf(text, sizeof(text), any(3) == 0 ? "not (%.300s)" : "(%.300s) %s %s", before,
			 any(2) ? "and" : "or", tests[any(n)]);
	}
	if (!filter_compile(text, strlen(text), p, &e))
		fail_msg("%s: %s", text, e.text);
}

static void
any_dimensions(const struct grant *g, struct wire_grouping *by)
{
	unsigned n = any(GROUP_DIMENSIONS_MAX + 1);

	for (unsigned i = 0; i < n;) {
		uint8_t d = (uint8_t)(1 + any(DIMENSION_COUNT - 1));

		if ((d == DIMENSION_TENANT && g->tenant != TENANT_PLATFORM) ||
		    (dimension_rows[d].refused && g->masked) || memchr(by->dimension, d, i) != NULL)
			continue;
		by->dimension[i++] = d;
	}
	by->bits_v4 = (uint8_t)(any(2) ? 0 : 1 + any(32));
	by->bits_v6 = (uint8_t)(any(2) ? 0 : 1 + any(128));
	by->measure = (uint8_t)any(MEASURE_COUNT);
	by->measures = any(MEASURE_BIT(MEASURE_COUNT));
}

static struct wire_question
any_question(const struct grant *g)
{
	struct wire_question q = world_question(ASK_GROUPS);

	any_dimensions(g, &q.grouping);
	q.limit = any(3) == 0 ? 0 : 1 + any(20);
	q.ascending = any(3) == 0;
	if (any(4) == 0)
		q.point = any(2) ? ETH0 : ETH1;
	if (any(2)) {
		q.from_ns = (w->utc + any(60)) * NS_PER_S + any(2);
		q.to_ns = q.from_ns + 1 + any(60) * NS_PER_S;
		q.grouping.bucket_s = any(2) ? 0 : 1 + any(30);
	}
	return q;
}

static struct grant
any_grant(void)
{
	static const uint32_t tenants[] = { TENANT_PLATFORM, ALPHA, BETA, GAMMA };
	struct grant g = world_grant_plain(w, tenants[any(4)]);

	g.masked = any(3) == 0;
	if (any(3) == 0)
		assert_true(grant_narrow(&g, 1 + any(2)));
	return g;
}

static void
ask_one(void)
{
	static struct filter_program program;
	static uint8_t bytes[FILTER_BYTES_MAX];
	struct grant g = any_grant();
	struct wire_question q = any_question(&g);
	bool filtered = any(3) > 0;
	uint8_t grant[GRANT_BYTES_MAX];
	size_t n = 0;

	if (filtered) {
		any_filter(g.masked, &program);
		n = filter_encode(&program, bytes, sizeof(bytes));
	}
	grants_heard(w->s->grants, clock_boot_ns());
	assert_int_equal(
	    world_ask_filtered(w, &q, grant, world_grant_as(w, &g, true, grant), filtered ? bytes : NULL, n),
	    ANSWER_OK);
	refer(&q, &g, filtered ? &program : NULL);
	same_answer(&q);
}

static void
narrowings(void)
{
	static char interface[1][64] = { "eth1" };
	static struct ip_prefix network;
	const struct narrowing n[2] = {
		{ .number = 1, .ninterfaces = 1, .interfaces = interface },
		{ .number = 2, .nnetworks = 1, .networks = &network },
	};

	assert_true(prefix_parse("10.1.0.0/16", &network));
	world_policy(w, n, 2);
}

static void
answers_are_the_references(void **state)
{
	(void)state;
	narrowings();
	keep(600, false);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		if (i % 40 == 0)
			keep(20 + any(80), false);
		if (i % 150 == 50) {
			world_hour(w);
			keep(20, false);
			world_merged(w);
		}
		ask_one();
	}
}

/* Who had most, of all flows: blocks of one tenant know without looking at their rows. Not who had most of
 * what a part sees, nor of networks, in one of which both ends may be. */
static void
sums_that_blocks_keep_are_the_references(void **state)
{
	struct wire_question q = world_question(ASK_GROUPS);

	(void)state;
	narrowings();
	keep(900, false);
	world_hour(w);
	keep(1, false);
	world_merged(w);
	q.grouping.dimension[0] = DIMENSION_IP;
	for (uint32_t i = 0; i < 120; i++) {
		static const uint32_t tenants[] = { TENANT_PLATFORM, ALPHA, BETA, GAMMA };
		static const uint8_t measures[] = { MEASURE_FLOWS, MEASURE_BYTES, MEASURE_PACKETS };
		struct grant g = world_grant_plain(w, tenants[i % 4]);
		uint8_t grant[GRANT_BYTES_MAX];

		g.masked = i >= 60 && any(2);
		if (i >= 60 && any(3) == 0)
			assert_true(grant_narrow(&g, 1 + any(2)));
		q.grouping.bits_v4 = (uint8_t)(i >= 60 && any(2) ? 1 + any(32) : 0);
		q.grouping.bits_v6 = (uint8_t)(i >= 60 && any(2) ? 1 + any(128) : 0);
		q.grouping.measure = measures[any(3)];
		q.grouping.measures = any(2) ? 0 : MEASURE_BIT(MEASURE_BYTES) | MEASURE_BIT(MEASURE_PACKETS);
		q.limit = 1 + any(200);
		q.ascending = any(3) == 0;
		q.from_ns = any(4) == 0 ? (w->utc + any(60)) * NS_PER_S : 0;
		q.to_ns = q.from_ns == 0 ? 0 : INT64_MAX;
		grants_heard(w->s->grants, clock_boot_ns());
		assert_int_equal(world_ask_with(w, &q, grant, world_grant_as(w, &g, true, grant)), ANSWER_OK);
		refer(&q, &g, NULL);
		same_answer(&q);
	}
}

/* More groups than there is memory for: several passes over the blocks, the same answer. */
static void
what_does_not_fit_is_exact(void **state)
{
	(void)state;
	w->boot.settings.query_memory = 1;
	keep(2500, true);
	keep(1500, true);

	struct wire_question q = world_question(ASK_GROUPS);
	struct grant g = world_grant_plain(w, TENANT_PLATFORM);

	q.grouping.dimension[0] = DIMENSION_IP;
	q.grouping.dimension[1] = DIMENSION_SERVER_NAME;
	q.limit = 50;
	refer(&q, &g, NULL);
	assert_true(ref.n > 3 * 1024); /* what a table begins with */
	assert_int_equal(world_ask(w, TENANT_PLATFORM, &q), ANSWER_OK);
	same_answer(&q);
	for (uint32_t i = 0; i < 30; i++)
		ask_one();
	w->boot.settings.query_memory = 64 << 20;
}

static void
lies_are_refused(void **state)
{
	struct wire_question good = world_question(ASK_GROUPS), q;
	struct grant masked = world_grant_plain(w, ALPHA);
	uint8_t grant[GRANT_BYTES_MAX];
	size_t len;

	(void)state;
	masked.masked = true;
	len = world_grant_as(w, &masked, true, grant);
	grants_heard(w->s->grants, clock_boot_ns());
	good.grouping.dimension[0] = DIMENSION_IP;
	assert_int_equal(world_ask_with(w, &good, grant, len), ANSWER_OK);
#define REFUSED(change)                                                                                      \
	do {                                                                                                 \
		q = good;                                                                                    \
		change;                                                                                      \
		assert_int_equal(world_ask_with(w, &q, grant, len), ANSWER_BAD_QUESTION);                    \
	} while (0)
	REFUSED(q.grouping.dimension[0] = DIMENSION_COUNT);
	REFUSED(q.grouping.dimension[2] = DIMENSION_PORT); /* a gap */
	REFUSED(q.grouping.dimension[1] = DIMENSION_IP);   /* twice */
	REFUSED(q.grouping.dimension[0] = DIMENSION_TENANT);
	REFUSED(q.grouping.dimension[0] = DIMENSION_COUNTRY);
	REFUSED(q.grouping.dimension[0] = DIMENSION_AS);
	REFUSED(q.grouping.dimension[1] = DIMENSION_NEXT_HOP);
	REFUSED(q.grouping.bits_v4 = 33);
	REFUSED(q.grouping.bits_v6 = 129);
	REFUSED(q.grouping.measure = MEASURE_COUNT);
	REFUSED(q.grouping.measures = MEASURE_BIT(MEASURE_COUNT));
	REFUSED(q.grouping.reserved = 1);
	REFUSED(q.grouping.bucket_s = 1); /* without a range */
	REFUSED((q.grouping.bucket_s = 1, q.from_ns = 1, q.to_ns = INT64_MAX));
	REFUSED((q.grouping.bucket_s = 1, q.from_ns = 1, q.to_ns = 900 * NS_PER_S, q.limit = 1000));
	REFUSED(q.limit = 1001);
	REFUSED(q.cursor_len = 1);
}

int
main(void)
{
	const struct CMUnitTest list[] = {
		cmocka_unit_test(answers_are_the_references),
		cmocka_unit_test(sums_that_blocks_keep_are_the_references),
		cmocka_unit_test(what_does_not_fit_is_exact),
		cmocka_unit_test(lies_are_refused),
	};

	return cmocka_run_group_tests_name("store_groups", list, set_up, tear_down);
}
