/* Sums that stop at the top instead of wrapping, and rates of the last full second. */
#ifndef WEIR_STORE_SUM_H
#define WEIR_STORE_SUM_H

#include <stdint.h>

static inline uint64_t
sum_sat(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static inline uint64_t
sum_less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* Two values (sent and received, or bytes and packets) of the newest second and of the one before. */
struct rate {
	int64_t second;
	uint64_t now[2], before[2];
};

/* Adds what belongs to a second. What is older than the second before the newest is left out: nobody asks for
 * it. */
static inline void
rate_add(struct rate *r, int64_t second, uint64_t a, uint64_t b)
{
	if (second > r->second) {
		for (int i = 0; i < 2; i++) {
			r->before[i] = second == r->second + 1 ? r->now[i] : 0;
			r->now[i] = 0;
		}
		r->second = second;
	}
	if (second == r->second) {
		r->now[0] = sum_sat(r->now[0], a);
		r->now[1] = sum_sat(r->now[1], b);
	} else if (second == r->second - 1) {
		r->before[0] = sum_sat(r->before[0], a);
		r->before[1] = sum_sat(r->before[1], b);
	}
}

static inline uint64_t
rate_at(const struct rate *r, int64_t second, int which)
{
	if (second == r->second)
		return r->now[which];
	return second == r->second - 1 ? r->before[which] : 0;
}

#endif
