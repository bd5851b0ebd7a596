#include "units.h"

#include <errno.h>
#include <event2/event.h>
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

/* Of each process there is one connection at most: a newer one is of the process that came after. */
struct visitor {
	struct child *child;
	int sock; /* -1: none */
	pid_t pid;
	bool waits; /* it has said that it is there, and has not begun */
	struct event *readable;
};

struct units {
	struct launcher *l;
	int listener;
	char path[BOOT_PATH_MAX];
	struct event *accepting;
	struct visitor visitor[CHILDREN_MAX]; /* of the child of the same number */
	bool allowed[CHILDREN_MAX];
	struct log_limit refused;
};

static struct visitor *
visitor_of(const struct child *c)
{
	return &c->l->units->visitor[c - c->l->child];
}

static void
dismiss(struct visitor *v)
{
	if (v->sock == -1)
		return;
	event_free(v->readable);
	v->readable = NULL;
	fd_drop(&v->sock);
	v->waits = false;
}

/* --- handing over
 * -------------------------------------------------------------------------------------------------------- */

static bool
send_word(int sock, enum unit_word word, int32_t value, int fd)
{
	struct unit_message m = { (uint32_t)word, value };
	struct iovec iov = { &m, sizeof(m) };

	return fdpass_send(sock, &iov, 1, fd) == (ssize_t)sizeof(m);
}

/* A dozen small messages find room in the socket of somebody who has read nothing yet. */
static bool
hand_over(const struct child *c, int sock, int document)
{
	bool directory = c->spawn.directory != -1;

	for (int n = STDERR_FILENO + 1; n < SPAWN_FDS_MAX; n++) {
		int fd = n == BOOT_FD_DOCUMENT ? document : c->spawn.fd[n];

		if (fd != -1 && !send_word(sock, UNIT_PLACE, n, fd))
			return false;
	}
	return send_word(sock, UNIT_START, directory ? 1 : 0, -1);
}

static void
begin(struct child *c)
{
	struct visitor *v = visitor_of(c);
	AUTO(fd_drop) int document = supervise_document(c);
	pid_t pid = v->pid;
	bool handed = document != -1 && hand_over(c, v->sock, document);

	if (!handed)
		log_error("%s: cannot be handed what it starts with: %s", c->name, strerror(errno));
	dismiss(v);
	if (!handed) /* its unit sends it again */
		return;
	c->l->units->allowed[c - c->l->child] = false;
	supervise_began(c, pid);
}

void
units_allow(struct child *c)
{
	c->l->units->allowed[c - c->l->child] = true;
	if (visitor_of(c)->waits)
		begin(c);
}

bool
units_waits(const struct child *c)
{
	return visitor_of(c)->waits;
}

/* --- visitors
 * ------------------------------------------------------------------------------------------------------------
 */

static void
entered(struct child *c)
{
	struct units *u = c->l->units;

	visitor_of(c)->waits = true;
	/* Its unit could not tell how the one before ended. */
	if (c->pid != 0)
		supervise_ended(c, EXIT_FAILED << 8);
	if (u->allowed[c - c->l->child])
		begin(c);
	else
		supervise_asked(c);
}

static void
on_word(evutil_socket_t sock, short what, void *arg)
{
	struct visitor *v = arg;
	struct child *c = v->child;
	struct unit_message m;
	AUTO(fd_drop) int fd = -1;
	ssize_t n = fdpass_recv((int)sock, &m, sizeof(m), &fd);

	(void)what;
	if (n == -1 && errno == EAGAIN)
		return;
	if (n == (ssize_t)sizeof(m) && fd == -1 && m.word == UNIT_ENTER && m.value == 0 && !v->waits) {
		entered(c);
		return;
	}
	if (n == (ssize_t)sizeof(m) && fd == -1 && m.word == UNIT_ENDED && !v->waits &&
	    (WIFEXITED(m.value) || WIFSIGNALED(m.value))) {
		dismiss(v);
		if (c->pid != 0)
			supervise_ended(c, m.value);
		return;
	}
	if (n != 0)
		log_warn_limited(&c->l->units->refused, "%s: its unit said what cannot be", c->name);
	dismiss(v);
}

static struct child *
child_of(struct launcher *l, uid_t uid)
{
	for (unsigned i = 0; i < l->nchildren; i++)
		if (l->child[i].uid == uid)
			return &l->child[i];
	return NULL;
}

static void
on_visitor(evutil_socket_t listener, short what, void *arg)
{
	struct units *u = arg;
	struct ucred who;
	socklen_t len = sizeof(who);
	struct visitor *v;
	struct child *c;
	AUTO(fd_drop) int sock = accept4((int)listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (sock == -1 || getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &who, &len) == -1)
		return;
	c = child_of(u->l, who.uid);
	if (c == NULL) {
		log_warn_limited(
		    &u->refused,
		    "%s: uid %u is no process's: first_uid must be as the package's users are, and "
		    "the units as `systemctl daemon-reload` makes them of the configuration",
		    u->path, who.uid);
		return;
	}
	v = visitor_of(c);
	dismiss(v);
	v->readable = event_new(u->l->base, sock, EV_READ | EV_PERSIST, on_word, v);
	if (v->readable == NULL || event_add(v->readable, NULL) == -1)
		fatalx("no memory for a unit");
	v->pid = who.pid;
	v->sock = fd_keep(&sock);
}

/* --- beginning and end
 * -------------------------------------------------------------------------------------------------------------
 */

bool
units_open(struct launcher *l, char *err, size_t errsize)
{
	struct units *u;

	for (unsigned i = 0; i < l->nchildren; i++) {
		struct child *c = &l->child[i];

		if (!unit_user_is(c->uid, c->proc, c->instance, &c->gid, err, errsize))
			return false;
	}
	u = mem_calloc(1, sizeof(*u));
	l->units = u;
	u->l = l;
	for (unsigned i = 0; i < CHILDREN_MAX; i++) {
		u->visitor[i].child = &l->child[i];
		u->visitor[i].sock = -1;
	}
	(void)snprintf(u->path, sizeof(u->path), "%s/" UNIT_SOCKET, l->settings->run_directory);
	u->listener = listen_unix(u->path, err, errsize);
	return u->listener != -1;
}

void
units_begin(struct launcher *l)
{
	struct units *u = l->units;

	u->accepting = event_new(l->base, u->listener, EV_READ | EV_PERSIST, on_visitor, u);
	if (u->accepting == NULL || event_add(u->accepting, NULL) == -1)
		fatalx("no memory for units");
}

void
units_close(struct launcher *l)
{
	struct units *u = l->units;

	if (u == NULL)
		return;
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		dismiss(&u->visitor[i]);
	if (u->accepting != NULL)
		event_free(u->accepting);
	if (u->listener != -1)
		(void)unlink(u->path);
	fd_drop(&u->listener);
	free(u);
	l->units = NULL;
}
