/*
 * By radix sort (least digit first) of pairs of value and row; then each run of one value by those bytes of
 * tenant and tie that differ within it, eight of them at first, which is nearly always enough.
 */
#include "order.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

struct order_pair {
	uint64_t key;
	uint32_t row;
};

#define TIE_BYTES (sizeof(uint32_t) + TOPK_TIE)

static void *
pages(uint32_t n, size_t size)
{
	return mem_pages(((size_t)n + 1) * size);
}

uint64_t
order_bytes(uint32_t max, uint32_t sorts)
{
	uint64_t each = (uint64_t)__builtin_popcount(sorts) * (sizeof(uint64_t) + sizeof(uint32_t));

	return ((uint64_t)max + 1) * (sizeof(struct order_row) + each);
}

struct order *
order_new(uint32_t max, uint32_t sorts)
{
	struct order *o = mem_calloc(1, sizeof(*o));

	o->max = max;
	o->row = pages(max, sizeof(*o->row));
	for (int i = 0; i < SORT_KEY_COUNT; i++) {
		if ((sorts >> i & 1) == 0)
			continue;
		o->value[i] = pages(max, sizeof(*o->value[i]));
		o->place[i] = pages(max, sizeof(*o->place[i]));
	}
	return o;
}

static void
drop(void *pp, uint32_t n, size_t size)
{
	void *p;

	memcpy(&p, pp, sizeof(p));
	if (p != NULL)
		munmap(p, ((size_t)n + 1) * size);
	memset(pp, 0, sizeof(p));
}

void
order_empty(struct order *o)
{
	drop(&o->row, o->max, sizeof(*o->row));
	for (int i = 0; i < SORT_KEY_COUNT; i++) {
		drop(&o->value[i], o->max, sizeof(*o->value[i]));
		drop(&o->place[i], o->max, sizeof(*o->place[i]));
	}
	o->n = o->max = 0;
}

void
order_free(struct order **o)
{
	if (*o == NULL)
		return;
	order_empty(*o);
	free(*o);
	*o = NULL;
}

void
order_reset(struct order *o)
{
	o->n = 0;
	o->sorted = 0;
}

void
order_veil(struct order *o, const struct flow_id_key *k)
{
	for (uint32_t i = 0; i < o->n; i++) {
		struct flow_id id;

		memcpy(id.b, o->row[i].tie, sizeof(id.b));
		id = flow_id_veil(k, &id);
		memcpy(o->row[i].tie, id.b, sizeof(id.b));
	}
}

/* --- sorting
 * ------------------------------------------------------------------------------------------------------------
 */

#define DIGITS 8 /* bytes of a key */

/* Sorts n pairs at from by their keys; tmp has as much room. Digits that are the same in all are skipped. */
static void
sort_pairs(struct order_pair *from, struct order_pair *tmp, uint32_t n)
{
	uint32_t count[DIGITS][256] = { { 0 } };
	struct order_pair *a = from, *b = tmp;

	for (uint32_t i = 0; i < n; i++)
		for (int d = 0; d < DIGITS; d++)
			count[d][a[i].key >> 8 * d & 255]++;
	for (int d = 0; d < DIGITS; d++) {
		uint32_t *c = count[d], sum = 0;

		if (c[a[0].key >> 8 * d & 255] == n)
			continue;
		for (int v = 0; v < 256; v++) {
			uint32_t here = c[v];

			c[v] = sum;
			sum += here;
		}
		for (uint32_t i = 0; i < n; i++)
			b[c[a[i].key >> 8 * d & 255]++] = a[i];

		struct order_pair *t = a;

		a = b;
		b = t;
	}
	if (a != from)
		memcpy(from, a, n * sizeof(*from));
}

static void
tie_bytes(const struct order_row *r, uint8_t out[static TIE_BYTES])
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(r->tenant >> (24 - 8 * i));
	memcpy(out + 4, r->tie, TOPK_TIE);
}

static int
compare_ties(const struct order_row *a, const struct order_row *b)
{
	if (a->tenant != b->tenant)
		return a->tenant < b->tenant ? -1 : 1;
	return memcmp(a->tie, b->tie, sizeof(a->tie));
}

/* Few rows of one key. */
static void
insert_by_ties(const struct order *o, struct order_pair *p, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct order_pair x = p[i];
		uint32_t at = i;

		for (; at > 0 && compare_ties(&o->row[p[at - 1].row], &o->row[x.row]) > 0; at--)
			p[at] = p[at - 1];
		p[at] = x;
	}
}

#define FEW 16

/* Up to eight places of bytes that differ within the run, at or behind from. Returns how many; *next is
 * behind them. */
static unsigned
differing(const struct order *o, const struct order_pair *p, uint32_t n, size_t from,
	  uint8_t at[static DIGITS], size_t *next)
{
	uint8_t first[TIE_BYTES], bytes[TIE_BYTES], differs[TIE_BYTES] = { 0 };
	unsigned found = 0;
	size_t i;

	tie_bytes(&o->row[p[0].row], first);
	for (uint32_t k = 1; k < n; k++) {
		tie_bytes(&o->row[p[k].row], bytes);
		for (i = from; i < TIE_BYTES; i++)
			differs[i] |= bytes[i] ^ first[i];
	}
	for (i = from; i < TIE_BYTES && found < DIGITS; i++)
		if (differs[i] != 0)
			at[found++] = (uint8_t)i;
	*next = i;
	return found;
}

/* The keys of a run anew: of its next bytes of ties, then sorted by them. False where no byte differs any
 * more. */
static bool
key_by_ties(const struct order *o, struct order_pair *p, struct order_pair *tmp, uint32_t n, size_t from,
	    size_t *next)
{
	uint8_t at[DIGITS], bytes[TIE_BYTES];
	unsigned found = differing(o, p, n, from, at, next);

	if (found == 0)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		tie_bytes(&o->row[p[i].row], bytes);
		p[i].key = 0;
		for (unsigned d = 0; d < found; d++)
			p[i].key = p[i].key << 8 | bytes[at[d]];
	}
	sort_pairs(p, tmp, n);
	return true;
}

/* Rows that were sorted by their bytes of ties before `from`; those from `at` on are still to be looked at.
 */
struct level {
	uint32_t at, end;
	size_t from;
};
/* A level is gone below with at least DIGITS bytes less, but for the last. */
#define LEVELS (TIE_BYTES / DIGITS + 2)

/* Sorts each run of one key by the bytes of ties. */
static void
sort_runs(const struct order *o, struct order_pair *p, struct order_pair *tmp, uint32_t n)
{
	struct level level[LEVELS] = { { 0, n, 0 } };
	size_t depth = 1;

	while (depth > 0) {
		struct level *l = &level[depth - 1];
		uint32_t i = l->at, end = i + 1;
		size_t next;

		if (i == l->end) {
			depth--;
			continue;
		}
		while (end < l->end && p[end].key == p[i].key)
			end++;
		l->at = end;
		if (end - i <= FEW || depth == LEVELS)
			insert_by_ties(o, p + i, end - i);
		else if (key_by_ties(o, p + i, tmp + i, end - i, l->from, &next))
			level[depth++] = (struct level){ i, end, next };
	}
}

static void
sort_one(struct order *o, int sort, struct order_pair *p, struct order_pair *tmp)
{
	for (uint32_t i = 0; i < o->n; i++)
		p[i] = (struct order_pair){ o->value[sort][i], i };
	sort_pairs(p, tmp, o->n);
	sort_runs(o, p, tmp, o->n);
	for (uint32_t i = 0; i < o->n; i++)
		o->place[sort][i] = p[i].row;
}

void
order_sort(struct order *o, uint32_t sorts)
{
	struct order_pair *p, *tmp;

	if (o->n == 0)
		return;
	p = pages(o->n, sizeof(*p));
	tmp = pages(o->n, sizeof(*tmp));
	for (int i = 0; i < SORT_KEY_COUNT; i++)
		if (sorts >> i & 1)
			sort_one(o, i, p, tmp);
	drop(&p, o->n, sizeof(*p));
	drop(&tmp, o->n, sizeof(*tmp));
}

/* --- pages
 * --------------------------------------------------------------------------------------------------------------
 */

static void
entry_of(const struct order *o, enum sort_key sort, uint32_t place, struct topk_entry *e)
{
	const uint32_t i = o->place[sort][place];
	const struct order_row *r = &o->row[i];

	*e = (struct topk_entry){ .value = o->value[sort][i],
				  .tenant = r->tenant,
				  .ref = { r->ref[0], r->ref[1] } };
	memcpy(e->tie, r->tie, sizeof(e->tie));
}

/* How many rows come before e, or stand where it does, in this direction. */
static uint32_t
rows_upto(const struct order *o, enum sort_key sort, bool ascending, const struct topk_entry *e)
{
	uint32_t low = 0, high = o->n;
	struct topk_entry x;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		entry_of(o, sort, ascending ? middle : o->n - 1 - middle, &x);

		int d = topk_compare(&x, e);

		if ((ascending ? d : -d) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
order_page(const struct order *o, enum sort_key sort, bool ascending, const struct topk_entry *after,
	   struct order_page *p)
{
	*p = (struct order_page){ .o = o, .sort = sort, .ascending = ascending };
	if (after != NULL)
		p->at = rows_upto(o, sort, ascending, after);
}

bool
order_next(struct order_page *p, struct topk_entry *e)
{
	if (p->at >= p->o->n)
		return false;
	entry_of(p->o, p->sort, p->ascending ? p->at : p->o->n - 1 - p->at, e);
	p->at++;
	return true;
}
