/* Addresses of servers as administrators write them: ldaps://dc1.example.com, ldap://[2001:db8::1]:3890. */
#ifndef WEIR_DIRECTORY_URL_H
#define WEIR_DIRECTORY_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/wire.h"

struct server_url {
	bool ldaps; /* TLS from the first byte; otherwise by StartTLS, where it is asked for */
	uint16_t port;
	char host[DIAL_HOST_MAX]; /* a name or an address, without brackets */
};

/* False where the text is anything else: a path, a query and a user name have no meaning here. */
bool url_parse(const char *text, struct server_url *u);

/* Whether both are the same port of the same host, with or without TLS from the first byte alike. */
bool url_same(const struct server_url *a, const struct server_url *b);

#endif
