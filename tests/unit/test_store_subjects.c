/* What series say adds up, whatever is evicted, refused, watched or restarted, and in and out are the
 * tenant's. */
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
#include "one_world.h"
#include "series_asked.h"

#define ROUNDS 6
#define FLOWS  1500u

struct totals {
	uint64_t bytes[4], exported[4]; /* by tenant; [0] the platform */
};

static uint32_t
random_end(char out[static 20])
{
	static const char *const inside[] = { "10.1.0.", "10.2.0.", "10.3.0." };
	uint32_t which = randombytes_uniform(4);

	if (which < 3)
		snprintf(out, 20, "%s%u", inside[which], 1 + randombytes_uniform(20));
	else
		snprintf(out, 20, "198.%u.%u.%u", randombytes_uniform(200), randombytes_uniform(250),
			 randombytes_uniform(250));
	return which;
}

static struct rec_flow
random_flow(uint64_t n, int64_t second, struct totals *t)
{
	char a[20], b[20];
	uint32_t ends[2] = { random_end(a), random_end(b) }, point = randombytes_uniform(2) ? ETH0 : ETH1;
	struct rec_flow f = world_flow(w, n, point, a, b);
	uint64_t bytes;

	f.first_ns = f.slice_ns = f.last_ns = second * NS_PER_S;
	f.count.bytes[CLIENT] = randombytes_uniform(100000);
	f.count.bytes[SERVER] = randombytes_uniform(100000);
	f.application = randombytes_uniform(3) == 0 ? 0 : randombytes_uniform(2) ? APP_DNS : APP_TLS;
	f.category = f.application == APP_TLS ? CAT_WEB : 0;
	if (randombytes_uniform(4) == 0) {
		f.exporter.b[15] = (uint8_t)(1 + randombytes_uniform(3));
		f.in_interface = 1 + randombytes_uniform(4);
		f.out_interface = 5 + randombytes_uniform(4);
	}
	bytes = f.count.bytes[0] + f.count.bytes[1];
	for (uint32_t tenant = 0; tenant < 4; tenant++) {
		bool has =
		    tenant == 0 ||
		    (tenant == ALPHA ? point == ETH0
				     : point == ETH1 && (ends[0] == tenant - 1 || ends[1] == tenant - 1));

		t->bytes[tenant] += has ? bytes : 0;
		t->exported[tenant] += has && f.exporter.b[15] != 0 ? bytes : 0;
	}
	return f;
}

static void
check_sums(const struct totals *t)
{
	for (uint32_t tenant = 0; tenant < 4; tenant++) {
		uint64_t as = series_sum_list(w, tenant, SERIES_AS);

		if (tenant != TENANT_PLATFORM)
			assert_int_equal(series_sum_key(w, tenant, SERIES_TENANT, "").bytes,
					 t->bytes[tenant]);
		assert_int_equal(series_sum_list(w, tenant, SERIES_APPLICATION), t->bytes[tenant]);
		assert_int_equal(series_sum_list(w, tenant, SERIES_CATEGORY), t->bytes[tenant]);
		/* Each byte has two ends. */
		assert_int_equal(series_sum_list(w, tenant, SERIES_HOST), 2 * t->bytes[tenant]);
		assert_int_equal(series_sum_list(w, tenant, SERIES_NETWORK) + as, 2 * t->bytes[tenant]);
		assert_int_equal(series_sum_list(w, tenant, SERIES_COUNTRY), as);
		assert_int_equal(series_sum_list(w, tenant, SERIES_EXPORTER), t->exported[tenant]);
		assert_int_equal(series_sum_list(w, tenant, SERIES_EXPORTER_INTERFACE),
				 2 * t->exported[tenant]);
	}
}

/* Anybody may watch anything, at any moment, and not any more. */
static void
watch_something(void)
{
	static const char *const networks[] = { "10.0.0.0/8", "10.2.0.0/16", "10.3.0.0/16" };
	static struct watched_item list[24];
	char ip[20];

	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		struct watched_item *l = &list[i];

		*l = (struct watched_item){ .tenant = randombytes_uniform(4), .kind = WATCHED_HOST };
		l->what.bits = 128;
		random_end(ip);
		assert_true(ip_parse(ip, &l->what.addr));
		if (randombytes_uniform(4) != 0)
			continue;
		l->kind = WATCHED_NETWORK;
		assert_true(prefix_parse(networks[randombytes_uniform(3)], &l->what));
	}
	w->watched = list;
	w->nwatched = randombytes_uniform(ARRAY_LEN(list) + 1);
	world_policy(w, NULL, 0);
}

static void
add_up(bool watching)
{
	struct totals t = { 0 };
	uint64_t n = 1;
	struct rec_flow *open = mem_calloc(FLOWS, sizeof(*open));

	w->boot.settings.max_hosts = 1; /* a thousand rows: fewer than hosts come */
	w->boot.settings.tenant_series = 40;
	w->boot.settings.top_hosts = 5;
	w->series[BETA] = 20;
	for (int round = 0; round < ROUNDS; round++) {
		int64_t second = w->utc - 600 + round * 60;

		if (round % 2 == 0) {
			world_reopen(w);
			world_engine(w, 0, 1000 + round);
		}
		series_put_second(w, ETH0, second, 0, 0);
		for (uint32_t i = 0; i < FLOWS; i++, n++) {
			struct rec_flow f = random_flow(n, second + 1, &t);

			if (round % 2 == 0)
				open[i] = f;
			series_put_flow(w, &f, round % 2 != 0);
			if (watching && i % 300 == 0) {
				world_pump(w);
				watch_something();
			}
		}
		for (uint32_t i = 0; round % 2 != 0 && i < FLOWS; i++) {
			open[i].last_ns = second * NS_PER_S;
			series_put_flow(w, &open[i], true);
		}
		world_pump(w);
		world_minute(w);
		check_sums(&t);
	}
	assert_true(w->s->counters.n[OWN_SERIES_REFUSED] > 0);
	assert_int_equal(w->s->counters.n[OWN_HISTORY_FULL], 0);
	free(open);
}

static void
sums_add_up(void **state)
{
	(void)state;
	add_up(false);
}

static void
sums_add_up_whatever_is_watched(void **state)
{
	(void)state;
	add_up(true);
}

static void
a_host_has_its_minute(void **state)
{
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.1", "192.0.2.1");
	struct wire_question q;

	(void)state;
	series_put_second(w, ETH1, w->utc, 4000, 9);
	series_put_place(w, "192.0.2.1", 64500, "NL");
	series_put_flow(w, &f, true);
	world_pump(w);
	world_minute(w);
	for (int reopened = 0; reopened < 2; reopened++) {
		assert_int_equal(series_sum_key(w, BETA, SERIES_HOST, "10.2.0.1").bytes, 4000);
		assert_int_equal(series_sum_key(w, BETA, SERIES_HOST, "192.0.2.1").packets, 9);
		assert_int_equal(series_sum_key(w, BETA, SERIES_NETWORK, "10.2.0.0/16").bytes, 4000);
		assert_int_equal(series_sum_key(w, BETA, SERIES_AS, "64500").bytes, 4000);
		assert_int_equal(series_sum_key(w, BETA, SERIES_COUNTRY, "NL").bytes, 4000);
		assert_int_equal(series_sum_key(w, BETA, SERIES_CATEGORY, "Unknown").bytes, 4000);
		/* The platform's own networks are others. */
		assert_int_equal(series_sum_key(w, TENANT_PLATFORM, SERIES_NETWORK, "10.0.0.0/8").bytes,
				 4000);
		assert_int_equal(series_sum_key(w, TENANT_PLATFORM, SERIES_HOST, "10.2.0.1").bytes, 4000);
		/* It is in no other VLAN and space, and nobody else's. */
		q = series_question(w, SERIES_HOST, "10.2.0.1");
		q.vlan = 7;
		assert_int_equal(series_sum_of(w, BETA, &q).resolution_s, 0);
		q.vlan = 0;
		q.space = 7;
		assert_int_equal(series_sum_of(w, BETA, &q).resolution_s, 0);
		assert_int_equal(series_sum_key(w, GAMMA, SERIES_HOST, "10.2.0.1").resolution_s, 0);
		assert_int_equal(series_sum_key(w, ALPHA, SERIES_AS, "64500").resolution_s, 0);
		world_reopen(w);
	}
}

static void
expect_way(uint32_t tenant, uint32_t subject, const char *key, uint64_t in, uint64_t out)
{
	struct wire_question q = series_question(w, subject, key);
	struct row_series r;

	q.point = ETH1;
	r = series_sum_of(w, tenant, &q);
	assert_int_equal(r.in_bytes, in);
	assert_int_equal(r.out_bytes, out);
	assert_int_equal(r.bytes, in + out);
}

/* Clients send 1000 bytes and get 3000. */
static void
in_and_out_are_the_tenants(void **state)
{
	static const char *const ends[][2] = { { "10.2.0.1", "192.0.2.1" },
					       { "192.0.2.2", "10.3.0.1" },
					       { "10.2.0.2", "10.2.0.3" } };
	struct rec_flow f;

	(void)state;
	for (uint64_t i = 0; i < ARRAY_LEN(ends); i++) {
		f = world_flow(w, i + 1, ETH1, ends[i][0], ends[i][1]);
		f.exporter.b[15] = i == 1;
		f.in_interface = 3;
		f.out_interface = 4;
		series_put_flow(w, &f, true);
	}
	series_put_second(w, ETH1, w->utc, 12500, 40);
	world_pump(w);
	world_minute(w);
	/* The server's end is the inner one where only that is inside. */
	expect_way(GAMMA, SERIES_TENANT, "", 1000, 3000);
	expect_way(GAMMA, SERIES_HOST, "10.3.0.1", 1000, 3000);
	expect_way(GAMMA, SERIES_HOST, "192.0.2.2", 1000, 3000);
	expect_way(GAMMA, SERIES_NETWORK, "10.3.0.0/16", 1000, 3000);
	expect_way(GAMMA, SERIES_COUNTRY, "ZZ", 1000, 3000);
	/* What enters at an interface is in, whoever is inside; of an exporter it is as of the tenant. */
	expect_way(GAMMA, SERIES_EXPORTER, "::1", 1000, 3000);
	expect_way(GAMMA, SERIES_EXPORTER_INTERFACE, "3@::1", 1000, 3000);
	expect_way(GAMMA, SERIES_EXPORTER_INTERFACE, "4@::1", 3000, 1000);
	/* Within, the client's. */
	expect_way(BETA, SERIES_TENANT, "", 6000, 2000);
	expect_way(BETA, SERIES_POINT, "", 6000, 2000);
	expect_way(BETA, SERIES_CATEGORY, "Unknown", 6000, 2000);
	expect_way(BETA, SERIES_HOST, "10.2.0.3", 1000, 3000);
	expect_way(BETA, SERIES_AS, "0", 3000, 1000);
	/* Of all frames of the point, those without a flow come in. */
	expect_way(TENANT_PLATFORM, SERIES_POINT, "", 7500, 5000);
	expect_way(TENANT_PLATFORM, SERIES_TENANT, "", 7500, 5000);
	expect_way(TENANT_PLATFORM, SERIES_APPLICATION, "Unknown", 7000, 5000);
}

/* What a restart of store brings again is live anew, and in series already. */
static void
what_comes_again_counts_once(void **state)
{
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.1", "192.0.2.1");

	(void)state;
	series_put_second(w, ETH1, w->utc, 4000, 9);
	series_put_flow(w, &f, false);
	world_pump(w);
	world_minute(w);
	world_reopen(w);
	world_engine(w, 0, 1000);
	series_put_second(w, ETH1, w->utc, 4000, 9);
	series_put_flow(w, &f, false);
	world_pump(w);
	f.count.bytes[CLIENT] += 500;
	series_put_flow(w, &f, true);
	world_pump(w);
	world_minute(w);
	assert_int_equal(series_sum_key(w, BETA, SERIES_TENANT, "").bytes, 4500);
	assert_int_equal(series_sum_key(w, BETA, SERIES_HOST, "10.2.0.1").bytes, 4500);
	assert_int_equal(series_sum_key(w, BETA, SERIES_APPLICATION, "Unknown").bytes, 4500);
	assert_int_equal(series_sum_key(w, BETA, SERIES_CATEGORY, "Unknown").bytes, 4500);
}

static void
weir_has_series_of_itself(void **state)
{
	size_t n;
	struct wire_question *q;

	(void)state;
	w->s->counters.n[OWN_FLOWS_LOST] += 3;
	series_put_second(w, ETH1, w->utc, 1, 1);
	world_pump(w);
	world_minute(w);
	assert_int_equal(series_sum_key(w, TENANT_PLATFORM, SERIES_WEIR, "store.flows_lost").packets, 3);
	for (uint32_t tenant = ALPHA; tenant <= GAMMA; tenant++) {
		assert_int_equal(series_sum_key(w, tenant, SERIES_WEIR, "store.flows_lost").resolution_s, 0);
		q = series_list(w, tenant, SERIES_WEIR, &n);
		assert_int_equal(n, 0);
		free(q);
		/* but whether Weir was there, which tells silence from a gap */
		assert_int_equal(series_sum_key(w, tenant, SERIES_WEIR, "store.running").packets, 1);
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, one_world_begin, one_world_end)
	const struct CMUnitTest tests[] = {
		TEST(sums_add_up),
		TEST(sums_add_up_whatever_is_watched),
		TEST(a_host_has_its_minute),
		TEST(in_and_out_are_the_tenants),
		TEST(what_comes_again_counts_once),
		TEST(weir_has_series_of_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
