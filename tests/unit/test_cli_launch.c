/* The plan of processes, how one is started, and listening sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "launcher.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apart.h"
#include "base/auto.h"
#include "base/mem.h"
#include "capabilities.h"
#include "listen.h"

#define UID 61234

/* --- the plan
 * ---------------------------------------------------------------------------------------------------------
 */

static struct launcher *
planned(struct launch *launch, int64_t workers, unsigned points, bool analyze)
{
	struct launcher *l = mem_calloc(1, sizeof(*l));

	memset(launch, 0, sizeof(*launch));
	settings_default(&launch->settings);
	launch->settings.workers = workers;
	launch->settings.http_workers = points == BOOT_POINTS_MAX ? HTTPDS_MAX : 0;
	launch->analyze = analyze;
	launch->npoints = points;
	for (unsigned i = 0; i < points; i++) {
		launch->point[i].kind = i % 2 == 0 ? POINT_INTERFACE : POINT_FILE;
		(void)snprintf(launch->point[i].name, sizeof(launch->point[i].name), "p%u", i);
	}
	l->launch = launch;
	l->settings = &launch->settings;
	l->uid_base = 62400;
	l->http = l->tally = -1;
	plan_children(l);
	return l;
}

static const struct boot_peer *
find_peer(const struct boot *b, enum proc proc, unsigned instance)
{
	for (uint32_t i = 0; i < b->npeers; i++)
		if (b->peers[i].proc == (uint32_t)proc && b->peers[i].instance == instance)
			return &b->peers[i];
	return NULL;
}

/* Whoever is told of a peer is known to that peer under its own uid: otherwise one would refuse the other. */
static void
every_door_has_two_sides(void **state)
{
	static struct launch launch;
	struct launcher *l = planned(&launch, WORKERS_MAX, BOOT_POINTS_MAX, false);
	struct boot *own = mem_calloc(1, sizeof(*own)), *other = mem_calloc(1, sizeof(*other));

	(void)state;
	for (unsigned i = 0; i < l->nchildren; i++) {
		plan_boot(l, &l->child[i], 1, own);
		assert_true(own->npeers <= BOOT_PEERS_MAX);
		for (unsigned j = 0; j < l->nchildren; j++) {
			const struct child *c = &l->child[j];
			const struct boot_peer *there = find_peer(own, c->proc, c->instance), *back;

			if (there == NULL)
				continue;
			assert_int_equal(there->uid, c->uid);
			assert_true(there->connect == 0 || there->path[0] != '\0');
			plan_boot(l, c, 1, other);
			back = find_peer(other, l->child[i].proc, l->child[i].instance);
			assert_non_null(back);
			assert_int_equal(back->uid, l->child[i].uid);
		}
	}
	free(own);
	free(other);
	free(l);
}

static struct child *
find_child(struct launcher *l, enum proc proc)
{
	for (unsigned i = 0; i < l->nchildren; i++)
		if (l->child[i].proc == proc)
			return &l->child[i];
	fail_msg("no %s", proc_name(proc));
	return NULL;
}

/* dial sees nobody's uid: each of its peers has a socket of its own to come by, and dial knows which. */
static void
peers_of_dial_come_by_sockets_apart(void **state)
{
	static const enum proc peers[] = { PROC_STORE, PROC_DIRECTORY };
	static const char *const paths[] = { "/run/weir/store-0/dial-0.sock",
					     "/run/weir/directory-0/dial-0.sock" };
	static struct launch launch;
	struct launcher *l = planned(&launch, 2, 2, false);
	struct child *dial = find_child(l, PROC_DIAL);
	struct boot *b = mem_calloc(1, sizeof(*b)), *other = mem_calloc(1, sizeof(*other));
	uint32_t seen = 0;

	(void)state;
	assert_string_equal(dial->path, "");
	assert_int_equal(dial->napart, ARRAY_LEN(peers));
	plan_boot(l, dial, 1, b);
	assert_int_equal(b->npeers, ARRAY_LEN(peers));
	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		const struct boot_peer *p = find_peer(b, peers[i], 0), *back;
		unsigned n = p->listener - BOOT_FD_APART;

		assert_true(n < dial->napart);
		assert_int_equal(seen & 1u << n, 0);
		seen |= 1u << n;
		assert_ptr_equal(dial->apart[n].peer, find_child(l, peers[i]));
		assert_string_equal(dial->apart[n].path, paths[i]);
		assert_memory_equal(dial->apart[n].path, dial->apart[n].directory,
				    strlen(dial->apart[n].directory));
		plan_boot(l, find_child(l, peers[i]), 1, other);
		back = find_peer(other, PROC_DIAL, 0);
		assert_int_equal(back->connect, 1);
		assert_string_equal(back->path, paths[i]);
	}
	/* Nobody else is known by a socket. */
	for (unsigned i = 0; i < l->nchildren; i++) {
		plan_boot(l, &l->child[i], 1, b);
		for (uint32_t n = 0; n < b->npeers && l->child[i].proc != PROC_DIAL; n++)
			assert_int_equal(b->peers[n].listener, 0);
	}
	free(b);
	free(other);
	free(l);
}

static void
the_walls_are_in_the_plan(void **state)
{
	static struct launch launch;
	struct launcher *l = planned(&launch, 2, 2, false);
	struct boot *b = mem_calloc(1, sizeof(*b));

	(void)state;
	for (unsigned i = 0; i < l->nchildren; i++) {
		const struct child *c = &l->child[i];

		plan_boot(l, c, 7, b);
		assert_int_equal(b->proc, c->proc);
		assert_int_equal(b->boot, 7);
		assert_int_equal(b->flags, 0);
		assert_true(c->proc == PROC_STORE || c->proc == PROC_AUTHD || c->proc == PROC_ENGINE ||
			    c->proc == PROC_HTTPD || c->proc == PROC_KEY ||
			    find_peer(b, PROC_WEIR, 0) == NULL);
		/* Command lines are the business of those that hold a database. */
		assert_true(c->proc == PROC_STORE || c->proc == PROC_AUTHD ||
			    find_peer(b, PROC_WEIR, 1) == NULL);
		assert_true(c->proc != PROC_HTTPD || find_peer(b, PROC_ENGINE, 0) == NULL);
		assert_true(c->proc != PROC_CAPTURE || find_peer(b, PROC_STORE, 0) == NULL);
		assert_int_equal(c->spawn.capabilities,
				 c->proc == PROC_CAPTURE && c->point->kind == POINT_INTERFACE
				     ? CAPABILITY(CAP_NET_RAW)
				     : 0);
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(c->uid, l->child[j].uid);
		assert_true(c->uid > 62400 && c->uid < 62400 + 128);
	}
	free(l);
	l = planned(&launch, 1, 1, true);
	for (unsigned i = 0; i < l->nchildren; i++) {
		assert_int_not_equal(l->child[i].proc, PROC_HTTPD);
		plan_boot(l, &l->child[i], 7, b);
		assert_int_equal(b->flags, BOOT_ANALYZE);
	}
	free(b);
	free(l);
}

/* --- starting
 * ---------------------------------------------------------------------------------------------------------
 */

/* What the started program finds, written to its standard error: main() gets here when it is named "probe".
 */
static int
probe(void)
{
	char line[512] = "", status[4096] = "", target[256];
	size_t at = 0;
	int fd;
	ssize_t n;

	for (fd = 0; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			at += (size_t)snprintf(line + at, sizeof(line) - at, "%d ", fd);
	fd = open("/proc/self/status", O_RDONLY);
	n = read(fd, status, sizeof(status) - 1);
	(void)n;
	n = readlink("/proc/self/cwd", target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	dprintf(2, "fds %s\nuid %u %u gid %u groups %d\ncwd %s\nsession %d\nenvironment %d\n%s", line,
		getuid(), geteuid(), getgid(), getgroups(0, NULL), target, getsid(0) == getpid(),
		environ[0] != NULL, status);
	return 0;
}

static char *
run_probe(struct spawn *s)
{
	static char self[256];
	char *text = mem_calloc(1, 16384);
	int ends[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	assert_true(n > 0 && n < (ssize_t)sizeof(self));
	self[n] = '\0';
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	s->path = self;
	s->name = "probe";
	s->uid = UID;
	s->program = open(self, O_PATH | O_CLOEXEC);
	s->fd[0] = s->fd[1] = -1;
	s->fd[2] = ends[1];
	pid = spawn_start(s);
	assert_true(pid > 0);
	close(ends[1]);
	while ((n = read(ends[0], text + len, 16383 - len)) > 0)
		len += (size_t)n;
	close(ends[0]);
	close(s->program);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("the probe ended with wait status 0x%x: %s", status, text);
	return text;
}

static void
assert_has(const char *text, const char *words)
{
	if (strstr(text, words) == NULL)
		fail_msg("\"%s\" is not in:\n%s", words, text);
}

static void
a_process_starts_as_a_stranger(void **state)
{
	struct spawn s = { .directory = -1, .fd = { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 } };
	AUTO(mem_drop) char *text = NULL;
	int stray, wanted;

	(void)state;
	if (geteuid() != 0)
		skip();
	stray = open("/dev/null", O_RDONLY); /* not close-on-exec, and still not handed down */
	wanted = open("/dev/null", O_RDONLY | O_CLOEXEC);
	s.fd[3] = wanted;
	s.fd[5] = wanted;
	text = run_probe(&s);
	assert_has(text, "fds 0 1 2 3 5 \n");
	assert_has(text, "uid 61234 61234 gid 61234 groups 0\n");
	assert_has(text, "cwd /\n");
	assert_has(text, "session 1\n");
	assert_has(text, "environment 0\n");
	assert_has(text, "CapPrm:\t0000000000000000");
	assert_has(text, "CapBnd:\t0000000000000000");
	assert_has(text, "NoNewPrivs:\t1");
	close(stray);
	close(wanted);
}

static void
a_capability_is_handed_down_alone(void **state)
{
	struct spawn s = { .directory = -1,
			   .capabilities = CAPABILITY(CAP_NET_RAW),
			   .fd = { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 } };
	AUTO(mem_drop) char *text = NULL;

	(void)state;
	if (geteuid() != 0)
		skip();
	text = run_probe(&s);
	assert_has(text, "fds 0 1 2 \n");
	assert_has(text, "uid 61234 61234");
	assert_has(text, "CapEff:\t0000000000002000");
	assert_has(text, "CapPrm:\t0000000000002000");
	assert_has(text, "CapBnd:\t0000000000000000");
}

/* Descriptors that stand where others belong are not lost on the way. */
static void
descriptors_may_change_places(void **state)
{
	struct spawn s = { .directory = -1, .fd = { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 } };
	AUTO(mem_drop) char *text = NULL;
	int a = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

	(void)state;
	if (geteuid() != 0)
		skip();
	s.fd[8] = a;
	s.fd[3] = a;
	s.fd[4] = a;
	text = run_probe(&s);
	assert_has(text, "fds 0 1 2 3 4 8 \n");
	close(a);
}

/* --- listening
 * -------------------------------------------------------------------------------------------------------- */

static void
unix_sockets(void **state)
{
	char path[] = "/tmp/weir-test-listen-XXXXXX", name[64], err[256];
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct stat st;
	int first, second, client = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	(void)state;
	assert_non_null(mkdtemp(path));
	(void)snprintf(name, sizeof(name), "%s/x.sock", path);
	first = listen_unix(name, err, sizeof(err));
	assert_int_not_equal(first, -1);
	close(first); /* stale: the name stays behind */
	second = listen_unix(name, err, sizeof(err));
	assert_int_not_equal(second, -1);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	str_copy(a.sun_path, sizeof(a.sun_path), name);
	assert_int_equal(connect(client, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen_unix("/nonexistent/x.sock", err, sizeof(err)), -1);
	assert_non_null(strstr(err, "/nonexistent/x.sock"));
	close(client);
	close(second);
	unlink(name);
	rmdir(path);
}

/* --- sockets apart */

static void
assert_refused(struct apart *a, gid_t group, const char *words)
{
	char err[512];

	assert_int_equal(apart_listen(a, group, true, err, sizeof(err)), -1);
	assert_has(err, words);
	assert_int_equal(apart_listen(a, group, false, err, sizeof(err)), -1);
	assert_has(err, words);
	assert_int_equal(access(a->path, F_OK), -1);
}

static void
sockets_apart_are_closed_to_others(void **state)
{
	static const mode_t wrong[] = { 0700, 0711, 0730, 0750, 0770, 0777, 01710, 02710 };
	char root[] = "/tmp/weir-test-apart-XXXXXX", err[512];
	struct apart a = { 0 };
	struct stat st;
	int fd, again;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(root));
	(void)snprintf(a.directory, sizeof(a.directory), "%s/store-0", root);
	(void)snprintf(a.path, sizeof(a.path), "%s/store-0/dial-0.sock", root);
	/* Where somebody else makes it, it has to be there. */
	assert_int_equal(apart_listen(&a, UID, false, err, sizeof(err)), -1);
	assert_has(err, "/store-0: No such file or directory: `systemd-tmpfiles --create weir.conf`");

	for (unsigned round = 0; round < 2; round++) {
		umask(round == 0 ? 077 : 0);
		fd = apart_listen(&a, UID, true, err, sizeof(err));
		umask(022);
		assert_int_not_equal(fd, -1);
		assert_int_equal(lstat(a.directory, &st), 0);
		assert_int_equal(st.st_mode, S_IFDIR | 0710);
		assert_int_equal(st.st_uid, 0);
		assert_int_equal(st.st_gid, UID);
		close(fd);
		apart_remove(&a);
		assert_int_equal(access(a.directory, F_OK), -1);
	}

	/* One that was there before stays; a stale socket in it is replaced. */
	assert_int_equal(mkdir(a.directory, 0700), 0);
	assert_int_equal(chown(a.directory, 0, UID), 0);
	assert_int_equal(chmod(a.directory, 0710), 0);
	fd = apart_listen(&a, UID, false, err, sizeof(err));
	assert_int_not_equal(fd, -1);
	close(fd);
	again = apart_listen(&a, UID, true, err, sizeof(err));
	assert_int_not_equal(again, -1);
	close(again);
	apart_remove(&a);
	assert_int_equal(access(a.path, F_OK), -1);
	assert_int_equal(access(a.directory, F_OK), 0);

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(chmod(a.directory, wrong[i]), 0);
		assert_refused(&a, UID, "must have 0710");
	}
	assert_int_equal(chmod(a.directory, 0710), 0);
	assert_refused(&a, UID + 1, "must belong to 0:61235");
	assert_int_equal(chown(a.directory, UID, UID), 0);
	assert_refused(&a, UID, "belongs to 61234:61234, must belong to 0:61234");
	assert_int_equal(rmdir(a.directory), 0);

	/* Nothing else is taken for a directory, nor is one that a link leads to. */
	fd = open(a.directory, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0710);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_refused(&a, UID, "is no directory");
	assert_int_equal(unlink(a.directory), 0);
	assert_int_equal(symlink("/tmp", a.directory), 0);
	assert_refused(&a, UID, "is no directory");
	assert_int_equal(unlink(a.directory), 0);
	assert_int_equal(rmdir(root), 0);
}

static void
a_taken_port_is_named(void **state)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	char err[256];
	int first = listen_tcp("127.0.0.1", 0, "k", err, sizeof(err)), port;

	(void)state;
	assert_int_not_equal(first, -1);
	assert_int_equal(getsockname(first, (struct sockaddr *)&a, &len), 0);
	port = ntohs(a.sin_port);
	assert_int_equal(listen_tcp("127.0.0.1", port, "httpd.https_port", err, sizeof(err)), -1);
	assert_non_null(strstr(err, "is taken"));
	assert_non_null(strstr(err, "httpd.https_port"));
	assert_int_equal(listen_tcp("203.0.113.1", port, "httpd.https_port", err, sizeof(err)), -1);
	assert_non_null(strstr(err, "httpd.address"));
	close(first);
}

static void
tickets_have_the_key_before_for_an_hour(void **state)
{
	struct ticket_keys t;
	uint8_t first[TICKET_KEY_BYTES];

	(void)state;
	assert_int_not_equal(sodium_init(), -1);
	assert_true(ticket_keys_open(&t));
	assert_int_equal(t.keys->n, 1);
	memcpy(first, t.keys->key[0], sizeof(first));
	assert_false(ticket_keys_look(&t, 5000));
	assert_false(ticket_keys_look(&t, 5000 + TICKET_KEYS_LIFE_MS - 1));
	assert_true(ticket_keys_look(&t, 5000 + TICKET_KEYS_LIFE_MS));
	assert_int_equal(t.keys->n, 2);
	assert_memory_equal(t.keys->key[1], first, sizeof(first));
	assert_memory_not_equal(t.keys->key[0], first, sizeof(first));
	assert_false(ticket_keys_look(&t, 5000 + TICKET_KEYS_LIFE_MS + 1));
	memcpy(first, t.keys->key[0], sizeof(first));
	ticket_keys_renew(&t);
	assert_int_equal(t.keys->n, 1);
	assert_memory_not_equal(t.keys->key[0], first, sizeof(first));
	ticket_keys_close(&t);
	assert_null(t.keys);
}

static void
httpds_are_as_many_as_asked_for(void **state)
{
	struct settings s;
	unsigned n;

	(void)state;
	settings_default(&s);
	n = plan_httpds(&s);
	assert_true(n >= 1 && n <= 4);
	s.http_workers = HTTPDS_MAX;
	assert_int_equal(plan_httpds(&s), HTTPDS_MAX);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_door_has_two_sides),
		cmocka_unit_test(peers_of_dial_come_by_sockets_apart),
		cmocka_unit_test(the_walls_are_in_the_plan),
		cmocka_unit_test(a_process_starts_as_a_stranger),
		cmocka_unit_test(a_capability_is_handed_down_alone),
		cmocka_unit_test(descriptors_may_change_places),
		cmocka_unit_test(tickets_have_the_key_before_for_an_hour),
		cmocka_unit_test(httpds_are_as_many_as_asked_for),
		cmocka_unit_test(unix_sockets),
		cmocka_unit_test(sockets_apart_are_closed_to_others),
		cmocka_unit_test(a_taken_port_is_named),
	};

	if (argc > 0 && strcmp(argv[0], "probe") == 0)
		return probe();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
