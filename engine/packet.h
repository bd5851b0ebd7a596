/* What the decoder found in one frame: the key of its flow and what the flow has to learn from it. */
#ifndef WEIR_ENGINE_PACKET_H
#define WEIR_ENGINE_PACKET_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

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
	X(NESTING, "nesting")

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
 * its address space too, because a point belongs to one. ICMP echo has its identifier in both ports.
 */
struct flow_key {
	struct ip_addr ip[2];
	uint16_t vlan[FLOW_VLANS]; /* outermost first, identifiers only; 0 none */
	uint16_t port[2];          /* host order */
	uint8_t point;             /* index in the boot document */
	uint8_t protocol;          /* IANA protocol number */
	uint8_t tunnel;            /* enum tunnel */
	uint8_t reserved;
};
static_assert(sizeof(struct flow_key) == 48, "compared and hashed as 6 words");

/* FRAGMENT_STUB: a first fragment that is too short for its transport header but may hold the ports. */
enum fragment { FRAGMENT_NONE, FRAGMENT_FIRST, FRAGMENT_STUB, FRAGMENT_LATER };

/* Whether the transport header was there. */
#define fragment_is_whole(f) ((f) <= FRAGMENT_FIRST)

/* Pointers lead into the frame's bytes and live as long as those. */
struct packet {
	struct flow_key key; /* until packet_seal: [0] source, [1] destination */
	uint64_t hash;
	uint32_t wire_len;  /* bytes of the frame on the wire */
	uint32_t payload;   /* bytes above the transport header, by the headers' word, at most wire_len */
	const uint8_t *mac; /* destination, source; NULL where the link has none */
	const uint8_t *l3;  /* the innermost IP header */
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
	uint8_t nvlan;
};

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
	IP_DCCP = 33
};

/* Orders the ends of the key, notes who sent, and hashes it. Once, when nothing of the key changes any more.
 */
void packet_seal(struct packet *k, const uint64_t seed[static 2]);

#endif
