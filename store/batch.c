/* What one commit writes: see batch.h. */
#include "batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sum.h"

#define ROWS_FIRST  (256u << 10)
#define DELTA_FIRST 1024u
#define LOOK_BACK   4 /* deltas of one series that are searched for a second: workers differ by one or two */

static size_t
padded(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

void
batch_init(struct batch *b, size_t rows_max, uint32_t delta_max)
{
	*b = (struct batch){ .rows_max = rows_max, .delta_max = delta_max, .generation = 1 };
	b->applied = mem_calloc(BATCH_APPLIED_MAX, sizeof(*b->applied));
}

void
batch_free(struct batch *b)
{
	free(b->rows);
	free(b->delta);
	free(b->name);
	free(b->applied);
	*b = (struct batch){ 0 };
}

void
batch_reset(struct batch *b)
{
	b->rows_len = b->nflows = 0;
	b->packets = 0;
	b->ndelta = b->nname = b->napplied = 0;
	memset(b->position, 0, sizeof(b->position));
	memset(b->ring, 0, sizeof(b->ring));
}

bool
batch_fits(const struct batch *b, unsigned n)
{
	/* One record may add two rows (it ends what stood in its slot) and, over its tenants, seven deltas
	 * for each. */
	return b->rows_len + 2 * (sizeof(struct batch_flow) + FLOW_ROW_MAX + 8) * n <= b->rows_max &&
	       b->ndelta + 16 * n <= b->delta_max;
}

bool
batch_full(const struct batch *b)
{
	return !batch_fits(b, 1);
}

bool
batch_empty(const struct batch *b)
{
	return b->rows_len == 0 && b->ndelta == 0 && b->nname == 0 && b->napplied == 0;
}

bool
batch_add_flow(struct batch *b, const uint32_t tenant[static 2], const struct rec_flow *f,
	       const struct flow_texts *texts)
{
	uint8_t row[FLOW_ROW_MAX];
	size_t len = flow_row_encode(f, texts, row);
	size_t need = sizeof(struct batch_flow) + padded(len);

	if (len == 0 || b->rows_len + need > b->rows_max)
		return false;
	if (b->rows_len + need > b->rows_cap) {
		size_t cap = b->rows_cap == 0 ? ROWS_FIRST : b->rows_cap * 2;

		b->rows_cap = cap > b->rows_max ? b->rows_max : cap;
		if (b->rows_cap < b->rows_len + need)
			b->rows_cap = b->rows_len + need;
		b->rows = mem_reallocarray(b->rows, b->rows_cap, 1);
	}

	struct batch_flow head = {
		.tenant = { tenant[0], tenant[1] },
		.slice = f->slice,
		.len = (uint32_t)len,
		.last_ns = f->last_ns,
		.id = f->id,
	};

	memcpy(b->rows + b->rows_len, &head, sizeof(head));
	memcpy(b->rows + b->rows_len + sizeof(head), row, len);
	b->rows_len += need;
	b->nflows++;
	b->packets = sum_sat(b->packets, sum_sat(f->count.packets[CLIENT], f->count.packets[SERVER]));
	return true;
}

static struct batch_delta *
delta_of(struct batch *b, uint32_t last, int64_t second)
{
	for (int i = 0; last != 0 && i < LOOK_BACK; i++) {
		if (b->delta[last - 1].second == second)
			return &b->delta[last - 1];
		last = b->delta[last - 1].previous;
	}
	return NULL;
}

bool
batch_add_second(struct batch *b, const struct series_key *key, uint32_t *last, int64_t second,
		 uint64_t bytes, uint64_t packets, uint64_t flows)
{
	struct batch_delta *d = delta_of(b, *last, second);

	if (d == NULL) {
		if (b->ndelta == b->delta_max)
			return false;
		if (b->ndelta == b->delta_cap) {
			b->delta_cap = b->delta_cap == 0 ? DELTA_FIRST : b->delta_cap * 2;
			b->delta = mem_reallocarray(b->delta, b->delta_cap, sizeof(*b->delta));
		}
		d = &b->delta[b->ndelta++];
		*d = (struct batch_delta){ .key = *key, .previous = *last, .second = second };
		*last = b->ndelta;
	}
	d->bytes = sum_sat(d->bytes, bytes);
	d->packets = sum_sat(d->packets, packets);
	if (flows > d->flows_max)
		d->flows_max = flows;
	return true;
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
	b->rows_len = b->nflows = 0;
	b->packets = 0;
	b->ndelta = 0;
}
