/* What the files of weir-key share: the one context, passed to whoever needs it. */
#ifndef WEIR_KEY_KEY_H
#define WEIR_KEY_KEY_H

#include <stdbool.h>

#include "ipc/boot.h"
#include "ipc/counting.h"
#include "ipc/wire.h"

struct event;
struct event_base;
struct pair;
struct peers;

#define HTTPDS_MAX 8u

/* What a worker of httpd waits for: one thing at a time. */
struct request {
	bool waits;
	struct wire_sign ask;
};

struct key {
	const struct boot *boot;
	struct event_base *base;
	struct event *sigterm;
	struct peers *peers;
	struct pair *now, *before; /* before: of workers that have not got the new certificate yet, or NULL */
	struct event *forget;      /* the one before */
	struct request request[HTTPDS_MAX];
	struct event *work; /* some worker waits */
	struct event *tick;
	struct process_counters counters;
};

/* serve.c: takes the pair that it starts with, connects to the peers and takes what they ask. Dies where the
 * pair is none. */
void serve_open(struct key *k);
void serve_close(struct key *k);

#endif
