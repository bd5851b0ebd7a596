/* What is kept: paging, series of three resolutions over restarts, retention, replays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commit.h"
#include "pump.h"
#include "store_world.h"

static struct world *w;

static int
setup(void **state)
{
	(void)state;
	w = world_new(64 << 20, 0);
	world_engine(w, 0, 1000);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static void
put_end(uint64_t n, uint32_t point, const char *client, int64_t last_ns)
{
	struct rec_flow f = world_flow(w, n, point, client, "192.0.2.1");

	f.last_ns = last_ns;
	if (f.first_ns > last_ns)
		f.first_ns = f.slice_ns = last_ns;
	f.end_reason = END_IDLE;
	f.application = n % 2 == 0 ? APP_DNS : APP_TLS;
	world_put(w, 0, REC_FLOW_END, &f, sizeof(f), NULL);
}

static void
put_second(uint32_t point, int64_t second, uint64_t bytes, uint64_t packets)
{
	struct rec_second s = {
		.point = point, .second = second, .bytes = bytes, .packets = packets, .flows_active = 3
	};

	world_put(w, 0, REC_SECOND, &s, sizeof(s), NULL);
}

/* Every page of a question; returns the rows seen and checks that ends go down. */
static unsigned
page_through(uint32_t tenant, struct wire_question q, unsigned *pages)
{
	unsigned rows = 0;
	int64_t last = INT64_MAX;

	for (*pages = 0; *pages < 10000; ++*pages) {
		assert_int_equal(world_ask(w, tenant, &q), ANSWER_OK);
		for (uint32_t i = 0; i < w->nrows; i++) {
			const struct row_flow *r = world_row(w, i, sizeof(*r), NULL);

			assert_true(r->flow.last_ns <= last);
			last = r->flow.last_ns;
		}
		rows += w->nrows;
		if (!w->has_cursor)
			return rows;
		q.cursor_len = w->cursor_len;
		memcpy(q.cursor, w->cursor, sizeof(q.cursor));
	}
	fail_msg("the pages never end");
	return 0;
}

static void
kept_flows_come_in_pages(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);
	unsigned pages;

	(void)state;
	/* Many with one end time: the cursor has to tell them apart. */
	for (uint64_t n = 1; n <= 1000; n++)
		put_end(n, n % 4 == 0 ? ETH1 : ETH0,
			n % 8 == 0   ? "10.3.0.1"
			: n % 4 == 0 ? "10.2.0.1"
				     : "10.1.0.1",
			(w->utc + (int64_t)(n / 100)) * NS_PER_S);
	world_pump(w);
	world_commit(w);
	q.from_ns = 1;
	q.limit = 7;
	assert_int_equal(page_through(ALPHA, q, &pages), 750);
	assert_in_range(pages, 107, 108);
	assert_int_equal(page_through(BETA, q, &pages), 125);
	assert_int_equal(page_through(GAMMA, q, &pages), 125);
	assert_int_equal(page_through(TENANT_PLATFORM, q, &pages), 1000);
	q.from_ns = (w->utc + 3) * NS_PER_S;
	q.to_ns = (w->utc + 5) * NS_PER_S;
	assert_int_equal(page_through(TENANT_PLATFORM, q, &pages), 200);
	q.key_len = 3;
	memcpy(q.key, "DNS", 3);
	assert_int_equal(page_through(TENANT_PLATFORM, q, &pages), 100);
	q.key_len = 0;
	q.has_ip = 1;
	assert_true(ip_parse("10.2.0.1", &q.ip));
	assert_int_equal(page_through(TENANT_PLATFORM, q, &pages), 25);
	assert_int_equal(page_through(GAMMA, q, &pages), 0);
}

static void
a_kept_flow_of_two_tenants_is_one_to_the_platform(void **state)
{
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.5", "10.3.0.9");
	struct wire_question q = world_question(ASK_FLOWS), by_id = world_question(ASK_FLOW);
	unsigned pages;

	(void)state;
	f.end_reason = END_IDLE;
	world_put(w, 0, REC_FLOW_END, &f, sizeof(f), NULL);
	world_pump(w);
	world_commit(w);
	q.from_ns = 1;
	for (uint32_t tenant = TENANT_PLATFORM; tenant <= GAMMA; tenant++) {
		assert_int_equal(page_through(tenant, q, &pages), tenant != ALPHA);
		if (tenant == ALPHA)
			continue;
		by_id.flow =
		    ((const struct row_flow *)world_row(w, 0, sizeof(struct row_flow), NULL))->flow.id;
		assert_int_equal(world_ask(w, tenant, &by_id), ANSWER_OK);
		assert_int_equal(w->nrows, 1);
		/* The id of one is nothing to the others. */
		assert_int_equal(world_ask(w, tenant == BETA ? GAMMA : BETA, &by_id), ANSWER_NOT_FOUND);
	}
}

static void
all_fields_of_a_flow_are_kept(void **state)
{
	struct rec_flow f = world_flow(w, 9, ETH0, "2001:db8::5", "2001:db8::9");
	struct wire_question q = world_question(ASK_FLOWS);
	const char *text;

	(void)state;
	f.slice = 3;
	f.vlan[0] = 10;
	f.vlan[1] = 20;
	f.tunnel = TUNNEL_VXLAN;
	f.end_reason = END_ACTIVE;
	f.slice_ns += 5;
	f.last_ns += 2 * NS_PER_S + 17;
	memset(f.mac, 0x42, sizeof(f.mac));
	memset(&f.tcp, 0x13, sizeof(f.tcp));
	f.tcp.reserved = 0;
	f.count.payload[1] = 12345;
	f.category = CAT_WEB;
	f.score = 11;
	f.confidence = 3;
	f.dpi_done = 1;
	memset(f.ttl_min, 60, 2);
	memset(f.ttl_max, 64, 2);
	f.dscp[1] = 46;
	f.in_interface = 7;
	f.as_number[1] = 64500;
	f.server_name_len = 4;
	f.info_len = 2;
	f.breed = BREED_UNSAFE;
	f.latency_us = 70000;
	f.attributes_len = 9;
	world_put(w, 0, REC_FLOW_END, &f, sizeof(f), "nameIN\1\7TLSv1.3");
	world_pump(w);
	world_commit(w);
	world_reopen(w);
	q.from_ns = 1;
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);

	const struct row_flow *r = world_row(w, 0, sizeof(*r), &text);
	struct rec_flow back = r->flow;

	assert_memory_equal(text, "UnknownWebnameIN", 16);
	/* What is not the viewer's, or said in words. */
	back.id = f.id;
	back.slot = f.slot;
	back.generation = f.generation;
	back.category = f.category;
	back.server_name_len = 4;
	back.info_len = 2;
	assert_int_equal(r->attributes_len, 9);
	assert_memory_equal(text + 16 + r->point_len, "\1\7TLSv1.3", 9);
	back.attributes_len = 9;
	assert_memory_equal(&back, &f, sizeof(f));
}

/* --- series
 * ---------------------------------------------------------------------------------------------------------------
 */

static struct wire_question
series(enum series_subject subject, uint32_t point, uint32_t resolution)
{
	struct wire_question q = world_question(ASK_SERIES);

	q.subject = (uint16_t)subject;
	q.point = point;
	q.resolution_s = resolution;
	q.limit = 1000;
	q.from_ns = w->utc / 3600 * 3600 * NS_PER_S;
	q.to_ns = (w->utc + 3600) * NS_PER_S;
	return q;
}

static struct row_series
sum_series(uint32_t tenant, const struct wire_question *q)
{
	struct row_series sum = { 0 };

	assert_int_equal(world_ask(w, tenant, q), ANSWER_OK);
	sum.resolution_s = w->nrows; /* how many */
	for (uint32_t i = 0; i < w->nrows; i++) {
		const struct row_series *r = world_row(w, i, sizeof(*r), NULL);

		sum.bytes += r->bytes;
		sum.packets += r->packets;
		sum.bytes_max = r->bytes_max > sum.bytes_max ? r->bytes_max : sum.bytes_max;
		sum.flows_max = r->flows_max > sum.flows_max ? r->flows_max : sum.flows_max;
	}
	return sum;
}

static void
series_agree_at_every_resolution(void **state)
{
	static const uint32_t resolutions[] = { 1, 60, 3600 };

	(void)state;
	for (int64_t i = 0; i < 90; i++) {
		put_second(ETH0, w->utc + i, 100 + (uint64_t)i, 1);
		if (i % 10 == 9) { /* minutes are written in parts */
			world_pump(w);
			world_commit(w);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(resolutions); i++) {
		struct wire_question q = series(SERIES_POINT, ETH0, resolutions[i]);
		struct row_series sum = sum_series(ALPHA, &q);

		assert_int_equal(sum.bytes, 90 * 100 + 89 * 90 / 2);
		assert_int_equal(sum.packets, 90);
		assert_int_equal(sum.bytes_max, 189);
		assert_int_equal(sum.flows_max, 3);
		if (i == 0)
			assert_int_equal(sum.resolution_s, 90);
		/* Beta owns no part of eth0. */
		assert_int_equal(sum_series(BETA, &q).resolution_s, 0);
	}

	/* In pages. */
	struct wire_question q = series(SERIES_POINT, ETH0, 1);
	uint64_t packets = 0;

	q.limit = 40;
	for (;;) {
		packets += sum_series(ALPHA, &q).packets;
		if (!w->has_cursor)
			break;
		q.cursor_len = w->cursor_len;
		memcpy(q.cursor, w->cursor, sizeof(q.cursor));
	}
	assert_int_equal(packets, 90);
}

static void
a_percentile_is_of_buckets_that_are_over(void **state)
{
	struct wire_question q = series(SERIES_POINT, ETH0, 60);
	int64_t first = w->utc / 60 - 10;
	const struct row_series *r;

	(void)state;
	for (int64_t i = 0; i < 8; i++) /* two minutes of ten are silent */
		put_second(ETH0, (first + i) * 60, 1000 * (1 + (uint64_t)i), 1);
	put_second(ETH0, w->utc, 1 << 20, 1);
	world_pump(w);
	world_commit(w);
	q.percent = 80;
	q.from_ns = first * 60 * NS_PER_S;
	q.to_ns = w->utc * NS_PER_S;
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	r = world_row(w, 0, sizeof(*r), NULL);
	assert_int_equal(r->packets, 10);
	assert_int_equal(r->bytes, 6000); /* the eighth of ten, of which two are 0 */
	assert_int_equal(r->in_bytes, 6000);
	assert_int_equal(r->out_bytes, 0);
	q.to_ns = (w->utc + 6000) *
		  NS_PER_S; /* a minute that is not over is not there yet: now is about two later */
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	r = world_row(w, 0, sizeof(*r), NULL);
	assert_in_range(r->packets, 11, 20);
	q.percent = 101;
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_BAD_QUESTION);
	q.percent = 80;
	q.resolution_s = 90;
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_BAD_QUESTION);
}

static void
replayed_seconds_count_once(void **state)
{
	struct wire_question q = series(SERIES_POINT, ETH0, 60), totals = world_question(ASK_TOTALS);

	(void)state;
	for (int64_t i = 0; i < 20; i++)
		put_second(ETH0, w->utc + i, 1000, 2);
	world_pump(w);
	world_commit(w);
	world_reopen(w); /* store dies; the engine is the same: it carries over what was not released, here
			    everything */
	world_engine(w, 0, 1000);
	for (int64_t i = 0; i < 30; i++)
		put_second(ETH0, w->utc + i, 1000, 2);
	world_pump(w);
	world_commit(w);
	assert_int_equal(sum_series(ALPHA, &q).packets, 60);
	assert_int_equal(world_ask(w, ALPHA, &totals), ANSWER_OK);
	assert_int_equal(
	    ((const struct row_totals *)world_row(w, 0, sizeof(struct row_totals), NULL))->packets, 60);

	world_engine(w, 0, 2000); /* another process: its seconds are its own */
	for (int64_t i = 25; i < 30; i++)
		put_second(ETH0, w->utc + i, 1000, 2);
	world_pump(w);
	world_commit(w);
	assert_int_equal(sum_series(ALPHA, &q).packets, 70);
}

static void
flows_known_before_a_restart_are_not_counted_twice(void **state)
{
	struct wire_question q = series(SERIES_TENANT, ANY_POINT, 60), hosts = world_question(ASK_HOSTS);
	struct rec_flow f = world_flow(w, 1, ETH0, "10.1.0.1", "192.0.2.1"),
			g = world_flow(w, 2, ETH0, "10.1.0.1", "192.0.2.1");

	(void)state;
	world_put(w, 0, REC_FLOW_OPEN, &f, sizeof(f), NULL);
	world_pump(w);
	world_commit(w);
	assert_int_equal(sum_series(ALPHA, &q).bytes, 4000);
	world_reopen(w);
	world_engine(w, 0, 1000);
	f.count.bytes[0] += 500; /* told anew, with what came meanwhile */
	world_put(w, 0, REC_FLOW_OPEN, &f, sizeof(f), NULL);
	world_put(w, 0, REC_FLOW_OPEN, &g, sizeof(g), NULL);
	f.count.bytes[0] += 100;
	f.end_reason = END_IDLE;
	world_put(w, 0, REC_FLOW_END, &f, sizeof(f), NULL);
	world_pump(w);
	world_commit(w);
	/* The new flow whole, the old one from where it was told anew; never its beginning again. */
	assert_int_equal(sum_series(ALPHA, &q).bytes, 4000 + 4000 + 100);
	/* Live totals began at 0 with the restart and know the flow's all. */
	assert_int_equal(world_ask(w, ALPHA, &hosts), ANSWER_OK);
	assert_int_equal(
	    ((const struct row_host *)world_row(w, 0, sizeof(struct row_host), NULL))->bytes[0] +
		((const struct row_host *)world_row(w, 0, sizeof(struct row_host), NULL))->bytes[1],
	    4600 + 4000);
	/* And its record is complete. */
	struct wire_question kept = world_question(ASK_FLOWS);

	kept.from_ns = 1;
	assert_int_equal(world_ask(w, ALPHA, &kept), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	assert_int_equal(
	    ((const struct row_flow *)world_row(w, 0, sizeof(struct row_flow), NULL))->flow.count.bytes[0],
	    1600);
}

static void
ends_are_idempotent(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS), tenant = series(SERIES_TENANT, ANY_POINT, 60);

	(void)state;
	for (uint64_t n = 1; n <= 50; n++)
		put_end(n, ETH0, "10.1.0.1", w->utc * NS_PER_S);
	world_pump(w);
	world_commit(w);
	world_reopen(w);
	world_engine(w, 0, 1000);
	for (uint64_t n = 1; n <= 60; n++)
		put_end(n, ETH0, "10.1.0.1", w->utc * NS_PER_S);
	world_pump(w);
	world_commit(w);
	q.from_ns = 1;
	q.limit = 1000;
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 60);
	assert_int_equal(sum_series(ALPHA, &tenant).bytes, 60 * 4000);
}

/* A slice that was given up and then went on is there once, with its last end; whether store died between or
 * not, and in one commit or two. */
static void
what_ends_anew_replaces_what_was_kept(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);

	(void)state;
	q.from_ns = 1;
	q.limit = 1000;
	for (int round = 0; round < 3; round++) {
		for (uint64_t n = 1; n <= 40; n++)
			put_end(n, n % 2 ? ETH0 : ETH1, n % 2 ? "10.1.0.1" : "10.2.0.1",
				(w->utc + 10 * round) * NS_PER_S);
		if (round == 1)
			for (uint64_t n = 1; n <= 20; n++)
				put_end(n, n % 2 ? ETH0 : ETH1, n % 2 ? "10.1.0.1" : "10.2.0.1",
					(w->utc + 15) * NS_PER_S);
		world_pump(w);
		world_commit(w);
		assert_int_equal(world_ask(w, TENANT_PLATFORM, &q), ANSWER_OK);
		assert_int_equal(w->nrows, 40);
		for (uint32_t i = 0; i < w->nrows; i++) {
			const struct row_flow *r = world_row(w, i, sizeof(*r), NULL);

			assert_int_equal(r->flow.last_ns,
					 (w->utc + (round == 1 && i < 20 ? 15 : 10 * round)) * NS_PER_S);
		}
		assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
		assert_int_equal(w->nrows, 20);
		world_reopen(w);
		world_engine(w, 0, 1000);
	}
}

static void
slices_of_a_flow_sum_up(void **state)
{
	struct rec_flow f = world_flow(w, 5, ETH0, "10.1.0.1", "192.0.2.1");
	struct wire_question q = world_question(ASK_FLOWS), by_id = world_question(ASK_FLOW),
			     tenant = series(SERIES_TENANT, 0, 60);
	uint64_t bytes = 0;

	(void)state;
	for (uint32_t slice = 0; slice < 4; slice++) {
		f.slice = slice;
		f.slice_ns = f.last_ns;
		f.last_ns += NS_PER_S;
		f.end_reason = END_NONE;
		world_put(w, 0, REC_FLOW_OPEN, &f, sizeof(f), NULL);
		f.end_reason = slice == 3 ? END_CLOSED : END_ACTIVE;
		world_put(w, 0, REC_FLOW_END, &f, sizeof(f), NULL);
	}
	world_pump(w);
	world_commit(w);
	q.from_ns = 1;
	q.limit = 1;
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	by_id.flow = ((const struct row_flow *)world_row(w, 0, sizeof(struct row_flow), NULL))->flow.id;
	assert_int_equal(world_ask(w, ALPHA, &by_id), ANSWER_OK);
	assert_int_equal(w->nrows, 4);
	for (uint32_t i = 0; i < 4; i++) {
		const struct row_flow *r = world_row(w, i, sizeof(*r), NULL);

		assert_int_equal(r->flow.slice, i);
		bytes += r->flow.count.bytes[0] + r->flow.count.bytes[1];
	}
	assert_int_equal(bytes, 16000);
	assert_int_equal(sum_series(ALPHA, &tenant).bytes, 16000);
}

static void
what_is_too_old_goes(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);
	int64_t day = INT64_C(86400);
	unsigned pages;

	(void)state;
	for (uint64_t n = 1; n <= 5000; n++)
		put_end(n, ETH0, "10.1.0.1", (w->utc - 31 * day) * NS_PER_S + (int64_t)n);
	for (int64_t i = 0; i < 100; i++)
		put_second(ETH0, w->utc - 2 * 3600 + i, 100, 1);
	put_end(6000, ETH0, "10.1.0.1", w->utc * NS_PER_S);
	world_pump(w);
	for (int i = 0; i < 5; i++) { /* in small steps: one commit does not do it all */
		put_second(ETH0, w->utc + i, 1, 1);
		world_pump(w);
		world_commit(w);
	}
	q.from_ns = 1;
	assert_int_equal(page_through(ALPHA, q, &pages), 1);

	struct wire_question seconds = series(SERIES_POINT, ETH0, 1),
			     minutes = series(SERIES_POINT, ETH0, 60);

	seconds.from_ns = minutes.from_ns = (w->utc - 3 * 3600) * NS_PER_S;
	assert_int_equal(sum_series(ALPHA, &seconds).packets, 5);
	assert_int_equal(sum_series(ALPHA, &minutes).packets, 105);
}

static void
the_dictionary_survives(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);
	const char *text;

	(void)state;
	put_end(2, ETH0, "10.1.0.1", w->utc * NS_PER_S);
	world_pump(w);
	world_commit(w);
	world_reopen(w);
	q.from_ns = 1;
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	world_row(w, 0, sizeof(struct row_flow), &text);
	assert_memory_equal(text, "DNS", 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(kept_flows_come_in_pages),
		TEST(a_kept_flow_of_two_tenants_is_one_to_the_platform),
		TEST(all_fields_of_a_flow_are_kept),
		TEST(series_agree_at_every_resolution),
		TEST(a_percentile_is_of_buckets_that_are_over),
		TEST(replayed_seconds_count_once),
		TEST(flows_known_before_a_restart_are_not_counted_twice),
		TEST(ends_are_idempotent),
		TEST(what_ends_anew_replaces_what_was_kept),
		TEST(slices_of_a_flow_sum_up),
		TEST(what_is_too_old_goes),
		TEST(the_dictionary_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
