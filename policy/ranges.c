/* Makes ranges of prefixes by a sweep over the addresses, and finds one by a jump and a few halvings. */
#include "policy/ranges.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "base/mem.h"

#define V4_FIRST ((u128)0xffff << 32) /* ::ffff:0.0.0.0 */
#define V4_LAST  (V4_FIRST | UINT32_MAX)

u128
span_address(const struct ip_addr *a)
{
	struct rcur c = rcur_of(a->b, sizeof(a->b));
	u128 hi = rcur_be64(&c);

	return hi << 64 | rcur_be64(&c);
}

struct span
span_of(const struct ip_prefix *p, uint32_t tenant)
{
	u128 start = span_address(&p->addr);

	return (struct span){ start, p->bits == 128 ? start : start | ~(u128)0 >> p->bits, p->bits + 1u,
			      tenant };
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

int
span_order(const void *va, const void *vb)
{
	const struct span *a = va, *b = vb;
	int d = ORDER(a->start, b->start);

	d = d != 0 ? d : ORDER(a->specificity, b->specificity);
	return d != 0 ? d : ORDER(a->tenant, b->tenant);
}

/* --- making
 * -----------------------------------------------------------------------------------------------------------
 */

/* From start on, tenant and specificity hold; a range of the same start that was put before is overruled. */
static void
put_range(struct ranges *r, u128 start, const struct span *s)
{
	uint32_t at = r->n > 0 && r->start[r->n - 1] == start ? r->n - 1 : r->n++;

	r->start[at] = start;
	r->value[at] =
	    s == NULL ? (struct range_value){ 0, 0 } : (struct range_value){ s->tenant, s->specificity };
}

/* The spans that are open form a stack, never deeper than there are lengths. */
struct nest {
	const struct span *open[130];
	unsigned depth;
};

/* Ends the open spans that end before start (or all); what lies around them holds again. */
static void
close_spans(struct ranges *r, struct nest *st, bool all, u128 start)
{
	while (st->depth > 0 && (all || st->open[st->depth - 1]->last < start)) {
		u128 last = st->open[--st->depth]->last;

		if (last != ~(u128)0)
			put_range(r, last + 1, st->depth == 0 ? NULL : st->open[st->depth - 1]);
	}
}

/* The ranges within IPv4's part: the one that reaches into it, and those that begin there. */
static void
make_v4(struct ranges *r)
{
	uint32_t at = 0, n = 0;

	while (at + 1 < r->n && r->start[at + 1] <= V4_FIRST)
		at++;
	while (at + n < r->n && r->start[at + n] <= V4_LAST)
		n++;
	r->n4 = n;
	r->start4 = mem_calloc(n, sizeof(*r->start4));
	r->value4 = mem_calloc(n, sizeof(*r->value4));
	for (uint32_t i = 0; i < n; i++) {
		r->start4[i] = i == 0 ? 0 : (uint32_t)r->start[at + i];
		r->value4[i] = r->value[at + i];
	}
}

static uint64_t
key_of(const struct ranges *r, bool v4, uint32_t i)
{
	return v4 ? r->start4[i] : (uint64_t)(r->start[i] >> 64);
}

/* About a slot a range, so that a slot holds few beginnings unless they crowd together. */
static void
make_jump(struct jump *j, const struct ranges *r, bool v4)
{
	uint32_t n = v4 ? r->n4 : r->n, i = 0;
	uint64_t span;

	j->first = key_of(r, v4, n > 1 ? 1 : 0);
	span = key_of(r, v4, n - 1) - j->first;
	while (span >> j->shift >= n)
		j->shift++;
	j->slots = (uint32_t)(span >> j->shift) + 1;
	j->at = mem_calloc((size_t)j->slots + 1, sizeof(*j->at));
	for (uint32_t k = 0; k < j->slots; k++) {
		uint64_t begin = j->first + ((uint64_t)k << j->shift);

		while (i + 1 < n && key_of(r, v4, i + 1) < begin)
			i++;
		j->at[k] = i;
	}
	j->at[j->slots] = n - 1;
}

void
ranges_make(struct ranges *r, const struct span *s, size_t n)
{
	struct nest st = { .depth = 0 };

	/* Each span opens at most one range and closes one; the first begins at 0. */
	*r = (struct ranges){ .start = mem_calloc(2 * n + 1, sizeof(*r->start)),
			      .value = mem_calloc(2 * n + 1, sizeof(*r->value)) };
	put_range(r, 0, NULL);
	for (size_t i = 0; i < n; i++) {
		close_spans(r, &st, false, s[i].start);
		if (st.depth > 0 && st.open[st.depth - 1]->start == s[i].start &&
		    st.open[st.depth - 1]->specificity == s[i].specificity)
			continue; /* the same prefix again: the tenant with the lower number has it */
		st.open[st.depth++] = &s[i];
		put_range(r, s[i].start, &s[i]);
	}
	close_spans(r, &st, true, 0);
	make_v4(r);
	make_jump(&r->jump, r, false);
	make_jump(&r->jump4, r, true);
}

void
ranges_free(struct ranges *r)
{
	free(r->start);
	free(r->value);
	free(r->start4);
	free(r->value4);
	free(r->jump.at);
	free(r->jump4.at);
	*r = (struct ranges){ .n = 0 };
}

/* --- finding
 * ----------------------------------------------------------------------------------------------------------
 */

#define FEW 32 /* ranges that are halved sooner than one more line of memory is fetched */

/* The range that holds the key is one of *n, which was all, from the one that is returned. */
static uint32_t
jump_to(const struct jump *j, uint64_t key, uint32_t *n)
{
	if (*n <= FEW)
		return 0;

	uint64_t slot = key < j->first ? 0 : (key - j->first) >> j->shift;

	if (slot >= j->slots)
		slot = j->slots - 1;
	*n = j->at[slot + 1] - j->at[slot] + 1;
	return j->at[slot];
}

const struct range_value *
ranges_find(const struct ranges *r, const struct ip_addr *ip)
{
	uint32_t n;

	if (ip_is_v4(ip)) {
		n = r->n4;

		uint32_t a = (uint32_t)ip->b[12] << 24 | (uint32_t)ip->b[13] << 16 |
			     (uint32_t)ip->b[14] << 8 | ip->b[15];
		const uint32_t *base = r->start4 + jump_to(&r->jump4, a, &n);

		for (; n > 1; n -= n / 2)
			base += base[n / 2] <= a ? n / 2 : 0;
		return &r->value4[base - r->start4];
	}

	u128 a = span_address(ip);

	n = r->n;

	const u128 *base = r->start + jump_to(&r->jump, (uint64_t)(a >> 64), &n);

	for (; n > 1; n -= n / 2)
		base += base[n / 2] <= a ? n / 2 : 0;
	return &r->value[base - r->start];
}

bool
ranges_hold(const struct ranges *r, const struct ip_addr *first, const struct ip_addr *last)
{
	u128 from = span_address(first), to = span_address(last);
	uint32_t at = 0;

	for (uint32_t n = r->n; n > 1; n -= n / 2)
		at += r->start[at + n / 2] <= from ? n / 2 : 0;
	for (; at < r->n && r->start[at] <= to; at++)
		if (r->value[at].tenant == 0)
			return false;
	return true;
}
