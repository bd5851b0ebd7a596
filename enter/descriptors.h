/* The descriptors that a process starts with: collected one by one, then put where the boot document says. */
#ifndef WEIR_ENTER_DESCRIPTORS_H
#define WEIR_ENTER_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

#define DESCRIPTORS_MAX 16

struct descriptors {
	int fd[DESCRIPTORS_MAX]; /* fd[n] becomes descriptor n; -1: n is closed */
};

void descriptors_init(struct descriptors *d);
/* Takes fd, which is to be descriptor n (3 and up), and moves it out of the way of all places. It is closed
 * here where that fails: false with errno, EINVAL where there is no such place, EEXIST where it is taken. */
bool descriptors_take(struct descriptors *d, int32_t n, int fd);
/* Puts all of them into place. 0 and 1 become /dev/null, 2 stays, and everything else is closed by exec.
 * False with errno. */
bool descriptors_place(const struct descriptors *d);

#endif
