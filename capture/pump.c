#include "pump.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"

/* Frames of a turn: the main loop (or the lane's orders) come in between after this many. */
#define BATCH 4096
/* A ring with less room than LANE_CROWDED is left alone: the kernel's buffer holds what comes, and the engine
 * catches up. Longer than PATIENCE turns of a millisecond it is overrun for good, and frames are dropped and
 * counted. */
#define PATIENCE 100

enum next { NEXT_WAIT, NEXT_NAP, NEXT_SHORT_NAP, NEXT_MORE };

struct pump {
	struct pump_source source;
	struct lane *lane;
	int nap_ms;
	int patience;
	bool threaded, started;
	void (*tell)(void *ctx);
	void *ctx;
	struct event *readable; /* main loop: the source. threaded: told */
	struct event *later;    /* main loop: end of a nap, or at once where more waits */
	pthread_t thread;
	_Atomic bool stop;
	int kick; /* threaded: wakes the thread */
	int told; /* threaded: wakes the main loop */
};

/* One batch. */
static enum next
turn(struct pump *p, uint32_t *signals)
{
	bool crowded;
	int n;

	lane_begin(p->lane);
	crowded = lane_crowded(p->lane);
	if (crowded && p->patience > 0) {
		p->patience--;
		*signals = lane_flush(p->lane);
		return NEXT_SHORT_NAP;
	}
	if (crowded)
		lane_overrun(p->lane);
	else
		p->patience = PATIENCE;
	n = p->source.read(p->source.handle, p->lane, BATCH);
	*signals = lane_flush(p->lane);
	if (n == 0)
		return NEXT_WAIT;
	if (n == BATCH || lane_crowded(p->lane))
		return NEXT_MORE;
	return p->nap_ms > 0 ? NEXT_NAP : NEXT_WAIT;
}

/* How long to wait before the next turn, where frames do not end it earlier. */
static int
pause_ms(const struct pump *p, enum next next)
{
	return next == NEXT_NAP ? p->nap_ms : next == NEXT_SHORT_NAP ? 1 : 0;
}

/* --- in the main loop --- */

static void
on_turn(evutil_socket_t fd, short what, void *arg)
{
	struct pump *p = arg;
	uint32_t signals;
	enum next next = turn(p, &signals);
	struct timeval pause = { 0, pause_ms(p, next) * 1000 };
	int rc;

	(void)fd;
	(void)what;
	if (signals != 0)
		p->tell(p->ctx);
	if (next == NEXT_WAIT)
		rc = event_add(p->readable, NULL);
	else
		rc = event_add(p->later, &pause);
	if (rc == -1)
		fatalx("cannot wait for frames");
}

/* --- in a thread of its own --- */

static void
ring_bell(int fd)
{
	static const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) == -1 && errno != EAGAIN) /* EAGAIN: it rings already */
		fatal("cannot wake a thread");
}

static void
hush_bell(int fd)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) == -1 && errno != EAGAIN)
		fatal("cannot read what woke a thread");
}

/* Sleeps until there is something to do: frames (not during a nap), orders, or the nap's end. */
static void
rest(struct pump *p, enum next next)
{
	struct pollfd fds[2] = { { p->kick, POLLIN, 0 }, { p->source.fd, POLLIN, 0 } };
	int ms = pause_ms(p, next);

	if (next == NEXT_MORE)
		return;
	if (poll(fds, ms > 0 ? 1 : 2, ms > 0 ? ms : -1) == -1 && errno != EINTR)
		fatal("cannot wait for frames");
	if (fds[0].revents != 0)
		hush_bell(p->kick);
}

static void *
run_thread(void *arg)
{
	struct pump *p = arg;

	while (!atomic_load(&p->stop)) {
		uint32_t signals;
		enum next next = turn(p, &signals);

		if (signals != 0)
			ring_bell(p->told);
		rest(p, next);
	}
	return NULL;
}

static void
on_told(evutil_socket_t fd, short what, void *arg)
{
	struct pump *p = arg;

	(void)what;
	hush_bell(fd);
	p->tell(p->ctx);
}

/* Signals are the main thread's. */
static void
start_thread(struct pump *p)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&p->thread, NULL, run_thread, p);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		errno = rc;
		fatal("cannot start a thread");
	}
}

/* --- both --- */

static int
bell(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd == -1)
		fatal("cannot make an eventfd");
	return fd;
}

struct pump *
pump_new(struct event_base *base, const struct pump_source *s, struct lane *l, int nap_ms, bool threaded,
	 void (*tell)(void *ctx), void *ctx)
{
	struct pump *p = mem_calloc(1, sizeof(*p));

	p->source = *s;
	p->lane = l;
	p->nap_ms = nap_ms;
	p->threaded = threaded;
	p->tell = tell;
	p->ctx = ctx;
	p->kick = p->told = -1;
	if (threaded) {
		p->kick = bell();
		p->told = bell();
		p->readable = event_new(base, p->told, EV_READ | EV_PERSIST, on_told, p);
		if (p->readable == NULL || event_add(p->readable, NULL) == -1)
			fatalx("no memory for a pump");
		return p;
	}
	p->readable = event_new(base, s->fd, EV_READ, on_turn, p);
	p->later = event_new(base, -1, 0, on_turn, p);
	if (p->readable == NULL || p->later == NULL)
		fatalx("no memory for a pump");
	return p;
}

void
pump_start(struct pump *p)
{
	if (p->started)
		return;
	p->started = true;
	if (p->threaded)
		start_thread(p);
	else if (event_add(p->readable, NULL) == -1)
		fatalx("cannot wait for frames");
}

void
pump_wake(struct pump *p)
{
	if (!p->threaded) {
		lane_take_orders(p->lane);
		if (lane_flush(p->lane) != 0)
			p->tell(p->ctx);
	} else {
		ring_bell(p->kick); /* a thread that has not started yet finds it ringing */
	}
}

void
pump_free(struct pump **pp)
{
	struct pump *p = *pp;

	if (p == NULL)
		return;
	if (p->threaded && p->started) {
		atomic_store(&p->stop, true);
		ring_bell(p->kick);
		pthread_join(p->thread, NULL);
	}
	event_free(p->readable);
	if (p->later != NULL)
		event_free(p->later);
	fd_drop(&p->kick);
	fd_drop(&p->told);
	free(p);
	*pp = NULL;
}
