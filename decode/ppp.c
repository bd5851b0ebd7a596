/* PPP and what it comes in, and frame relay. */
#include "decode/layer.h"

enum layer
decode_pppoe(struct decode *d)
{
	rcur_skip(&d->c, 6);
	if (d->c.bad)
		return decode_refuse(d, UNDECODED_PPPOE_TRUNCATED);
	d->k->key.tunnel = TUNNEL_PPPOE;
	d->k->labels = 0; /* those were around it */
	return LAYER_PPP;
}

/* The protocol, whose first byte may be left out (RFC 1661). */
static enum layer
protocol(struct decode *d)
{
	struct rcur peek = d->c;
	uint8_t first = rcur_u8(&peek);
	uint16_t number = first & 1 ? rcur_u8(&d->c) : rcur_be16(&d->c);

	if (d->c.bad)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	return layer_of_ppp(d, number);
}

/* Address and control (RFC 1662) may be left out. */
enum layer
decode_ppp(struct decode *d)
{
	struct rcur peek = d->c;
	uint8_t first = rcur_u8(&peek);

	if (first == 0x0f || first == 0x8f) /* Cisco's HDLC under the same link type */
		return LAYER_CHDLC;
	if (first == 0xff)
		rcur_skip(&d->c, 2);
	return protocol(d);
}

/* The direction stands where the address was. */
enum layer
decode_ppp_pppd(struct decode *d)
{
	struct rcur peek = d->c;

	rcur_skip(&peek, 1);
	rcur_skip(&d->c, rcur_u8(&peek) == 0x03 ? 2 : 1);
	return protocol(d);
}

enum layer
decode_ppp_direction(struct decode *d)
{
	rcur_skip(&d->c, 1);
	return LAYER_PPP;
}

/* A packet that is whole in one frame of a bundle, by the long format of sequence numbers (RFC 1990). */
enum layer
decode_ppp_multilink(struct decode *d)
{
	const uint8_t *h = rcur_take(&d->c, 4);

	if (h == NULL)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	return (h[0] & 0xff) == 0xc0 ? protocol(d) : decode_refuse(d, UNDECODED_PPP_FRAGMENT);
}

#define UI         0x03 /* unnumbered information */
#define NLPID_IPV4 0xcc
#define NLPID_IPV6 0x8e
#define NLPID_PPP  0xcf
#define NLPID_SNAP 0x80

/* What RFC 2427 names by network layer protocol identifiers. */
static enum layer
nlpid(struct decode *d)
{
	struct rcur peek = d->c;
	uint8_t id = rcur_u8(&d->c);

	if (id == 0) { /* padding */
		peek = d->c;
		id = rcur_u8(&d->c);
	}
	if (d->c.bad)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	switch (id) {
	case NLPID_IPV4:
		return LAYER_IPV4;
	case NLPID_IPV6:
		return LAYER_IPV6;
	case NLPID_PPP:
		return LAYER_PPP;
	case NLPID_SNAP:
		return decode_snap(d);
	case 0x81: /* CLNP, ES-IS, IS-IS */
	case 0x82:
	case 0x83:
		d->c = peek;
		return decode_refuse(d, UNDECODED_OSI);
	default:
		return decode_refuse(d, UNDECODED_LLC);
	}
}

/* The address goes on until a byte has its last bit set; Cisco's way has a type behind it instead of a
 * control byte. */
enum layer
decode_frelay(struct decode *d)
{
	struct rcur peek;
	uint8_t last = 0;
	uint16_t type;

	for (unsigned n = 0; n < 4 && !(last & 1); n++)
		last = rcur_u8(&d->c);
	peek = d->c;
	type = rcur_be16(&peek);
	if (peek.bad)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	if (!(last & 1))
		return decode_refuse(d, UNDECODED_FRAME_MALFORMED);
	if (type >> 8 == UI) {
		rcur_skip(&d->c, 1);
		return nlpid(d);
	}
	d->c = peek;
	return layer_of_carried(d, type);
}

enum layer
decode_frelay_direction(struct decode *d)
{
	rcur_skip(&d->c, 1);
	return LAYER_FRELAY;
}
