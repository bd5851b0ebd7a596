/*
 * A directory server that answers anything, behind libldap: the real looks at it (look.c, link.c, entry.c,
 * membership.c) over a connection that is the input. There is no kernel between: what libldap writes tells
 * which request an answer is to, and what it reads is the next answer.
 *
 * The input is a byte for what is asked, then answers: how many bytes (two bytes), then an operation of
 * LDAP with its controls (RFC 4511 section 4.1.1) as far as they go, to be wrapped with the request's number.
 */
#undef _FORTIFY_SOURCE /* its read() is inline; here is another one */
#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "findings.h"
#include "ipc/wire.h"
#include "look.h"
#include "provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ANSWER_MAX 4096u

static int server = -1; /* libldap's end */
static const uint8_t *rest;
static size_t nrest;
static uint8_t answer[ANSWER_MAX + 16];
static size_t nanswer, taken;
static uint8_t request; /* that was written last */

/* --- the connection --- */

/* SEQUENCE { INTEGER request, bytes }, lengths in two bytes. */
static void
next_answer(void)
{
	size_t n = nrest < 2 ? 0 : (size_t)(rest[0] << 8 | rest[1]);
	const uint8_t head[] = { 0x30, 0x82, 0, 0, 0x02, 0x01, request };

	taken = nanswer = 0;
	if (nrest < 2)
		return;
	rest += 2;
	nrest -= 2;
	n = n < nrest ? n : nrest;
	n = n < ANSWER_MAX ? n : ANSWER_MAX;
	memcpy(answer, head, sizeof(head));
	answer[2] = (uint8_t)((n + 3) >> 8);
	answer[3] = (uint8_t)(n + 3);
	memcpy(answer + sizeof(head), rest, n);
	nanswer = sizeof(head) + n;
	rest += n;
	nrest -= n;
}

ssize_t
read(int fd, void *out, size_t len)
{
	if (fd != server)
		return syscall(SYS_read, fd, out, len);
	if (taken == nanswer)
		next_answer();
	len = len < nanswer - taken ? len : nanswer - taken;
	if (len > 0)
		memcpy(out, answer + taken, len);
	taken += len;
	return (ssize_t)len; /* 0: it hung up */
}

/* The number stands behind the sequence's head, and is small. */
ssize_t
write(int fd, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	size_t at = len < 2 ? 0 : p[1] < 0x80 ? 2 : 2 + (p[1] & 0x7fu);

	assert(fd >= 0); /* the sandbox would kill it */
	if (fd != server)
		return syscall(SYS_write, fd, bytes, len);
	if (len > at + 2 && p[at] == 0x02)
		request = p[at + 1 + p[at + 1]];
	return (ssize_t)len;
}

int
poll(struct pollfd *p, nfds_t n, int timeout_ms)
{
	(void)timeout_ms;
	for (nfds_t i = 0; i < n; i++)
		p[i].revents = POLLIN | POLLOUT;
	return (int)n;
}

/* --- what is asked --- */

static struct provider provider[3];

static void
open_server(void)
{
	static const char *const texts[] = {
		("{\"tls\":false,\"bind_dn\":\"cn=weir\",\"base\":\"dc=x\",\"nested\":\"walk\","
		 "\"group_filter\":\"(member=%userdn%)\"}"),
		"{\"tls\":false,\"direct\":\"uid=%username%,dc=x\",\"base\":\"dc=x\",\"nested\":\"chain\"}",
		"{\"tls\":false,\"bind_dn\":\"cn=weir\",\"base\":\"dc=x\",\"user_filter\":\"(sAMAccountName=%"
		"username%)\"}",
	};
	char err[160];
	int pair[2];

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!provider_read(texts[i], strlen(texts[i]), &provider[i], err, sizeof(err)))
			abort();
	link_warm();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		abort();
	server = pair[0];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct server_url url = { .ldaps = false, .port = 389, .host = "a" };
	struct findings *f;
	struct look k = { .name = "ann", .password = "p", .secret = "s", .referral = &url, .nreferrals = 1 };
	size_t len;
	char *text;

	if (server == -1)
		open_server();
	if (size == 0)
		return 0;
	k.what = (enum directory_what)(1 + data[0] % (DIRECTORY_WHAT_COUNT - 1));
	k.provider = &provider[data[0] / 4 % ARRAY_LEN(provider)];
	rest = data + 1;
	nrest = size - 1;
	taken = nanswer = 0;
	f = findings_new();
	look_at(&k, server, &url, "", 0, f);
	assert(f->verdict != 0 && f->verdict < DIRECTORY_VERDICT_COUNT);
	assert(f->ngroups <= FINDINGS_GROUPS && f->nsteps <= FINDINGS_STEPS && f->referred <= 1);
	text = findings_text(f, &len);
	assert(text != NULL && len <= DIRECTORY_TOLD_MAX);
	free(text);
	findings_free(&f);
	assert(fcntl(server, F_GETFD) != -1); /* it stays its owner's */
	return 0;
}
