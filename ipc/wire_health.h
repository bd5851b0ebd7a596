/*
 * How Weir itself does: what processes counted, and who lives. The rules of ipc/wire.h hold.
 */
#ifndef WEIR_IPC_WIRE_HEALTH_H
#define WEIR_IPC_WIRE_HEALTH_H

#include <assert.h>
#include <stdint.h>

#include "ipc/counters.h"

/* What a process counted since it began: those of counters.def that are its own. */
struct wire_counters {
	uint32_t proc, instance; /* whose; the channel says who may tell it */
	int64_t start_ns;        /* which process of several that had the place: those before it are over */
	uint64_t n[PROCESS_COUNTERS];
};
static_assert(sizeof(struct wire_counters) == 16 + 8 * PROCESS_COUNTERS, "no padding");

/* A process as the launcher sees it (and, without one, as store's channels show it). */
enum component_state {
	COMPONENT_RUNNING = 1,
	COMPONENT_RESTARTING,
	COMPONENT_WAITING,
	COMPONENT_DEGRADED,
	COMPONENT_ENDED
};
/* What the operator should know of a process that does all that it is told to. */
enum component_warning {
	WARNING_NONE,
	WARNING_UNSEALED, /* authd: no master key is set, so its secrets at rest are not sealed */
	WARNINGS
};
struct wire_component {
	uint32_t proc, instance; /* enum proc */
	uint32_t state;          /* enum component_state */
	uint32_t restarts;
	int64_t since_ns;   /* UTC: of this state */
	int64_t died_ns;    /* UTC: last death; 0 never */
	uint64_t speed_bps; /* capture: bits a second that its interface can carry; 0 not known */
	uint32_t warning;   /* enum component_warning */
	uint32_t unused;    /* 0 */
	char point[64];     /* capture: its interface or file */
	char why[160]; /* last death, in words: "killed by SIGSYS: system call 41 (socket)"; or what it waits
			  for */
};
static_assert(sizeof(struct wire_component) == 272, "no padding");
/* ROW_COMPONENT is a struct wire_component; store's own row says COMPONENT_DEGRADED with the reason where it
 * cannot write. */

#endif
