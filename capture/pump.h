/*
 * Empties one handle of an interface into one lane: within the main loop where there is one handle, by a
 * thread of its own where there are more. Frames are taken in batches: after a batch the pump naps, so that a
 * busy interface costs a bounded number of wake-ups and not one for each block of the kernel's buffer.
 */
#ifndef WEIR_CAPTURE_PUMP_H
#define WEIR_CAPTURE_PUMP_H

#include <stdbool.h>

#include "lane.h"

struct event_base;
struct pump;

/* What a pump needs of a source (source_read is one); tests bring their own. */
struct pump_source {
	void *handle;
	int fd; /* readable while frames wait */
	/* Puts up to most frames into l, fewer where no more wait or the lane gets crowded; returns how many.
	 */
	int (*read)(void *handle, struct lane *l, int most);
};

/* tell runs in the main thread when the lane has signals for it. A nap takes
 * nap_ms; 0: none. Before the sandbox. */
struct pump *pump_new(struct event_base *base, const struct pump_source *s, struct lane *l, int nap_ms,
		      bool threaded, void (*tell)(void *ctx), void *ctx);
/* Begins to read, once; later calls do nothing. Within the sandbox: a thread starts here. */
void pump_start(struct pump *p);
/* Orders wait in the lane: they are carried out soon (threaded) or now. */
void pump_wake(struct pump *p);
/* Stops the thread and frees *p. */
void pump_free(struct pump **p);

#endif
