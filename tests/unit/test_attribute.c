/* The list of attributes of a flow: what is put comes back, and what is no list is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/attribute.h"
#include "ipc/wire.h"

static void
test_what_is_put_comes_back(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 255, 256, UINT32_MAX, UINT64_MAX };
	uint8_t list[ATTRIBUTES_MAX];
	struct wcur w = wcur_of(list, sizeof(list));
	struct attribute_value v;
	uint8_t before = 0;
	struct rcur r;

	(void)state;
	attribute_put_text(&w, ATTRIBUTE_TLS_VERSION, "TLSv1.3", 7);
	attribute_put_text(&w, ATTRIBUTE_TLS_CIPHER, NULL, 5);
	attribute_put_text(&w, ATTRIBUTE_TLS_ALPN, "", 0);
	attribute_put_number(&w, ATTRIBUTE_TLS_NOT_AFTER, 1700000000);
	attribute_put_text(&w, ATTRIBUTE_HTTP_URL, "example.org/\"<script>\n\xff", 23);
	r = rcur_of(list, wcur_len(&w));
	assert_int_equal(attribute_next(&r, &before, &v), 1);
	assert_int_equal(v.row->number, ATTRIBUTE_TLS_VERSION);
	assert_string_equal(v.row->key, "version");
	assert_memory_equal(v.text, "TLSv1.3", v.len);
	assert_int_equal(attribute_next(&r, &before, &v), 1);
	assert_int_equal(v.row->kind, ATTRIBUTE_TIME);
	assert_int_equal(v.number, 1700000000);
	assert_int_equal(attribute_next(&r, &before, &v), 1);
	assert_string_equal(v.row->group, "http");
	assert_int_equal(v.len, 23);
	assert_int_equal(attribute_next(&r, &before, &v), 0);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		w = wcur_of(list, sizeof(list));
		attribute_put_number(&w, ATTRIBUTE_HTTP_STATUS, numbers[i]);
		r = rcur_of(list, wcur_len(&w));
		before = 0;
		assert_int_equal(attribute_next(&r, &before, &v), 1);
		assert_int_equal(v.number, numbers[i]);
	}
}

static void
test_what_does_not_fit_is_left_out(void **state)
{
	char text[300];
	uint8_t list[ATTRIBUTES_MAX];
	struct wcur w = wcur_of(list, sizeof(list));

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < attribute_count; i++)
		if (attribute_rows[i].kind == ATTRIBUTE_TEXT)
			attribute_put_text(&w, attribute_rows[i].number, text, sizeof(text));
	assert_int_equal(wcur_len(&w), 3 * 257); /* 255 of each, and no part of one */
	attribute_put_text(&w, ATTRIBUTE_DHCP_NAME, text, 10);
	assert_int_equal(wcur_len(&w), 3 * 257 + 12);
	assert_true(attributes_are_sane(list, wcur_len(&w)));
}

static void
test_lies(void **state)
{
	(void)state;
	assert_true(attributes_are_sane("", 0));
	assert_true(attributes_are_sane("\1\1x\2\1y", 6));
	assert_false(attributes_are_sane("\2\1x\1\1y", 6)); /* out of order */
	assert_false(attributes_are_sane("\1\1x\1\1y", 6)); /* twice */
	assert_false(attributes_are_sane("\1\2x", 3));      /* longer than there is */
	assert_false(attributes_are_sane("\1", 1));
	assert_false(attributes_are_sane("\1\0", 2));  /* empty */
	assert_false(attributes_are_sane("\0\1x", 3)); /* no such number */
	assert_false(attributes_are_sane("\377\1x", 3));
	assert_false(attributes_are_sane("\41\11123456789", 11)); /* a number of nine bytes */
}

/* Lists, groups and JSON keys rely on it. */
static void
test_rows_ascend_and_groups_stand_together(void **state)
{
	(void)state;
	for (size_t i = 1; i < attribute_count; i++) {
		assert_true(attribute_rows[i - 1].number < attribute_rows[i].number);
		for (size_t j = 0; j + 1 < i; j++)
			if (strcmp(attribute_rows[j].group, attribute_rows[i].group) == 0)
				assert_string_equal(attribute_rows[i - 1].group, attribute_rows[i].group);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_put_comes_back),
		cmocka_unit_test(test_what_does_not_fit_is_left_out),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_rows_ascend_and_groups_stand_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
