#include "oidc_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "oidc_fetch.h"
#include "oidc_judge.h"
#include "sandbox/sandbox.h"
#include "secrets.h"

enum { FD_TALK = 3 };

static bool
tell(const struct oidc_report *r)
{
	struct talk_told w = { (uint32_t)r->verdict };
	size_t len = 0;
	char *text = oidc_report_text(r, &len);
	const struct iovec part[] = { { &w, sizeof(w) }, { text, len } };

	return text != NULL && talk_say(FD_TALK, TALK_TOLD, part, 2);
}

static bool
fetch(const struct oidc_way *w, struct oidc_report *r)
{
	struct oidc_published p;
	struct talk_published say = { .document_len = 0 };
	char *lines;

	if (!oidc_fetch(w, &p, r))
		return tell(r);
	lines = oidc_report_lines(r);
	memcpy(say.server, p.server, sizeof(say.server));
	say.document_len = (uint32_t)p.document_len;
	say.keys_len = (uint32_t)p.keys_len;
	say.lines_len = (uint32_t)strlen(lines);

	const struct iovec part[] = { { &say, sizeof(say) },
				      { (void *)(uintptr_t)p.document, p.document_len },
				      { (void *)(uintptr_t)p.keys, p.keys_len },
				      { lines, say.lines_len } };

	return talk_say(FD_TALK, TALK_PUBLISHED, part, 4);
}

static bool
work(const struct oidc_task *t, struct http *http)
{
	struct oidc_report *r = oidc_report_new();
	struct oidc_settings s;
	struct discovery d = { .doc = NULL };
	struct oidc_way w = { FD_TALK, http, &s, t->ask->issuer, t->authorities, t->authorities_len };
	char err[160];
	bool good;

	if (!oidc_settings_read(t->settings, t->ask->len, &s, err, sizeof(err))) {
		oidc_report_end(r, OIDC_REFUSED, "%s", err);
		return tell(r);
	}
	if (s.authorities[0] != '\0') {
		w.authorities = s.authorities;
		w.authorities_len = strlen(s.authorities);
	}
	if (t->published == NULL)
		return fetch(&w, r);
	oidc_report_take_lines(r, t->published->lines, t->published->lines_len);
	oidc_judge(&w, t->ask, t->published, &d, r);
	good = tell(r);
	discovery_free(&d);
	return good;
}

static _Noreturn void
be_process(struct oidc_task *t, int talk)
{
	static struct wire_oidc_ask own;
	struct http *http;

	/* What a provider can do to this process, it does to one who asked, and to nobody else. */
	own = *t->ask;
	if (t->published == NULL) {
		sodium_memzero(own.secret, sizeof(own.secret));
		sodium_memzero(own.verifier, sizeof(own.verifier));
		sodium_memzero(own.proof, sizeof(own.proof));
	}
	t->ask = &own;
	secrets_wipe();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || signal(SIGTERM, SIG_DFL) == SIG_ERR)
		fatal("cannot set up the process of a question");
	if (dup2(talk, 200) == -1 || dup2(200, FD_TALK) == -1 || close_range(FD_TALK + 1, ~0U, 0) == -1)
		fatal("cannot let go of what is the directory's");
	http = http_new();
	sandbox_narrow(&sandbox_oidc);
	_exit(work(t, http) ? 0 : 1);
}

pid_t
oidc_process_start(const struct oidc_task *t, int *sock)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	pid = fork();
	if (pid == 0) {
		struct oidc_task own = *t;

		be_process(&own, pair[1]);
	}
	close(pair[1]);
	if (pid == -1 || fcntl(pair[0], F_SETFL, O_NONBLOCK) == -1) {
		close(pair[0]);
		return pid;
	}
	*sock = pair[0];
	return pid;
}
