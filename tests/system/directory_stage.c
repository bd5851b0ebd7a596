/*
 * A stage for weir-directory alone: starts the real program with its real boot document, uid and sandbox, and
 * plays authd and dial, which connects wherever it is asked to.
 *
 *   directory_stage PROGRAM AUTHORITIES UID [WRAPPER...]
 *
 * Prints "pid N", then obeys lines on standard input, of fields with tabs between them:
 *
 *   ask WHAT TIMEOUT_MS ISSUER SECRET VERIFIER NONCE PROOF SETTINGS     answered by "told VERDICT TEXT"
 *   dial 0|1                                                             whether weir-dial is there
 *
 * At the end of input it sends SIGTERM. The last line says how the program ended: "exit N" or "signal N".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "ipc/boot.h"
#include "ipc/channel.h"
#include "ipc/sealed.h"
#include "ipc/wire.h"

#define LINE_MAX_BYTES (1u << 20)

struct actor {
	struct boot boot;
	struct peers *peers;
	int listener;
};

struct stage {
	struct event_base *base;
	struct boot boot; /* directory's */
	char dir[64];
	struct actor authd, dial;
	pid_t pid;
	int listener, authorities;
	char **wrapper;
	uid_t uid;
	uint64_t requests;
	struct event *input;
};

static struct stage stage;

/* --- authd --- */

static void
ask(char *const field[static 8])
{
	static const char *const whats[] = { "", "metadata", "code", "logout", "test" };
	struct channel *ch = peers_find(stage.authd.peers, PROC_DIRECTORY, 0);
	struct wire_oidc_ask w = { .request = ++stage.requests, .len = (uint32_t)strlen(field[7]) };
	int fd = sealed_write("settings", field[7], strlen(field[7]));

	for (uint32_t i = 1; i < ARRAY_LEN(whats); i++)
		if (strcmp(whats[i], field[0]) == 0)
			w.what = i;
	w.timeout_ms = (uint32_t)strtoul(field[1], NULL, 10);
	if (ch == NULL || fd == -1 || !str_copy(w.issuer, sizeof(w.issuer), field[2]) ||
	    !str_copy(w.secret, sizeof(w.secret), field[3]) ||
	    !str_copy(w.verifier, sizeof(w.verifier), field[4]) ||
	    !str_copy(w.nonce, sizeof(w.nonce), field[5]) || !str_copy(w.proof, sizeof(w.proof), field[6]) ||
	    !channel_send_fd(ch, MSG_OIDC_ASK, &w, sizeof(w), fd))
		printf("told 0 {}\n");
}

static bool
authd_message(void *ctx, struct channel *ch, struct msg *m)
{
	struct wire_oidc_told w;
	char *text;

	(void)ctx;
	(void)ch;
	if (m->id != MSG_OIDC_TOLD) /* what it counts */
		return true;
	memcpy(&w, m->body, sizeof(w));
	text = w.len == 0 || w.len > OIDC_TOLD_MAX ? NULL : sealed_read(m->fd, w.len);
	printf("told %u %.*s\n", w.verdict, text == NULL ? 0 : (int)w.len, text == NULL ? "" : text);
	(void)fflush(stdout);
	free(text);
	return true;
}

/* --- dial --- */

/* Blocks: what is connected to is on this machine. */
static int
connected(const char *host, unsigned port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char text[8];
	int fd = -1;

	(void)snprintf(text, sizeof(text), "%u", port);
	if (getaddrinfo(host, text, &hints, &found) != 0)
		return -1;
	for (struct addrinfo *a = found; a != NULL && fd == -1; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd != -1 && connect(fd, a->ai_addr, a->ai_addrlen) == -1) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	if (fd != -1)
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static bool
dial_message(void *ctx, struct channel *ch, struct msg *m)
{
	struct wire_dial_ask w;
	struct wire_dialed good = { .ticket = 0 };
	struct wire_dial_failed bad = { .why = "the connection is refused" };
	int fd;

	(void)ctx;
	if (m->id != MSG_DIAL_ASK)
		return true;
	memcpy(&w, m->body, sizeof(w));
	fd = connected(w.host, w.port);
	printf("dial %s %u\n", w.host, w.port);
	(void)fflush(stdout);
	good.ticket = bad.ticket = w.ticket;
	return fd == -1 ? channel_send(ch, MSG_DIAL_FAILED, &bad, sizeof(bad))
			: channel_send_fd(ch, MSG_DIALED, &good, sizeof(good), fd);
}

/* --- the actors' channels --- */

static void
nothing(void *ctx, struct channel *ch)
{
	(void)ctx;
	(void)ch;
}

static int
unix_listener(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1 || !str_copy(a.sun_path, sizeof(a.sun_path), path) ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1 || chmod(path, 0666) == -1 ||
	    listen(fd, 16) == -1)
		fatal("%s", path);
	return fd;
}

static void
path_of(const char *who, char *path)
{
	(void)snprintf(path, BOOT_PATH_MAX, "%s/%s", stage.dir, who);
}

static void
actor_up(struct actor *a, enum proc proc, bool call)
{
	static const struct peers_handlers authd = { nothing, nothing, authd_message },
					   dial = { nothing, nothing, dial_message };

	if (a->peers != NULL)
		return;
	memset(&a->boot, 0, sizeof(a->boot));
	a->boot.proc = (uint32_t)proc;
	a->boot.npeers = 1;
	a->boot.peers[0].proc = PROC_DIRECTORY;
	a->boot.peers[0].uid = stage.uid;
	a->boot.peers[0].connect = call;
	path_of("directory", a->boot.peers[0].path);
	a->peers = peers_new(stage.base, &a->boot, a->listener, proc == PROC_AUTHD ? &authd : &dial, a);
}

/* --- the program --- */

static void
start(void)
{
	int from[3] = { boot_memfd(&stage.boot), stage.listener, stage.authorities }, high[3];

	stage.pid = fork();
	if (stage.pid != 0) {
		close(from[0]);
		printf("pid %d\n", (int)stage.pid);
		(void)fflush(stdout);
		return;
	}
	for (int i = 0; i < 3; i++)
		high[i] = fcntl(from[i], F_DUPFD, 100);
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], BOOT_FD_DOCUMENT + i) == -1)
			_exit(127);
	if (close_range(BOOT_FD_DOCUMENT + 3, ~0U, 0) == -1 || dup2(open("/dev/null", O_RDWR), 0) == -1 ||
	    dup2(2, 1) == -1)
		_exit(127);
	if (stage.uid != 0 &&
	    (setgroups(0, NULL) == -1 || setgid(stage.uid) == -1 || setuid(stage.uid) == -1))
		_exit(127);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv(stage.wrapper[0], stage.wrapper);
	_exit(127);
}

static void
finish(void)
{
	static const char *const files[] = { "authd", "dial", "directory" };
	char path[BOOT_PATH_MAX];
	int status;

	(void)kill(stage.pid, SIGTERM);
	if (waitpid(stage.pid, &status, 0) == -1)
		fatal("waitpid");
	if (WIFEXITED(status))
		printf("exit %d\n", WEXITSTATUS(status));
	else
		printf("signal %d\n", WTERMSIG(status));
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		path_of(files[i], path);
		(void)unlink(path);
	}
	(void)rmdir(stage.dir);
	(void)fflush(stdout);
	exit(0);
}

static void
on_input(evutil_socket_t fd, short what, void *arg)
{
	static char line[LINE_MAX_BYTES];
	char *field[9] = { NULL }, *at = line;
	size_t n = 0;

	(void)fd;
	(void)what;
	(void)arg;
	if (fgets(line, sizeof(line), stdin) == NULL)
		finish();
	line[strcspn(line, "\n")] = '\0';
	while (n < ARRAY_LEN(field) && (field[n] = strsep(&at, "\t")) != NULL)
		n++;
	if (n == 9 && strcmp(field[0], "ask") == 0)
		ask(field + 1);
	if (n == 2 && strcmp(field[0], "dial") == 0 && field[1][0] == '0')
		peers_free(&stage.dial.peers);
	if (n == 2 && strcmp(field[0], "dial") == 0 && field[1][0] == '1')
		actor_up(&stage.dial, PROC_DIAL, true);
}

int
main(int argc, char **argv)
{
	struct boot *b = &stage.boot;
	char path[BOOT_PATH_MAX];

	if (argc < 4)
		return 64;
	log_init("stage", LOG_LEVEL_WARN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	stage.uid = (uid_t)strtoul(argv[3], NULL, 10);
	stage.authorities = open(argv[2], O_RDONLY | O_CLOEXEC);
	(void)str_copy(stage.dir, sizeof(stage.dir), "/tmp/weir-stage-XXXXXX");
	if (stage.authorities == -1 || mkdtemp(stage.dir) == NULL || chmod(stage.dir, 0755) == -1)
		fatal("%s, %s", argv[2], stage.dir);
	/* PROGRAM comes last, behind what wraps it (strace). */
	stage.wrapper = mem_calloc((size_t)argc, sizeof(char *));
	for (int i = 4; i < argc; i++)
		stage.wrapper[i - 4] = argv[i];
	stage.wrapper[argc - 4] = argv[1];
	b->proc = PROC_DIRECTORY;
	b->uid = (uint32_t)stage.uid;
	b->flags = BOOT_HAS_AUTHORITIES;
	settings_default(&b->settings);
	b->npeers = 2;
	b->peers[0] = (struct boot_peer){ .proc = PROC_AUTHD, .connect = 1 };
	b->peers[1] = (struct boot_peer){ .proc = PROC_DIAL, .connect = 1 };
	path_of("authd", b->peers[0].path);
	path_of("dial", b->peers[1].path);
	path_of("directory", path);
	stage.listener = unix_listener(path);
	path_of("authd", path);
	stage.authd.listener = unix_listener(path);
	path_of("dial", path);
	stage.dial.listener = unix_listener(path);
	start();
	stage.base = event_base_new();
	if (stage.base == NULL)
		return 1;
	actor_up(&stage.authd, PROC_AUTHD, false);
	actor_up(&stage.dial, PROC_DIAL, false);
	stage.input = event_new(stage.base, 0, EV_READ | EV_PERSIST, on_input, NULL);
	if (stage.input == NULL || event_add(stage.input, NULL) == -1)
		return 1;
	return event_base_dispatch(stage.base) == -1;
}
