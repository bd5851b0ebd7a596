#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"

#define ABOVE_ALL 64

void
descriptors_init(struct descriptors *d)
{
	for (int n = 0; n < DESCRIPTORS_MAX; n++)
		d->fd[n] = -1;
}

bool
descriptors_take(struct descriptors *d, int32_t n, int fd)
{
	AUTO(fd_drop) int own = fd;

	if (own == -1 || n <= STDERR_FILENO || n >= DESCRIPTORS_MAX) {
		errno = EINVAL;
		return false;
	}
	if (d->fd[n] != -1) {
		errno = EEXIST;
		return false;
	}
	d->fd[n] = fcntl(own, F_DUPFD_CLOEXEC, ABOVE_ALL);
	return d->fd[n] != -1;
}

bool
descriptors_place(const struct descriptors *d)
{
	AUTO(fd_drop) int opened = open("/dev/null", O_RDWR | O_CLOEXEC);
	AUTO(fd_drop) int null = opened == -1 ? -1 : fcntl(opened, F_DUPFD_CLOEXEC, ABOVE_ALL);

	fd_drop(&opened);
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 || dup2(null, STDOUT_FILENO) == -1)
		return false;
	for (int n = STDERR_FILENO + 1; n < DESCRIPTORS_MAX; n++) {
		if (d->fd[n] == -1)
			(void)close(n);
		else if (dup2(d->fd[n], n) == -1)
			return false;
	}
	/* EINVAL and ENOSYS of an old kernel leave the same result, since all are close-on-exec. */
	(void)syscall(SYS_close_range, DESCRIPTORS_MAX, ~0U, CLOSE_RANGE_CLOEXEC);
	return true;
}
