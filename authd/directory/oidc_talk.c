#include "oidc_talk.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"
#include "ipc/fdpass.h"
#include "ipc/sealed.h"

/* --- the process's side --- */

static bool
put(int sock, const void *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = write(sock, (const char *)bytes + at, len - at);

		if (n == -1 && errno != EINTR)
			return false;
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

bool
talk_say(int sock, enum talk_kind kind, const struct iovec *part, size_t nparts)
{
	struct talk_head head = { (uint32_t)kind, 0 };
	bool good;

	for (size_t i = 0; i < nparts; i++)
		head.len += (uint32_t)part[i].iov_len;
	good = put(sock, &head, sizeof(head));
	for (size_t i = 0; good && i < nparts; i++)
		good = put(sock, part[i].iov_base, part[i].iov_len);
	return good;
}

/* The descriptor, or -1 with a sentence. */
static int
hear(int sock, struct talk_answer *a, char *err, size_t errsize)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	int fd = -1;

	if (poll(&p, 1, -1) != 1 || fdpass_recv(sock, a, sizeof(*a), &fd) != (ssize_t)sizeof(*a) ||
	    memchr(a->why, 0, sizeof(a->why)) == NULL)
		(void)snprintf(err, errsize, "weir-directory does not answer");
	else if (a->good == 0 || fd == -1)
		(void)snprintf(err, errsize, "%s", a->why);
	else
		return fd;
	if (fd != -1)
		close(fd);
	return -1;
}

int
talk_connect(int sock, enum talk_server which, const struct http_server *server, char *err, size_t errsize)
{
	struct talk_connect w = { .which = (uint32_t)which };
	const struct iovec part = { &w, sizeof(w) };
	struct talk_answer a;

	if (which == TALK_GIVEN)
		w.server = *server;
	if (talk_say(sock, TALK_CONNECT, &part, 1))
		return hear(sock, &a, err, errsize);
	(void)snprintf(err, errsize, "weir-directory does not listen");
	return -1;
}

char *
talk_newer_keys(int sock, size_t *len, char *err, size_t errsize)
{
	AUTO(fd_drop) int fd = -1;
	struct talk_answer a;
	char *keys = NULL;

	if (talk_say(sock, TALK_NEWER_KEYS, NULL, 0))
		fd = hear(sock, &a, err, errsize);
	else
		(void)snprintf(err, errsize, "weir-directory does not listen");
	if (fd == -1)
		return NULL;
	if (a.len > 0 && a.len <= KEYSET_MAX)
		keys = sealed_read(fd, a.len);
	if (keys == NULL)
		(void)snprintf(err, errsize, "weir-directory handed over what cannot be read");
	*len = a.len;
	return keys;
}

/* --- weir-directory's side --- */

/* How long a saying of that kind may be. */
static bool
sane(const struct talk_head *h)
{
	switch (h->kind) {
	case TALK_CONNECT:
		return h->len == sizeof(struct talk_connect);
	case TALK_NEWER_KEYS:
		return h->len == 0;
	case TALK_PUBLISHED:
		return h->len > sizeof(struct talk_published) && h->len <= TALK_BODY_MAX;
	case TALK_TOLD:
		return h->len > sizeof(struct talk_told) && h->len <= TALK_BODY_MAX;
	default:
		return false;
	}
}

enum talk_read
talk_read(int sock, struct talk_reader *r)
{
	for (;;) {
		bool head = r->nhead < sizeof(r->head);
		char *to = head ? (char *)&r->head + r->nhead : r->body + r->nbody;
		size_t left = head ? sizeof(r->head) - r->nhead : r->head.len - r->nbody;
		ssize_t n = left == 0 ? 0 : read(sock, to, left);

		if (left > 0 && n == -1)
			return errno == EAGAIN || errno == EINTR ? TALK_WAITS : TALK_OVER;
		if (left > 0 && n == 0)
			return TALK_OVER;
		if (!head && (size_t)n == left)
			return r->nbody += (size_t)n, TALK_WHOLE;
		if (!head) {
			r->nbody += (size_t)n;
			continue;
		}
		r->nhead += (size_t)n;
		if (r->nhead < sizeof(r->head))
			continue;
		if (!sane(&r->head))
			return TALK_OVER;
		r->body = mem_calloc((size_t)r->head.len + 1, 1);
	}
}

void
talk_next(struct talk_reader *r)
{
	/* It may have told an ID token. */
	if (r->body != NULL)
		sodium_memzero(r->body, r->head.len);
	free(r->body);
	*r = (struct talk_reader){ .nhead = 0 };
}

bool
talk_reply(int sock, int fd, size_t len, const char *why)
{
	struct talk_answer a = { .good = why == NULL, .len = (uint32_t)len };
	const struct iovec iov = { &a, sizeof(a) };

	if (why != NULL)
		(void)str_copy(a.why, sizeof(a.why), why);
	return fdpass_send(sock, &iov, 1, why == NULL ? fd : -1) == (ssize_t)sizeof(a);
}
