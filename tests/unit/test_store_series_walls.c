/* Series tell nobody of others: another tenant, another part of one, or Weir itself. */
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

/* Weir's own series are for who may read what belongs to the platform: neither for a token that may read
 * traffic only, nor for who sees a part of all tenants' traffic. */
static void
weir_shows_itself_to_few(void **state)
{
	char interfaces[1][64] = { "eth1" };
	const struct narrowing n = { .number = 1, .interfaces = interfaces, .ninterfaces = 1 };
	struct wire_question q = series_question(w, SERIES_WEIR, "store.flows_lost"),
			     running = series_question(w, SERIES_WEIR, "store.running"),
			     l = world_question(ASK_SERIES_LIST);
	uint8_t bytes[GRANT_BYTES_MAX];

	(void)state;
	w->s->counters.n[OWN_FLOWS_LOST] += 3;
	series_put_second(w, ETH1, w->utc, 1, 1);
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
		struct wire_question *q =
					 subject <= SERIES_POINT ? NULL : series_list(w, tenant, subject, &n),
				     l = series_question(w, subject, "");

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

	one_world_end(NULL);
	one_world_begin(NULL);
	w->utc = utc;
	series_put_place(w, "192.0.2.9", 64500, "NL");
	for (uint32_t i = 0; i < 400; i++) {
		bool mine = i % 4 == 0;

		snprintf(ip, sizeof(ip), "10.%u.0.%u", mine ? 2u : 3u, 1 + i % 200);

		struct rec_flow f = world_flow(w, i + 1, ETH1, ip, "192.0.2.9");

		f.count.bytes[CLIENT] = 1000 + i * seed;
		f.application = i % 3 == 0 ? APP_TLS : 0;
		f.category = f.application == 0 ? 0 : CAT_WEB;
		f.exporter.b[15] = (uint8_t)(i % 2);
		f.in_interface = f.out_interface = 1 + i % 5;
		series_put_second(w, ETH1, w->utc, 0, 0);
		if (mine || !alone)
			series_put_flow(w, &f, true);
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
ask_narrowed(uint32_t tenant, const struct narrowing *n, const struct wire_question *q)
{
	uint8_t bytes[GRANT_BYTES_MAX];
	struct grant g;

	world_policy(w, n, 1);
	g = world_grant_plain(w, tenant);
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

	assert_int_equal(ask_narrowed(BETA, n, q), ANSWER_OK);
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
	series_put_second(w, ETH1, w->utc, 1, 1);
	f.exporter = exporter.ip;
	f.in_interface = 3;
	f.out_interface = 4;
	series_put_flow(w, &f, true);
	f = world_flow(w, 2, ETH1, "10.2.9.1", "192.0.2.1");
	series_put_flow(w, &f, true);
	world_pump(w);
	world_minute(w);

	assert_true(prefix_parse("10.2.0.0/24", &net));
	struct narrowing n = { .number = 1, .networks = &net, .nnetworks = 1 };

	q = series_question(w, SERIES_HOST, "10.2.0.1");
	assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	/* What lies elsewhere, or nowhere, is nothing. */
	static const char *const nothing[] = { "10.2.9.1", "10.2.9.77", "nonsense" };

	for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
		q = series_question(w, SERIES_HOST, nothing[i]);
		assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_OK);
		assert_int_equal(w->nrows, 0);
	}
	q = series_question(w, SERIES_HOST, "(other)");
	assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_NARROWED);
	/* Of what lies in it partly, that part's flows. */
	q = series_question(w, SERIES_HOST, "192.0.2.1");
	expect_one(&n, &q, 4000);
	q = series_question(w, SERIES_NETWORK, "10.2.0.0/16");
	expect_one(&n, &q, 4000);
	for (uint32_t subject = SERIES_APPLICATION; subject < SERIES_WEIR; subject++) {
		q = world_question(ASK_SERIES_LIST);
		q.subject = (uint16_t)subject;
		assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_OK);
		assert_int_equal(w->nrows, subject == SERIES_HOST);
	}
	/* Two halves hold the whole of it. */
	assert_true(prefix_parse("10.2.0.0/17", &two[0]) && prefix_parse("10.2.128.0/17", &two[1]));
	n = (struct narrowing){ .number = 1, .networks = two, .nnetworks = 2 };
	q = series_question(w, SERIES_NETWORK, "10.2.0.0/16");
	assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	/* Exporters. */
	n = (struct narrowing){ .number = 1, .exporters = &exporter, .nexporters = 1 };
	q = series_question(w, SERIES_EXPORTER, "::1");
	assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	q = series_question(w, SERIES_EXPORTER_INTERFACE, "3@::1");
	assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	exporter.has_interface = 1;
	exporter.interface = 3;
	assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	q = series_question(w, SERIES_EXPORTER_INTERFACE, "4@::1");
	expect_one(&n, &q, 4000);
	q = series_question(w, SERIES_EXPORTER, "::1");
	expect_one(&n, &q, 4000);
	q = series_question(w, SERIES_HOST, "10.2.0.1");
	expect_one(&n, &q, 4000);
	/* A mask: remote hosts are not there, and nothing tells where they would be. */
	n = (struct narrowing){ .number = 1, .masked = true };
	q = series_question(w, SERIES_HOST, "10.2.0.1");
	assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	q = series_question(w, SERIES_HOST, "192.0.2.1");
	assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 0);
	q = series_question(w, SERIES_COUNTRY, "ZZ");
	assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_NARROWED);
	q = series_question(w, SERIES_AS, "0");
	assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_NARROWED);
	q = world_question(ASK_SERIES_LIST);
	q.subject = SERIES_HOST;
	assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 2);
	q.subject = SERIES_AS;
	assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_NARROWED);
	q.subject = SERIES_COUNTRY;
	assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_NARROWED);
	q.subject = SERIES_CATEGORY;
	assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
}

static void
series_of_a_part(void **state)
{
	struct ip_prefix net;
	char interfaces[2][64] = { "eth0", "one.pcap" };
	struct narrowing n;
	struct wire_question q = world_question(ASK_SERIES);
	struct rec_flow f = world_flow(w, 1, ETH0, "10.1.0.1", "192.0.2.1");
	struct rec_second second = { .point = ETH0, .second = w->utc, .packets = 10, .bytes = 5000 };

	(void)state;
	assert_true(prefix_parse("10.1.0.0/16", &net));
	series_put_flow(w, &f, false);
	world_put(w, 0, REC_SECOND, &second, sizeof(second), NULL);
	world_pump(w);
	world_commit(w);
	q.resolution_s = 60;
	q.from_ns = w->utc * NS_PER_S - NS_PER_S;
	for (unsigned i = 0; i < 2; i++) {
		n = i == 0 ? (struct narrowing){ .number = 1, .networks = &net, .nnetworks = 1 }
			   : (struct narrowing){ .number = 1, .interfaces = interfaces, .ninterfaces = 1 };
		for (q.subject = 1; q.subject < SERIES_SUBJECT_COUNT; q.subject++) {
			const bool some_of_it = q.subject == SERIES_TENANT || q.subject == SERIES_POINT;
			const struct row_series *r;

			q.point = ETH0;
			q.key_len = 3;
			memcpy(q.key, "DNS", 3);
			assert_int_equal(ask_narrowed(ALPHA, &n, &q), ANSWER_OK);
			assert_int_equal(w->nrows, some_of_it);
			if (!some_of_it)
				continue;
			/* Of an interface that is seen whole its frames are kept; of its flows seconds are
			 * not. */
			r = world_row(w, 0, sizeof(*r), NULL);
			assert_int_equal(r->bytes, i == 0 ? 4000 : 5000);
			q.resolution_s = 1;
			assert_int_equal(ask_narrowed(ALPHA, &n, &q), i == 0 ? ANSWER_NARROWED : ANSWER_OK);
			q.resolution_s = 60;
		}
	}
	/* Several interfaces are added up: alpha's other one is a file. */
	second.point = FILE1;
	world_put(w, 0, REC_SECOND, &second, sizeof(second), NULL);
	world_pump(w);
	world_commit(w);
	for (unsigned both = 0; both < 2; both++) {
		const struct row_series *r;

		n = (struct narrowing){ .number = 1, .interfaces = interfaces, .ninterfaces = 1 + both };
		q.subject = SERIES_TENANT;
		assert_int_equal(ask_narrowed(ALPHA, &n, &q), ANSWER_OK);
		assert_int_equal(w->nrows, 1);
		r = world_row(w, 0, sizeof(*r), NULL);
		assert_true(r->bytes == 5000u * (1 + both) && r->packets == 10u * (1 + both));
	}
	n = (struct narrowing){ .number = 1, .interfaces = interfaces, .ninterfaces = 1 };
	/* Of an interface that is not the part's nothing is there, as of one that does not exist. */
	q.subject = SERIES_POINT;
	for (q.point = ETH1; q.point < FILE1 + 10; q.point++) {
		assert_int_equal(ask_narrowed(ALPHA, &n, &q), ANSWER_OK);
		assert_int_equal(w->nrows, 0);
	}
}

/* Of a list that is kept of the whole a part gets the sums of its live flows, page by page. */
static void
a_part_gets_the_sums_of_its_flows(void **state)
{
	static const struct {
		uint32_t subject;
		const char *key[2]; /* those with most bytes first */
	} lists[] = { { SERIES_AS, { "64500", "64501" } },
		      { SERIES_COUNTRY, { "NL", "DE" } },
		      { SERIES_APPLICATION, { "TLS.Google", "Unknown" } },
		      { SERIES_CATEGORY, { "Web", "Unknown" } } };
	struct narrowing n = { .number = 1, .nnetworks = 1 };
	struct ip_prefix net;

	(void)state;
	assert_true(prefix_parse("10.2.0.0/24", &net));
	n.networks = &net;
	series_put_place(w, "192.0.2.1", 64500, "NL");
	series_put_place(w, "192.0.2.2", 64501, "DE");
	series_put_second(w, ETH1, w->utc, 1, 1);
	for (uint32_t i = 0; i < 8; i++) {
		/* Within: 1, 3, 5 to the first, and 7 to the second; the others are elsewhere in the tenant.
		 */
		struct rec_flow f = world_flow(w, i + 1, ETH1, i % 2 == 1 ? "10.2.0.1" : "10.2.9.1",
					       i < 6 ? "192.0.2.1" : "192.0.2.2");

		f.application = i < 6 ? APP_TLS : 0;
		f.category = i < 6 ? CAT_WEB : 0;
		series_put_flow(w, &f, false);
	}
	world_pump(w);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct wire_question q = world_question(ASK_SERIES_LIST);

		q.subject = (uint16_t)lists[i].subject;
		q.limit = 1;
		for (uint32_t k = 0; k < 2; k++) {
			const uint64_t flows = k == 0 ? 3 : 1;
			const struct row_series_of *r;
			const char *text;

			assert_int_equal(ask_narrowed(BETA, &n, &q), ANSWER_OK);
			assert_int_equal(w->nrows, 1);
			r = world_row(w, 0, sizeof(*r), &text);
			assert_int_equal(r->key_len, strlen(lists[i].key[k]));
			assert_memory_equal(text, lists[i].key[k], r->key_len);
			/* The inner end is the client: what it sent goes out. */
			assert_int_equal(r->in_bytes, 3000 * flows);
			assert_int_equal(r->out_bytes, 1000 * flows);
			assert_int_equal(r->in_packets, 5 * flows);
			assert_int_equal(r->out_packets, 4 * flows);
			assert_int_equal(r->last_ns, w->utc * NS_PER_S);
			assert_int_equal(w->has_cursor, k == 0);
			q.cursor_len = w->cursor_len;
			memcpy(q.cursor, w->cursor, sizeof(q.cursor));
		}
	}
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, one_world_begin, one_world_end)
	const struct CMUnitTest tests[] = {
		TEST(weir_shows_itself_to_few),
		TEST(others_change_nothing),
		TEST(a_part_gets_what_lies_in_it),
		TEST(a_part_gets_the_sums_of_its_flows),
		TEST(series_of_a_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
