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

#define END(text) ((text)[sizeof(text) - 1] = '\0')

static void
mend_url(char url[DIRECTORY_URL_MAX])
{
	url[DIRECTORY_URL_MAX - 1] = '\0';
	if (url[0] != 'l')
		(void)str_copy(url, DIRECTORY_URL_MAX, "ldaps://a");
}

static void
mend_directory_ask(struct wire_directory_ask *w, size_t memory)
{
	w->what = 1 + w->what % (DIRECTORY_WHAT_COUNT - 1);
	w->timeout_ms = 1 + w->timeout_ms % 120000;
	w->len = (uint32_t)memory;
	w->nservers = 1 + w->nservers % DIRECTORY_SERVERS;
	w->nreferrals %= DIRECTORY_REFERRALS + 1;
	for (unsigned i = 0; i < DIRECTORY_SERVERS; i++)
		mend_url(w->server[i]);
	for (unsigned i = 0; i < DIRECTORY_REFERRALS; i++)
		mend_url(w->referral[i]);
	w->name[0] = w->password[0] = 'a';
	END(w->name);
	END(w->password);
	END(w->secret);
}

static void
mend_oidc_ask(struct wire_oidc_ask *w, size_t memory)
{
	w->what = 1 + w->what % (OIDC_WHAT_COUNT - 1);
	w->timeout_ms = 1 + w->timeout_ms % 120000;
	w->len = (uint32_t)memory;
	if (w->issuer[0] != 'h')
		(void)str_copy(w->issuer, sizeof(w->issuer), "https://a");
	w->proof[0] = 'a';
	END(w->issuer);
	END(w->secret);
	END(w->verifier);
	END(w->nonce);
	END(w->proof);
}

/* Questions are such as authd asks, mostly: else all would be refused at once. */
static void
mend(const struct channel *from, enum msg_id id, uint8_t *body, size_t len, size_t memory)
{
	(void)from;
	(void)len;
	if ((id == MSG_DIRECTORY_ASK || id == MSG_OIDC_ASK) && body[0] % 4 == 3)
		return;
	if (id == MSG_DIRECTORY_ASK)
		mend_directory_ask((void *)body, memory);
	if (id == MSG_OIDC_ASK)
		mend_oidc_ask((void *)body, memory);
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
