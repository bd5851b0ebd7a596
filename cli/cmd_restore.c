/*
 * weir restore: a backup becomes the data of a Weir that has none. It is copied beside first, checked there
 * as `weir store check` and `weir audit verify` do it, and then takes its place, a name at a time; where that
 * is interrupted, no Weir starts with it, and the next restore goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup.h"
#include "base/auto.h"
#include "base/mem.h"
#include "cmd.h"
#include "directories.h"
#include "file_copy.h"
#include "launcher.h"
#include "store_check.h"

struct restore {
	const char *path;
	const struct settings *settings;
	int from, data, lock, stage;
};

static bool
fail(const char *path, const char *name, const char *why)
{
	say("%s/%s: %s", path, name, why);
	return false;
}

/* --- what must be so before anything is done */

static bool
is_backup(const struct restore *r)
{
	AUTO(fd_drop) int fd = openat(r->from, BACKUP_MARK, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char text[sizeof(BACKUP_TEXT)] = "";

	if (fd != -1 && read(fd, text, sizeof(text)) == (ssize_t)sizeof(BACKUP_TEXT) - 1 &&
	    strcmp(text, BACKUP_TEXT) == 0)
		return true;
	say("%s: is no whole backup of this format (%s does not say so)", r->path, BACKUP_MARK);
	return false;
}

static bool
is_allowed(void *ctx, const char *name)
{
	const struct restore *r = ctx;

	if (strcmp(name, "lock") == 0 || backup_is_of_file_system(name))
		return true;
	say("%s: is not empty (%s is in it): move what is there away, or name another with --data",
	    r->settings->data_directory, name);
	return false;
}

static bool
open_all(struct restore *r)
{
	char err[512];
	int taken;

	r->from = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->from == -1) {
		say("%s: %s", r->path, strerror(errno));
		return false;
	}
	if (!is_backup(r))
		return false;
	r->data = directory_of_root(r->settings->data_directory, "data_directory", err, sizeof(err));
	if (r->data == -1) {
		say("%s", err);
		return false;
	}
	r->lock = directory_lock(r->data, &taken);
	if (r->lock == -1)
		return fail(r->settings->data_directory, "lock",
			    taken ? "a Weir runs with this directory: stop it first" : strerror(errno));
	return true;
}

/* --- copying */

struct part {
	const struct restore *r;
	int from, to;
	uid_t owner, uid;
	bool (*has)(const char *name);
	const char *what;
};

static bool
take_file(void *ctx, const char *name)
{
	const struct part *p = ctx;
	char err[400];

	if (!p->has(name))
		return true;
	return file_copy(p->from, p->to, name, p->owner, p->uid, err, sizeof(err)) ||
	       fail(p->r->path, p->what, err);
}

/* A folder of the backup into one of the stage that is uid's. */
static bool
take_part(const struct restore *r, const char *name, uid_t uid, bool (*has)(const char *name))
{
	AUTO(fd_drop) int from = openat(r->from, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO(fd_drop) int to = -1;
	char err[512], path[PATH_MAX];
	struct part p = { .r = r, .from = from, .uid = uid, .has = has, .what = name };
	struct stat st;

	(void)snprintf(path, sizeof(path), "%.4000s/%s", r->settings->data_directory, RESTORE_STAGE);
	if (from == -1 || fstat(from, &st) == -1)
		return fail(r->path, name, strerror(errno));
	to = directory_of(r->stage, path, name, uid, err, sizeof(err));
	if (to == -1)
		return fail(r->path, name, err);
	p.to = to;
	p.owner = st.st_uid;
	return directory_each(from, take_file, &p) && directory_sync(to);
}

static bool
has_any(const char *name)
{
	return name[0] != '.';
}

static bool
take_all(struct restore *r)
{
	const struct settings *s = r->settings;
	struct part own = { .r = r, .from = r->from, .has = backup_has_of_launcher, .what = "" };
	struct stat st;

	if (mkdirat(r->data, RESTORE_STAGE, 0700) == -1)
		return fail(s->data_directory, RESTORE_STAGE, strerror(errno));
	r->stage = openat(r->data, RESTORE_STAGE, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	own.to = r->stage;
	if (r->stage == -1 || !directory_each(r->from, take_file, &own))
		return false;
	if (fstatat(r->from, "tls", &st, AT_SYMLINK_NOFOLLOW) == 0 && !take_part(r, "tls", 0, has_any))
		return false;
	return take_part(r, "authd", plan_uid((uint32_t)s->first_uid, PROC_AUTHD), backup_has_of_authd) &&
	       take_part(r, "store", plan_uid((uint32_t)s->first_uid, PROC_STORE), backup_has_of_store) &&
	       directory_sync(r->stage);
}

/* --- checking */

static bool
check_store(const struct restore *r)
{
	AUTO(fd_drop) int store = openat(r->stage, "store", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct store_check c;
	bool sound;

	if (store == -1)
		return fail(r->path, "store", strerror(errno));
	(void)store_check(store, r->settings, &c);
	sound = store_check_is_sound(&c);
	store_check_print(&c);
	store_check_free(&c);
	if (!sound)
		say("%s: its traffic database is damaged: nothing was restored. What can be read of it still "
		    "can: "
		    "copy its folders by hand, and store leaves damaged blocks out",
		    r->path);
	return sound;
}

/* It becomes somebody else for good, so a process of its own does it. */
static bool
check_audit(const struct restore *r, const char *config)
{
	char stage[PATH_MAX];
	char *argv[] = { (char *)(uintptr_t) "verify",
			 (char *)(uintptr_t) "--data",
			 stage,
			 config == NULL ? NULL : (char *)(uintptr_t) "-c",
			 (char *)(uintptr_t)config,
			 NULL };
	int status = -1;
	pid_t pid;

	(void)snprintf(stage, sizeof(stage), "%.4000s/%s", r->settings->data_directory, RESTORE_STAGE);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		status = cmd_audit_verify(config == NULL ? 3 : 5, argv);
		_exit(fflush(stdout) == 0 ? status : WEIR_FAILED);
	}
	while (pid != -1 && waitpid(pid, &status, 0) == -1 && errno == EINTR) {
	}
	if (pid != -1 && WIFEXITED(status) && WEXITSTATUS(status) == WEIR_OK)
		return true;
	if (pid != -1 && WIFEXITED(status) && WEXITSTATUS(status) == WEIR_DIFFERS) {
		say("the audit log of the backup is not what the anchors tell of: it is older than they are, "
		    "or "
		    "was changed. It is restored as it is");
		return true;
	}
	say("%s: its accounts cannot be read: nothing was restored", r->path);
	return false;
}

/* --- taking the place */

static bool
move_one(void *ctx, const char *name)
{
	const struct restore *r = ctx;

	return name[0] == '.' || renameat(r->stage, name, r->data, name) == 0 ||
	       fail(r->settings->data_directory, name, strerror(errno));
}

static void
remove_stage(const struct restore *r)
{
	char stage[PATH_MAX];

	(void)snprintf(stage, sizeof(stage), "%.4000s/%s", r->settings->data_directory, RESTORE_STAGE);
	directory_remove(stage);
}

/* From here on it is not taken back. */
static bool
mark_checked(const struct restore *r)
{
	AUTO(fd_drop)
	int fd = openat(r->stage, RESTORE_CHECKED, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return (fd != -1 && directory_sync(r->stage)) ||
	       fail(r->settings->data_directory, RESTORE_STAGE "/" RESTORE_CHECKED, strerror(errno));
}

static bool
take_place(const struct restore *r)
{
	return directory_each(r->stage, move_one, (void *)(uintptr_t)r) && directory_sync(r->data);
}

/* What an earlier one left: true where it had checked all, and *done says whether it is in its place now.
 * What it had not is deleted. */
static bool
finish_earlier(struct restore *r, bool *done)
{
	struct stat st;

	r->stage = openat(r->data, RESTORE_STAGE, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r->stage == -1)
		return false;
	if (fstatat(r->stage, RESTORE_CHECKED, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		fd_drop(&r->stage);
		remove_stage(r);
		return false;
	}
	*done = take_place(r);
	if (*done) {
		remove_stage(r);
		printf("a restore of %s that was interrupted is finished; %s was not looked at\n",
		       r->settings->data_directory, r->path);
	}
	return true;
}

static int
restore(struct restore *r, const char *config)
{
	bool ok = false;

	if (!open_all(r))
		return WEIR_FAILED;
	if (!finish_earlier(r, &ok)) {
		if (!directory_each(r->data, is_allowed, r))
			return WEIR_FAILED;
		ok = take_all(r) && check_audit(r, config) && check_store(r) && mark_checked(r);
		if (!ok || take_place(r))
			remove_stage(r);
		else
			ok = false;
		if (ok)
			printf("%s is restored to %s\n", r->path, r->settings->data_directory);
	}
	return ok && fflush(stdout) == 0 ? WEIR_OK : WEIR_FAILED;
}

int
cmd_restore(int argc, char **argv)
{
	struct options o;
	struct settings s;
	struct restore r = { .settings = &s, .from = -1, .data = -1, .lock = -1, .stage = -1 };
	int status;

	if (!options_parse(&o, TAKES_CONFIG | TAKES_DATA | TAKES_FILES, argc, argv))
		return WEIR_USAGE;
	if (o.files.n != 1) {
		say("restore: name the directory of one backup");
		return WEIR_USAGE;
	}
	if (!options_settings(&o, &s))
		return WEIR_FAILED;
	if (geteuid() != 0) {
		say("must be run as root (sudo): each database gets the user that owns it");
		return WEIR_FAILED;
	}
	r.path = o.files.name[0];
	status = restore(&r, o.config);
	fd_drop(&r.from);
	fd_drop(&r.data);
	fd_drop(&r.lock);
	fd_drop(&r.stage);
	return status;
}
