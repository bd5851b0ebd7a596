/* Transport layers: what a flow needs to know of them. */
#include "decode/layer.h"
#include "decode/udp_tunnel.h"

/* What is above a transport header of len bytes: by the headers' word, and as far as it was captured. */
static void
payload(struct decode *d, uint64_t len)
{
	d->ip_left = d->ip_left > len ? d->ip_left - len : 0;
	d->k->payload = (uint32_t)d->ip_left;
	d->k->app = d->c.p;
	d->k->app_len = (uint32_t)rcur_left(&d->c);
}

/*
 * A header that is not whole was cut off by the capture, or it was never there: by a name of its own each. As
 * long as its ports were captured, it counts into their flow; of a first fragment also when they were not,
 * because the next fragment has them.
 */
static enum layer
too_short(struct decode *d, struct rcur from, uint64_t need, enum undecoded truncated,
	  enum undecoded malformed)
{
	const bool first = d->k->fragment == FRAGMENT_FIRST;
	uint16_t source, destination;

	if (d->ip_left < need && !first)
		return decode_refuse(d, malformed);
	source = rcur_be16(&from);
	destination = rcur_be16(&from);
	if (!from.bad) {
		d->k->key.port[0] = source;
		d->k->key.port[1] = destination;
	} else if (d->ip_left >= need) {
		return decode_refuse(d, truncated);
	}
	d->k->payload = d->ip_left > need ? (uint32_t)(d->ip_left - need) : 0;
	d->k->fragment = first ? FRAGMENT_STUB : FRAGMENT_CUT;
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
	return udp_tunnel_layer(d->k->key.port[0], d->k->key.port[1]);
}

/* Messages that are asked and answered, by the type of the question; the answer's receiver is the client. */
struct pair {
	uint8_t question, answer;
};

static const struct pair icmp_pairs[] = {
	{ 8, 0 },   /* echo */
	{ 13, 14 }, /* timestamp */
	{ 15, 16 }, /* information */
	{ 17, 18 }, /* address mask */
	{ 42, 43 }, /* extended echo (RFC 8335) */
};

static const struct pair icmpv6_pairs[] = {
	{ 128, 129 }, /* echo */
	{ 160, 161 }, /* extended echo */
};

static enum layer
icmp(struct decode *d, const struct pair *pairs, size_t n, enum undecoded truncated, enum undecoded malformed)
{
	const uint64_t left = d->ip_left;
	uint8_t type = rcur_u8(&d->c);
	uint8_t code = rcur_u8(&d->c);
	uint16_t id;

	if (d->c.bad)
		return decode_refuse(d, left < 2 ? malformed : truncated);
	d->k->icmp_type = d->k->key.icmp_type = type;
	d->k->icmp_code = code;
	d->k->key.port[0] = d->k->key.port[1] = code;
	rcur_skip(&d->c, 2); /* checksum */
	id = rcur_be16(&d->c);
	rcur_skip(&d->c, 2);
	for (size_t i = 0; i < n; i++) {
		if (type != pairs[i].question && type != pairs[i].answer)
			continue;
		if (d->c.bad)
			return decode_refuse(d, left < 8 ? malformed : truncated);
		d->k->key.icmp_type = pairs[i].question;
		d->k->key.port[0] = d->k->key.port[1] = id;
		d->k->icmp_reply = type == pairs[i].answer;
		break;
	}
	payload(d, 8);
	return LAYER_END;
}

enum layer
decode_icmp(struct decode *d)
{
	return icmp(d, icmp_pairs, sizeof(icmp_pairs) / sizeof(icmp_pairs[0]), UNDECODED_ICMP_TRUNCATED,
		    UNDECODED_ICMP_MALFORMED);
}

enum layer
decode_icmpv6(struct decode *d)
{
	return icmp(d, icmpv6_pairs, sizeof(icmpv6_pairs) / sizeof(icmpv6_pairs[0]),
		    UNDECODED_ICMPV6_TRUNCATED, UNDECODED_ICMPV6_MALFORMED);
}

/* Ports first; payload counts from behind the header that all packets have. */
static enum layer
ports(struct decode *d, uint32_t header, enum undecoded truncated, enum undecoded malformed)
{
	const struct rcur start = d->c;
	const uint8_t *h = rcur_take(&d->c, header);

	if (h == NULL)
		return too_short(d, start, header, truncated, malformed);
	d->k->key.port[0] = (uint16_t)(h[0] << 8 | h[1]);
	d->k->key.port[1] = (uint16_t)(h[2] << 8 | h[3]);
	payload(d, header);
	return LAYER_END;
}

enum layer
decode_sctp(struct decode *d)
{
	return ports(d, 12, UNDECODED_SCTP_TRUNCATED, UNDECODED_SCTP_MALFORMED);
}

enum layer
decode_dccp(struct decode *d)
{
	return ports(d, 12, UNDECODED_DCCP_TRUNCATED, UNDECODED_DCCP_MALFORMED);
}

enum layer
decode_udplite(struct decode *d)
{
	return ports(d, 8, UNDECODED_UDPLITE_TRUNCATED, UNDECODED_UDPLITE_MALFORMED);
}

enum layer
decode_other(struct decode *d)
{
	payload(d, 0);
	return LAYER_END;
}
