/*
 * One order is made at a time: its rows are taken by the thread that changes them, a few at a turn, into
 * memory of the order's own; a job then sorts what was taken, while the order before it is still shown.
 * Making them anew takes a bounded share of the time, whatever their number.
 */
#include "orders.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "jobs.h"

#define ORDERS_MAX  64
#define ROWS_A_TURN 2048
#define AHEAD       16 /* rows that are asked for before their turn */
#define ANEW_NS     NS_PER_S
#define REST_TIMES  2               /* as long as making took, at least, before another is made anew */
#define WANTED_NS   (30 * NS_PER_S) /* made anew while it was asked for since */
#define KEPT_NS     (60 * NS_PER_S) /* its memory stays while it was asked for since */
#define STALE_NS    (5 * NS_PER_S)  /* what nobody asked for in between and is older is not shown */
#define OLDEST_NS   (60 * NS_PER_S) /* ... nor anything that is older than this */

enum state { LIVE_IDLE, LIVE_WAITS, LIVE_TAKING, LIVE_SORTING };

struct live_order {
	struct store *s;
	bool used;
	enum live_list list;
	struct view v; /* as who asked last, without grant */
	enum state state;
	struct order *now;  /* what is shown; NULL: none yet */
	struct order *next; /* taken and sorted; else memory for it */
	int64_t asked_ns[SORT_KEY_COUNT], last_asked_ns;
	bool lapsed;      /* nobody asked for so long that it was not made anew */
	int64_t made_ns;  /* when the rows of now began to be taken */
	int64_t begun_ns; /* ... of next */
	int64_t took_ns;  /* from there until it was sorted */
	uint32_t sorting; /* bits of sort keys that the job makes */
	bool only_sorts;  /* it makes further orders of now */
	uint64_t bytes;
	/* While rows are taken. */
	uint32_t *entry[STORE_ENGINES_MAX]; /* NULL: all below n */
	uint32_t n[STORE_ENGINES_MAX];
	unsigned part, parts;
	uint32_t at;
};

struct orders {
	struct live_order list[ORDERS_MAX];
	struct live_order *taking;
	uint64_t bytes;
	uint32_t few;
	int64_t rest_until_ns, expired_ns;
	bool news;
};

struct orders *
orders_new(void)
{
	struct orders *o = mem_calloc(1, sizeof(*o));

	o->few = ORDERS_ROWS_FEW;
	return o;
}

void
orders_set_few(struct orders *o, uint32_t rows)
{
	o->few = rows;
}

static void
drop_entries(struct live_order *x)
{
	for (int i = 0; i < STORE_ENGINES_MAX; i++) {
		free(x->entry[i]);
		x->entry[i] = NULL;
	}
}

static void
empty_it(void *ctx, struct job *j, unsigned thread)
{
	(void)j;
	(void)thread;
	order_empty(ctx);
}

static void
is_empty(void *ctx, enum job_end end)
{
	struct order *o = ctx;

	(void)end;
	order_free(&o);
}

/* Memory of this size takes its time to go. */
static void
let_go(struct store *s, struct order **o)
{
	const struct job_work w = { .kind = JOB_LIVE, .run = empty_it, .done = is_empty, .ctx = *o };

	if (*o == NULL || (s->jobs != NULL && jobs_submit(s->jobs, &w, NULL)))
		*o = NULL;
	else
		order_free(o);
}

static void
drop(struct orders *o, struct live_order *x)
{
	if (!x->used)
		return;
	if (o->taking == x)
		o->taking = NULL;
	drop_entries(x);
	let_go(x->s, &x->now);
	let_go(x->s, &x->next);
	o->bytes -= x->bytes;
	view_end(&x->v);
	memset(x, 0, sizeof(*x));
}

void
orders_free(struct orders **op)
{
	struct orders *o = *op;

	if (o == NULL)
		return;
	for (int i = 0; i < ORDERS_MAX; i++)
		drop(o, &o->list[i]);
	free(o);
	*op = NULL;
}

bool
orders_are_for(const struct view *v, enum live_list list)
{
	return live_count(v, list) >= v->s->orders->few;
}

/* --- room
 * -------------------------------------------------------------------------------------------------------------
 */

/* Those that were not asked for for longest, and are not worked on, go until there is room. */
static bool
make_room(struct store *s, uint64_t bytes, const struct live_order *but)
{
	struct orders *o = s->orders;

	if (bytes > ORDERS_BYTES_MAX)
		return false;
	while (o->bytes > ORDERS_BYTES_MAX - bytes) {
		struct live_order *oldest = NULL;

		for (int i = 0; i < ORDERS_MAX; i++) {
			struct live_order *x = &o->list[i];

			if (x->used && x != but && x->state != LIVE_SORTING &&
			    (oldest == NULL || x->last_asked_ns < oldest->last_asked_ns))
				oldest = x;
		}
		if (oldest == NULL)
			return false;
		s->counters.n[OWN_ORDERS_FULL]++;
		drop(o, oldest);
	}
	return true;
}

/* Memory for what will be taken. */
static bool
has_memory(struct store *s, struct live_order *x, uint64_t rows)
{
	uint32_t max = (uint32_t)(rows + rows / 16 + 1024), sorts = live_sorts(x->list);

	if (rows > UINT32_MAX / 2)
		return false;
	if (x->next != NULL && x->next->max >= rows)
		return true;
	if (x->next != NULL) {
		s->orders->bytes -= order_bytes(x->next->max, sorts);
		x->bytes -= order_bytes(x->next->max, sorts);
		let_go(s, &x->next);
	}
	/* The one that is shown and the one that is made. */
	if (2 * order_bytes(max, sorts) > ORDERS_BYTES_MAX || !make_room(s, order_bytes(max, sorts), x))
		return false;
	x->next = order_new(max, sorts);
	x->bytes += order_bytes(max, sorts);
	s->orders->bytes += order_bytes(max, sorts);
	return true;
}

/* --- taking
 * -----------------------------------------------------------------------------------------------------------
 */

/* Lists change while their rows are taken: of what was in it at the start each row that stays is taken once.
 */
static bool
begin(struct store *s, struct live_order *x)
{
	struct live_part p;

	view_renew(s, &x->v);
	view_clock(s, &x->v);
	if (!has_memory(s, x, live_count(&x->v, x->list)))
		return false;
	order_reset(x->next);
	for (x->parts = 0; x->parts < STORE_ENGINES_MAX && live_part(&x->v, x->list, x->parts, &p);
	     x->parts++) {
		x->n[x->parts] = p.n;
		if (p.entry == NULL)
			continue;
		x->entry[x->parts] = mem_reallocarray(NULL, (size_t)p.n + 1, sizeof(*p.entry));
		memcpy(x->entry[x->parts], p.entry, p.n * sizeof(*p.entry));
	}
	x->part = x->at = 0;
	x->begun_ns = s->now_boot_ns;
	x->state = LIVE_TAKING;
	s->orders->taking = x;
	return true;
}

static uint32_t
nth(const struct live_order *x, uint32_t i)
{
	const uint32_t *entry = x->entry[x->part];

	return entry == NULL ? i : slots_slot(entry[i]);
}

/* False: all are taken. */
static bool
take(struct live_order *x, unsigned budget)
{
	const uint32_t sorts = live_sorts(x->list);
	struct order *o = x->next;
	uint64_t value[SORT_KEY_COUNT];

	for (; x->part < x->parts; x->part++, x->at = 0) {
		for (; x->at < x->n[x->part]; x->at++) {
			if (budget-- == 0)
				return true;
			if (x->at + AHEAD < x->n[x->part])
				live_expect(&x->v, x->list, x->part, nth(x, x->at + AHEAD));
			if (!live_take(&x->v, x->list, x->part, nth(x, x->at), &o->row[o->n], value))
				continue;
			for (int i = 0; i < SORT_KEY_COUNT; i++)
				if (sorts >> i & 1)
					o->value[i][o->n] = value[i];
			o->n++;
		}
	}
	return false;
}

/* --- sorting
 * ----------------------------------------------------------------------------------------------------------
 */

static void
sort_it(void *ctx, struct job *j, unsigned thread)
{
	struct live_order *x = ctx;

	(void)j;
	(void)thread;
	if (!x->only_sorts && x->list == LIVE_FLOWS)
		order_veil(x->next, &x->v.id);
	order_sort(x->only_sorts ? x->now : x->next, x->sorting);
}

static void
is_sorted(void *ctx, enum job_end end)
{
	struct live_order *x = ctx;
	struct orders *o = x->s->orders;
	struct order *was = x->now;

	x->state = LIVE_IDLE;
	o->news = true;
	if (end != JOB_DONE)
		return;
	if (!x->only_sorts) {
		x->now = x->next;
		x->next = was;
		x->made_ns = x->begun_ns;
		x->lapsed = false;
		x->took_ns = clock_boot_ns() - x->begun_ns;
		o->rest_until_ns = x->begun_ns + (REST_TIMES + 1) * x->took_ns;
	}
	x->now->sorted |= x->sorting;
}

/* Bits of the sort keys that were asked for lately. */
static uint32_t
wanted(const struct live_order *x)
{
	uint32_t bits = 0;

	for (int i = 0; i < SORT_KEY_COUNT; i++)
		if (x->asked_ns[i] != 0 && x->s->now_boot_ns - x->asked_ns[i] < WANTED_NS)
			bits |= UINT32_C(1) << i;
	return bits;
}

static void
sort(struct live_order *x, bool only_sorts, uint32_t sorts)
{
	const struct job_work w = {
		.kind = JOB_LIVE, .tenant = x->v.tenant, .run = sort_it, .done = is_sorted, .ctx = x
	};

	x->only_sorts = only_sorts;
	x->sorting = sorts;
	x->state = LIVE_SORTING;
	if (jobs_submit(x->s->jobs, &w, NULL))
		return;
	x->state = LIVE_IDLE;
	x->s->orders->news = true; /* who waits asks again */
}

/* --- turns
 * ------------------------------------------------------------------------------------------------------------
 */

/* What is asked for is made anew as often as there is time for: until then what there is is shown. */
static bool
is_stale(const struct live_order *x)
{
	int64_t age = x->s->now_boot_ns - x->made_ns;

	return x->now == NULL || x->made_ns < x->s->orders->expired_ns || age > OLDEST_NS ||
	       (x->lapsed && age > STALE_NS);
}

static bool
is_due(const struct live_order *x)
{
	const int64_t now = x->s->now_boot_ns;

	if (x->state == LIVE_WAITS)
		return true;
	return x->state == LIVE_IDLE && now - x->last_asked_ns < WANTED_NS && now - x->made_ns >= ANEW_NS &&
	       now >= x->s->orders->rest_until_ns;
}

/* Somebody waits for a key that now has no places for. */
static bool
sorts_more(struct live_order *x)
{
	uint32_t more;

	if (x->state != LIVE_IDLE || is_stale(x))
		return false;
	more = wanted(x) & ~x->now->sorted;
	if (more == 0)
		return false;
	sort(x, true, more);
	return true;
}

/* Who is waited for first, then the one that is shown for longest. */
static struct live_order *
next_due(struct orders *o)
{
	struct live_order *best = NULL;

	for (int i = 0; i < ORDERS_MAX; i++) {
		struct live_order *x = &o->list[i];

		if (!x->used || sorts_more(x) || !is_due(x))
			continue;
		if (best == NULL || x->made_ns < best->made_ns)
			best = x;
	}
	return best;
}

static void
forget_unwanted(struct store *s)
{
	struct orders *o = s->orders;

	for (int i = 0; i < ORDERS_MAX; i++) {
		struct live_order *x = &o->list[i];

		if (x->used && (x->state == LIVE_IDLE || x->state == LIVE_WAITS) &&
		    s->now_boot_ns - x->last_asked_ns > KEPT_NS)
			drop(o, x);
	}
}

bool
orders_turn(struct store *s)
{
	struct orders *o = s->orders;
	struct live_order *x = o->taking;

	if (s->jobs == NULL)
		return false;
	if (x == NULL) {
		forget_unwanted(s);
		x = next_due(o);
		if (x == NULL)
			return false;
		if (begin(s, x))
			return true;
		drop(o, x);
		o->news = true; /* who waits for it is answered otherwise */
		return true;
	}
	if (take(x, ROWS_A_TURN))
		return true;
	o->taking = NULL;
	drop_entries(x);
	sort(x, false, wanted(x));
	return true;
}

void
orders_expire(struct store *s)
{
	s->orders->expired_ns = s->now_boot_ns;
}

bool
orders_news(struct orders *o)
{
	bool news = o->news;

	o->news = false;
	return news;
}

/* --- asking
 * -----------------------------------------------------------------------------------------------------------
 */

static bool
is_of(const struct live_order *x, const struct view *v, enum live_list list)
{
	return x->used && x->list == list && x->v.tenant == v->tenant && x->v.masked == v->masked;
}

static struct live_order *
place_for(struct store *s)
{
	struct orders *o = s->orders;
	struct live_order *oldest = NULL;

	for (int i = 0; i < ORDERS_MAX; i++) {
		struct live_order *x = &o->list[i];

		if (!x->used)
			return x;
		if (x->state != LIVE_SORTING && (oldest == NULL || x->last_asked_ns < oldest->last_asked_ns))
			oldest = x;
	}
	if (oldest != NULL) {
		s->counters.n[OWN_ORDERS_FULL]++;
		drop(o, oldest);
	}
	return oldest;
}

static struct live_order *
find(struct store *s, const struct view *v, enum live_list list)
{
	struct live_order *x;

	for (int i = 0; i < ORDERS_MAX; i++)
		if (is_of(&s->orders->list[i], v, list))
			return &s->orders->list[i];
	x = place_for(s);
	if (x == NULL)
		return NULL;
	*x = (struct live_order){ .s = s, .used = true, .list = list, .v = *v };
	memset(&x->v.grant, 0, sizeof(x->v.grant));
	x->v.policy = NULL; /* the question's */
	view_renew(s, &x->v);
	return x;
}

/* Where no thread sorts: a test, which wants the rows of now. */
static bool
make_here(struct store *s, struct live_order *x)
{
	if (!begin(s, x))
		return false;
	while (take(x, ROWS_A_TURN))
		;
	s->orders->taking = NULL;
	drop_entries(x);
	sort(x, false, wanted(x));
	return true;
}

enum order_found
orders_find(struct store *s, const struct view *v, enum live_list list, enum sort_key sort_key,
	    const struct order **found)
{
	struct live_order *x;

	if (2 * order_bytes((uint32_t)live_count(v, list), live_sorts(list)) > ORDERS_BYTES_MAX)
		return ORDER_NO_ROOM;
	x = find(s, v, list);
	if (x == NULL)
		return ORDER_NO_ROOM;
	x->lapsed |= s->now_boot_ns - x->last_asked_ns >= WANTED_NS;
	x->last_asked_ns = x->asked_ns[sort_key] = s->now_boot_ns;
	if (s->jobs == NULL && !make_here(s, x)) {
		drop(s->orders, x);
		return ORDER_NO_ROOM;
	}
	if (!is_stale(x) && (x->now->sorted >> sort_key & 1) != 0) {
		*found = x->now;
		return ORDER_READY;
	}
	if (x->state == LIVE_IDLE && is_stale(x))
		x->state = LIVE_WAITS;
	return ORDER_SOON;
}
