/* The key of a packet's flow: ordered and hashed. */
#include "decode/packet.h"

#include <string.h>

#include "base/cursor.h"

const char *
undecoded_name(enum undecoded reason)
{
	static const char *const names[] = { "",
#define X(id, name) name,
					     UNDECODED_TABLE(X)
#undef X
	};
	static_assert(sizeof(names) / sizeof(names[0]) == UNDECODED_COUNT, "name every reason");

	return (unsigned)reason < UNDECODED_COUNT ? names[reason] : "";
}

bool
packet_arp(const struct packet *k, struct arp *a)
{
	struct rcur c;

	if (k->reason != UNDECODED_ARP || k->l3 == NULL)
		return false;
	c = rcur_of(k->l3, k->l3_len);
	rcur_skip(&c, 6);
	a->operation = rcur_be16(&c);
	a->sender_mac = rcur_take(&c, 6);
	a->sender_ip = rcur_take(&c, 4);
	a->target_mac = rcur_take(&c, 6);
	a->target_ip = rcur_take(&c, 4);
	return !c.bad;
}

void
packet_seal(struct packet *k, const uint64_t seed[static 2])
{
	const struct flow_key *key = &k->key;

	packet_seal_words(k,
			  (struct key_words){ key_word_at(key, 0), key_word_at(key, 1), key_word_at(key, 2),
					      key_word_at(key, 3), key_word_at(key, 4), key_word_at(key, 5) },
			  seed);
}
