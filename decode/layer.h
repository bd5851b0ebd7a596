/*
 * How the decoder is put together: a layer takes its header off the cursor and names the next layer. A
 * protocol is one function and one row; what it carries is found by number in the tables of decode.c. Tunnels
 * are layers whose next layer is IPV4, IPV6 or ETHERNET again: they set key.tunnel, and the number of layers
 * of a frame is bounded.
 */
#ifndef WEIR_DECODE_LAYER_H
#define WEIR_DECODE_LAYER_H

#include <stdint.h>

#include "base/cursor.h"
#include "decode/packet.h"

#define LAYER_TABLE(X)                                                                                       \
	X(ETHERNET, decode_ethernet)                                                                         \
	X(SLL, decode_sll)                                                                                   \
	X(SLL2, decode_sll2)                                                                                 \
	X(NULL, decode_null)                                                                                 \
	X(PPP, decode_ppp)                                                                                   \
	X(CHDLC, decode_chdlc)                                                                               \
	X(RAW, decode_raw)                                                                                   \
	X(LLC, decode_llc)                                                                                   \
	X(VLAN, decode_vlan)                                                                                 \
	X(PPPOE, decode_pppoe)                                                                               \
	X(MPLS, decode_mpls)                                                                                 \
	X(ARP, decode_arp)                                                                                   \
	X(IPV4, decode_ipv4)                                                                                 \
	X(IPV6, decode_ipv6)                                                                                 \
	X(TCP, decode_tcp)                                                                                   \
	X(UDP, decode_udp)                                                                                   \
	X(ICMP, decode_icmp)                                                                                 \
	X(ICMPV6, decode_icmpv6)                                                                             \
	X(PORTS, decode_ports)                                                                               \
	X(OTHER, decode_other)

enum layer {
	LAYER_END, /* decoded, or k->reason is set */
#define X(id, decode) LAYER_##id,
	LAYER_TABLE(X)
#undef X
	    LAYER_COUNT
};

#define LAYERS_MAX 16 /* of one frame */

struct decode {
	struct rcur c;
	struct packet *k;
	const uint8_t *frame;
	uint32_t wire_len;
	uint64_t ip_left; /* bytes of the datagram behind the current position, by the IP header's word */
};

/* Bytes on the wire behind the current position. */
static inline uint32_t
decode_wire_left(const struct decode *d)
{
	uint32_t at = (uint32_t)(d->c.p - d->frame);

	return at < d->wire_len ? d->wire_len - at : 0;
}

static inline enum layer
decode_refuse(struct decode *d, enum undecoded reason)
{
	d->k->reason = (uint8_t)reason;
	return LAYER_END;
}

/* decode.c: what an EtherType, a PPP protocol or an IP protocol number leads to; refuses what leads nowhere.
 */
enum layer layer_of_ethertype(struct decode *d, uint16_t type);
enum layer layer_of_ppp(struct decode *d, uint16_t protocol);
enum layer layer_of_ip_protocol(uint8_t protocol);

/* link.c */
enum layer decode_ethernet(struct decode *d);
enum layer decode_sll(struct decode *d);
enum layer decode_sll2(struct decode *d);
enum layer decode_null(struct decode *d);
enum layer decode_ppp(struct decode *d);
enum layer decode_chdlc(struct decode *d);
enum layer decode_raw(struct decode *d);
enum layer decode_llc(struct decode *d);
/* shim.c: between link and network */
enum layer decode_vlan(struct decode *d);
enum layer decode_pppoe(struct decode *d);
enum layer decode_mpls(struct decode *d);
enum layer decode_arp(struct decode *d);
/* ip.c */
enum layer decode_ipv4(struct decode *d);
enum layer decode_ipv6(struct decode *d);
/* transport.c */
enum layer decode_tcp(struct decode *d);
enum layer decode_udp(struct decode *d);
enum layer decode_icmp(struct decode *d);
enum layer decode_icmpv6(struct decode *d);
enum layer decode_ports(struct decode *d);
enum layer decode_other(struct decode *d);

#endif
