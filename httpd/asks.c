#include "asks.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define SWEEP_MS 100 /* only while something waits */

struct ask {
	TAILQ_ENTRY(ask) entry; /* in the queue of its time, or of the free ones */
	uint64_t id;            /* 0: free. Low bits: slot; above: how often it was used */
	enum proc proc;
	enum ask_time time;
	int64_t deadline_ns;
	ask_fn *fn;
	void *ctx;
};
TAILQ_HEAD(ask_queue, ask);

static const struct timeval often = { 0, SWEEP_MS * 1000 };

struct asks {
	struct event *sweep;
	struct ask_queue free, waiting[ASK_TIMES]; /* each by deadline */
	int64_t patience_ns[ASK_TIMES];
	uint64_t uses;
	bool closing;
	struct ask slot[ASKS_MAX];
};

static struct ask *
ask_find(struct asks *a, uint64_t id)
{
	struct ask *k = &a->slot[id % ASKS_MAX];

	return id != 0 && k->id == id ? k : NULL;
}

static void
ask_release(struct asks *a, struct ask *k)
{
	TAILQ_REMOVE(&a->waiting[k->time], k, entry);
	k->id = 0;
	TAILQ_INSERT_TAIL(&a->free, k, entry);
}

static bool
ask_end(struct asks *a, struct ask *k, enum ask_end end, const void *body, size_t len)
{
	ask_fn *fn = k->fn;
	void *ctx = k->ctx;

	ask_release(a, k);
	return fn(ctx, end, body, len);
}

uint64_t
asks_add(struct asks *a, enum proc proc, enum ask_time time, ask_fn *fn, void *ctx)
{
	struct ask *k = TAILQ_FIRST(&a->free);

	if (k == NULL || a->closing)
		return 0;
	TAILQ_REMOVE(&a->free, k, entry);
	k->id = ++a->uses * ASKS_MAX + (uint64_t)(k - a->slot);
	k->proc = proc;
	k->time = time;
	k->deadline_ns = clock_boot_ns() + a->patience_ns[time];
	k->fn = fn;
	k->ctx = ctx;
	TAILQ_INSERT_TAIL(&a->waiting[time], k, entry);
	if (!event_pending(a->sweep, EV_TIMEOUT, NULL) && event_add(a->sweep, &often) == -1)
		fatalx("no memory for a question");
	return k->id;
}

void
asks_cancel(struct asks *a, uint64_t id)
{
	struct ask *k = ask_find(a, id);

	if (k != NULL)
		ask_release(a, k);
}

bool
asks_answer(struct asks *a, enum proc proc, uint64_t id, bool last, const void *body, size_t len)
{
	struct ask *k = ask_find(a, id);

	if (k == NULL || k->proc != proc)
		return true; /* late or cancelled: nobody waits */
	return last ? ask_end(a, k, ASK_LAST, body, len) : k->fn(k->ctx, ASK_PART, body, len);
}

/* Those that wait now, and not those that the callbacks add. */
static void
fail_all(struct asks *a, enum proc proc)
{
	uint64_t until = a->uses;
	bool any = true;

	while (any) {
		any = false;
		for (unsigned t = 0; t < ASK_TIMES && !any; t++) {
			struct ask *k;

			TAILQ_FOREACH(k, &a->waiting[t], entry)
			{
				if ((proc != PROC_NONE && k->proc != proc) || k->id / ASKS_MAX > until)
					continue;
				(void)ask_end(a, k, ASK_LOST, NULL, 0);
				any = true; /* the callback may have changed the queue: from the start */
				break;
			}
		}
	}
}

void
asks_lost(struct asks *a, enum proc proc)
{
	fail_all(a, proc);
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct asks *a = arg;
	int64_t now = clock_boot_ns();
	bool waits = false;

	(void)fd;
	(void)what;
	for (unsigned t = 0; t < ASK_TIMES; t++) {
		struct ask *k;

		while ((k = TAILQ_FIRST(&a->waiting[t])) != NULL && k->deadline_ns <= now)
			(void)ask_end(a, k, ASK_LATE, NULL, 0);
	}
	for (unsigned t = 0; t < ASK_TIMES; t++)
		waits |= !TAILQ_EMPTY(&a->waiting[t]);
	if (!waits)
		(void)event_del(a->sweep);
}

struct asks *
asks_new(struct event_base *base, int64_t store_ns)
{
	struct asks *a = mem_calloc(1, sizeof(*a));

	a->patience_ns[ASK_QUICK] = 5 * NS_PER_S;
	a->patience_ns[ASK_SLOW] = 30 * NS_PER_S;
	a->patience_ns[ASK_LONG] = 90 * NS_PER_S;
	a->patience_ns[ASK_STORE] = store_ns;
	TAILQ_INIT(&a->free);
	for (unsigned t = 0; t < ASK_TIMES; t++)
		TAILQ_INIT(&a->waiting[t]);
	for (size_t i = 0; i < ARRAY_LEN(a->slot); i++)
		TAILQ_INSERT_TAIL(&a->free, &a->slot[i], entry);
	a->sweep = event_new(base, -1, EV_PERSIST, on_sweep, a);
	if (a->sweep == NULL)
		fatalx("no memory for the questions");
	return a;
}

void
asks_close(struct asks *a)
{
	a->closing = true;
	fail_all(a, PROC_NONE);
}

void
asks_free(struct asks **a)
{
	if (*a == NULL)
		return;
	asks_close(*a);
	event_free((*a)->sweep);
	free(*a);
	*a = NULL;
}
