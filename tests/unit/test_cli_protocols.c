/* The user's own applications: both ways to write them, and what is said of mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "protocols.h"

static void
test_lines(void **state)
{
	static const struct {
		const char *line, *rule;
	} good[] = {
		{ "", "" },
		{ "  # a comment", "" },
		{ "tcp:81,tcp:8181@HTTP", "tcp:81,tcp:8181@HTTP" },
		{ "udp:1000-1010@games\r", "udp:1000-1010@games" },
		{ "host:\"example.org\",host:\"example.com\"@Mine",
		  "host:\"example.org\",host:\"example.com\"@Mine" },
		{ "ip:192.0.2.0/24:443@office ", "ip:192.0.2.0/24:443@office" },
		{ "ip:192.0.2.1@one", "ip:192.0.2.1@one" },
		{ "internal_erp 192.168.1.100:8080", "ip:192.168.1.100:8080@internal_erp" },
		{ "\tcustom_api\t10.0.0.50:443", "ip:10.0.0.50:443@custom_api" },
	};
	static const struct {
		const char *line, *wrong;
	} bad[] = {
		{ "tcp:8080", "neither a rule" },
		{ "tcp:99999@x", "ports are written as" },
		{ "tcp:80;rm@x", "ports are written as" },
		{ "tcp:80@", "the name behind @" },
		{ "tcp:80@a b", "the name behind @" },
		{ "sctp:80@x", "begin each part with" },
		{ "ip:2001:db8::1@x", "IPv6" },
		{ "ip:192.0.2.256@x", "no IPv4 address" },
		{ "ip:192.0.2.0/33@x", "a network is written as" },
		{ "ip:192.0.2.1:70000@x", "a port is a number" },
		{ "host:\"a b.example\"@x", "letters, digits" },
		{ "host:x@y", "3 to 253" },
		{ "erp erp.example.org:443", "a host name and a port cannot be told together" },
		{ "erp 192.0.2.1", "neither a rule" },
		{ "tcp:80\x01@x", "a control character" },
	};
	char rule[PROTOCOLS_RULE_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_null(protocols_line(good[i].line, rule));
		assert_string_equal(rule, good[i].rule);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *wrong = protocols_line(bad[i].line, rule);

		assert_non_null(wrong);
		assert_non_null(strstr(wrong, bad[i].wrong));
		assert_string_equal(rule, "");
	}
}

struct said {
	unsigned n;
	char line[8][256];
};

static void
say_it(void *ctx, const char *line)
{
	struct said *s = ctx;

	if (s->n < ARRAY_LEN(s->line))
		str_copy(s->line[s->n], sizeof(s->line[0]), line);
	s->n++;
}

static int
open_text(const char *text, struct said *said, char path[static 64])
{
	int fd;

	str_copy(path, 64, "/tmp/weir-protocols-XXXXXX");
	fd = mkstemp(path);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	memset(said, 0, sizeof(*said));
	fd = protocols_open(path, say_it, said);
	(void)unlink(path);
	return fd;
}

static void
test_files(void **state)
{
	char path[64], rules[256] = "", expected[256];
	struct said said;
	int fd;

	(void)state;
	fd = open_text("# ours\ntcp:81@HTTP\n\nerp 192.0.2.1:8080", &said, path);
	assert_int_not_equal(fd, -1);
	assert_int_equal(said.n, 0);
	assert_true(pread(fd, rules, sizeof(rules) - 1, 0) > 0);
	assert_string_equal(rules, "tcp:81@HTTP\nip:192.0.2.1:8080@erp\n");
	assert_int_equal(pwrite(fd, "x", 1, 0), -1); /* sealed */
	close(fd);

	assert_int_equal(open_text("tcp:81@HTTP\ntcp:x@y\n\nwhat is this\n", &said, path), -1);
	assert_int_equal(said.n, 2);
	(void)snprintf(expected, sizeof(expected), "%s:2: ports are written as tcp:8080 or udp:1000-1010",
		       path);
	assert_string_equal(said.line[0], expected);
	(void)snprintf(expected, sizeof(expected), "%s:4: neither", path);
	assert_memory_equal(said.line[1], expected, strlen(expected));

	memset(&said, 0, sizeof(said));
	assert_int_equal(protocols_open("/nowhere/at/all", say_it, &said), -1);
	assert_non_null(strstr(said.line[0], "cannot be read"));
	assert_int_equal(protocols_open("/tmp", say_it, &said), -1);
}

static void
test_too_many_names(void **state)
{
	char *text = mem_calloc(PROTOCOLS_NAMES_MAX + 2, 32), path[64];
	struct said said;
	size_t at = 0;

	(void)state;
	for (unsigned i = 0; i <= PROTOCOLS_NAMES_MAX; i++)
		at += (size_t)snprintf(text + at, 32, "tcp:%u@name%u\n", 1000 + i, i);
	assert_int_equal(open_text(text, &said, path), -1);
	assert_int_equal(said.n, 1);
	assert_non_null(strstr(said.line[0], ":129: name128 is the 129th name"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_too_many_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
