/* Channels: opening from both sides, restarts, and peers that break the rules. Several "processes" share one
 * loop here. */
#include <event2/event.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/channel.h"
#include "ipc/fdpass.h"
#include "ipc/wire.h"

/* One process of the test: what its handlers saw. */
struct party {
	struct boot boot;
	struct peers *set;
	int listener;
	char path[BOOT_PATH_MAX];
	unsigned ups, downs, messages;
	bool refuse, flood; /* flood: answers until its channel is cut off */
	bool apart;         /* nobody comes by its common socket */
	int fd;
	enum msg_id last;
};

static struct event_base *base;
static char dir[] = "/tmp/weir-channel-XXXXXX";

static void
on_up(void *ctx, struct channel *ch)
{
	struct party *p = ctx;

	(void)ch;
	p->ups++;
}

static void
on_down(void *ctx, struct channel *ch)
{
	struct party *p = ctx;

	if (p->boot.proc == PROC_AUTHD)
		assert_false(channel_send(ch, MSG_AUTHD_ALIVE, NULL, 0)); /* it is over */
	p->downs++;
}

static bool
on_message(void *ctx, struct channel *ch, struct msg *m)
{
	struct party *p = ctx;

	assert_true(msg_admit(m->id, channel_proc(ch), (enum proc)p->boot.proc, m->len, m->fd == -1 ? 0 : 1));
	p->messages++;
	p->last = m->id;
	if (m->fd != -1) {
		fd_drop(&p->fd);
		p->fd = fd_keep(&m->fd);
	}
	while (p->flood)
		p->flood = channel_send(ch, MSG_GRANT_TAKEN, &(struct wire_grant_change){ 0 },
					sizeof(struct wire_grant_change));
	return !p->refuse;
}

static const struct peers_handlers handlers = { on_up, on_down, on_message };

static int
listen_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_true(str_copy(a.sun_path, sizeof(a.sun_path), path));
	assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s, 16), 0);
	return s;
}

static void
party_init(struct party *p, enum proc proc, unsigned instance)
{
	memset(p, 0, sizeof(*p));
	p->boot.proc = proc;
	p->boot.instance = instance;
	p->boot.uid = getuid();
	p->fd = -1;
	(void)snprintf(p->path, sizeof(p->path), "%s/%s-%u", dir, proc_name(proc), instance);
	p->listener = listen_at(p->path);
}

static void
party_free(struct party *p)
{
	fd_drop(&p->fd);
	close(p->listener);
	unlink(p->path);
}

static void
knows(struct party *p, const struct party *other)
{
	struct boot_peer *e = &p->boot.peers[p->boot.npeers++];

	e->proc = other->boot.proc;
	e->instance = other->boot.instance;
	e->uid = other->boot.uid;
	e->connect = 1;
	memcpy(e->path, other->path, sizeof(e->path));
}

static void
start(struct party *p)
{
	p->set = peers_new(base, &p->boot, p->apart ? -1 : dup(p->listener), &handlers, p);
}

static void
stop(struct party *p)
{
	peers_free(&p->set);
}

static void
turn(void)
{
	for (int i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
both_ways(struct party *store, struct party *authd)
{
	struct channel *a = peers_find(authd->set, PROC_STORE, 0), *s = peers_find(store->set, PROC_AUTHD, 0);
	struct wire_grant_change g = { 0 };
	unsigned before_s = store->messages, before_a = authd->messages;

	assert_non_null(a);
	assert_non_null(s);
	assert_true(channel_send(a, MSG_GRANT_ADD, &g, sizeof(g)));
	assert_true(channel_send(s, MSG_GRANT_TAKEN, &g, sizeof(g)));
	turn();
	assert_int_equal(store->messages, before_s + 1);
	assert_int_equal(authd->messages, before_a + 1);
}

static void
both_connect_and_agree(void **state)
{
	struct party store, authd;

	(void)state;
	for (int order = 0; order < 4; order++) {
		party_init(&store, PROC_STORE, 0);
		party_init(&authd, PROC_AUTHD, 0);
		knows(&store, &authd);
		knows(&authd, &store);
		store.apart = order >= 2; /* its socket is its one peer's, who seems to be somebody else */
		if (store.apart)
			store.boot.peers[0].listener = (uint32_t)store.listener;
		store.boot.peers[0].uid += store.apart;
		start(order % 2 == 0 ? &store : &authd);
		start(order % 2 == 0 ? &authd
				     : &store); /* each has connected to the other before either took part */
		turn();
		assert_int_equal(store.ups - store.downs, 1);
		assert_int_equal(authd.ups - authd.downs, 1);
		both_ways(&store, &authd);
		/* each dies and comes back, in turn */
		for (int i = 0; i < 6; i++) {
			struct party *dying = i % 2 == 0 ? &store : &authd,
				     *other = i % 2 == 0 ? &authd : &store;
			unsigned downs = other->downs;

			stop(dying);
			if (i % 3 != 2)
				turn(); /* otherwise its successor is there before its death is seen */
			start(dying);
			turn();
			assert_int_equal(other->downs, downs + 1);
			both_ways(&store, &authd);
		}
		/* both die at once; their sockets are held by the launcher, with dead connections in the
		 * queue */
		stop(&store);
		stop(&authd);
		start(&store);
		stop(&store);
		start(&authd);
		start(&store);
		turn();
		both_ways(&store, &authd);
		stop(&store);
		stop(&authd);
		turn();
		party_free(&store);
		party_free(&authd);
	}
}

/* A raw peer: says what it likes. */
static int
raw_at(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_true(str_copy(a.sun_path, sizeof(a.sun_path), path));
	assert_int_equal(connect(s, (struct sockaddr *)&a, sizeof(a)), 0);
	return s;
}

static int
raw(const struct party *to)
{
	return raw_at(to->path);
}

static void
say(int s, uint32_t id, uint32_t claimed, const void *body, size_t len, int fd)
{
	uint32_t h[2] = { id, claimed };
	struct iovec iov[2] = { { h, sizeof(h) }, { (void *)(uintptr_t)body, len } };

	assert_int_equal(fdpass_send(s, iov, 2, fd), (ssize_t)(sizeof(h) + len));
}

/* False where the other end is closed already. */
static bool
greet(int s, enum proc proc, unsigned instance)
{
	struct wire_hello h = { WIRE_VERSION, proc, instance, 0, clock_boot_ns() };
	uint32_t head[2] = { MSG_HELLO, sizeof(h) };
	struct iovec iov[2] = { { head, sizeof(head) }, { &h, sizeof(h) } };

	return fdpass_send(s, iov, 2, -1) == (ssize_t)(sizeof(head) + sizeof(h));
}

static void
hello(int s, enum proc proc, unsigned instance)
{
	assert_true(greet(s, proc, instance));
}

static bool
closed(int s)
{
	char b[256];
	ssize_t n;

	turn();
	while ((n = recv(s, b, sizeof(b), MSG_DONTWAIT)) > 0)
		;
	return n == 0 || errno == ECONNRESET || errno == EPIPE;
}

/* Once it is let in, what it does ends its channel. */
#define BREAK(what)                                                                                          \
	do {                                                                                                 \
		s = raw(&store);                                                                             \
		hello(s, PROC_AUTHD, 0);                                                                     \
		turn();                                                                                      \
		assert_non_null(peers_find(store.set, PROC_AUTHD, 0));                                       \
		what;                                                                                        \
		assert_true(closed(s));                                                                      \
		close(s);                                                                                    \
		turn();                                                                                      \
		assert_null(peers_find(store.set, PROC_AUTHD, 0));                                           \
	} while (0)

static void
rule_breakers_lose_their_channel(void **state)
{
	struct party store, authd;
	struct wire_grant_change g = { 0 };
	struct wire_hello wrong = { WIRE_VERSION + 1, PROC_AUTHD, 0, 0, 0 };
	int s;

	(void)state;
	party_init(&store, PROC_STORE, 0);
	party_init(&authd, PROC_AUTHD, 0);
	knows(&store, &authd);
	start(&store);

	BREAK(say(s, MSG_LOGIN, sizeof(g), &g, sizeof(g), -1));             /* not from authd, not to store */
	BREAK(say(s, MSG_GRANT_TAKEN, sizeof(g), &g, sizeof(g), -1));       /* wrong direction */
	BREAK(say(s, MSG_GRANT_ADD, sizeof(g), &g, sizeof(g) - 1, -1));     /* claims more than there is */
	BREAK(say(s, MSG_GRANT_ADD, sizeof(g) - 1, &g, sizeof(g) - 1, -1)); /* too short for its row */
	BREAK(
	    say(s, MSG_GRANT_ADD, sizeof(g), &g, sizeof(g), s)); /* a descriptor that its row does not have */
	BREAK(say(s, MSG_POLICY_SNAPSHOT, sizeof(struct wire_snapshot), &g, sizeof(struct wire_snapshot),
		  -1)); /* none */
	BREAK(say(s, 9999, sizeof(g), &g, sizeof(g), -1));
	BREAK(hello(s, PROC_AUTHD, 0)); /* twice */
	BREAK(assert_int_equal(send(s, "abc", 3, 0), 3));
	store.refuse = true;
	BREAK(say(s, MSG_GRANT_ADD, sizeof(g), &g, sizeof(g),
		  -1)); /* the handler says that the content is a lie */
	store.refuse = false;

	/* before HELLO, with a wrong version, as a process whose uid it has not */
	s = raw(&store);
	say(s, MSG_GRANT_ADD, sizeof(g), &g, sizeof(g), -1);
	assert_true(closed(s));
	close(s);
	s = raw(&store);
	say(s, MSG_HELLO, sizeof(wrong), &wrong, sizeof(wrong), -1);
	assert_true(closed(s));
	close(s);
	s = raw(&store);
	hello(s, PROC_ENGINE, 0);
	assert_true(closed(s));
	close(s);
	assert_null(peers_find(store.set, PROC_AUTHD, 0));

	/* uids decide */
	store.boot.peers[0].uid = getuid() + 1;
	s = raw(&store);
	hello(s, PROC_AUTHD, 0);
	assert_true(closed(s));
	close(s);
	stop(&store);
	turn();
	party_free(&store);
	party_free(&authd);
}

/* --- sockets of one peer */

/* Who comes by that socket and says so is refused, and nobody else is taken for gone. */
static void
is_refused(struct party *p, const char *path, enum proc says)
{
	uint64_t before = peers_broken(p->set);
	unsigned downs = p->downs, ups = p->ups;
	int s = raw_at(path);

	(void)greet(s, says, 0); /* a stranger is refused before */
	assert_true(closed(s));
	close(s);
	assert_int_equal(peers_broken(p->set), before + 1);
	assert_int_equal(p->ups, ups);
	assert_int_equal(p->downs, downs);
}

static void
the_socket_of_a_peer_says_who_it_is(void **state)
{
	struct party dial, store, directory;
	struct wire_name_ask w = { 0 };
	char path[BOOT_PATH_MAX];
	int s, apart;

	(void)state;
	party_init(&dial, PROC_DIAL, 0);
	party_init(&store, PROC_STORE, 0);
	party_init(&directory, PROC_DIRECTORY, 0);
	(void)snprintf(path, sizeof(path), "%s/apart", dir);
	apart = listen_at(path);
	knows(&dial, &store);
	knows(&dial, &directory);
	dial.boot.peers[0].connect = dial.boot.peers[1].connect = 0;
	dial.boot.peers[0].listener = (uint32_t)apart;
	start(&dial);

	/* Whatever its uid is: it is not asked. */
	for (uint32_t other = 0; other < 2; other++) {
		dial.boot.peers[0].uid = getuid() + other;
		s = raw_at(path);
		hello(s, PROC_STORE, 0);
		turn();
		assert_non_null(peers_find(dial.set, PROC_STORE, 0));
		assert_int_equal(channel_uid(peers_find(dial.set, PROC_STORE, 0)), getuid() + other);
		dial.messages = 0;
		say(s, MSG_NAME_ASK, sizeof(w), &w, sizeof(w), -1);
		turn();
		assert_int_equal(dial.messages, 1);

		/* It is nobody else by its word; nor is it another instance. */
		is_refused(&dial, path, PROC_DIRECTORY);
		is_refused(&dial, path, PROC_WEIR);
		dial.boot.peers[0].instance = 1;
		is_refused(&dial, path, PROC_STORE);
		dial.boot.peers[0].instance = 0;
		/* By the common socket nobody becomes it, though he has its uid. */
		is_refused(&dial, dial.path, PROC_STORE);
		assert_non_null(peers_find(dial.set, PROC_STORE, 0));
		close(s);
		turn();
		assert_null(peers_find(dial.set, PROC_STORE, 0));
	}
	dial.boot.peers[0].uid = getuid();
	s = raw(&dial);
	hello(s, PROC_DIRECTORY, 0);
	turn();
	assert_non_null(peers_find(dial.set, PROC_DIRECTORY, 0));
	close(s);
	turn();
	/* A stranger, where the only one of his uid has a socket apart. */
	dial.boot.peers[1].uid = getuid() + 1;
	is_refused(&dial, dial.path, PROC_STORE);
	is_refused(&dial, dial.path, PROC_DIRECTORY);
	stop(&dial);
	turn();
	close(apart);
	unlink(path);
	party_free(&directory);
	party_free(&store);
	party_free(&dial);
}

/* --- several messages in a packet */

struct pair {
	uint32_t head[2];
	struct wire_grant_change body;
};
static_assert(sizeof(struct pair) % 8 == 0, "the next one begins behind it");

/* Sends n of them in one packet, and tail bytes more; fd: with a descriptor. */
static void
say_together(int s, const struct pair *m, int n, size_t tail, int fd)
{
	static const uint8_t zeroes[64];
	struct iovec iov[2] = { { (void *)(uintptr_t)m, (size_t)n * sizeof(*m) },
				{ (void *)(uintptr_t)zeroes, tail } };

	assert_int_equal(fdpass_send(s, iov, 2, fd), (ssize_t)((size_t)n * sizeof(*m) + tail));
}

static void
messages_of_one_packet_are_judged_one_by_one(void **state)
{
	struct party store, authd;
	struct pair m[3] = { 0 };
	int s;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		m[i].head[0] = MSG_GRANT_ADD;
		m[i].head[1] = sizeof(m[i].body);
	}
	party_init(&store, PROC_STORE, 0);
	party_init(&authd, PROC_AUTHD, 0);
	knows(&store, &authd);
	start(&store);
	s = raw(&store);
	hello(s, PROC_AUTHD, 0);
	say_together(s, m, 3, 0, -1);
	turn();
	assert_int_equal(store.messages, 3);
	close(s);
	turn();

	BREAK(say_together(s, m, 3, 3, -1));  /* what is no message */
	BREAK(say_together(s, m, 3, 8, -1));  /* a head of none */
	BREAK(say_together(s, m, 1, 60, -1)); /* too long for its packet */
	BREAK(say_together(s, m, 2, 0, s));   /* a descriptor */
	store.messages = 0;
	m[1].head[0] = MSG_GRANT_TAKEN; /* wrong direction: the third is not looked at */
	BREAK(say_together(s, m, 3, 0, -1));
	assert_int_equal(store.messages, 1);
	m[1].head[0] = MSG_GRANT_SET; /* of many lengths, this one too */
	m[1].head[1]--;
	BREAK(say_together(s, m, 2, 0, -1)); /* a byte that is in none */
	m[1].head[1]++;
	m[1].head[0] = MSG_HELLO;
	BREAK(say_together(s, m, 3, 0, -1));
	store.messages = 0;
	store.refuse = true; /* the handler: the next ones do not come to it */
	BREAK(say_together(s, m, 1, 0, -1));
	m[1].head[0] = MSG_GRANT_ADD;
	BREAK(say_together(s, m, 3, 0, -1));
	assert_int_equal(store.messages, 2);
	store.refuse = false;
	store.flood = true; /* the channel ended in the handler: likewise */
	s = raw(&store);
	hello(s, PROC_AUTHD, 0);
	turn();
	say_together(s, m, 3, 0, -1);
	turn();
	assert_int_equal(store.messages, 3);
	assert_null(peers_find(store.set, PROC_AUTHD, 0));
	close(s);
	stop(&store);
	turn();
	party_free(&store);
	party_free(&authd);
}

/* Forks somebody else, who connects and says HELLO as a command line: whether store takes it. */
static bool
somebody_is_let_in(struct party *store, gid_t first, gid_t further, enum proc proc, unsigned instance)
{
	static const uid_t somebody = 64321;
	int go[2], status;
	pid_t pid;
	bool in;

	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		char c;
		int s;

		close(go[1]);
		if (setgroups(1, &further) != 0 || setgid(first) != 0 || setuid(somebody) != 0)
			_exit(1);
		s = raw(store);
		(void)greet(s, proc, instance); /* who is refused may have been before */
		_exit(read(go[0], &c, 1) == 0 ? 0 : 1);
	}
	close(go[0]);
	for (int i = 0; i < 200 && peers_find(store->set, proc, instance) == NULL; i++) {
		turn();
		usleep(1000);
	}
	in = peers_find(store->set, proc, instance) != NULL;
	if (in)
		assert_int_equal(channel_uid(peers_find(store->set, proc, instance)), somebody);
	close(go[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	turn();
	return in && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
administrators_are_command_lines_and_nothing_else(void **state)
{
	static const gid_t nobody = 64001, administrators = 64002;
	struct party store, launcher, line, authd;

	(void)state;
	if (getuid() != 0)
		skip();
	assert_int_equal(chmod(dir, 0755), 0);
	party_init(&store, PROC_STORE, 0);
	party_init(&launcher, PROC_WEIR, 0);
	party_init(&line, PROC_WEIR, 1);
	party_init(&authd, PROC_AUTHD, 0);
	assert_int_equal(chmod(store.path, 0666), 0);
	knows(&store, &launcher);
	knows(&store, &line);
	knows(&store, &authd);
	for (uint32_t i = 0; i < store.boot.npeers; i++)
		store.boot.peers[i].connect = 0;
	start(&store);
	assert_false(somebody_is_let_in(&store, nobody, administrators, PROC_WEIR, 1)); /* no group is set */
	store.boot.admin_gid = administrators;
	assert_false(somebody_is_let_in(&store, nobody, nobody, PROC_WEIR, 1));
	assert_true(somebody_is_let_in(&store, nobody, administrators, PROC_WEIR, 1));
	assert_true(somebody_is_let_in(&store, administrators, nobody, PROC_WEIR, 1));
	assert_false(somebody_is_let_in(&store, nobody, administrators, PROC_WEIR, 0)); /* the launcher */
	assert_false(somebody_is_let_in(&store, nobody, administrators, PROC_AUTHD, 0));
	stop(&store);
	turn();
	party_free(&authd);
	party_free(&launcher);
	party_free(&line);
	party_free(&store);
}

/* Each peer has places of its own: others that say nothing keep it not out. */
static void
a_crowd_keeps_nobody_else_out(void **state)
{
	static const gid_t administrators = 64002;
	struct party store, line, authd;
	int go[2], ready[2], status, good;
	pid_t pid;
	char c;

	(void)state;
	if (getuid() != 0)
		skip();
	assert_int_equal(chmod(dir, 0755), 0);
	party_init(&store, PROC_STORE, 0);
	party_init(&line, PROC_WEIR, 1);
	party_init(&authd, PROC_AUTHD, 0);
	assert_int_equal(chmod(store.path, 0666), 0);
	store.boot.admin_gid = administrators;
	knows(&store, &authd);
	knows(&store, &line);
	for (uint32_t i = 0; i < store.boot.npeers; i++)
		store.boot.peers[i].connect = 0;
	start(&store);
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		int s[16]; /* as many as wait to be accepted */

		close(go[1]);
		if (setgroups(0, NULL) != 0 || setgid(administrators) != 0 || setuid(64321) != 0)
			_exit(1);
		for (size_t i = 0; i < ARRAY_LEN(s); i++)
			s[i] = raw(&store);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		_exit(read(go[0], &c, 1) == 0 && s[0] != -1 ? 0 : 1);
	}
	close(go[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	turn();
	good = raw(&store);
	turn();
	hello(good, PROC_AUTHD, 0);
	turn();
	assert_non_null(peers_find(store.set, PROC_AUTHD, 0));
	close(go[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(good);
	close(ready[0]);
	close(ready[1]);
	stop(&store);
	turn();
	party_free(&store);
	party_free(&line);
	party_free(&authd);
}

static void
a_crowd_without_hello_is_bounded(void **state)
{
	struct party store, authd;
	int s[40], good, n = 0;

	(void)state;
	party_init(&store, PROC_STORE, 0);
	party_init(&authd, PROC_AUTHD, 0);
	knows(&store, &authd);
	start(&store);
	for (size_t i = 0; i < ARRAY_LEN(s); i++) {
		s[i] = raw(&store);
		turn();
	}
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		n += closed(s[i]);
	assert_int_equal(n, ARRAY_LEN(s) - 4);
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		close(s[i]);
	turn();
	good = raw(&store);
	hello(good, PROC_AUTHD, 0);
	turn();
	assert_non_null(peers_find(store.set, PROC_AUTHD, 0));
	close(good);
	stop(&store);
	turn();
	party_free(&store);
	party_free(&authd);
}

static void
a_peer_that_takes_nothing_is_cut_off(void **state)
{
	struct party store, authd;
	struct wire_grant_change g = { 0 };
	struct channel *ch;
	size_t sent = 0;
	int s;

	(void)state;
	party_init(&store, PROC_STORE, 0);
	party_init(&authd, PROC_AUTHD, 0);
	knows(&store, &authd);
	start(&store);
	s = raw(&store);
	hello(s, PROC_AUTHD, 0);
	turn();
	ch = peers_find(store.set, PROC_AUTHD, 0);
	assert_non_null(ch);
	while (channel_send(ch, MSG_GRANT_TAKEN, &g, sizeof(g))) {
		sent += sizeof(g);
		assert_true(sent < 4 * CHANNEL_QUEUE_MAX);
		assert_true(channel_queued(ch) <= CHANNEL_QUEUE_MAX);
	}
	assert_true(sent > CHANNEL_QUEUE_MAX / 2);
	turn();
	assert_int_equal(store.downs, 1);
	assert_null(peers_find(store.set, PROC_AUTHD, 0));
	close(s);
	stop(&store);
	turn();
	party_free(&store);
	party_free(&authd);
}

/* What a peer that dies has not read comes back as an error of the next message to it: no rule was broken. */
static void
a_death_breaks_no_rule(void **state)
{
	struct party store, authd;
	struct wire_grant_change g = { 0 };
	struct channel *ch;
	int s;

	(void)state;
	party_init(&store, PROC_STORE, 0);
	party_init(&authd, PROC_AUTHD, 0);
	knows(&store, &authd);
	start(&store);
	for (unsigned unread = 0; unread < 2; unread++) {
		s = raw(&store);
		hello(s, PROC_AUTHD, 0);
		turn();
		ch = peers_find(store.set, PROC_AUTHD, 0);
		assert_non_null(ch);
		if (unread > 0)
			assert_true(channel_send(ch, MSG_GRANT_TAKEN, &g, sizeof(g)));
		close(s);
		assert_false(channel_send(ch, MSG_GRANT_TAKEN, &g, sizeof(g)));
		assert_false(channel_send(ch, MSG_GRANT_TAKEN, &g, sizeof(g)));
		turn();
		assert_int_equal(store.downs, unread + 1);
		assert_int_equal(peers_broken(store.set), 0);
	}
	/* One that speaks out of turn does break one. */
	s = raw(&store);
	hello(s, PROC_AUTHD, 0);
	turn();
	hello(s, PROC_AUTHD, 0);
	assert_true(closed(s));
	close(s);
	assert_int_equal(peers_broken(store.set), 1);
	stop(&store);
	turn();
	party_free(&store);
	party_free(&authd);
}

static void
descriptors_and_order_survive_a_queue(void **state)
{
	struct party engine, capture;
	struct wire_ring_offer o = { 0 };
	struct channel *ch;

	(void)state;
	party_init(&engine, PROC_ENGINE, 0);
	party_init(&capture, PROC_CAPTURE, 0);
	knows(&engine, &capture);
	knows(&capture, &engine);
	start(&engine);
	start(&capture);
	turn();
	ch = peers_find(capture.set, PROC_ENGINE, 0);
	assert_non_null(ch);
	for (int i = 0; i < 2000; i++)
		assert_true(
		    channel_send_fd(ch, MSG_PACKET_RING, &o, sizeof(o), memfd_create("t", MFD_CLOEXEC)));
	channel_nudge(ch, MSG_PACKET_WAKE); /* dropped while others wait */
	for (int i = 0; i < 200 && engine.messages < 2000; i++)
		turn();
	assert_true(engine.messages >= 2000 && engine.messages <= 2001);
	assert_true(engine.fd != -1);
	stop(&engine);
	stop(&capture);
	party_free(&engine);
	party_free(&capture);
}

static void
what_is_sent_soon_shares_a_packet(void **state)
{
	static const size_t lens[] = { 16, 9, 5, 3000, 3000, 3000, 0 };
	struct party store, httpd;
	uint8_t body[4000], got[16384];
	struct channel *ch;
	size_t packets[4] = { 0 }, n = 0;
	ssize_t len;
	int s;

	(void)state;
	memset(body, 'b', sizeof(body));
	party_init(&store, PROC_STORE, 0);
	party_init(&httpd, PROC_HTTPD, 0);
	knows(&store, &httpd);
	start(&store);
	s = raw(&store);
	hello(s, PROC_HTTPD, 0);
	turn();
	assert_true(recv(s, got, sizeof(got), MSG_DONTWAIT) > 0); /* its own HELLO */
	ch = peers_find(store.set, PROC_HTTPD, 0);
	assert_non_null(ch);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		assert_true(channel_send_soon(ch, MSG_ANSWER, body, sizeof(struct wire_answer) + lens[i]));
	turn();
	while ((len = recv(s, got, sizeof(got), MSG_DONTWAIT)) > 0) {
		for (size_t at = 0; at < (size_t)len; packets[n]++) {
			uint32_t h[2];

			assert_int_equal(at % 8, 0);
			memcpy(h, got + at, sizeof(h));
			assert_int_equal(h[0], MSG_ANSWER);
			assert_memory_equal(got + at + sizeof(h), body, h[1]);
			at += sizeof(h) + h[1];
			for (; at < (size_t)len && at % 8 != 0; at++)
				assert_int_equal(got[at], 0);
		}
		n++;
	}
	assert_int_equal(packets[0], 5); /* 8 KiB at most */
	assert_int_equal(packets[1], 2);
	assert_int_equal(n, 2);
	close(s);
	stop(&store);
	turn();
	party_free(&store);
	party_free(&httpd);
}

static void
what_is_sent_soon_leaves_with_the_turn_and_in_order(void **state)
{
	struct party engine, capture;
	struct wire_capture_counters o = { 0 };
	struct channel *ch;
	unsigned sent = 0;

	(void)state;
	party_init(&engine, PROC_ENGINE, 0);
	party_init(&capture, PROC_CAPTURE, 0);
	knows(&engine, &capture);
	knows(&capture, &engine);
	start(&engine);
	start(&capture);
	turn();
	ch = peers_find(capture.set, PROC_ENGINE, 0);
	assert_non_null(ch);
	for (; sent < 3; sent++)
		assert_true(channel_send_soon(ch, MSG_CAPTURE_COUNTERS, &o, sizeof(o)));
	assert_true(channel_queued(ch) > 0);
	assert_true(channel_send(ch, MSG_PACKET_WAKE, NULL, 0)); /* behind them */
	turn();
	assert_int_equal(channel_queued(ch), 0);
	assert_int_equal(engine.messages, 4);
	assert_int_equal(engine.last, MSG_PACKET_WAKE);
	/* More than a turn may keep goes at once. */
	for (sent = 0; sent < 4096; sent++)
		assert_true(channel_send_soon(ch, MSG_CAPTURE_COUNTERS, &o, sizeof(o)));
	for (int i = 0; i < 400 && engine.messages < 4100; i++)
		turn();
	assert_int_equal(engine.messages, 4100);
	assert_int_equal(capture.downs, 0);
	stop(&engine);
	stop(&capture);
	party_free(&engine);
	party_free(&capture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_connect_and_agree),
		cmocka_unit_test(rule_breakers_lose_their_channel),
		cmocka_unit_test(the_socket_of_a_peer_says_who_it_is),
		cmocka_unit_test(messages_of_one_packet_are_judged_one_by_one),
		cmocka_unit_test(administrators_are_command_lines_and_nothing_else),
		cmocka_unit_test(a_crowd_without_hello_is_bounded),
		cmocka_unit_test(a_crowd_keeps_nobody_else_out),
		cmocka_unit_test(a_peer_that_takes_nothing_is_cut_off),
		cmocka_unit_test(a_death_breaks_no_rule),
		cmocka_unit_test(descriptors_and_order_survive_a_queue),
		cmocka_unit_test(what_is_sent_soon_shares_a_packet),
		cmocka_unit_test(what_is_sent_soon_leaves_with_the_turn_and_in_order),
	};
	int rc;

	log_init("test", LOG_LEVEL_ERROR);
	if (mkdtemp(dir) == NULL)
		return 1;
	base = event_base_new();
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	event_base_free(base);
	rmdir(dir);
	return rc;
}
