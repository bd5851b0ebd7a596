#include "place.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"

#define WAIT_MS  10000
#define AGAIN_MS 20

/* A name in the abstract space stands for a place: only one can have it, whoever it is, and it goes with its
 * holder. */
static bool
hold(int fd, const char *run_directory, unsigned place)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int n =
	    snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "weir-command-line/%s/%u", run_directory, place);

	return n > 0 && (size_t)n < sizeof(a.sun_path) - 1 &&
	       bind(fd, (const struct sockaddr *)&a,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) == 0;
}

unsigned
place_take(const char *run_directory, int *held)
{
	static const struct timespec again = { 0, AGAIN_MS * 1000000 };
	unsigned first = (unsigned)getpid() % COMMAND_LINES;
	AUTO(fd_drop) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	*held = -1;
	for (unsigned waited = 0; fd != -1 && waited <= WAIT_MS; waited += AGAIN_MS) {
		for (unsigned i = 0; i < COMMAND_LINES; i++) {
			unsigned place = 1 + (first + i) % COMMAND_LINES;

			if (hold(fd, run_directory, place)) {
				*held = fd_keep(&fd);
				return place;
			}
			if (errno != EADDRINUSE)
				return 1 + first;
		}
		(void)nanosleep(&again, NULL);
	}
	return 1 + first;
}
