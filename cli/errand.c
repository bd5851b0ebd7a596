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

static pid_t
start(struct errand *e, int told)
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
	s.fd[STDERR_FILENO] = STDERR_FILENO;
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

static enum heard
read_word(int fd, int64_t deadline_ns, struct errand_word *w)
{
	for (size_t at = 0; at < sizeof(*w);) {
		int64_t left_ms = (deadline_ns - clock_boot_ns()) / NS_PER_MS;
		struct pollfd p = { fd, POLLIN, 0 };
		ssize_t n;

		if (left_ms <= 0)
			return HEARD_NOTHING;
		if (poll(&p, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms) <= 0)
			continue;
		n = read(fd, (uint8_t *)w + at, sizeof(*w) - at);
		if (n <= 0 && !(n == -1 && errno == EINTR))
			return HEARD_END;
		at += n > 0 ? (size_t)n : 0;
	}
	return HEARD_WORD;
}

/* Until its last word. False where there is no other way on than to end it: e->refused says why. */
static bool
listen_to(struct errand *e, int fd, int64_t end_ns)
{
	struct errand_word w;

	for (;;) {
		int64_t now_ns = clock_boot_ns();
		bool last = end_ns - now_ns <= e->patience.word;

		switch (read_word(fd, last ? end_ns : now_ns + e->patience.word, &w)) {
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

/* Whether it ended in time. */
static bool
wait_until(pid_t pid, int64_t deadline_ns, int *status)
{
	while (waitpid(pid, status, WNOHANG) != pid) {
		if (clock_boot_ns() >= deadline_ns)
			return false;
		(void)poll(NULL, 0, LOOK_MS);
	}
	return true;
}

static void
end_it(struct errand *e, pid_t pid, int *status)
{
	(void)kill(pid, SIGKILL);
	if (!wait_until(pid, clock_boot_ns() + KILLED_S * NS_PER_S, status))
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
attend(struct errand *e, pid_t pid, int told)
{
	int64_t end_ns = clock_boot_ns() + e->patience.all;
	bool well = listen_to(e, told, end_ns);
	int status = 0;

	if (well && !wait_until(pid, clock_boot_ns() + e->patience.word, &status)) {
		put_reason(e, proc_name(e->proc), "it was ended: it had no more to say, and stayed");
		well = false;
	}
	if (!well)
		end_it(e, pid, &status);
	if (!well || !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_OK)
		e->done = false;
	if (!e->done)
		explain(e, status);
}

bool
errand_run(struct errand *e)
{
	int told[2];
	pid_t pid;

	e->done = false;
	e->refused[0] = e->file[0] = '\0';
	if (e->patience.all == 0)
		e->patience = errand_patience(e->directory);
	if (pipe2(told, O_CLOEXEC) == -1) {
		put_reason(e, "pipe", strerror(errno));
		return false;
	}
	pid = start(e, told[1]);
	(void)close(told[1]);
	if (pid != -1)
		attend(e, pid, told[0]);
	(void)close(told[0]);
	return e->done;
}
