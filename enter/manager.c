#include "manager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"

int
manager_socket(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path == NULL ? 0 : strlen(path);
	AUTO(fd_drop) int fd = -1;

	if (len == 0)
		return open("/dev/null", O_WRONLY | O_CLOEXEC);
	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(a.sun_path)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(a.sun_path, path, len);
	if (path[0] == '@')
		a.sun_path[0] = '\0'; /* of the abstract namespace */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1 || connect(fd, (const struct sockaddr *)&a,
				(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == -1)
		return -1;
	return fd_keep(&fd);
}

static int
signal_of(const char *name)
{
	for (int sig = 1; sig < NSIG; sig++) {
		const char *known = sigabbrev_np(sig);

		if (known != NULL && strcmp(known, name) == 0)
			return sig;
	}
	return 0;
}

bool
manager_wait_status(const char *code, const char *status, int32_t *wait_status)
{
	char *end;
	long n;

	if (code == NULL || status == NULL || *status == '\0')
		return false;
	if (strcmp(code, "exited") == 0) {
		n = strtol(status, &end, 10);
		if (*end != '\0' || n < 0 || n > 255)
			return false;
		*wait_status = (int32_t)n << 8;
		return true;
	}
	if (strcmp(code, "killed") != 0 && strcmp(code, "dumped") != 0)
		return false;
	*wait_status = signal_of(status);
	return *wait_status != 0;
}
