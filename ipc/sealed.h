/* A text that a peer hands over in memory that it can change no more. */
#ifndef WEIR_IPC_SEALED_H
#define WEIR_IPC_SEALED_H

#include <stddef.h>

/*
 * A copy of the len bytes (1 or more; the caller has bounded them) of a memfd, the caller's to free. NULL
 * where it is not sealed, has another size or cannot be read: nothing is allocated before that is known.
 */
char *sealed_read(int fd, size_t len);
/* The text in a new sealed memfd; -1 with errno. */
int sealed_write(const char *name, const char *text, size_t len);

#endif
