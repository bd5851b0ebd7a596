/*
 * What a grant that sees a part of its tenant gets instead of sums that are kept of the whole: sums of the
 * live flows that it may see, made for the question. They are of flows that are active now, and of what these
 * counted in the slice that they are in.
 */
#ifndef WEIR_STORE_PART_H
#define WEIR_STORE_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "subjects.h"
#include "view.h"

/* A live flow that the view sees. */
struct part_flow {
	struct rec_flow f;             /* nothing of it is masked: see hidden */
	bool hidden[2];                /* the view hides this end */
	uint32_t point;                /* index */
	uint32_t tenant;               /* whose flow it is to this view */
	const uint32_t *host, *device; /* numbers in the store's tables, of [CLIENT], [SERVER] */
	bool served;                   /* its server took part */
	uint64_t rate[2];              /* bytes from [CLIENT], [SERVER] in the view's last full second */
	int64_t rate_second;
};
void part_show(const struct view *v, const struct live *l, const struct live_flow *r, struct part_flow *p);

/* The newest packet and the newest second with packets among flows of files: *last_ns and *second are raised
 * to them. */
void part_latest(const struct store *s, const struct view *v, int64_t *last_ns, int64_t *second);
/* Adds a flow to what is summed of flows that are seen: flows and flows_active are their number; packets have
 * no rate. */
void part_add(struct subject *u, const struct view *v, const struct part_flow *p);

/* How many different hosts flows have, of those that are not hidden. */
struct part_hosts {
	uint8_t *mark; /* a bit a host of the store's table */
	size_t room;   /* bytes */
	uint32_t n;
};
void part_hosts_add(struct part_hosts *h, const struct part_flow *p);

#endif
