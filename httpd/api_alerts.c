/* Alerts. Nothing raises any yet, so every list of them is empty. */
#include "api.h"
#include "api_answer.h"
#include "base/json_write.h"

static void
shape_alerts(struct json_writer *w, const struct request *r, const struct inquiry *q)
{
	(void)r;
	(void)q;
	json_array(w, "alerts");
	json_array_end(w);
	json_null(w, "next_cursor");
}

static void
on_alerts(void *ctx, struct inquiry *q, enum inquiry_end end)
{
	answer_with(ctx, q, end, shape_alerts);
}

/* Whoever may not see traffic is told so as everywhere: store judges it. */
void
api_alerts(struct request *r)
{
	const struct params *p = &r->params;
	struct inquiry *q;

	if (params_has(p, PARAM_CURSOR)) {
		reply_problem(r, 400, "cursor: is none that an answer gave");
		return;
	}
	if (params_has(p, PARAM_FROM) && params_has(p, PARAM_TO) && p->from_ns >= p->to_ns) {
		reply_problem(r, 400, "to: is not after from");
		return;
	}
	q = inquiry_of(r, on_alerts);
	(void)inquiry_add(q, ASK_TOTALS);
	run_list(r, q, &table_alerts);
}
