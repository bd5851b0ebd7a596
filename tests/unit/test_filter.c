/* The filter language: what a text becomes, where an error is said to be, and that programs decide as their
 * text says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "filter/filter.h"
#include "ipc/wire.h"

static struct filter_program program;
static struct filter_error error;

static void
good(const char *text)
{
	if (!filter_compile(text, strlen(text), &program, &error))
		fail_msg("%s: %s (at %zu)", text, error.text, error.at);
	if (!filter_verify(&program))
		fail_msg("%s: its program is not sane", text);
}

static void
one(const char *text, enum filter_field field, enum filter_end end, enum filter_compare compare,
    uint64_t number)
{
	good(text);
	assert_int_equal(program.head.ntests, 1);
	assert_int_equal(program.test[0].field, field);
	assert_int_equal(program.test[0].end, end);
	assert_int_equal(program.test[0].compare, compare);
	assert_int_equal(program.test[0].number, number);
	assert_int_equal(program.test[0].pass, FILTER_ACCEPT);
	assert_int_equal(program.test[0].fail, FILTER_REJECT);
}

static void
test_single_tests(void **state)
{
	(void)state;
	one("", FILTER_ANY, FILTER_EITHER, FILTER_EQUAL, 0);
	one(" \n# a comment\n", FILTER_ANY, FILTER_EITHER, FILTER_EQUAL, 0);
	one("any", FILTER_ANY, FILTER_EITHER, FILTER_EQUAL, 0);
	one("port 443", FILTER_PORT, FILTER_EITHER, FILTER_EQUAL, 443);
	one("Dst PORT = 443", FILTER_PORT, FILTER_SERVER, FILTER_EQUAL, 443);
	one("client port gt 1023", FILTER_PORT, FILTER_CLIENT, FILTER_MORE, 1023);
	one("port >= 1024", FILTER_PORT, FILTER_EITHER, FILTER_MORE, 1023);
	one("port<=1024", FILTER_PORT, FILTER_EITHER, FILTER_LESS, 1025);
	one("port >= 0", FILTER_ANY, FILTER_EITHER, FILTER_EQUAL, 0);
	one("bytes > 1m", FILTER_BYTES, FILTER_EITHER, FILTER_MORE, 1000000);
	one("src bytes < 10K", FILTER_BYTES, FILTER_CLIENT, FILTER_LESS, 10000);
	one("duration > 5s", FILTER_DURATION, FILTER_EITHER, FILTER_MORE, 5000);
	one("duration > 1500", FILTER_DURATION, FILTER_EITHER, FILTER_MORE, 1500);
	one("latency > 2m", FILTER_LATENCY, FILTER_EITHER, FILTER_MORE, 120000);
	one("proto tcp", FILTER_PROTOCOL, FILTER_EITHER, FILTER_EQUAL, 6);
	one("tcp", FILTER_PROTOCOL, FILTER_EITHER, FILTER_EQUAL, 6);
	one("proto 47", FILTER_PROTOCOL, FILTER_EITHER, FILTER_EQUAL, 47);
	one("proto gre", FILTER_PROTOCOL, FILTER_EITHER, FILTER_EQUAL, 47);
	one("ipv6", FILTER_FAMILY, FILTER_EITHER, FILTER_EQUAL, 6);
	one("flags SA", FILTER_FLAGS, FILTER_EITHER, FILTER_EQUAL, 0x12);
	one("dst flags x", FILTER_FLAGS, FILTER_SERVER, FILTER_EQUAL, 0xff);
	one("mac 00:11:22:AA:bb:cc", FILTER_MAC, FILTER_EITHER, FILTER_EQUAL, 0x001122aabbcc);
	one("state established", FILTER_STATE, FILTER_EITHER, FILTER_EQUAL, FLOW_ESTABLISHED);
	one("end idle", FILTER_END_REASON, FILTER_EITHER, FILTER_EQUAL, END_IDLE);
	one("in if 3", FILTER_IN_INTERFACE, FILTER_EITHER, FILTER_EQUAL, 3);
	one("out if 4", FILTER_OUT_INTERFACE, FILTER_EITHER, FILTER_EQUAL, 4);
	one("as 64500", FILTER_AS, FILTER_EITHER, FILTER_EQUAL, 64500);
	one("vlan 7", FILTER_VLAN, FILTER_EITHER, FILTER_EQUAL, 7);
}

static void
test_addresses_and_names(void **state)
{
	static const struct ip_addr v4 = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1 } };

	(void)state;
	one("src ip 10.0.0.1", FILTER_ADDRESS, FILTER_CLIENT, FILTER_EQUAL, 0);
	assert_memory_equal(&program.test[0].ip, &v4, sizeof(v4));
	assert_int_equal(program.test[0].bits, 128);
	one("dst net 10.9.0.0/8", FILTER_ADDRESS, FILTER_SERVER, FILTER_EQUAL, 0);
	assert_int_equal(program.test[0].bits, 104);
	one("host 2001:db8::1", FILTER_ADDRESS, FILTER_EITHER, FILTER_EQUAL, 0);
	one("exporter 192.0.2.1", FILTER_EXPORTER, FILTER_EITHER, FILTER_EQUAL, 0);
	one("app \"TLS.Google\"", FILTER_APPLICATION, FILTER_EITHER, FILTER_EQUAL, 0);
	assert_int_equal(program.test[0].text_len, 10);
	assert_memory_equal(program.text, "TLS.Google", 10);
	one("app dns", FILTER_APPLICATION, FILTER_EITHER, FILTER_EQUAL, 0);
	/* A word of the language is a value where a value stands. */
	one("app ip", FILTER_APPLICATION, FILTER_EITHER, FILTER_EQUAL, 0);
	one("risk any", FILTER_RISK, FILTER_EITHER, FILTER_EQUAL, 0);
	assert_memory_equal(program.text, "any", 3);
	good("app TLS and sni 'example.com'");
	assert_int_equal(program.head.text_len, 14);
	assert_int_equal(program.test[1].text_at, 3);
}

/* Runs a program where the i-th test holds as truth says. */
static bool
run(const struct filter_program *p, uint64_t truth)
{
	uint16_t at = 0;

	while (at != FILTER_ACCEPT && at != FILTER_REJECT)
		at = truth >> at & 1 ? p->test[at].pass : p->test[at].fail;
	return at == FILTER_ACCEPT;
}

static void
test_precedence(void **state)
{
	(void)state;
	for (uint64_t truth = 0; truth < 8; truth++) {
		bool a = truth & 1, b = truth & 2, c = truth & 4;

		good("port 1 or port 2 and port 3");
		assert_int_equal(run(&program, truth), a || (b && c));
		good("(port 1 || port 2) && port 3");
		assert_int_equal(run(&program, truth), (a || b) && c);
		good("not port 1 and not (port 2 or !port 3)");
		assert_int_equal(run(&program, truth), !a && !(b || !c));
		good("port != 1 and port in [ 2, 3 ]");
		assert_int_equal(run(&program, truth), !a && (b || c));
		good("port not in [ 1 2 ] or vlan 3");
		assert_int_equal(run(&program, truth), !(a || b) || c);
	}
}

/* --- random expressions: the text, and what it means, side by side --- */

static uint64_t seed = 0x9e3779b97f4a7c15;

static unsigned
roll(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

struct text {
	char s[8192];
	size_t len;
	unsigned tests;
};

static void
say(struct text *t, const char *s)
{
	size_t n = strlen(s);

	assert_true(t->len + n < sizeof(t->s));
	memcpy(t->s + t->len, s, n + 1);
	t->len += n;
}

/* Writes an expression and returns whether it holds where the i-th test does as truth says. Everything is in
 * parentheses, so that the grammar's own precedence is not asked. */
/* NOLINTBEGIN(misc-no-recursion): as deep as its second argument says */
static bool
write_expression(struct text *t, unsigned depth, uint64_t truth)
{
	unsigned what = depth == 0 || t->tests > 50 ? 0 : roll(4);
	bool a, b;

	if (what == 0) {
		say(t, "port 1");
		return truth >> t->tests++ & 1;
	}
	if (what == 1) {
		say(t, "not (");
		a = write_expression(t, depth - 1, truth);
		say(t, ")");
		return !a;
	}
	say(t, "(");
	a = write_expression(t, depth - 1, truth);
	say(t, what == 2 ? ") and (" : ") or (");
	b = write_expression(t, depth - 1, truth);
	say(t, ")");
	return what == 2 ? a && b : a || b;
}
/* NOLINTEND(misc-no-recursion) */

static void
test_programs_decide_as_their_text(void **state)
{
	static struct text t;
	static struct filter_program again;
	static uint8_t bytes[FILTER_BYTES_MAX];

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t truth = seed * 0xd6e8feb86659fd93;
		bool want;
		size_t n;

		t.len = 0;
		t.tests = 0;
		want = write_expression(&t, 1 + roll(5), truth);
		good(t.s);
		assert_int_equal(program.head.ntests, t.tests);
		assert_int_equal(run(&program, truth), want);
		n = filter_encode(&program, bytes, sizeof(bytes));
		assert_true(n > 0 && filter_decode(bytes, n, &again));
		assert_memory_equal(&again, &program,
				    sizeof(again.head) + program.head.ntests * sizeof(again.test[0]));
		assert_false(filter_decode(bytes, n - 1, &again));
	}
}

/* --- errors --- */

static void
bad(const char *text, size_t at, size_t len, const char *why)
{
	if (filter_compile(text, strlen(text), &program, &error))
		fail_msg("%s: taken", text);
	if (error.at != at || error.len != len || strstr(error.text, why) == NULL)
		fail_msg("%s: said \"%s\" of %zu+%zu", text, error.text, error.at, error.len);
}

static void
test_errors_point_at_the_character(void **state)
{
	(void)state;
	bad("port", 4, 0, "ends too soon");
	bad("port 443 and", 12, 0, "ends too soon");
	bad("(port 443", 9, 0, "ends too soon");
	bad("port 443)", 8, 1, "not understood here");
	bad("prot tcp", 0, 4, "no word of a filter");
	bad("port 70000", 5, 5, "at most 65535");
	bad("port http", 5, 4, "whole number");
	bad("bytes > 1x", 8, 2, "k, m, g or t");
	bad("bytes > 99999999999999999999", 8, 20, "whole number");
	bad("bytes > 18446744073709551615t", 8, 21, "whole number");
	bad("src ip 10.0.0.300", 7, 10, "no address");
	bad("net 10.0.0.1", 4, 8, "/24");
	bad("ip > 10.0.0.1", 5, 8, "neither less nor more");
	bad("src vlan 3", 0, 3, "leave src or dst out");
	bad("in port 3", 0, 2, "before `if`");
	bad("flags Z", 6, 1, "letters of FSRPAUEC");
	bad("country Holland", 8, 7, "two letters");
	bad("mac 00:11:22:33:44", 4, 14, "00:11:22:aa:bb:cc");
	bad("mac 0:0:11:22:33:44:55", 4, 18, "00:11:22:aa:bb:cc");
	bad("proto nonsense", 6, 8, "no proto is called");
	bad("state flying", 6, 6, "no state is called");
	bad("app \"\"", 4, 2, "empty");
	bad("app \"open", 4, 1, "not understood here");
	bad("port in [ ]", 10, 1, "not understood here");
	bad("port 1 \x01", 7, 1, "not understood here");
	bad("port 1 & port 2", 7, 1, "not understood here");
}

static void
test_bounds(void **state)
{
	static char text[FILTER_SOURCE_MAX + 10];
	size_t n = 0;

	(void)state;
	memset(text, ' ', sizeof(text));
	assert_false(filter_compile(text, FILTER_SOURCE_MAX + 1, &program, &error));
	assert_true(filter_compile(text, FILTER_SOURCE_MAX, &program, &error));
	memset(text, '(', FILTER_SOURCE_MAX);
	assert_false(filter_compile(text, FILTER_SOURCE_MAX, &program, &error));
	memset(text, '!', FILTER_SOURCE_MAX);
	assert_false(filter_compile(text, FILTER_SOURCE_MAX, &program, &error));
	n = (size_t)snprintf(text, sizeof(text), "vlan in [");
	for (unsigned i = 0; i < FILTER_TESTS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %u", i);
	n += (size_t)snprintf(text + n, sizeof(text) - n, " ]");
	assert_true(filter_compile(text, n, &program, &error));
	assert_int_equal(program.head.ntests, FILTER_TESTS_MAX);
	assert_true(filter_verify(&program));
	text[n - 1] = '7';
	text[n++] = ']';
	assert_false(filter_compile(text, n, &program, &error));
	assert_non_null(strstr(error.text, "1024 tests"));
	/* Bytes of a stranger, NUL among them. */
	assert_false(filter_compile("port\0 1", 7, &program, &error));
	assert_false(filter_compile("app \xff\xfe\0", 7, &program, &error));
}

static void
test_lies_are_refused(void **state)
{
	struct filter_program p;

	(void)state;
	good("src ip 10.0.0.0/8 and app TLS or port 4");
#define REFUSED(change)                                                                                      \
	do {                                                                                                 \
		p = program;                                                                                 \
		change;                                                                                      \
		assert_false(filter_verify(&p));                                                             \
	} while (0)
	REFUSED(p.head.ntests = 0);
	REFUSED(p.head.ntests = FILTER_TESTS_MAX + 1);
	REFUSED(p.head.text_len = FILTER_TEXT_MAX + 1);
	REFUSED(p.head.text_len = 2);
	REFUSED(p.test[0].field = FILTER_FIELD_COUNT);
	REFUSED(p.test[0].end = FILTER_END_COUNT);
	REFUSED(p.test[0].compare = FILTER_LESS);
	REFUSED(p.test[0].compare = FILTER_COMPARE_COUNT);
	REFUSED(p.test[0].bits = 129);
	REFUSED(p.test[0].ip.b[15] = 1);
	REFUSED(p.test[0].pass = 0);
	REFUSED(p.test[2].pass = 1);
	REFUSED(p.test[2].fail = 3);
	REFUSED(p.test[0].reserved = 1);
	REFUSED(p.test[0].text_len = 1);
	REFUSED(p.test[1].text_len = 0);
	REFUSED(p.test[1].text_at = 1);
	REFUSED(p.test[1].text_at = UINT16_MAX);
	REFUSED(p.test[1].end = FILTER_CLIENT);
	REFUSED(p.test[1].number = 1);
	REFUSED(p.test[2].bits = 1);
#undef REFUSED
	assert_true(filter_verify(&program));
}

static void
test_words(void **state)
{
	struct filter_word w;
	size_t n = 0, ends = 0;

	(void)state;
	for (; filter_word_at(n, &w); n++) {
		assert_non_null(w.word);
		assert_true(strlen(w.help) > 0);
		ends += w.has_ends;
	}
	assert_true(n > FILTER_FIELD_COUNT && ends > 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single_tests),
		cmocka_unit_test(test_addresses_and_names),
		cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_programs_decide_as_their_text),
		cmocka_unit_test(test_errors_point_at_the_character),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_lies_are_refused),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
