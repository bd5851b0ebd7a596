/* What other processes count and tell, added up over their restarts. */
#ifndef WEIR_STORE_TOLD_COUNTERS_H
#define WEIR_STORE_TOLD_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/proc.h"
#include "ipc/wire.h"

#define TOLD_PROCESSES_MAX 96

struct told_process {
	uint32_t proc, instance;
	int64_t start_ns;
	uint64_t before[PROCESS_COUNTERS]; /* of those that had its place, since we started */
	uint64_t last[PROCESS_COUNTERS];
};

struct told_counters {
	uint32_t n;
	struct told_process process[TOLD_PROCESSES_MAX];
};

/* Takes what a process tells of itself, or of one that has no channel to us (ipc/msg.def): from and instance
 * are the channel's. False where it may not tell that. */
bool told_counters_take(struct told_counters *t, enum proc from, unsigned instance,
			const struct wire_counters *w);
/* Of all processes of that kind, since store started. */
uint64_t told_counters_sum(const struct told_counters *t, enum process_counter c);

#endif
