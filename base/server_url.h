/* Servers as administrators write them: ldaps://dc1.example.com, ldap://[2001:db8::1]:3890 (a directory's),
 * https://login.example.com/realms/noc (an issuer), login.example.com:8443 (a host). */
#ifndef WEIR_BASE_SERVER_URL_H
#define WEIR_BASE_SERVER_URL_H

#include <stdbool.h>
#include <stdint.h>

#define SERVER_HOST_MAX 256 /* with its end */

struct server_url {
	bool
	    ldaps; /* of a directory: TLS from the first byte; otherwise by StartTLS, where it is asked for */
	uint16_t port;
	char host[SERVER_HOST_MAX]; /* a name or an address, without brackets */
};

/* Each is false where the text is anything else. Of a directory: a path, a query and a user name have no
 * meaning here. */
bool server_url_ldap(const char *text, struct server_url *u);
/* Of an issuer, whose path says nothing about its server. */
bool server_url_issuer(const char *text, struct server_url *u);
/* A host and its port, which is that of https where none is written. */
bool server_url_host(const char *text, struct server_url *u);

/* Whether both are the same port of the same host, with or without TLS from the first byte alike. */
bool server_url_same(const struct server_url *a, const struct server_url *b);
/* Whether it is this port of this host: names without regard to case, addresses however they are written. */
bool server_url_is(const struct server_url *u, const char *host, uint16_t port);

#endif
