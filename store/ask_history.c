/* Questions about what was: kept flows, one flow with all its slices. Their rows are found beside the loop,
 * and become an answer in it, which alone knows names. */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "base/mem.h"
#include "find.h"
#include "kept_rows.h"

#define VISITS_MAX 20000 /* rows that one question may look at; the cursor leads on */
#define SLICES_MAX 1000

/* What is found of a question. */
struct listing {
	const struct question *a;
	struct flow_query q;
	bool has_application;
	uint16_t application;
	struct kept_rows rows;
	struct flow_id id; /* one flow */
	bool live;         /* its live row is in the answer already */
	unsigned most, n;
	struct kept_flow *row; /* each one's texts are one piece of memory */
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
listing_drop(void *ctx)
{
	struct listing *l = ctx;

	for (unsigned i = 0; i < l->n; i++)
		free((void *)(uintptr_t)l->row[i].texts.server_name);
	free(l->row);
	free(l);
}

/* False: there is room for no more. */
static bool
listing_add(struct listing *l, const struct kept_flow *k)
{
	const struct rec_flow *f = &k->f;
	size_t name = f->server_name_len, info = f->info_len, attributes = f->attributes_len;
	char *text = mem_calloc(name + info + attributes + 1, 1);

	memcpy(text, k->texts.server_name, name);
	memcpy(text + name, k->texts.info, info);
	memcpy(text + name + info, k->texts.attributes, attributes);
	l->row[l->n] = *k;
	l->row[l->n].texts = flow_texts_of(f, text);
	return ++l->n < l->most;
}

static void
listing_put(struct store *s, struct question *a, const struct listing *l)
{
	for (unsigned i = 0; i < l->n; i++)
		ask_put_flow(s, a, l->row[i].tenant, &l->row[i].f, &l->row[i].texts, NULL);
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

/* What was found before it was stopped is an answer, and a cursor leads on. */
static void
answer_kept(struct store *s, struct question *a, void *ctx, enum job_end end)
{
	struct listing *l = ctx;
	struct topk_entry at;

	if (end != JOB_DONE && find_compare(&l->last, &l->begin) == 0) {
		ask_stopped(s, a, end);
		return;
	}
	listing_put(s, a, l);
	if (l->status != DB_OK || l->finished) {
		ask_history_end(a, l->status);
		return;
	}
	entry_of(&a->v, &l->last, &at);
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

/* Puts the live row of an id, if the viewer sees it. */
static bool
put_live(struct store *s, struct question *a, const struct flow_id *id)
{
	struct flow_walk w = { 0 };
	const struct live_flow *r;
	const struct engine *e;

	while (view_next_flow(&a->v, &w, &e, &r)) {
		if (memcmp(&r->id, id, sizeof(*id)) != 0)
			continue;
		ask_put_live_flow(s, a, e, r);
		return true;
	}
	return false;
}

static void
find_slices(void *ctx, const struct question *a, struct find *f, struct job *j)
{
	struct listing *l = ctx;

	(void)j; /* f has it */
	l->status = history_flow(f, a->v.tenant, &l->id, SLICES_MAX, list_slice, l);
}

static void
answer_slices(struct store *s, struct question *a, void *ctx, enum job_end end)
{
	struct listing *l = ctx;

	if (end != JOB_DONE) {
		ask_stopped(s, a, end);
	} else if (!l->live && l->n == 0) {
		answer_end(&a->out, l->status == DB_OK ? ANSWER_NOT_FOUND : ANSWER_HISTORY_DOWN, NULL, 0);
	} else {
		listing_put(s, a, l);
		ask_end(a);
	}
}

/* The live row is looked for first: a flow that ends meanwhile is not in history yet. */
void
ask_flow(struct store *s, struct question *a)
{
	static const struct ask_work work = { JOB_HISTORY, find_slices, answer_slices, listing_drop };
	struct listing *l = listing_new(a, SLICES_MAX);

	l->id = flow_id_unveil(&a->v.id, &a->q.flow);
	l->live = put_live(s, a, &l->id);
	ask_work(s, a, &work, l);
}
