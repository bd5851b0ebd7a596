/*
 * Each test is asked of all rows at once, and only where a row came to it: sets of rows flow through the
 * program forwards, as single rows do. What occurs once in a block (addresses, names) is looked at once.
 */
#include "filter_block.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "filter_parts.h"
#include "mask.h"

#define SET_WORDS (COLUMN_MAX / 64)

enum { COLUMN_PROTOCOL = 13, COLUMN_STATE = 15, COLUMN_BREED = 19, COLUMN_PACKETS = 23, COLUMN_BYTES = 25 };
enum {
	COLUMN_PAYLOAD = 27,
	COLUMN_RETRANSMISSIONS = 31,
	COLUMN_CATEGORY = 42,
	COLUMN_SCORE,
	COLUMN_DSCP = 50
};
enum { COLUMN_RISKS = 52, COLUMN_IN_INTERFACE, COLUMN_OUT_INTERFACE };

/* --- without looking at rows
 * --------------------------------------------------------------------------------------------------
 */

enum { MAY_PASS = 1, MAY_FAIL = 2, MAY_BOTH = 3 };

/* The one column that a test looks at; 0: it is not so simple. */
static unsigned
column_of(const struct filter_test *t)
{
	switch ((enum filter_field)t->field) {
	case FILTER_PROTOCOL:
		return COLUMN_PROTOCOL;
	case FILTER_STATE:
		return COLUMN_STATE;
	case FILTER_END_REASON:
		return COLUMN_END_REASON;
	case FILTER_BREED:
		return COLUMN_BREED;
	case FILTER_SCORE:
		return COLUMN_SCORE;
	case FILTER_IN_INTERFACE:
		return COLUMN_IN_INTERFACE;
	case FILTER_OUT_INTERFACE:
		return COLUMN_OUT_INTERFACE;
	default:
		return 0;
	}
}

/* The column of the client's, behind which the server's stands; 0: it is not so simple. */
static unsigned
pair_of(const struct filter_test *t)
{
	switch ((enum filter_field)t->field) {
	case FILTER_PORT:
		return COLUMN_PORT_CLIENT;
	case FILTER_DSCP:
		return COLUMN_DSCP;
	case FILTER_BYTES:
		return COLUMN_BYTES;
	case FILTER_PACKETS:
		return COLUMN_PACKETS;
	case FILTER_GOODPUT:
		return COLUMN_PAYLOAD;
	case FILTER_RETRANSMISSIONS:
		return COLUMN_RETRANSMISSIONS;
	default:
		return 0;
	}
}

static unsigned
may_of_range(const struct filter_test *t, uint64_t least, uint64_t most)
{
	if (t->compare == FILTER_LESS)
		return (least < t->number ? MAY_PASS : 0u) | (most >= t->number ? MAY_FAIL : 0u);
	if (t->compare == FILTER_MORE)
		return (most > t->number ? MAY_PASS : 0u) | (least <= t->number ? MAY_FAIL : 0u);
	return (least <= t->number && t->number <= most ? MAY_PASS : 0u) |
	       (least == most && least == t->number ? 0u : MAY_FAIL);
}

/* Either end passes where one does. */
static unsigned
may_of_either(unsigned client, unsigned server)
{
	return ((client | server) & MAY_PASS) | (client & server & MAY_FAIL);
}

static unsigned
may_of_pair(const struct filter_test *t, const struct block *b, unsigned column)
{
	uint64_t least[2], most[2];

	block_range(b, column, &least[0], &most[0]);
	block_range(b, column + 1, &least[1], &most[1]);
	if (t->end != FILTER_EITHER)
		return may_of_range(t, least[t->end == FILTER_SERVER], most[t->end == FILTER_SERVER]);
	if (filter_fields[t->field].ends == FILTER_ENDS)
		return may_of_either(may_of_range(t, least[0], most[0]), may_of_range(t, least[1], most[1]));
	if (most[0] > UINT64_MAX - most[1]) /* a sum may wrap */
		return MAY_BOTH;
	return may_of_range(t, least[0] + least[1], most[0] + most[1]);
}

static unsigned
may_of_application(const struct filter *f, const struct filter_test *t, struct block_reader *r,
		   const struct block *b)
{
	const uint64_t *number;
	uint32_t n = block_applications(r, b, &number);
	unsigned may = 0;

	for (uint32_t i = 0; i < n; i++)
		may |= number_set_has(&f->set[t->reserved - 1], (uint32_t)number[i]) ? MAY_PASS : MAY_FAIL;
	return n == 0 ? MAY_BOTH : may;
}

static unsigned
may_of_test(const struct filter *f, const struct filter_test *t, struct block_reader *r,
	    const struct block *b, bool masked)
{
	uint64_t least, most;
	unsigned may = MAY_BOTH;

	if (t->field == FILTER_ANY)
		return MAY_PASS;
	if (t->field == FILTER_APPLICATION)
		return may_of_application(f, t, r, b);
	if (t->field == FILTER_ADDRESS) /* hidden ends are shown as addresses that are not in the block */
		return !masked && t->bits == 128 && !block_may_hold_address(b, &t->ip) ? MAY_FAIL : MAY_BOTH;
	if (column_of(t) != 0) {
		block_range(b, column_of(t), &least, &most);
		return may_of_range(t, least, most);
	}
	if (pair_of(t) != 0)
		may = may_of_pair(t, b, pair_of(t));
	if (t->field == FILTER_PORT && t->compare == FILTER_EQUAL && t->number <= UINT16_MAX &&
	    !block_may_hold_port(b, (uint16_t)t->number))
		may &= ~(unsigned)MAY_PASS;
	return may;
}

static void
come_to(uint8_t *comes, uint16_t to, bool *accepts)
{
	if (to == FILTER_ACCEPT)
		*accepts = true;
	else if (to != FILTER_REJECT)
		comes[to] = 1;
}

bool
filter_block_may_pass(const struct filter *f, struct block_reader *r, const struct block *b, bool masked)
{
	uint8_t comes[FILTER_TESTS_MAX] = { 1 };
	bool accepts = false;

	for (uint32_t i = 0; i < f->ntests && !accepts; i++) {
		unsigned may = comes[i] ? may_of_test(f, &f->test[i], r, b, masked) : 0;

		if (may & MAY_PASS)
			come_to(comes, f->test[i].pass, &accepts);
		if (may & MAY_FAIL)
			come_to(comes, f->test[i].fail, &accepts);
	}
	return accepts;
}

/* --- sets of rows
 * -------------------------------------------------------------------------------------------------------------
 */

struct row_set {
	struct row_set *next; /* of those that are free */
	uint64_t word[SET_WORDS];
};

struct filter_run {
	struct row_set *at[FILTER_TESTS_MAX]; /* rows that come to a test; NULL: none */
	struct row_set *accepted, *spare;
	uint8_t *holds; /* of each row whether it passes the test: COLUMN_MAX */
	uint8_t *code;  /* the same of what occurs: 2 * COLUMN_MAX */
	uint8_t *hidden;
	/* Of the block. */
	const struct filter *f;
	const struct view *view;
	struct columns *columns;
	const uint32_t *tenant;
	uint32_t rows;
	uint64_t frames; /* that have a row which comes to the test */
	bool has_hidden; /* hidden[] says which addresses are */
};

struct filter_run *
filter_run_new(void)
{
	struct filter_run *w = mem_calloc(1, sizeof(*w));

	w->holds = mem_calloc(COLUMN_MAX, 1);
	w->code = mem_calloc(2, COLUMN_MAX);
	w->hidden = mem_calloc(2, COLUMN_MAX);
	return w;
}

void
filter_run_free(struct filter_run **wp)
{
	struct filter_run *w = *wp;

	if (w == NULL)
		return;
	for (struct row_set *s = w->spare, *next; s != NULL; s = next) {
		next = s->next;
		free(s);
	}
	free(w->holds);
	free(w->code);
	free(w->hidden);
	free(w);
	*wp = NULL;
}

static struct row_set *
set_new(struct filter_run *w)
{
	struct row_set *s = w->spare;

	if (s == NULL)
		return mem_calloc(1, sizeof(*s));
	w->spare = s->next;
	memset(s, 0, sizeof(*s));
	return s;
}

static void
set_drop(struct filter_run *w, struct row_set **s)
{
	if (*s == NULL)
		return;
	(*s)->next = w->spare;
	w->spare = *s;
	*s = NULL;
}

static bool
set_has(const struct row_set *s, uint32_t row)
{
	return (s->word[row / 64] >> row % 64 & 1) != 0;
}

/* Bytes of 0 and 1 as bits. v has room for 64 rows at a time. */
static void
set_fill(struct row_set *s, const uint8_t *v, uint32_t rows)
{
	for (uint32_t i = 0; i < rows; i += 64) {
		uint64_t word = 0;

		for (uint32_t k = 0; k < 64 && i + k < rows; k += 8) {
			uint64_t eight = 0;

			memcpy(&eight, v + i + k, rows - i - k >= 8 ? 8 : rows - i - k);
			word |= (eight * UINT64_C(0x0102040810204080) >> 56) << k;
		}
		s->word[i / 64] = word;
	}
}

/* Those of `from` that hold (or do not) go on to a test, or out. */
static void
set_lead(struct filter_run *w, const struct row_set *from, const struct row_set *holds, bool pass,
	 uint16_t to)
{
	struct row_set **target = to == FILTER_ACCEPT ? &w->accepted : &w->at[to < w->f->ntests ? to : 0];
	uint64_t flip = pass ? 0 : UINT64_MAX, any = 0;

	if (to == FILTER_REJECT)
		return;
	for (uint32_t i = 0; i < (w->rows + 63) / 64; i++)
		any |= from->word[i] & (holds->word[i] ^ flip);
	if (any == 0)
		return;
	if (*target == NULL)
		*target = set_new(w);
	for (uint32_t i = 0; i < (w->rows + 63) / 64; i++)
		(*target)->word[i] |= from->word[i] & (holds->word[i] ^ flip);
}

/* Frames with a row of the set. */
static uint64_t
set_frames(const struct filter_run *w, const struct row_set *s)
{
	const struct block *b = columns_block(w->columns);
	uint64_t frames = 0;

	for (uint32_t i = 0; i < (w->rows + 63) / 64; i++)
		if (s->word[i] != 0)
			frames |= block_frame_of(b, i * 64);
	return frames;
}

/* For each row that may come to the test. */
#define EACH_ROW(w, i)                                                                                       \
	for (uint32_t from_ = 0, to_ = 0;                                                                    \
	     block_next_rows(columns_block((w)->columns), (w)->frames, &from_, &to_);)                       \
		for (uint32_t i = from_; i < to_; i++)

/* --- tests of whole columns: into w->holds; false where one is damaged
 * ----------------------------------------------------------
 */

static bool
test_column(struct filter_run *w, const struct filter_test *t, unsigned column)
{
	const uint64_t *v = columns_numbers(w->columns, column), number = t->number;

	if (v == NULL)
		return false;
	if (t->compare == FILTER_LESS)
		EACH_ROW(w, i)
	w->holds[i] = v[i] < number;
	else if (t->compare == FILTER_MORE) EACH_ROW(w, i) w->holds[i] = v[i] > number;
	else EACH_ROW(w, i) w->holds[i] = v[i] == number;
	return true;
}

static bool
test_pair(struct filter_run *w, const struct filter_test *t, unsigned column)
{
	const uint64_t *client, *server;

	if (t->end != FILTER_EITHER)
		return test_column(w, t, column + (t->end == FILTER_SERVER));
	client = columns_numbers(w->columns, column);
	server = columns_numbers(w->columns, column + 1);
	if (client == NULL || server == NULL)
		return false;
	if (filter_fields[t->field].ends == FILTER_SUM)
		EACH_ROW(w, i)
	w->holds[i] = filter_compares(t, client[i] + server[i]);
	else EACH_ROW(w, i) w->holds[i] =
	    (uint8_t)((unsigned)filter_compares(t, client[i]) | (unsigned)filter_compares(t, server[i]));
	return true;
}

static bool
test_set(struct filter_run *w, const struct filter_test *t, unsigned column)
{
	const uint64_t *v = columns_numbers(w->columns, column);
	const struct number_set *set = &w->f->set[t->reserved - 1];

	if (v == NULL)
		return false;
	EACH_ROW(w, i)
	w->holds[i] = number_set_has(set, (uint32_t)v[i]);
	return true;
}

static bool
test_interface(struct filter_run *w, const struct filter_test *t)
{
	const uint64_t *v = columns_numbers(w->columns, COLUMN_POINT);
	const struct number_set *set = &w->f->set[t->reserved - 1];
	uint64_t before = 0;
	bool held = false, any = false;

	if (v == NULL)
		return false;
	EACH_ROW(w, i)
	{ /* mostly that of the row before */
		if (!any || v[i] != before)
			held = number_set_has(set, points_index(&w->f->s->points, (uint32_t)v[i]));
		any = true;
		before = v[i];
		w->holds[i] = held;
	}
	return true;
}

static bool
test_risk(struct filter_run *w, const struct filter_test *t)
{
	const uint64_t *v = columns_numbers(w->columns, COLUMN_RISKS);

	if (v == NULL)
		return false;
	EACH_ROW(w, i)
	w->holds[i] = (v[i] & t->number) != 0;
	return true;
}

/* --- of what occurs once */

/* Whether each address of the block is one that the view hides. */
static void
find_hidden(struct filter_run *w, const struct column_pair *p)
{
	if (w->has_hidden)
		return;
	w->has_hidden = true;
	for (uint32_t i = 0; i < p->n; i++)
		w->hidden[i] = mask_hides(w->view, column_address(p, i));
}

static void
join_ends(struct filter_run *w, const struct filter_test *t, const struct column_pair *p)
{
	if (t->end == FILTER_EITHER)
		EACH_ROW(w, i)
	w->holds[i] = w->code[p->code[0][i]] | w->code[p->code[1][i]];
	else EACH_ROW(w, i) w->holds[i] = w->code[p->code[t->end == FILTER_SERVER][i]];
}

/* One address: what else occurs need not be unpacked, nor frames that do not have it. */
static bool
test_one_address(struct filter_run *w, const struct filter_test *t)
{
	uint64_t code, frames, focus = columns_focused(w->columns);
	const uint64_t *ends[2] = { NULL, NULL };
	bool damaged, good = true;

	memset(w->holds, 0, w->rows);
	if (!columns_find_address(w->columns, &t->ip, &code, &frames, &damaged))
		return !damaged;
	w->frames &= frames;
	columns_focus(w->columns, w->frames);
	for (int side = 0; side < 2 && good; side++)
		if (t->end == FILTER_EITHER || t->end == (side == SERVER ? FILTER_SERVER : FILTER_CLIENT))
			good = (ends[side] = columns_ends(w->columns, side)) != NULL;
	columns_focus(w->columns, focus);
	for (int side = 0; side < 2 && good; side++)
		if (ends[side] != NULL)
			EACH_ROW(w, i)
	w->holds[i] |= ends[side][i] == code;
	return good;
}

static bool
test_address(struct filter_run *w, const struct filter_test *t)
{
	struct column_pair p;

	if (!w->view->masked && t->bits == 128)
		return test_one_address(w, t);
	if (!columns_pair(w->columns, PAIR_ADDRESSES, &p))
		return false;
	for (uint32_t i = 0; i < p.n; i++) {
		struct ip_addr shown = *column_address(&p, i);

		if (w->view->masked)
			mask_address(w->view, &shown);
		w->code[i] = filter_within(t, &shown);
	}
	join_ends(w, t, &p);
	return true;
}

static bool
test_router(struct filter_run *w, const struct filter_test *t, int which)
{
	struct column_pair p;

	if (!columns_pair(w->columns, PAIR_ROUTERS, &p))
		return false;
	for (uint32_t i = 0; i < p.n; i++)
		w->code[i] = filter_within(t, column_address(&p, i));
	EACH_ROW(w, i)
	w->holds[i] = w->code[p.code[which][i]];
	return true;
}

/* A hidden end shows no MAC. */
static bool
test_mac(struct filter_run *w, const struct filter_test *t)
{
	struct column_pair macs, ends;
	bool none = filter_compares(t, 0);

	if (!columns_pair(w->columns, PAIR_MACS, &macs))
		return false;
	for (uint32_t i = 0; i < macs.n; i++)
		w->code[i] = filter_compares(t, filter_mac_number(macs.value + (size_t)i * 6));
	if (!w->view->masked) {
		join_ends(w, t, &macs);
		return true;
	}
	if (!columns_pair(w->columns, PAIR_ADDRESSES, &ends))
		return false;
	find_hidden(w, &ends);
	EACH_ROW(w, i)
	{
		bool held[2];

		for (int side = 0; side < 2; side++)
			held[side] = w->hidden[ends.code[side][i]] ? none : w->code[macs.code[side][i]] != 0;
		w->holds[i] = (t->end != FILTER_SERVER && held[0]) || (t->end != FILTER_CLIENT && held[1]);
	}
	return true;
}

/* A hidden server has no name. */
static bool
test_name(struct filter_run *w, const struct filter_test *t)
{
	struct column_names names;
	struct column_pair ends;

	if (!columns_names(w->columns, &names))
		return false;
	for (uint32_t i = 0; i < names.n; i++)
		w->code[i] =
		    filter_in_domain(w->f, t, names.text + names.at[i], names.at[i + 1] - names.at[i]);
	EACH_ROW(w, i)
	w->holds[i] = w->code[names.code[i]];
	if (!w->view->masked)
		return true;
	if (!columns_pair(w->columns, PAIR_ADDRESSES, &ends))
		return false;
	find_hidden(w, &ends);
	EACH_ROW(w, i)
	w->holds[i] &= w->hidden[ends.code[SERVER][i]] ^ 1;
	return true;
}

/* --- the others: a row at a time
 * ----------------------------------------------------------------------------------------------
 */

#define COLUMNS_OF_TEST 9

/* What the tests that are left look at. */
static const struct {
	uint8_t column[COLUMNS_OF_TEST]; /* 0: no more */
	bool addresses;
} needs[FILTER_FIELD_COUNT] = {
	[FILTER_AS] = { { 56, 57 }, true },
	[FILTER_COUNTRY] = { { 0 }, true },
	[FILTER_FLAGS] = { { 29, 30 }, false },
	[FILTER_TTL] = { { 46, 47, 48, 49 }, false },
	[FILTER_FAMILY] = { { 0 }, true },
	[FILTER_DURATION] = { { 1, 2 }, false },
	[FILTER_BPS] = { { 1, 2, 25, 26 }, false },
	[FILTER_PPS] = { { 1, 2, 23, 24 }, false },
	[FILTER_BPP] = { { 23, 24, 25, 26 }, false },
	[FILTER_LATENCY] = { { 20 }, false },
	[FILTER_ICMP_TYPE] = { { 13, 17 }, false },
	[FILTER_ICMP_CODE] = { { 13, 18 }, false },
	[FILTER_VLAN] = { { 9, 10, 11, 12 }, false },
	[FILTER_TENANT] = { { 0 }, false },
};

static bool
test_rows(struct filter_run *w, const struct filter_test *t, const struct row_set *rows)
{
	const uint64_t *v[COLUMNS_OF_TEST];
	struct column_pair ends = { 0 };
	struct rec_flow flow = { 0 };
	size_t n = 0;

	for (; n < COLUMNS_OF_TEST && needs[t->field].column[n] != 0; n++)
		if ((v[n] = columns_numbers(w->columns, needs[t->field].column[n])) == NULL)
			return false;
	if (needs[t->field].addresses && !columns_pair(w->columns, PAIR_ADDRESSES, &ends))
		return false;
	EACH_ROW(w, i)
	{
		if (!set_has(rows, i))
			continue;
		for (size_t k = 0; k < n; k++)
			flow_column_set(&flow, flow_column_of(needs[t->field].column[k]), v[k][i]);
		for (int side = 0; ends.n > 0 && side < 2; side++) {
			flow.ip[side] = *column_address(&ends, ends.code[side][i]);
			if (w->view->masked)
				mask_address(w->view, &flow.ip[side]);
		}
		w->holds[i] = filter_holds(
		    w->f, t,
		    &(struct filter_flow){ &flow, "", w->view->platform ? w->tenant[i] : w->view->tenant });
	}
	return true;
}

static bool
test(struct filter_run *w, const struct filter_test *t, const struct row_set *rows)
{
	if (column_of(t) != 0)
		return test_column(w, t, column_of(t));
	if (pair_of(t) != 0)
		return test_pair(w, t, pair_of(t));
	switch ((enum filter_field)t->field) {
	case FILTER_APPLICATION:
		return test_set(w, t, COLUMN_APPLICATION);
	case FILTER_CATEGORY:
		return test_set(w, t, COLUMN_CATEGORY);
	case FILTER_INTERFACE:
		return test_interface(w, t);
	case FILTER_RISK:
		return test_risk(w, t);
	case FILTER_ADDRESS:
		return test_address(w, t);
	case FILTER_EXPORTER:
		return test_router(w, t, 0);
	case FILTER_NEXT_HOP:
		return test_router(w, t, 1);
	case FILTER_MAC:
		return test_mac(w, t);
	case FILTER_SNI:
		return test_name(w, t);
	default:
		return test_rows(w, t, rows);
	}
}

/* --- the program
 * --------------------------------------------------------------------------------------------------------------
 */

static bool
step(struct filter_run *w, uint32_t at, struct row_set *holds)
{
	const struct filter_test *t = &w->f->test[at];
	struct block_reader *r = columns_reader(w->columns);
	unsigned may = may_of_test(w->f, t, r, columns_block(w->columns), w->view->masked);

	if (may == MAY_BOTH) {
		w->frames = set_frames(w, w->at[at]);
		columns_focus(w->columns, w->frames);
		if (!test(w, t, w->at[at]))
			return false;
		set_fill(holds, w->holds, w->rows);
	} else {
		memset(holds->word, may == MAY_PASS ? 0xff : 0, sizeof(holds->word));
	}
	set_lead(w, w->at[at], holds, true, t->pass);
	set_lead(w, w->at[at], holds, false, t->fail);
	set_drop(w, &w->at[at]);
	return true;
}

bool
filter_block(struct filter_run *w, const struct filter *f, const struct view *v, struct columns *c,
	     const uint32_t *tenant, uint8_t *wanted)
{
	struct row_set *holds = set_new(w);
	bool good = true;

	w->f = f;
	w->view = v;
	w->columns = c;
	w->tenant = tenant;
	w->rows = columns_block(c)->rows;
	w->has_hidden = false;
	w->at[0] = set_new(w);
	set_fill(w->at[0], wanted, w->rows);
	for (uint32_t i = 0; i < f->ntests && good; i++)
		if (w->at[i] != NULL)
			good = step(w, i, holds);
	if (w->accepted == NULL)
		memset(wanted, 0, w->rows);
	else
		for (uint32_t i = 0; i < w->rows; i++)
			wanted[i] &= set_has(w->accepted, i);
	columns_focus(c, w->accepted == NULL ? 0 : set_frames(w, w->accepted));
	for (uint32_t i = 0; i < f->ntests; i++)
		set_drop(w, &w->at[i]);
	set_drop(w, &w->accepted);
	set_drop(w, &holds);
	return good;
}
