/*
 * Work that takes long, on a few threads beside the event loop: each tenant's in its turn, each within its
 * bounds. What belongs to the loop's thread alone (the dictionary of names, known hosts, live rows, grants)
 * is not for a job to look at; what it needs of them is copied, or held, before it is submitted.
 */
#ifndef WEIR_STORE_JOBS_H
#define WEIR_STORE_JOBS_H

#include <stdbool.h>
#include <stdint.h>

struct jobs;
struct job;

#define JOBS_MAX        512u /* waiting, running, or through and not taken yet */
#define JOBS_TENANT_MAX 32u  /* of one kind and tenant, waiting */
#define JOBS_TENANT_FEW 4u   /* ... while half of all places are taken: the rest is for others */

enum job_kind {
	JOB_HISTORY, /* reads what is on disk. Of a tenant's at most all threads but one run at a time */
	JOB_LIVE, /* live state or series, for milliseconds: goes first, and has one more thread to itself */
	JOB_KINDS
};

enum job_end {
	JOB_DONE,
	JOB_CANCELLED,
	JOB_LATE,  /* its deadline passed */
	JOB_COSTLY /* it has looked into as much as it may */
};

struct job_work {
	enum job_kind kind;
	uint32_t tenant;     /* whose turn it is; TENANT_PLATFORM is as any */
	int64_t deadline_ns; /* clock_boot_ns; 0: none */
	uint64_t cost_most;  /* rows looked into; 0: no bound */
	/* On a worker thread. thread: 0 .. jobs_threads() - 1, for what each thread has for itself. Breaks
	 * off soon after job_should_stop says so. Not called where the job ends before its turn. */
	void (*run)(void *ctx, struct job *j, unsigned thread);
	/* On the thread that submitted, from jobs_turn: exactly once. Whatever run made is left out where end
	 * is not JOB_DONE. Frees ctx. */
	void (*done)(void *ctx, enum job_end end);
	void *ctx;
};

/* Everything but the threads: call before the sandbox. threads: for history, at least 1. */
struct jobs *jobs_new(unsigned threads);
/* Starts the threads: call after the sandbox. Dies where it cannot. */
void jobs_start(struct jobs *jobs);
/* Stops what runs, calls done of everything (JOB_CANCELLED), ends the threads, frees. */
void jobs_free(struct jobs **jobs);
/* Threads that run is called on, the one of live work among them. NULL: 1. */
unsigned jobs_threads(const struct jobs *jobs);

/*
 * False: there is no room, neither run nor done will be called. *id (may be NULL): for jobs_cancel.
 * jobs NULL: run (as thread 0) and done are called here and now, within the same bounds, and *id is 0.
 */
bool jobs_submit(struct jobs *jobs, const struct job_work *w, uint64_t *id);
/* Ends a job early; its done is called all the same. One that is through already, and 0, are ignored. */
void jobs_cancel(struct jobs *jobs, uint64_t id);

/* Readable when done is to be called. */
int jobs_fd(const struct jobs *jobs);
/* Calls done of those that are through, or whose deadline passed while they waited. */
void jobs_turn(struct jobs *jobs, int64_t now_boot_ns);
/* Blocks until jobs_turn has something to do, at most timeout_ms. */
bool jobs_wait(struct jobs *jobs, int timeout_ms);

/* --- within run. j NULL: nothing bounds it
 * -------------------------------------------------------------------------------------------------------
 */

/* Counts rows that were looked into. Where the work is a tenant's, these are the tenant's own rows: what
 * stops it may tell of nobody else's. */
void job_spend(struct job *j, uint64_t rows);
/* Whether the work is to break off. Cheap enough for each block, not for each row. True stays true. */
bool job_should_stop(struct job *j);

#endif
