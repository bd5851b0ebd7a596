/* What can be told of a TCP connection from its headers alone: losses, repetitions, order, zero windows,
 * handshake. */
#ifndef WEIR_ENGINE_TCP_H
#define WEIR_ENGINE_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/packet.h"

/* One direction. */
struct tcp_side {
	uint32_t isn;     /* sequence number of the SYN */
	uint32_t next;    /* highest sequence number seen, and one */
	uint32_t hole[2]; /* [from, to) was skipped and has not come yet; equal: no hole is remembered */
};

struct tcp_track {
	struct tcp_side side[2];
	int64_t mark_ns;    /* of the SYN, then of the SYN-ACK: for the handshake */
	int64_t hole_ns[2]; /* when the hole appeared */
	uint8_t known;      /* TCP_KNOWN_* */
};
#define TCP_KNOWN_NEXT(side)        (uint8_t)(1u << (side))
#define TCP_KNOWN_ISN(side)         (uint8_t)(4u << (side))
#define TCP_KNOWN_ZERO_WINDOW(side) (uint8_t)(16u << (side))
#define TCP_KNOWN_FIN(side)         (uint8_t)(64u << (side))

/* A segment that fills a hole within this time came out of order; later it was sent again. */
#define TCP_REORDER_NS (3 * NS_PER_MS)

/* Learns from a segment sent by side (CLIENT or SERVER), which is no later fragment. *state moves on with it.
 */
void tcp_segment(struct tcp_track *t, struct flow_tcp *count, uint8_t *state, const struct packet *k,
		 unsigned side, int64_t now_ns);

/* Whether a segment begins a new connection on the same addresses and ports. */
bool tcp_is_reuse(const struct tcp_track *t, uint8_t state, const struct packet *k, unsigned side);

#endif
