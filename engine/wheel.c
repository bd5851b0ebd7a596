/* A wheel of time-outs. */
#include "wheel.h"

#include "base/clock.h"

void
wheel_init(struct wheel *w, int64_t longest_ns)
{
	/* Two slots short of the whole circle: a deadline never comes round to the slot being finished. */
	int64_t grain = longest_ns / (WHEEL_SLOTS - 3) + 1;

	w->grain_ns = (grain + NS_PER_S - 1) / NS_PER_S * NS_PER_S;
}

void
wheel_start(struct wheel *w, int64_t now_ns)
{
	w->done = now_ns / w->grain_ns - 1;
	w->first = w->done + 1;
}

void
wheel_put(struct wheel *w, struct flow_table *t, uint32_t number, int64_t deadline_ns)
{
	int64_t tick = deadline_ns / w->grain_ns;
	struct flow *f = &t->flow[number];

	if (tick <= w->done)
		tick = w->done + 1;
	if (tick >= w->done + WHEEL_SLOTS)
		tick = w->done + WHEEL_SLOTS - 1;
	if (tick < w->first)
		w->first = tick;
	f->wheel_slot = (uint16_t)(tick % WHEEL_SLOTS);
	f->wheel_prev = w->slot[f->wheel_slot].tail - 1; /* 0 - 1 is FLOW_NONE */
	f->wheel_next = FLOW_NONE;
	if (f->wheel_prev != FLOW_NONE)
		t->flow[f->wheel_prev].wheel_next = number;
	else
		w->slot[f->wheel_slot].head = number + 1;
	w->slot[f->wheel_slot].tail = number + 1;
}

void
wheel_remove(struct wheel *w, struct flow_table *t, uint32_t number)
{
	struct flow *f = &t->flow[number];

	if (f->wheel_slot == WHEEL_OUT)
		return;
	if (f->wheel_prev != FLOW_NONE)
		t->flow[f->wheel_prev].wheel_next = f->wheel_next;
	else
		w->slot[f->wheel_slot].head = f->wheel_next + 1;
	if (f->wheel_next != FLOW_NONE)
		t->flow[f->wheel_next].wheel_prev = f->wheel_prev;
	else
		w->slot[f->wheel_slot].tail = f->wheel_prev + 1;
	f->wheel_next = f->wheel_prev = FLOW_NONE;
	f->wheel_slot = WHEEL_OUT;
}

uint32_t
wheel_due(struct wheel *w, struct flow_table *t, uint32_t flows, int64_t now_ns)
{
	int64_t target = now_ns / w->grain_ns - 1;

	if (flows == 0 && w->done < target)
		w->done = target;
	while (w->done < target) {
		uint32_t head = w->slot[(w->done + 1) % WHEEL_SLOTS].head;

		if (head != 0) {
			wheel_remove(w, t, head - 1);
			return head - 1;
		}
		w->done++;
	}
	return FLOW_NONE;
}

uint32_t
wheel_earliest(struct wheel *w)
{
	if (w->first <= w->done)
		w->first = w->done + 1;
	for (; w->first < w->done + WHEEL_SLOTS; w->first++)
		if (w->slot[w->first % WHEEL_SLOTS].head != 0)
			return w->slot[w->first % WHEEL_SLOTS].head - 1;
	return FLOW_NONE;
}
