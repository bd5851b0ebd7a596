/* Which rows of a block of kept flows a question is about: those that its viewer sees, at its observation
 * point, that its filter lets pass. */
#ifndef WEIR_STORE_KEPT_ROWS_H
#define WEIR_STORE_KEPT_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "columns.h"
#include "filter_block.h"
#include "view.h"

struct kept_rows {
	const struct view *view;
	const struct filter *filter; /* NULL: none */
	uint32_t point;              /* ANY_POINT: all */
	struct filter_run *run;
};

/* view and filter outlive it. */
void kept_rows_begin(struct kept_rows *k, const struct view *v, const struct filter *f, uint32_t point);
void kept_rows_end(struct kept_rows *k);

/* False: no row of the block is wanted. Looks at its head and small filters only. */
bool kept_rows_may_match(const struct kept_rows *k, struct block_reader *r, const struct block *b);
/* wanted[i] &= whether row i is. tenant: of each row that is wanted. False: the block is damaged. */
bool kept_rows_match(struct kept_rows *k, struct columns *c, const uint32_t *tenant, uint8_t *wanted);

#endif
