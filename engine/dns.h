/* Answers of the Domain Name System (RFC 1035), asked of a server or of everybody on the link (RFC 6762, RFC
 * 4795): which addresses have which names. */
#ifndef WEIR_ENGINE_DNS_H
#define WEIR_ENGINE_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define DNS_NAME_MAX    253 /* as text: 255 on the wire */
#define DNS_ANSWERS_MAX 16  /* that are taken from one message */

/* Gets each address with its name: lower case, without the last dot, printable ASCII without
 * spaces, 1..DNS_NAME_MAX bytes, terminated. */
typedef void dns_found(void *ctx, const struct ip_addr *ip, const char *name, size_t len);

/*
 * Reads a response. Of a server's: the addresses go to the name that was asked for, whatever CNAME records
 * stand between, because that is the name that users know; an answer to a question for the name of an address
 * (PTR) counts too. Of multicast ones each record speaks for itself.
 */
void dns_read(const uint8_t *msg, size_t len, bool multicast, dns_found *found, void *ctx);

#endif
