/* A kept flow slice as bytes: the row layout of history. Only history.c and batch.c use it. */
#ifndef WEIR_STORE_FLOW_ROW_H
#define WEIR_STORE_FLOW_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"

#define FLOW_ROW_VERSION 1
#define FLOW_ROW_MAX     1100

/* Numbers of applications, categories and risks are the dictionary's. The texts are not terminated. */
struct kept_flow {
	uint32_t tenant;
	bool secondary; /* another tenant's row of the same flow is the primary one */
	struct rec_flow f;
	const char *server_name, *info; /* f.server_name_len and f.info_len bytes */
};

/* What the key holds (id, slice, last_ns) is not in the row. Returns its length; at most FLOW_ROW_MAX. */
size_t flow_row_encode(const struct rec_flow *f, const char *server_name, const char *info,
		       uint8_t out[static FLOW_ROW_MAX]);
/* False where the bytes are no row. k->f.last_ns is set by the caller before; the texts point into the row.
 */
bool flow_row_decode(const uint8_t *row, size_t len, struct kept_flow *k);

#endif
