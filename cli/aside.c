#include "aside.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"
#include "cmd.h"
#include "text.h"

#define PIECE 1024

/* --- the process
 * -----------------------------------------------------------------------------------------------------------
 */

static _Noreturn void
be_aside(int (*part)(void *ctx), void *ctx, int out, int err)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), status;

	/* Above all that they replace. */
	out = fcntl(out, F_DUPFD, STDERR_FILENO + 1);
	err = fcntl(err, F_DUPFD, STDERR_FILENO + 1);
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1 ||
	    dup2(err, STDERR_FILENO) == -1 || close_range(STDERR_FILENO + 1, ~0U, 0) == -1)
		_exit(WEIR_FAILED);
	status = part(ctx);
	_exit(fflush(stdout) == 0 ? status : WEIR_FAILED);
}

/* --- what it prints
 * ----------------------------------------------------------------------------------------------------------
 */

struct stream {
	int fd;
	FILE *to;
};

static void
pass_on(FILE *to, const char *text, size_t len)
{
	char safe[4 * PIECE + 1];

	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end == NULL ? len : (size_t)(end - text);

		(void)fputs(text_escape(safe, sizeof(safe), text, n), to);
		if (end != NULL) {
			(void)fputc('\n', to);
			n++;
		}
		text += n;
		len -= n;
	}
}

/* How much came; the stream is closed at its end. */
static size_t
take(struct stream *s)
{
	char buf[PIECE];
	ssize_t n = read(s->fd, buf, sizeof(buf));

	if (n > 0)
		pass_on(s->to, buf, (size_t)n);
	else if (n == 0 || errno != EINTR)
		fd_drop(&s->fd);
	return n > 0 ? (size_t)n : 0;
}

/* To the end of both. False where it says more than it may. */
static bool
listen_to(struct stream s[static 2])
{
	size_t all = 0;

	while ((s[0].fd != -1 || s[1].fd != -1) && all <= ASIDE_SAYS_MAX) {
		struct pollfd p[] = { { s[0].fd, POLLIN, 0 }, { s[1].fd, POLLIN, 0 } };

		if (poll(p, ARRAY_LEN(p), -1) == -1)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(p); i++)
			if (p[i].revents != 0)
				all += take(&s[i]);
	}
	return all <= ASIDE_SAYS_MAX;
}

static int
end(pid_t pid, bool well)
{
	int status = 0;

	if (!well)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (!well)
		say("it was ended: it said more than there is to say");
	else if (!WIFEXITED(status))
		say("who looked died: %s", strsignal(WTERMSIG(status)));
	else
		return WEXITSTATUS(status);
	return WEIR_FAILED;
}

int
aside_run(int (*part)(void *ctx), void *ctx)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	pid_t pid = -1;

	(void)fflush(stdout); /* or it would be said twice */
	if (pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0)
		pid = fork();
	if (pid == 0)
		be_aside(part, ctx, out[1], err[1]);
	fd_drop(&out[1]);
	fd_drop(&err[1]);

	struct stream s[] = { { out[0], stdout }, { err[0], stderr } };

	if (pid != -1)
		return end(pid, listen_to(s));
	say("no process to look in: %s", strerror(errno));
	fd_drop(&s[0].fd);
	fd_drop(&s[1].fd);
	return WEIR_FAILED;
}
