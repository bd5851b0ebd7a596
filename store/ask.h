/* Questions and their answers. Nothing of a question is believed: not its shape, not its grant, not who asks.
 */
#ifndef WEIR_STORE_ASK_H
#define WEIR_STORE_ASK_H

#include <stddef.h>
#include <stdint.h>

#include "answer.h"
#include "base/cursor.h"
#include "jobs.h"
#include "live_rows.h"
#include "page.h"
#include "store.h"
#include "view.h"

/* Who asks, as the channel says. */
struct asker {
	uint32_t proc, instance;
	answer_emit *emit;
	void *ctx;                      /* of its own: no two askers have the same */
	bool (*ready)(const void *ctx); /* whether it takes answers now; NULL: always */
};

/* Answers the body of a QUESTION in one or more messages, once in all: at once, or from a later jobs_turn,
 * ask_turn or parked_turn. */
void ask(struct store *s, const struct asker *who, const void *body, size_t len);
/* One that was parked. */
void ask_again(struct store *s, const struct asker *who, const void *body, size_t len, int64_t deadline_ns);
/* It does not want the answer any more, and gets nothing. What is answered already is ignored. */
void ask_cancel(struct store *s, const void *asker, uint64_t request);
/* It is gone: nothing of its is answered any more. */
void ask_gone(struct store *s, const void *asker);
/* Grants have gone, or authd is silent: what is under way for those is refused now. */
void ask_again_allowed(struct store *s);
/* At each turn of the loop: that, and what waited for its asker. */
void ask_turn(struct store *s);
/* Ends the threads, and what is under way without an answer. */
void ask_end_all(struct store *s);

/* A question that is well-formed, with its grant verified: what the handlers of each kind get. */
struct question {
	unsigned holds;
	struct wire_question q;
	uint32_t limit;
	struct view v;
	bool has_page;
	struct page page;
	struct filter *filter; /* NULL: none */
	bool park;             /* the handler's word: it has no answer yet, to be asked again */
	bool (*ready)(const void *ctx);
	struct answer_out out;
};

/* By the loop's thread only. */
struct question *question_hold(struct question *a);
void question_drop(struct question **a);

typedef void ask_handler(struct store *s, struct question *a);

ask_handler ask_points, ask_live_flows, ask_applications, ask_totals; /* ask_live.c */
ask_handler ask_hosts, ask_host, ask_devices;                         /* ask_hosts.c */
ask_handler ask_part_hosts, ask_part_host, ask_part_devices;          /* ask_part.c */
ask_handler ask_kept_flows, ask_flow;                                 /* ask_history.c */
ask_handler ask_groups;                                               /* ask_groups.c */
ask_handler ask_series, ask_series_list;                              /* ask_series.c */
ask_handler ask_counters, ask_components;                             /* ask_health.c */
ask_handler ask_recent;                                               /* ask_recent.c */

/* --- what they share: ask.c
 * --------------------------------------------------------------------------------------------- */

#define PAGE_HISTORY 256u

/* A page of a live list in an order that is made ahead of questions. still: whether the row is one still, and
 * its value now; put: into the answer. False: the list has no such order, nothing is answered. */
struct ask_live_list {
	enum live_list list;
	bool (*still)(struct store *s, struct question *a, struct topk_entry *e);
	void (*put)(struct store *s, struct question *a, const struct topk_entry *e);
};
bool ask_ordered(struct store *s, struct question *a, const struct ask_live_list *l);
/* Whether a question for groups can be answered. limit: of its groups. */
bool ask_groups_sane(const struct wire_question *q, uint32_t limit);

/*
 * A question that takes long, in parts (ask_work.c). run is called on a thread beside the loop and may look
 * at the question (not its out), at what a view tells any thread, at history with the thread's own f, and at
 * ctx; it breaks off where job_should_stop. answer is called by the loop and ends the answer, or calls
 * ask_stopped where end is neither JOB_DONE nor leaves a part worth having. drop frees ctx.
 */
struct ask_work {
	enum job_kind kind;
	void (*run)(void *ctx, const struct question *a, struct find *f, struct job *j);
	void (*answer)(struct store *s, struct question *a, void *ctx, enum job_end end);
	void (*drop)(void *ctx);
};
/* The last thing that a handler does. Where s->jobs is NULL all of it happens here and now. */
void ask_work(struct store *s, struct question *a, const struct ask_work *work, void *ctx);
/* The same for what the loop works on itself, a part at a turn: nothing is run, and until ask_through is
 * called it may end, with drop, whenever control goes back to the loop. */
struct ask_task *ask_here(struct store *s, struct question *a, const struct ask_work *work, void *ctx);
bool ask_is_late(const struct ask_task *t);
void ask_through(struct ask_task *t, enum job_end end);
void ask_stopped(struct store *s, struct question *a, enum job_end end);

/* Looks through the live flows that the question's view sees: row for each until it says false, then answer,
 * which takes ctx and ends the answer, or walks on. Where flows are many that is some at a turn, and what
 * begins or ends meanwhile may be met or not; each that stays is met once. cost (NULL: 0) is what was done
 * since it was last asked beyond looking at rows, in as many rows as take as long: where that is much, fewer
 * are looked at in a turn. drop frees ctx where there will be no answer. The last thing that a handler does.
 */
struct ask_walk {
	bool (*row)(void *ctx, const struct question *a, const struct engine *e, const struct live_flow *r);
	uint64_t (*cost)(void *ctx);
	void (*item)(void *ctx, struct store *s, const struct question *a, uint32_t item);
	void (*answer)(struct store *s, struct question *a, void *ctx);
	void (*drop)(void *ctx);
};
void ask_walk(struct store *s, struct question *a, const struct ask_walk *w, void *ctx);
/* The same for n things by their numbers, whatever they are: item (instead of row) for each, which looks what
 * is there by then. Copies them. */
void ask_walk_items(struct store *s, struct question *a, const struct ask_walk *w, const uint32_t *items,
		    uint32_t n, void *ctx);
/* Lists of live rows: the first of an order, behind the question's cursor. */
struct topk *ask_list_begin(const struct question *a);
/* Frees t. */
void ask_list_end(struct store *s, struct question *a, struct topk *t);
/* Whether its cursor was made for another kind of list; it is then answered. */
bool ask_wrong_page(struct question *a);
/* Ends the answer with a cursor behind at. */
void ask_end_page(struct store *s, struct question *a, uint32_t kind, const struct topk_entry *at);
void ask_end(struct question *a);
/* Ends the answer of who read history. */
void ask_history_end(struct question *a, enum db_status status);
/* A flow as a row. tenant: its primary one; texts: as f says; rate: bytes in the last full second, NULL for
 * kept ones. */
void ask_put_flow(struct store *s, struct question *a, uint32_t tenant, const struct rec_flow *f,
		  const struct flow_texts *texts, const uint64_t *rate);
/* The same of what a flow did; and that so many events are not told. */
void ask_put_flow_event(struct store *s, struct question *a, enum flow_event what, uint32_t tenant,
			const struct rec_flow *f, const struct flow_texts *texts, const uint64_t *rate);
void ask_put_dropped(struct question *a, uint64_t n);
/* A live flow as a row. */
void ask_put_live_flow(struct store *s, struct question *a, const struct engine *e,
		       const struct live_flow *r);
/* The application that the question names: *number is its number, 0 for "Unknown". False: nothing has that
 * name. */
bool ask_application(struct store *s, const struct question *a, uint16_t *number);
/* The name as it is shown. */
const char *ask_application_name(struct store *s, uint16_t number);
/* Whether a flow is one that the question asks for. server_name: as long as f says; tenant: its primary one.
 */
bool ask_wants_flow(const struct question *a, const struct rec_flow *f, const char *server_name,
		    uint32_t tenant, bool has_application, uint16_t application);
/* What an autonomous system is called, as far as the viewer is to know. NULL, and *len 0: nothing. Not
 * terminated; until the next is learned. */
const char *ask_as_name(struct store *s, const struct view *v, uint32_t number, uint8_t *len);
/* A device as a row, with the sums of what the viewer sees of it. */
void ask_put_device(struct store *s, struct question *a, const struct device *d,
		    const struct device_share *n);
/* Adds a name to a list "a,b,c", where it fits. */
void ask_list_add(struct wcur *c, const char *name);
/* "a,b,c" of the risks in a mask. Returns the length. */
size_t ask_risks(struct store *s, uint64_t risks, char *out, size_t size);
#define RISKS_TEXT_MAX (NAMES_RISKS_MAX * (NAME_TEXT_MAX + 1))

#endif
