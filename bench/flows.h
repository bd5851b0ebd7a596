/*
 * Flows as a site's network has them, the same in each run: hosts and servers by Zipf, ephemeral ports at
 * random, sizes log-normal, names that look real. Times rise; a flow ends up to a minute after it began.
 */
#ifndef WEIR_BENCH_FLOWS_H
#define WEIR_BENCH_FLOWS_H

#include <stdint.h>

#include "ipc/wire.h"

#define FLOWS_START_NS INT64_C(1700000000000000000)

struct flows;

/* gap_ns: between the ends of two flows. */
struct flows *flows_new(int64_t gap_ns);
/* The next one: its strings are in text, as a record has them. */
void flows_next(struct flows *g, struct rec_flow *f, char text[static FLOW_TEXT_MAX]);

/* The address of a server by its rank: 0 is met most often. */
struct ip_addr flows_server(uint32_t rank);

#endif
