#include "anchor_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"

#define WORD "weir-audit-anchor"

char *
anchor_file_read(const char *path, size_t *len, char err[static 400])
{
	AUTO(fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *text;
	size_t got = 0;
	ssize_t n = 1;

	if (fd == -1 || fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size > ANCHOR_FILE_MAX) {
		(void)snprintf(err, 400, "%s: %s", path,
			       fd == -1               ? strerror(errno)
			       : !S_ISREG(st.st_mode) ? "is no file"
						      : "is too long to be a file of anchors");
		return NULL;
	}
	text = mem_calloc((size_t)st.st_size + 1, 1);
	while (n > 0 && got < (size_t)st.st_size) {
		n = read(fd, text + got, (size_t)st.st_size - got);
		got += n > 0 ? (size_t)n : 0;
	}
	if (n == -1) {
		(void)snprintf(err, 400, "%s: %s", path, strerror(errno));
		free(text);
		return NULL;
	}
	*len = got;
	return text;
}

static void
add(struct anchor_files *a, const struct kept_anchor *k)
{
	if (a->n == a->room) {
		a->room = a->room == 0 ? 64 : 2 * a->room;
		a->kept = mem_reallocarray(a->kept, a->room, sizeof(a->kept[0]));
	}
	a->kept[a->n++] = *k;
}

void
anchor_files_take(struct anchor_files *a, const char *file, const char *text, size_t len)
{
	const char *end = text + len;

	for (uint64_t line = 1; text < end; line++) {
		const char *feed = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((feed == NULL ? end : feed) - text);
		struct kept_anchor k = { .file = file, .line = line };

		while (n > 0 && (text[n - 1] == '\r' || text[n - 1] == '\0'))
			n--;
		if (audit_anchor_parse(text, n, &k.anchor)) {
			add(a, &k);
		} else if (memmem(text, n, WORD, strlen(WORD)) != NULL && a->broken++ == 0) {
			a->broken_file = file;
			a->broken_line = line;
		}
		text = feed == NULL ? end : feed + 1;
	}
}

static int
by_sequence(const void *a, const void *b)
{
	const struct kept_anchor *x = a, *y = b;

	return x->anchor.sequence < y->anchor.sequence ? -1 : x->anchor.sequence > y->anchor.sequence;
}

void
anchor_files_sort(struct anchor_files *a)
{
	if (a->n > 0)
		qsort(a->kept, a->n, sizeof(a->kept[0]), by_sequence);
}

void
anchor_files_free(struct anchor_files *a)
{
	free(a->kept);
	memset(a, 0, sizeof(*a));
}
