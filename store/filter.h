/*
 * A filter (ipc/filter.h) made ready for what store keeps: names are looked up once, then each flow runs
 * through numbers. One question's; nothing it refers to may change meanwhile.
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

/* Whether it asks for what tells an end from others, which a masked viewer may not do. */
bool filter_asks_for_ends(const struct filter_program *p);
/* Whether it asks whose a flow is, which only those may who see several tenants. */
bool filter_asks_for_tenant(const struct filter_program *p);

#endif
