/* What stands between link and network: VLAN tags, PPPoE, MPLS, ARP. */
#include <string.h>

#include "decode/layer.h"

enum layer
decode_vlan(struct decode *d)
{
	uint16_t tag = rcur_be16(&d->c);
	uint16_t type = rcur_be16(&d->c);

	if (d->c.bad)
		return decode_refuse(d, UNDECODED_VLAN_TRUNCATED);
	if (d->k->nvlan == FLOW_VLANS)
		return decode_refuse(d, UNDECODED_VLAN_DEPTH);
	d->k->key.vlan[d->k->nvlan++] = tag & 0x0fff;
	return layer_of_ethertype(d, type);
}

enum layer
decode_pppoe(struct decode *d)
{
	rcur_skip(&d->c, 6);
	if (d->c.bad)
		return decode_refuse(d, UNDECODED_PPPOE_TRUNCATED);
	d->k->key.tunnel = TUNNEL_PPPOE;
	return LAYER_PPP;
}

/* Labels up to the bottom of the stack; what follows has no type, only its first bits (RFC 4928 section 3).
 */
enum layer
decode_mpls(struct decode *d)
{
	struct rcur peek;
	uint32_t entry;

	d->k->key.tunnel = TUNNEL_MPLS;
	do
		entry = rcur_be32(&d->c);
	while (!d->c.bad && !(entry & 0x100));
	peek = d->c;
	switch (rcur_u8(&peek) >> 4) {
	case 4:
		return LAYER_IPV4;
	case 6:
		return LAYER_IPV6;
	default:
		return decode_refuse(d, peek.bad ? UNDECODED_MPLS_TRUNCATED : UNDECODED_MPLS_PAYLOAD);
	}
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
