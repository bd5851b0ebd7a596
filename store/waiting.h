/* Slices of flows that have ended and are not on disk yet: they stand in the batch that is filled, or in the
 * one that is written. */
#ifndef WEIR_STORE_WAITING_H
#define WEIR_STORE_WAITING_H

#include "flow_row.h"
#include "store.h"

/* Calls visit for each that is tenant's (TENANT_PLATFORM: each once, as its primary tenant's), in no order.
 * whose: as history has it. f and texts are good until the next record is taken. */
void waiting_each(const struct store *s, uint32_t tenant,
		  void (*visit)(void *ctx, uint32_t whose, const struct rec_flow *f,
				const struct flow_texts *texts),
		  void *ctx);

#endif
