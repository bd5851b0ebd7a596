/*
 * What comes to the launcher's door where units start the processes: whoever has a uid there may connect, say
 * anything, and go, in any order with what the launcher itself decides. No kernel is between: sockets are
 * ends of a pipe that always can be read, and what is said on them is the input's.
 *
 * Nobody gets descriptors but the process that they are of, once it was allowed to begin, and once each time.
 */
#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/fdpass.h"
#include "ipc/unit.h"
#include "launcher.h"
#include "listen.h"
#include "unit_users.h"
#include "units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHILDREN = 3, FIRST_UID = 700 };

enum step {
	STEP_COMES,  /* somebody connects */
	STEP_SAYS,   /* whoever of this uid is there says something */
	STEP_ALLOWS, /* the launcher lets a process begin */
	STEP_STALE,  /* the same, and the one that waited has gone away unseen */
	STEP_KINDS
};

struct entry {
	uint8_t step; /* enum step, modulo */
	uint8_t who;  /* uid above FIRST_UID, modulo: the last is no process's */
	uint8_t len;  /* of what is said, modulo */
	uint8_t with; /* a descriptor comes along, where it is odd */
	struct unit_message said;
};

static struct launcher l;
static int always[2];             /* a pipe that can be read */
static int sock_of[CHILDREN];     /* of who connected last; -1: nobody */
static bool allowed[CHILDREN];    /* and has not begun since */
static unsigned placed[CHILDREN]; /* descriptors that it was handed */
static const struct entry *now;   /* NULL: nothing happens */
static bool stale;

static int
another(void)
{
	int fd = fcntl(always[0], F_DUPFD_CLOEXEC, 100);

	assert(fd != -1);
	return fd;
}

/* --- the kernel --- */

int
listen_unix(const char *path, char *err, size_t errsize)
{
	(void)path;
	(void)err;
	(void)errsize;
	return another();
}

bool
unit_user_is(uid_t uid, enum proc proc, unsigned instance, gid_t *gid, char *err, size_t errsize)
{
	(void)proc;
	(void)instance;
	(void)err;
	(void)errsize;
	*gid = uid;
	return uid >= FIRST_UID;
}

int
accept4(int listener, __SOCKADDR_ARG address, socklen_t *len, int flags)
{
	int fd;

	(void)listener;
	(void)len;
	assert(address.__sockaddr__ == NULL && flags == (SOCK_NONBLOCK | SOCK_CLOEXEC));
	if (now == NULL || now->step % STEP_KINDS != STEP_COMES) {
		errno = EAGAIN;
		return -1;
	}
	fd = another();
	for (unsigned i = 0; i < CHILDREN; i++)
		sock_of[i] = sock_of[i] == fd ? -1 : sock_of[i]; /* it was closed */
	if (now->who % (CHILDREN + 1) < CHILDREN)
		sock_of[now->who % (CHILDREN + 1)] = fd;
	return fd;
}

int
getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	struct ucred who = { .pid = fd, .uid = FIRST_UID + now->who % (CHILDREN + 1u) };

	assert(level == SOL_SOCKET && name == SO_PEERCRED && *len == sizeof(who));
	memcpy(value, &who, sizeof(who));
	return 0;
}

ssize_t
fdpass_recv(int sock, void *buf, size_t len, int *fd)
{
	size_t said;

	*fd = -1;
	if (now == NULL || now->step % STEP_KINDS != STEP_SAYS || sock != sock_of[now->who % CHILDREN]) {
		errno = EAGAIN;
		return -1;
	}
	said = now->len % (sizeof(now->said) + 2u);
	if (said > len) {
		errno = EBADMSG;
		return -1;
	}
	memcpy(buf, &now->said, said);
	if (now->with % 2 == 1)
		*fd = another();
	return (ssize_t)said;
}

static unsigned
child_on(int sock)
{
	for (unsigned i = 0; i < CHILDREN; i++)
		if (sock_of[i] == sock)
			return i;
	abort();
}

ssize_t
fdpass_send(int sock, const struct iovec *iov, int iovcnt, int fd)
{
	unsigned i = child_on(sock);
	struct unit_message m;

	assert(iovcnt == 1 && iov->iov_len == sizeof(m) && allowed[i]);
	memcpy(&m, iov->iov_base, sizeof(m));
	if (stale) {
		errno = EPIPE;
		return -1;
	}
	if (m.word == UNIT_START) {
		assert(fd == -1 && placed[i] == 2);
		return sizeof(m);
	}
	assert(m.word == UNIT_PLACE && fd != -1);
	/* The document is new each time; the other is its own. */
	assert(m.value == BOOT_FD_DOCUMENT || fd == l.child[i].spawn.fd[BOOT_FD_LISTEN]);
	placed[i]++;
	return sizeof(m);
}

/* --- supervise.c --- */

int
supervise_document(struct child *c)
{
	assert(allowed[c - l.child]);
	placed[c - l.child] = 0;
	return another();
}

void
supervise_began(struct child *c, pid_t pid)
{
	assert(allowed[c - l.child] && placed[c - l.child] == 2 && pid > 0);
	allowed[c - l.child] = false;
	c->pid = pid;
}

void
supervise_ended(struct child *c, int status)
{
	assert(c->pid != 0 && (WIFEXITED(status) || WIFSIGNALED(status)));
	c->pid = 0;
}

void
supervise_asked(struct child *c)
{
	assert(c->pid == 0 && !allowed[c - l.child] && units_waits(c));
}

/* --- the launcher --- */

static void
open_launcher(void)
{
	static struct settings settings;

	log_init("fuzz", LOG_LEVEL_ERROR);
	settings_default(&settings);
	if (pipe2(always, O_CLOEXEC | O_NONBLOCK) == -1 || write(always[1], "x", 1) != 1)
		fatal("no pipe");
	l.settings = &settings;
	l.base = event_base_new();
	if (l.base == NULL)
		fatalx("no event loop");
	l.nchildren = CHILDREN;
	for (unsigned i = 0; i < CHILDREN; i++) {
		struct child *c = &l.child[i];

		c->l = &l;
		c->proc = PROC_ENGINE;
		c->instance = i;
		c->uid = FIRST_UID + i;
		(void)snprintf(c->name, sizeof(c->name), "weir-engine@%u", i);
		for (unsigned n = 0; n < SPAWN_FDS_MAX; n++)
			c->spawn.fd[n] = -1;
		c->spawn.directory = -1;
		c->spawn.fd[BOOT_FD_LISTEN] = another();
	}
}

/* What supervise.c does: a process that runs is not started. */
static void
allow(unsigned i)
{
	if (l.child[i].pid != 0)
		return;
	allowed[i] = true;
	units_allow(&l.child[i]);
	stale = false;
}

static void
take(const struct entry *e)
{
	now = e;
	stale = e->step % STEP_KINDS == STEP_STALE;
	if (e->step % STEP_KINDS == STEP_ALLOWS || stale)
		allow(e->who % CHILDREN);
	else
		event_base_loop(l.base, EVLOOP_ONCE | EVLOOP_NONBLOCK); /* they can be read for ever */
	now = NULL;
	stale = false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char err[256];

	if (l.base == NULL)
		open_launcher();
	for (unsigned i = 0; i < CHILDREN; i++) {
		l.child[i].pid = 0;
		sock_of[i] = -1;
		allowed[i] = false;
	}
	assert(units_open(&l, err, sizeof(err)));
	units_begin(&l);
	for (; size >= sizeof(struct entry); data += sizeof(struct entry), size -= sizeof(struct entry)) {
		struct entry e;

		memcpy(&e, data, sizeof(e));
		take(&e);
	}
	units_close(&l);
	return 0;
}
