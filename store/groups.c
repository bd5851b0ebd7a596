/* Passes over the blocks, and what of their groups is told. */
#include "groups.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "group_scan.h"
#include "sum.h"

/* Groups that may be told: the worst is on top. */
struct candidate {
	uint64_t *words; /* key, then sums */
	char *name;      /* SERVER_NAME_MAX */
};

struct top {
	struct group_scan *s;
	struct candidate *heap;
	uint32_t n, most;
};

uint32_t
groups_buckets(int64_t from_ns, int64_t to_ns, uint32_t bucket_s)
{
	int64_t width = (int64_t)bucket_s * NS_PER_S, n;

	if (bucket_s == 0 || from_ns <= 0 || to_ns <= from_ns)
		return 0;
	n = (to_ns - 1) / width - from_ns / width + 1;
	return n > GROUP_BUCKETS_MAX ? 0 : (uint32_t)n;
}

/* --- their order
 * -------------------------------------------------------------------------------------------------------------
 */

static int
compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int
compare_texts(const char *a, size_t alen, const char *b, size_t blen)
{
	int d = memcmp(a, b, alen < blen ? alen : blen);

	return d != 0 ? d : compare_numbers(alen, blen);
}

/* Of the i-th dimension; "" of a name that is newer than the question. */
static const char *
dictionary_name(const struct group_query *q, unsigned i, uint64_t number)
{
	return number < q->nnames[i] ? q->name[i][number] : "";
}

static int
compare_axis(const struct group_scan *s, unsigned i, const uint64_t *x, const char *xname, const uint64_t *y,
	     const char *yname)
{
	const struct group_axis *a = &s->axis[i];
	int d;

	if (a->has_name)
		return compare_texts(xname, x[1] & UINT16_MAX, yname, y[1] & UINT16_MAX);
	if (s->q->name[i] != NULL)
		return strcmp(dictionary_name(s->q, i, x[0]), dictionary_name(s->q, i, y[0]));
	if (a->words == 1)
		return compare_numbers(x[0], y[0]);
	d = memcmp(x, y, sizeof(struct ip_addr));
	return d != 0 || a->words == 2 ? d : compare_numbers(x[2], y[2]);
}

/* Below 0: x is told before y. */
static int
compare(const struct group_scan *s, const uint64_t *x, const char *xname, const uint64_t *y,
	const char *yname)
{
	uint64_t a = x[s->words + s->by], b = y[s->words + s->by];
	uint32_t at = 0;
	int d = s->q->ascending ? compare_numbers(a, b) : compare_numbers(b, a);

	for (unsigned i = 0; i < s->naxes && d == 0; at += s->axis[i++].words)
		d = compare_axis(s, i, x + at, xname, y + at, yname);
	return d;
}

static int
compare_candidates(const struct top *t, uint32_t x, uint32_t y)
{
	return compare(t->s, t->heap[x].words, t->heap[x].name, t->heap[y].words, t->heap[y].name);
}

static void
swap(struct top *t, uint32_t x, uint32_t y)
{
	struct candidate was = t->heap[x];

	t->heap[x] = t->heap[y];
	t->heap[y] = was;
}

static void
sift_down(struct top *t, uint32_t n)
{
	for (uint32_t i = 0;;) {
		uint32_t worst = i;

		for (uint32_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
			if (compare_candidates(t, child, worst) > 0)
				worst = child;
		if (worst == i)
			return;
		swap(t, i, worst);
		i = worst;
	}
}

static void
sift_up(struct top *t, uint32_t i)
{
	for (; i > 0 && compare_candidates(t, i, (i - 1) / 2) > 0; i = (i - 1) / 2)
		swap(t, i, (i - 1) / 2);
}

/* --- what a pass found
 * -------------------------------------------------------------------------------------------------------
 */

static void
add_sums(const struct group_scan *s, struct group_sum *sum, const uint64_t *values)
{
	sum->groups++;
	for (unsigned m = 0; m < s->nvalues; m++)
		sum->value[s->measure[m]] = sum_sat(sum->value[s->measure[m]], values[m]);
}

static void
keep(struct top *t, struct candidate *c, const uint64_t *words, const char *name)
{
	const struct group_scan *s = t->s;

	memcpy(c->words, words, (s->words + s->nvalues) * sizeof(*words));
	if (s->name_word == GROUP_NO_NAME)
		return;
	memcpy(c->name, name, words[s->name_word] & UINT16_MAX);
	c->words[s->name_word] = group_name(0, words[s->name_word] & UINT16_MAX);
}

static void
consider(struct top *t, const uint64_t *words)
{
	const struct group_scan *s = t->s;
	const char *name = s->name_word == GROUP_NO_NAME ? "" : s->table.text + (words[s->name_word] >> 16);

	if (t->n < t->most) {
		struct candidate *c = &t->heap[t->n];

		c->words = mem_calloc(s->words + s->nvalues, sizeof(*words));
		c->name = mem_calloc(s->name_word == GROUP_NO_NAME ? 1 : SERVER_NAME_MAX, 1);
		keep(t, c, words, name);
		sift_up(t, t->n++);
	} else if (t->n > 0 && compare(s, words, name, t->heap[0].words, t->heap[0].name) < 0) {
		add_sums(s, &s->g->rest, t->heap[0].words + s->words);
		keep(t, &t->heap[0], words, name);
		sift_down(t, t->n);
	} else {
		add_sums(s, &s->g->rest, words + s->words);
	}
}

/* False where it was given up. */
static bool
find_groups(struct group_scan *s, struct top *t)
{
	uint64_t least = 0, width = UINT64_MAX;

	for (;;) {
		s->first = s->g->passes++ == 0;
		group_table_pass(&s->table, least, width > UINT64_MAX - least ? UINT64_MAX : least + width);
		if (!group_scan_sums(s))
			return false;
		s->g->all.groups += s->table.n;
		for (uint32_t i = 0; i < s->table.n; i++)
			consider(t, group_table_key(&s->table, i));
		if (s->table.most == UINT64_MAX)
			return true;
		width = s->table.most - least;
		least = s->table.most + 1;
	}
}

/* --- as they are told
 * --------------------------------------------------------------------------------------------------------
 */

static void
tell_key(const struct group_axis *a, const uint64_t *words, struct group_key *k)
{
	k->dimension = (uint8_t)a->dimension;
	if (a->has_name) {
		k->text_len = words[1] & UINT16_MAX;
	} else if (a->words == 1) {
		k->number = words[0];
	} else {
		memcpy(&k->ip, words, sizeof(k->ip));
		k->bits = a->words > 2 ? (uint8_t)words[2] : ip_is_v4(&k->ip) ? a->bits_v4 : a->bits_v6;
	}
}

/* Takes the name over. */
static void
tell(const struct group_scan *s, struct candidate *c, struct group *to)
{
	uint32_t at = 0;

	*to = (struct group){ .name = c->name };
	c->name = NULL;
	for (unsigned i = 0; i < s->naxes; at += s->axis[i++].words)
		tell_key(&s->axis[i], c->words + at, &to->key[i]);
	add_sums(s, &to->sum, c->words + s->words);
}

static void
put_in_order(struct top *t)
{
	for (uint32_t n = t->n; n > 1; n--) {
		swap(t, 0, n - 1);
		sift_down(t, n - 1);
	}
}

/* The table holds the groups that are told, in their order: a second look finds when they were. False where
 * it was given up. */
static bool
find_buckets(struct group_scan *s, const struct top *t)
{
	const struct group_query *q = s->q;
	int64_t width = (int64_t)q->by.bucket_s * NS_PER_S;

	s->g->nbuckets = groups_buckets(q->from_ns, q->to_ns, q->by.bucket_s);
	if (s->g->nbuckets == 0)
		return true;
	s->g->first_ns = q->from_ns - q->from_ns % width;
	s->g->all.bucket = mem_calloc(s->g->nbuckets, sizeof(*s->g->all.bucket));
	s->table.memory = SIZE_MAX; /* they are few */
	group_table_pass(&s->table, 0, UINT64_MAX);
	for (uint32_t i = 0; i < t->n; i++)
		(void)group_table_get(&s->table, group_scan_hash(s, t->heap[i].words), t->heap[i].words,
				      t->heap[i].name);
	return group_scan_buckets(s);
}

static void
tell_buckets(const struct group_scan *s, uint32_t row, struct group_sum *to)
{
	size_t n = s->g->nbuckets;

	if (n == 0)
		return;
	to->bucket = mem_calloc(n, sizeof(*to->bucket));
	memcpy(to->bucket, s->cell + row * n, n * sizeof(*to->bucket));
}

static void
tell_all(const struct group_scan *s, struct top *t)
{
	struct groups *g = s->g;

	g->group = mem_calloc(t->n + 1u, sizeof(*g->group));
	for (; g->n < t->n; g->n++) {
		tell(s, &t->heap[g->n], &g->group[g->n]);
		tell_buckets(s, g->n, &g->group[g->n].sum);
	}
	tell_buckets(s, t->n, &g->rest);
}

static bool
make(struct group_scan *s)
{
	struct top t = { .s = s, .most = s->q->limit };
	bool done;

	t.heap = mem_calloc(t.most + 1u, sizeof(*t.heap));
	done = find_groups(s, &t);
	put_in_order(&t);
	done = done && find_buckets(s, &t);
	if (done)
		tell_all(s, &t);
	for (uint32_t i = 0; i < t.n; i++) {
		free(t.heap[i].words);
		free(t.heap[i].name);
	}
	free(t.heap);
	return done;
}

enum groups_end
history_groups(struct find *f, const struct group_query *q, struct groups *g, enum db_status *status)
{
	struct history *h = f->h;
	struct group_query kept = *q;
	int64_t floor = atomic_load(&h->floor_ns);
	enum groups_end end = GROUPS_FAILED;
	struct group_scan s;
	unsigned reader;

	*g = (struct groups){ 0 };
	kept.from_ns = kept.from_ns > floor ? kept.from_ns : floor;
	reader = segments_reader_begins(h->segments);
	if (find_blocks(f, q->view->tenant, kept.from_ns, kept.to_ns, status)) {
		group_scan_begin(&s, f, &kept, g);
		end = make(&s) ? GROUPS_DONE : GROUPS_STOPPED;
		group_scan_end(&s);
	}
	segments_reader_ends(h->segments, reader);
	return end;
}

void
groups_free(struct groups *g)
{
	for (uint32_t i = 0; i < g->n; i++) {
		free(g->group[i].sum.bucket);
		free(g->group[i].name);
	}
	free(g->group);
	free(g->all.bucket);
	free(g->rest.bucket);
	*g = (struct groups){ 0 };
}
