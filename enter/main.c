/*
 * weir-enter: what the unit of a process starts, as the process's own user. It asks the launcher for the
 * descriptors, waits until the launcher lets it begin (its interface is there, its last death was long enough
 * ago), and becomes the process. After the end of one, the unit has it tell the launcher how it ended.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "descriptors.h"
#include "ipc/boot.h"
#include "ipc/fdpass.h"
#include "ipc/unit.h"
#include "manager.h"
#include "unit_process.h"

#define LAUNCHER  UNITS_RUN_DIRECTORY "/" UNIT_SOCKET
#define RETRY_US  100000
#define ALIVE_MS  5000
#define PATH_ROOM 4096

static int
connect_once(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = LAUNCHER };
	struct ucred who;
	socklen_t len = sizeof(who);
	AUTO(fd_drop) int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (sock == -1)
		fatal("no socket");
	if (connect(sock, (const struct sockaddr *)&a, sizeof(a)) == -1)
		return -1;
	/* Only root can have made a socket in that directory; this says so once more. */
	if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &who, &len) == -1 || who.uid != 0)
		fatalx(LAUNCHER ": is not the launcher's");
	return fd_keep(&sock);
}

static bool
say_word(int sock, enum unit_word word, int32_t value)
{
	struct unit_message m = { (uint32_t)word, value };
	struct iovec iov = { &m, sizeof(m) };

	return fdpass_send(sock, &iov, 1, -1) == (ssize_t)sizeof(m);
}

/* The launcher may be starting, or starting again. */
static int
ask_launcher(int manager)
{
	for (;;) {
		AUTO(fd_drop) int sock = connect_once();

		if (sock != -1 && say_word(sock, UNIT_ENTER, 0))
			return fd_keep(&sock);
		if (write(manager, "WATCHDOG=1", 10) == -1) {
			/* the next one tells */
		}
		(void)usleep(RETRY_US);
	}
}

/* One message; false where the launcher went away. Its unit's watchdog is told meanwhile that it waits. */
static bool
hear(int sock, int manager, struct unit_message *m, int *fd)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	ssize_t n;

	for (;;) {
		int ready = poll(&p, 1, ALIVE_MS);

		if (ready == -1 && errno != EINTR)
			fatal("cannot wait for the launcher");
		if (ready > 0)
			break;
		if (write(manager, "WATCHDOG=1", 10) == -1) {
			/* the next one tells */
		}
	}
	n = fdpass_recv(sock, m, sizeof(*m), fd);
	return n == (ssize_t)sizeof(*m);
}

/* False where it has to ask again. */
static bool
collect(int sock, int manager, struct descriptors *d, bool *directory)
{
	struct unit_message m;
	int fd;

	while (hear(sock, manager, &m, &fd)) {
		if (m.word == UNIT_START && fd == -1) {
			*directory = m.value == 1;
			return true;
		}
		if (m.word != UNIT_PLACE || !descriptors_take(d, m.value, fd))
			fatalx("the launcher said what cannot be: word %u, value %d", m.word, m.value);
	}
	return false;
}

/* Where this program stands, the others do. */
static void
path_of(const char *name, char path[static PATH_ROOM])
{
	char self[PATH_ROOM];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		fatal("cannot find out where this program stands");
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	if ((size_t)snprintf(path, PATH_ROOM, "%s/weir-%s", self, name) >= PATH_ROOM)
		fatalx("the path of weir-%s is too long", name);
}

static _Noreturn void
become(const char *name, const struct descriptors *d, bool directory)
{
	char path[PATH_ROOM], title[32];
	char *argv[] = { title, NULL }, *envp[] = { NULL };

	path_of(name, path);
	(void)snprintf(title, sizeof(title), "weir-%s", name);
	(void)umask(077);
	if (!descriptors_place(d))
		fatal("descriptors");
	if ((directory ? fchdir(BOOT_FD_DIRECTORY) : chdir("/")) == -1)
		fatal("working directory");
	execve(path, argv, envp);
	fatal_status(127, "%s: cannot be executed: %s", path, strerror(errno));
}

static _Noreturn void
enter(const char *name)
{
	struct descriptors d;
	int manager = manager_socket();
	bool directory = false, complete = false;

	if (manager == -1)
		fatal("NOTIFY_SOCKET");
	while (!complete) {
		AUTO(fd_drop) int sock = ask_launcher(manager);

		descriptors_init(&d);
		complete = collect(sock, manager, &d, &directory);
		for (int n = 0; n < DESCRIPTORS_MAX && !complete; n++)
			fd_drop(&d.fd[n]);
		if (!complete)
			(void)usleep(RETRY_US);
	}
	if (!descriptors_take(&d, BOOT_FD_NOTIFY, manager))
		fatal("descriptors");
	become(name, &d, directory);
}

static int
tell_end(void)
{
	AUTO(fd_drop) int sock = connect_once();
	int32_t status;

	if (sock == -1) /* everything is being stopped */
		return 0;
	if (!manager_wait_status(getenv("EXIT_CODE"), getenv("EXIT_STATUS"), &status))
		fatalx("EXIT_CODE and EXIT_STATUS tell of no end");
	return say_word(sock, UNIT_ENDED, status) ? 0 : 1;
}

int
main(int argc, char **argv)
{
	const char *name;

	log_init("weir-enter", LOG_LEVEL_INFO);
	if (argc == 2 && strcmp(argv[1], "--ended") == 0)
		return tell_end();
	if (argc != 2)
		fatalx("this program is started by units: weir-enter PROCESS");
	name = unit_process(argv[1]);
	if (name == NULL)
		fatalx("there is no weir-%s", argv[1]);
	enter(name);
}
