/* Where secrets of the operator's are, and who may read them. */
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

#include "secret_file.h"

static char directory[] = "/tmp/weir-secret-XXXXXX";

static void
settings_name_them(void **state)
{
	static const char *const good[] = { "", "/etc/weir/password", "credential:ldap-password",
					    "credential:a.b_C" };
	static const char *const bad[] = { "password",     "./password",        "credential:",
					   "credential:/", "credential:../etc", "credential:a/b",
					   "credential:.", "credential:a b",    "Credential:a" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(secret_file_is_named(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(secret_file_is_named(bad[i]));
}

static void
credentials_are_where_systemd_says(void **state)
{
	char path[64], err[256];

	(void)state;
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_false(secret_file_path("credential:a", path, sizeof(path), err, sizeof(err)));
	assert_non_null(strstr(err, "LoadCredential=a:"));
	assert_true(secret_file_path("/a/b", path, sizeof(path), err, sizeof(err)));
	assert_string_equal(path, "/a/b");
	assert_false(secret_file_path("/a/b", path, 4, err, sizeof(err)));
}

static void
others_may_not_read_them(void **state)
{
	static const struct {
		mode_t mode;
		bool good;
	} modes[] = { { 0600, true },  { 0400, true },  { 0640, false },
		      { 0604, false }, { 0620, false }, { 0666, false } };
	char path[64], err[512];
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/secret", directory);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_not_equal(fd, -1);
	close(fd);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(path, modes[i].mode), 0);
		fd = secret_file_open(path, "some.key", err, sizeof(err));
		if (getuid() != 0 || !modes[i].good) {
			assert_int_equal(fd, -1);
			assert_non_null(strstr(err, "some.key: "));
			assert_non_null(strstr(err, path));
		} else {
			assert_int_not_equal(fd, -1);
			close(fd);
		}
	}
	if (getuid() == 0) {
		assert_int_equal(chmod(path, 0600), 0);
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_int_equal(secret_file_open(path, "some.key", err, sizeof(err)), -1);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(secret_file_open(path, "some.key", err, sizeof(err)), -1);
	assert_int_equal(secret_file_open(directory, "some.key", err, sizeof(err)), -1);
}

static int
begin(void **state)
{
	(void)state;
	return mkdtemp(directory) == NULL;
}

static int
end(void **state)
{
	(void)state;
	return rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_name_them),
		cmocka_unit_test(credentials_are_where_systemd_says),
		cmocka_unit_test(others_may_not_read_them),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
