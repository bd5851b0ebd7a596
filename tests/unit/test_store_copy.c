/* A copy that is made while the database is written: all of it as of one moment, and what was linked into it
 * stays as it was. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/clock.h"
#include "base/mem.h"
#include "check.h"
#include "copy.h"
#include "find.h"
#include "history_parts.h"
#include "ipc/boot.h"
#include "ipc/errand.h"
#include "policy/snapshot.h"
#include "store_world.h"

#define BASE_NS (INT64_C(1700000000) * NS_PER_S)
#define EACH    200u /* flows of a commit */

static struct history *h;
static struct names *names;
static struct batch batch;
static char dir[64];
static uint64_t flows;
static int to;

static struct history *
open_history(struct names **n)
{
	struct history_limits l = { .size = 256 << 20, .keep_flows_ns = 1000 * 86400 * NS_PER_S };
	enum db_status status;
	char err[512];
	struct history *out;

	*n = names_new();
	out = history_open(&l, *n, &status, err, sizeof(err));
	if (out == NULL)
		fail_msg("%s", err);
	return out;
}

static void
fill(int64_t from, unsigned n)
{
	const struct flow_texts texts = { "name", "", "" };
	char why[HISTORY_WHY_MAX];

	for (unsigned i = 0; i < n; i++) {
		int64_t now = BASE_NS + (from + i) * NS_PER_S;

		for (unsigned k = 0; k < EACH; k++, flows++) {
			struct rec_flow f = { .protocol = 6, .end_reason = END_IDLE, .server_name_len = 4 };
			const uint32_t tenant[2] = { 1 + (uint32_t)(flows % 3), 0 };

			for (int b = 0; b < 8; b++)
				f.id.b[15 - b] = (uint8_t)(flows >> (8 * b));
			randombytes_buf(&f.mac, sizeof(f.mac));
			f.last_ns = f.first_ns = f.slice_ns = now;
			assert_true(batch_add_flow(&batch, tenant, &f, &texts));
		}
		assert_int_equal(history_write(h, &batch, now, why), DB_OK);
		batch_reset(&batch);
	}
}

static void
merge_all(void)
{
	while (history_tidy(h)) {
	}
}

static int
setup(void **state)
{
	(void)state;
	str_copy(dir, sizeof(dir), "/dev/shm/weir-copy-test-XXXXXX");
	if (mkdtemp(dir) == NULL || chdir(dir) != 0 || mkdir("to", 0700) != 0)
		return -1;
	to = open("to", O_RDONLY | O_DIRECTORY);
	batch_init(&batch, 8 << 20, 1024);
	flows = 0;
	h = open_history(&names);
	return to == -1;
}

static int
teardown(void **state)
{
	(void)state;
	close(to);
	history_close(&h);
	names_free(&names);
	batch_free(&batch);
	if (chdir(dir) != 0 || chdir("to") != 0)
		return 1;
	world_delete_files();
	if (chdir("..") != 0 || rmdir("to") != 0)
		return 1;
	world_delete_files();
	return chdir("/") != 0 || rmdir(dir) != 0;
}

/* As the command line does it: each segment by another name, written ones too. */
static void
link_segments(void)
{
	DIR *d = opendir(".");

	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (segments_number(e->d_name) != 0)
			assert_int_equal(linkat(AT_FDCWD, e->d_name, to, e->d_name, 0), 0);
	closedir(d);
}

static pid_t
begin_copy(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(copy_database(memfd_create("told", 0), to));
	return pid;
}

static void
end_copy(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_OK);
}

static bool
count_one(void *ctx, const struct kept_flow *k)
{
	uint64_t *n = ctx;

	(void)k;
	++*n;
	return true;
}

/* Opens the copy; how many flows there are. The first ones, all of them. */
static uint64_t
flows_of_copy(void)
{
	struct flow_query q = { .tenant = TENANT_PLATFORM, .to_ns = INT64_MAX, .visits = UINT32_MAX };
	struct flow_position last;
	struct history *copy;
	struct find *f;
	struct names *copied;
	uint64_t n = 0, forgotten, damaged;
	bool finished;

	assert_int_equal(chdir("to"), 0);
	copy = open_history(&copied);
	f = find_new(copy);
	assert_int_equal(history_flows(f, &q, count_one, &n, &last, &finished), DB_OK);
	find_free(&f);
	assert_true(finished);
	history_counts(copy, &forgotten, &damaged);
	assert_int_equal(damaged, 0);
	history_close(&copy);
	names_free(&copied);
	assert_int_equal(chdir(".."), 0);
	return n;
}

static void
assert_copy_is_sound(void)
{
	int told = memfd_create("told", 0), status;
	struct errand_word w;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fchdir(to) == 0 ? check_database(told) : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (off_t at = 0; pread(told, &w, sizeof(w), at) == (ssize_t)sizeof(w); at += (off_t)sizeof(w)) {
		if (w.kind == ERRAND_FAULT || w.kind == ERRAND_NOTE)
			fail_msg("%s, block %llu, %s: %s", w.file, (unsigned long long)w.block, w.part,
				 w.text);
		if (w.kind == ERRAND_DONE)
			assert_int_equal(w.count[ERRAND_FAULTS], 0);
	}
	close(told);
}

static void
a_copy_under_load_is_of_one_moment(void **state)
{
	uint64_t before, n;
	pid_t pid;

	(void)state;
	fill(0, 30);
	fill(3700, 1);
	merge_all();
	fill(3701, 30);
	for (unsigned round = 0; round < 5; round++) {
		link_segments();
		before = flows;
		pid = begin_copy();
		/* Hours go by: segments are sealed, merged and deleted. */
		for (unsigned i = 0; i < 10; i++) {
			fill(7400 + (int64_t)(round * 10 + i) * 3700, 2);
			merge_all();
		}
		end_copy(pid);
		assert_copy_is_sound();
		n = flows_of_copy();
		assert_true(n >= before && n <= flows);
		assert_int_equal(n % EACH, 0);
		assert_int_equal(fchdir(to), 0);
		world_delete_files();
		assert_int_equal(chdir(".."), 0);
	}
}

/* A store that is started anew begins another segment where a backup has the one that it was writing. */
static void
what_was_linked_is_not_written(void **state)
{
	char name[SEGMENT_NAME_LEN];
	struct stat before, after;

	(void)state;
	fill(0, 3);
	segments_name(h->fresh.segment.number, name);
	history_close(&h);
	names_free(&names);
	link_segments();
	assert_int_equal(stat(name, &before), 0);
	h = open_history(&names);
	fill(10, 3);
	assert_int_equal(stat(name, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	assert_true(before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
		    before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
	end_copy(begin_copy());
	assert_copy_is_sound();
	assert_int_equal(flows_of_copy(), flows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_copy_under_load_is_of_one_moment, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_linked_is_not_written, setup, teardown),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
