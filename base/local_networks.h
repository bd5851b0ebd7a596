/* The setting local_networks: what counts as local where nothing else says. */
#ifndef WEIR_BASE_LOCAL_NETWORKS_H
#define WEIR_BASE_LOCAL_NETWORKS_H

#include <stdint.h>

#include "base/ip.h"
#include "base/settings.h"

#define LOCAL_NETWORKS_MAX 64

/* Those that are set, or where none are, private and link-local ones (RFC 1918, 6598, 3927, 4193, 4291) and
 * loopback. Returns how many there are. A text that is no network is left out, with a line in the log. */
uint32_t local_networks_read(const struct settings *set, struct ip_prefix out[static LOCAL_NETWORKS_MAX]);

#endif
