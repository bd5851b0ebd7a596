/*
 * The rows of a batch. Engines tell again what store did not acknowledge before it died or their channel
 * broke, so a slice may come twice: most often as it was, sometimes with another end (it was given up, then
 * went on). Which ones came is remembered by a key for each; only where a key came before are blocks looked
 * into.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "find.h"
#include "policy/snapshot.h"
#include "row_order.h"

#define SEEN_LINES 131072u /* a million slices */
#define LOST_LINES 16384u
#define BACK_ROWS  1000000u /* of blocks that are looked into for what came again */
#define ROWS_AHEAD 12
#define SEEN_AHEAD 16
#define SAME_SLOTS (2 * BATCH_FLOWS_MAX)

/* What becomes of a slice of the batch. */
enum fate {
	FATE_NEW,
	FATE_LEFT_OUT, /* it is written already, or a later one of the batch is it */
	FATE_SUSPECT,  /* its key came before */
	FATE_REPLACES  /* it stands there with another end: that row is dead now */
};

static uint64_t
key_of(const struct history *h, const uint8_t *id, uint32_t slice)
{
	uint64_t half[2];

	memcpy(half, id, sizeof(half));

	uint64_t key = hash_mix(half[0] ^ h->seed ^ slice, half[1] ^ UINT64_C(0x9e3779b97f4a7c15));

	return key == 0 ? 1 : key;
}

static void
make_memory(struct history *h)
{
	if (h->rows != NULL)
		return;
	h->rows = mem_calloc((size_t)2 * BATCH_FLOWS_MAX, sizeof(*h->rows));
	for (int i = 0; i < 2; i++)
		h->sort[i] = mem_calloc((size_t)2 * BATCH_FLOWS_MAX, sizeof(*h->sort[i]));
	h->keys = mem_calloc(BATCH_FLOWS_MAX, sizeof(*h->keys));
	h->fate = mem_calloc(BATCH_FLOWS_MAX, sizeof(*h->fate));
	h->same = mem_calloc(SAME_SLOTS, sizeof(*h->same));
	seen_init(&h->seen, SEEN_LINES);
	seen_init(&h->lost, LOST_LINES);
	randombytes_buf(&h->seed, sizeof(h->seed));
}

static void
take_keys(struct history *h, const struct batch *b)
{
	for (size_t i = 0; i < b->nflows; i++)
		h->keys[i] = key_of(h, b->flow[i].f.id.b, b->flow[i].f.slice);
}

/* --- twice in one batch: only the later one stays
 * -------------------------------------------------------------------------- */

static uint32_t *
same_slot(const struct history *h, uint64_t key)
{
	for (uint32_t at = (uint32_t)(key >> 32) % SAME_SLOTS;; at = (at + 1) % SAME_SLOTS)
		if (h->same[at] == 0 || h->keys[h->same[at] - 1] == key)
			return &h->same[at];
}

static void
leave_out_earlier(struct history *h, size_t n)
{
	memset(h->same, 0, SAME_SLOTS * sizeof(*h->same));
	for (size_t i = 0; i < n; i++) {
		uint32_t *slot = same_slot(h, h->keys[i]);

		if (*slot != 0)
			h->fate[*slot - 1] = FATE_LEFT_OUT;
		*slot = (uint32_t)i + 1;
	}
}

/* --- on disk already
 * ---------------------------------------------------------------------------------------------------------
 */

struct again {
	struct history *h;
	const struct batch *b;
	struct db_txn *x;
	size_t left;   /* that were not found yet */
	size_t mixed;  /* blocks of several tenants: those before the merged ones */
	uint64_t rows; /* looked at */
	struct find *f;
};

static bool
list_newest(void *ctx, const struct block_entry *e)
{
	struct again *a = ctx;
	struct find *f = a->f;

	if (a->rows >= BACK_ROWS)
		return false;
	a->rows += e->rows;
	if (f->nblocks == f->blocks_cap) {
		f->blocks_cap = f->blocks_cap == 0 ? 256 : f->blocks_cap * 2;
		f->block = mem_reallocarray(f->block, f->blocks_cap, sizeof(*f->block));
	}
	f->block[f->nblocks++] = *e;
	return true;
}

static void
find_newest_of(struct again *a, struct db_txn *x, bool merged)
{
	struct segment_entry s;

	for (uint32_t n = UINT32_MAX; a->rows < BACK_ROWS && catalogue_segment_before(x, n, &s); n = s.number)
		if (!s.gone && s.merged == merged)
			catalogue_blocks(x, s.number, true, list_newest, a);
}

/* The blocks that were written last, the last one first. */
static void
find_newest(struct again *a, struct db_txn *x)
{
	a->f->nblocks = 0;
	a->rows = 0;
	find_newest_of(a, x, false);
	a->mixed = a->f->nblocks;
	find_newest_of(a, x, true);
}

/* Which slice of the batch a row is; NULL: none, or one that is left out. */
static const struct rec_flow *
slice_of(const struct again *a, const struct find *f, uint32_t row, uint32_t *at)
{
	struct flow_position p = find_position(f, row);
	uint32_t slot = *same_slot(a->h, key_of(a->h, p.id.b, p.slice));

	*at = slot - 1;
	return slot == 0 ? NULL : &a->b->flow[*at].f;
}

static bool
look_for_same(struct find *f, const struct block_entry *e, void *ctx)
{
	struct again *a = ctx;
	uint32_t at;

	if (!find_ids(f))
		return false;
	for (uint32_t i = 0; i < f->head.rows; i++) {
		const struct rec_flow *r = f->wanted[i] != 0 ? slice_of(a, f, i, &at) : NULL;

		if (r == NULL || a->h->fate[at] == FATE_LEFT_OUT)
			continue;
		a->left -= a->h->fate[at] == FATE_SUSPECT;
		a->h->fate[at] = r->last_ns == (int64_t)f->last[i] ? FATE_LEFT_OUT : FATE_REPLACES;
		if (a->h->fate[at] == FATE_REPLACES) {
			catalogue_put_dead(a->x, e->segment, e->sequence, i);
			history_merge_again(a->h, e->segment);
		}
	}
	return true;
}

static void
leave_out_known(struct history *h, const struct batch *b, struct db_txn *x)
{
	struct again a = { .h = h, .b = b, .x = x };

	for (size_t i = 0; i < b->nflows; i++) {
		if (i + SEEN_AHEAD < b->nflows)
			__builtin_prefetch(seen_line(&h->seen, h->keys[i + SEEN_AHEAD]));
		if (h->fate[i] == FATE_NEW &&
		    (seen_has(&h->seen, h->keys[i]) || seen_has(&h->lost, h->keys[i]))) {
			h->fate[i] = FATE_SUSPECT;
			a.left++;
		}
	}
	if (a.left == 0)
		return;
	if (h->back == NULL)
		h->back = find_new(h);
	a.f = h->back;
	find_newest(&a, x);
	for (size_t i = 0; i < a.mixed && a.left > 0; i++)
		find_look(a.f, &a.f->block[i], FIND_ALL, look_for_same, &a);
	/* A block of several tenants has all rows of a slice; one of one tenant has one of them. */
	for (size_t i = a.left > 0 ? a.mixed : a.f->nblocks; i < a.f->nblocks; i++)
		find_look(a.f, &a.f->block[i], FIND_ALL, look_for_same, &a);
}

/* --- rows
 * --------------------------------------------------------------------------------------------------------------------
 */

static int
by_slice(const void *a, const void *b, void *ctx)
{
	const struct row_order *x = a, *y = b;
	const struct batch *batch = ctx;
	const struct rec_flow *f = &batch->flow[x->at / 2].f, *g = &batch->flow[y->at / 2].f;
	int id = memcmp(&f->id, &g->id, sizeof(f->id));

	if (id != 0)
		return id;
	return f->slice < g->slice ? -1 : f->slice > g->slice;
}

static void
sort(struct history *h, const struct batch *b, uint32_t n)
{
	struct row_order *r = h->sort[0];

	row_order_sort(r, h->sort[1], n);
	for (uint32_t from = 0, to; from < n; from = to) {
		for (to = from + 1;
		     to < n && r[to].last_ns == r[from].last_ns && r[to].tenant == r[from].tenant; to++)
			;
		if (to - from > 1)
			qsort_r(&r[from], to - from, sizeof(*r), by_slice, (void *)(uintptr_t)b);
	}
}

uint32_t
history_rows(struct history *h, const struct batch *b, struct db_txn *x)
{
	uint32_t n = 0;

	if (b->nflows == 0)
		return 0;
	make_memory(h);
	memset(h->fate, FATE_NEW, b->nflows);
	take_keys(h, b);
	leave_out_earlier(h, b->nflows);
	leave_out_known(h, b, x);
	for (uint32_t i = 0; i < b->nflows; i++) {
		const struct batch_flow *f = &b->flow[i];

		for (uint32_t t = 0; h->fate[i] != FATE_LEFT_OUT && t < 2 && (t == 0 || f->tenant[t] != 0);
		     t++) {
			/* Of a flow that began before its tenant was deleted. */
			if (tenants_is_gone(h->tenants, f->tenant[t]))
				continue;
			h->sort[0][n++] = (struct row_order){ f->f.last_ns, f->tenant[t], 2 * i + t };
		}
	}
	sort(h, b, n);
	for (uint32_t i = 0; i < n; i++) {
		const struct row_order *o = &h->sort[0][i];
		const struct batch_flow *f = &b->flow[o->at / 2];

		if (i + ROWS_AHEAD < n) {
			const struct batch_flow *later = &b->flow[h->sort[0][i + ROWS_AHEAD].at / 2];

			__builtin_prefetch(later);
			__builtin_prefetch(&later->f.server_name_len);
		}
		h->rows[i] =
		    (struct block_row){ &f->f, flow_texts_of(&f->f, (const char *)b->text.p + f->text),
					o->tenant, (o->at & 1) != 0 };
	}
	return n;
}

static void
remember(struct history *h, uint64_t key, bool lost)
{
	seen_add(&h->seen, key);
	if (lost)
		seen_add(&h->lost, key);
}

void
history_remember(struct history *h, const struct batch *b)
{
	for (size_t i = 0; i < b->nflows; i++) {
		if (i + SEEN_AHEAD < b->nflows)
			__builtin_prefetch(seen_line(&h->seen, h->keys[i + SEEN_AHEAD]), 1);
		if (h->fate[i] != FATE_LEFT_OUT)
			remember(h, h->keys[i], b->flow[i].f.end_reason == END_LOST);
	}
}

static bool
remember_block(struct find *f, const struct block_entry *e, void *ctx)
{
	struct history *h = ctx;

	(void)e;
	if (!find_ids(f) || !block_numbers(f->reader, &f->head, COLUMN_END_REASON, f->last))
		return false;
	for (uint32_t i = 0; i < f->head.rows; i++) {
		struct flow_position p = find_position(f, i);

		remember(h, key_of(h, p.id.b, p.slice), f->last[i] == END_LOST);
	}
	return true;
}

void
history_recall(struct history *h)
{
	struct again a = { .h = h };
	struct db_txn x;

	make_memory(h);
	h->back = find_new(h);
	a.f = h->back;
	db_begin(h->db, &x, false);
	find_newest(&a, &x);
	db_end(&x);
	for (size_t i = a.f->nblocks; i-- > 0;)
		find_look(a.f, &a.f->block[i], FIND_ALL, remember_block, h);
}
