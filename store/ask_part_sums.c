/*
 * Applications, categories, systems and countries for a grant that sees a part of its tenant: sums of the
 * live flows that it sees, because what is kept of them counts flows that it does not.
 */
#include <sodium.h>
#include <stdlib.h>

#include "ask_series.h"
#include "base/hash.h"
#include "base/mem.h"
#include "part.h"
#include "part_memory.h"
#include "series_flows.h"
#include "sum.h"

struct tally {
	uint32_t number;                        /* as of a series_id */
	uint64_t bytes[2], packets[2], rate[2]; /* [0] in, [1] out */
	int64_t last_ns;
};

struct tallies {
	struct part_memory *memory;
	struct tally *t;
	size_t n, room;
	uint32_t *slot; /* by hash of the number: tally + 1; at least half of them are empty */
	size_t slots;
	uint64_t seed;
	struct topk *list; /* those of the page */
};

/* Where it is, or would be. */
static uint32_t *
slot_of(const struct tallies *all, uint32_t number)
{
	size_t at = hash_mix(number, all->seed) & (all->slots - 1);

	while (all->slot[at] != 0 && all->t[all->slot[at] - 1].number != number)
		at = (at + 1) & (all->slots - 1);
	return &all->slot[at];
}

/* Twice as many slots. False: there is no room. */
static bool
spread_out(struct tallies *all)
{
	size_t slots = 0, want = all->slots == 0 ? 64 : 2 * all->slots;
	uint32_t *wider = part_memory_grow(all->memory, NULL, &slots, want, sizeof(*wider));

	if (slots < want)
		return false;
	free(all->slot);
	all->slot = wider;
	all->slots = want;
	for (size_t i = 0; i < all->n; i++)
		*slot_of(all, all->t[i].number) = (uint32_t)i + 1;
	return true;
}

/* NULL: there is no room. */
static struct tally *
tally_of(struct tallies *all, uint32_t number)
{
	uint32_t *slot;

	if (2 * (all->n + 1) > all->slots && !spread_out(all))
		return NULL;
	slot = slot_of(all, number);
	if (*slot != 0)
		return &all->t[*slot - 1];
	if (all->n == all->room)
		all->t = part_memory_grow(all->memory, all->t, &all->room, all->n + 1, sizeof(*all->t));
	if (part_memory_is_full(all->memory))
		return NULL;
	all->t[all->n] = (struct tally){ .number = number };
	*slot = (uint32_t)++all->n;
	return &all->t[all->n - 1];
}

static bool
tally_flow(void *ctx, const struct question *a, const struct engine *e, const struct live_flow *r)
{
	struct tallies *all = ctx;
	struct series_share share[2];
	struct part_flow p;
	size_t n;

	part_show(&a->v, &e->live, r, &p);
	n = series_flows_shares(&a->v, a->q.subject, &p.f, share);
	for (size_t i = 0; i < n; i++) {
		struct tally *t = tally_of(all, share[i].number);

		if (t == NULL)
			return false;
		for (int way = 0; way < 2; way++) {
			int side = way == 0 ? share[i].in : 1 - share[i].in;

			t->bytes[way] = sum_sat(t->bytes[way], p.f.count.bytes[side]);
			t->packets[way] = sum_sat(t->packets[way], p.f.count.packets[side]);
			t->rate[way] = sum_sat(t->rate[way], p.rate[side]);
		}
		if (p.f.last_ns > t->last_ns)
			t->last_ns = p.f.last_ns;
	}
	return true;
}

static void
drop(void *ctx)
{
	struct tallies *all = ctx;

	part_memory_free(&all->memory);
	free(all->t);
	free(all->slot);
	free(all->list);
	free(all);
}

static struct series_id
id_of(const struct question *a, const struct tally *t)
{
	return (struct series_id){ .tenant = a->v.tenant, .subject = a->q.subject, .number = t->number };
}

static void
choose(struct store *s, const struct question *a, struct tallies *all)
{
	struct topk *list = all->list = ask_list_begin(a);

	for (size_t i = 0; i < all->n; i++) {
		const struct tally *t = &all->t[i];
		const uint64_t *n = a->q.sort == SORT_PACKETS ? t->packets : t->bytes;
		const struct series_id id = id_of(a, t);
		struct topk_entry e = { .value = sum_sat(n[0], n[1]),
					.tenant = id.tenant,
					.ref = { (uint32_t)i, 0 } };
		char text[SERIES_TEXT_MAX];

		if (!topk_wants(list, e.value))
			continue;
		ask_series_tie(&id, series_id_text(s->names, &id, text), e.tie);
		topk_offer(list, &e);
	}
	topk_finish(list);
}

static void
put(struct store *s, struct question *a, const struct tally *t)
{
	const struct series_id id = id_of(a, t);
	struct row_series_of r = { .in_bytes = t->bytes[0],
				   .out_bytes = t->bytes[1],
				   .in_packets = t->packets[0],
				   .out_packets = t->packets[1],
				   .in_bytes_per_s = t->rate[0],
				   .out_bytes_per_s = t->rate[1],
				   .last_ns = t->last_ns };

	ask_put_series_of(s, a, &id, &r);
}

static void
answer(struct store *s, struct question *a, void *ctx)
{
	struct tallies *all = ctx;
	struct topk *list;

	if (part_memory_is_full(all->memory)) {
		s->counters.n[OWN_QUESTIONS_BUSY]++;
		answer_end(&a->out, ANSWER_BUSY, NULL, 0);
		drop(all);
		return;
	}
	choose(s, a, all);
	list = all->list;
	for (size_t i = 0; i < list->n; i++)
		put(s, a, &all->t[list->heap[i].ref[0]]);
	all->list = NULL;
	drop(all);
	ask_list_end(s, a, list);
}

void
ask_part_sums(struct store *s, struct question *a)
{
	static const struct ask_walk walk = { .row = tally_flow, .answer = answer, .drop = drop };
	struct tallies *all = mem_calloc(1, sizeof(*all));

	randombytes_buf(&all->seed, sizeof(all->seed));
	all->memory = part_memory_new(s->part_memories, a->v.tenant);
	ask_walk(s, a, &walk, all);
}
