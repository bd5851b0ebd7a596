/*
 * A stage for weir-httpd alone: starts the real program with its real boot document, uid and sandbox, and
 * plays authd, store and key (which signs by the real one's code).
 *
 *   httpd_stage PROGRAM CERTIFICATE KEY UID CONNECTIONS PER_ADDRESS [WRAPPER...]
 *
 * Prints "https PORT", "http PORT" and "pid N", then obeys lines on standard input (see commands[]) and
 * answers each with "ok"; at the end of input it sends SIGTERM. The last line says how the program ended:
 * "exit N" or "signal N".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "httpd_stage.h"
#include "pair.h"

/* --- the program
 * ------------------------------------------------------------------------------------------------------- */

static int
tcp_listener(unsigned *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_ANY) } };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, small = 16384;

	/* Accepted sockets inherit both: what a client does not read soon waits in the program and not in the
	 * kernel. */
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1 || listen(fd, 1024) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) == -1)
		fatal("listening socket");
	*port = ntohs(a.sin_port);
	return fd;
}

static void
start(struct stage *s)
{
	int from[5] = { boot_memfd(&s->boot), s->listener, s->https, s->http, s->certificate };
	int high[5];

	s->pid = fork();
	if (s->pid != 0) {
		close(from[0]);
		printf("pid %d\n", (int)s->pid);
		return;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < 5; i++)
		high[i] = fcntl(from[i], F_DUPFD, 100);
	for (int i = 0; i < 5; i++)
		if (dup2(high[i], BOOT_FD_DOCUMENT + i) == -1)
			_exit(127);
	if (close_range(BOOT_FD_DOCUMENT + 5, ~0U, 0) == -1 || dup2(open("/dev/null", O_RDWR), 0) == -1 ||
	    dup2(2, 1) == -1)
		_exit(127);
	if (s->uid != 0 && (setgroups(0, NULL) == -1 || setgid(s->uid) == -1 || setuid(s->uid) == -1))
		_exit(127);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	execv(s->wrapper[0], s->wrapper);
	_exit(127);
}

static void
finish(struct stage *s)
{
	static const char *const files[] = { "httpd", "authd", "store", "key" };
	char path[BOOT_PATH_MAX];
	int status;

	(void)kill(s->pid, SIGTERM);
	if (waitpid(s->pid, &status, 0) == -1)
		fatal("waitpid");
	if (WIFEXITED(status))
		printf("exit %d\n", WEXITSTATUS(status));
	else
		printf("signal %d\n", WTERMSIG(status));
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		path_of(s, files[i], path);
		(void)unlink(path);
	}
	(void)rmdir(s->dir);
	(void)fflush(stdout);
	exit(0);
}

/* --- commands
 * ----------------------------------------------------------------------------------------------------------
 */

/* Each line is a word and a number. */
static void
obey(struct stage *s, const char *word, unsigned v)
{
	const struct {
		const char *word;
		bool *flag;
	} flags[] = { { "silent-key", &s->silent_key },
		      { "lying-key", &s->lying_key },
		      { "silent-store", &s->silent_store },
		      { "silent-pages", &s->silent_pages },
		      { "silent-authd", &s->silent_authd },
		      { "lie", &s->lie },
		      { "refuse-once", &s->refuse_grant_once },
		      { "no-session", &s->no_session },
		      { "history-down", &s->history_down },
		      { "limited", &s->limited },
		      { "no-token", &s->no_token },
		      { "parts", &s->parts },
		      { "formula", &s->formula },
		      { "refuse-grants", &s->refuse_grants },
		      { "refuse-admin-once", &s->refuse_admin_once },
		      { "endless", &s->endless },
		      { "setup-open", &s->setup_open },
		      { "unconfirmed", &s->unconfirmed } };

	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (strcmp(flags[i].word, word) == 0)
			*flags[i].flag = v != 0;
	if (strcmp(word, "admin-status") == 0)
		s->admin_status = v;
	if (strcmp(word, "pad") == 0)
		s->pad = v < PAD_MAX ? v : PAD_MAX;
	if (strcmp(word, "rows") == 0)
		s->rows = v;
	if (strcmp(word, "busy") == 0)
		s->busy = v;
	if (strcmp(word, "life") == 0)
		s->life = v;
	if (strcmp(word, "quiet") == 0)
		s->quiet = v;
	if (strcmp(word, "left-out") == 0)
		s->left_out = v;
	if (strcmp(word, "streams") == 0)
		s->boot.settings.streams = v;
	if (strcmp(word, "workers") == 0)
		s->boot.settings.http_workers = v;
	if (strcmp(word, "rate-address") == 0)
		s->boot.settings.rate_address = v;
	if (strcmp(word, "rate-session") == 0)
		s->boot.settings.rate_session = v;
	if (strcmp(word, "rate-tenant") == 0)
		s->boot.settings.rate_tenant = v;
	if (strcmp(word, "stream-rows") == 0)
		s->boot.settings.stream_rows = v;
	if (strcmp(word, "stream-time") == 0)
		s->boot.settings.stream_time_ms = v;
	if (strcmp(word, "store") == 0 && v == 0)
		actor_down(&s->store);
	if (strcmp(word, "store") == 0 && v != 0)
		actor_up(s, &s->store, PROC_STORE, true);
	if (strcmp(word, "authd") == 0 && v == 0)
		actor_down(&s->authd);
	if (strcmp(word, "authd") == 0 && v != 0)
		actor_up(s, &s->authd, PROC_AUTHD, true);
	if (strcmp(word, "key") == 0 && v == 0)
		actor_down(&s->key);
	if (strcmp(word, "key") == 0 && v != 0)
		actor_up(s, &s->key, PROC_KEY, true);
	if (strcmp(word, "silent-key") == 0 && v == 0 && s->key.peers != NULL)
		(void)key_answer(s, peers_find(s->key.peers, PROC_HTTPD, 0));
	if (strcmp(word, "term") == 0)
		(void)kill(s->pid, SIGTERM);
	if (strcmp(word, "restart") == 0) { /* as the launcher does: the sockets stay */
		int status;

		(void)kill(s->pid, SIGTERM);
		(void)waitpid(s->pid, &status, 0);
		start(s);
	}
	if (strcmp(word, "counts") == 0)
		printf("counts %u %u %u %u %u %u %u %u %u\n", s->logins, s->sessions, s->questions,
		       s->questions_of[ASK_HOSTS], s->tokens, s->admins, s->cancelled,
		       s->questions_of[ASK_RECENT], s->signs);
	printf("ok\n");
	(void)fflush(stdout);
}

static void
on_input(evutil_socket_t fd, short what, void *arg)
{
	struct stage *s = arg;
	char line[128];
	size_t n;

	(void)fd;
	(void)what;
	if (fgets(line, sizeof(line), stdin) == NULL)
		finish(s);
	n = strcspn(line, " \n");
	if (line[n] == '\0')
		return;
	line[n] = '\0';
	obey(s, line, (unsigned)strtoul(line + n + 1, NULL, 10));
}

static void
describe(struct stage *s, unsigned connections, unsigned per_address)
{
	struct boot *b = &s->boot;

	b->proc = PROC_HTTPD;
	b->uid = (uint32_t)s->uid;
	b->flags = BOOT_HAS_HTTP;
	settings_default(&b->settings);
	b->settings.http_workers = 1;
	b->settings.http_connections = connections;
	b->settings.http_connections_per_address = per_address;
	b->settings.http_idle_ms = 3000;
	b->settings.query_time_ms = 3000;
	(void)str_copy(b->settings.name, sizeof(b->settings.name), "stage");
	b->npoints = 1;
	b->points[0] = (struct boot_point){ .id = 1, .space = 1, .kind = POINT_INTERFACE, .name = "eth0" };
	b->npeers = 3;
	b->peers[0] = (struct boot_peer){ .proc = PROC_AUTHD, .connect = 1 };
	b->peers[1] = (struct boot_peer){ .proc = PROC_STORE, .connect = 1 };
	b->peers[2] = (struct boot_peer){ .proc = PROC_KEY, .connect = 1 };
	path_of(s, "key", b->peers[2].path);
	path_of(s, "authd", b->peers[0].path);
	path_of(s, "store", b->peers[1].path);
}

int
main(int argc, char **argv)
{
	static struct stage s;
	unsigned https, http;
	char path[BOOT_PATH_MAX], why[PAIR_WHY_MAX];
	int key;

	if (argc < 7)
		return 64;
	log_init("stage", LOG_LEVEL_WARN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	s.uid = (uid_t)strtoul(argv[4], NULL, 10);
	s.setup_open = true;
	(void)str_copy(s.dir, sizeof(s.dir), "/tmp/weir-stage-XXXXXX");
	if (mkdtemp(s.dir) == NULL || chmod(s.dir, 0755) == -1)
		fatal("%s", s.dir);
	/* PROGRAM comes last, behind what wraps it (strace). */
	s.wrapper = mem_calloc((size_t)argc, sizeof(char *));
	for (int i = 7; i < argc; i++)
		s.wrapper[i - 7] = argv[i];
	s.wrapper[argc - 7] = argv[1];
	s.certificate = open(argv[2], O_RDONLY | O_CLOEXEC);
	key = open(argv[3], O_RDONLY | O_CLOEXEC);
	if (s.certificate == -1 || key == -1)
		fatal("certificate");
	pair_memory();
	s.pair = pair_read(s.certificate, key, why);
	close(key);
	if (s.pair == NULL)
		fatalx("%s", why);
	describe(&s, (unsigned)strtoul(argv[5], NULL, 10), (unsigned)strtoul(argv[6], NULL, 10));
	s.https = tcp_listener(&https);
	s.http = tcp_listener(&http);
	s.boot.settings.https_port = https;
	path_of(&s, "httpd", path);
	s.listener = unix_listener(path);
	path_of(&s, "authd", path);
	s.authd.listener = unix_listener(path);
	path_of(&s, "store", path);
	s.store.listener = unix_listener(path);
	path_of(&s, "key", path);
	s.key.listener = unix_listener(path);
	printf("https %u\nhttp %u\n", https, http);
	start(&s);
	(void)fflush(stdout);
	s.base = event_base_new();
	if (s.base == NULL)
		return 1;
	actor_up(&s, &s.authd, PROC_AUTHD, false);
	actor_up(&s, &s.store, PROC_STORE, false);
	actor_up(&s, &s.key, PROC_KEY, false);
	s.input = event_new(s.base, 0, EV_READ | EV_PERSIST, on_input, &s);
	if (s.input == NULL || event_add(s.input, NULL) == -1)
		return 1;
	return event_base_dispatch(s.base) == -1;
}
