#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"

#define PATH_ROOM 512

static const char *
credential(const char *setting)
{
	const size_t n = strlen(SECRET_CREDENTIAL);

	return strncmp(setting, SECRET_CREDENTIAL, n) == 0 ? setting + n : NULL;
}

bool
secret_file_is_named(const char *setting)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	const char *name = credential(setting);

	if (name == NULL)
		return setting[0] == '\0' || setting[0] == '/';
	return name[0] != '\0' && name[0] != '.' && strspn(name, allowed) == strlen(name);
}

bool
secret_file_path(const char *setting, char *out, size_t size, char *err, size_t errsize)
{
	const char *name = credential(setting), *directory = getenv("CREDENTIALS_DIRECTORY");

	if (name == NULL) {
		if (str_copy(out, size, setting))
			return true;
	} else if (directory == NULL || directory[0] != '/') {
		(void)snprintf(
		    err, errsize,
		    "%s: no unit has handed over credentials: LoadCredential=%s:PATH in weir.service "
		    "does (`systemctl edit weir.service`)",
		    setting, name);
		return false;
	} else if ((size_t)snprintf(out, size, "%s/%s", directory, name) < size) {
		return true;
	}
	(void)snprintf(err, errsize, "%s: the path is too long", setting);
	return false;
}

bool
secret_file_is_closed(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == 0 && (st->st_mode & 077) == 0;
}

int
secret_file_open(const char *setting, const char *key, char *err, size_t errsize)
{
	char path[PATH_ROOM], why[256];
	struct stat st;
	AUTO(fd_drop) int fd = -1;

	if (!secret_file_path(setting, path, sizeof(path), why, sizeof(why))) {
		(void)snprintf(err, errsize, "%s: %s", key, why);
		return -1;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1 || fstat(fd, &st) == -1)
		(void)snprintf(err, errsize, "%s: %s: %s", key, path, strerror(errno));
	else if (!secret_file_is_closed(&st))
		(void)snprintf(
		    err, errsize,
		    "%s: %s: must be a file of root's that nobody else can read: chown root, chmod 600", key,
		    path);
	else
		return fd_keep(&fd);
	return -1;
}
