/* What a request must be like: hosts, cookies, CSRF tokens, origins, encodings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <netdb.h>
#include <netinet/in.h>

#include "base/mem.h"
#include "guard.h"
#include "numeric_name.h"

static void
hosts(void **state)
{
	static const char *const good[] = { "a",
					    "weir.example",
					    "weir.example:3001",
					    "10.0.0.1",
					    "10.0.0.1:1",
					    "[::1]",
					    "[2001:db8::1]:65535",
					    "under_score.example",
					    "xn--bcher-kva.example" };
	static const char *const bad[] = {
		"",       ":80",  "a:",   "a:x",  "a:123456",         "a b",    "a/b", "a@b",
		"a\r\nb", "[::1", "::1]", "[]",   "[::1]x",           "[::1]:", ".a",  "-a",
		"a,b",    "a?b",  "a#b",  "a\\b", "\xc3\xbc.example", "[g::1]"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(host_is_valid(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(host_is_valid(bad[i]));
}

static void
names_and_lengths(void **state)
{
	size_t n = 7;

	(void)state;
	assert_true(header_name_is_valid("Content-Length"));
	assert_false(header_name_is_valid(""));
	assert_false(header_name_is_valid("Content-Length "));
	assert_false(header_name_is_valid("a\tb"));
	assert_false(header_name_is_valid("a:b"));
	assert_true(length_parse("0", &n) && n == 0);
	assert_true(length_parse("65536", &n) && n == 65536);
	for (const char *const *bad = (const char *const[]){ "", "+1", "-1", "1 ", " 1", "0x10", "1,1", "1e3",
							     "1234567890", NULL };
	     *bad != NULL; bad++)
		assert_false(length_parse(*bad, &n));
	assert_int_equal(n, 65536);
}

#define VALUE "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA" /* 1, 2, ... 32 */

static void
cookies(void **state)
{
	static const char *const good[] = { "__Host-weir=" VALUE, "a=b; __Host-weir=" VALUE,
					    "__Host-weir=" VALUE "; a=b",
					    "x__Host-weir=" VALUE "; __Host-weir=" VALUE,
					    " ;; __Host-weir=" VALUE ";" };
	static const char *const bad[] = { "",
					   "a=b",
					   "__Host-weir=",
					   "__Host-weir",
					   "__Host-weir=" VALUE "A",
					   "__host-weir=" VALUE,
					   "__Host-weir=" VALUE "; __Host-weir=" VALUE,
					   "__Host-weir=\"" VALUE "\"",
					   "__Host-weir=BQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHy",
					   "__Host-weir=AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHy=",
					   "__Host-weir=AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyB",
					   "__Host-weir=AQIDBAUGBwgJCgsMDQ\xd5"
					   "PEBESExQVFhcYGRobHB0eHyA" };
	uint8_t cookie[COOKIE_BYTES];
	char text[TOKEN_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		memset(cookie, 0, sizeof(cookie));
		assert_true(cookie_parse(good[i], cookie));
		for (uint8_t b = 0; b < COOKIE_BYTES; b++)
			assert_int_equal(cookie[b], b + 1);
		assert_string_equal(token_format(cookie, text), VALUE);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(cookie_parse(bad[i], cookie));
	assert_false(cookie_parse(NULL, cookie));
}

static void
csrf(void **state)
{
	uint8_t cookie[COOKIE_BYTES] = { 1 }, other[COOKIE_BYTES] = { 2 };
	char token[TOKEN_TEXT_MAX], again[TOKEN_TEXT_MAX];

	(void)state;
	csrf_token(cookie, token);
	csrf_token(cookie, again);
	assert_string_equal(token, again);
	assert_true(csrf_matches(cookie, token));
	assert_false(csrf_matches(other, token));
	assert_false(csrf_matches(cookie, NULL));
	assert_false(csrf_matches(cookie, ""));
	assert_false(csrf_matches(cookie, "1"));
	token[42] ^= 1;
	assert_false(csrf_matches(cookie, token));
	/* It does not give the cookie away. */
	assert_string_not_equal(again, token_format(cookie, token));
}

static void
origins(void **state)
{
	(void)state;
	assert_true(arrival_is_a_page(NULL));
	assert_true(arrival_is_a_page("document"));
	assert_false(arrival_is_a_page("image"));
	assert_false(arrival_is_a_page("iframe"));
	assert_false(arrival_is_a_page(""));
	assert_true(origin_is_ours(NULL, NULL, "h"));
	assert_true(origin_is_ours("https://h:3001", "same-origin", "h:3001"));
	assert_true(origin_is_ours("https://H:3001", NULL, "h:3001"));
	assert_true(origin_is_ours(NULL, "none", "h"));
	assert_false(origin_is_ours("https://h", NULL, "h:3001"));
	assert_false(origin_is_ours("http://h:3001", NULL, "h:3001"));
	assert_false(origin_is_ours("https://h:3001.evil", NULL, "h:3001"));
	assert_false(origin_is_ours("null", NULL, "h"));
	assert_false(origin_is_ours("", NULL, "h"));
	assert_false(origin_is_ours("https://h", "cross-site", "h"));
	assert_false(origin_is_ours("https://h", "same-site", "h"));
	assert_false(origin_is_ours(NULL, "", "h"));
}

static void
encodings(void **state)
{
	(void)state;
	assert_true(accepts_gzip("gzip"));
	assert_true(accepts_gzip("br, GZIP;q=0.5"));
	assert_true(accepts_gzip("br,gzip"));
	assert_false(accepts_gzip(NULL));
	assert_false(accepts_gzip(""));
	assert_false(accepts_gzip("br"));
	assert_false(accepts_gzip("xgzip, gzipx"));
	assert_false(accepts_gzip("gzip;q=0"));
	assert_false(accepts_gzip("gzip; q=0.000, br"));
	assert_true(etag_matches("\"a\"", "\"a\""));
	assert_true(etag_matches("\"b\", W/\"a\"", "\"a\""));
	assert_true(etag_matches("*", "\"a\""));
	assert_false(etag_matches("\"b\"", "\"a\""));
	assert_false(etag_matches("a", "\"a\""));
	assert_false(etag_matches(NULL, "\"a\""));
}

static void
escapes(void **state)
{
	char out[8];

	(void)state;
	assert_true(percent_decode("a%2Fb%20", 8, false, out, sizeof(out)));
	assert_string_equal(out, "a/b ");
	assert_true(percent_decode("a+b", 3, true, out, sizeof(out)));
	assert_string_equal(out, "a b");
	assert_true(percent_decode("a+b", 3, false, out, sizeof(out)));
	assert_string_equal(out, "a+b");
	assert_true(percent_decode("%c3%BC", 6, false, out, sizeof(out)));
	assert_string_equal(out, "\xc3\xbc");
	assert_true(percent_decode("", 0, false, out, sizeof(out)));
	assert_string_equal(out, "");
	assert_true(percent_decode("1234567", 7, false, out, sizeof(out)));
	for (const char *const *bad = (const char *const[]){ "%", "%2", "a%2", "%zz", "%0g", "%00", "%0a",
							     "%7f", "a\nb", "12345678", NULL };
	     *bad != NULL; bad++)
		assert_false(percent_decode(*bad, strlen(*bad), false, out, sizeof(out)));
	/* An escape is not completed with what stands behind the text. */
	assert_false(percent_decode("%2F", 2, false, out, sizeof(out)));
}

/* libevent must get this getnameinfo, which asks nobody for the name of an interface. */
static void
numeric_names(void **state)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(443), .sin6_scope_id = 1 };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(80),
				  .sin_addr = { htonl(0x0a000001) } };
	struct sockaddr none = { .sa_family = AF_UNIX };
	char host[64], port[8];

	(void)state;
	numeric_name_check();
	a.sin6_addr.s6_addr[0] = 0xfe;
	a.sin6_addr.s6_addr[1] = 0x80;
	a.sin6_addr.s6_addr[15] = 1;
	assert_int_equal(
	    getnameinfo((struct sockaddr *)&a, sizeof(a), host, sizeof(host), port, sizeof(port), 0), 0);
	assert_string_equal(host, "fe80::1"); /* the C library's says fe80::1%lo */
	assert_string_equal(port, "443");
	assert_int_equal(
	    getnameinfo((struct sockaddr *)&v4, sizeof(v4), host, sizeof(host), port, sizeof(port), 0), 0);
	assert_string_equal(host, "10.0.0.1");
	assert_int_not_equal(getnameinfo((struct sockaddr *)&v4, sizeof(v4), host, 4, NULL, 0, 0), 0);
	assert_int_not_equal(getnameinfo(&none, sizeof(none), host, sizeof(host), NULL, 0, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),   cmocka_unit_test(names_and_lengths), cmocka_unit_test(cookies),
		cmocka_unit_test(csrf),    cmocka_unit_test(origins),           cmocka_unit_test(encodings),
		cmocka_unit_test(escapes), cmocka_unit_test(numeric_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
