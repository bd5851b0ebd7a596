/* IPv4 with options and fragments, IPv6 with extension headers and fragments. */
#include "decode/layer.h"

#include <string.h>

#define EXTENSIONS_MAX 12 /* of one IPv6 header */

/* Ends the cursor where the datagram ends, so that nobody reads padding, and notes what of it was captured.
 */
static void
datagram(struct decode *d, const uint8_t *header, uint64_t len)
{
	size_t captured = (size_t)(d->c.end - header);

	if (captured > len) {
		d->c.end = header + len;
		captured = len;
	}
	d->k->l3 = header;
	d->k->l3_len = (uint32_t)captured;
	d->k->l3_whole = captured == len;
	d->ip_left = len - (uint64_t)(d->c.p - header);
}

/* Fragments other than the first hold no transport header: they belong to the flow of the first. */
static enum layer
later_fragment(struct decode *d, uint8_t protocol)
{
	d->k->key.protocol = protocol;
	d->k->fragment = FRAGMENT_LATER;
	d->k->payload = (uint32_t)d->ip_left;
	return LAYER_END;
}

static enum layer
transport(struct decode *d, uint8_t protocol)
{
	d->k->key.protocol = protocol;
	return layer_of_ip_protocol(protocol);
}

/*
 * How long the datagram is. Where the header does not say it (segmentation is left to the network card, a
 * jumbogram) or says more than there was, what was on the wire counts, unless it has to be proven that
 * this is a datagram, or the rest of it comes in other fragments. False: it is none.
 */
static bool
datagram_length(const struct decode *d, uint32_t *total, uint32_t unsaid, uint32_t on_wire)
{
	if (*total != unsaid && *total <= on_wire)
		return true;
	if (d->fragmented != NULL || (d->strict && *total > on_wire))
		return false;
	*total = on_wire;
	return true;
}

enum layer
decode_ipv4(struct decode *d)
{
	uint32_t on_wire = decode_wire_left(d);
	const uint8_t *h = rcur_take(&d->c, 20);
	uint32_t header, total;
	uint16_t fragment;

	if (h == NULL)
		return decode_refuse(d, UNDECODED_IPV4_TRUNCATED);
	header = (h[0] & 0x0fu) * 4;
	total = (uint32_t)h[2] << 8 | h[3];
	if (h[0] >> 4 != 4 || header < 20 || !datagram_length(d, &total, 0, on_wire) || total < header)
		return decode_refuse(d, UNDECODED_IPV4_MALFORMED);
	if (!rcur_skip(&d->c, header - 20))
		return decode_refuse(d, UNDECODED_IPV4_TRUNCATED);
	d->k->dscp = h[1] >> 2;
	d->k->ttl = h[8];
	d->k->key.ip[0] = ip_from_v4(h + 12);
	d->k->key.ip[1] = ip_from_v4(h + 16);
	datagram(d, h, total);
	fragment = (uint16_t)(h[6] << 8 | h[7]);
	if (fragment & 0x3fff) {
		if (d->fragmented != NULL)
			return decode_refuse(d, UNDECODED_NESTING);
		d->k->fragment_id = (uint32_t)(h[4] << 8 | h[5]);
		if (fragment & 0x1fff)
			return later_fragment(d, h[9]);
		d->k->fragment = FRAGMENT_FIRST;
	}
	return transport(d, h[9]);
}

/* Whether an extension header at the cursor says that it is the last. */
static bool
nothing_follows(const struct decode *d)
{
	struct rcur peek = d->c;

	return rcur_u8(&peek) == 59 || peek.bad;
}

/* Takes one extension header off; *next becomes what follows it. */
static enum {
	EXTENSION_NONE,
	EXTENSION_TAKEN,
	EXTENSION_LATER_FRAGMENT
} extension(struct decode *d, uint8_t *next)
{
	const uint8_t *h;
	uint32_t len;

	if (*next == 135 && nothing_follows(d)) /* then it is what is carried */
		return EXTENSION_NONE;
	switch (*next) {
	case 0:   /* hop-by-hop options */
	case 43:  /* routing */
	case 60:  /* destination options */
	case 135: /* mobility */
	case 139: /* HIP */
	case 140: /* shim6 */
		h = rcur_take(&d->c, 8);
		len = h == NULL ? 0 : h[1] * 8u;
		break;
	case 51: /* authentication header */
		h = rcur_take(&d->c, 8);
		len = h == NULL ? 0 : h[1] * 4u;
		break;
	case 44: /* fragment */
		h = rcur_take(&d->c, 8);
		if (h == NULL || d->fragmented != NULL) {
			d->c.bad = true;
			return EXTENSION_TAKEN;
		}
		len = 0;
		d->k->fragment_id = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
		if (((h[2] << 8 | h[3]) & 0xfff8) != 0) {
			*next = h[0];
			return EXTENSION_LATER_FRAGMENT;
		}
		if (h[3] & 1) /* else it is the only one (RFC 6946) */
			d->k->fragment = FRAGMENT_FIRST;
		break;
	default:
		return EXTENSION_NONE;
	}
	if (h != NULL && rcur_skip(&d->c, len))
		*next = h[0];
	return EXTENSION_TAKEN;
}

enum layer
decode_ipv6(struct decode *d)
{
	uint32_t on_wire = decode_wire_left(d);
	const uint8_t *h = rcur_take(&d->c, 40);
	const uint8_t *start;
	uint64_t left;
	uint32_t total;
	uint8_t next;

	if (h == NULL)
		return decode_refuse(d, UNDECODED_IPV6_TRUNCATED);
	total = 40u + ((uint32_t)h[4] << 8 | h[5]);
	if (h[0] >> 4 != 6 || !datagram_length(d, &total, 40, on_wire))
		return decode_refuse(d, UNDECODED_IPV6_MALFORMED);
	d->k->dscp = (uint8_t)((h[0] << 4 | h[1] >> 4) & 0xff) >> 2;
	d->k->ttl = h[7];
	memcpy(&d->k->key.ip[0], h + 8, 16);
	memcpy(&d->k->key.ip[1], h + 24, 16);
	datagram(d, h, total);
	left = d->ip_left;
	start = d->c.p;
	next = h[6];
	for (unsigned n = 0; n < EXTENSIONS_MAX; n++) {
		int taken = (int)extension(d, &next);

		if (d->c.bad)
			return decode_refuse(d, UNDECODED_IPV6_EXTENSIONS);
		d->ip_left = left - (uint64_t)(d->c.p - start);
		if (taken == EXTENSION_NONE)
			return transport(d, next);
		if (taken == EXTENSION_LATER_FRAGMENT)
			return later_fragment(d, next);
	}
	return decode_refuse(d, UNDECODED_IPV6_EXTENSIONS);
}

/* In IPv4 the authentication header is a transport: where it is cut off, nobody knows what it carries. */
enum layer
decode_ah(struct decode *d)
{
	const uint8_t *start = d->c.p;
	const uint8_t *h = rcur_take(&d->c, 8);

	if (h == NULL || !rcur_skip(&d->c, h[1] * 4u)) {
		d->c.bad = false;
		d->c.p = start;
		return LAYER_OTHER;
	}
	d->ip_left -= (uint64_t)(d->c.p - start);
	return transport(d, h[0]);
}
