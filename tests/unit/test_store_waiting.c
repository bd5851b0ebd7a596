/* A flow that has ended is in every answer about what was, at once, and once: whether its batch is filled,
 * written, or on disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "commit.h"
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

static struct rec_flow
put(uint64_t n, uint32_t slice, uint16_t kind)
{
	struct rec_flow f = world_flow(w, n, n % 3 == 0 ? ETH0 : ETH1, n % 2 == 0 ? "10.2.0.1" : "10.3.0.1",
				       n % 5 == 0 ? "10.3.0.9" : "192.0.2.7");

	f.last_ns += (int64_t)(n % 40) * NS_PER_MS; /* some end at the same time */
	f.slice = slice;
	f.application = n % 2 == 0 ? APP_DNS : APP_TLS;
	f.server_name_len = 8;
	f.info_len = 3;
	f.end_reason = kind == REC_FLOW_END ? END_IDLE : END_NONE;
	world_put(w, 0, kind, &f, sizeof(f), "a.examplGET");
	return f;
}

static void
put_ends(uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n < to; n++)
		(void)put(n, 0, REC_FLOW_END);
	world_pump(w);
}

struct text {
	uint8_t *bytes;
	size_t len;
	unsigned rows;
};

static struct text
walk(uint32_t tenant, struct wire_question q)
{
	struct text t = { NULL, 0, 0 };

	do {
		assert_int_equal(world_ask(w, tenant, &q), ANSWER_OK);
		assert_true(w->nrows <= q.limit);
		t.bytes = mem_reallocarray(t.bytes, t.len + w->rows_len + 1, 1);
		memcpy(t.bytes + t.len, w->rows, w->rows_len);
		t.len += w->rows_len;
		t.rows += w->nrows;
		q.cursor_len = w->cursor_len;
		memcpy(q.cursor, w->cursor, sizeof(q.cursor));
	} while (w->has_cursor);
	return t;
}

static bool
question_at(unsigned i, struct wire_question *q, uint32_t *tenant)
{
	static const uint32_t tenants[] = { ALPHA, BETA, GAMMA, TENANT_PLATFORM };

	*q = world_question(ASK_FLOWS);
	*tenant = tenants[i % 4];
	q->from_ns = w->utc * NS_PER_S;
	q->to_ns = i / 4 % 2 == 0 ? 0 : q->from_ns + 20 * NS_PER_MS;
	q->limit = i / 8 % 2 == 0 ? 1000 : 7;
	q->has_ip = i / 16 % 2;
	assert_true(ip_parse("192.0.2.7", &q->ip));
	if (i / 32 % 2 == 1) {
		q->key_len = 3;
		memcpy(q->key, "DNS", 3);
	}
	return i < 64;
}

static void
same(const struct text *is, const struct text *was)
{
	assert_int_equal(is->rows, was->rows);
	assert_int_equal(is->len, was->len);
	assert_memory_equal(is->bytes, was->bytes, was->len);
}

static void
lists_have_it_at_once(void **state)
{
	struct text before[64], after;
	struct wire_question q;
	uint32_t tenant;

	(void)state;
	put_ends(1, 100);
	world_commit(w);
	put_ends(100, 200); /* among those on disk by their ends */
	for (unsigned i = 0; question_at(i, &q, &tenant); i++)
		before[i] = walk(tenant, q);
	assert_int_equal(before[3].rows, 199);
	world_commit(w);
	for (unsigned i = 0; question_at(i, &q, &tenant); i++) {
		after = walk(tenant, q);
		same(&before[i], &after);
		free(after.bytes);
		free(before[i].bytes);
	}
}

/* It is on disk, and the loop does not know yet. */
static void
it_is_there_once_while_it_is_written(void **state)
{
	struct text during[64], after;
	struct wire_question q;
	uint32_t tenant;

	(void)state;
	put_ends(1, 100);
	w->s->last_commit_ns = INT64_MIN / 2;
	commit_turn(w->s);
	assert_non_null(w->s->flight);
	assert_true(writer_wait(w->s->writer, 20000));
	put_ends(100, 150);
	for (unsigned i = 0; question_at(i, &q, &tenant); i++)
		during[i] = walk(tenant, q);
	assert_non_null(w->s->flight);
	assert_int_equal(during[3].rows, 149);
	world_commit(w);
	for (unsigned i = 0; question_at(i, &q, &tenant); i++) {
		after = walk(tenant, q);
		same(&during[i], &after);
		free(after.bytes);
		free(during[i].bytes);
	}
}

static uint32_t
rows_of(uint32_t tenant, const struct flow_id *shown)
{
	struct wire_question q = world_question(ASK_FLOW);

	q.flow = *shown;
	return world_ask(w, tenant, &q) == ANSWER_OK ? w->nrows : 0;
}

static void
a_flow_has_all_its_slices(void **state)
{
	struct wire_question q = world_question(ASK_FLOWS);
	struct flow_id shown;

	(void)state;
	(void)put(6, 0, REC_FLOW_OPEN);
	world_pump(w);
	assert_int_equal(world_ask(w, ALPHA, &q), ANSWER_OK);
	assert_int_equal(w->nrows, 1);
	shown = ((const struct row_flow *)world_row(w, 0, sizeof(struct row_flow), NULL))->flow.id;
	assert_int_equal(rows_of(ALPHA, &shown), 1);
	(void)put(6, 0, REC_FLOW_END);
	world_pump(w);
	assert_int_equal(rows_of(ALPHA, &shown), 1);
	world_commit(w);
	(void)put(6, 1, REC_FLOW_END);
	(void)put(6, 2, REC_FLOW_OPEN);
	world_pump(w);
	assert_int_equal(rows_of(ALPHA, &shown), 3);
	assert_int_equal(rows_of(BETA, &shown), 0);
	world_commit(w);
	assert_int_equal(rows_of(ALPHA, &shown), 3);
	assert_int_equal(rows_of(GAMMA, &shown), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lists_have_it_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_there_once_while_it_is_written, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flow_has_all_its_slices, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
