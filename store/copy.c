/*
 * Copies a database: see copy.h. The copy of data.mdb is the moment: a block was in its segment before the
 * catalogue named it, so whatever the copied catalogue names is in segments that are copied later. What came
 * into them since is named by nobody, and what a store finds there it writes over.
 */
#include "copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "history_parts.h"
#include "ipc/boot.h"
#include "ipc/errand.h"
#include "sandbox/sandbox.h"

#define DATA     "data.mdb"
#define ATTEMPTS 5 /* a segment can go while the catalogue that names it is copied */

struct copy {
	int told, here, to;
	struct segment_entry *segment;
	size_t n, cap;
	uint64_t count[ERRAND_COUNTS];
	char why[160];
};

enum outcome { COPIED, FAILED, AGAIN };

static void
tell(struct copy *c, enum errand_kind kind, const char *file, const char *text)
{
	struct errand_word w = { .kind = kind };

	str_copy(w.file, sizeof(w.file), file);
	str_copy(w.text, sizeof(w.text), text);
	memcpy(w.count, c->count, sizeof(w.count));
	if (write(c->told, &w, sizeof(w)) != (ssize_t)sizeof(w))
		fatal("copy: nobody listens");
}

static enum outcome
failed(struct copy *c, const char *file, const char *why)
{
	snprintf(c->why, sizeof(c->why), "%.40s: %.110s", file, why);
	return FAILED;
}

/* --- one file
 * -----------------------------------------------------------------------------------------------------------------
 */

static enum outcome
copy_open(struct copy *c, struct db *db, const char *name)
{
	AUTO(fd_drop) int fd = -1;
	enum db_status status;
	struct stat st;

	if (unlinkat(c->to, name, 0) == -1 && errno != ENOENT)
		return failed(c, name, strerror(errno));
	fd = openat(c->to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return failed(c, name, strerror(errno));
	if (!db_copy(db, fd, &status))
		return failed(c, name, status == DB_FULL ? strerror(ENOSPC) : "it cannot be copied");
	if (fsync(fd) == -1 || fstat(fd, &st) == -1)
		return failed(c, name, strerror(errno));
	c->count[ERRAND_BYTES] += (uint64_t)st.st_size;
	return COPIED;
}

static enum outcome
copy_data(struct copy *c)
{
	enum db_status status;
	char err[160] = "";
	struct db *db;
	enum outcome out;

	tell(c, ERRAND_AT, DATA, "");
	db = db_open_beside(&status, err, sizeof(err));
	if (db == NULL)
		return failed(c, DATA, err);
	out = copy_open(c, db, DATA);
	db_close(&db);
	return out;
}

static bool
is_there(int directory, const char *name)
{
	struct stat st;

	return fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What is damaged so far that it cannot be opened is not written either: a link to it is as good as a copy.
 */
static enum outcome
copy_file(struct copy *c, const char *name, bool linked)
{
	enum db_status status;
	char err[160] = "";
	struct db *db;
	enum outcome out;

	tell(c, ERRAND_AT, name, "");
	db = db_open_file(name, 0, DB_BESIDE, &status, err, sizeof(err));
	if (db != NULL) {
		out = copy_open(c, db, name);
		db_close(&db);
		return out;
	}
	if (!is_there(AT_FDCWD, name))
		return AGAIN;
	tell(c, ERRAND_NOTE, name, linked ? "it cannot be opened: the copy has it as it is" : err);
	return COPIED;
}

/* --- all of them
 * --------------------------------------------------------------------------------------------------------------
 */

/* The segments of the catalogue that was copied. */
static bool
list_segments(struct copy *c)
{
	enum db_status status = DB_IO;
	struct segment_entry e;
	struct db_txn x;
	char err[160] = "";
	struct db *db = fchdir(c->to) == 0 ? db_open_beside(&status, err, sizeof(err)) : NULL;

	if (fchdir(c->here) == -1 || db == NULL || !db_has(db, DB_SEGMENTS)) {
		failed(c, "the copy of " DATA, err[0] == '\0' ? "it cannot be read" : err);
		db_close(&db);
		return false;
	}
	c->n = 0;
	db_begin(db, &x, false);
	for (uint32_t n = 0; catalogue_segment(&x, n, &e); n = e.number + 1) {
		if (c->n == c->cap) {
			c->cap = c->cap == 0 ? 64 : c->cap * 2;
			c->segment = mem_reallocarray(c->segment, c->cap, sizeof(*c->segment));
		}
		c->segment[c->n++] = e;
		if (e.number == UINT32_MAX)
			break;
	}
	status = db_end(&x);
	db_close(&db);
	return status == DB_OK;
}

/* Whether store may be writing it: the last of its kind. */
static bool
may_grow(const struct copy *c, size_t i)
{
	for (size_t k = i + 1; k < c->n; k++)
		if (!c->segment[k].gone && !c->segment[k].left &&
		    c->segment[k].merged == c->segment[i].merged &&
		    c->segment[k].retention == c->segment[i].retention)
			return false;
	return !c->segment[i].left;
}

static enum outcome
copy_segments(struct copy *c)
{
	enum outcome out = COPIED;

	for (size_t i = 0; i < c->n && out == COPIED; i++) {
		char name[SEGMENT_NAME_LEN];

		if (c->segment[i].gone)
			continue;
		segments_name(c->segment[i].number, name);
		c->count[ERRAND_SEGMENTS]++;
		c->count[ERRAND_ROWS] += c->segment[i].rows;

		bool linked = is_there(c->to, name);

		if (!linked || may_grow(c, i))
			out = copy_file(c, name, linked);
	}
	return out;
}

static bool
is_named(const struct copy *c, uint32_t number)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->segment[i].number == number)
			return !c->segment[i].gone;
	return false;
}

/* Links to what the catalogue does not name: it came later, or went. */
static enum outcome
drop_others(struct copy *c)
{
	AUTO(fd_drop) int fd = openat(c->to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd == -1 ? NULL : fdopendir(fd);

	if (d == NULL)
		return failed(c, "the copy's directory", strerror(errno));

	int directory = fd_keep(&fd);

	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		uint32_t number = segments_number(e->d_name);

		if (number != 0 && !is_named(c, number))
			(void)unlinkat(c->to, e->d_name, 0);
	}

	bool good = fsync(directory) == 0;

	closedir(d);
	return good ? COPIED : failed(c, "the copy's directory", strerror(errno));
}

static enum outcome
copy_once(struct copy *c)
{
	enum outcome out;

	memset(c->count, 0, sizeof(c->count));
	out = copy_data(c);
	if (out != COPIED)
		return out;
	if (!list_segments(c))
		return FAILED;
	/* Behind data.mdb: the journal may be older than series.mdb is, but not newer. */
	if (is_there(AT_FDCWD, SERIES_FILE))
		out = copy_file(c, SERIES_FILE, false);
	if (out == COPIED)
		out = copy_segments(c);
	return out == COPIED ? drop_others(c) : out;
}

int
copy_database(int told, int to)
{
	struct copy c = { .told = told, .to = to, .here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	enum outcome out = c.here == -1 ? failed(&c, ".", strerror(errno)) : AGAIN;

	for (int i = 0; i < ATTEMPTS && out == AGAIN; i++)
		out = copy_once(&c);
	if (out == AGAIN)
		failed(&c, "segments", "they go faster than they can be copied");
	tell(&c, out == COPIED ? ERRAND_DONE : ERRAND_REFUSED, "", c.why);
	fd_drop(&c.here);
	free(c.segment);
	return out == COPIED ? EXIT_OK : EXIT_FAILED;
}

int
copy_errand(int told, int to)
{
	sandbox_enter(&sandbox_copy);
	return copy_database(told, to);
}
