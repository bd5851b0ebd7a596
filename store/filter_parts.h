/* A filter as it was bound, for those who run it: filter.c a flow at a time, filter_block.c a block of them.
 */
#ifndef WEIR_STORE_FILTER_PARTS_H
#define WEIR_STORE_FILTER_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "filter.h"
#include "names.h"

/* Numbers that a name stands for: an application's parts are in many applications' names. */
#define NUMBER_SET_MAX 65536u /* a flow's number of a name has 16 bits */
struct number_set {
	uint64_t word[NUMBER_SET_MAX / 64];
};
static_assert(BOOT_POINTS_MAX <= NUMBER_SET_MAX, "points are numbered as names are");

static inline bool
number_set_has(const struct number_set *set, uint32_t number)
{
	return number < NUMBER_SET_MAX && (set->word[number / 64] >> number % 64 & 1) != 0;
}

struct filter {
	struct store *s;
	uint32_t ntests, nsets;
	struct filter_test *test;
	char *text;
	struct number_set *set; /* of test i: set[test[i].reserved - 1] */
};

static inline bool
filter_compares(const struct filter_test *t, uint64_t v)
{
	if (t->compare == FILTER_LESS)
		return v < t->number;
	if (t->compare == FILTER_MORE)
		return v > t->number;
	return v == t->number;
}

static inline bool
filter_within(const struct filter_test *t, const struct ip_addr *ip)
{
	const struct ip_prefix prefix = { t->ip, t->bits };

	return prefix_contains(&prefix, ip);
}

static inline uint64_t
filter_mac_number(const uint8_t mac[static 6])
{
	uint64_t n = 0;

	for (size_t i = 0; i < 6; i++)
		n = n << 8 | mac[i];
	return n;
}

/* A name, or one below it: www.example.com is below example.com. */
bool filter_in_domain(const struct filter *f, const struct filter_test *t, const char *name, size_t len);
/* Whether the flow passes one test. */
bool filter_holds(const struct filter *f, const struct filter_test *t, const struct filter_flow *flow);

#endif
