/* What the files of weir-dial share: the one context, passed to whoever needs it. */
#ifndef WEIR_DIAL_DIAL_H
#define WEIR_DIAL_DIAL_H

#include "ipc/boot.h"
#include "ipc/counting.h"

struct connector;
struct event;
struct event_base;
struct peers;
struct resolver;

struct dial {
	const struct boot *boot;
	struct event_base *base;
	struct event *sigterm, *tick;
	struct peers *peers;
	struct resolver *resolver;
	struct connector *connector;
	struct process_counters counters;
};

/* serve.c: connects to the peers and takes their questions. */
void serve_open(struct dial *d);

#endif
