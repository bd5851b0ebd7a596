/*
 * What one minute counted, by what its series will be of: sums, and of each tenant's hosts those with most
 * bytes. What finds no room is in the (other) of its subject, so that everything is in one sum or another.
 */
#ifndef WEIR_STORE_GATHER_H
#define WEIR_STORE_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "series_id.h"

struct gathered {
	struct series_id id;
	struct series_value v;
	bool followed; /* of hosts */
};

struct gather;

struct gather *gather_new(void);
void gather_free(struct gather **g);
void gather_empty(struct gather *g);

void gather_add(struct gather *g, const struct series_id *id, const struct series_value *v);
/* How many of a tenant's hosts stay by themselves. */
struct gather_limits {
	uint32_t top;      /* those with most bytes, whoever they are */
	uint32_t followed; /* further ones that are followed, those with most bytes of them */
};
void gather_host(struct gather *g, const struct series_id *id, const struct series_value *v, bool followed,
		 const struct gather_limits *limits);

/* Everything is there: puts those of most bytes first, since limits are next. A step of about so many; false:
 * there is more to do. Afterwards only gather_other. */
bool gather_close(struct gather *g, uint32_t budget);
/* The i-th that is no (other); NULL: no more. Sums come first, hosts follow. */
const struct gathered *gather_at(const struct gather *g, uint32_t i);
/* Moves what has no series of its own into the (other) of its subject. */
void gather_other(struct gather *g, const struct gathered *of);
/* The i-th (other); NULL: no more. */
const struct gathered *gather_other_at(const struct gather *g, uint32_t i);

#endif
