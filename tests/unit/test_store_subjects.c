/* Which series there are: they add up, whatever is evicted, refused or restarted, and tell nobody of others.
 */
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
#include "gather.h"
#include "history_tenants.h"
#include "store_world.h"

static struct world *w;

static int
begin(void **state)
{
	(void)state;
	w = world_new(256u << 20, 0);
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
put_second(uint32_t point, int64_t second, uint64_t bytes, uint64_t packets)
{
	struct rec_second s = { .point = point, .second = second, .bytes = bytes, .packets = packets };

	world_put(w, 0, REC_SECOND, &s, sizeof(s), NULL);
}

static void
put_flow(const struct rec_flow *f, bool ends)
{
	struct rec_flow copy = *f;

	copy.end_reason = ends ? END_IDLE : END_NONE;
	world_put(w, 0, ends ? REC_FLOW_END : REC_FLOW_OPEN, &copy, sizeof(copy), NULL);
}

static void
put_place(const char *ip, uint32_t as, const char *country)
{
	struct rec_host h = { .as_number = as };

	assert_true(ip_parse(ip, &h.ip));
	memcpy(h.country, country, 2);
	world_put(w, 0, REC_HOST, &h, sizeof(h), NULL);
}

static struct wire_question
question(uint32_t subject, const char *key)
{
	struct wire_question q = world_question(ASK_SERIES);

	q.subject = (uint16_t)subject;
	q.limit = 1000;
	q.resolution_s = 60;
	q.from_ns = (w->utc - 3600) * NS_PER_S;
	q.key_len = (uint16_t)strlen(key);
	memcpy(q.key, key, q.key_len);
	return q;
}

static struct row_series
sum_of(uint32_t tenant, const struct wire_question *q)
{
	struct row_series sum = { 0 };

	assert_int_equal(world_ask(w, tenant, q), ANSWER_OK);
	assert_false(w->has_cursor);
	sum.resolution_s = w->nrows; /* how many */
	for (uint32_t i = 0; i < w->nrows; i++) {
		const struct row_series *r = world_row(w, i, sizeof(*r), NULL);

		sum.bytes += r->bytes;
		sum.packets += r->packets;
		sum.in_bytes += r->in_bytes;
		sum.out_bytes += r->out_bytes;
	}
	return sum;
}

static struct row_series
sum_key(uint32_t tenant, uint32_t subject, const char *key)
{
	struct wire_question q = question(subject, key);

	return sum_of(tenant, &q);
}

/* Every series that the list names, as questions. */
static struct wire_question *
list(uint32_t tenant, uint32_t subject, size_t *n)
{
	struct wire_question l = world_question(ASK_SERIES_LIST), *all = NULL;

	l.subject = (uint16_t)subject;
	l.limit = 100;
	*n = 0;
	do {
		assert_int_equal(world_ask(w, tenant, &l), ANSWER_OK);
		all = mem_reallocarray(all, *n + w->nrows + 1, sizeof(*all));
		for (uint32_t i = 0; i < w->nrows; i++) {
			const char *text;
			const struct row_series_of *r = world_row(w, i, sizeof(*r), &text);
			char key[64] = "";

			assert_true(r->key_len < sizeof(key));
			memcpy(key, text, r->key_len);
			all[*n] = question(subject, key);
			all[*n].space = r->space;
			all[(*n)++].vlan = r->vlan;
		}
		l.cursor_len = w->cursor_len;
		memcpy(l.cursor, w->cursor, sizeof(l.cursor));
	} while (w->has_cursor);
	return all;
}

static uint64_t
sum_list(uint32_t tenant, uint32_t subject)
{
	size_t n;
	struct wire_question *q = list(tenant, subject, &n);
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += sum_of(tenant, &q[i]).bytes;
	free(q);
	return bytes;
}

/* --- they add up
 * ------------------------------------------------------------------------------------------------------------
 */

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
		uint64_t as = sum_list(tenant, SERIES_AS);

		if (tenant != TENANT_PLATFORM)
			assert_int_equal(sum_key(tenant, SERIES_TENANT, "").bytes, t->bytes[tenant]);
		assert_int_equal(sum_list(tenant, SERIES_APPLICATION), t->bytes[tenant]);
		assert_int_equal(sum_list(tenant, SERIES_CATEGORY), t->bytes[tenant]);
		/* Each byte has two ends. */
		assert_int_equal(sum_list(tenant, SERIES_HOST), 2 * t->bytes[tenant]);
		assert_int_equal(sum_list(tenant, SERIES_NETWORK) + as, 2 * t->bytes[tenant]);
		assert_int_equal(sum_list(tenant, SERIES_COUNTRY), as);
		assert_int_equal(sum_list(tenant, SERIES_EXPORTER), t->exported[tenant]);
		assert_int_equal(sum_list(tenant, SERIES_EXPORTER_INTERFACE), 2 * t->exported[tenant]);
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
		put_second(ETH0, second, 0, 0);
		for (uint32_t i = 0; i < FLOWS; i++, n++) {
			struct rec_flow f = random_flow(n, second + 1, &t);

			if (round % 2 == 0)
				open[i] = f;
			put_flow(&f, round % 2 != 0);
			if (watching && i % 300 == 0) {
				world_pump(w);
				watch_something();
			}
		}
		for (uint32_t i = 0; round % 2 != 0 && i < FLOWS; i++) {
			open[i].last_ns = second * NS_PER_S;
			put_flow(&open[i], true);
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

/* --- what is in and what is out
 * ------------------------------------------------------------------------------------------------ */

static void
a_host_has_its_minute(void **state)
{
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.1", "192.0.2.1");
	struct wire_question q;

	(void)state;
	put_second(ETH1, w->utc, 4000, 9);
	put_place("192.0.2.1", 64500, "NL");
	put_flow(&f, true);
	world_pump(w);
	world_minute(w);
	for (int reopened = 0; reopened < 2; reopened++) {
		assert_int_equal(sum_key(BETA, SERIES_HOST, "10.2.0.1").bytes, 4000);
		assert_int_equal(sum_key(BETA, SERIES_HOST, "192.0.2.1").packets, 9);
		assert_int_equal(sum_key(BETA, SERIES_NETWORK, "10.2.0.0/16").bytes, 4000);
		assert_int_equal(sum_key(BETA, SERIES_AS, "64500").bytes, 4000);
		assert_int_equal(sum_key(BETA, SERIES_COUNTRY, "NL").bytes, 4000);
		assert_int_equal(sum_key(BETA, SERIES_CATEGORY, "Unknown").bytes, 4000);
		/* The platform's own networks are others. */
		assert_int_equal(sum_key(TENANT_PLATFORM, SERIES_NETWORK, "10.0.0.0/8").bytes, 4000);
		assert_int_equal(sum_key(TENANT_PLATFORM, SERIES_HOST, "10.2.0.1").bytes, 4000);
		/* It is in no other VLAN and space, and nobody else's. */
		q = question(SERIES_HOST, "10.2.0.1");
		q.vlan = 7;
		assert_int_equal(sum_of(BETA, &q).resolution_s, 0);
		q.vlan = 0;
		q.space = 7;
		assert_int_equal(sum_of(BETA, &q).resolution_s, 0);
		assert_int_equal(sum_key(GAMMA, SERIES_HOST, "10.2.0.1").resolution_s, 0);
		assert_int_equal(sum_key(ALPHA, SERIES_AS, "64500").resolution_s, 0);
		world_reopen(w);
	}
}

static void
expect_way(uint32_t tenant, uint32_t subject, const char *key, uint64_t in, uint64_t out)
{
	struct wire_question q = question(subject, key);
	struct row_series r;

	q.point = ETH1;
	r = sum_of(tenant, &q);
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
		put_flow(&f, true);
	}
	put_second(ETH1, w->utc, 12500, 40);
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
	put_second(ETH1, w->utc, 4000, 9);
	put_flow(&f, false);
	world_pump(w);
	world_minute(w);
	world_reopen(w);
	world_engine(w, 0, 1000);
	put_second(ETH1, w->utc, 4000, 9);
	put_flow(&f, false);
	world_pump(w);
	f.count.bytes[CLIENT] += 500;
	put_flow(&f, true);
	world_pump(w);
	world_minute(w);
	assert_int_equal(sum_key(BETA, SERIES_TENANT, "").bytes, 4500);
	assert_int_equal(sum_key(BETA, SERIES_HOST, "10.2.0.1").bytes, 4500);
	assert_int_equal(sum_key(BETA, SERIES_APPLICATION, "Unknown").bytes, 4500);
	assert_int_equal(sum_key(BETA, SERIES_CATEGORY, "Unknown").bytes, 4500);
}

static void
weir_has_series_of_itself(void **state)
{
	size_t n;
	struct wire_question *q;

	(void)state;
	w->s->counters.n[OWN_FLOWS_LOST] += 3;
	put_second(ETH1, w->utc, 1, 1);
	world_pump(w);
	world_minute(w);
	assert_int_equal(sum_key(TENANT_PLATFORM, SERIES_WEIR, "store.flows_lost").packets, 3);
	for (uint32_t tenant = ALPHA; tenant <= GAMMA; tenant++) {
		assert_int_equal(sum_key(tenant, SERIES_WEIR, "store.flows_lost").resolution_s, 0);
		q = list(tenant, SERIES_WEIR, &n);
		assert_int_equal(n, 0);
		free(q);
		/* but whether Weir was there, which tells silence from a gap */
		assert_int_equal(sum_key(tenant, SERIES_WEIR, "store.running").packets, 1);
	}
}

/* Weir's own series are for who may read what belongs to the platform: neither for a token that may read
 * traffic only, nor for who sees a part of all tenants' traffic. */
static void
weir_shows_itself_to_few(void **state)
{
	char interfaces[1][64] = { "eth1" };
	const struct narrowing n = { .number = 1, .interfaces = interfaces, .ninterfaces = 1 };
	struct wire_question q = question(SERIES_WEIR, "store.flows_lost"),
			     running = question(SERIES_WEIR, "store.running"),
			     l = world_question(ASK_SERIES_LIST);
	uint8_t bytes[GRANT_BYTES_MAX];

	(void)state;
	w->s->counters.n[OWN_FLOWS_LOST] += 3;
	put_second(ETH1, w->utc, 1, 1);
	world_pump(w);
	world_minute(w);
	world_policy(w, &n, 1);
	l.subject = SERIES_WEIR;
	for (int i = 0; i < 3; i++) {
		struct grant g = world_grant_plain(w, TENANT_PLATFORM);
		size_t len;

		if (i == 1)
			g.scopes = UINT64_C(1) << ACTION_READ_TRAFFIC;
		if (i == 2)
			assert_true(grant_narrow(&g, n.number));
		grants_heard(w->s->grants, clock_boot_ns());
		len = world_grant_as(w, &g, true, bytes);
		assert_int_equal(world_ask_with(w, &q, bytes, len), ANSWER_OK);
		assert_int_equal(w->nrows, i == 0);
		assert_int_equal(world_ask_with(w, &l, bytes, len), ANSWER_OK);
		assert_true(i == 0 ? w->nrows > 1 : w->nrows == 1); /* store.running is for all */
		assert_int_equal(world_ask_with(w, &running, bytes, len), ANSWER_OK);
		assert_int_equal(w->nrows, 1);
	}
}

/* --- limits
 * ---------------------------------------------------------------------------------------------------------------
 */

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
	put_second(ETH1, w->utc, 1, 1);
	for (uint32_t i = 0; i < 200; i++) {
		snprintf(ip, sizeof(ip), "10.2.0.%u", i + 1);

		struct rec_flow f = world_flow(w, i + 1, ETH1, ip, "192.0.2.1");

		f.count.bytes[CLIENT] = 1000 + i;
		put_flow(&f, true);
	}

	struct rec_flow f = world_flow(w, 300, ETH1, "10.3.0.1", "192.0.2.1");

	put_flow(&f, true);
	world_pump(w);
	world_minute(w);
	assert_true(active(BETA) <= 16 + 2); /* its own and its interface's are always there */
	assert_int_equal(sum_key(GAMMA, SERIES_HOST, "10.3.0.1").bytes, 4000);
	assert_true(sum_key(BETA, SERIES_HOST, "(other)").bytes > 0);
	assert_int_equal(sum_list(BETA, SERIES_HOST), 2 * sum_key(BETA, SERIES_TENANT, "").bytes);
	/* Those with most came first, and stay. */
	assert_int_equal(sum_key(BETA, SERIES_HOST, "10.2.0.200").bytes, 4199);
	assert_int_equal(sum_key(BETA, SERIES_HOST, "10.2.0.1").resolution_s, 0);
	f = world_flow(w, 301, ETH1, "10.2.0.200", "192.0.2.1");
	f.count.bytes[CLIENT] = 0;
	put_flow(&f, true);
	world_pump(w);
	world_minute(w);
	assert_int_equal(sum_key(BETA, SERIES_HOST, "10.2.0.200").bytes, 4199 + 3000);
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

/* What is full for all leaves each tenant its part. */
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
	put_flow(&f, true);
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
		put_second(ETH1, w->utc + tries, 1, 1);
		world_pump(w);
		world_commit(w);
		world_reopen(w);
	}
	assert_null(series_book_find(w->s->book, &host[0]));
	assert_non_null(series_book_find(w->s->book, &host[1]));
}

/* --- walls
 * ----------------------------------------------------------------------------------------------------------------
 */

struct answers {
	uint8_t *bytes;
	size_t len;
};

static void
note_answer(struct answers *a)
{
	a->bytes = mem_reallocarray(a->bytes, a->len + w->rows_len + 8, 1);
	memcpy(a->bytes + a->len, w->rows, w->rows_len);
	a->len += w->rows_len;
	a->bytes[a->len++] = (uint8_t)w->status;
}

/* Everything that a tenant can be told about series. */
static struct answers
everything(uint32_t tenant)
{
	struct answers a = { 0 };

	for (uint32_t subject = SERIES_TENANT; subject < SERIES_SUBJECT_COUNT; subject++) {
		size_t n = 0;
		struct wire_question *q = subject <= SERIES_POINT ? NULL : list(tenant, subject, &n),
				     l = question(subject, "");

		l.point = ETH1;
		world_ask(w, tenant, &l);
		note_answer(&a);
		l.kind = ASK_SERIES_LIST;
		world_ask(w, tenant, &l);
		note_answer(&a);
		for (size_t i = 0; i < n; i++) {
			world_ask(w, tenant, &q[i]);
			note_answer(&a);
		}
		free(q);
	}
	return a;
}

/* What beta is told of its own traffic, and of that of others where it is not alone. */
static struct answers
told_beta(bool alone, int64_t utc)
{
	static const uint64_t seed = 42;
	char ip[20];

	end(NULL);
	begin(NULL);
	w->utc = utc;
	put_place("192.0.2.9", 64500, "NL");
	for (uint32_t i = 0; i < 400; i++) {
		bool mine = i % 4 == 0;

		snprintf(ip, sizeof(ip), "10.%u.0.%u", mine ? 2u : 3u, 1 + i % 200);

		struct rec_flow f = world_flow(w, i + 1, ETH1, ip, "192.0.2.9");

		f.count.bytes[CLIENT] = 1000 + i * seed;
		f.application = i % 3 == 0 ? APP_TLS : 0;
		f.category = f.application == 0 ? 0 : CAT_WEB;
		f.exporter.b[15] = (uint8_t)(i % 2);
		f.in_interface = f.out_interface = 1 + i % 5;
		put_second(ETH1, w->utc, 0, 0);
		if (mine || !alone)
			put_flow(&f, true);
	}
	world_pump(w);
	world_minute(w);
	return everything(BETA);
}

/* A tenant's answers are, byte for byte, those of a store in which nobody else ever was. */
static void
others_change_nothing(void **state)
{
	struct answers with[2] = { 0 };
	int64_t utc = w->utc, minute;
	unsigned tries = 0;

	(void)state;
	do {
		minute = world_minute_now();
		for (int alone = 0; alone < 2; alone++) {
			free(with[alone].bytes);
			with[alone] = told_beta(alone == 1, utc);
		}
	} while (world_minute_now() != minute && ++tries < 5);
	assert_int_equal(with[0].len, with[1].len);
	assert_memory_equal(with[0].bytes, with[1].bytes, with[0].len);
	free(with[0].bytes);
	free(with[1].bytes);
}

static enum answer_status
ask_narrowed(const struct narrowing *n, const struct wire_question *q)
{
	uint8_t bytes[GRANT_BYTES_MAX];
	struct grant g;

	world_policy(w, n, 1);
	g = world_grant_plain(w, BETA);
	g.nnarrowings = 1;
	g.narrowing[0] = n->number;
	grants_heard(w->s->grants, clock_boot_ns());
	return world_ask_with(w, q, bytes, world_grant_as(w, &g, true, bytes));
}

/* One point, made of flows: what is kept says how fine its extremes are. */
static void
expect_one(const struct narrowing *n, const struct wire_question *q, uint64_t bytes)
{
	const struct row_series *r;

	assert_int_equal(ask_narrowed(n, q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	r = world_row(w, 0, sizeof(*r), NULL);
	assert_int_equal(r->bytes, bytes);
	assert_int_equal(r->finest_s, 0);
}

/* A part gets a series where all of it is in the part, and of any other what the part's flows say. */
static void
a_part_gets_what_lies_in_it(void **state)
{
	struct ip_prefix net, two[2];
	struct exporter_ref exporter = { .ip.b[15] = 1 };
	struct rec_flow f = world_flow(w, 1, ETH1, "10.2.0.1", "192.0.2.1");
	struct wire_question q;

	(void)state;
	put_second(ETH1, w->utc, 1, 1);
	f.exporter = exporter.ip;
	f.in_interface = 3;
	f.out_interface = 4;
	put_flow(&f, true);
	f = world_flow(w, 2, ETH1, "10.2.9.1", "192.0.2.1");
	put_flow(&f, true);
	world_pump(w);
	world_minute(w);

	assert_true(prefix_parse("10.2.0.0/24", &net));
	struct narrowing n = { .number = 1, .networks = &net, .nnetworks = 1 };

	q = question(SERIES_HOST, "10.2.0.1");
	assert_int_equal(ask_narrowed(&n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	/* What lies elsewhere, or nowhere, is nothing. */
	static const char *const nothing[] = { "10.2.9.1", "10.2.9.77", "nonsense" };

	for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
		q = question(SERIES_HOST, nothing[i]);
		assert_int_equal(ask_narrowed(&n, &q), ANSWER_OK);
		assert_int_equal(w->nrows, 0);
	}
	q = question(SERIES_HOST, "(other)");
	assert_int_equal(ask_narrowed(&n, &q), ANSWER_NARROWED);
	/* Of what lies in it partly, that part's flows. */
	q = question(SERIES_HOST, "192.0.2.1");
	expect_one(&n, &q, 4000);
	q = question(SERIES_NETWORK, "10.2.0.0/16");
	expect_one(&n, &q, 4000);
	for (uint32_t subject = SERIES_APPLICATION; subject < SERIES_WEIR; subject++) {
		q = world_question(ASK_SERIES_LIST);
		q.subject = (uint16_t)subject;
		bool whole = subject == SERIES_APPLICATION || subject == SERIES_CATEGORY ||
			     subject == SERIES_AS || subject == SERIES_COUNTRY;

		assert_int_equal(ask_narrowed(&n, &q), whole ? ANSWER_NARROWED : ANSWER_OK);
		assert_int_equal(w->nrows, subject == SERIES_HOST);
	}
	/* Two halves hold the whole of it. */
	assert_true(prefix_parse("10.2.0.0/17", &two[0]) && prefix_parse("10.2.128.0/17", &two[1]));
	n = (struct narrowing){ .number = 1, .networks = two, .nnetworks = 2 };
	q = question(SERIES_NETWORK, "10.2.0.0/16");
	assert_int_equal(ask_narrowed(&n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	/* Exporters. */
	n = (struct narrowing){ .number = 1, .exporters = &exporter, .nexporters = 1 };
	q = question(SERIES_EXPORTER, "::1");
	assert_int_equal(ask_narrowed(&n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	q = question(SERIES_EXPORTER_INTERFACE, "3@::1");
	assert_int_equal(ask_narrowed(&n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	exporter.has_interface = 1;
	exporter.interface = 3;
	assert_int_equal(ask_narrowed(&n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	q = question(SERIES_EXPORTER_INTERFACE, "4@::1");
	expect_one(&n, &q, 4000);
	q = question(SERIES_EXPORTER, "::1");
	expect_one(&n, &q, 4000);
	q = question(SERIES_HOST, "10.2.0.1");
	expect_one(&n, &q, 4000);
	/* A mask: remote hosts are not there, and nothing tells where they would be. */
	n = (struct narrowing){ .number = 1, .masked = true };
	q = question(SERIES_HOST, "10.2.0.1");
	assert_int_equal(ask_narrowed(&n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	q = question(SERIES_HOST, "192.0.2.1");
	assert_int_equal(ask_narrowed(&n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 0);
	q = question(SERIES_COUNTRY, "ZZ");
	assert_int_equal(ask_narrowed(&n, &q), ANSWER_NARROWED);
	q = question(SERIES_AS, "0");
	assert_int_equal(ask_narrowed(&n, &q), ANSWER_NARROWED);
	q = world_question(ASK_SERIES_LIST);
	q.subject = SERIES_HOST;
	assert_int_equal(ask_narrowed(&n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 2);
	q.subject = SERIES_AS;
	assert_int_equal(ask_narrowed(&n, &q), ANSWER_NARROWED);
	q.subject = SERIES_COUNTRY;
	assert_int_equal(ask_narrowed(&n, &q), ANSWER_NARROWED);
	q.subject = SERIES_CATEGORY;
	assert_int_equal(ask_narrowed(&n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
}

/* --- lists
 * ------------------------------------------------------------------------------------------------------------
 */

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
	put_flow(&f, true);
	world_pump(w);
	world_minute(w);
	expect_listed(BETA, SERIES_AS, "64500Ulm", 0, 0);
	world_reopen(w);
	world_engine(w, 0, 2000);
	expect_listed(BETA, SERIES_AS, "64500", 0, 0);
	world_put(w, 0, REC_HOST, &h, sizeof(h), "Ulm");
	put_flow(&other, true);
	world_pump(w);
	world_minute(w);
	expect_listed(GAMMA, SERIES_AS, "64500Ulm", 0, 0);
	expect_listed(BETA, SERIES_AS, "64500", 0, 0);
	f = world_flow(w, 3, ETH1, "10.2.0.1", "192.0.2.1");
	f.count.bytes[CLIENT] = f.count.bytes[SERVER] = 0;
	put_flow(&f, true);
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
	put_second(ETH1, w->utc, 1, 1);
	put_flow(&f, true);
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
	struct wire_question q = question(SERIES_TENANT, ""), first = q;
	uint8_t bytes[GRANT_BYTES_MAX];
	struct grant g;
	size_t len;

	(void)state;
	for (int day = 100; day >= 0; day -= 50)
		put_second(ETH0, w->utc - 60 - (int64_t)day * 86400, 1000, 1);
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
	put_second(ETH1, w->utc, 1, 1);
	for (size_t i = 0; i < ARRAY_LEN(exporters); i++) {
		struct rec_flow f = world_flow(w, i + 1, ETH1, "10.2.0.1", "192.0.2.1");

		assert_true(ip_parse(exporters[i], &f.exporter));
		put_flow(&f, true);
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
	put_second(ETH1, w->utc, 1, 1);
	world_pump(w);
	world_minute(w);
	for (uint32_t subject = SERIES_APPLICATION; subject < SERIES_SUBJECT_COUNT; subject++) {
		for (size_t i = 0; i < ARRAY_LEN(keys); i++)
			assert_int_equal(sum_key(BETA, subject, keys[i]).resolution_s, 0);
		/* As long as there is room for, without an end. */
		q = question(subject, "");
		q.key_len = sizeof(q.key);
		memset(q.key, '1', sizeof(q.key));
		assert_int_equal(sum_of(BETA, &q).resolution_s, 0);
		/* A byte of zero in it. */
		q.key[3] = '\0';
		assert_int_equal(sum_of(BETA, &q).resolution_s, 0);
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
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(sums_add_up),
		TEST(sums_add_up_whatever_is_watched),
		TEST(a_host_has_its_minute),
		TEST(in_and_out_are_the_tenants),
		TEST(what_comes_again_counts_once),
		TEST(weir_has_series_of_itself),
		TEST(weir_shows_itself_to_few),
		TEST(limits_hold),
		TEST(the_book_forgets_the_silent),
		TEST(the_book_outlives_tenants),
		TEST(numbers_are_given_once),
		TEST(nobody_takes_all_of_it),
		TEST(nobody_takes_all_of_a_minute),
		TEST(a_deleted_tenant_is_forgotten),
		TEST(others_change_nothing),
		TEST(a_part_gets_what_lies_in_it),
		TEST(a_pace_is_of_a_whole_minute),
		TEST(names_come_with_ones_own_traffic),
		TEST(lists_have_names_and_rates),
		TEST(a_cursor_leads_forward_only),
		TEST(pages_leave_nobody_out),
		TEST(hostile_keys_find_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
