/* The NetBIOS name service (RFC 1002, section 4.2): which names Windows hosts claim. */
#ifndef WEIR_ENGINE_NETBIOS_H
#define WEIR_ENGINE_NETBIOS_H

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define NETBIOS_NAME_MAX 15

/* Gets a host's own name (no group, no service), 1..NETBIOS_NAME_MAX printable bytes, terminated. */
typedef void netbios_found(void *ctx, const struct ip_addr *ip, const char *name, size_t len);

/* Reads a message that source sent: registrations and refreshes of a name, answers about one, and what a host
 * says of all its names. */
void netbios_read(const uint8_t *msg, size_t len, const struct ip_addr *source, netbios_found *found,
		  void *ctx);

#endif
