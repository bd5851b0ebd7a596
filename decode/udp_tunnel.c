/* Tunnels in UDP. The packet is decoded as one of UDP before any of these is asked; whatever they refuse
 * stays one. */
#include "decode/udp_tunnel.h"

#include <string.h>

#define SLOT(number, id, both) [(number) % UDP_TUNNEL_SLOTS] = { number, LAYER_##id, both }

const struct udp_tunnel udp_tunnels[UDP_TUNNEL_SLOTS] = {
	[0] = { 1, LAYER_END, false },                          /* or port 0 would be found */
	SLOT(4789, VXLAN, true),       SLOT(8472, VXLAN, true), /* of Linux before it had a number */
	SLOT(4790, VXLAN_GPE, true),   SLOT(6081, GENEVE, true), SLOT(4754, UDP_GRE, false),
	SLOT(6635, UDP_MPLS, false),   SLOT(2152, GTPU, true),   SLOT(1701, L2TP, true),
	SLOT(3544, TEREDO, true),      SLOT(5247, CAPWAP, true), SLOT(5072, AYIYA, true),
};

/* Refused: by a reason that nobody sees, because the packet of UDP has the frame. */
static enum layer
no_tunnel(struct decode *d)
{
	return decode_refuse(d, UNDECODED_FRAME_MALFORMED);
}

static bool
open_tunnel(struct decode *d, enum tunnel tunnel)
{
	if (!decode_open(d, tunnel))
		return false;
	d->strict = true;
	return true;
}

enum layer
decode_vxlan(struct decode *d)
{
	const uint8_t *h;

	if (!open_tunnel(d, TUNNEL_VXLAN))
		return LAYER_END;
	h = rcur_take(&d->c, 8);
	if (h == NULL || !(h[0] & 0x08)) /* the network identifier is there */
		return no_tunnel(d);
	return LAYER_ETHERNET;
}

/* By the numbers of VXLAN-GPE and NSH, which are the same. */
static enum layer
layer_of_next_protocol(struct decode *d, uint8_t next)
{
	switch (next) {
	case 1:
		return LAYER_IPV4;
	case 2:
		return LAYER_IPV6;
	case 3:
		return LAYER_ETHERNET;
	case 4:
		return LAYER_NSH;
	case 5:
		return LAYER_MPLS;
	default:
		return no_tunnel(d);
	}
}

enum layer
decode_vxlan_gpe(struct decode *d)
{
	const uint8_t *h;

	if (!open_tunnel(d, TUNNEL_VXLAN))
		return LAYER_END;
	h = rcur_take(&d->c, 8);
	if (h == NULL || !(h[0] & 0x08) || (h[0] & 0x30) != 0) /* version 0 */
		return no_tunnel(d);
	/* Some leave the flag out that says that the protocol is there. */
	return h[0] & 0x04 || h[3] != 0 ? layer_of_next_protocol(d, h[3]) : LAYER_ETHERNET;
}

enum layer
decode_nsh(struct decode *d)
{
	const uint8_t *h = rcur_take(&d->c, 8);
	uint32_t len = h == NULL ? 0 : (h[1] & 0x3fu) * 4;

	if (h == NULL || h[0] >> 6 != 0 || len < 8 || !rcur_skip(&d->c, len - 8))
		return no_tunnel(d);
	return layer_of_next_protocol(d, h[3]);
}

enum layer
decode_geneve(struct decode *d)
{
	const uint8_t *h;

	if (!open_tunnel(d, TUNNEL_GENEVE))
		return LAYER_END;
	h = rcur_take(&d->c, 8);
	if (h == NULL || h[0] >> 6 != 0 || !rcur_skip(&d->c, (h[0] & 0x3fu) * 4))
		return no_tunnel(d);
	return layer_of_carried(d, (uint16_t)(h[2] << 8 | h[3]));
}

#define GTPU_EXTENSIONS_MAX 16

/* Only what carries a packet of a user: the other messages are those of the tunnel itself. */
enum layer
decode_gtpu(struct decode *d)
{
	const uint8_t *h;
	uint32_t left;
	uint8_t next;

	if (!open_tunnel(d, TUNNEL_GTPU))
		return LAYER_END;
	left = decode_wire_left(d);
	h = rcur_take(&d->c, 8);
	if (h == NULL || (h[0] & 0xf8) != 0x30 || h[1] != 255) /* version 1, not GTP'; G-PDU */
		return no_tunnel(d);
	if (((uint32_t)h[2] << 8 | h[3]) + 8 > left)
		return no_tunnel(d);
	if (!(h[0] & 0x07))
		return LAYER_RAW;
	rcur_skip(&d->c, 3); /* sequence and N-PDU number: all are there if one is */
	next = rcur_u8(&d->c);
	if (!(h[0] & 0x04))
		next = 0;
	for (unsigned n = 0; next != 0; n++) {
		uint32_t len = rcur_u8(&d->c) * 4u;

		if (len < 4 || n == GTPU_EXTENSIONS_MAX)
			return no_tunnel(d);
		rcur_skip(&d->c, len - 2);
		next = rcur_u8(&d->c);
	}
	return d->c.bad ? no_tunnel(d) : LAYER_RAW;
}

#define TEREDO_PREFIX 0x20010000u

/* Either end is a Teredo address, or both are of the link (RFC 4380 sections 5.2.1 and 5.3). */
static bool
is_teredo(const uint8_t ip[static 40])
{
	struct rcur c = rcur_of(ip + 8, 32);
	uint32_t source = rcur_be32(&c), destination;

	rcur_skip(&c, 12);
	destination = rcur_be32(&c);
	return source == TEREDO_PREFIX || destination == TEREDO_PREFIX || source >> 22 == 0xfe80 >> 6;
}

enum layer
decode_teredo(struct decode *d)
{
	struct rcur peek;
	const uint8_t *h;

	if (!open_tunnel(d, TUNNEL_TEREDO))
		return LAYER_END;
	peek = d->c;
	if (rcur_be16(&peek) == 1) { /* authentication: lengths, identifier, value, nonce, confirmation */
		uint32_t identifier = rcur_u8(&peek), value = rcur_u8(&peek);

		rcur_skip(&peek, identifier + value + 9);
		d->c = peek;
	}
	peek = d->c;
	if (rcur_be16(&peek) == 0) { /* origin: port and address, in disguise */
		rcur_skip(&peek, 6);
		d->c = peek;
	}
	peek = d->c;
	h = rcur_take(&peek, 40);
	if (h == NULL || h[0] >> 4 != 6 || !is_teredo(h) ||
	    40 + ((uint32_t)h[4] << 8 | h[5]) > decode_wire_left(d))
		return no_tunnel(d);
	return LAYER_IPV6;
}

/* Data only: what is encrypted has another type in its first byte, and control another port. */
enum layer
decode_capwap(struct decode *d)
{
	const uint8_t *h;
	uint32_t len, bits;

	if (!open_tunnel(d, TUNNEL_CAPWAP))
		return LAYER_END;
	h = rcur_take(&d->c, 8);
	if (h == NULL || h[0] != 0)
		return no_tunnel(d);
	bits = (uint32_t)h[1] << 16 | (uint32_t)h[2] << 8 | h[3];
	len = (bits >> 19) * 4;
	if (len < 8 || bits & 0x88 /* a fragment, a keep-alive */ || !rcur_skip(&d->c, len - 8))
		return no_tunnel(d);
	if (!(bits & 0x100))
		return LAYER_ETHERNET;
	d->wlan_swapped = true;
	return (bits >> 9 & 0x1f) == 1 ? LAYER_WLAN : no_tunnel(d);
}

/* Forwarded IPv6 or IPv4, behind an identity and a signature. */
enum layer
decode_ayiya(struct decode *d)
{
	const uint8_t *h;

	if (!open_tunnel(d, TUNNEL_AYIYA))
		return LAYER_END;
	h = rcur_take(&d->c, 8);
	if (h == NULL || (h[2] & 0x0f) != 1 || !rcur_skip(&d->c, (1u << (h[0] >> 4)) + (h[1] >> 4) * 4u))
		return no_tunnel(d);
	return h[3] == 41 ? LAYER_IPV6 : h[3] == 4 ? LAYER_IPV4 : no_tunnel(d);
}

enum layer
decode_udp_gre(struct decode *d)
{
	return open_tunnel(d, TUNNEL_GRE) ? decode_gre_header(d) : LAYER_END;
}

enum layer
decode_udp_mpls(struct decode *d)
{
	return open_tunnel(d, TUNNEL_MPLS) ? LAYER_MPLS : LAYER_END;
}
