/* Questions about what was: kept flows, one flow with all its slices. */
#include <string.h>

#include "ask.h"
#include "kept_rows.h"

#define VISITS_MAX 20000 /* rows that one question may look at; the cursor leads on */
#define SLICES_MAX 1000

/* --- kept flows by time
 * ------------------------------------------------------------------------------------------------------- */

struct listing {
	struct store *s;
	struct question *a;
	bool has_application;
	uint16_t application;
	unsigned left;
	struct kept_rows rows;
};

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
	ask_put_flow(l->s, l->a, k->tenant, &k->f, &k->texts, NULL);
	return --l->left > 0;
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

/* Kept flows come by their end, newest first, whatever order is asked for. */
void
ask_kept_flows(struct store *s, struct question *a)
{
	struct listing l = { .s = s, .a = a, .has_application = a->q.key_len > 0, .left = a->limit };
	struct flow_query q = {
		.tenant = a->v.tenant, .from_ns = a->q.from_ns, .to_ns = a->q.to_ns, .visits = VISITS_MAX
	};
	struct flow_position after, last;
	struct topk_entry at;
	bool finished = false;

	if (a->has_page && a->page.kind != (ASK_FLOWS | PAGE_HISTORY)) {
		answer_end(&a->out, ANSWER_BAD_QUESTION, NULL, 0);
		return;
	}
	if (q.to_ns == 0)
		q.to_ns = INT64_MAX;
	if (q.from_ns < a->v.since_ns)
		q.from_ns = a->v.since_ns;
	if (l.has_application && !ask_application(s, a, &l.application)) {
		ask_end(a);
		return;
	}
	/* What can be skipped on disk; list_kept looks at each row all the same. */
	q.filter = (struct block_want){ .has_ip = a->q.has_ip != 0,
					.ip = a->q.ip,
					.has_application = l.has_application,
					.application = l.application,
					.has_point = a->q.point != ANY_POINT,
					.point = a->q.point };
	if (a->has_page) {
		position_of(&a->v, &a->page.at, &after);
		q.after = &after;
	}

	kept_rows_begin(&l.rows, &a->v, a->filter, a->q.point);

	const struct block_test test = { may_list, match_list, &l.rows };

	q.test = &test;

	enum db_status status = history_flows(s->history, &q, list_kept, &l, &last, &finished);

	kept_rows_end(&l.rows);
	if (status != DB_OK || finished) {
		ask_history_end(a, status);
		return;
	}
	entry_of(&a->v, &last, &at);
	ask_end_page(s, a, ASK_FLOWS | PAGE_HISTORY, &at);
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
	ask_put_flow(l->s, l->a, k->tenant, &k->f, &k->texts, NULL);
	return --l->left > 0;
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

void
ask_flow(struct store *s, struct question *a)
{
	struct flow_id id = flow_id_unveil(&a->v.id, &a->q.flow);
	struct listing l = { .s = s, .a = a, .left = SLICES_MAX };
	bool live = put_live(s, a, &id);

	enum db_status status = history_flow(s->history, a->v.tenant, &id, SLICES_MAX, list_slice, &l);

	if (!live && l.left == SLICES_MAX)
		answer_end(&a->out, status == DB_OK ? ANSWER_NOT_FOUND : ANSWER_HISTORY_DOWN, NULL, 0);
	else
		ask_end(a);
}
