/* What is in front of IP: every link type, every tag, and what has no flow by its name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/ip.h"
#include "base/mem.h"
#include "decode/decode.h"
#include "decode_stack.h"

/* Bytes in front of an IPv4 or IPv6 datagram. */
struct row {
	uint32_t link;
	uint8_t header[80];
	uint8_t len;
	uint8_t zeros; /* more of them before all */
	bool v6;
};

#define WLAN_TO 0x08, 0x01, 0, 0, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 3, 0x10, 0
#define SNAP    0xaa, 0xaa, 3, 0, 0, 0, 8, 0
#define MACS    2, 0, 0, 0, 1, 2, 2, 0, 0, 0, 1, 1

static const struct row rows[] = {
	{ LINK_NULL, { 2, 0, 0, 0 }, 4, 0, false },
	{ LINK_NULL, { 0, 0, 0, 30 }, 4, 0, true },
	{ LINK_LOOP, { 0, 0, 0, 24 }, 4, 0, true },
	{ LINK_RAW, { 0 }, 0, 0, true },
	{ LINK_IPV6, { 0 }, 0, 0, true },
	{ LINK_SLIP, { 0 }, 0, 16, false },
	{ LINK_PPP, { 0xff, 3, 0, 0x57 }, 4, 0, true },
	{ LINK_PPP_HDLC, { 0xff, 3, 0x21 }, 3, 0, false },
	{ LINK_PPP_PPPD, { 0, 3, 0, 0x21 }, 4, 0, false },
	{ LINK_PPP_PPPD, { 1, 0x57 }, 2, 0, true },
	{ LINK_PPP_WITH_DIRECTION, { 1, 0xff, 3, 0, 0x21 }, 5, 0, false },
	{ LINK_PPP_ETHER, { 0x11, 0, 0, 1, 0, 34, 0, 0x21 }, 8, 0, false },
	{ LINK_CHDLC, { 0x0f, 0, 0x86, 0xdd }, 4, 0, true },
	{ LINK_CHDLC_WITH_DIRECTION, { 0, 0x8f, 0, 8, 0 }, 5, 0, false },
	{ LINK_FRELAY, { 0x18, 0x41, 3, 0xcc }, 4, 0, false },
	{ LINK_FRELAY, { 0x18, 0x41, 3, 0x8e }, 4, 0, true },
	{ LINK_FRELAY, { 0x18, 0x40, 0x02, 0x41, 3, 0, 0xcc }, 7, 0, false },
	{ LINK_FRELAY, { 0x18, 0x41, 3, 0, 0x80, 0, 0, 0, 8, 0 }, 10, 0, false },
	{ LINK_FRELAY, { 0x18, 0x41, 3, 0xcf, 0, 0x21 }, 6, 0, false },
	{ LINK_FRELAY, { 0x18, 0x41, 8, 0 }, 4, 0, false },
	{ LINK_FRELAY, { 0x18, 0x41, 3, 0x80, 0, 0x80, 0xc2, 0, 7, MACS, 8, 0 }, 23, 0, false },
	{ LINK_FRELAY_WITH_DIRECTION, { 1, 0x18, 0x41, 3, 0xcc }, 5, 0, false },
	{ LINK_FDDI, { 0x57, MACS, SNAP }, 21, 0, false },
	{ LINK_ATM_RFC1483, { SNAP }, 8, 0, false },
	{ LINK_ETHERNET, { MACS, 0, 40, SNAP }, 22, 0, false },
	{ LINK_ETHERNET, { MACS, 0, 40, 0xaa, 0xaa, 3, 0, 0, 0xf8, 0x86, 0xdd }, 22, 0, true },
	{ LINK_ETHERNET, { MACS, 0, 35, 6, 6, 3 }, 17, 0, false },
	{ LINK_SLL, { 0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0, 4, SNAP }, 24, 0, false },
	{ LINK_SLL2, { 0x86, 0xdd, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0 }, 20, 0, true },
	{ LINK_APPLE_1394, { 8, 0 }, 2, 16, false },
	{ LINK_IPOIB, { 0x86, 0xdd, 0, 0 }, 4, 40, true },
	{ LINK_MPLS, { 0, 1, 1, 64 }, 4, 0, false },
	{ LINK_NFLOG, { 2, 0, 0, 0, 8, 0, 6, 0, 0, 0, 0, 0, 36, 0, 9, 0 }, 16, 0, false },
	{ LINK_NFLOG, { 10, 0, 0, 0, 0, 5, 0, 6, 0, 0, 0, 0, 0, 56, 0, 9 }, 16, 0, true },
	{ LINK_PKTAP, { 16, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, MACS, 8, 0 }, 30, 0, false },
	{ LINK_DSA_BROADCOM, { MACS, 0, 0, 0x20, 3, 8, 0 }, 18, 0, false },
	{ LINK_DSA_BROADCOM_IN_FRONT, { 0, 0, 0x20, 3, MACS, 8, 0 }, 18, 0, false },
	{ LINK_DSA, { MACS, 0xc0, 0x0a, 0, 0, 8, 0 }, 18, 0, false },
	{ LINK_DSA_ETHERTYPE, { MACS, 0xda, 0xda, 0, 0, 0xc0, 0x0a, 0, 0, 0x86, 0xdd }, 22, 0, true },
	{ LINK_WLAN, { WLAN_TO, SNAP }, 32, 0, false },
	{ LINK_WLAN, { 0x88, 0x02, 0, 0, MACS, 2, 0, 0, 0, 0, 3, 0x10, 0, 0, 0, SNAP }, 34, 0, false },
	{ LINK_WLAN,
	  { 0x08, 0x03, 0, 0, MACS, 2, 0, 0, 0, 0, 3, 0x10, 0, 2, 0, 0, 0, 0, 4, SNAP },
	  38,
	  0,
	  false },
	{ LINK_WLAN,
	  { 0x88, 0x02, 0, 0, MACS, 2, 0, 0, 0, 0, 3, 0x10, 0, 0x80, 0, MACS, 0, 40, SNAP },
	  48,
	  0,
	  false },
	{ LINK_RADIOTAP, { 0, 0, 8, 0, 0, 0, 0, 0, WLAN_TO, SNAP }, 40, 0, false },
	{ LINK_RADIOTAP,
	  { 0, 0, 17, 0, 3, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x10, WLAN_TO, SNAP },
	  49,
	  0,
	  false },
	{ LINK_RADIOTAP, /* the time is none of the flags */
	  { 0,    0,    17, 0, 3,    0, 0, 0, 0x20, 2, 3, 4,    5, 6, 7, 8,   0x10,
	    0x88, 0x01, 0,  0, MACS, 2, 0, 0, 0,    0, 3, 0x10, 0, 0, 0, SNAP },
	  51,
	  0,
	  false },
	{ LINK_RADIOTAP, /* the header of 26 bytes is padded to 28 */
	  {
	      0, 0, 9, 0, 2, 0, 0,    0, 0x20, 0x88, 0x01, 0, 0,   MACS,
	      2, 0, 0, 0, 0, 3, 0x10, 0, 0,    0,    0,    0, SNAP },
	  45,
	  0,
	  false },
	{ LINK_PPI, { 0, 0, 8, 0, 105, 0, 0, 0, WLAN_TO, SNAP }, 40, 0, false },
	{ LINK_PPI, { 0, 0, 12, 0, 1, 0, 0, 0, 1, 2, 3, 4, MACS, 8, 0 }, 26, 0, false },
	{ LINK_WLAN_AVS, { 0x80, 0x21, 0x10, 0x01, 0, 0, 0, 12, 0, 0, 0, 0, WLAN_TO, SNAP }, 44, 0, false },
	/* tags behind Ethernet */
	{ LINK_ETHERNET, { MACS, 0x88, 0xa8, 0, 1, 0x91, 0, 0, 2, 0x92, 0, 0, 3, 8, 0 }, 26, 0, false },
	{ LINK_ETHERNET, { MACS, 0x89, 0x3f, 0, 0, 0, 0, 0, 0, 8, 0 }, 22, 0, false },
	{ LINK_ETHERNET, { MACS, 0x89, 0x26, 0, 0, 0, 0, 8, 0 }, 20, 0, false },
	{ LINK_ETHERNET, { MACS, 0x89, 0x09, 1, 1, 0, 1, 0, 5, 8, 0 }, 22, 0, false },
	{ LINK_ETHERNET, { MACS, 0x89, 0x2f, 0, 34, 0, 1, 0x86, 0xdd }, 20, 0, true },
	{ LINK_ETHERNET, { MACS, 0x89, 0x4f, 0, 0x42, 1, 1, 0, 0, 0, 1 }, 22, 0, false },
	{ LINK_ETHERNET, { MACS, 0x88, 0xe5, 0, 0, 0, 0, 0, 1, 8, 0 }, 22, 0, false },
	{ LINK_ETHERNET,
	  { MACS, 0x88, 0xe5, 0x20, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 8, 0 },
	  30,
	  0,
	  false },
	{ LINK_ETHERNET, { MACS, 0xd2, 0x8b, 0, 1, 0, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 8, 0 }, 28, 0, false },
	{ LINK_ETHERNET, { MACS, 0xd2, 0x8b, 0, 1, 1, 0x21, 1, 2, 3, 4, 5, 6, 0x86, 0xdd }, 26, 0, true },
};

static struct packet
decode(uint32_t link, const uint8_t *frame, uint32_t cap, uint32_t wire)
{
	const struct decode_options o = { .link_type = link };
	uint8_t *exact = test_malloc(cap + 1u);
	struct packet k;

	memcpy(exact, frame, cap);
	decode_frame(&k, &o, exact, cap, wire);
	test_free(exact);
	return k;
}

static void
make(struct stack *s, const struct row *r)
{
	stack_begin(s);
	if (r->v6)
		put_inner6(s);
	else
		put_inner4(s);
	put(s, r->header, r->len);
	put_zero(s, r->zeros);
}

/* Whole: the flow. Cut: the flow as soon as its ports are there, before that refused by a name. */
static void
check(const struct row *r, size_t number)
{
	struct stack s;
	struct packet k;
	uint32_t ports;

	make(&s, r);
	k = decode(r->link, stack_bytes(&s), stack_len(&s), stack_len(&s));
	if (k.reason != DECODED)
		fail_msg("row %zu: %s", number, undecoded_name((enum undecoded)k.reason));
	assert_int_equal(k.key.port[1], 5353);
	assert_int_equal(k.payload, 4);
	assert_int_equal(k.key.ip[1].b[15], 2);
	ports = stack_len(&s) - 4 - 8 + 4;
	for (uint32_t cap = 0; cap < stack_len(&s); cap++) {
		k = decode(r->link, stack_bytes(&s), cap, stack_len(&s));
		assert_int_equal(k.wire_len, stack_len(&s));
		if (cap >= ports) {
			assert_int_equal(k.reason, DECODED);
			assert_int_equal(k.key.port[1], 5353);
			assert_int_equal(k.fragment == FRAGMENT_CUT, cap < ports + 4);
		} else {
			assert_int_not_equal(k.reason, DECODED);
		}
	}
}

static void
test_every_link(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(&rows[i], i);
}

/* Headers that are longer than a row has room for. */
static void
test_long_headers(void **state)
{
	static const struct {
		uint32_t link;
		uint8_t front[4];
		uint8_t rest; /* zeros behind these */
		bool wlan;
	} headers[] = {
		{ LINK_ENC, { 2, 0, 0, 0 }, 8, false },
		{ LINK_PFLOG, { 61, 2, 0, 0 }, 60, false },
		{ LINK_PRISM, { 0, 0, 0, 0x44 }, 140, true },
	};
	static const uint8_t wlan[] = { WLAN_TO, SNAP };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		struct stack s;
		struct packet k;

		stack_begin(&s);
		put_inner4(&s);
		if (headers[i].wlan)
			put(&s, wlan, sizeof(wlan));
		put_zero(&s, headers[i].rest);
		put(&s, headers[i].front, 4);
		k = decode(headers[i].link, stack_bytes(&s), stack_len(&s), stack_len(&s));
		assert_int_equal(k.reason, DECODED);
		assert_int_equal(k.key.port[1], 5353);
	}
}

static void
test_refusals(void **state)
{
	static const struct {
		uint32_t link;
		uint8_t bytes[40];
		uint8_t len;
		const char *name;
	} refused[] = {
		{ LINK_ETHERNET, { MACS, 0, 38, 0x42, 0x42, 3 }, 40, "stp" },
		{ LINK_ETHERNET, { MACS, 0, 38, 0xaa, 0xaa, 3, 0, 0, 0x0c, 1, 0x0b }, 40, "stp" },
		{ LINK_ETHERNET, { MACS, 0, 38, 0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0 }, 40, "cdp" },
		{ LINK_ETHERNET, { MACS, 0, 38, 0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 4 }, 40, "llc" },
		{ LINK_ETHERNET, { MACS, 0, 38, 0xfe, 0xfe, 3 }, 40, "osi" },
		{ LINK_ETHERNET, { MACS, 0, 38, 0xe0, 0xe0, 3 }, 40, "llc" },
		{ LINK_ETHERNET, { MACS, 0x88, 0xcc }, 40, "lldp" },
		{ LINK_ETHERNET, { MACS, 0x88, 0x47, 0, 1, 0, 64 }, 18, "mpls_truncated" },
		{ LINK_ETHERNET, { MACS, 0x88, 0x47, 0, 0, 0xd1, 64, 0x10 }, 40, "mpls_payload" },
		{ LINK_ETHERNET, { MACS, 0x88, 0x47, 0, 1, 1, 64, 0x10 }, 40, "mpls_payload" },
		{ LINK_ETHERNET, { MACS, 0xd2, 0x8b, 0, 2 }, 40, "ethertype" },
		{ LINK_ETHERNET, { MACS, 0x88, 0xe5, 0x80 }, 40, "macsec" },
		{ LINK_ETHERNET, { MACS, 0x88, 0x64, 0x11, 0, 0, 1, 0, 6, 0xc0, 0x21 }, 30, "ppp_control" },
		{ LINK_ETHERNET,
		  { MACS, 0x88, 0x64, 0x11, 0, 0, 1, 0, 6, 0, 0x3d, 0x80 },
		  30,
		  "ppp_fragment" },
		{ LINK_FRELAY, { 0x18, 0x41, 3, 0x81 }, 20, "osi" },
		{ LINK_FRELAY, { 0x18, 0x41, 3, 0x08 }, 20, "llc" },
		{ LINK_FRELAY, { 0, 0, 0, 0 }, 20, "frame_malformed" },
		{ LINK_FDDI, { 0xc0 }, 20, "llc" },
		{ LINK_NFLOG, { 2, 0, 0, 0, 1, 0, 6, 0 }, 20, "frame_malformed" },
		{ LINK_RADIOTAP, { 0, 0, 7, 0 }, 20, "frame_malformed" },
		{ LINK_RADIOTAP, { 0, 0, 70, 0 }, 20, "frame_truncated" },
		{ LINK_WLAN, { 0x80, 0 }, 40, "wlan_control" },
		{ LINK_WLAN, { 0xd4, 0 }, 10, "wlan_control" },
		{ LINK_WLAN, { 0x48, 1 }, 30, "wlan_control" },
		{ LINK_WLAN, { 0x08, 0x41 }, 40, "wlan_encrypted" },
		{ LINK_WLAN, { 0x08, 0x05 }, 40, "wlan_fragment" },
		{ LINK_PPI, { 0, 0, 8, 0, 192, 0, 0, 0, 0, 0, 8, 0, 147, 0, 0, 0 }, 20, "link_type" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct packet k = decode(refused[i].link, refused[i].bytes, refused[i].len, refused[i].len);

		if (strcmp(undecoded_name((enum undecoded)k.reason), refused[i].name) != 0)
			fail_msg("row %zu: %s", i, undecoded_name((enum undecoded)k.reason));
	}
}

/* Headers that may stand in themselves without end. */
static void
test_nesting_is_bounded(void **state)
{
	struct stack s;
	struct packet k;

	(void)state;
	stack_begin(&s);
	for (unsigned i = 0; i < 100; i++)
		PUT(&s, 0, 0, 8, 0, 192, 0, 0, 0);
	k = decode(LINK_PPI, stack_bytes(&s), stack_len(&s), stack_len(&s));
	assert_int_equal(k.reason, UNDECODED_NESTING);
	stack_begin(&s);
	for (unsigned i = 0; i < 100; i++)
		put_ethernet(&s, 0x6558, 1);
	k = decode(LINK_ETHERNET, stack_bytes(&s), stack_len(&s), stack_len(&s));
	assert_int_equal(k.reason, UNDECODED_NESTING);
}

static void
test_switch_vlan(void **state)
{
	struct stack s;
	struct packet k;

	(void)state;
	stack_begin(&s);
	put_inner4(&s);
	PUT(&s, MACS, 0xe0, 0x0a, 0x20, 0x07, 8, 0);
	k = decode(LINK_DSA, stack_bytes(&s), stack_len(&s), stack_len(&s));
	assert_int_equal(k.reason, DECODED);
	assert_int_equal(k.nvlan, 1);
	assert_int_equal(k.key.vlan[0], 7);
}

/* --- transport --- */

static struct packet
over_ip4(const uint8_t *bytes, uint8_t len, uint8_t protocol, uint32_t cut)
{
	struct stack s;

	stack_begin(&s);
	put(&s, bytes, len);
	put_ipv4(&s, protocol, 9);
	return decode(LINK_RAW, stack_bytes(&s), stack_len(&s) - cut, stack_len(&s));
}

/* Ports are there: counted into their flow. They were cut off, or the datagram is too short: by name. */
static void
test_ports(void **state)
{
	static const struct {
		uint8_t protocol, header;
		const char *truncated, *malformed;
	} protocols[] = {
		{ 6, 20, "tcp_truncated", "tcp_malformed" },
		{ 17, 8, "udp_truncated", "udp_malformed" },
		{ 132, 12, "sctp_truncated", "sctp_malformed" },
		{ 33, 12, "dccp_truncated", "dccp_malformed" },
		{ 136, 8, "udplite_truncated", "udplite_malformed" },
	};
	static const uint8_t bytes[28] = { 0x12, 0x34, 0x56, 0x78, 0, 28, 0, 0, 0, 0, 0, 0, 0x50 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		struct packet k;

		for (uint32_t cut = 0; cut <= sizeof(bytes); cut++) {
			k = over_ip4(bytes, sizeof(bytes), protocols[i].protocol, cut);
			if (cut > sizeof(bytes) - 4) {
				assert_string_equal(undecoded_name((enum undecoded)k.reason),
						    protocols[i].truncated);
				continue;
			}
			assert_int_equal(k.reason, DECODED);
			assert_int_equal(k.key.port[0], 0x1234);
			assert_int_equal(k.key.port[1], 0x5678);
			assert_int_equal(k.payload, sizeof(bytes) - protocols[i].header);
			assert_int_equal(fragment_is_whole(k.fragment),
					 sizeof(bytes) - cut >= protocols[i].header);
		}
		for (uint8_t len = 0; len < protocols[i].header; len++) {
			k = over_ip4(bytes, len, protocols[i].protocol, 0);
			assert_string_equal(undecoded_name((enum undecoded)k.reason), protocols[i].malformed);
		}
	}
}

static void
test_icmp_kinds(void **state)
{
	static const struct {
		uint8_t protocol, type, code, key_type, reply;
		uint16_t key;
	} kinds[] = {
		{ 1, 8, 0, 8, 0, 0x1234 },   { 1, 0, 0, 8, 1, 0x1234 },      { 1, 14, 0, 13, 1, 0x1234 },
		{ 1, 18, 0, 17, 1, 0x1234 }, { 1, 43, 2, 42, 1, 0x1234 },    { 1, 3, 1, 3, 0, 1 },
		{ 1, 11, 0, 11, 0, 0 },      { 58, 129, 0, 128, 1, 0x1234 }, { 58, 161, 0, 160, 1, 0x1234 },
		{ 58, 135, 0, 135, 0, 0 },   { 58, 1, 4, 1, 0, 4 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const uint8_t bytes[8] = { kinds[i].type, kinds[i].code, 0, 0, 0x12, 0x34, 0, 1 };
		struct packet k = over_ip4(bytes, sizeof(bytes), kinds[i].protocol, 0);

		assert_int_equal(k.reason, DECODED);
		assert_int_equal(k.icmp_type, kinds[i].type);
		assert_int_equal(k.icmp_code, kinds[i].code);
		assert_int_equal(k.key.icmp_type, kinds[i].key_type);
		assert_int_equal(k.key.port[0], kinds[i].key);
		assert_int_equal(k.key.port[1], kinds[i].key);
		assert_int_equal(k.icmp_reply, kinds[i].reply);
		k = over_ip4(bytes, 1, kinds[i].protocol, 0);
		assert_string_equal(undecoded_name((enum undecoded)k.reason),
				    kinds[i].protocol == 1 ? "icmp_malformed" : "icmpv6_malformed");
		k = over_ip4(bytes, 8, kinds[i].protocol, 7);
		assert_string_equal(undecoded_name((enum undecoded)k.reason),
				    kinds[i].protocol == 1 ? "icmp_truncated" : "icmpv6_truncated");
	}
}

/* The authentication header of IPv4, and of IPv6 the mobility header, which is one or is all there is. */
static void
test_transport_behind_headers(void **state)
{
	struct stack s;
	struct packet k;

	(void)state;
	stack_begin(&s);
	PUT(&s, 'a', 'b', 'c', 'd');
	put_udp(&s, 5000, 5353);
	PUT(&s, 17, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
	put_ipv4(&s, 51, 9);
	k = decode(LINK_RAW, stack_bytes(&s), stack_len(&s), stack_len(&s));
	assert_int_equal(k.key.protocol, 17);
	assert_int_equal(k.key.port[1], 5353);
	assert_int_equal(k.payload, 4);
	k = decode(LINK_RAW, stack_bytes(&s), 20 + 10, stack_len(&s));
	assert_int_equal(k.reason, DECODED);
	assert_int_equal(k.key.protocol, 51);

	stack_begin(&s);
	PUT(&s, 'a', 'b', 'c', 'd');
	put_udp(&s, 5000, 5353);
	PUT(&s, 17, 0, 5, 0, 0, 0, 0, 0);
	put_ipv6(&s, 135, 9);
	k = decode(LINK_RAW, stack_bytes(&s), stack_len(&s), stack_len(&s));
	assert_int_equal(k.key.protocol, 17);
	s.room[s.at + 40] = 59;
	k = decode(LINK_RAW, stack_bytes(&s), stack_len(&s), stack_len(&s));
	assert_int_equal(k.reason, DECODED);
	assert_int_equal(k.key.protocol, 135);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_link),  cmocka_unit_test(test_long_headers),
		cmocka_unit_test(test_refusals),    cmocka_unit_test(test_nesting_is_bounded),
		cmocka_unit_test(test_switch_vlan), cmocka_unit_test(test_ports),
		cmocka_unit_test(test_icmp_kinds),  cmocka_unit_test(test_transport_behind_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
