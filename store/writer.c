/* The writer thread: one batch in, one result out. */
#include "writer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum turn { TURN_IDLE, TURN_WRITER, TURN_OWNER };

struct writer {
	struct history *history;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	int fd;
	bool started, stop;
	/* Below: under the lock. */
	enum turn turn;
	const struct batch *batch;
	int64_t now_ns;
	enum db_status status;
	char why[HISTORY_WHY_MAX];
};

struct writer *
writer_new(struct history *h)
{
	struct writer *w = mem_calloc(1, sizeof(*w));

	w->history = h;
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->fd == -1 || pthread_mutex_init(&w->lock, NULL) != 0 || pthread_cond_init(&w->wake, NULL) != 0)
		fatal("cannot make the writer");
	return w;
}

static void
notify(int fd)
{
	const uint64_t one = 1;

	/* EAGAIN: it is readable already. */
	if (write(fd, &one, sizeof(one)) == -1 && errno != EAGAIN)
		log_warn("writer: cannot notify: %s", strerror(errno));
}

/* A step of other work where there is any, else sleep until there is something to do. Under the lock. */
static bool
tidy_or_wait(struct writer *w, bool tidy)
{
	if (!tidy) {
		pthread_cond_wait(&w->wake, &w->lock);
		return false;
	}
	pthread_mutex_unlock(&w->lock);
	tidy = history_tidy(w->history);
	pthread_mutex_lock(&w->lock);
	return tidy;
}

static void *
writer_main(void *arg)
{
	struct writer *w = arg;

	bool tidy = true;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (w->turn != TURN_WRITER && !w->stop)
			tidy = tidy_or_wait(w, tidy);
		if (w->turn != TURN_WRITER)
			break;
		pthread_mutex_unlock(&w->lock);

		char why[HISTORY_WHY_MAX] = "";
		enum db_status s = history_write(w->history, w->batch, w->now_ns, why);

		pthread_mutex_lock(&w->lock);
		w->status = s;
		memcpy(w->why, why, sizeof(why));
		w->turn = TURN_OWNER;
		tidy = true;
		notify(w->fd);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

void
writer_start(struct writer *w)
{
	if (pthread_create(&w->thread, NULL, writer_main, w) != 0)
		fatalx("cannot start the writer thread");
	w->started = true;
}

void
writer_free(struct writer **wp)
{
	struct writer *w = *wp;

	if (w == NULL)
		return;
	if (w->started) {
		pthread_mutex_lock(&w->lock);
		w->stop = true;
		pthread_cond_signal(&w->wake);
		pthread_mutex_unlock(&w->lock);
		pthread_join(w->thread, NULL);
	}
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	close(w->fd);
	free(w);
	*wp = NULL;
}

int
writer_fd(const struct writer *w)
{
	return w->fd;
}

void
writer_submit(struct writer *w, const struct batch *b, int64_t now_ns)
{
	pthread_mutex_lock(&w->lock);
	w->batch = b;
	w->now_ns = now_ns;
	w->turn = TURN_WRITER;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

static enum turn
turn_of(const struct writer *w)
{
	struct writer *m = (struct writer *)(uintptr_t)w;

	pthread_mutex_lock(&m->lock);

	enum turn t = m->turn;

	pthread_mutex_unlock(&m->lock);
	return t;
}

bool
writer_idle(const struct writer *w)
{
	return turn_of(w) == TURN_IDLE;
}

bool
writer_result(struct writer *w, enum db_status *status, char why[static HISTORY_WHY_MAX])
{
	uint64_t n;
	ssize_t got = read(w->fd, &n, sizeof(n));

	(void)got; /* nothing there: the turn says so */
	pthread_mutex_lock(&w->lock);

	bool done = w->turn == TURN_OWNER;

	if (done) {
		*status = w->status;
		memcpy(why, w->why, HISTORY_WHY_MAX);
		w->turn = TURN_IDLE;
	}
	pthread_mutex_unlock(&w->lock);
	return done;
}

bool
writer_wait(struct writer *w, int timeout_ms)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}
