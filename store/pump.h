/* Record rings: taking them over from engines, drawing records from them, letting go of them. */
#ifndef WEIR_STORE_PUMP_H
#define WEIR_STORE_PUMP_H

#include <stdbool.h>

#include "store.h"

/* An engine offered a ring. Takes r. What the one before still holds is drained first. */
void pump_offer(struct store *s, struct engine *e, struct ring_consumer *r, int64_t run);
/* The engine's channel is gone: what its ring holds still counts, then its live flows are lost. */
void pump_gone(struct store *s, struct engine *e);
/* Takes up to budget records of one engine. True where more may wait and there is room for it. */
bool pump_engine(struct store *s, struct engine *e, unsigned budget);
/* Gives an engine's room back up to position, where number is still its ring. */
void pump_release(struct engine *e, uint64_t number, uint64_t position);
/* Bytes that were taken and not yet given back. */
uint64_t pump_held(const struct engine *e);

#endif
