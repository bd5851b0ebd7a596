#include "ipc/fdpass.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for more than one, so that a surplus arrives here and is closed here. */
#define FD_ROOM 8

union control {
	struct cmsghdr align;
	char b[CMSG_SPACE(FD_ROOM * sizeof(int))];
};

ssize_t
fdpass_send(int sock, const struct iovec *iov, int iovcnt, int fd)
{
	union control ctl;
	struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)iovcnt };
	struct cmsghdr *c;
	ssize_t n;

	if (fd != -1) {
		memset(&ctl, 0, sizeof(ctl));
		m.msg_control = ctl.b;
		m.msg_controllen = CMSG_SPACE(sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	do {
		n = sendmsg(sock, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n == -1 && errno == EINTR);
	return n;
}

ssize_t
fdpass_recv(int sock, void *buf, size_t len, int *fd)
{
	union control ctl;
	struct iovec iov = { buf, len };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.b, .msg_controllen = sizeof(ctl.b)
	};
	unsigned got = 0;
	bool foreign = false;
	ssize_t n;

	*fd = -1;
	do {
		n = recvmsg(sock, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			foreign = true;
			continue;
		}
		for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= c->cmsg_len; at += sizeof(int)) {
			int f;

			memcpy(&f, CMSG_DATA(c) + at, sizeof(f));
			if (got++ == 0)
				*fd = f;
			else
				close(f); /* surplus never escapes this function */
		}
	}
	if (got <= 1 && !foreign && !(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return n;
	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = EBADMSG;
	return -1;
}
