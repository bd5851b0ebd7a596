/*
 * Which series there are: what each is of, the number it is kept under, when it last had traffic. Bounded by
 * tenant and in all: a tenant has so many active ones (with traffic within the last hour) and no more, and
 * remembers some times as many; what was silent for longest makes room. What is in the book is in the
 * database too, with the batch that first uses it.
 */
#ifndef WEIR_STORE_SERIES_BOOK_H
#define WEIR_STORE_SERIES_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "series_id.h"

#define SERIES_ACTIVE_MINUTES 60
#define SERIES_REMEMBERED     8 /* times what may be active */

struct series_entry {
	struct series_id id;
	uint32_t number;           /* of its series_key */
	uint32_t minute;           /* UTC, newest with traffic */
	uint32_t saved;            /* the same as the database says it, about */
	uint32_t next;             /* in its bucket: number + 1; of a free one the next free one's */
	uint32_t older, newer;     /* of its tenant's, by minute */
	uint32_t place;            /* among its tenant's in no order */
	struct series_value total; /* since store started */
	uint32_t pace_minute;      /* that pace[0] is of; pace[1] is of the minute before it */
	struct {
		uint64_t in_bytes, out_bytes;
	} pace[2];
};

struct series_book;

/* active_max: active series of all tenants. */
struct series_book *series_book_new(uint32_t active_max);
void series_book_free(struct series_book **b);
/* Before the first use: what the database has, in any order; then once that this was all. */
void series_book_load(struct series_book *b, const struct batch_series *s);
void series_book_loaded(struct series_book *b, uint32_t minute);

/* Which tenants there are may have changed: what is of those that are gone goes, some with each
 * series_book_use, and numbers go on behind what they had while a tenant is there. is_there is asked again of
 * any tenant that comes up later. Never called: all are there. */
void series_book_tenants(struct series_book *b, bool (*is_there)(const void *ctx, uint32_t tenant),
			 const void *ctx);

/*
 * The entry of a series that has traffic now, in this minute, made where there is none: what is new of it
 * goes into the batch, which must have room (batch_fits_series). limit: active series that its tenant may
 * have, of which hosts are at most half. NULL: it may have no more, or there is no room: its traffic is
 * (other)'s. What is (other) always has an entry.
 */
struct series_entry *series_book_use(struct series_book *b, const struct series_id *id, uint32_t minute,
				     uint64_t limit, struct batch *batch);
/* NULL: there is none. */
const struct series_entry *series_book_find(const struct series_book *b, const struct series_id *id);
/* Adds to its total what it had in a minute, or in a part of one, where there is an entry. */
void series_book_count(struct series_book *b, const struct series_id *id, uint32_t minute,
		       const struct series_value *v);
/* Bytes a second, over the newest whole minute that is known of now. */
struct series_pace {
	uint64_t in_bytes, out_bytes;
};
struct series_pace series_entry_pace(const struct series_entry *e, uint32_t now);
/* Whether it had traffic within the last hour. */
bool series_book_is_active(const struct series_book *b, const struct series_id *id);
/* A tenant's, in no order: *n places for series_book_at, until one is made or forgotten. */
const uint32_t *series_book_of(const struct series_book *b, uint32_t tenant, uint32_t *n);
/* What is there now: of anybody, and subject 0 where nothing is. */
const struct series_entry *series_book_at(const struct series_book *b, uint32_t at);
/* The series of an entry. */
static inline struct series_key
series_entry_key(const struct series_entry *e)
{
	return (struct series_key){ e->id.tenant, e->id.subject, e->number };
}
/* Active ones of a tenant; of all. */
uint32_t series_book_active(const struct series_book *b, uint32_t tenant);
uint32_t series_book_active_all(const struct series_book *b);

#endif
