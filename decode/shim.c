/* What stands between link and network: VLAN tags, PPPoE, MPLS. */
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
