/* The places at which processes count what store has no other way to know: counters.def. */
#ifndef WEIR_IPC_COUNTERS_H
#define WEIR_IPC_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/proc.h"

enum process_counter {
#define COUNTER(name, process, place, loss) COUNTED_##name,
#include "ipc/counters.def"
#undef COUNTER
	PROCESS_COUNTERS
};

/* A place's name, whose it is, and whether it is a loss. c < PROCESS_COUNTERS. */
const char *process_counter_name(enum process_counter c);
enum proc process_counter_proc(enum process_counter c);
bool process_counter_is_loss(enum process_counter c);

#endif
