/*
 * What an engine tells store of many live flows: counters of flows at random, and flows that begin where
 * others were. One host in twenty has an address of 10.1/16, one in a thousand one of 10.2/16; all have their
 * servers in 20/8.
 */
#ifndef WEIR_BENCH_LIVE_TRAFFIC_H
#define WEIR_BENCH_LIVE_TRAFFIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "ipc/ring.h"
#include "ipc/wire.h"

struct live_traffic {
	struct ring_producer *ring; /* the caller's to set, freed with the rest */
	uint32_t point, flows, hosts;
	uint64_t rate;               /* records a second */
	struct flow_counters *count; /* by slot */
	uint32_t *generation;
	uint64_t state, sequence, sent;
	int64_t begin_ns;
	atomic_uint_fast64_t put, full; /* records that found room, and that found none */
};

uint64_t live_random(uint64_t *state);
struct ip_addr live_address(uint32_t v4);

void live_traffic_init(struct live_traffic *t, uint32_t point, uint32_t flows, uint32_t hosts, uint64_t rate);
void live_traffic_free(struct live_traffic *t);
/* A flow begins in slot (< flows); false where the ring is full. */
bool live_traffic_open(struct live_traffic *t, uint32_t slot);
/* From now on it is due at its rate. */
void live_traffic_begin(struct live_traffic *t);
/* Sends what is due, and publishes it; true where the consumer is to be woken. */
bool live_traffic_send_due(struct live_traffic *t);

#endif
