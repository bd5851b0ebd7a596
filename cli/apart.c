#include "apart.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "listen.h"

#define APART_MODE 0710u

static bool
make(struct apart *a, gid_t group, char *err, size_t errsize)
{
	AUTO(fd_drop) int fd = -1;

	a->made = mkdir(a->directory, 0700) == 0;
	if (!a->made && errno == EEXIST)
		return true;
	if (a->made)
		fd = open(a->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd != -1 && fchown(fd, 0, group) == 0 && fchmod(fd, APART_MODE) == 0)
		return true;
	(void)snprintf(err, errsize, "%s: cannot be made for group %u: %s", a->directory, group,
		       strerror(errno));
	return false;
}

static bool
is_closed(const struct apart *a, gid_t group, char *err, size_t errsize)
{
	struct stat st;

	if (lstat(a->directory, &st) == -1)
		(void)snprintf(err, errsize, "%s: %s: `systemd-tmpfiles --create weir.conf` makes it",
			       a->directory, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		(void)snprintf(err, errsize, "%s: is no directory: remove it", a->directory);
	else if (st.st_uid != 0 || st.st_gid != group)
		(void)snprintf(err, errsize,
			       "%s: belongs to %u:%u, must belong to 0:%u: `chown 0:%u %s` (or was first_uid "
			       "changed?)",
			       a->directory, st.st_uid, st.st_gid, group, group, a->directory);
	else if ((st.st_mode & 07777) != APART_MODE)
		(void)snprintf(err, errsize, "%s: has mode %04o, must have %04o: `chmod %04o %s`",
			       a->directory, st.st_mode & 07777u, APART_MODE, APART_MODE, a->directory);
	else
		return true;
	return false;
}

int
apart_listen(struct apart *a, gid_t group, bool may_make, char *err, size_t errsize)
{
	if ((may_make && !make(a, group, err, errsize)) || !is_closed(a, group, err, errsize))
		return -1;
	return listen_unix(a->path, err, errsize);
}

void
apart_remove(struct apart *a)
{
	(void)unlink(a->path);
	if (a->made)
		(void)rmdir(a->directory);
	a->made = false;
}
