/* Inspection through a whole engine: what is learned of a flow, what never crosses address spaces, what goes
 * back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine_rig.h"
#include "ipc/attribute.h"

#define A  UINT32_C(0x0a000001)
#define B  UINT32_C(0xc6336402)
#define MS NS_PER_MS

#define TEXT(s) (s), (uint16_t)(sizeof(s) - 1)

static struct rig *
rig_with_dpi(unsigned points)
{
	struct rig *r = rig_prepare(points);

	r->b->settings.dpi = true;
	return r;
}

static void
udp(struct rig *r, unsigned point, int64_t t, uint32_t from, uint16_t sport, uint32_t to, uint16_t dport,
    const void *data, uint16_t len)
{
	struct test_frame f;

	frame_make_udp(&f, from, sport, to, dport, data, len);
	rig_frame(r, point, RIG_T0 + t, &f);
}

static void
tcp(struct rig *r, int64_t t, bool reply, uint8_t flags, uint32_t seq, uint32_t ack, const char *data)
{
	struct test_frame f;
	struct test_tcp h = { reply ? 80 : 40000, reply ? 40000 : 80, seq, ack, flags, 1000 };

	frame_make_tcp(&f, reply ? B : A, reply ? A : B, h, data, (uint16_t)strlen(data));
	rig_frame(r, 0, RIG_T0 + t, &f);
}

static const char *
application(const struct rig *r, const struct rig_flow *f)
{
	return r->names[NAME_APPLICATION][f->r.application];
}

/* The value of an attribute as text; "" where it is not known. */
static const char *
attribute(const struct rig_flow *f, enum attribute a)
{
	static char text[256];
	struct rcur list = rcur_of(f->attributes, f->r.attributes_len);
	struct attribute_value v;
	uint8_t before = 0;
	int got;

	text[0] = '\0';
	while ((got = attribute_next(&list, &before, &v)) == 1)
		if (v.row->number == a && v.row->kind == ATTRIBUTE_TEXT)
			(void)snprintf(text, sizeof(text), "%.*s", (int)v.len, v.text);
		else if (v.row->number == a)
			(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)v.number);
	assert_int_equal(got, 0);
	return text;
}

static const struct rig_flow *
flow_with_port(const struct rig *r, uint32_t point, uint16_t port)
{
	for (unsigned i = 0; i < r->nrec[REC_FLOW_END]; i++)
		if (r->end[i].r.point == point &&
		    (r->end[i].r.port[CLIENT] == port || r->end[i].r.port[SERVER] == port))
			return &r->end[i];
	fail();
	return NULL;
}

/*
 * Points 0 and 2 are of one address space, point 1 of another with the same addresses. nDPI remembers who
 * spoke BitTorrent: what cannot be told otherwise is believed to be it, but only where it was spoken.
 */
static void
test_nothing_crosses_address_spaces(void **state)
{
	static const uint8_t noise[] =
	    "\x9c\x01\xe7\x44\x5b\xd2\x80\x17\x33\xfa\x6e\x91\x0c\xb8\x25\x7d\xc3\x4f";
	struct rig *r = rig_with_dpi(3);

	(void)state;
	r->b->points[2].space = r->b->points[0].space;
	rig_start(r);
	udp(r, 0, 0, A, 6881, B, 6881, TEXT("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"));
	udp(r, 0, MS, B, 6881, A, 6881, TEXT("d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re"));
	for (unsigned point = 1; point < 3; point++)
		for (unsigned i = 0; i < 3; i++)
			udp(r, point, (10 + i) * MS, A, 6881, B, 6881, noise, sizeof(noise) - 1);
	for (unsigned point = 0; point < 3; point++)
		rig_finish(r, point);
	assert_string_equal(application(r, flow_with_port(r, 10, 6881)), "BitTorrent");
	assert_string_equal(application(r, flow_with_port(r, 12, 6881)), "BitTorrent");
	assert_string_equal(application(r, flow_with_port(r, 11, 6881)), "");
	assert_int_equal(flow_with_port(r, 11, 6881)->r.space, 1);
	rig_free(r);
}

static void
test_what_http_says(void **state)
{
	struct rig *r = rig_with_dpi(1);
	const struct rig_flow *f;

	(void)state;
	rig_start(r);
	tcp(r, 0, false, TCP_SYN, 0, 0, "");
	tcp(r, 1 * MS, true, TCP_SYN | TCP_ACK, 0, 1, "");
	tcp(r, 2 * MS, false, TCP_ACK, 1, 1, "");
	tcp(r, 3 * MS, false, TCP_ACK | TCP_PSH, 1, 1,
	    "GET /a?b=<script> HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: test/1.0\r\nAccept: "
	    "*/*\r\n\r\n");
	tcp(r, 23 * MS, true, TCP_ACK | TCP_PSH, 1, 90,
	    "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno");
	rig_finish(r, 0);
	f = flow_with_port(r, 10, 80);
	assert_string_equal(application(r, f), "HTTP");
	assert_string_equal(f->name, "www.example.org");
	assert_string_equal(attribute(f, ATTRIBUTE_HTTP_METHOD), "GET");
	assert_string_equal(attribute(f, ATTRIBUTE_HTTP_URL), "www.example.org/a?b=<script>");
	assert_string_equal(attribute(f, ATTRIBUTE_HTTP_USER_AGENT), "test/1.0");
	assert_string_equal(attribute(f, ATTRIBUTE_HTTP_STATUS), "200");
	assert_string_equal(attribute(f, ATTRIBUTE_TLS_VERSION), "");
	assert_int_equal(f->r.breed, BREED_ACCEPTABLE);
	assert_int_equal(f->r.confidence, CONFIDENCE_INSPECTED);
	assert_in_range(f->r.latency_us, 20000, 20001); /* from the request to the answer */
	assert_int_equal(r->e->dpi != NULL, 1);
	rig_free(r);
}

static void
test_what_dns_says(void **state)
{
	static const char query[] = "\x12\x34\x01\x00\0\1\0\0\0\0\0\0\7example\3org\0\0\x1c\0\1";
	static const char answer[] =
	    "\x12\x34\x81\x80\0\1\0\1\0\0\0\0\7example\3org\0\0\x1c\0\1"
	    "\xc0\x0c\0\x1c\0\1\0\0\0\x3c\0\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7";
	static const char odd[] = "\x12\x35\x01\x00\0\1\0\0\0\0\0\0\5wrong\3org\0\xff\0\0\1";
	static const char none[] = "\x12\x35\x81\x83\0\1\0\0\0\0\0\0\5wrong\3org\0\xff\0\0\1";
	struct rig *r = rig_with_dpi(1);
	const struct rig_flow *f;

	(void)state;
	rig_start(r);
	udp(r, 0, 0, A, 5000, B, 53, query, sizeof(query) - 1);
	udp(r, 0, 2 * MS, B, 53, A, 5000, answer, sizeof(answer) - 1);
	udp(r, 0, 3 * MS, A, 5001, B, 53, odd, sizeof(odd) - 1);
	udp(r, 0, 4 * MS, B, 53, A, 5001, none, sizeof(none) - 1);
	rig_finish(r, 0);
	f = flow_with_port(r, 10, 5000);
	assert_string_equal(attribute(f, ATTRIBUTE_DNS_QUERY), "example.org");
	assert_string_equal(attribute(f, ATTRIBUTE_DNS_QUERY_TYPE), "AAAA");
	assert_string_equal(attribute(f, ATTRIBUTE_DNS_ANSWER), "2001:db8::7");
	assert_string_equal(attribute(f, ATTRIBUTE_DNS_RCODE), "NOERROR");
	f = flow_with_port(r, 10, 5001);
	assert_string_equal(attribute(f, ATTRIBUTE_DNS_RCODE), "NXDOMAIN");
	assert_string_equal(attribute(f, ATTRIBUTE_DNS_QUERY_TYPE), "TYPE65280");
	assert_string_equal(attribute(f, ATTRIBUTE_DNS_ANSWER), "");
	rig_free(r);
}

/* Where nobody saw the beginning and no port is below 1024, what inspection knows of ports tells. */
static void
test_the_known_port_serves(void **state)
{
	struct rig *r = rig_with_dpi(1);
	const struct rig_flow *f;

	(void)state;
	rig_start(r);
	udp(r, 0, 0, B, 5246, A, 40000, TEXT("to somebody"));
	udp(r, 0, 1, A, 40001, B, 5246, TEXT("from somebody"));
	udp(r, 0, 2, B, 41000, A, 40002, TEXT("nobody knows: the first is the client"));
	rig_finish(r, 0);
	f = flow_with_port(r, 10, 40000);
	assert_int_equal(f->r.port[SERVER], 5246);
	f = flow_with_port(r, 10, 40001);
	assert_int_equal(f->r.port[SERVER], 5246);
	f = flow_with_port(r, 10, 40002);
	assert_int_equal(f->r.port[CLIENT], 41000);
	rig_free(r);
}

/* The rules come as the launcher hands them over; names that they give come out as applications, in every
 * space. */
static void
test_applications_of_the_users_own(void **state)
{
	static const char rules[] = "ip:198.51.100.2:9999@internal_erp\n"
				    "udp:7777,udp:7900-7910@Custom_Port\n"
				    "host:\"erp.example\"@erp_by_name\n";
	struct rig *r = rig_with_dpi(2);
	int fd = memfd_create("rules", 0);

	(void)state;
	assert_int_equal(write(fd, rules, sizeof(rules) - 1), sizeof(rules) - 1);
	assert_int_equal(dup2(fd, BOOT_FD_PROTOCOLS), BOOT_FD_PROTOCOLS);
	if (fd != BOOT_FD_PROTOCOLS)
		close(fd);
	r->b->flags |= BOOT_HAS_PROTOCOLS;
	rig_start(r);
	for (unsigned point = 0; point < 2; point++) {
		udp(r, point, 0, A, 40001, B, 9999, TEXT("\x81 something that nobody knows"));
		udp(r, point, 1, A, 40002, B, 7905, TEXT("\x81 something that nobody knows"));
		udp(r, point, 2, A, 40003, B, 9998, TEXT("\x81 something that nobody knows"));
		rig_finish(r, point);
		assert_string_equal(application(r, flow_with_port(r, 10 + point, 40001)), "internal_erp");
		assert_int_equal(flow_with_port(r, 10 + point, 40001)->r.confidence, CONFIDENCE_GUESSED);
		assert_string_equal(application(r, flow_with_port(r, 10 + point, 40002)), "Custom_Port");
		assert_string_equal(application(r, flow_with_port(r, 10 + point, 40003)), "");
	}
	rig_free(r);
}

static void
ignore(void *ctx, enum name_kind kind, unsigned number, unsigned value, const char *text)
{
	(void)ctx;
	(void)kind;
	(void)number;
	(void)value;
	(void)text;
}

static size_t
resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long size = 0, pages = 0;

	assert_non_null(f);
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's numbers */
	assert_int_equal(fscanf(f, "%lu %lu", &size, &pages), 2);
	(void)fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Memory of states is given back when they are released, and they can be used again. */
static void
test_state_goes_back(void **state)
{
	enum { STATES = 50003 };
	static uint32_t held[STATES];
	struct dpi *d = dpi_new(1, STATES, -1, ignore, NULL);
	size_t before, full = 0;

	(void)state;
	dpi_release(d, dpi_begin(d));
	before = resident();
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < STATES; i++) {
			held[i] = dpi_begin(d);
			assert_int_not_equal(held[i], DPI_NONE);
		}
		assert_int_equal(dpi_begin(d), DPI_NONE);
		full = resident();
		for (unsigned i = 0; i < STATES; i++) /* in another order */
			dpi_release(d, held[(i * 7) % STATES]);
		/* Sums, not differences: the kernel may meanwhile have taken back pages of ours that were
		 * idle. */
		assert_true(full > before + (size_t)STATES * 600);
		assert_true(resident() < before + (full - before) / 4);
	}
	dpi_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_crosses_address_spaces),
		cmocka_unit_test(test_what_http_says),
		cmocka_unit_test(test_what_dns_says),
		cmocka_unit_test(test_the_known_port_serves),
		cmocka_unit_test(test_applications_of_the_users_own),
		cmocka_unit_test(test_state_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
