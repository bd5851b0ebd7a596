/*
 * How the decoder is put together: a layer takes its header off the cursor and names the next layer. A
 * protocol is one function and one row; what it carries is found by number in the tables of decode.c. Tunnels
 * are layers that call decode_open and whose next layer is IPV4, IPV6 or ETHERNET again. The number of layers
 * and of tunnels of a frame is bounded; nothing calls itself.
 */
#ifndef WEIR_DECODE_LAYER_H
#define WEIR_DECODE_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "decode/packet.h"

#define LAYER_TABLE(X)                                                                                       \
	X(ETHERNET, decode_ethernet)                                                                         \
	X(DSA, decode_dsa)                                                                                   \
	X(DSA_IN_FRONT, decode_dsa_in_front)                                                                 \
	X(DSA_ETHERTYPE, decode_dsa_ethertype)                                                               \
	X(DSA_BROADCOM, decode_dsa_broadcom)                                                                 \
	X(MACSEC, decode_macsec)                                                                             \
	X(ARISTA, decode_arista)                                                                             \
	X(SLL, decode_sll)                                                                                   \
	X(SLL2, decode_sll2)                                                                                 \
	X(NULL, decode_null)                                                                                 \
	X(PPP, decode_ppp)                                                                                   \
	X(PPP_PPPD, decode_ppp_pppd)                                                                         \
	X(PPP_DIRECTION, decode_ppp_direction)                                                               \
	X(CHDLC, decode_chdlc)                                                                               \
	X(CHDLC_DIRECTION, decode_chdlc_direction)                                                           \
	X(RAW, decode_raw)                                                                                   \
	X(LLC, decode_llc)                                                                                   \
	X(SLIP, decode_slip)                                                                                 \
	X(FDDI, decode_fddi)                                                                                 \
	X(FRELAY, decode_frelay)                                                                             \
	X(FRELAY_DIRECTION, decode_frelay_direction)                                                         \
	X(ENC, decode_enc)                                                                                   \
	X(PFLOG, decode_pflog)                                                                               \
	X(NFLOG, decode_nflog)                                                                               \
	X(APPLE_1394, decode_apple_1394)                                                                     \
	X(IPOIB, decode_ipoib)                                                                               \
	X(PKTAP, decode_pktap)                                                                               \
	X(RADIOTAP, decode_radiotap)                                                                         \
	X(PPI, decode_ppi)                                                                                   \
	X(PRISM, decode_prism)                                                                               \
	X(WLAN, decode_wlan)                                                                                 \
	X(VLAN, decode_vlan)                                                                                 \
	X(PPPOE, decode_pppoe)                                                                               \
	X(PPP_MULTILINK, decode_ppp_multilink)                                                               \
	X(MPLS, decode_mpls)                                                                                 \
	X(ARP, decode_arp)                                                                                   \
	X(ETAG, decode_etag)                                                                                 \
	X(VNTAG, decode_vntag)                                                                               \
	X(CISCO_META, decode_cisco_meta)                                                                     \
	X(HSR, decode_hsr)                                                                                   \
	X(FABRICPATH, decode_fabricpath)                                                                     \
	X(PBB, decode_pbb)                                                                                   \
	X(TRILL, decode_trill)                                                                               \
	X(NSH, decode_nsh)                                                                                   \
	X(IPV4, decode_ipv4)                                                                                 \
	X(IPV6, decode_ipv6)                                                                                 \
	X(AH, decode_ah)                                                                                     \
	X(TCP, decode_tcp)                                                                                   \
	X(UDP, decode_udp)                                                                                   \
	X(ICMP, decode_icmp)                                                                                 \
	X(ICMPV6, decode_icmpv6)                                                                             \
	X(SCTP, decode_sctp)                                                                                 \
	X(DCCP, decode_dccp)                                                                                 \
	X(UDPLITE, decode_udplite)                                                                           \
	X(OTHER, decode_other)                                                                               \
	X(IPIP, decode_ipip)                                                                                 \
	X(IP6IP, decode_ip6ip)                                                                               \
	X(ETHERIP, decode_etherip)                                                                           \
	X(GRE, decode_gre)                                                                                   \
	X(L2TPV3, decode_l2tpv3)                                                                             \
	X(MPLS_IP, decode_mpls_ip)                                                                           \
	X(VXLAN, decode_vxlan)                                                                               \
	X(VXLAN_GPE, decode_vxlan_gpe)                                                                       \
	X(GENEVE, decode_geneve)                                                                             \
	X(GTPU, decode_gtpu)                                                                                 \
	X(L2TP, decode_l2tp)                                                                                 \
	X(TEREDO, decode_teredo)                                                                             \
	X(CAPWAP, decode_capwap)                                                                             \
	X(AYIYA, decode_ayiya)                                                                               \
	X(UDP_GRE, decode_udp_gre)                                                                           \
	X(UDP_MPLS, decode_udp_mpls)

enum layer {
	LAYER_END, /* decoded, or k->reason is set */
#define X(id, decode) LAYER_##id,
	LAYER_TABLE(X)
#undef X
	    LAYER_COUNT
};

#define LAYERS_MAX  40 /* of one frame */
#define TUNNELS_MAX 8
#define TAGS_MAX    8 /* of VLAN, one behind the other or in tunnels */

struct decode {
	struct rcur c;
	struct packet *k;
	const uint8_t *frame;
	uint64_t wire_end; /* where what is being read ended on the wire, from the start of the frame */
	uint64_t ip_left;  /* bytes of the datagram behind the current position, by the IP header's word */
	bool outer;        /* tunnels are not opened */
	bool strict; /* only a datagram that says how long it is, and fits, proves that there is a tunnel */
	bool wlan_swapped; /* its first two bytes may be, as some access points send them */
	bool wlan_padded;  /* behind the header of the wireless frame that follows */
	const uint8_t
	    *fragmented; /* the IP header of an opened carrier of which this is the first fragment, or NULL */
	uint8_t tunnels; /* opened so far */
	struct packet
	    carrier; /* the flow that has the frame if nothing comes of what it carries; where tunnels > 0 */
};

/* Bytes on the wire behind the current position. */
static inline uint32_t
decode_wire_left(const struct decode *d)
{
	uint64_t at = (uint64_t)(d->c.p - d->frame);

	return at < d->wire_end ? (uint32_t)(d->wire_end - at) : 0;
}

static inline enum layer
decode_refuse(struct decode *d, enum undecoded reason)
{
	d->k->reason = (uint8_t)reason;
	return LAYER_END;
}

/*
 * decode.c: what a link type, an EtherType, a PPP protocol or an IP protocol number leads to; refuses what
 * leads nowhere. In Ethernet small values are a length; layer_of_carried takes only types, as tunnels carry
 * them.
 */
enum layer layer_of_link(struct decode *d, uint32_t link_type);
enum layer layer_of_ethertype(struct decode *d, uint16_t type);
enum layer layer_of_carried(struct decode *d, uint16_t type);
enum layer layer_of_ppp(struct decode *d, uint16_t protocol);
enum layer layer_of_ip_protocol(uint8_t protocol);
/* decode.c: whether the bytes at the cursor may be an Ethernet frame with something in it that is understood.
 */
#define PEEK_ETHERNET 15 /* bytes that it looks at */
bool decode_peek_ethernet(const struct decode *d, size_t skip);
/*
 * decode.c: opens a tunnel, whose carrier is decoded as a flow: what follows is decoded into a new one.
 * False: the view, the number of tunnels or a fragment forbids it, and the carrier is the flow.
 */
bool decode_open(struct decode *d, enum tunnel tunnel);

/* link.c */
enum layer decode_ethernet(struct decode *d);
enum layer decode_dsa(struct decode *d);
enum layer decode_dsa_in_front(struct decode *d);
enum layer decode_dsa_ethertype(struct decode *d);
enum layer decode_dsa_broadcom(struct decode *d);
enum layer decode_sll(struct decode *d);
enum layer decode_sll2(struct decode *d);
enum layer decode_null(struct decode *d);
enum layer decode_chdlc(struct decode *d);
enum layer decode_chdlc_direction(struct decode *d);
enum layer decode_raw(struct decode *d);
enum layer decode_llc(struct decode *d);
enum layer decode_slip(struct decode *d);
enum layer decode_fddi(struct decode *d);
enum layer decode_enc(struct decode *d);
enum layer decode_pflog(struct decode *d);
enum layer decode_nflog(struct decode *d);
enum layer decode_apple_1394(struct decode *d);
enum layer decode_ipoib(struct decode *d);
enum layer decode_pktap(struct decode *d);
/* link.c: behind the first three bytes of 802.2 */
enum layer decode_snap(struct decode *d);
/* ppp.c */
enum layer decode_ppp(struct decode *d);
enum layer decode_ppp_pppd(struct decode *d);
enum layer decode_ppp_direction(struct decode *d);
enum layer decode_pppoe(struct decode *d);
enum layer decode_ppp_multilink(struct decode *d);
enum layer decode_frelay(struct decode *d);
enum layer decode_frelay_direction(struct decode *d);
/* wlan.c */
enum layer decode_radiotap(struct decode *d);
enum layer decode_ppi(struct decode *d);
enum layer decode_prism(struct decode *d);
enum layer decode_wlan(struct decode *d);
/* shim.c: between link and network */
enum layer decode_vlan(struct decode *d);
enum layer decode_mpls(struct decode *d);
enum layer decode_arp(struct decode *d);
enum layer decode_etag(struct decode *d);
enum layer decode_vntag(struct decode *d);
enum layer decode_cisco_meta(struct decode *d);
enum layer decode_hsr(struct decode *d);
enum layer decode_macsec(struct decode *d);
enum layer decode_arista(struct decode *d);
enum layer decode_fabricpath(struct decode *d);
enum layer decode_pbb(struct decode *d);
enum layer decode_trill(struct decode *d);
/* ip.c */
enum layer decode_ipv4(struct decode *d);
enum layer decode_ipv6(struct decode *d);
enum layer decode_ah(struct decode *d);
/* transport.c */
enum layer decode_tcp(struct decode *d);
enum layer decode_udp(struct decode *d);
enum layer decode_icmp(struct decode *d);
enum layer decode_icmpv6(struct decode *d);
enum layer decode_sctp(struct decode *d);
enum layer decode_dccp(struct decode *d);
enum layer decode_udplite(struct decode *d);
enum layer decode_other(struct decode *d);
/* tunnel.c: in IP */
enum layer decode_ipip(struct decode *d);
enum layer decode_ip6ip(struct decode *d);
enum layer decode_etherip(struct decode *d);
enum layer decode_gre(struct decode *d);
enum layer decode_l2tpv3(struct decode *d);
enum layer decode_l2tp(struct decode *d);
enum layer decode_mpls_ip(struct decode *d);
/* tunnel.c: behind the carrier */
enum layer decode_gre_header(struct decode *d);
/* udp_tunnel.c: in UDP */
enum layer decode_vxlan(struct decode *d);
enum layer decode_vxlan_gpe(struct decode *d);
enum layer decode_nsh(struct decode *d);
enum layer decode_geneve(struct decode *d);
enum layer decode_gtpu(struct decode *d);
enum layer decode_teredo(struct decode *d);
enum layer decode_capwap(struct decode *d);
enum layer decode_ayiya(struct decode *d);
enum layer decode_udp_gre(struct decode *d);
enum layer decode_udp_mpls(struct decode *d);

#endif
