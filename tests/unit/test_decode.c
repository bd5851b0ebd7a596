/* The decoder: every layer, its refusals by name, and every length at which a frame can be cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/ip.h"
#include "decode/decode.h"
#include "decode/fragment.h"
#include "engine_frame.h"

static const uint64_t seed[2] = { 0x1234567890abcdef, 0xfedcba0987654321 };

static const struct decode_options ethernet = { .link_type = LINK_ETHERNET };

static struct packet
decode_as(const struct test_frame *f, uint32_t link)
{
	struct packet k;

	decode_frame(&k, &(struct decode_options){ .link_type = link }, f->bytes, frame_len(f), frame_len(f));
	return k;
}

static void
assert_reason(const struct test_frame *f, uint32_t link, const char *name)
{
	struct packet k = decode_as(f, link);

	assert_string_equal(undecoded_name((enum undecoded)k.reason), name);
}

static void
assert_ip(const struct ip_addr *a, const char *text)
{
	char out[IP_TEXT_MAX];

	assert_string_equal(ip_format(a, out), text);
}

static void
test_tcp_over_ethernet(void **state)
{
	struct test_frame f;
	struct packet k;

	(void)state;
	frame_make_tcp(&f, 0x0a000001, 0x0a000002, (struct test_tcp){ 40000, 443, 7, 9, 0x18, 500 }, "hello",
		       5);
	frame_zero(&f, 3); /* padding is no payload */
	k = decode_as(&f, LINK_ETHERNET);
	assert_int_equal(k.reason, DECODED);
	assert_ip(&k.key.ip[0], "10.0.0.1");
	assert_ip(&k.key.ip[1], "10.0.0.2");
	assert_int_equal(k.key.port[0], 40000);
	assert_int_equal(k.key.port[1], 443);
	assert_int_equal(k.key.protocol, 6);
	assert_int_equal(k.payload, 5);
	assert_int_equal(k.app_len, 5);
	assert_memory_equal(k.app, "hello", 5);
	assert_int_equal(k.seq, 7);
	assert_int_equal(k.ack, 9);
	assert_int_equal(k.tcp_flags, 0x18);
	assert_int_equal(k.window, 500);
	assert_int_equal(k.ttl, 61);
	assert_int_equal(k.dscp, 10);
	assert_int_equal(k.wire_len, frame_len(&f));
	assert_true(k.l3_whole);
	assert_memory_equal(k.mac + 6, "\2\0\0\0\0\1", 6);
}

static void
udp_in(struct test_frame *f)
{
	frame_ipv4(f, (struct test_ip){ .from = 1, .to = 2, .protocol = 17, .len = 12 });
	frame_udp(f, 5000, 53, 4);
	wcur_put(&f->c, "abcd", 4);
}

static void
test_every_link_type(void **state)
{
	static const struct {
		uint32_t link;
		uint8_t header[20];
		size_t len;
	} links[] = {
		{ LINK_RAW, { 0 }, 0 },
		{ LINK_RAW_OLD_12, { 0 }, 0 },
		{ LINK_IPV4, { 0 }, 0 },
		{ LINK_NULL, { 2, 0, 0, 0 }, 4 },
		{ LINK_NULL, { 0, 0, 0, 2 }, 4 },
		{ LINK_LOOP, { 0, 0, 0, 2 }, 4 },
		{ LINK_PPP, { 0xff, 3, 0, 0x21 }, 4 },
		{ LINK_PPP, { 0, 0x21 }, 2 },
		{ LINK_PPP, { 0x21 }, 1 },
		{ LINK_PPP, { 0x0f, 0, 8, 0 }, 4 },
		{ LINK_PPP_ETHER, { 0x11, 0, 0, 1, 0, 34, 0, 0x21 }, 8 },
		{ LINK_CHDLC, { 0x0f, 0, 8, 0 }, 4 },
		{ LINK_SLL, { 0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0 }, 16 },
		{ LINK_SLL2, { 8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0 }, 20 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct test_frame f;
		struct packet k;

		frame_begin(&f);
		wcur_put(&f.c, links[i].header, links[i].len);
		udp_in(&f);
		k = decode_as(&f, links[i].link);
		assert_int_equal(k.reason, DECODED);
		assert_int_equal(k.key.port[1], 53);
		assert_int_equal(k.payload, 4);
		assert_null(k.mac);
	}
}

static void
test_vlan_stack(void **state)
{
	struct test_frame f;
	struct packet k;

	(void)state;
	frame_begin(&f);
	frame_eth(&f, 0x88a8);
	frame_vlan(&f, 0x6064, 0x8100); /* priority bits are no part of the identifier */
	frame_vlan(&f, 200, 0x8100);
	frame_vlan(&f, 300, 0x8100);
	frame_vlan(&f, 400, 0x0800);
	udp_in(&f);
	k = decode_as(&f, LINK_ETHERNET);
	assert_int_equal(k.reason, DECODED);
	assert_int_equal(k.key.vlan[0], 0x64);
	assert_int_equal(k.key.vlan[1], 200);
	assert_int_equal(k.key.vlan[3], 400);

	frame_begin(&f);
	frame_eth(&f, 0x8100);
	for (unsigned i = 1; i < 8; i++)
		frame_vlan(&f, (uint16_t)i, 0x8100);
	frame_vlan(&f, 8, 0x0800);
	udp_in(&f);
	k = decode_as(&f, LINK_ETHERNET); /* deeper than the key: the outermost are in it */
	assert_int_equal(k.reason, DECODED);
	assert_int_equal(k.nvlan, 8);
	assert_int_equal(k.key.vlan[0], 1);
	assert_int_equal(k.key.vlan[3], 4);
	assert_int_equal(k.key.port[1], 53);

	frame_begin(&f);
	frame_eth(&f, 0x8100);
	for (unsigned i = 0; i < 8; i++)
		frame_vlan(&f, 1, 0x8100);
	frame_vlan(&f, 1, 0x0800);
	udp_in(&f);
	assert_reason(&f, LINK_ETHERNET, "vlan_depth");
}

static void
test_mpls_and_pppoe(void **state)
{
	struct test_frame f;
	struct packet k;

	(void)state;
	frame_begin(&f);
	frame_eth(&f, 0x8847);
	wcur_be32(&f.c, 0x00010040);
	wcur_be32(&f.c, 0x00020140); /* bottom of the stack */
	udp_in(&f);
	k = decode_as(&f, LINK_ETHERNET);
	assert_int_equal(k.reason, DECODED);
	assert_int_equal(k.key.tunnel, TUNNEL_NONE);
	assert_int_equal(k.labels, 1);

	frame_begin(&f);
	frame_eth(&f, 0x8864);
	wcur_be32(&f.c, 0x11000001);
	wcur_be16(&f.c, 34);
	wcur_be16(&f.c, 0x0021);
	udp_in(&f);
	k = decode_as(&f, LINK_ETHERNET);
	assert_int_equal(k.reason, DECODED);
	assert_int_equal(k.key.tunnel, TUNNEL_PPPOE);
}

static void
test_refusals_have_names(void **state)
{
	static const struct {
		uint16_t type;
		const char *name;
	} types[] = { { 0x0806, "arp" },       { 0x88cc, "lldp" },      { 0x8809, "slow_protocol" },
		      { 0x888e, "eapol" },     { 0x6003, "ethertype" }, { 0x8863, "pppoe_discovery" },
		      { 0x1234, "ethertype" }, { 100, "llc" } };
	struct test_frame f;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		frame_begin(&f);
		frame_eth(&f, types[i].type);
		frame_zero(&f, 46);
		assert_reason(&f, LINK_ETHERNET, types[i].name);
	}
	frame_begin(&f);
	frame_eth(&f, 0x88e5);
	wcur_u8(&f.c, 0x0c); /* encrypted */
	frame_zero(&f, 45);
	assert_reason(&f, LINK_ETHERNET, "macsec");
	frame_begin(&f);
	frame_zero(&f, 20);
	assert_reason(&f, LINK_RAW, "ip_version");
	assert_reason(&f, 147, "link_type");
	for (unsigned i = 1; i < UNDECODED_COUNT; i++)
		assert_true(strlen(undecoded_name((enum undecoded)i)) > 0);
}

/* No flow, but whoever learns devices reads it: whole and only where it speaks of IPv4 over Ethernet. */
static void
test_arp(void **state)
{
	static const uint8_t body[ARP_LEN] = { 0,  1, 8, 0, 6, 4, 0, 2, 2, 0, 0,  0, 0, 1,
					       10, 0, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2 };
	struct test_frame f;
	struct packet k;
	struct arp a;

	(void)state;
	frame_begin(&f);
	frame_eth(&f, 0x8100);
	frame_vlan(&f, 7, 0x0806);
	wcur_put(&f.c, body, sizeof(body));
	frame_zero(&f, 18);
	k = decode_as(&f, LINK_ETHERNET);
	assert_int_equal(k.reason, UNDECODED_ARP);
	assert_true(packet_arp(&k, &a));
	assert_int_equal(a.operation, 2);
	assert_memory_equal(a.sender_mac, body + 8, 6);
	assert_memory_equal(a.sender_ip, body + 14, 4);
	assert_memory_equal(a.target_mac, body + 18, 6);
	assert_memory_equal(a.target_ip, body + 24, 4);
	assert_int_equal(k.key.vlan[0], 7);
	assert_memory_equal(k.mac + 6, "\2\0\0\0\0\1", 6);
	for (uint32_t cap = 0; cap < 14 + 4 + ARP_LEN; cap++) {
		decode_frame(&k, &ethernet, f.bytes, cap, frame_len(&f));
		assert_int_not_equal(k.reason, DECODED);
		assert_false(packet_arp(&k, &a));
		assert_int_equal(k.mac != NULL, cap >= 14);
	}
	for (unsigned i = 0; i < 6; i++) { /* another network, another length of addresses */
		f.bytes[14 + 4 + i] ^= 2;
		k = decode_as(&f, LINK_ETHERNET);
		assert_int_equal(k.reason, UNDECODED_ARP);
		assert_false(packet_arp(&k, &a));
		f.bytes[14 + 4 + i] ^= 2;
	}
	frame_make_udp(&f, 1, 1, 2, 2, "abc", 3);
	k = decode_as(&f, LINK_ETHERNET);
	assert_false(packet_arp(&k, &a));
}

static void
test_snap(void **state)
{
	struct test_frame f;

	(void)state;
	frame_begin(&f);
	frame_eth(&f, 40);
	wcur_put(&f.c, "\xaa\xaa\x03\0\0\0\x08", 7);
	wcur_u8(&f.c, 0);
	udp_in(&f);
	assert_int_equal(decode_as(&f, LINK_ETHERNET).reason, DECODED);
}

static void
test_ipv4_options_and_malformed(void **state)
{
	struct test_frame f;
	struct packet k;

	(void)state;
	frame_begin(&f);
	frame_ipv4(&f, (struct test_ip){ .from = 1, .to = 2, .protocol = 17, .options = 40, .len = 8 });
	frame_udp(&f, 1, 2, 0);
	k = decode_as(&f, LINK_RAW);
	assert_int_equal(k.reason, DECODED);
	assert_int_equal(k.key.port[1], 2);

	f.bytes[0] = 0x44; /* header of 16 bytes */
	assert_reason(&f, LINK_RAW, "ipv4_malformed");
	f.bytes[0] = 0x4f;
	f.bytes[3] = 30; /* shorter than its header */
	assert_reason(&f, LINK_RAW, "ipv4_malformed");
	f.bytes[2] = 0xff; /* longer than its frame: what is there counts */
	k = decode_as(&f, LINK_RAW);
	assert_int_equal(k.reason, DECODED);
	assert_int_equal(k.payload, 0);
	assert_int_equal(k.l3_len, frame_len(&f));
	f.bytes[2] = f.bytes[3] = 0; /* left to the network card: the frame's length counts */
	assert_int_equal(decode_as(&f, LINK_RAW).reason, DECODED);
}

static void
test_transport_malformed(void **state)
{
	struct test_frame f;

	(void)state;
	frame_make_tcp(&f, 1, 2, (struct test_tcp){ 1, 2, 0, 0, 2, 1 }, "", 0);
	f.bytes[14 + 20 + 12] = 0x40; /* data offset 4 */
	assert_reason(&f, LINK_ETHERNET, "tcp_malformed");
	f.bytes[14 + 20 + 12] = 0x60; /* beyond the datagram */
	assert_reason(&f, LINK_ETHERNET, "tcp_malformed");
	frame_make_udp(&f, 1, 1, 2, 2, "abc", 3);
	f.bytes[14 + 20 + 5] = 7;
	assert_reason(&f, LINK_ETHERNET, "udp_malformed");
}

static void
test_icmp_identifier(void **state)
{
	static const uint8_t types[][2] = { { 8, 0 }, { 0, 1 }, { 13, 0 }, { 14, 1 } };
	struct test_frame f;
	struct packet k;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		frame_begin(&f);
		frame_ipv4(&f, (struct test_ip){ .from = 1, .to = 2, .protocol = 1, .len = 8 });
		wcur_u8(&f.c, types[i][0]);
		wcur_u8(&f.c, 0);
		wcur_be16(&f.c, 0);
		wcur_be32(&f.c, 0x12340001);
		k = decode_as(&f, LINK_RAW);
		assert_int_equal(k.reason, DECODED);
		assert_int_equal(k.key.port[0], 0x1234);
		assert_int_equal(k.key.port[1], 0x1234);
		assert_int_equal(k.icmp_reply, types[i][1]);
	}
	f.bytes[20] = 3; /* unreachable: what stands there is no identifier */
	k = decode_as(&f, LINK_RAW);
	assert_int_equal(k.key.port[0], 0);
	assert_int_equal(k.icmp_type, 3);
}

static void
test_ipv6_extensions(void **state)
{
	struct test_frame f;
	struct packet k;

	(void)state;
	frame_begin(&f);
	frame_ipv6(&f, 1, 2, 0, 8 + 16 + 12 + 8 + 8);
	wcur_u8(&f.c, 43); /* hop-by-hop, then */
	wcur_u8(&f.c, 0);
	frame_zero(&f, 6);
	wcur_u8(&f.c, 51); /* routing of 16 bytes, then */
	wcur_u8(&f.c, 1);
	frame_zero(&f, 14);
	wcur_u8(&f.c, 60); /* authentication of 12 bytes, then */
	wcur_u8(&f.c, 1);
	frame_zero(&f, 10);
	wcur_u8(&f.c, 17); /* destination options, then UDP */
	wcur_u8(&f.c, 0);
	frame_zero(&f, 6);
	frame_udp(&f, 546, 547, 0);
	k = decode_as(&f, LINK_RAW);
	assert_int_equal(k.reason, DECODED);
	assert_int_equal(k.key.protocol, 17);
	assert_int_equal(k.key.port[1], 547);
	assert_ip(&k.key.ip[1], "2001:db8::2");

	frame_begin(&f);
	frame_ipv6(&f, 1, 2, 0, 20 * 8);
	for (unsigned i = 0; i < 20; i++) {
		wcur_u8(&f.c, 0);
		wcur_u8(&f.c, 0);
		frame_zero(&f, 6);
	}
	assert_reason(&f, LINK_RAW, "ipv6_extensions"); /* bounded */
}

static void
test_fragments_find_their_first(void **state)
{
	static struct fragment_table t;
	struct test_frame f;
	struct packet first, later, stranger;

	(void)state;
	memset(&t, 0, sizeof(t));
	frame_begin(&f);
	frame_ipv4(&f, (struct test_ip){
			   .from = 1, .to = 2, .protocol = 17, .id = 77, .fragment = 0x2000, .len = 16 });
	frame_udp(&f, 5000, 6000, 100);
	frame_zero(&f, 8);
	first = decode_as(&f, LINK_RAW);
	assert_int_equal(first.fragment, FRAGMENT_FIRST);
	fragment_resolve(&t, &first, 1000);

	frame_begin(&f);
	frame_ipv4(
	    &f, (struct test_ip){ .from = 1, .to = 2, .protocol = 17, .id = 77, .fragment = 2, .len = 16 });
	frame_zero(&f, 16);
	later = decode_as(&f, LINK_RAW);
	assert_int_equal(later.fragment, FRAGMENT_LATER);
	assert_int_equal(later.key.port[0], 0);
	assert_int_equal(later.payload, 16);
	stranger = later;
	stranger.fragment_id = 78;
	fragment_resolve(&t, &later, 2000);
	assert_int_equal(later.key.port[0], 5000);
	assert_int_equal(later.key.port[1], 6000);
	packet_seal(&first, seed);
	packet_seal(&later, seed);
	assert_memory_equal(&first.key, &later.key, sizeof(first.key));

	fragment_resolve(&t, &stranger, 2000);
	assert_int_equal(stranger.key.port[0], 0);
	assert_int_equal(t.unknown, 1);
	later.key.port[0] = 0;
	fragment_resolve(&t, &stranger, 2000);

	stranger.fragment_id = 77;
	stranger.key.point = 1; /* another point, perhaps another customer's */
	fragment_resolve(&t, &stranger, 2000);
	assert_int_equal(stranger.key.port[0], 0);
	stranger.key.point = 0;
	fragment_resolve(&t, &stranger, 1000 + 31 * NS_PER_S); /* too late */
	assert_int_equal(stranger.key.port[0], 0);
}

/* A first fragment so short that the transport header goes on in the next: counted all the same. */
static void
test_stub_fragment(void **state)
{
	struct test_frame f;
	struct packet k;

	(void)state;
	frame_begin(&f);
	frame_ipv4(
	    &f, (struct test_ip){ .from = 1, .to = 2, .protocol = 6, .id = 9, .fragment = 0x2000, .len = 8 });
	wcur_be32(&f.c, 0x00500051);
	frame_zero(&f, 4);
	k = decode_as(&f, LINK_RAW);
	assert_int_equal(k.reason, DECODED);
	assert_int_equal(k.fragment, FRAGMENT_STUB);
	assert_int_equal(k.key.port[0], 80);
}

static void
test_both_directions_have_one_key(void **state)
{
	struct test_frame f;
	struct packet a, b, other;

	(void)state;
	frame_make_udp(&f, 0x0a000001, 5000, 0x0a000002, 53, "x", 1);
	a = decode_as(&f, LINK_ETHERNET);
	frame_make_udp(&f, 0x0a000002, 53, 0x0a000001, 5000, "x", 1);
	b = decode_as(&f, LINK_ETHERNET);
	frame_make_udp(&f, 0x0a000002, 5000, 0x0a000001, 53, "x", 1);
	other = decode_as(&f, LINK_ETHERNET);
	packet_seal(&a, seed);
	packet_seal(&b, seed);
	packet_seal(&other, seed);
	assert_memory_equal(&a.key, &b.key, sizeof(a.key));
	assert_int_equal(a.hash, b.hash);
	assert_int_not_equal(a.swapped, b.swapped);
	assert_memory_not_equal(&a.key, &other.key, sizeof(a.key));
	/* equal addresses: the ports order the ends */
	frame_make_udp(&f, 7, 2, 7, 1, "x", 1);
	a = decode_as(&f, LINK_ETHERNET);
	packet_seal(&a, seed);
	assert_int_equal(a.key.port[0], 1);
	assert_true(a.swapped);
}

static void
test_hash_depends_on_seed(void **state)
{
	const uint64_t other[2] = { 3, 5 };
	struct test_frame f;
	struct packet a, b;

	(void)state;
	frame_make_udp(&f, 1, 2, 3, 4, "x", 1);
	a = b = decode_as(&f, LINK_ETHERNET);
	packet_seal(&a, seed);
	packet_seal(&b, other);
	assert_int_not_equal(a.hash, b.hash);
}

/* Cut at every length: exactly one of decoded and refused, wire bytes kept, and pointers within what was
 * captured. */
static void
test_every_truncation(void **state)
{
	struct test_frame f;
	struct packet k;

	(void)state;
	frame_begin(&f);
	frame_eth(&f, 0x8100);
	frame_vlan(&f, 5, 0x86dd);
	frame_ipv6(&f, 1, 2, 0, 8 + 20 + 30);
	wcur_u8(&f.c, 6);
	wcur_u8(&f.c, 0);
	frame_zero(&f, 6);
	frame_tcp(&f, (struct test_tcp){ 1, 2, 3, 4, 0x18, 5 });
	frame_zero(&f, 30);
	for (uint32_t cap = 0; cap <= frame_len(&f); cap++) {
		uint8_t *exact = malloc(cap + 1); /* sanitizers see the first byte past the end */

		memcpy(exact, f.bytes, cap);
		decode_frame(&k, &ethernet, exact, cap, frame_len(&f));
		assert_int_equal(k.wire_len, frame_len(&f));
		/* Ethernet, VLAN, IPv6, hop-by-hop, TCP: from the ports on it is decoded, from the fixed
		 * header on with all that TCP says. */
		assert_int_equal(k.reason == DECODED, cap >= 14 + 4 + 40 + 8 + 4);
		if (k.reason == DECODED) {
			assert_int_equal(k.key.port[0], 1);
			assert_int_equal(k.key.port[1], 2);
			assert_int_equal(k.payload, 30);
			assert_int_equal(k.fragment == FRAGMENT_CUT, cap < 14 + 4 + 40 + 8 + 20);
		}
		if (k.reason == DECODED && k.fragment == FRAGMENT_NONE) {
			assert_int_equal(k.payload, 30);
			assert_int_equal(k.app_len, cap - (14 + 4 + 40 + 8 + 20));
			assert_int_equal(k.l3_whole, cap == frame_len(&f));
		}
		free(exact);
	}
}

static void
test_other_protocols(void **state)
{
	struct test_frame f;
	struct packet k;

	(void)state;
	frame_begin(&f); /* GRE: an outer flow */
	frame_ipv4(&f, (struct test_ip){ .from = 1, .to = 2, .protocol = 47, .len = 10 });
	frame_zero(&f, 10);
	k = decode_as(&f, LINK_RAW);
	assert_int_equal(k.reason, DECODED);
	assert_int_equal(k.key.protocol, 47);
	assert_int_equal(k.key.port[0], 0);
	assert_int_equal(k.payload, 10);

	frame_begin(&f);
	frame_ipv4(&f, (struct test_ip){ .from = 1, .to = 2, .protocol = 132, .len = 16 });
	wcur_be32(&f.c, 0x0b590b5a);
	frame_zero(&f, 12);
	k = decode_as(&f, LINK_RAW);
	assert_int_equal(k.key.port[0], 0x0b59);
	assert_int_equal(k.payload, 4);
}

/* What the general way makes of a frame at a point. */
static void
decode_slowly(struct packet *k, const struct decode_options *o, const uint8_t *frame, uint32_t cap,
	      uint32_t wire)
{
	decode_frame(k, o, frame, cap, wire);
	if (k->reason == DECODED)
		packet_seal(k, seed);
}

/* Both on a block of exactly cap bytes. True where the quick one did not decline; then all is equal. */
static bool
agree(const uint8_t *frame, uint32_t cap, uint32_t wire, uint8_t point)
{
	const size_t whole = offsetof(struct packet, labels) + sizeof(((struct packet *)NULL)->labels);
	uint8_t *exact = test_malloc(cap + 1u); /* its guard stands behind the last byte */
	const struct decode_options o = { .link_type = LINK_ETHERNET, .point = point, .outer = point & 1 };
	struct packet quick, slow;
	bool taken;

	memcpy(exact, frame, cap);
	memset(&quick, 0xa5, sizeof(quick)); /* every field is set, not only those that were not 0 */
	taken = decode_quick(&quick, &o, exact, cap, wire, seed);
	if (taken) {
		decode_slowly(&slow, &o, exact, cap, wire);
		assert_int_equal(slow.reason, DECODED);
		assert_memory_equal(&quick, &slow, whole);
	}
	test_free(exact);
	return taken;
}

static uint64_t
pseudo_random(uint64_t *x)
{
	*x += UINT64_C(0x9e3779b97f4a7c15);
	return hash_mix(*x, UINT64_C(0xd6e8feb86659fd93));
}

/* A plain frame: IPv4 or IPv6, TCP or UDP, tagged or not, padded or not. */
static void
plain_frame(struct test_frame *f, uint64_t r)
{
	const bool v6 = r & 1, is_tcp = r & 2, tagged = r & 4;
	const uint16_t len = (uint16_t)(r >> 8 & 0x3f), l4 = (uint16_t)(len + (is_tcp ? 20 : 8));

	frame_begin(f);
	frame_eth(f, tagged ? 0x8100 : v6 ? 0x86dd : 0x0800);
	if (tagged)
		frame_vlan(f, (uint16_t)(r >> 16), v6 ? 0x86dd : 0x0800);
	if (v6)
		frame_ipv6(f, (uint8_t)(r >> 32 & 3), (uint8_t)(r >> 34 & 3), is_tcp ? 6 : 17, l4);
	else
		frame_ipv4(f, (struct test_ip){ .from = (uint32_t)(r >> 32 & 3),
						.to = (uint32_t)(r >> 34 & 3),
						.protocol = is_tcp ? 6 : 17,
						.len = l4 });
	if (is_tcp)
		frame_tcp(f, (struct test_tcp){ (uint16_t)(r >> 40 & 3), (uint16_t)(r >> 42 & 3),
						(uint32_t)(r >> 20), (uint32_t)(r >> 24), (uint8_t)(r >> 44),
						(uint16_t)(r >> 48) });
	else
		frame_udp(f, (uint16_t)(r >> 40 & 3), (uint16_t)(r >> 42 & 3), len);
	frame_zero(f, (size_t)len + (r & 8 ? 7 : 0));
}

/* Every plain frame is taken, and nothing that is taken differs: whole, cut, and with bytes changed, first of
 * all those that say what and how long something is. */
static void
test_quick_agrees(void **state)
{
	static const uint8_t telling[] = {
		12, 13, 14, 15, 16, 17, 18, 20, 21, 23, 24, 25, 38, 39, 42, 46, 58
	};
	uint64_t x = 1;
	unsigned taken = 0, declined = 0;

	(void)state;
	for (unsigned n = 0; n < 20000; n++) {
		uint64_t r = pseudo_random(&x);
		struct test_frame f;
		uint32_t len, cap;

		plain_frame(&f, r);
		len = frame_len(&f);
		assert_int_equal(agree(f.bytes, len, len, (uint8_t)n), len >= 14 + 4 + 20 + 8);
		cap = (uint32_t)(pseudo_random(&x) % (len + 1));
		(void)agree(f.bytes, cap, len, 0);
		for (unsigned m = 0; m < 3; m++) {
			uint64_t q = pseudo_random(&x);
			size_t at =
			    q & 1 ? (size_t)telling[(q >> 8) % sizeof(telling)] : (size_t)((q >> 8) % len);
			uint8_t bit = (uint8_t)(1u << (q >> 32 & 7));

			f.bytes[at] = q & 2 ? (uint8_t)(q >> 32) : (uint8_t)(f.bytes[at] ^ bit);
			if (agree(f.bytes, q & 4 ? cap : len, len + (q >> 48 & 3), 3))
				taken++;
			else
				declined++;
		}
	}
	assert_true(taken > 10000 && declined > 10000); /* both were tried */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_over_ethernet),
		cmocka_unit_test(test_every_link_type),
		cmocka_unit_test(test_vlan_stack),
		cmocka_unit_test(test_mpls_and_pppoe),
		cmocka_unit_test(test_refusals_have_names),
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_snap),
		cmocka_unit_test(test_ipv4_options_and_malformed),
		cmocka_unit_test(test_transport_malformed),
		cmocka_unit_test(test_icmp_identifier),
		cmocka_unit_test(test_ipv6_extensions),
		cmocka_unit_test(test_fragments_find_their_first),
		cmocka_unit_test(test_stub_fragment),
		cmocka_unit_test(test_both_directions_have_one_key),
		cmocka_unit_test(test_hash_depends_on_seed),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_other_protocols),
		cmocka_unit_test(test_quick_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
