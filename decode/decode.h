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
	LINK_PPP = 9,
	LINK_PPP_HDLC = 50,
	LINK_PPP_ETHER = 51,
	LINK_RAW_OLD_12 = 12, /* DLT_RAW as some files carry it */
	LINK_RAW_OLD_14 = 14,
	LINK_RAW = 101,
	LINK_CHDLC = 104,
	LINK_LOOP = 108,
	LINK_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_SLL2 = 276
};

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
