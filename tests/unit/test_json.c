/* JSON out and in. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"
#include "base/json_write.h"
#include "base/utf8.h"

static void
writes_what_it_is_told(void **state)
{
	struct json_writer *w = json_new(4096);

	(void)state;
	json_object(w, NULL);
	json_string(w, "text", "a\"b\\c\n\x7f é \xff");
	json_uint(w, "big", UINT64_MAX);
	json_time_ns(w, "t", INT64_C(1700000000123456789));
	json_double(w, "nan", NAN);
	json_array(w, "list");
	json_int(w, NULL, -1);
	json_bool(w, NULL, true);
	json_null(w, NULL);
	json_object(w, NULL);
	json_object_end(w);
	json_array_end(w);
	json_object_end(w);
	assert_string_equal(json_text(w, NULL),
			    "{\"text\":\"a\\\"b\\\\c\\u000a\\u007f é "
			    "\xef\xbf\xbd\",\"big\":18446744073709551615,\"t\":1700000000.123456,"
			    "\"nan\":null,\"list\":[-1,true,null,{}]}");
	json_free(&w);
}

/* Numbers are not printf's work, but look as if they were. */
static void
numbers_are_those_of_printf(void **state)
{
	static const int64_t some[] = { 0,      1,       -1,        9,         10,           -10,
					99,     999,     1000,      -1,        -999,         -1000,
					999999, 1000000, INT64_MIN, INT64_MAX, INT64_MIN + 1 };
	struct json_writer *w = json_new(4096);
	uint64_t x = 88172645463325252u;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		int64_t v = i < sizeof(some) / sizeof(some[0]) ? some[i] : (int64_t)(x >> x % 64);
		uint64_t us = (v < 0 ? -(uint64_t)v : (uint64_t)v) / 1000;
		char expected[160];

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		(void)snprintf(expected, sizeof(expected),
			       "[%" PRId64 ",%" PRIu64 ",%s%" PRIu64 ".%06" PRIu64 "]", v, (uint64_t)v,
			       v < 0 ? "-" : "", us / 1000000, us % 1000000);
		json_reset(w);
		json_array(w, NULL);
		json_int(w, NULL, v);
		json_uint(w, NULL, (uint64_t)v);
		json_time_ns(w, NULL, v);
		json_array_end(w);
		assert_string_equal(json_text(w, NULL), expected);
	}
	json_free(&w);
}

static void
texts_of_others_stand_as_they_are(void **state)
{
	struct json_writer *w = json_new(4096);

	(void)state;
	json_object(w, NULL);
	json_raw(w, "a", "{\"b\": [1]}", 10);
	json_raw(w, "c", "null", 4);
	json_object_end(w);
	assert_string_equal(json_text(w, NULL), "{\"a\":{\"b\": [1]},\"c\":null}");
	json_wipe(&w);
	assert_null(w);
}

static void
utf8(void **state)
{
	static const char *const good[] = {
		"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf"
	};
	static const char *const bad[] = {
		"\xff",    "\xc3", "a\x80", "\xc0\xaf", "\xed\xa0\x80", "\xe0\x80\xaf", "\xf4\x90\x80\x80",
		"\xe2\x82"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
}

static void
names_of_members(void **state)
{
	char err[100];
	struct json_doc *d = json_parse("{\"a\":1,\"b\":{}}", 14, 100, err, sizeof(err));

	(void)state;
	assert_non_null(d);
	assert_string_equal(json_node_name(json_root(d), 0), "a");
	assert_string_equal(json_node_name(json_root(d), 1), "b");
	assert_null(json_node_name(json_root(d), 2));
	assert_null(json_node_name(json_node_member(json_root(d), "a"), 0));
	assert_null(json_node_name(NULL, 0));
	json_doc_free(&d);
}

static void
misuse_and_limits_stick(void **state)
{
	struct json_writer *w = json_new(64);

	(void)state;
	json_object(w, NULL);
	json_int(w, NULL, 1); /* no key in an object */
	json_object_end(w);
	assert_null(json_text(w, NULL));
	json_reset(w);
	json_array(w, NULL);
	assert_null(json_text(w, NULL)); /* not closed */
	json_array_end(w);
	assert_string_equal(json_text(w, NULL), "[]");
	json_reset(w);
	json_array(w, NULL);
	for (int i = 0; i < 40; i++)
		json_int(w, NULL, i);
	json_array_end(w);
	assert_null(json_text(w, NULL)); /* longer than the limit */
	json_free(&w);
}

static void
reads_and_refuses(void **state)
{
	static const char *const bad[] = { "",
					   "[]",
					   "{",
					   "{\"a\":1,\"a\":2}",
					   "{\"a\":1}x",
					   "{\"a\":\"\xff\"}",
					   "nul",
					   "{\"z\":\"a\\u0000b\"}",
					   "{\"a\":[[[[[[[[[1]]]]]]]]]}" };
	static const char good[] = "{\"s\":\"x\",\"n\":5,\"b\":false}";
	char err[128];
	int64_t v;
	bool b;
	struct json_doc *d;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		assert_null(json_parse(bad[i], strlen(bad[i]), 4096, err, sizeof(err)));
		assert_true(err[0] != '\0');
	}
	assert_null(json_parse("{\"a\":1}", 7, 6, err, sizeof(err)));
	d = json_parse(good, strlen(good), 4096, err, sizeof(err));
	if (d == NULL)
		fail_msg("%s", err);
	assert_string_equal(json_get_string(d, "s"), "x");
	assert_null(json_get_string(d, "n"));
	assert_true(json_get_int(d, "n", &v) && v == 5);
	assert_true(json_get_bool(d, "b", &b) && !b);
	assert_non_null(json_member(d, 2));
	assert_null(json_member(d, 3));
	json_doc_free(&d);
}

/* Whoever is told that a document is wrong is told where. */
static void
names_the_place(void **state)
{
	static const struct {
		const char *text, *where;
	} wrong[] = {
		{ "", "" },
		{ "{\"a\":\"\xff\"}", "a" },
		{ "{\"a\":{\"b\":[1,{\"c\":\"ok\",\"d\":\"x\xc3(\"}]}}", "a.b[1].d" },
		{ "{\"a\":[[1,2],[3,\"\\u0000\"]]}", "a[1][1]" },
		{ "{\"a\":\"{[\\\"\",\"b\":\"\x80\"}", "b" },
		{ "{\"\xff\":1}", "" },
		{ "{\"a\":nul}", "a" },
		{ "{\"a\":[{},{},", "a[2]" },
	};
	char where[32], err[128];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(json_parse_where(wrong[i].text, strlen(wrong[i].text), 4096, where, sizeof(where),
					     err, sizeof(err)));
		assert_string_equal(where, wrong[i].where);
	}
	assert_null(json_parse_where("{\"abcdef\":\xff}", 11, 4096, where, 4, err, sizeof(err)));
	assert_string_equal(where, "abc");
}

static void
walks_through_values(void **state)
{
	static const char text[] = "{\"list\":[1,\"two\",3.5,true,null,{}],\"name\":\"x\"}";
	static const char *const known[] = { "list", "name" };
	struct json_doc *d;
	const struct json_node *root, *list;
	char err[128];
	double real;
	int64_t n;
	bool b;

	(void)state;
	d = json_parse(text, strlen(text), 4096, err, sizeof(err));
	assert_non_null(d);
	root = json_root(d);
	list = json_node_member(root, "list");
	assert_int_equal(json_node_kind(root), JSON_KIND_OBJECT);
	assert_int_equal(json_node_count(list), 6);
	assert_int_equal(json_node_count(root), 0);
	assert_true(json_node_int(json_node_at(list, 0), &n) && n == 1);
	assert_string_equal(json_node_text(json_node_at(list, 1)), "two");
	assert_true(json_node_number(json_node_at(list, 2), &real) && real > 3.4 && real < 3.6);
	assert_true(json_node_number(json_node_at(list, 0), &real) && real > 0.9 && real < 1.1);
	assert_false(json_node_int(json_node_at(list, 2), &n));
	assert_true(json_node_bool(json_node_at(list, 3), &b) && b);
	assert_int_equal(json_node_kind(json_node_at(list, 4)), JSON_KIND_NULL);
	assert_int_equal(json_node_kind(json_node_at(list, 6)), JSON_KIND_NONE);
	assert_null(json_node_member(list, "name"));
	assert_null(json_node_text(NULL));
	assert_null(json_node_stranger(root, known, 2));
	assert_string_equal(json_node_stranger(root, known, 1), "name");
	json_doc_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_it_is_told),
		cmocka_unit_test(numbers_are_those_of_printf),
		cmocka_unit_test(texts_of_others_stand_as_they_are),
		cmocka_unit_test(utf8),
		cmocka_unit_test(names_of_members),
		cmocka_unit_test(misuse_and_limits_stick),
		cmocka_unit_test(reads_and_refuses),
		cmocka_unit_test(names_the_place),
		cmocka_unit_test(walks_through_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
