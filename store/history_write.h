/* What history.c and history_write.c share. */
#ifndef WEIR_STORE_HISTORY_WRITE_H
#define WEIR_STORE_HISTORY_WRITE_H

#include "history.h"

#define HISTORY_SECONDARY 1 /* first byte of a row's value */
#define HISTORY_APPLIED   "applied/"

struct history {
	struct db *db;
	struct history_limits limits;
	uint8_t secret[FLOW_ID_SECRET];
	/* The writer's own. */
	uint32_t trim_tenant;
	uint32_t *order; /* of a batch's deltas */
	uint32_t order_cap;
};

#endif
