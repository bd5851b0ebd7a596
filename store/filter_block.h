/* A filter over a block of kept flows, column by column: the same rows as filter_passes of each. */
#ifndef WEIR_STORE_FILTER_BLOCK_H
#define WEIR_STORE_FILTER_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "columns.h"
#include "filter.h"
#include "view.h"

/* Whether a row of the block can pass, by what its head and its small filters say. Nothing of the block is
 * unpacked but the list of its applications. masked: rows are seen with hidden ends. */
bool filter_block_may_pass(const struct filter *f, struct block_reader *r, const struct block *b,
			   bool masked);

struct filter_run; /* memory to work in, one thread's */
struct filter_run *filter_run_new(void);
void filter_run_free(struct filter_run **w);

/* wanted[i] &= whether row i passes, as the viewer sees it. tenant: of each row that is wanted. False: the
 * block is damaged. */
bool filter_block(struct filter_run *w, const struct filter *f, const struct view *v, struct columns *c,
		  const uint32_t *tenant, uint8_t *wanted);

#endif
