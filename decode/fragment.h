/* Later fragments of a datagram belong to the flow of the first: a small table remembers its ports. */
#ifndef WEIR_DECODE_FRAGMENT_H
#define WEIR_DECODE_FRAGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/packet.h"

#define FRAGMENT_SETS    1024
#define FRAGMENT_WAYS    4
#define FRAGMENT_LIFE_NS (30 * NS_PER_S) /* packet time: as long as a receiver would wait */

struct fragment_entry {
	struct ip_addr ip[2]; /* source, destination */
	int64_t ts_ns;        /* 0: empty */
	uint16_t vlan[FLOW_VLANS];
	uint32_t id;
	uint16_t port[2];
	uint8_t point, protocol, tunnel;
	uint8_t icmp_type, icmp_reply, reserved[3];
};
static_assert(sizeof(struct fragment_entry) == 64, "a cache line");

struct fragment_table {
	struct fragment_entry entry[FRAGMENT_SETS][FRAGMENT_WAYS];
	uint64_t seed;
	uint64_t unknown; /* later fragments whose first was not seen: flows without ports */
};

/* Before packet_seal: remembers a first fragment, gives a later one the ports of its first. */
void fragment_resolve(struct fragment_table *t, struct packet *k, int64_t now_ns);

#endif
