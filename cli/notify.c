#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"

static const char *
listener(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path != NULL && (path[0] == '/' || path[0] == '@') && path[1] != '\0' ? path : NULL;
}

bool
notify_is_wanted(void)
{
	return listener() != NULL;
}

void
notify(const char *state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const char *path = listener();
	size_t len = path == NULL ? 0 : strlen(path);
	AUTO(fd_drop) int fd = -1;

	if (len == 0 || len >= sizeof(a.sun_path))
		return;
	memcpy(a.sun_path, path, len);
	if (path[0] == '@')
		a.sun_path[0] = '\0'; /* of the abstract namespace */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd != -1 &&
	    sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&a,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == -1) {
		/* it is gone, or does not read: its watchdog says so */
	}
}

int64_t
notify_watchdog_ms(void)
{
	const char *text = getenv("WATCHDOG_USEC"), *whose = getenv("WATCHDOG_PID");
	char *end;
	long long us;

	if (text == NULL || (whose != NULL && strtol(whose, NULL, 10) != (long)getpid()))
		return 0;
	errno = 0;
	us = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' && us >= 1000 ? us / 1000 : 0;
}
