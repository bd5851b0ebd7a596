/*
 * The second of a point. Packets of the next one may come while the last is still being closed: a flow that
 * is touched again before its turn is reported first, so that every counter falls into its own second.
 *
 * Where more flows have packets than store is told of in a second (a flood, a scan), those that nobody
 * answers and that have few packets wait: each second a part of them has its turn, with all that came since.
 * Who ends meanwhile is told of by its end alone. The point's own sums are of their seconds all the same.
 */
#include "base/clock.h"
#include "engine.h"

#define OLD_LIST     UINT32_C(0x80000000) /* in flow.touched: which of the two lists */
#define SETTLE_AHEAD 6                    /* flows whose memory is asked for before it is their turn */
#define FEW_PACKETS  8
#define WAIT_SECONDS 10 /* those that wait have their turn within so many */

static struct touched *
list_of(struct point *p, const struct flow *f)
{
	return &p->touched[f->touched / OLD_LIST];
}

void
untouch_flow(struct engine *e, struct point *p, uint32_t number)
{
	struct flow *f = &e->flows.flow[number];
	struct touched *l;
	uint32_t last;

	if (f->flags & FLOW_WAITS) {
		f->flags &= (uint8_t)~FLOW_WAITS;
		p->waiting--;
	}
	if (f->touched == FLOW_NONE)
		return;
	l = list_of(p, f);
	last = l->number[--l->n];
	l->number[f->touched % OLD_LIST] = last;
	e->flows.flow[last].touched = f->touched;
	f->touched = FLOW_NONE;
}

static bool
has_to_wait(const struct point *p, const struct flow *f)
{
	return p->pressed && f->state == FLOW_NEW && f->packets[CLIENT] + f->packets[SERVER] <= FEW_PACKETS;
}

void
next_slice(struct engine *e, struct point *p, uint32_t number)
{
	struct flow *f = &e->flows.flow[number];

	report_end(e, p, number, END_ACTIVE);
	e->ended[END_ACTIVE]++;
	f->slice++;
	f->slice_ns = f->last_ns;
	for (unsigned side = 0; side < 2; side++)
		f->bytes[side] = f->payload[side] = f->packets[side] = 0;
	if (f->key.protocol == IP_TCP)
		tcp_next_slice(&f->track, &f->seen);
	f->flags &= (uint8_t) ~(FLOW_TOLD | FLOW_FULL);
	report_open(e, p, number);
}

/* The counters of a flow at the end of the second in which it was touched; or the active time-out. */
static void
settle(struct engine *e, struct point *p, uint32_t number, int64_t second)
{
	const struct flow *f = &e->flows.flow[number];

	untouch_flow(e, p, number);
	if (f->last_ns - f->slice_ns >= e->active_ns)
		next_slice(e, p, number);
	else
		report_count(e, p, number, second);
}

static void
make_wait(struct point *p, struct flow *f)
{
	f->flags |= FLOW_WAITS;
	p->waiting++;
}

/* The turn of a flow of the second being closed. */
static void
close_flow(struct engine *e, struct point *p, uint32_t number)
{
	struct flow *f = &e->flows.flow[number];

	if (!has_to_wait(p, f)) {
		settle(e, p, number, p->closing_second);
		return;
	}
	untouch_flow(e, p, number);
	make_wait(p, f);
}

void
touch_flow(struct engine *e, struct point *p, uint32_t number, bool answered)
{
	struct flow *f = &e->flows.flow[number];
	struct touched *l = &p->touched[p->current];

	if (f->touched != FLOW_NONE) {
		if (f->touched / OLD_LIST == p->current)
			return;
		close_flow(e, p, number);
	}
	if (!answered && has_to_wait(p, f)) {
		if ((f->flags & FLOW_WAITS) == 0)
			make_wait(p, f);
		return;
	}
	if (f->flags & FLOW_WAITS)
		untouch_flow(e, p, number);
	f->touched = l->n | (p->current ? OLD_LIST : 0);
	l->number[l->n++] = number;
}

/* Who waits has its turn with the second being closed as far as there is room, and within WAIT_SECONDS in any
 * case. */
static void
choose_waiting(const struct engine *e, struct point *p, int64_t seconds)
{
	const uint32_t n = p->touched[p->current].n, room = n < e->updates ? e->updates - n : 0;
	uint32_t part = p->waiting;

	if (seconds < WAIT_SECONDS)
		part = (part + WAIT_SECONDS - 1) / WAIT_SECONDS * (uint32_t)seconds;
	p->pressed = n > e->updates || p->waiting > room;
	p->due = part > room ? part : room;
}

void
second_close(struct engine *e, struct point *p, int64_t next)
{
	/* Where time goes back, everybody has its turn. */
	choose_waiting(e, p, next > p->second ? next - p->second : WAIT_SECONDS);
	p->closed = p->count;
	p->closed.second = p->second;
	p->closed.flows_active = p->flows;
	p->closed.hosts_active = p->hosts;
	p->closing = true;
	p->closing_second = p->second;
	p->current = !p->current;
	p->count = (struct rec_second){ .point = p->boot->id, .worker = p->count.worker };
	p->second = next;
	p->second_end_ns = (next + 1) * NS_PER_S;
}

bool
second_close_last(struct engine *e, struct point *p)
{
	if (p->count.packets == 0)
		return true;
	if (!second_step(e, p, UINT32_MAX))
		return false;
	second_close(e, p, p->second + 1);
	p->due = 0;
	return true;
}

static void
tell_second(struct engine *e, struct point *p)
{
	const struct rec_second *s = &p->closed;
	bool moved = s->flows_active != p->told_flows || s->hosts_active != p->told_hosts;

	if (s->packets == 0 && !(p->live && moved))
		return;
	report_second(e, s);
	p->told_flows = s->flows_active;
	p->told_hosts = s->hosts_active;
}

/* True where all that are due have had their turn: in the order of their numbers, so that store's rows of
 * them lie side by side. */
static bool
tell_waiting(struct engine *e, struct point *p, unsigned *budget)
{
	for (; p->due > 0 && p->waiting > 0; p->turn++, --*budget) {
		const struct flow *f;

		if (*budget == 0 || !engine_ready(e, p))
			return false;
		if (p->turn >= e->flows.fresh)
			p->turn = 0;
		f = &e->flows.flow[p->turn];
		if ((f->flags & FLOW_WAITS) == 0 || f->key.point != p->index)
			continue;
		settle(e, p, p->turn, p->closing_second);
		p->due--;
	}
	return true;
}

bool
second_step(struct engine *e, struct point *p, unsigned budget)
{
	struct touched *old = &p->touched[!p->current];

	if (!p->closing)
		return true;
	for (; old->n > 0 && budget > 0; budget--) {
		if (!engine_ready(e, p))
			return false;
		if (old->n > SETTLE_AHEAD)
			flow_prefetch_whole(&e->flows, old->number[old->n - 1 - SETTLE_AHEAD]);
		close_flow(e, p, old->number[old->n - 1]);
	}
	if (old->n > 0 || !tell_waiting(e, p, &budget) || !engine_ready(e, p))
		return false;
	tell_second(e, p);
	p->closing = false;
	p->telling = true;
	return true;
}

bool
second_tell_waiting(struct engine *e, struct point *p)
{
	unsigned budget = UINT32_MAX;

	p->due = p->waiting;
	return tell_waiting(e, p, &budget);
}

bool
expire_step(struct engine *e, struct point *p, unsigned budget)
{
	unsigned done = 0;

	while (done < budget && engine_ready(e, p)) {
		uint32_t n = wheel_due(&p->wheel, &e->flows, p->flows, p->now_ns);
		const struct flow *f;
		int64_t deadline;

		if (n == FLOW_NONE)
			break;
		done++;
		track_prefetch_end(e, wheel_next_due(&p->wheel));
		f = &e->flows.flow[n];
		deadline = track_deadline(e, f);
		if (deadline > p->now_ns)
			wheel_put(&p->wheel, &e->flows, n, deadline);
		else
			track_end(e, p, n,
				  f->state == FLOW_CLOSED || f->state == FLOW_RESET ? END_CLOSED : END_IDLE);
	}
	return done > 0;
}
