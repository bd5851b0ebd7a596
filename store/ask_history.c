/* Questions about what was: kept flows, one flow with all its slices. Their rows are found beside the loop,
 * and become an answer in it, which alone knows names. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/mem.h"
#include "find.h"
#include "kept_rows.h"
#include "sum.h"
#include "waiting.h"

#define VISITS_MAX 20000 /* rows that one question may look at; the cursor leads on */
#define SLICES_MAX 1000

/* The slice that a flow is in. */
struct live_slice {
	struct rec_flow f;
	uint32_t tenant;
	uint64_t rate[2];
	char text[FLOW_TEXT_MAX];
};

/* What is found of a question. */
struct listing {
	const struct question *a;
	struct flow_query q;
	bool has_application;
	uint16_t application;
	struct kept_rows rows;
	struct flow_id id;       /* one flow */
	struct live_slice *live; /* NULL: it is not */
	unsigned most, n;
	struct kept_flow *row; /* each one's texts are one piece of memory */
	/* What was not on disk when the question came, in the order of the answer; by then it may be. */
	unsigned nwaiting, waiting_room;
	struct kept_flow *waiting;
	struct flow_position begin, last;
	bool finished;
	enum db_status status;
};

static struct listing *
listing_new(const struct question *a, unsigned most)
{
	struct listing *l = mem_calloc(1, sizeof(*l));

	l->a = a;
	l->most = most;
	l->row = mem_calloc(most, sizeof(*l->row));
	l->status = DB_OK;
	return l;
}

static void
rows_free(struct kept_flow *row, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free((void *)(uintptr_t)row[i].texts.server_name);
	free(row);
}

static void
listing_drop(void *ctx)
{
	struct listing *l = ctx;

	rows_free(l->row, l->n);
	rows_free(l->waiting, l->nwaiting);
	free(l->live);
	free(l);
}

static void
keep(struct kept_flow *out, uint32_t tenant, const struct rec_flow *f, const struct flow_texts *texts)
{
	size_t name = f->server_name_len, info = f->info_len, attributes = f->attributes_len;
	char *text = mem_calloc(name + info + attributes + 1, 1);

	memcpy(text, texts->server_name, name);
	memcpy(text + name, texts->info, info);
	memcpy(text + name + info, texts->attributes, attributes);
	*out = (struct kept_flow){ .tenant = tenant, .f = *f, .texts = flow_texts_of(f, text) };
}

/* False: there is room for no more. */
static bool
listing_add(struct listing *l, const struct kept_flow *k)
{
	keep(&l->row[l->n], k->tenant, &k->f, &k->texts);
	return ++l->n < l->most;
}

static void
waiting_add(struct listing *l, uint32_t tenant, const struct rec_flow *f, const struct flow_texts *texts)
{
	if (l->nwaiting == l->waiting_room) {
		l->waiting_room = 2 * l->waiting_room + 16;
		l->waiting = mem_reallocarray(l->waiting, l->waiting_room, sizeof(*l->waiting));
	}
	keep(&l->waiting[l->nwaiting++], tenant, f, texts);
}

static void
put(struct store *s, struct question *a, const struct kept_flow *k)
{
	ask_put_flow(s, a, k->tenant, &k->f, &k->texts, NULL);
}

/* --- kept flows by time
 * ------------------------------------------------------------------------------------------------------- */

static bool
may_list(void *ctx, struct block_reader *r, const struct block *b)
{
	return kept_rows_may_match(ctx, r, b);
}

static bool
match_list(void *ctx, struct columns *c, const uint32_t *tenant, uint8_t *wanted)
{
	return kept_rows_match(ctx, c, tenant, wanted);
}

static bool
list_kept(void *ctx, const struct kept_flow *k)
{
	struct listing *l = ctx;

	if (!view_admits(&l->a->v, &k->f) ||
	    !ask_wants_flow(l->a, &k->f, k->texts.server_name, k->tenant, l->has_application, l->application))
		return true;
	return listing_add(l, k);
}

/* A position as a cursor holds it, with the id as the viewer knows it; and back. */
static void
entry_of(const struct view *v, const struct flow_position *p, struct topk_entry *e)
{
	struct flow_id id = flow_id_veil(&v->id, &p->id);

	*e = (struct topk_entry){ .value = (uint64_t)p->last_ns, .tenant = p->tenant };
	memcpy(e->tie, id.b, sizeof(id.b));
	memcpy(e->tie + sizeof(id.b), &p->slice, sizeof(p->slice));
}

static void
position_of(const struct view *v, const struct topk_entry *e, struct flow_position *p)
{
	struct flow_id id;

	memcpy(id.b, e->tie, sizeof(id.b));
	memcpy(&p->slice, e->tie + sizeof(id.b), sizeof(p->slice));
	p->id = flow_id_unveil(&v->id, &id);
	p->last_ns = (int64_t)e->value;
	p->tenant = e->tenant;
}

static void
find_kept(void *ctx, const struct question *a, struct find *f, struct job *j)
{
	struct listing *l = ctx;
	const struct block_test test = { may_list, match_list, &l->rows };

	(void)j; /* f has it */
	kept_rows_begin(&l->rows, &a->v, a->filter, a->q.point);
	l->q.test = &test;
	l->status = history_flows(f, &l->q, list_kept, l, &l->last, &l->finished);
	kept_rows_end(&l->rows);
}

static struct flow_position
position_at(const struct kept_flow *k)
{
	return (struct flow_position){ k->f.last_ns, k->f.id, k->f.slice, k->tenant };
}

/* Which of both is next: below 0 what is on disk, above 0 what waited, 0 one that is both. */
static int
next_of(const struct listing *l, unsigned i, unsigned j)
{
	struct flow_position kept, waited;

	if (j == l->nwaiting)
		return -1;
	waited = position_at(&l->waiting[j]);
	if (i == l->n)
		return 1;
	kept = position_at(&l->row[i]);
	return find_compare(&waited, &kept);
}

/* Puts both, newest end first, as far as they were looked for and there is room. *last: the last one. True
 * where some are left. */
static bool
put_both(struct store *s, struct question *a, const struct listing *l, struct flow_position *last)
{
	unsigned i = 0, j = 0;

	for (unsigned n = 0; i < l->n || j < l->nwaiting; n++) {
		int which = next_of(l, i, j);
		const struct kept_flow *k = which > 0 ? &l->waiting[j] : &l->row[i];
		struct flow_position at = position_at(k);

		/* On disk there may be newer ones behind where it was given up. */
		if (which > 0 && !l->finished && find_compare(&at, &l->last) < 0)
			return false;
		if (n == l->most)
			return true;
		put(s, a, k);
		*last = at;
		i += which <= 0;
		j += which >= 0;
	}
	return false;
}

/* What was found before it was stopped is an answer, and a cursor leads on. */
static void
answer_kept(struct store *s, struct question *a, void *ctx, enum job_end end)
{
	struct listing *l = ctx;
	struct flow_position last = l->last;
	struct topk_entry at;
	bool left;

	if (end != JOB_DONE && find_compare(&l->last, &l->begin) == 0) {
		ask_stopped(s, a, end);
		return;
	}
	left = put_both(s, a, l, &last);
	if (l->status != DB_OK || (l->finished && !left)) {
		ask_history_end(a, l->status);
		return;
	}
	entry_of(&a->v, left ? &last : &l->last, &at);
	ask_end_page(s, a, ASK_FLOWS | PAGE_HISTORY, &at);
}

/* Before the newest. */
static struct flow_position
newest(void)
{
	struct flow_position p = { .last_ns = INT64_MAX, .slice = UINT32_MAX, .tenant = UINT32_MAX };

	memset(p.id.b, 0xff, sizeof(p.id.b));
	return p;
}

/* What the question says of rows. */
static void
want(struct listing *l, const struct question *a)
{
	l->q = (struct flow_query){ .tenant = a->v.tenant,
				    .from_ns = a->q.from_ns > a->v.since_ns ? a->q.from_ns : a->v.since_ns,
				    .to_ns = a->q.to_ns == 0 ? INT64_MAX : a->q.to_ns,
				    .visits = VISITS_MAX };
	/* What can be skipped on disk; list_kept looks at each row all the same. */
	l->q.filter = (struct block_want){ .has_ip = a->q.has_ip != 0,
					   .ip = a->q.ip,
					   .has_application = l->has_application,
					   .application = l->application,
					   .has_point = a->q.point != ANY_POINT,
					   .point = a->q.point };
	l->begin = newest();
	if (a->has_page) {
		position_of(&a->v, &a->page.at, &l->begin);
		l->q.after = &l->begin;
	}
	l->last = l->begin;
}

/* A slice in a batch. */
struct ended {
	struct flow_position at;
	const struct rec_flow *f;
	struct flow_texts texts;
};

struct ended_list {
	const struct listing *l;
	struct ended *e;
	size_t n, room;
};

static void
note_ended(void *ctx, uint32_t whose, const struct rec_flow *f, const struct flow_texts *texts)
{
	struct ended_list *list = ctx;
	const struct flow_query *q = &list->l->q;
	struct ended e = { { f->last_ns, f->id, f->slice, whose }, f, *texts };

	if (f->last_ns < q->from_ns || f->last_ns >= q->to_ns ||
	    (q->after != NULL && find_compare(&e.at, q->after) >= 0))
		return;
	if (list->n == list->room) {
		list->room = 2 * list->room + 64;
		list->e = mem_reallocarray(list->e, list->room, sizeof(*list->e));
	}
	list->e[list->n++] = e;
}

static int
newest_first(const void *a, const void *b)
{
	return find_compare(&((const struct ended *)b)->at, &((const struct ended *)a)->at);
}

/* What ended and is not on disk yet. */
static void
meet_waiting(struct store *s, const struct question *a, struct listing *l)
{
	struct ended_list list = { .l = l };

	waiting_each(s, a->v.tenant, note_ended, &list);
	if (list.n > 1)
		qsort(list.e, list.n, sizeof(*list.e), newest_first);
	for (size_t i = 0; i < list.n && l->nwaiting <= l->most; i++) {
		const struct ended *e = &list.e[i];

		if (view_admits(&a->v, e->f) && ask_wants_flow(a, e->f, e->texts.server_name, e->at.tenant,
							       l->has_application, l->application))
			waiting_add(l, e->at.tenant, e->f, &e->texts);
	}
	free(list.e);
}

/* Kept flows come by their end, newest first, whatever order is asked for. */
void
ask_kept_flows(struct store *s, struct question *a)
{
	static const struct ask_work work = { JOB_HISTORY, find_kept, answer_kept, listing_drop };
	uint16_t application = 0;
	struct listing *l;

	if (a->has_page && a->page.kind != (ASK_FLOWS | PAGE_HISTORY)) {
		answer_end(&a->out, ANSWER_BAD_QUESTION, NULL, 0);
		return;
	}
	if (a->q.key_len > 0 && !ask_application(s, a, &application)) {
		ask_end(a);
		return;
	}
	l = listing_new(a, a->limit);
	l->has_application = a->q.key_len > 0;
	l->application = application;
	want(l, a);
	meet_waiting(s, a, l);
	ask_work(s, a, &work, l);
}

/* --- one flow
 * ------------------------------------------------------------------------------------------------------------------
 */

static bool
list_slice(void *ctx, const struct kept_flow *k)
{
	struct listing *l = ctx;

	if (!view_admits(&l->a->v, &k->f) || k->f.last_ns < l->a->v.since_ns)
		return true;
	return listing_add(l, k);
}

/* The live row of an id, as it is when it is met. */
static bool
meet_live(void *ctx, const struct question *a, const struct engine *e, const struct live_flow *r)
{
	struct listing *l = ctx;
	struct live_slice *k;

	if (memcmp(&r->id, &l->id, sizeof(l->id)) != 0)
		return true;
	k = l->live = mem_calloc(1, sizeof(*k));
	live_record(&e->live, r, &a->v.s->points, &k->f);
	live_text(&e->live, r, k->text);
	k->tenant = r->stamp.tenant;
	for (int i = 0; i < 2; i++)
		k->rate[i] = rate_at(&r->rate, a->v.rate_second, i);
	return false;
}

static void
put_live(struct store *s, struct question *a, const struct live_slice *k)
{
	const struct flow_texts texts = flow_texts_of(&k->f, k->text);

	ask_put_flow(s, a, k->tenant, &k->f, &texts, k->rate);
}

static void
find_slices(void *ctx, const struct question *a, struct find *f, struct job *j)
{
	struct listing *l = ctx;

	(void)j; /* f has it */
	l->status = history_flow(f, a->v.tenant, &l->id, SLICES_MAX, list_slice, l);
}

static bool
has_slice(const struct listing *l, uint32_t slice)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->row[i].f.slice == slice)
			return true;
	return false;
}

static void
answer_slices(struct store *s, struct question *a, void *ctx, enum job_end end)
{
	struct listing *l = ctx;

	if (end != JOB_DONE) {
		ask_stopped(s, a, end);
	} else if (l->live == NULL && l->n == 0 && l->nwaiting == 0) {
		answer_end(&a->out, l->status == DB_OK ? ANSWER_NOT_FOUND : ANSWER_HISTORY_DOWN, NULL, 0);
	} else {
		if (l->live != NULL)
			put_live(s, a, l->live);
		for (unsigned i = 0; i < l->n; i++)
			put(s, a, &l->row[i]);
		for (unsigned i = 0; i < l->nwaiting; i++)
			if (!has_slice(l, l->waiting[i].f.slice))
				put(s, a, &l->waiting[i]);
		ask_end(a);
	}
}

static void
meet_slice(void *ctx, uint32_t whose, const struct rec_flow *f, const struct flow_texts *texts)
{
	struct listing *l = ctx;

	if (memcmp(&f->id, &l->id, sizeof(l->id)) == 0 && f->last_ns >= l->a->v.since_ns &&
	    view_admits(&l->a->v, f) && l->nwaiting < l->most)
		waiting_add(l, whose, f, texts);
}

static void
live_met(struct store *s, struct question *a, void *ctx)
{
	static const struct ask_work work = { JOB_HISTORY, find_slices, answer_slices, listing_drop };
	struct listing *l = ctx;

	waiting_each(s, a->v.tenant, meet_slice, l);
	ask_work(s, a, &work, l);
}

/* The live row is looked for first: a flow that ends meanwhile is not in history yet. */
void
ask_flow(struct store *s, struct question *a)
{
	static const struct ask_walk walk = { .row = meet_live, .answer = live_met, .drop = listing_drop };
	struct listing *l = listing_new(a, SLICES_MAX);

	l->id = flow_id_unveil(&a->v.id, &a->q.flow);
	ask_walk(s, a, &walk, l);
}
