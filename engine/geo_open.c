/* What stands in for open(2) where the linker was told --wrap=open. */
#include "geo_open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

/* The linker's names. */
int __real_open(const char *path, int flags,
		...); /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int __wrap_open(const char *path, int flags,
		...); /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static int next = -1;

void
geo_open_next(int fd)
{
	next = fd;
}

int
__wrap_open(const char *path, int flags,
	    ...) /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
{
	int fd = next;
	int mode = 0;
	va_list more;

	if (strcmp(path, GEO_OPEN_NAME) == 0) {
		next = -1;
		if (fd == -1)
			errno = ENOENT;
		return fd;
	}
	if ((flags & (O_CREAT | __O_TMPFILE)) != 0) {
		va_start(more, flags);
		mode = va_arg(more, int);
		va_end(more);
	}
	return __real_open(path, flags, mode);
}
