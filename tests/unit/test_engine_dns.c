/* DNS responses: what is taken from them, and what is not believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cursor.h"
#include "dns.h"

struct message {
	uint8_t bytes[1024];
	struct wcur c;
};

static void
begin(struct message *m, uint16_t flags, uint16_t answers)
{
	static const uint8_t question[] = "\3WWW\7example\3com";

	m->c = wcur_of(m->bytes, sizeof(m->bytes));
	wcur_be16(&m->c, 0x1234);
	wcur_be16(&m->c, flags);
	wcur_be16(&m->c, 1);
	wcur_be16(&m->c, answers);
	wcur_be32(&m->c, 0);
	wcur_put(&m->c, question, sizeof(question)); /* with its last zero byte: the root */
	wcur_be32(&m->c, 0x00010001);
}

static void
record(struct message *m, uint16_t type, const void *data, uint16_t len)
{
	wcur_be16(&m->c, 0xc00c); /* the question's name */
	wcur_be16(&m->c, type);
	wcur_be16(&m->c, 1);
	wcur_be32(&m->c, 300);
	wcur_be16(&m->c, len);
	wcur_put(&m->c, data, len);
}

static bool
parse(const struct message *m, struct dns_answers *a)
{
	return dns_parse(m->bytes, wcur_len(&m->c), a);
}

static void
test_addresses(void **state)
{
	const uint8_t v6[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 1 };
	struct dns_answers a;
	struct message m;
	char text[IP_TEXT_MAX];

	(void)state;
	begin(&m, 0x8180, 3);
	record(&m, 5, "\3cdn\xc0\x10", 6); /* CNAME: stepped over */
	record(&m, 1, "\x5d\xb8\xd8\x22", 4);
	record(&m, 28, v6, 16);
	assert_true(parse(&m, &a));
	assert_string_equal(a.name, "www.example.com");
	assert_int_equal(a.name_len, strlen(a.name));
	assert_int_equal(a.n, 2);
	assert_string_equal(ip_format(&a.ip[0], text), "93.184.216.34");
	assert_string_equal(ip_format(&a.ip[1], text), "2001:db8::1");
}

static void
test_refused(void **state)
{
	struct dns_answers a;
	struct message m;

	(void)state;
	begin(&m, 0x0100, 1); /* a query */
	record(&m, 1, "\1\2\3\4", 4);
	assert_false(parse(&m, &a));
	begin(&m, 0x8183, 1); /* no such name */
	record(&m, 1, "\1\2\3\4", 4);
	assert_false(parse(&m, &a));
	begin(&m, 0x8180, 1);
	record(&m, 1, "\1\2\3", 3); /* no address */
	assert_false(parse(&m, &a));
	begin(&m, 0x8180, 1);
	record(&m, 1, "\1\2\3\4", 4);
	m.bytes[12] = 0xc0; /* a question that points at itself */
	assert_false(parse(&m, &a));
}

static void
test_answers_are_bounded(void **state)
{
	struct dns_answers a;
	struct message m;

	(void)state;
	begin(&m, 0x8180, 40);
	for (unsigned i = 0; i < 40; i++)
		record(&m, 1, "\1\2\3\4", 4);
	assert_true(parse(&m, &a));
	assert_int_equal(a.n, DNS_ANSWERS_MAX);
}

/* A name has at most 255 bytes with the lengths of its labels and the root (section 3.1). */
static void
test_long_names(void **state)
{
	struct dns_answers a;
	struct message m;
	uint8_t label[64];

	(void)state;
	memset(label, 'a', sizeof(label));
	for (uint8_t last = 60; last <= 63; last++) {
		m.c = wcur_of(m.bytes, sizeof(m.bytes));
		wcur_be64(&m.c, 0x1234818000010001);
		wcur_be32(&m.c, 0);
		for (unsigned i = 0; i < 4; i++) {
			label[0] = i < 3 ? 63 : last;
			wcur_put(&m.c, label, label[0] + 1u);
		}
		wcur_u8(&m.c, 0);
		wcur_be32(&m.c, 0x00010001);
		record(&m, 1, "\1\2\3\4", 4);
		assert_int_equal(parse(&m, &a), last <= 61);
	}
}

static void
test_unprintable_names(void **state)
{
	struct dns_answers a;
	struct message m;

	(void)state;
	begin(&m, 0x8180, 1);
	record(&m, 1, "\1\2\3\4", 4);
	m.bytes[13] = '\n';
	m.bytes[14] = '.';
	m.bytes[15] = 0xff;
	assert_true(parse(&m, &a));
	assert_string_equal(a.name, "\?\?\?.example.com");
}

static void
test_every_truncation(void **state)
{
	struct dns_answers a;
	struct message m;
	size_t len;

	(void)state;
	begin(&m, 0x8180, 1);
	record(&m, 1, "\1\2\3\4", 4);
	len = wcur_len(&m.c);
	for (size_t n = 0; n <= len; n++) {
		uint8_t *exact = malloc(n + 1);

		memcpy(exact, m.bytes, n);
		assert_int_equal(dns_parse(exact, n, &a), n == len);
		free(exact);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),           cmocka_unit_test(test_refused),
		cmocka_unit_test(test_answers_are_bounded), cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_unprintable_names),   cmocka_unit_test(test_every_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
