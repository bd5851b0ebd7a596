/* The book: entries in a hash table, and each tenant's in a list by the minute of their last traffic. */
#include "series_book.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/mem.h"
#include "ipc/wire.h"
#include "policy/snapshot.h"
#include "sum.h"

#define NONE          UINT32_MAX
#define TENANTS_MAX   (SNAPSHOT_TENANTS_MAX + 2u) /* the platform, and nobody's */
#define OTHERS        (TENANTS_MAX * (uint32_t)SERIES_SUBJECT_COUNT)
#define SAVE_AGAIN    720u /* minutes after which the database is told of traffic again */
#define HOSTS_PART    2u   /* of what may be active: hosts get one in so many */
#define BUCKETS_LEAST 1024u
#define SWEEP         16u /* entries of a gone tenant, at a time */

/* One tenant's entries. */
struct shelf {
	uint32_t tenant;
	uint32_t oldest, newest;
	uint32_t first_active; /* of the list: it and all newer ones are; NONE: none is */
	uint32_t *all;         /* [n], its entries in no order */
	uint32_t cap;
	uint32_t n, active, active_hosts;
	uint32_t number; /* the last that was given */
	bool gone;       /* there is no such tenant any more */
};

struct series_book {
	struct series_entry *entry;
	uint32_t *bucket; /* number + 1 */
	uint32_t max, mask, limit, unused, active_max, active;
	uint32_t minute; /* the newest heard of */
	struct shelf shelf[TENANTS_MAX];
	uint32_t nshelves, next_swept;
	bool (*is_there)(const void *ctx, uint32_t tenant); /* NULL: all are */
	const void *there_ctx;
	uint64_t seed;
};

struct series_book *
series_book_new(uint32_t active_max)
{
	struct series_book *b = mem_calloc(1, sizeof(*b));

	b->active_max = active_max;
	b->max = active_max * 2 + OTHERS;
	b->entry = mem_pages(b->max * sizeof(*b->entry));
	b->bucket = mem_calloc(BUCKETS_LEAST, sizeof(*b->bucket));
	b->mask = BUCKETS_LEAST - 1;
	b->unused = NONE;
	randombytes_buf(&b->seed, sizeof(b->seed));
	return b;
}

void
series_book_free(struct series_book **bp)
{
	struct series_book *b = *bp;

	if (b == NULL)
		return;
	for (uint32_t i = 0; i < b->nshelves; i++)
		free(b->shelf[i].all);
	munmap(b->entry, b->max * sizeof(*b->entry));
	free(b->bucket);
	free(b);
	*bp = NULL;
}

/* --- shelves
 * -----------------------------------------------------------------------------------------------------------
 */

/* The first shelf whose tenant is not less: they are in order. */
static uint32_t
shelf_place(const struct series_book *b, uint32_t tenant)
{
	uint32_t low = 0, high = b->nshelves;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (b->shelf[mid].tenant < tenant)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const struct shelf *
shelf_find(const struct series_book *b, uint32_t tenant)
{
	uint32_t at = shelf_place(b, tenant);

	return at < b->nshelves && b->shelf[at].tenant == tenant ? &b->shelf[at] : NULL;
}

static bool
is_gone(const struct series_book *b, uint32_t tenant)
{
	return b->is_there != NULL && !b->is_there(b->there_ctx, tenant);
}

static struct shelf *
shelf_get(struct series_book *b, uint32_t tenant)
{
	uint32_t at = shelf_place(b, tenant);

	if (at < b->nshelves && b->shelf[at].tenant == tenant)
		return &b->shelf[at];
	if (b->nshelves == TENANTS_MAX) /* for a moment: tenants that are gone are swept out */
		return NULL;
	memmove(&b->shelf[at + 1], &b->shelf[at], (b->nshelves - at) * sizeof(b->shelf[0]));
	b->nshelves++;
	b->shelf[at] = (struct shelf){ .tenant = tenant,
				       .oldest = NONE,
				       .newest = NONE,
				       .first_active = NONE,
				       .gone = is_gone(b, tenant) };
	return &b->shelf[at];
}

static bool
counts(const struct series_entry *e)
{
	return e->id.number != SERIES_OTHER;
}

static void
list_remove(struct series_book *b, struct shelf *s, uint32_t i)
{
	const struct series_entry *e = &b->entry[i];

	if (e->older != NONE)
		b->entry[e->older].newer = e->newer;
	else
		s->oldest = e->newer;
	if (e->newer != NONE)
		b->entry[e->newer].older = e->older;
	else
		s->newest = e->older;
}

static void
list_add(struct series_book *b, struct shelf *s, uint32_t i)
{
	b->entry[i].older = s->newest;
	b->entry[i].newer = NONE;
	if (s->newest != NONE)
		b->entry[s->newest].newer = i;
	else
		s->oldest = i;
	s->newest = i;
}

static bool
is_active(const struct series_book *b, const struct series_entry *e)
{
	return e->minute + SERIES_ACTIVE_MINUTES > b->minute;
}

static void
count_active(struct series_book *b, struct shelf *s, const struct series_entry *e, uint32_t by)
{
	if (!counts(e))
		return;
	s->active += by;
	b->active += by;
	if (e->id.subject == SERIES_HOST)
		s->active_hosts += by;
}

/* Entries whose hour is over do not count any more. */
static void
expire(struct series_book *b, struct shelf *s)
{
	while (s->first_active != NONE && !is_active(b, &b->entry[s->first_active])) {
		count_active(b, s, &b->entry[s->first_active], UINT32_MAX);
		s->first_active = b->entry[s->first_active].newer;
	}
}

/* --- entries
 * ------------------------------------------------------------------------------------------------------------
 */

static uint32_t *
bucket_of(const struct series_book *b, const struct series_id *id)
{
	return &b->bucket[hash_bytes(id, sizeof(*id), b->seed) & b->mask];
}

static uint32_t
lookup(const struct series_book *b, const struct series_id *id)
{
	for (uint32_t i = *bucket_of(b, id); i != 0; i = b->entry[i - 1].next)
		if (memcmp(&b->entry[i - 1].id, id, sizeof(*id)) == 0)
			return i - 1;
	return NONE;
}

/* Twice as many buckets: where few series are, they stay in a cache. */
static void
grow(struct series_book *b)
{
	b->mask = b->mask * 2 + 1;
	free(b->bucket);
	b->bucket = mem_calloc((size_t)b->mask + 1, sizeof(*b->bucket));
	for (uint32_t i = 0; i < b->limit; i++) {
		if (b->entry[i].id.subject == 0) /* a free one */
			continue;

		uint32_t *bucket = bucket_of(b, &b->entry[i].id);

		b->entry[i].next = *bucket;
		*bucket = i + 1;
	}
}

static uint32_t
entry_new(struct series_book *b, struct shelf *s, const struct series_id *id)
{
	uint32_t i = b->unused, *bucket;

	if (i != NONE)
		b->unused = b->entry[i].next;
	else if (b->limit < b->max)
		i = b->limit++;
	else
		return NONE;
	if (b->limit > b->mask)
		grow(b);
	bucket = bucket_of(b, id);
	b->entry[i] = (struct series_entry){ .id = *id, .number = id->number, .next = *bucket };
	*bucket = i + 1;
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 16 : s->cap * 2;
		s->all = mem_reallocarray(s->all, s->cap, sizeof(*s->all));
	}
	b->entry[i].place = s->n;
	s->all[s->n++] = i;
	return i;
}

static void
save(struct series_book *b, uint32_t i, struct batch *batch, bool gone)
{
	struct series_entry *e = &b->entry[i];

	e->saved = e->minute;
	batch_add_series(batch, &(struct batch_series){
				    .id = e->id, .number = e->number, .minute = e->minute, .gone = gone });
}

static void
remove_entry(struct series_book *b, struct shelf *s, uint32_t i)
{
	uint32_t *at;

	for (at = bucket_of(b, &b->entry[i].id); *at != i + 1; at = &b->entry[*at - 1].next)
		;
	*at = b->entry[i].next;
	list_remove(b, s, i);
	s->all[b->entry[i].place] = s->all[--s->n];
	b->entry[s->all[s->n]].place = b->entry[i].place;
	b->entry[i] = (struct series_entry){ .next = b->unused };
	b->unused = i;
}

/* The shelf's oldest entry that is not active goes; false where there is none. The one with the newest number
 * stays: from it the next start knows where numbers go on, so that none is given twice. */
static bool
forget_oldest(struct series_book *b, struct shelf *s, struct batch *batch)
{
	uint32_t i = s->oldest;

	expire(b, s);
	if (i != NONE && i != s->first_active && series_id_is_numbered(&b->entry[i].id) &&
	    b->entry[i].number == s->number)
		i = b->entry[i].newer;
	if (i == NONE || i == s->first_active)
		return false;
	save(b, i, batch, true);
	remove_entry(b, s, i);
	return true;
}

/* --- tenants that are gone
 * -----------------------------------------------------------------------------------------------------------
 */

void
series_book_tenants(struct series_book *b, bool (*is_there)(const void *ctx, uint32_t tenant),
		    const void *ctx)
{
	b->is_there = is_there;
	b->there_ctx = ctx;
	for (uint32_t i = 0; i < b->nshelves; i++)
		b->shelf[i].gone = is_gone(b, b->shelf[i].tenant);
}

/* Looks at the next shelf: what is not active any more does not count, though its tenant is silent; and some
 * of a gone tenant's entries go, then the shelf. The database forgets them by itself, with the tenant. */
static void
sweep(struct series_book *b)
{
	uint32_t at = b->next_swept < b->nshelves ? b->next_swept : 0;
	struct shelf *s = &b->shelf[at];

	b->next_swept = at + 1;
	if (b->nshelves == 0)
		return;
	expire(b, s);
	if (!s->gone)
		return;
	for (unsigned i = 0; i < SWEEP && s->oldest != NONE; i++) {
		const struct series_entry *e = &b->entry[s->oldest];

		if (s->first_active == s->oldest) {
			count_active(b, s, e, UINT32_MAX);
			s->first_active = e->newer;
		}
		remove_entry(b, s, s->oldest);
	}
	b->next_swept = at; /* until it is done */
	if (s->oldest != NONE)
		return;
	free(s->all);
	memmove(s, s + 1, (b->nshelves - at - 1) * sizeof(*s));
	b->nshelves--;
}

/* --- using
 * --------------------------------------------------------------------------------------------------------------
 */

/* What the tenant with most has not used for longest is active no more, as if its hour were over: one series,
 * and what does not count and is older. */
static void
take_from_most(struct series_book *b)
{
	struct shelf *most = &b->shelf[0];
	bool taken = false;

	for (uint32_t i = 0; i < b->nshelves; i++) {
		expire(b, &b->shelf[i]);
		if (b->shelf[i].active > most->active)
			most = &b->shelf[i];
	}
	while (b->active >= b->active_max && most->first_active != NONE && !taken) {
		struct series_entry *e = &b->entry[most->first_active];

		taken = counts(e);
		count_active(b, most, e, UINT32_MAX);
		most->first_active = e->newer;
		e->minute = b->minute - SERIES_ACTIVE_MINUTES;
	}
}

/* Whether another series of the tenant may be active. */
static bool
may_have(struct series_book *b, struct shelf *s, const struct series_id *id, uint64_t limit)
{
	if (id->number == SERIES_OTHER)
		return true;
	if (s->active >= limit ||
	    (id->subject == SERIES_HOST && s->active_hosts >= (limit + HOSTS_PART - 1) / HOSTS_PART))
		return false;
	/* All others together take nobody what would be his part of a full house. */
	if (b->active >= b->active_max && s->active < b->active_max / (b->nshelves + 1))
		take_from_most(b);
	return b->active < b->active_max;
}

/* Of tenants that remember more than they use, the one with most makes room. */
static bool
make_room(struct series_book *b, struct batch *batch)
{
	struct shelf *most = NULL;

	if (b->unused != NONE || b->limit < b->max - OTHERS)
		return true;
	for (uint32_t i = 0; i < b->nshelves; i++) {
		expire(b, &b->shelf[i]);
		if (b->shelf[i].n > b->shelf[i].active &&
		    (most == NULL || b->shelf[i].n - b->shelf[i].active > most->n - most->active))
			most = &b->shelf[i];
	}
	return most != NULL && forget_oldest(b, most, batch);
}

static uint32_t
make_entry(struct series_book *b, struct shelf *s, const struct series_id *id, uint64_t limit,
	   struct batch *batch)
{
	uint32_t i;

	if (id->number != SERIES_OTHER) {
		if (s->n >= limit * SERIES_REMEMBERED && !forget_oldest(b, s, batch))
			return NONE;
		if (!make_room(b, batch))
			return NONE;
	}
	i = entry_new(b, s, id);
	if (i != NONE && series_id_is_numbered(id))
		b->entry[i].number = ++s->number;
	return i;
}

struct series_entry *
series_book_use(struct series_book *b, const struct series_id *id, uint32_t minute, uint64_t limit,
		struct batch *batch)
{
	sweep(b);

	struct shelf *s = shelf_get(b, id->tenant);
	uint32_t i = lookup(b, id);

	if (minute > b->minute)
		b->minute = minute;
	if (s == NULL)
		return NULL;
	expire(b, s);

	bool is_new = i == NONE, was_active = !is_new && is_active(b, &b->entry[i]);

	if (!was_active && !may_have(b, s, id, limit))
		return NULL;
	if (is_new)
		i = make_entry(b, s, id, limit, batch);
	if (i == NONE)
		return NULL;

	struct series_entry *e = &b->entry[i];

	if (s->first_active == i)
		s->first_active = e->newer;
	if (!is_new)
		list_remove(b, s, i);
	list_add(b, s, i);
	if (s->first_active == NONE)
		s->first_active = i;
	/* Clocks may go back: the order of the list may not. */
	e->minute = b->minute;
	if (!was_active)
		count_active(b, s, e, 1);
	if (is_new || e->minute - e->saved >= SAVE_AGAIN)
		save(b, i, batch, false);
	return e;
}

const struct series_entry *
series_book_find(const struct series_book *b, const struct series_id *id)
{
	uint32_t i = lookup(b, id);

	return i == NONE ? NULL : &b->entry[i];
}

/* What comes late for a minute that is over for long is in the total alone. */
static void
add_pace(struct series_entry *e, uint32_t minute, const struct series_value *v)
{
	unsigned at = minute + 1 == e->pace_minute ? 1 : 0;

	if (minute > e->pace_minute) {
		e->pace[1] = e->pace[0];
		if (minute != e->pace_minute + 1)
			memset(&e->pace[1], 0, sizeof(e->pace[1]));
		memset(&e->pace[0], 0, sizeof(e->pace[0]));
		e->pace_minute = minute;
	} else if (minute + 1 < e->pace_minute) {
		return;
	}
	e->pace[at].in_bytes = sum_sat(e->pace[at].in_bytes, v->in_bytes);
	e->pace[at].out_bytes = sum_sat(e->pace[at].out_bytes, v->out_bytes);
}

void
series_book_count(struct series_book *b, const struct series_id *id, uint32_t minute,
		  const struct series_value *v)
{
	uint32_t i = lookup(b, id);

	if (i == NONE)
		return;
	series_value_add(&b->entry[i].total, v);
	add_pace(&b->entry[i], minute, v);
}

/* Of hosts and what follows from them a minute is told some seconds after its end: until then the one before
 * it is the newest. */
struct series_pace
series_entry_pace(const struct series_entry *e, uint32_t now)
{
	const unsigned at = e->pace_minute >= now ? 1 : 0;

	if (e->pace_minute > now || e->pace_minute + 2 < now)
		return (struct series_pace){ 0, 0 };
	return (struct series_pace){ e->pace[at].in_bytes / 60, e->pace[at].out_bytes / 60 };
}

bool
series_book_is_active(const struct series_book *b, const struct series_id *id)
{
	uint32_t i = lookup(b, id);

	return i != NONE && is_active(b, &b->entry[i]);
}

const uint32_t *
series_book_of(const struct series_book *b, uint32_t tenant, uint32_t *n)
{
	const struct shelf *s = shelf_find(b, tenant);

	*n = s == NULL ? 0 : s->n;
	return s == NULL ? NULL : s->all;
}

const struct series_entry *
series_book_at(const struct series_book *b, uint32_t at)
{
	return &b->entry[at];
}

uint32_t
series_book_active(const struct series_book *b, uint32_t tenant)
{
	const struct shelf *s = shelf_find(b, tenant);

	return s == NULL ? 0 : s->active;
}

uint32_t
series_book_active_all(const struct series_book *b)
{
	return b->active;
}

/* --- from the database
 * -------------------------------------------------------------------------------------------------
 */

void
series_book_load(struct series_book *b, const struct batch_series *from)
{
	struct shelf *s = shelf_get(b, from->id.tenant);
	uint32_t i;

	if (s == NULL || lookup(b, &from->id) != NONE)
		return;
	i = entry_new(b, s, &from->id);
	if (i == NONE)
		return;
	b->entry[i].number = from->number;
	b->entry[i].minute = b->entry[i].saved = from->minute;
	if (series_id_is_numbered(&from->id) && from->number > s->number)
		s->number = from->number;
}

static int
by_minute(const void *va, const void *vb, void *ctx)
{
	const struct series_entry *entry = ctx;
	uint32_t a = *(const uint32_t *)va, b = *(const uint32_t *)vb;

	if (entry[a].minute != entry[b].minute)
		return entry[a].minute < entry[b].minute ? -1 : 1;
	return (a > b) - (a < b);
}

void
series_book_loaded(struct series_book *b, uint32_t minute)
{
	uint32_t *order = mem_calloc(b->limit == 0 ? 1 : b->limit, sizeof(*order));

	b->minute = minute;
	for (uint32_t i = 0; i < b->limit; i++) {
		order[i] = i;
		if (b->entry[i].minute > minute) /* the clock was wrong then, or is now */
			b->entry[i].minute = b->entry[i].saved = minute;
	}
	if (b->limit > 1)
		qsort_r(order, b->limit, sizeof(*order), by_minute, b->entry);
	for (uint32_t i = 0; i < b->limit; i++) {
		struct series_entry *e = &b->entry[order[i]];
		struct shelf *s = shelf_get(b, e->id.tenant);

		list_add(b, s, order[i]);
		if (!is_active(b, e))
			continue;
		count_active(b, s, e, 1);
		if (s->first_active == NONE)
			s->first_active = order[i];
	}
	/* Numbers that a batch gave which never came to disk as a whole may stand there all the same. */
	for (uint32_t i = 0; i < b->nshelves; i++)
		b->shelf[i].number += 2 * BATCH_SERIES_MAX;
	free(order);
}
