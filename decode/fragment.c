/* Sets of a few ways, by hash; the oldest of a set makes room. */
#include "decode/fragment.h"

#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/hash.h"

/* The ends as they stand in an IP header that was decoded before. */
static void
ends_of_header(struct ip_addr ip[static 2], const uint8_t *header, uint32_t len)
{
	struct rcur c = rcur_of(header, len);
	const bool v6 = rcur_u8(&c) >> 4 == 6;
	const uint8_t *source, *destination;

	rcur_skip(&c, v6 ? 7 : 11);
	source = rcur_take(&c, v6 ? 16 : 4);
	destination = rcur_take(&c, v6 ? 16 : 4);
	if (c.bad)
		return;
	if (v6) {
		memcpy(&ip[0], source, 16);
		memcpy(&ip[1], destination, 16);
	} else {
		ip[0] = ip_from_v4(source);
		ip[1] = ip_from_v4(destination);
	}
}

void
fragment_of(const struct packet *k, struct flow_key *of)
{
	*of = k->key;
	of->port[0] = of->port[1] = 0;
	of->icmp_type = 0;
	if (k->carrier_back == 0)
		return;
	ends_of_header(of->ip, k->l3 - k->carrier_back, k->carrier_back);
	of->protocol = k->carrier_protocol;
	of->tunnel = k->carrier_tunnel;
	for (unsigned i = k->carrier_nvlan; i < FLOW_VLANS; i++)
		of->vlan[i] = 0;
}

static bool
matches(const struct fragment_entry *e, const struct flow_key *of, uint32_t id, int64_t now_ns)
{
	return e->ts_ns != 0 && now_ns - e->ts_ns <= FRAGMENT_LIFE_NS && e->id == id &&
	       memcmp(&e->of, of, sizeof(*of)) == 0;
}

static void
remember(struct fragment_entry *set, const struct packet *k, const struct flow_key *of, int64_t now_ns)
{
	struct fragment_entry *e = &set[0];

	for (unsigned i = 1; i < FRAGMENT_WAYS; i++)
		if (set[i].ts_ns < e->ts_ns)
			e = &set[i];
	for (unsigned i = 0; i < FRAGMENT_WAYS; i++)
		if (matches(&set[i], of, k->fragment_id, now_ns))
			e = &set[i];
	*e = (struct fragment_entry){ .of = *of,
				      .key = k->key,
				      .ts_ns = now_ns,
				      .id = k->fragment_id,
				      .icmp_reply = k->icmp_reply,
				      .inside = k->carrier_back > 0 };
}

void
fragment_resolve(struct fragment_table *t, struct packet *k, int64_t now_ns)
{
	struct flow_key of;
	uint64_t w[4], h;
	struct fragment_entry *set;

	if (k->fragment == FRAGMENT_NONE || k->fragment == FRAGMENT_CUT)
		return;
	fragment_of(k, &of);
	memcpy(w, of.ip, sizeof(w));
	h = hash_mix(w[0] ^ t->seed, w[1] ^ k->fragment_id);
	h = hash_mix(w[2] ^ h, w[3] ^ t->seed);
	set = t->entry[h % FRAGMENT_SETS];
	if (k->fragment != FRAGMENT_LATER) {
		remember(set, k, &of, now_ns);
		return;
	}
	for (unsigned i = 0; i < FRAGMENT_WAYS; i++)
		if (matches(&set[i], &of, k->fragment_id, now_ns)) {
			k->key = set[i].key;
			k->icmp_reply = set[i].icmp_reply;
			if (set[i].inside)
				k->payload = 0;
			return;
		}
	t->unknown++;
}
