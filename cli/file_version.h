/* What tells one version of a file from another. */
#ifndef WEIR_CLI_FILE_VERSION_H
#define WEIR_CLI_FILE_VERSION_H

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

struct file_version {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
};

static inline struct file_version
file_version_of(const struct stat *st)
{
	struct file_version v;

	memset(&v, 0, sizeof(v)); /* padding too: it is compared as bytes */
	v.device = st->st_dev;
	v.inode = st->st_ino;
	v.size = st->st_size;
	v.modified = st->st_mtim;
	return v;
}

static inline bool
file_version_same(const struct file_version *a, const struct file_version *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

#endif
