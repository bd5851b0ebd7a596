/*
 * One line a message on standard error: level, process, text. What a stranger sent may be in the
 * text: control bytes are written as \xNN. No secret is ever passed to these.
 */
#ifndef WEIR_BASE_LOG_H
#define WEIR_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Names the process in each line, as in "weir-engine@0". Copies name (at most 31 bytes). */
void log_init(const char *name, enum log_level level);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A message that a hostile peer could cause again and again: at most one a second for each *state, which
 * starts at 0; what was left out is said with the next line. Not for use by two threads on one state. */
struct log_limit {
	long long last_s;
	unsigned left_out;
};
void log_warn_limited(struct log_limit *state, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Says why (fatal adds strerror(errno)) and exits with status 1, running no atexit handler. */
_Noreturn void fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void fatalx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* As fatalx with a status of the caller's: the launcher tells causes apart by it (ipc/boot.h, EXIT_*). */
_Noreturn void fatal_status(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
