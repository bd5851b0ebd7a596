#include "file_copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"

#define AT_ONCE ((size_t)1 << 20)

static bool
copy_bytes(int from, int to, uint64_t bytes)
{
	AUTO(mem_drop) uint8_t *buf = mem_calloc(AT_ONCE, 1);

	/* Only as many as there were: a file that grows has an end. */
	while (bytes > 0) {
		ssize_t n = read(from, buf, bytes < AT_ONCE ? (size_t)bytes : AT_ONCE);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		for (ssize_t at = 0, done; at < n; at += done) {
			done = write(to, buf + at, (size_t)(n - at));
			if (done == -1)
				return false;
		}
		bytes -= (uint64_t)n;
	}
	return true;
}

bool
file_copy(int from, int to, const char *name, uid_t owner, uid_t uid, char *err, size_t errsize)
{
	AUTO(fd_drop) int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	AUTO(fd_drop) int out = -1;
	struct stat st;

	if (in == -1 || fstat(in, &st) == -1) {
		(void)snprintf(err, errsize, "%s: %s", name, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != owner) {
		(void)snprintf(err, errsize, "%s: must be a file of uid %u", name, (unsigned)owner);
		return false;
	}
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out != -1 && fchmod(out, st.st_mode & 0700) == 0 && fchown(out, uid, uid) == 0 &&
	    copy_bytes(in, out, (uint64_t)st.st_size) && fsync(out) == 0 &&
	    (uid != owner || fchmod(out, st.st_mode & 0777) == 0))
		return true;
	(void)snprintf(err, errsize, "%s: cannot be copied: %s", name, strerror(errno));
	return false;
}

bool
directory_each(int directory, bool (*each)(void *ctx, const char *name), void *ctx)
{
	AUTO(fd_drop) int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd == -1 ? NULL : fdopendir(fd);
	bool on = d != NULL;

	if (d == NULL)
		return false;
	(void)fd_keep(&fd);
	while (on) {
		errno = 0;

		struct dirent *e = readdir(d);

		if (e == NULL)
			break;
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			on = each(ctx, e->d_name);
	}

	/* What could not be read is not the end. */
	bool whole = on && errno == 0;

	closedir(d);
	return whole;
}

bool
directory_sync(int directory)
{
	AUTO(fd_drop) int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd != -1 && fsync(fd) == 0;
}
