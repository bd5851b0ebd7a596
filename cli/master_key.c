#include "master_key.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin_link.h"
#include "base/auto.h"
#include "base/clock.h"
#include "base/folder.h"
#include "base/json_read.h"
#include "base/mem.h"
#include "cmd.h"
#include "secret_file.h"
#include "vault/master.h"

#define PATH_ROOM   512
#define ANSWER_MAX  65536
#define SEAL_MS     60000 /* authd starts again and writes its database anew */
#define LOOK_US     200000
#define FILE_PREFIX "# Secrets of weir-authd at rest are sealed with this. Keep a copy, apart from backups.\n"

/* Locked: keys, and the file as text. */
struct room {
	struct master_keys keys;
	char text[MASTER_FILE_MAX + 1];
};

static struct room *
room_new(void)
{
	struct room *r = sodium_malloc(sizeof(*r));

	if (r == NULL)
		say("no locked memory for a key: %s", strerror(errno));
	else
		sodium_memzero(r, sizeof(*r));
	return r;
}

/* --- the file --- */

static bool
fail(const char *path)
{
	say("%s: %s", path, strerror(errno));
	return false;
}

/* A file that was not there; nothing is left of it where it cannot be written. */
static bool
write_new(const char *path, struct room *r)
{
	AUTO(fd_drop) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	const size_t head = sizeof(FILE_PREFIX) - 1;
	size_t n;
	bool good;

	if (fd == -1)
		return fail(path);
	memcpy(r->text, FILE_PREFIX, head);
	n = head + master_format(&r->keys, r->text + head, sizeof(r->text) - head);
	errno = ENOSPC;
	good = n > head && fchmod(fd, 0600) == 0 && write(fd, r->text, n) == (ssize_t)n && fsync(fd) == 0;
	sodium_memzero(r->text, sizeof(r->text));
	if (good)
		return true;
	(void)fail(path);
	(void)unlink(path);
	return false;
}

bool
master_key_make(const char *path)
{
	struct room *r = room_new();
	char id[MASTER_ID_TEXT];
	bool good;

	if (r == NULL)
		return false;
	r->keys.n = 1;
	master_draw(&r->keys.key[0]);
	good = write_new(path, r) && (folder_sync_of(path) || fail(path));
	if (good)
		say("%s: the master key %s. Keep a copy of the file apart from backups: without it nobody "
		    "logs in with a restored one",
		    path, master_id_text(&r->keys.key[0].id, id));
	sodium_free(r);
	return good;
}

static bool
read_file(const char *path, struct room *r)
{
	char err[1024];
	AUTO(fd_drop) int fd = secret_file_open(path, "authd.master_key", err, sizeof(err));
	ssize_t n;
	bool good;

	if (fd == -1) {
		say("%s", err);
		return false;
	}
	n = read(fd, r->text, sizeof(r->text));
	(void)str_copy(err, sizeof(err), n == -1 ? strerror(errno) : "it is too long");
	good = n >= 0 && n <= MASTER_FILE_MAX && master_parse(r->text, (size_t)n, &r->keys, err, sizeof(err));
	sodium_memzero(r->text, sizeof(r->text));
	if (!good)
		say("%s: %s", path, err);
	return good;
}

/* Puts another file in its place, all at once. */
static bool
write_file(const char *path, struct room *r)
{
	char new[PATH_ROOM];

	if ((size_t)snprintf(new, sizeof(new), "%s.new", path) >= sizeof(new)) {
		say("%s: the path is too long", path);
		return false;
	}
	if (unlink(new) == -1 && errno != ENOENT) /* of one that was cut short */
		return fail(new);
	if (!write_new(new, r))
		return false;
	if (rename(new, path) == 0)
		return folder_sync_of(path) || fail(path);
	(void)fail(new);
	(void)unlink(new);
	return false;
}

/* --- authd --- */

/* The answer to an operation, or NULL with a sentence in err. */
static struct json_doc *
ask(const struct settings *s, const char *body, char *err, size_t errsize)
{
	struct admin_outcome a = { .status = ADMIN_UNAVAILABLE };
	struct admin_link *link = admin_link_open(s->run_directory, err, errsize);
	char *text = link == NULL ? NULL : admin_link_ask(link, body, strlen(body), &a, err, errsize);
	struct json_doc *d = NULL;
	const char *detail;

	if (text != NULL)
		d = json_parse(text[0] == '\0' ? "{}" : text, text[0] == '\0' ? 2 : strlen(text), ANSWER_MAX,
			       err, errsize);
	if (d != NULL && a.status != ADMIN_OK) {
		detail = json_get_string(d, "detail");
		(void)str_copy(err, errsize, detail != NULL ? detail : "authd does not do it now");
		json_doc_free(&d);
	}
	free(text);
	admin_link_close(&link);
	return d;
}

/* Whether authd serves, and has everything sealed with this key. */
static bool
is_sealed_with(const struct settings *s, const struct master_id *id)
{
	char err[512], text[MASTER_ID_TEXT];
	struct json_doc *d = ask(s, "{\"op\":\"key.list\"}", err, sizeof(err));
	const struct json_node *keys = d == NULL ? NULL : json_node_member(json_root(d), "keys");
	bool found = false;

	(void)master_id_text(id, text);
	for (size_t i = 0; i < json_node_count(keys) && !found; i++) {
		const char *said = json_node_text(json_node_member(json_node_at(keys, i), "id"));

		found = said != NULL && strcmp(said, text) == 0;
	}
	json_doc_free(&d);
	return found;
}

static bool
wait_until_sealed(const struct settings *s, const struct master_id *id)
{
	int64_t until = clock_boot_ns() + SEAL_MS * NS_PER_MS;

	while (!is_sealed_with(s, id)) {
		if (clock_boot_ns() > until)
			return false;
		(void)usleep(LOOK_US);
	}
	return true;
}

/* --- another key --- */

/* In front of the one that is there, which goes on to open what it sealed. */
static bool
put_new_key(const char *path, struct room *r)
{
	if (r->keys.n == MASTER_KEYS) {
		say("%s has two keys already: goes on with what was begun", path);
		return true;
	}
	r->keys.key[1] = r->keys.key[0];
	r->keys.n = 2;
	master_draw(&r->keys.key[0]);
	return write_file(path, r);
}

static int
rotate(const struct settings *s, struct room *r)
{
	const char *path = s->master_key;
	char err[512], now[MASTER_ID_TEXT], before[MASTER_ID_TEXT];
	struct json_doc *d;

	if (!read_file(path, r) || !put_new_key(path, r))
		return WEIR_FAILED;
	(void)master_id_text(&r->keys.key[0].id, now);
	(void)master_id_text(&r->keys.key[1].id, before);
	d = ask(s, "{\"op\":\"key.rotate\",\"which\":\"master\"}", err, sizeof(err));
	if (d == NULL) {
		say("%s: %s has both keys, %s and %s: the next start seals everything with the first; then "
		    "do this again, for the other to go",
		    err, path, now, before);
		return WEIR_FAILED;
	}
	json_doc_free(&d);
	if (!wait_until_sealed(s, &r->keys.key[0].id)) {
		say("authd does not say that everything is sealed with %s: %s keeps both keys; its log says "
		    "why, then do this again",
		    now, path);
		return WEIR_FAILED;
	}
	r->keys.n = 1;
	sodium_memzero(&r->keys.key[1], sizeof(r->keys.key[1]));
	if (!write_file(path, r))
		return WEIR_FAILED;
	say("everything is sealed with %s; what was sealed with %s (backups) needs the former file", now,
	    before);
	return WEIR_OK;
}

int
master_rotate(const struct settings *s)
{
	struct room *r;
	int status;

	if (s->master_key[0] == '\0') {
		say("authd.master_key names no file: `weir key new FILE` makes one, and the next start seals "
		    "with it");
		return WEIR_FAILED;
	}
	if (s->master_key[0] != '/') {
		say("authd.master_key is a credential, which only its owner can change: put a new key (`weir "
		    "key new FILE`) in front of the one in it and restart Weir, which seals everything anew; "
		    "then take the former key out");
		return WEIR_FAILED;
	}
	if (sodium_init() == -1) {
		say("libsodium cannot be used");
		return WEIR_FAILED;
	}
	r = room_new();
	if (r == NULL)
		return WEIR_FAILED;
	status = rotate(s, r);
	sodium_free(r);
	return status;
}
