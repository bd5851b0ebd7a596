#include "copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "db.h"
#include "directory.h"
#include "ipc/boot.h"
#include "ipc/errand.h"
#include "sandbox/sandbox.h"

#define SMALL_MAX 4096u /* bytes of the audit log's key or tail */
#define ATTEMPTS  10    /* an epoch can end in between */

/* A small file: secret. */
struct small {
	uint8_t b[SMALL_MAX];
	size_t n;
};

static void
tell(int told, enum errand_kind kind, const char *file, const char *text)
{
	struct errand_word w = { .kind = kind };

	(void)str_copy(w.file, sizeof(w.file), file);
	(void)str_copy(w.text, sizeof(w.text), text);
	if (write(told, &w, sizeof(w)) != (ssize_t)sizeof(w))
		fatal("copy: nobody listens");
}

static bool
refuse(int told, const char *file, const char *why)
{
	char text[160];

	(void)snprintf(text, sizeof(text), "%.40s: %.110s", file, why);
	tell(told, ERRAND_REFUSED, file, text);
	return false;
}

/* A file that is not there is as an empty one. */
static bool
read_small(const char *name, struct small *s)
{
	AUTO(fd_drop) int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? 0 : read(fd, s->b, sizeof(s->b));

	s->n = n > 0 ? (size_t)n : 0;
	return fd == -1 ? errno == ENOENT : n >= 0 && (size_t)n < sizeof(s->b);
}

static int
make(int to, const char *name)
{
	if (unlinkat(to, name, 0) == -1 && errno != ENOENT)
		return -1;
	return openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static bool
write_small(int to, const char *name, const struct small *s)
{
	AUTO(fd_drop) int fd = make(to, name);

	return fd != -1 && write(fd, s->b, s->n) == (ssize_t)s->n && fsync(fd) == 0;
}

static bool
copy_database(int told, int to)
{
	AUTO(fd_drop) int fd = make(to, ACCOUNTS_FILE);
	struct db_error e = { .status = EXIT_FAILED };

	if (fd == -1)
		return refuse(told, ACCOUNTS_FILE, strerror(errno));
	return (db_copy(ACCOUNTS_FILE, fd, &e) && fsync(fd) == 0) ||
	       refuse(told, ACCOUNTS_FILE, e.text[0] == '\0' ? strerror(errno) : e.text);
}

static bool
same(const struct small *a, const struct small *b)
{
	return a->n == b->n && sodium_memcmp(a->b, b->b, a->n) == 0;
}

/*
 * The tail is never ahead of the log, so it is read first. The key is that of the log's last entry: where it
 * changed while the log was copied, both are copied again.
 */
static bool
copy_all(int told, int to)
{
	static struct small key, after, tail;
	bool whole = false;

	for (int i = 0; i < ATTEMPTS && !whole; i++) {
		if (!read_small(AUDIT_TAIL_FILE, &tail) || !read_small(AUDIT_KEY_FILE, &key))
			return refuse(told, AUDIT_KEY_FILE, "it cannot be read");
		tell(told, ERRAND_AT, ACCOUNTS_FILE, "");
		if (!copy_database(told, to))
			return false;
		whole = read_small(AUDIT_KEY_FILE, &after) && same(&key, &after);
	}
	if (!whole)
		return refuse(told, AUDIT_KEY_FILE, "it changes faster than the log can be copied");
	whole = write_small(to, AUDIT_KEY_FILE, &key) && write_small(to, AUDIT_TAIL_FILE, &tail);
	sodium_memzero(&key, sizeof(key));
	sodium_memzero(&after, sizeof(after));
	return whole || refuse(told, AUDIT_KEY_FILE, strerror(errno));
}

int
copy_accounts(int told, int to)
{
	if (!copy_all(told, to))
		return EXIT_FAILED;
	tell(told, ERRAND_DONE, "", "");
	return EXIT_OK;
}

int
copy_errand(int told, int to)
{
	sandbox_warm();
	sandbox_enter(&sandbox_copy);
	return copy_accounts(told, to);
}
