#include "lane.h"

#include <string.h>

#include "base/auto.h"

/* The engine is shown new frames at least this often within a batch, so that both sides work at the same time
 * while its share of the ring is still in a cache. */
#define PUBLISH_BYTES (128u << 10)
#define REWIND_LEAST  (1u << 20)
/* Half of the ring of a file (FILE_RING in capture/serve.c): one half is filled while the engine takes the
 * other. */
#define PUBLISH_SELDOM_BYTES (1u << 20)
/* Of a ring beside an entry's own bytes: its header, and rounding up. */
#define ENTRY_COST 16u

static_assert(sizeof(struct wire_frame) + LANE_KEEP_MAX <= RING_ENTRY_MAX, "the longest frame fits an entry");
static_assert(LANE_KEEP_MAX <= UINT16_MAX, "struct wire_frame");

void
lane_init(struct lane *l, uint32_t merged_above)
{
	memset(l, 0, sizeof(*l));
	l->merged_above = merged_above;
	l->publish = PUBLISH_BYTES;
	l->order_page = -1;
	pthread_mutex_init(&l->lock, NULL);
}

void
lane_free(struct lane *l)
{
	ring_producer_free(&l->ring);
	ring_producer_free(&l->order_next);
	fd_drop(&l->order_page);
	pthread_mutex_destroy(&l->lock);
}

/* --- the main thread --- */

void
lane_give_ring(struct lane *l, struct ring_producer *r)
{
	pthread_mutex_lock(&l->lock);
	ring_producer_free(&l->order_next); /* one that the filler never saw */
	fd_drop(&l->order_page);
	l->order_next = r;
	l->order_ring = true;
	atomic_store_explicit(&l->ordered, true, memory_order_release);
	pthread_mutex_unlock(&l->lock);
}

void
lane_give_page(struct lane *l, int fd)
{
	pthread_mutex_lock(&l->lock);
	if (l->order_page != -1) { /* two answers to one offer */
		fd_drop(&fd);
		atomic_fetch_or(&l->signals, LANE_LIED);
	} else {
		l->order_page = fd;
		atomic_store_explicit(&l->ordered, true, memory_order_release);
	}
	pthread_mutex_unlock(&l->lock);
}

uint32_t
lane_signals(struct lane *l)
{
	return atomic_exchange(&l->signals, 0);
}

uint64_t
lane_shown(const struct lane *l, enum lane_count c)
{
	return atomic_load_explicit(&l->shown[c], memory_order_relaxed);
}

/* --- the filler --- */

void
lane_take_orders(struct lane *l)
{
	if (!atomic_load_explicit(&l->ordered, memory_order_acquire))
		return;
	pthread_mutex_lock(&l->lock);
	if (l->order_ring) {
		ring_producer_free(&l->ring);
		l->ring = l->order_next;
		l->order_next = NULL;
		l->order_ring = false;
		l->attached = false;
		l->unpublished = 0;
	}
	if (l->order_page != -1) {
		int page = fd_keep(&l->order_page);

		if (l->ring != NULL && ring_producer_attach(l->ring, page))
			l->attached = true;
		else
			atomic_fetch_or(&l->signals, LANE_LIED);
	}
	atomic_store_explicit(&l->ordered, false, memory_order_relaxed);
	pthread_mutex_unlock(&l->lock);
}

/* A rewound ring must have room for twice of what came of late before the engine had its turn. Where that is
 * much of the ring, a rewind saves no cache misses and makes the ring crowded. */
static void
rewind_if_worth_it(struct lane *l)
{
	size_t quarter = ring_producer_size(l->ring) / 4;
	size_t least = quarter < REWIND_LEAST ? quarter : REWIND_LEAST;

	if (2 * l->most_cycle > least)
		least = 2 * l->most_cycle;
	if (least <= quarter)
		ring_rewind(l->ring, least);
}

void
lane_begin(struct lane *l)
{
	size_t used;

	lane_take_orders(l);
	if (l->ring == NULL) {
		l->room = SIZE_MAX; /* nothing to wait for */
		return;
	}
	used = ring_producer_used(l->ring);
	if (used == 0) {
		size_t fading = l->most_cycle - l->most_cycle / 16;

		l->most_cycle = l->cycle > fading ? l->cycle : fading;
		l->cycle = 0;
		rewind_if_worth_it(l);
		used = ring_producer_used(l->ring);
	}
	l->room = ring_producer_size(l->ring) - used;
}

void
lane_overrun(struct lane *l)
{
	l->room = SIZE_MAX;
}

static void
publish(struct lane *l)
{
	l->unpublished = 0;
	if (ring_publish(l->ring))
		atomic_fetch_or(&l->signals, LANE_NUDGE);
}

/* A full ring is shown to the engine at once, or it would sleep beside it; and a lie shows up here. */
static void *
reserve(struct lane *l, size_t len)
{
	void *to;

	if (l->ring == NULL)
		return NULL;
	to = ring_reserve(l->ring, len);
	if (to == NULL) {
		publish(l);
		if (ring_producer_lied(l->ring))
			atomic_fetch_or(&l->signals, LANE_LIED);
	}
	return to;
}

/* What is kept of a frame, and what is said of it. */
static struct wire_frame
describe(const struct frame *f)
{
	uint32_t keep = f->cap_len < LANE_KEEP_MAX ? f->cap_len : LANE_KEEP_MAX;

	return (struct wire_frame){ f->ts_ns, f->wire_len, (uint16_t)keep, f->link_type };
}

static void
count(struct lane *l, const struct wire_frame *w)
{
	l->now[LANE_FRAMES]++;
	l->now[LANE_BYTES] += w->wire_len;
	l->now[LANE_TRUNCATED] += w->wire_len > w->cap_len;
	l->now[LANE_MERGED] += l->merged_above != 0 && w->wire_len > l->merged_above;
}

static void
commit(struct lane *l, enum frame_kind kind, size_t len)
{
	size_t cost = len + ENTRY_COST;

	ring_commit(l->ring, (uint16_t)kind, len);
	l->unpublished += len;
	l->cycle += cost;
	l->room -= l->room < cost ? l->room : cost;
	if (l->unpublished >= l->publish)
		publish(l);
}

bool
lane_put(struct lane *l, const struct frame *f)
{
	struct wire_frame w = describe(f);
	uint8_t *to = reserve(l, sizeof(w) + w.cap_len);

	if (to == NULL)
		return false;
	memcpy(to, &w, sizeof(w));
	memcpy(to + sizeof(w), f->bytes, w.cap_len);
	count(l, &w);
	commit(l, FRAME_DATA, sizeof(w) + w.cap_len);
	return true;
}

void
lane_put_or_drop(struct lane *l, const struct frame *f)
{
	if (!lane_put(l, f))
		l->now[LANE_RING_DROPS]++;
}

bool
lane_block_begin(struct lane *l, struct lane_block *b)
{
	uint8_t *to = reserve(l, RING_ENTRY_MAX);

	if (to == NULL)
		return false;
	b->bytes = to + sizeof(struct wire_block);
	b->room = RING_ENTRY_MAX - sizeof(struct wire_block) - 8; /* the table is aligned */
	b->len = 0;
	b->n = 0;
	return true;
}

bool
lane_block_note(struct lane_block *b, const struct frame *f, size_t end)
{
	if (b->n == LANE_BLOCK_FRAMES || end + (b->n + 1) * sizeof(b->table[0]) > b->room)
		return false;
	b->table[b->n++] = (struct wire_block_frame){ .frame = describe(f),
						      .at = (uint32_t)(sizeof(struct wire_block) +
								       (size_t)(f->bytes - b->bytes)) };
	b->len = end;
	return true;
}

void
lane_block_put(struct lane *l, struct lane_block *b)
{
	size_t table = (sizeof(struct wire_block) + b->len + 7) & ~(size_t)7;
	struct wire_block w = { b->n, (uint32_t)table };
	uint8_t *entry = b->bytes - sizeof(w);

	memcpy(entry, &w, sizeof(w));
	memcpy(entry + table, b->table, b->n * sizeof(b->table[0]));
	for (unsigned i = 0; i < b->n; i++)
		count(l, &b->table[i].frame);
	commit(l, FRAME_BLOCK, table + b->n * sizeof(b->table[0]));
}

bool
lane_put_begin(struct lane *l, int64_t first_ns)
{
	struct wire_frame_begin b = { first_ns };
	void *to = reserve(l, sizeof(b));

	if (to == NULL)
		return false;
	memcpy(to, &b, sizeof(b));
	ring_commit(l->ring, FRAME_BEGIN, sizeof(b));
	return true;
}

bool
lane_put_end(struct lane *l, int64_t last_ns, bool truncated)
{
	struct wire_frame_end e = { l->now[LANE_FRAMES], l->now[LANE_BYTES], last_ns, truncated, 0 };
	void *to = reserve(l, sizeof(e));

	if (to == NULL)
		return false;
	memcpy(to, &e, sizeof(e));
	ring_commit(l->ring, FRAME_END, sizeof(e));
	return true;
}

void
lane_publish_seldom(struct lane *l)
{
	l->publish = PUBLISH_SELDOM_BYTES;
}

void
lane_show(struct lane *l)
{
	for (unsigned i = 0; i < LANE_COUNTS; i++)
		atomic_store_explicit(&l->shown[i], l->now[i], memory_order_relaxed);
}

uint32_t
lane_flush(struct lane *l)
{
	if (l->ring != NULL)
		publish(l);
	lane_show(l);
	return atomic_load_explicit(&l->signals, memory_order_relaxed);
}
