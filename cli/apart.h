/*
 * Sockets that one peer alone can reach, for a process that sees no uid but its own: by which of them
 * somebody comes says who it is. Each stands in a directory of the run directory, "store-0", that only root
 * and the group of that one process may pass (root:GROUP 0710); whom the kernel lets pass there, it decides
 * in connect(), by what the user really is.
 */
#ifndef WEIR_CLI_APART_H
#define WEIR_CLI_APART_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "ipc/boot.h"

struct child;

struct apart {
	const struct child *peer;
	char directory[BOOT_PATH_MAX];
	char path[BOOT_PATH_MAX]; /* of the socket */
	bool made;                /* the directory was missing, and was made here */
};

/* A listener (listen_unix()) at a->path for the one who has that group. Where may_make, its directory is made
 * if it is missing. One that is not as it must be is refused: -1 with a sentence in err. */
int apart_listen(struct apart *a, gid_t group, bool may_make, char *err, size_t errsize);
/* Removes the socket, and the directory where it was made here. */
void apart_remove(struct apart *a);

#endif
