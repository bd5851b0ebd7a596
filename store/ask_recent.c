/* What flows did since a moment: the answer to whoever watches them, question after question. */
#include <string.h>

#include "ask.h"
#include "mask.h"
#include "recent.h"
#include "sum.h"

/* What of an answer is under way. */
struct telling {
	struct store *s;
	struct question *a;
	bool has_application;
	uint16_t application;
	uint32_t told;
};

static void
tell_end(struct telling *t, const struct recent_event *e)
{
	const struct rec_flow *f = &e->end->f;
	const struct flow_texts texts = flow_texts_of(f, e->end->text);

	if (f->last_ns < t->a->v.since_ns || !view_admits(&t->a->v, f) ||
	    !ask_wants_flow(t->a, f, texts.server_name, e->tenant, t->has_application, t->application))
		return;
	ask_put_flow_event(t->s, t->a, FLOW_ENDED, e->tenant, f, &texts, NULL);
	t->told++;
}

/* As it is now. A flow whose end follows is told by that, and one that went on by the last that tells so. */
static void
tell_live(struct telling *t, const struct recent_event *e)
{
	const struct live *l = &t->s->engine[e->engine].live;
	const struct live_flow *r = &l->flow[e->slot];
	const struct view *v = &t->a->v;
	const uint64_t rate[2] = { rate_at(&r->rate, v->rate_second, 0),
				   rate_at(&r->rate, v->rate_second, 1) };
	char text[FLOW_TEXT_MAX];
	struct flow_texts texts;
	struct rec_flow f;

	if (!view_sees_flow(v, l, r) || memcmp(&r->id, &e->id, sizeof(e->id)) != 0 ||
	    (e->what == FLOW_CHANGED && r->count.packets[CLIENT] + r->count.packets[SERVER] != e->packets))
		return;
	live_record(l, r, &t->s->points, &f);
	live_text(l, r, text);
	texts = flow_texts_of(&f, text);
	if (!ask_wants_flow(t->a, &f, texts.server_name, e->tenant, t->has_application, t->application))
		return;
	ask_put_flow_event(t->s, t->a, (enum flow_event)e->what, e->tenant, &f, &texts, rate);
	t->told++;
}

/* The first event behind a number, which is mostly near the end. */
static const struct recent_event *
behind(const struct recent *l, uint64_t number)
{
	const struct recent_event *e = TAILQ_LAST(&l->events, recent_events), *first = NULL;

	for (; e != NULL && e->number > number; e = TAILQ_PREV(e, recent_events, entry))
		first = e;
	return first;
}

/* Tells of what came behind `since`, up to the returned number. */
static uint64_t
tell(struct telling *t, const struct recent *l, uint64_t since)
{
	uint64_t met = 0, at = l->newest;
	const struct recent_event *e;

	for (e = behind(l, since); e != NULL; e = TAILQ_NEXT(e, entry)) {
		if (t->told == t->a->limit) {
			at = TAILQ_PREV(e, recent_events, entry)->number;
			break;
		}
		met++;
		if (e->end != NULL)
			tell_end(t, e);
		else
			tell_live(t, e);
	}
	if (at - since > met)
		ask_put_dropped(t->a, at - since - met);
	return at;
}

/* False: nobody it may see is called so, or there is no such application. */
static bool
can_be(struct telling *t)
{
	const struct wire_question *q = &t->a->q;

	return (q->has_ip == 0 || !mask_hides(&t->a->v, &q->ip)) &&
	       (q->key_len == 0 || ask_application(t->s, t->a, &t->application));
}

void
ask_recent(struct store *s, struct question *a)
{
	struct telling t = { .s = s, .a = a, .has_application = a->q.key_len > 0 };
	struct recent *l;
	struct topk_entry at = { 0 };

	if (ask_wrong_page(a))
		return;
	l = recent_watch(s, a->v.tenant);
	if (l == NULL) {
		s->counters.n[OWN_QUESTIONS_BUSY]++;
		answer_end(&a->out, ANSWER_BUSY, NULL, 0);
		return;
	}
	/* Nobody watched in between, or for too long: what came is not known any more. */
	if (a->has_page && (a->page.at.value < l->begin || a->page.at.value > l->newest)) {
		answer_end(&a->out, ANSWER_BAD_QUESTION, NULL, 0);
		return;
	}
	at.value = l->newest;
	if (a->has_page && can_be(&t))
		at.value = tell(&t, l, a->page.at.value);
	ask_end_page(s, a, ASK_RECENT, &at);
}
