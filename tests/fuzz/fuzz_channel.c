/* What a peer sends: packets cut from the input. Only messages that their row admits reach the handler. */
#include <assert.h>
#include <event2/event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "ipc/channel.h"
#include "ipc/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct event_base *base;
static struct boot boot;
static struct peers *set;
static struct sockaddr_un address;

static void
on_up(void *ctx, struct channel *ch)
{
	(void)ctx;
	assert(channel_proc(ch) == PROC_HTTPD);
}

static void
on_down(void *ctx, struct channel *ch)
{
	(void)ctx;
	(void)ch;
}

static bool
on_message(void *ctx, struct channel *ch, struct msg *m)
{
	const uint8_t *b = m->body;
	unsigned sum = 0;

	(void)ctx;
	assert(msg_admit(m->id, channel_proc(ch), PROC_STORE, m->len, m->fd == -1 ? 0 : 1));
	for (size_t i = 0; i < m->len; i++)
		sum += b[i]; /* every byte can be read */
	return sum % 7 != 0;
}

static void
once(void)
{
	static const struct peers_handlers handlers = { on_up, on_down, on_message };
	int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	socklen_t len = sizeof(address);

	log_init("fuzz", LOG_LEVEL_ERROR);
	address.sun_family = AF_UNIX; /* autobind: an abstract name of the kernel's choice */
	if (listener == -1 || bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)) == -1 ||
	    listen(listener, 4) == -1 || getsockname(listener, (struct sockaddr *)&address, &len) == -1)
		abort();
	boot.proc = PROC_STORE;
	boot.npeers = 1;
	boot.peers[0].proc = PROC_HTTPD;
	boot.peers[0].uid = getuid();
	base = event_base_new();
	set = peers_new(base, &boot, listener, &handlers, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_hello h = { WIRE_VERSION, PROC_HTTPD, 0, 0, 1 };
	uint32_t head[2] = { MSG_HELLO, sizeof(h) };
	struct iovec iov[2] = { { head, sizeof(head) }, { &h, sizeof(h) } };
	int s;

	if (set == NULL)
		once();
	s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	if (s == -1 || connect(s, (struct sockaddr *)&address, sizeof(sa_family_t) + 6) == -1)
		abort();
	/* the first byte says whether it greets properly */
	if (size > 0 && data[0] % 4 != 0)
		assert(writev(s, iov, 2) != -1);
	for (size_t at = 1; at + 1 < size;) {
		size_t n = (size_t)data[at] << 8 | data[at + 1];

		at += 2;
		if (n > size - at)
			n = size - at;
		(void)send(s, data + at, n, MSG_NOSIGNAL);
		at += n;
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	close(s);
	for (int i = 0; i < 4; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	return 0;
}
