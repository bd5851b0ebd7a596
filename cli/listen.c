#include "listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/ip.h"
#include "base/mem.h"

#define BACKLOG_UNIX 64
#define BACKLOG_TCP  512

int
listen_unix(const char *path, char *err, size_t errsize)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	AUTO(fd_drop) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* Nobody else can be listening there: the run directory's lock is ours. */
	if (fd != -1 && str_copy(a.sun_path, sizeof(a.sun_path), path) &&
	    (unlink(path) == 0 || errno == ENOENT) && bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 &&
	    chmod(path, 0666) == 0 && listen(fd, BACKLOG_UNIX) == 0)
		return fd_keep(&fd);
	(void)snprintf(err, errsize, "%s: cannot listen: %s", path, strerror(errno));
	return -1;
}

static socklen_t
tcp_address(struct sockaddr_storage *out, const char *address, int port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	struct ip_addr ip;

	memset(out, 0, sizeof(*out));
	if (!ip_parse(address, &ip))
		return 0;
	if (ip_is_v4(&ip)) {
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		memcpy(&in->sin_addr, ip.b + 12, 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((uint16_t)port);
	memcpy(&in6->sin6_addr, ip.b, sizeof(ip.b));
	return sizeof(*in6);
}

int
listen_tcp(const char *address, int port, const char *key, char *err, size_t errsize)
{
	static const int yes = 1;
	struct sockaddr_storage a;
	socklen_t len = tcp_address(&a, address, port);
	AUTO(fd_drop)
	int fd = socket(len == sizeof(struct sockaddr_in6) ? AF_INET6 : AF_INET,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* Accepted connections inherit TCP_NODELAY: httpd's sandbox then needs no setsockopt for it. */
	if (fd != -1 && len > 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) == 0 &&
	    bind(fd, (const struct sockaddr *)&a, len) == 0 && listen(fd, BACKLOG_TCP) == 0)
		return fd_keep(&fd);
	if (errno == EADDRINUSE)
		(void)snprintf(err, errsize,
			       "port %d is taken by another program (`ss -ltnp` names it): stop it, or set "
			       "%s to another port",
			       port, key);
	else
		(void)snprintf(err, errsize, "port %d of %s: cannot listen: %s; see httpd.address and %s",
			       port, address, strerror(errno), key);
	return -1;
}
