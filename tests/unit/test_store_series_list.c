/* Lists of series of tenants with many: told in parts, so that nothing waits for them, and the same. */
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
#include "minutes.h"
#include "one_world.h"

#define SERIES 20000u

static struct series_id
nth(uint32_t tenant, uint32_t n)
{
	struct series_id id = { .tenant = tenant, .subject = SERIES_HOST };

	assert_true(ip_parse("10.2.0.0", &id.ip));
	id.ip.b[13] = (uint8_t)(n >> 16);
	id.ip.b[14] = (uint8_t)(n >> 8);
	id.ip.b[15] = (uint8_t)n;
	return id;
}

static void
use(uint32_t tenant, uint32_t n, uint64_t bytes)
{
	const struct series_value v = { .in_bytes = bytes, .in_packets = 1 };
	const struct series_id id = nth(tenant, n);
	const uint32_t minute = minutes_now(w->s);

	if (!batch_fits_series(w->s->open))
		world_commit(w);
	assert_non_null(series_book_use(w->s->book, &id, minute, 4 * SERIES, w->s->open));
	series_book_count(w->s->book, &id, minute, &v);
}

struct told {
	unsigned messages;
	bool complete;
};

static void
on_answer(void *ctx, const void *body, size_t len)
{
	struct told *t = ctx;
	struct wire_answer a;

	(void)len;
	memcpy(&a, body, sizeof(a));
	t->messages++;
	t->complete = !a.more;
	assert_int_equal(a.status, ANSWER_OK);
}

/* Its rows, page by page, one behind the other. */
static uint8_t *
whole_list(uint32_t tenant, size_t *len, uint32_t *rows)
{
	struct wire_question q = world_question(ASK_SERIES_LIST);
	uint8_t *all = NULL;

	q.subject = SERIES_HOST;
	q.limit = 1000;
	*len = 0;
	*rows = 0;
	do {
		assert_int_equal(world_ask(w, tenant, &q), ANSWER_OK);
		all = mem_reallocarray(all, *len + w->rows_len + 1, 1);
		memcpy(all + *len, w->rows, w->rows_len);
		*len += w->rows_len;
		*rows += w->nrows;
		q.cursor_len = w->cursor_len;
		memcpy(q.cursor, w->cursor, sizeof(q.cursor));
	} while (w->has_cursor);
	return all;
}

static void
in_parts_it_is_the_same(void **state)
{
	size_t len[2];
	uint32_t rows[2];
	bool same = false;

	(void)state;
	for (uint32_t i = 0; i < SERIES; i++) {
		use(BETA, i, 1 + randombytes_uniform(1000)); /* many are equal: ties */
		if (i % 3 == 0)
			use(GAMMA, i, 1);
	}

	world_threads(w);

	struct jobs *jobs = w->s->jobs;

	/* Rates may be those of another minute by the second time. */
	for (int tries = 0; tries < 3 && !same; tries++) {
		uint8_t *told[2];

		for (int i = 0; i < 2; i++) {
			w->s->jobs = i == 0 ? NULL : jobs;
			told[i] = whole_list(BETA, &len[i], &rows[i]);
			assert_int_equal(rows[i], SERIES);
		}
		same = len[0] == len[1] && memcmp(told[0], told[1], len[0]) == 0;
		free(told[0]);
		free(told[1]);
	}
	assert_true(same);
}

/* No turn of the loop looks at all of it, and what goes meanwhile is not told. */
static void
nothing_waits_for_it(void **state)
{
	struct {
		uint8_t grant[GRANT_BYTES_MAX];
		size_t len;
	} g;
	struct told t = { 0, false };
	const struct asker who = { PROC_HTTPD, 0, on_answer, &t, NULL };
	struct wire_question q = world_question(ASK_SERIES_LIST);
	uint8_t body[sizeof(q) + GRANT_BYTES_MAX];
	unsigned turns = 0;

	(void)state;
	for (uint32_t i = 0; i < SERIES; i++)
		use(BETA, i, 1 + i % 7);
	world_threads(w);
	g.len = world_grant(w, BETA, g.grant);
	q.subject = SERIES_HOST;
	q.limit = 100;
	q.grant_len = (uint32_t)g.len;
	memcpy(body, &q, sizeof(q));
	memcpy(body + sizeof(q), g.grant, g.len);
	ask(w->s, &who, body, sizeof(q) + g.len);
	assert_int_equal(t.messages, 0);
	for (int64_t until = clock_boot_ns() + 20 * NS_PER_S; !t.complete; turns++) {
		assert_true(clock_boot_ns() < until);
		world_turn(w);
		/* Another one is forgotten and made. */
		use(BETA, SERIES + turns, 1000);
	}
	assert_true(turns >= SERIES / 4096);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(in_parts_it_is_the_same, one_world_begin, one_world_end),
		cmocka_unit_test_setup_teardown(nothing_waits_for_it, one_world_begin, one_world_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
