#include "sandbox/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <locale.h>
#include <malloc.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "sandbox/profiles.h"

/* Everything that Landlock's first ABI can forbid: later ones are not relied on. */
#define LANDLOCK_ABI1                                                                                        \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |         \
	 LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |      \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |          \
	 LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |       \
	 LANDLOCK_ACCESS_FS_MAKE_SYM)

/* Exactly what pthread_create asks of clone (glibc and musl): no process, no new namespace. */
#define THREAD_FLAGS                                                                                         \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |   \
	 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

static void
refuse_what_is_wrong_already(const struct sandbox *s)
{
	DIR *d = opendir("/proc/self/task");
	unsigned tasks = 0;

	if (d == NULL)
		fatal("%s: cannot count threads in /proc/self/task: not starting", s->name);
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.')
			tasks++;
	closedir(d);
	if (tasks != 1)
		fatalx("%s: %u threads exist before the sandbox: not starting", s->name, tasks);
	if (!s->may_be_root && (getuid() == 0 || geteuid() == 0 || getgid() == 0 || getegid() == 0))
		fatalx("%s: runs as root: not starting", s->name);
}

static void
drop_capabilities(const struct sandbox *s)
{
	cap_t none = cap_init(), now = cap_get_proc();

	/* Whose unit left it none is not let call capset either. */
	if (none == NULL || now == NULL || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1 ||
	    (cap_compare(now, none) != 0 && cap_set_proc(none) == -1))
		fatal("%s: cannot give up capabilities: not starting", s->name);
	cap_free(now);
	cap_free(none);
	/* The bounding set needs CAP_SETPCAP, which we never had: no new privileges makes it moot. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal("%s: cannot refuse new privileges: not starting", s->name);
}

static void
limit_resources(const struct sandbox *s)
{
	const struct rlimit none = { 0, 0 }, size = { s->file_size, s->file_size },
			    processes = { s->processes, s->processes };
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		fatal("%s: cannot read resource limits: not starting", s->name);
	if (files.rlim_max > s->files)
		files.rlim_max = s->files;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) == -1 || setrlimit(RLIMIT_CORE, &none) == -1 ||
	    setrlimit(RLIMIT_FSIZE, &size) == -1)
		fatal("%s: cannot set resource limits: not starting", s->name);
	if (s->forks && setrlimit(RLIMIT_NPROC, &processes) == -1)
		fatal("%s: cannot set resource limits: not starting", s->name);
	/* A file that reaches its limit is an error to handle, not a death. */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		fatal("%s: cannot ignore SIGXFSZ: not starting", s->name);
}

/* Files below dir may be read, written, made and removed. */
static void
open_directory(const struct sandbox *s, int rules, int dir)
{
	const struct landlock_path_beneath_attr own = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
				  LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
				  LANDLOCK_ACCESS_FS_REMOVE_FILE,
		.parent_fd = dir,
	};

	if (dir == -1 || syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &own, 0) == -1)
		fatal("%s: cannot keep the own directory: not starting", s->name);
}

static void
close_file_system(const struct sandbox *s)
{
	const struct landlock_ruleset_attr attr = { .handled_access_fs = LANDLOCK_ABI1 };
	AUTO(fd_drop) int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (rules == -1)
		fatal("%s: this kernel has no Landlock: not starting", s->name);
	if (s->own_directory) {
		AUTO(fd_drop) int dir = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

		open_directory(s, rules, dir);
	}
	if (s->other_directory != 0)
		open_directory(s, rules, s->other_directory);
	if (syscall(SYS_landlock_restrict_self, rules, 0) == -1)
		fatal("%s: Landlock refused: not starting", s->name);
}

/* libseccomp's macros leave a field out, which clang reports. */
static struct scmp_arg_cmp
compare(unsigned arg, enum scmp_compare op, scmp_datum_t a, scmp_datum_t b)
{
	return (struct scmp_arg_cmp){ .arg = arg, .op = op, .datum_a = a, .datum_b = b };
}

static bool
allow(scmp_filter_ctx f, const struct sandbox_call *c)
{
	struct scmp_arg_cmp checks[2];
	unsigned n = 0;

	for (unsigned i = 0; i < ARRAY_LEN(c->check); i++) {
		unsigned a = c->check[i].arg;
		scmp_datum_t v = c->check[i].value;

		switch (c->check[i].compare) {
		case SANDBOX_ANY:
			break;
		case SANDBOX_EQUAL:
			checks[n++] = compare(a, SCMP_CMP_EQ, v, 0);
			break;
		case SANDBOX_BELOW:
			checks[n++] = compare(a, SCMP_CMP_LT, v, 0);
			break;
		case SANDBOX_MASKED_ZERO:
			checks[n++] = compare(a, SCMP_CMP_MASKED_EQ, v, 0);
			break;
		case SANDBOX_EQUAL_32:
			checks[n++] = compare(a, SCMP_CMP_MASKED_EQ, UINT32_MAX, v);
			break;
		}
	}
	return seccomp_rule_add_array(f, c->not_done ? SCMP_ACT_ERRNO(0) : SCMP_ACT_ALLOW, c->number, n,
				      checks) == 0;
}

/* Exactly what fork asks of clone. */
#define FORK_FLAGS (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD)

static bool
allow_clone(scmp_filter_ctx f, bool threads, bool forks)
{
	/* glibc tries clone3 first, whose flags a filter cannot see, and falls back. */
	if (seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) != 0)
		return false;
	if (forks && seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				      compare(0, SCMP_CMP_EQ, FORK_FLAGS, 0)) != 0)
		return false;
	return !threads || seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
					    compare(0, SCMP_CMP_EQ, THREAD_FLAGS, 0)) == 0;
}

static bool only_log;

void
sandbox_only_log(void)
{
	only_log = true;
}

static bool
allow_all(scmp_filter_ctx f, const struct sandbox *s)
{
	bool ok = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
		  seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0;

	for (size_t i = 0; ok && i < sandbox_common_count; i++)
		ok = allow(f, &sandbox_common[i]);
	for (size_t i = 0; ok && i < sandbox_sending_count; i++) {
		struct sandbox_call c = sandbox_sending[i];

		if (s->mute) {
			c.check[1].arg = 0;
			c.check[1].compare = SANDBOX_BELOW;
			c.check[1].value = SANDBOX_OUTSIDE;
		}
		ok = allow(f, &c);
	}
	for (size_t i = 0; ok && i < s->ncalls; i++)
		ok = allow(f, &s->calls[i]);
	return ok && allow_clone(f, s->threads, s->forks);
}

static void
filter_system_calls(const struct sandbox *s)
{
	scmp_filter_ctx f = seccomp_init(only_log ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS);

	if (f == NULL || !allow_all(f, s) || seccomp_load(f) != 0)
		fatalx("%s: no system call filter could be had: not starting", s->name);
	seccomp_release(f);
	if (only_log)
		log_error(
		    "%s: system calls are NOT filtered (sandbox.enforce: no), only logged: for diagnosis",
		    s->name);
}

bool
sandbox_export(const struct sandbox *s, uint32_t arch, int fd)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	bool ok = f != NULL &&
		  (arch == 0 || arch == seccomp_arch_native() ||
		   (seccomp_arch_remove(f, SCMP_ARCH_NATIVE) == 0 && seccomp_arch_add(f, arch) == 0)) &&
		  allow_all(f, s) && seccomp_export_pfc(f, fd) == 0;

	seccomp_release(f);
	return ok;
}

static int
by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

void
sandbox_warm(void)
{
	struct tm tm;
	time_t now = time(NULL);
	int numbers[1024] = { 0 };

	/* glibc reads /etc/localtime at the first localtime, wherever a library makes it. */
	tzset();
	(void)localtime_r(&now, &tm);
	(void)setlocale(LC_ALL, "C.UTF-8");
	/* libsodium opens a random source, and strerror a catalogue. */
	if (sodium_init() == -1)
		fatalx("libsodium could not be started");
	(void)randombytes_random();
	(void)strerror(ENOSPC);
	/* glibc opens a file of /proc the first time that the arena of a thread gives memory back: all share
	 * one. */
	(void)mallopt(M_ARENA_MAX, 1);
	/* glibc asks how much memory there is at the first qsort of more than a kilobyte. */
	qsort(numbers, ARRAY_LEN(numbers), sizeof(numbers[0]), by_number);
}

void
sandbox_enter(const struct sandbox *s)
{
	refuse_what_is_wrong_already(s);
	drop_capabilities(s);
	limit_resources(s);
	close_file_system(s);
	filter_system_calls(s);
}

void
sandbox_narrow(const struct sandbox *s)
{
	filter_system_calls(s);
}
