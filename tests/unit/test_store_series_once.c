/* Points of series are there once: for who reads while they are written and folded, and after store was
 * killed. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "history_parts.h"
#include "series_open.h"
#include "series_parts.h"
#include "series_rig.h"

static _Atomic uint64_t written; /* packets of each series that are committed */
static _Atomic bool over;

static uint64_t
packets(const struct series_key *k, uint32_t resolution_s)
{
	struct rig_total t = { 0 };

	/* In a thread that cmocka does not know, nothing may fail but by what it returns. */
	if (history_series(rig.h, k, resolution_s, 0, INT64_MAX, rig_total_add, &t) != DB_OK)
		return UINT64_MAX;
	return t.sum.in_packets;
}

static uint64_t
begin_at(void *ctx)
{
	return *(const uint64_t *)ctx;
}

static size_t
open_points(struct series_open *o, const struct series_key *k, uint64_t seen)
{
	struct chunk_point *p;
	size_t n;

	series_open_read(o, k, 0, INT64_MAX, begin_at, &seen, &p, &n);
	free(p);
	return n;
}

/* Whose transaction has the chunks of what is over does not get it a second time, whose has not does; and
 * what could not be written stays. */
static void
a_transaction_says_what_is_where(void **state)
{
	struct series_record r = { .key = { 1, 1, 7 }, .kind = RECORD_MINUTE, .p = { .bucket = 100 } };
	struct series_open *o = series_open_new();
	struct series_open_list l = { 0 };
	struct bytes out = { 0 };
	uint32_t n;

	(void)state;
	r.p.sum.in_packets = 1;
	series_open_take(o, &r, 1);
	assert_int_equal(open_points(o, &r.key, 1), 1);
	series_open_over(o, 101, &out, &n);
	assert_int_equal(n, 1);
	series_open_close(o);
	assert_int_equal(open_points(o, &r.key, 1), 1);
	series_open_list(o, NULL, &l);
	assert_int_equal(l.n, 1);
	series_open_folding(o, l.series, l.n, 9);
	assert_int_equal(open_points(o, &r.key, 8), 1);
	assert_int_equal(open_points(o, &r.key, 9), 0);
	assert_int_equal(open_points(o, &r.key, 10), 0);
	series_open_folding(o, l.series, l.n, 0);
	assert_int_equal(open_points(o, &r.key, 10), 1);
	series_open_folding(o, l.series, l.n, 11);
	series_open_folded(o, l.series, l.n);
	assert_int_equal(open_points(o, &r.key, 10), 0);
	free(l.series);
	bytes_free(&out);
	series_open_free(&o);
}

/* Looks at series while they go from minutes to blocks to chunks: all that is committed is there, once. */
static void *
look(void *arg)
{
	static const uint32_t resolutions[] = { 60, 300, 3600, 86400 };
	uint64_t *wrong = arg;

	for (unsigned i = 0; !atomic_load(&over); i++) {
		const struct series_key k = { 1, 1, i % 50 };
		uint64_t before = atomic_load(&written), have = packets(&k, resolutions[i % 4]),
			 after = atomic_load(&written);

		if (have < before || have > after + 1)
			++*wrong;
	}
	return NULL;
}

static void
readers_see_all_of_it_once(void **state)
{
	const struct series_value v = { .in_packets = 1, .in_bytes = 100 };
	uint64_t wrong[2] = { 0 };
	pthread_t reader[2];

	(void)state;
	atomic_store(&over, false);
	atomic_store(&written, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&reader[i], NULL, look, &wrong[i]), 0);
	for (int64_t t = 0; t < 4000; t++) {
		for (uint32_t i = 0; i < 50; i++) {
			const struct series_key k = { 1, 1, i };

			rig_add(&k, RIG_BASE + t * 20, i % 2 == 0, &v);
		}
		rig_commit(RIG_BASE + t * 20);
		atomic_fetch_add(&written, 1);
		(void)history_tidy(rig.h);
	}
	atomic_store(&over, true);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(reader[i], NULL), 0);
	assert_true(rig.h->series->state.folded > 100);
	assert_int_equal(wrong[0] + wrong[1], 0);
}

#define KILLS     25
#define COMMIT_MS 20000 /* no commit takes as long */

/* Commits a packet a second, for a moment each, and says how many there are. Never returns. */
static void
commit_on(int fd, uint64_t done)
{
	const struct series_key second = { 1, 1, 0 }, minute = { 2, 1, 0 };
	const struct series_value v = { .in_packets = 1, .in_bytes = 100 };

	rig_open();
	for (;; done++) {
		int64_t now = RIG_BASE + (int64_t)done * 7;

		rig_add(&second, now, false, &v);
		rig_add(&minute, now, true, &v);
		rig_commit(now);
		while (history_tidy(rig.h))
			;
		if (write(fd, &(uint64_t){ done + 1 }, sizeof(done)) != sizeof(done))
			_exit(1);
	}
}

/* Once it has said that it committed some, and a moment later. */
static uint64_t
run_and_kill(uint64_t done, uint64_t commits, int64_t microseconds)
{
	const uint64_t enough = done + commits;
	struct pollfd said;
	uint64_t got;
	int fd[2], status;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fd[0]);
		commit_on(fd[1], done);
	}
	close(fd[1]);
	said = (struct pollfd){ .fd = fd[0], .events = POLLIN };
	while (done < enough && poll(&said, 1, COMMIT_MS) == 1 &&
	       read(fd[0], &got, sizeof(got)) == sizeof(got))
		done = got;
	usleep((useconds_t)microseconds);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	while (read(fd[0], &got, sizeof(got)) == sizeof(got))
		done = got;
	close(fd[0]);
	assert_true(done >= enough);
	return done;
}

/* What was committed is there once, whenever store is killed; at most the commit that was under way is too.
 */
static void
kills_lose_nothing(void **state)
{
	const struct series_key second = { 1, 1, 0 }, minute = { 2, 1, 0 };
	uint64_t done = 0;

	(void)state;
	rig_close();
	for (unsigned i = 0; i < KILLS; i++) {
		uint64_t commits = i % 5 == 0 ? 0 : 31 + rig_draw(60); /* some are killed as they begin */

		done = run_and_kill(done, commits, (int64_t)rig_draw(5000));
		rig_open();

		uint64_t have = rig_total(&second, 60).sum.in_packets;

		assert_in_range(have, done, done + 1);
		assert_int_equal(rig_total(&minute, 60).sum.in_packets, have);
		assert_int_equal(rig_total(&second, 3600).sum.in_packets, have);
		assert_int_equal(rig_total(&minute, 300).sum.in_packets, have);
		assert_int_equal(rig_total(&minute, 86400).sum.in_bytes, have * 100);
		done = have;
		rig_close();
	}
	assert_true(done > 600); /* there were folds */
	rig_open();
	assert_true(rig.h->series->state.folded > 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_begin, rig_end)
	const struct CMUnitTest tests[] = {
		TEST(a_transaction_says_what_is_where),
		TEST(readers_see_all_of_it_once),
		TEST(kills_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
