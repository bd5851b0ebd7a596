#include "group_scan.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "sum.h"

enum { COLUMN_SLICE_START = 2, COLUMN_PACKETS = 23, COLUMN_BYTES = 25, COLUMN_PAYLOAD = 27 };
enum { COLUMN_RETRANSMISSIONS = 31, COLUMN_OUT_OF_ORDER = 33, COLUMN_LOST = 35, COLUMN_ZERO_WINDOWS = 37 };
enum { COLUMN_SCORE = 43 };

/* --- the question
 * ------------------------------------------------------------------------------------------------------------
 */

static void
take_dimensions(struct group_scan *s)
{
	const struct wire_grouping *by = &s->q->by;

	for (unsigned i = 0; i < GROUP_DIMENSIONS_MAX && by->dimension[i] != DIMENSION_NONE; i++) {
		struct group_axis *a = &s->axis[i];

		group_axis_init(a, (enum dimension)by->dimension[i], s->q->view, by->bits_v4, by->bits_v6,
				s->seed);
		if (a->has_name)
			s->name_word = s->words + 1;
		if (a->dimension == DIMENSION_RISK)
			s->risk_axis = i;
		s->each |= group_axis_counts_each(a);
		s->words += a->words;
		s->naxes++;
	}
	if (s->risk_axis == GROUP_DIMENSIONS_MAX)
		s->risk_axis = s->naxes;
}

static void
take_measures(struct group_scan *s)
{
	const struct wire_grouping *by = &s->q->by;

	static_assert(MEASURE_FLOWS == 0, "it comes first");
	for (unsigned m = 0; m < MEASURE_COUNT; m++) {
		if (m != MEASURE_FLOWS && m != by->measure && (by->measures & MEASURE_BIT(m)) == 0)
			continue;
		if (m == by->measure)
			s->by = s->nvalues;
		s->measure[s->nvalues++] = (uint8_t)m;
	}
}

/* The part of a block that has a measure's sums; 0: none. */
static unsigned
part_of_sums(unsigned measure)
{
	switch (measure) {
	case MEASURE_FLOWS:
		return PART_ADDRESS_FLOWS;
	case MEASURE_PACKETS:
		return PART_ADDRESS_PACKETS;
	case MEASURE_BYTES:
		return PART_ADDRESS_BYTES;
	default:
		return 0;
	}
}

static bool
wants_kept_sums(const struct group_scan *s)
{
	for (unsigned m = 0; m < s->nvalues; m++)
		if (part_of_sums(s->measure[m]) == 0)
			return false;
	return s->naxes == 1 && group_axis_is_each_address(&s->axis[0]);
}

void
group_scan_begin(struct group_scan *s, struct find *f, const struct group_query *q, struct groups *g)
{
	*s = (struct group_scan){
		.f = f, .q = q, .g = g, .risk_axis = GROUP_DIMENSIONS_MAX, .name_word = GROUP_NO_NAME
	};
	/* Addresses are strangers': they must not know which of them share a slot. */
	randombytes_buf(&s->seed, sizeof(s->seed));
	take_dimensions(s);
	take_measures(s);
	s->kept_sums = wants_kept_sums(s);
	kept_rows_begin(&s->rows, q->view, q->filter, q->point);
	group_table_init(&s->table, s->words, s->nvalues, s->name_word, q->memory);
	s->row = mem_calloc(COLUMN_MAX, sizeof(*s->row));
}

void
group_scan_end(struct group_scan *s)
{
	for (unsigned i = 0; i < s->naxes; i++)
		group_axis_free(&s->axis[i]);
	for (unsigned i = 0; i < MEASURE_COUNT; i++)
		free(s->sum[i]);
	kept_rows_end(&s->rows);
	group_table_free(&s->table);
	free(s->row);
	free(s->part);
	free(s->cell);
	free(s->group_of);
}

/* --- a block's rows
 * ---------------------------------------------------------------------------------------------------------
 */

static bool
match_time(const struct group_scan *s)
{
	const struct block *b = &s->f->head;
	const uint64_t *last;

	if (b->least_last_ns >= s->q->from_ns && b->most_last_ns < s->q->to_ns)
		return true;
	if ((last = columns_numbers(s->f->columns, COLUMN_LAST)) == NULL)
		return false;
	for (uint32_t i = 0; i < b->rows; i++)
		s->f->wanted[i] &= (int64_t)last[i] >= s->q->from_ns && (int64_t)last[i] < s->q->to_ns;
	return true;
}

/* Mostly none of eight is, or all are. */
static void
take_wanted(struct group_scan *s)
{
	struct find *f = s->f;
	uint64_t frames = 0;

	for (uint32_t i = 0; i < f->head.rows; i += 8) {
		uint32_t most = f->head.rows - i < 8 ? f->head.rows - i : 8, before = s->nrows;
		uint64_t eight = 0;

		memcpy(&eight, f->wanted + i, most);
		for (uint32_t k = 0; eight != 0 && k < most; k++) {
			s->row[s->nrows] = i + k;
			s->nrows += f->wanted[i + k];
		}
		if (s->nrows > before)
			frames |= block_frame_of(&f->head, i);
	}
	columns_focus(f->columns, frames);
}

/* Into s->row. False where the block is damaged. */
static bool
find_rows(struct group_scan *s)
{
	struct find *f = s->f;

	s->nrows = 0;
	columns_begin(f->columns, &f->head);
	job_spend(f->job, f->mine);
	if (!match_time(s) || !kept_rows_match(&s->rows, f->columns, f->tenant, f->wanted))
		return false;
	take_wanted(s);
	return true;
}

static uint64_t *
sum_room(struct group_scan *s, unsigned m)
{
	if (s->sum[m] == NULL)
		s->sum[m] = mem_calloc(COLUMN_MAX, sizeof(*s->sum[m]));
	return s->sum[m];
}

/* Of the frames that have a row which counts. */
static bool
next_rows(const struct group_scan *s, uint32_t *from, uint32_t *to)
{
	return block_next_rows(&s->f->head, columns_focused(s->f->columns), from, to);
}

/* The sum of both directions. */
static bool
take_sum(struct group_scan *s, unsigned m, unsigned column)
{
	const uint64_t *client = columns_numbers(s->f->columns, column),
		       *server = columns_numbers(s->f->columns, column + 1);
	uint64_t *v = sum_room(s, m);

	if (client == NULL || server == NULL)
		return false;
	for (uint32_t from, to = 0; next_rows(s, &from, &to);)
		for (uint32_t i = from; i < to; i++)
			v[i] = sum_sat(client[i], server[i]);
	s->value[0][m] = s->value[1][m] = v;
	return true;
}

/* One direction: what one end sends the other one receives. */
static bool
take_direction(struct group_scan *s, unsigned m, unsigned column, bool received)
{
	s->value[0][m] = columns_numbers(s->f->columns, column + received);
	s->value[1][m] = columns_numbers(s->f->columns, column + !received);
	return s->value[0][m] != NULL && s->value[1][m] != NULL;
}

static bool
take_duration(struct group_scan *s, unsigned m)
{
	const uint64_t *last = columns_numbers(s->f->columns, COLUMN_LAST),
		       *start = columns_numbers(s->f->columns, COLUMN_SLICE_START);
	uint64_t *v = sum_room(s, m);

	if (last == NULL || start == NULL)
		return false;
	for (uint32_t from, to = 0; next_rows(s, &from, &to);)
		for (uint32_t i = from; i < to; i++)
			v[i] = last[i] > start[i] ? (last[i] - start[i]) / NS_PER_MS : 0;
	s->value[0][m] = s->value[1][m] = v;
	return true;
}

static bool
take_value(struct group_scan *s, unsigned m)
{
	switch ((enum measure)s->measure[m]) {
	case MEASURE_BYTES:
		return take_sum(s, m, COLUMN_BYTES);
	case MEASURE_PACKETS:
		return take_sum(s, m, COLUMN_PACKETS);
	case MEASURE_GOODPUT:
		return take_sum(s, m, COLUMN_PAYLOAD);
	case MEASURE_RETRANSMISSIONS:
		return take_sum(s, m, COLUMN_RETRANSMISSIONS);
	case MEASURE_OUT_OF_ORDER:
		return take_sum(s, m, COLUMN_OUT_OF_ORDER);
	case MEASURE_LOST:
		return take_sum(s, m, COLUMN_LOST);
	case MEASURE_ZERO_WINDOWS:
		return take_sum(s, m, COLUMN_ZERO_WINDOWS);
	case MEASURE_BYTES_SENT:
	case MEASURE_BYTES_RECEIVED:
		return take_direction(s, m, COLUMN_BYTES, s->measure[m] == MEASURE_BYTES_RECEIVED);
	case MEASURE_PACKETS_SENT:
	case MEASURE_PACKETS_RECEIVED:
		return take_direction(s, m, COLUMN_PACKETS, s->measure[m] == MEASURE_PACKETS_RECEIVED);
	case MEASURE_DURATION:
		return take_duration(s, m);
	case MEASURE_SCORE:
		s->value[0][m] = s->value[1][m] = columns_numbers(s->f->columns, COLUMN_SCORE);
		return s->value[0][m] != NULL;
	default: /* MEASURE_FLOWS is counted */
		return true;
	}
}

/* Everything that is looked at further on: from here a block adds all that it has, or it was damaged and adds
 * nothing. */
static bool
take_block(struct group_scan *s)
{
	for (unsigned m = 0; m < s->nvalues; m++)
		if (!take_value(s, m))
			return false;
	s->text = "";
	for (unsigned i = 0; i < s->naxes; i++) {
		if (!group_axis_block(&s->axis[i], s->f->columns, s->f->tenant, s->row, s->nrows))
			return false;
		if (s->axis[i].has_name)
			s->text = s->axis[i].text;
	}
	return true;
}

/* --- groups of a row
 * -------------------------------------------------------------------------------------------------------
 */

/* One group that a row counts for. */
struct counted {
	uint32_t row;
	int end;
	uint64_t code[GROUP_DIMENSIONS_MAX];
};
typedef void place_fn(struct group_scan *s, const struct counted *p);

static void
each_risk(struct group_scan *s, struct counted *p, place_fn *fn)
{
	uint64_t risks;

	if (s->risk_axis == s->naxes) {
		fn(s, p);
		return;
	}
	risks = p->code[s->risk_axis];
	if (risks == 0)
		fn(s, p);
	for (; risks != 0; risks &= risks - 1) {
		p->code[s->risk_axis] = (uint64_t)__builtin_ctzll(risks) + 1;
		fn(s, p);
	}
}

static bool
other_end_differs(struct group_scan *s, uint32_t row)
{
	for (unsigned i = 0; i < s->naxes; i++)
		if (group_axis_counts_each(&s->axis[i]) &&
		    !group_axis_same(&s->axis[i], s->axis[i].code[0][row], s->axis[i].code[1][row]))
			return true;
	return false;
}

static void
each_place(struct group_scan *s, uint32_t row, place_fn *fn)
{
	int ends = s->each && other_end_differs(s, row) ? 2 : 1;

	for (int end = 0; end < ends; end++) {
		struct counted p = { .row = row, .end = end };

		for (unsigned i = 0; i < s->naxes; i++)
			p.code[i] = s->axis[i].code[end][row];
		each_risk(s, &p, fn);
	}
}

static uint64_t
hash_on(uint64_t hash, uint64_t of_axis)
{
	return hash_mix(hash ^ of_axis, UINT64_C(0xa0761d6478bd642f));
}

uint64_t
group_scan_hash(const struct group_scan *s, const uint64_t *key)
{
	uint64_t hash = s->seed;

	for (unsigned i = 0; i < s->naxes; key += s->axis[i++].words)
		hash = hash_on(hash, group_axis_hash(&s->axis[i], key));
	return hash;
}

static uint64_t
key_of(struct group_scan *s, const uint64_t *code, uint64_t key[static GROUP_WORDS_MAX])
{
	uint64_t hash = s->seed;
	uint32_t at = 0;

	for (unsigned i = 0; i < s->naxes; i++) {
		uint64_t h;
		const uint64_t *k = group_axis_key(&s->axis[i], code[i], &h);

		for (uint32_t w = 0; w < s->axis[i].words; w++)
			key[at++] = k[w];
		hash = hash_on(hash, h);
	}
	return hash;
}

/* --- sums
 * --------------------------------------------------------------------------------------------------------------------
 */

static void
add_all(struct group_scan *s)
{
	struct group_sum *all = &s->g->all;

	for (unsigned m = 0; m < s->nvalues; m++) {
		uint64_t sum = all->value[s->measure[m]];

		if (s->measure[m] == MEASURE_FLOWS)
			sum += s->nrows;
		else
			for (uint32_t i = 0; i < s->nrows; i++)
				sum = sum_sat(sum, s->value[0][m][s->row[i]]);
		all->value[s->measure[m]] = sum;
	}
}

static void
add_place(struct group_scan *s, const struct counted *p)
{
	uint64_t key[GROUP_WORDS_MAX], hash = key_of(s, p->code, key),
				       *v = group_table_get(&s->table, hash, key, s->text);

	if (v == NULL)
		return;
	v[0]++;
	for (unsigned m = 1; m < s->nvalues; m++)
		v[m] = sum_sat(v[m], s->value[p->end][m][p->row]);
}

static inline void
add_part(uint64_t *part, const uint64_t *const *value, unsigned nvalues, uint32_t row)
{
	part[0]++;
	for (unsigned m = 1; m < nvalues; m++)
		part[m] = sum_sat(part[m], value[m][row]);
}

/* The loop that most questions are: its number of values is a constant where it is small. */
static inline __attribute__((always_inline)) void
add_parts(struct group_scan *s, unsigned nvalues)
{
	struct group_axis *a = &s->axis[0];
	uint64_t *part = s->part;

	for (uint32_t i = 0; i < s->nrows; i++) {
		uint32_t row = s->row[i];
		uint64_t one = a->code[0][row], other = a->code[1][row];

		add_part(part + one * nvalues, s->value[0], nvalues, row);
		if (s->each && one != other && (a->exact || !group_axis_same(a, one, other)))
			add_part(part + other * nvalues, s->value[1], nvalues, row);
	}
}

/* A key whose memory was asked for. */
#define AHEAD 16u
struct waiting {
	uint64_t hash, key[GROUP_WORDS_MAX];
	const uint64_t *part;
};

static void
add_sums(struct group_scan *s, const struct waiting *one)
{
	uint64_t *v = group_table_get(&s->table, one->hash, one->key, s->text);

	for (unsigned m = 0; v != NULL && m < s->nvalues; m++)
		v[m] = sum_sat(v[m], one->part[m]);
}

/* s->part: sums of each code of the only axis, each of which is looked up once. */
static void
add_codes(struct group_scan *s)
{
	size_t n = s->axis[0].n;

	for (size_t code = 0; code < n;) {
		struct waiting some[AHEAD];
		unsigned waits = 0;

		for (; code < n && waits < AHEAD; code++) {
			const uint64_t one = code;

			if (s->part[code * s->nvalues] == 0)
				continue;
			some[waits].part = s->part + code * s->nvalues;
			some[waits].hash = key_of(s, &one, some[waits].key);
			group_table_expect(&s->table, some[waits++].hash);
		}
		for (unsigned i = 0; i < waits; i++)
			group_table_expect_sums(&s->table, some[i].hash);
		for (unsigned i = 0; i < waits; i++)
			add_sums(s, &some[i]);
	}
}

static void
room_for_parts(struct group_scan *s)
{
	if (s->part == NULL)
		s->part = mem_calloc(AXIS_CODES_MAX, s->nvalues * sizeof(*s->part));
}

/* Of one axis: the block's codes first, then each of them once. */
static void
add_rows(struct group_scan *s)
{
	room_for_parts(s);
	memset(s->part, 0, s->axis[0].n * s->nvalues * sizeof(*s->part));
	if (s->nvalues == 1)
		add_parts(s, 1);
	else if (s->nvalues == 2)
		add_parts(s, 2);
	else if (s->nvalues == 3)
		add_parts(s, 3);
	else
		add_parts(s, s->nvalues);
	add_codes(s);
}

/* --- sums that the block has
 * ------------------------------------------------------------------------------------------------
 */

static void
add_kept_totals(struct group_scan *s, const uint64_t total[static 2])
{
	struct group_sum *all = &s->g->all;

	for (unsigned m = 0; m < s->nvalues; m++) {
		uint64_t v = s->measure[m] == MEASURE_FLOWS     ? s->nrows
			     : s->measure[m] == MEASURE_PACKETS ? total[0]
								: total[1];

		all->value[s->measure[m]] = sum_sat(all->value[s->measure[m]], v);
	}
}

/* Where all rows count: what the block says of them. False: it says nothing, and nothing was added. */
static bool
add_kept_sums(struct group_scan *s)
{
	struct block_reader *r = columns_reader(s->f->columns);
	const struct block *b = &s->f->head;
	uint64_t *v = sum_room(s, MEASURE_FLOWS), total[2];
	uint32_t n;

	if (s->nrows != b->rows || !s->kept_sums || !block_sums(r, b, PART_TOTALS, 2, total) ||
	    (n = group_axis_addresses(&s->axis[0], s->f->columns)) == 0 || n > COLUMN_MAX)
		return false;
	room_for_parts(s);
	for (unsigned m = 0; m < s->nvalues; m++) {
		if (!block_sums(r, b, part_of_sums(s->measure[m]), n, v))
			return false;
		for (uint32_t i = 0; i < n; i++)
			s->part[i * s->nvalues + m] = v[i];
	}
	if (s->first)
		add_kept_totals(s, total);
	add_codes(s);
	return true;
}

static bool
sum_block(struct find *f, const struct block_entry *e, void *ctx)
{
	struct group_scan *s = ctx;

	(void)f;
	(void)e;
	if (!find_rows(s))
		return false;
	if (s->nrows == 0 || add_kept_sums(s))
		return true;
	if (!take_block(s))
		return false;
	if (s->first)
		add_all(s);
	if (s->naxes == 1 && s->risk_axis == 1 && s->nrows >= s->axis[0].n / 4)
		add_rows(s);
	else if (s->naxes > 0)
		for (uint32_t i = 0; i < s->nrows; i++)
			each_place(s, s->row[i], add_place);
	return true;
}

static bool
may_count(struct find *f, void *ctx)
{
	const struct group_scan *s = ctx;

	return kept_rows_may_match(&s->rows, f->reader, &f->head);
}

static bool
each_block(struct group_scan *s, bool (*look)(struct find *f, const struct block_entry *e, void *ctx))
{
	for (size_t i = 0; i < s->f->nblocks; i++) {
		if (job_should_stop(s->f->job))
			return false;
		find_look_at(s->f, &s->f->block[i], s->q->view->tenant, may_count, look, s);
	}
	return true;
}

bool
group_scan_sums(struct group_scan *s)
{
	return each_block(s, sum_block);
}

/* --- buckets
 * -----------------------------------------------------------------------------------------------------------------
 */

static uint32_t
bucket_of(struct group_scan *s, uint32_t row)
{
	const uint64_t *last = columns_numbers(s->f->columns, COLUMN_LAST); /* it was unpacked before */

	return (uint32_t)((last[row] - (uint64_t)s->g->first_ns) / ((uint64_t)s->q->by.bucket_s * NS_PER_S));
}

static uint64_t
value_of(const struct group_scan *s, uint32_t row, int end)
{
	return s->measure[s->by] == MEASURE_FLOWS ? 1 : s->value[end][s->by][row];
}

static void
add_to_bucket(struct group_scan *s, const struct counted *p)
{
	uint64_t key[GROUP_WORDS_MAX], *cell;
	uint32_t *cached = s->naxes == 1 ? &s->group_of[p->code[0]] : NULL, group;

	if (cached != NULL && *cached != 0) {
		group = *cached - 1;
	} else {
		uint64_t hash = key_of(s, p->code, key);

		group = group_table_find(&s->table, hash, key, s->text);
		if (group == UINT32_MAX)
			group = s->table.n; /* the others */
		if (cached != NULL)
			*cached = group + 1;
	}
	cell = &s->cell[(size_t)group * s->g->nbuckets + bucket_of(s, p->row)];
	*cell = sum_sat(*cell, value_of(s, p->row, p->end));
}

static bool
bucket_block(struct find *f, const struct block_entry *e, void *ctx)
{
	struct group_scan *s = ctx;

	(void)e;
	if (!find_rows(s))
		return false;
	if (s->nrows == 0)
		return true;
	if (columns_numbers(f->columns, COLUMN_LAST) == NULL || !take_block(s))
		return false;
	if (s->naxes == 1)
		memset(s->group_of, 0, s->axis[0].n * sizeof(*s->group_of));
	for (uint32_t i = 0; i < s->nrows; i++) {
		uint64_t *all = &s->g->all.bucket[bucket_of(s, s->row[i])];

		*all = sum_sat(*all, value_of(s, s->row[i], 0));
		if (s->naxes > 0)
			each_place(s, s->row[i], add_to_bucket);
	}
	return true;
}

bool
group_scan_buckets(struct group_scan *s)
{
	s->cell = mem_calloc((size_t)s->table.n + 1, s->g->nbuckets * sizeof(*s->cell));
	s->group_of = mem_calloc(AXIS_CODES_MAX, sizeof(*s->group_of));
	return each_block(s, bucket_block);
}
