/* Questions that look through live flows. */
#include "ask.h"

void
ask_walk(struct store *s, struct question *a, const struct ask_walk *w, void *ctx)
{
	struct flow_walk at = { 0 };
	const struct live_flow *r;
	const struct engine *e;

	while (view_next_flow(&a->v, &at, &e, &r) && w->row(ctx, a, e, r))
		;
	w->answer(s, a, ctx);
}
