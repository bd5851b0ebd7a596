/* The first k of many rows in an order, behind a cursor: one pass, memory for k. */
#ifndef WEIR_STORE_TOPK_H
#define WEIR_STORE_TOPK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOPK_MAX 1000
#define TOPK_TIE 24

/* The order is by value, then tenant, then tie: no two rows are equal. */
struct topk_entry {
	uint64_t value;
	uint32_t tenant;
	uint8_t tie[TOPK_TIE];
	uint32_t ref[2]; /* the caller's: which row */
};

struct topk {
	size_t k, n;
	uint64_t matched; /* rows behind the cursor that were offered */
	bool ascending, has_after;
	struct topk_entry after;
	struct topk_entry heap[TOPK_MAX]; /* the one that leaves first on top */
};

/* Below 0 where a has less than b, 0 only for one row with itself. */
int topk_compare(const struct topk_entry *a, const struct topk_entry *b);
/* after: NULL, or the last row of the page before. */
void topk_begin(struct topk *t, size_t k, bool ascending, const struct topk_entry *after);
/* Whether a row of this value may be among the first, so that its tie is worth making; if not it counts as
 * matched. */
bool topk_wants(struct topk *t, uint64_t value);
/* Offers a row that topk_wants. */
void topk_offer(struct topk *t, const struct topk_entry *e);
/* Puts the heap in order, first row first. */
void topk_finish(struct topk *t);
/* Whether rows are left behind the k. */
static inline bool
topk_more(const struct topk *t)
{
	return t->matched > t->n;
}

#endif
