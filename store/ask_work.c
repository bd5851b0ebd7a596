/* Questions that are worked on beside the loop: who gets the answer, and who does not any more. */
#include <stdlib.h>

#include "ask.h"
#include "base/clock.h"
#include "base/mem.h"
#include "find.h"
#include "parked.h"

/* A question that is under way. */
struct ask_task {
	struct ask_task *next; /* in the store's list, which is short */
	struct store *s;
	struct question *a;
	const struct ask_work *work;
	void *ctx;
	uint64_t job;
	bool answered; /* or nobody wants to know: the work is still to come to its end */
	bool through;  /* it has, and waits until the asker takes answers again */
	bool here;     /* the loop works on it: it is given up at once */
	int64_t deadline_ns;
	enum job_end end;
};

static void
list_add(struct store *s, struct ask_task *t)
{
	t->next = s->tasks;
	s->tasks = t;
}

static void
list_remove(struct store *s, struct ask_task *t)
{
	struct ask_task **at = &s->tasks;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
}

static void
task_free(struct store *s, struct ask_task *t)
{
	list_remove(s, t);
	t->work->drop(t->ctx);
	question_drop(&t->a);
	free(t);
}

static void
refuse(struct ask_task *t, enum answer_status status)
{
	t->s->counters.n[OWN_QUESTIONS_REFUSED]++;
	t->answered = true;
	answer_end(&t->a->out, status, NULL, 0);
}

/* --- the threads' side
 * ------------------------------------------------------------------------------------------------------------
 */

static void
run(void *ctx, struct job *j, unsigned thread)
{
	const struct ask_task *t = ctx;
	struct find **f = &t->s->find[thread];

	if (*f == NULL)
		*f = find_new(t->s->history);
	(*f)->job = j;
	t->work->run(t->ctx, t->a, *f, j);
	(*f)->job = NULL;
}

/* --- the loop's side
 * -------------------------------------------------------------------------------------------------------------
 */

/* Whoever lost his right while it was worked on hears that, and nothing else. */
static void
answer(struct ask_task *t)
{
	struct store *s = t->s;
	enum answer_status status = grants_still(s->grants, &t->a->v.grant, s->now_ns, s->now_boot_ns);

	if (status != ANSWER_OK) {
		refuse(t, status);
		return;
	}
	t->answered = true;
	t->work->answer(s, t->a, t->ctx, t->end);
}

static void
done(void *ctx, enum job_end end)
{
	struct ask_task *t = ctx;

	t->end = end;
	/* Cancelled without a word to the asker: the store ends. */
	if (!t->answered && end != JOB_CANCELLED) {
		if (t->a->ready != NULL && !t->a->ready(t->a->out.ctx)) {
			t->through = true;
			return;
		}
		answer(t);
	}
	task_free(t->s, t);
}

void
ask_work(struct store *s, struct question *a, const struct ask_work *work, void *ctx)
{
	struct ask_task *t = mem_calloc(1, sizeof(*t));
	struct job_work w = { .kind = work->kind,
			      .tenant = a->v.tenant,
			      .deadline_ns = s->now_boot_ns + s->boot->settings.query_time_ms * NS_PER_MS,
			      .cost_most = (uint64_t)s->boot->settings.query_rows,
			      .run = run,
			      .done = done,
			      .ctx = t };

	*t = (struct ask_task){ .s = s, .a = question_hold(a), .work = work, .ctx = ctx };
	list_add(s, t);
	/* Without threads t is gone when this returns: it is not looked at again. */
	if (s->jobs == NULL) {
		jobs_submit(NULL, &w, NULL);
	} else if (!jobs_submit(s->jobs, &w, &t->job)) {
		s->counters.n[OWN_QUESTIONS_BUSY]++;
		answer_end(&a->out, ANSWER_BUSY, NULL, 0);
		task_free(s, t);
	}
}

struct ask_task *
ask_here(struct store *s, struct question *a, const struct ask_work *work, void *ctx)
{
	struct ask_task *t = mem_calloc(1, sizeof(*t));

	*t = (struct ask_task){ .s = s,
				.a = question_hold(a),
				.work = work,
				.ctx = ctx,
				.here = true,
				.deadline_ns = s->now_boot_ns + s->boot->settings.query_time_ms * NS_PER_MS };
	list_add(s, t);
	return t;
}

bool
ask_is_late(const struct ask_task *t)
{
	return t->s->now_boot_ns > t->deadline_ns;
}

void
ask_through(struct ask_task *t, enum job_end end)
{
	done(t, end);
}

void
ask_stopped(struct store *s, struct question *a, enum job_end end)
{
	bool late = end == JOB_LATE;

	s->counters.n[late ? OWN_QUESTIONS_LATE : OWN_QUESTIONS_COSTLY]++;
	answer_end(&a->out, late ? ANSWER_TIMEOUT : ANSWER_TOO_COSTLY, NULL, 0);
}

/* The answer has been given, or is not wanted. */
static void
give_up(struct store *s, struct ask_task *t)
{
	t->answered = true;
	if (t->through || t->here)
		task_free(s, t);
	else
		jobs_cancel(s->jobs, t->job);
}

void
ask_cancel(struct store *s, const void *asker, uint64_t request)
{
	s->counters.n[OWN_QUESTIONS_CANCELLED] += parked_cancel(s, asker, request);
	for (struct ask_task *t = s->tasks, *next; t != NULL; t = next) {
		next = t->next;
		if (t->a->out.ctx != asker || t->a->q.request != request || t->answered)
			continue;
		s->counters.n[OWN_QUESTIONS_CANCELLED]++;
		give_up(s, t);
	}
}

void
ask_gone(struct store *s, const void *asker)
{
	parked_forget(s, asker);
	for (struct ask_task *t = s->tasks, *next; t != NULL; t = next) {
		next = t->next;
		if (t->a->out.ctx != asker || t->answered)
			continue;
		s->counters.n[OWN_QUESTIONS_CANCELLED]++;
		give_up(s, t);
	}
}

void
ask_again_allowed(struct store *s)
{
	for (struct ask_task *t = s->tasks, *next; t != NULL; t = next) {
		enum answer_status status =
		    grants_still(s->grants, &t->a->v.grant, s->now_ns, s->now_boot_ns);

		next = t->next;
		if (t->answered || status == ANSWER_OK)
			continue;
		refuse(t, status);
		give_up(s, t);
	}
}

void
ask_turn(struct store *s)
{
	ask_again_allowed(s);
	for (struct ask_task *t = s->tasks, *next; t != NULL; t = next) {
		next = t->next;
		if (!t->through || !t->a->ready(t->a->out.ctx))
			continue;
		answer(t);
		task_free(s, t);
	}
}

void
ask_end_all(struct store *s)
{
	jobs_free(&s->jobs);
	for (struct ask_task *t = s->tasks, *next; t != NULL; t = next) {
		next = t->next;
		task_free(s, t);
	}
	for (size_t i = 0; i < ARRAY_LEN(s->find); i++)
		find_free(&s->find[i]);
}
