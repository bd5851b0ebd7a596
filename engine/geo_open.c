/* What stands in for open(2) and for sprintf where the linker was told --wrap. */
#include "geo_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The linker's names. */
int __real_open(const char *path, int flags,
		...); /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int __wrap_open(const char *path, int flags,
		...); /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int __wrap___sprintf_chk(char *out, int flag, size_t size, const char *format,
			 ...) /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
    __attribute__((format(printf, 4, 5)));

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

/* The library's own use of sprintf, with the room that the compiler saw: what does not fit ends the process.
 */
int
__wrap___sprintf_chk(char *out, int flag, size_t size, const char *format,
		     ...) /* NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
{
	const size_t room = size < INT_MAX ? size : INT_MAX;
	va_list more;
	int n;

	(void)flag;
	va_start(more, format);
	n = vsnprintf(out, room, format, more);
	va_end(more);
	if (n < 0 || (size_t)n >= room)
		abort();
	return n;
}
