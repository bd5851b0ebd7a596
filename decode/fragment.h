/*
 * Later fragments of a datagram belong to the flow of the first: a small table remembers its key. Where the
 * datagram carries a tunnel, that is the key of the flow inside, so the others go there too.
 */
#ifndef WEIR_DECODE_FRAGMENT_H
#define WEIR_DECODE_FRAGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/packet.h"

#define FRAGMENT_SETS    1024
#define FRAGMENT_WAYS    4
#define FRAGMENT_LIFE_NS (30 * NS_PER_S) /* packet time: as long as a receiver would wait */

struct fragment_entry {
	struct flow_key of;  /* fragment_of */
	struct flow_key key; /* of the flow that all of them count into */
	int64_t ts_ns;       /* 0: empty */
	uint32_t id;
	uint8_t icmp_reply;
	uint8_t inside; /* of a tunnel: its header said how much payload there is in all */
	uint8_t reserved[2];
};

struct fragment_table {
	struct fragment_entry entry[FRAGMENT_SETS][FRAGMENT_WAYS];
	uint64_t seed;
	uint64_t unknown; /* later fragments whose first was not seen: flows without ports */
};

/*
 * The key, without ports, of the datagram that was fragmented: the same for all its fragments. It is where
 * they have to meet (owner_of_addresses), while key is that of the flow. Before packet_seal; k->fragment is
 * not FRAGMENT_NONE.
 */
void fragment_of(const struct packet *k, struct flow_key *of);

/* Before packet_seal: remembers a first fragment, gives a later one the key of its first. */
void fragment_resolve(struct fragment_table *t, struct packet *k, int64_t now_ns);

#endif
