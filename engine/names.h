/* Names that packets tell of addresses: DNS, multicast DNS, NetBIOS, DHCP. */
#ifndef WEIR_ENGINE_NAMES_H
#define WEIR_ENGINE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

/* A client that asked by DHCP and told its name, until the answer gives it an address. */
#define DHCP_ASKING_NAME_MAX 63
struct dhcp_asking {
	int64_t time_ns; /* 0: empty */
	uint32_t transaction;
	uint8_t mac[6];
	uint8_t point; /* index: it stands for the address space too */
	uint8_t name_len;
	uint16_t vlan;
	char name[DHCP_ASKING_NAME_MAX];
};
#define DHCP_ASKING 256 /* at a time, a power of two; the newest wins a place */

enum {
	PORT_DNS = 53,
	PORT_DHCP_SERVER = 67,
	PORT_DHCP_CLIENT = 68,
	PORT_NETBIOS = 137,
	PORT_MDNS = 5353,
	PORT_LLMNR = 5355
};

/* Whether a datagram from this port may tell names. */
static inline bool
names_port(uint16_t port)
{
	return port == PORT_DNS || port == PORT_MDNS || port == PORT_NETBIOS || port == PORT_DHCP_CLIENT ||
	       port == PORT_DHCP_SERVER || port == PORT_LLMNR;
}

#endif
