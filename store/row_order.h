/* Rows of a batch in the order of a block, as far as tenants and ends say it. */
#ifndef WEIR_STORE_ROW_ORDER_H
#define WEIR_STORE_ROW_ORDER_H

#include <stdint.h>

struct row_order {
	int64_t last_ns;
	uint32_t tenant, at; /* at: index of the slice, twice; odd: its second tenant's row */
};

/* By tenant, then end; those that are equal stay in their order. spare: room for n. */
void row_order_sort(struct row_order *row, struct row_order *spare, uint32_t n);

#endif
