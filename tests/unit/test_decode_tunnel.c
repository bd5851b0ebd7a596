/* Every tunnel: opened in the inner view, closed in the outer one, and never lost where it cannot be opened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/ip.h"
#include "base/mem.h"
#include "decode/decode.h"
#include "decode/fragment.h"
#include "decode/udp_tunnel.h"
#include "decode_stack.h"

static const struct decode_options inner = { .link_type = LINK_ETHERNET, .point = 3 };
static const struct decode_options outer = { .link_type = LINK_ETHERNET, .point = 3, .outer = true };

/* --- what carries: net 1, in Ethernet --- */

static void
over_ip4(struct stack *s, uint8_t protocol)
{
	put_ipv4(s, protocol, 1);
	put_ethernet(s, 0x0800, 1);
}

static void
over_ip6(struct stack *s, uint8_t protocol)
{
	put_ipv6(s, protocol, 1);
	put_ethernet(s, 0x86dd, 1);
}

static void
over_udp(struct stack *s, uint16_t from, uint16_t to)
{
	put_udp(s, from, to);
	over_ip4(s, 17);
}

static void
inner_frame(struct stack *s)
{
	put_inner4(s);
	put_ethernet(s, 0x0800, 9);
}

static void
make_4in4(struct stack *s)
{
	put_inner4(s);
	over_ip4(s, 4);
}

static void
make_4in6(struct stack *s)
{
	put_inner4(s);
	over_ip6(s, 4);
}

static void
make_6in4(struct stack *s)
{
	put_inner6(s);
	over_ip4(s, 41);
}

static void
make_6in6_behind_options(struct stack *s)
{
	put_inner6(s);
	PUT(s, 41, 0, 1, 4, 0, 0, 0, 0);
	over_ip6(s, 60);
}

static void
make_ah_tunnel(struct stack *s)
{
	put_inner4(s);
	PUT(s, 4, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
	over_ip4(s, 51);
}

static void
make_gre(struct stack *s)
{
	put_inner4(s);
	PUT(s, 0, 0, 8, 0);
	over_ip4(s, 47);
}

static void
make_gre_all_fields(struct stack *s)
{
	put_inner6(s);
	PUT(s, 0, 0, 0, 0);                      /* the end of routes */
	PUT(s, 0, 2, 0, 4, 10, 1, 1, 1);         /* a route */
	PUT(s, 0, 0, 0, 1);                      /* sequence */
	PUT(s, 0, 0, 0, 7);                      /* key */
	PUT(s, 0xf0, 0, 0x86, 0xdd, 1, 2, 0, 0); /* checksum, offset */
	over_ip6(s, 47);
}

static void
make_gre_bridged(struct stack *s)
{
	inner_frame(s);
	PUT(s, 0x20, 0, 0x65, 0x58, 0, 0, 0, 7);
	over_ip4(s, 47);
}

static void
make_gre_mpls(struct stack *s)
{
	put_inner4(s);
	PUT(s, 0, 0, 0x88, 0x47, 0, 0x01, 0x01, 0x40);
	over_ip4(s, 47);
}

/* A bridged frame whose datagram has labels in front. */
static void
make_gre_bridged_mpls(struct stack *s)
{
	put_inner4(s);
	PUT(s, 0, 0x01, 0x01, 0x40);
	put_ethernet(s, 0x8847, 2);
	PUT(s, 0x20, 0, 0x65, 0x58, 0, 0, 0, 7);
	over_ip4(s, 47);
}

static void
make_gre_wccp(struct stack *s)
{
	put_inner4(s);
	PUT(s, 0, 0, 0x88, 0x3e, 0, 1, 2, 3);
	over_ip4(s, 47);
}

static void
make_gre_nsh(struct stack *s)
{
	inner_frame(s);
	PUT(s, 0, 0, 0x89, 0x4f, 0, 0x42, 1, 3, 0, 0, 0, 1);
	over_ip4(s, 47);
}

static void
make_gre_aruba(struct stack *s)
{
	put_inner4(s);
	PUT(s, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0);
	PUT(s, 0, 0);
	PUT(s, 0x88, 0x01, 0, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 3, 0x10, 0);
	PUT(s, 0, 0, 0x82, 0x00);
	over_ip4(s, 47);
}

static void
make_pptp(struct stack *s)
{
	put_inner4(s);
	PUT(s, 0x30, 0x81, 0x88, 0x0b, 0, 36, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 3, 0, 0x21);
	over_ip4(s, 47);
}

static void
make_erspan_i(struct stack *s)
{
	inner_frame(s);
	PUT(s, 0, 0, 0x88, 0xbe);
	over_ip4(s, 47);
}

static void
make_erspan_ii(struct stack *s)
{
	inner_frame(s);
	PUT(s, 0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0, 1, 0, 0, 0, 2);
	over_ip4(s, 47);
}

static void
make_erspan_iii(struct stack *s)
{
	inner_frame(s);
	PUT(s, 0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0);
	over_ip4(s, 47);
}

static void
make_erspan_iii_platform(struct stack *s)
{
	put_inner4(s); /* IP was mirrored, and a platform's header is there */
	PUT(s, 0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0, 1, 0, 0, 0, 2, 0, 0, 0x08, 1, 1, 2, 3, 4, 5, 6, 7,
	    8);
	over_ip4(s, 47);
}

static void
make_etherip(struct stack *s)
{
	inner_frame(s);
	PUT(s, 0x30, 0);
	over_ip4(s, 97);
}

static void
make_ethernet_in_ip6(struct stack *s)
{
	inner_frame(s);
	over_ip6(s, 143);
}

static void
make_mpls_in_ip(struct stack *s)
{
	put_inner4(s);
	PUT(s, 0, 0x01, 0x01, 0x40);
	over_ip4(s, 137);
}

static void
make_l2tpv3(struct stack *s)
{
	inner_frame(s);
	PUT(s, 0, 0, 0, 9, 1, 2, 3, 4, 0, 0, 0, 0); /* session, cookie, sublayer */
	over_ip4(s, 115);
}

static void
make_l2tpv3_udp(struct stack *s)
{
	inner_frame(s);
	PUT(s, 0, 3, 0, 0, 0, 0, 0, 9);
	over_udp(s, 1701, 40000);
}

static void
make_l2tp(struct stack *s)
{
	put_inner4(s);
	PUT(s, 0, 2, 0, 8, 0, 9, 0xff, 3, 0, 0x21);
	over_udp(s, 1701, 1701);
}

static void
make_l2tp_all_fields(struct stack *s)
{
	put_inner6(s);
	PUT(s, 0x00, 0x57);
	put_zero(s, 3); /* the offset */
	PUT(s, 0, 8, 0, 9, 0, 1, 0, 2, 0, 3);
	put_be16(s, stack_len(s) + 4);
	PUT(s, 0x4b, 2);
	over_udp(s, 40000, 1701);
}

static void
make_vxlan(struct stack *s)
{
	inner_frame(s);
	PUT(s, 0x08, 0, 0, 0, 0, 0, 42, 0);
	over_udp(s, 51000, 4789);
}

static void
make_vxlan_old_port_policy(struct stack *s)
{
	put_inner6(s);
	put_vlan(s, 77, 0x86dd);
	put_ethernet(s, 0x8100, 9);
	PUT(s, 0x88, 0, 0, 5, 0, 0, 42, 0);
	put_udp(s, 51000, 8472);
	over_ip6(s, 17);
}

static void
make_vxlan_gpe(struct stack *s)
{
	put_inner4(s);
	PUT(s, 0x0c, 0, 0, 1, 0, 0, 42, 0);
	over_udp(s, 51000, 4790);
}

static void
make_vxlan_gpe_nsh(struct stack *s)
{
	put_inner6(s);
	PUT(s, 0x0c, 0, 0, 4, 0, 0, 42, 0, 0, 0x06, 1, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    0, 0, 0);
	over_udp(s, 51000, 4790);
}

static void
make_geneve(struct stack *s)
{
	inner_frame(s);
	PUT(s, 0x02, 0, 0x65, 0x58, 0, 0, 42, 0, 1, 1, 0x80, 1, 9, 9, 9, 9);
	over_udp(s, 51000, 6081);
}

static void
make_geneve_ip(struct stack *s)
{
	put_inner6(s);
	PUT(s, 0, 0, 0x86, 0xdd, 0, 0, 42, 0);
	over_udp(s, 51000, 6081);
}

static void
make_gtpu(struct stack *s)
{
	put_inner4(s);
	put_zero(s, 4);
	put_be16(s, stack_len(s) - 4);
	PUT(s, 0x30, 255);
	over_udp(s, 2152, 2152);
}

static void
make_gtpu_extensions(struct stack *s)
{
	put_inner6(s);
	PUT(s, 2, 0, 0, 0, 0, 0, 0, 0);          /* PDCP number of 8 bytes, the last */
	PUT(s, 0, 1, 0, 0x85, 1, 0x10, 9, 0xc0); /* sequence, extension of 4 bytes */
	put_be16(s, 0);
	put_be16(s, 1);
	put_be16(s, stack_len(s) - 4);
	PUT(s, 0x36, 255);
	over_udp(s, 40000, 2152);
}

/* An IPv6 datagram between Teredo addresses. */
static void
teredo_inner(struct stack *s)
{
	put_inner6(s);
	memcpy(s->room + s->at + 8, (const uint8_t[]){ 0x20, 1, 0, 0 }, 4);
}

static void
make_teredo(struct stack *s)
{
	teredo_inner(s);
	over_udp(s, 51000, 3544);
}

static void
make_teredo_authenticated(struct stack *s)
{
	teredo_inner(s);
	PUT(s, 0, 0, 1, 2, 3, 4, 5, 6); /* origin */
	PUT(s, 0, 1, 2, 1, 7, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0);
	over_udp(s, 3544, 51000);
}

static void
make_capwap(struct stack *s)
{
	inner_frame(s);
	PUT(s, 0, 0x10, 0x02, 0, 0, 0, 0, 0);
	over_udp(s, 51000, 5247);
}

static void
make_capwap_wireless(struct stack *s)
{
	put_inner4(s);
	PUT(s, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0);
	PUT(s, 0x08, 0x01, 0, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 3, 0x10, 0);
	PUT(s, 0, 0x20, 0x03, 0x20, 0, 0, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0); /* with a radio's address */
	over_udp(s, 5247, 51000);
}

static void
make_capwap_swapped(struct stack *s)
{
	put_inner4(s);
	PUT(s, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0);
	PUT(s, 0x01, 0x08, 0, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 3, 0x01, 0x50);
	PUT(s, 0, 0x10, 0x03, 0, 0, 0, 0, 0);
	over_udp(s, 51000, 5247);
}

static void
make_ayiya(struct stack *s)
{
	put_inner6(s);
	put_zero(s, 20 + 16);
	PUT(s, 0x41, 0x52, 0x11, 41, 0, 0, 0, 0);
	over_udp(s, 5072, 5072);
}

static void
make_gre_in_udp(struct stack *s)
{
	put_inner4(s);
	PUT(s, 0, 0, 8, 0);
	over_udp(s, 51000, 4754);
}

static void
make_mpls_in_udp(struct stack *s)
{
	put_inner6(s);
	PUT(s, 0, 0x01, 0x01, 0x40);
	over_udp(s, 51000, 6635);
}

static const struct row {
	const char *name;
	void (*make)(struct stack *s);
	enum tunnel tunnel;
	uint8_t protocol; /* of the outer flow */
	uint16_t port;    /* its destination */
} rows[] = {
	{ "4in4", make_4in4, TUNNEL_IPIP, 4, 0 },
	{ "4in6", make_4in6, TUNNEL_4IN6, 4, 0 },
	{ "6in4", make_6in4, TUNNEL_6IN4, 41, 0 },
	{ "6in6 behind options", make_6in6_behind_options, TUNNEL_6IN6, 41, 0 },
	{ "AH in tunnel mode", make_ah_tunnel, TUNNEL_IPIP, 4, 0 },
	{ "GRE", make_gre, TUNNEL_GRE, 47, 0 },
	{ "GRE with all fields", make_gre_all_fields, TUNNEL_GRE, 47, 0 },
	{ "GRE bridging", make_gre_bridged, TUNNEL_GRE, 47, 0 },
	{ "GRE with MPLS", make_gre_mpls, TUNNEL_GRE, 47, 0 },
	{ "GRE bridging, MPLS", make_gre_bridged_mpls, TUNNEL_GRE, 47, 0 },
	{ "GRE with WCCP", make_gre_wccp, TUNNEL_GRE, 47, 0 },
	{ "GRE with NSH", make_gre_nsh, TUNNEL_GRE, 47, 0 },
	{ "GRE of Aruba", make_gre_aruba, TUNNEL_GRE, 47, 0 },
	{ "PPTP", make_pptp, TUNNEL_PPTP, 47, 0 },
	{ "ERSPAN I", make_erspan_i, TUNNEL_ERSPAN, 47, 0 },
	{ "ERSPAN II", make_erspan_ii, TUNNEL_ERSPAN, 47, 0 },
	{ "ERSPAN III", make_erspan_iii, TUNNEL_ERSPAN, 47, 0 },
	{ "ERSPAN III of a platform", make_erspan_iii_platform, TUNNEL_ERSPAN, 47, 0 },
	{ "EtherIP", make_etherip, TUNNEL_ETHERIP, 97, 0 },
	{ "Ethernet in IPv6", make_ethernet_in_ip6, TUNNEL_ETHERIP, 143, 0 },
	{ "MPLS in IP", make_mpls_in_ip, TUNNEL_MPLS, 137, 0 },
	{ "L2TPv3", make_l2tpv3, TUNNEL_L2TP, 115, 0 },
	{ "L2TPv3 in UDP", make_l2tpv3_udp, TUNNEL_L2TP, 17, 40000 },
	{ "L2TP", make_l2tp, TUNNEL_L2TP, 17, 1701 },
	{ "L2TP with all fields", make_l2tp_all_fields, TUNNEL_L2TP, 17, 1701 },
	{ "VXLAN", make_vxlan, TUNNEL_VXLAN, 17, 4789 },
	{ "VXLAN of Linux", make_vxlan_old_port_policy, TUNNEL_VXLAN, 17, 8472 },
	{ "VXLAN-GPE", make_vxlan_gpe, TUNNEL_VXLAN, 17, 4790 },
	{ "VXLAN-GPE with NSH", make_vxlan_gpe_nsh, TUNNEL_VXLAN, 17, 4790 },
	{ "GENEVE", make_geneve, TUNNEL_GENEVE, 17, 6081 },
	{ "GENEVE with IP", make_geneve_ip, TUNNEL_GENEVE, 17, 6081 },
	{ "GTP-U", make_gtpu, TUNNEL_GTPU, 17, 2152 },
	{ "GTP-U with extensions", make_gtpu_extensions, TUNNEL_GTPU, 17, 2152 },
	{ "Teredo", make_teredo, TUNNEL_TEREDO, 17, 3544 },
	{ "Teredo, authenticated", make_teredo_authenticated, TUNNEL_TEREDO, 17, 51000 },
	{ "CAPWAP", make_capwap, TUNNEL_CAPWAP, 17, 5247 },
	{ "CAPWAP, wireless", make_capwap_wireless, TUNNEL_CAPWAP, 17, 51000 },
	{ "CAPWAP, swapped", make_capwap_swapped, TUNNEL_CAPWAP, 17, 5247 },
	{ "AYIYA", make_ayiya, TUNNEL_AYIYA, 17, 5072 },
	{ "GRE in UDP", make_gre_in_udp, TUNNEL_GRE, 17, 4754 },
	{ "MPLS in UDP", make_mpls_in_udp, TUNNEL_MPLS, 17, 6635 },
};

/* On a block of exactly cap bytes, whose guard stands behind the last. */
static struct packet
decode(const struct stack *s, const struct decode_options *o, uint32_t cap)
{
	static const uint64_t seed[2] = { 1, 2 };
	uint8_t *exact = test_malloc(cap + 1u);
	struct packet k, quick;

	memcpy(exact, stack_bytes(s), cap);
	decode_frame(&k, o, exact, cap, stack_len(s));
	if (!o->outer) /* what may be a tunnel is not the quick way's */
		assert_false(decode_quick(&quick, o, exact, cap, stack_len(s), seed));
	if (k.app != NULL)
		k.app = stack_bytes(s) + (k.app - exact);
	if (k.l3 != NULL)
		k.l3 = stack_bytes(s) + (k.l3 - exact);
	if (k.mac != NULL)
		k.mac = stack_bytes(s) + (k.mac - exact);
	test_free(exact);
	return k;
}

/* Whether the ends are those of a net, whatever the family. */
static bool
is_net(const struct packet *k, uint8_t net)
{
	const bool v4 = k->key.ip[1].b[10] == 0xff;

	return v4 ? k->key.ip[1].b[14] == net : k->key.ip[1].b[5] == net;
}

static void
test_views(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct stack s;
		struct packet k;

		stack_begin(&s);
		r->make(&s);
		k = decode(&s, &inner, stack_len(&s));
		if (k.reason != DECODED || k.key.tunnel != r->tunnel || !is_net(&k, 9))
			fail_msg("%s: reason %s, tunnel %d", r->name,
				 undecoded_name((enum undecoded)k.reason), k.key.tunnel);
		/* Noted, but not of the key: the other direction may have none. */
		assert_int_equal(k.labels, strstr(r->name, "MPLS") != NULL);
		assert_int_equal(k.key.protocol, 17);
		assert_int_equal(k.key.port[0], 5000);
		assert_int_equal(k.key.port[1], 5353);
		assert_int_equal(k.key.point, 3);
		assert_int_equal(k.payload, 4);
		assert_int_equal(k.app_len, 4);
		assert_memory_equal(k.app, "abcd", 4);
		assert_int_equal(k.wire_len, stack_len(&s));
		assert_true(k.l3_whole);

		k = decode(&s, &outer, stack_len(&s));
		assert_int_equal(k.reason, DECODED);
		assert_int_equal(k.key.protocol, r->protocol);
		assert_int_equal(k.key.port[1], r->port);
		assert_int_equal(k.key.tunnel, TUNNEL_NONE);
		assert_true(is_net(&k, 1));
		assert_int_equal(k.nvlan, 0);
	}
}

/* Whatever is missing: the frame is in the inner flow or in the outer one, with its whole length, and as soon
 * as what carries can be decoded it is in one. */
static void
test_every_truncation(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct stack s;
		bool opened = false;

		stack_begin(&s);
		rows[i].make(&s);
		for (uint32_t cap = 0; cap <= stack_len(&s); cap++) {
			struct packet k = decode(&s, &inner, cap), o = decode(&s, &outer, cap);

			assert_int_equal(k.reason, o.reason);
			assert_int_equal(k.wire_len, stack_len(&s));
			if (k.reason != DECODED)
				continue;
			assert_true(is_net(&o, 1));
			if (is_net(&k, 1)) {
				assert_false(opened); /* more bytes never say less */
				assert_memory_equal(&k, &o, sizeof(k));
			} else {
				opened = true;
				assert_int_equal(k.key.port[1], 5353);
				assert_int_equal(k.payload, 4);
			}
		}
		assert_true(opened);
	}
}

/* Nothing that could be decoded inside: what carries it has the frame, as if tunnels were not opened. */
static void
test_falls_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct stack s;
		struct packet k, o;

		stack_begin(&s);
		rows[i].make(&s);
		k = decode(&s, &inner, stack_len(&s));
		s.room[k.l3 - s.room] = 0x50; /* no version of IP */
		k = decode(&s, &inner, stack_len(&s));
		o = decode(&s, &outer, stack_len(&s));
		assert_int_equal(k.reason, DECODED);
		assert_memory_equal(&k, &o, sizeof(k));
	}
}

static uint64_t
pseudo_random(uint64_t *x)
{
	*x += UINT64_C(0x9e3779b97f4a7c15);
	return hash_mix(*x, UINT64_C(0xd6e8feb86659fd93));
}

/* Random bytes to the port of a tunnel stay a packet of UDP. */
static void
test_ports_alone_open_nothing(void **state)
{
	uint64_t x = 7;
	unsigned opened = 0;

	(void)state;
	for (unsigned n = 0; n < 200000; n++) {
		const struct udp_tunnel *t = &udp_tunnels[1 + pseudo_random(&x) % (UDP_TUNNEL_SLOTS - 1)];
		struct stack s;
		struct packet k;

		if (t->port == 0)
			continue;
		stack_begin(&s);
		for (unsigned i = 0; i < 10; i++) {
			uint64_t r = pseudo_random(&x);

			put(&s, &r, sizeof(r));
		}
		over_udp(&s, 51000, t->port);
		decode_frame(&k, &inner, stack_bytes(&s), stack_len(&s), stack_len(&s));
		assert_int_equal(k.reason, DECODED);
		opened += k.key.tunnel != TUNNEL_NONE;
	}
	assert_true(opened <= 2);
}

static void
test_table_of_ports(void **state)
{
	(void)state;
	for (unsigned i = 0; i < UDP_TUNNEL_SLOTS; i++) {
		const struct udp_tunnel *t = &udp_tunnels[i];

		if (t->layer != LAYER_END) {
			assert_int_equal(t->port % UDP_TUNNEL_SLOTS, i);
			assert_true(udp_tunnel_suspected(t->port, 1));
			assert_true(udp_tunnel_suspected(1, t->port));
		}
	}
	assert_false(udp_tunnel_suspected(0, 0));
	assert_int_equal(udp_tunnel_layer(0, 0), LAYER_END);
	assert_int_equal(udp_tunnel_layer(4754, 9), LAYER_END); /* by its destination only */
	assert_int_equal(udp_tunnel_layer(9, 4754), LAYER_UDP_GRE);
}

/* VLANs of the frame, and behind them those of the frame inside; addresses of the innermost Ethernet. */
static void
test_vlans_and_addresses(void **state)
{
	struct stack s;
	struct packet k;

	(void)state;
	stack_begin(&s);
	put_inner4(&s);
	put_vlan(&s, 300, 0x0800);
	put_ethernet(&s, 0x8100, 9);
	PUT(&s, 0x08, 0, 0, 0, 0, 0, 42, 0);
	put_udp(&s, 51000, 4789);
	put_ipv4(&s, 17, 1);
	put_vlan(&s, 100, 0x0800);
	put_ethernet(&s, 0x8100, 1);
	k = decode(&s, &inner, stack_len(&s));
	assert_int_equal(k.key.tunnel, TUNNEL_VXLAN);
	assert_int_equal(k.key.vlan[0], 100);
	assert_int_equal(k.key.vlan[1], 300);
	assert_int_equal(k.mac[4], 9);
	k = decode(&s, &outer, stack_len(&s));
	assert_int_equal(k.key.vlan[0], 100);
	assert_int_equal(k.key.vlan[1], 0);
	assert_int_equal(k.mac[4], 1);
}

/* Tunnels in tunnels: the innermost of those that are opened has the frame. */
static void
test_nesting(void **state)
{
	struct stack s;
	struct packet k;

	(void)state;
	stack_begin(&s);
	put_inner6(&s);
	PUT(&s, 0, 0, 0x86, 0xdd);
	put_ipv4(&s, 47, 5);
	put_zero(&s, 4);
	put_be16(&s, stack_len(&s) - 4);
	PUT(&s, 0x30, 255);
	put_udp(&s, 2152, 2152);
	put_ipv6(&s, 17, 4);
	put_ethernet(&s, 0x86dd, 3);
	PUT(&s, 0x08, 0, 0, 0, 0, 0, 42, 0);
	over_udp(&s, 51000, 4789);
	k = decode(&s, &inner, stack_len(&s));
	assert_int_equal(k.key.tunnel, TUNNEL_GRE);
	assert_true(is_net(&k, 9));
	s.room[k.l3 - s.room] = 0; /* damaged: the flow of GRE, which came in GTP-U, has it */
	k = decode(&s, &inner, stack_len(&s));
	assert_int_equal(k.reason, DECODED);
	assert_int_equal(k.key.protocol, 47);
	assert_int_equal(k.key.tunnel, TUNNEL_GTPU);
	assert_true(is_net(&k, 5));

	stack_begin(&s);
	put_inner4(&s);
	for (uint8_t i = 20; i > 0; i--)
		put_ipv4(&s, 4, (uint8_t)(100 + i));
	put_ethernet(&s, 0x0800, 1);
	k = decode(&s, &inner, stack_len(&s));
	assert_int_equal(k.reason, DECODED);
	assert_int_equal(k.key.protocol, 4);
	assert_true(is_net(&k, 100 + 1 + 8));
}

/* A message that is not data of the tunnel belongs to what carries it. */
static void
test_control_is_outer(void **state)
{
	struct stack s;
	struct packet k;

	(void)state;
	stack_begin(&s); /* echo request of GTP-U */
	PUT(&s, 0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0);
	over_udp(&s, 2152, 2152);
	k = decode(&s, &inner, stack_len(&s));
	assert_int_equal(k.key.tunnel, TUNNEL_NONE);
	assert_int_equal(k.key.port[1], 2152);
	assert_int_equal(k.payload, 12);

	stack_begin(&s); /* control of L2TP */
	PUT(&s, 0xc8, 2, 0, 12, 0, 8, 0, 0, 0, 1, 0, 1);
	over_udp(&s, 1701, 1701);
	k = decode(&s, &inner, stack_len(&s));
	assert_int_equal(k.key.port[1], 1701);

	stack_begin(&s); /* IPv6 to the port of Teredo, but between other addresses */
	put_inner6(&s);
	over_udp(&s, 51000, 3544);
	k = decode(&s, &inner, stack_len(&s));
	assert_int_equal(k.key.port[1], 3544);

	stack_begin(&s); /* ARP in VXLAN */
	put_zero(&s, 28);
	put_ethernet(&s, 0x0806, 9);
	PUT(&s, 0x08, 0, 0, 0, 0, 0, 42, 0);
	over_udp(&s, 51000, 4789);
	k = decode(&s, &inner, stack_len(&s));
	assert_int_equal(k.key.port[1], 4789);
	assert_int_equal(k.mac[4], 1);

	stack_begin(&s); /* acknowledgement of PPTP */
	PUT(&s, 0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 5, 0, 0, 0, 2);
	over_ip4(&s, 47);
	k = decode(&s, &inner, stack_len(&s));
	assert_int_equal(k.key.protocol, 47);

	stack_begin(&s); /* an ICMP error quotes a datagram of GRE */
	put_inner4(&s);
	PUT(&s, 0, 0, 8, 0);
	put_ipv4(&s, 47, 2);
	PUT(&s, 3, 4, 0, 0, 0, 0, 5, 0);
	over_ip4(&s, 1);
	k = decode(&s, &inner, stack_len(&s));
	assert_int_equal(k.key.protocol, 1);
	assert_int_equal(k.key.icmp_type, 3);
	assert_int_equal(k.key.port[0], 4);
	assert_true(is_net(&k, 1));
}

/* --- fragments of what carries --- */

/* The datagram of GRE behind Ethernet cut into two at `cut` bytes of its payload; both are whole frames. */
static void
fragment(const struct stack *whole, uint32_t cut, struct stack *first, struct stack *later)
{
	const uint8_t *payload = stack_bytes(whole) + 14 + 20;
	const uint32_t len = stack_len(whole) - 14 - 20;

	stack_begin(first);
	put(first, payload, cut);
	put_ipv4(first, 47, 1);
	first->room[first->at + 6] = 0x20;
	put_ethernet(first, 0x0800, 1);
	stack_begin(later);
	put(later, payload + cut, len - cut);
	put_ipv4(later, 47, 1);
	later->room[later->at + 7] = (uint8_t)(cut / 8);
	put_ethernet(later, 0x0800, 1);
}

static void
test_fragments_of_a_carrier(void **state)
{
	static struct fragment_table t;
	struct stack whole, first, later;
	struct packet a, b;
	struct flow_key of_first, of_later;

	(void)state;
	memset(&t, 0, sizeof(t));
	stack_begin(&whole);
	put_zero(&whole, 100);
	put_tcp(&whole, 80, 40000);
	put_ipv6(&whole, 6, 9);
	put_vlan(&whole, 7, 0x86dd);
	put_ethernet(&whole, 0x8100, 9);
	PUT(&whole, 0x20, 0, 0x65, 0x58, 0, 0, 0, 7);
	over_ip4(&whole, 47);
	fragment(&whole, 104, &first, &later);

	a = decode(&first, &inner, stack_len(&first));
	b = decode(&later, &inner, stack_len(&later));
	assert_int_equal(a.reason, DECODED);
	assert_int_equal(a.fragment, FRAGMENT_FIRST);
	assert_int_equal(a.key.port[1], 40000);
	assert_int_equal(a.payload, 100); /* all of it, by the word of the header inside */
	assert_false(a.l3_whole);
	assert_int_equal(b.fragment, FRAGMENT_LATER);
	assert_int_equal(b.key.protocol, 47);
	fragment_of(&a, &of_first);
	fragment_of(&b, &of_later);
	assert_memory_equal(&of_first, &of_later, sizeof(of_first));
	fragment_resolve(&t, &a, 1000);
	fragment_resolve(&t, &b, 2000);
	assert_memory_equal(&a.key, &b.key, sizeof(a.key));
	assert_int_equal(b.payload, 0);
	assert_int_equal(t.unknown, 0);

	/* The outer view: both are GRE. */
	a = decode(&first, &outer, stack_len(&first));
	b = decode(&later, &outer, stack_len(&later));
	assert_int_equal(a.key.protocol, 47);
	assert_int_equal(a.key.tunnel, TUNNEL_NONE);
	assert_memory_equal(&a.key, &b.key, sizeof(a.key));

	/* A header inside that does not say how long its datagram is, when the rest is not here: both are
	 * GRE. */
	first.room[first.at + 14 + 20 + 8 + 14 + 4 + 4] = first.room[first.at + 14 + 20 + 8 + 14 + 4 + 5] = 0;
	a = decode(&first, &inner, stack_len(&first));
	assert_int_equal(a.key.protocol, 47);
	assert_int_equal(a.carrier_back, 0);

	/* Cut before the ports inside: both are GRE too. */
	fragment(&whole, 64, &first, &later);
	a = decode(&first, &inner, stack_len(&first));
	b = decode(&later, &inner, stack_len(&later));
	fragment_resolve(&t, &a, 3000);
	fragment_resolve(&t, &b, 4000);
	assert_int_equal(a.key.protocol, 47);
	assert_memory_equal(&a.key, &b.key, sizeof(a.key));
}

/* --- below IP: opened in both views --- */

static void
assert_both_views(const struct stack *s, uint32_t link, enum tunnel tunnel)
{
	struct decode_options o = { .link_type = link };

	for (unsigned view = 0; view < 2; view++) {
		struct packet k;

		o.outer = view == 1;
		decode_frame(&k, &o, stack_bytes(s), stack_len(s), stack_len(s));
		assert_int_equal(k.reason, DECODED);
		/* One direction may have labels and the other none: they are not of the key. */
		assert_int_equal(k.labels, tunnel == TUNNEL_MPLS);
		assert_int_equal(k.key.tunnel, tunnel == TUNNEL_MPLS ? TUNNEL_NONE : tunnel);
		assert_int_equal(k.key.port[1], 5353);
		assert_true(is_net(&k, 9));
		for (uint32_t cap = 0; cap < stack_len(s); cap++) {
			decode_frame(&k, &o, stack_bytes(s), cap, stack_len(s));
			assert_true(k.reason != DECODED || (is_net(&k, 9) && k.key.port[1] == 5353));
		}
	}
}

static void
test_pseudowires(void **state)
{
	static const struct {
		uint8_t bytes[8];
		uint8_t len;
	} headers[] = {
		{ { 0, 1, 0, 64, 0, 2, 1, 64 }, 8 }, /* two labels */
		{ { 0, 2, 1, 64, 0, 0, 0, 9 }, 8 },  /* a control word */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		for (unsigned mac = 0; mac < 3; mac++) {
			static const uint8_t first[] = { 0x00, 0x46,
							 0x6a }; /* like a control word, like IP */
			struct stack s;

			stack_begin(&s);
			inner_frame(&s);
			s.room[s.at] = first[mac];
			put(&s, headers[i].bytes, headers[i].len);
			assert_both_views(&s, LINK_MPLS, TUNNEL_MPLS);
			put_ethernet(&s, 0x8847, 1);
			assert_both_views(&s, LINK_ETHERNET, TUNNEL_MPLS);
		}
}

static void
test_explicit_null(void **state)
{
	struct stack s;

	(void)state;
	stack_begin(&s);
	put_inner6(&s);
	PUT(&s, 0, 0, 0x21, 64);
	put_ethernet(&s, 0x8848, 1);
	assert_both_views(&s, LINK_ETHERNET, TUNNEL_MPLS);
}

static void
test_frames_in_frames(void **state)
{
	static const struct {
		uint16_t type;
		uint8_t bytes[14];
		uint8_t len;
	} headers[] = {
		{ 0x88e7, { 0, 0, 1, 2 }, 4 },           /* 802.1ah */
		{ 0x8903, { 0x04, 0x20 }, 2 },           /* FabricPath */
		{ 0x22f3, { 0, 5, 0, 1, 0, 2 }, 6 },     /* TRILL */
		{ 0x22f3, { 0, 0x45, 0, 1, 0, 2 }, 10 }, /* with a word of options */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		struct stack s;

		stack_begin(&s);
		inner_frame(&s);
		put(&s, headers[i].bytes, headers[i].len);
		put_ethernet(&s, headers[i].type, 1);
		assert_both_views(&s, LINK_ETHERNET, TUNNEL_PBB);
	}
}

static void
test_pppoe(void **state)
{
	static const uint8_t bundle[] = { 0, 0x3d, 0xc0, 0, 0, 1 };
	struct stack s;

	(void)state;
	for (unsigned bundled = 0; bundled < 2; bundled++) {
		stack_begin(&s);
		put_inner4(&s);
		put_be16(&s, 0x21);
		if (bundled)
			put(&s, bundle, sizeof(bundle));
		put_be16(&s, stack_len(&s));
		PUT(&s, 0x11, 0, 0, 1);
		put_ethernet(&s, 0x8864, 1);
		assert_both_views(&s, LINK_ETHERNET, TUNNEL_PPPOE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_views),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_falls_back),
		cmocka_unit_test(test_ports_alone_open_nothing),
		cmocka_unit_test(test_table_of_ports),
		cmocka_unit_test(test_vlans_and_addresses),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_control_is_outer),
		cmocka_unit_test(test_fragments_of_a_carrier),
		cmocka_unit_test(test_pseudowires),
		cmocka_unit_test(test_explicit_null),
		cmocka_unit_test(test_frames_in_frames),
		cmocka_unit_test(test_pppoe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
