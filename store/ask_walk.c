/*
 * Questions that look through live flows, or what else is many. Where they are many, which they are is copied
 * when the question comes, and some are looked at in each turn of the loop: a slot that is another flow's by
 * its turn is judged as what it is then.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "ask.h"
#include "base/mem.h"
#include "orders.h"
#include "walks.h"

#define ROWS_A_TURN 4096u
#define ROWS_A_STEP 1024u /* of one, before the next one's turn */
#define AHEAD       16

struct walk {
	TAILQ_ENTRY(walk) entry;
	struct store *s;
	struct question *a;
	const struct ask_walk *w;
	void *ctx; /* NULL: the answer has taken it */
	struct ask_task *task;
	bool waits;                        /* for its turn */
	uint32_t *slot[STORE_ENGINES_MAX]; /* entries (slots.h); NULL: all below n; or items, as part 0 */
	uint32_t n[STORE_ENGINES_MAX];
	unsigned part, parts;
	uint32_t at;
};

struct walks {
	TAILQ_HEAD(, walk) list;
	unsigned n;
};

struct walks *
walks_new(void)
{
	struct walks *w = mem_calloc(1, sizeof(*w));

	TAILQ_INIT(&w->list);
	return w;
}

void
walks_free(struct walks **w)
{
	free(*w);
	*w = NULL;
}

static void
leave(struct walk *k)
{
	if (k->waits) {
		TAILQ_REMOVE(&k->s->walks->list, k, entry);
		k->s->walks->n--;
	}
	k->waits = false;
}

static void
drop(void *ctx)
{
	struct walk *k = ctx;

	leave(k);
	if (k->ctx != NULL)
		k->w->drop(k->ctx);
	for (unsigned i = 0; i < k->parts; i++)
		free(k->slot[i]);
	free(k);
}

static void
answer(struct store *s, struct question *a, void *ctx, enum job_end end)
{
	struct walk *k = ctx;
	void *found = k->ctx;

	if (end != JOB_DONE) {
		ask_stopped(s, a, end);
		return;
	}
	k->ctx = NULL;
	k->w->answer(s, a, found);
}

static bool
has_room(const struct store *s, uint32_t tenant)
{
	const struct walk *k;
	unsigned n = 0;

	TAILQ_FOREACH(k, &s->walks->list, entry)
	{
		n += k->a->v.tenant == tenant;
	}
	return s->walks->n < WALKS_MAX && n < WALKS_TENANT_MAX;
}

static void
copy_list(struct walk *k)
{
	struct live_part p;

	for (; k->parts < STORE_ENGINES_MAX && live_part(&k->a->v, LIVE_FLOWS, k->parts, &p); k->parts++) {
		k->n[k->parts] = p.n;
		if (p.entry == NULL)
			continue;
		k->slot[k->parts] = mem_reallocarray(NULL, (size_t)p.n + 1, sizeof(*p.entry));
		memcpy(k->slot[k->parts], p.entry, p.n * sizeof(*p.entry));
	}
}

static void
walk_here(struct store *s, struct question *a, const struct ask_walk *w, void *ctx)
{
	struct flow_walk at = { 0 };
	const struct live_flow *r;
	const struct engine *e;

	while (view_next_flow(&a->v, &at, &e, &r) && w->row(ctx, a, e, r))
		;
	w->answer(s, a, ctx);
}

/* NULL: there is no room, and that is answered. */
static struct walk *
begin(struct store *s, struct question *a, const struct ask_walk *w, void *ctx)
{
	struct walk *k;

	if (!has_room(s, a->v.tenant)) {
		s->counters.n[OWN_QUESTIONS_BUSY]++;
		answer_end(&a->out, ANSWER_BUSY, NULL, 0);
		w->drop(ctx);
		return NULL;
	}
	k = mem_calloc(1, sizeof(*k));
	*k = (struct walk){ .s = s, .a = a, .w = w, .ctx = ctx, .waits = true };
	TAILQ_INSERT_TAIL(&s->walks->list, k, entry);
	s->walks->n++;
	return k;
}

static const struct ask_work walking = { .answer = answer, .drop = drop };

void
ask_walk(struct store *s, struct question *a, const struct ask_walk *w, void *ctx)
{
	struct walk *k;

	if (s->jobs == NULL || (w->cost == NULL && !orders_are_for(&a->v, LIVE_FLOWS))) {
		walk_here(s, a, w, ctx);
		return;
	}
	k = begin(s, a, w, ctx);
	if (k == NULL)
		return;
	copy_list(k);
	k->task = ask_here(s, a, &walking, k);
}

void
ask_walk_items(struct store *s, struct question *a, const struct ask_walk *w, const uint32_t *items,
	       uint32_t n, void *ctx)
{
	struct walk *k;

	if (s->jobs == NULL || n <= ROWS_A_STEP) {
		for (uint32_t i = 0; i < n; i++)
			w->item(ctx, s, a, items[i]);
		w->answer(s, a, ctx);
		return;
	}
	k = begin(s, a, w, ctx);
	if (k == NULL)
		return;
	k->parts = 1;
	k->n[0] = n;
	k->slot[0] = mem_reallocarray(NULL, n, sizeof(*items));
	memcpy(k->slot[0], items, n * sizeof(*items));
	k->task = ask_here(s, a, &walking, k);
}

static uint32_t
nth(const struct walk *k, uint32_t i)
{
	const uint32_t *slot = k->slot[k->part];

	return slot == NULL ? i : slots_slot(slot[i]);
}

static bool
step_items(struct walk *k, unsigned budget)
{
	for (; budget > 0 && k->at < k->n[0]; budget--)
		k->w->item(k->ctx, k->s, k->a, k->slot[0][k->at++]);
	return k->at < k->n[0];
}

static unsigned
less_cost(const struct walk *k, unsigned budget)
{
	uint64_t cost = k->w->cost == NULL ? 0 : k->w->cost(k->ctx);

	return cost < budget ? budget - (unsigned)cost : 0;
}

/* False: it is through. */
static bool
step(struct walk *k, unsigned budget)
{
	const struct view *v = &k->a->v;

	if (k->w->item != NULL)
		return step_items(k, budget);
	for (; k->part < k->parts; k->part++, k->at = 0) {
		const struct engine *e = &k->s->engine[k->part];

		for (; k->at < k->n[k->part]; k->at++) {
			const struct live_flow *r = &e->live.flow[nth(k, k->at)];

			if (budget-- == 0)
				return true;
			if (k->at + AHEAD < k->n[k->part])
				live_expect(v, LIVE_FLOWS, k->part, nth(k, k->at + AHEAD));
			if (view_sees_flow(v, &e->live, r) && !k->w->row(k->ctx, k->a, e, r))
				return false;
			budget = less_cost(k, budget);
		}
	}
	return false;
}

bool
walks_turn(struct store *s)
{
	for (unsigned rows = 0; rows < ROWS_A_TURN; rows += ROWS_A_STEP) {
		struct walk *k = TAILQ_FIRST(&s->walks->list);

		if (k == NULL)
			return false;
		if (ask_is_late(k->task)) {
			leave(k);
			ask_through(k->task, JOB_LATE);
		} else if (step(k, ROWS_A_STEP)) {
			TAILQ_REMOVE(&s->walks->list, k, entry);
			TAILQ_INSERT_TAIL(&s->walks->list, k, entry);
		} else {
			leave(k);
			ask_through(k->task, JOB_DONE);
		}
	}
	return !TAILQ_EMPTY(&s->walks->list);
}
