#include "inherited.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"

#define FIRST    3 /* SD_LISTEN_FDS_START */
#define MOST     16
#define AT_LEAST 64 /* moved up here, out of the way of what a process starts with */

static int
how_many(void)
{
	const char *whose = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	long count;

	if (whose == NULL || n == NULL || strtol(whose, NULL, 10) != (long)getpid())
		return 0;
	count = strtol(n, NULL, 10);
	return count < 0 || count > MOST ? 0 : (int)count;
}

/* Names stand one after another, with colons between. */
static bool
is_named(int index, const char *name)
{
	const char *at = getenv("LISTEN_FDNAMES");
	size_t len;

	for (int i = 0; at != NULL && i < index; i++) {
		at = strchr(at, ':');
		at = at != NULL ? at + 1 : NULL;
	}
	if (at == NULL)
		return false;
	len = strcspn(at, ":");
	return len == strlen(name) && memcmp(at, name, len) == 0;
}

static bool
is_listening_tcp(int fd)
{
	int type, listening, protocol;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening == 1 &&
	       getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 && protocol == IPPROTO_TCP;
}

static bool
is_rtnetlink(int fd)
{
	int domain, protocol;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_NETLINK &&
	       getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 && protocol == NETLINK_ROUTE;
}

static int
inherited(const char *name, bool (*is_kind)(int fd))
{
	int n = how_many();

	for (int i = 0; i < n; i++) {
		int fd;

		if (!is_named(i, name) || !is_kind(FIRST + i))
			continue;
		fd = fcntl(FIRST + i, F_DUPFD_CLOEXEC, AT_LEAST);
		close(FIRST + i);
		return fd;
	}
	return -1;
}

int
inherited_tcp(const char *name)
{
	static const int yes = 1;
	AUTO(fd_drop) int fd = inherited(name, is_listening_tcp);

	/* As listen_tcp makes them. */
	if (fd == -1 || fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) == -1)
		return -1;
	return fd_keep(&fd);
}

unsigned
inherited_port(int fd)
{
	struct sockaddr_in6 a = { .sin6_port = 0 };
	socklen_t len = sizeof(a);

	/* It stands at the same place in both families' addresses. */
	_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
		       "ports of both");
	return getsockname(fd, (struct sockaddr *)&a, &len) == 0 ? ntohs(a.sin6_port) : 0;
}

int
inherited_rtnetlink(const char *name)
{
	return inherited(name, is_rtnetlink);
}
