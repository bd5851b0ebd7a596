/* Orders of live lists: pages of them are those of a plain sort, and of what is listed no row is shown that
 * is not there, or another's, by now. */
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ask.h"
#include "base/clock.h"
#include "base/mem.h"
#include "orders.h"
#include "parked.h"
#include "store_world.h"
#include "walks.h"

/* --- an order by itself
 * ----------------------------------------------------------------------------------------------- */

#define ROWS 5000u

static void
fill(struct order *o, uint32_t n, unsigned values, unsigned ties)
{
	order_reset(o);
	for (uint32_t i = 0; i < n; i++) {
		struct order_row *r = &o->row[i];

		memset(r, 0, sizeof(*r));
		r->ref[0] = i;
		r->tenant = randombytes_uniform(2);
		for (int k = 0; k < TOPK_TIE; k += 5)
			r->tie[k] = (uint8_t)randombytes_uniform(ties);
		memcpy(r->tie + 20, &i, sizeof(i)); /* no two are equal */
		o->value[SORT_BYTES][i] = (uint64_t)randombytes_uniform(values)
					  << randombytes_uniform(2) * 40;
	}
	o->n = n;
}

static struct topk_entry
entry(const struct order *o, uint32_t i)
{
	struct topk_entry e = { .value = o->value[SORT_BYTES][i],
				.tenant = o->row[i].tenant,
				.ref = { o->row[i].ref[0], 0 } };

	memcpy(e.tie, o->row[i].tie, sizeof(e.tie));
	return e;
}

static int
by_topk(const void *a, const void *b)
{
	return topk_compare(a, b);
}

static void
same_as(const struct order *o, const struct topk_entry *plain, uint32_t n, bool ascending, uint32_t from)
{
	struct order_page p;
	struct topk_entry e;

	order_page(o, SORT_BYTES, ascending, from == 0 ? NULL : &plain[ascending ? from - 1 : n - from], &p);
	for (uint32_t i = from; i < n; i++) {
		assert_true(order_next(&p, &e));
		assert_int_equal(e.ref[0], plain[ascending ? i : n - 1 - i].ref[0]);
	}
	assert_false(order_next(&p, &e));
}

static void
order_is_a_plain_sort(void **state)
{
	static const unsigned sizes[] = { 0, 1, 2, 17, 300, ROWS };
	struct order *o = order_new(ROWS, 1u << SORT_BYTES);
	struct topk_entry *plain = mem_calloc(ROWS, sizeof(*plain));

	(void)state;
	for (unsigned round = 0; round < 4 * ARRAY_LEN(sizes); round++) {
		const uint32_t n = sizes[round / 4];

		/* All different; few values; one value and ties that begin alike; one value, ties of many
		 * bytes. */
		fill(o, n, round % 4 == 0 ? UINT32_MAX : round % 4 == 1 ? 5 : 1, round % 4 == 3 ? 256 : 2);
		for (uint32_t i = 0; i < n; i++)
			plain[i] = entry(o, i);
		qsort(plain, n, sizeof(*plain), by_topk);
		order_sort(o, 1u << SORT_BYTES);
		for (uint32_t from = 0; from < n; from += 1 + n / 7) {
			same_as(o, plain, n, true, from);
			same_as(o, plain, n, false, from);
		}
	}
	free(plain);
	order_free(&o);
}

/* --- in a store
 * ------------------------------------------------------------------------------------------------------- */

static struct world *w;

static int
setup(void **state)
{
	(void)state;
	w = world_new(64 << 20, 0);
	world_engine(w, 0, 1000);
	world_engine(w, 1, 1000);
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
put_flow(uint64_t n, uint32_t point, const char *client, const char *server, uint16_t kind)
{
	struct rec_flow f = world_flow(w, n, point, client, server);

	f.ip[CLIENT].b[15] = (uint8_t)(n * 7 % 60);
	f.count.bytes[0] += n % 5; /* ties */
	f.count.packets[1] += n * 3 % 17;
	f.first_ns -= (int64_t)(n % 11) * 1000;
	f.score = n % 9 == 0 ? (uint16_t)n : 0;
	f.mac[CLIENT][0] = 2;
	f.mac[CLIENT][5] = f.ip[CLIENT].b[15];
	f.end_reason = kind == REC_FLOW_END ? END_IDLE : END_NONE;
	world_put(w, (unsigned)(n % 2), kind, &f, sizeof(f), NULL);
}

static void
put_flows(void)
{
	for (uint64_t n = 1; n <= 300; n++)
		put_flow(n, n % 3 == 0 ? ETH0 : ETH1, n % 2 == 0 ? "10.2.0.1" : "192.0.2.1",
			 n % 5 == 0 ? "10.3.0.9" : "10.2.9.9", REC_FLOW_OPEN);
	world_pump(w);
}

struct text {
	uint8_t *bytes;
	size_t len;
};

/* All pages of a list, one after another. */
static struct text
walk(uint32_t tenant, struct wire_question q)
{
	struct text t = { NULL, 0 };

	do {
		assert_int_equal(world_ask(w, tenant, &q), ANSWER_OK);
		assert_true(w->nrows <= q.limit);
		t.bytes = mem_reallocarray(t.bytes, t.len + w->rows_len + 1, 1);
		memcpy(t.bytes + t.len, w->rows, w->rows_len);
		t.len += w->rows_len;
		q.cursor_len = w->cursor_len;
		memcpy(q.cursor, w->cursor, sizeof(q.cursor));
	} while (w->has_cursor);
	return t;
}

static void
compare(uint32_t tenant, const struct wire_question *q)
{
	struct text made, plain;

	orders_set_few(w->s->orders, 0);
	made = walk(tenant, *q);
	orders_set_few(w->s->orders, UINT32_MAX);
	plain = walk(tenant, *q);
	assert_int_equal(made.len, plain.len);
	assert_memory_equal(made.bytes, plain.bytes, plain.len);
	free(made.bytes);
	free(plain.bytes);
}

static void
pages_are_those_of_a_look_through(void **state)
{
	static const enum question_kind lists[] = { ASK_FLOWS, ASK_HOSTS, ASK_DEVICES };
	static const uint32_t tenants[] = { ALPHA, BETA, GAMMA, TENANT_PLATFORM };

	(void)state;
	put_flows();
	for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
		for (uint32_t sort = 0; sort < SORT_KEY_COUNT; sort++) {
			for (unsigned i = 0; i < 2 * ARRAY_LEN(tenants); i++) {
				struct wire_question q = world_question(lists[l]);

				q.sort = sort;
				q.ascending = i % 2;
				q.limit = 7 + sort;
				compare(tenants[i / 2], &q);
			}
		}
	}
}

/* --- with threads
 * ----------------------------------------------------------------------------------------------------- */

struct told {
	unsigned answers;
	struct wire_answer last;
	uint8_t rows[4 * WIRE_ANSWER_MAX];
	size_t len;
};

static void
hear(void *ctx, const void *body, size_t len)
{
	struct told *t = ctx;

	const uint32_t before = t->last.nrows;

	memcpy(&t->last, body, sizeof(t->last));
	t->last.nrows += before;
	t->answers += t->last.more == 0;
	len -= sizeof(t->last);
	assert_true(len <= sizeof(t->rows) - t->len);
	memcpy(t->rows + t->len, (const uint8_t *)body + sizeof(t->last), len);
	t->len += len;
}

static void
ask_as(uint32_t tenant, struct wire_question q, struct told *t)
{
	struct asker who = { .proc = PROC_HTTPD, .emit = hear, .ctx = t };
	uint8_t grant[GRANT_BYTES_MAX], body[sizeof(q) + GRANT_BYTES_MAX];

	grants_heard(w->s->grants, clock_boot_ns());
	q.grant_len = (uint32_t)world_grant(w, tenant, grant);
	memcpy(body, &q, sizeof(q));
	memcpy(body + sizeof(q), grant, q.grant_len);
	memset(t, 0, sizeof(*t));
	ask(w->s, &who, body, sizeof(q) + q.grant_len);
}

static void
wait_for(const struct told *t)
{
	int64_t until = clock_boot_ns() + 20 * NS_PER_S;

	while (t->answers == 0 && clock_boot_ns() < until)
		world_turn(w);
	assert_int_equal(t->answers, 1);
}

static void
begin_threads(void)
{
	world_threads(w);
	orders_set_few(w->s->orders, 0);
}

static void
who_comes_first_waits_until_it_is_made(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);
	struct told first, second, other;

	(void)state;
	put_flows();
	begin_threads();
	ask_as(ALPHA, q, &first);
	assert_int_equal(first.answers, 0);
	wait_for(&first);
	assert_int_equal(first.last.status, ANSWER_OK);
	assert_int_equal(first.last.nrows, 100);
	ask_as(ALPHA, q, &second);
	assert_int_equal(second.answers, 1);
	assert_int_equal(second.len, first.len);
	assert_memory_equal(second.rows, first.rows, first.len);
	/* By another key the rows are there, but not their order. */
	q.sort = SORT_PACKETS;
	ask_as(ALPHA, q, &other);
	assert_int_equal(other.answers, 0);
	wait_for(&other);
	assert_int_equal(other.last.nrows, 100);
}

/* A slot is listed; by the time that it is shown another tenant's flow is in it. */
static void
what_is_over_is_not_shown(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);
	struct told t;

	(void)state;
	for (uint64_t n = 2; n <= 20; n += 2)
		put_flow(n, ETH0, "10.1.0.1", "192.0.2.9", REC_FLOW_OPEN);
	world_pump(w);
	begin_threads();
	ask_as(ALPHA, q, &t);
	wait_for(&t);
	assert_int_equal(t.last.nrows, 10);
	put_flow(2, ETH0, "10.1.0.1", "192.0.2.9", REC_FLOW_END);
	put_flow(4, ETH0, "10.1.0.1", "192.0.2.9", REC_FLOW_END);
	put_flow(6, ETH0, "10.1.0.1", "192.0.2.9", REC_FLOW_END);
	put_flow(4 + 4096, ETH1, "10.2.0.1", "192.0.2.9", REC_FLOW_OPEN);
	put_flow(6 + 4096, ETH0, "10.1.0.1", "192.0.2.9", REC_FLOW_OPEN);
	world_pump(w);
	ask_as(ALPHA, q, &t);
	assert_int_equal(t.answers, 1);
	assert_int_equal(t.last.nrows, 7);
	assert_int_equal(t.last.has_cursor, 0);
}

static void
who_is_gone_hears_nothing(void **state)
{
	struct wire_question q = world_question(ASK_HOSTS);
	struct told gone, stays;

	(void)state;
	put_flows();
	begin_threads();
	ask_as(BETA, q, &gone);
	ask_as(BETA, q, &stays);
	parked_forget(w->s, &gone);
	wait_for(&stays);
	assert_int_equal(gone.answers, 0);
}

static void
a_grant_is_judged_when_the_answer_is_given(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);
	struct wire_grant_ids none = { .begin = 1, .end = 1 };
	uint64_t full = 0;
	struct told t;

	(void)state;
	put_flows();
	begin_threads();
	ask_as(ALPHA, q, &t);
	assert_true(grants_set(w->s->grants, &none, NULL, clock_utc_ns(), &full));
	wait_for(&t);
	assert_int_equal(t.last.status, ANSWER_NOT_GRANTED);
	assert_int_equal(t.len, 0);
}

static void
those_who_wait_are_bounded(void **state)
{
	struct told *t = mem_calloc(PARKED_TENANT_MAX + 1, sizeof(*t)), other;
	struct wire_question q = world_question(ASK_FLOWS);

	(void)state;
	put_flows();
	begin_threads();
	for (unsigned i = 0; i <= PARKED_TENANT_MAX; i++)
		ask_as(ALPHA, q, &t[i]);
	assert_int_equal(t[PARKED_TENANT_MAX].answers, 1);
	assert_int_equal(t[PARKED_TENANT_MAX].last.status, ANSWER_BUSY);
	/* Another tenant does not notice. */
	ask_as(BETA, q, &other);
	wait_for(&other);
	assert_int_equal(other.last.status, ANSWER_OK);
	for (unsigned i = 0; i < PARKED_TENANT_MAX; i++) {
		wait_for(&t[i]);
		assert_int_equal(t[i].last.status, ANSWER_OK);
	}
	free(t);
}

/* --- looks through a list
 * --------------------------------------------------------------------------------------------- */

#define MANY 5000u /* more than a turn looks at */

static void
put_many(void)
{
	for (uint64_t n = 1; n <= MANY; n++) {
		struct rec_flow f =
		    world_flow(w, n, ETH0, "10.1.0.1", n % 50 == 0 ? "192.0.2.9" : "192.0.2.1");

		f.slot = (uint32_t)n / 2;
		world_put(w, (unsigned)(n % 2), REC_FLOW_OPEN, &f, sizeof(f), NULL);
	}
	world_pump(w);
}

/* All but the last of a long list have ended: a page looks at a bounded number, and tells where to go on. */
static void
a_page_of_what_is_over_is_short(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);
	struct told *t = mem_calloc(1, sizeof(*t));

	(void)state;
	put_many();
	begin_threads();
	q.sort = SORT_FIRST;
	ask_as(ALPHA, q, t);
	wait_for(t);
	assert_int_equal(t->last.nrows, 100);
	for (uint64_t n = 1; n < MANY; n++) {
		struct rec_flow f =
		    world_flow(w, n, ETH0, "10.1.0.1", n % 50 == 0 ? "192.0.2.9" : "192.0.2.1");

		f.slot = (uint32_t)n / 2;
		f.end_reason = END_IDLE;
		world_put(w, (unsigned)(n % 2), REC_FLOW_END, &f, sizeof(f), NULL);
	}
	world_pump(w);

	unsigned shown = 0, pages = 0;

	do {
		ask_as(ALPHA, q, t);
		assert_int_equal(t->answers, 1);
		assert_int_equal(t->last.status, ANSWER_OK);
		shown += t->last.nrows;
		q.cursor_len = t->last.cursor_len;
		memcpy(q.cursor, t->last.cursor, sizeof(q.cursor));
	} while (++pages < 4 && t->last.has_cursor);
	assert_int_equal(shown, 1);
	assert_int_equal(pages, 2);
	free(t);
}

static struct wire_question
to_nine(void)
{
	struct wire_question q = world_question(ASK_FLOWS);

	q.has_ip = 1;
	q.limit = 1000;
	assert_true(ip_parse("192.0.2.9", &q.ip));
	return q;
}

/* What ends while others are looked at is not shown, nor who comes in its slot. */
static void
flows_change_while_they_are_looked_at(void **state)
{
	struct rec_flow end, other;
	struct told *t = mem_calloc(1, sizeof(*t));

	(void)state;
	put_many();
	begin_threads();
	ask_as(ALPHA, to_nine(), t);
	assert_true(walks_turn(w->s));
	assert_int_equal(t->answers, 0);
	for (uint64_t n = 50; n <= MANY; n += 100) {
		end = world_flow(w, n, ETH0, "10.1.0.1", "192.0.2.9");
		end.slot = (uint32_t)n / 2;
		end.end_reason = END_IDLE;
		world_put(w, 0, REC_FLOW_END, &end, sizeof(end), NULL);
		other = world_flow(w, n + MANY, ETH1, "10.2.0.1", "192.0.2.9");
		other.slot = end.slot;
		other.generation = 9;
		world_put(w, 0, REC_FLOW_OPEN, &other, sizeof(other), NULL);
	}
	world_pump(w);
	wait_for(t);
	assert_int_equal(t->last.status, ANSWER_OK);
	assert_int_equal(t->last.nrows, MANY / 100);
	free(t);
}

static void
looks_are_bounded_and_end_with_their_asker(void **state)
{
	struct told *t = mem_calloc(WALKS_TENANT_MAX + 1, sizeof(*t)), other = { .answers = 0 };

	(void)state;
	put_many();
	begin_threads();
	for (unsigned i = 0; i <= WALKS_TENANT_MAX; i++)
		ask_as(ALPHA, to_nine(), &t[i]);
	assert_int_equal(t[WALKS_TENANT_MAX].answers, 1);
	assert_int_equal(t[WALKS_TENANT_MAX].last.status, ANSWER_BUSY);
	ask_as(TENANT_PLATFORM, to_nine(), &other); /* another's has its place */
	ask_gone(w->s, &t[0]);
	assert_true(walks_turn(w->s));
	ask_gone(w->s, &t[1]);
	for (unsigned i = 2; i < WALKS_TENANT_MAX; i++) {
		wait_for(&t[i]);
		assert_int_equal(t[i].last.nrows, MANY / 50);
	}
	wait_for(&other);
	assert_int_equal(other.last.nrows, MANY / 50);
	assert_int_equal(t[0].answers + t[1].answers, 0);
	free(t);
}

static void
a_grant_that_ends_ends_the_look(void **state)
{
	struct wire_grant_ids none = { .begin = 1, .end = 1 };
	struct told *t = mem_calloc(1, sizeof(*t));
	uint64_t full = 0;

	(void)state;
	put_many();
	begin_threads();
	ask_as(ALPHA, to_nine(), t);
	assert_true(walks_turn(w->s));
	assert_true(grants_set(w->s->grants, &none, NULL, clock_utc_ns(), &full));
	wait_for(t);
	assert_int_equal(t->last.status, ANSWER_NOT_GRANTED);
	assert_int_equal(t->len, 0);
	free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_a_plain_sort),
		cmocka_unit_test_setup_teardown(pages_are_those_of_a_look_through, setup, teardown),
		cmocka_unit_test_setup_teardown(who_comes_first_waits_until_it_is_made, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_over_is_not_shown, setup, teardown),
		cmocka_unit_test_setup_teardown(who_is_gone_hears_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_grant_is_judged_when_the_answer_is_given, setup, teardown),
		cmocka_unit_test_setup_teardown(those_who_wait_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(a_page_of_what_is_over_is_short, setup, teardown),
		cmocka_unit_test_setup_teardown(flows_change_while_they_are_looked_at, setup, teardown),
		cmocka_unit_test_setup_teardown(looks_are_bounded_and_end_with_their_asker, setup, teardown),
		cmocka_unit_test_setup_teardown(a_grant_that_ends_ends_the_look, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
