/* Sums in a hash table, hosts in two heaps a tenant, and (other) in a table of its own that has always room.
 */
#include "gather.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "ipc/wire.h"
#include "policy/snapshot.h"
#include "sum.h"

/* Of all tenants together; what would be a tenant's part of a full house it has, whatever the others took. */
#define SUMS_MAX  65536u /* put in order in one step */
#define HOSTS_MAX 524288u
#define FIRST     256u

/* Sums by id. */
struct table {
	struct gathered *row;
	uint32_t *next;   /* in the bucket: number + 1 */
	uint32_t *bucket; /* number + 1 */
	uint32_t n, room; /* room: a power of two, rows and buckets */
};

struct heap {
	struct gathered *host; /* the one with least bytes on top */
	uint32_t n, room;
};
enum { HEAP_TOP, HEAP_FOLLOWED, HEAPS };

struct ranking {
	uint32_t tenant;
	uint32_t sums;
	struct heap heap[HEAPS];
};

struct gather {
	struct table sum, other;
	struct ranking *ranking; /* by tenant */
	uint32_t nrankings, rankings_room;
	uint32_t hosts; /* in all heaps */
	uint32_t recent[SERIES_SUBJECT_COUNT]
		       [2]; /* rows of sum that were added to last, of tenants and the platform */
	struct gathered *closed;
	uint32_t nclosed, closing; /* rankings that are in it */
	uint64_t seed;
};

struct gather *
gather_new(void)
{
	struct gather *g = mem_calloc(1, sizeof(*g));

	randombytes_buf(&g->seed, sizeof(g->seed));
	return g;
}

static void
table_free(struct table *t)
{
	free(t->row);
	free(t->next);
	free(t->bucket);
	*t = (struct table){ 0 };
}

/* Also the memory: the next minute may be a quiet one. */
void
gather_empty(struct gather *g)
{
	table_free(&g->sum);
	table_free(&g->other);
	for (uint32_t i = 0; i < g->nrankings; i++)
		for (int h = 0; h < HEAPS; h++)
			free(g->ranking[i].heap[h].host);
	free(g->ranking);
	free(g->closed);
	*g = (struct gather){ .seed = g->seed };
}

void
gather_free(struct gather **g)
{
	if (*g == NULL)
		return;
	gather_empty(*g);
	free(*g);
	*g = NULL;
}

static uint64_t
bytes_of(const struct gathered *a)
{
	return sum_sat(a->v.in_bytes, a->v.out_bytes);
}

/* --- tenants
 * --------------------------------------------------------------------------------------------------------------
 */

static struct ranking *
ranking_of(struct gather *g, uint32_t tenant)
{
	uint32_t low = 0, high = g->nrankings;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (g->ranking[mid].tenant < tenant)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < g->nrankings && g->ranking[low].tenant == tenant)
		return &g->ranking[low];
	if (g->nrankings == g->rankings_room) {
		g->rankings_room = g->rankings_room == 0 ? 16 : g->rankings_room * 2;
		g->ranking = mem_reallocarray(g->ranking, g->rankings_room, sizeof(*g->ranking));
	}
	memmove(&g->ranking[low + 1], &g->ranking[low], (g->nrankings - low) * sizeof(*g->ranking));
	g->nrankings++;
	g->ranking[low] = (struct ranking){ .tenant = tenant };
	return &g->ranking[low];
}

/* Whether one more finds room, of `all` that all tenants have and `own` that are the tenant's. */
static bool
has_room(const struct gather *g, uint32_t all, uint32_t own, uint32_t max)
{
	return all < max || own < max / g->nrankings;
}

/* --- sums
 * -----------------------------------------------------------------------------------------------------------------
 */

static uint32_t *
bucket_of(const struct gather *g, const struct table *t, const struct series_id *id)
{
	return &t->bucket[hash_bytes(id, sizeof(*id), g->seed) & (t->room - 1)];
}

static void
table_grow(const struct gather *g, struct table *t)
{
	t->room = t->room == 0 ? FIRST : t->room * 2;
	t->row = mem_reallocarray(t->row, t->room, sizeof(*t->row));
	t->next = mem_reallocarray(t->next, t->room, sizeof(*t->next));
	free(t->bucket);
	t->bucket = mem_calloc(t->room, sizeof(*t->bucket));
	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t *bucket = bucket_of(g, t, &t->row[i].id);

		t->next[i] = *bucket;
		*bucket = i + 1;
	}
}

/* To the row *at. False: there is none. */
static bool
table_add(const struct gather *g, const struct table *t, const struct series_id *id,
	  const struct series_value *v, uint32_t *at)
{
	if (t->n == 0)
		return false;
	for (uint32_t i = *bucket_of(g, t, id); i != 0; i = t->next[i - 1]) {
		if (memcmp(&t->row[i - 1].id, id, sizeof(*id)) != 0)
			continue;
		series_value_add(&t->row[i - 1].v, v);
		*at = i - 1;
		return true;
	}
	return false;
}

/* One that is not there: the row *at. */
static void
table_put(const struct gather *g, struct table *t, const struct series_id *id, const struct series_value *v,
	  uint32_t *at)
{
	uint32_t *bucket;

	if (t->n == t->room)
		table_grow(g, t);
	bucket = bucket_of(g, t, id);
	t->row[t->n] = (struct gathered){ .id = *id, .v = *v };
	t->next[t->n] = *bucket;
	*at = t->n;
	*bucket = ++t->n;
}

void
gather_other(struct gather *g, const struct gathered *of)
{
	struct series_id id = series_id_other(&of->id);
	uint32_t at;

	/* There are no more than subjects of tenants. */
	if (!table_add(g, &g->other, &id, &of->v, &at))
		table_put(g, &g->other, &id, &of->v, &at);
}

/* False: it is new, and there is no room. */
static bool
add_sum(struct gather *g, const struct series_id *id, const struct series_value *v, uint32_t *at)
{
	struct ranking *r;

	if (table_add(g, &g->sum, id, v, at))
		return true;
	r = ranking_of(g, id->tenant);
	if (!has_room(g, g->sum.n, r->sums, SUMS_MAX))
		return false;
	r->sums++;
	table_put(g, &g->sum, id, v, at);
	return true;
}

/* Most come again and again: the unknown country, the one network. */
void
gather_add(struct gather *g, const struct series_id *id, const struct series_value *v)
{
	uint32_t *recent = &g->recent[id->subject][id->tenant == TENANT_PLATFORM];

	if (*recent < g->sum.n && memcmp(&g->sum.row[*recent].id, id, sizeof(*id)) == 0)
		series_value_add(&g->sum.row[*recent].v, v);
	else if (!add_sum(g, id, v, recent))
		gather_other(g, &(struct gathered){ .id = *id, .v = *v });
}

/* --- hosts
 * ----------------------------------------------------------------------------------------------------------------
 */

static void
swap(struct gathered *a, struct gathered *b)
{
	struct gathered c = *a;

	*a = *b;
	*b = c;
}

static void
heap_push(struct heap *h, const struct gathered *a)
{
	if (h->n == h->room) {
		h->room = h->room == 0 ? 16 : h->room * 2;
		h->host = mem_reallocarray(h->host, h->room, sizeof(*h->host));
	}
	h->host[h->n] = *a;
	for (uint32_t i = h->n++; i > 0 && bytes_of(&h->host[i]) < bytes_of(&h->host[(i - 1) / 2]);
	     i = (i - 1) / 2)
		swap(&h->host[i], &h->host[(i - 1) / 2]);
}

static void
heap_sink(struct heap *h)
{
	for (uint32_t i = 0, child; (child = 2 * i + 1) < h->n; i = child) {
		if (child + 1 < h->n && bytes_of(&h->host[child + 1]) < bytes_of(&h->host[child]))
			child++;
		if (bytes_of(&h->host[i]) <= bytes_of(&h->host[child]))
			return;
		swap(&h->host[i], &h->host[child]);
	}
}

/* Takes *a, where need be for the least one, which *a becomes. True: there was room. */
static bool
heap_offer(struct gather *g, const struct ranking *r, struct heap *h, struct gathered *a, uint32_t max)
{
	uint32_t own = r->heap[HEAP_TOP].n + r->heap[HEAP_FOLLOWED].n;

	if (h->n < max && has_room(g, g->hosts, own, HOSTS_MAX)) {
		heap_push(h, a);
		g->hosts++;
		return true;
	}
	if (h->n > 0 && bytes_of(a) > bytes_of(&h->host[0])) {
		swap(a, &h->host[0]);
		heap_sink(h);
	}
	return false;
}

void
gather_host(struct gather *g, const struct series_id *id, const struct series_value *v, bool followed,
	    const struct gather_limits *limits)
{
	struct ranking *r = ranking_of(g, id->tenant);
	struct gathered a = { *id, *v, followed };

	if (heap_offer(g, r, &r->heap[HEAP_TOP], &a, limits->top) ||
	    (a.followed && heap_offer(g, r, &r->heap[HEAP_FOLLOWED], &a, limits->followed)))
		return;
	gather_other(g, &a);
}

/* --- all of it
 * ------------------------------------------------------------------------------------------------------------
 */

static int
by_bytes(const void *va, const void *vb)
{
	uint64_t a = bytes_of(va), b = bytes_of(vb);

	return (a < b) - (a > b);
}

static void
close_some(struct gather *g, struct gathered *row, uint32_t n)
{
	if (n == 0)
		return;
	qsort(row, n, sizeof(*row), by_bytes);
	memcpy(&g->closed[g->nclosed], row, n * sizeof(*row));
	g->nclosed += n;
}

bool
gather_close(struct gather *g, uint32_t budget)
{
	uint32_t until;

	if (g->closed == NULL) {
		g->closed = mem_calloc((size_t)g->sum.n + g->hosts + 1, sizeof(*g->closed));
		close_some(g, g->sum.row, g->sum.n);
	}
	until = budget < UINT32_MAX - g->nclosed ? g->nclosed + budget : UINT32_MAX;
	for (; g->closing < g->nrankings && g->nclosed < until; g->closing++)
		for (int k = 0; k < HEAPS; k++)
			close_some(g, g->ranking[g->closing].heap[k].host, g->ranking[g->closing].heap[k].n);
	return g->closing == g->nrankings;
}

const struct gathered *
gather_at(const struct gather *g, uint32_t i)
{
	return i < g->nclosed ? &g->closed[i] : NULL;
}

const struct gathered *
gather_other_at(const struct gather *g, uint32_t i)
{
	return i < g->other.n ? &g->other.row[i] : NULL;
}
