/*
 * Reads one capture file into the lanes, all in the main thread. Nothing is dropped: where a ring is full it
 * waits for the engine. It begins when every engine has taken its ring, ends each ring with FRAME_END, and is
 * done when everything was released.
 */
#ifndef WEIR_CAPTURE_REPLAY_H
#define WEIR_CAPTURE_REPLAY_H

#include <stdbool.h>

#include "file.h"
#include "lane.h"
#include "steer.h"

struct event_base;
struct replay;

struct replay_handlers {
	void (*tell)(void *ctx);   /* lanes have signals */
	void (*ending)(void *ctx); /* all frames were put, FRAME_END is about to be: counters are final */
	bool (*sent)(void *ctx);   /* nothing waits to be sent to an engine */
	void (*done)(void *ctx, int status); /* EXIT_*; what was wrong is in the log already */
};

/* steer chooses among n lanes; NULL where there is one. */
struct replay *replay_new(struct event_base *base, struct file *f, struct steer *steer, struct lane *lanes,
			  unsigned n, const struct replay_handlers *h, void *ctx);
/* Something changed: orders wait in a lane, or a ring has room. */
void replay_wake(struct replay *r);
/* The engine of lane i went away. Call before its ring is taken from the lane. */
void replay_engine_gone(struct replay *r, unsigned i);
void replay_free(struct replay **r);

#endif
