/* What a process counts since it began, and tells: store adds up over its restarts. */
#ifndef WEIR_IPC_COUNTING_H
#define WEIR_IPC_COUNTING_H

#include <stdint.h>

#include "ipc/counters.h"
#include "ipc/msg.h"

struct boot;
struct peers;

struct process_counters {
	uint64_t n[PROCESS_COUNTERS];
	uint64_t told[PROCESS_COUNTERS];
	int64_t start_ns; /* clock_boot_ns of the first telling: which process of several it is */
};

/* Whoever is to be told came up: it is told all, of which nothing is 0. */
void process_counters_again(struct process_counters *c);
/* Once a second or so: tells what has changed. broken: the place of channels that ended (peers_broken). */
void process_counters_tell(struct process_counters *c, struct peers *p, const struct boot *b,
			   enum process_counter broken, enum proc to, enum msg_id id);

#endif
