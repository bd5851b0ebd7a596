/* A heap of the best k so far. */
#include "topk.h"

#include <string.h>

int
topk_compare(const struct topk_entry *a, const struct topk_entry *b)
{
	if (a->value != b->value)
		return a->value < b->value ? -1 : 1;
	if (a->tenant != b->tenant)
		return a->tenant < b->tenant ? -1 : 1;
	return memcmp(a->tie, b->tie, sizeof(a->tie));
}

/* Below 0: a comes first. */
static int
compare(const struct topk *t, const struct topk_entry *a, const struct topk_entry *b)
{
	int d = topk_compare(a, b);

	return t->ascending ? d : -d;
}

void
topk_begin(struct topk *t, size_t k, bool ascending, const struct topk_entry *after)
{
	t->k = k > TOPK_MAX ? TOPK_MAX : k;
	t->n = 0;
	t->matched = 0;
	t->ascending = ascending;
	t->has_after = after != NULL;
	if (after != NULL)
		t->after = *after;
}

static bool
before(const struct topk *t, uint64_t a, uint64_t b)
{
	return t->ascending ? a < b : a > b;
}

bool
topk_wants(struct topk *t, uint64_t value)
{
	if (t->has_after && before(t, value, t->after.value))
		return false;
	if (t->n < t->k || !before(t, t->heap[0].value, value))
		return true;
	/* Behind all of them, and behind the cursor unless it is a tie with it. */
	t->matched++;
	return false;
}

static void
swap(struct topk_entry *a, struct topk_entry *b)
{
	struct topk_entry e = *a;

	*a = *b;
	*b = e;
}

static void
sift_down(struct topk *t, size_t i, size_t n)
{
	for (;;) {
		size_t top = i;

		for (size_t c = 2 * i + 1; c <= 2 * i + 2 && c < n; c++)
			if (compare(t, &t->heap[c], &t->heap[top]) > 0)
				top = c;
		if (top == i)
			return;
		swap(&t->heap[i], &t->heap[top]);
		i = top;
	}
}

void
topk_offer(struct topk *t, const struct topk_entry *e)
{
	if (t->has_after && compare(t, e, &t->after) <= 0)
		return;
	t->matched++;
	if (t->k == 0)
		return;
	if (t->n == t->k) {
		if (compare(t, e, &t->heap[0]) > 0)
			return;
		t->heap[0] = *e;
		sift_down(t, 0, t->n);
		return;
	}

	size_t i = t->n++;

	t->heap[i] = *e;
	while (i > 0 && compare(t, &t->heap[i], &t->heap[(i - 1) / 2]) > 0) {
		swap(&t->heap[i], &t->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

void
topk_finish(struct topk *t)
{
	for (size_t n = t->n; n > 1; n--) {
		swap(&t->heap[0], &t->heap[n - 1]);
		sift_down(t, 0, n - 1);
	}
}
