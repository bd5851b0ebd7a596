#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define LINE_MAX_BYTES 1024

static char process[32] = "weir";
static enum log_level most = LOG_LEVEL_INFO;

void
log_init(const char *name, enum log_level level)
{
	str_copy(process, sizeof(process), name);
	most = level;
}

/* Appends text with control bytes as \xNN; always leaves room for the newline. */
static size_t
escape(char *out, size_t at, size_t size, const char *text)
{
	static const char hex[] = "0123456789abcdef";

	for (const unsigned char *p = (const unsigned char *)text; *p != '\0' && at + 5 < size; p++) {
		if (*p >= 0x20 && *p != 0x7f) {
			out[at++] = (char)*p;
			continue;
		}
		out[at++] = '\\';
		out[at++] = 'x';
		out[at++] = hex[*p >> 4];
		out[at++] = hex[*p & 15];
	}
	return at;
}

/* One write a line: lines of several threads do not mix. What cannot be written is lost: there is no better
 * place to say so. */
__attribute__((format(printf, 2, 0))) static void
put(enum log_level level, const char *fmt, va_list ap, int with_errno)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };
	int error = errno;
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
	size_t at;

	if (level > most)
		return;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	(void)snprintf(line, sizeof(line), "%s: %s: ", process, names[level]);
	at = escape(line, strlen(line), sizeof(line), text);
	if (with_errno) {
		char why[128];

		at = escape(line, at, sizeof(line), ": ");
		at = escape(line, at, sizeof(line), strerror_r(error, why, sizeof(why)));
	}
	line[at++] = '\n';
	if (write(STDERR_FILENO, line, at) == -1) {
		/* nowhere to say it */
	}
	errno = error;
}

#define PUT(level, with_errno)                                                                               \
	do {                                                                                                 \
		va_list ap;                                                                                  \
		va_start(ap, fmt);                                                                           \
		put(level, fmt, ap, with_errno);                                                             \
		va_end(ap);                                                                                  \
	} while (0)

void
log_error(const char *fmt, ...)
{
	PUT(LOG_LEVEL_ERROR, 0);
}

void
log_warn(const char *fmt, ...)
{
	PUT(LOG_LEVEL_WARN, 0);
}

void
log_info(const char *fmt, ...)
{
	PUT(LOG_LEVEL_INFO, 0);
}

void
log_debug(const char *fmt, ...)
{
	PUT(LOG_LEVEL_DEBUG, 0);
}

void
log_warn_limited(struct log_limit *state, const char *fmt, ...)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	if (state->last_s == (long long)t.tv_sec + 1) {
		state->left_out++;
		return;
	}
	if (state->left_out > 0)
		log_warn("%u messages of the following kind left out", state->left_out);
	state->left_out = 0;
	state->last_s = (long long)t.tv_sec + 1;
	PUT(LOG_LEVEL_WARN, 0);
}

void
fatal(const char *fmt, ...)
{
	PUT(LOG_LEVEL_ERROR, 1);
	_exit(1);
}

void
fatalx(const char *fmt, ...)
{
	PUT(LOG_LEVEL_ERROR, 0);
	_exit(1);
}

void
fatal_status(int status, const char *fmt, ...)
{
	PUT(LOG_LEVEL_ERROR, 0);
	_exit(status);
}
