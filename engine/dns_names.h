/* Names of what stands in a DNS message as numbers (IANA's registry of DNS parameters). */
#ifndef WEIR_ENGINE_DNS_NAMES_H
#define WEIR_ENGINE_DNS_NAMES_H

#include <stdint.h>

#define DNS_NUMBER_TEXT 16

/* "AAAA"; "TYPE65280" (RFC 3597) where it has no name: out is then used. */
const char *dns_type_name(uint16_t type, char out[static DNS_NUMBER_TEXT]);
/* "NXDOMAIN"; "RCODE12". */
const char *dns_rcode_name(uint8_t rcode, char out[static DNS_NUMBER_TEXT]);

#endif
