/* Names from name servers: what is passed on, and that a small server's answers come, are remembered, and are
 * bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "resolver.h"

static void
taken(const char *text, const char *want)
{
	char out[RESOLVED_MAX + 1];

	assert_int_equal(resolved_name(text, out), strlen(want));
	assert_string_equal(out, want);
}

static void
refused(const char *text)
{
	char out[RESOLVED_MAX + 1];

	assert_int_equal(resolved_name(text, out), 0);
}

static void
test_names(void **state)
{
	char longest[RESOLVED_MAX + 3];

	(void)state;
	taken("Host.Example.ORG", "host.example.org");
	taken("host.example.org.", "host.example.org");
	taken("_dmarc-1.x", "_dmarc-1.x");
	refused("");
	refused(".");
	refused("..");
	refused("a..b");
	refused(".a");
	refused("1.1.77.10.in-addr.arpa.");
	taken("arpa.example", "arpa.example");
	refused("a b");
	refused("<script>");
	refused("a\nb");
	refused("caf\xc3\xa9.example");
	memset(longest, 'a', sizeof(longest));
	longest[RESOLVED_MAX] = '\0';
	taken(longest, longest);
	longest[RESOLVED_MAX] = '.';
	longest[RESOLVED_MAX + 1] = '\0';
	assert_int_equal(resolved_name(longest, (char[RESOLVED_MAX + 1]){ 0 }), RESOLVED_MAX);
	longest[RESOLVED_MAX] = 'a';
	refused(longest);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("dial_resolver", tests, NULL, NULL);
}
