/* Forms and queries that other sites write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "form.h"

static bool
take(const char *text, const char *name, char *out, size_t size)
{
	return form_take(text, strlen(text), name, out, size);
}

static void
values_are_taken_by_name(void **state)
{
	char out[8];

	(void)state;
	assert_true(take("state=ab%2Fc&code=1+2&x=", "state", out, sizeof(out)));
	assert_string_equal(out, "ab/c");
	assert_true(take("state=ab%2Fc&code=1+2&x=", "code", out, sizeof(out)));
	assert_string_equal(out, "1 2");
	assert_true(take("state=ab%2Fc&code=1+2&x=", "x", out, sizeof(out)));
	assert_string_equal(out, "");
	assert_true(take("state=a&code=1", "cod", out, sizeof(out)));
	assert_string_equal(out, "");
	assert_true(take("&&=&code", "code", out, sizeof(out)));
	assert_string_equal(out, "");
	assert_true(take("", "code", out, sizeof(out)));
	assert_true(take("xcode=1", "code", out, sizeof(out)));
	assert_string_equal(out, "");
}

static void
what_is_not_one_value_is_refused(void **state)
{
	static const char *const bad[] = { "code=1&code=1", "code=&code=", "code=12345678", "code=%0a",
					   "code=%00",      "code=%4",     "code=%zz" };
	char out[8];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(take(bad[i], "code", out, sizeof(out)));
	/* Behind its length there is nothing. */
	assert_true(form_take("code=12", 6, "code", out, sizeof(out)));
	assert_string_equal(out, "1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_taken_by_name),
		cmocka_unit_test(what_is_not_one_value_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
