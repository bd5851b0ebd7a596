/* What is watched has a point each second, for who may see it, and each byte once all the same. */
#include <setjmp.h>
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
#include "watched.h"

#define ANY UINT32_MAX /* number of points */

static struct watched_item
host(uint32_t tenant, const char *ip)
{
	struct watched_item l = { .tenant = tenant, .kind = WATCHED_HOST, .what.bits = 128 };

	assert_true(ip_parse(ip, &l.what.addr));
	return l;
}

static struct watched_item
network(uint32_t tenant, const char *prefix)
{
	struct watched_item l = { .tenant = tenant, .kind = WATCHED_NETWORK };

	assert_true(prefix_parse(prefix, &l.what));
	return l;
}

static void
watch(const struct watched_item *list, size_t n)
{
	w->watched = list;
	w->nwatched = n;
	world_policy(w, NULL, 0);
}

static void
put_flow(struct rec_flow f, bool ends)
{
	f.end_reason = ends ? END_IDLE : END_NONE;
	world_put(w, 0, ends ? REC_FLOW_END : REC_FLOW_OPEN, &f, sizeof(f), NULL);
}

/* A second later it has counted more. */
static void
put_more(struct rec_flow *f, uint64_t bytes)
{
	struct rec_flow_count c = { .slot = f->slot, .generation = f->generation, .state = f->state };

	f->last_ns += NS_PER_S;
	f->count.bytes[CLIENT] += bytes;
	f->count.packets[CLIENT] += 1;
	c.second = f->last_ns / NS_PER_S;
	c.last_ns = f->last_ns;
	c.count = f->count;
	world_put(w, 0, REC_FLOW_COUNT, &c, sizeof(c), NULL);
}

static struct wire_question
question(uint32_t subject, const char *key, uint32_t resolution_s)
{
	struct wire_question q = world_question(ASK_SERIES);

	q.subject = (uint16_t)subject;
	q.limit = 1000;
	q.resolution_s = resolution_s;
	q.from_ns = (w->utc - 60) * NS_PER_S;
	q.to_ns = (w->utc + 300) * NS_PER_S;
	q.key_len = (uint16_t)strlen(key);
	memcpy(q.key, key, q.key_len);
	return q;
}

/* How many points there are; their sum. */
static uint32_t
points(uint32_t tenant, uint32_t subject, const char *key, uint32_t resolution_s, struct row_series *sum)
{
	const struct wire_question q = question(subject, key, resolution_s);

	memset(sum, 0, sizeof(*sum));
	assert_int_equal(world_ask(w, tenant, &q), ANSWER_OK);
	for (uint32_t i = 0; i < w->nrows; i++) {
		const struct row_series *r = world_row(w, i, sizeof(*r), NULL);

		sum->resolution_s = r->resolution_s;
		sum->bytes += r->bytes;
		sum->in_bytes += r->in_bytes;
		sum->out_bytes += r->out_bytes;
		sum->packets += r->packets;
		sum->bytes_max = r->bytes_max > sum->bytes_max ? r->bytes_max : sum->bytes_max;
	}
	return w->nrows;
}

static void
is(uint32_t tenant, uint32_t subject, const char *key, uint32_t resolution_s, uint32_t n, uint64_t in,
   uint64_t out)
{
	struct row_series sum;
	uint32_t found = points(tenant, subject, key, resolution_s, &sum);

	if ((n != ANY && found != n) || sum.in_bytes != in || sum.out_bytes != out || sum.bytes != in + out)
		fail_msg("tenant %u, %s by %u s: %u points, in %lu, out %lu; expected %u, %lu, %lu", tenant,
			 key, resolution_s, found, (unsigned long)sum.in_bytes, (unsigned long)sum.out_bytes,
			 n, (unsigned long)in, (unsigned long)out);
}

static void
seconds_and_minutes(void **state)
{
	const struct watched_item list[] = { host(BETA, "10.2.0.5"), network(BETA, "10.2.0.0/16"),
					     host(TENANT_PLATFORM, "192.0.2.1") };
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.5", "192.0.2.1");
	struct row_series sum;

	(void)state;
	watch(list, ARRAY_LEN(list));
	put_flow(f, false);
	put_more(&f, 500);
	put_more(&f, 70000);
	world_pump(w);
	world_commit(w);
	is(BETA, SERIES_HOST, "10.2.0.5", 1, 3, 3000, 71500);
	is(BETA, SERIES_NETWORK, "10.2.0.0/16", 1, 3, 3000, 71500);
	/* Outside of the platform's networks: what it sent comes in. */
	is(TENANT_PLATFORM, SERIES_HOST, "192.0.2.1", 1, 3, 3000, 71500);
	/* Each watches its own. */
	is(BETA, SERIES_HOST, "192.0.2.1", 1, 0, 0, 0);
	is(TENANT_PLATFORM, SERIES_HOST, "10.2.0.5", 1, 0, 0, 0);
	is(TENANT_PLATFORM, SERIES_NETWORK, "10.0.0.0/8", 1, 0, 0, 0);
	is(GAMMA, SERIES_HOST, "10.2.0.5", 1, 0, 0, 0);
	/* What there is decides how fine an answer is. */
	points(BETA, SERIES_HOST, "10.2.0.5", 0, &sum);
	assert_int_equal(sum.resolution_s, 1);
	world_minute(w);
	for (int again = 0; again < 2; again++) {
		points(BETA, SERIES_HOST, "192.0.2.1", 0, &sum);
		assert_int_equal(sum.resolution_s, 60);
		is(BETA, SERIES_HOST, "10.2.0.5", 60, 1, 3000, 71500);
		is(BETA, SERIES_NETWORK, "10.2.0.0/16", 60, 1, 3000, 71500);
		is(TENANT_PLATFORM, SERIES_HOST, "192.0.2.1", 60, 1, 3000, 71500);
		is(TENANT_PLATFORM, SERIES_HOST, "10.2.0.5", 60, 1, 3000, 71500);
		world_minute(w);
	}
	/* The minute knows its busiest seconds, of in and of out. */
	points(BETA, SERIES_HOST, "10.2.0.5", 60, &sum);
	assert_int_equal(sum.bytes_max, 3000 + 70000);
}

/* Lists tell of it as of all others. */
static void
totals(void **state)
{
	const struct watched_item list[] = { host(BETA, "10.2.0.5") };
	struct wire_question q = world_question(ASK_SERIES_LIST);
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.5", "192.0.2.1");

	(void)state;
	watch(list, ARRAY_LEN(list));
	put_flow(f, false);
	put_more(&f, 500);
	world_pump(w);
	world_minute(w);
	q.subject = SERIES_HOST;
	q.limit = 10;
	assert_int_equal(world_ask(w, BETA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 2);
	for (uint32_t i = 0; i < 2; i++) {
		const struct row_series_of *r = world_row(w, i, sizeof(*r), NULL);

		assert_int_equal(r->in_bytes, 3000);
		assert_int_equal(r->out_bytes, 1500);
	}
}

/* Begins with the flow under way, and ends: nothing is counted twice or lost. */
static void
watched_in_between(void **state)
{
	const struct watched_item list[] = { host(BETA, "10.2.0.5"), network(BETA, "10.2.0.0/16"),
					     host(BETA, "192.0.2.1"),
					     network(TENANT_PLATFORM, "10.0.0.0/8") };
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.5", "192.0.2.1");

	(void)state;
	put_flow(f, false);
	put_more(&f, 100);
	world_pump(w);
	watch(list, ARRAY_LEN(list));
	put_more(&f, 200);
	put_more(&f, 300);
	world_pump(w);
	world_commit(w);
	is(BETA, SERIES_HOST, "10.2.0.5", 1, 2, 0, 500);
	watch(NULL, 0);
	put_more(&f, 400);
	world_pump(w);
	for (int round = 0; round < 3; round++) {
		world_minute(w);
		is(BETA, SERIES_HOST, "10.2.0.5", 60, ANY, 3000, 2000);
		is(BETA, SERIES_NETWORK, "10.2.0.0/16", 60, ANY, 3000, 2000);
		is(BETA, SERIES_HOST, "192.0.2.1", 60, ANY, 3000, 2000);
		is(TENANT_PLATFORM, SERIES_NETWORK, "10.0.0.0/8", 60, ANY, 3000, 2000);
		is(BETA, SERIES_HOST, "10.2.0.5", 1, 2, 0, 500);
	}
}

/* As much as a snapshot holds comes, goes, and comes again. */
static void
others_make_room(void **state)
{
	struct watched_item *list = mem_calloc(SNAPSHOT_WATCHED_MAX, sizeof(*list));
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.5", "192.0.2.1");
	char ip[32];

	(void)state;
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned i = 0; i < SNAPSHOT_WATCHED_MAX; i++) {
			snprintf(ip, sizeof(ip), "198.%u.%u.%u", 18 + round, i >> 8, i & 255u);
			list[i] = host(BETA, ip);
		}
		list[7] = host(BETA, "10.2.0.5");
		watch(list, SNAPSHOT_WATCHED_MAX);
	}
	put_flow(f, false);
	put_more(&f, 100);
	world_pump(w);
	world_commit(w);
	is(BETA, SERIES_HOST, "10.2.0.5", 1, 2, 3000, 1100);
	watch(NULL, 0);
	for (int i = 0; i < 3; i++)
		world_minute(w);
	is(BETA, SERIES_HOST, "10.2.0.5", 60, 1, 3000, 1100);
	free(list);
}

/* A tenant that may have no more series has none of these either: they are in its (other), once. */
static void
without_a_series(void **state)
{
	const struct watched_item list[] = { host(BETA, "10.2.0.5") };
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.5", "192.0.2.1");

	(void)state;
	w->series[BETA] = 1;
	watch(list, ARRAY_LEN(list));
	put_flow(f, false);
	put_more(&f, 500);
	world_pump(w);
	world_minute(w);
	is(BETA, SERIES_HOST, "10.2.0.5", 1, 0, 0, 0);
	is(BETA, SERIES_HOST, "10.2.0.5", 60, 0, 0, 0);
	is(BETA, SERIES_HOST, SERIES_OTHER_TEXT, 60, 1, 6000, 3000);
}

/* Interfaces of exporters need nobody who watches. */
static void
interfaces_of_exporters(void **state)
{
	static const uint32_t tenants[] = { BETA, TENANT_PLATFORM };
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.5", "192.0.2.1");
	struct row_series sum;

	(void)state;
	f.exporter.b[15] = 1;
	f.in_interface = 3;
	f.out_interface = 4;
	put_flow(f, false);
	put_more(&f, 500);
	put_more(&f, 70000);
	world_pump(w);
	world_commit(w);
	for (int again = 0; again < 3; again++) {
		for (size_t i = 0; i < ARRAY_LEN(tenants); i++) {
			is(tenants[i], SERIES_EXPORTER_INTERFACE, "3@::1", 1, 3, 71500, 3000);
			is(tenants[i], SERIES_EXPORTER_INTERFACE, "4@::1", 1, 3, 3000, 71500);
			is(tenants[i], SERIES_EXPORTER_INTERFACE, "3@::1", 60, 1, 71500, 3000);
			is(tenants[i], SERIES_EXPORTER_INTERFACE, "4@::1", 60, 1, 3000, 71500);
		}
		is(GAMMA, SERIES_EXPORTER_INTERFACE, "3@::1", 1, 0, 0, 0);
		points(BETA, SERIES_EXPORTER_INTERFACE, "3@::1", 0, &sum);
		assert_int_equal(sum.resolution_s, 1);
		world_minute(w);
	}
	assert_int_equal(w->s->counters.n[OWN_HISTORY_FULL], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(seconds_and_minutes, one_world_begin, one_world_end),
		cmocka_unit_test_setup_teardown(totals, one_world_begin, one_world_end),
		cmocka_unit_test_setup_teardown(watched_in_between, one_world_begin, one_world_end),
		cmocka_unit_test_setup_teardown(others_make_room, one_world_begin, one_world_end),
		cmocka_unit_test_setup_teardown(without_a_series, one_world_begin, one_world_end),
		cmocka_unit_test_setup_teardown(interfaces_of_exporters, one_world_begin, one_world_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
