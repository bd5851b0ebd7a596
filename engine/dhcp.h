/* DHCP (RFC 2131): the name that a client gives itself, and the address that it then gets. */
#ifndef WEIR_ENGINE_DHCP_H
#define WEIR_ENGINE_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define DHCP_NAME_MAX 253

enum dhcp_kind { DHCP_OTHER, DHCP_ASKS /* REQUEST or INFORM */, DHCP_GIVES /* ACK */ };

struct dhcp_message {
	enum dhcp_kind kind;
	uint32_t transaction;
	uint8_t mac[6];               /* the client's */
	struct ip_addr ip;            /* DHCP_GIVES: the client's from now on */
	size_t name_len;              /* 0: none */
	char name[DHCP_NAME_MAX + 1]; /* printable ASCII without spaces, lower case, terminated */
};

/* False where it is no DHCP message over Ethernet. */
bool dhcp_read(const uint8_t *msg, size_t len, struct dhcp_message *out);

#endif
