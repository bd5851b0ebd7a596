/* A kept flow slice as bytes: the row layout of history. Only history.c and batch.c use it. */
#ifndef WEIR_STORE_FLOW_ROW_H
#define WEIR_STORE_FLOW_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"

#define FLOW_ROW_VERSION 2
#define FLOW_ROW_MAX     2200

/* The strings of a flow, as long as its lengths say; not terminated. */
struct flow_texts {
	const char *server_name, *info;
	const void *attributes; /* a list: ipc/attribute.h */
};

/* They stand one behind the other in a record. */
static inline struct flow_texts
flow_texts_of(const struct rec_flow *f, const char *text)
{
	if (text == NULL)
		return (struct flow_texts){ "", "", "" };
	return (struct flow_texts){ text, text + f->server_name_len,
				    text + f->server_name_len + f->info_len };
}

/* Numbers of applications, categories and risks are the dictionary's. */
struct kept_flow {
	uint32_t tenant;
	bool secondary; /* another tenant's row of the same flow is the primary one */
	struct rec_flow f;
	struct flow_texts texts;
};

/* What the key holds (id, slice, last_ns) is not in the row. Returns its length; at most FLOW_ROW_MAX. */
size_t flow_row_encode(const struct rec_flow *f, const struct flow_texts *texts,
		       uint8_t out[static FLOW_ROW_MAX]);
/* False where the bytes are no row of this version or one before. k->f.last_ns is set by the caller before;
 * the texts point into the row.
 */
bool flow_row_decode(const uint8_t *row, size_t len, struct kept_flow *k);

#endif
