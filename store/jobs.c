/* A fixed number of jobs in lines, one a tenant, that threads take from the front in turn: see jobs.h. */
#include "jobs.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "sum.h"

struct line;

struct job {
	TAILQ_ENTRY(job) entry; /* free, in its line, or through */
	struct job_work work;
	uint64_t id;       /* 0: free. Low bits: slot; above: how often it was used */
	struct line *line; /* NULL: it is through */
	bool runs;
	uint64_t cost;   /* the thread's own while it runs */
	_Atomic int end; /* enum job_end: the first reason to stop; JOB_DONE none */
};
TAILQ_HEAD(job_list, job);

/* A tenant's jobs of one kind. */
struct line {
	TAILQ_ENTRY(line) entry; /* free, or in its kind's round */
	uint32_t tenant;
	enum job_kind kind;
	unsigned nwaiting, nrunning; /* neither: it is free */
	struct job_list waiting;
};
TAILQ_HEAD(line_list, line);

struct worker {
	struct jobs *jobs;
	pthread_t thread;
	unsigned number;
};

struct jobs {
	unsigned history_threads, nthreads, nstarted;
	struct worker *worker;
	int fd;
	pthread_mutex_t lock;
	pthread_cond_t work; /* there may be something for a thread */
	/* Below: under the lock. */
	bool stop;
	uint64_t uses;
	unsigned nused;
	struct job_list free, through;
	struct line_list idle, round[JOB_KINDS]; /* whose turn is next comes first */
	struct job job[JOBS_MAX];
	struct line line[JOBS_MAX];
};

struct jobs *
jobs_new(unsigned threads)
{
	struct jobs *p = mem_calloc(1, sizeof(*p));

	p->history_threads = threads;
	p->nthreads = threads + 1;
	p->worker = mem_calloc(p->nthreads, sizeof(*p->worker));
	p->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->fd == -1 || pthread_mutex_init(&p->lock, NULL) != 0 || pthread_cond_init(&p->work, NULL) != 0)
		fatal("cannot make the threads of questions");
	TAILQ_INIT(&p->free);
	TAILQ_INIT(&p->through);
	TAILQ_INIT(&p->idle);
	for (int k = 0; k < JOB_KINDS; k++)
		TAILQ_INIT(&p->round[k]);
	for (size_t i = 0; i < JOBS_MAX; i++) {
		TAILQ_INSERT_TAIL(&p->free, &p->job[i], entry);
		TAILQ_INIT(&p->line[i].waiting);
		TAILQ_INSERT_TAIL(&p->idle, &p->line[i], entry);
	}
	return p;
}

unsigned
jobs_threads(const struct jobs *p)
{
	return p == NULL ? 1 : p->nthreads;
}

int
jobs_fd(const struct jobs *p)
{
	return p->fd;
}

/* --- within run
 * -------------------------------------------------------------------------------------------------------------
 */

static void
stop_for(struct job *j, enum job_end why)
{
	int none = JOB_DONE;

	atomic_compare_exchange_strong(&j->end, &none, (int)why);
}

void
job_spend(struct job *j, uint64_t rows)
{
	if (j != NULL)
		j->cost = sum_sat(j->cost, rows);
}

bool
job_should_stop(struct job *j)
{
	if (j == NULL)
		return false;
	if (atomic_load_explicit(&j->end, memory_order_relaxed) != JOB_DONE)
		return true;
	if (j->work.cost_most != 0 && j->cost > j->work.cost_most)
		stop_for(j, JOB_COSTLY);
	else if (j->work.deadline_ns != 0 && clock_boot_ns() > j->work.deadline_ns)
		stop_for(j, JOB_LATE);
	else
		return false;
	return true;
}

/* --- lines, under the lock
 * --------------------------------------------------------------------------------------------------------
 */

static struct line *
line_find(struct jobs *p, enum job_kind kind, uint32_t tenant)
{
	struct line *l;

	TAILQ_FOREACH(l, &p->round[kind], entry)
	{
		if (l->tenant == tenant)
			return l;
	}
	return NULL;
}

/* There are as many lines as jobs. */
static struct line *
line_make(struct jobs *p, enum job_kind kind, uint32_t tenant)
{
	struct line *l = TAILQ_FIRST(&p->idle);

	TAILQ_REMOVE(&p->idle, l, entry);
	l->tenant = tenant;
	l->kind = kind;
	TAILQ_INSERT_TAIL(&p->round[kind], l, entry);
	return l;
}

static void
line_drop_if_idle(struct jobs *p, struct line *l)
{
	if (l->nwaiting + l->nrunning > 0)
		return;
	TAILQ_REMOVE(&p->round[l->kind], l, entry);
	TAILQ_INSERT_TAIL(&p->idle, l, entry);
}

static void
leave_line(struct job *j)
{
	TAILQ_REMOVE(&j->line->waiting, j, entry);
	j->line->nwaiting--;
}

static void
notify(struct jobs *p)
{
	const uint64_t one = 1;

	/* EAGAIN: it is readable already. */
	if (write(p->fd, &one, sizeof(one)) == -1 && errno != EAGAIN)
		log_warn("questions: cannot notify: %s", strerror(errno));
}

static void
is_through(struct jobs *p, struct job *j)
{
	struct line *l = j->line;

	j->line = NULL;
	line_drop_if_idle(p, l);
	TAILQ_INSERT_TAIL(&p->through, j, entry);
	notify(p);
}

/* --- threads
 * -------------------------------------------------------------------------------------------------------------
 */

/* No tenant has all threads of history: the next one's question need not wait for the end of a long one. */
static bool
may_run(const struct jobs *p, const struct line *l)
{
	if (l->nwaiting == 0)
		return false;
	return l->kind == JOB_LIVE || p->history_threads == 1 || l->nrunning < p->history_threads - 1;
}

/* The next of a kind. Whose turn it was goes to the end of the round. */
static struct job *
next_of(struct jobs *p, enum job_kind kind)
{
	struct line *l;

	TAILQ_FOREACH(l, &p->round[kind], entry)
	{
		if (!may_run(p, l))
			continue;

		struct job *j = TAILQ_FIRST(&l->waiting);

		leave_line(j);
		j->runs = true;
		l->nrunning++;
		TAILQ_REMOVE(&p->round[kind], l, entry);
		TAILQ_INSERT_TAIL(&p->round[kind], l, entry);
		return j;
	}
	return NULL;
}

static struct job *
next_for(struct jobs *p, unsigned thread)
{
	struct job *j = next_of(p, JOB_LIVE);

	return j != NULL || thread == p->history_threads ? j : next_of(p, JOB_HISTORY);
}

/* Where cores are few, the loop does not wait for its turn behind those who look through history. */
#define STEP_BACK 5 /* more would let a thread that holds a lock of the kernel wait for anybody's work */

static void
step_back(void)
{
	/* Of this thread alone. */
	if (setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + STEP_BACK) == -1)
		log_warn("questions: a thread cannot lower its priority: %s", strerror(errno));
}

static void *
worker_main(void *arg)
{
	struct worker *w = arg;
	struct jobs *p = w->jobs;

	if (w->number < p->history_threads)
		step_back();
	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct job *j = next_for(p, w->number);

		if (j == NULL) {
			pthread_cond_wait(&p->work, &p->lock);
			continue;
		}
		pthread_mutex_unlock(&p->lock);
		if (!job_should_stop(j))
			j->work.run(j->work.ctx, j, w->number);
		pthread_mutex_lock(&p->lock);
		j->line->nrunning--;
		/* Another of this tenant's may have its turn now. */
		if (j->line->nwaiting > 0)
			pthread_cond_broadcast(&p->work);
		is_through(p, j);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

void
jobs_start(struct jobs *p)
{
	for (; p->nstarted < p->nthreads; p->nstarted++) {
		struct worker *w = &p->worker[p->nstarted];

		*w = (struct worker){ .jobs = p, .number = p->nstarted };
		if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
			fatalx("cannot start the threads of questions");
	}
}

/* --- the submitting thread
 * ---------------------------------------------------------------------------------------------------------
 */

static bool
has_room(const struct jobs *p, const struct line *l)
{
	unsigned most = p->nused >= JOBS_MAX / 2 ? JOBS_TENANT_FEW : JOBS_TENANT_MAX;

	return !p->stop && p->nused < JOBS_MAX && (l == NULL || l->nwaiting < most);
}

static uint64_t
enqueue(struct jobs *p, const struct job_work *w)
{
	struct line *l = line_find(p, w->kind, w->tenant);

	if (!has_room(p, l))
		return 0;

	struct job *j = TAILQ_FIRST(&p->free);

	TAILQ_REMOVE(&p->free, j, entry);
	p->nused++;
	j->work = *w;
	j->id = ++p->uses * JOBS_MAX + (uint64_t)(j - p->job);
	j->cost = 0;
	j->runs = false;
	atomic_store(&j->end, JOB_DONE);
	j->line = l == NULL ? line_make(p, w->kind, w->tenant) : l;
	TAILQ_INSERT_TAIL(&j->line->waiting, j, entry);
	j->line->nwaiting++;
	/* Not every thread takes every kind. */
	pthread_cond_broadcast(&p->work);
	return j->id;
}

static void
run_here(const struct job_work *w)
{
	struct job j = { .work = *w };

	if (!job_should_stop(&j))
		w->run(w->ctx, &j, 0);
	w->done(w->ctx, (enum job_end)atomic_load(&j.end));
}

bool
jobs_submit(struct jobs *p, const struct job_work *w, uint64_t *id)
{
	uint64_t made = 0;

	if (p == NULL) {
		if (id != NULL)
			*id = 0;
		run_here(w);
		return true;
	}
	pthread_mutex_lock(&p->lock);
	made = enqueue(p, w);
	pthread_mutex_unlock(&p->lock);
	if (id != NULL)
		*id = made;
	return made != 0;
}

void
jobs_cancel(struct jobs *p, uint64_t id)
{
	if (p == NULL || id == 0)
		return;

	struct job *j = &p->job[id % JOBS_MAX];

	pthread_mutex_lock(&p->lock);
	if (j->id == id && j->line != NULL) {
		stop_for(j, JOB_CANCELLED);
		/* One that runs comes to its end by itself. */
		if (!j->runs) {
			leave_line(j);
			is_through(p, j);
		}
	}
	pthread_mutex_unlock(&p->lock);
}

static void
end_late(struct jobs *p, struct line *l, int64_t now_boot_ns)
{
	struct job *j = TAILQ_FIRST(&l->waiting);

	while (j != NULL) {
		struct job *next = TAILQ_NEXT(j, entry);

		if (j->work.deadline_ns != 0 && j->work.deadline_ns < now_boot_ns) {
			stop_for(j, JOB_LATE);
			leave_line(j);
			l->nrunning++; /* the line stays while it is gone through */
			is_through(p, j);
			l->nrunning--;
		}
		j = next;
	}
}

static void
end_all_late(struct jobs *p, int64_t now_boot_ns)
{
	for (int k = 0; k < JOB_KINDS; k++) {
		struct line *l = TAILQ_FIRST(&p->round[k]);

		while (l != NULL) {
			struct line *next = TAILQ_NEXT(l, entry);

			end_late(p, l, now_boot_ns);
			line_drop_if_idle(p, l);
			l = next;
		}
	}
}

/* Takes one that is through. False: there is none. */
static bool
take_through(struct jobs *p, struct job_work *w, enum job_end *end)
{
	struct job *j = TAILQ_FIRST(&p->through);

	if (j == NULL)
		return false;
	*w = j->work;
	*end = (enum job_end)atomic_load(&j->end);
	TAILQ_REMOVE(&p->through, j, entry);
	j->id = 0;
	TAILQ_INSERT_TAIL(&p->free, j, entry);
	p->nused--;
	return true;
}

void
jobs_turn(struct jobs *p, int64_t now_boot_ns)
{
	struct job_work w;
	enum job_end end;
	uint64_t n;
	ssize_t got = read(p->fd, &n, sizeof(n));

	(void)got; /* nothing there: the list says so */
	pthread_mutex_lock(&p->lock);
	end_all_late(p, now_boot_ns);
	while (take_through(p, &w, &end)) {
		pthread_mutex_unlock(&p->lock);
		w.done(w.ctx, end);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
}

bool
jobs_wait(struct jobs *p, int timeout_ms)
{
	struct pollfd f = { .fd = p->fd, .events = POLLIN };

	return poll(&f, 1, timeout_ms) == 1;
}

static void
cancel_all(struct jobs *p)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (p->job[i].id != 0)
			jobs_cancel(p, p->job[i].id);
}

void
jobs_free(struct jobs **pp)
{
	struct jobs *p = *pp;

	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->lock);
	cancel_all(p);
	for (unsigned i = 0; i < p->nstarted; i++)
		pthread_join(p->worker[i].thread, NULL);
	jobs_turn(p, 0);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	close(p->fd);
	free(p->worker);
	free(p);
	*pp = NULL;
}
