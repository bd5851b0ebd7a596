/* The other side of every channel of a process, made of an input. */
#include "receiver.h"

#include <assert.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/ring.h"
#include "ipc/sealed.h"

#define CHANNELS_MAX 32u
#define RING_BYTES   (1u << 20)
#define PAGE_BYTES   4096u
#define BEHIND_BYTES (2u << 20) /* more than anybody waits for */

/* The leak checker does not find pointers in pages of their own (mem_pages). Weak: a target may say it, too.
 */
__attribute__((weak)) const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

struct channel {
	enum proc proc;
	unsigned instance;
	bool open, ending, behind;
	uint8_t last[8]; /* of what it was sent */
	void *data;
	char name[32];
};

struct peers {
	struct event_base *base;
	enum proc self;
	const struct peers_handlers *handlers;
	void *ctx;
	unsigned n;
	struct channel channel[CHANNELS_MAX];
};

static struct peers set;
static enum msg_id admitted[MSG_COUNT]; /* that the process may receive */
static unsigned nadmitted;

/* --- the boot document
 * -------------------------------------------------------------------------------------------- */

static void
add_peer(struct boot *b, enum proc proc, uint32_t instance)
{
	for (uint32_t i = 0; i < b->npeers; i++)
		if (b->peers[i].proc == proc && b->peers[i].instance == instance)
			return;
	assert(b->npeers < CHANNELS_MAX);
	b->peers[b->npeers++] = (struct boot_peer){ .proc = proc, .instance = instance };
}

struct boot *
receiver_boot(enum proc self)
{
	struct boot *b = mem_calloc(1, sizeof(*b));

	log_init("fuzz", LOG_LEVEL_ERROR);
	settings_default(&b->settings);
	b->proc = self;
	for (unsigned id = 0; id < MSG_COUNT; id++) {
		const struct msg_rule *r = msg_rule((enum msg_id)id);

		if (r->from != PROC_ANY && r->to == self)
			add_peer(b, r->from, 0);
		if (r->to != PROC_ANY && r->from == self)
			add_peer(b, r->to, 0);
	}
	for (uint32_t i = 0, n = b->npeers; i < n; i++)
		if (b->peers[i].proc == PROC_HTTPD || b->peers[i].proc == PROC_ENGINE)
			add_peer(b, (enum proc)b->peers[i].proc, 1);
	return b;
}

/* --- ipc/channel.h
 * ------------------------------------------------------------------------------------------------ */

struct peers *
peers_new(struct event_base *base, const struct boot *b, int listen_fd, const struct peers_handlers *handlers,
	  void *ctx)
{
	(void)listen_fd;
	set = (struct peers){ base, (enum proc)b->proc, handlers, ctx, 0, { { 0 } } };
	for (uint32_t i = 0; i < b->npeers; i++) {
		struct channel *ch = &set.channel[set.n++];

		ch->proc = (enum proc)b->peers[i].proc;
		ch->instance = b->peers[i].instance;
		(void)snprintf(ch->name, sizeof(ch->name), "%s@%u", proc_name(ch->proc), ch->instance);
	}
	nadmitted = 0;
	for (unsigned id = 0; id < MSG_COUNT; id++)
		if (msg_rule((enum msg_id)id)->to == set.self)
			admitted[nadmitted++] = (enum msg_id)id;
	return &set;
}

void
peers_free(struct peers **p)
{
	*p = NULL;
}

struct channel *
peers_find(struct peers *p, enum proc proc, unsigned instance)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->channel[i].proc == proc && p->channel[i].instance == instance && p->channel[i].open)
			return &p->channel[i];
	return NULL;
}

uint64_t
peers_broken(const struct peers *p)
{
	(void)p;
	return 0;
}

enum proc
channel_proc(const struct channel *ch)
{
	return ch->proc;
}

unsigned
channel_instance(const struct channel *ch)
{
	return ch->instance;
}

const char *
channel_name(const struct channel *ch)
{
	return ch->name;
}

uint32_t
channel_uid(const struct channel *ch)
{
	(void)ch;
	return 0;
}

int64_t
channel_peer_start(const struct channel *ch)
{
	(void)ch;
	return 1;
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

static bool
send_one(struct channel *ch, enum msg_id id, const void *body, size_t len, unsigned fds)
{
	static uint8_t copy[MSG_BODY_MAX];

	assert(ch->open && len <= sizeof(copy) && msg_admit(id, set.self, ch->proc, len, fds));
	if (len > 0)
		memcpy(copy, body, len); /* every byte is there, says the sanitizer */
	__asm__ volatile("" : : "r"(copy) : "memory");
	memset(ch->last, 0, sizeof(ch->last));
	if (len > 0)
		memcpy(ch->last, body, len < sizeof(ch->last) ? len : sizeof(ch->last));
	return !ch->ending;
}

bool
channel_send(struct channel *ch, enum msg_id id, const void *body, size_t len)
{
	return send_one(ch, id, body, len, 0);
}

bool
channel_send_soon(struct channel *ch, enum msg_id id, const void *body, size_t len)
{
	return send_one(ch, id, body, len, 0);
}

bool
channel_send_fd(struct channel *ch, enum msg_id id, const void *body, size_t len, int fd)
{
	assert(fd != -1);
	close(fd);
	return send_one(ch, id, body, len, 1);
}

void
channel_nudge(struct channel *ch, enum msg_id id)
{
	(void)send_one(ch, id, NULL, 0, 0);
}

/* Nobody answers in time. */
bool
channel_ask(struct channel *ch, enum msg_id id, const void *body, size_t len, enum msg_id answer, void *out,
	    size_t outlen, int timeout_ms)
{
	(void)out;
	(void)timeout_ms;
	assert(outlen <= CHANNEL_ANSWER_MAX && msg_admit(answer, ch->proc, set.self, outlen, 0));
	(void)send_one(ch, id, body, len, 0);
	errno = ETIMEDOUT;
	return false;
}

size_t
channel_queued(const struct channel *ch)
{
	return ch->behind ? BEHIND_BYTES : 0;
}

void
channel_end(struct channel *ch, const char *why)
{
	assert(why != NULL && ch->open);
	ch->ending = true;
}

/* --- coming and going
 * ---------------------------------------------------------------------------------------------- */

static void
go(struct channel *ch)
{
	if (!ch->open)
		return;
	/* Who is told that it is gone does not find it any more. */
	ch->open = false;
	set.handlers->down(set.ctx, ch);
	ch->data = NULL;
	ch->ending = ch->behind = false;
}

static void
come(struct channel *ch)
{
	if (ch->open)
		return;
	ch->open = true;
	set.handlers->up(set.ctx, ch);
}

static void
end_those_that_end(void)
{
	for (unsigned i = 0; i < set.n; i++)
		if (set.channel[i].ending)
			go(&set.channel[i]);
}

/* --- what is handed over
 * ------------------------------------------------------------------------------------------- */

static int
hand_memory(const uint8_t *bytes, size_t len)
{
	AUTO(fd_drop) int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	return fd_keep(&fd);
}

/* The real one's memory can be written by nobody who comes later: what stands in it is put in a copy. */
static int
hand_ring(const uint8_t *bytes, size_t len)
{
	static uint8_t head[PAGE_BYTES];
	static size_t size;
	AUTO(fd_drop) int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (size == 0) {
		AUTO(fd_drop) int model = -1;
		struct ring_producer *r = ring_producer_new(RING_BYTES, &model);

		if (r == NULL || pread(model, head, sizeof(head), 0) != (ssize_t)sizeof(head))
			abort();
		size = sizeof(head) + ring_producer_size(r);
		ring_producer_free(&r);
	}
	/* The first bytes are the index, at 64; then entries. */
	if (fd == -1 || ftruncate(fd, (off_t)size) == -1 ||
	    pwrite(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head))
		abort();
	if (len >= 8 && (pwrite(fd, bytes, 8, 64) != 8 ||
			 pwrite(fd, bytes + 8, len - 8, (off_t)sizeof(head)) != (ssize_t)(len - 8)))
		abort();
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == -1)
		abort();
	return fd_keep(&fd);
}

static int
hand_page(const uint8_t *bytes, size_t len)
{
	uint8_t page[PAGE_BYTES] = { 0 };
	AUTO(fd_drop) int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	memcpy(page, bytes, len < sizeof(page) ? len : sizeof(page));
	if (fd == -1 || write(fd, page, sizeof(page)) != (ssize_t)sizeof(page) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == -1)
		abort();
	return fd_keep(&fd);
}

static int
hand(const struct receiver_hooks *hooks, enum msg_id id, enum handed kind, const uint8_t *bytes, size_t len)
{
	int fd;

	if (kind == HANDED_OWN && hooks->hand != NULL)
		return hooks->hand(id);
	switch (kind) {
	case HANDED_OPEN:
		return hand_memory(bytes, len);
	case HANDED_RING:
		return hand_ring(bytes, len);
	case HANDED_PAGE:
		return hand_page(bytes, len);
	case HANDED_SOCKET:
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		break;
	default:
		fd = sealed_write("fuzz", (const char *)bytes, len);
	}
	if (fd == -1)
		abort();
	return fd;
}

/* --- entries
 * ---------------------------------------------------------------------------------------------------------
 */

static struct channel *
sender_of(enum msg_id id, unsigned instance)
{
	struct channel *of[CHANNELS_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < set.n; i++)
		if (set.channel[i].proc == msg_rule(id)->from)
			of[n++] = &set.channel[i];
	assert(n > 0);
	return of[instance % n];
}

static void
deliver(const struct receiver_hooks *hooks, const struct receiver_entry *e, const uint8_t *body,
	const uint8_t *memory)
{
	enum msg_id id = admitted[e->message % nadmitted];
	const struct msg_rule *r = msg_rule(id);
	struct channel *ch = sender_of(id, e->instance);
	size_t len = r->min + e->len % (r->max - r->min + 1u);
	struct msg m = { id, NULL, len, -1 };
	uint8_t *own;

	if (hooks->comes != NULL && !hooks->comes(id))
		return;
	/* Aligned as a channel's buffer is, and not longer than the message. */
	own = mem_calloc(len + 1, 1);
	m.body = own;
	if (e->how & RECEIVER_FULL)
		memset(own, 'a', len);
	memcpy(own, body, e->body < len ? e->body : len);
	if (e->how & RECEIVER_AWAY)
		go(&set.channel[e->instance % set.n]);
	if (e->how & RECEIVER_AGAIN)
		go(ch);
	come(ch);
	ch->behind = (e->how & RECEIVER_BEHIND) != 0;
	if ((e->how & RECEIVER_ECHO) && len >= sizeof(ch->last))
		memcpy(own, ch->last, sizeof(ch->last));
	if (hooks->before != NULL)
		hooks->before(ch, id, own, len, e->memory);
	if (r->fds > 0)
		m.fd = hand(hooks, id, (enum handed)(e->handed % HANDED_KINDS), memory, e->memory);
	if (!ch->ending && !set.handlers->message(set.ctx, ch, &m))
		ch->ending = true;
	fd_drop(&m.fd);
	free(own);
	end_those_that_end();
	if (hooks->after != NULL)
		hooks->after();
}

void
receiver_run(const struct receiver_hooks *hooks, const uint8_t *data, size_t size)
{
	struct receiver_entry e;

	if (size < sizeof(e))
		return;
	memcpy(&e, data, sizeof(e));
	for (unsigned i = 0; i < set.n && (e.how & RECEIVER_ALONE) == 0; i++)
		come(&set.channel[i]);
	while (size >= sizeof(e)) {
		memcpy(&e, data, sizeof(e));
		data += sizeof(e);
		size -= sizeof(e);
		e.body = (uint16_t)(e.body < size ? e.body : size);
		e.memory = (uint16_t)(e.memory < size - e.body ? e.memory : size - e.body);
		deliver(hooks, &e, data, data + e.body);
		data += e.body + e.memory;
		size -= (size_t)e.body + e.memory;
	}
	event_base_loop(set.base, EVLOOP_NONBLOCK);
	end_those_that_end();
	for (unsigned i = 0; i < set.n; i++)
		go(&set.channel[i]);
}
