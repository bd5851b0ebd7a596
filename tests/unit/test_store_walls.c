/*
 * Walls within and between tenants: what a narrowed grant is answered from all traffic is, byte for byte,
 * what is answered where only the flows that it may see ever came. Of two stores, one gets them through a
 * plain filter first.
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

#include "base/clock.h"
#include "base/mem.h"
#include "store_walls.h"

#define FILTERS 40u

static void
same_answers(const struct wire_question *q)
{
	if (walls.some->status != walls.all->status || walls.some->nrows != walls.all->nrows ||
	    walls.some->rows_len != walls.all->rows_len)
		fail_msg("question %u (from %lld, sort %u, limit %u, point %u, ip %u, cursor %d and %d): "
			 "status %u and %u, rows %u and %u, "
			 "bytes %zu and %zu",
			 q->kind, (long long)q->from_ns, q->sort, q->limit, q->point, q->has_ip,
			 walls.all->has_cursor, walls.some->has_cursor, walls.all->status, walls.some->status,
			 walls.all->nrows, walls.some->nrows, walls.all->rows_len, walls.some->rows_len);
	assert_int_equal(walls.some->has_cursor, walls.all->has_cursor);
	if (walls.all->rows_len > 0)
		assert_memory_equal(walls.some->rows, walls.all->rows, walls.all->rows_len);
}

/* Which kinds a grant for the whole must answer alike where only the part came: what store keeps of hosts and
 * applications is what it makes of the flows. Of points and totals it keeps more than the flows tell; and of
 * hosts that the platform sees, what they had in flows that are another tenant's first. */
static bool
is_of_flows(const struct walls_who *who, uint32_t kind)
{
	if (kind == ASK_HOSTS || kind == ASK_HOST || kind == ASK_DEVICES)
		return who->tenant != TENANT_PLATFORM;
	return kind == ASK_FLOWS || kind == ASK_APPLICATIONS || kind == ASK_GROUPS;
}

static void
compare_all(const struct walls_who *who, bool whole)
{
	struct wire_question q;

	for (unsigned i = 0; walls_question_at(walls.all, i, &q); i++) {
		(void)walls_ask_as(walls.all, who, true, &q);
		(void)walls_ask_as(walls.some, who, true, &q);
		same_answers(&q);
		if (!whole || !is_of_flows(who, q.kind))
			continue;
		(void)walls_ask_as(walls.some, who, false, &q);
		same_answers(&q);
	}
}

static const char *
random_test(void)
{
	return walls_filters[randombytes_uniform(walls_nfilters)];
}

static void
random_text(char out[static WALLS_TEXT])
{
	char before[WALLS_TEXT];
	int n = snprintf(out, WALLS_TEXT, "%s", random_test());

	for (uint32_t more = randombytes_uniform(6); more > 0; more--) {
		const char *word = randombytes_uniform(2) ? "and" : "or";

		memcpy(before, out, sizeof(before));
		switch (randombytes_uniform(3)) {
		case 0:
			n = snprintf(out, WALLS_TEXT, "not (%s)", before);
			break;
		case 1:
			n = snprintf(out, WALLS_TEXT, "(%s) %s %s", before, word, random_test());
			break;
		default:
			n = snprintf(out, WALLS_TEXT, "%s %s not (%s)", random_test(), word, before);
			break;
		}
		assert_true(n > 0 && n < WALLS_TEXT);
	}
}

static void
draw(struct walls_sieve *yes, struct walls_sieve *no)
{
	random_text(yes->text);
	assert_true(snprintf(no->text, sizeof(no->text), "not (%s)", yes->text) < WALLS_TEXT);
	walls_compile(yes);
	walls_compile(no);
}

/* The filter sees what the part does, of flows that live and of those that are kept, and a flow passes either
 * it or its opposite. */
static void
compare_filters(const struct walls_who *who, bool whole)
{
	static struct walls_sieve yes, no;
	struct wire_question q = world_question(ASK_FLOWS);

	for (unsigned i = 0; i < FILTERS; i++) {
		uint32_t total, passed;

		q.limit = 1000;
		q.sort = i % 2 ? SORT_LAST : SORT_FIRST;
		q.from_ns = i % 3 == 0 ? walls.all->utc * NS_PER_S - NS_PER_S : 0;
		draw(&yes, &no);
		(void)walls_ask_as(walls.all, who, true, &q);
		total = walls.all->nrows;
		(void)walls_ask_through(walls.all, who, true, &q, &no);
		passed = walls.all->nrows;
		if (walls_ask_through(walls.all, who, true, &q, &yes) == ANSWER_OK) {
			assert_int_equal(walls.all->nrows + passed, total);
		} else { /* a masked view may not ask where an end is */
			assert_int_equal(walls.all->status, ANSWER_BAD_QUESTION);
			assert_true(walls_grant_of(walls.all, who, true).masked);
		}
		(void)walls_ask_through(walls.some, who, true, &q, &yes);
		same_answers(&q);
		if (whole) {
			(void)walls_ask_through(walls.some, who, false, &q, &yes);
			same_answers(&q);
		}
		/* Page by page, too. */
		q.limit = 3;
		(void)walls_ask_through(walls.all, who, true, &q, &yes);
		(void)walls_ask_through(walls.some, who, true, &q, &yes);
		same_answers(&q);
	}
}

/* By id: what is not seen is as what does not exist. */
static void
compare_ids(const struct walls_who *who, const struct walls_traffic *t)
{
	struct wire_question q = world_question(ASK_FLOW);
	struct flow_id_key key;

	flow_id_key(history_secret(walls.all->s->history), who->tenant, &key);
	for (size_t i = 0; i < WALLS_FLOWS; i++) {
		q.flow = flow_id_veil(&key, &t->flow[i].id);
		assert_int_equal(walls_ask_as(walls.all, who, true, &q),
				 walls_sees(who, &t->flow[i]) ? ANSWER_OK : ANSWER_NOT_FOUND);
		(void)walls_ask_as(walls.some, who, true, &q);
		same_answers(&q);
	}
}

/* Sums that store makes for the part, of what it keeps no sum of: against adding up. */
static void
compare_sums(const struct walls_who *who, const struct walls_traffic *t)
{
	struct wire_question q = world_question(ASK_TOTALS);
	struct row_totals expected = { 0 }, got;
	uint32_t hosts = 0;

	if (who->tenant != BETA && who->tenant != GAMMA) /* to whom a point belongs gets its frames */
		return;
	for (size_t i = 0; i < WALLS_FLOWS; i++) {
		if (!walls_sees(who, &t->flow[i]))
			continue;
		expected.flows++;
		for (int side = 0; side < 2; side++) {
			expected.bytes += t->flow[i].count.bytes[side];
			expected.packets += t->flow[i].count.packets[side];
		}
	}
	assert_int_equal(walls_ask_as(walls.all, who, true, &q), ANSWER_OK);
	memcpy(&got, world_row(walls.all, 0, sizeof(got), NULL), sizeof(got));
	assert_int_equal(got.flows, expected.flows);
	assert_int_equal(got.flows_seen, expected.flows);
	assert_true(got.bytes == expected.bytes && got.packets == expected.packets);
	assert_int_equal(got.dropped + got.undecoded + got.flows_stored, 0);
	q.kind = ASK_HOSTS;
	q.limit = 1000;
	assert_int_equal(walls_ask_as(walls.all, who, true, &q), ANSWER_OK);
	hosts = walls.all->nrows;
	/* Of hosts that a mask hides there may be a number, but no rows. */
	if (!walls_grant_of(walls.all, who, true).masked)
		assert_int_equal(got.hosts, hosts);
	q.kind = ASK_POINTS;
	assert_int_equal(walls_ask_as(walls.all, who, true, &q), ANSWER_OK);
	assert_int_equal(walls.all->nrows, expected.flows > 0);
}

/* Who watches flows come and go: where he is, in each of the two stores. */
struct stream {
	struct wire_question all, some;
};

static void
look_at_one(struct world *w, const struct walls_who *who, struct wire_question *q)
{
	assert_int_equal(walls_ask_as(w, who, true, q), ANSWER_OK);
	assert_true(w->has_cursor);
	q->cursor_len = w->cursor_len;
	memcpy(q->cursor, w->cursor, sizeof(q->cursor));
}

/* What came since the last look, of n flows. */
static void
compare_stream(struct stream *s, const struct walls_who *who, size_t n)
{
	look_at_one(walls.all, who, &s->all);
	look_at_one(walls.some, who, &s->some);
	same_answers(&s->all);
	assert_int_equal(walls.all->nrows, n);
}

/* Every `each`-th of them that he may see. */
static size_t
seen(const struct walls_who *who, const struct walls_traffic *t, size_t each)
{
	size_t n = 0;

	for (size_t i = 0; i < WALLS_FLOWS; i += each)
		n += walls_sees(who, &t->flow[i]);
	return n;
}

static struct walls_who
random_who(void)
{
	static const uint32_t tenants[] = { TENANT_PLATFORM, ALPHA, BETA, GAMMA };

	return (struct walls_who){ .tenant = tenants[randombytes_uniform(4)],
				   .n = 1 + randombytes_uniform(2),
				   .masked = randombytes_uniform(4) == 0 };
}

static void
a_part_is_what_a_filter_lets_through(void **state)
{
	static struct walls_traffic t;
	struct walls_who who = random_who();
	struct stream stream = { world_question(ASK_RECENT), world_question(ASK_RECENT) };

	(void)state;
	for (uint32_t i = 0; i < who.n; i++)
		who.narrowing[i] = walls_random_narrowing(i + 1, &who.lists[i]);
	world_policy(walls.all, who.narrowing, who.n);
	world_policy(walls.some, who.narrowing, who.n);
	stream.all.limit = stream.some.limit = 1000;
	compare_stream(&stream, &who, 0);
	walls_random_traffic(walls.all, &t);
	for (size_t i = 0; i < WALLS_FLOWS; i++) {
		walls_put(walls.all, &t.flow[i], false);
		if (walls_sees(&who, &t.flow[i]))
			walls_put(walls.some, &t.flow[i], false);
	}
	walls_pump(walls.all);
	walls_pump(walls.some);
	compare_stream(&stream, &who, seen(&who, &t, 1));
	compare_all(&who, true);
	compare_filters(&who, true);
	compare_sums(&who, &t);
	compare_ids(&who, &t);

	/* Half of them end, and are kept. */
	for (size_t i = 0; i < WALLS_FLOWS; i += 2) {
		walls_put(walls.all, &t.flow[i], true);
		if (walls_sees(&who, &t.flow[i]))
			walls_put(walls.some, &t.flow[i], true);
	}
	walls_pump(walls.all);
	walls_pump(walls.some);
	compare_stream(&stream, &who, seen(&who, &t, 2));
	compare_all(&who, false); /* they are not on disk yet */
	world_commit(walls.all);
	world_commit(walls.some);
	compare_all(&who, false);
	compare_filters(&who, false);
	compare_ids(&who, &t);
}

#define A_PART TEST(a_part_is_what_a_filter_lets_through)

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, walls_setup, walls_teardown)
	const struct CMUnitTest tests[] = {
		/* Each with a tenant, narrowings and flows of its own. */
		A_PART, A_PART, A_PART, A_PART, A_PART, A_PART, A_PART, A_PART, A_PART, A_PART,
		A_PART, A_PART, A_PART, A_PART, A_PART, A_PART, A_PART, A_PART, A_PART, A_PART,
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
