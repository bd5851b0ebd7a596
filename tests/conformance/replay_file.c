/* Capture's reader of files, for replay_captures.c. */
#include <fcntl.h>
#include <stdio.h>

#include "file.h"
#include "replay.h"

struct file *
replay_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct file *s;
	char why[256];

	if (fd == -1) {
		perror(path);
		return NULL;
	}
	s = file_open(fd, why, sizeof(why));
	if (s == NULL)
		(void)fprintf(stderr, "%s: %s\n", path, why);
	return s;
}

int
replay_next(struct file *s, const char *path, struct replay_frame *f)
{
	struct frame got;

	switch (file_next(s, &got)) {
	case FILE_FRAME:
		*f = (struct replay_frame){ got.ts_ns, got.wire_len, got.cap_len, got.link_type, got.bytes };
		return 1;
	case FILE_END:
		return 0;
	case FILE_DAMAGED:
	default:
		(void)fprintf(stderr, "%s: %s\n", path, file_why(s));
		return -1;
	}
}

void
replay_close(struct file **s)
{
	file_free(s);
}
