/* Questions that are worked on beside the loop: what they answer, and what becomes of them when the world
 * changes meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ask.h"
#include "base/clock.h"
#include "base/mem.h"
#include "commit.h"
#include "known.h"
#include "part_memory.h"
#include "store_world.h"

#define FLOWS   300u
#define WAIT_MS 20000

/* What one asker heard. */
struct heard {
	unsigned answers, messages;
	enum answer_status status;
	uint32_t nrows;
	size_t len;
	uint8_t rows[1 << 20];
	bool takes;
};

static struct world *w;
static struct heard here, beside;

static void
hear(void *ctx, const void *body, size_t len)
{
	struct heard *h = ctx;
	struct wire_answer a;

	memcpy(&a, body, sizeof(a));
	h->messages++;
	h->answers += a.more == 0;
	h->status = (enum answer_status)a.status;
	h->nrows += a.nrows;
	len -= sizeof(a);
	assert_true(len <= sizeof(h->rows) - h->len);
	memcpy(h->rows + h->len, (const uint8_t *)body + sizeof(a), len);
	h->len += len;
}

static bool
takes(const void *ctx)
{
	return ((const struct heard *)ctx)->takes;
}

static void
ask_as(struct heard *h, struct grant *g, const struct wire_question *question)
{
	struct asker who = { PROC_HTTPD, 0, hear, h, takes };
	uint8_t body[sizeof(struct wire_question) + GRANT_BYTES_MAX];
	struct wire_question q = *question;

	memset(h, 0, sizeof(*h));
	h->takes = true;
	grants_heard(w->s->grants, clock_boot_ns());
	q.grant_len = (uint32_t)world_grant_as(w, g, true, body + sizeof(q));
	memcpy(body, &q, sizeof(q));
	ask(w->s, &who, body, sizeof(q) + q.grant_len);
}

static struct wire_question
kept_flows(uint64_t request)
{
	struct wire_question q = world_question(ASK_FLOWS);

	q.request = request;
	q.from_ns = 1;
	q.limit = 100;
	return q;
}

static void
turn(void)
{
	store_clock(w->s);
	jobs_turn(w->s->jobs, w->s->now_boot_ns);
	ask_turn(w->s);
}

static void
wait_answered(const struct heard *h)
{
	for (int i = 0; i < WAIT_MS && h->answers == 0; i++) {
		jobs_wait(w->s->jobs, 1);
		turn();
	}
	assert_int_equal(h->answers, 1);
}

/* --- a thread that is busy with something else --- */

static struct {
	_Atomic bool works, may_end;
	bool ended;
} blocker;

static void
block(void *ctx, struct job *j, unsigned thread)
{
	(void)ctx;
	(void)thread;
	atomic_store(&blocker.works, true);
	while (!atomic_load(&blocker.may_end) && !job_should_stop(j))
		(void)usleep(500);
}

static void
unblocked(void *ctx, enum job_end end)
{
	(void)ctx;
	(void)end;
	blocker.ended = true;
}

static void
begin_blocking(void)
{
	struct job_work b = { .kind = JOB_HISTORY, .tenant = 999, .run = block, .done = unblocked };

	atomic_store(&blocker.works, false);
	atomic_store(&blocker.may_end, false);
	blocker.ended = false;
	assert_true(jobs_submit(w->s->jobs, &b, NULL));
	for (int i = 0; i < WAIT_MS && !atomic_load(&blocker.works); i++)
		(void)usleep(1000);
	assert_true(atomic_load(&blocker.works));
}

static void
end_blocking(void)
{
	atomic_store(&blocker.may_end, true);
	for (int i = 0; i < WAIT_MS && !blocker.ended; i++) {
		jobs_wait(w->s->jobs, 1);
		turn();
	}
	assert_true(blocker.ended);
}

/* --- the world --- */

static void
threads(unsigned n)
{
	w->s->jobs = jobs_new(n);
	jobs_start(w->s->jobs);
}

static int
set_up(void **state)
{
	(void)state;
	w = world_new(64 << 20, 0);
	world_engine(w, 0, 1);
	for (uint64_t i = 1; i <= FLOWS; i++) {
		struct rec_flow f = i % 3 == 0 ? world_flow(w, i, ETH1, "10.2.0.9", "198.51.100.7")
					       : world_flow(w, i, ETH0, "10.1.0.9", "198.51.100.7");

		f.last_ns += (int64_t)i * NS_PER_MS;
		f.end_reason = END_IDLE;
		f.server_name_len = 11;
		f.info_len = i % 2 == 0 ? 4 : 0;
		world_put(w, 0, REC_FLOW_END, &f, sizeof(f), i % 2 == 0 ? "example.com/abc" : "example.com");
		world_pump(w);
	}
	world_commit(w);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	world_free(w);
	return 0;
}

/* --- tests --- */

static void
beside_answers_as_at_once(void **state)
{
	struct grant a = world_grant_plain(w, ALPHA), b = world_grant_plain(w, TENANT_PLATFORM);
	struct wire_question q = kept_flows(1), one = world_question(ASK_FLOW);
	struct row_flow first;

	(void)state;
	ask_as(&here, &a, &q);
	assert_int_equal(here.answers, 1);
	assert_int_equal(here.nrows, 100);
	threads(2);
	ask_as(&beside, &a, &q);
	assert_int_equal(beside.answers, 0); /* the loop goes on */
	wait_answered(&beside);
	assert_int_equal(beside.status, ANSWER_OK);
	assert_int_equal(beside.len, here.len);
	assert_memory_equal(beside.rows, here.rows, here.len);
	ask_as(&beside, &b, &q);
	wait_answered(&beside);
	assert_int_equal(beside.nrows, 100);
	/* One of them, by its id as the tenant knows it. */
	memcpy(&first, here.rows + sizeof(uint32_t), sizeof(first));
	one.flow = first.flow.id;
	ask_as(&beside, &a, &one);
	wait_answered(&beside);
	assert_int_equal(beside.status, ANSWER_OK);
	assert_int_equal(beside.nrows, 1);
	one.flow.b[0] ^= 1;
	ask_as(&beside, &a, &one);
	wait_answered(&beside);
	assert_int_equal(beside.status, ANSWER_NOT_FOUND);
}

/* However few points a page shows: it is all of the range that may have to be looked through for them. */
static void
a_long_range_is_looked_through_beside(void **state)
{
	struct grant a = world_grant_plain(w, ALPHA);
	struct wire_question q = world_question(ASK_SERIES);

	(void)state;
	q.subject = SERIES_TENANT;
	q.resolution_s = 60;
	q.limit = 1;
	q.to_ns = w->s->now_ns - 86400 * NS_PER_S; /* when there was nothing */
	q.from_ns = q.to_ns - 600 * NS_PER_S;
	threads(1);
	ask_as(&beside, &a, &q);
	assert_int_equal(beside.answers, 1);
	q.from_ns = q.to_ns - 10 * 86400 * NS_PER_S;
	ask_as(&beside, &a, &q);
	assert_int_equal(beside.answers, 0);
	wait_answered(&beside);
	assert_int_equal(beside.status, ANSWER_OK);
	assert_int_equal(beside.nrows, 0);
}

/* Whoever is not allowed any more hears nothing of what was found. */
static void
revoked_meanwhile(void **state)
{
	struct grant a = world_grant_plain(w, ALPHA);
	struct wire_question q = kept_flows(1);

	(void)state;
	threads(1);
	begin_blocking();
	ask_as(&beside, &a, &q);
	turn();
	assert_int_equal(beside.answers, 0);
	grants_revoke(w->s->grants, a.id);
	ask_again_allowed(w->s);
	assert_int_equal(beside.answers, 1); /* before anything is confirmed */
	assert_int_equal(beside.status, ANSWER_NOT_GRANTED);
	assert_int_equal(beside.nrows, 0);
	end_blocking();
	turn();
	assert_int_equal(beside.answers, 1);
	assert_null(w->s->tasks);
	/* Between the end of the work and the answer. */
	a = world_grant_plain(w, ALPHA);
	ask_as(&beside, &a, &q);
	assert_true(jobs_wait(w->s->jobs, WAIT_MS));
	grants_revoke(w->s->grants, a.id);
	turn();
	assert_int_equal(beside.answers, 1);
	assert_int_equal(beside.status, ANSWER_NOT_GRANTED);
	assert_int_equal(beside.nrows, 0);
}

static void
silence_of_authd_ends_what_runs(void **state)
{
	struct grant a = world_grant_plain(w, ALPHA);
	struct wire_question q = kept_flows(1);

	(void)state;
	threads(1);
	begin_blocking();
	ask_as(&beside, &a, &q);
	store_clock(w->s);
	w->s->now_boot_ns += GRANTS_SILENCE_NS + NS_PER_S;
	ask_turn(w->s);
	assert_int_equal(beside.answers, 1);
	assert_int_equal(beside.status, ANSWER_UNAVAILABLE);
	end_blocking();
	assert_int_equal(beside.answers, 1);
}

/* A narrowed grant goes on by the policy that it was asked under, though a newer one has come. */
static void
policy_changes_meanwhile(void **state)
{
	char eth0[1][64] = { "eth0" };
	const struct narrowing only = { .number = 7, .masked = true, .ninterfaces = 1, .interfaces = eth0 };
	struct wire_question q = kept_flows(1);
	struct grant a;

	(void)state;
	world_policy(w, &only, 1);
	a = world_grant_plain(w, ALPHA);
	a.nnarrowings = 1;
	a.narrowing[0] = 7;
	ask_as(&here, &a, &q);
	assert_int_equal(here.status, ANSWER_OK);
	assert_int_equal(here.nrows, 100);
	threads(1);
	begin_blocking();
	ask_as(&beside, &a, &q);
	for (int i = 0; i < 3; i++)
		world_policy(w, &only, 1);
	end_blocking();
	wait_answered(&beside);
	assert_int_equal(beside.status, ANSWER_OK);
	assert_int_equal(beside.len, here.len);
	assert_memory_equal(beside.rows, here.rows, here.len);
	/* Where the newer one does not have the narrowing, it is not answered. */
	begin_blocking();
	a = world_grant_plain(w, ALPHA);
	a.nnarrowings = 1;
	a.narrowing[0] = 7;
	ask_as(&beside, &a, &q);
	world_policy(w, NULL, 0);
	end_blocking();
	wait_answered(&beside);
	assert_int_equal(beside.status, ANSWER_NOT_GRANTED);
	assert_int_equal(beside.nrows, 0);
}

/* Sums of a part that find no room are refused whole, and what they held is free again. */
static void
a_part_that_is_too_much_is_refused(void **state)
{
	static const enum question_kind lists[] = { ASK_HOSTS, ASK_HOST, ASK_DEVICES };
	char eth0[1][64] = { "eth0" };
	const struct narrowing only = { .number = 7, .ninterfaces = 1, .interfaces = eth0 };
	struct rec_flow f = world_flow(w, FLOWS + 1, ETH0, "10.1.0.1", "192.0.2.9");
	struct grant a;

	(void)state;
	f.mac[CLIENT][0] = 2;
	f.end_reason = END_NONE;
	world_put(w, 0, REC_FLOW_OPEN, &f, sizeof(f), NULL);
	world_pump(w);
	world_policy(w, &only, 1);
	a = world_grant_plain(w, ALPHA);
	a.nnarrowings = 1;
	a.narrowing[0] = 7;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct wire_question q = world_question(lists[i]);

		q.has_ip = lists[i] == ASK_HOST;
		q.ip = f.ip[CLIENT];
		for (unsigned round = 0; round < 3; round++) {
			part_memories_free(&w->s->part_memories);
			/* None; enough to be met, but not for its details; all. */
			w->s->part_memories = part_memories_new(round == 2 ? PART_MEMORY_MAX : round * 32768);
			ask_as(&here, &a, &q);
			assert_int_equal(here.status, round == 0 ? ANSWER_BUSY : ANSWER_OK);
			assert_int_equal(here.nrows == 0, round == 0);
		}
	}
}

static void
cancelled_and_gone_hear_nothing(void **state)
{
	struct grant a = world_grant_plain(w, ALPHA);
	struct wire_question first = kept_flows(1), second = kept_flows(2);
	static struct heard other;

	(void)state;
	threads(1);
	begin_blocking();
	ask_as(&beside, &a, &first);
	ask_as(&other, &a, &second);
	ask_cancel(w->s, &beside, 2); /* another's number */
	ask_cancel(w->s, &other, 1);
	ask_cancel(w->s, &beside, 1);
	ask_cancel(w->s, &beside, 1);
	assert_int_equal(w->s->counters.n[OWN_QUESTIONS_CANCELLED], 1);
	end_blocking();
	wait_answered(&other);
	assert_int_equal(beside.messages, 0);
	begin_blocking();
	ask_as(&beside, &a, &first);
	ask_as(&other, &a, &second);
	ask_gone(w->s, &beside);
	end_blocking();
	wait_answered(&other);
	assert_int_equal(beside.messages, 0);
	turn();
	assert_null(w->s->tasks);
}

/* Nothing is piled up for an asker that does not take it. */
static void
slow_askers_are_waited_for(void **state)
{
	struct grant a = world_grant_plain(w, ALPHA);
	struct wire_question q = kept_flows(5);

	(void)state;
	threads(1);
	ask_as(&beside, &a, &q);
	beside.takes = false;
	assert_true(jobs_wait(w->s->jobs, WAIT_MS));
	turn();
	turn();
	assert_int_equal(beside.messages, 0);
	beside.takes = true;
	turn();
	assert_int_equal(beside.answers, 1);
	assert_int_equal(beside.nrows, 100);
	/* ... unless it goes, or is not allowed any more. */
	ask_as(&beside, &a, &q);
	beside.takes = false;
	assert_true(jobs_wait(w->s->jobs, WAIT_MS));
	turn();
	ask_cancel(w->s, &beside, 5);
	assert_null(w->s->tasks);
	beside.takes = true;
	turn();
	assert_int_equal(beside.messages, 0);
}

static void
bounds_have_their_answers(void **state)
{
	struct grant a = world_grant_plain(w, ALPHA), b = world_grant_plain(w, BETA);
	struct wire_question q = kept_flows(1);
	static struct heard many[JOBS_TENANT_MAX];

	(void)state;
	/* What counts are the tenant's own rows: beta has 100, alpha 200, and they share their blocks. */
	w->boot.settings.query_rows = 150;
	ask_as(&here, &b, &q);
	assert_int_equal(here.status, ANSWER_OK);
	assert_int_equal(here.nrows, 100);
	ask_as(&here, &a, &q);
	assert_int_equal(here.status, ANSWER_TOO_COSTLY);
	assert_int_equal(here.nrows, 0);
	assert_int_equal(w->s->counters.n[OWN_QUESTIONS_COSTLY], 1);
	w->boot.settings.query_rows = 1000;
	threads(1);
	begin_blocking();
	w->boot.settings.query_time_ms = 20;
	ask_as(&beside, &a, &q);
	wait_answered(&beside);
	assert_int_equal(beside.status, ANSWER_TIMEOUT);
	assert_int_equal(w->s->counters.n[OWN_QUESTIONS_LATE], 1);
	w->boot.settings.query_time_ms = 50000;
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		ask_as(&many[i], &a, &q);
		assert_int_equal(many[i].answers, 0);
	}
	ask_as(&beside, &a, &q);
	assert_int_equal(beside.answers, 1);
	assert_int_equal(beside.status, ANSWER_BUSY);
	assert_int_equal(w->s->counters.n[OWN_QUESTIONS_BUSY], 1);
	end_blocking();
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		wait_answered(&many[i]);
}

/* Several threads read while the loop writes, learns, and takes policies: for the thread sanitizer. */
static void
all_at_once(void **state)
{
	struct grant a = world_grant_plain(w, ALPHA), b = world_grant_plain(w, BETA),
		     c = world_grant_plain(w, TENANT_PLATFORM);
	struct grant *const who[] = { &a, &b, &c };
	static struct heard h[12];
	struct wire_question q = kept_flows(1), top = world_question(ASK_GROUPS);

	(void)state;
	top.grouping.dimension[0] = DIMENSION_SERVER_COUNTRY;
	top.grouping.measure = MEASURE_BYTES;
	threads(3);
	for (uint64_t round = 0; round < 10; round++) {
		for (size_t i = 0; i < ARRAY_LEN(h); i++)
			ask_as(&h[i], who[i % 3], i < 8 ? &q : &top);
		for (uint64_t i = 0; i < 20; i++) {
			struct rec_host place = { .as_number = 7 };
			struct rec_flow f =
			    world_flow(w, 1000 + round * 20 + i, ETH0, "10.1.0.8", "192.0.2.1");

			f.end_reason = END_IDLE;
			world_put(w, 0, REC_FLOW_END, &f, sizeof(f), NULL);
			place.ip = f.ip[SERVER];
			(void)places_learn(w->s->places, &place, "");
		}
		world_pump(w);
		world_commit(w);
		world_policy(w, NULL, 0);
		for (size_t i = 0; i < ARRAY_LEN(h); i++) {
			wait_answered(&h[i]);
			assert_int_equal(h[i].status, ANSWER_OK);
			assert_true(h[i].nrows > 0);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(beside_answers_as_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_long_range_is_looked_through_beside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(revoked_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(silence_of_authd_ends_what_runs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(policy_changes_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_part_that_is_too_much_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cancelled_and_gone_hear_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(slow_askers_are_waited_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bounds_have_their_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_at_once, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
