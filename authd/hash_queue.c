#include "hash_queue.h"

#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "locked.h"

struct job {
	struct hash_request request;
	hash_done *done;
	void *ctx;
};

struct worker {
	struct hash_queue *queue;
	int sock;
	struct event *readable;
	bool busy;
	uint64_t serial;
	hash_done *done;
	void *ctx;
};

struct hash_queue {
	struct worker worker[HASH_WORKERS];
	struct job *job; /* a ring in locked memory */
	size_t first, count;
	uint64_t serial, refused;
	bool dead;
	void (*died)(void *ctx);
	void *ctx;
};

struct hash_queue *
hash_queue_fork(const struct hash_cost *cost)
{
	struct hash_queue *q = mem_calloc(1, sizeof(*q));

	for (unsigned i = 0; i < HASH_WORKERS; i++) {
		q->worker[i].queue = q;
		q->worker[i].sock = hasher_fork(i, cost);
	}
	q->job = locked_pages(HASH_QUEUE_MAX * sizeof(q->job[0]));
	return q;
}

static void
finish(struct worker *w, const struct hash_answer *a)
{
	hash_done *done = w->done;

	w->busy = false;
	w->done = NULL;
	if (done != NULL)
		done(w->ctx, a);
}

/* A worker is gone (killed, or it lied): whoever waits gets an answer, and authd is to end. */
static void
give_up(struct hash_queue *q, const char *why)
{
	const struct hash_answer failed = { .verdict = HASH_FAILED };

	if (q->dead)
		return;
	q->dead = true;
	log_error("a password hasher is gone: %s", why);
	for (size_t i = 0; i < HASH_WORKERS; i++)
		if (q->worker[i].busy)
			finish(&q->worker[i], &failed);
	for (; q->count > 0; q->count--) {
		struct job *j = &q->job[q->first];

		q->first = (q->first + 1) % HASH_QUEUE_MAX;
		j->done(j->ctx, &failed);
	}
	sodium_memzero(q->job, HASH_QUEUE_MAX * sizeof(q->job[0]));
	q->died(q->ctx);
}

/* Gives waiting jobs to idle workers. */
static void
feed(struct hash_queue *q)
{
	for (size_t i = 0; i < HASH_WORKERS && q->count > 0 && !q->dead; i++) {
		struct worker *w = &q->worker[i];
		struct job *j = &q->job[q->first];

		if (w->busy)
			continue;
		w->busy = true;
		w->serial = j->request.serial;
		w->done = j->done;
		w->ctx = j->ctx;
		q->first = (q->first + 1) % HASH_QUEUE_MAX;
		q->count--;
		/* One request at a time: the socket always has room for it. */
		if (send(w->sock, &j->request, sizeof(j->request), MSG_NOSIGNAL) !=
		    (ssize_t)sizeof(j->request))
			give_up(q, strerror(errno));
		sodium_memzero(j, sizeof(*j));
	}
}

static bool
answer_good(const struct worker *w, const struct hash_answer *a, ssize_t n)
{
	return n == (ssize_t)sizeof(*a) && w->busy && a->serial == w->serial && a->verdict >= HASH_MADE &&
	       a->verdict <= HASH_FAILED && memchr(a->hash, 0, sizeof(a->hash)) != NULL;
}

static void
on_answer(evutil_socket_t sock, short what, void *arg)
{
	struct worker *w = arg;
	struct hash_queue *q = w->queue;
	struct hash_answer a;
	ssize_t n = read(sock, &a, sizeof(a));

	(void)what;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (!answer_good(w, &a, n)) {
		(void)event_del(w->readable);
		give_up(q, n == 0 ? "it has died" : n == -1 ? strerror(errno) : "its answer cannot be");
		return;
	}
	finish(w, &a);
	sodium_memzero(&a, sizeof(a));
	feed(q);
}

void
hash_queue_attach(struct hash_queue *q, struct event_base *base, void (*died)(void *ctx), void *ctx)
{
	q->died = died;
	q->ctx = ctx;
	for (size_t i = 0; i < HASH_WORKERS; i++) {
		struct worker *w = &q->worker[i];

		w->readable = event_new(base, w->sock, EV_READ | EV_PERSIST, on_answer, w);
		if (evutil_make_socket_nonblocking(w->sock) != 0 || w->readable == NULL ||
		    event_add(w->readable, NULL) != 0)
			fatal("cannot watch a password hasher");
	}
}

static bool
enqueue(struct hash_queue *q, enum hash_kind kind, const char *password, const char *hash, hash_done *done,
	void *ctx)
{
	struct job *j = &q->job[(q->first + q->count) % HASH_QUEUE_MAX];

	if (q->dead || q->count == HASH_QUEUE_MAX) {
		q->refused++;
		return false;
	}
	memset(j, 0, sizeof(*j));
	if (!str_copy(j->request.password, sizeof(j->request.password), password) ||
	    !str_copy(j->request.hash, sizeof(j->request.hash), hash)) {
		sodium_memzero(j, sizeof(*j));
		return false;
	}
	j->request.serial = ++q->serial;
	j->request.kind = kind;
	j->done = done;
	j->ctx = ctx;
	q->count++;
	feed(q);
	return true;
}

bool
hash_queue_verify(struct hash_queue *q, const char *password, const char *hash, hash_done *done, void *ctx)
{
	return enqueue(q, HASH_VERIFY, password, hash, done, ctx);
}

bool
hash_queue_make(struct hash_queue *q, const char *password, hash_done *done, void *ctx)
{
	return enqueue(q, HASH_MAKE, password, "", done, ctx);
}

uint64_t
hash_queue_refused(const struct hash_queue *q)
{
	return q->refused;
}
