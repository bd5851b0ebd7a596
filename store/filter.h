/*
 * A filter (ipc/filter.h) made ready for what store keeps: names are looked up once, then each flow runs
 * through numbers, in any thread. One question's, which may take its time: names that come later are none of
 * its.
 */
#ifndef WEIR_STORE_FILTER_H
#define WEIR_STORE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/filter.h"
#include "store.h"

struct filter;

/* p is sane (filter_decode). */
struct filter *filter_bind(struct store *s, const struct filter_program *p);
void filter_free(struct filter **f);

/* What a filter asks of. */
struct filter_flow {
	const struct rec_flow *f; /* numbers are the dictionary's */
	const char *server_name;  /* f->server_name_len bytes */
	uint32_t tenant;          /* whose row it is */
};
bool filter_passes(const struct filter *f, const struct filter_flow *flow);

/* Whether it asks where in the world an end is, or by whom it is reached: a masked flow does not tell, and so
 * must not be asked. */
bool filter_asks_where(const struct filter_program *p);

#endif
