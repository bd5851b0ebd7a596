/* What lists call series and say of them, where their pages end, and by which keys a series is found. */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ask.h"
#include "base/clock.h"
#include "base/mem.h"
#include "one_world.h"
#include "series_asked.h"

static void
expect_listed(uint32_t tenant, uint32_t subject, const char *text, uint64_t in_per_s, uint64_t out_per_s)
{
	struct wire_question q = world_question(ASK_SERIES_LIST);
	const struct row_series_of *r;
	const char *at;

	q.subject = (uint16_t)subject;
	assert_int_equal(world_ask(w, tenant, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	r = world_row(w, 0, sizeof(*r), &at);
	assert_int_equal(r->key_len + r->name_len, strlen(text));
	assert_memory_equal(at, text, strlen(text));
	assert_int_equal(r->in_bytes_per_s, in_per_s);
	assert_int_equal(r->out_bytes_per_s, out_per_s);
}

static void
expect_pace(const struct series_entry *e, uint32_t now, uint64_t in, uint64_t out)
{
	struct series_pace p = series_entry_pace(e, now);

	assert_int_equal(p.in_bytes, in);
	assert_int_equal(p.out_bytes, out);
}

/* What is told by the second is told in parts, what is told by the minute at once. */
static void
a_pace_is_of_a_whole_minute(void **state)
{
	const struct series_id id = { .tenant = BETA, .subject = SERIES_AS, .number = 7 };
	const struct series_value v = { .in_bytes = 300, .out_bytes = 600 };
	const struct series_entry *e;

	(void)state;
	e = series_book_use(w->s->book, &id, 1000, 100, w->s->open);
	assert_non_null(e);
	series_book_count(w->s->book, &id, 1000, &v);
	expect_pace(e, 1000, 0, 0);
	series_book_count(w->s->book, &id, 1000, &v);
	expect_pace(e, 1001, 10, 20);
	expect_pace(e, 1002, 10, 20);
	expect_pace(e, 1003, 0, 0);
	expect_pace(e, 999, 0, 0);
	series_book_count(w->s->book, &id, 1001, &v);
	expect_pace(e, 1001, 10, 20);
	expect_pace(e, 1002, 5, 10);
	series_book_count(w->s->book, &id, 1000, &v); /* late */
	expect_pace(e, 1001, 15, 30);
	expect_pace(e, 1002, 5, 10);
	series_book_count(w->s->book, &id, 999, &v); /* too late */
	expect_pace(e, 1001, 15, 30);
	series_book_count(w->s->book, &id, 1005, &v);
	expect_pace(e, 1005, 0, 0);
	expect_pace(e, 1006, 5, 10);
	assert_int_equal(e->total.in_bytes, 6 * 300);
}

/* What somebody else's traffic brings here tells nobody: not that it came. */
static void
names_come_with_ones_own_traffic(void **state)
{
	struct rec_host h = { .as_number = 64500, .country = "NL", .as_name_len = 3 };
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.1", "192.0.2.1");
	struct rec_flow other = world_flow(w, 2, ETH1, "10.3.0.1", "192.0.2.1");

	(void)state;
	assert_true(ip_parse("192.0.2.1", &h.ip));
	f.count.bytes[CLIENT] = f.count.bytes[SERVER] = 0; /* rates are not what this is about */
	other.count.bytes[CLIENT] = other.count.bytes[SERVER] = 0;
	world_put(w, 0, REC_HOST, &h, sizeof(h), "Ulm");
	series_put_flow(w, &f, true);
	world_pump(w);
	world_minute(w);
	expect_listed(BETA, SERIES_AS, "64500Ulm", 0, 0);
	world_reopen(w);
	world_engine(w, 0, 2000);
	expect_listed(BETA, SERIES_AS, "64500", 0, 0);
	world_put(w, 0, REC_HOST, &h, sizeof(h), "Ulm");
	series_put_flow(w, &other, true);
	world_pump(w);
	world_minute(w);
	expect_listed(GAMMA, SERIES_AS, "64500Ulm", 0, 0);
	expect_listed(BETA, SERIES_AS, "64500", 0, 0);
	f = world_flow(w, 3, ETH1, "10.2.0.1", "192.0.2.1");
	f.count.bytes[CLIENT] = f.count.bytes[SERVER] = 0;
	series_put_flow(w, &f, true);
	world_pump(w);
	world_minute(w);
	expect_listed(BETA, SERIES_AS, "64500Ulm", 0, 0);
}

/* An AS has the name that was last told, in lists and in groups; a rate is that of the newest whole minute.
 */
static void
lists_have_names_and_rates(void **state)
{
	struct rec_host h = { .as_number = 64500, .country = "NL", .as_name_len = 3, .city_len = 3 };
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.1", "192.0.2.1");
	struct wire_question q;
	const struct row_group *g;
	const char *text;

	(void)state;
	assert_true(ip_parse("192.0.2.1", &h.ip));
	world_put(w, 0, REC_HOST, &h, sizeof(h), "OldUlm");
	world_put(w, 0, REC_HOST, &h, sizeof(h), "NewUlm");
	w->utc += 60; /* the minute before this one, or the one before that if it just began */
	f.first_ns = f.slice_ns = f.last_ns = w->utc * NS_PER_S;
	f.count.bytes[CLIENT] = 60000;
	f.count.bytes[SERVER] = 6000;
	series_put_second(w, ETH1, w->utc, 1, 1);
	series_put_flow(w, &f, true);
	world_pump(w);
	world_minute(w);
	expect_listed(BETA, SERIES_AS, "64500New", 100, 1000);
	expect_listed(BETA, SERIES_COUNTRY, "NL", 100, 1000);
	expect_listed(BETA, SERIES_NETWORK, "10.2.0.0/16", 100, 1000);
	expect_listed(BETA, SERIES_CATEGORY, "Unknown", 100, 1000);

	q = world_question(ASK_GROUPS);
	q.from_ns = (w->utc - 3600) * NS_PER_S;
	q.to_ns = (w->utc + 60) * NS_PER_S;
	q.grouping = (struct wire_grouping){ .dimension = { DIMENSION_SERVER_AS },
					     .measures = MEASURE_BIT(MEASURE_BYTES),
					     .measure = MEASURE_BYTES };
	assert_int_equal(world_ask(w, BETA, &q), ANSWER_OK);
	g = world_row(w, 1, sizeof(*g), &text);
	assert_int_equal(g->key[0].number, 64500);
	assert_int_equal(g->key[0].text_len, 3);
	assert_memory_equal(text, "New", 3);
}

/* Where another question's page ended is no way back behind what is asked for. */
static void
a_cursor_leads_forward_only(void **state)
{
	char interfaces[1][64] = { "eth0" };
	struct narrowing n = { .number = 1, .interfaces = interfaces, .ninterfaces = 1 };
	struct wire_question q = series_question(w, SERIES_TENANT, ""), first = q;
	uint8_t bytes[GRANT_BYTES_MAX];
	struct grant g;
	size_t len;

	(void)state;
	for (int day = 100; day >= 0; day -= 50)
		series_put_second(w, ETH0, w->utc - 60 - (int64_t)day * 86400, 1000, 1);
	world_pump(w);
	world_minute(w);
	world_policy(w, &n, 1);
	g = world_grant_plain(w, ALPHA);
	for (int narrowed = 0; narrowed < 2; narrowed++) {
		g.nnarrowings = (uint32_t)narrowed;
		g.narrowing[0] = n.number;
		q.subject = narrowed ? SERIES_TENANT : SERIES_POINT;
		q.point = ETH0;
		first = q;
		first.resolution_s = 86400;
		first.from_ns = (w->utc - 200 * INT64_C(86400)) * NS_PER_S;
		first.limit = 1;
		len = world_grant_as(w, &g, true, bytes);
		assert_int_equal(world_ask_with(w, &first, bytes, len), ANSWER_OK);
		assert_int_equal(w->nrows, 1);
		assert_true(w->has_cursor);
		q.cursor_len = w->cursor_len;
		memcpy(q.cursor, w->cursor, sizeof(q.cursor));
		assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_OK);
		assert_int_equal(w->nrows, 1);
		q.cursor_len = 0;
	}
}

/* Of as many bytes, and alike in what is written of them first: a page ends between them. */
static void
pages_leave_nobody_out(void **state)
{
	static const char *const exporters[] = { "2001:db8:aaaa:bbbb:cccc:dddd:1:1",
						 "2001:db8:aaaa:bbbb:cccc:dddd:1:2",
						 "2001:db8:aaaa:bbbb:cccc:dddd:1:3" };
	struct wire_question l = world_question(ASK_SERIES_LIST);
	uint32_t n = 0;

	(void)state;
	series_put_second(w, ETH1, w->utc, 1, 1);
	for (size_t i = 0; i < ARRAY_LEN(exporters); i++) {
		struct rec_flow f = world_flow(w, i + 1, ETH1, "10.2.0.1", "192.0.2.1");

		assert_true(ip_parse(exporters[i], &f.exporter));
		series_put_flow(w, &f, true);
	}
	world_pump(w);
	world_minute(w);
	l.subject = SERIES_EXPORTER;
	l.limit = 1;
	do {
		assert_int_equal(world_ask(w, BETA, &l), ANSWER_OK);
		n += w->nrows;
		l.cursor_len = w->cursor_len;
		memcpy(l.cursor, w->cursor, sizeof(l.cursor));
	} while (w->has_cursor);
	assert_int_equal(n, ARRAY_LEN(exporters));
}

static void
hostile_keys_find_nothing(void **state)
{
	static const char *const keys[] = {
		"",         "10.2.0.1/99", "4294967295", "99999999999", "-1",
		"00",       "1@",          "@10.0.0.1",  "1@1@::1",     "zz",
		"\xff\xfe", "NLX",         "(other)x",   "%s%n",        "::1%eth0"
	};
	struct wire_question q;

	(void)state;
	series_put_second(w, ETH1, w->utc, 1, 1);
	world_pump(w);
	world_minute(w);
	for (uint32_t subject = SERIES_APPLICATION; subject < SERIES_SUBJECT_COUNT; subject++) {
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			assert_int_equal(series_sum_key(w, BETA, subject, keys[i]).resolution_s, 0);
		/* As long as there is room for, without an end. */
		q = series_question(w, subject, "");
		q.key_len = sizeof(q.key);
		memset(q.key, '1', sizeof(q.key));
		assert_int_equal(series_sum_of(w, BETA, &q).resolution_s, 0);
		/* A byte of zero in it. */
		q.key[3] = '\0';
		assert_int_equal(series_sum_of(w, BETA, &q).resolution_s, 0);
		for (unsigned tries = 0; tries < 200; tries++) {
			randombytes_buf(q.key, sizeof(q.key));
			q.key_len = (uint16_t)randombytes_uniform(sizeof(q.key) + 1);
			q.vlan = (uint16_t)randombytes_random();
			q.space = randombytes_random();
			assert_int_equal(world_ask(w, BETA, &q), ANSWER_OK);
		}
	}
	q = world_question(ASK_SERIES_LIST);
	for (q.subject = 0; q.subject < SERIES_SUBJECT_COUNT + 2; q.subject++) {
		bool listed = q.subject > SERIES_POINT && q.subject < SERIES_SUBJECT_COUNT;

		assert_int_equal(world_ask(w, BETA, &q), listed ? ANSWER_OK : ANSWER_BAD_QUESTION);
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, one_world_begin, one_world_end)
	const struct CMUnitTest tests[] = {
		TEST(a_pace_is_of_a_whole_minute), TEST(names_come_with_ones_own_traffic),
		TEST(lists_have_names_and_rates),  TEST(a_cursor_leads_forward_only),
		TEST(pages_leave_nobody_out),      TEST(hostile_keys_find_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
