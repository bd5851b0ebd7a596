/* The certificate that changes under the launcher: a pair is taken when both files stand still and belong
 * together, and else the one before stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "certificate.h"
#include "certificate_files.h"
#include "certificate_judge.h"

#define PEM_MAX    4096
#define STATUS_MAX 8192

static char dir[] = "/tmp/weir-certificate-XXXXXX";
static struct settings settings;

static void
path_of(const char *name, char out[static 64])
{
	(void)snprintf(out, 64, "%s/%s", dir, name);
}

/* A pair of its own in a folder of this name. */
static void
make_pair(const char *name)
{
	char path[64], err[256];
	bool made;
	int fd;

	path_of(name, path);
	assert_int_equal(mkdir(path, 0700), 0);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(certificate_ensure(fd, NULL, 0, &made, err, sizeof(err)) && made);
	close(fd);
}

static size_t
read_text(int fd, char *out, size_t size)
{
	ssize_t n = pread(fd, out, size - 1, 0);

	assert_true(n > 0 && (size_t)n < size - 1);
	out[n] = '\0';
	return (size_t)n;
}

static size_t
read_all(int fd, char out[static PEM_MAX])
{
	return read_text(fd, out, PEM_MAX);
}

/* What stands there is replaced at once, as whoever renews certificates does. */
static void
put(const char *from, const char *to)
{
	char source[64], target[64], beside[72], text[PEM_MAX];
	int in, out;
	size_t n;

	path_of(from, source);
	path_of(to, target);
	(void)snprintf(beside, sizeof(beside), "%s.new", target);
	in = open(source, O_RDONLY | O_CLOEXEC);
	out = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	n = read_all(in, text);
	assert_int_equal(write(out, text, n), n);
	close(in);
	close(out);
	assert_int_equal(rename(beside, target), 0);
}

static void
assert_serves(const struct certificate_files *f, const char *pair)
{
	char path[64], served[PEM_MAX], expected[PEM_MAX], both[2 * PEM_MAX] = "";
	char whole[2 * PEM_MAX];
	int fd, memory;

	(void)snprintf(path, sizeof(path), "%s/%s/" CERTIFICATE_FILE, dir, pair);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	(void)read_all(fd, expected);
	close(fd);
	(void)read_all(f->chain.fd, served);
	assert_string_equal(served, expected);
	(void)read_all(f->key.fd, served);
	memory = certificate_files_memory(f);
	assert_int_not_equal(memory, -1);
	assert_true(pread(memory, both, sizeof(both) - 1, 0) > 0);
	(void)snprintf(whole, sizeof(whole), "%s\n%s", expected, served);
	assert_string_equal(both, whole);
	assert_int_equal(fcntl(memory, F_GET_SEALS),
			 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	close(memory);
}

static int
setup(void **state)
{
	char path[64];

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	settings_default(&settings);
	make_pair("one");
	make_pair("two");
	path_of("live", path);
	return mkdir(path, 0700);
}

static int
teardown(void **state)
{
	static const char *const files[] = { "one/" CERTIFICATE_FILE, "one/" CERTIFICATE_KEY_FILE, "one",
					     "two/" CERTIFICATE_FILE, "two/" CERTIFICATE_KEY_FILE, "two",
					     "live/fullchain.pem",    "live/privkey.pem",          "live" };
	char path[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		path_of(files[i], path);
		(void)remove(path);
	}
	return rmdir(dir);
}

/* As clients of Let's Encrypt keep it. */
static struct certificate_files
open_directory(void)
{
	struct certificate_files f;
	char err[512];

	put("one/" CERTIFICATE_FILE, "live/fullchain.pem");
	put("one/" CERTIFICATE_KEY_FILE, "live/privkey.pem");
	path_of("live", settings.certificate);
	settings.certificate_key[0] = '\0';
	certificate_files_init(&f);
	assert_true(certificate_files_open(&f, &settings, -1, err, sizeof(err)));
	assert_serves(&f, "one");
	return f;
}

static void
test_a_new_pair_is_taken(void **state)
{
	struct certificate_files f = open_directory();

	(void)state;
	assert_false(certificate_files_look(&f));
	put("two/" CERTIFICATE_FILE, "live/fullchain.pem");
	put("two/" CERTIFICATE_KEY_FILE, "live/privkey.pem");
	assert_false(certificate_files_look(&f)); /* somebody may still be writing */
	assert_true(certificate_files_look(&f));
	assert_serves(&f, "two");
	assert_false(certificate_files_look(&f));
	certificate_files_close(&f);
}

static void
test_half_a_pair_waits_for_the_other(void **state)
{
	struct certificate_files f = open_directory();

	(void)state;
	put("two/" CERTIFICATE_FILE, "live/fullchain.pem");
	for (int i = 0; i < 4; i++)
		assert_false(certificate_files_look(&f));
	assert_serves(&f, "one");
	put("two/" CERTIFICATE_KEY_FILE, "live/privkey.pem");
	assert_false(certificate_files_look(&f));
	assert_true(certificate_files_look(&f));
	assert_serves(&f, "two");
	certificate_files_close(&f);
}

static void
test_a_file_that_is_gone_changes_nothing(void **state)
{
	struct certificate_files f = open_directory();
	char path[64];

	(void)state;
	path_of("live/privkey.pem", path);
	assert_int_equal(unlink(path), 0);
	for (int i = 0; i < 3; i++)
		assert_false(certificate_files_look(&f));
	assert_serves(&f, "one");
	certificate_files_close(&f);
}

static void
test_what_belongs_to_nothing_is_refused(void **state)
{
	struct certificate_files f;
	char err[512];

	(void)state;
	path_of("one/" CERTIFICATE_FILE, settings.certificate);
	path_of("two/" CERTIFICATE_KEY_FILE, settings.certificate_key);
	certificate_files_init(&f);
	assert_false(certificate_files_open(&f, &settings, -1, err, sizeof(err)));
	assert_non_null(strstr(err, "two/" CERTIFICATE_KEY_FILE));
	path_of("nowhere", settings.certificate);
	settings.certificate_key[0] = '\0';
	assert_false(certificate_files_open(&f, &settings, -1, err, sizeof(err)));
	assert_non_null(strstr(err, "nowhere/fullchain.pem"));
	certificate_files_close(&f);
}

/* A group of services may have it; nobody else. */
static void
test_a_key_that_others_can_read_is_refused(void **state)
{
	static const struct {
		mode_t mode;
		bool good;
	} modes[] = { { 0600, true }, { 0640, true }, { 0604, false }, { 0602, false }, { 0620, false } };
	struct certificate_files f = open_directory();
	char path[64], err[512];

	(void)state;
	path_of("live/privkey.pem", path);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		certificate_files_close(&f);
		certificate_files_init(&f);
		assert_int_equal(chmod(path, modes[i].mode), 0);
		assert_int_equal(certificate_files_open(&f, &settings, -1, err, sizeof(err)), modes[i].good);
		if (!modes[i].good)
			assert_non_null(strstr(err, "others can read or write this private key"));
	}
	certificate_files_close(&f);
}

/* httpd would not start with it any more. */
static void
test_a_chain_that_httpd_does_not_take(void **state)
{
	struct certificate_files f = open_directory();
	char path[64], text[PEM_MAX];
	size_t n;
	int fd;

	(void)state;
	path_of("live/fullchain.pem", path);
	fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
	n = read_all(fd, text);
	for (unsigned i = 0; i <= PEM_ABOVE_MAX; i++)
		assert_int_equal(write(fd, text, n), n);
	for (int i = 0; i < 3; i++)
		assert_false(certificate_files_look(&f));
	put("one/" CERTIFICATE_FILE, "live/fullchain.pem");
	close(fd);
	fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(write(fd, text, n / 2), n / 2);
	close(fd);
	for (int i = 0; i < 3; i++)
		assert_false(certificate_files_look(&f));
	certificate_files_close(&f);
	certificate_files_init(&f);
	put("one/" CERTIFICATE_FILE, "live/fullchain.pem");
	fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
	for (unsigned i = 0; i < PEM_ABOVE_MAX; i++)
		assert_int_equal(write(fd, text, n), n);
	close(fd);
	assert_true(certificate_files_open(&f, &settings, -1, path, sizeof(path)));
	certificate_files_close(&f);
}

/* --- who looks into them */

/* Runs what in a process of its own and follows whom it forks; gives what /proc tells of that one when it
 * ends. One that stands still does so from its first moment. */
static void
status_of_who_is_forked(void (*what)(void), bool stands_still, char out[static STATUS_MAX])
{
	pid_t pid = fork(), other = 0;
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1 || raise(SIGSTOP) != 0)
			_exit(99);
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(
	    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL),
	    0);
	assert_int_equal(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
	out[0] = '\0';
	for (;;) {
		pid_t who = waitpid(-1, &status, __WALL);
		int event = WIFSTOPPED(status) ? status >> 16 : 0, sig = 0;

		assert_int_not_equal(who, -1);
		if (!WIFSTOPPED(status)) {
			if (who != pid)
				continue;
			assert_true(WIFEXITED(status));
			assert_int_equal(WEXITSTATUS(status), 0);
			break;
		}
		if (who != pid)
			other = who;
		if (event == PTRACE_EVENT_EXIT && who != pid) {
			char path[64];
			int fd;

			(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)who);
			fd = open(path, O_RDONLY | O_CLOEXEC);
			(void)read_text(fd, out, STATUS_MAX);
			close(fd);
		} else if (stands_still && who != pid) {
			continue;
		} else if (event == 0 && WSTOPSIG(status) != SIGSTOP && WSTOPSIG(status) != SIGTRAP) {
			sig = WSTOPSIG(status);
		}
		(void)ptrace(PTRACE_CONT, who, NULL, (void *)(intptr_t)sig);
	}
	assert_int_not_equal(other, 0);
}

static bool
first_pair_is_good(char err[static 512])
{
	char path[64];
	int certificate, key;

	path_of("one/" CERTIFICATE_FILE, path);
	certificate = open(path, O_RDONLY | O_CLOEXEC);
	path_of("one/" CERTIFICATE_KEY_FILE, path);
	key = open(path, O_RDONLY | O_CLOEXEC);
	return certificate_check(certificate, "c", key, "k", err, 512);
}

static void
check_the_first_pair(void)
{
	char err[512];

	if (!first_pair_is_good(err))
		_exit(1);
}

static void
check_in_vain(void)
{
	char err[512];

	if (first_pair_is_good(err) || strstr(err, "said nothing that can be") == NULL)
		_exit(1);
}

static void
check_without_rights(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (syscall(SYS_capset, &head, none) == -1)
		_exit(98);
	check_the_first_pair();
}

static void
assert_says(const char *status, const char *line)
{
	if (strstr(status, line) == NULL)
		fail_msg("\"%s\" is not in:\n%s", line, status);
}

static void
assert_is_closed(const char *status)
{
	assert_says(status, "\nCapEff:\t0000000000000000\n");
	assert_says(status, "\nCapPrm:\t0000000000000000\n");
	assert_says(status, "\nNoNewPrivs:\t1\n");
	assert_says(status, "\nSeccomp:\t2\n");
	assert_says(status, "\nThreads:\t1\n");
}

static void
test_who_looks_has_no_rights(void **state)
{
	char status[STATUS_MAX];

	(void)state;
	status_of_who_is_forked(check_the_first_pair, false, status);
	assert_is_closed(status);
	assert_says(status, "\nUid:\t65534\t65534\t65534\t65534\n");
	assert_says(status, "\nGroups:\t \n");
}

/* As in its unit, where root has no right to become anybody. */
static void
test_nor_where_it_is_root_by_name(void **state)
{
	char status[STATUS_MAX];

	(void)state;
	status_of_who_is_forked(check_without_rights, false, status);
	assert_is_closed(status);
}

/* It is given ten seconds, and then it is not waited for. */
static void
test_who_looks_without_end_is_ended(void **state)
{
	char status[STATUS_MAX];

	(void)state;
	(void)alarm(120);
	status_of_who_is_forked(check_in_vain, true, status);
	(void)alarm(0);
}

/* A process that was taken over says what it likes, and no more is believed than can be. */
static void
test_what_can_be_said(void **state)
{
	const struct certificate_judged good = { .ends_s = 1 }, no_key = { .key = PEM_NO_KEY, .ends_s = 1 },
					bad = { .certificate = PEM_CHAIN_BAD };
	struct certificate_judged j = good;

	(void)state;
	assert_true(certificate_judged_can_be(&good, sizeof(good)));
	assert_true(certificate_judged_can_be(&no_key, sizeof(no_key)));
	assert_true(certificate_judged_can_be(&bad, sizeof(bad)));
	assert_false(certificate_judged_can_be(&good, sizeof(good) - 1));
	assert_false(certificate_judged_can_be(&good, sizeof(good) + 1));
	assert_false(certificate_judged_can_be(&good, 0));
	j.certificate = PEM_FAULTS;
	assert_false(certificate_judged_can_be(&j, sizeof(j)));
	j.certificate = PEM_NO_CERTIFICATE; /* and yet it ends */
	assert_false(certificate_judged_can_be(&j, sizeof(j)));
	j = good;
	j.key = UINT32_MAX;
	assert_false(certificate_judged_can_be(&j, sizeof(j)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_new_pair_is_taken),
		cmocka_unit_test(test_half_a_pair_waits_for_the_other),
		cmocka_unit_test(test_a_file_that_is_gone_changes_nothing),
		cmocka_unit_test(test_a_key_that_others_can_read_is_refused),
		cmocka_unit_test(test_a_chain_that_httpd_does_not_take),
		cmocka_unit_test(test_what_belongs_to_nothing_is_refused),
		cmocka_unit_test(test_who_looks_has_no_rights),
		cmocka_unit_test(test_nor_where_it_is_root_by_name),
		cmocka_unit_test(test_who_looks_without_end_is_ended),
		cmocka_unit_test(test_what_can_be_said),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
