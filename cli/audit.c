#include "audit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"
#include "syscall_name.h"

#define RECORDS_MAX 32

struct audit {
	int group, log; /* -1: out of reach */
	unsigned n;
	struct audit_record record[RECORDS_MAX]; /* newest last */
};

static int
open_group(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = AUDIT_NLGRP_READLOG };
	AUTO(fd_drop) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_AUDIT);

	if (fd == -1 || bind(fd, (const struct sockaddr *)&a, sizeof(a)) == -1)
		return -1;
	return fd_keep(&fd);
}

static int
open_log(void)
{
	AUTO(fd_drop) int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd == -1 || lseek(fd, 0, SEEK_END) == -1)
		return -1;
	return fd_keep(&fd);
}

struct audit *
audit_new(void)
{
	struct audit *a = mem_calloc(1, sizeof(*a));

	a->group = open_group();
	a->log = open_log();
	return a;
}

void
audit_free(struct audit **a)
{
	if (*a == NULL)
		return;
	fd_drop(&(*a)->group);
	fd_drop(&(*a)->log);
	free(*a);
	*a = NULL;
}

/* The number behind " name=". */
static bool
field(const char *text, const char *name, int base, unsigned long *v)
{
	const char *at = strstr(text, name);
	char *end;

	if (at == NULL)
		return false;
	errno = 0;
	*v = strtoul(at + strlen(name), &end, base);
	return end != at + strlen(name) && errno == 0;
}

bool
audit_parse(const char *text, struct audit_record *r)
{
	unsigned long uid, sig, arch, number, code = 0;

	if (!field(text, " uid=", 10, &uid) || !field(text, " sig=", 10, &sig) ||
	    !field(text, " arch=", 16, &arch) || !field(text, " syscall=", 10, &number))
		return false;
	(void)field(text, " code=", 16, &code);
	if ((sig != SIGSYS && code != SECCOMP_RET_LOG) || arch > UINT32_MAX || number > INT32_MAX)
		return false;
	*r = (struct audit_record){ (uid_t)uid, (uint32_t)arch, (int)number, sig != SIGSYS };
	return true;
}

static void
note(struct audit *a, const char *text)
{
	struct audit_record r;

	if (!audit_parse(text, &r))
		return;
	if (a->n == RECORDS_MAX) {
		memmove(a->record, a->record + 1, sizeof(a->record[0]) * (RECORDS_MAX - 1));
		a->n--;
	}
	a->record[a->n++] = r;
}

static void
read_group(struct audit *a)
{
	union {
		struct nlmsghdr head;
		char bytes[8192];
	} buf;
	ssize_t n;

	while ((n = recv(a->group, buf.bytes, sizeof(buf.bytes) - 1, 0)) > 0 ||
	       (n == -1 && errno == ENOBUFS)) {
		if (n < (ssize_t)sizeof(buf.head) || buf.head.nlmsg_type != AUDIT_SECCOMP)
			continue;
		buf.bytes[n] = '\0';
		note(a, buf.bytes + sizeof(buf.head));
	}
}

static void
read_log(struct audit *a)
{
	char line[8192];
	ssize_t n;

	/* EPIPE: the log has gone past us; the next read goes on behind the gap. */
	while ((n = read(a->log, line, sizeof(line) - 1)) > 0 || (n == -1 && errno == EPIPE)) {
		if (n <= 0)
			continue;
		line[n] = '\0';
		if (strstr(line, "type=1326") != NULL)
			note(a, line);
	}
}

static bool
find(struct audit *a, uid_t uid, struct audit_record *r)
{
	bool found = false;
	unsigned kept = 0;

	for (unsigned i = 0; i < a->n; i++) {
		if (a->record[i].uid == uid && !a->record[i].logged) {
			*r = a->record[i];
			found = true;
		} else {
			a->record[kept++] = a->record[i];
		}
	}
	a->n = kept;
	return found;
}

static void
put_call(const struct audit_record *r, char *out, size_t size)
{
	char name[64];

	if (*syscall_name(r->arch, r->number, name, sizeof(name)) != '\0')
		(void)snprintf(out, size, "system call %d (%s)", r->number, name);
	else
		(void)snprintf(out, size, "system call %d", r->number);
}

static void
read_all(struct audit *a)
{
	if (a->group != -1)
		read_group(a);
	if (a->log != -1)
		read_log(a);
}

bool
audit_logged(struct audit *a, uid_t *uid, char *out, size_t size)
{
	read_all(a);
	for (unsigned i = 0; i < a->n; i++) {
		if (!a->record[i].logged)
			continue;
		*uid = a->record[i].uid;
		put_call(&a->record[i], out, size);
		memmove(a->record + i, a->record + i + 1, sizeof(a->record[0]) * (--a->n - i));
		return true;
	}
	return false;
}

bool
audit_killed_by(struct audit *a, uid_t uid, int wait_ms, char *out, size_t size)
{
	struct pollfd p[2] = { { a->group, POLLIN, 0 }, { a->log, POLLIN, 0 } };
	struct audit_record r;

	for (int waited = 0;; waited += 10) {
		read_all(a);
		if (find(a, uid, &r))
			break;
		if (waited >= wait_ms || (a->group == -1 && a->log == -1))
			return false;
		(void)poll(p, 2, 10); /* kauditd writes the record a moment after the death */
	}
	put_call(&r, out, size);
	return true;
}
