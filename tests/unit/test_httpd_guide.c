/* The guide's API: parameters in every spelling, routes, shares, rows in ntopng's shapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "guide.h"
#include "guide_params.h"
#include "guide_shape.h"
#include "guide_slices.h"

static char err[GUIDE_ERROR_MAX];

static void
parameters_come_as_a_query(void **state)
{
	struct guide_params p = { 0 };

	(void)state;
	assert_true(guide_params_query(&p, NULL, err));
	assert_true(
	    guide_params_query(&p, "ifid=0&host=10.0.0.1%407&unknown=%00&&perPage=&sortColumn=a+b", err));
	assert_string_equal(p.value[GUIDE_IFID], "0");
	assert_string_equal(p.value[GUIDE_HOST], "10.0.0.1@7");
	assert_string_equal(p.value[GUIDE_SORT], "a b");
	assert_null(p.value[GUIDE_PER_PAGE]);               /* empty is not given */
	assert_true(guide_params_query(&p, "ifid=0", err)); /* the same again */
	assert_false(guide_params_query(&p, "ifid=1", err));
	assert_string_equal(err, "ifid: is given twice");
	guide_params_free(&p);
	assert_null(p.value[GUIDE_IFID]);
}

static void
what_is_no_text_is_refused(void **state)
{
	static const char *const bad[] = { "host=%00", "host=%zz", "host=%0a", "host=%ff%fe", "host=\x01" };
	char longest[GUIDE_VALUE_MAX + 8] = "host=";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct guide_params p = { 0 };

		assert_false(guide_params_query(&p, bad[i], err));
		assert_int_equal(strncmp(err, "host:", 5), 0);
		guide_params_free(&p);
	}
	memset(longest + 5, 'x', GUIDE_VALUE_MAX);
	for (int over = 1; over >= 0; over--) {
		struct guide_params p = { 0 };

		longest[5 + GUIDE_VALUE_MAX - 1 + over] = '\0';
		assert_int_equal(guide_params_query(&p, longest, err), over == 0);
		guide_params_free(&p);
	}
}

static void
parameters_come_as_json(void **state)
{
	static const char good[] =
	    "{\"ifid\": 3, \"host\": \"10.0.0.1\", \"verbose\": true, \"vlan\": null, \"x\": {\"ifid\": 4}}";
	static const char *const bad[] = {
		"{\"ifid\": [1]}",           "{\"ifid\": 1.5}",    "{\"ifid\": 1, \"ifid\": 2}", "{",
		"{\"host\": \"a\\u0000b\"}", "{\"host\": \"\\n\"}"
	};
	struct guide_params p = { 0 };

	(void)state;
	assert_true(guide_params_json(&p, good, strlen(good), err));
	assert_string_equal(p.value[GUIDE_IFID], "3");
	assert_true(guide_flag(&p, GUIDE_VERBOSE));
	assert_null(p.value[GUIDE_VLAN]);
	guide_params_free(&p);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(guide_params_json(&p, bad[i], strlen(bad[i]), err));
		guide_params_free(&p);
	}
}

static void
numbers_have_bounds(void **state)
{
	static const char *const bad[] = { "ifid=-1",
					   "ifid=+1",
					   "ifid=1x",
					   "ifid=0x1",
					   "ifid=11",
					   "ifid=1.0",
					   "ifid=99999999999999999999" };
	int64_t v = 5;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct guide_params p = { 0 };

		assert_true(guide_params_query(&p, bad[i], err));
		assert_false(guide_number(&p, GUIDE_IFID, 1, 10, &v, err));
		assert_string_equal(err, "ifid: is not a number from 1 to 10");
		guide_params_free(&p);
	}
	assert_int_equal(v, 5);
}

static void
host_is(const char *query, bool good, const char *ip, unsigned vlan)
{
	struct guide_params p = { 0 };
	struct ip_addr got, wanted;
	uint16_t got_vlan = 99;

	assert_true(guide_params_query(&p, query, err));
	assert_int_equal(guide_host(&p, &got, &got_vlan), good);
	if (good) {
		assert_true(ip_parse(ip, &wanted));
		assert_true(ip_equal(&got, &wanted));
		assert_int_equal(got_vlan, vlan);
	}
	guide_params_free(&p);
}

static void
hosts_have_a_vlan_behind_or_beside(void **state)
{
	(void)state;
	host_is("host=10.0.0.1", true, "10.0.0.1", 0);
	host_is("host=10.0.0.1@7", true, "10.0.0.1", 7);
	host_is("host=10.0.0.1&vlan=8", true, "10.0.0.1", 8);
	host_is("host=2001:db8::1@4095", true, "2001:db8::1", 4095);
	host_is("host=10.0.0.1@4096", false, NULL, 0);
	host_is("host=10.0.0.1@7@8", false, NULL, 0);
	host_is("host=@7", false, NULL, 0);
	host_is("host=name", false, NULL, 0);
	host_is("", false, NULL, 0);
}

static void
a_query_of_series_is_taken_apart(void **state)
{
	char out[GUIDE_VALUE_MAX];

	(void)state;
	assert_true(guide_query_value("ifid:3,protocol:TLS.Google", "protocol", out));
	assert_string_equal(out, "TLS.Google");
	assert_true(guide_query_value("ifid:3", "ifid", out));
	assert_string_equal(out, "3");
	assert_false(guide_query_value("ifid:,x", "ifid", out));
	assert_false(guide_query_value("xifid:3", "ifid", out));
	assert_false(guide_query_value(NULL, "ifid", out));
}

static void
routes_are_found_with_and_without_their_ending(void **state)
{
	(void)state;
	assert_non_null(guide_route_find("/lua/rest/v2/get/host/active.lua"));
	assert_ptr_equal(guide_route_find("/lua/rest/v2/get/host/active"),
			 guide_route_find("/lua/rest/v2/get/host/active.lua"));
	assert_null(guide_route_find("/lua/rest/v2/get/host/active.lua.lua"));
	assert_null(guide_route_find("/lua/rest/v2/get/host"));
	assert_null(guide_route_find("/lua/rest/v2/"));
	assert_null(guide_route_find("/lua/rest/v3/get/host/active"));
	assert_null(guide_route_find("/lua/rest/v2/.lua"));
	assert_false(guide_route_find("/lua/rest/v2/get/host/active")->changes);
	assert_true(guide_route_find("/lua/rest/v2/create/ntopng/api_token")->changes);
	assert_int_equal(guide_route_find("/lua/rest/v2/create/ntopng/api_token")->methods, METHOD_POST);
}

static void
text_is(struct json_writer **w, const char *wanted)
{
	assert_non_null(json_text(*w, NULL));
	assert_string_equal(json_text(*w, NULL), wanted);
	json_free(w);
}

static void
shares_are_collapsed(void **state)
{
	static const struct row_text names[] = {
		{ "TLS.Google", 10 }, { "QUIC.Google", 11 }, { "DNS", 3 }, { "x.", 2 }
	};
	struct guide_slices *s = mem_calloc(1, sizeof(*s));
	struct json_writer *w = json_new(4096);

	(void)state;
	guide_slices_add_application(s, &names[0], 500);
	guide_slices_add_application(s, &names[1], 300);
	guide_slices_add_application(s, &names[2], 190);
	guide_slices_add_application(s, &names[3], 10);
	json_object(w, NULL);
	guide_slices_put(w, s, 5, 3, NULL);
	json_object_end(w);
	text_is(&w, "{\"rsp\":[{\"label\":\"Google\",\"value\":800},{\"label\":\"DNS\",\"value\":190},"
		    "{\"label\":\"Other\",\"value\":10}]}");
	free(s);
}

static void
shares_are_bounded(void **state)
{
	struct guide_slices *s = mem_calloc(1, sizeof(*s));
	struct json_writer *w = json_new(4096);
	char label[32];

	(void)state;
	for (unsigned i = 0; i < GUIDE_SLICES_MAX + 50; i++) {
		(void)snprintf(label, sizeof(label), "l%u", i);
		guide_slices_add(s, label, UINT64_MAX / 4);
	}
	assert_int_equal(s->n, GUIDE_SLICES_MAX);
	assert_true(s->total == UINT64_MAX); /* no sum wraps */
	json_object(w, NULL);
	guide_slices_put(w, s, 1, 0, NULL);
	json_object_end(w);
	assert_non_null(strstr(json_text(w, NULL), "\"Other\""));
	json_free(&w);
	free(s);
}

static void
hosts_are_called_as_ntopng_does(void **state)
{
	struct row r = { .kind = ROW_HOST };
	char out[GUIDE_NAME_MAX];

	(void)state;
	assert_true(ip_parse("8.241.92.250", &r.host.ip));
	assert_string_equal(guide_host_key(&r.host, out), "8__241__92__250");
	assert_string_equal(guide_host_name(&r, out), "8.241.92.250");
	r.host.vlan = 7;
	assert_string_equal(guide_host_label(&r.host, out), "8.241.92.250@7");
	assert_string_equal(guide_host_key(&r.host, out), "8__241__92__250@7");
	r.text[HOST_TEXT_NAMES] = (struct row_text){ "first\nsecond", 12 };
	assert_string_equal(guide_host_name(&r, out), "first");
	assert_true(ip_parse("2001:db8:1:2:3:4:5:6", &r.host.ip));
	assert_int_equal(strlen(guide_host_key(&r.host, out)), 20 - 7 + 7 * 4 + 2);
}

static void
a_flow_in_ntopngs_shape(void **state)
{
	struct row r = { .kind = ROW_FLOW };
	struct json_writer *w = json_new(8192);
	struct rec_flow *f = &r.flow.flow;

	(void)state;
	f->id.b[7] = 1;
	f->id.b[15] = 2;
	f->protocol = 6;
	assert_true(ip_parse("10.0.0.1", &f->ip[CLIENT]) && ip_parse("203.0.113.0", &f->ip[SERVER]));
	f->port[CLIENT] = 1000;
	f->port[SERVER] = 443;
	f->first_ns = INT64_C(1589741868900000000);
	f->last_ns = INT64_C(1589741869100000000);
	f->count.bytes[CLIENT] = 33;
	f->count.bytes[SERVER] = 67;
	f->count.packets[CLIENT] = f->count.packets[SERVER] = 1;
	f->score = 12;
	r.flow.masked[SERVER] = 1;
	r.flow.bytes_per_s[0] = 100;
	json_array(w, NULL);
	guide_put_flow(w, &r, false);
	json_array_end(w);
	text_is(
	    &w,
	    "[{\"key\":\"1\",\"hash_id\":\"2\",\"id\":\"00000000000000010000000000000002\","
	    "\"first_seen\":1589741868,\"last_seen\":1589741869,"
	    "\"client\":{\"ip\":\"10.0.0.1\",\"name\":\"10.0.0.1\",\"port\":1000,\"is_blacklisted\":false,"
	    "\"is_broadcast_domain\":false,\"is_dhcp\":false},"
	    "\"server\":{\"ip\":\"203.0.113.0/24\",\"name\":\"203.0.113.0/24\",\"port\":443,"
	    "\"is_blacklisted\":false,\"is_broadcast\":false,\"is_dhcp\":false},\"vlan\":0,"
	    "\"protocol\":{\"l4\":\"TCP\",\"l7\":\"Unknown\"},\"duration\":2,\"bytes\":100,"
	    "\"thpt\":{\"bps\":800,\"pps\":2},\"breakdown\":{\"cli2srv\":33,\"srv2cli\":67},\"score\":"
	    "\"12\"}]");
}

static void
rates_do_not_wrap(void **state)
{
	const uint64_t huge[2] = { UINT64_MAX / 4, 0 };

	(void)state;
	assert_true(guide_bps(huge) == UINT64_MAX);
	assert_true(guide_pps(10, 0, 5) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_come_as_a_query),
		cmocka_unit_test(what_is_no_text_is_refused),
		cmocka_unit_test(parameters_come_as_json),
		cmocka_unit_test(numbers_have_bounds),
		cmocka_unit_test(hosts_have_a_vlan_behind_or_beside),
		cmocka_unit_test(a_query_of_series_is_taken_apart),
		cmocka_unit_test(routes_are_found_with_and_without_their_ending),
		cmocka_unit_test(shares_are_collapsed),
		cmocka_unit_test(shares_are_bounded),
		cmocka_unit_test(hosts_are_called_as_ntopng_does),
		cmocka_unit_test(a_flow_in_ntopngs_shape),
		cmocka_unit_test(rates_do_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
