/* Prefixes made into disjoint ranges of addresses in order, so that one search finds the longest prefix. */
#ifndef WEIR_POLICY_RANGES_H
#define WEIR_POLICY_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

__extension__ typedef unsigned __int128 u128;

/* A prefix, or (bits 0, specificity 0) everything. Prefixes nest or are disjoint. */
struct span {
	u128 start, last;
	uint32_t specificity; /* larger wins: bits of the prefix + 1, 0 where no network was named */
	uint32_t tenant;      /* of equal ones the lower wins */
};

struct range_value {
	uint32_t tenant; /* 0: no span is here */
	uint32_t specificity;
};

/* Which ranges to look at: addresses between the first and the last beginning lie in slots of equal width. */
struct jump {
	uint64_t first; /* keys: an IPv4 address, the upper half of any other */
	unsigned shift; /* 1 << shift keys a slot */
	uint32_t slots;
	uint32_t *at; /* [slots + 1]: the last range that begins before the slot */
};

/* Where each range begins; it ends where the next one does, and the first begins at 0. IPv4 has its own copy
 * of its part. */
struct ranges {
	uint32_t n, n4;
	struct jump jump, jump4;
	u128 *start;
	struct range_value *value;
	uint32_t *start4;
	struct range_value *value4;
};

u128 span_address(const struct ip_addr *a);
struct span span_of(const struct ip_prefix *p, uint32_t tenant);
int span_order(const void *a, const void *b);
/* From spans in span_order. */
void ranges_make(struct ranges *r, const struct span *s, size_t n);
void ranges_free(struct ranges *r);
/* r must have been made. */
const struct range_value *ranges_find(const struct ranges *r, const struct ip_addr *a);
/* Whether every address from first to last is in a span. */
bool ranges_hold(const struct ranges *r, const struct ip_addr *first, const struct ip_addr *last);

#endif
