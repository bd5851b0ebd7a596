/* What the kernel says about network interfaces. */
#ifndef WEIR_CLI_INTERFACE_H
#define WEIR_CLI_INTERFACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ip.h"

bool interface_exists(const char *name);
/* There and administratively up. */
bool interface_is_up(const char *name);
/* Has an IPv4 address, or an IPv6 address that is not link-local. */
bool interface_has_address(const char *name);
/* The interface of the default route with the least metric (IPv4 first), into out; false where there is none.
 */
bool interface_of_default_route(char *out, size_t size);
/* Addresses of all interfaces that are up, without link-local ones; first those of the interface `first` (or
 * NULL). Returns the number. */
size_t interface_addresses(const char *first, struct ip_addr *out, size_t most);

#endif
