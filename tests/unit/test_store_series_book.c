/* How many series there may be, of whom, and under which numbers: the book and its limits. */
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
#include "base/mem.h"
#include "gather.h"
#include "history_tenants.h"
#include "one_world.h"
#include "series_asked.h"

static uint32_t
active(uint32_t tenant)
{
	return series_book_active(w->s->book, tenant);
}

/* A tenant that has used up its quota takes nothing from others, and what it has goes on. */
static void
limits_hold(void **state)
{
	char ip[20];

	(void)state;
	w->series[BETA] = 16;
	world_policy(w, NULL, 0);
	series_put_second(w, ETH1, w->utc, 1, 1);
	for (uint32_t i = 0; i < 200; i++) {
		snprintf(ip, sizeof(ip), "10.2.0.%u", i + 1);

		struct rec_flow f = world_flow(w, i + 1, ETH1, ip, "192.0.2.1");

		f.count.bytes[CLIENT] = 1000 + i;
		series_put_flow(w, &f, true);
	}

	struct rec_flow f = world_flow(w, 300, ETH1, "10.3.0.1", "192.0.2.1");

	series_put_flow(w, &f, true);
	world_pump(w);
	world_minute(w);
	assert_true(active(BETA) <= 16 + 2); /* its own and its interface's are always there */
	assert_int_equal(series_sum_key(w, GAMMA, SERIES_HOST, "10.3.0.1").bytes, 4000);
	assert_true(series_sum_key(w, BETA, SERIES_HOST, "(other)").bytes > 0);
	assert_int_equal(series_sum_list(w, BETA, SERIES_HOST),
			 2 * series_sum_key(w, BETA, SERIES_TENANT, "").bytes);
	/* Those with most came first, and stay. */
	assert_int_equal(series_sum_key(w, BETA, SERIES_HOST, "10.2.0.200").bytes, 4199);
	assert_int_equal(series_sum_key(w, BETA, SERIES_HOST, "10.2.0.1").resolution_s, 0);
	f = world_flow(w, 301, ETH1, "10.2.0.200", "192.0.2.1");
	f.count.bytes[CLIENT] = 0;
	series_put_flow(w, &f, true);
	world_pump(w);
	world_minute(w);
	assert_int_equal(series_sum_key(w, BETA, SERIES_HOST, "10.2.0.200").bytes, 4199 + 3000);
}

/* As they are without a setting: 2,000 series of a tenant. */
static void
limits_hold_unsaid(void **state)
{
	enum { MANY = 1500 };
	uint64_t refused = w->s->counters.n[OWN_SERIES_REFUSED];
	char ip[20];

	(void)state;
	assert_int_equal(w->boot.settings.tenant_series, 2000);
	assert_int_equal(w->boot.settings.series_max, 500000);
	series_put_second(w, ETH1, w->utc, 1, 1);
	for (uint32_t i = 0; i < MANY; i++) {
		snprintf(ip, sizeof(ip), "10.2.%u.%u", 1 + i / 250, 1 + i % 250);

		struct rec_flow f = world_flow(w, i + 1, ETH1, ip, "192.0.2.1");

		f.exporter.b[15] = 1;
		f.in_interface = 1 + 2 * i;
		f.out_interface = 2 + 2 * i;
		series_put_flow(w, &f, true);
		if (i % 100 == 99)
			world_pump(w);
	}
	world_pump(w);
	world_minute(w);
	assert_in_range(active(BETA), 1990,
			2000 + 20); /* what is (other) and the tenant's own is always there */
	assert_true(w->s->counters.n[OWN_SERIES_REFUSED] - refused > MANY);
	assert_int_equal(series_sum_key(w, BETA, SERIES_TENANT, "").bytes, 4000 * MANY);
	assert_int_equal(series_sum_list(w, BETA, SERIES_HOST), 2 * 4000 * MANY);
	assert_int_equal(series_sum_list(w, BETA, SERIES_EXPORTER_INTERFACE), 2 * 4000 * MANY);
	assert_true(series_sum_key(w, BETA, SERIES_HOST, "(other)").bytes > 0);
	assert_true(series_sum_key(w, BETA, SERIES_EXPORTER_INTERFACE, "(other)").bytes > 0);
	assert_int_equal(w->s->counters.n[OWN_HISTORY_FULL], 0);
}

/* And 500,000 of all, of which each tenant gets some. */
static void
limits_of_all_hold_unsaid(void **state)
{
	enum { TENANTS = 400, EACH = 2000 };
	struct series_book *b = series_book_new((uint32_t)w->boot.settings.series_max);
	struct series_id id = { .tenant = 1, .subject = SERIES_AS };
	struct batch batch;

	(void)state;
	batch_init(&batch, 1 << 20, 4096);
	series_book_loaded(b, 1000);
	for (; id.tenant <= TENANTS; id.tenant++) {
		for (id.number = 0; id.number < EACH + 100; id.number++) {
			(void)series_book_use(b, &id, 1000, EACH, &batch);
			if (!batch_fits_series(&batch))
				batch_reset(&batch);
		}
		assert_true(series_book_active(b, id.tenant) <= EACH);
	}
	for (id.tenant = 1; id.tenant <= TENANTS; id.tenant++)
		assert_true(series_book_active(b, id.tenant) >= 500000 / (TENANTS + 1));
	assert_in_range(series_book_active_all(b), 499000, 500000);
	batch_free(&batch);
	series_book_free(&b);
}

/* The book: who is silent for an hour makes room, and is remembered for a while. */
static void
the_book_forgets_the_silent(void **state)
{
	struct series_book *b = series_book_new(100);
	struct series_id id = { .tenant = ALPHA, .subject = SERIES_HOST };
	const struct series_entry *e;
	struct batch batch;
	uint32_t first;

	(void)state;
	batch_init(&batch, 1 << 20, 4096);
	series_book_loaded(b, 1000);
	for (id.number = 1; id.number <= 20; id.number++)
		assert_int_equal(series_book_use(b, &id, 1000, 20, &batch) != NULL, id.number <= 10);
	id.number = 1;
	first = series_book_find(b, &id)->number;
	/* An hour later others may. */
	id.number = 11;
	assert_null(series_book_use(b, &id, 1059, 20, &batch));
	assert_non_null(series_book_use(b, &id, 1060, 20, &batch));
	id.number = 1;
	assert_int_equal(series_book_find(b, &id)->number, first);
	assert_false(series_book_is_active(b, &id));
	/* Eight times as many as may be active are remembered. */
	for (uint32_t i = 100; i < 100 + 8 * 20; i++) {
		id.number = i;
		e = series_book_use(b, &id, 2000 + 100 * i, 20, &batch);
		assert_true(e != NULL && e->number != first);
	}
	id.number = 1;
	assert_null(series_book_find(b, &id));
	assert_true(batch.nseries > 0);
	batch_free(&batch);
	series_book_free(&b);
}

static bool
is_there(const void *ctx, uint32_t tenant)
{
	return tenant >= *(const uint32_t *)ctx;
}

/* Tenants come and go, more of them than there ever are at a time: each gets its series. */
static void
the_book_outlives_tenants(void **state)
{
	struct series_book *b = series_book_new(100000);
	struct batch batch;
	uint32_t oldest = 1;

	(void)state;
	batch_init(&batch, 1 << 20, 1 << 16);
	series_book_loaded(b, 1000);
	series_book_tenants(b, is_there, &oldest);
	for (uint32_t tenant = 1; tenant <= 3 * SNAPSHOT_TENANTS_MAX; tenant++) {
		struct series_id id = { .tenant = tenant, .subject = SERIES_HOST };

		oldest = tenant < 1000 ? 1 : tenant - 999;
		series_book_tenants(b, is_there, &oldest);
		batch_reset(&batch);
		for (id.number = 0; id.number < 4; id.number++)
			assert_non_null(series_book_use(b, &id, 1000, 20, &batch));
	}
	/* What is of those that are gone is forgotten, and counts no more. */
	for (uint32_t i = 0; i < 100000; i++) {
		struct series_id id = { .tenant = 3 * SNAPSHOT_TENANTS_MAX, .subject = SERIES_HOST };

		assert_non_null(series_book_use(b, &id, 1000, 20, &batch));
	}
	assert_int_equal(series_book_active(b, 1), 0);
	assert_int_equal(series_book_active_all(b), 4 * 1000);
	batch_free(&batch);
	series_book_free(&b);
}

/* Uses series [from, to) of a tenant. */
static void
use_some(struct series_book *b, struct batch *batch, uint32_t tenant, uint32_t from, uint32_t to,
	 uint32_t minute)
{
	struct series_id id = { .tenant = tenant, .subject = SERIES_HOST };

	for (id.number = from; id.number < to; id.number++) {
		if (id.number % 1000 == 0)
			batch_reset(batch);
		assert_non_null(series_book_use(b, &id, minute, 1000000, batch));
	}
}

/* A number is never given twice, though others took the room of what had the newest ones, and the book was
 * closed and opened. */
static void
numbers_are_given_once(void **state)
{
	enum { MANY = 90000, AGAIN = 20000, OTHERS = 30, EACH = 20000 };
	struct series_book *b = series_book_new(100000);
	struct series_id id = { .tenant = ALPHA, .subject = SERIES_HOST };
	struct batch_series *kept = mem_calloc(MANY, sizeof(*kept));
	struct batch batch;
	uint32_t n = 0;

	(void)state;
	batch_init(&batch, 1 << 20, 4096);
	series_book_loaded(b, 1000);
	use_some(b, &batch, ALPHA, 0, MANY, 1000);
	use_some(b, &batch, ALPHA, 0, AGAIN, 2000);
	for (uint32_t i = 0; i < OTHERS; i++)
		use_some(b, &batch, 100 + i, 0, EACH, 3000 + 100 * i);
	for (id.number = 0; id.number < MANY; id.number++) {
		const struct series_entry *e = series_book_find(b, &id);

		if (e != NULL)
			kept[n++] =
			    (struct batch_series){ .id = id, .number = e->number, .minute = e->minute };
	}
	assert_true(n < MANY / 4);
	series_book_free(&b);
	b = series_book_new(100000);
	for (uint32_t i = 0; i < n; i++)
		series_book_load(b, &kept[i]);
	series_book_loaded(b, 9000);
	batch_reset(&batch);
	assert_true(series_book_use(b, &id, 9000, 1000000, &batch)->number > MANY);
	free(kept);
	batch_free(&batch);
	series_book_free(&b);
}

/* What is full for all leaves each tenant its part, and is not more than full. */
static void
nobody_takes_all_of_it(void **state)
{
	struct series_book *b = series_book_new(100);
	struct series_id id = { .tenant = ALPHA, .subject = SERIES_AS };
	struct batch batch;
	uint32_t n = 0;

	(void)state;
	batch_init(&batch, 1 << 20, 4096);
	series_book_loaded(b, 1000);
	for (id.number = 0; id.number < 200; id.number++)
		n += series_book_use(b, &id, 1000, 1000, &batch) != NULL;
	assert_int_equal(n, 100);
	id.tenant = BETA;
	for (id.number = n = 0; id.number < 200; id.number++)
		n += series_book_use(b, &id, 1000, 1000, &batch) != NULL;
	assert_true(n >= 33);
	assert_int_equal(series_book_active_all(b), 100);
	assert_int_equal(series_book_active(b, ALPHA) + series_book_active(b, BETA), 100);
	/* Who gave way does not get it back. */
	id.tenant = ALPHA;
	for (id.number = n = 0; id.number < 200; id.number++)
		n += series_book_use(b, &id, 1000, 1000, &batch) != NULL;
	assert_int_equal(n, series_book_active(b, ALPHA));
	assert_int_equal(series_book_active_all(b), 100);
	batch_free(&batch);
	series_book_free(&b);
}

static bool
is_gathered(const struct gather *g, const struct series_id *id)
{
	const struct gathered *a;

	for (uint32_t i = 0; (a = gather_at(g, i)) != NULL; i++)
		if (memcmp(&a->id, id, sizeof(*id)) == 0)
			return true;
	return false;
}

/* An exporter may claim any number of interfaces, and a host talk to half a million others, in one minute. */
static void
nobody_takes_all_of_a_minute(void **state)
{
	static const struct gather_limits limits = { UINT32_MAX, 0 };
	struct gather *g = gather_new();
	struct series_id many = { .tenant = ALPHA, .subject = SERIES_EXPORTER_INTERFACE },
			 host = { .tenant = ALPHA, .subject = SERIES_HOST },
			 one = { .tenant = BETA, .subject = SERIES_NETWORK, .number = 112 };
	struct series_value v = { .in_bytes = 1 };
	uint32_t n = 0;

	(void)state;
	for (many.number = 1; many.number <= 100000; many.number++)
		gather_add(g, &many, &v);
	for (host.number = 0; host.number < 600000; host.number++)
		gather_host(g, &host, &v, false, &limits);
	gather_add(g, &one, &v);
	many.tenant = host.tenant = BETA;
	gather_host(g, &host, &v, false, &limits);
	for (many.number = 1; many.number <= 100000; many.number++)
		gather_add(g, &many, &v);
	assert_true(gather_close(g, UINT32_MAX));
	assert_true(is_gathered(g, &one));
	assert_true(is_gathered(g, &host));
	/* Nor does the one that comes later take more than its part. */
	while (gather_at(g, n) != NULL)
		n++;
	assert_true(n < 700000);
	gather_free(&g);
}

/* Who a deleted tenant's hosts were is not kept. */
static void
a_deleted_tenant_is_forgotten(void **state)
{
	static const struct tenant_limits rest[] = { { .tenant = ALPHA }, { .tenant = GAMMA } };
	static const uint32_t removed[] = { BETA };
	struct series_id host[2] = { { .tenant = BETA, .subject = SERIES_HOST },
				     { .tenant = GAMMA, .subject = SERIES_HOST } };
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.1", "10.3.0.1");

	(void)state;
	series_put_flow(w, &f, true);
	world_pump(w);
	world_minute(w);
	world_reopen(w);
	assert_true(ip_parse("10.2.0.1", &host[0].ip));
	host[1].ip = host[0].ip;
	for (int i = 0; i < 2; i++)
		assert_non_null(series_book_find(w->s->book, &host[i]));
	/* Between two commits the writer does what is left to do; where the store ended before, it is told
	 * anew. */
	for (int64_t tries = 0; tries < 200 && series_book_find(w->s->book, &host[0]) != NULL; tries++) {
		history_tenants(w->s->history, &(struct tenants_said){ rest, ARRAY_LEN(rest), removed, 1 },
				UINT64_C(1) << 40);
		world_engine(w, 0, 2000 + tries);
		series_put_second(w, ETH1, w->utc + tries, 1, 1);
		world_pump(w);
		world_commit(w);
		world_reopen(w);
	}
	assert_null(series_book_find(w->s->book, &host[0]));
	assert_non_null(series_book_find(w->s->book, &host[1]));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, one_world_begin, one_world_end)
	const struct CMUnitTest tests[] = {
		TEST(limits_hold),
		TEST(limits_hold_unsaid),
		TEST(limits_of_all_hold_unsaid),
		TEST(the_book_forgets_the_silent),
		TEST(the_book_outlives_tenants),
		TEST(numbers_are_given_once),
		TEST(nobody_takes_all_of_it),
		TEST(nobody_takes_all_of_a_minute),
		TEST(a_deleted_tenant_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
