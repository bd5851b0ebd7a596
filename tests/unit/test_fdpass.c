/* Descriptors: one comes through, a surplus is closed, a packet that is too long is refused with all it
 * carried. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "ipc/fdpass.h"

static int
count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
send_raw(int sock, const int *fds, size_t nfds, size_t len)
{
	static char body[1000];
	union {
		struct cmsghdr align;
		char b[CMSG_SPACE(32 * sizeof(int))];
	} ctl;
	struct iovec iov = { body, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds > 0) {
		struct cmsghdr *c;

		memset(&ctl, 0, sizeof(ctl));
		m.msg_control = ctl.b;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	assert_int_equal(sendmsg(sock, &m, 0), len);
}

static void
one_comes_through(void **state)
{
	int s[2], fd, got;
	char buf[100];
	struct iovec iov = { (char[]){ "abc" }, 3 };

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	fd = memfd_create("t", MFD_CLOEXEC);
	assert_int_equal(fdpass_send(s[0], &iov, 1, fd), 3);
	assert_int_equal(fdpass_recv(s[1], buf, sizeof(buf), &got), 3);
	assert_true(got >= 0);
	assert_true(fcntl(got, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fdpass_recv(s[1], buf, sizeof(buf), &got), -1);
	assert_int_equal(errno, EAGAIN);
	close(s[0]);
	assert_int_equal(fdpass_recv(s[1], buf, sizeof(buf), &got), 0);
}

static void
surplus_is_closed(void **state)
{
	int s[2], fds[30], got;
	char buf[100];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	for (size_t i = 0; i < 30; i++)
		fds[i] = s[0];
	for (size_t n = 2; n <= 30; n++) {
		int before = count_fds();

		send_raw(s[0], fds, n, 10);
		assert_int_equal(fdpass_recv(s[1], buf, sizeof(buf), &got), -1);
		assert_int_equal(errno, EBADMSG);
		assert_int_equal(got, -1);
		assert_int_equal(count_fds(), before);
	}
}

static void
too_long_is_refused(void **state)
{
	int s[2], got, before;
	char buf[100];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	before = count_fds();
	send_raw(s[0], s, 1, 101);
	assert_int_equal(fdpass_recv(s[1], buf, sizeof(buf), &got), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(count_fds(), before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_comes_through),
		cmocka_unit_test(surplus_is_closed),
		cmocka_unit_test(too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
