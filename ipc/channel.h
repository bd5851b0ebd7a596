/*
 * A channel is one SOCK_SEQPACKET connection to one peer whose identity the kernel vouched for. `struct
 * peers` holds all channels of a process: it connects to its peers once (before the sandbox), accepts from
 * then on, checks SO_PEERCRED against the boot document, and keeps one channel a peer: of two, the one made
 * by the later started process stays (HELLO carries the start time), so that two processes that connect to
 * each other agree. Command lines (PROC_WEIR, instance 1 and up) may also be of a user whom SO_PEERGROUPS
 * shows in the administrators' group.
 *
 * In a user namespace of its own, where weir-dial's unit puts it, a process sees no uid but root's and its
 * own. There the socket by which a peer comes says who it is (boot_peer.listener): the kernel lets nobody
 * else pass the directory that the socket stands in, which it judges in connect().
 */
#ifndef WEIR_IPC_CHANNEL_H
#define WEIR_IPC_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/boot.h"
#include "ipc/msg.h"

struct event_base;
struct peers;
struct channel;

struct peers_handlers {
	/* The channel is open: both sides may send. Rings and sets are (re)made here. */
	void (*up)(void *ctx, struct channel *ch);
	/* The peer is gone or broke a rule; ch is invalid once this returns. */
	void (*down)(void *ctx, struct channel *ch);
	/* An admitted message: its sender, size and descriptors agree with msg.def. Content is the handler's
	 * to judge: it returns false where the peer lied, which ends the channel. It may call channel_send,
	 * never channel_end on ch. */
	bool (*message)(void *ctx, struct channel *ch, struct msg *m);
};

/* Makes the set, connects to every peer of b that is to be connected to, and listens at listen_fd (or not,
 * where it is -1) and at the listeners of single peers. A peer that cannot be reached is no error: it will
 * connect to us. Call before the sandbox. Dies where memory ends. */
struct peers *peers_new(struct event_base *base, const struct boot *b, int listen_fd,
			const struct peers_handlers *handlers, void *ctx);
void peers_free(struct peers **p);

/* The open channel to a peer, or NULL. */
struct channel *peers_find(struct peers *p, enum proc proc, unsigned instance);

/* How many channels ended, or did not begin, because a peer broke a rule or did not take what it was sent. */
uint64_t peers_broken(const struct peers *p);

enum proc channel_proc(const struct channel *ch);
unsigned channel_instance(const struct channel *ch);
/* "engine@0", for logs. Lives as long as the channel. */
const char *channel_name(const struct channel *ch);
/* The uid behind a command line, by the kernel's word: root, or a member of boot.admin_gid. Of any other peer
 * its own. */
uint32_t channel_uid(const struct channel *ch);
/* Start of the peer, clock_boot_ns, by its own word: for display and ordering only. */
int64_t channel_peer_start(const struct channel *ch);
/* A pointer of the owner's, NULL at first. */
void channel_set_data(struct channel *ch, void *data);
void *channel_data(const struct channel *ch);

/*
 * Queues a message (and a duplicate-free hand-over of fd: it is closed here once sent, also on failure).
 * Never blocks. At most CHANNEL_QUEUE_MAX bytes wait for a slow peer: past that the channel ends and false is
 * returned, as when it has ended already.
 */
bool channel_send(struct channel *ch, enum msg_id id, const void *body, size_t len);
/* As channel_send, but what is sent so in one turn of the loop leaves together at its end, and short messages
 * in one packet: a peer that sleeps is woken once. For peers with an event loop alone. */
bool channel_send_soon(struct channel *ch, enum msg_id id, const void *body, size_t len);
bool channel_send_fd(struct channel *ch, enum msg_id id, const void *body, size_t len, int fd);
/* As channel_send, for wake-ups: where the peer's queue is full the message is dropped, because one is under
 * way already. */
void channel_nudge(struct channel *ch, enum msg_id id);
/*
 * A question to a peer that answers at once, for callers who cannot come back later: sends it, and waits for
 * one message on this channel, which must be the answer, of just outlen bytes (CHANNEL_ANSWER_MAX at most).
 * It must be all that the peer ever sends. False with ETIMEDOUT after timeout_ms: the answer is then handed
 * to message() when it comes. False with another errno: the channel ends.
 */
bool channel_ask(struct channel *ch, enum msg_id id, const void *body, size_t len, enum msg_id answer,
		 void *out, size_t outlen, int timeout_ms);
#define CHANNEL_ANSWER_MAX 2048
/* Bytes that wait to be sent: producers of long answers look at it and pause. */
size_t channel_queued(const struct channel *ch);
/* Ends the channel after the current handler: why goes to the log. */
void channel_end(struct channel *ch, const char *why);

#define CHANNEL_QUEUE_MAX (8u << 20)

/*
 * For programs without an event loop (the command line): a connected channel as a plain descriptor. Connects
 * to path, says HELLO as self, waits for the answer; -1 with errno (EPROTO where the peer is no Weir process
 * of this build).
 */
int channel_dial(const char *path, enum proc self, unsigned instance, enum proc peer, int timeout_ms);
/* Sends or receives one message on it. receive fills buf[MSG_BODY_MAX] and gives the body's length, -1 on
 * error, time-out or broken rule. */
bool channel_write(int fd, enum proc self, enum proc peer, enum msg_id id, const void *body, size_t len);
/* ... with a descriptor, which stays the caller's. */
bool channel_write_fd(int fd, enum proc self, enum proc peer, enum msg_id id, const void *body, size_t len,
		      int passed);
ssize_t channel_read(int fd, enum proc self, enum proc peer, enum msg_id *id, void *buf, int timeout_ms);

#endif
