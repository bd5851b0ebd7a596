/* Link layers: Ethernet, Linux cooked, loopback, PPP, raw IP. */
#include <string.h>

#include "decode/layer.h"

enum layer
decode_ethernet(struct decode *d)
{
	const uint8_t *mac = rcur_take(&d->c, 12);
	uint16_t type = rcur_be16(&d->c);

	if (d->c.bad)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	d->k->mac = mac;
	return layer_of_ethertype(d, type);
}

/* Whatever the type of the device, IP follows where the protocol field says so. */
enum layer
decode_sll(struct decode *d)
{
	uint16_t type;

	rcur_skip(&d->c, 14);
	type = rcur_be16(&d->c);
	if (d->c.bad)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	return layer_of_ethertype(d, type);
}

enum layer
decode_sll2(struct decode *d)
{
	uint16_t type = rcur_be16(&d->c);

	rcur_skip(&d->c, 18);
	if (d->c.bad)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	return layer_of_ethertype(d, type);
}

/* The family is in the byte order of whoever wrote it and IPv6 has a number on each system: the version field
 * is surer. */
enum layer
decode_null(struct decode *d)
{
	if (!rcur_skip(&d->c, 4))
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	return LAYER_RAW;
}

/* Address and control (RFC 1662) may be left out, and so may the first byte of the protocol (RFC 1661). */
enum layer
decode_ppp(struct decode *d)
{
	struct rcur peek = d->c;
	uint8_t first = rcur_u8(&peek);
	uint16_t protocol;

	if (first == 0x0f || first == 0x8f) /* Cisco's HDLC under the same link type */
		return LAYER_CHDLC;
	if (first == 0xff)
		rcur_skip(&d->c, 2);
	peek = d->c;
	first = rcur_u8(&peek);
	protocol = first & 1 ? rcur_u8(&d->c) : rcur_be16(&d->c);
	if (d->c.bad)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	return layer_of_ppp(d, protocol);
}

enum layer
decode_chdlc(struct decode *d)
{
	uint16_t type;

	rcur_skip(&d->c, 2);
	type = rcur_be16(&d->c);
	if (d->c.bad)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	return layer_of_ethertype(d, type);
}

enum layer
decode_raw(struct decode *d)
{
	struct rcur peek = d->c;
	uint8_t first = rcur_u8(&peek);

	if (peek.bad)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	switch (first >> 4) {
	case 4:
		return LAYER_IPV4;
	case 6:
		return LAYER_IPV6;
	default:
		return decode_refuse(d, UNDECODED_IP_VERSION);
	}
}

/* IP in SNAP with the organisation 0 has an EtherType (RFC 1042); everything else of 802.2 is counted. */
enum layer
decode_llc(struct decode *d)
{
	static const uint8_t snap[6] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };
	const uint8_t *h = rcur_take(&d->c, sizeof(snap));
	uint16_t type = rcur_be16(&d->c);

	if (d->c.bad || memcmp(h, snap, sizeof(snap)) != 0 || type <= 1500)
		return decode_refuse(d, UNDECODED_LLC);
	return layer_of_ethertype(d, type);
}
