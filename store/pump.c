/* Draws records from rings, as long as the open batch has room: what is not taken stays in the engines'
 * bounded memory. */
#include "pump.h"

#include <string.h>

#include "base/log.h"
#include "commit.h"
#include "flows.h"
#include "ingest.h"

#define RECORD_MAX (sizeof(struct rec_flow) + FLOW_TEXT_MAX) /* no record is longer */

/* --- a run of an engine
 * --------------------------------------------------------------------------------------------------- */

static const struct batch_applied *
loaded_of(const struct store *s, unsigned worker, uint32_t point, int64_t run)
{
	for (uint32_t i = 0; i < s->nloaded; i++) {
		const struct batch_applied *a = &s->loaded[i];

		if (a->worker == worker && a->point == point && a->run == run)
			return a;
	}
	return NULL;
}

/* What an earlier life of store had applied of this run counts in the live totals again. */
static void
restore_totals(struct store *s, uint32_t point, const struct batch_applied *a)
{
	struct point *p = &s->points.point[point];

	p->packets = sum_sat(p->packets, a->packets);
	p->bytes = sum_sat(p->bytes, a->bytes);
	for (int i = 0; i < NAMES_UNDECODED_MAX; i++)
		p->undecoded[i] = sum_sat(p->undecoded[i], a->undecoded[i]);

	const uint32_t subjects[] = { p->subject, s->platform_total };

	for (int i = 0; i < 2; i++) {
		struct subject *u = subjects_at(s->subjects, subjects[i]);

		u->packets = sum_sat(u->packets, a->packets);
		u->bytes = sum_sat(u->bytes, a->bytes);
	}
}

static void
begin_progress(struct store *s, struct engine *e, uint32_t point, int64_t run)
{
	struct progress *g = &e->progress[point];
	const struct batch_applied *a = loaded_of(s, e->instance, s->points.point[point].boot->id, run);

	if (g->applied.run == run && run != 0) {
		g->resumed = g->live_known = true;
	} else {
		memset(g, 0, sizeof(*g));
		g->second = -1;
		if (a != NULL) {
			g->applied = *a;
			g->resumed = true;
			restore_totals(s, point, a);
		} else {
			g->applied = (struct batch_applied){ .worker = e->instance,
							     .point = s->points.point[point].boot->id,
							     .run = run,
							     .second = -1 };
		}
	}
	g->resume_id = g->applied.newest;
	g->resume_second = g->applied.second;
}

static void
begin_ring(struct store *s, struct engine *e)
{
	bool again = e->run == e->now.run;

	e->gone = e->lied = false;
	e->lose_at = 0;
	e->run = e->now.run;
	memset(e->name, 0, sizeof(e->name));
	for (uint32_t i = 0; i < s->points.n; i++)
		begin_progress(s, e, i, e->now.run);
	/* A new process counts its own losses from 0; capture's, which it passes on, go on: those come
	 * through take_drops. */
	for (uint32_t i = 0; !again && i < e->ndrops; i++) {
		if (e->drop[i].point != POINT_NONE)
			continue;
		e->drop[i].before = sum_sat(e->drop[i].before, e->drop[i].last);
		e->drop[i].last = 0;
	}
}

void
pump_offer(struct store *s, struct engine *e, struct ring_consumer *r, int64_t run)
{
	struct engine_ring offered = { .ring = r, .number = ++s->rings, .run = run };

	if (e->now.number == 0) {
		e->now = offered;
		begin_ring(s, e);
		return;
	}
	ring_consumer_free(&e->next.ring);
	e->next = offered;
	e->gone = true;
}

void
pump_gone(struct store *s, struct engine *e)
{
	(void)s;
	e->ch = NULL;
	if (e->now.number != 0)
		e->gone = true;
	/* Offered by the same channel: with it, it is gone before it began. Its flows are in the engine
	 * still. */
	ring_consumer_free(&e->next.ring);
	e->next = (struct engine_ring){ 0 };
}

/* Ends what the engine left behind, as far as the batch has room. True once nothing is left. */
static bool
lose_flows(struct store *s, struct engine *e)
{
	for (; e->lose_at < e->live.limit; e->lose_at++) {
		struct live_flow *r = &e->live.flow[e->lose_at];

		if (batch_full(s->open) && !commit_make_room(s))
			return false;
		if (live_is_active(r))
			flow_lost(s, e, r);
	}
	for (uint32_t i = 0; i < s->points.n; i++) {
		struct progress *g = &e->progress[i];

		g->flows_active = g->hosts_active = 0;
		if (g->state == POINT_UP)
			g->state = POINT_DOWN;
	}
	return true;
}

/* The ring is through: on to the next one, if there is any. */
static void
next_ring(struct store *s, struct engine *e)
{
	ring_consumer_free(&e->now.ring);
	e->now = e->next;
	e->next = (struct engine_ring){ 0 };
	e->gone = e->lied = false;
	if (e->now.number != 0)
		begin_ring(s, e);
}

/* --- records
 * -----------------------------------------------------------------------------------------------------------------
 */

static void
lie_found(struct store *s, struct engine *e, const char *what)
{
	static struct log_limit limit;

	s->counters.n[OWN_BAD_RECORD]++;
	e->gone = e->lied = true;
	/* An analysis waits for the end of every file, which will not come. */
	if ((s->boot->flags & BOOT_ANALYZE) != 0)
		fatalx("engine@%u: %s", e->instance, what);
	log_warn_limited(&limit, "engine@%u: %s: its channel ends, what is stored stays", e->instance, what);
	if (e->ch != NULL)
		channel_end(e->ch, what);
}

/* --- a pipeline of records
 *
 * Between the taking of a record and its turn lie as many others as the memory that it will touch needs time
 * to come: STEP from one step of asking for it (ingest.h) to the next. */

#define STEP     6
#define PIPELINE (4 * STEP)
#define RUN      128 /* records between which it is not emptied */

struct taken {
	_Alignas(8) uint8_t record[RECORD_MAX];
	struct expected expected;
	uint32_t len;
	uint16_t kind;
};

struct pipeline {
	struct taken place[PIPELINE];
	uint32_t taken, hosts, rest, peers, done; /* records that came so far, modulo 2^32 */
};

static struct taken *
nth(struct pipeline *l, uint32_t n)
{
	return &l->place[n % PIPELINE];
}

/* Takes a record. As ring_take. */
static int
take(struct engine *e, struct pipeline *l)
{
	struct taken *t = nth(l, l->taken);
	int got = ring_take(e->now.ring, t->record, RECORD_MAX, &t->kind, &t->len);

	if (got == 1) {
		ingest_expect(e, t->kind, t->record, t->len, &t->expected);
		l->taken++;
	}
	return got;
}

/* Moves records on that have lag others behind them. NULL, or what about one is a lie. */
static const char *
advance(struct store *s, struct engine *e, struct pipeline *l, uint32_t lag)
{
	const char *lie = NULL;

	for (; l->taken - l->hosts > lag; l->hosts++)
		ingest_expect_hosts(s, &nth(l, l->hosts)->expected);
	for (; l->hosts - l->rest > lag; l->rest++)
		ingest_expect_rest(s, &nth(l, l->rest)->expected);
	for (; l->rest - l->peers > lag; l->peers++)
		ingest_expect_peers(s, &nth(l, l->peers)->expected);
	for (; l->peers - l->done > lag && lie == NULL; l->done++) {
		const struct taken *t = nth(l, l->done);

		lie = ingest_record(s, e, t->kind, t->record, t->len);
	}
	return lie;
}

/* Takes records until the ring is empty, the budget is used up or the batch is full. True: empty. */
static bool
drain(struct store *s, struct engine *e, unsigned budget)
{
	struct pipeline l;
	const char *lie = NULL;
	int got = 1;

	/* What was taken is in this batch, which says how far the ring is taken: the pipeline is emptied
	 * before another batch can be opened. */
	while (budget > 0 && got == 1 && lie == NULL) {
		if (batch_full(s->open) && !commit_make_room(s))
			return false;

		unsigned n = !batch_fits(s->open, RUN) ? 1 : budget < RUN ? budget : RUN;

		budget -= n;
		l.taken = l.hosts = l.rest = l.peers = l.done = 0;
		for (; n > 0 && got == 1 && lie == NULL; n--) {
			got = take(e, &l);
			lie = advance(s, e, &l, STEP - 1);
		}
		if (lie == NULL)
			lie = advance(s, e, &l, 0);
	}
	if (lie == NULL && got < 0)
		lie = "the ring is a lie";
	if (lie != NULL)
		lie_found(s, e, lie);
	return lie != NULL || got == 0;
}

bool
pump_engine(struct store *s, struct engine *e, unsigned budget)
{
	/* Without a snapshot nobody knows whose a flow is: it waits in the ring. */
	if (e->now.number == 0 || grants_policy(s->grants) == NULL)
		return false;
	if (!e->lied && !drain(s, e, budget))
		return !batch_full(s->open);
	if (!e->gone)
		return !ring_sleep(e->now.ring);
	if (!lose_flows(s, e))
		return false;
	next_ring(s, e);
	return e->now.number != 0;
}

void
pump_release(struct engine *e, uint64_t number, uint64_t position)
{
	if (number == 0 || e->now.number != number || position <= e->now.released)
		return;
	e->now.released = position;
	if (ring_release(e->now.ring, position) && e->ch != NULL)
		channel_nudge(e->ch, MSG_RECORD_ROOM);
}

uint64_t
pump_held(const struct engine *e)
{
	return e->now.number == 0 ? 0 : ring_position(e->now.ring) - e->now.released;
}
