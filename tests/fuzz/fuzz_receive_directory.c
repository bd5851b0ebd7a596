/* What authd asks of directory, dial's answers, and what the processes say that it makes for each question:
 * such a process is what a server or a token may have taken over. None is made here; its end of the pipe is
 * the input's. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "attempts.h"
#include "base/log.h"
#include "base/mem.h"
#include "child.h"
#include "directory.h"
#include "ipc/wire.h"
#include "oidc_asks.h"
#include "oidc_process.h"
#include "receiver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No process has this number, so that nobody is hit who is told to end. */
#define NOBODY 0x7ffffff0

static const uint8_t *rest; /* what the next process says: a byte for the length, and the bytes */
static size_t nrest;
static struct directory d;

/* What it says; an end of a pair of sockets on which it is said already. */
static int
speak(int type)
{
	size_t n = nrest == 0 ? 0 : rest[0] * 4u;
	int pair[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == -1)
		abort();
	if (n + 1 > nrest)
		n = nrest == 0 ? 0 : nrest - 1;
	if (n > 0 && send(pair[1], rest + 1, n, MSG_NOSIGNAL) != (ssize_t)n)
		abort();
	rest += nrest == 0 ? 0 : n + 1;
	nrest -= nrest == 0 ? 0 : n + 1;
	close(pair[1]);
	return pair[0];
}

pid_t
child_start(const struct child_task *t, int connection, int *told)
{
	(void)t;
	(void)connection;
	*told = speak(SOCK_STREAM);
	return NOBODY;
}

pid_t
oidc_process_start(const struct oidc_task *t, int *sock)
{
	(void)t;
	*sock = speak(SOCK_STREAM);
	return NOBODY;
}

/* Texts end, and say how long what is handed over is: what else they may say is the input's. */
static void
mend(const struct channel *from, enum msg_id id, uint8_t *body, size_t len, size_t memory)
{
	struct wire_directory_ask *l = (void *)body;
	struct wire_oidc_ask *o = (void *)body;

	(void)from;
	if (id == MSG_DIRECTORY_ASK && len == sizeof(*l) && body[0] % 4 != 3)
		l->len = (uint32_t)memory;
	if (id == MSG_OIDC_ASK && len == sizeof(*o) && body[0] % 4 != 3)
		o->len = (uint32_t)memory;
}

static void
turn(void)
{
	event_base_loop(d.base, EVLOOP_NONBLOCK);
}

static void
open_directory(void)
{
	if (sodium_init() == -1)
		fatalx("libsodium does not start");
	d.boot = receiver_boot(PROC_DIRECTORY);
	d.base = event_base_new();
	if (d.base == NULL)
		fatalx("no event loop");
	serve_open(&d);
}

/* The first byte says how much of the input is what processes say. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct receiver_hooks hooks = { .before = mend, .after = turn };
	size_t said;

	if (d.base == NULL)
		open_directory();
	if (size == 0)
		return 0;
	said = (size - 1) * data[0] / 256;
	rest = data + size - said;
	nrest = said;
	receiver_run(&hooks, data + 1, size - 1 - said);
	return 0;
}
