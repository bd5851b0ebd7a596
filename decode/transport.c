/* Transport layers: what a flow needs to know of them. */
#include "decode/layer.h"

/* What is above a transport header of len bytes: by the headers' word, and as far as it was captured. */
static void
payload(struct decode *d, uint64_t len)
{
	d->k->payload = d->ip_left > len ? (uint32_t)(d->ip_left - len) : 0;
	d->k->app = d->c.p;
	d->k->app_len = (uint32_t)rcur_left(&d->c);
}

/* A missing header was cut off by the capture, or it was never there: by a name of its own each. Only a first
 * fragment may be that short: it then counts into the flow of its ports. */
static enum layer
too_short(struct decode *d, struct rcur from, uint64_t need, enum undecoded truncated,
	  enum undecoded malformed)
{
	uint16_t source, destination;

	if (d->k->fragment != FRAGMENT_FIRST || d->ip_left >= need)
		return decode_refuse(d, d->ip_left < need ? malformed : truncated);
	source = rcur_be16(&from);
	destination = rcur_be16(&from);
	if (!from.bad) {
		d->k->key.port[0] = source;
		d->k->key.port[1] = destination;
	}
	d->k->fragment = FRAGMENT_STUB;
	return LAYER_END;
}

enum layer
decode_tcp(struct decode *d)
{
	const struct rcur start = d->c;
	const uint8_t *h = rcur_take(&d->c, 20);
	uint32_t header;

	if (h == NULL)
		return too_short(d, start, 20, UNDECODED_TCP_TRUNCATED, UNDECODED_TCP_MALFORMED);
	header = (h[12] >> 4) * 4u;
	if (header < 20 || (header > d->ip_left && d->k->fragment == FRAGMENT_NONE))
		return decode_refuse(d, UNDECODED_TCP_MALFORMED);
	d->k->key.port[0] = (uint16_t)(h[0] << 8 | h[1]);
	d->k->key.port[1] = (uint16_t)(h[2] << 8 | h[3]);
	d->k->seq = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
	d->k->ack = (uint32_t)h[8] << 24 | (uint32_t)h[9] << 16 | (uint32_t)h[10] << 8 | h[11];
	d->k->tcp_flags = h[13];
	d->k->window = (uint16_t)(h[14] << 8 | h[15]);
	rcur_skip(&d->c, header - 20); /* options that were cut off leave no payload to look at */
	payload(d, header);
	return LAYER_END;
}

enum layer
decode_udp(struct decode *d)
{
	const struct rcur start = d->c;
	const uint8_t *h = rcur_take(&d->c, 8);
	uint32_t len;

	if (h == NULL)
		return too_short(d, start, 8, UNDECODED_UDP_TRUNCATED, UNDECODED_UDP_MALFORMED);
	len = (uint32_t)h[4] << 8 | h[5];
	if (len != 0 && len < 8) /* 0: a jumbogram */
		return decode_refuse(d, UNDECODED_UDP_MALFORMED);
	d->k->key.port[0] = (uint16_t)(h[0] << 8 | h[1]);
	d->k->key.port[1] = (uint16_t)(h[2] << 8 | h[3]);
	payload(d, 8);
	return LAYER_END;
}

/* The identifier of messages that are asked and answered with one; the answer's receiver is the client. */
static enum layer
echoed(struct decode *d, bool reply, enum undecoded truncated)
{
	uint16_t id;

	rcur_skip(&d->c, 2); /* checksum */
	id = rcur_be16(&d->c);
	rcur_skip(&d->c, 2); /* sequence number */
	if (d->c.bad)
		return decode_refuse(d, truncated);
	d->k->key.port[0] = d->k->key.port[1] = id;
	d->k->icmp_reply = reply;
	payload(d, 8);
	return LAYER_END;
}

enum layer
decode_icmp(struct decode *d)
{
	uint8_t type = rcur_u8(&d->c);
	uint8_t code = rcur_u8(&d->c);

	if (d->c.bad)
		return decode_refuse(d, UNDECODED_ICMP_TRUNCATED);
	d->k->icmp_type = type;
	d->k->icmp_code = code;
	switch (type) {
	case 8:  /* echo */
	case 13: /* timestamp */
	case 15: /* information */
	case 17: /* address mask */
		return echoed(d, false, UNDECODED_ICMP_TRUNCATED);
	case 0: /* and their answers */
	case 14:
	case 16:
	case 18:
		return echoed(d, true, UNDECODED_ICMP_TRUNCATED);
	default:
		rcur_skip(&d->c, 6);
		payload(d, 8);
		return LAYER_END;
	}
}

enum layer
decode_icmpv6(struct decode *d)
{
	uint8_t type = rcur_u8(&d->c);
	uint8_t code = rcur_u8(&d->c);

	if (d->c.bad)
		return decode_refuse(d, UNDECODED_ICMPV6_TRUNCATED);
	d->k->icmp_type = type;
	d->k->icmp_code = code;
	if (type == 128 || type == 129)
		return echoed(d, type == 129, UNDECODED_ICMPV6_TRUNCATED);
	rcur_skip(&d->c, 6);
	payload(d, 8);
	return LAYER_END;
}

/* SCTP, DCCP, UDP-Lite: ports first; payload counts from behind the common header. */
enum layer
decode_ports(struct decode *d)
{
	uint16_t source = rcur_be16(&d->c);
	uint16_t destination = rcur_be16(&d->c);
	uint32_t header = d->k->key.protocol == IP_UDPLITE ? 8 : 12;

	rcur_skip(&d->c, header - 4);
	if (d->c.bad)
		return decode_refuse(d, UNDECODED_SCTP_TRUNCATED);
	d->k->key.port[0] = source;
	d->k->key.port[1] = destination;
	payload(d, header);
	return LAYER_END;
}

enum layer
decode_other(struct decode *d)
{
	payload(d, 0);
	return LAYER_END;
}
