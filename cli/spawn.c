#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "capabilities.h"

#define ABOVE_ALL 64 /* descriptors are moved up here before they are put into place */

/* The child's only way to say something; it never returns. */
static _Noreturn void
give_up(const struct spawn *s, const char *what)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "%s: cannot start: %s: %s\n", s->name, what, strerror(errno));

	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) == -1) {
		/* nobody listens */
	}
	_exit(127);
}

static bool
place_descriptors(const struct spawn *s)
{
	int moved[SPAWN_FDS_MAX];

	for (int n = 0; n < SPAWN_FDS_MAX; n++) {
		moved[n] = s->fd[n] == -1 ? -1 : fcntl(s->fd[n], F_DUPFD_CLOEXEC, ABOVE_ALL);
		if (s->fd[n] != -1 && moved[n] == -1)
			return false;
	}
	for (int n = 0; n < SPAWN_FDS_MAX; n++) {
		if (moved[n] == -1)
			close(n);
		else if (dup2(moved[n], n) == -1)
			return false;
	}
	return true;
}

static void
reset_signals(void)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	sigemptyset(&none);
	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &plain,
				NULL); /* refused for SIGKILL, SIGSTOP and those of the C library */
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool
become(const struct spawn *s)
{
	return capabilities_bound(s->capabilities) &&
	       prctl(PR_SET_KEEPCAPS, s->capabilities != 0, 0, 0, 0) == 0 && setgroups(0, NULL) == 0 &&
	       setresgid(s->uid, s->uid, s->uid) == 0 && setresuid(s->uid, s->uid, s->uid) == 0 &&
	       capabilities_hand_down(s->capabilities) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static _Noreturn void
child(const struct spawn *s, pid_t launcher)
{
	static const struct rlimit none = { 0, 0 };
	char *argv[] = { (char *)(uintptr_t)s->name, NULL }, *envp[] = { NULL };
	int directory = s->directory == -1 ? -1 : fcntl(s->directory, F_DUPFD_CLOEXEC, ABOVE_ALL);
	int program = s->program == -1 ? -1 : fcntl(s->program, F_DUPFD_CLOEXEC, ABOVE_ALL);

	reset_signals();
	if (!place_descriptors(s))
		give_up(s, "descriptors");
	(void)setsid(); /* Ctrl-C at the terminal is the launcher's */
	umask(077);
	if (setrlimit(RLIMIT_CORE, &none) == -1)
		give_up(s, "limits");
	if (!become(s))
		give_up(s, "user and capabilities");
	/* Now, because its own directory is closed to the launcher. */
	if ((directory == -1 ? chdir("/") : fchdir(directory)) == -1)
		give_up(s, "working directory");
	/* A change of uid clears it, so it comes last; a launcher that died before this line shows as another
	 * parent. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == -1 || getppid() != launcher)
		give_up(s, "the launcher is gone");
	/* The rest is closed by exec; EINVAL and ENOSYS of an old kernel leave the same result, since all are
	 * close-on-exec. */
	(void)syscall(SYS_close_range, SPAWN_FDS_MAX, ~0U, CLOSE_RANGE_CLOEXEC);
	execve(s->path, argv, envp);
	if (errno == EACCES && program != -1)
		(void)syscall(SYS_execveat, program, "", argv, envp, AT_EMPTY_PATH);
	give_up(s, s->path);
}

pid_t
spawn_start(const struct spawn *s)
{
	AUTO(fd_drop) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct spawn own = *s;
	pid_t launcher = getpid(), pid;

	if (null == -1)
		return -1;
	own.fd[0] = null;
	own.fd[1] = null;
	pid = fork();
	if (pid == 0)
		child(&own, launcher);
	return pid;
}
