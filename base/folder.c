#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auto.h"

#define PATH_ROOM 4096

bool
folder_sync_of(const char *path)
{
	char folder[PATH_ROOM] = ".";
	const char *slash = strrchr(path, '/');
	AUTO(fd_drop) int fd = -1;

	if (slash != NULL && slash - path >= PATH_ROOM - 1) {
		errno = ENAMETOOLONG;
		return false;
	}
	if (slash != NULL)
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path + 1), path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd != -1 && fsync(fd) == 0;
}
