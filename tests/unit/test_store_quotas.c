/* What a tenant may have at most: flows a second, and how long they and its series are kept. */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "store_world.h"

static struct world *w;

static int
begin(void **state)
{
	(void)state;
	w = world_new(64 << 20, 0);
	world_engine(w, 0, 1000);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

static void
put(const struct rec_flow *f, bool ends)
{
	struct rec_flow copy = *f;

	copy.end_reason = ends ? END_IDLE : END_NONE;
	world_put(w, 0, ends ? REC_FLOW_END : REC_FLOW_OPEN, &copy, sizeof(copy), NULL);
}

static uint64_t
counter(const char *name)
{
	for (uint32_t i = 0; i < w->nrows; i++) {
		const char *text;
		const struct row_counter *r = world_row(w, i, sizeof(*r), &text);

		if (r->name_len == strlen(name) && memcmp(text, name, r->name_len) == 0)
			return r->count;
	}
	return 0;
}

static void
expect_quota(uint32_t tenant, uint32_t flows, uint64_t over)
{
	struct wire_question q = world_question(ASK_FLOWS);

	q.limit = 1000;
	assert_int_equal(world_ask(w, tenant, &q), ANSWER_OK);
	assert_int_equal(w->nrows, flows);
	q.kind = ASK_COUNTERS;
	assert_int_equal(world_ask(w, tenant, &q), ANSWER_OK);
	assert_int_equal(counter("store.tenant_quota"), over);
	assert_int_equal(counter("store.tenant_quota.beta"), tenant == TENANT_PLATFORM ? over : 0);
}

/* Who has more flows than its quota gets no more; a flow that another has too stays the other's; nobody else
 * is told. */
static void
quotas_hold(void **state)
{
	struct rec_flow f;

	(void)state;
	w->flows_per_s[BETA] = 5;
	world_policy(w, NULL, 0);
	for (uint64_t i = 0; i < 27; i++) {
		f = world_flow(w, i + 1, ETH1, i < 23 ? "10.2.0.1" : "10.3.0.1",
			       i < 20 ? "192.0.2.1" : "10.3.0.2");
		put(&f, false);
	}
	for (uint64_t i = 100; i < 110; i++) {
		f = world_flow(w, i, ETH0, "10.2.0.1", "192.0.2.1");
		put(&f, false);
	}
	world_pump(w); /* at one moment */
	expect_quota(BETA, 5, 18);
	expect_quota(GAMMA, 7, 0);
	expect_quota(ALPHA, 10, 0);
	expect_quota(TENANT_PLATFORM, 22, 18);
	/* A limit that is gone: what was counted stays, and flows come. */
	w->flows_per_s[BETA] = 0;
	world_policy(w, NULL, 0);
	f = world_flow(w, 200, ETH1, "10.2.0.1", "192.0.2.1");
	put(&f, false);
	world_pump(w);
	expect_quota(BETA, 6, 18);
}

/* What is older than a tenant's retention it does not find by time, by id or in a series, though others do.
 */
static void
retention_holds(void **state)
{
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.1", "10.3.0.1");
	struct wire_question q = world_question(ASK_FLOWS);
	struct flow_id_key key;

	(void)state;
	w->retention_s[BETA] = 3600;
	world_policy(w, NULL, 0);
	f.first_ns = f.slice_ns = f.last_ns -= 7200 * NS_PER_S;
	put(&f, true);
	f = world_flow(w, 2, ETH1, "10.2.0.1", "10.3.0.1");
	put(&f, true);
	world_pump(w);
	world_commit(w);
	for (uint32_t tenant = BETA; tenant <= GAMMA; tenant++) {
		const uint32_t seen = tenant == BETA ? 1 : 2;

		q = world_question(ASK_FLOWS);
		q.from_ns = 1;
		assert_int_equal(world_ask(w, tenant, &q), ANSWER_OK);
		assert_int_equal(w->nrows, seen);
		q.kind = ASK_SERIES;
		q.subject = SERIES_TENANT;
		q.resolution_s = 60;
		assert_int_equal(world_ask(w, tenant, &q), ANSWER_OK);
		assert_int_equal(w->nrows, seen);
		q = world_question(ASK_FLOW);
		flow_id_key(history_secret(w->s->history), tenant, &key);
		f = world_flow(w, 1, ETH1, "10.2.0.1", "10.3.0.1");
		q.flow = flow_id_veil(&key, &f.id);
		assert_int_equal(world_ask(w, tenant, &q), tenant == BETA ? ANSWER_NOT_FOUND : ANSWER_OK);
	}
}

/* A tenant that keeps its minutes for an hour sees older ones in coarser points only, and is given those
 * where it does not say how fine it wants them. */
static void
each_resolution_has_its_time(void **state)
{
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.1", "10.3.0.1");
	struct wire_question q = world_question(ASK_SERIES);

	(void)state;
	w->keep_minutes_s[BETA] = 3600;
	world_policy(w, NULL, 0);
	f.first_ns = f.slice_ns = f.last_ns -= 7200 * NS_PER_S;
	put(&f, true);
	f = world_flow(w, 2, ETH1, "10.2.0.1", "10.3.0.1");
	put(&f, true);
	world_pump(w);
	world_commit(w);
	q.subject = SERIES_TENANT;
	q.from_ns = (w->utc - 8000) * NS_PER_S;
	for (uint32_t tenant = BETA; tenant <= GAMMA; tenant++) {
		const struct row_series *r;

		q.resolution_s = 60;
		assert_int_equal(world_ask(w, tenant, &q), ANSWER_OK);
		assert_int_equal(w->nrows, tenant == BETA ? 1 : 2);
		q.resolution_s = 300;
		assert_int_equal(world_ask(w, tenant, &q), ANSWER_OK);
		assert_int_equal(w->nrows, 2);
		q.resolution_s = 0;
		q.limit = 1000;
		assert_int_equal(world_ask(w, tenant, &q), ANSWER_OK);
		assert_int_equal(w->nrows, 2);
		r = world_row(w, 0, sizeof(*r), NULL);
		assert_int_equal(r->resolution_s, tenant == BETA ? 300 : 60);
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(quotas_hold),
		TEST(retention_holds),
		TEST(each_resolution_has_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
