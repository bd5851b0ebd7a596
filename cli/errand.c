#include "errand.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"
#include "ipc/boot.h"
#include "programs.h"
#include "spawn.h"

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

static bool
read_word(int fd, struct errand_word *w)
{
	for (size_t at = 0; at < sizeof(*w);) {
		ssize_t n = read(fd, (uint8_t *)w + at, sizeof(*w) - at);

		if (n <= 0 && !(n == -1 && errno == EINTR))
			return false;
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* It died, or ended without a word of it. */
static void
explain(struct errand *e, pid_t pid, int status)
{
	if (e->refused[0] != '\0')
		return;
	if (pid == -1 || !WIFSIGNALED(status))
		put_reason(e, proc_name(e->proc), "it ended without having done it");
	else if (e->file[0] != '\0' && WTERMSIG(status) != SIGSYS)
		(void)snprintf(e->refused, sizeof(e->refused),
			       "%s: its pages are damaged so far that whoever reads it dies (%s)", e->file,
			       strsignal(WTERMSIG(status)));
	else
		put_reason(e, proc_name(e->proc), strsignal(WTERMSIG(status)));
}

bool
errand_run(struct errand *e)
{
	struct errand_word w;
	int told[2], status = 0;
	pid_t pid, ended;

	e->done = false;
	e->refused[0] = e->file[0] = '\0';
	if (pipe2(told, O_CLOEXEC) == -1) {
		put_reason(e, "pipe", strerror(errno));
		return false;
	}
	pid = start(e, told[1]);
	(void)close(told[1]);
	while (pid != -1 && read_word(told[0], &w) && take(e, &w)) {
	}
	(void)close(told[0]);
	if (pid == -1)
		return false;
	do
		ended = waitpid(pid, &status, 0);
	while (ended == -1 && errno == EINTR);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_OK)
		e->done = false;
	if (!e->done)
		explain(e, ended, status);
	return e->done;
}
