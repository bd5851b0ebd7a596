/* Ownership that ends with the scope: AUTO(fd_drop) int fd = open(...). */
#ifndef WEIR_BASE_AUTO_H
#define WEIR_BASE_AUTO_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define AUTO(fn) __attribute__((cleanup(fn)))

/* Closes *fd unless it is -1; errno survives, so it may run on an error path. */
static inline void
fd_drop(int *fd)
{
	int e = errno;

	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = e;
}

/* The only way ownership leaves an AUTO(fd_drop) variable. */
static inline int
fd_keep(int *fd)
{
	int f = *fd;

	*fd = -1;
	return f;
}

/* For AUTO(mem_drop) TYPE *p: frees what p points to. p is any pointer to malloc'd memory. */
static inline void
mem_drop(void *pp)
{
	void **p = pp;

	free(*p);
	*p = NULL;
}

static inline void
file_drop(FILE **f)
{
	if (*f != NULL)
		fclose(*f);
	*f = NULL;
}

#endif
