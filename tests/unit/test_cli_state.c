/* What the launcher keeps: node, boots, points; and the certificate and directories beside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "certificate.h"
#include "directories.h"
#include "state.h"

static char path[64];
static int directory;

static int
begin(void **state)
{
	(void)state;
	str_copy(path, sizeof(path), "/tmp/weir-test-state-XXXXXX");
	if (mkdtemp(path) == NULL)
		return -1;
	directory = open(path, O_RDONLY | O_DIRECTORY);
	return directory == -1 ? -1 : 0;
}

static int
end(void **state)
{
	(void)state;
	close(directory);
	directory_remove(path);
	return access(path, F_OK) == -1 ? 0 : -1;
}

static void
put(const char *name, const char *text)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
boots_are_never_used_twice(void **state)
{
	struct state *s = mem_calloc(1, sizeof(*s));
	uint32_t node = 0, last = 0, boot;
	char err[256];

	(void)state;
	for (int start = 0; start < 3; start++) {
		assert_true(state_open(s, directory, err, sizeof(err)));
		assert_true(node == 0 || s->node == node);
		node = s->node;
		assert_int_not_equal(node, 0);
		for (unsigned i = 0; i < STATE_BOOTS_AT_ONCE + 10; i++) {
			assert_true(state_next_boot(s, &boot));
			assert_true(boot > last);
			last = boot;
		}
	}
	free(s);
}

/* The number is on disk as used before it is given out: a launcher that dies at once leaves none to be used
 * again. */
static void
boots_are_on_disk_first(void **state)
{
	struct state *s = mem_calloc(1, sizeof(*s));
	uint32_t boot;
	unsigned on_disk = 0;
	char err[256], text[32] = "";
	int fd;

	(void)state;
	assert_true(state_open(s, directory, err, sizeof(err)));
	for (unsigned i = 0; i < 3 * STATE_BOOTS_AT_ONCE; i++) {
		assert_true(state_next_boot(s, &boot));
		fd = openat(directory, "boot", O_RDONLY);
		assert_true(read(fd, text, sizeof(text) - 1) > 0);
		close(fd);
		on_disk = (unsigned)strtoul(text, NULL, 10);
		assert_true(on_disk > boot);
	}
	free(s);
}

static void
damaged_files_are_named(void **state)
{
	struct state *s = mem_calloc(1, sizeof(*s));
	char err[256];

	(void)state;
	put("node", "what\n");
	assert_false(state_open(s, directory, err, sizeof(err)));
	assert_non_null(strstr(err, "node:"));
	put("node", "5\n");
	put("boot", "0\n");
	assert_false(state_open(s, directory, err, sizeof(err)));
	assert_non_null(strstr(err, "boot:"));
	put("boot", "7\n");
	put("points", "1 interface eth0\n2 cable x\n");
	assert_false(state_open(s, directory, err, sizeof(err)));
	assert_non_null(strstr(err, "points: line 2"));
	put("points", "1 interface eth0\n");
	assert_true(state_open(s, directory, err, sizeof(err)));
	assert_int_equal(s->node, 5);
	free(s);
}

static void
points_keep_their_numbers(void **state)
{
	struct state *s = mem_calloc(1, sizeof(*s));
	uint32_t a, b, c, again;
	char err[256];

	(void)state;
	assert_true(state_open(s, directory, err, sizeof(err)));
	assert_true(state_point_id(s, POINT_INTERFACE, "eth0", &a, err, sizeof(err)));
	assert_true(state_point_id(s, POINT_FILE, "eth0", &b, err, sizeof(err)));
	assert_true(state_point_id(s, POINT_INTERFACE, "eth1", &c, err, sizeof(err)));
	assert_true(a != b && b != c && a != c && a != 0);
	assert_true(state_open(s, directory, err, sizeof(err)));
	assert_true(state_point_id(s, POINT_INTERFACE, "eth1", &again, err, sizeof(err)));
	assert_int_equal(again, c);
	assert_true(state_point_id(s, POINT_INTERFACE, "eth0", &again, err, sizeof(err)));
	assert_int_equal(again, a);
	free(s);
}

static void
points_are_parsed(void **state)
{
	static const char *const bad[] = {
		"x interface a\n",
		"0 interface a\n",
		"1 interface\n",
		"1 interface \n",
		"1 file a",
		"1  file a\n",
		"4294967295 file a\n",
		"1 file a\n1 file b\n",
		"-1 file a\n",
		"1 file 0123456789012345678901234567890123456789012345678901234567890123456789\n"
	};
	struct state *s = mem_calloc(1, sizeof(*s));
	unsigned line;

	(void)state;
	assert_true(state_points_parse(s, "", &line));
	assert_int_equal(s->npoints, 0);
	assert_true(state_points_parse(s, "3 file a.pcap\n7 interface eth0\n", &line));
	assert_int_equal(s->npoints, 2);
	assert_int_equal(s->points[1].id, 7);
	assert_string_equal(s->points[0].name, "a.pcap");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (state_points_parse(s, bad[i], &line))
			fail_msg("accepted: %s", bad[i]);
	free(s);
}

static void
points_have_a_limit(void **state)
{
	struct state *s = mem_calloc(1, sizeof(*s));
	char err[256], name[16];
	uint32_t id;

	(void)state;
	assert_true(state_open(s, directory, err, sizeof(err)));
	s->npoints = STATE_POINTS_MAX;
	for (uint32_t i = 0; i < STATE_POINTS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "f%u", i);
		s->points[i] = (struct state_point){ .id = i + 1, .kind = POINT_FILE };
		str_copy(s->points[i].name, sizeof(s->points[i].name), name);
	}
	assert_true(state_point_id(s, POINT_FILE, "f3", &id, err, sizeof(err)));
	assert_false(state_point_id(s, POINT_FILE, "new", &id, err, sizeof(err)));
	assert_non_null(strstr(err, "points:"));
	free(s);
}

static void
certificate_is_made_once(void **state)
{
	struct ip_addr address = ip_from_v4((const uint8_t[]){ 192, 0, 2, 7 });
	struct stat key, certificate, after;
	char err[256];
	bool made;

	(void)state;
	assert_true(certificate_ensure(directory, &address, 1, &made, err, sizeof(err)));
	assert_true(made);
	assert_int_equal(fstatat(directory, CERTIFICATE_KEY_FILE, &key, 0), 0);
	assert_int_equal(key.st_mode & 07777, 0600);
	assert_int_equal(fstatat(directory, CERTIFICATE_FILE, &certificate, 0), 0);
	assert_true(certificate_ensure(directory, &address, 1, &made, err, sizeof(err)));
	assert_false(made);
	assert_int_equal(fstatat(directory, CERTIFICATE_FILE, &after, 0), 0);
	assert_int_equal(after.st_ino, certificate.st_ino);
	/* A key that does not belong to it, or one that cannot be read, is replaced with its certificate. */
	put(CERTIFICATE_KEY_FILE, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	assert_true(certificate_ensure(directory, &address, 1, &made, err, sizeof(err)));
	assert_true(made);
}

static void
certificates_are_checked(void **state)
{
	int certificate, key, other;
	char err[256];
	bool made;

	(void)state;
	assert_true(certificate_ensure(directory, NULL, 0, &made, err, sizeof(err)));
	certificate = openat(directory, CERTIFICATE_FILE, O_RDONLY);
	key = openat(directory, CERTIFICATE_KEY_FILE, O_RDONLY);
	assert_true(certificate_check(certificate, "c", key, "k", err, sizeof(err)));
	assert_int_equal(lseek(certificate, 0, SEEK_CUR), 0);
	assert_int_equal(lseek(key, 0, SEEK_CUR), 0);
	assert_false(certificate_check(key, "c", key, "k", err, sizeof(err)));
	assert_non_null(strstr(err, "c: holds no certificate"));
	assert_false(certificate_check(certificate, "c", certificate, "k", err, sizeof(err)));
	assert_non_null(strstr(err, "k: holds no private key"));
	assert_int_equal(unlinkat(directory, CERTIFICATE_FILE, 0), 0);
	assert_true(certificate_ensure(directory, NULL, 0, &made, err, sizeof(err)));
	assert_true(made);
	other = openat(directory, CERTIFICATE_KEY_FILE, O_RDONLY);
	assert_false(certificate_check(certificate, "c", other, "k", err, sizeof(err)));
	assert_non_null(strstr(err, "k: is not the private key"));
	close(certificate);
	close(key);
	close(other);
}

static void
directories_of_others_are_refused(void **state)
{
	char sub[96], err[512];
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	(void)snprintf(sub, sizeof(sub), "%s/data", path);
	fd = directory_of_root(sub, "data_directory", err, sizeof(err));
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(chmod(sub, 0777), 0);
	assert_int_equal(directory_of_root(sub, "data_directory", err, sizeof(err)), -1);
	assert_non_null(strstr(err, "chmod go-w"));
	assert_int_equal(chown(sub, 12345, 0), 0);
	assert_int_equal(directory_of_root(sub, "data_directory", err, sizeof(err)), -1);
	assert_non_null(strstr(err, "belongs to uid 12345"));
	fd = directory_of(directory, path, "store", 54321, err, sizeof(err));
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(directory_of(directory, path, "store", 54322, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "chown -R 54322:54322"));
	assert_int_equal(fchmodat(directory, "store", 0755, 0), 0);
	assert_int_equal(directory_of(directory, path, "store", 54321, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "chmod 0700"));
	assert_int_equal(symlinkat("/etc", directory, "authd"), 0);
	assert_int_equal(directory_of(directory, path, "authd", 0, err, sizeof(err)), -1);
	assert_int_equal(directory_of_root("/nonexistent/below", "data_directory", err, sizeof(err)), -1);
}

static void
a_lock_is_held_once(void **state)
{
	int taken, first = directory_lock(directory, &taken), second;

	(void)state;
	assert_int_not_equal(first, -1);
	second = directory_lock(directory, &taken);
	assert_int_equal(second, -1);
	assert_true(taken);
	close(first);
	second = directory_lock(directory, &taken);
	assert_int_not_equal(second, -1);
	close(second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(boots_are_never_used_twice, begin, end),
		cmocka_unit_test_setup_teardown(boots_are_on_disk_first, begin, end),
		cmocka_unit_test_setup_teardown(damaged_files_are_named, begin, end),
		cmocka_unit_test_setup_teardown(points_keep_their_numbers, begin, end),
		cmocka_unit_test(points_are_parsed),
		cmocka_unit_test_setup_teardown(points_have_a_limit, begin, end),
		cmocka_unit_test_setup_teardown(certificate_is_made_once, begin, end),
		cmocka_unit_test_setup_teardown(certificates_are_checked, begin, end),
		cmocka_unit_test_setup_teardown(directories_of_others_are_refused, begin, end),
		cmocka_unit_test_setup_teardown(a_lock_is_held_once, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
