/* The decoder's tables: which layer follows which number, and the loop that walks them. */
#include "decode/decode.h"

#include <string.h>

#include "base/mem.h"
#include "decode/layer.h"

static enum layer (*const layers[LAYER_COUNT])(struct decode *d) = {
#define X(id, decode) [LAYER_##id] = decode,
	LAYER_TABLE(X)
#undef X
};

static const struct {
	uint32_t link;
	enum layer layer;
} links[] = {
	{ LINK_ETHERNET, LAYER_ETHERNET },
	{ LINK_SLL, LAYER_SLL },
	{ LINK_SLL2, LAYER_SLL2 },
	{ LINK_RAW, LAYER_RAW },
	{ LINK_RAW_OLD_12, LAYER_RAW },
	{ LINK_RAW_OLD_14, LAYER_RAW },
	{ LINK_IPV4, LAYER_RAW },
	{ LINK_IPV6, LAYER_RAW },
	{ LINK_NULL, LAYER_NULL },
	{ LINK_LOOP, LAYER_NULL },
	{ LINK_PPP, LAYER_PPP },
	{ LINK_PPP_HDLC, LAYER_PPP },
	{ LINK_PPP_ETHER, LAYER_PPPOE },
	{ LINK_PPP_PPPD, LAYER_PPP_PPPD },
	{ LINK_PPP_WITH_DIRECTION, LAYER_PPP_DIRECTION },
	{ LINK_CHDLC, LAYER_CHDLC },
	{ LINK_CHDLC_WITH_DIRECTION, LAYER_CHDLC_DIRECTION },
	{ LINK_FRELAY, LAYER_FRELAY },
	{ LINK_FRELAY_WITH_DIRECTION, LAYER_FRELAY_DIRECTION },
	{ LINK_WLAN, LAYER_WLAN },
	{ LINK_RADIOTAP, LAYER_RADIOTAP },
	{ LINK_PPI, LAYER_PPI },
	{ LINK_PRISM, LAYER_PRISM },
	{ LINK_WLAN_AVS, LAYER_PRISM },
	{ LINK_NFLOG, LAYER_NFLOG },
	{ LINK_SLIP, LAYER_SLIP },
	{ LINK_FDDI, LAYER_FDDI },
	{ LINK_ATM_RFC1483, LAYER_LLC },
	{ LINK_ENC, LAYER_ENC },
	{ LINK_PFLOG, LAYER_PFLOG },
	{ LINK_APPLE_1394, LAYER_APPLE_1394 },
	{ LINK_IPOIB, LAYER_IPOIB },
	{ LINK_MPLS, LAYER_MPLS },
	{ LINK_PKTAP, LAYER_PKTAP },
	{ LINK_DSA, LAYER_DSA },
	{ LINK_DSA_ETHERTYPE, LAYER_DSA_ETHERTYPE },
	{ LINK_DSA_BROADCOM, LAYER_DSA_BROADCOM },
	{ LINK_DSA_BROADCOM_IN_FRONT, LAYER_DSA_IN_FRONT },
};

/* A number that leads to a layer, or to a reason of its own. The most frequent come first. */
struct row {
	uint16_t number;
	uint8_t layer;  /* enum layer, LAYER_END: refused */
	uint8_t reason; /* enum undecoded */
};

static const struct row ethertypes[] = {
	{ 0x0800, LAYER_IPV4, 0 },
	{ 0x86dd, LAYER_IPV6, 0 },
	{ 0x8100, LAYER_VLAN, 0 },
	{ 0x88a8, LAYER_VLAN, 0 },
	{ 0x9100, LAYER_VLAN, 0 },
	{ 0x9200, LAYER_VLAN, 0 },
	{ 0x0806, LAYER_ARP, 0 },
	{ 0x8864, LAYER_PPPOE, 0 },
	{ 0x8863, LAYER_END, UNDECODED_PPPOE_DISCOVERY },
	{ 0x8847, LAYER_MPLS, 0 },
	{ 0x8848, LAYER_MPLS, 0 },
	{ 0x880b, LAYER_PPP, 0 },
	{ 0x88cc, LAYER_END, UNDECODED_LLDP },
	{ 0x8809, LAYER_END, UNDECODED_SLOW_PROTOCOL },
	{ 0x888e, LAYER_END, UNDECODED_EAPOL },
	{ 0x88e5, LAYER_MACSEC, 0 },
	{ 0xd28b, LAYER_ARISTA, 0 },
	{ 0x6558, LAYER_ETHERNET, 0 }, /* transparent Ethernet bridging */
	{ 0x894f, LAYER_NSH, 0 },
	{ 0x893f, LAYER_ETAG, 0 },
	{ 0x8926, LAYER_VNTAG, 0 },
	{ 0x8909, LAYER_CISCO_META, 0 },
	{ 0x892f, LAYER_HSR, 0 },
	{ 0x8903, LAYER_FABRICPATH, 0 },
	{ 0x88e7, LAYER_PBB, 0 },
	{ 0x22f3, LAYER_TRILL, 0 },
	{ 0x0004, LAYER_LLC, 0 },             /* 802.2 in a cooked header */
	{ 0x0001, LAYER_END, UNDECODED_LLC }, /* 802.3 in a cooked header */
};

static const struct row ppp_protocols[] = {
	{ 0x0021, LAYER_IPV4, 0 },
	{ 0x0057, LAYER_IPV6, 0 },
	{ 0x0281, LAYER_MPLS, 0 },
	{ 0x0283, LAYER_MPLS, 0 },
	{ 0x003d, LAYER_PPP_MULTILINK, 0 },
	{ 0x0023, LAYER_END, UNDECODED_OSI },
	{ 0x0207, LAYER_END, UNDECODED_CDP },
};

/* Protocols that are not here become flows without ports. */
static const uint8_t ip_protocols[256] = {
	[IP_TCP] = LAYER_TCP,         [IP_UDP] = LAYER_UDP,   [IP_ICMP] = LAYER_ICMP,
	[IP_ICMPV6] = LAYER_ICMPV6,   [IP_SCTP] = LAYER_SCTP, [IP_DCCP] = LAYER_DCCP,
	[IP_UDPLITE] = LAYER_UDPLITE, [4] = LAYER_IPIP,       [94] = LAYER_IPIP,
	[41] = LAYER_IP6IP,           [47] = LAYER_GRE,       [51] = LAYER_AH,
	[97] = LAYER_ETHERIP,         [115] = LAYER_L2TPV3,   [137] = LAYER_MPLS_IP,
	[143] = LAYER_ETHERIP
};

static enum layer
lookup(struct decode *d, const struct row *rows, size_t n, uint16_t number, enum undecoded otherwise)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].number == number)
			return rows[i].layer != LAYER_END ? (enum layer)rows[i].layer
							  : decode_refuse(d, rows[i].reason);
	return decode_refuse(d, otherwise);
}

/* Values up to 1500 are no type but the length of an 802.3 frame; those of cooked headers are in the table.
 */
enum layer
layer_of_ethertype(struct decode *d, uint16_t type)
{
	return type > 4 && type <= 1500
		   ? LAYER_LLC
		   : lookup(d, ethertypes, ARRAY_LEN(ethertypes), type, UNDECODED_ETHERTYPE);
}

enum layer
layer_of_carried(struct decode *d, uint16_t type)
{
	return type < 0x0600 ? decode_refuse(d, UNDECODED_ETHERTYPE) : layer_of_ethertype(d, type);
}

bool
decode_peek_ethernet(const struct decode *d, size_t skip)
{
	struct rcur peek = d->c;
	uint16_t type;
	uint8_t next;

	rcur_skip(&peek, skip + 12);
	type = rcur_be16(&peek);
	next = rcur_u8(&peek);
	if (peek.bad)
		return false;
	switch (type) {
	case 0x0800:
		return next >> 4 == 4;
	case 0x86dd:
		return next >> 4 == 6;
	default:
		break;
	}
	if (type <= 1500) /* SNAP, spanning tree, ISO */
		return next == 0xaa || next == 0x42 || next == 0xfe;
	for (size_t i = 0; i < ARRAY_LEN(ethertypes); i++)
		if (ethertypes[i].number == type)
			return true;
	return false;
}

enum layer
layer_of_ppp(struct decode *d, uint16_t protocol)
{
	return lookup(d, ppp_protocols, ARRAY_LEN(ppp_protocols), protocol, UNDECODED_PPP_CONTROL);
}

enum layer
layer_of_ip_protocol(uint8_t protocol)
{
	return ip_protocols[protocol] != LAYER_END ? (enum layer)ip_protocols[protocol] : LAYER_OTHER;
}

enum layer
layer_of_link(struct decode *d, uint32_t link_type)
{
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (links[i].link == link_type)
			return links[i].layer;
	return decode_refuse(d, UNDECODED_LINK_TYPE);
}

bool
decode_open(struct decode *d, enum tunnel tunnel)
{
	const struct packet *c = &d->carrier;
	struct packet *k = d->k;

	if (d->outer || d->tunnels == TUNNELS_MAX || k->fragment > FRAGMENT_FIRST)
		return false;
	d->carrier = *k;
	d->tunnels++;
	d->wire_end = (uint64_t)(d->c.p - d->frame) + d->ip_left;
	*k = (struct packet){ .wire_len = c->wire_len,
			      .mac = c->mac,
			      .nvlan = c->nvlan,
			      .fragment = c->fragment,
			      .fragment_id = c->fragment_id,
			      .carrier_nvlan = c->carrier_nvlan,
			      .carrier_protocol = c->carrier_protocol,
			      .carrier_tunnel = c->carrier_tunnel };
	if (k->fragment == FRAGMENT_FIRST && d->fragmented == NULL) {
		d->fragmented = c->l3;
		d->wire_end = UINT32_MAX; /* the rest comes in other frames */
		k->carrier_nvlan = c->nvlan;
		k->carrier_protocol = c->key.protocol;
		k->carrier_tunnel = c->key.tunnel;
	}
	memcpy(k->key.vlan, c->key.vlan, sizeof(k->key.vlan));
	k->key.point = c->key.point;
	k->key.tunnel = (uint8_t)tunnel;
	return true;
}

void
decode_frame(struct packet *k, const struct decode_options *o, const uint8_t *frame, uint32_t cap_len,
	     uint32_t wire_len)
{
	struct decode d = {
		.c = rcur_of(frame, cap_len), .k = k, .frame = frame, .wire_end = wire_len, .outer = o->outer
	};
	enum layer layer;

	memset(k, 0, sizeof(*k));
	k->wire_len = wire_len;
	k->key.point = o->point;
	layer = layer_of_link(&d, o->link_type);
	for (unsigned n = 0; layer != LAYER_END; n++)
		layer = n < LAYERS_MAX ? layers[layer](&d) : decode_refuse(&d, UNDECODED_NESTING);
	if (k->reason != DECODED && d.tunnels > 0)
		*k = d.carrier;
	if (k->reason == DECODED && d.fragmented != NULL)
		k->carrier_back = (uint32_t)(k->l3 - d.fragmented);
}
