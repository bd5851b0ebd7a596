/*
 * When to look at which flow of a point again, by packet time: a wheel of slots. A packet moves nothing here;
 * a flow that is looked at and was active meanwhile goes to the slot of its new deadline.
 */
#ifndef WEIR_ENGINE_WHEEL_H
#define WEIR_ENGINE_WHEEL_H

#include <stdint.h>

#include "flow.h"

#define WHEEL_SLOTS 512
#define WHEEL_OUT   UINT16_MAX /* flow.wheel_slot of a flow that is in none */

struct wheel {
	int64_t grain_ns; /* one slot */
	int64_t done;     /* last tick that was finished */
	int64_t first;    /* slots of ticks before it are empty */
	struct {
		uint32_t head, tail; /* number + 1; the first to come is the first to be looked at */
	} slot[WHEEL_SLOTS];
};

/* A wheel for deadlines at most longest_ns ahead. */
void wheel_init(struct wheel *w, int64_t longest_ns);
/* Before the first flow: where time begins. */
void wheel_start(struct wheel *w, int64_t now_ns);
void wheel_put(struct wheel *w, struct flow_table *t, uint32_t number, int64_t deadline_ns);
void wheel_remove(struct wheel *w, struct flow_table *t, uint32_t number);
/* The next flow whose slot has passed at now, taken out; FLOW_NONE when there is none left. flows: how many
 * are in it. */
uint32_t wheel_due(struct wheel *w, struct flow_table *t, uint32_t flows, int64_t now_ns);
/* Which flow that slot holds next, if any is left in it; FLOW_NONE otherwise. */
static inline uint32_t
wheel_next_due(const struct wheel *w)
{
	return w->slot[(w->done + 1) % WHEEL_SLOTS].head - 1; /* 0 - 1 is FLOW_NONE */
}
/* A flow of the earliest slot that is not empty, left in; FLOW_NONE where the wheel is empty. */
uint32_t wheel_earliest(struct wheel *w);

#endif
