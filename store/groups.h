/*
 * Kept flows summed by what they have in common: the groups with most (or least) of a measure, the sum of the
 * others, the sum of all. Exact, whatever memory there is: where groups do not fit, the blocks are read again
 * for those that were left out.
 */
#ifndef WEIR_STORE_GROUPS_H
#define WEIR_STORE_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "filter.h"
#include "find.h"
#include "ipc/dimension.h"
#include "ipc/wire.h"
#include "view.h"

struct group_query {
	const struct view *view;
	const struct filter *filter; /* NULL: none */
	uint32_t point;              /* ANY_POINT: all */
	int64_t from_ns, to_ns;      /* last packet within [from, to) */
	struct wire_grouping by;     /* judged */
	uint32_t limit;              /* groups to be told */
	bool ascending;
	size_t memory; /* for groups, in bytes */
	/* Of dimensions whose numbers are the dictionary's: their names by number, nnames of them. Numbers
	 * say in which order names came, from whomever: groups are not ordered by them. */
	const char (*name[GROUP_DIMENSIONS_MAX])[NAME_TEXT_MAX + 1];
	uint32_t nnames[GROUP_DIMENSIONS_MAX];
};

struct group_sum {
	uint64_t groups;
	uint64_t value[MEASURE_COUNT];
	uint64_t *bucket; /* of by.measure; NULL: none were asked for */
};

struct group {
	struct group_sum sum;
	struct group_key key[GROUP_DIMENSIONS_MAX];
	char *name; /* text of the dimension that has names of its own, not terminated: key[].text_len says
		       how long */
};

struct groups {
	struct group_sum all, rest;
	struct group *group; /* in the order that was asked for */
	uint32_t n;
	int64_t first_ns; /* start of the first bucket */
	uint32_t nbuckets;
	uint32_t passes; /* over the blocks, to find the groups */
};

/* How many stretches of time a question has; 0: none, or too many. */
uint32_t groups_buckets(int64_t from_ns, int64_t to_ns, uint32_t bucket_s);

enum groups_end { GROUPS_DONE, GROUPS_STOPPED, GROUPS_FAILED };
/* *status where it failed; GROUPS_STOPPED: f->job was. g is to be freed in any case. */
enum groups_end history_groups(struct find *f, const struct group_query *q, struct groups *g,
			       enum db_status *status);
void groups_free(struct groups *g);

#endif
