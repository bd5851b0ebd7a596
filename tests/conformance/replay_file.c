/* Capture's reader of files, for replay_captures.c. */
#include <stdio.h>

#include "lane.h"
#include "replay.h"
#include "source.h"

struct source *
replay_open(const char *path, uint32_t *link_type)
{
	FILE *f = fopen(path, "re");
	struct source *s;
	char why[256];

	if (f == NULL) {
		perror(path);
		return NULL;
	}
	s = source_open_file(f, why, sizeof(why));
	if (s == NULL)
		(void)fprintf(stderr, "%s: %s\n", path, why);
	else
		*link_type = source_link_type(s);
	return s;
}

int
replay_next(struct source *s, const char *path, struct replay_frame *f)
{
	struct frame got;

	switch (source_next(s, &got)) {
	case SOURCE_FRAME:
		*f = (struct replay_frame){ got.ts_ns, got.wire_len, got.cap_len, got.bytes };
		return 1;
	case SOURCE_END:
		return 0;
	case SOURCE_DAMAGED:
	default:
		(void)fprintf(stderr, "%s: %s\n", path, source_why(s));
		return -1;
	}
}

void
replay_close(struct source **s)
{
	source_free(s);
}
