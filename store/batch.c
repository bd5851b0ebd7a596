/* What one commit writes: see batch.h. */
#include "batch.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/hash.h"
#include "base/mem.h"
#include "sum.h"

#define FLOWS_FIRST 1024u
#define DELTA_FIRST 1024u

/* --- additions to series
 *
 * Ends of flows come in any order: an exporter tells of what ended minutes ago, and what was idle ended when
 * it was heard of last. So the second of a series is looked up, however long ago it was added to. */

static bool
is_of(const struct batch_delta *d, const struct series_key *k, int64_t second, uint32_t span_s)
{
	return d->second == second && d->span_s == span_s && d->key.tenant == k->tenant &&
	       d->key.subject == k->subject && d->key.number == k->number;
}

/* Its place in the table: what it says is that delta, or 0. */
static uint32_t *
delta_place(const struct batch *b, const struct series_key *k, int64_t second, uint32_t span_s)
{
	uint64_t what = ((uint64_t)k->tenant << 32 | k->number) ^ b->seed,
		 when = ((uint64_t)second << 16 ^ (uint64_t)k->subject << 8 ^ span_s) +
			UINT64_C(0x9e3779b97f4a7c15),
		 hash = hash_mix(hash_mix(what, UINT64_C(0xd6e8feb86659fd93)) ^ b->seed, when);

	for (uint32_t at = (uint32_t)(hash ^ hash >> 32) & b->delta_mask;; at = (at + 1) & b->delta_mask)
		if (b->delta_at[at] == 0 || is_of(&b->delta[b->delta_at[at] - 1], k, second, span_s))
			return &b->delta_at[at];
}

static void
grow_deltas(struct batch *b)
{
	b->delta_cap = b->delta_cap == 0 ? DELTA_FIRST : b->delta_cap * 2;
	b->delta = mem_reallocarray(b->delta, b->delta_cap, sizeof(*b->delta));
	free(b->delta_at);
	b->delta_at = mem_calloc(2 * (size_t)b->delta_cap, sizeof(*b->delta_at));
	b->delta_mask = 2 * b->delta_cap - 1;
	for (uint32_t i = 0; i < b->ndelta; i++) {
		const struct batch_delta *d = &b->delta[i];

		*delta_place(b, &d->key, d->second, d->span_s) = i + 1;
	}
}

/* --- the batch
 * ---------------------------------------------------------------------------------------------------------------
 */

/* Bytes of the rows. */
static size_t
size_of(const struct batch *b)
{
	return b->nflows * sizeof(*b->flow) + b->text.len;
}

void
batch_init(struct batch *b, size_t rows_max, uint32_t delta_max)
{
	*b = (struct batch){ .rows_max = rows_max, .delta_max = delta_max, .generation = 1 };
	b->applied = mem_calloc(BATCH_APPLIED_MAX, sizeof(*b->applied));
	randombytes_buf(&b->seed, sizeof(b->seed));
	grow_deltas(b);
}

void
batch_free(struct batch *b)
{
	free(b->flow);
	bytes_free(&b->text);
	free(b->delta);
	free(b->delta_at);
	free(b->name);
	free(b->series);
	free(b->applied);
	*b = (struct batch){ 0 };
}

static void
forget_deltas(struct batch *b)
{
	if (b->ndelta > 0)
		memset(b->delta_at, 0, ((size_t)b->delta_mask + 1) * sizeof(*b->delta_at));
	b->ndelta = 0;
}

void
batch_reset(struct batch *b)
{
	b->text.len = b->nflows = 0;
	b->packets = 0;
	forget_deltas(b);
	b->nname = b->nseries = b->napplied = 0;
	memset(b->position, 0, sizeof(b->position));
	memset(b->ring, 0, sizeof(b->ring));
}

/* Deltas that records may add up to: what is derived of them when the batch is complete takes a part. */
static uint32_t
reserved(const struct batch *b)
{
	return b->delta_max - b->delta_max / 4;
}

bool
batch_fits(const struct batch *b, unsigned n)
{
	/* One record may add two rows (it ends what stood in its slot) and, over its tenants, thirteen deltas
	 * for each, of which six are of interfaces of its exporter; and its ends, where they are watched,
	 * four for each tenant and for the platform. */
	return size_of(b) + 2 * (sizeof(struct batch_flow) + FLOW_TEXT_MAX) * n <= b->rows_max &&
	       b->nflows + 2 * (size_t)n <= BATCH_FLOWS_MAX && b->ndelta + 40 * n <= reserved(b);
}

bool
batch_full(const struct batch *b)
{
	return !batch_fits(b, 1);
}

bool
batch_empty(const struct batch *b)
{
	return b->nflows == 0 && b->ndelta == 0 && b->nname == 0 && b->nseries == 0 && b->napplied == 0;
}

bool
batch_add_flow(struct batch *b, const uint32_t tenant[static 2], const struct rec_flow *f,
	       const struct flow_texts *texts)
{
	size_t len = (size_t)f->server_name_len + f->info_len + f->attributes_len;

	if (b->nflows == BATCH_FLOWS_MAX || size_of(b) + sizeof(struct batch_flow) + len > b->rows_max)
		return false;
	if (b->nflows == b->flow_cap) {
		b->flow_cap = b->flow_cap == 0 ? FLOWS_FIRST : b->flow_cap * 2;
		b->flow = mem_reallocarray(b->flow, b->flow_cap, sizeof(*b->flow));
	}

	struct batch_flow *to = &b->flow[b->nflows];
	struct wcur text = wcur_of(bytes_room(&b->text, len), len);

	to->tenant[0] = tenant[0];
	to->tenant[1] = tenant[1];
	to->text = (uint32_t)b->text.len;
	to->reserved = 0;
	to->f = *f;
	wcur_put(&text, texts->server_name, f->server_name_len);
	wcur_put(&text, texts->info, f->info_len);
	wcur_put(&text, texts->attributes, f->attributes_len);
	b->text.len += len;
	b->nflows++;
	b->packets = sum_sat(b->packets, sum_sat(f->count.packets[CLIENT], f->count.packets[SERVER]));
	return true;
}

void
series_value_add(struct series_value *to, const struct series_value *v)
{
	to->in_bytes = sum_sat(to->in_bytes, v->in_bytes);
	to->out_bytes = sum_sat(to->out_bytes, v->out_bytes);
	to->in_packets = sum_sat(to->in_packets, v->in_packets);
	to->out_packets = sum_sat(to->out_packets, v->out_packets);
	if (v->flows_max > to->flows_max)
		to->flows_max = v->flows_max;
}

static bool
add_delta(struct batch *b, const struct series_key *key, uint32_t *last, int64_t second, uint32_t span_s,
	  const struct series_value *v)
{
	if (*last == 0 || !is_of(&b->delta[*last - 1], key, second, span_s)) {
		uint32_t *place = delta_place(b, key, second, span_s);

		if (*place == 0 && b->ndelta == b->delta_max)
			return false;
		if (*place == 0 && b->ndelta == b->delta_cap) {
			grow_deltas(b);
			place = delta_place(b, key, second, span_s);
		}
		if (*place == 0) {
			b->delta[b->ndelta++] =
			    (struct batch_delta){ .key = *key, .second = second, .span_s = span_s };
			*place = b->ndelta;
		}
		*last = *place;
	}
	series_value_add(&b->delta[*last - 1].v, v);
	return true;
}

bool
batch_add_second(struct batch *b, const struct series_key *key, uint32_t *last, int64_t second,
		 const struct series_value *v)
{
	return add_delta(b, key, last, second, 1, v);
}

bool
batch_add_minute(struct batch *b, const struct series_key *key, uint32_t *last, int64_t minute,
		 const struct series_value *v)
{
	return add_delta(b, key, last, minute * 60, 60, v);
}

/* The book may forget two for the sake of a third. */
bool
batch_fits_series(const struct batch *b)
{
	return b->nseries + 3 <= BATCH_SERIES_MAX;
}

/* Records have half of the deltas to themselves. */
bool
batch_fits_minute(const struct batch *b)
{
	return batch_fits_series(b) && b->ndelta < b->delta_max / 2;
}

void
batch_add_series(struct batch *b, const struct batch_series *s)
{
	if (b->nseries == b->series_cap) {
		b->series_cap = b->series_cap == 0 ? 64 : b->series_cap * 2;
		b->series = mem_reallocarray(b->series, b->series_cap, sizeof(*b->series));
	}
	b->series[b->nseries++] = *s;
}

void
batch_add_name(struct batch *b, enum name_kind kind, uint16_t number, const char *text)
{
	if (b->nname == b->name_cap) {
		b->name_cap = b->name_cap == 0 ? 64 : b->name_cap * 2;
		b->name = mem_reallocarray(b->name, b->name_cap, sizeof(*b->name));
	}

	struct batch_name *n = &b->name[b->nname++];

	*n = (struct batch_name){ .kind = (uint16_t)kind, .number = number, .len = (uint16_t)strlen(text) };
	str_copy(n->text, sizeof(n->text), text);
}

void
batch_discard(struct batch *b)
{
	b->text.len = b->nflows = 0;
	b->packets = 0;
	forget_deltas(b);
}
