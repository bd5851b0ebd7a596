#include "master_file.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/boot.h"
#include "locked.h"

/* Locked as a whole: the text of the file is as secret as what it says. */
struct room {
	struct master_keys keys;
	char text[MASTER_FILE_MAX + 1];
};

/* Whoever had the descriptor before has moved where read would go on. */
static size_t
read_all(int fd, char *out, size_t size)
{
	ssize_t n = 0;
	size_t at = 0;

	while (at < size && (n = pread(fd, out + at, size - at, (off_t)at)) > 0)
		at += (size_t)n;
	if (n == -1)
		fatalx("authd.master_key: the file cannot be read: %s", strerror(errno));
	return at;
}

struct master_keys *
master_file_read(int fd)
{
	struct room *room = locked_pages(sizeof(*room));
	char why[160] = "it is longer than any file of master keys";
	size_t n = read_all(fd, room->text, sizeof(room->text));
	bool good = n <= MASTER_FILE_MAX && master_parse(room->text, n, &room->keys, why, sizeof(why));

	close(fd);
	sodium_memzero(room->text, sizeof(room->text));
	if (!good)
		fatal_status(EXIT_BAD_INPUT, "authd.master_key: %s", why);
	return &room->keys;
}

void
master_file_settle(struct master_keys *keys)
{
	for (uint32_t i = 1; keys != NULL && i < keys->n; i++)
		sodium_memzero(&keys->key[i], sizeof(keys->key[i]));
	if (keys != NULL)
		keys->n = 1;
}

void
master_file_forget(struct master_keys *keys)
{
	if (keys != NULL)
		sodium_memzero(keys, sizeof(*keys));
}
