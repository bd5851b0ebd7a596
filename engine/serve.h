/* The channels of an engine: capture processes offer rings, store takes ours. */
#ifndef WEIR_ENGINE_SERVE_H
#define WEIR_ENGINE_SERVE_H

#include <stdbool.h>

#include "engine.h"
#include "ipc/channel.h"
#include "ipc/counting.h"

struct server {
	struct engine *e;
	struct event_base *base;
	struct peers *peers;
	struct event *tick, *term;
	bool stop;
	bool blocked;     /* in the last turn a file waited for room in the record ring */
	bool stays;       /* flow_table_stays was said */
	int64_t began_ns; /* clock_boot_ns */
	struct process_counters counters;
	struct wire_counters
	    captures[BOOT_POINTS_MAX]; /* theirs, as they told them last; all 0: nothing yet */
};

extern const struct peers_handlers serve_handlers;

/* Nudges and ends channels as the turn of work has left them: peers that wait, peers that lied. */
void serve_after_turn(struct server *s);

#endif
