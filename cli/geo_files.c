/* Copies of files in sealed memory. */
#include "geo_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

/* Once for each state: a file that is missing is missing at every look. */
static void
tell(struct geo_file *f, const char *why)
{
	if (!f->told)
		log_warn("geoip_files: %s: %s%s", f->path, why,
			 f->memory != -1 ? "; what was read before stays" : "");
	f->told = true;
}

/* All of in, which has size bytes, as sealed memory; -1 with errno. */
static int
copy(int in, off_t size)
{
	AUTO(fd_drop) int out = memfd_create("geo", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	off_t left = size;

	while (out != -1 && left > 0) {
		ssize_t n = sendfile(out, in, NULL, (size_t)left);

		if (n > 0)
			left -= n;
		else if (n == 0 || errno != EINTR)
			break;
	}
	if (out == -1 || left > 0 || fcntl(out, F_ADD_SEALS, SEALS) == -1)
		return -1;
	return fd_keep(&out);
}

static bool
take(struct geo_file *f)
{
	AUTO(fd_drop) int in = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat before, after;
	int memory;

	if (in == -1 || fstat(in, &before) == -1) {
		tell(f, strerror(errno));
		return false;
	}
	if (!S_ISREG(before.st_mode) || before.st_size == 0 || before.st_size > BOOT_GEO_FILE_MAX) {
		tell(f, "is no file, empty, or too large");
		return false;
	}
	memory = copy(in, before.st_size);
	if (memory == -1) {
		tell(f, "cannot be copied");
		return false;
	}
	f->taken = file_version_of(&before);
	/* Somebody writes to it: another look will tell. */
	if (fstat(in, &after) == -1 || after.st_size != before.st_size) {
		fd_drop(&memory);
		return false;
	}
	fd_drop(&f->memory);
	f->memory = memory;
	f->told = false;
	return true;
}

void
geo_files_open(struct geo_files *g, const struct settings *s)
{
	for (g->n = 0; g->n < s->geoip_files.n && g->n < BOOT_GEO_FILES; g->n++) {
		struct geo_file *f = &g->file[g->n];

		memset(f, 0, sizeof(*f));
		f->path = s->geoip_files.item[g->n];
		f->memory = -1;
		(void)take(f);
		f->seen = f->taken;
	}
}

void
geo_files_close(struct geo_files *g)
{
	for (unsigned i = 0; i < g->n; i++)
		fd_drop(&g->file[i].memory);
}

bool
geo_files_look(struct geo_files *g, unsigned i)
{
	struct geo_file *f = &g->file[i];
	struct file_version now;
	struct stat st;
	bool still;

	if (stat(f->path, &st) == -1) {
		tell(f, strerror(errno));
		return false;
	}
	now = file_version_of(&st);
	still = file_version_same(&now, &f->seen);
	f->seen = now;
	return still && !file_version_same(&now, &f->taken) && take(f);
}
