/* Work on threads: turns, bounds, deadlines, costs, cancelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "jobs.h"

#define WAIT_MS 20000

/* A job that a test watches. */
struct probe {
	_Atomic bool started, release; /* it runs until it is released, or is to stop */
	_Atomic unsigned thread;
	uint64_t spend; /* rows that it counts at each look */
	bool ended;
	enum job_end end;
	unsigned nth; /* by the order in which done was called, from 1 */
	uint64_t id;
	unsigned *count;
};

static void
run(void *ctx, struct job *j, unsigned thread)
{
	struct probe *p = ctx;

	atomic_store(&p->thread, thread);
	atomic_store(&p->started, true);
	while (!atomic_load(&p->release) && !job_should_stop(j)) {
		job_spend(j, p->spend);
		(void)usleep(1000);
	}
}

static void
done(void *ctx, enum job_end end)
{
	struct probe *p = ctx;

	assert_false(p->ended);
	p->ended = true;
	p->end = end;
	p->nth = ++*p->count;
}

static unsigned count;

static bool
submit(struct jobs *jobs, struct probe *p, enum job_kind kind, uint32_t tenant, int64_t deadline_ns,
       uint64_t cost)
{
	struct job_work w = { kind, tenant, deadline_ns, cost, run, done, p };

	p->count = &count;
	return jobs_submit(jobs, &w, &p->id);
}

/* A job of history that ends when it is told. */
static bool
submit_plain(struct jobs *jobs, struct probe *p, uint32_t tenant)
{
	return submit(jobs, p, JOB_HISTORY, tenant, 0, 0);
}

static void
wait_started(struct probe *p)
{
	for (int i = 0; i < WAIT_MS && !atomic_load(&p->started); i++)
		(void)usleep(1000);
	assert_true(atomic_load(&p->started));
}

static void
wait_ended(struct jobs *jobs, const struct probe *p)
{
	for (int i = 0; i < WAIT_MS && !p->ended; i++) {
		jobs_wait(jobs, 1);
		jobs_turn(jobs, clock_boot_ns());
	}
	assert_true(p->ended);
}

static int
set_up(void **state)
{
	(void)state;
	count = 0;
	return 0;
}

static struct jobs *
begin(unsigned threads)
{
	struct jobs *jobs = jobs_new(threads);

	jobs_start(jobs);
	return jobs;
}

static void
test_runs_beside_and_ends_here(void **state)
{
	struct jobs *jobs = begin(2);
	struct probe p = { .release = true };

	(void)state;
	assert_int_equal(jobs_threads(jobs), 3);
	assert_true(submit_plain(jobs, &p, 1));
	assert_true(jobs_wait(jobs, WAIT_MS));
	assert_false(p.ended); /* not before the loop has its turn */
	jobs_turn(jobs, clock_boot_ns());
	assert_true(p.ended);
	assert_int_equal(p.end, JOB_DONE);
	assert_true(atomic_load(&p.thread) < 3);
	jobs_cancel(jobs, p.id); /* it is not there any more */
	jobs_free(&jobs);
	assert_null(jobs);
}

static void
test_without_threads_at_once(void **state)
{
	struct probe p = { .release = true }, costly = { .spend = 10 }, late = { 0 };

	(void)state;
	assert_int_equal(jobs_threads(NULL), 1);
	assert_true(submit_plain(NULL, &p, 1));
	assert_true(p.ended);
	assert_int_equal(p.end, JOB_DONE);
	assert_int_equal(p.id, 0);
	assert_true(submit(NULL, &costly, JOB_HISTORY, 1, 0, 25));
	assert_int_equal(costly.end, JOB_COSTLY);
	assert_true(submit(NULL, &late, JOB_HISTORY, 1, clock_boot_ns() - 1, 0));
	assert_int_equal(late.end, JOB_LATE);
	assert_false(late.started);
	jobs_cancel(NULL, 7);
}

/* However much one tenant asks, another's question finds a thread. */
static void
test_one_tenant_has_not_all_threads(void **state)
{
	struct jobs *jobs = begin(2);
	struct probe heavy[6] = { 0 }, other = { .release = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(heavy); i++)
		assert_true(submit_plain(jobs, &heavy[i], 1));
	wait_started(&heavy[0]);
	assert_true(submit_plain(jobs, &other, 2));
	wait_ended(jobs, &other);
	for (size_t i = 1; i < ARRAY_LEN(heavy); i++)
		assert_false(atomic_load(&heavy[i].started));
	for (size_t i = 0; i < ARRAY_LEN(heavy); i++)
		atomic_store(&heavy[i].release, true);
	for (size_t i = 0; i < ARRAY_LEN(heavy); i++)
		wait_ended(jobs, &heavy[i]);
	jobs_free(&jobs);
}

/* What is short waits for nothing that is long, not even for that of all tenants. */
static void
test_live_work_has_a_thread(void **state)
{
	struct jobs *jobs = begin(2);
	struct probe heavy[3] = { 0 }, live = { .release = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(heavy); i++)
		assert_true(submit_plain(jobs, &heavy[i], (uint32_t)i + 1));
	wait_started(&heavy[0]);
	wait_started(&heavy[1]);
	assert_true(submit(jobs, &live, JOB_LIVE, 1, 0, 0));
	wait_ended(jobs, &live);
	assert_int_equal(atomic_load(&live.thread), 2);
	assert_false(atomic_load(&heavy[2].started));
	jobs_free(&jobs); /* ends what runs */
	for (size_t i = 0; i < ARRAY_LEN(heavy); i++)
		assert_int_equal(heavy[i].end, JOB_CANCELLED);
}

static void
test_tenants_take_turns(void **state)
{
	struct jobs *jobs = begin(1);
	struct probe first = { 0 }, a[3] = { { .release = true }, { .release = true }, { .release = true } },
		     b = { .release = true }, c = { .release = true };

	(void)state;
	assert_true(submit_plain(jobs, &first, 9));
	wait_started(&first);
	for (size_t i = 0; i < ARRAY_LEN(a); i++)
		assert_true(submit_plain(jobs, &a[i], 1));
	assert_true(submit_plain(jobs, &b, 2));
	assert_true(submit_plain(jobs, &c, 3));
	atomic_store(&first.release, true);
	for (size_t i = 0; i < ARRAY_LEN(a); i++)
		wait_ended(jobs, &a[i]);
	assert_int_equal(first.nth, 1);
	assert_int_equal(a[0].nth, 2);
	assert_int_equal(b.nth, 3);
	assert_int_equal(c.nth, 4);
	assert_int_equal(a[1].nth, 5);
	assert_int_equal(a[2].nth, 6);
	jobs_free(&jobs);
}

static void
test_lines_are_bounded(void **state)
{
	struct jobs *jobs = begin(1);
	static struct probe p[JOBS_MAX + 1];
	struct probe first = { 0 };
	size_t n = 0;

	(void)state;
	memset(p, 0, sizeof(p));
	assert_true(submit_plain(jobs, &first, 1));
	wait_started(&first);
	for (; n < JOBS_TENANT_MAX; n++)
		assert_true(submit_plain(jobs, &p[n], 1));
	assert_false(submit_plain(jobs, &p[n], 1));
	/* Half of all places may be anybody's; then each tenant has a few. */
	for (uint32_t tenant = 2; n + 1 < JOBS_MAX / 2; n++)
		assert_true(submit_plain(jobs, &p[n], tenant + (uint32_t)n / 32));
	for (unsigned i = 0; i < JOBS_TENANT_FEW; i++, n++)
		assert_true(submit_plain(jobs, &p[n], 1000));
	assert_false(submit_plain(jobs, &p[n], 1000));
	for (uint32_t tenant = 2000; n + 1 < JOBS_MAX; n++)
		assert_true(submit_plain(jobs, &p[n], tenant++));
	assert_false(submit_plain(jobs, &p[n], 9000));
	assert_int_equal(count, 0);
	/* One that goes makes room for one. */
	jobs_cancel(jobs, p[0].id);
	jobs_turn(jobs, clock_boot_ns());
	assert_int_equal(p[0].end, JOB_CANCELLED);
	assert_false(p[0].started);
	assert_true(submit_plain(jobs, &p[n], 9000));
	jobs_free(&jobs);
	assert_int_equal(count, JOBS_MAX + 1);
	assert_int_equal(first.end, JOB_CANCELLED);
}

static void
test_deadlines_hold_in_line_and_at_work(void **state)
{
	struct jobs *jobs = begin(1);
	struct probe works = { 0 }, waits = { 0 };

	(void)state;
	assert_true(submit_plain(jobs, &works, 1));
	wait_started(&works);
	assert_true(submit(jobs, &waits, JOB_HISTORY, 2, clock_boot_ns() + 50 * NS_PER_MS, 0));
	wait_ended(jobs, &waits); /* though no thread is free */
	assert_int_equal(waits.end, JOB_LATE);
	assert_false(waits.started);
	jobs_cancel(jobs, works.id);
	wait_ended(jobs, &works);
	assert_int_equal(works.end, JOB_CANCELLED);

	struct probe late = { 0 }, costly = { .spend = 100 }, enough = { .spend = 1, .release = true };

	assert_true(submit(jobs, &late, JOB_HISTORY, 1, clock_boot_ns() + 50 * NS_PER_MS, 0));
	wait_ended(jobs, &late);
	assert_int_equal(late.end, JOB_LATE);
	assert_true(submit(jobs, &costly, JOB_HISTORY, 1, 0, 1000));
	wait_ended(jobs, &costly);
	assert_int_equal(costly.end, JOB_COSTLY);
	assert_true(submit(jobs, &enough, JOB_HISTORY, 1, clock_boot_ns() + WAIT_MS * NS_PER_MS, 1000));
	wait_ended(jobs, &enough);
	assert_int_equal(enough.end, JOB_DONE);
	jobs_free(&jobs);
}

/* A number of a job that was is nobody's. */
static void
test_numbers_are_not_used_again(void **state)
{
	struct jobs *jobs = begin(1);
	struct probe was = { .release = true }, is = { 0 };
	uint64_t seen;

	(void)state;
	assert_true(submit_plain(jobs, &was, 1));
	wait_ended(jobs, &was);
	seen = was.id;
	for (size_t i = 1; i < JOBS_MAX; i++) {
		struct probe p = { .release = true };

		assert_true(submit_plain(jobs, &p, 1));
		wait_ended(jobs, &p);
		assert_int_not_equal(p.id, seen);
	}
	assert_true(submit_plain(jobs, &is, 1));
	assert_int_equal(is.id % JOBS_MAX, seen % JOBS_MAX); /* the same place */
	wait_started(&is);
	jobs_cancel(jobs, seen);
	(void)usleep(20000);
	jobs_turn(jobs, clock_boot_ns());
	assert_false(is.ended);
	jobs_free(&jobs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_runs_beside_and_ends_here, set_up),
		cmocka_unit_test_setup(test_without_threads_at_once, set_up),
		cmocka_unit_test_setup(test_one_tenant_has_not_all_threads, set_up),
		cmocka_unit_test_setup(test_live_work_has_a_thread, set_up),
		cmocka_unit_test_setup(test_tenants_take_turns, set_up),
		cmocka_unit_test_setup(test_lines_are_bounded, set_up),
		cmocka_unit_test_setup(test_deadlines_hold_in_line_and_at_work, set_up),
		cmocka_unit_test_setup(test_numbers_are_not_used_again, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
