/* The UDP ports of tunnels, for both ways of decoding. */
#ifndef WEIR_DECODE_UDP_TUNNEL_H
#define WEIR_DECODE_UDP_TUNNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/layer.h"

#define UDP_TUNNEL_SLOTS 128

struct udp_tunnel {
	uint16_t port;
	uint8_t layer;
	bool either; /* also as source port */
};

/* By the last bits of the port, which differ among them. Port 0 has no tunnel: LAYER_END. */
extern const struct udp_tunnel udp_tunnels[UDP_TUNNEL_SLOTS];

/* Whether a packet between these ports is to be looked at more closely. */
static inline bool
udp_tunnel_suspected(uint32_t source, uint32_t destination)
{
	return udp_tunnels[source % UDP_TUNNEL_SLOTS].port == source ||
	       udp_tunnels[destination % UDP_TUNNEL_SLOTS].port == destination;
}

/* The layer that judges what is carried, or LAYER_END. */
static inline enum layer
udp_tunnel_layer(uint16_t source, uint16_t destination)
{
	const struct udp_tunnel *to = &udp_tunnels[destination % UDP_TUNNEL_SLOTS];
	const struct udp_tunnel *from = &udp_tunnels[source % UDP_TUNNEL_SLOTS];

	if (to->port == destination && to->layer != LAYER_END)
		return (enum layer)to->layer;
	return from->port == source && from->either ? (enum layer)from->layer : LAYER_END;
}

#endif
