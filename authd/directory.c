#include "directory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit.h"
#include "base/mem.h"

static const struct {
	const char *name;
	mode_t type, mode;
	bool must_exist;
} expected[] = {
	{ ".", S_IFDIR, 0700, true },
	{ ACCOUNTS_FILE, S_IFREG, 0600, false },
	{ ACCOUNTS_LOCK, S_IFREG, 0600, false },
	{ AUDIT_KEY_FILE, S_IFREG, 0600, false },
	{ AUDIT_TAIL_FILE, S_IFREG, 0600, false },
};

/* The path of a name in the working directory, for the person who reads the message. */
static void
path_of(const char *name, char *out, size_t size)
{
	char here[512];

	if (getcwd(here, sizeof(here)) == NULL)
		(void)str_copy(here, sizeof(here), "(unknown directory)");
	if (strcmp(name, ".") == 0)
		(void)str_copy(out, size, here);
	else
		(void)snprintf(out, size, "%s/%s", here, name);
}

bool
directory_judge(char *err, size_t size)
{
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		char path[600];
		struct stat st;

		path_of(expected[i].name, path, sizeof(path));
		if (lstat(expected[i].name, &st) == -1) {
			if (errno == ENOENT && !expected[i].must_exist)
				continue;
			(void)snprintf(err, size, "%s: %s", path, strerror(errno));
			return false;
		}
		if ((st.st_mode & S_IFMT) != expected[i].type) {
			(void)snprintf(err, size, "%s is no %s: move it away and start again", path,
				       expected[i].type == S_IFDIR ? "directory" : "regular file");
			return false;
		}
		if (st.st_uid != geteuid()) {
			(void)snprintf(err, size, "%s belongs to uid %u: run `chown %u %s` and start again",
				       path, (unsigned)st.st_uid, (unsigned)geteuid(), path);
			return false;
		}
		if ((st.st_mode & 07777) != expected[i].mode) {
			(void)snprintf(err, size, "%s has mode %04o: run `chmod %04o %s` and start again",
				       path, (unsigned)st.st_mode & 07777, (unsigned)expected[i].mode, path);
			return false;
		}
	}
	return true;
}
