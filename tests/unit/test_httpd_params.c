/* Query parameters: what is taken, what is refused, and that a refusal names the parameter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "params.h"

#define ALL   ((UINT64_C(1) << PARAM_COUNT) - 1)
#define SORTS (SORTABLE(BYTES) | SORTABLE(RATE))

static char why[160];

static bool
parse(const char *query, struct params *p)
{
	memset(p, 0, sizeof(*p));
	return params_parse(query, ALL, SORTS, p, why, sizeof(why));
}

static void
taken(void **state)
{
	struct params p;
	static const uint8_t v4[4] = { 10, 0, 0, 1 };
	struct ip_addr ip = ip_from_v4(v4);

	(void)state;
	assert_true(parse(NULL, &p) && p.given == 0);
	assert_true(parse("", &p) && p.given == 0);
	assert_true(parse("sort=rate&order=asc&limit=1000&cursor=YWJj", &p));
	assert_int_equal(p.sort, SORT_RATE);
	assert_true(p.ascending);
	assert_int_equal(p.limit, 1000);
	assert_int_equal(p.cursor_len, 3);
	assert_memory_equal(p.cursor, "abc", 3);
	assert_true(
	    parse("interface=eth%300&host=10.0.0.1&application=TLS.Goo+gle&vlan=4095&space=4294967295", &p));
	assert_string_equal(p.interface, "eth00");
	assert_true(ip_equal(&p.host, &ip));
	assert_string_equal(p.application, "TLS.Goo gle");
	assert_int_equal(p.vlan, 4095);
	assert_int_equal(p.space, UINT32_MAX);
	assert_true(
	    parse("from=1700000000.5&to=1700000001.000000001&resolution=60&subject=interface&key=eth0", &p));
	assert_int_equal(p.from_ns, INT64_C(1700000000500000000));
	assert_int_equal(p.to_ns, INT64_C(1700000001000000001));
	assert_int_equal(p.resolution_s, 60);
	assert_int_equal(p.subject, SERIES_POINT);
	/* 0 is 1970, not "live" */
	assert_true(parse("from=0", &p) && p.from_ns > 0);
	assert_true(params_has(&p, PARAM_FROM) && !params_has(&p, PARAM_TO));
}

static void
refused(void **state)
{
	static const char *const bad[][2] = { { "limit=0", "limit" },
					      { "limit=1001", "limit" },
					      { "limit=01x", "limit" },
					      { "limit", "limit" },
					      { "limit=9999999999999", "limit" },
					      { "x=1", "x" },
					      { "=1", "" },
					      { "limit=1&limit=1", "limit" },
					      { "sort=score", "sort" },
					      { "sort=", "sort" },
					      { "order=ASC", "order" },
					      { "cursor=a", "cursor" },
					      { "cursor=YQ==", "cursor" },
					      { "host=10.0.0", "host" },
					      { "host=10.0.0.1%00", "host" },
					      { "from=-1", "from" },
					      { "from=1.", "from" },
					      { "from=.5", "from" },
					      { "from=1.0000000001", "from" },
					      { "from=9000000001", "from" },
					      { "from=1e9", "from" },
					      { "to=nan", "to" },
					      { "resolution=61", "resolution" },
					      { "subject=x", "subject" },
					      { "vlan=4096", "vlan" },
					      { "space=4294967296", "space" },
					      { "interface=", "interface" },
					      { "interface=%", "interface" },
					      { "LIMIT=1", "LIMIT" } };
	struct params p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		why[0] = '\0';
		assert_false(parse(bad[i][0], &p));
		assert_int_equal(strncmp(why, bad[i][1], strlen(bad[i][1])), 0);
		assert_int_equal(why[strlen(bad[i][1])], ':');
	}
}

/* What one address knows, another need not. */
static void
by_address(void **state)
{
	struct params p = { 0 };

	(void)state;
	assert_false(params_parse("vlan=1", PARAM(LIMIT), 0, &p, why, sizeof(why)));
	assert_false(params_parse("sort=bytes", PARAM(SORT), SORTABLE(RATE), &p, why, sizeof(why)));
	assert_true(params_parse("sort=rate", PARAM(SORT), SORTABLE(RATE), &p, why, sizeof(why)));
}

/* As long as fits, and one more. */
static void
lengths(void **state)
{
	char query[256] = "key=";
	struct params p;

	(void)state;
	memset(query + 4, 'k', 63);
	assert_true(parse(query, &p));
	assert_int_equal(strlen(p.key), 63);
	memset(query + 4, 'k', 64);
	assert_false(parse(query, &p));
	memset(query, 0, sizeof(query));
	assert_true(str_copy(query, sizeof(query), "cursor="));
	memset(query + 7, 'A', 86); /* 64 bytes, two bits over */
	assert_true(parse(query, &p));
	assert_int_equal(p.cursor_len, CURSOR_MAX);
	memset(query + 7, 'A', 87);
	assert_false(parse(query, &p));
	memset(query + 7, 'A', 240);
	assert_false(parse(query, &p));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken),
		cmocka_unit_test(refused),
		cmocka_unit_test(by_address),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
