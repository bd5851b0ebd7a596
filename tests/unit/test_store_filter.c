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
	struct filter_error e;

	(void)state;
	assert_true(filter_compile("port 4 and (app x or src ip 10.0.0.1)", 37, &program, &e));
	assert_true(filter_asks_for_ends(&program));
	assert_false(filter_asks_for_tenant(&program));
	assert_true(filter_compile("port 4 and tenant x", 19, &program, &e));
	assert_false(filter_asks_for_ends(&program));
	assert_true(filter_asks_for_tenant(&program));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),         cmocka_unit_test(test_sums),
		cmocka_unit_test(test_the_flow),     cmocka_unit_test(test_a_flow_without_anything),
		cmocka_unit_test(test_what_it_asks),
	};

	return cmocka_run_group_tests_name("store_filter", tests, set_up, tear_down);
}
