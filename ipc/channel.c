#include "ipc/channel.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/alive.h"
#include "ipc/fdpass.h"
#include "ipc/wire.h"

/* Connections of one peer that have not said HELLO yet. Each peer has places of its own, the launcher with
 * root's command lines, and the administrators together: whoever fills his keeps nobody else out. */
#define GREETING_MAX     4
#define GREETING_SECONDS 5
#define CONNECT_SECONDS  2
#define SOON_MAX         (64u << 10) /* bytes that wait for the end of a turn */
#define SOON_ROOM        (8u << 10)  /* of the messages that leave in one packet, where they are short */
#define READ_BURST       64          /* messages of one channel before the others get a turn */

/* Before each body on the wire. What one packet holds is one message, or several without descriptors, each
 * with a head of its own and at a place that is a multiple of 8. */
struct head {
	uint32_t id;
	uint32_t len;
};
static_assert(sizeof(struct head) == 8, "no padding: it crosses a process boundary");

struct queued {
	struct queued *next;
	int fd;
	size_t len;  /* of bytes: heads and bodies */
	size_t room; /* of bytes: more messages may be put behind these; 0: none */
	uint8_t bytes[];
};

enum stage {
	STAGE_FREE,
	STAGE_ASKED,   /* we connected and said HELLO: the peer has not answered */
	STAGE_GREETED, /* it connected: we wait for its HELLO */
	STAGE_OPEN
};

struct channel {
	struct peers *set;
	int sock;
	enum stage stage;
	bool ours; /* we connected */
	bool ending, handling;
	const struct boot_peer *peer;
	struct channel **place; /* of the set's greeting, until its HELLO; NULL: none */
	uint32_t uid;           /* of who connected, or of the peer that we connected to */
	int64_t peer_start_ns;
	struct event *readable, *writable, *deadline;
	struct queued *first, *last; /* last: where there is a first */
	size_t queued;
	void *data;
	char name[32];
};

/* A listening socket. */
struct door {
	struct peers *set;
	const struct boot_peer *peer; /* who alone can come by it; NULL: whom the uid says */
	struct event *accepting;
};

struct peers {
	struct event_base *base;
	const struct boot *boot;
	const struct peers_handlers *handlers;
	void *ctx;
	struct door door[1 + BOOT_PEERS_MAX];
	unsigned ndoors;
	struct alive *alive; /* whoever has peers has a loop to tell of */
	int64_t start_ns;
	struct channel *greeting[BOOT_PEERS_MAX][GREETING_MAX]; /* by the peer as whom they came */
	struct channel *open[BOOT_PEERS_MAX];                   /* the channel of each peer that is open */
	struct channel *asked[BOOT_PEERS_MAX]; /* the one that we began and that is not open yet */
	struct log_limit refused;
	uint64_t broken;
	uint8_t buf[sizeof(struct head) + MSG_BODY_MAX];
};

static void channel_close(struct channel *ch);

/* --- life of a channel --- */

static size_t
peer_index(const struct channel *ch)
{
	return (size_t)(ch->peer - ch->set->boot->peers);
}

static void
name_channel(struct channel *ch)
{
	(void)snprintf(ch->name, sizeof(ch->name), "%s@%u", proc_name((enum proc)ch->peer->proc),
		       ch->peer->instance);
}

static void
leave_greeting(struct channel *ch)
{
	if (ch->place != NULL)
		*ch->place = NULL;
	ch->place = NULL;
}

static void
channel_free(struct channel *ch)
{
	while (ch->first != NULL) {
		struct queued *q = ch->first;

		ch->first = q->next;
		fd_drop(&q->fd);
		explicit_bzero(q->bytes, q->len);
		free(q);
	}
	if (ch->readable != NULL)
		event_free(ch->readable);
	if (ch->writable != NULL)
		event_free(ch->writable);
	if (ch->deadline != NULL)
		event_free(ch->deadline);
	fd_drop(&ch->sock);
	free(ch);
}

static void
channel_close(struct channel *ch)
{
	struct peers *p = ch->set;

	if (ch->handling) {
		ch->ending = true;
		return;
	}
	leave_greeting(ch);
	if (ch->peer != NULL) {
		size_t i = peer_index(ch);

		if (p->asked[i] == ch)
			p->asked[i] = NULL;
		if (p->open[i] == ch) {
			p->open[i] = NULL;
			ch->handling = ch->ending =
			    true; /* what down() does to it must neither send nor free it */
			p->handlers->down(p->ctx, ch);
		}
	}
	channel_free(ch);
}

/* Closed from the event loop, never under the feet of whoever called. */
static void
end_soon(struct channel *ch)
{
	ch->ending = true;
	event_active(ch->readable, EV_READ, 0);
}

void
channel_end(struct channel *ch, const char *why)
{
	if (!ch->ending)
		log_warn("channel to %s ends: %s", ch->name, why);
	ch->set->broken += !ch->ending;
	end_soon(ch);
}

/* With an error of the socket. A peer that has died, which is what two of them say, broke no rule. */
static void
end_failed(struct channel *ch, int error)
{
	if (error == EPIPE || error == ECONNRESET)
		end_soon(ch);
	else
		channel_end(ch, strerror(error));
}

/* --- sending --- */

static bool
flush(struct channel *ch)
{
	while (ch->first != NULL) {
		struct queued *q = ch->first;
		struct iovec iov = { q->bytes, q->len };

		if (fdpass_send(ch->sock, &iov, 1, q->fd) == -1) {
			if (errno == EAGAIN || errno == ENOBUFS)
				return event_add(ch->writable, NULL) == 0;
			return false;
		}
		ch->first = q->next;
		ch->queued -= q->len;
		fd_drop(&q->fd);
		explicit_bzero(q->bytes, q->len); /* passwords go through here */
		free(q);
	}
	return true;
}

static size_t
padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

static void
put_message(struct channel *ch, struct queued *q, size_t at, const struct head *h, const void *body)
{
	memset(q->bytes + q->len, 0, at - q->len);
	memcpy(q->bytes + at, h, sizeof(*h));
	if (h->len > 0)
		memcpy(q->bytes + at + sizeof(*h), body, h->len);
	ch->queued += at + sizeof(*h) + h->len - q->len;
	q->len = at + sizeof(*h) + h->len;
}

/* room: for this message and more of them, in one packet; 0: it is alone. */
static struct queued *
enqueue(struct channel *ch, const struct head *h, const void *body, size_t room)
{
	size_t len = sizeof(*h) + h->len;
	struct queued *q;

	if (len > CHANNEL_QUEUE_MAX - ch->queued) {
		channel_end(ch, "the peer does not take its messages");
		return NULL;
	}
	q = malloc(sizeof(*q) + (len > room ? len : room));
	if (q == NULL) {
		channel_end(ch, "no memory for a message");
		return NULL;
	}
	q->next = NULL;
	q->fd = -1;
	q->len = 0;
	q->room = room;
	put_message(ch, q, 0, h, body);
	if (ch->first == NULL)
		ch->first = q;
	else
		ch->last->next = q;
	ch->last = q;
	return q;
}

/* Puts a message behind those that wait last, in their packet; false where there is no room. */
static bool
join(struct channel *ch, const struct head *h, const void *body)
{
	struct queued *q = ch->first == NULL ? NULL : ch->last;
	size_t at = q == NULL ? 0 : padded(q->len);

	if (q == NULL || at >= q->room || sizeof(*h) + h->len > q->room - at ||
	    at + sizeof(*h) + h->len - q->len > CHANNEL_QUEUE_MAX - ch->queued)
		return false;
	put_message(ch, q, at, h, body);
	return true;
}

/* Takes fd over: it is closed (or queued) in every case. */
static bool
send_message(struct channel *ch, enum msg_id id, const void *body, size_t len, int fd, bool may_drop)
{
	AUTO(fd_drop) int own = fd;
	struct head h = { (uint32_t)id, (uint32_t)len };
	struct iovec iov[2] = { { &h, sizeof(h) }, { (void *)(uintptr_t)body, len } };
	struct queued *q;

	assert(id == MSG_HELLO || msg_admit((uint32_t)id, (enum proc)ch->set->boot->proc, channel_proc(ch),
					    len, fd == -1 ? 0 : 1));
	if (ch->ending)
		return false;
	if (ch->first == NULL) {
		if (fdpass_send(ch->sock, iov, len > 0 ? 2 : 1, own) != -1)
			return true;
		if (errno != EAGAIN && errno != ENOBUFS) {
			end_failed(ch, errno);
			return false;
		}
	}
	if (may_drop)
		return true;
	q = enqueue(ch, &h, body, 0);
	if (q == NULL)
		return false;
	q->fd = fd_keep(&own);
	return event_add(ch->writable, NULL) == 0;
}

bool
channel_send(struct channel *ch, enum msg_id id, const void *body, size_t len)
{
	return send_message(ch, id, body, len, -1, false);
}

bool
channel_send_soon(struct channel *ch, enum msg_id id, const void *body, size_t len)
{
	struct head h = { (uint32_t)id, (uint32_t)len };
	bool waits = ch->first != NULL;

	assert(msg_admit((uint32_t)id, (enum proc)ch->set->boot->proc, channel_proc(ch), len, 0));
	if (ch->ending || (!join(ch, &h, body) && enqueue(ch, &h, body, SOON_ROOM) == NULL))
		return false;
	if (!waits)
		event_active(ch->writable, EV_WRITE, 0);
	if (ch->queued <= SOON_MAX)
		return true;
	if (flush(ch))
		return true;
	end_failed(ch, errno);
	return false;
}

bool
channel_send_fd(struct channel *ch, enum msg_id id, const void *body, size_t len, int fd)
{
	return send_message(ch, id, body, len, fd, false);
}

void
channel_nudge(struct channel *ch, enum msg_id id)
{
	(void)send_message(ch, id, NULL, 0, -1, true);
}

/* --- asking and waiting --- */

/* Until the descriptor can be read, or the moment has come (clock_boot_ns). */
static bool
wait_until(int fd, int64_t moment_ns)
{
	struct pollfd p = { fd, POLLIN, 0 };

	for (;;) {
		int64_t left_ns = moment_ns - clock_boot_ns();
		int rc = poll(&p, 1, left_ns > 0 ? (int)(left_ns / NS_PER_MS) + 1 : 0);

		if (rc == 1)
			return true;
		if (rc == -1 && errno != EINTR)
			return false;
		if (rc == 0) {
			errno = ETIMEDOUT;
			return false;
		}
	}
}

/* The receive buffer of the set is in use where a handler asks: the answer has one of its own. */
static bool
receive_answer(struct channel *ch, enum msg_id answer, void *out, size_t outlen)
{
	uint8_t buf[sizeof(struct head) + CHANNEL_ANSWER_MAX];
	int fd = -1;
	ssize_t n = fdpass_recv(ch->sock, buf, sizeof(buf), &fd);
	AUTO(fd_drop) int own = fd;
	struct head h;

	if (n <= 0) {
		if (n == 0)
			errno = ECONNRESET;
		return false;
	}
	errno = EPROTO;
	if ((size_t)n != sizeof(h) + outlen)
		return false;
	memcpy(&h, buf, sizeof(h));
	if (h.id != (uint32_t)answer || h.len != outlen ||
	    !msg_admit(h.id, channel_proc(ch), (enum proc)ch->set->boot->proc, h.len, own == -1 ? 0 : 1))
		return false;
	memcpy(out, buf + sizeof(h), outlen);
	return true;
}

bool
channel_ask(struct channel *ch, enum msg_id id, const void *body, size_t len, enum msg_id answer, void *out,
	    size_t outlen, int timeout_ms)
{
	int64_t until_ns = clock_boot_ns() + timeout_ms * NS_PER_MS;
	int why;

	assert(outlen <= CHANNEL_ANSWER_MAX);
	errno = EPIPE;
	if (!channel_send(ch, id, body, len))
		return false;
	do {
		if (!wait_until(ch->sock, until_ns))
			return false;
		if (receive_answer(ch, answer, out, outlen))
			return true;
	} while (errno == EAGAIN);
	why = errno;
	end_failed(ch, why);
	errno = why;
	return false;
}

size_t
channel_queued(const struct channel *ch)
{
	return ch->queued;
}

static bool
say_hello(struct channel *ch)
{
	const struct boot *b = ch->set->boot;
	struct wire_hello h = { WIRE_VERSION, b->proc, b->instance, 0, ch->set->start_ns };

	return send_message(ch, MSG_HELLO, &h, sizeof(h), -1, false);
}

/* --- opening --- */

static void
opened(struct channel *ch)
{
	struct peers *p = ch->set;

	leave_greeting(ch);
	ch->stage = STAGE_OPEN;
	event_del(ch->deadline);
	p->asked[peer_index(ch)] = NULL;
	p->open[peer_index(ch)] = ch;
	p->handlers->up(p->ctx, ch);
}

/* Two processes may have connected to each other at the same time. Both keep the connection that the later
 * started one made; of two made by the same side the newer is kept: the older one's process is dead. */
static bool
keep_newcomer(const struct channel *old, const struct wire_hello *hello)
{
	const struct peers *p = old->set;

	if (!old->ours)
		return true;
	if (hello->start_ns != p->start_ns)
		return hello->start_ns > p->start_ns;
	if (hello->proc != p->boot->proc)
		return hello->proc > p->boot->proc;
	return hello->instance > p->boot->instance;
}

/* Peers that a user of the administrators' group may be: the command line, never the launcher. */
static bool
is_command_line(const struct boot_peer *peer)
{
	return peer->proc == PROC_WEIR && peer->instance > 0;
}

/* The uid decides, or the socket of one peer. Only where several peers share a uid (the command line and the
 * launcher are both root) the word of the newcomer chooses among those. */
static bool
identify(struct channel *ch, const struct wire_hello *hello)
{
	const struct boot *b = ch->set->boot;
	bool by_group = ch->uid != ch->peer->uid;

	for (uint32_t i = 0; i < b->npeers; i++) {
		if (b->peers[i].uid != ch->peer->uid || b->peers[i].proc != hello->proc ||
		    b->peers[i].instance != hello->instance || b->peers[i].listener != ch->peer->listener ||
		    (by_group && !is_command_line(&b->peers[i])))
			continue;
		ch->peer = &b->peers[i];
		name_channel(ch);
		return true;
	}
	return false;
}

static bool
accept_hello(struct channel *ch, const struct wire_hello *hello)
{
	struct peers *p = ch->set;
	struct channel *old;
	size_t i;

	if (hello->version != WIRE_VERSION) {
		p->broken++;
		log_warn_limited(&p->refused, "%s speaks version %u of the protocol, not %u", ch->name,
				 hello->version, WIRE_VERSION);
		return false;
	}
	ch->peer_start_ns = hello->start_ns;
	if (ch->stage == STAGE_ASKED) {
		opened(ch);
		return true;
	}
	if (!identify(ch, hello)) {
		p->broken++;
		log_warn_limited(&p->refused, "refused %s@%u: it came as %s (uid %u)",
				 proc_name((enum proc)hello->proc), hello->instance, ch->name, ch->uid);
		return false;
	}
	i = peer_index(ch);
	old = p->open[i] != NULL ? p->open[i] : p->asked[i];
	if (old != NULL) {
		if (!keep_newcomer(old, hello))
			return false;
		log_debug("channel to %s: a newer one replaces it", old->name);
		if (old->handling)
			old->ending = true;
		else
			channel_close(old);
	}
	if (!say_hello(ch))
		return false;
	opened(ch);
	return true;
}

/* --- receiving --- */

/* One message of a packet, at bytes `at` of n; *at moves behind it. fd: the packet's, to the first message.
 */
static bool
take_message(struct channel *ch, size_t n, size_t *at, int *fd)
{
	struct peers *p = ch->set;
	struct head h = { 0 };
	struct msg m;
	bool good;

	if (n - *at < sizeof(h)) {
		p->broken++;
		log_warn("channel to %s: a message of %zu bytes", ch->name, n - *at);
		return false;
	}
	memcpy(&h, p->buf + *at, sizeof(h));
	*at += sizeof(h);
	/* It ends with the packet, or another one begins behind it. */
	if (h.len > n - *at || (h.len != n - *at && padded(*at + h.len) >= n) ||
	    !msg_admit(h.id, channel_proc(ch), (enum proc)p->boot->proc, h.len, *fd == -1 ? 0 : 1)) {
		p->broken++;
		log_warn("channel to %s: refused message %s (%u) of %u bytes", ch->name,
			 msg_name((enum msg_id)h.id), h.id, h.len);
		return false;
	}
	m = (struct msg){ (enum msg_id)h.id, p->buf + *at, h.len, *fd };
	*at = padded(*at + h.len);
	if ((h.id == MSG_HELLO) != (ch->stage != STAGE_OPEN)) {
		p->broken++;
		log_warn("channel to %s: %s is out of turn", ch->name, msg_name((enum msg_id)h.id));
		return false;
	}
	if (h.id == MSG_HELLO) {
		struct wire_hello hello;

		memcpy(&hello, m.body, sizeof(hello));
		return accept_hello(ch, &hello);
	}
	good = p->handlers->message(p->ctx, ch, &m);
	if (m.fd == -1)
		*fd = -1; /* the handler took it */
	else
		fd_drop(fd);
	if (!good) {
		p->broken++;
		log_warn("channel to %s: %s had a content that cannot be", ch->name, msg_name(m.id));
	}
	return good;
}

/* One packet; *taken counts its messages. */
static bool
receive_one(struct channel *ch, bool *more, unsigned *taken)
{
	struct peers *p = ch->set;
	size_t at = 0;
	bool good;
	int fd = -1;
	ssize_t n = fdpass_recv(ch->sock, p->buf, sizeof(p->buf), &fd);
	AUTO(fd_drop) int own = fd;

	*more = false;
	if (n == -1 && errno == EAGAIN)
		return true;
	if (n == -1) {
		if (errno != ECONNRESET)
			log_warn("channel to %s: %s", ch->name, strerror(errno));
		return false;
	}
	if (n == 0)
		return false;
	*more = true;
	do {
		good = take_message(ch, (size_t)n, &at, &own);
		++*taken;
	} while (good && !ch->ending && at < (size_t)n);
	explicit_bzero(p->buf, (size_t)n); /* passwords come through here */
	return good;
}

static void
on_readable(evutil_socket_t sock, short what, void *arg)
{
	struct channel *ch = arg;
	bool ok = !ch->ending, more = true;
	unsigned taken = 0;

	(void)sock;
	(void)what;
	ch->handling = true;
	while (ok && more && taken < READ_BURST) {
		ok = receive_one(ch, &more, &taken);
		ok = ok && !ch->ending;
	}
	ch->handling = false;
	if (!ok)
		channel_close(ch);
}

static void
on_writable(evutil_socket_t sock, short what, void *arg)
{
	struct channel *ch = arg;

	(void)sock;
	(void)what;
	if (ch->ending || !flush(ch))
		channel_close(ch);
}

static void
on_deadline(evutil_socket_t sock, short what, void *arg)
{
	struct channel *ch = arg;

	(void)sock;
	(void)what;
	log_debug("channel to %s: no HELLO", ch->name);
	channel_close(ch);
}

static struct channel *
channel_new(struct peers *p, int sock, enum stage stage, const struct boot_peer *peer, uint32_t uid)
{
	static const struct timeval greeting = { GREETING_SECONDS, 0 };
	struct channel *ch = mem_calloc(1, sizeof(*ch));

	ch->set = p;
	ch->sock = sock;
	ch->stage = stage;
	ch->ours = stage == STAGE_ASKED;
	ch->peer = peer;
	ch->uid = uid;
	name_channel(ch);
	ch->readable = event_new(p->base, sock, EV_READ | EV_PERSIST, on_readable, ch);
	ch->writable = event_new(p->base, sock, EV_WRITE, on_writable, ch);
	ch->deadline = event_new(p->base, -1, 0, on_deadline, ch);
	if (ch->readable == NULL || ch->writable == NULL || ch->deadline == NULL ||
	    event_add(ch->readable, NULL) == -1)
		fatalx("no memory for a channel");
	/* A peer that is still starting answers when it is ready: only strangers are hurried. */
	if (stage == STAGE_GREETED && event_add(ch->deadline, &greeting) == -1)
		fatalx("no memory for a channel");
	return ch;
}

/* --- the set --- */

#define GROUPS_MAX 1024 /* of one user; whoever is in more of them is nobody here */

/* Whether the user at the other end was in the group when it connected. */
static bool
is_in_group(int sock, const struct ucred *who, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (who->gid == group)
		return true;
	if (getsockopt(sock, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == -1)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* Who connected by the common socket, by the kernel's word. The uids of Weir's own processes come first: none
 * of them is an administrator. */
static const struct boot_peer *
peer_of(const struct peers *p, int sock, const struct ucred *who)
{
	const struct boot *b = p->boot;

	for (uint32_t i = 0; i < b->npeers; i++)
		if (b->peers[i].uid == who->uid && b->peers[i].listener == 0)
			return &b->peers[i];
	if (b->admin_gid == 0 || !is_in_group(sock, who, b->admin_gid))
		return NULL;
	for (uint32_t i = 0; i < b->npeers; i++)
		if (is_command_line(&b->peers[i]))
			return &b->peers[i];
	return NULL;
}

static struct channel **
free_place(struct peers *p, const struct boot_peer *peer)
{
	struct channel **place = p->greeting[peer - p->boot->peers];

	for (size_t i = 0; i < GREETING_MAX; i++)
		if (place[i] == NULL)
			return &place[i];
	return NULL;
}

static void
on_connection(evutil_socket_t listener, short what, void *arg)
{
	const struct door *door = arg;
	struct peers *p = door->set;
	const struct boot_peer *peer = door->peer;
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);
	struct channel **place;
	AUTO(fd_drop) int sock = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (sock == -1)
		return;
	if (peer != NULL) {
		/* The uid that SO_PEERCRED shows may be nobody's here. */
		who.uid = peer->uid;
	} else {
		if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &who, &len) == -1)
			return;
		peer = peer_of(p, sock, &who);
	}
	if (peer == NULL) {
		p->broken++;
		log_warn_limited(&p->refused, "refused a connection of uid %u: it is none of the peers",
				 who.uid);
		return;
	}
	place = free_place(p, peer);
	if (place == NULL) {
		p->broken++;
		log_warn_limited(&p->refused,
				 "refused a connection of uid %u: %d of its kind have not said HELLO",
				 who.uid, GREETING_MAX);
		return;
	}
	*place = channel_new(p, fd_keep(&sock), STAGE_GREETED, peer, who.uid);
	(*place)->place = place;
}

/* Anybody may connect to the common sockets: a queue of those that were not accepted yet may be full for a
 * moment, and nobody connects twice. */
static int
connect_to(const char *path)
{
	static const struct timeval patience = { CONNECT_SECONDS, 0 };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	AUTO(fd_drop) int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (sock == -1 || !str_copy(a.sun_path, sizeof(a.sun_path), path) ||
	    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == -1 ||
	    connect(sock, (const struct sockaddr *)&a, sizeof(a)) == -1 ||
	    evutil_make_socket_nonblocking(sock) == -1)
		return -1;
	return fd_keep(&sock);
}

static void
open_door(struct peers *p, int fd, const struct boot_peer *peer)
{
	struct door *door = &p->door[p->ndoors++];

	if (evutil_make_socket_nonblocking(fd) == -1)
		fatal("cannot use the listening socket");
	door->set = p;
	door->peer = peer;
	door->accepting = event_new(p->base, fd, EV_READ | EV_PERSIST, on_connection, door);
	if (door->accepting == NULL || event_add(door->accepting, NULL) == -1)
		fatalx("no memory for the listening socket");
}

struct peers *
peers_new(struct event_base *base, const struct boot *b, int listen_fd, const struct peers_handlers *handlers,
	  void *ctx)
{
	struct peers *p = mem_calloc(1, sizeof(*p));

	p->base = base;
	p->boot = b;
	p->handlers = handlers;
	p->ctx = ctx;
	p->start_ns = clock_boot_ns();
	p->alive = alive_new(base, b);
	for (uint32_t i = 0; i < b->npeers; i++) {
		int sock = b->peers[i].connect ? connect_to(b->peers[i].path) : -1;

		if (sock == -1)
			continue;
		p->asked[i] = channel_new(p, sock, STAGE_ASKED, &b->peers[i], b->peers[i].uid);
		if (!say_hello(p->asked[i]))
			channel_close(p->asked[i]);
	}
	if (listen_fd != -1)
		open_door(p, listen_fd, NULL);
	for (uint32_t i = 0; i < b->npeers; i++)
		if (b->peers[i].listener != 0)
			open_door(p, (int)b->peers[i].listener, &b->peers[i]);
	return p;
}

void
peers_free(struct peers **pp)
{
	struct peers *p = *pp;

	if (p == NULL)
		return;
	alive_free(&p->alive);
	for (uint32_t i = 0; i < p->boot->npeers; i++) {
		if (p->open[i] != NULL)
			channel_close(p->open[i]);
		if (p->asked[i] != NULL)
			channel_close(p->asked[i]);
		for (size_t n = 0; n < GREETING_MAX; n++)
			if (p->greeting[i][n] != NULL)
				channel_close(p->greeting[i][n]);
	}
	for (unsigned i = 0; i < p->ndoors; i++)
		event_free(p->door[i].accepting);
	free(p);
	*pp = NULL;
}

struct channel *
peers_find(struct peers *p, enum proc proc, unsigned instance)
{
	for (uint32_t i = 0; i < p->boot->npeers; i++)
		if (p->boot->peers[i].proc == (uint32_t)proc && p->boot->peers[i].instance == instance)
			return p->open[i] != NULL && !p->open[i]->ending ? p->open[i] : NULL;
	return NULL;
}

uint64_t
peers_broken(const struct peers *p)
{
	return p->broken;
}

enum proc
channel_proc(const struct channel *ch)
{
	return (enum proc)ch->peer->proc;
}

unsigned
channel_instance(const struct channel *ch)
{
	return ch->peer->instance;
}

const char *
channel_name(const struct channel *ch)
{
	return ch->name;
}

uint32_t
channel_uid(const struct channel *ch)
{
	return ch->uid;
}

int64_t
channel_peer_start(const struct channel *ch)
{
	return ch->peer_start_ns;
}

void
channel_set_data(struct channel *ch, void *data)
{
	ch->data = data;
}

void *
channel_data(const struct channel *ch)
{
	return ch->data;
}

/* --- without an event loop --- */

static bool
wait_for(int fd, short events, int timeout_ms)
{
	struct pollfd p = { fd, events, 0 };
	int rc;

	do {
		rc = poll(&p, 1, timeout_ms);
	} while (rc == -1 && errno == EINTR);
	if (rc == 0)
		errno = ETIMEDOUT;
	return rc == 1;
}

bool
channel_write(int fd, enum proc self, enum proc peer, enum msg_id id, const void *body, size_t len)
{
	return channel_write_fd(fd, self, peer, id, body, len, -1);
}

bool
channel_write_fd(int fd, enum proc self, enum proc peer, enum msg_id id, const void *body, size_t len,
		 int passed)
{
	struct head h = { (uint32_t)id, (uint32_t)len };
	struct iovec iov[2] = { { &h, sizeof(h) }, { (void *)(uintptr_t)body, len } };

	assert(msg_admit((uint32_t)id, self, peer, len, passed == -1 ? 0 : 1));
	while (fdpass_send(fd, iov, len > 0 ? 2 : 1, passed) == -1)
		if (errno != EAGAIN || !wait_for(fd, POLLOUT, 5000))
			return false;
	return true;
}

ssize_t
channel_read(int fd, enum proc self, enum proc peer, enum msg_id *id, void *buf, int timeout_ms)
{
	AUTO(mem_drop) uint8_t *raw = mem_calloc(1, sizeof(struct head) + MSG_BODY_MAX);
	struct head h;
	int passed;
	ssize_t n;

	do {
		if (!wait_for(fd, POLLIN, timeout_ms))
			return -1;
		n = fdpass_recv(fd, raw, sizeof(h) + MSG_BODY_MAX, &passed);
		fd_drop(&passed); /* no message to a program carries one */
	} while (n == -1 && errno == EAGAIN);
	if (n == 0)
		errno = ECONNRESET;
	if (n <= 0)
		return -1;
	errno = EPROTO;
	if ((size_t)n < sizeof(h))
		return -1;
	memcpy(&h, raw, sizeof(h));
	if (h.len != (size_t)n - sizeof(h) || !msg_admit(h.id, peer, self, h.len, 0))
		return -1;
	memcpy(buf, raw + sizeof(h), h.len);
	*id = (enum msg_id)h.id;
	return (ssize_t)h.len;
}

int
channel_dial(const char *path, enum proc self, unsigned instance, enum proc peer, int timeout_ms)
{
	struct wire_hello h = { WIRE_VERSION, (uint32_t)self, instance, 0, clock_boot_ns() };
	AUTO(mem_drop) uint8_t *buf = mem_calloc(1, MSG_BODY_MAX);
	AUTO(fd_drop) int sock = connect_to(path);
	enum msg_id id;

	if (sock == -1 || !channel_write(sock, self, peer, MSG_HELLO, &h, sizeof(h)))
		return -1;
	if (channel_read(sock, self, peer, &id, buf, timeout_ms) == -1)
		return -1;
	if (id != MSG_HELLO) {
		errno = EPROTO;
		return -1;
	}
	return fd_keep(&sock);
}
