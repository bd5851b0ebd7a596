/* What the decoder found in one frame: the key of its flow and what the flow has to learn from it. */
#ifndef WEIR_DECODE_PACKET_H
#define WEIR_DECODE_PACKET_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "base/ip.h"
#include "ipc/wire.h"

/* Why a frame belongs to no flow. The names are stable: they are what users see. 0 means that it was decoded.
 */
#define UNDECODED_TABLE(X)                                                                                   \
	X(FRAME_TRUNCATED, "frame_truncated")                                                                \
	X(LINK_TYPE, "link_type")                                                                            \
	X(VLAN_TRUNCATED, "vlan_truncated")                                                                  \
	X(VLAN_DEPTH, "vlan_depth")                                                                          \
	X(ARP, "arp")                                                                                        \
	X(LLDP, "lldp")                                                                                      \
	X(LLC, "llc")                                                                                        \
	X(SLOW_PROTOCOL, "slow_protocol")                                                                    \
	X(EAPOL, "eapol")                                                                                    \
	X(MACSEC, "macsec")                                                                                  \
	X(ETHERTYPE, "ethertype")                                                                            \
	X(PPPOE_DISCOVERY, "pppoe_discovery")                                                                \
	X(PPPOE_TRUNCATED, "pppoe_truncated")                                                                \
	X(PPP_CONTROL, "ppp_control")                                                                        \
	X(MPLS_TRUNCATED, "mpls_truncated")                                                                  \
	X(MPLS_PAYLOAD, "mpls_payload")                                                                      \
	X(IP_VERSION, "ip_version")                                                                          \
	X(IPV4_TRUNCATED, "ipv4_truncated")                                                                  \
	X(IPV4_MALFORMED, "ipv4_malformed")                                                                  \
	X(IPV6_TRUNCATED, "ipv6_truncated")                                                                  \
	X(IPV6_MALFORMED, "ipv6_malformed")                                                                  \
	X(IPV6_EXTENSIONS, "ipv6_extensions")                                                                \
	X(TCP_TRUNCATED, "tcp_truncated")                                                                    \
	X(TCP_MALFORMED, "tcp_malformed")                                                                    \
	X(UDP_TRUNCATED, "udp_truncated")                                                                    \
	X(UDP_MALFORMED, "udp_malformed")                                                                    \
	X(ICMP_TRUNCATED, "icmp_truncated")                                                                  \
	X(ICMPV6_TRUNCATED, "icmpv6_truncated")                                                              \
	X(SCTP_TRUNCATED, "sctp_truncated")                                                                  \
	X(NESTING, "nesting")                                                                                \
	X(CDP, "cdp")                                                                                        \
	X(STP, "stp")                                                                                        \
	X(OSI, "osi")                                                                                        \
	X(SCTP_MALFORMED, "sctp_malformed")                                                                  \
	X(DCCP_TRUNCATED, "dccp_truncated")                                                                  \
	X(DCCP_MALFORMED, "dccp_malformed")                                                                  \
	X(UDPLITE_TRUNCATED, "udplite_truncated")                                                            \
	X(UDPLITE_MALFORMED, "udplite_malformed")                                                            \
	X(ICMP_MALFORMED, "icmp_malformed")                                                                  \
	X(ICMPV6_MALFORMED, "icmpv6_malformed")                                                              \
	X(WLAN_CONTROL, "wlan_control")                                                                      \
	X(WLAN_ENCRYPTED, "wlan_encrypted")                                                                  \
	X(WLAN_FRAGMENT, "wlan_fragment")                                                                    \
	X(PPP_FRAGMENT, "ppp_fragment")                                                                      \
	X(FRAME_MALFORMED, "frame_malformed")

enum undecoded {
	DECODED,
#define X(id, name) UNDECODED_##id,
	UNDECODED_TABLE(X)
#undef X
	    UNDECODED_COUNT
};
static_assert(UNDECODED_COUNT <= UNDECODED_REASONS, "a record of a second has room for this many");

/* "arp"; "" for DECODED. */
const char *undecoded_name(enum undecoded reason);

/*
 * Both directions of a flow have the same key: ends are ordered by address, then port. The point stands for
 * its address space too, because a point belongs to one. ICMP messages that are asked and answered have the
 * type of the question and their identifier in both ports, others their own type and their code in both
 * ports.
 */
struct flow_key {
	struct ip_addr ip[2];
	uint16_t vlan[FLOW_VLANS]; /* outermost first, identifiers only; 0 none; those of a deeper stack are
				      left out */
	uint16_t port[2];          /* host order */
	uint8_t point;             /* index in the boot document */
	uint8_t protocol;          /* IANA protocol number */
	uint8_t tunnel;            /* enum tunnel: the innermost that was opened */
	uint8_t icmp_type;         /* 0 but for ICMP */
};
static_assert(sizeof(struct flow_key) == 48, "compared and hashed as 6 words");

/*
 * FRAGMENT_STUB: a first fragment that is too short for its transport header but may hold the ports.
 * FRAGMENT_CUT: no fragment, but of its transport header only the ports were captured.
 */
enum fragment { FRAGMENT_NONE, FRAGMENT_FIRST, FRAGMENT_STUB, FRAGMENT_LATER, FRAGMENT_CUT };

/* Whether the transport header was there. */
#define fragment_is_whole(f) ((f) <= FRAGMENT_FIRST)

/* Pointers lead into the frame's bytes and live as long as those. */
struct packet {
	struct flow_key key; /* until packet_seal: [0] source, [1] destination */
	uint64_t hash;
	uint32_t wire_len;  /* bytes of the frame on the wire */
	uint32_t payload;   /* bytes above the transport header, by the headers' word */
	const uint8_t *mac; /* destination, source: of the innermost Ethernet; NULL where there is none */
	const uint8_t *l3;  /* the innermost IP header; of an ARP frame what packet_arp reads */
	uint32_t l3_len;    /* captured, without padding behind the datagram */
	uint32_t app_len;   /* captured bytes at app */
	const uint8_t *app; /* above the transport header; NULL where there is none */
	uint32_t seq, ack;
	uint32_t fragment_id;
	uint16_t window;
	uint8_t swapped;  /* the sender is end [1] of the sealed key */
	uint8_t reason;   /* enum undecoded */
	uint8_t l3_whole; /* nothing of the datagram was cut off */
	uint8_t ttl, dscp;
	uint8_t tcp_flags;
	uint8_t icmp_type, icmp_code;
	uint8_t icmp_reply; /* an answer to an echo: its receiver is the client */
	uint8_t fragment;   /* enum fragment */
	uint8_t nvlan;      /* tags, also those that have no room in the key */
	uint8_t labels; /* MPLS labels came before, of the link or within the tunnel: not of the key, because
			   one direction may have none */
	/* Of the first fragment of what carries a tunnel, see fragment.h: */
	uint8_t carrier_nvlan, carrier_protocol, carrier_tunnel, reserved[3];
	uint32_t carrier_back; /* bytes from l3 back to its IP header; 0: l3 itself is what was fragmented */
	uint32_t reserved1;    /* no padding: tests compare packets as a whole */
};

#define ARP_LEN 28 /* of IPv4 over Ethernet */

/* What an ARP frame says; addresses as they stand in the frame, of 6 and of 4 bytes. */
struct arp {
	uint16_t operation; /* 1 asks, 2 answers; whoever asks for its own address announces it */
	const uint8_t *sender_mac, *sender_ip;
	const uint8_t *target_mac, *target_ip;
};

/* False: k is no ARP frame, or its ARP is cut off or of other networks than IPv4 over Ethernet. */
bool packet_arp(const struct packet *k, struct arp *a);

#define TCP_FIN 0x01u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_PSH 0x08u
#define TCP_ACK 0x10u

enum ip_protocol {
	IP_ICMP = 1,
	IP_TCP = 6,
	IP_UDP = 17,
	IP_ICMPV6 = 58,
	IP_SCTP = 132,
	IP_UDPLITE = 136,
	IP_DCCP = 33,
	IP_ETHERIP = 97
};

/* Orders the ends of the key, notes who sent, and hashes it. Once, when nothing of the key changes any more.
 */
void packet_seal(struct packet *k, const uint64_t seed[static 2]);

/*
 * A key as the words that are compared and hashed, for as long as it is in registers: a key that is stored in
 * parts and loaded as a whole makes the processor wait.
 */
struct key_words {
	uint64_t a0, a1; /* ip[0] */
	uint64_t b0, b1; /* ip[1] */
	uint64_t vlan;
	uint64_t ends; /* ports, point, protocol, tunnel */
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define KEY_BYTES(value, first, bytes) ((uint64_t)(value) << 8 * (first))
#else
#define KEY_BYTES(value, first, bytes) ((uint64_t)(value) << 8 * (8 - (first) - (bytes)))
#endif

/* The second word of a mapped IPv4 address. */
static inline uint64_t
key_word_of_v4(const uint8_t v4[static 4])
{
	uint32_t a;

	memcpy(&a, v4, sizeof(a));
	return KEY_BYTES(0xffff, 2, 2) | KEY_BYTES(a, 4, 4);
}

/* One VLAN, the outermost. */
static inline uint64_t
key_word_of_vlan(uint16_t vlan)
{
	return KEY_BYTES(vlan, 0, 2);
}

/* The last word, without a tunnel. */
static inline uint64_t
key_word_of_ends(uint16_t source, uint16_t destination, uint8_t point, uint8_t protocol)
{
	return KEY_BYTES(source, 0, 2) | KEY_BYTES(destination, 2, 2) | KEY_BYTES(point, 4, 1) |
	       KEY_BYTES(protocol, 5, 1);
}

/* Puts the word of 8 bytes that begins at p + 8 * i. */
static inline void
key_put_word(struct flow_key *k, unsigned i, uint64_t word)
{
	memcpy((uint8_t *)k + 8 * i, &word, sizeof(word));
}

static inline uint64_t
key_word_at(const void *p, unsigned i)
{
	uint64_t word;

	memcpy(&word, (const uint8_t *)p + 8 * i, sizeof(word));
	return word;
}

/*
 * packet_seal with the key in words; writes k->key. Any order of the ends will do as long as both directions
 * agree, and it is found without branches: who comes first is as good as random.
 * Inlined for certain: six words do not fit into the registers of a call.
 */
__attribute__((always_inline)) static inline void
packet_seal_words(struct packet *k, struct key_words w, const uint64_t seed[static 2])
{
	const uint64_t source = w.ends / KEY_BYTES(1, 0, 2) & 0xffff;
	const uint64_t destination = w.ends / KEY_BYTES(1, 2, 2) & 0xffff;
	const uint64_t port_order = source > destination;
	const uint64_t high_order = (uint64_t)(w.a0 > w.b0) | ((uint64_t)(w.a0 == w.b0) & port_order);
	const uint64_t swapped = (uint64_t)(w.a1 > w.b1) | ((uint64_t)(w.a1 == w.b1) & high_order);
	const uint64_t mask = 0 - swapped;
	const uint64_t x0 = (w.a0 ^ w.b0) & mask, x1 = (w.a1 ^ w.b1) & mask,
		       xp = (source ^ destination) & mask;
	uint64_t a, b;

	w.a0 ^= x0;
	w.b0 ^= x0;
	w.a1 ^= x1;
	w.b1 ^= x1;
	w.ends ^= KEY_BYTES(xp, 0, 2) | KEY_BYTES(xp, 2, 2);
	k->swapped = (uint8_t)swapped;
	key_put_word(&k->key, 0, w.a0);
	key_put_word(&k->key, 1, w.a1);
	key_put_word(&k->key, 2, w.b0);
	key_put_word(&k->key, 3, w.b1);
	key_put_word(&k->key, 4, w.vlan);
	key_put_word(&k->key, 5, w.ends);
	/* The two ends in parallel, each with its own use of the seeds. */
	a = hash_mix(w.a0 ^ seed[0], w.a1 ^ seed[1]);
	b = hash_mix(w.b0 ^ ~seed[1], w.b1 ^ ~seed[0]);
	k->hash = hash_mix(a ^ w.vlan ^ seed[0], b ^ w.ends ^ seed[1]);
}

#endif
