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
	{ LINK_ETHERNET, LAYER_ETHERNET }, { LINK_SLL, LAYER_SLL },         { LINK_SLL2, LAYER_SLL2 },
	{ LINK_NULL, LAYER_NULL },         { LINK_LOOP, LAYER_NULL },       { LINK_PPP, LAYER_PPP },
	{ LINK_PPP_HDLC, LAYER_PPP },      { LINK_PPP_ETHER, LAYER_PPPOE }, { LINK_CHDLC, LAYER_CHDLC },
	{ LINK_RAW, LAYER_RAW },           { LINK_RAW_OLD_12, LAYER_RAW },  { LINK_RAW_OLD_14, LAYER_RAW },
	{ LINK_IPV4, LAYER_RAW },          { LINK_IPV6, LAYER_RAW },
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
	{ 0x88e5, LAYER_END, UNDECODED_MACSEC },
	{ 0x0004, LAYER_LLC, 0 },             /* 802.2 in a cooked header */
	{ 0x0001, LAYER_END, UNDECODED_LLC }, /* 802.3 in a cooked header */
};

static const struct row ppp_protocols[] = {
	{ 0x0021, LAYER_IPV4, 0 },
	{ 0x0057, LAYER_IPV6, 0 },
	{ 0x0281, LAYER_MPLS, 0 },
	{ 0x0283, LAYER_MPLS, 0 },
};

/* Protocols that are not here become flows without ports. */
static const uint8_t ip_protocols[256] = {
	[IP_TCP] = LAYER_TCP,       [IP_UDP] = LAYER_UDP,    [IP_ICMP] = LAYER_ICMP,
	[IP_ICMPV6] = LAYER_ICMPV6, [IP_SCTP] = LAYER_PORTS, [IP_DCCP] = LAYER_PORTS,
	[IP_UDPLITE] = LAYER_PORTS,
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
layer_of_ppp(struct decode *d, uint16_t protocol)
{
	return lookup(d, ppp_protocols, ARRAY_LEN(ppp_protocols), protocol, UNDECODED_PPP_CONTROL);
}

enum layer
layer_of_ip_protocol(uint8_t protocol)
{
	return ip_protocols[protocol] != LAYER_END ? (enum layer)ip_protocols[protocol] : LAYER_OTHER;
}

static enum layer
layer_of_link(struct decode *d, uint32_t link_type)
{
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (links[i].link == link_type)
			return links[i].layer;
	return decode_refuse(d, UNDECODED_LINK_TYPE);
}

void
decode_frame(struct packet *k, const struct decode_options *o, const uint8_t *frame, uint32_t cap_len,
	     uint32_t wire_len)
{
	struct decode d = { rcur_of(frame, cap_len), k, frame, wire_len, 0 };
	enum layer layer;

	memset(k, 0, sizeof(*k));
	k->wire_len = wire_len;
	k->key.point = o->point;
	layer = layer_of_link(&d, o->link_type);
	for (unsigned n = 0; layer != LAYER_END; n++)
		layer = n < LAYERS_MAX ? layers[layer](&d) : decode_refuse(&d, UNDECODED_NESTING);
}
