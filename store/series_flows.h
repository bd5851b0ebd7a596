/*
 * A series that is made of flows, for who sees a part of a tenant: series are kept of the whole. What a slice
 * of a flow counted is spread evenly over the time from its first packet to its last one. In and out, and
 * which network an end is in, are by the view's policy, not by the one of then.
 */
#ifndef WEIR_STORE_SERIES_FLOWS_H
#define WEIR_STORE_SERIES_FLOWS_H

#include "find.h"
#include "view.h"

struct series_flows {
	const struct view *view;
	struct series_id id; /* of what; nothing is (other) */
	bool nothing;        /* there is no such thing: flows are looked at all the same */
	int64_t from_s;      /* start of the first bucket */
	uint32_t resolution_s, n;
	int64_t longest_ns; /* a slice that took longer is spread over so much before its end; below 2 days */
	struct series_value *bucket; /* [n] */
	uint64_t added;              /* times that something was added to one: what it costs */
};

/* Buckets that begin at from_s and before to_s; from_s is a multiple of resolution_s. */
void series_flows_begin(struct series_flows *w, const struct view *v, const struct series_id *id,
			int64_t from_s, int64_t to_s, uint32_t resolution_s, int64_t longest_ns);
void series_flows_end(struct series_flows *w);

/* What a flow that the view sees counts for: a system or country (SERIES_AS, SERIES_COUNTRY) of each outer
 * end, else its application or category. What comes in is what its end `in` sent. Returns how many. */
struct series_share {
	uint32_t number; /* as of a series_id */
	int in;          /* enum side */
};
size_t series_flows_shares(const struct view *v, uint32_t subject, const struct rec_flow *f,
			   struct series_share out[static 2]);

/* Adds a slice of a flow that the view sees. */
void series_flows_add(struct series_flows *w, const struct rec_flow *f);
/* Adds every kept one that the view sees. Where f->job is stopped some are missing: each bucket that a slice
 * is spread over costs it as much as a row. */
enum db_status series_flows_kept(struct find *f, struct series_flows *w);

#endif
