/* Rows into columns: see block.h and block_layout.h. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "block.h"
#include "bloom.h"
#include "flow_table.h"
#include "sum.h"

struct block_writer {
	struct column_work work;
	struct bytes body, head, out;
	uint64_t *v; /* 2 * BLOCK_ROWS_MAX */
	uint32_t *index[2];
	/* Values and strings of the table that occur in the block. */
	uint32_t *numbers; /* by their number there: the one here + 1; 2 * BLOCK_ROWS_MAX */
	uint32_t *occurs;  /* the other way round */
	uint32_t noccur;
	uint8_t *values;         /* of a pair: 16 * 2 * BLOCK_ROWS_MAX */
	struct bytes text_bytes; /* of one kind of strings */
	unsigned described;
	unsigned frames, frame_bits; /* that are asked for, and of this block */
	struct flow_table *own;      /* of rows that came as such */
	/* What is encoded: rows from `from` on of a table, in its order. */
	const struct flow_table *table;
	uint32_t from, n;
};

struct block_writer *
block_writer_new(void)
{
	struct block_writer *w = mem_calloc(1, sizeof(*w));

	column_work_init(&w->work);
	w->v = mem_calloc(2 * BLOCK_ROWS_MAX, sizeof(*w->v));
	for (int i = 0; i < 2; i++)
		w->index[i] = mem_calloc(BLOCK_ROWS_MAX, sizeof(*w->index[i]));
	w->numbers = mem_calloc(2 * BLOCK_ROWS_MAX, sizeof(*w->numbers));
	w->occurs = mem_calloc(2 * BLOCK_ROWS_MAX, sizeof(*w->occurs));
	w->values = mem_calloc((size_t)2 * BLOCK_ROWS_MAX, 16);
	w->own = flow_table_new();
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
	free(w->numbers);
	free(w->occurs);
	free(w->values);
	flow_table_free(&w->own);
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

static inline uint32_t
row_at(const struct block_writer *w, uint32_t i)
{
	return w->table->sorted ? w->table->order[w->from + i] : w->from + i;
}

/* The block's rows of a column into v. */
static void
take_column(const struct block_writer *w, unsigned number, uint64_t *v)
{
	const struct table_column *c = &w->table->column[number];

	if (!c->varies)
		for (uint32_t i = 0; i < w->n; i++)
			v[i] = c->only;
	else if (!w->table->sorted)
		memcpy(v, c->v + w->from, w->n * sizeof(*v));
	else
		for (uint32_t i = 0; i < w->n; i++)
			v[i] = c->v[w->table->order[w->from + i]];
}

static void
put_fields(struct block_writer *w)
{
	for (size_t i = 0; i < flow_column_count; i++) {
		const struct flow_column *c = &flow_columns[i];
		const struct table_column *t = &w->table->column[c->number];

		if (!t->varies && (c->order != COLUMN_SIGNED || t->only == 0)) {
			w->v[0] = t->only;
			put_constant(w, c->number, c->order, w->n);
			continue;
		}
		take_column(w, c->number, w->v);
		put_numbers(w, c->number, c->order, w->n);
	}
}

static void
put_tenants(struct block_writer *w)
{
	uint32_t runs = 0, before = 0;

	take_column(w, PART_SECONDARY, w->v);
	put_numbers(w, PART_SECONDARY, COLUMN_PLAIN, w->n);
	for (uint32_t i = 0; i < w->n; i++) {
		uint32_t tenant = w->table->tenant[row_at(w, i)];

		if (i == 0 || tenant != before) {
			w->v[runs] = tenant;
			w->index[0][runs++] = i;
		}
		before = tenant;
	}
	put_numbers(w, PART_TENANTS, COLUMN_PLAIN, runs);
	for (uint32_t i = 0; i < runs; i++)
		w->v[i] = (i + 1 < runs ? w->index[0][i + 1] : w->n) - w->index[0][i];
	put_numbers(w, PART_TENANT_ROWS, COLUMN_PLAIN, runs);
}

/* --- values that occur again and again
 * -------------------------------------------------------------------------------------- */

/* Of `all` values or strings of the table, those that occur are numbered as they come. */
static void
number_anew(struct block_writer *w, uint32_t all)
{
	memset(w->numbers, 0, all * sizeof(*w->numbers));
	w->noccur = 0;
}

static void
take_index(struct block_writer *w, const uint32_t *of_row, uint32_t *index)
{
	for (uint32_t i = 0; i < w->n; i++) {
		uint32_t number = of_row[row_at(w, i)];

		if (w->numbers[number] == 0) {
			w->occurs[w->noccur++] = number;
			w->numbers[number] = w->noccur;
		}
		index[i] = w->numbers[number] - 1;
	}
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
	uint32_t n = w->noccur, most = 1u << w->frame_bits;
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
put_address_frames(struct block_writer *w)
{
	if (w->n <= 1u << w->frame_bits || w->noccur > COLUMN_MAX)
		return;
	memset(w->v, 0, w->noccur * sizeof(*w->v));
	for (int side = 0; side < 2; side++)
		for (uint32_t i = 0; i < w->n; i++)
			w->v[w->index[side][i]] |= UINT64_C(1) << (i >> w->frame_bits);
	put_numbers(w, PART_ADDRESS_FRAMES, COLUMN_PLAIN, w->noccur);
}

static void
put_address_sum(struct block_writer *w, unsigned number, const uint64_t *of_row)
{
	const uint32_t *client = w->index[CLIENT], *server = w->index[SERVER];

	memset(w->v, 0, w->noccur * sizeof(*w->v));
	for (uint32_t i = 0; i < w->n; i++) {
		uint64_t v = of_row == NULL ? 1 : of_row[i];

		w->v[client[i]] = sum_sat(w->v[client[i]], v);
		if (server[i] != client[i])
			w->v[server[i]] = sum_sat(w->v[server[i]], v);
	}
	put_numbers(w, number, COLUMN_PLAIN, w->noccur);
}

/* What both ends of each row count into of_row; returns the sum. Uses w->v. */
static uint64_t
take_both(struct block_writer *w, unsigned client, unsigned server, uint64_t *of_row)
{
	uint64_t total = 0;

	take_column(w, client, of_row);
	take_column(w, server, w->v);
	for (uint32_t i = 0; i < w->n; i++) {
		of_row[i] = sum_sat(of_row[i], w->v[i]);
		total = sum_sat(total, of_row[i]);
	}
	return total;
}

/* So that what is asked most often of a long time, who had most, looks at each address once and not at each
 * row. Of blocks of one tenant that have many rows an address. */
static void
put_address_sums(struct block_writer *w)
{
	const uint32_t *tenant = w->table->tenant;
	uint64_t *of_row = w->v + BLOCK_ROWS_MAX, total[2];

	if (w->n <= 1u << w->frame_bits || w->noccur > w->n / 2 ||
	    tenant[row_at(w, 0)] != tenant[row_at(w, w->n - 1)])
		return;
	put_address_sum(w, PART_ADDRESS_FLOWS, NULL);
	total[0] = take_both(w, COLUMN_PACKETS_CLIENT, COLUMN_PACKETS_SERVER, of_row);
	put_address_sum(w, PART_ADDRESS_PACKETS, of_row);
	total[1] = take_both(w, COLUMN_BYTES_CLIENT, COLUMN_BYTES_SERVER, of_row);
	put_address_sum(w, PART_ADDRESS_BYTES, of_row);
	memcpy(w->v, total, sizeof(total));
	put_numbers(w, PART_TOTALS, COLUMN_PLAIN, 2);
}

static void
put_pair(struct block_writer *w, const struct table_pair *t)
{
	static const uint8_t none[16];
	const struct wide_pair *p = t->p;

	number_anew(w, t->seen.n);
	for (int side = 0; side < 2; side++)
		take_index(w, t->index[side], w->index[side]);
	for (uint32_t i = 0; i < w->noccur; i++)
		memcpy(w->values + i * p->size, t->value.p + w->occurs[i] * p->size, p->size);
	if (w->noccur == 1 && memcmp(w->values, none, p->size) == 0)
		return;
	put_values(w, p->values, p->size);
	put_indexes(w, p->index[0], w->index[0], w->n);
	put_indexes(w, p->index[1], w->index[1], w->n);
	if (p->values == PART_ADDRESSES) {
		put_filter(w, PART_ADDRESS_FILTER, w->noccur, address_key, w->values);
		put_address_frames(w);
		put_address_sums(w);
	}
}

/* t->part is the index; lengths and bytes follow it. */
static void
put_texts(struct block_writer *w, const struct table_texts *t)
{
	size_t sizes[FRAMES_MAX] = { 0 }, total = 0;
	struct wcur at;

	number_anew(w, t->seen.n);
	take_index(w, t->index, w->index[0]);
	if (w->noccur == 1 && table_text_at(t, w->occurs[0])->len == 0)
		return;
	put_indexes(w, t->part, w->index[0], w->n);
	for (uint32_t i = 0; i < w->noccur; i++)
		total += w->v[i] = table_text_at(t, w->occurs[i])->len;
	put_numbers(w, t->part + 1, COLUMN_PLAIN, w->noccur);
	at = wcur_of(bytes_room(&w->text_bytes, total), total);
	for (uint32_t i = 0; i < w->noccur; i++) {
		const struct table_text *text = table_text_at(t, w->occurs[i]);

		wcur_put(&at, t->text.p + text->at, text->len);
		sizes[i >> w->frame_bits] += text->len;
	}
	if (w->noccur <= 1u << w->frame_bits)
		put_bytes(w, t->part + 2, w->text_bytes.p, total, true);
	else
		put_framed(w, t->part + 2, w->text_bytes.p, sizes, w->noccur);
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
mark_column(const struct block_writer *w, unsigned number, uint64_t bits[static 1024])
{
	const struct table_column *c = &w->table->column[number];

	for (uint32_t i = 0; i < w->n; i++) {
		uint64_t v = c->varies ? c->v[row_at(w, i)] : c->only;

		bits[v / 64 % 1024] |= UINT64_C(1) << v % 64;
		if (!c->varies)
			break;
	}
}

static void
put_what_occurs(struct block_writer *w)
{
	static_assert(sizeof(uint64_t[1024]) == PORTS_SIZE, "a bit for each port");
	uint64_t port[1024] = { 0 }, application[1024] = { 0 }, *id = w->v + BLOCK_ROWS_MAX;

	mark_column(w, COLUMN_PORT_CLIENT, port);
	mark_column(w, COLUMN_PORT_SERVER, port);
	mark_column(w, COLUMN_APPLICATION, application);
	take_column(w, COLUMN_ID_HIGH, w->v);
	take_column(w, COLUMN_ID_LOW, id);
	for (uint32_t i = 0; i < w->n; i++)
		id[i] = filter_key_of_id(w->v[i], id[i]);

	uint32_t ports = marked(port, w->v);

	if (bloom_size(ports) < PORTS_SIZE)
		put_filter(w, PART_PORT_FILTER, ports, number_key, w->v);
	else
		put_bytes(w, PART_PORTS, port, sizeof(port), false);
	put_filter(w, PART_ID_FILTER, w->n, key_itself, id);

	uint32_t applications = marked(application, w->v);

	put_numbers(w, PART_APPLICATIONS, COLUMN_DELTA, applications);
}

/* --- the block
 * -------------------------------------------------------------------------------------------------------------
 */

static void
begin(struct block_writer *w)
{
	w->frame_bits = w->frames;
	while (2 * w->n > FRAMES_MAX << w->frame_bits) /* two addresses a row */
		w->frame_bits++;
	w->body.len = 0;
	w->described = 0;
	(void)bytes_room(&w->head, BLOCK_HEAD);
	w->head.len = BLOCK_HEAD;
}

static void
look_over(const struct block_writer *w, struct block_about *about)
{
	const struct table_column *c = &w->table->column[COLUMN_LAST];
	uint32_t before = w->table->tenant[row_at(w, 0)];

	*about = (struct block_about){ .rows = w->n,
				       .tenant = before,
				       .tenants = 1,
				       .least_last_ns = INT64_MAX,
				       .most_last_ns = INT64_MIN };
	for (uint32_t i = 0; i < w->n; i++) {
		uint32_t row = row_at(w, i), tenant = w->table->tenant[row];
		int64_t last = (int64_t)(c->varies ? c->v[row] : c->only);

		about->least_last_ns = last < about->least_last_ns ? last : about->least_last_ns;
		about->most_last_ns = last > about->most_last_ns ? last : about->most_last_ns;
		about->tenants += tenant != before;
		before = tenant;
	}
}

static const uint8_t *
end(struct block_writer *w, const struct block_about *about, size_t *len)
{
	struct wcur c = wcur_of(w->head.p, BLOCK_HEAD);

	wcur_be32(&c, w->n);
	wcur_be64(&c, (uint64_t)about->least_last_ns);
	wcur_be64(&c, (uint64_t)about->most_last_ns);
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
block_encode_table(struct block_writer *w, const struct flow_table *t, uint32_t from, uint32_t n, size_t *len,
		   struct block_about *about)
{
	w->table = t;
	w->from = from;
	w->n = n;
	begin(w);
	/* Columns that most questions look at stand first. */
	put_what_occurs(w);
	put_tenants(w);
	put_fields(w);
	for (unsigned i = 0; i < TABLE_PAIRS; i++)
		put_pair(w, &t->pair[i]);
	for (unsigned i = 0; i < TABLE_TEXTS; i++)
		put_texts(w, &t->texts[i]);
	look_over(w, about);
	return end(w, about, len);
}

const uint8_t *
block_encode(struct block_writer *w, const struct block_row *row, uint32_t n, size_t *len,
	     struct block_about *about)
{
	flow_table_take(w->own, row, n);
	return block_encode_table(w, w->own, 0, n, len, about);
}
