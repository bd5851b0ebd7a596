/*
 * getnameinfo, in place of the C library's. evhttp formats the address of every connection with it, and the C
 * library's opens a socket to name the interface of a link-local address, which the sandbox would answer with
 * death: any neighbour could stop us. This one knows numbers only. libevent finds it because the program's
 * own symbols come before a library's.
 */
#include "numeric_name.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

int
getnameinfo(const struct sockaddr *restrict sa, socklen_t salen, char *restrict host, socklen_t hostlen,
	    char *restrict serv, socklen_t servlen, int flags)
{
	const void *address;
	unsigned port;
	int n;

	(void)flags;
	if (sa->sa_family == AF_INET && salen >= sizeof(struct sockaddr_in)) {
		const struct sockaddr_in *v4 = (const void *)sa;

		address = &v4->sin_addr;
		port = ntohs(v4->sin_port);
	} else if (sa->sa_family == AF_INET6 && salen >= sizeof(struct sockaddr_in6)) {
		const struct sockaddr_in6 *v6 = (const void *)sa;

		address = &v6->sin6_addr;
		port = ntohs(v6->sin6_port);
	} else
		return EAI_FAMILY;
	if (host != NULL && hostlen > 0 && inet_ntop(sa->sa_family, address, host, hostlen) == NULL)
		return EAI_OVERFLOW;
	n = serv == NULL || servlen == 0 ? 0 : snprintf(serv, servlen, "%u", port);
	return n >= 0 && (unsigned)n <= servlen ? 0 : EAI_OVERFLOW;
}

void
numeric_name_check(void)
{
	int (*ours)(const struct sockaddr *restrict, socklen_t, char *restrict, socklen_t, char *restrict,
		    socklen_t, int) = getnameinfo;
	void *found = dlsym(RTLD_DEFAULT, "getnameinfo");

	if (memcmp(&found, &ours, sizeof(found)) != 0)
		fatalx("getnameinfo is not this program's own: a link-local client could stop it");
}
