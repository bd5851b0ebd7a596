/* Link layers: Ethernet, Linux cooked, loopback, 802.2, raw IP, and those that only put a few bytes in front.
 */
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

/* Tags between the chips of a switch, behind the addresses; the last 4 bytes may hold the identifier of a
 * VLAN. */
static enum layer
switch_tag(struct decode *d, size_t len, bool has_vlan)
{
	const uint8_t *mac = rcur_take(&d->c, 12), *h = rcur_take(&d->c, len);
	uint16_t type = rcur_be16(&d->c);

	if (h == NULL || d->c.bad)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	d->k->mac = mac;
	if (has_vlan && h[len - 4] & 0x20)
		d->k->key.vlan[d->k->nvlan++] = (uint16_t)(h[len - 2] << 8 | h[len - 1]) & 0x0fff;
	return layer_of_ethertype(d, type);
}

enum layer
decode_dsa(struct decode *d)
{
	return switch_tag(d, 4, true);
}

enum layer
decode_dsa_ethertype(struct decode *d)
{
	return switch_tag(d, 8, true);
}

enum layer
decode_dsa_broadcom(struct decode *d)
{
	return switch_tag(d, 4, false);
}

enum layer
decode_dsa_in_front(struct decode *d)
{
	rcur_skip(&d->c, 4);
	return d->c.bad ? decode_refuse(d, UNDECODED_FRAME_TRUNCATED) : LAYER_ETHERNET;
}

/* A type behind `before` bytes that nothing is learned from, and `after` more. */
static enum layer
type_between(struct decode *d, size_t before, size_t after)
{
	uint16_t type;

	rcur_skip(&d->c, before);
	type = rcur_be16(&d->c);
	rcur_skip(&d->c, after);
	if (d->c.bad)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	return layer_of_ethertype(d, type);
}

/* Whatever the type of the device, IP follows where the protocol field says so. */
enum layer
decode_sll(struct decode *d)
{
	return type_between(d, 14, 0);
}

enum layer
decode_sll2(struct decode *d)
{
	return type_between(d, 0, 18);
}

enum layer
decode_chdlc(struct decode *d)
{
	return type_between(d, 2, 0);
}

enum layer
decode_chdlc_direction(struct decode *d)
{
	return type_between(d, 3, 0);
}

/* IP over FireWire: two addresses of 8 bytes. */
enum layer
decode_apple_1394(struct decode *d)
{
	return type_between(d, 16, 0);
}

/* IP over InfiniBand: behind a global route header. */
enum layer
decode_ipoib(struct decode *d)
{
	return type_between(d, 40, 2);
}

static enum layer
raw_behind(struct decode *d, size_t header)
{
	return rcur_skip(&d->c, header) ? LAYER_RAW : decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
}

/* The family is in the byte order of whoever wrote it and IPv6 has a number on each system: the version field
 * is surer. */
enum layer
decode_null(struct decode *d)
{
	return raw_behind(d, 4);
}

/* Direction, type of packet and the compressed header. */
enum layer
decode_slip(struct decode *d)
{
	return raw_behind(d, 16);
}

/* OpenBSD's look into IPsec: family, association, flags. */
enum layer
decode_enc(struct decode *d)
{
	return raw_behind(d, 12);
}

/* OpenBSD's log of its filter: a header whose first byte is its length, to the next multiple of 4. */
enum layer
decode_pflog(struct decode *d)
{
	struct rcur peek = d->c;

	return raw_behind(d, (rcur_u8(&peek) + 3u) & ~3u);
}

/* Frame control, two addresses; only frames of 802.2 carry anything. */
enum layer
decode_fddi(struct decode *d)
{
	const uint8_t *h = rcur_take(&d->c, 13);

	if (h == NULL)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	return (h[0] & 0x70) == 0x50 ? LAYER_LLC : decode_refuse(d, UNDECODED_LLC);
}

static uint32_t
le16(const uint8_t *p)
{
	return (uint32_t)p[1] << 8 | p[0];
}

#define NFLOG_ATTRIBUTES_MAX 64
#define NFLOG_PAYLOAD        9

/* Attributes in the byte order of whoever wrote them (all of them are below 256), to multiples of 4. */
enum layer
decode_nflog(struct decode *d)
{
	rcur_skip(&d->c, 4);
	for (unsigned n = 0; n < NFLOG_ATTRIBUTES_MAX; n++) {
		const uint8_t *h = rcur_take(&d->c, 4);
		uint32_t len, type;

		if (h == NULL)
			return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
		len = le16(h);
		type = le16(h + 2);
		if (type > 255) {
			len = (uint32_t)h[0] << 8 | h[1];
			type = h[3];
		}
		if (len < 4)
			break;
		if (type == NFLOG_PAYLOAD)
			return LAYER_RAW;
		rcur_skip(&d->c, ((len + 3) & ~3u) - 4);
	}
	return decode_refuse(d, UNDECODED_FRAME_MALFORMED);
}

/* Apple's pseudo interface: a little-endian header with its length and the link type of what follows. */
enum layer
decode_pktap(struct decode *d)
{
	const uint8_t *h = rcur_take(&d->c, 12);

	if (h == NULL || h[2] != 0 || h[3] != 0 || le16(h) < 12 || !rcur_skip(&d->c, le16(h) - 12))
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	return layer_of_link(d, le16(h + 8));
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

#define ORGANISATION_ETHERTYPE 0x000000u
#define ORGANISATION_BRIDGED   0x0000f8u /* types too (802.1H) */
#define ORGANISATION_CISCO     0x00000cu
#define ORGANISATION_802_1     0x0080c2u

enum layer
decode_snap(struct decode *d)
{
	uint32_t organisation = (uint32_t)rcur_u8(&d->c) << 16;
	uint16_t type;

	organisation |= rcur_be16(&d->c);
	type = rcur_be16(&d->c);
	if (d->c.bad)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	switch (organisation) {
	case ORGANISATION_ETHERTYPE:
	case ORGANISATION_BRIDGED:
		return layer_of_carried(d, type);
	case ORGANISATION_802_1: /* Ethernet with and without its check sequence, spanning tree */
		return type == 1 || type == 7 ? LAYER_ETHERNET
					      : decode_refuse(d, type == 14 ? UNDECODED_STP : UNDECODED_LLC);
	case ORGANISATION_CISCO:
		return decode_refuse(d, type == 0x2000   ? UNDECODED_CDP
					: type == 0x010b ? UNDECODED_STP
							 : UNDECODED_LLC);
	default:
		return decode_refuse(d, UNDECODED_LLC);
	}
}

/* 802.2: what is named by an EtherType or as IP is followed, everything else is counted. */
enum layer
decode_llc(struct decode *d)
{
	const uint8_t *h = rcur_take(&d->c, 3);

	if (h == NULL)
		return decode_refuse(d, UNDECODED_LLC);
	switch (h[0]) {
	case 0xaa:
		return h[1] == 0xaa && h[2] == 0x03 ? decode_snap(d) : decode_refuse(d, UNDECODED_LLC);
	case 0x06:
		return h[1] == 0x06 && h[2] == 0x03 ? LAYER_RAW : decode_refuse(d, UNDECODED_LLC);
	case 0x42:
		return decode_refuse(d, UNDECODED_STP);
	case 0xfe:
		return decode_refuse(d, UNDECODED_OSI);
	default:
		return decode_refuse(d, UNDECODED_LLC);
	}
}
