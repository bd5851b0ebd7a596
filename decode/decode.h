/* From the bytes of a frame to a struct packet. Pure: no state, no allocation, no look past the captured
 * bytes. */
#ifndef WEIR_DECODE_DECODE_H
#define WEIR_DECODE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/packet.h"

/* LINKTYPE_ values (tcpdump.org/linktypes.html) that are understood. */
enum link_type {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_SLIP = 8,
	LINK_PPP = 9,
	LINK_FDDI = 10,
	LINK_RAW_OLD_12 = 12, /* DLT_RAW as some files carry it */
	LINK_RAW_OLD_14 = 14,
	LINK_PPP_HDLC = 50,
	LINK_PPP_ETHER = 51,
	LINK_ATM_RFC1483 = 100,
	LINK_RAW = 101,
	LINK_CHDLC = 104,
	LINK_WLAN = 105,
	LINK_FRELAY = 107,
	LINK_LOOP = 108,
	LINK_ENC = 109,
	LINK_SLL = 113,
	LINK_PFLOG = 117,
	LINK_PRISM = 119,
	LINK_RADIOTAP = 127,
	LINK_APPLE_1394 = 138,
	LINK_WLAN_AVS = 163,
	LINK_PPP_PPPD = 166,
	LINK_PPI = 192,
	LINK_PPP_WITH_DIRECTION = 204,
	LINK_CHDLC_WITH_DIRECTION = 205,
	LINK_FRELAY_WITH_DIRECTION = 206,
	LINK_MPLS = 219,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_NFLOG = 239,
	LINK_IPOIB = 242,
	LINK_PKTAP = 258,
	LINK_SLL2 = 276,
	LINK_DSA_BROADCOM = 281,
	LINK_DSA_BROADCOM_IN_FRONT = 282,
	LINK_DSA = 284,
	LINK_DSA_ETHERTYPE = 285
};

/*
 * Tunnels.
 *
 * The inner view (the default) counts a frame in the flow of its innermost datagram, with the lengths of the
 * whole frame; key.tunnel says what was opened last. The outer view counts it in the flow of the first
 * datagram. PPPoE, MPLS and Ethernet in Ethernet have no datagram around them: they are opened in both.
 * MPLS labels are not of the key but only noted (packet.labels), on the link and in whatever was opened: one
 * direction often has none. Only where labels are all that a datagram carries they are its tunnel
 * (TUNNEL_MPLS).
 *
 * Whatever carries a tunnel is decoded first, as a flow of its own. Where what it carries cannot be decoded
 * (no IP, cut off, damaged, nested too deeply, encrypted, a keep-alive), that flow has the frame. This holds
 * for GRE and IP in IP, which surely are tunnels, and for UDP, where only the port suggests one: a packet to
 * the port of VXLAN that is none is a packet of UDP.
 *
 *   IP in IP, GRE, EtherIP, L2TPv3, MPLS: by protocol number.
 *   GRE and MPLS in UDP: by destination port (the source port is chosen at random).
 *   VXLAN, VXLAN-GPE, GENEVE, GTP-U, L2TP, Teredo, CAPWAP, AYIYA: by either port, because answers may come
 * from it. Of UDP, the header must have its version and what must be set or zero, its lengths must fit, and
 *   an IP header must follow that has its version and fits; Teredo also needs one of its addresses.
 *
 * Of a carrier that is fragmented, the first fragment is opened, and the others follow it to its inner flow
 * (fragment.h). What an ICMP error quotes is no tunnel.
 *
 * The key of the inner flow has the VLANs of the frame and behind them those of a frame that it carries. It
 * has no VNI, GRE key or TEID: these depend on the direction (a TEID always, the VNI of asymmetric routing
 * too), and the two directions of a flow belong together.
 */

/* What is known of a frame before it is looked at: where it came from, and how it is to be seen. */
struct decode_options {
	uint32_t link_type; /* LINKTYPE_ */
	uint8_t point;      /* of the key: index in the boot document */
	bool outer;         /* tunnels are not opened: what carries them is the flow */
};

/*
 * Decodes a frame of which cap_len bytes were kept and that had wire_len bytes on the wire (cap_len <=
 * wire_len). Afterwards k->reason says that it belongs to no flow, or it is DECODED and the rest of *k is
 * set, with the key not sealed yet. Every frame gets exactly one of the two. Of a frame without a flow,
 * wire_len, mac, key.point, key.vlan and nvlan are set all the same, as far as they were there, and
 * packet_arp reads it.
 */
void decode_frame(struct packet *k, const struct decode_options *o, const uint8_t *frame, uint32_t cap_len,
		  uint32_t wire_len);

/*
 * The same for the plain frame of Ethernet, in one step and sealed: lengths are checked once for a whole
 * header instead of at every field. False: it is not that plain; *k is then undefined and decode_frame has
 * the word. True: *k is what decode_frame and packet_seal make of the frame. The link type is not looked at.
 */
bool decode_quick(struct packet *k, const struct decode_options *o, const uint8_t *frame, uint32_t cap_len,
		  uint32_t wire_len, const uint64_t seed[static 2]);

#endif
