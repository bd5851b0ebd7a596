/* Users of units: their names, and that a uid of somebody else's is not taken for a process's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "unit_users.h"

static void
names_are_those_of_the_units(void **state)
{
	char name[UNIT_USER_MAX];

	(void)state;
	unit_user_name(PROC_STORE, 0, name);
	assert_string_equal(name, "weir-store");
	unit_user_name(PROC_ENGINE, 15, name);
	assert_string_equal(name, "weir-engine-15");
	unit_user_name(PROC_CAPTURE, 0, name);
	assert_string_equal(name, "weir-capture-0");
}

static void
others_are_nobodys_process(void **state)
{
	char err[256];
	gid_t gid;

	(void)state;
	assert_false(unit_user_is(0, PROC_AUTHD, 0, &gid, err, sizeof(err)));
	assert_non_null(strstr(err, "first_uid: uid 0 must be the user weir-authd"));
	assert_non_null(strstr(err, "is root"));
	assert_false(unit_user_is(3999999999u, PROC_HTTPD, 2, &gid, err, sizeof(err)));
	assert_non_null(strstr(err, "weir-httpd-2"));
	assert_non_null(strstr(err, "is nobody's"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_those_of_the_units),
		cmocka_unit_test(others_are_nobodys_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
