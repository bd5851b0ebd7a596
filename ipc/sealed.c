#include "ipc/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

char *
sealed_read(int fd, size_t len)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals == -1 || (seals & SEALS) != SEALS || fstat(fd, &st) == -1 || st.st_size < 0 ||
	    (uint64_t)st.st_size != len)
		return NULL;

	AUTO(mem_drop) char *p = mem_calloc(len, 1);

	for (size_t at = 0; at < len;) {
		ssize_t n = pread(fd, p + at, len - at, (off_t)at);

		if (n <= 0 && !(n == -1 && errno == EINTR))
			return NULL;
		at += n > 0 ? (size_t)n : 0;
	}

	char *out = p;

	p = NULL;
	return out;
}

int
sealed_write(const char *name, const char *text, size_t len)
{
	AUTO(fd_drop) int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return -1;
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, text + at, len - at);

		if (n == -1 && errno != EINTR)
			return -1;
		at += n > 0 ? (size_t)n : 0;
	}
	if (fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) == -1)
		return -1;
	return fd_keep(&fd);
}
