/* What a process writes to its standard error, passed on line by line. */
#ifndef WEIR_CLI_CHILD_LOG_H
#define WEIR_CLI_CHILD_LOG_H

#include <stddef.h>
#include <stdint.h>

#define CHILD_LINE_MAX         1024u
#define CHILD_LINES_PER_SECOND 100u

struct child_log {
	char name[32]; /* "weir-engine@0": put before lines that do not begin with it */
	char line[CHILD_LINE_MAX];
	size_t len;
	uint32_t cut;   /* 1: the rest of an overlong line is being left out */
	uint32_t lines; /* of this second */
	uint32_t left_out;
	int64_t second;
};

typedef void (*child_log_put)(void *ctx, const char *line);

/* Takes bytes as they came; put gets each whole line, escaped, at most 1 KiB of it, CHILD_LINES_PER_SECOND a
 * second. now_s: any clock. */
void child_log_take(struct child_log *l, const char *bytes, size_t n, int64_t now_s, child_log_put put,
		    void *ctx);
/* The process has ended: what is left without newline is a line too. */
void child_log_end(struct child_log *l, int64_t now_s, child_log_put put, void *ctx);

#endif
