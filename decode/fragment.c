/* Sets of a few ways, by hash; the oldest of a set makes room. */
#include "decode/fragment.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"

static bool
matches(const struct fragment_entry *e, const struct packet *k, int64_t now_ns)
{
	return e->ts_ns != 0 && now_ns - e->ts_ns <= FRAGMENT_LIFE_NS && e->id == k->fragment_id &&
	       e->point == k->key.point && e->protocol == k->key.protocol && e->tunnel == k->key.tunnel &&
	       memcmp(e->vlan, k->key.vlan, sizeof(e->vlan)) == 0 &&
	       memcmp(e->ip, k->key.ip, sizeof(e->ip)) == 0;
}

static void
remember(struct fragment_entry *set, const struct packet *k, int64_t now_ns)
{
	struct fragment_entry *e = &set[0];

	for (unsigned i = 1; i < FRAGMENT_WAYS; i++)
		if (set[i].ts_ns < e->ts_ns)
			e = &set[i];
	for (unsigned i = 0; i < FRAGMENT_WAYS; i++)
		if (matches(&set[i], k, now_ns))
			e = &set[i];
	memcpy(e->ip, k->key.ip, sizeof(e->ip));
	e->ts_ns = now_ns;
	e->id = k->fragment_id;
	e->port[0] = k->key.port[0];
	e->port[1] = k->key.port[1];
	memcpy(e->vlan, k->key.vlan, sizeof(e->vlan));
	e->point = k->key.point;
	e->protocol = k->key.protocol;
	e->tunnel = k->key.tunnel;
	e->icmp_type = k->key.icmp_type;
	e->icmp_reply = k->icmp_reply;
}

void
fragment_resolve(struct fragment_table *t, struct packet *k, int64_t now_ns)
{
	uint64_t w[4], h;
	struct fragment_entry *set;

	if (k->fragment == FRAGMENT_NONE || k->fragment == FRAGMENT_CUT)
		return;
	memcpy(w, k->key.ip, sizeof(w));
	h = hash_mix(w[0] ^ t->seed, w[1] ^ k->fragment_id);
	h = hash_mix(w[2] ^ h, w[3] ^ t->seed);
	set = t->entry[h % FRAGMENT_SETS];
	if (k->fragment != FRAGMENT_LATER) {
		remember(set, k, now_ns);
		return;
	}
	for (unsigned i = 0; i < FRAGMENT_WAYS; i++)
		if (matches(&set[i], k, now_ns)) {
			k->key.port[0] = set[i].port[0];
			k->key.port[1] = set[i].port[1];
			k->key.icmp_type = set[i].icmp_type;
			k->icmp_reply = set[i].icmp_reply;
			return;
		}
	t->unknown++;
}
