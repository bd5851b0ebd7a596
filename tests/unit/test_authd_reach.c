/* Whether the directory can be reached: one person's trouble is not everybody's, and it is tried until it
 * answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reach.h"

#define SILENT "ldaps://ldap.example.net: connected, but no answer in time"

static struct reachability
fresh(void)
{
	return (struct reachability){ .interval_ns = REACH_TRY_NS };
}

static void
it_is_tried_before_anybody_asks(void **state)
{
	struct reachability r = fresh();

	(void)state;
	assert_true(reach_is_due(&r, 0));
	r.trying = true;
	assert_false(reach_is_due(&r, 0));
	r.trying = false;
	assert_false(reach_told(&r, DIRECTORY_TEST, DIRECTORY_RIGHT, "", 0));
	assert_int_equal(r.state, REACH_GOOD);
	assert_false(reach_is_due(&r, INT64_MAX));
}

/* Whoever can make one answer late, by the name that he types, must not shut the door for all. */
static void
a_question_about_somebody_only_casts_doubt(void **state)
{
	struct reachability r = fresh();

	(void)state;
	(void)reach_told(&r, DIRECTORY_LOGIN, DIRECTORY_WRONG, "", 0);
	assert_false(reach_told(&r, DIRECTORY_LOGIN, DIRECTORY_UNAVAILABLE, SILENT, 5));
	assert_int_equal(r.state, REACH_DOUBTED);
	assert_true(reach_is_due(&r, 5));
	assert_false(reach_told(&r, DIRECTORY_TEST, DIRECTORY_RIGHT, "", 6));
	assert_int_equal(r.state, REACH_GOOD);
	assert_string_equal(r.why, "");
}

static void
it_is_away_until_it_answers(void **state)
{
	struct reachability r = fresh();

	(void)state;
	assert_true(reach_told(&r, DIRECTORY_TEST, DIRECTORY_UNAVAILABLE, SILENT, 7));
	assert_int_equal(r.state, REACH_AWAY);
	assert_string_equal(r.why, SILENT);
	/* What was asked before comes late: it is no news, and does not hasten the next trial. */
	assert_false(reach_told(&r, DIRECTORY_LOOK, DIRECTORY_UNAVAILABLE, SILENT, 8));
	assert_int_equal(r.state, REACH_AWAY);
	assert_false(reach_is_due(&r, 7 + REACH_TRY_NS - 1));
	assert_true(reach_is_due(&r, 7 + REACH_TRY_NS));
	assert_false(reach_told(&r, DIRECTORY_TEST, DIRECTORY_UNAVAILABLE, SILENT, 9));
	/* Whatever it says, it is there. */
	assert_true(reach_told(&r, DIRECTORY_TEST, DIRECTORY_REFUSED, "bind", 10));
	assert_int_equal(r.state, REACH_GOOD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_tried_before_anybody_asks),
		cmocka_unit_test(a_question_about_somebody_only_casts_doubt),
		cmocka_unit_test(it_is_away_until_it_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
