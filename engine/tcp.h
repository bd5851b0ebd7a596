/* What can be told of a TCP connection from its headers alone: losses, repetitions, order, zero windows,
 * handshake. */
#ifndef WEIR_ENGINE_TCP_H
#define WEIR_ENGINE_TCP_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "decode/packet.h"

/* One direction. */
struct tcp_side {
	uint32_t isn;     /* sequence number of the SYN */
	uint32_t next;    /* highest sequence number seen, and one */
	uint32_t hole[2]; /* [from, to) was skipped and has not come yet; equal: no hole is remembered */
};

/*
 * Times are microseconds that wrap after 71 minutes: longer than a flow lives without packets. Counts are of
 * one slice of the flow; where one is full (TCP_FULL), the next slice has to begin.
 */
struct tcp_track {
	struct tcp_side side[2];
	uint32_t hole_us[2]; /* when the hole appeared */
	uint16_t retransmissions[2], out_of_order[2], lost[2], zero_windows[2];
	uint32_t handshake_us[2]; /* tcp_handshake gives them */
};
static_assert(sizeof(struct tcp_track) == 64, "one cache line of a flow");

struct tcp_seen {
	uint8_t flags[2]; /* or-ed, of the slice */
	uint8_t known;    /* TCP_KNOWN_* */
	uint8_t measured; /* TCP_MARKED, TCP_MEASURED, TCP_FULL */
};
#define TCP_MARKED   1u /* handshake_us[CLIENT] is when the last SYN or its answer came; */
#define TCP_MEASURED 2u /* by now it is the round trip */
#define TCP_FULL     4u /* a count has no room for another */

#define TCP_KNOWN_NEXT(side)        (uint8_t)(1u << (side))
#define TCP_KNOWN_ISN(side)         (uint8_t)(4u << (side))
#define TCP_KNOWN_ZERO_WINDOW(side) (uint8_t)(16u << (side))
#define TCP_KNOWN_FIN(side)         (uint8_t)(64u << (side))

/* A segment that fills a hole within this time came out of order; later it was sent again. */
#define TCP_REORDER_US 3000u

/* Learns from a segment sent by side (CLIENT or SERVER), which is no later fragment. *state moves on with it.
 */
void tcp_segment(struct tcp_track *t, struct tcp_seen *seen, uint8_t *state, const struct packet *k,
		 unsigned side, int64_t now_ns);

/* Whether a segment begins a new connection on the same addresses and ports. */
bool tcp_is_reuse(const struct tcp_track *t, const struct tcp_seen *seen, uint8_t state,
		  const struct packet *k, unsigned side);

/* Round trip of the handshake between us and that side, in microseconds rounded up; 0 unknown. */
uint32_t tcp_handshake(const struct tcp_track *t, const struct tcp_seen *seen, unsigned side);

/* The next slice begins: counts are zero again, the handshake stays. */
void tcp_next_slice(struct tcp_track *t, struct tcp_seen *seen);

#endif
