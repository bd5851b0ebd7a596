/* A process on an errand that does not end by itself holds nobody: silent, talking without end, stopped, or
 * gone quiet behind its last word. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "errand.h"
#include "ipc/boot.h"
#include "programs.h"
#include "spawn.h"

#define SHORT (100 * NS_PER_MS)
#define LONG  (600 * NS_PER_S) /* ctest ends a test before */

static struct settings settings;
static void (*does)(int told);
static unsigned words;

/* --- what errand.c would start --- */

bool
programs_find(char out[static PROGRAMS_MAX])
{
	out[0] = '/';
	out[1] = '\0';
	return true;
}

pid_t
spawn_start(const struct spawn *s)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGBUS, SIG_DFL); /* cmocka has a handler */
	/* As spawn.c leaves it: these ends of the pipes and no other. */
	if (dup2(s->fd[STDERR_FILENO], STDERR_FILENO) == -1)
		_exit(EXIT_FAILED);
	for (int fd = STDERR_FILENO + 1; fd < 256; fd++)
		if (fd != s->fd[BOOT_FD_TOLD])
			close(fd);
	does(s->fd[BOOT_FD_TOLD]);
	_exit(EXIT_OK);
}

static void
tell(int told, uint32_t kind)
{
	struct errand_word w = { .kind = kind, .count = { [ERRAND_ROWS] = 7 } };

	memcpy(w.file, "data.mdb", sizeof("data.mdb"));
	if (write(told, &w, sizeof(w)) != (ssize_t)sizeof(w))
		_exit(EXIT_FAILED);
}

static _Noreturn void
stay(void)
{
	for (;;)
		pause();
}

/* --- what becomes of it --- */

static void
on_word(void *ctx, const struct errand_word *w)
{
	(void)ctx;
	(void)w;
	words++;
}

static struct errand
run(void (*what)(int told), int64_t word_ns, int64_t all_ns)
{
	struct errand e = { .proc = PROC_STORE,
			    .flag = BOOT_CHECK,
			    .uid = 1,
			    .directory = -1,
			    .copy = -1,
			    .settings = &settings,
			    .patience = { word_ns, all_ns },
			    .word = on_word };
	bool done;

	does = what;
	words = 0;
	done = errand_run(&e);
	assert_int_equal(done, e.done);
	/* Nobody is left behind, running or dead. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return e;
}

static void
refused_with(const struct errand *e, const char *why)
{
	assert_false(e->done);
	if (strstr(e->refused, why) == NULL)
		fail_msg("\"%s\" has no \"%s\"", e->refused, why);
}

enum limit { OF_A_WORD, OF_ALL };

/* However slow the machine is: a process that did not come to hang in time is given more of it. */
static void
is_ended(void (*what)(int told), enum limit limit, const char *why)
{
	for (int64_t ns = SHORT; ns < 60 * NS_PER_S; ns *= 4) {
		struct errand e = run(what, limit == OF_A_WORD ? ns : LONG, limit == OF_ALL ? ns : LONG);

		if (ns * 4 >= 60 * NS_PER_S || strstr(e.refused, why) != NULL) {
			refused_with(&e, why);
			return;
		}
	}
}

static void
works(int told)
{
	tell(told, ERRAND_AT);
	tell(told, ERRAND_FAULT);
	tell(told, ERRAND_NOTE);
	tell(told, ERRAND_DONE);
}

static void
one_that_is_done_says_so(void **state)
{
	struct errand e = run(works, LONG, LONG);

	(void)state;
	assert_true(e.done);
	assert_int_equal(words, 2);
	assert_int_equal(e.count[ERRAND_ROWS], 7);
}

static void
says_nothing(int told)
{
	(void)told;
	stay();
}

static void
stays_at_a_file(int told)
{
	tell(told, ERRAND_AT);
	stay();
}

static void
stops(int told)
{
	tell(told, ERRAND_AT);
	(void)raise(SIGSTOP);
}

static void
says_half(int told)
{
	tell(told, ERRAND_AT);
	if (write(told, "half", 4) == 4)
		stay();
}

static void
one_that_hangs_is_ended(void **state)
{
	(void)state;
	is_ended(says_nothing, OF_A_WORD, "store: it was ended: nothing came of it for");
	is_ended(stays_at_a_file, OF_A_WORD, "store: it was ended: data.mdb: nothing came of it for");
	is_ended(stops, OF_A_WORD, "store: it was ended: data.mdb: nothing came of it for");
	is_ended(says_half, OF_A_WORD, "store: it was ended: data.mdb: nothing came of it for");
}

static void
talks_without_end(int told)
{
	for (;;)
		tell(told, ERRAND_AT);
}

/* Each word is in time; all together are not. */
static void
one_that_talks_without_end_is_ended(void **state)
{
	(void)state;
	is_ended(talks_without_end, OF_ALL, "store: it was ended: data.mdb: it was not done within");
}

static void
is_done_and_stays(int told)
{
	tell(told, ERRAND_DONE);
	close(told);
	stay();
}

static void
one_that_stays_behind_its_last_word_is_ended(void **state)
{
	(void)state;
	is_ended(is_done_and_stays, OF_A_WORD, "store: it was ended: it had no more to say, and stayed");
}

static void
says_what_is_none(int told)
{
	tell(told, ERRAND_DONE);
	tell(told, ERRAND_KINDS);
	stay();
}

static void
one_that_says_what_no_errand_says_is_ended(void **state)
{
	struct errand e = run(says_what_is_none, LONG, LONG);

	(void)state;
	refused_with(&e, "it said what no errand says");
}

static void
dies(int told)
{
	tell(told, ERRAND_AT);
	(void)raise(SIGBUS);
}

static void
goes(int told)
{
	(void)told;
}

static void
one_that_dies_or_goes_is_told_of_as_before(void **state)
{
	struct errand e = run(dies, LONG, LONG);

	(void)state;
	refused_with(&e, "data.mdb: its pages are damaged so far");
	e = run(goes, LONG, LONG);
	refused_with(&e, "store: it ended without having done it");
}

/* More than a pipe holds, and what a terminal would obey. */
static void
complains(int told)
{
	char line[512];

	memset(line, 'x', sizeof(line));
	line[0] = '\033';
	line[sizeof(line) - 1] = '\n';
	for (int i = 0; i < 400; i++)
		if (write(STDERR_FILENO, line, sizeof(line)) != (ssize_t)sizeof(line))
			_exit(EXIT_FAILED);
	tell(told, ERRAND_DONE);
	close(told);
	for (int i = 0; i < 400; i++)
		if (write(STDERR_FILENO, line, sizeof(line)) != (ssize_t)sizeof(line))
			_exit(EXIT_FAILED);
}

/* What it writes for people comes by a pipe, and harmless: it has no way to the terminal of who asked. */
static void
one_that_complains_is_passed_on(void **state)
{
	static char text[1 << 20];
	int shown = memfd_create("shown", MFD_CLOEXEC), before = dup(STDERR_FILENO);
	struct errand e;
	ssize_t n;

	(void)state;
	assert_int_equal(dup2(shown, STDERR_FILENO), STDERR_FILENO);
	e = run(complains, LONG, LONG);
	assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
	close(before);
	assert_true(e.done);
	n = pread(shown, text, sizeof(text) - 1, 0);
	close(shown);
	assert_true(n > 0);
	assert_null(memchr(text, '\033', (size_t)n));
	assert_int_equal(strncmp(text, "weir-store: \\x1bxxx", 18), 0);
	assert_non_null(strstr(text, "lines left out"));
}

/* Room on the disk counts, not a length that is only said. */
static void
more_is_given_more_time(void **state)
{
	static uint8_t block[1 << 20];
	char dir[] = "/dev/shm/weir-errand-XXXXXX";
	struct errand_patience none = errand_patience(-1), some;
	int at, fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 1; i <= 2; i++) {
		fd = openat(at, i == 1 ? "a" : "b", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		for (int n = 0; n < 2 * i; n++)
			assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
		assert_int_equal(ftruncate(fd, INT64_C(1) << 40), 0);
		close(fd);
	}
	some = errand_patience(at);
	assert_int_equal(some.word - none.word, 4 * NS_PER_S);
	assert_int_equal(some.all - none.all, 6 * NS_PER_S);
	assert_true(none.word > 0 && none.word == none.all);
	assert_int_equal(unlinkat(at, "a", 0) | unlinkat(at, "b", 0), 0);
	close(at);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_is_done_says_so),
		cmocka_unit_test(one_that_hangs_is_ended),
		cmocka_unit_test(one_that_talks_without_end_is_ended),
		cmocka_unit_test(one_that_stays_behind_its_last_word_is_ended),
		cmocka_unit_test(one_that_says_what_no_errand_says_is_ended),
		cmocka_unit_test(one_that_dies_or_goes_is_told_of_as_before),
		cmocka_unit_test(one_that_complains_is_passed_on),
		cmocka_unit_test(more_is_given_more_time),
	};

	settings_default(&settings);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
