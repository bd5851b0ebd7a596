/* Rows as CSV: columns, lists, escapes, what spreadsheets would run; and what Accept wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "csv.h"
#include "representation.h"

static void
expect(const char *columns, const char *json, const char *want)
{
	struct csv *c = csv_new(columns);
	struct text t = { 0 };

	/* Twice: nothing of a row is left in the next. */
	for (unsigned i = 0; i < 2; i++) {
		t.len = 0;
		assert_true(csv_row(c, json, strlen(json), &t));
		assert_int_equal(t.len, strlen(want));
		assert_memory_equal(t.bytes, want, t.len);
		assert_true(csv_row(c, "{}", 2, &t));
	}
	text_free(&t);
	csv_free(&c);
}

static void
columns(void **state)
{
	struct csv *c = csv_new("a b.c b.d.e f");
	struct text t = { 0 };

	(void)state;
	csv_head(c, &t);
	assert_memory_equal(t.bytes, "a,b.c,b.d.e,f\r\n", t.len);
	text_free(&t);
	csv_free(&c);
	expect("a b.c b.d.e f", "{\"a\":1,\"b\":{\"c\":2.5,\"d\":{\"e\":true}},\"f\":-3}",
	       "1,2.5,true,-3\r\n");
	expect("a b.c b.d.e f", "{\"f\":null,\"b\":null,\"a\":0}", "0,,,\r\n");
	expect("a b.c b.d.e f",
	       "{\"b\":{\"d\":{\"e\":7,\"x\":{\"y\":[1,{\"z\":\"}\"}]}},\"c\":6},\"g\":[[]]}", ",6,7,\r\n");
	expect("a b", "{ \"b\" : { \"c\" : [ 1 , 2 ] } , \"a\" : [ ] }",
	       ",\"{ \"\"c\"\" : [ 1 , 2 ] }\"\r\n");
	/* A member of the name of a path is none of its parts. */
	expect("a.b", "{\"a\":{\"a.b\":1},\"b\":2}", "\r\n");
}

static void
lists(void **state)
{
	(void)state;
	expect("a", "{\"a\":[]}", "\r\n");
	expect("a", "{\"a\":[1,\"x\",null,true]}", "1|x||true\r\n");
	expect("a", "{\"a\":[\"x,y\",\"z\\\"\"]}", "\"x,y|z\"\"\"\r\n");
	expect("a", "{\"a\":[{\"b\":\"c\"}]}", "\"[{\"\"b\"\":\"\"c\"\"}]\"\r\n");
	expect("a", "{\"a\":[\"=x\",\"y\"]}", "'=x|y\r\n");
}

static void
escapes(void **state)
{
	(void)state;
	expect("a", "{\"a\":\"x\\\\y\\/z\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"}",
	       "x\\y/zA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\r\n");
	expect("a", "{\"a\":\"x\\ny\"}", "\"x\ny\"\r\n");
	expect("a", "{\"a\":\"\\u0000\\ud83d\\udc\"}",
	       "\xef\xbf\xbd\xef\xbf\xbd"
	       "udc\r\n");
	expect("a", "{\"a\":\" x\"}", "\" x\"\r\n");
}

static void
formulas(void **state)
{
	static const char *const rows[][2] = {
		{ "=1+1", "'=1+1\r\n" },
		{ "+1", "'+1\r\n" },
		{ "-1", "'-1\r\n" },
		{ "@x", "'@x\r\n" },
		{ "\\t=1", "\"'\t'=1\"\r\n" },
		{ "\\r=1", "\"'\r'=1\"\r\n" },
		{ "a=b", "a=b\r\n" },
		{ "a-b", "a-b\r\n" },
		{ "a;=b", "\"a;'=b\"\r\n" },
		{ "a, =b", "\"a, '=b\"\r\n" },
		{ "a\\\"=b", "\"a\"\"'=b\"\r\n" },
		{ "a\\n@b", "\"a\n'@b\"\r\n" },
		{ " =b", "\" '=b\"\r\n" },
		{ "\xef\xbc\x9d"
		  "1",
		  "'\xef\xbc\x9d"
		  "1\r\n" },
		{ "\xef\xbc\xa0"
		  "1",
		  "'\xef\xbc\xa0"
		  "1\r\n" },
	};
	char json[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)snprintf(json, sizeof(json), "{\"a\":\"%s\"}", rows[i][0]);
		expect("a", json, rows[i][1]);
	}
	expect("a b", "{\"a\":-5,\"b\":-0.5e+3}", "-5,-0.5e+3\r\n");
}

static void
no_json(void **state)
{
	static const char *const bad[] = { "",
					   "[]",
					   "{",
					   "{\"a\"}",
					   "{\"a\":}",
					   "{\"a\":1",
					   "{\"a\":\"x",
					   "{\"a\":[1}",
					   "{\"a\":1,,\"b\":2}",
					   "{\"a\":\"x\\",
					   "{\"a\":{\"b\":1}" };
	struct csv *c = csv_new("a b");
	struct text t = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *copy = mem_calloc(1, strlen(bad[i]) + 1); /* so that a byte too far is seen */

		memcpy(copy, bad[i], strlen(bad[i]));
		assert_false(csv_row(c, copy, strlen(bad[i]), &t));
		free(copy);
	}
	assert_int_equal(t.len, 0);
	csv_free(&c);
}

static void
accepted(void **state)
{
	static const struct {
		const char *accept;
		enum representation as;
	} rows[] = { { NULL, AS_JSON },
		     { "", AS_JSON },
		     { ",", AS_JSON },
		     { "text/csv", AS_CSV },
		     { "TEXT/CSV", AS_CSV },
		     { "text/csv; charset=utf-8", AS_CSV },
		     { "text/csvx", AS_JSON },
		     { "text/*", AS_CSV },
		     { "application/*", AS_JSON },
		     { "application/x-ndjson", AS_NDJSON },
		     { "application/json, text/csv", AS_JSON },
		     { "application/json;q=0.9 , text/csv", AS_CSV },
		     { "text/csv;q=0.001", AS_CSV },
		     { "text/csv;q=0", AS_JSON },
		     { "text/csv; Q=0.5, application/x-ndjson;q=0.51", AS_NDJSON },
		     { "*/*;q=0.9, application/json;q=0", AS_NDJSON },
		     { "*/*", AS_JSON },
		     { "*/csv", AS_JSON },
		     { "text/csv;", AS_CSV },
		     { "text/csv;q", AS_CSV },
		     { "text/csv;q=", AS_JSON },
		     { ";q=1", AS_JSON } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(representation_of(rows[i].accept), rows[i].as);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(columns), cmocka_unit_test(lists),
					    cmocka_unit_test(escapes), cmocka_unit_test(formulas),
					    cmocka_unit_test(no_json), cmocka_unit_test(accepted) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
