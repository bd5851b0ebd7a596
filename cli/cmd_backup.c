/*
 * weir backup: everything that a Weir keeps, as of one moment, while it runs. weir-store and weir-authd copy
 * their own databases, as their users and behind a sandbox (ipc/errand.h); root links segments and copies its
 * own files, and looks into none of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "base/auto.h"
#include "base/mem.h"
#include "cmd.h"
#include "directories.h"
#include "errand.h"
#include "file_copy.h"
#include "ipc/boot.h"
#include "store_check.h"

struct backup {
	const char *path;
	const struct settings *settings;
	bool json, copies; /* copies: no links */
	int data, to;      /* directories */
	/* Of the part that is copied now. */
	int part, part_to;
	uid_t uid;
	unsigned links;
	struct store_check found;
};

static bool
fail(const struct backup *b, const char *what, const char *why)
{
	say("%s: %s: %s", b->path, what, why);
	return false;
}

/* The folder of a process, and one for its copy. */
static bool
open_part(struct backup *b, const char *name)
{
	struct stat st;

	fd_drop(&b->part);
	fd_drop(&b->part_to);
	b->part = openat(b->data, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (b->part == -1 || fstat(b->part, &st) == -1) {
		say("%s/%s: %s", b->settings->data_directory, name, strerror(errno));
		return false;
	}
	b->uid = st.st_uid;
	if (mkdirat(b->to, name, 0700) == -1 ||
	    fchownat(b->to, name, b->uid, b->uid, AT_SYMLINK_NOFOLLOW) == -1)
		return fail(b, name, strerror(errno));
	b->part_to = openat(b->to, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return b->part_to != -1 || fail(b, name, strerror(errno));
}

/* Where the file system does not have it, or what it links is no file of its owner's, weir-store copies. */
static bool
link_segment(void *ctx, const char *name)
{
	struct backup *b = ctx;
	struct stat st;

	if (!backup_has_segment(name))
		return true;
	if (linkat(b->part, name, b->part_to, name, 0) == -1)
		return true;
	if (fstatat(b->part_to, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == b->uid)
		b->links++;
	else
		(void)unlinkat(b->part_to, name, 0);
	return true;
}

static void
on_word(void *ctx, const struct errand_word *w)
{
	(void)ctx;
	say("%.40s: %.160s", w->file, w->text);
}

static bool
copy_part(struct backup *b, enum proc proc, struct errand *e)
{
	*e = (struct errand){ .proc = proc,
			      .flag = BOOT_COPY,
			      .uid = b->uid,
			      .directory = b->part,
			      .copy = b->part_to,
			      .settings = b->settings,
			      .word = on_word };
	return errand_run(e) || fail(b, proc_name(proc), e->refused);
}

static bool
back_up_store(struct backup *b)
{
	struct errand e;

	if (!open_part(b, "store"))
		return false;
	if (!b->copies)
		(void)directory_each(b->part, link_segment, b);
	if (!copy_part(b, PROC_STORE, &e))
		return false;
	if (!b->json)
		printf("store: %" PRIu64 " segments with %" PRIu64 " flows; %" PRIu64
		       " bytes were copied, the rest is linked\n",
		       e.count[ERRAND_SEGMENTS], e.count[ERRAND_ROWS], e.count[ERRAND_BYTES]);
	(void)store_check(b->part_to, b->settings, &b->found);
	return true;
}

static bool
back_up_authd(struct backup *b)
{
	struct errand e;

	if (!open_part(b, "authd") || !copy_part(b, PROC_AUTHD, &e))
		return false;
	if (!b->json)
		puts("authd: accounts, audit log and keys");
	return true;
}

/* --- root's own files */

struct files {
	struct backup *b;
	int from, to;
};

static bool
copy_own(void *ctx, const char *name)
{
	struct files *f = ctx;
	char err[400];

	if (!backup_has_of_launcher(name))
		return true;
	return file_copy(f->from, f->to, name, 0, 0, err, sizeof(err)) || fail(f->b, "copy", err);
}

static bool
back_up_own(struct backup *b)
{
	struct files own = { b, b->data, b->to }, tls = { b, -1, -1 };
	bool ok = directory_each(b->data, copy_own, &own);

	tls.from = openat(b->data, "tls", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tls.from != -1 && ok) {
		ok = mkdirat(b->to, "tls", 0700) == 0 &&
		     (tls.to = openat(b->to, "tls", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) != -1 &&
		     directory_each(tls.from, copy_own, &tls) && directory_sync(tls.to);
	}
	fd_drop(&tls.from);
	fd_drop(&tls.to);
	return ok || fail(b, "the launcher's files", "they could not all be copied");
}

static bool
put_mark(struct backup *b)
{
	AUTO(fd_drop) int fd = openat(b->to, BACKUP_MARK, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	static const char text[] = BACKUP_TEXT;

	return (fd != -1 && directory_sync(b->to) &&
		write(fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1 && fsync(fd) == 0 &&
		directory_sync(b->to)) ||
	       fail(b, BACKUP_MARK, strerror(errno));
}

/* --- all of it */

static bool
print_found(const struct backup *b)
{
	struct json_writer *w;
	const char *text;
	bool ok;

	if (!b->json) {
		store_check_print(&b->found);
		return true;
	}
	w = json_new(4u << 20);
	json_object(w, NULL);
	json_string(w, "backup", b->path);
	json_uint(w, "links", b->links);
	store_check_json(&b->found, w);
	json_object_end(w);
	text = json_text(w, NULL);
	ok = text != NULL && puts(text) >= 0;
	json_free(&w);
	return ok;
}

static bool
open_directories(struct backup *b)
{
	b->data = open(b->settings->data_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->data == -1) {
		say("%s: %s", b->settings->data_directory, strerror(errno));
		return false;
	}
	if (mkdir(b->path, 0700) == -1) {
		say("%s: %s", b->path,
		    errno == EEXIST ? "is there already: a backup makes its directory itself"
				    : strerror(errno));
		return false;
	}
	b->to = open(b->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return b->to != -1 || fail(b, "open", strerror(errno));
}

static int
back_up(struct backup *b)
{
	int status = WEIR_FAILED;

	if (!open_directories(b))
		return WEIR_FAILED;
	/* Accounts first: what they say of flows that come in between is older than these. */
	if (!back_up_own(b) || !back_up_authd(b) || !back_up_store(b) || !put_mark(b)) {
		say("%s: the backup is not whole and is removed", b->path);
		directory_remove(b->path);
	} else if (print_found(b)) {
		status = store_check_is_sound(&b->found) ? WEIR_OK : WEIR_DIFFERS;
	}
	store_check_free(&b->found);
	fd_drop(&b->data);
	fd_drop(&b->to);
	fd_drop(&b->part);
	fd_drop(&b->part_to);
	return fflush(stdout) == 0 ? status : WEIR_FAILED;
}

int
cmd_backup(int argc, char **argv)
{
	struct options o;
	struct settings s;
	struct backup b = { .settings = &s, .data = -1, .to = -1, .part = -1, .part_to = -1 };

	if (!options_parse(&o, TAKES_CONFIG | TAKES_JSON | TAKES_DATA | TAKES_FILES | TAKES_COPY, argc, argv))
		return WEIR_USAGE;
	if (o.files.n != 1) {
		say("backup: name the one directory that it is to make");
		return WEIR_USAGE;
	}
	if (!options_settings(&o, &s))
		return WEIR_FAILED;
	if (geteuid() != 0) {
		say("must be run as root (sudo): databases are copied as their owners, who only root can "
		    "become");
		return WEIR_FAILED;
	}
	b.path = o.files.name[0];
	b.json = o.json;
	b.copies = o.copy;
	return back_up(&b);
}
