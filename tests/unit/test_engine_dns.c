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

/* What was found: addresses, and the name of the last. */
struct dns_answers {
	unsigned n;
	struct ip_addr ip[DNS_ANSWERS_MAX];
	size_t name_len;
	char name[DNS_NAME_MAX + 1];
	char names[DNS_ANSWERS_MAX][DNS_NAME_MAX + 1];
};

static void
collect(void *ctx, const struct ip_addr *ip, const char *name, size_t len)
{
	struct dns_answers *a = ctx;

	assert_true(a->n < DNS_ANSWERS_MAX);
	assert_int_equal(strlen(name), len);
	memcpy(a->names[a->n], name, len + 1);
	memcpy(a->name, name, len + 1);
	a->name_len = len;
	a->ip[a->n++] = *ip;
}

static bool
parse_bytes(const uint8_t *bytes, size_t len, bool multicast, struct dns_answers *a)
{
	memset(a, 0, sizeof(*a));
	dns_read(bytes, len, multicast, collect, a);
	return a->n > 0;
}

static bool
parse(const struct message *m, struct dns_answers *a)
{
	return parse_bytes(m->bytes, wcur_len(&m->c), false, a);
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
		assert_int_equal(parse_bytes(exact, n, false, &a), n == len);
		free(exact);
	}
}

/* The name of an address: in-addr.arpa and ip6.arpa, whose answer is a compressed name. */
static void
test_names_of_addresses(void **state)
{
	static const uint8_t v4[] =
	    "\0\1\x81\x80\0\1\0\1\0\0\0\0\0015\0010\0010\00210\7in-addr\4arpa\0\0\x0c\0\1"
	    "\xc0\x0c\0\x0c\0\1\0\0\0\x3c\0\x0d\4HOST\3lan\2io\0";
	static const uint8_t no[] =
	    "\0\1\x81\x80\0\1\0\1\0\0\0\0\0015\0010\00310a\0019\7in-addr\4arpa\0\0\x0c\0\1"
	    "\xc0\x0c\0\x0c\0\1\0\0\0\x3c\0\x0d\4HOST\3lan\2io\0";
	uint8_t v6[256];
	struct wcur c = wcur_of(v6, sizeof(v6));
	struct dns_answers a;
	char text[IP_TEXT_MAX];

	(void)state;
	assert_true(parse_bytes(v4, sizeof(v4) - 1, false, &a));
	assert_string_equal(a.name, "host.lan.io");
	assert_string_equal(ip_format(&a.ip[0], text), "10.0.0.5");
	assert_false(parse_bytes(no, sizeof(no) - 1, false, &a));

	wcur_be64(&c, 0x1234818000010001);
	wcur_be32(&c, 0);
	for (unsigned i = 0; i < 32; i++) {
		wcur_u8(&c, 1);
		wcur_u8(&c, (uint8_t)(i == 0 ? '7' : i == 31 ? '2' : i == 29 ? 'F' : '0'));
	}
	wcur_put(&c, "\3ip6\4arpa", 10);
	wcur_be32(&c, 0x000c0001);
	wcur_put(&c, "\xc0\x0c\0\x0c\0\1\0\0\0\x3c\0\3\1v\0", 15);
	assert_true(parse_bytes(v6, wcur_len(&c), false, &a));
	assert_string_equal(a.name, "v");
	assert_string_equal(ip_format(&a.ip[0], text), "20f0::7");
}

/* No question; each record has its own name, written with pointers to names before. */
static void
test_multicast(void **state)
{
	static const uint8_t m[] =
	    "\0\0\x84\0\0\0\0\2\0\0\0\1"
	    "\3Mac\5local\0\0\1\x80\1\0\0\0\x78\0\4\x0a\0\0\7"
	    "\5Other\xc0\x10\0\1\x80\1\0\0\0\x78\0\4\x0a\0\0\x08"
	    "\xc0\x25\0\x1c\x80\1\0\0\0\x78\0\x10\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x08";
	struct dns_answers a;
	char text[IP_TEXT_MAX];

	(void)state;
	assert_true(parse_bytes(m, sizeof(m) - 1, true, &a));
	assert_int_equal(a.n, 3);
	assert_string_equal(a.names[0], "mac.local");
	assert_string_equal(a.names[1], "other.local");
	assert_string_equal(a.names[2], "other.local");
	assert_string_equal(ip_format(&a.ip[0], text), "10.0.0.7");
	assert_string_equal(ip_format(&a.ip[2], text), "fe80::8");
	assert_false(parse_bytes(m, sizeof(m) - 1, false, &a)); /* no server answers without a question */
}

/* A pointer leads back only: neither to itself, nor ahead, nor in a circle. */
static void
test_pointers_end(void **state)
{
	uint8_t m[] = "\0\0\x84\0\0\0\0\2\0\0\0\0"
		      "\1a\0\0\1\0\1\0\0\0\x78\0\4\x0a\0\0\7"
		      "\1b\xc0\x0c\0\1\0\1\0\0\0\x78\0\4\x0a\0\0\x08";
	struct dns_answers a;

	(void)state;
	assert_true(parse_bytes(m, sizeof(m) - 1, true, &a));
	assert_int_equal(a.n, 2);
	assert_string_equal(a.names[1], "b.a");
	for (unsigned to = 0; to < 256; to++) {
		m[12 + 17 + 3] = (uint8_t)to;
		(void)parse_bytes(m, sizeof(m) - 1, true, &a);
		assert_true(a.n >= 1);
		if (to >= 12 + 17)
			assert_int_equal(a.n, 1);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),           cmocka_unit_test(test_refused),
		cmocka_unit_test(test_answers_are_bounded), cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_names_of_addresses),  cmocka_unit_test(test_multicast),
		cmocka_unit_test(test_pointers_end),        cmocka_unit_test(test_unprintable_names),
		cmocka_unit_test(test_every_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
