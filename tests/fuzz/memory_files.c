/*
 * Memory files (memfd_create) in place of the kernel's, for targets that hand over so many of them that the
 * kernel's work would be nearly all of theirs. The linker puts these functions in place of the C library's
 * (--wrap, cmake/WeirTargets.cmake); what is no memory file goes on to those. What is mapped lies between the
 * sanitizer's red zones, and once it is unmapped nobody may touch it (of a ring, its beginning). Replays by
 * ctest have the kernel's.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define FILES_MAX   256u      /* at a time, and descriptors: whoever has more has lost some */
#define FD_FIRST    (1 << 20) /* no descriptor of the kernel's is so high */
#define PAGE        4096u
#define LARGE_BYTES (256u << 10) /* memory of this size is kept for another file */
#define KEPT_MAX    32u
#define WATCHED     65536u /* bytes at its beginning that nobody may touch meanwhile */

#define WRITE_SEALS (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

struct file {
	char name[32];
	uint8_t *bytes; /* `size` of them, and nothing behind */
	size_t size;
	size_t written; /* by write and pwrite: none lies behind */
	off_t at;
	int seals;
	unsigned descriptors, maps;
	bool writable; /* it was mapped so */
};

/* Memory of a large file that is gone. It is all 0; but where its owner had mapped it to write, only the
 * first page is. That is a ring's, whose owner reads nothing that it has not written before, and nobody else
 * reads it here. So each name has memory of its own. */
struct kept {
	char name[32];
	uint8_t *bytes;
	size_t size;
};

static struct file file[FILES_MAX];
static struct file *of_descriptor[FILES_MAX]; /* NULL: there is no such descriptor */
static struct kept kept[KEPT_MAX];
static unsigned nkept;

/* The linker's names. NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int __real_close(int fd);
int __real_dup(int fd);
int __real_fcntl(int fd, int cmd, long arg);
int __real_fstat(int fd, struct stat *st);
int __real_ftruncate(int fd, off_t len);
void *__real_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset);
int __real_munmap(void *p, size_t len);
ssize_t __real_pread(int fd, void *out, size_t len, off_t at);
ssize_t __real_pwrite(int fd, const void *bytes, size_t len, off_t at);
ssize_t __real_write(int fd, const void *bytes, size_t len);
int __wrap_memfd_create(const char *name, unsigned flags);
int __wrap_close(int fd);
int __wrap_dup(int fd);
int __wrap_fcntl(int fd, int cmd, long arg);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_ftruncate(int fd, off_t len);
void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset);
int __wrap_munmap(void *p, size_t len);
ssize_t __wrap_pread(int fd, void *out, size_t len, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t len, off_t at);
ssize_t __wrap_write(int fd, const void *bytes, size_t len);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

/* --- memory
 * ---------------------------------------------------------------------------------------------------------
 */

static uint8_t *
take_memory(const char *name, size_t size)
{
	void *p = NULL;

	for (unsigned i = 0; size >= LARGE_BYTES && i < nkept; i++) {
		if (kept[i].size != size || strcmp(kept[i].name, name) != 0)
			continue;
		p = kept[i].bytes;
		kept[i] = kept[--nkept];
		ASAN_UNPOISON_MEMORY_REGION(p, WATCHED);
		return p;
	}
	if (posix_memalign(&p, PAGE, size) != 0)
		abort();
	memset(p, 0, size);
	return p;
}

static void
give_memory(struct file *f)
{
	size_t used = f->writable && f->written < PAGE ? PAGE : f->written;

	if (f->size < LARGE_BYTES || nkept == KEPT_MAX) {
		free(f->bytes);
		return;
	}
	memset(f->bytes, 0, used < f->size ? used : f->size);
	(void)str_copy(kept[nkept].name, sizeof(kept[nkept].name), f->name);
	kept[nkept].bytes = f->bytes;
	kept[nkept++].size = f->size;
	ASAN_POISON_MEMORY_REGION(f->bytes, WATCHED);
}

static void
forget(struct file *f)
{
	if (f->descriptors > 0 || f->maps > 0)
		return;
	if (f->bytes != NULL)
		give_memory(f);
	memset(f, 0, sizeof(*f));
}

/* --- descriptors
 * ----------------------------------------------------------------------------------------------------
 */

static struct file *
file_of(int fd)
{
	return fd >= FD_FIRST && fd < FD_FIRST + (int)FILES_MAX ? of_descriptor[fd - FD_FIRST] : NULL;
}

static int
add_descriptor(struct file *f)
{
	for (unsigned i = 0; i < FILES_MAX; i++) {
		if (of_descriptor[i] != NULL)
			continue;
		of_descriptor[i] = f;
		f->descriptors++;
		return FD_FIRST + (int)i;
	}
	abort();
}

int
__wrap_memfd_create(const char *name, unsigned flags)
{
	for (unsigned i = 0; i < FILES_MAX; i++) {
		struct file *f = &file[i];

		if (f->descriptors > 0 || f->maps > 0)
			continue;
		(void)str_copy(f->name, sizeof(f->name), name);
		f->seals = (flags & MFD_ALLOW_SEALING) != 0 ? 0 : F_SEAL_SEAL;
		return add_descriptor(f);
	}
	abort();
}

int
__wrap_close(int fd)
{
	struct file *f = file_of(fd);

	if (f == NULL)
		return __real_close(fd);
	of_descriptor[fd - FD_FIRST] = NULL;
	f->descriptors--;
	forget(f);
	return 0;
}

int
__wrap_dup(int fd)
{
	struct file *f = file_of(fd);

	return f == NULL ? __real_dup(fd) : add_descriptor(f);
}

static int
add_seals(struct file *f, int seals)
{
	if ((f->seals & F_SEAL_SEAL) != 0 || ((seals & F_SEAL_WRITE) != 0 && f->writable && f->maps > 0)) {
		errno = (f->seals & F_SEAL_SEAL) != 0 ? EPERM : EBUSY;
		return -1;
	}
	f->seals |= seals;
	return 0;
}

int
__wrap_fcntl(int fd, int cmd, long arg)
{
	struct file *f = file_of(fd);

	if (f == NULL)
		return __real_fcntl(fd, cmd, arg);
	switch (cmd) {
	case F_ADD_SEALS:
		return add_seals(f, (int)arg);
	case F_GET_SEALS:
		return f->seals;
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return add_descriptor(f);
	default:
		abort(); /* nobody does this to one */
	}
}

/* --- content
 * --------------------------------------------------------------------------------------------------------
 */

int
__wrap_fstat(int fd, struct stat *st)
{
	const struct file *f = file_of(fd);

	if (f == NULL)
		return __real_fstat(fd, st);
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFREG | 0600;
	st->st_size = (off_t)f->size;
	return 0;
}

static bool
resize(struct file *f, size_t size)
{
	uint8_t *bytes;

	if ((size < f->size && (f->seals & F_SEAL_SHRINK) != 0) ||
	    (size > f->size && (f->seals & F_SEAL_GROW) != 0)) {
		errno = EPERM;
		return false;
	}
	assert(f->maps == 0); /* nobody changes what is mapped */
	if (size == f->size)
		return true;
	bytes = size == 0 ? NULL : take_memory(f->name, size);
	if (f->bytes != NULL && bytes != NULL)
		memcpy(bytes, f->bytes, size < f->size ? size : f->size);
	if (f->bytes != NULL)
		give_memory(f);
	f->bytes = bytes;
	f->size = size;
	f->written = f->written < size ? f->written : size;
	return true;
}

int
__wrap_ftruncate(int fd, off_t len)
{
	struct file *f = file_of(fd);

	if (f == NULL)
		return __real_ftruncate(fd, len);
	return resize(f, (size_t)len) ? 0 : -1;
}

ssize_t
__wrap_pread(int fd, void *out, size_t len, off_t at)
{
	const struct file *f = file_of(fd);

	if (f == NULL)
		return __real_pread(fd, out, len, at);
	if (at < 0 || (size_t)at >= f->size || len == 0)
		return 0;
	len = len < f->size - (size_t)at ? len : f->size - (size_t)at;
	memcpy(out, f->bytes + at, len);
	return (ssize_t)len;
}

ssize_t
__wrap_pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	struct file *f = file_of(fd);
	size_t end = (size_t)at + len;

	if (f == NULL)
		return __real_pwrite(fd, bytes, len, at);
	if (len == 0)
		return 0;
	if ((f->seals & WRITE_SEALS) != 0) {
		errno = EPERM;
		return -1;
	}
	if (end > f->size && !resize(f, end))
		return -1;
	memcpy(f->bytes + at, bytes, len);
	f->written = end > f->written ? end : f->written;
	return (ssize_t)len;
}

ssize_t
__wrap_write(int fd, const void *bytes, size_t len)
{
	struct file *f = file_of(fd);
	ssize_t n;

	if (f == NULL)
		return __real_write(fd, bytes, len);
	n = __wrap_pwrite(fd, bytes, len, f->at);
	f->at += n > 0 ? n : 0;
	return n;
}

/* --- maps
 * -----------------------------------------------------------------------------------------------------------
 */

void *
__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	struct file *f = file_of(fd);

	if (f == NULL)
		return __real_mmap(at, len, prot, flags, fd, offset);
	assert(offset == 0 && len == f->size && len > 0 && (flags & MAP_SHARED) != 0); /* as everybody does */
	if ((prot & PROT_WRITE) != 0 && (f->seals & WRITE_SEALS) != 0) {
		errno = EPERM;
		return MAP_FAILED;
	}
	f->writable |= (prot & PROT_WRITE) != 0;
	f->maps++;
	return f->bytes;
}

int
__wrap_munmap(void *p, size_t len)
{
	for (unsigned i = 0; i < FILES_MAX; i++) {
		struct file *f = &file[i];

		if (f->maps == 0 || f->bytes != p)
			continue;
		assert(len == f->size);
		f->maps--;
		forget(f);
		return 0;
	}
	return __real_munmap(p, len);
}
