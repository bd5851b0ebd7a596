/* Questions to weir-directory: each is answered once, by what came, or by that nothing did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "asked.h"
#include "base/clock.h"
#include "base/mem.h"
#include "ipc/sealed.h"

#define LONG_AGO (-3600 * NS_PER_S)

struct heard {
	unsigned times;
	enum directory_verdict verdict;
	char why[64], id[64], name[64], groups[64];
	bool cut, whole;
};

static void
hear(void *ctx, const struct person_told *t)
{
	struct heard *h = ctx;

	h->times++;
	h->verdict = t->verdict;
	(void)str_copy(h->why, sizeof(h->why), t->why);
	(void)str_copy(h->id, sizeof(h->id), t->id);
	(void)str_copy(h->name, sizeof(h->name), t->name);
	for (size_t i = 0, at = 0; i < t->ngroups; i++, at = strlen(h->groups))
		(void)str_copy(h->groups + at, sizeof(h->groups) - at, t->group[i]);
	h->cut = t->cut;
	h->whole = t->doc != NULL;
}

static const struct asked_form form = { .id = "sub", .text_max = 256, .groups_max = 2 };

static bool
answer(struct asked *a, uint64_t request, const char *text)
{
	int fd = sealed_write("told", text, strlen(text));
	bool good = asked_answer(a, request, DIRECTORY_RIGHT, fd, strlen(text), &form);

	assert_int_equal(close(fd), 0);
	return good;
}

static void
an_answer_is_for_who_asked(void **state)
{
	struct asked *a = asked_new(2);
	struct heard first = { 0 }, second = { 0 };
	uint64_t one = asked_add(a, NS_PER_S, hear, &first), two = asked_add(a, NS_PER_S, hear, &second);

	(void)state;
	assert_true(one != 0 && two != 0 && one != two);
	assert_true(answer(a, two,
			   "{\"sub\":\"u-1\",\"id\":\"other\",\"name\":\"Bo\",\"why\":\"so\",\"cut\":true,"
			   "\"groups\":[\"a\",7,\"b\",\"c\"]}"));
	assert_int_equal(first.times, 0);
	assert_int_equal(second.times, 1);
	assert_int_equal(second.verdict, DIRECTORY_RIGHT);
	assert_string_equal(second.id, "u-1");
	assert_string_equal(second.name, "Bo");
	assert_string_equal(second.why, "so");
	assert_true(second.cut && second.whole);
	assert_string_equal(second.groups, "a");
	/* Once more, and for nobody: both are good answers that nobody waits for. */
	assert_true(answer(a, two, "{}"));
	assert_true(answer(a, 0, "{}"));
	assert_int_equal(second.times, 1);
	assert_true(answer(a, one, "{}"));
	assert_int_equal(first.times, 1);
	assert_string_equal(first.id, "");
	asked_free(&a);
	assert_null(a);
}

static void
who_lies_is_not_listened_to(void **state)
{
	struct asked *a = asked_new(1);
	struct heard h = { 0 };
	uint64_t one = asked_add(a, NS_PER_S, hear, &h);
	char longer[300];
	int fd[2];

	(void)state;
	memset(longer, ' ', sizeof(longer));
	longer[0] = '{';
	longer[sizeof(longer) - 2] = '}';
	longer[sizeof(longer) - 1] = '\0';
	assert_false(answer(a, one, longer));
	assert_false(answer(a, one, "{\"sub\":"));
	assert_false(asked_answer(a, one, DIRECTORY_RIGHT, -1, 0, &form));
	assert_int_equal(pipe(fd), 0);
	assert_false(asked_answer(a, one, DIRECTORY_RIGHT, fd[0], 2, &form));
	(void)close(fd[0]);
	(void)close(fd[1]);
	assert_int_equal(h.times, 0);
	assert_true(answer(a, one, "{}"));
	assert_int_equal(h.times, 1);
	asked_free(&a);
}

static void
there_is_room_for_so_many(void **state)
{
	struct asked *a = asked_new(2);
	struct heard h = { 0 };
	uint64_t one = asked_add(a, NS_PER_S, hear, &h);

	(void)state;
	assert_true(asked_add(a, NS_PER_S, hear, &h) != 0);
	assert_int_equal(asked_add(a, NS_PER_S, hear, &h), 0);
	asked_drop(a, one);
	asked_drop(a, one);
	assert_int_equal(h.times, 0);
	assert_true(asked_add(a, NS_PER_S, hear, &h) > one);
	asked_free(&a);
}

static void
lost_ones_are_answered_too(void **state)
{
	struct asked *a = asked_new(3);
	struct heard late = { 0 }, good = { 0 };

	(void)state;
	assert_true(asked_add(a, LONG_AGO, hear, &late) != 0);
	assert_true(asked_add(a, NS_PER_S, hear, &good) != 0);
	asked_turn(a);
	assert_int_equal(late.times, 1);
	assert_int_equal(late.verdict, DIRECTORY_UNAVAILABLE);
	assert_string_equal(late.why, "weir-directory has lost the question");
	assert_false(late.whole);
	assert_int_equal(good.times, 0);
	asked_turn(a);
	asked_gone(a);
	asked_gone(a);
	assert_int_equal(late.times, 1);
	assert_int_equal(good.times, 1);
	assert_string_equal(good.why, "weir-directory is gone");
	asked_free(&a);
}

/* An answer may be followed by the next question, while it is told. */
static void
ask_again(void *ctx, const struct person_told *t)
{
	struct asked **a = ctx;

	(void)t;
	assert_true(asked_add(*a, LONG_AGO, ask_again, ctx) != 0);
}

static void
a_place_is_free_when_its_answer_is_told(void **state)
{
	struct asked *a = asked_new(1);

	(void)state;
	assert_int_equal(asked_add(a, LONG_AGO, ask_again, &a), 1);
	asked_turn(a);
	asked_turn(a);
	assert_true(answer(a, 3, "{}"));
	asked_drop(a, 4);
	assert_int_equal(asked_add(a, LONG_AGO, ask_again, &a), 5);
	asked_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_for_who_asked),
		cmocka_unit_test(who_lies_is_not_listened_to),
		cmocka_unit_test(there_is_room_for_so_many),
		cmocka_unit_test(lost_ones_are_answered_too),
		cmocka_unit_test(a_place_is_free_when_its_answer_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
