/*
 * A small launcher for measurements: starts weir-capture of one interface or file and its engines, and stands
 * in for the rest of the house. What is counted lies in memory that all share.
 */
#ifndef WEIR_BENCH_CHAIN_H
#define WEIR_BENCH_CHAIN_H

#include <stdatomic.h>
#include <stdint.h>

#include "ipc/boot.h"
#include "ipc/wire.h"

#define CHAIN_ENGINES 16

struct chain_stats {
	/* by stand-in engines */
	_Atomic uint64_t rings;         /* offered so far, of all engines */
	_Atomic uint64_t frames, bytes; /* taken from rings: bytes on the wire */
	_Atomic uint64_t checked; /* frames whose order or content was wrong (generate.c numbers them) */
	_Atomic uint64_t ends, end_frames, end_bytes, truncated_ends;
	_Atomic uint64_t link_type;
	struct wire_capture_counters counters[CHAIN_ENGINES];
	/* by the stand-in store: what real engines say */
	_Atomic uint64_t engine_packets, engine_undecoded, flows_ended;
	_Atomic uint64_t kernel_drops, ring_drops, other_drops;
};

/* Both run until SIGTERM; they have their own uid already. */
_Noreturn void chain_engine(const struct boot *b, struct chain_stats *s);
_Noreturn void chain_store(const struct boot *b, struct chain_stats *s);

#endif
