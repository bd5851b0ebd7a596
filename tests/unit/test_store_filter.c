/* Filters on flows as store keeps them: each field, at each end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "filter.h"
#include "filter/filter.h"
#include "known.h"
#include "names.h"
#include "store_world.h"

struct stage {
	struct world *w;
	struct rec_flow f;
	const char *server_name;
};

static struct filter_program program;

static bool
passes(const struct stage *st, const char *text)
{
	struct filter_error e;
	struct filter *f;
	bool yes;

	if (!filter_compile(text, strlen(text), &program, &e))
		fail_msg("%s: %s", text, e.text);
	f = filter_bind(st->w->s, &program);
	yes = filter_passes(f, &(struct filter_flow){ &st->f, st->server_name, ALPHA });
	filter_free(&f);
	assert_null(f);
	return yes;
}

static void
place(struct world *w, const char *ip, const char *country, uint32_t as_number)
{
	struct rec_host h = { .as_number = as_number };

	assert_true(ip_parse(ip, &h.ip));
	memcpy(h.country, country, 2);
	(void)places_learn(w->s->places, &h, "");
}

static int
set_up(void **state)
{
	static struct stage st;
	struct names *n;

	st.w = world_new(64 << 20, 0);
	n = st.w->s->names;
	st.f = world_flow(st.w, 7, ETH0, "10.1.0.9", "198.51.100.7");
	st.f.application = names_intern(n, NAME_APPLICATION, "TLS.Google", 10);
	(void)names_intern(n, NAME_APPLICATION, "DNS", 3);
	st.f.category = names_intern(n, NAME_CATEGORY, "Web", 3);
	(void)names_intern(n, NAME_RISK, "First Risk", 10);
	st.f.risks = UINT64_C(1) << (names_intern(n, NAME_RISK, "Self-signed Certificate", 23) - 1);
	st.f.score = 100;
	memcpy(st.f.mac[CLIENT], "\x02\x00\x00\x00\x00\x01", 6);
	memcpy(st.f.mac[SERVER], "\x02\x00\x00\x00\x00\x02", 6);
	st.f.vlan[0] = 10;
	st.f.vlan[1] = 20;
	st.f.tcp.flags[CLIENT] = 0x02 | 0x10;
	st.f.tcp.flags[SERVER] = 0x12 | 0x04;
	st.f.tcp.retransmissions[SERVER] = 3;
	st.f.ttl_min[CLIENT] = 60;
	st.f.ttl_max[CLIENT] = 64;
	st.f.ttl_min[SERVER] = st.f.ttl_max[SERVER] = 200;
	st.f.dscp[CLIENT] = 46;
	st.f.latency_us = 2500;
	st.f.breed = BREED_UNSAFE;
	st.f.end_reason = END_IDLE;
	st.f.last_ns = st.f.slice_ns + 2 * NS_PER_S;
	st.f.count.payload[CLIENT] = 500;
	st.f.in_interface = 3;
	st.f.out_interface = 4;
	assert_true(ip_parse("192.0.2.1", &st.f.exporter));
	assert_true(ip_parse("192.0.2.254", &st.f.next_hop));
	st.server_name = "www.example.com";
	st.f.server_name_len = 15;
	place(st.w, "198.51.100.7", "NL", 64500);
	*state = &st;
	return 0;
}

static int
tear_down(void **state)
{
	struct stage *st = *state;

	world_free(st->w);
	return 0;
}

#define YES(text) assert_true(passes(*state, text))
#define NO(text)  assert_false(passes(*state, text))

static void
test_ends(void **state)
{
	YES("ip 10.1.0.9");
	YES("src ip 10.1.0.9");
	NO("dst ip 10.1.0.9");
	YES("dst net 198.51.100.0/24");
	NO("src net 198.51.100.0/24");
	NO("net 2001:db8::/32");
	YES("net ::/0");
	YES("port 443");
	NO("src port 443");
	YES("src port > 1023 and dst port < 1024");
	YES("port in [ 22 443 ]");
	NO("port not in [ 22 443 ]");
	YES("mac 02:00:00:00:00:01");
	NO("dst mac 02:00:00:00:00:01");
	YES("as 64500");
	NO("src as 64500");
	YES("src as 0");
	YES("country nl");
	NO("src country NL");
	NO("country DE");
	YES("flags R");
	NO("src flags R");
	YES("flags S and not src flags FRPU");
	NO("flags U");
	YES("dscp 46");
	NO("dst dscp 46");
	YES("ttl < 61");
	YES("src ttl > 63");
	NO("ttl > 200");
	YES("ttl 64");
}

static void
test_sums(void **state)
{
	YES("bytes 4k");
	YES("bytes > 3999 and bytes < 4001");
	YES("src bytes 1000");
	YES("dst bytes = 3k");
	NO("src bytes > 1k");
	YES("packets 9");
	YES("dst packets 5");
	YES("goodput 500");
	YES("retransmissions 3");
	NO("src retransmissions > 0");
}

static void
test_the_flow(void **state)
{
	YES("any");
	YES("tcp and ipv4");
	NO("udp or ipv6");
	YES("duration 2s");
	NO("duration > 2000");
	YES("bps 16k");
	YES("pps 4");
	YES("bpp 444");
	YES("latency 2ms");
	NO("icmp-type 0");
	YES("vlan 10");
	YES("vlan 20");
	NO("vlan 0");
	YES("if eth0");
	NO("if eth1");
	NO("if eth");
	YES("in if 3 and out if 4");
	NO("in if 4");
	YES("exporter 192.0.2.1");
	NO("exporter 192.0.2.2");
	YES("next-hop 192.0.2.0/24");
	YES("app TLS");
	YES("app google");
	YES("app TLS.Google");
	NO("app TL");
	NO("app DNS");
	NO("app Unknown");
	YES("category web");
	YES("sni example.com");
	YES("sni www.EXAMPLE.com");
	NO("sni ample.com");
	NO("sni www.example.com.org");
	YES("risk any");
	YES("risk \"self-signed certificate\"");
	NO("risk \"First Risk\"");
	NO("risk nonsense");
	YES("score >= 100");
	NO("score > 100");
	YES("state established");
	YES("end idle");
	NO("end active");
	YES("breed unsafe");
	YES("tenant alpha");
	NO("tenant beta");
	NO("tenant nobody");
	NO("tenant unassigned");
	YES("app TLS and not (sni example.org or dst country DE) and bytes > 1k");
}

static void
test_a_flow_without_anything(void **state)
{
	struct stage none = *(struct stage *)*state;

	none.f = (struct rec_flow){ .point = 9999, .protocol = 1, .icmp_type = 3, .icmp_code = 1 };
	none.server_name = "";
	assert_true(passes(&none, "icmp-type 3 and icmp-code 1"));
	assert_true(passes(&none, "app Unknown and category Unknown"));
	assert_false(passes(&none, "if eth0 or risk any or sni com or bpp 0 or latency 0"));
	assert_true(passes(&none, "bps 0 and pps 0 and vlan 0"));
	none.f.count.bytes[0] = none.f.count.packets[0] = UINT64_MAX / 2;
	assert_true(passes(&none, "bps > 1t and pps > 1t"));
}

static void
test_what_it_asks(void **state)
{
	static const char where[] = "port 4 and (app x or dst country NL)",
			  other[] = "port 4 and src ip 10.0.0.1";
	struct filter_error e;

	(void)state;
	assert_true(filter_compile(where, sizeof(where) - 1, &program, &e));
	assert_true(filter_asks_where(&program));
	assert_true(filter_compile(other, sizeof(other) - 1, &program, &e));
	assert_false(filter_asks_where(&program));
}

/* --- questions --- */

static const struct stage *
with_flows(void **state)
{
	struct stage *st = *state;
	struct rec_flow f;

	world_engine(st->w, 0, 1);
	f = world_flow(st->w, 1, ETH0, "10.1.0.9", "198.51.100.7");
	world_put(st->w, 0, REC_FLOW_OPEN, &f, sizeof(f), NULL);
	f = world_flow(st->w, 2, ETH0, "10.1.0.9", "198.51.100.8");
	f.port[SERVER] = 80;
	world_put(st->w, 0, REC_FLOW_OPEN, &f, sizeof(f), NULL);
	f = world_flow(st->w, 3, ETH0, "10.1.0.9", "198.51.100.9");
	f.application = APP_TLS;
	f.server_name_len = 11;
	f.end_reason = END_IDLE;
	world_put(st->w, 0, REC_FLOW_END, &f, sizeof(f), "example.com");
	world_pump(st->w);
	world_commit(st->w);
	return st;
}

/* Asks with the filter; how many flows came. */
static uint32_t
ask_flows(const struct stage *st, const char *text, bool kept, bool masked, enum answer_status want)
{
	struct wire_question q = world_question(ASK_FLOWS);
	struct grant g = world_grant_plain(st->w, ALPHA);
	static uint8_t filter[FILTER_BYTES_MAX];
	uint8_t grant[GRANT_BYTES_MAX];
	struct filter_error e;
	size_t len;

	assert_true(filter_compile(text, strlen(text), &program, &e));
	len = filter_encode(&program, filter, sizeof(filter));
	g.masked = masked;
	q.from_ns = kept ? 1 : 0;
	grants_heard(st->w->s->grants, clock_boot_ns());
	assert_int_equal(
	    world_ask_filtered(st->w, &q, grant, world_grant_as(st->w, &g, true, grant), filter, len), want);
	return st->w->nrows;
}

static void
test_questions(void **state)
{
	const struct stage *st = with_flows(state);

	assert_int_equal(ask_flows(st, "", false, false, ANSWER_OK), 2);
	assert_int_equal(ask_flows(st, "dst port 80", false, false, ANSWER_OK), 1);
	assert_int_equal(ask_flows(st, "dst ip 198.51.100.7 or port 80", false, false, ANSWER_OK), 2);
	assert_int_equal(ask_flows(st, "app TLS", false, false, ANSWER_OK), 0);
	assert_int_equal(ask_flows(st, "app TLS and sni example.com and end idle", true, false, ANSWER_OK),
			 1);
	assert_int_equal(ask_flows(st, "port 80", true, false, ANSWER_OK), 0);
	assert_int_equal(ask_flows(st, "tenant alpha", false, false, ANSWER_OK), 2);
	assert_int_equal(ask_flows(st, "tenant beta", false, false, ANSWER_OK), 0);
	assert_int_equal(ask_flows(st, "dst country NL", false, false, ANSWER_OK), 1);
}

/* Nothing that is masked can be found out by asking: what a filter sees is what the viewer does. */
static void
test_masked_viewers(void **state)
{
	const struct stage *st = *state;

	assert_int_equal(ask_flows(st, "ip 198.51.100.7", false, true, ANSWER_OK), 0);
	assert_int_equal(ask_flows(st, "not ip 198.51.100.7", false, true, ANSWER_OK), 2);
	assert_int_equal(ask_flows(st, "net 198.51.100.0/24", false, true, ANSWER_OK), 2);
	assert_int_equal(ask_flows(st, "net 198.51.100.0/29", false, true, ANSWER_OK), 2);
	assert_int_equal(ask_flows(st, "net 198.51.100.8/29", false, true, ANSWER_OK), 0);
	assert_int_equal(ask_flows(st, "src ip 10.1.0.9", false, true, ANSWER_OK), 2);
	assert_int_equal(ask_flows(st, "sni example.com", true, true, ANSWER_OK), 0);
	ask_flows(st, "country NL", false, true, ANSWER_BAD_QUESTION);
	ask_flows(st, "as 64500", true, true, ANSWER_BAD_QUESTION);
}

static void
test_lies(void **state)
{
	const struct stage *st = *state;
	struct wire_question q = world_question(ASK_FLOWS);
	uint8_t filter[sizeof(struct filter_head) + sizeof(struct filter_test)], grant[GRANT_BYTES_MAX];
	struct filter_error e;
	size_t len, n;

	assert_true(filter_compile("any", 3, &program, &e));
	n = filter_encode(&program, filter, sizeof(filter));
	len = world_grant(st->w, ALPHA, grant);
	assert_int_equal(world_ask_filtered(st->w, &q, grant, len, filter, n), ANSWER_OK);
	assert_int_equal(world_ask_filtered(st->w, &q, grant, len, filter, n - 1), ANSWER_BAD_QUESTION);
	filter[sizeof(struct filter_head)] = FILTER_FIELD_COUNT;
	assert_int_equal(world_ask_filtered(st->w, &q, grant, len, filter, n), ANSWER_BAD_QUESTION);
	filter[sizeof(struct filter_head)] = FILTER_ANY;
	q.kind = ASK_HOSTS;
	assert_int_equal(world_ask_filtered(st->w, &q, grant, len, filter, n), ANSWER_BAD_QUESTION);
	/* Without a grant a filter is not even looked at. */
	q.kind = ASK_FLOWS;
	assert_int_equal(world_ask_filtered(st->w, &q, grant, 0, filter, n), ANSWER_NOT_GRANTED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),           cmocka_unit_test(test_sums),
		cmocka_unit_test(test_the_flow),       cmocka_unit_test(test_a_flow_without_anything),
		cmocka_unit_test(test_what_it_asks),   cmocka_unit_test(test_questions),
		cmocka_unit_test(test_masked_viewers), cmocka_unit_test(test_lies),
	};

	return cmocka_run_group_tests_name("store_filter", tests, set_up, tear_down);
}
