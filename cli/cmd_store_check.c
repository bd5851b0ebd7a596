/*
 * weir store check: whether the traffic database is what store wrote, every byte of it. weir-store itself
 * looks, in a process of its own that can do nothing else; the one that runs goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "cmd.h"
#include "store_check.h"

/* The directory itself, or where it is a data directory or a backup, the store's part of it. */
static int
open_directory(const char *path)
{
	AUTO(fd_drop) int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd == -1) {
		say("%s: %s", path, strerror(errno));
		return -1;
	}
	if (fstatat(fd, "data.mdb", &st, AT_SYMLINK_NOFOLLOW) == 0)
		return fd_keep(&fd);

	int store = openat(fd, "store", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (store == -1)
		say("%s: neither data.mdb nor a folder `store` is in it", path);
	return store;
}

static bool
print_json(const struct store_check *c)
{
	struct json_writer *w = json_new(4u << 20);
	const char *text;
	bool ok;

	json_object(w, NULL);
	store_check_json(c, w);
	json_object_end(w);
	text = json_text(w, NULL);
	ok = text != NULL && puts(text) >= 0;
	json_free(&w);
	return ok;
}

int
cmd_store_check(int argc, char **argv)
{
	struct options o;
	struct settings s;
	struct store_check c;
	bool ok = true, sound;

	if (!options_parse(&o, TAKES_CONFIG | TAKES_JSON | TAKES_DATA | TAKES_FILES, argc, argv) ||
	    o.files.n > 1) {
		if (o.files.n > 1)
			say("store check: takes one directory");
		return WEIR_USAGE;
	}
	if (!options_settings(&o, &s))
		return WEIR_FAILED;
	if (geteuid() != 0) {
		say("must be run as root (sudo): the database is read as its owner, who only root can "
		    "become");
		return WEIR_FAILED;
	}

	AUTO(fd_drop) int directory = open_directory(o.files.n == 1 ? o.files.name[0] : s.data_directory);

	if (directory == -1)
		return WEIR_FAILED;
	(void)store_check(directory, &s, &c);
	sound = store_check_is_sound(&c);
	if (o.json)
		ok = print_json(&c);
	else
		store_check_print(&c);
	store_check_free(&c);
	return !ok || fflush(stdout) != 0 ? WEIR_FAILED : sound ? WEIR_OK : WEIR_DIFFERS;
}
