/* Tunnels that are IP protocols, and L2TP, which is one in its third version. */
#include "decode/layer.h"

/* IPv4 in whatever IP is around it. */
enum layer
decode_ipip(struct decode *d)
{
	const bool in_v4 = d->k->l3[0] >> 4 == 4;

	(void)decode_other(d);
	return decode_open(d, in_v4 ? TUNNEL_IPIP : TUNNEL_4IN6) ? LAYER_IPV4 : LAYER_END;
}

enum layer
decode_ip6ip(struct decode *d)
{
	const bool in_v4 = d->k->l3[0] >> 4 == 4;

	(void)decode_other(d);
	return decode_open(d, in_v4 ? TUNNEL_6IN4 : TUNNEL_6IN6) ? LAYER_IPV6 : LAYER_END;
}

/* EtherIP has 2 bytes with its version in front; a segment routing header (RFC 8986) has none. */
enum layer
decode_etherip(struct decode *d)
{
	const bool has_header = d->k->key.protocol == IP_ETHERIP;

	(void)decode_other(d);
	if (!decode_open(d, TUNNEL_ETHERIP))
		return LAYER_END;
	if (has_header && rcur_be16(&d->c) != 0x3000)
		return decode_refuse(d, UNDECODED_FRAME_MALFORMED);
	return LAYER_ETHERNET;
}

enum layer
decode_mpls_ip(struct decode *d)
{
	(void)decode_other(d);
	return decode_open(d, TUNNEL_MPLS) ? LAYER_MPLS : LAYER_END;
}

/* --- GRE --- */

#define GRE_CHECKSUM 0x8000u
#define GRE_ROUTING  0x4000u
#define GRE_KEY      0x2000u
#define GRE_SEQUENCE 0x1000u
#define GRE_ACK      0x0080u /* of version 1 */
#define GRE_VERSION  0x0007u

#define ROUTES_MAX 32

/* Source routes (RFC 1701), up to the empty one. */
static bool
skip_routes(struct decode *d)
{
	for (unsigned n = 0; n < ROUTES_MAX && !d->c.bad; n++) {
		uint16_t family = rcur_be16(&d->c);
		uint8_t len;

		rcur_skip(&d->c, 1);
		len = rcur_u8(&d->c);
		if (family == 0 && len == 0)
			return !d->c.bad;
		rcur_skip(&d->c, len);
	}
	return false;
}

/* A mirrored frame. Type I has no header and, unlike type II, no sequence number; type III has its own
 * number. */
static enum layer
erspan(struct decode *d, bool has_header)
{
	const uint8_t *h;

	d->k->key.tunnel = TUNNEL_ERSPAN;
	if (!has_header)
		return LAYER_ETHERNET;
	h = rcur_take(&d->c, 8);
	if (h == NULL)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	switch (h[0] >> 4) {
	case 1:
		return LAYER_ETHERNET;
	case 2:
		break;
	default:
		return decode_refuse(d, UNDECODED_FRAME_MALFORMED);
	}
	h = rcur_take(&d->c, 4);
	if (h == NULL || (h[3] & 1 && !rcur_skip(&d->c, 8))) /* a platform's own */
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	switch (h[2] >> 2 & 0x1f) { /* what was mirrored */
	case 0:
		return LAYER_ETHERNET;
	case 2:
		return LAYER_RAW;
	default:
		return decode_refuse(d, UNDECODED_FRAME_MALFORMED);
	}
}

/* WCCP may have 4 bytes of its own in front of IPv4. */
static enum layer
redirected(struct decode *d)
{
	struct rcur peek = d->c;

	if (rcur_u8(&peek) >> 4 != 4)
		rcur_skip(&d->c, 4);
	return LAYER_IPV4;
}

static enum layer
gre_payload(struct decode *d, uint16_t flags, uint16_t protocol)
{
	switch (protocol) {
	case 0x88be:
		return erspan(d, (flags & GRE_SEQUENCE) != 0);
	case 0x22eb:
		return erspan(d, true);
	case 0x883e:
		return redirected(d);
	default:
		if (protocol >> 8 == 0x82 || protocol == 0x9000) /* Aruba's access points */
			return LAYER_WLAN;
		return layer_of_carried(d, protocol);
	}
}

enum layer
decode_gre_header(struct decode *d)
{
	uint16_t flags = rcur_be16(&d->c);
	uint16_t protocol = rcur_be16(&d->c);
	unsigned version = flags & GRE_VERSION;

	if (d->c.bad || version > 1)
		return decode_refuse(d, UNDECODED_FRAME_MALFORMED);
	if (flags & (GRE_CHECKSUM | GRE_ROUTING))
		rcur_skip(&d->c, 4);
	if (flags & GRE_KEY)
		rcur_skip(&d->c, 4);
	if (flags & GRE_SEQUENCE)
		rcur_skip(&d->c, 4);
	if (version == 1 && flags & GRE_ACK)
		rcur_skip(&d->c, 4);
	if (flags & GRE_ROUTING && !skip_routes(d))
		return decode_refuse(d, UNDECODED_FRAME_MALFORMED);
	if (version == 1)
		d->k->key.tunnel = TUNNEL_PPTP;
	return gre_payload(d, flags, protocol);
}

enum layer
decode_gre(struct decode *d)
{
	(void)decode_other(d);
	return decode_open(d, TUNNEL_GRE) ? decode_gre_header(d) : LAYER_END;
}

/* --- L2TP --- */

static enum layer
not_carried(struct decode *d)
{
	return decode_refuse(d, UNDECODED_FRAME_MALFORMED);
}

/* Version 2, which carries PPP. */
static enum layer
l2tp_v2(struct decode *d, uint16_t flags, uint32_t left)
{
	if (flags & 0x4000 && rcur_be16(&d->c) > left)
		return not_carried(d);
	rcur_skip(&d->c, 4); /* tunnel and session */
	if (flags & 0x0800)
		rcur_skip(&d->c, 4); /* sequence numbers */
	if (flags & 0x0200)
		rcur_skip(&d->c, rcur_be16(&d->c)); /* offset */
	return d->c.bad ? not_carried(d) : LAYER_PPP;
}

/* Version 3 behind the session: how long the cookie is and whether a sublayer follows is known to its ends
 * only. */
static enum layer
l2tp_v3(struct decode *d)
{
	for (size_t skip = 0; skip <= 12; skip += 4)
		if (decode_peek_ethernet(d, skip)) {
			rcur_skip(&d->c, skip);
			return LAYER_ETHERNET;
		}
	return not_carried(d);
}

enum layer
decode_l2tp(struct decode *d)
{
	uint32_t left;
	uint16_t flags;

	if (!decode_open(d, TUNNEL_L2TP))
		return LAYER_END;
	d->strict = true;
	left = decode_wire_left(d);
	flags = rcur_be16(&d->c);
	if (d->c.bad || flags & 0x8000) /* control */
		return not_carried(d);
	if ((flags & 0x34ff) == 2) /* reserved bits are 0 */
		return l2tp_v2(d, flags, left);
	if (flags != 3)
		return not_carried(d);
	rcur_skip(&d->c, 6);
	return l2tp_v3(d);
}

/* Version 3 in IP; session 0 is control. */
enum layer
decode_l2tpv3(struct decode *d)
{
	(void)decode_other(d);
	if (!decode_open(d, TUNNEL_L2TP))
		return LAYER_END;
	return rcur_be32(&d->c) != 0 ? l2tp_v3(d) : not_carried(d);
}
