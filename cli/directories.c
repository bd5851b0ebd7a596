#include "directories.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"

#define LEVELS_MAX 5 /* what Weir makes is never deeper */

int
directory_of_root(const char *path, const char *key, char *err, size_t errsize)
{
	AUTO(fd_drop) int fd = -1;
	struct stat st;

	if (mkdir(path, 0755) == -1 && errno != EEXIST) {
		(void)snprintf(err, errsize, "%s (%s): cannot be made: %s", path, key, strerror(errno));
		return -1;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		(void)snprintf(err, errsize, "%s (%s): %s", path, key, strerror(errno));
	else if (st.st_uid != 0)
		(void)snprintf(err, errsize,
			       "%s (%s): belongs to uid %u, not to root: `chown root %s`, or choose another",
			       path, key, st.st_uid, path);
	else if ((st.st_mode & 022) != 0)
		(void)snprintf(err, errsize, "%s (%s): others may write to it (mode %04o): `chmod go-w %s`",
			       path, key, st.st_mode & 07777u, path);
	else if ((st.st_mode & 0011) == 0 && fchmod(fd, (st.st_mode & 07777) | 0011) == -1)
		(void)snprintf(err, errsize, "%s (%s): cannot let the processes enter it: %s", path, key,
			       strerror(errno));
	else
		return fd_keep(&fd);
	return -1;
}

int
directory_of(int parent, const char *parent_path, const char *name, uid_t uid, char *err, size_t errsize)
{
	AUTO(fd_drop) int fd = -1;
	bool made = mkdirat(parent, name, 0700) == 0;
	struct stat st;

	if (!made && errno != EEXIST) {
		(void)snprintf(err, errsize, "%s/%s: cannot be made: %s", parent_path, name, strerror(errno));
		return -1;
	}
	/* A filter of the launcher's unit knows no chown: there is nothing to give to oneself. */
	if (made && uid != geteuid() && fchownat(parent, name, uid, uid, AT_SYMLINK_NOFOLLOW) == -1) {
		(void)snprintf(err, errsize, "%s/%s: cannot be given to uid %u: %s", parent_path, name, uid,
			       strerror(errno));
		return -1;
	}
	fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		(void)snprintf(err, errsize, "%s/%s: %s", parent_path, name, strerror(errno));
	else if (st.st_uid != uid)
		(void)snprintf(err, errsize,
			       "%s/%s: belongs to uid %u, must belong to %u: `chown -R %u:%u %s/%s` (or was "
			       "first_uid changed?)",
			       parent_path, name, st.st_uid, uid, uid, uid, parent_path, name);
	else if ((st.st_mode & 07777) != 0700)
		(void)snprintf(err, errsize, "%s/%s: has mode %04o, must have 0700: `chmod 0700 %s/%s`",
			       parent_path, name, st.st_mode & 07777u, parent_path, name);
	else
		return fd_keep(&fd);
	return -1;
}

int
directory_lock(int directory, int *taken)
{
	AUTO(fd_drop) int fd = openat(directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	*taken = 0;
	if (fd == -1)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd_keep(&fd);
	*taken = errno == EWOULDBLOCK;
	return -1;
}

struct level {
	DIR *entries;
	char name[NAME_MAX + 1]; /* in the level above */
};

static bool
descend(struct level *to, int parent, const char *name)
{
	AUTO(fd_drop) int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	to->entries = fd == -1 ? NULL : fdopendir(fd);
	if (to->entries == NULL)
		return false;
	(void)fd_keep(&fd);
	(void)str_copy(to->name, sizeof(to->name), name);
	return true;
}

void
directory_remove(const char *path)
{
	struct level level[LEVELS_MAX];
	unsigned n = descend(&level[0], AT_FDCWD, path) ? 1 : 0;

	while (n > 0) {
		struct level *here = &level[n - 1];
		const struct dirent *e = readdir(here->entries);

		if (e == NULL) {
			closedir(here->entries);
			n--;
			if (n > 0)
				(void)unlinkat(dirfd(level[n - 1].entries), here->name, AT_REMOVEDIR);
		} else if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
			   unlinkat(dirfd(here->entries), e->d_name, 0) == -1 &&
			   (errno == EISDIR || errno == EPERM) && n < LEVELS_MAX &&
			   descend(&level[n], dirfd(here->entries), e->d_name)) {
			n++;
		}
	}
	(void)rmdir(path);
}
