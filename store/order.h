/*
 * Rows of a list as they were at one moment, for pages in any order: a column of keys for each order, and
 * which row comes where in it. Filled by one thread, put in order by another, then only read.
 */
#ifndef WEIR_STORE_ORDER_H
#define WEIR_STORE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow_id.h"
#include "ipc/wire.h"
#include "topk.h"

/* Rows of one value come by tenant, then tie, as in topk.h. */
struct order_row {
	uint32_t tenant;
	uint8_t tie[TOPK_TIE];
	uint32_t ref[2]; /* the caller's: which row */
};

struct order {
	uint32_t n, max;
	struct order_row *row;
	uint64_t *value[SORT_KEY_COUNT]; /* by row; NULL: no order of this list */
	uint32_t *place[SORT_KEY_COUNT]; /* rows, least first */
	uint32_t sorted;                 /* bits of sort keys whose places are right; the owner's to set */
};

/* sorts: bits of enum sort_key. */
struct order *order_new(uint32_t max, uint32_t sorts);
void order_free(struct order **o);
/* Gives its memory back, but for *o itself: for large ones that takes milliseconds. */
void order_empty(struct order *o);
/* Bytes that it takes with all of its rows in all of its orders. */
uint64_t order_bytes(uint32_t max, uint32_t sorts);
/* Empties it. */
void order_reset(struct order *o);

/* Rows that hold flow ids as ties get them as the key's tenant sees them. */
void order_veil(struct order *o, const struct flow_id_key *k);
/* Makes the places of the orders that the bits say. Others of the same o may be read meanwhile. */
void order_sort(struct order *o, uint32_t sorts);

/* A page of an order, row by row. */
struct order_page {
	const struct order *o;
	enum sort_key sort;
	bool ascending;
	uint32_t at; /* rows that come before, in this direction */
};
/* after: NULL, or the last row of the page before. The order is sorted by it. */
void order_page(const struct order *o, enum sort_key sort, bool ascending, const struct topk_entry *after,
		struct order_page *p);
/* False: no more. */
bool order_next(struct order_page *p, struct topk_entry *e);

#endif
