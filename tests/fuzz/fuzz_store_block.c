/* Blocks as a damaged disk could hold them, with checks that hold by chance: what can be read is written
 * again, and is then the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "columns.h"
#include "flow_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *d, size_t n);

#define ROWS_MOST 512u /* more tells nothing new */

static struct block_reader *reader;
static struct block_writer *writer;
static struct kept_flow kept[ROWS_MOST], again[ROWS_MOST];
static struct kept_flow *out[ROWS_MOST], *out_again[ROWS_MOST];
static uint32_t row[ROWS_MOST], tenant[COLUMN_MAX];
static uint64_t v[COLUMN_MAX];

static void
start(void)
{
	reader = block_reader_new();
	writer = block_writer_new();
	block_writer_frames(writer, FRAME_BITS_LEAST);
	for (uint32_t i = 0; i < ROWS_MOST; i++) {
		row[i] = i;
		out[i] = &kept[i];
		out_again[i] = &again[i];
	}
}

/* What a reader of questions does with any block. */
static void
look(const struct block *b)
{
	static uint8_t wanted[COLUMN_MAX];
	const struct block_want f = { .has_ip = true,
				      .has_application = true,
				      .has_point = true,
				      .has_port = true,
				      .application = 5,
				      .port = 443 };
	const struct flow_id id = { { 1 } };
	uint32_t from, to;

	static struct bytes values;
	static struct columns *columns;
	uint64_t frames = 0x5555, code;
	struct column_names names;
	struct column_pair pair;
	bool damaged;

	if (columns == NULL)
		columns = columns_new(reader);
	for (size_t i = 0; i < flow_column_count; i++, frames = frames << 3 | frames >> 61)
		(void)block_numbers_of(reader, b, flow_columns[i].number, &frames, v);
	(void)block_find_address(reader, b, &f.ip, &code, &frames, &damaged);
	(void)block_sums(reader, b, PART_TOTALS, 2, v);
	for (uint32_t k = block_values(reader, b, &wide_pairs[0], &values); k > 0 && k <= COLUMN_MAX; k = 0)
		for (unsigned i = PART_ADDRESS_FLOWS; i <= PART_ADDRESS_BYTES; i++)
			(void)block_sums(reader, b, i, k, v);
	/* As a question goes: some frames, then others, then all. */
	columns_begin(columns, b);
	for (int i = 0; i < 3; i++) {
		columns_focus(columns, i == 2 ? FRAMES_ALL : frames << i);
		for (unsigned k = 0; k < PAIRS; k++)
			(void)columns_pair(columns, k, &pair);
		if (columns_names(columns, &names))
			for (to = 0; block_next_rows(b, columns_focused(columns), &from, &to);)
				for (uint32_t k = from; k < to; k++)
					assert(names.code[k] < names.n);
	}
	(void)block_may_match(b, &f);
	(void)block_may_hold_id(b, &id);
	memset(wanted, 1, b->rows);
	(void)block_match(reader, b, &f, wanted);
	if (block_rows_of(reader, b, 1, &from, &to))
		assert(from <= to && to <= b->rows);
}

/* Of few rows only the frames are unpacked that have what they need: what that finds is what all of it says.
 * whole: kept[] has all rows. */
static void
fetch_few(const struct block *b, bool whole)
{
	const uint32_t few[2] = { b->rows / 2, b->rows - 1 };
	void *texts;

	if (!block_fetch(reader, b, few, ARRAY_LEN(few), out_again, &texts))
		return;
	for (size_t i = 0; whole && i < ARRAY_LEN(few); i++) {
		const struct kept_flow *k = &kept[few[i]];

		assert(memcmp(&k->f, &again[i].f, sizeof(k->f)) == 0);
		assert(memcmp(k->texts.server_name, again[i].texts.server_name, k->f.server_name_len) == 0);
		assert(memcmp(k->texts.attributes, again[i].texts.attributes, k->f.attributes_len) == 0);
	}
	free(texts);
}

static uint32_t
check_of(const struct block *b, size_t at, size_t len)
{
	return (uint32_t)hash_bytes(b->body + at, len, 0);
}

/* Of the frames of a column, in its table: the check is what an entry ends with, if it has one. */
static void
mend_frames(const struct block *b, struct column *c)
{
	size_t table = c->at + c->len - c->table;
	struct column_frames f;
	struct column frame;

	c->check = check_of(b, table, c->table);
	if (!column_frames_begin(&f, c, b->body))
		abort();
	while (column_frames_next(&f, &frame))
		if (frame.coding != COLUMN_CONSTANT) {
			struct wcur w = wcur_of((uint8_t *)(uintptr_t)f.table.p - 4, 4);

			wcur_be32(&w, check_of(b, frame.at, frame.len));
		}
	c->check = check_of(b, table, c->table);
}

/* Checks are made good, so that what lies behind them is reached: of the columns, and of the head. */
static void
mend_columns(struct block *b)
{
	for (unsigned i = 0; i < b->ncolumns; i++)
		if (column_is_framed(&b->column[i]))
			mend_frames(b, &b->column[i]);
		else
			b->column[i].check = check_of(b, b->column[i].at, b->column[i].len);
}

static uint8_t *
mended(const uint8_t *d, size_t n)
{
	uint8_t *bytes = mem_calloc(n + 1, 1);
	struct wcur c = wcur_of(bytes, BLOCK_FRONT);
	uint32_t magic = n > 3 && d[3] == (BLOCK_MAGIC_1 & 0xff) ? BLOCK_MAGIC_1 : BLOCK_MAGIC;
	uint32_t head =
	    n < BLOCK_FRONT ? 0 : (uint32_t)d[4] << 24 | (uint32_t)d[5] << 16 | (uint32_t)d[6] << 8 | d[7];

	memcpy(bytes, d, n);
	if (n < BLOCK_FRONT || head > n - BLOCK_FRONT)
		return bytes;
	wcur_be32(&c, magic);
	wcur_be32(&c, head);
	wcur_be64(&c, hash_bytes(bytes + BLOCK_FRONT, head, magic));
	return bytes;
}

static void
write_again(const struct block *b)
{
	static struct block_row rows[ROWS_MOST];
	static struct block back;
	struct block_about about;
	void *texts;
	size_t len;

	for (uint32_t i = 0; i < b->rows; i++)
		rows[i] = (struct block_row){ &kept[i].f, kept[i].texts, tenant[i], false };

	const uint8_t *bytes = block_encode(writer, rows, b->rows, &len, &about);

	assert(block_open(&back, bytes, len) && back.rows == b->rows);
	assert(block_fetch(reader, &back, row, b->rows, out_again, &texts));
	for (uint32_t i = 0; i < b->rows; i++) {
		assert(memcmp(&kept[i].f, &again[i].f, sizeof(kept[i].f)) == 0);
		assert(memcmp(kept[i].texts.info, again[i].texts.info, kept[i].f.info_len) == 0);
	}
	free(texts);
}

/* As a merge takes them: what could be joined can be read. */
static void
join(const struct block *b)
{
	static struct flow_table *table;
	static struct block back;
	struct block_about about;
	uint32_t from, to;
	void *texts;
	size_t len;

	if (table == NULL)
		table = flow_table_new();
	flow_table_reset(table);
	if (!block_rows_of(reader, b, tenant[0], &from, &to) || from == to ||
	    !flow_table_join(table, reader, b, row + from, to - from, tenant[0]) ||
	    !flow_table_join(table, reader, b, row + from, 1, tenant[0]))
		return;
	flow_table_sort(table);

	const uint8_t *bytes = block_encode_table(writer, table, 0, to - from, &len, &about);

	assert(block_open(&back, bytes, len) && back.rows == to - from && about.tenants == 1);
	assert(block_fetch(reader, &back, row, back.rows, out_again, &texts));
	free(texts);
}

int
LLVMFuzzerTestOneInput(const uint8_t *d, size_t n)
{
	static struct block b;
	void *texts;

	if (reader == NULL)
		start();

	uint8_t *bytes = mended(d, n);

	if (block_open(&b, bytes, n)) {
		mend_columns(&b);
		look(&b);
		fetch_few(&b, false);
		if (b.rows <= ROWS_MOST && block_tenants(reader, &b, tenant))
			join(&b);
		if (b.rows <= ROWS_MOST && block_tenants(reader, &b, tenant) &&
		    block_numbers(reader, &b, COLUMN_LAST, v) &&
		    block_fetch(reader, &b, row, b.rows, out, &texts)) {
			fetch_few(&b, true);
			write_again(&b);
			free(texts);
		}
	}
	free(bytes);
	return 0;
}
