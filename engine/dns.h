/* Answers of the Domain Name System (RFC 1035): which addresses a name has. */
#ifndef WEIR_ENGINE_DNS_H
#define WEIR_ENGINE_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define DNS_NAME_MAX    253 /* as text: 255 on the wire */
#define DNS_ANSWERS_MAX 16

struct dns_answers {
	char name[DNS_NAME_MAX +
		  1]; /* what was asked for, lower case, without the last dot, printable only; terminated */
	size_t name_len;
	unsigned n;
	struct ip_addr ip[DNS_ANSWERS_MAX]; /* A and AAAA, in order, at most this many */
};

/*
 * Reads a response with one question. True where it has a name and at least one address. Names of CNAME
 * records in between are followed by nobody: the name asked for is the one that users know.
 */
bool dns_parse(const uint8_t *msg, size_t len, struct dns_answers *out);

#endif
