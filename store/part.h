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
void part_each(const struct store *s, const struct view *v,
	       void (*visit)(void *ctx, const struct part_flow *p), void *ctx);

/* The newest packet and the newest second with packets among flows of files: *last_ns and *second are raised
 * to them. */
void part_latest(const struct store *s, const struct view *v, int64_t *last_ns, int64_t *second);
/* For each point a subject summed of the flows there, of which flows and flows_active are those that were
 * summed; packets have no rate. points has room for BOOT_POINTS_MAX. */
void part_points(const struct store *s, const struct view *v, struct subject *points);
/* One subject for each application that has flows; to be freed by the caller. */
struct subject *part_applications(const struct store *s, const struct view *v, size_t *n);
/* How many different hosts the flows have. */
uint32_t part_hosts(const struct store *s, const struct view *v);

#endif
