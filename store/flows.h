/* Live flows: what is added where when one begins, counts and ends. Records are judged already (ingest.c),
 * and their numbers are the dictionary's. Rows are e's. */
#ifndef WEIR_STORE_FLOWS_H
#define WEIR_STORE_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

/* A flow (or slice) that is not live yet begins in its slot. text: its strings as in the record. */
void flow_begin(struct store *s, struct engine *e, const struct rec_flow *f, uint32_t point,
		const char *text);
/* Its meaning or counters changed. Counters are at least the row's. */
void flow_update(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f,
		 const char *text);
/* Counters at the end of a second. */
void flow_count(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow_count *c);
/* The slice ends as f says: the record that is kept. */
void flow_end(struct store *s, struct engine *e, struct live_flow *r, const struct rec_flow *f,
	      const char *text);
/* A complete record of a flow that was never opened. */
void flow_whole(struct store *s, struct engine *e, const struct rec_flow *f, uint32_t point,
		const char *text);
/* Its engine is gone, or forgot it: kept with what was last known. */
void flow_lost(struct store *s, struct engine *e, struct live_flow *r);

#endif
