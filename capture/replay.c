#include "replay.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "ipc/boot.h"

/* Frames between two looks at messages. */
#define BURST 4096
/* How often the rings are looked at while the engines finish. */
#define DRAIN_MS 5

enum state { STATE_ENGINES, STATE_READING, STATE_ENDING, STATE_DRAINING, STATE_DONE };

struct replay {
	struct file *file;
	struct steer *steer; /* NULL: one lane */
	struct lane *lanes;
	unsigned n;
	const struct replay_handlers *handlers;
	void *ctx;
	struct event *step;
	enum state state;
	bool waiting; /* for room in a ring: a nudge will come */
	bool pending; /* frame was read and is not in a ring yet */
	struct frame frame;
	unsigned to; /* lane of frame */
	/* Steered frames are read one ahead. */
	bool begun; /* the first was */
	enum file_step ahead_step;
	struct frame ahead;
	struct lane_block block;   /* of frames that are not steered */
	int64_t first_ns, last_ns; /* of the file */
	bool told[LANES_MAX];      /* lanes that have FRAME_BEGIN */
	bool exhausted;            /* nothing more can be read */
	bool damaged;
	bool ended[LANES_MAX]; /* lanes that have FRAME_END */
	bool left[LANES_MAX];  /* lanes whose engine took everything and left */
};

static void
again(struct replay *r, int ms)
{
	struct timeval t = { 0, ms * 1000 };

	if (event_add(r->step, &t) == -1)
		fatalx("cannot go on reading");
}

static void
done(struct replay *r, int status)
{
	r->state = STATE_DONE;
	event_del(r->step);
	r->handlers->done(r->ctx, status);
}

/* Lane l is full. True where a nudge will come, false where there is room again. */
static bool
must_wait(struct replay *r, struct lane *l)
{
	if (l->ring == NULL) { /* its engine left before it got a frame, and comes back */
		r->state = STATE_ENGINES;
		return true;
	}
	r->waiting = ring_wait_for_room(l->ring);
	return r->waiting;
}

static bool
all_attached(const struct replay *r)
{
	for (unsigned i = 0; i < r->n; i++)
		if (!r->lanes[i].attached)
			return false;
	return true;
}

/* The frame that was read ahead, with its lane, while the next is read. */
static enum file_step
next_steered(struct replay *r)
{
	enum file_step step;

	if (!r->begun) {
		r->begun = true;
		r->ahead_step = file_next(r->file, &r->ahead);
	}
	step = r->ahead_step;
	if (step != FILE_FRAME)
		return step;
	r->frame = r->ahead;
	r->ahead_step = file_next(r->file, &r->ahead);
	r->to = steer_frame(r->steer, &r->frame, r->ahead_step == FILE_FRAME ? r->ahead.ts_ns : 0);
	r->last_ns = r->frame.ts_ns;
	if (r->first_ns == 0)
		r->first_ns = r->last_ns;
	return FILE_FRAME;
}

static enum file_step
next_frame(struct replay *r)
{
	return r->exhausted ? FILE_END : r->steer != NULL ? next_steered(r) : file_next(r->file, &r->frame);
}

/* Next frame of the file into r->frame; false at the end of what can be read. */
static bool
fetch(struct replay *r)
{
	enum file_step step = next_frame(r);

	if (step == FILE_FRAME)
		return true;
	if (step == FILE_DAMAGED) {
		log_error("the file is cut or damaged, what comes before that place was read: %s",
			  file_why(r->file));
		r->damaged = true;
	}
	if (!r->exhausted) {
		for (unsigned i = 0; i < r->n; i++)
			(void)lane_flush(&r->lanes[i]);
		r->handlers->ending(r->ctx);
	}
	r->exhausted = true;
	return false;
}

/* r->frame into its lane. False where there is no room. */
static bool
put(struct replay *r)
{
	struct lane *l = &r->lanes[r->to];

	if (r->steer != NULL && !r->told[r->to])
		r->told[r->to] = lane_put_begin(l, r->first_ns);
	return (r->steer == NULL || r->told[r->to]) && lane_put(l, &r->frame);
}

enum taken { TAKEN_SOME, TAKEN_NONE, TAKEN_NO_ROOM };

/* As many frames as fit into an entry of the only lane; none where the next is to be put alone. */
static enum taken
take_block(struct replay *r, unsigned *n)
{
	struct lane *l = &r->lanes[0];

	if (r->steer != NULL || r->pending || r->exhausted)
		return TAKEN_NONE;
	if (!lane_block_begin(l, &r->block))
		return TAKEN_NO_ROOM;
	*n = file_block(r->file, &r->block);
	if (*n == 0)
		return TAKEN_NONE;
	lane_block_put(l, &r->block);
	return TAKEN_SOME;
}

static enum taken
take_frame(struct replay *r, unsigned *n)
{
	if (!r->pending && !fetch(r))
		return TAKEN_NONE;
	*n = 1;
	r->pending = !put(r);
	return r->pending ? TAKEN_NO_ROOM : TAKEN_SOME;
}

static void
reading(struct replay *r)
{
	for (unsigned i = 0, n = 0; i < BURST; i += n) {
		enum taken taken = take_block(r, &n);

		if (taken == TAKEN_NONE)
			taken = take_frame(r, &n);
		if (taken == TAKEN_NONE) {
			r->state = STATE_ENDING;
			break;
		}
		if (taken == TAKEN_NO_ROOM) {
			n = 0;
			if (must_wait(r, &r->lanes[r->to]))
				return;
		}
	}
	again(r, 0);
}

static void
ending(struct replay *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (r->ended[i])
			continue;
		r->ended[i] = lane_put_end(&r->lanes[i], r->last_ns, r->damaged);
		if (!r->ended[i]) {
			if (!must_wait(r, &r->lanes[i]))
				again(r, 0);
			return;
		}
	}
	r->state = STATE_DRAINING;
	again(r, 0);
}

static void
draining(struct replay *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (!r->left[i] && r->lanes[i].ring != NULL && ring_producer_used(r->lanes[i].ring) > 0) {
			again(r, DRAIN_MS);
			return;
		}
	}
	if (!r->handlers->sent(r->ctx)) {
		again(r, DRAIN_MS);
		return;
	}
	done(r, r->damaged ? EXIT_FILE_TRUNCATED : EXIT_OK);
}

/* What is under way of several lanes is shown by the lane itself, in large portions; else all of it is. */
static uint32_t
shown(const struct replay *r, struct lane *l)
{
	if (r->steer == NULL || r->state != STATE_READING || r->waiting)
		return lane_flush(l);
	lane_show(l);
	return atomic_load_explicit(&l->signals, memory_order_relaxed);
}

static void
on_step(evutil_socket_t fd, short what, void *arg)
{
	struct replay *r = arg;
	uint32_t signals = 0;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < r->n; i++)
		lane_take_orders(&r->lanes[i]);
	if (r->state == STATE_ENGINES && all_attached(r)) {
		r->state = STATE_READING;
		r->waiting = false;
	}
	if (r->state == STATE_READING && !r->waiting)
		reading(r);
	else if (r->state == STATE_ENDING && !r->waiting)
		ending(r);
	else if (r->state == STATE_DRAINING)
		draining(r);
	for (unsigned i = 0; i < r->n; i++)
		signals |= shown(r, &r->lanes[i]);
	if (signals != 0)
		r->handlers->tell(r->ctx);
}

struct replay *
replay_new(struct event_base *base, struct file *f, struct steer *steer, struct lane *lanes, unsigned n,
	   const struct replay_handlers *h, void *ctx)
{
	struct replay *r = mem_calloc(1, sizeof(*r));

	r->file = f;
	r->steer = steer;
	r->lanes = lanes;
	r->n = n;
	r->handlers = h;
	r->ctx = ctx;
	r->step = event_new(base, -1, 0, on_step, r);
	if (r->step == NULL)
		fatalx("no memory to read a file");
	for (unsigned i = 0; steer != NULL && i < n; i++)
		lane_publish_seldom(&lanes[i]);
	return r;
}

void
replay_wake(struct replay *r)
{
	if (r->state == STATE_DONE)
		return;
	r->waiting = false;
	again(r, 0);
}

void
replay_engine_gone(struct replay *r, unsigned i)
{
	struct lane *l = &r->lanes[i];

	if (r->state == STATE_DONE || i >= r->n)
		return;
	if (r->ended[i] && l->ring != NULL && ring_producer_used(l->ring) == 0) {
		r->left[i] = true;
		return;
	}
	if (l->now[LANE_FRAMES] == 0 && !r->ended[i]) {
		r->told[i] = false;
		return; /* it has lost nothing: wait for it */
	}
	log_error("engine@%u ended while the file was read, its frames are lost: read the file again", i);
	done(r, EXIT_FAILED);
}

void
replay_free(struct replay **r)
{
	if (*r == NULL)
		return;
	event_free((*r)->step);
	free(*r);
	*r = NULL;
}
