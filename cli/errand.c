#include "errand.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/mem.h"
#include "child_log.h"
#include "file_copy.h"
#include "ipc/boot.h"
#include "programs.h"
#include "spawn.h"

#define PATIENCE_S 300
#define SLOWEST    (UINT64_C(1) << 20) /* bytes a second, of a disk that others use too */
#define LOOK_MS    10                  /* how often it is looked whether it ended */
#define KILLED_S   10                  /* SIGKILL waits for the disk as the process does */

static void
put_reason(struct errand *e, const char *what, const char *why)
{
	(void)snprintf(e->refused, sizeof(e->refused), "%s: %s", what, why);
}

/* The reading ends of what it has in its place: pipes, the terminal of whoever asked is not for it. */
struct ears {
	int told, log;
	struct child_log lines; /* of the log */
};

static pid_t
start(struct errand *e, int told, int log)
{
	char folder[PROGRAMS_MAX], path[PROGRAMS_MAX + 32], name[32];
	struct boot *b = mem_calloc(1, sizeof(*b));
	AUTO(fd_drop) int program = -1;
	AUTO(fd_drop) int document = -1;
	struct spawn s = { .path = path, .name = name, .uid = e->uid, .directory = e->directory };
	pid_t pid = -1;

	if (!programs_find(folder)) {
		free(b);
		return -1;
	}
	(void)snprintf(path, sizeof(path), "%s/weir-%s", folder, proc_name(e->proc));
	(void)snprintf(name, sizeof(name), "weir-%s", proc_name(e->proc));
	b->proc = (uint32_t)e->proc;
	b->uid = e->uid;
	b->flags = e->flag;
	b->settings = *e->settings;
	document = boot_memfd(b);
	program = open(path, O_PATH | O_CLOEXEC);
	for (int i = 0; i < SPAWN_FDS_MAX; i++)
		s.fd[i] = -1;
	s.program = program;
	s.fd[STDERR_FILENO] = log;
	s.fd[BOOT_FD_DOCUMENT] = document;
	s.fd[BOOT_FD_TOLD] = told;
	s.fd[BOOT_FD_COPY] = e->copy;
	if (document != -1)
		pid = spawn_start(&s);
	if (pid == -1)
		put_reason(e, path, strerror(errno));
	free(b);
	return pid;
}

/* Texts end within their fields, whatever came. */
static bool
is_sane(struct errand_word *w)
{
	w->file[sizeof(w->file) - 1] = w->part[sizeof(w->part) - 1] = w->text[sizeof(w->text) - 1] = '\0';
	return w->kind > 0 && w->kind < ERRAND_KINDS;
}

static bool
take(struct errand *e, struct errand_word *w)
{
	if (!is_sane(w))
		return false;
	switch (w->kind) {
	case ERRAND_AT:
		str_copy(e->file, sizeof(e->file), w->file);
		break;
	case ERRAND_REFUSED:
		str_copy(e->refused, sizeof(e->refused), w->text);
		break;
	case ERRAND_DONE:
		e->done = true;
		memcpy(e->count, w->count, sizeof(e->count));
		break;
	default:
		e->word(e->ctx, w);
	}
	return true;
}

/* --- how long it may take
 * --------------------------------------------------------------------------------------------------- */

struct sizes {
	int directory;
	uint64_t largest, all;
};

static bool
add_size(void *ctx, const char *name)
{
	struct sizes *s = ctx;
	struct stat st;
	uint64_t n;

	if (fstatat(s->directory, name, &st, AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(st.st_mode))
		return true;
	/* Not its length, which costs whoever owns it nothing. */
	n = (uint64_t)st.st_blocks * 512;
	s->all += n;
	s->largest = n > s->largest ? n : s->largest;
	return true;
}

static int64_t
patience_for(uint64_t bytes)
{
	return (PATIENCE_S + (int64_t)(bytes / SLOWEST)) * NS_PER_S;
}

struct errand_patience
errand_patience(int directory)
{
	struct sizes s = { .directory = directory };

	if (directory != -1)
		(void)directory_each(directory, add_size, &s);
	return (struct errand_patience){ patience_for(s.largest), patience_for(s.all) };
}

/* --- what it says
 * -----------------------------------------------------------------------------------------------------------
 */

enum heard { HEARD_WORD, HEARD_END, HEARD_NOTHING /* in time */ };

static void
print_line(void *ctx, const char *line)
{
	(void)ctx;
	(void)fprintf(stderr, "%s\n", line);
}

/* What is there of its log, a pipe full at most: somebody may write without end. */
static void
read_log(struct ears *ears)
{
	for (int i = 0; i < 64 && ears->log != -1; i++) {
		char buf[1024];
		ssize_t n = read(ears->log, buf, sizeof(buf));

		if (n > 0)
			child_log_take(&ears->lines, buf, (size_t)n, clock_boot_ns() / NS_PER_S, print_line,
				       NULL);
		else if (n == 0 || errno != EINTR)
			break;
	}
}

/* Until something comes of what is told, or ms have gone by; the log is read meanwhile. Whether it came. */
static bool
wait_for_told(struct ears *ears, int ms)
{
	struct pollfd p[] = { { ears->told, POLLIN, 0 }, { ears->log, POLLIN, 0 } };

	if (poll(p, ARRAY_LEN(p), ms) <= 0)
		return false;
	if ((p[1].revents & POLLIN) != 0)
		read_log(ears);
	else if (p[1].revents != 0)
		fd_drop(&ears->log); /* nobody writes there any more */
	return p[0].revents != 0;
}

static enum heard
read_word(struct ears *ears, int64_t deadline_ns, struct errand_word *w)
{
	for (size_t at = 0; at < sizeof(*w);) {
		int64_t left_ms = (deadline_ns - clock_boot_ns()) / NS_PER_MS;
		ssize_t n;

		if (left_ms <= 0)
			return HEARD_NOTHING;
		if (!wait_for_told(ears, left_ms > INT_MAX ? INT_MAX : (int)left_ms))
			continue;
		n = read(ears->told, (uint8_t *)w + at, sizeof(*w) - at);
		if (n <= 0 && !(n == -1 && errno == EINTR))
			return HEARD_END;
		at += n > 0 ? (size_t)n : 0;
	}
	return HEARD_WORD;
}

/* Until its last word. False where there is no other way on than to end it: e->refused says why. */
static bool
listen_to(struct errand *e, struct ears *ears, int64_t end_ns)
{
	struct errand_word w;

	for (;;) {
		int64_t now_ns = clock_boot_ns();
		bool last = end_ns - now_ns <= e->patience.word;

		switch (read_word(ears, last ? end_ns : now_ns + e->patience.word, &w)) {
		case HEARD_END:
			return true;
		case HEARD_WORD:
			if (take(e, &w))
				continue;
			put_reason(e, proc_name(e->proc), "it was ended: it said what no errand says");
			return false;
		case HEARD_NOTHING:
			(void)snprintf(e->refused, sizeof(e->refused),
				       "%s: it was ended: %s%s%s %" PRId64 " s", proc_name(e->proc), e->file,
				       e->file[0] != '\0' ? ": " : "",
				       last ? "it was not done within" : "nothing came of it for",
				       (last ? e->patience.all : e->patience.word) / NS_PER_S);
			return false;
		}
	}
}

/* --- its end
 * ----------------------------------------------------------------------------------------------------------------
 */

/* Whether it ended in time. It may wait for its log to be read. */
static bool
wait_until(pid_t pid, struct ears *ears, int64_t deadline_ns, int *status)
{
	while (waitpid(pid, status, WNOHANG) != pid) {
		if (clock_boot_ns() >= deadline_ns)
			return false;
		read_log(ears);
		(void)poll(NULL, 0, LOOK_MS);
	}
	return true;
}

static void
end_it(struct errand *e, pid_t pid, struct ears *ears, int *status)
{
	(void)kill(pid, SIGKILL);
	if (!wait_until(pid, ears, clock_boot_ns() + KILLED_S * NS_PER_S, status))
		(void)snprintf(e->refused, sizeof(e->refused),
			       "%s: process %d cannot be ended: does the disk answer?", proc_name(e->proc),
			       (int)pid);
}

/* It died, or ended without a word of it. */
static void
explain(struct errand *e, int status)
{
	if (e->refused[0] != '\0')
		return;
	if (!WIFSIGNALED(status))
		put_reason(e, proc_name(e->proc), "it ended without having done it");
	else if (e->file[0] != '\0' && WTERMSIG(status) != SIGSYS)
		(void)snprintf(e->refused, sizeof(e->refused),
			       "%s: its pages are damaged so far that whoever reads it dies (%s)", e->file,
			       strsignal(WTERMSIG(status)));
	else
		put_reason(e, proc_name(e->proc), strsignal(WTERMSIG(status)));
}

/* Hears it to its end, which it is helped to where it is late. */
static void
attend(struct errand *e, pid_t pid, struct ears *ears)
{
	int64_t end_ns = clock_boot_ns() + e->patience.all;
	bool well = listen_to(e, ears, end_ns);
	int status = 0;

	if (well && !wait_until(pid, ears, clock_boot_ns() + e->patience.word, &status)) {
		put_reason(e, proc_name(e->proc), "it was ended: it had no more to say, and stayed");
		well = false;
	}
	if (!well)
		end_it(e, pid, ears, &status);
	read_log(ears);
	child_log_end(&ears->lines, clock_boot_ns() / NS_PER_S, print_line, NULL);
	if (!well || !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_OK)
		e->done = false;
	if (!e->done)
		explain(e, status);
}

/* Its ends in theirs. */
static bool
open_ears(struct ears *ears, int theirs[static 2], enum proc proc)
{
	int told[2], log[2];

	if (pipe2(told, O_CLOEXEC) == -1)
		return false;
	ears->told = told[0];
	theirs[0] = told[1];
	if (pipe2(log, O_CLOEXEC) == -1)
		return false;
	ears->log = log[0];
	theirs[1] = log[1];
	(void)snprintf(ears->lines.name, sizeof(ears->lines.name), "weir-%s", proc_name(proc));
	return fcntl(ears->log, F_SETFL, O_NONBLOCK) == 0;
}

bool
errand_run(struct errand *e)
{
	struct ears ears = { .told = -1, .log = -1 };
	int theirs[2] = { -1, -1 };
	pid_t pid = -1;

	e->done = false;
	e->refused[0] = e->file[0] = '\0';
	if (e->patience.all == 0)
		e->patience = errand_patience(e->directory);
	if (open_ears(&ears, theirs, e->proc))
		pid = start(e, theirs[0], theirs[1]);
	else
		put_reason(e, "pipe", strerror(errno));
	fd_drop(&theirs[0]);
	fd_drop(&theirs[1]);
	if (pid != -1)
		attend(e, pid, &ears);
	fd_drop(&ears.told);
	fd_drop(&ears.log);
	return e->done;
}
