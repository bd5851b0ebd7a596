/* Hides remote ends. */
#include "mask.h"

#include <string.h>

bool
mask_hides(const struct view *v, const struct ip_addr *ip)
{
	if (!v->masked || ip_is_multicast_or_broadcast(ip))
		return false;
	if (!v->platform && snapshot_has_networks(v->policy, v->tenant))
		return !snapshot_in_networks(v->policy, v->tenant, ip);
	return !store_is_local(v->s, ip);
}

static void
to_network(struct ip_addr *ip)
{
	unsigned bits = ip_is_v4(ip) ? 96 + MASK_BITS_V4 : MASK_BITS_V6;

	memset(ip->b + bits / 8, 0, sizeof(ip->b) - bits / 8);
}
_Static_assert(MASK_BITS_V4 % 8 == 0 && MASK_BITS_V6 % 8 == 0, "to_network works in bytes");

bool
mask_address(const struct view *v, struct ip_addr *ip)
{
	bool hides = mask_hides(v, ip);

	if (hides)
		to_network(ip);
	return hides;
}

void
mask_flow(const struct view *v, struct rec_flow *f, bool side[static 2])
{
	for (int i = CLIENT; i <= SERVER; i++) {
		side[i] = mask_address(v, &f->ip[i]);
		if (side[i])
			memset(f->mac[i], 0, sizeof(f->mac[i]));
	}
	if (!side[CLIENT] && !side[SERVER])
		return;
	memset(&f->next_hop, 0, sizeof(f->next_hop));
	/* Queries, URLs, agents and certificates of either end. */
	f->info_len = f->attributes_len = 0;
	if (side[SERVER])
		f->server_name_len = 0;
}
