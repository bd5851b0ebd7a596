/* What the files share that answer questions about series: ask_series.c, ask_series_flows.c. */
#ifndef WEIR_STORE_ASK_SERIES_H
#define WEIR_STORE_ASK_SERIES_H

#include "ask.h"
#include "series_id.h"

/* Buckets that begin at from_s, a multiple of the resolution, and before to_s, which is behind it. */
struct series_range {
	int64_t from_s, to_s;
	uint32_t resolution_s;
};

static inline uint64_t
series_range_buckets(const struct series_range *r)
{
	return r->to_s <= r->from_s ? 0
				    : (uint64_t)(r->to_s - r->from_s + r->resolution_s - 1) / r->resolution_s;
}

/* The same as a series that is kept, made of flows that the view sees: beside the loop. id NULL: of nothing
 * that there is, which takes as long. The last thing that a handler does. */
void ask_series_of_flows(struct store *s, struct question *a, const struct series_id *id,
			 const struct series_range *r);

/* Of applications, categories, systems and countries, for who sees a part: what the live flows of it say. */
ask_handler ask_part_sums; /* ask_part_sums.c */

/* What breaks a tie between rows of a list: never numbers that tell in which order things came up. text: the
 * key as people write it. */
void ask_series_tie(const struct series_id *id, const char *text, uint8_t tie[static TOPK_TIE]);
/* A row of a list; its texts and their lengths are made here. */
void ask_put_series_of(struct store *s, struct question *a, const struct series_id *id,
		       struct row_series_of *r);
void ask_put_series_point(struct question *a, const struct series_point *p, uint32_t resolution_s);
/* Ends the answer. finest_s: as of a point. */
void ask_put_percentile(struct question *a, const struct series_percentile *p, const struct series_range *r,
			uint32_t finest_s);
/* Ends the answer with a cursor: more follows from next_s on. */
void ask_end_series_page(struct store *s, struct question *a, int64_t next_s, uint32_t resolution_s);

#endif
