/*
 * Rows of live lists as a view that is not narrowed has them: which there are, their keys by each order, and
 * what breaks a tie between equal ones.
 */
#ifndef WEIR_STORE_LIVE_ROWS_H
#define WEIR_STORE_LIVE_ROWS_H

#include "order.h"
#include "view.h"

enum live_list { LIVE_FLOWS, LIVE_HOSTS, LIVE_DEVICES, LIVE_LISTS };

/* What a list has keys for, bits of enum sort_key; and the key that stands for one that it has none for. */
uint32_t live_sorts(enum live_list list);
enum sort_key live_sort(enum live_list list, uint32_t sort);

uint64_t live_flow_value(const struct live_flow *r, enum sort_key sort, int64_t rate_second);
uint64_t live_host_value(const struct host *h, const struct host_share *n, enum sort_key sort,
			 int64_t rate_second);
uint64_t live_device_value(const struct device *d, const struct device_share *n, enum sort_key sort);

/* id: as the viewer knows it. */
void live_flow_tie(const struct flow_id *id, uint32_t slice, uint8_t tie[static TOPK_TIE]);
void live_host_tie(const struct host_key *k, uint8_t tie[static TOPK_TIE]);
void live_device_tie(const struct store *s, const struct device_key *k, uint8_t tie[static TOPK_TIE]);

/* What of a device the viewer sums. False: it is none of its devices. */
bool live_device(const struct view *v, const struct device *d, struct device_share *sum);

/* Where rows of a list may be: flows have a part for each engine, other lists have one. entry NULL: rows 0 ..
 * n - 1; else rows are slots_slot of n entries, which are good until something begins or ends. */
struct live_part {
	const uint32_t *entry;
	uint32_t n;
};
/* False: there is no such part. */
bool live_part(const struct view *v, enum live_list list, unsigned part, struct live_part *p);
/* How many rows the list may have. */
uint64_t live_count(const struct view *v, enum live_list list);

/* Asks for the memory of a row. */
void live_expect(const struct view *v, enum live_list list, unsigned part, uint32_t row);
/* A row as its order has it: value by sort key; ref is a flow's engine and slot, or the row. A flow's tie has
 * its id as it is. False: it is not the viewer's, or no row any more. */
bool live_take(const struct view *v, enum live_list list, unsigned part, uint32_t row, struct order_row *out,
	       uint64_t value[static SORT_KEY_COUNT]);

#endif
