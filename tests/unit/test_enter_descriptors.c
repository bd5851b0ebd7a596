/* Descriptors of a process that a unit starts, and how a manager tells of an end. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "descriptors.h"
#include "manager.h"

static int
open_null(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	return fd;
}

static void
what_cannot_be_is_refused(void **state)
{
	static const int32_t places[] = { INT32_MIN, -1, 0, 1, 2, DESCRIPTORS_MAX, INT32_MAX };
	struct descriptors d;

	(void)state;
	descriptors_init(&d);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int fd = open_null();

		assert_false(descriptors_take(&d, places[i], fd));
		assert_int_equal(errno, EINVAL);
		assert_int_equal(fcntl(fd, F_GETFD), -1); /* it was closed */
	}
	assert_false(descriptors_take(&d, 5, -1));
	assert_true(descriptors_take(&d, 5, open_null()));
	assert_false(descriptors_take(&d, 5, open_null()));
	assert_int_equal(errno, EEXIST);
	close(d.fd[5]);
}

/* In a child, which says by its status what it found. */
static int
placed(void)
{
	struct descriptors d;
	struct stat st, null;
	int ends[2];
	char c;

	descriptors_init(&d);
	if (pipe(ends) == -1 || stat("/dev/null", &null) == -1)
		return 10;
	/* The other way round, and onto the places of the pipe itself. */
	if (!descriptors_take(&d, ends[0], dup(ends[1])) || !descriptors_take(&d, ends[1], dup(ends[0])))
		return 11;
	if (!descriptors_take(&d, 15, open("/dev/zero", O_RDONLY)) || !descriptors_place(&d))
		return 12;
	if (write(ends[0], "x", 1) != 1 || read(ends[1], &c, 1) != 1 || c != 'x')
		return 13;
	if (read(15, &c, 1) != 1 || c != 0)
		return 14;
	for (int n = 3; n < 15; n++)
		if (n != ends[0] && n != ends[1] && fcntl(n, F_GETFD) != -1)
			return 15;
	for (int n = 0; n < 2; n++)
		if (fstat(n, &st) == -1 || st.st_rdev != null.st_rdev)
			return 16;
	/* What the process gets is open across exec, everything else is not. */
	if ((fcntl(15, F_GETFD) & FD_CLOEXEC) != 0 || (fcntl(d.fd[15], F_GETFD) & FD_CLOEXEC) == 0)
		return 17;
	return 0;
}

static void
each_comes_to_its_place(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0)
		_exit(placed());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
an_end_is_told_as_wait_tells_it(void **state)
{
	int32_t s = 0;

	(void)state;
	assert_true(manager_wait_status("exited", "70", &s));
	assert_true(WIFEXITED(s));
	assert_int_equal(WEXITSTATUS(s), 70);
	assert_true(manager_wait_status("exited", "0", &s));
	assert_int_equal(s, 0);
	assert_true(manager_wait_status("killed", "SYS", &s));
	assert_true(WIFSIGNALED(s));
	assert_int_equal(WTERMSIG(s), SIGSYS);
	assert_true(manager_wait_status("dumped", "ABRT", &s));
	assert_int_equal(WTERMSIG(s), SIGABRT);
	assert_false(manager_wait_status(NULL, "0", &s));
	assert_false(manager_wait_status("exited", NULL, &s));
	assert_false(manager_wait_status("exited", "", &s));
	assert_false(manager_wait_status("exited", "256", &s));
	assert_false(manager_wait_status("exited", "-1", &s));
	assert_false(manager_wait_status("exited", "1x", &s));
	assert_false(manager_wait_status("killed", "NOSUCH", &s));
	assert_false(manager_wait_status("vanished", "0", &s));
}

static void
no_manager_is_no_mistake(void **state)
{
	int fd;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	fd = manager_socket();
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, "READY=1", 7), 7);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(each_comes_to_its_place),
		cmocka_unit_test(an_end_is_told_as_wait_tells_it),
		cmocka_unit_test(no_manager_is_no_mistake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
