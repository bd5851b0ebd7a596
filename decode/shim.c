/* What stands between link and network: VLAN tags and other tags, MPLS, Ethernet in Ethernet, ARP. */
#include <string.h>

#include "decode/layer.h"

enum layer
decode_vlan(struct decode *d)
{
	uint16_t tag = rcur_be16(&d->c);
	uint16_t type = rcur_be16(&d->c);

	if (d->c.bad)
		return decode_refuse(d, UNDECODED_VLAN_TRUNCATED);
	if (d->k->nvlan == TAGS_MAX)
		return decode_refuse(d, UNDECODED_VLAN_DEPTH);
	if (d->k->nvlan < FLOW_VLANS)
		d->k->key.vlan[d->k->nvlan] = tag & 0x0fff;
	d->k->nvlan++;
	return layer_of_ethertype(d, type);
}

/* A tag of len bytes, the last two of which are the type of what follows. */
static enum layer
tag(struct decode *d, size_t len)
{
	uint16_t type;

	rcur_skip(&d->c, len - 2);
	type = rcur_be16(&d->c);
	if (d->c.bad)
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	return layer_of_ethertype(d, type);
}

/* 802.1BR */
enum layer
decode_etag(struct decode *d)
{
	return tag(d, 8);
}

enum layer
decode_vntag(struct decode *d)
{
	return tag(d, 6);
}

/* Security group tags of Cisco: version, length in words of 4 of what is behind these two bytes, options. */
enum layer
decode_cisco_meta(struct decode *d)
{
	struct rcur peek = d->c;

	rcur_skip(&peek, 1);
	return tag(d, 2 + rcur_u8(&peek) * 4u + 2);
}

enum layer
decode_hsr(struct decode *d)
{
	return tag(d, 6);
}

#define MACSEC_VERSION 0x80
#define MACSEC_CHANNEL 0x20 /* its identifier is there */
#define MACSEC_CHANGED 0x0c /* encrypted, or changed otherwise */

/* Where it is only protected against changes, it is a tag. */
enum layer
decode_macsec(struct decode *d)
{
	struct rcur peek = d->c;
	uint8_t bits = rcur_u8(&peek);

	if (peek.bad || bits & (MACSEC_VERSION | MACSEC_CHANGED))
		return decode_refuse(d, UNDECODED_MACSEC);
	return tag(d, bits & MACSEC_CHANNEL ? 16 : 8);
}

/* Time stamps of Arista: subtype, version and a time of 64 or of 48 bits. */
enum layer
decode_arista(struct decode *d)
{
	struct rcur peek = d->c;

	if (rcur_be16(&peek) != 1)
		return decode_refuse(d, UNDECODED_ETHERTYPE);
	switch (rcur_be16(&peek) & 0xf0) {
	case 0x10:
		return tag(d, 4 + 8 + 2);
	case 0x20:
		return tag(d, 4 + 6 + 2);
	default:
		return decode_refuse(d, UNDECODED_ETHERTYPE);
	}
}

static enum layer
frame_in_frame(struct decode *d, size_t header)
{
	if (!rcur_skip(&d->c, header))
		return decode_refuse(d, UNDECODED_FRAME_TRUNCATED);
	d->k->key.tunnel = TUNNEL_PBB;
	d->k->labels = 0; /* those were around it */
	return LAYER_ETHERNET;
}

/* The whole frame behind a tree and a time to live. */
enum layer
decode_fabricpath(struct decode *d)
{
	return frame_in_frame(d, 2);
}

/* 802.1ah: behind the service instance. */
enum layer
decode_pbb(struct decode *d)
{
	return frame_in_frame(d, 4);
}

/* RFC 6325: behind options, whose words of 4 bytes are counted across the first two bytes. */
enum layer
decode_trill(struct decode *d)
{
	struct rcur peek = d->c;
	uint16_t bits = rcur_be16(&peek);

	return frame_in_frame(d, 6 + (bits >> 6 & 0x1f) * 4u);
}

#define LABEL_IPV4 0u
#define LABEL_IPV6 2u
#define LABEL_GAL  13u /* associated channel: operation of the network itself */

/* Whether an IP header of this version fits: an address of Ethernet may begin with 4 or 6 as well. */
static bool
is_ip(const struct decode *d, uint8_t version)
{
	struct rcur peek = d->c;
	const uint8_t *h = rcur_take(&peek, 6);
	uint32_t left = decode_wire_left(d), total;

	if (h == NULL)
		return false;
	if (version == 6)
		return 40 + ((uint32_t)h[4] << 8 | h[5]) <= left;
	total = (uint32_t)h[2] << 8 | h[3];
	return (h[0] & 0x0f) >= 5 && total >= 20 && total <= left;
}

/*
 * IP, or a pseudowire of Ethernet with a control word or without one: where the control word is 0, addresses
 * of Ethernet often are too, and the type decides.
 */
static enum layer
below_labels(struct decode *d, uint8_t version)
{
	const bool may_be_ip = version == 4 || version == 6;

	if (may_be_ip && is_ip(d, version))
		return LAYER_RAW;
	if (version == 0 && decode_peek_ethernet(d, 4)) {
		rcur_skip(&d->c, 4);
		return LAYER_ETHERNET;
	}
	if (decode_peek_ethernet(d, 0))
		return LAYER_ETHERNET;
	if (rcur_left(&d->c) < PEEK_ETHERNET)
		return decode_refuse(d, UNDECODED_MPLS_TRUNCATED);
	return may_be_ip ? LAYER_RAW : decode_refuse(d, UNDECODED_MPLS_PAYLOAD);
}

/* Labels up to the bottom of the stack; what follows has no type, only its first bits (RFC 4928 section 3).
 */
enum layer
decode_mpls(struct decode *d)
{
	struct rcur peek;
	uint32_t entry;
	uint8_t first;

	d->k->labels = 1;
	do
		entry = rcur_be32(&d->c);
	while (!d->c.bad && !(entry & 0x100));
	peek = d->c;
	first = rcur_u8(&peek);
	if (peek.bad)
		return decode_refuse(d, UNDECODED_MPLS_TRUNCATED);
	switch (entry >> 12) {
	case LABEL_IPV4:
	case LABEL_IPV6:
		return LAYER_RAW;
	case LABEL_GAL:
		return decode_refuse(d, UNDECODED_MPLS_PAYLOAD);
	default:
		break;
	}
	return below_labels(d, first >> 4);
}

/* No flow, but devices are learned from it: noted where it is what ARP of IPv4 over Ethernet must be. */
enum layer
decode_arp(struct decode *d)
{
	static const uint8_t ipv4_over_ethernet[6] = { 0, 1, 8, 0, 6, 4 };
	const uint8_t *body = rcur_take(&d->c, ARP_LEN);

	if (body != NULL && memcmp(body, ipv4_over_ethernet, sizeof(ipv4_over_ethernet)) == 0) {
		d->k->l3 = body;
		d->k->l3_len = ARP_LEN;
	}
	return decode_refuse(d, UNDECODED_ARP);
}
