#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "findings.h"
#include "look.h"
#include "provider.h"
#include "sandbox/sandbox.h"
#include "secrets.h"

enum { FD_CONNECTION = 3, FD_TOLD = 4 };

static void
look(const struct child_task *t, struct findings *f)
{
	struct look k = { .what = (enum directory_what)t->ask->what,
			  .name = t->ask->name,
			  .password = t->ask->password,
			  .secret = t->ask->secret,
			  .base = t->base,
			  .referral = t->referral,
			  .nreferrals = t->nreferrals };
	struct provider p;
	char err[160];

	for (size_t i = 0; i < t->nbefore; i++)
		findings_step(f, "%s", t->before[i]);
	findings_step(f, "connected to %s port %u", t->url->host, t->url->port);
	if (!provider_read(t->provider, t->ask->len, &p, err, sizeof(err))) {
		findings_end(f, DIRECTORY_REFUSED, err);
		return;
	}
	k.provider = &p;
	look_at(&k, FD_CONNECTION, t->url, t->authorities, t->authorities_len, f);
	provider_free(&p);
}

static bool
put(const void *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = write(FD_TOLD, (const char *)bytes + at, len - at);

		if (n == -1 && errno != EINTR)
			return false;
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static _Noreturn void
be_child(struct child_task *t, int connection, int told)
{
	static struct wire_directory_ask own;
	struct findings *f = findings_new();
	struct child_said said;
	size_t len;
	char *text;

	/* What a server can do to this process, it does to one who asked, and to nobody else. */
	own = *t->ask;
	t->ask = &own;
	secrets_wipe();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || signal(SIGTERM, SIG_DFL) == SIG_ERR)
		fatal("cannot set up the process of an attempt");
	/* By way of high numbers, as each may stand where the other goes. */
	if (dup2(connection, 200) == -1 || dup2(told, 201) == -1 || dup2(200, FD_CONNECTION) == -1 ||
	    dup2(201, FD_TOLD) == -1 || close_range(FD_TOLD + 1, ~0U, 0) == -1)
		fatal("cannot let go of what is the directory's");
	sandbox_narrow(&sandbox_attempt);
	look(t, f);
	text = findings_text(f, &len);
	said =
	    (struct child_said){ .verdict = (uint32_t)f->verdict, .len = text == NULL ? 0 : (uint32_t)len };
	(void)str_copy(said.why, sizeof(said.why), findings_words(f));
	said.referred = f->referred;
	(void)str_copy(said.base, sizeof(said.base), f->base);
	_exit(text != NULL && put(&said, sizeof(said)) && put(text, len) ? 0 : 1);
}

pid_t
child_start(const struct child_task *t, int connection, int *told)
{
	int pipe[2];
	pid_t pid;

	if (pipe2(pipe, O_CLOEXEC) == -1)
		return -1;
	pid = fork();
	if (pid == 0) {
		struct child_task own = *t;

		be_child(&own, connection, pipe[1]);
	}
	close(pipe[1]);
	if (pid == -1 || fcntl(pipe[0], F_SETFL, O_NONBLOCK) == -1) {
		close(pipe[0]);
		return pid == -1 ? -1 : pid;
	}
	*told = pipe[0];
	return pid;
}
