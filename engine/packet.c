/* The key of a packet's flow: ordered and hashed. */
#include "packet.h"

#include <string.h>

#include "base/hash.h"

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

/* Any order will do, as long as both directions agree: two words at a time, not byte by byte. */
static bool
ends_in_order(const struct flow_key *k)
{
	uint64_t a[2], b[2];

	memcpy(a, &k->ip[0], sizeof(a));
	memcpy(b, &k->ip[1], sizeof(b));
	if (a[1] != b[1])
		return a[1] < b[1];
	if (a[0] != b[0])
		return a[0] < b[0];
	return k->port[0] <= k->port[1];
}

void
packet_seal(struct packet *k, const uint64_t seed[static 2])
{
	uint64_t w[6], h;

	k->swapped = !ends_in_order(&k->key);
	if (k->swapped) {
		struct ip_addr a = k->key.ip[0];
		uint16_t p = k->key.port[0];

		k->key.ip[0] = k->key.ip[1];
		k->key.ip[1] = a;
		k->key.port[0] = k->key.port[1];
		k->key.port[1] = p;
	}
	memcpy(w, &k->key, sizeof(w));
	h = hash_mix(w[0] ^ seed[0], w[1] ^ seed[1]);
	h = hash_mix(w[2] ^ seed[1] ^ h, w[3] ^ seed[0]);
	h = hash_mix(w[4] ^ seed[0], w[5] ^ seed[1] ^ h);
	k->hash = h;
}
