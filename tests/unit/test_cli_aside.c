/* A part of a command that was taken over has nothing of whoever asked, and can say nothing that harms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aside.h"
#include "cmd.h"

static char said[2][2 * ASIDE_SAYS_MAX]; /* on standard output, on standard error */

/* What the part came to, and what was said meanwhile. */
static int
run(int (*part)(void *ctx), void *ctx)
{
	int file[2], before[2], status;

	for (int i = 0; i < 2; i++) {
		file[i] = memfd_create("said", MFD_CLOEXEC);
		before[i] = dup(STDOUT_FILENO + i);
		assert_int_equal(dup2(file[i], STDOUT_FILENO + i), STDOUT_FILENO + i);
	}
	status = aside_run(part, ctx);
	(void)fflush(stdout);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(dup2(before[i], STDOUT_FILENO + i), STDOUT_FILENO + i);
		close(before[i]);
		memset(said[i], 0, sizeof(said[i]));
		assert_true(pread(file[i], said[i], sizeof(said[i]) - 1, 0) >= 0);
		close(file[i]);
	}
	return status;
}

static int
speaks(void *ctx)
{
	printf("a line\n\033[2Janother %s", (const char *)ctx);
	(void)fprintf(stderr, "trouble\rnone\n");
	return WEIR_DIFFERS;
}

static void
what_it_says_is_harmless(void **state)
{
	(void)state;
	assert_int_equal(run(speaks, "word"), WEIR_DIFFERS);
	assert_string_equal(said[0], "a line\n\\x1b[2Janother word");
	assert_string_equal(said[1], "trouble\\x0dnone\n");
}

/* Of the descriptors that were there, none is; it can read nothing, and write to pipes alone. */
static int
looks_around(void *ctx)
{
	struct stat st, null;
	char byte;

	(void)ctx;
	for (int fd = STDERR_FILENO + 1; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) != -1 || errno != EBADF)
			return 10;
	if (read(STDIN_FILENO, &byte, 1) != 0 || fstat(STDIN_FILENO, &st) != 0 ||
	    stat("/dev/null", &null) != 0 || st.st_rdev != null.st_rdev)
		return 11;
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (fstat(fd, &st) != 0 || !S_ISFIFO(st.st_mode) ||
		    (fcntl(fd, F_GETFL) & O_ACCMODE) != O_WRONLY)
			return 12;
	return WEIR_OK;
}

static void
it_has_nothing_of_who_asked(void **state)
{
	int other = open("/dev/zero", O_RDONLY);

	(void)state;
	assert_int_not_equal(other, -1);
	assert_int_equal(run(looks_around, NULL), WEIR_OK);
	close(other);
}

static int
dies(void *ctx)
{
	(void)ctx;
	printf("lost");
	(void)signal(SIGSYS, SIG_DFL);
	(void)raise(SIGSYS);
	return WEIR_OK;
}

static int
talks_without_end(void *ctx)
{
	(void)ctx;
	while (puts("and another thing") >= 0)
		;
	return WEIR_OK;
}

static void
one_that_dies_or_does_not_end_is_told_of(void **state)
{
	(void)state;
	assert_int_equal(run(dies, NULL), WEIR_FAILED);
	assert_non_null(strstr(said[1], "who looked died: Bad system call"));
	assert_int_equal(run(talks_without_end, NULL), WEIR_FAILED);
	assert_non_null(strstr(said[1], "it said more than there is to say"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_says_is_harmless),
		cmocka_unit_test(it_has_nothing_of_who_asked),
		cmocka_unit_test(one_that_dies_or_does_not_end_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
