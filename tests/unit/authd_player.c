#include "authd_player.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ipc/boot.h"
#include "ipc/channel.h"
#include "ipc/fdpass.h"

#define AUTHD_UID 62402u /* where the test is root; otherwise our own */

static unsigned
authd_uid(void)
{
	return getuid() == 0 ? AUTHD_UID : (unsigned)getuid();
}

static void
listen_at(struct player *p)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)str_copy(a.sun_path, sizeof(a.sun_path), p->socket);
	p->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_not_equal(p->listener, -1);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(p->listener, 16), 0);
}

void
player_open(struct player *p)
{
	memset(p, 0, sizeof(*p));
	p->httpd = p->store = p->weir = p->errors = p->snapshot_fd = -1;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(p->home, sizeof(p->home), "/tmp/weir-authd-test-XXXXXX");
	assert_non_null(mkdtemp(p->home));
	assert_int_equal(chmod(p->home, 0711), 0);
	(void)snprintf(p->data, sizeof(p->data), "%s/data", p->home);
	(void)snprintf(p->socket, sizeof(p->socket), "%s/authd", p->home);
	assert_int_equal(mkdir(p->data, 0700), 0);
	if (getuid() == 0)
		assert_int_equal(chown(p->data, AUTHD_UID, AUTHD_UID), 0);
	listen_at(p);
	p->binary = open(WEIR_AUTHD, O_PATH | O_CLOEXEC);
	assert_int_not_equal(p->binary, -1);
	settings_default(&p->settings);
	p->settings.password_memory = 8 << 20;
	p->settings.password_passes = 1;
}

void
player_close(struct player *p)
{
	static const char *const files[] = { "accounts.mdb", "accounts.mdb-lock", "audit.key", "audit.tail" };

	if (p->pid > 0)
		(void)player_exit(p, SIGKILL);
	(void)umount2(p->data, MNT_DETACH); /* where a test mounted one */
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char path[160];

		(void)snprintf(path, sizeof(path), "%s/%s", p->data, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(p->data);
	(void)unlink(p->socket);
	(void)rmdir(p->home);
	player_hang_up(&p->listener);
	player_hang_up(&p->binary);
	player_hang_up(&p->snapshot_fd);
}

static void
fill_boot(const struct player *p, struct boot *b)
{
	static const enum proc peers[] = { PROC_HTTPD, PROC_STORE, PROC_WEIR };

	b->proc = PROC_AUTHD;
	b->uid = authd_uid();
	b->settings = p->settings;
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		b->peers[b->npeers++] = (struct boot_peer){ .proc = peers[i], .uid = (uint32_t)getuid() };
	/* A second httpd, and the command line beside the launcher. */
	b->peers[b->npeers++] =
	    (struct boot_peer){ .proc = PROC_HTTPD, .instance = 1, .uid = (uint32_t)getuid() };
	b->peers[b->npeers++] =
	    (struct boot_peer){ .proc = PROC_WEIR, .instance = 1, .uid = (uint32_t)getuid() };
}

/* In the child: descriptors as ipc/boot.h has them, then the program. */
static _Noreturn void
become_authd(const struct player *p, int document, int errors)
{
	char *const argv[] = { (char *)(uintptr_t) "weir-authd", NULL };
	char *const envp[] = { NULL };
	int high[5] = { document, p->listener, open(p->data, O_PATH | O_DIRECTORY), errors, p->binary };

	for (int i = 0; i < 5; i++)
		high[i] = fcntl(high[i], F_DUPFD, 100);
	if (chdir(p->data) == -1 || dup2(high[0], BOOT_FD_DOCUMENT) == -1 ||
	    dup2(high[1], BOOT_FD_LISTEN) == -1 || dup2(high[2], BOOT_FD_DIRECTORY) == -1 ||
	    dup2(high[3], 2) == -1 || dup2(high[4], 6) == -1)
		_exit(99);
	(void)fcntl(6, F_SETFD, FD_CLOEXEC);
	(void)close_range(7, ~0U, 0);
	if (getuid() == 0 && (setgid(AUTHD_UID) == -1 || setuid(AUTHD_UID) == -1))
		_exit(98);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)fexecve(6, argv, envp);
	_exit(97);
}

void
player_spawn(struct player *p)
{
	struct boot *b = mem_calloc(1, sizeof(*b));
	int document, pipes[2];

	fill_boot(p, b);
	document = boot_memfd(b);
	free(b);
	assert_int_not_equal(document, -1);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	(void)fcntl(pipes[1], F_SETPIPE_SZ, 1 << 20); /* nobody reads while authd lives */
	p->pid = fork();
	assert_int_not_equal(p->pid, -1);
	if (p->pid == 0)
		become_authd(p, document, pipes[1]);
	close(document);
	close(pipes[1]);
	player_hang_up(&p->errors);
	p->errors = pipes[0];
}

void
player_start(struct player *p)
{
	player_spawn(p);
	player_connect_weir(p);
	player_connect_httpd(p);
}

int
player_exit(struct player *p, int sig)
{
	int status;

	if (sig != 0)
		assert_int_equal(kill(p->pid, sig), 0);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	p->pid = 0;
	player_hang_up(&p->httpd);
	player_hang_up(&p->store);
	player_hang_up(&p->weir);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void
player_errors(struct player *p, char *out, size_t size)
{
	size_t at = 0;
	ssize_t n;

	while (at + 1 < size && (n = read(p->errors, out + at, size - 1 - at)) > 0)
		at += (size_t)n;
	out[at] = '\0';
}

void
player_hang_up(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static int
dial(struct player *p, enum proc self)
{
	int fd = channel_dial(p->socket, self, 0, PROC_AUTHD, PATIENCE_MS);

	if (fd == -1) {
		char text[2048] = "";

		if (p->pid > 0) {
			(void)player_exit(p, SIGKILL);
			player_errors(p, text, sizeof(text));
		}
		fail_msg("cannot reach authd: %s; it said: %s", strerror(errno), text);
	}
	return fd;
}

void
player_connect_httpd(struct player *p)
{
	player_hang_up(&p->httpd);
	p->httpd = dial(p, PROC_HTTPD);
}

void
player_connect_weir(struct player *p)
{
	player_hang_up(&p->weir);
	p->weir = dial(p, PROC_WEIR);
}

bool
player_waits(int fd, int ms)
{
	struct pollfd f = { fd, POLLIN, 0 };

	return poll(&f, 1, ms) == 1;
}

bool
player_hung_up(int fd)
{
	uint8_t some[64];

	for (int i = 0; i < 50 && player_waits(fd, PATIENCE_MS); i++)
		if (recv(fd, some, sizeof(some), 0) <= 0)
			return true;
	return false;
}

/* --- store --- */

static void
confirm(struct player *p, const struct wire_grant_change *c)
{
	if (!p->mute)
		assert_true(channel_write(p->store, PROC_STORE, PROC_AUTHD, MSG_GRANT_TAKEN, c, sizeof(*c)));
}

static void
take_set(struct player *p, const void *body, size_t len)
{
	struct wire_grant_ids h;

	memcpy(&h, body, sizeof(h));
	assert_int_equal(len, sizeof(h) + h.n * sizeof(p->set[0]));
	assert_int_equal(h.begin, !p->set_open);
	if (h.begin)
		p->nset = 0;
	assert_true(p->nset + h.n <= ARRAY_LEN(p->set));
	memcpy(p->set + p->nset, (const uint8_t *)body + sizeof(h), h.n * sizeof(p->set[0]));
	p->nset += h.n;
	p->set_open = !h.end;
	p->nsets += h.end;
}

static void
take_snapshot(struct player *p, const void *body, int fd)
{
	memcpy(&p->snapshot, body, sizeof(p->snapshot));
	player_hang_up(&p->snapshot_fd);
	p->snapshot_fd = fd;
	p->nsnapshots++;
	assert_true(channel_write(p->store, PROC_STORE, PROC_AUTHD, MSG_POLICY_TAKEN, &p->snapshot,
				  sizeof(p->snapshot)));
}

static void
take_change(struct player *p, uint32_t id, const void *body)
{
	struct wire_grant_change c;

	memcpy(&c, body, sizeof(c));
	if (id == MSG_GRANT_ADD) {
		p->nadds++;
		p->last_add = c;
	} else {
		p->nrevokes++;
		p->last_revoke = c;
	}
	confirm(p, &c);
}

void
player_store_step(struct player *p)
{
	static uint8_t raw[8 + MSG_BODY_MAX];
	struct {
		uint32_t id, len;
	} h;
	int fd = -1;
	ssize_t n;

	assert_true(player_waits(p->store, PATIENCE_MS));
	n = fdpass_recv(p->store, raw, sizeof(raw), &fd);
	assert_true(n >= (ssize_t)sizeof(h));
	memcpy(&h, raw, sizeof(h));
	assert_int_equal(h.len, (size_t)n - sizeof(h));
	assert_true(msg_admit(h.id, PROC_AUTHD, PROC_STORE, h.len, fd == -1 ? 0 : 1));
	if (h.id == MSG_GRANT_KEYS) {
		memcpy(&p->keys, raw + sizeof(h), sizeof(p->keys));
		p->nkeys++;
	} else if (h.id == MSG_POLICY_SNAPSHOT) {
		take_snapshot(p, raw + sizeof(h), fd);
	} else if (h.id == MSG_GRANT_SET) {
		take_set(p, raw + sizeof(h), h.len);
	} else if (h.id == MSG_AUTHD_ALIVE) {
		p->nalive++;
	} else if (h.id == MSG_AUTHD_COUNTERS) {
		memcpy(&p->counted, raw + sizeof(h), sizeof(p->counted));
	} else {
		take_change(p, h.id, raw + sizeof(h));
	}
}

void
player_connect_store(struct player *p)
{
	unsigned sets = p->nsets;

	player_hang_up(&p->store);
	p->store = dial(p, PROC_STORE);
	assert_int_equal(fcntl(p->store, F_SETFL, O_NONBLOCK), 0);
	p->set_open = false;
	while (p->nsets == sets)
		player_store_step(p);
}

/* --- httpd and the command line --- */

static struct wire_client
client(const char *from)
{
	struct wire_client c = { 0 };

	assert_true(ip_parse(from, &c.ip));
	return c;
}

static void
put(struct player *p, enum msg_id id, const void *body, size_t len)
{
	assert_true(channel_write(p->httpd, PROC_HTTPD, PROC_AUTHD, id, body, len));
}

uint64_t
player_send_login(struct player *p, const char *name, const char *password, const char *from)
{
	struct wire_login w = { .request = ++p->request, .client = client(from) };

	assert_true(str_copy(w.name, sizeof(w.name), name) &&
		    str_copy(w.password, sizeof(w.password), password));
	put(p, MSG_LOGIN, &w, sizeof(w));
	return w.request;
}

uint64_t
player_send_setup(struct player *p, const uint8_t *secret, const char *name, const char *password,
		  const char *from)
{
	struct wire_setup w = { .request = ++p->request, .client = client(from) };

	memcpy(w.secret, secret, sizeof(w.secret));
	assert_true(str_copy(w.name, sizeof(w.name), name) &&
		    str_copy(w.password, sizeof(w.password), password));
	put(p, MSG_SETUP, &w, sizeof(w));
	return w.request;
}

uint64_t
player_send_session(struct player *p, enum msg_id id, const uint8_t *cookie)
{
	struct wire_session w = { .request = ++p->request, .client = client("192.0.2.1") };

	memcpy(w.cookie, cookie, sizeof(w.cookie));
	put(p, id, &w, sizeof(w));
	return w.request;
}

bool
player_any_answer(struct player *p, struct wire_auth_answer *a)
{
	static uint8_t body[MSG_BODY_MAX];
	enum msg_id id;
	ssize_t n;

	for (;;) {
		struct pollfd f[2] = { { p->httpd, POLLIN, 0 }, { p->store, POLLIN, 0 } };

		assert_true(poll(f, 2, PATIENCE_MS) > 0);
		if (f[1].revents != 0)
			player_store_step(p);
		if (f[0].revents == 0)
			continue;
		n = channel_read(p->httpd, PROC_HTTPD, PROC_AUTHD, &id, body, 0);
		if (n == -1)
			return false;
		assert_int_equal(id, MSG_AUTH_ANSWER);
		memcpy(a, body, sizeof(*a));
		return true;
	}
}

void
player_answer(struct player *p, uint64_t request, struct wire_auth_answer *a)
{
	do {
		if (!player_any_answer(p, a))
			fail_msg("authd hung up on httpd");
	} while (a->request != request);
}

void
player_cli(struct player *p, enum msg_id id, struct wire_cli_answer *a)
{
	static uint8_t body[MSG_BODY_MAX];
	struct wire_cli_request w = { ++p->request };
	enum msg_id got;

	assert_true(channel_write(p->weir, PROC_WEIR, PROC_AUTHD, id, &w, sizeof(w)));
	while (p->store != -1 && !player_waits(p->weir, 50))
		if (player_waits(p->store, 0))
			player_store_step(p);
	assert_int_equal(channel_read(p->weir, PROC_WEIR, PROC_AUTHD, &got, body, PATIENCE_MS), sizeof(*a));
	assert_int_equal(got, MSG_CLI_ANSWER);
	memcpy(a, body, sizeof(*a));
	assert_true(a->request == w.request);
}

uint64_t
player_send_tenant_session(struct player *p, const uint8_t *cookie, const char *tenant)
{
	struct wire_session w = { .request = ++p->request, .client = client("192.0.2.1") };

	memcpy(w.cookie, cookie, sizeof(w.cookie));
	assert_true(str_copy(w.tenant, sizeof(w.tenant), tenant));
	put(p, MSG_SESSION, &w, sizeof(w));
	return w.request;
}

uint64_t
player_send_token(struct player *p, const char *token, const char *tenant, const char *from)
{
	struct wire_token w = { .request = ++p->request, .client = client(from) };

	assert_true(str_copy(w.token, sizeof(w.token), token) &&
		    str_copy(w.tenant, sizeof(w.tenant), tenant));
	put(p, MSG_TOKEN, &w, sizeof(w));
	return w.request;
}

uint64_t
player_send_basic(struct player *p, const char *name, const char *password, const char *tenant,
		  const char *from)
{
	struct wire_basic w = { .request = ++p->request, .client = client(from) };

	assert_true(str_copy(w.name, sizeof(w.name), name) &&
		    str_copy(w.password, sizeof(w.password), password) &&
		    str_copy(w.tenant, sizeof(w.tenant), tenant));
	put(p, MSG_BASIC, &w, sizeof(w));
	return w.request;
}

uint64_t
player_send_second_factor(struct player *p, const uint8_t *ticket, const char *code, const char *from)
{
	struct wire_second_factor w = { .request = ++p->request, .client = client(from) };

	memcpy(w.ticket, ticket, sizeof(w.ticket));
	assert_true(str_copy(w.code, sizeof(w.code), code));
	put(p, MSG_SECOND_FACTOR, &w, sizeof(w));
	return w.request;
}

char player_body[1 << 20];
bool player_unconfirmed;

uint64_t
player_send_admin(struct player *p, const uint8_t *grant, size_t len, const char *json)
{
	static uint8_t body[MSG_BODY_MAX];
	struct wire_admin w = { .request = ++p->request,
				.client = client("192.0.2.1"),
				.grant_len = (uint32_t)len };
	enum proc self = len > 0 ? PROC_HTTPD : PROC_WEIR;
	int fd = len > 0 ? p->httpd : p->weir;

	w.body_len = (uint32_t)strlen(json);
	memcpy(body, &w, sizeof(w));
	if (len > 0)
		memcpy(body + sizeof(w), grant, len);
	memcpy(body + sizeof(w) + len, json, w.body_len);
	assert_true(channel_write(fd, self, PROC_AUTHD, len > 0 ? MSG_ADMIN : MSG_CLI_ADMIN, body,
				  sizeof(w) + len + w.body_len));
	return w.request;
}

enum admin_status
player_admin(struct player *p, const uint8_t *grant, size_t len, const char *json)
{
	static uint8_t body[MSG_BODY_MAX];
	uint64_t request = player_send_admin(p, grant, len, json);
	enum proc self = len > 0 ? PROC_HTTPD : PROC_WEIR;
	int fd = len > 0 ? p->httpd : p->weir;
	struct wire_admin_answer a;
	size_t at = 0;

	do {
		enum msg_id id;
		ssize_t n;

		while (p->store != -1 && !player_waits(fd, 20))
			if (player_waits(p->store, 0))
				player_store_step(p);
		n = channel_read(fd, self, PROC_AUTHD, &id, body, PATIENCE_MS);
		assert_true(n >= (ssize_t)sizeof(a));
		if (id != MSG_ADMIN_ANSWER && id != MSG_CLI_ADMIN_ANSWER) {
			a.more = 1; /* an answer to something else */
			continue;
		}
		memcpy(&a, body, sizeof(a));
		assert_true(a.request == request && a.body_len == (size_t)n - sizeof(a));
		assert_true(at + a.body_len < sizeof(player_body));
		memcpy(player_body + at, body + sizeof(a), a.body_len);
		at += a.body_len;
		assert_in_range(a.unconfirmed, 0, 1);
		player_unconfirmed = a.unconfirmed != 0;
	} while (a.more);
	player_body[at] = '\0';
	return (enum admin_status)a.status;
}

void
player_set_up(struct player *p, struct wire_auth_answer *a)
{
	struct wire_cli_answer link;

	player_cli(p, MSG_CLI_SETUP_LINK, &link);
	assert_int_equal(link.status, AUTH_OK);
	player_answer(p, player_send_setup(p, link.secret, PLAYER_NAME, PLAYER_PASSWORD, "192.0.2.1"), a);
	assert_int_equal(a->status, AUTH_OK);
}

size_t
player_hashers(const struct player *p, pid_t pid[static PLAYER_HASHERS])
{
	char path[64], list[256] = "", *at = list, *end;
	size_t n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)p->pid, (long)p->pid);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(list, sizeof(list), f));
	(void)fclose(f);
	for (long id = strtol(at, &end, 10); end != at; id = strtol(at, &end, 10)) {
		assert_true(n < PLAYER_HASHERS);
		pid[n++] = (pid_t)id;
		at = end;
	}
	assert_true(n > 0);
	return n;
}
