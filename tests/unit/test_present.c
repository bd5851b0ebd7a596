/* present/: rows of answers as JSON, and answers that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ipc/boot.h"
#include "present/present.h"

struct made {
	uint8_t bytes[4096];
	struct wcur c;
};

/* An answer of one row whose strings are given behind it. */
static struct wcur
begin(struct made *m, enum row_kind kind, uint32_t nrows)
{
	struct wire_answer head = { .status = ANSWER_OK, .row_kind = (uint32_t)kind, .nrows = nrows };

	m->c = wcur_of(m->bytes, sizeof(m->bytes));
	wcur_put(&m->c, &head, sizeof(head));
	return m->c;
}

static void
add(struct made *m, const void *row, size_t size, const char *texts)
{
	uint32_t len = (uint32_t)(size + strlen(texts));

	wcur_put(&m->c, &len, sizeof(len));
	wcur_put(&m->c, row, size);
	wcur_put(&m->c, texts, strlen(texts));
}

static void
add_flow(struct made *m, bool tcp)
{
	static const char attributes[] = "\1\7TLSv1.3\3\2h2\12\4eS\361\1\42\7a?b=<\"\n";
	struct row_flow f = { .application_len = 10,
			      .category_len = 3,
			      .server_name_len = 11,
			      .risks_len = 7,
			      .point_len = 4,
			      .attributes_len = (uint16_t)strlen(attributes) };

	memset(f.flow.id.b, 0xab, sizeof(f.flow.id.b));
	f.flow.protocol = tcp ? 6 : 1;
	f.flow.ip[CLIENT] = ip_from_v4((const uint8_t[]){ 10, 0, 0, 1 });
	f.flow.ip[SERVER] = ip_from_v4((const uint8_t[]){ 10, 0, 0, 2 });
	f.flow.port[CLIENT] = 1234;
	f.flow.port[SERVER] = 443;
	f.flow.vlan[0] = 5;
	f.flow.first_ns = INT64_C(1500000000);
	f.flow.count.bytes[CLIENT] = 100;
	f.flow.tcp.handshake_us[SERVER] = 1500;
	f.flow.end_reason = END_FILE;
	f.flow.breed = BREED_FUN;
	f.flow.confidence = CONFIDENCE_INSPECTED;
	f.flow.latency_us = 2500;
	f.flow.ttl_min[CLIENT] = 60;
	f.flow.ttl_max[CLIENT] = 64;
	f.flow.ttl_min[SERVER] = UINT8_MAX;
	f.flow.dscp[CLIENT] = 46;
	f.flow.count.payload[CLIENT] = 7;
	add(m, &f, sizeof(f),
	    "TLS.GoogleWebexample.orgA B,C D"
	    "file\1\7TLSv1.3\3\2h2\12\4eS\361\1\42\7a?b=<\"\n");
}

static void
flow_is_written(void **state)
{
	struct made m;
	struct answer a;
	struct row r;
	struct json_writer *w = json_new(65536);
	const char *text;

	(void)state;
	begin(&m, ROW_FLOW, 1);
	add_flow(&m, true);
	assert_true(answer_open(&a, m.bytes, wcur_len(&m.c)));
	assert_int_equal(answer_next(&a, &r), 1);
	present_flow(w, NULL, &r);
	text = json_text(w, NULL);
	assert_non_null(text);
	assert_non_null(strstr(text, "\"id\":\"abababababababababababababababab\""));
	assert_non_null(strstr(text, "\"application\":\"TLS.Google\",\"category\":\"Web\",\"breed\":\"fun\","
				     "\"confidence\":\"inspected\",\"server_name\":\"example.org\""));
	assert_non_null(strstr(text, "\"tls\":{\"version\":\"TLSv1.3\",\"cipher\":null,\"alpn\":\"h2\","));
	assert_non_null(strstr(text, "\"not_before\":null,\"not_after\":1700000001,"));
	assert_non_null(
	    strstr(text, "\"http\":{\"method\":null,\"status\":null,\"url\":\"a?b=<\\\"\\u000a\","));
	assert_non_null(strstr(text, "\"dns\":null,\"ssh\":null,\"dhcp\":null"));
	assert_non_null(strstr(text, "\"application_latency_ms\":2.500000,"));
	assert_non_null(strstr(text, "\"ttl\":{\"sent\":{\"min\":60,\"max\":64},\"received\":null}"));
	assert_non_null(strstr(text, "\"dscp\":{\"sent\":46,\"received\":0},\"icmp\":null"));
	assert_non_null(strstr(text, "\"goodput\":{\"sent\":7,\"received\":0}"));
	assert_non_null(strstr(text, "\"info\":null"));
	assert_non_null(strstr(text, "\"risks\":[\"A B\",\"C D\"]"));
	assert_non_null(strstr(text, "\"observation_point\":\"file\""));
	assert_non_null(
	    strstr(text, "\"client\":{\"ip\":\"10.0.0.1\",\"port\":1234,\"name\":null,\"mac\":null}"));
	assert_non_null(strstr(text, "\"vlan\":[5]"));
	assert_non_null(strstr(text, "\"handshake_ms\":{\"client\":null,\"server\":1.500000}"));
	assert_non_null(strstr(text, "\"first\":1.5"));
	assert_non_null(strstr(text, "\"last\":null"));
	assert_non_null(strstr(text, "\"end_reason\":\"file\""));
	assert_int_equal(answer_next(&a, &r), 0);
	json_free(&w);
}

static void
protocol_without_ports(void **state)
{
	struct made m;
	struct answer a;
	struct row r;
	struct json_writer *w = json_new(65536);

	(void)state;
	begin(&m, ROW_FLOW, 1);
	add_flow(&m, false);
	assert_true(answer_open(&a, m.bytes, wcur_len(&m.c)));
	assert_int_equal(answer_next(&a, &r), 1);
	present_flow(w, NULL, &r);
	assert_non_null(strstr(json_text(w, NULL), "\"port\":null"));
	assert_non_null(strstr(json_text(w, NULL), "\"tcp\":null"));
	json_free(&w);
}

/* Every length that does not add up is refused. */
static void
lies_are_refused(void **state)
{
	struct made m;
	struct answer a;
	struct row r;
	struct wire_answer head;
	size_t len;

	(void)state;
	begin(&m, ROW_FLOW, 1);
	add_flow(&m, true);
	len = wcur_len(&m.c);
	for (size_t cut = sizeof(head); cut < len; cut++) {
		assert_true(answer_open(&a, m.bytes, cut));
		assert_int_equal(answer_next(&a, &r), -1);
	}
	assert_false(answer_open(&a, m.bytes, sizeof(head) - 1));
	assert_true(answer_open(&a, m.bytes, len + 1)); /* a byte too many at the end */
	assert_int_equal(answer_next(&a, &r), 1);
	assert_int_equal(answer_next(&a, &r), -1);
	memcpy(&head, m.bytes, sizeof(head));
	head.row_kind = ROW_KIND_COUNT;
	memcpy(m.bytes, &head, sizeof(head));
	assert_false(answer_open(&a, m.bytes, len));
	head.row_kind = ROW_NONE;
	memcpy(m.bytes, &head, sizeof(head));
	assert_false(answer_open(&a, m.bytes, len));
	head.row_kind = ROW_FLOW;
	head.cursor_len = CURSOR_MAX + 1;
	memcpy(m.bytes, &head, sizeof(head));
	assert_false(answer_open(&a, m.bytes, len));
}

static void
unterminated_name_is_refused(void **state)
{
	struct made m;
	struct answer a;
	struct row r;
	struct wire_component c;

	(void)state;
	memset(&c, 'x', sizeof(c));
	begin(&m, ROW_COMPONENT, 1);
	add(&m, &c, sizeof(c), "");
	assert_true(answer_open(&a, m.bytes, wcur_len(&m.c)));
	assert_int_equal(answer_next(&a, &r), -1);
}

static void
counters_are_summed(void **state)
{
	struct counter_sum drops = { 0 }, undecoded = { 0 };
	struct row_totals t = { .packets = 7 };
	struct row r = { .kind = ROW_COUNTER, .counter = { .count = 2, .class_ = COUNTER_DROP } };
	struct json_writer *w = json_new(65536);
	char name[8];

	(void)state;
	r.text[COUNTER_TEXT_NAME] = (struct row_text){ "ring", 4 };
	counter_sum_add(&drops, &r);
	counter_sum_add(&drops, &r);
	r.counter.count = 0;
	r.text[COUNTER_TEXT_NAME] = (struct row_text){ "kernel", 6 };
	counter_sum_add(&drops, &r); /* nothing was lost there: not shown */
	present_totals(w, NULL, &t, &drops, &undecoded);
	assert_non_null(strstr(json_text(w, NULL), "\"packets\":7,"));
	assert_non_null(strstr(json_text(w, NULL), "\"dropped\":{\"ring\":4},\"undecoded\":{}"));
	json_free(&w);
	r.counter.count = 1;
	for (int i = 0; i < 1000; i++) {
		r.text[COUNTER_TEXT_NAME] =
		    (struct row_text){ name, (size_t)snprintf(name, sizeof(name), "n%d", i) };
		counter_sum_add(&undecoded, &r);
	}
	assert_int_equal(undecoded.n, COUNTER_SUM_MAX);
	assert_string_equal(undecoded.at[COUNTER_SUM_MAX - 1].name, "other");
	assert_int_equal(undecoded.at[COUNTER_SUM_MAX - 1].count, 1000 - (COUNTER_SUM_MAX - 1));
}

static void
other_rows(void **state)
{
	struct row r = { .kind = ROW_POINT };
	struct wire_component c = { .proc = PROC_ENGINE, .instance = 1, .state = COMPONENT_WAITING };
	struct json_writer *w = json_new(65536);

	(void)state;
	str_copy(r.point.name, sizeof(r.point.name), "eth0");
	r.point.kind = POINT_INTERFACE;
	r.point.state = POINT_UP;
	json_array(w, NULL);
	present_interface(w, NULL, &r);
	memset(&r, 0, sizeof(r));
	r.text[HOST_TEXT_NAMES] = (struct row_text){ "a.example\nb,c", 13 };
	r.text[HOST_TEXT_AS_NAME] = (struct row_text){ "Example", 7 };
	r.host.name_source[0] = HOST_NAME_MDNS;
	r.host.name_source[1] = 99;
	r.host.as_number = 64500;
	memcpy(r.host.country, "DE", 2);
	r.host.application_bytes[1] = 7;
	r.host.served[0] = (struct row_port){ .port = 443, .protocol = 6, .flows = 2, .bytes = 9 };
	r.host.tcp.handshakes = 2;
	r.host.tcp.handshake_us = 3000;
	r.text[HOST_TEXT_APPLICATIONS] = (struct row_text){ "DNS,TLS", 7 };
	present_host(w, NULL, &r);
	memset(&r, 0, sizeof(r));
	r.device.nips = 1;
	r.device.mac[0] = 2;
	r.device.ip[0].b[15] = 1;
	r.text[DEVICE_TEXT_VENDOR] = (struct row_text){ "Maker", 5 };
	present_device(w, NULL, &r);
	memset(&r, 0, sizeof(r));
	present_series_point(w, &r);
	present_component(w, NULL, &c);
	c = (struct wire_component){ .proc = PROC_AUTHD,
				     .state = COMPONENT_RUNNING,
				     .warning = WARNING_UNSEALED };
	present_component(w, NULL, &c);
	json_array_end(w);
	assert_non_null(strstr(json_text(w, NULL), "\"interface\":null,\"warning\":null}"));
	assert_non_null(
	    strstr(json_text(w, NULL), "\"warning\":\"secrets at rest are not sealed: no master key"));
	assert_null(component_warning_text(WARNINGS));
	assert_non_null(
	    strstr(json_text(w, NULL), "\"name\":\"eth0\",\"kind\":\"interface\",\"state\":\"up\""));
	assert_non_null(strstr(json_text(w, NULL),
			       "\"names\":[\"a.example\",\"b,c\"],\"name_sources\":[\"mdns\",\"unknown\"]"));
	assert_non_null(strstr(json_text(w, NULL),
			       "\"country\":\"DE\",\"city\":null,\"as\":{\"number\":64500,"
			       "\"name\":\"Example\"}"));
	assert_non_null(strstr(json_text(w, NULL), "{\"name\":\"TLS\",\"bytes\":7,\"packets\":0}"));
	assert_non_null(strstr(json_text(w, NULL),
			       "\"served\":[{\"port\":443,\"protocol\":\"TCP\",\"flows\":2,"
			       "\"bytes\":9}],\"used\":[]"));
	assert_non_null(strstr(json_text(w, NULL), "\"handshake_ms\":1.5"));
	assert_non_null(strstr(json_text(w, NULL), "\"mac\":\"02:00:00:00:00:00\",\"vendor\":\"Maker\""));
	assert_non_null(strstr(json_text(w, NULL), "\"ips\":[\"::1\"]"));
	assert_non_null(strstr(json_text(w, NULL), "\"applications\":[\"DNS\",\"TLS\"]"));
	assert_non_null(
	    strstr(json_text(w, NULL),
		   "\"name\":\"engine@1\",\"process\":\"engine\",\"instance\":1,\"state\":\"waiting\""));
	json_free(&w);
}

static void
groups(void **state)
{
	struct made m;
	struct answer a;
	struct row r;
	struct row_group g = { .what = GROUP_ONE,
			       .measures = MEASURE_BIT(MEASURE_BYTES) | MEASURE_BIT(MEASURE_FLOWS),
			       .value = { [MEASURE_FLOWS] = 2, [MEASURE_BYTES] = 300 } };
	struct json_writer *w = json_new(65536);
	struct group_bucket b = { .time_ns = INT64_C(1111111111222222222),
				  .value = UINT64_C(0x0101010101010101) };
	char texts[7 + sizeof(b) + 1] = "TLS.Tor";

	(void)state;
	memcpy(texts + 7, &b, sizeof(b)); /* no byte of it is zero */
	g.key[0] = (struct group_key){ .dimension = DIMENSION_CLIENT_IP,
				       .bits = 24,
				       .ip = ip_from_v4((const uint8_t[]){ 10, 0, 1, 0 }) };
	g.key[1] = (struct group_key){ .dimension = DIMENSION_APPLICATION, .text_len = 7 };
	g.key[2] = (struct group_key){ .dimension = DIMENSION_AS, .number = 64500 };
	g.buckets_len = sizeof(b);
	begin(&m, ROW_GROUP, 2);
	add(&m, &g, sizeof(g), texts);
	g.what = GROUP_REST;
	g.groups = 5;
	g.buckets_len = 1;
	add(&m, &g, sizeof(g), "TLS.Tor.");
	assert_true(answer_open(&a, m.bytes, wcur_len(&m.c)));
	assert_int_equal(answer_next(&a, &r), 1);
	present_group(w, NULL, &r);
	assert_string_equal(json_text(w, NULL),
			    "{\"group\":{\"client_ip\":\"10.0.1.0/24\",\"application\":\"TLS.Tor\","
			    "\"as\":{\"number\":64500,\"name\":null}},\"flows\":2,\"bytes\":300,"
			    "\"buckets\":[[1111111111.222222,72340172838076673]]}");
	assert_int_equal(answer_next(&a, &r), -1); /* no whole buckets */
	json_free(&w);
}

static void
flow_ids(void **state)
{
	struct flow_id id, back;
	char text[33];

	(void)state;
	for (size_t i = 0; i < sizeof(id.b); i++)
		id.b[i] = (uint8_t)(i * 17);
	assert_true(flow_id_parse(flow_id_format(&id, text), &back));
	assert_memory_equal(&id, &back, sizeof(id));
	assert_false(flow_id_parse("", &back));
	assert_false(flow_id_parse("zz112233445566778899aabbccddeeff", &back));
	assert_false(flow_id_parse("00112233445566778899aabbccddeeff0", &back));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flow_is_written),
		cmocka_unit_test(protocol_without_ports),
		cmocka_unit_test(lies_are_refused),
		cmocka_unit_test(unterminated_name_is_refused),
		cmocka_unit_test(counters_are_summed),
		cmocka_unit_test(other_rows),
		cmocka_unit_test(groups),
		cmocka_unit_test(flow_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
