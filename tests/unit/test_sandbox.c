/* The sandbox: what it refuses to start with, and that a forbidden call kills. Each case runs in a process of
 * its own. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "sandbox/sandbox.h"

#define SURVIVED 42

static void
as_nobody(void)
{
	if (getuid() == 0 && (setresgid(65534, 65534, 65534) == -1 || setresuid(65534, 65534, 65534) == -1))
		_exit(99);
}

/* What the profile is narrowed to afterwards; NULL: nothing. */
static const struct sandbox *narrower;

/* Runs attempt() inside the profile in a child; gives the wait status. */
static int
inside(const struct sandbox *s, void (*attempt)(void))
{
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 2);
		as_nobody();
		sandbox_warm();
		sandbox_enter(s);
		if (narrower != NULL)
			sandbox_narrow(narrower);
		attempt();
		_exit(SURVIVED);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
try_nothing(void)
{
}
static void
try_open(void)
{
	if (open("/etc/passwd", O_RDONLY) != -1 || errno != EACCES)
		_exit(1);
}
static void
try_open_path(void)
{
	(void)open(".", O_PATH);
}
static void
try_truncate(void)
{
	(void)open("nothing", O_WRONLY | O_TRUNC);
}
static void
try_open_below(void)
{
	(void)openat(0, "nothing", O_RDONLY);
}
static void
try_remove_directory(void)
{
	(void)unlinkat(AT_FDCWD, "nothing", AT_REMOVEDIR);
}
static void
try_socket(void)
{
	(void)socket(AF_INET, SOCK_STREAM, 0);
}
static void
try_connect(void)
{
	(void)syscall(SYS_connect, 0, NULL, 0);
}
static int unconnected;
static struct sockaddr_in somewhere = { .sin_family = AF_INET };
/* It is said to be done. */
static void
try_connect_for_real(void)
{
	if (connect(unconnected, (struct sockaddr *)&somewhere, sizeof(somewhere)) != 0)
		_exit(1);
}
static void
try_exec(void)
{
	char *argv[] = { NULL };

	(void)syscall(SYS_execve, "/bin/true", argv, argv);
}
static void
try_fork(void)
{
	(void)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}
static void
try_namespace(void)
{
	(void)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
}
static void
try_executable_memory(void)
{
	(void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static void
try_executable_later(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)mprotect(p, 4096, PROT_READ | PROT_EXEC);
}
static void
try_ptrace(void)
{
	(void)syscall(SYS_ptrace, 0, 0, 0, 0);
}
static void
try_dup(void)
{
	(void)dup2(0, 200);
}
static void
try_sendto_address(void)
{
	char a[16] = { 0 };

	(void)syscall(SYS_sendto, 0, "x", 1, 0, a, sizeof(a));
}
static void
try_kill(void)
{
	(void)kill(1, 0);
}
static void
try_io_uring(void)
{
	(void)syscall(SYS_io_uring_setup, 1, NULL);
}
static void
try_high_sendmsg(void)
{
	(void)syscall(SYS_sendmsg, 128, NULL, 0);
}
static void *
nothing(void *arg)
{
	return arg;
}
static void
try_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, nothing, NULL) != 0 || pthread_join(t, NULL) != 0)
		_exit(1);
}

/* Several heaps of a thread's arena, given back from the end. */
static void *
allocator(void *arg)
{
	static void *block[4096];

	for (size_t i = 0; i < ARRAY_LEN(block); i++)
		if ((block[i] = malloc(60000)) == NULL)
			_exit(2);
	for (size_t i = ARRAY_LEN(block); i-- > 0;)
		free(block[i]);
	return arg;
}
static void
try_interface(void)
{
	struct ifreq r = { .ifr_name = "lo" };

	(void)ioctl(0, SIOCGIFFLAGS, &r); /* whatever comes of it */
}

static void
try_thread_that_allocates(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, allocator, NULL) != 0 || pthread_join(t, NULL) != 0)
		_exit(1);
}

static const struct sandbox *const all[] = { &sandbox_capture, &sandbox_capture_file, &sandbox_engine,
					     &sandbox_store,   &sandbox_authd,        &sandbox_httpd };

static void
quiet_work_survives(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		int status = inside(all[i], try_nothing);

		if (!WIFEXITED(status) || WEXITSTATUS(status) != SURVIVED)
			fail_msg("%s: status %#x", all[i]->name, (unsigned)status);
	}
}

static void
forbidden_calls_kill(void **state)
{
	static const struct {
		const char *name;
		void (*attempt)(void);
	} attempts[] = { { "socket", try_socket },
			 { "connect", try_connect },
			 { "exec", try_exec },
			 { "fork", try_fork },
			 { "user namespace", try_namespace },
			 { "executable memory", try_executable_memory },
			 { "memory made executable", try_executable_later },
			 { "ptrace", try_ptrace },
			 { "dup", try_dup },
			 { "sendto with an address", try_sendto_address },
			 { "kill", try_kill },
			 { "io_uring", try_io_uring } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		for (size_t j = 0; j < ARRAY_LEN(attempts); j++) {
			int status = inside(all[i], attempts[j].attempt);

			if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
				fail_msg("%s: %s gave %#x", all[i]->name, attempts[j].name, (unsigned)status);
		}
	}
}

static void
files_are_closed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		int status = inside(all[i], try_open);

		/* store opens files of its own directory as it goes: Landlock refuses all others */
		if (all[i] == &sandbox_store)
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == SURVIVED);
		else
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	}
}

static void
store_opens_nothing_but_files(void **state)
{
	static void (*const attempts[])(void) = { try_open_path, try_truncate, try_open_below,
						  try_remove_directory };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		int status = inside(&sandbox_store, attempts[i]);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("attempt %zu gave %#x", i, (unsigned)status);
	}
}

static void
engine_cannot_send_beyond_its_channels(void **state)
{
	int status = inside(&sandbox_engine, try_high_sendmsg);

	(void)state;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

/* A library may call connect there: nothing comes of it, and what else reaches out kills. */
static void
directory_connects_nowhere(void **state)
{
	static const struct sandbox *const narrowed[] = { NULL, &sandbox_oidc };
	static void (*const attempts[])(void) = { try_socket, try_exec, try_open, try_sendto_address };
	socklen_t len = sizeof(somewhere);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)state;
	somewhere.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	unconnected = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(listener != -1 && unconnected != -1);
	assert_int_equal(bind(listener, (struct sockaddr *)&somewhere, sizeof(somewhere)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&somewhere, &len), 0);
	for (size_t i = 0; i < ARRAY_LEN(narrowed); i++) {
		int status;

		narrower = narrowed[i];
		status = inside(&sandbox_directory, try_connect_for_real);

		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == SURVIVED);
		assert_true(accept(listener, NULL, NULL) == -1 && errno == EAGAIN);
		for (size_t j = 0; j < ARRAY_LEN(attempts); j++) {
			status = inside(&sandbox_directory, attempts[j]);
			if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
				fail_msg("attempt %zu gave %#x", j, (unsigned)status);
		}
	}
	narrower = NULL;
	close(unconnected);
	close(listener);
}

/* Interfaces are for those that have one. */
static void
readers_of_files_ask_no_interface(void **state)
{
	int status = inside(&sandbox_capture_file, try_interface);

	(void)state;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	status = inside(&sandbox_capture, try_interface);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == SURVIVED);
}

static void
threads_only_where_the_profile_has_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		int status = inside(all[i], try_thread);

		if (all[i]->threads)
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == SURVIVED);
		else
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	}
}

static void
threads_give_memory_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		int status = all[i]->threads ? inside(all[i], try_thread_that_allocates) : 0;

		if (all[i]->threads && (!WIFEXITED(status) || WEXITSTATUS(status) != SURVIVED))
			fail_msg("%s: status %#x", all[i]->name, (unsigned)status);
	}
}

static void *
sleeper(void *arg)
{
	pause();
	return arg;
}

static void
no_start(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	/* a thread made earlier would stay outside the filter */
	pid = fork();
	if (pid == 0) {
		pthread_t t;

		dup2(open("/dev/null", O_WRONLY), 2);
		as_nobody();
		pthread_create(&t, NULL, sleeper, NULL);
		sandbox_enter(&sandbox_capture);
		_exit(SURVIVED);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	if (getuid() != 0)
		return;
	pid = fork();
	if (pid == 0) {
		dup2(open("/dev/null", O_WRONLY), 2);
		sandbox_enter(&sandbox_capture);
		_exit(SURVIVED);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

#define ANY_ARGUMENT 0, SCMP_CMP_GE, 0

/* A kernel that refuses what a wall is made with. */
struct refusal {
	const char *what;
	struct {
		int number; /* 0: none */
		unsigned arg;
		enum scmp_compare compare;
		scmp_datum_t value;
	} call[2];
};

static void
refuse(const struct refusal *r)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	bool ok = f != NULL && seccomp_attr_set(f, SCMP_FLTATR_CTL_NNP, 0) == 0;

	for (size_t i = 0; ok && i < ARRAY_LEN(r->call) && r->call[i].number != 0; i++) {
		const struct scmp_arg_cmp which = { r->call[i].arg, r->call[i].compare, r->call[i].value, 0 };

		ok = seccomp_rule_add_array(f, SCMP_ACT_ERRNO(EPERM), r->call[i].number, 1, &which) == 0;
	}
	if (!ok || seccomp_load(f) != 0)
		_exit(98);
	seccomp_release(f);
}

/* What a process comes to that starts where this is refused. */
static int
start_without(const struct refusal *r)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		dup2(open("/dev/null", O_WRONLY), 2);
		sandbox_warm();
		/* So that there is something to give up. */
		if (prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS) == -1)
			_exit(97);
		if (r != NULL)
			refuse(r);
		as_nobody();
		sandbox_enter(&sandbox_store);
		_exit(SURVIVED);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
no_start_without_each_wall(void **state)
{
	static const struct refusal walls[] = {
		{ "threads", { { SCMP_SYS(getdents64), ANY_ARGUMENT } } },
		{ "capabilities", { { SCMP_SYS(capset), ANY_ARGUMENT } } },
		{ "no new privileges", { { SCMP_SYS(prctl), 0, SCMP_CMP_EQ, PR_SET_NO_NEW_PRIVS } } },
		{ "limits", { { SCMP_SYS(prlimit64), 2, SCMP_CMP_NE, 0 } } }, /* to set them */
		{ "a set of rules", { { SCMP_SYS(landlock_create_ruleset), ANY_ARGUMENT } } },
		{ "a rule", { { SCMP_SYS(landlock_add_rule), ANY_ARGUMENT } } },
		{ "Landlock", { { SCMP_SYS(landlock_restrict_self), ANY_ARGUMENT } } },
		{ "a filter",
		  { { SCMP_SYS(seccomp), ANY_ARGUMENT },
		    { SCMP_SYS(prctl), 0, SCMP_CMP_EQ, PR_SET_SECCOMP } } },
	};

	(void)state;
	if (getuid() != 0)
		return;
	assert_int_equal(start_without(NULL), SURVIVED);
	for (size_t i = 0; i < ARRAY_LEN(walls); i++) {
		int came = start_without(&walls[i]);

		if (came != 1)
			fail_msg("%s: exit status %d", walls[i].what, came);
	}
}

/* An auditor's view of a filter; the caller frees it. */
static char *
exported(const struct sandbox *s, uint32_t arch)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	char *text = calloc(1, 1 << 20);
	ssize_t n;

	assert_true(sandbox_export(s, arch, fd));
	n = pread(fd, text, (1 << 20) - 1, 0);
	assert_true(n > 0);
	close(fd);
	return text;
}

static bool
lets(const char *text, const char *call)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "syscall \"%s\"", call);
	return strstr(text, line) != NULL;
}

/* Every profile can be had for both architectures that are supported, and has no more on one than on the
 * other. */
static void
both_architectures_have_filters(void **state)
{
	static const struct sandbox *const profiles[] = {
		&sandbox_capture, &sandbox_capture_file, &sandbox_engine, &sandbox_store,
		&sandbox_authd,   &sandbox_hasher,       &sandbox_httpd,  &sandbox_dial,
		&sandbox_audit,   &sandbox_check,        &sandbox_copy,   &sandbox_directory,
		&sandbox_attempt, &sandbox_oidc,         &sandbox_key,    &sandbox_certificate
	};
	static const uint32_t arch[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64 };
	static const char *const never[] = { "execve", "execveat", "ptrace", "bpf",
					     "mount",  "open",     "fork",   "setuid" };
	static const char *const always[] = { "read", "write", "mmap", "exit_group", "futex", "recvmsg" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		for (size_t a = 0; a < ARRAY_LEN(arch); a++) {
			char *text = exported(profiles[i], arch[a]);

			for (size_t k = 0; k < ARRAY_LEN(never); k++)
				assert_false(lets(text, never[k]));
			for (size_t k = 0; k < ARRAY_LEN(always); k++)
				assert_true(lets(text, always[k]));
			assert_int_equal(lets(text, "openat"),
					 profiles[i]->own_directory && profiles[i] != &sandbox_authd);
			assert_int_equal(lets(text, "socket"), profiles[i] == &sandbox_dial);
			/* What glibc calls instead, where an architecture has no old calls. */
			assert_true(lets(text, arch[a] == AUDIT_ARCH_AARCH64 ? "ppoll" : "poll"));
			assert_true(lets(text, arch[a] == AUDIT_ARCH_AARCH64 ? "epoll_pwait" : "epoll_wait"));
			free(text);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_work_survives),
		cmocka_unit_test(both_architectures_have_filters),
		cmocka_unit_test(forbidden_calls_kill),
		cmocka_unit_test(files_are_closed),
		cmocka_unit_test(store_opens_nothing_but_files),
		cmocka_unit_test(engine_cannot_send_beyond_its_channels),
		cmocka_unit_test(directory_connects_nowhere),
		cmocka_unit_test(readers_of_files_ask_no_interface),
		cmocka_unit_test(threads_only_where_the_profile_has_them),
		cmocka_unit_test(threads_give_memory_back),
		cmocka_unit_test(no_start),
		cmocka_unit_test(no_start_without_each_wall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
