/* What history.c and history_write.c share. */
#ifndef WEIR_STORE_HISTORY_WRITE_H
#define WEIR_STORE_HISTORY_WRITE_H

#include "history.h"

#define HISTORY_SECONDARY 1 /* first byte of a row's value */
#define HISTORY_APPLIED   "applied/"

/* A flow of a batch, as one tenant gets it. */
struct history_row {
	int64_t last_ns;
	struct flow_id id;
	uint32_t tenant, slice;
	uint32_t at; /* in the batch's rows, in units of 8 bytes */
	uint32_t secondary;
};

struct history {
	struct db *db;
	struct history_limits limits;
	uint8_t secret[FLOW_ID_SECRET];
	/* The writer's own. */
	uint32_t trim_tenant;
	struct history_row *rows; /* of a batch, in the order of keys */
	size_t rows_cap;
	uint32_t *order; /* of a batch's deltas */
	uint32_t order_cap;
};

#endif
