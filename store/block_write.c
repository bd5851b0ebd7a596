/* Rows into columns: see block.h and block_layout.h. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "block.h"
#include "bloom.h"
#include "sum.h"

/* Which values occur: a table of their numbers by hash. */
struct distinct {
	uint64_t *slot; /* upper half of the hash, number + 1 */
	uint32_t mask;
	uint32_t n;
};

#define AHEAD          12 /* rows lie in the batch as they came: so many before its turn one is asked for */
#define DISTINCT_SLOTS (4 * BLOCK_ROWS_MAX) /* two values a row, half full at most */

struct text_ref {
	const void *p;
	uint32_t len;
};

struct block_writer {
	struct column_work work;
	struct bytes body, head, out;
	uint64_t *v;
	uint32_t *index[2];
	struct distinct seen;
	uint64_t seed;
	uint8_t *values;         /* of a pair: 16 * 2 * BLOCK_ROWS_MAX */
	struct text_ref *text;   /* BLOCK_ROWS_MAX */
	struct bytes text_bytes; /* of one kind of strings */
	unsigned described;
	unsigned frames, frame_bits;                   /* that are asked for, and of this block */
	uint64_t differs[sizeof(struct rec_flow) / 8]; /* bits that are not the same in all rows */
};

int
block_row_compare(const struct block_row *a, const struct block_row *b)
{
	if (a->tenant != b->tenant)
		return a->tenant < b->tenant ? -1 : 1;
	if (a->f->last_ns != b->f->last_ns)
		return a->f->last_ns < b->f->last_ns ? -1 : 1;

	int id = memcmp(&a->f->id, &b->f->id, sizeof(a->f->id));

	if (id != 0)
		return id;
	return a->f->slice < b->f->slice ? -1 : a->f->slice > b->f->slice;
}

void
block_rows_ends(const struct block_row *row, uint32_t n, int64_t *least, int64_t *most)
{
	*least = *most = row[0].f->last_ns;
	for (uint32_t i = 1; i <= n; i++) {
		if (i < n && row[i].tenant == row[i - 1].tenant)
			continue;

		int64_t last = row[i - 1].f->last_ns, first = i < n ? row[i].f->last_ns : last;

		*most = last > *most ? last : *most;
		*least = first < *least ? first : *least;
	}
}

struct block_writer *
block_writer_new(void)
{
	struct block_writer *w = mem_calloc(1, sizeof(*w));

	column_work_init(&w->work);
	w->v = mem_calloc(2 * BLOCK_ROWS_MAX, sizeof(*w->v));
	for (int i = 0; i < 2; i++)
		w->index[i] = mem_calloc(BLOCK_ROWS_MAX, sizeof(*w->index[i]));
	w->seen.slot = mem_calloc(DISTINCT_SLOTS, sizeof(*w->seen.slot));
	w->values = mem_calloc((size_t)2 * BLOCK_ROWS_MAX, 16);
	w->text = mem_calloc(BLOCK_ROWS_MAX, sizeof(*w->text));
	randombytes_buf(&w->seed, sizeof(w->seed));
	w->frames = FRAME_BITS;
	return w;
}

void
block_writer_frames(struct block_writer *w, unsigned bits)
{
	w->frames = bits;
}

void
block_writer_free(struct block_writer **wp)
{
	struct block_writer *w = *wp;

	if (w == NULL)
		return;
	column_work_free(&w->work);
	bytes_free(&w->body);
	bytes_free(&w->head);
	bytes_free(&w->out);
	bytes_free(&w->text_bytes);
	free(w->v);
	free(w->index[0]);
	free(w->index[1]);
	free(w->seen.slot);
	free(w->values);
	free(w->text);
	free(w);
	*wp = NULL;
}

/* --- columns
 * ---------------------------------------------------------------------------------------------------------------
 */

static void
describe(struct block_writer *w, const struct column *c)
{
	if (c->coding == COLUMN_CONSTANT && c->least == 0 && c->start == 0)
		return;

	struct wcur at = wcur_of(bytes_room(&w->head, COLUMN_DESCRIPTION_MAX), COLUMN_DESCRIPTION_MAX);

	column_describe(&at, c);
	w->head.len += wcur_len(&at);
	w->described++;
}

/* n numbers of w->v. */
static void
put_numbers(struct block_writer *w, unsigned number, unsigned order, uint32_t n)
{
	struct column c = { .number = (uint8_t)number,
			    .order = (uint8_t)order,
			    .frame_bits = (uint8_t)w->frame_bits };

	column_put(&w->work, &c, w->v, n, &w->body);
	describe(w, &c);
}

/* n times w->v[0]; the order is plain or of distances. */
static void
put_constant(struct block_writer *w, unsigned number, unsigned order, uint32_t n)
{
	struct column c = { .number = (uint8_t)number, .order = (uint8_t)order, .count = n };

	c.coding = COLUMN_CONSTANT;
	c.least = order == COLUMN_DELTA ? 0 : w->v[0];
	c.start = order == COLUMN_DELTA ? w->v[0] : 0;
	describe(w, &c);
}

static void
put_bytes(struct block_writer *w, unsigned number, const void *bytes, size_t n, bool squeezed)
{
	struct column c = { .number = (uint8_t)number };

	column_put_bytes(&w->work, &c, bytes, n, squeezed, &w->body);
	describe(w, &c);
}

/* units strings; size[k] bytes of bytes are of the k-th frame. */
static void
put_framed(struct block_writer *w, unsigned number, const void *bytes, const size_t *size, uint32_t units)
{
	struct column c = { .number = (uint8_t)number, .frame_bits = (uint8_t)w->frame_bits, .units = units };

	column_put_framed(&w->work, &c, bytes, size, &w->body);
	describe(w, &c);
}

static inline void
ask_ahead(const struct block_row *row, uint32_t i, uint32_t n, size_t at)
{
	if (i + AHEAD < n)
		__builtin_prefetch((const uint8_t *)row[i + AHEAD].f + at);
}

static void
take_field(const struct block_row *row, uint32_t n, const struct flow_column *c, uint64_t *v)
{
	size_t at = c->offset;

#define TAKE(type, convert)                                                                                  \
	for (uint32_t i = 0; i < n; i++) {                                                                   \
		type x;                                                                                      \
                                                                                                             \
		ask_ahead(row, i, n, at);                                                                    \
		memcpy(&x, (const uint8_t *)row[i].f + at, sizeof(x));                                       \
		v[i] = convert(x);                                                                           \
	}                                                                                                    \
	break
	switch (c->width) {
	case 1:
		TAKE(uint8_t, );
	case 2:
		TAKE(uint16_t, );
	case 4:
		TAKE(uint32_t, );
	case 8:
		TAKE(uint64_t, );
	default:
		TAKE(uint64_t, __builtin_bswap64);
	}
#undef TAKE
}

/* Most fields are the same in all rows of most blocks: one look at all of them saves one at each. */
static void
note_differences(struct block_writer *w, const struct block_row *row, uint32_t n)
{
	uint64_t first[ARRAY_LEN(w->differs)];

	static_assert(sizeof(first) == sizeof(struct rec_flow), "whole words");
	memcpy(first, row[0].f, sizeof(first));
	memset(w->differs, 0, sizeof(w->differs));
	for (uint32_t i = 1; i < n; i++) {
		if (i + 8 < n)
			for (size_t at = 0; at < sizeof(struct rec_flow); at += 64)
				__builtin_prefetch((const uint8_t *)row[i + 8].f + at);
		for (size_t k = 0; k < ARRAY_LEN(first); k++) {
			uint64_t other;

			memcpy(&other, (const uint8_t *)row[i].f + k * sizeof(other), sizeof(other));
			w->differs[k] |= first[k] ^ other;
		}
	}
}

static bool
is_constant(const struct block_writer *w, size_t offset, size_t size)
{
	const uint8_t *differs = (const uint8_t *)w->differs + offset;

	for (size_t i = 0; i < size; i++)
		if (differs[i] != 0)
			return false;
	return true;
}

static bool
is_constant_column(const struct block_writer *w, const struct flow_column *c)
{
	return is_constant(w, c->offset, c->width == BIG_ENDIAN_8 ? 8 : c->width);
}

static void
put_fields(struct block_writer *w, const struct block_row *row, uint32_t n)
{
	for (size_t i = 0; i < flow_column_count; i++) {
		const struct flow_column *c = &flow_columns[i];

		if (c->base == 0 && is_constant_column(w, c)) {
			take_field(row, 1, c, w->v);
			put_constant(w, c->number, c->order, n);
			continue;
		}
		take_field(row, n, c, w->v);
		if (c->base != 0) {
			uint64_t *base = w->v + BLOCK_ROWS_MAX;

			take_field(row, n, flow_column_of(c->base), base);
			for (uint32_t k = 0; k < n; k++)
				w->v[k] = base[k] - w->v[k];
		}
		put_numbers(w, c->number, c->order, n);
	}
}

static void
put_tenants(struct block_writer *w, const struct block_row *row, uint32_t n)
{
	uint32_t runs = 0;

	for (uint32_t i = 0; i < n; i++)
		w->v[i] = row[i].secondary;
	put_numbers(w, PART_SECONDARY, COLUMN_PLAIN, n);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || row[i].tenant != row[i - 1].tenant) {
			w->v[runs] = row[i].tenant;
			w->index[0][runs++] = i;
		}
	put_numbers(w, PART_TENANTS, COLUMN_PLAIN, runs);
	for (uint32_t i = 0; i < runs; i++)
		w->v[i] = (i + 1 < runs ? w->index[0][i + 1] : n) - w->index[0][i];
	put_numbers(w, PART_TENANT_ROWS, COLUMN_PLAIN, runs);
}

/* --- values that occur again and again
 * -------------------------------------------------------------------------------------- */

static void
distinct_reset(struct distinct *d, uint32_t most)
{
	d->mask = 15;
	while (d->mask + 1 < 2 * most)
		d->mask = 2 * d->mask + 1;
	memset(d->slot, 0, ((size_t)d->mask + 1) * sizeof(*d->slot));
	d->n = 0;
}

/* The slot of a value with this hash: one that is taken by an equal one, or a free one. */
static uint64_t *
distinct_find(struct distinct *d, uint64_t hash, bool (*equal)(const void *ctx, uint32_t number),
	      const void *ctx)
{
	uint32_t tag = (uint32_t)(hash >> 32);

	for (uint32_t at = (uint32_t)hash & d->mask;; at = (at + 1) & d->mask) {
		uint64_t s = d->slot[at];

		if (s == 0 || ((uint32_t)(s >> 32) == tag && equal(ctx, (uint32_t)s - 1)))
			return &d->slot[at];
	}
}

static uint32_t
distinct_add(struct distinct *d, uint64_t *slot, uint64_t hash)
{
	*slot = hash >> 32 << 32 | ++d->n;
	return d->n - 1;
}

struct wide_key {
	const uint8_t *values, *value;
	size_t size;
};

static bool
same_wide(const void *ctx, uint32_t number)
{
	const struct wide_key *k = ctx;

	return memcmp(k->values + number * k->size, k->value, k->size) == 0;
}

static uint32_t
wide_number(struct block_writer *w, const uint8_t *value, size_t size)
{
	uint64_t half[2] = { 0 };
	struct wide_key k = { w->values, value, size };

	memcpy(half, value, size);

	uint64_t hash = hash_mix(half[0] ^ w->seed, half[1] ^ UINT64_C(0x9e3779b97f4a7c15));
	uint64_t *slot = distinct_find(&w->seen, hash, same_wide, &k);

	if (*slot != 0)
		return (uint32_t)*slot - 1;
	memcpy(w->values + w->seen.n * size, value, size);
	return distinct_add(&w->seen, slot, hash);
}

static void
put_indexes(struct block_writer *w, unsigned number, const uint32_t *index, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		w->v[i] = index[i];
	put_numbers(w, number, COLUMN_PLAIN, n);
}

/* The first bytes of a frame's values, then their second bytes and so on: what addresses have in common
 * stands together. */
static void
put_values(struct block_writer *w, unsigned number, size_t size)
{
	uint32_t n = w->seen.n, most = 1u << w->frame_bits;
	uint8_t *turned = bytes_room(&w->text_bytes, n * size);
	size_t sizes[FRAMES_MAX];

	for (uint32_t from = 0; from < n; from += most) {
		uint32_t count = n - from < most ? n - from : most;
		uint8_t *out = turned + from * size;

		for (size_t b = 0; b < size; b++)
			for (uint32_t i = 0; i < count; i++)
				out[b * count + i] = w->values[(from + i) * size + b];
		sizes[from >> w->frame_bits] = count * size;
	}
	if (n <= most)
		put_bytes(w, number, turned, n * size, true);
	else
		put_framed(w, number, turned, sizes, n);
}

static void
put_filter(struct block_writer *w, unsigned number, size_t keys, uint64_t (*key)(const void *ctx, size_t i),
	   const void *ctx)
{
	size_t size = bloom_size(keys);
	uint8_t *filter = bytes_room(&w->text_bytes, size);

	memset(filter, 0, size);
	for (size_t i = 0; i < keys; i++)
		bloom_add(filter, size, key(ctx, i));
	put_bytes(w, number, filter, size, false);
}

static uint64_t
address_key(const void *ctx, size_t i)
{
	const struct ip_addr *ip = ctx;

	return filter_key_of_address(&ip[i]);
}

/* Where n rows are more than a frame: in which frames each address is. */
static void
put_address_frames(struct block_writer *w, uint32_t n)
{
	if (n <= 1u << w->frame_bits || w->seen.n > COLUMN_MAX)
		return;
	memset(w->v, 0, w->seen.n * sizeof(*w->v));
	for (int side = 0; side < 2; side++)
		for (uint32_t i = 0; i < n; i++)
			w->v[w->index[side][i]] |= UINT64_C(1) << (i >> w->frame_bits);
	put_numbers(w, PART_ADDRESS_FRAMES, COLUMN_PLAIN, w->seen.n);
}

static void
put_address_sum(struct block_writer *w, unsigned number, const uint64_t *of_row, uint32_t n)
{
	const uint32_t *client = w->index[CLIENT], *server = w->index[SERVER];

	memset(w->v, 0, w->seen.n * sizeof(*w->v));
	for (uint32_t i = 0; i < n; i++) {
		uint64_t v = of_row == NULL ? 1 : of_row[i];

		w->v[client[i]] = sum_sat(w->v[client[i]], v);
		if (server[i] != client[i])
			w->v[server[i]] = sum_sat(w->v[server[i]], v);
	}
	put_numbers(w, number, COLUMN_PLAIN, w->seen.n);
}

/* So that what is asked most often of a long time, who had most, looks at each address once and not at each
 * row. Of blocks of one tenant that have many rows an address. */
static void
put_address_sums(struct block_writer *w, const struct block_row *row, uint32_t n)
{
	uint64_t *of_row = w->v + BLOCK_ROWS_MAX, total[2] = { 0 };

	if (n <= 1u << w->frame_bits || w->seen.n > n / 2 || row[0].tenant != row[n - 1].tenant)
		return;
	put_address_sum(w, PART_ADDRESS_FLOWS, NULL, n);
	for (uint32_t i = 0; i < n; i++) {
		const struct flow_counters *c = &row[i].f->count;

		ask_ahead(row, i, n, offsetof(struct rec_flow, count));
		of_row[i] = sum_sat(c->packets[CLIENT], c->packets[SERVER]);
		total[0] = sum_sat(total[0], of_row[i]);
	}
	put_address_sum(w, PART_ADDRESS_PACKETS, of_row, n);
	for (uint32_t i = 0; i < n; i++) {
		of_row[i] = sum_sat(row[i].f->count.bytes[CLIENT], row[i].f->count.bytes[SERVER]);
		total[1] = sum_sat(total[1], of_row[i]);
	}
	put_address_sum(w, PART_ADDRESS_BYTES, of_row, n);
	memcpy(w->v, total, sizeof(total));
	put_numbers(w, PART_TOTALS, COLUMN_PLAIN, 2);
}

static void
put_pair(struct block_writer *w, const struct wide_pair *p, const struct block_row *row, uint32_t n)
{
	static const uint8_t none[16];

	distinct_reset(&w->seen, 2 * n);
	for (int side = 0; side < 2; side++) {
		const uint8_t *before = NULL;

		if (is_constant(w, p->offset[side], p->size)) {
			uint32_t only = wide_number(w, (const uint8_t *)row[0].f + p->offset[side], p->size);

			for (uint32_t i = 0; i < n; i++)
				w->index[side][i] = only;
			continue;
		}
		for (uint32_t i = 0; i < n; i++) {
			const uint8_t *value = (const uint8_t *)row[i].f + p->offset[side];

			ask_ahead(row, i, n, p->offset[side]);
			w->index[side][i] = before != NULL && memcmp(before, value, p->size) == 0
						? w->index[side][i - 1]
						: wide_number(w, value, p->size);
			before = value;
		}
	}
	if (w->seen.n == 1 && memcmp(w->values, none, p->size) == 0)
		return;
	put_values(w, p->values, p->size);
	put_indexes(w, p->index[0], w->index[0], n);
	put_indexes(w, p->index[1], w->index[1], n);
	if (p->values == PART_ADDRESSES) {
		put_filter(w, PART_ADDRESS_FILTER, w->seen.n, address_key, w->values);
		put_address_frames(w, n);
		put_address_sums(w, row, n);
	}
}

struct text_key {
	const struct text_ref *text, *wanted;
};

static bool
same_text(const void *ctx, uint32_t number)
{
	const struct text_key *k = ctx;

	return k->text[number].len == k->wanted->len &&
	       memcmp(k->text[number].p, k->wanted->p, k->wanted->len) == 0;
}

static uint32_t
text_number(struct block_writer *w, const struct text_ref *t)
{
	const struct text_key k = { w->text, t };
	uint64_t hash = t->len == 0 ? w->seed : hash_bytes(t->p, t->len, w->seed);
	uint64_t *slot = distinct_find(&w->seen, hash, same_text, &k);

	if (*slot != 0)
		return (uint32_t)*slot - 1;
	w->text[w->seen.n] = *t;
	return distinct_add(&w->seen, slot, hash);
}

static struct text_ref
text_of(const struct block_row *r, unsigned part)
{
	switch (part) {
	case PART_NAME:
		return (struct text_ref){ r->texts.server_name, r->f->server_name_len };
	case PART_INFO:
		return (struct text_ref){ r->texts.info, r->f->info_len };
	default:
		return (struct text_ref){ r->texts.attributes, r->f->attributes_len };
	}
}

static size_t
length_at(unsigned part)
{
	switch (part) {
	case PART_NAME:
		return offsetof(struct rec_flow, server_name_len);
	case PART_INFO:
		return offsetof(struct rec_flow, info_len);
	default:
		return offsetof(struct rec_flow, attributes_len);
	}
}

/* part is the index; lengths and bytes follow it. */
static void
put_texts(struct block_writer *w, unsigned part, const struct block_row *row, uint32_t n)
{
	if (is_constant(w, length_at(part), sizeof(uint16_t)) && text_of(&row[0], part).len == 0)
		return;
	distinct_reset(&w->seen, n);
	for (uint32_t i = 0; i < n; i++) {
		struct text_ref t = text_of(&row[i], part);

		w->index[0][i] = text_number(w, &t);
	}
	put_indexes(w, part, w->index[0], n);

	size_t total = 0;

	for (uint32_t i = 0; i < w->seen.n; i++)
		total += w->v[i] = w->text[i].len;
	put_numbers(w, part + 1, COLUMN_PLAIN, w->seen.n);

	struct wcur at = wcur_of(bytes_room(&w->text_bytes, total), total);
	uint8_t *start = at.p;
	size_t sizes[FRAMES_MAX] = { 0 };

	for (uint32_t i = 0; i < w->seen.n; i++) {
		wcur_put(&at, w->text[i].p, w->text[i].len);
		sizes[i >> w->frame_bits] += w->text[i].len;
	}
	if (w->seen.n <= 1u << w->frame_bits)
		put_bytes(w, part + 2, start, total, true);
	else
		put_framed(w, part + 2, start, sizes, w->seen.n);
}

/* --- what is in it
 * -----------------------------------------------------------------------------------------------------------
 */

static uint64_t
key_itself(const void *ctx, size_t i)
{
	const uint64_t *key = ctx;

	return key[i];
}

static uint64_t
number_key(const void *ctx, size_t i)
{
	const uint64_t *v = ctx;

	return filter_key_of_number(v[i]);
}

/* The numbers that are marked in bits, into v. */
static uint32_t
marked(const uint64_t bits[static 1024], uint64_t *v)
{
	uint32_t n = 0;

	for (uint64_t word = 0; word < 1024; word++)
		for (uint64_t left = bits[word]; left != 0; left &= left - 1)
			v[n++] = word * 64 + (unsigned)__builtin_ctzll(left);
	return n;
}

static void
put_what_occurs(struct block_writer *w, const struct block_row *row, uint32_t n)
{
	static_assert(sizeof(uint64_t[1024]) == PORTS_SIZE, "a bit for each port");
	uint64_t port[1024] = { 0 }, application[1024] = { 0 }, *id = w->v + BLOCK_ROWS_MAX;

	for (uint32_t i = 0; i < n; i++) {
		const struct rec_flow *f = row[i].f;

		ask_ahead(row, i, n, offsetof(struct rec_flow, id));
		ask_ahead(row, i, n, offsetof(struct rec_flow, port));
		ask_ahead(row, i, n, offsetof(struct rec_flow, application));
		port[f->port[CLIENT] / 64] |= UINT64_C(1) << f->port[CLIENT] % 64;
		port[f->port[SERVER] / 64] |= UINT64_C(1) << f->port[SERVER] % 64;
		application[f->application / 64] |= UINT64_C(1) << f->application % 64;
		id[i] = filter_key_of_id(big_endian_64(f->id.b), big_endian_64(f->id.b + 8));
	}

	uint32_t ports = marked(port, w->v);

	if (bloom_size(ports) < PORTS_SIZE)
		put_filter(w, PART_PORT_FILTER, ports, number_key, w->v);
	else
		put_bytes(w, PART_PORTS, port, sizeof(port), false);
	put_filter(w, PART_ID_FILTER, n, key_itself, id);

	uint32_t applications = marked(application, w->v);

	put_numbers(w, PART_APPLICATIONS, COLUMN_DELTA, applications);
}

/* --- the block
 * -------------------------------------------------------------------------------------------------------------
 */

static void
begin(struct block_writer *w, uint32_t n)
{
	w->frame_bits = w->frames;
	while (2 * n > FRAMES_MAX << w->frame_bits) /* two addresses a row */
		w->frame_bits++;
	w->body.len = 0;
	w->described = 0;
	(void)bytes_room(&w->head, BLOCK_HEAD);
	w->head.len = BLOCK_HEAD;
}

static const uint8_t *
end(struct block_writer *w, const struct block_row *row, uint32_t n, size_t *len)
{
	struct wcur c = wcur_of(w->head.p, BLOCK_HEAD);
	int64_t least, most;

	block_rows_ends(row, n, &least, &most);
	wcur_be32(&c, n);
	wcur_be64(&c, (uint64_t)least);
	wcur_be64(&c, (uint64_t)most);
	wcur_u8(&c, (uint8_t)w->frame_bits);
	wcur_u8(&c, (uint8_t)w->described);
	w->out.len = 0;
	*len = BLOCK_FRONT + w->head.len + w->body.len;
	c = wcur_of(bytes_room(&w->out, *len), *len);
	wcur_be32(&c, BLOCK_MAGIC);
	wcur_be32(&c, (uint32_t)w->head.len);
	wcur_be64(&c, hash_bytes(w->head.p, w->head.len, BLOCK_MAGIC));
	wcur_put(&c, w->head.p, w->head.len);
	wcur_put(&c, w->body.p, w->body.len);
	return w->out.p;
}

const uint8_t *
block_encode(struct block_writer *w, const struct block_row *row, uint32_t n, size_t *len)
{
	begin(w, n);
	note_differences(w, row, n);
	/* Columns that most questions look at stand first. */
	put_what_occurs(w, row, n);
	put_tenants(w, row, n);
	put_fields(w, row, n);
	for (size_t i = 0; i < ARRAY_LEN(wide_pairs); i++)
		put_pair(w, &wide_pairs[i], row, n);
	put_texts(w, PART_NAME, row, n);
	put_texts(w, PART_INFO, row, n);
	put_texts(w, PART_ATTRIBUTES, row, n);
	return end(w, row, n, len);
}
