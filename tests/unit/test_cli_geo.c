/* Files that change under the launcher: copied when they stand still, kept when they are gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "geo_files.h"

static char dir[] = "/tmp/weir-geo-XXXXXX";
static struct settings settings;

static void
path_of(const char *name, char out[static 64])
{
	(void)snprintf(out, 64, "%s/%s", dir, name);
}

static void
put(const char *name, const char *text)
{
	char path[64], beside[80];
	FILE *f;

	path_of(name, path);
	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	f = fopen(beside, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0 && fclose(f) == 0);
	assert_int_equal(rename(beside, path), 0);
}

static void
assert_holds(const struct geo_file *f, const char *text)
{
	char bytes[64] = "";
	ssize_t n = pread(f->memory, bytes, sizeof(bytes) - 1, 0);

	assert_int_equal(n, strlen(text));
	assert_string_equal(bytes, text);
	assert_int_equal(fcntl(f->memory, F_GET_SEALS),
			 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
}

static int
setup(void **state)
{
	char path[64];

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	settings_default(&settings);
	settings.geoip_files.n = 2;
	path_of("a", path);
	str_copy(settings.geoip_files.item[0], sizeof(settings.geoip_files.item[0]), path);
	path_of("b", path);
	str_copy(settings.geoip_files.item[1], sizeof(settings.geoip_files.item[1]), path);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "a", "b" };
	char path[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		path_of(names[i], path);
		(void)unlink(path);
	}
	return rmdir(dir);
}

static void
copied_when_they_stand_still(void **state)
{
	struct geo_files g = { .n = 0 };
	char path[64];
	int before;

	(void)state;
	put("a", "one");
	geo_files_open(&g, &settings);
	assert_int_equal(g.n, 2);
	assert_holds(&g.file[0], "one");
	assert_int_equal(g.file[1].memory, -1); /* missing: no reason not to start */
	for (unsigned i = 0; i < 3; i++)
		assert_false(geo_files_look(&g, 0) || geo_files_look(&g, 1));

	put("a", "two");
	assert_false(geo_files_look(&g, 0)); /* it moves: whoever writes may not be done */
	assert_true(geo_files_look(&g, 0));
	assert_holds(&g.file[0], "two");
	assert_false(geo_files_look(&g, 0));

	/* Gone, empty, no file: what was read stays. */
	before = g.file[0].memory;
	path_of("a", path);
	assert_int_equal(unlink(path), 0);
	assert_false(geo_files_look(&g, 0) || geo_files_look(&g, 0));
	put("a", "");
	assert_false(geo_files_look(&g, 0) || geo_files_look(&g, 0));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(geo_files_look(&g, 0) || geo_files_look(&g, 0));
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(g.file[0].memory, before);
	assert_holds(&g.file[0], "two");

	/* It comes late, and back. */
	put("b", "late");
	assert_false(geo_files_look(&g, 1));
	assert_true(geo_files_look(&g, 1));
	assert_holds(&g.file[1], "late");
	put("a", "three");
	assert_false(geo_files_look(&g, 0));
	assert_true(geo_files_look(&g, 0));
	assert_holds(&g.file[0], "three");
	geo_files_close(&g);
	assert_int_equal(g.file[0].memory, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(copied_when_they_stand_still, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
