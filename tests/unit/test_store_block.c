/* Blocks of flows: what goes in comes out, whatever it is; what is skipped holds nothing that was wanted; and
 * damage is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/mem.h"
#include "block.h"
#include "flow_table.h"
#include "sum.h"

static uint64_t state_of_dice = 1;

/* The same in every run. */
static uint64_t
dice(void)
{
	state_of_dice += UINT64_C(0x9e3779b97f4a7c15);
	return hash_mix(state_of_dice, UINT64_C(0xd6e8feb86659fd93));
}

enum flavour { PLAIN_FLOWS, RANDOM_FLOWS, EXTREME_FLOWS, FLAVOURS };

struct stock {
	struct rec_flow *f;
	char (*text)[FLOW_TEXT_MAX];
	struct block_row *row;
	uint32_t n;
};

/* Texts, and lengths, of a flow: attributes are a sane list or none. */
static void
give_texts(struct rec_flow *f, char *text, enum flavour flavour)
{
	static const char names[] = "www.example.net";
	static const uint8_t attributes[9] = { 1, 7, 'T', 'L', 'S', 'v', '1', '.', '3' };
	char *at = text;

	f->server_name_len = (uint16_t)(flavour == EXTREME_FLOWS ? SERVER_NAME_MAX : dice() % sizeof(names));
	f->info_len = (uint16_t)(flavour == EXTREME_FLOWS ? INFO_MAX : dice() % 3);
	f->attributes_len = dice() % 2 == 0 ? 0 : 9;
	for (unsigned i = 0; i < f->server_name_len; i++)
		*at++ = flavour == EXTREME_FLOWS ? (char)dice() : names[i];
	for (unsigned i = 0; i < f->info_len; i++)
		*at++ = (char)dice();
	if (f->attributes_len > 0)
		memcpy(at, attributes, sizeof(attributes));
}

static void
give_fields(struct rec_flow *f, uint32_t i, enum flavour flavour)
{
	uint8_t *b = (uint8_t *)f;

	for (size_t k = 0; flavour != PLAIN_FLOWS && k < sizeof(*f); k++)
		b[k] = (uint8_t)(flavour == RANDOM_FLOWS ? dice() : dice() % 2 ? 0xff : 0);
	if (flavour == PLAIN_FLOWS) {
		*f = (struct rec_flow){ .protocol = 6, .point = 3, .port = { 40000, 443 } };
		f->id.b[15] = (uint8_t)i;
		f->id.b[14] = (uint8_t)(i >> 8);
		f->ip[CLIENT].b[15] = (uint8_t)(i % 7);
		f->count.bytes[0] = f->count.payload[0] = 100 + i % 5;
	}
	f->last_ns = flavour == PLAIN_FLOWS    ? INT64_C(1700000000000000000) + (int64_t)i * 1000
		     : flavour == RANDOM_FLOWS ? (int64_t)(dice() >> 1)
		     : i % 2                   ? INT64_MAX
					       : 0;
	f->slice_ns = f->last_ns - (int64_t)(dice() % ((uint64_t)f->last_ns / 2 + 1));
	f->first_ns = f->slice_ns - (int64_t)(dice() % ((uint64_t)f->slice_ns / 2 + 1));
	/* What is no field of a kept flow. */
	f->slot = f->generation = 0;
	f->reserved1 = 0;
	f->tcp.reserved = 0;
	memset(f->reserved2, 0, sizeof(f->reserved2));
}

static struct block_about about;

/* Rows as they stand in a block. */
static int
compare(const void *a, const void *b)
{
	const struct block_row *x = a, *y = b;

	if (x->tenant != y->tenant)
		return x->tenant < y->tenant ? -1 : 1;
	if (x->f->last_ns != y->f->last_ns)
		return x->f->last_ns < y->f->last_ns ? -1 : 1;

	int id = memcmp(&x->f->id, &y->f->id, sizeof(x->f->id));

	return id != 0 ? id : x->f->slice < y->f->slice ? -1 : x->f->slice > y->f->slice;
}

static struct stock
stock_of(uint32_t n, enum flavour flavour)
{
	struct stock s = { mem_calloc(n, sizeof(*s.f)), mem_calloc(n, sizeof(*s.text)),
			   mem_calloc(n, sizeof(*s.row)), n };

	for (uint32_t i = 0; i < n; i++) {
		give_fields(&s.f[i], i, flavour);
		give_texts(&s.f[i], s.text[i], flavour);
		s.row[i] =
		    (struct block_row){ &s.f[i], flow_texts_of(&s.f[i], s.text[i]),
					flavour == PLAIN_FLOWS ? (uint32_t)(dice() % 3) : (uint32_t)dice(),
					dice() % 8 == 0 };
	}
	qsort(s.row, n, sizeof(*s.row), compare);
	return s;
}

static void
stock_free(struct stock *s)
{
	free(s->f);
	free(s->text);
	free(s->row);
}

static void
assert_same(const struct stock *s, const uint8_t *bytes, size_t len)
{
	struct block_reader *r = block_reader_new();
	struct block *b = mem_calloc(1, sizeof(*b));
	struct kept_flow *k = mem_calloc(s->n, sizeof(*k)),
			 **out = mem_calloc(s->n, sizeof(struct kept_flow *));
	uint32_t *row = mem_calloc(s->n, sizeof(*row)), *tenant = mem_calloc(s->n, sizeof(*tenant)), from, to;
	uint64_t *secondary = mem_calloc(s->n, sizeof(*secondary));
	void *texts;

	assert_true(block_open(b, bytes, len));
	assert_int_equal(b->rows, s->n);
	for (uint32_t i = 0; i < s->n; i++) {
		row[i] = i;
		out[i] = &k[i];
	}
	assert_true(block_fetch(r, b, row, s->n, out, &texts));
	assert_true(block_tenants(r, b, tenant));
	assert_true(block_numbers(r, b, PART_SECONDARY, secondary));
	for (uint32_t i = 0; i < s->n; i++) {
		const struct block_row *was = &s->row[i];

		assert_memory_equal(&k[i].f, was->f, sizeof(*was->f));
		assert_int_equal(tenant[i], was->tenant);
		assert_int_equal(secondary[i], was->secondary);
		assert_memory_equal(k[i].texts.server_name, was->texts.server_name, was->f->server_name_len);
		assert_memory_equal(k[i].texts.info, was->texts.info, was->f->info_len);
		assert_memory_equal(k[i].texts.attributes, was->texts.attributes, was->f->attributes_len);
		assert_in_range(was->f->last_ns, b->least_last_ns, b->most_last_ns);
	}
	assert_true(block_rows_of(r, b, s->row[s->n - 1].tenant, &from, &to));
	assert_int_equal(to, s->n);
	assert_true(from < to && s->row[from].tenant == s->row[s->n - 1].tenant);
	free(texts);
	free(secondary);
	free(tenant);
	free(row);
	free(out);
	free(k);
	free(b);
	block_reader_free(&r);
}

static void
what_goes_in_comes_out(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 3, 17, 63, 64, 65, 1000, 5000 };
	struct block_writer *w = block_writer_new();
	size_t len;

	(void)state;
	for (enum flavour flavour = 0; flavour < FLAVOURS; flavour++)
		for (size_t i = 0; i < 2 * ARRAY_LEN(sizes); i++) {
			struct stock s = stock_of(sizes[i / 2], flavour);
			const uint8_t *bytes;

			block_writer_frames(w, i % 2 ? FRAME_BITS : FRAME_BITS_LEAST);
			bytes = block_encode(w, s.row, s.n, &len, &about);
			assert_same(&s, bytes, len);
			stock_free(&s);
		}
	block_writer_free(&w);
}

/* Few rows of many: of what is in frames, only theirs are unpacked. */
static void
some_rows_are_those_rows(void **state)
{
	struct block_writer *w = block_writer_new();
	struct block_reader *r = block_reader_new();
	struct block b;
	struct kept_flow k[8], *out[8];
	uint32_t row[8];
	void *texts;
	size_t len;

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct stock s = stock_of(1 + (uint32_t)(dice() % 3000), (enum flavour)(round % FLAVOURS));
		uint32_t n = 1 + (uint32_t)(dice() % 8);

		block_writer_frames(w, FRAME_BITS_LEAST + (unsigned)(dice() % 3));
		const uint8_t *bytes = block_encode(w, s.row, s.n, &len, &about);

		assert_true(block_open(&b, bytes, len));
		for (uint32_t i = 0; i < n; i++) {
			row[i] = (uint32_t)(dice() % s.n);
			out[i] = &k[i];
		}
		assert_true(block_fetch(r, &b, row, n, out, &texts));
		for (uint32_t i = 0; i < n; i++) {
			const struct block_row *was = &s.row[row[i]];

			assert_memory_equal(&k[i].f, was->f, sizeof(*was->f));
			assert_memory_equal(k[i].texts.server_name, was->texts.server_name,
					    was->f->server_name_len);
			assert_memory_equal(k[i].texts.info, was->texts.info, was->f->info_len);
			assert_memory_equal(k[i].texts.attributes, was->texts.attributes,
					    was->f->attributes_len);
		}
		free(texts);
		stock_free(&s);
	}
	block_reader_free(&r);
	block_writer_free(&w);
}

/* Numbers of some frames are those of all, whatever was asked for before. */
static void
some_frames_are_those_frames(void **state)
{
	static uint64_t all[3000], some[3000];
	struct block_writer *w = block_writer_new();
	struct block_reader *r = block_reader_new();
	struct block b;
	size_t len;

	(void)state;
	for (int round = 0; round < 30; round++) {
		struct stock s = stock_of(1 + (uint32_t)(dice() % 3000), (enum flavour)(round % FLAVOURS));

		block_writer_frames(w, FRAME_BITS_LEAST + (unsigned)(dice() % 3));
		const uint8_t *bytes = block_encode(w, s.row, s.n, &len, &about);

		assert_true(block_open(&b, bytes, len));
		for (size_t i = 0; i < flow_column_count; i++) {
			uint64_t frames = 0, least, most;

			assert_true(block_numbers(r, &b, flow_columns[i].number, all));
			for (int k = 0; k < 3; k++) {
				uint64_t half = dice(), asked = half & dice();

				frames |= asked;
				assert_true(block_numbers_of(r, &b, flow_columns[i].number, &asked, some));
			}
			for (uint32_t from, to = 0; block_next_rows(&b, frames, &from, &to);)
				assert_memory_equal(all + from, some + from, (to - from) * sizeof(all[0]));
			block_range(&b, flow_columns[i].number, &least, &most);
			for (uint32_t k = 0; k < s.n; k++)
				assert_true(least <= all[k] && all[k] <= most);
		}
		stock_free(&s);
	}
	block_reader_free(&r);
	block_writer_free(&w);
}

/* An address of a block: in which frames it is; and of blocks of one tenant, what its rows sum up to. */
static void
addresses_are_known_without_their_rows(void **state)
{
	static uint64_t sums[3][COLUMN_MAX], total[2];
	struct block_writer *w = block_writer_new();
	struct block_reader *r = block_reader_new();
	struct bytes values = { 0 };
	unsigned summed = 0;
	struct block b;
	size_t len;

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct stock s = stock_of(1 + (uint32_t)(dice() % 2000), (enum flavour)(round % FLAVOURS));
		uint64_t code, frames, all[2] = { 0 };
		struct ip_addr strange = { { 0x77, 1 } };
		bool damaged;
		uint32_t n;

		for (uint32_t i = 0; round % 4 > 0 && i < s.n; i++)
			s.row[i].tenant = 5;
		block_writer_frames(w, FRAME_BITS_LEAST + (unsigned)(dice() % 3));
		const uint8_t *bytes = block_encode(w, s.row, s.n, &len, &about);

		assert_true(block_open(&b, bytes, len));
		n = block_values(r, &b, &wide_pairs[0], &values);
		assert_true(n > 0);
		assert_false(block_find_address(r, &b, &strange, &code, &frames, &damaged));
		assert_false(damaged);
		for (uint32_t i = 0; i < s.n; i++) {
			const struct rec_flow *f = s.row[i].f;

			for (int side = 0; side < 2; side++) {
				assert_true(
				    block_find_address(r, &b, &f->ip[side], &code, &frames, &damaged));
				assert_memory_equal(values.p + code * 16, &f->ip[side], 16);
				assert_true((frames & block_frame_of(&b, i)) != 0);
			}
			all[0] = sum_sat(all[0], sum_sat(f->count.packets[0], f->count.packets[1]));
			all[1] = sum_sat(all[1], sum_sat(f->count.bytes[0], f->count.bytes[1]));
		}
		if (block_has_sums(&b)) {
			summed++;
			assert_true(block_sums(r, &b, PART_TOTALS, 2, total));
			assert_memory_equal(total, all, sizeof(all));
			for (unsigned k = 0; k < 3; k++)
				assert_true(block_sums(r, &b, PART_ADDRESS_FLOWS + k, n, sums[k]));
		}
		for (uint32_t k = 0; k < n && block_has_sums(&b); k++) {
			uint64_t sum[3] = { 0 };

			for (uint32_t i = 0; i < s.n; i++) {
				const struct rec_flow *f = s.row[i].f;

				if (memcmp(&f->ip[0], values.p + (size_t)k * 16, 16) != 0 &&
				    memcmp(&f->ip[1], values.p + (size_t)k * 16, 16) != 0)
					continue;
				sum[0]++;
				sum[1] = sum_sat(sum[1], sum_sat(f->count.packets[0], f->count.packets[1]));
				sum[2] = sum_sat(sum[2], sum_sat(f->count.bytes[0], f->count.bytes[1]));
			}
			for (unsigned m = 0; m < 3; m++)
				assert_int_equal(sums[m][k], sum[m]);
		}
		stock_free(&s);
	}
	assert_true(summed > 5);
	bytes_free(&values);
	block_reader_free(&r);
	block_writer_free(&w);
}

/* Blocks that the Weir before frames wrote, of the flows that this dice throws. */
static void
the_first_format_is_read(void **state)
{
	static const struct {
		const char *name;
		uint32_t n;
		enum flavour flavour;
	} kept[] = { { "format1_extreme", 12, EXTREME_FLOWS }, { "format1_plain", 700, PLAIN_FLOWS } };
	static uint8_t bytes[32768];
	uint64_t dice_before = state_of_dice;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		char path[512];
		struct stock s;
		size_t len;
		FILE *f;

		snprintf(path, sizeof(path), WEIR_BLOCKS "/%s", kept[i].name);
		f = fopen(path, "r");
		assert_non_null(f);
		len = fread(bytes, 1, sizeof(bytes), f);
		fclose(f);
		state_of_dice = 7;
		s = stock_of(kept[i].n, kept[i].flavour);
		assert_same(&s, bytes, len);
		stock_free(&s);
	}
	state_of_dice = dice_before;
}

static void
a_full_block_is_small(void **state)
{
	struct block_writer *w = block_writer_new();
	struct stock s = stock_of(BLOCK_ROWS_MAX, PLAIN_FLOWS);
	size_t len;
	const uint8_t *bytes = block_encode(w, s.row, s.n, &len, &about);

	(void)state;
	assert_same(&s, bytes, len);
	/* Of what is random in them (two times, a few bits), and three bytes that say what a block holds. */
	assert_true(len < (size_t)BLOCK_ROWS_MAX * 30);
	stock_free(&s);
	block_writer_free(&w);
}

/* What a filter finds in a block is what looking at each row finds. */
static void
filters_find_what_is_there(void **state)
{
	struct block_writer *w = block_writer_new();
	struct block_reader *r = block_reader_new();
	struct block b;
	uint8_t wanted[1000];
	unsigned skipped = 0;
	size_t len;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct stock s =
		    stock_of(1 + (uint32_t)(dice() % 1000), round % 2 ? PLAIN_FLOWS : RANDOM_FLOWS);
		const struct rec_flow *some = &s.f[dice() % s.n];
		struct block_want f = { .has_ip = dice() % 2,
					.has_application = dice() % 3 == 0,
					.has_point = dice() % 3 == 0,
					.has_port = dice() % 3 == 0,
					.application = some->application,
					.port = some->port[dice() % 2],
					.point = some->point,
					.ip = some->ip[dice() % 2] };
		struct flow_id strange = { { 0xfe, 1, 2, 3 } };
		bool any = false;

		if (dice() % 2 == 0)
			f.ip.b[dice() % 16] ^= 0x55;
		block_writer_frames(w, dice() % 2 ? FRAME_BITS : FRAME_BITS_LEAST);
		const uint8_t *bytes = block_encode(w, s.row, s.n, &len, &about);

		assert_true(block_open(&b, bytes, len));
		memset(wanted, 1, sizeof(wanted));
		assert_true(block_match(r, &b, &f, wanted));
		for (uint32_t i = 0; i < s.n; i++) {
			const struct rec_flow *k = s.row[i].f;
			bool is = (!f.has_ip || memcmp(&k->ip[0], &f.ip, sizeof(f.ip)) == 0 ||
				   memcmp(&k->ip[1], &f.ip, sizeof(f.ip)) == 0) &&
				  (!f.has_application || k->application == f.application) &&
				  (!f.has_point || k->point == f.point) &&
				  (!f.has_port || k->port[0] == f.port || k->port[1] == f.port);

			assert_int_equal(wanted[i], is);
			assert_true(block_may_hold_id(&b, &k->id));
			any |= is;
		}
		assert_true(!any || block_may_match(&b, &f));
		skipped += !block_may_match(&b, &f);
		skipped += !block_may_hold_id(&b, &strange);
		stock_free(&s);
	}
	assert_true(skipped > 150); /* filters are of use */
	block_reader_free(&r);
	block_writer_free(&w);
}

/* Every byte of a block is under a check, or makes no difference. */
static void
damage_is_seen(void **state)
{
	struct block_writer *w = block_writer_new();
	struct block_reader *r = block_reader_new();
	struct stock s = stock_of(300, PLAIN_FLOWS);
	size_t len;

	block_writer_frames(w, FRAME_BITS_LEAST);

	uint8_t *bytes = (uint8_t *)(uintptr_t)block_encode(w, s.row, s.n, &len, &about);
	struct block b;
	struct kept_flow k[300], *out[300];
	uint32_t row[300];
	void *texts;

	(void)state;
	for (uint32_t i = 0; i < 300; i++) {
		row[i] = i;
		out[i] = &k[i];
	}
	for (size_t cut = 0; cut < len; cut += 1 + cut / 50)
		assert_false(block_open(&b, bytes, cut) && block_fetch(r, &b, row, 300, out, &texts));
	for (size_t at = 0; at < len; at++) {
		bytes[at] ^= 1;
		if (block_open(&b, bytes, len) && block_fetch(r, &b, row, 300, out, &texts)) {
			/* In a filter, or in the tenants: those are not asked for here. */
			uint32_t tenant[300];
			bool seen = !block_tenants(r, &b, tenant);

			for (unsigned i = 0; i < b.ncolumns; i++)
				if (b.column[i].coding == COLUMN_RAW &&
				    b.column[i].number >= PART_ADDRESS_FILTER)
					seen |= column_raw(&b.column[i], b.body) == NULL;
				else if (b.column[i].number >= PART_APPLICATIONS ||
					 b.column[i].number == PART_SECONDARY) {
					uint64_t v[300];
					struct column_work work;

					column_work_init(&work);
					seen |= !column_get(&work, &b.column[i], b.body, v);
					column_work_free(&work);
				}
			for (uint32_t i = 0; i < 300; i++)
				assert_memory_equal(&k[i].f, s.row[i].f, sizeof(k[i].f));
			free(texts);
			assert_true(seen);
		}
		bytes[at] ^= 1;
	}
	assert_same(&s, bytes, len);
	stock_free(&s);
	block_reader_free(&r);
	block_writer_free(&w);
}

/* Adds the rows that are chosen of a block to the table. */
static bool
join(struct flow_table *t, const uint8_t *bytes, size_t len, uint32_t tenant, const bool *chosen)
{
	static uint32_t row[COLUMN_MAX];
	struct block_reader *r = block_reader_new();
	struct block b;
	uint32_t from = 0, to = 0, n = 0;
	bool good = block_open(&b, bytes, len) && block_rows_of(r, &b, tenant, &from, &to);

	for (uint32_t i = from; good && i < to; i++)
		if (chosen[i])
			row[n++] = i;
	good = good && flow_table_join(t, r, &b, row, n, tenant);
	block_reader_free(&r);
	return good;
}

/* Rows of a tenant out of several blocks make the block that they would be, had they come as rows: bit for
 * bit. */
static void
what_is_joined_is_what_its_rows_make(void **state)
{
	struct block_writer *w = block_writer_new();
	struct flow_table *t = flow_table_new();
	struct bytes expected = { 0 };
	const uint32_t tenant = 1;
	size_t len;

	(void)state;
	for (int round = 0; round < 90; round++) {
		struct stock s[3];
		struct block_row *all = mem_calloc(9000, sizeof(*all));
		bool *chosen = mem_calloc(3000, sizeof(*chosen));
		uint32_t n = 0, from;

		flow_table_reset(t);
		block_writer_frames(w, FRAME_BITS_LEAST + (unsigned)(dice() % 3));
		for (size_t k = 0; k < ARRAY_LEN(s); k++) {
			s[k] = stock_of(1 + (uint32_t)(dice() % 3000), (enum flavour)(round % FLAVOURS));
			for (uint32_t i = 0; i < s[k].n; i++)
				s[k].row[i].tenant = (uint32_t)(dice() % 3);
			qsort(s[k].row, s[k].n, sizeof(*s[k].row), compare);
			for (uint32_t i = 0; i < s[k].n; i++) {
				chosen[i] = round % 2 == 0 || dice() % 5 > 0;
				if (chosen[i] && s[k].row[i].tenant == tenant)
					all[n++] = s[k].row[i];
			}
			const uint8_t *bytes = block_encode(w, s[k].row, s[k].n, &len, &about);

			assert_true(join(t, bytes, len, tenant, chosen));
		}
		assert_int_equal(t->n, n);
		if (n > 1)
			qsort(all, n, sizeof(*all), compare);
		flow_table_sort(t);
		from = n == 0 ? 0 : (uint32_t)(dice() % n);
		for (uint32_t half = 0; half < 2; half++) {
			uint32_t first = half == 0 ? 0 : from, rows = half == 0 ? from : n - from;
			struct block_about as_rows;

			if (rows == 0)
				continue;
			const uint8_t *bytes = block_encode(w, all + first, rows, &len, &as_rows);

			expected.len = 0;
			memcpy(bytes_room(&expected, len), bytes, len);
			expected.len = len;
			bytes = block_encode_table(w, t, first, rows, &len, &about);
			assert_int_equal(len, expected.len);
			assert_memory_equal(bytes, expected.p, len);
			assert_memory_equal(&about, &as_rows, sizeof(about));
			assert_int_equal(about.rows, rows);
			assert_int_equal(about.tenant, tenant);
			assert_int_equal(about.tenants, 1);
		}
		for (size_t k = 0; k < ARRAY_LEN(s); k++)
			stock_free(&s[k]);
		free(all);
		free(chosen);
	}
	bytes_free(&expected);
	flow_table_free(&t);
	block_writer_free(&w);
}

/* Of a block in which a bit is wrong nothing is joined, or what is right. */
static void
damage_is_not_joined(void **state)
{
	struct stock s = stock_of(300, RANDOM_FLOWS);
	struct block_writer *w = block_writer_new();
	struct flow_table *t = flow_table_new();
	bool chosen[300];
	unsigned refused = 0;
	size_t len, again;

	(void)state;
	memset(chosen, true, sizeof(chosen));
	for (uint32_t i = 0; i < s.n; i++)
		s.row[i].tenant = 5;
	qsort(s.row, s.n, sizeof(*s.row), compare);
	block_writer_frames(w, FRAME_BITS_LEAST);
	const uint8_t *made = block_encode(w, s.row, s.n, &len, &about);
	uint8_t *right = mem_calloc(len, 1), *bytes = mem_calloc(len, 1);

	memcpy(right, made, len);
	memcpy(bytes, made, len);
	for (size_t at = 0; at < len; at += 7) {
		bytes[at] ^= 1;
		flow_table_reset(t);
		if (join(t, bytes, len, 5, chosen)) {
			flow_table_sort(t);
			made = block_encode_table(w, t, 0, t->n, &again, &about);
			assert_int_equal(again, len);
			assert_memory_equal(made, right, len);
		} else {
			refused++;
		}
		bytes[at] ^= 1;
	}
	assert_true(refused > len / 7 / 2);
	free(right);
	free(bytes);
	flow_table_free(&t);
	stock_free(&s);
	block_writer_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_in_comes_out),
		cmocka_unit_test(some_rows_are_those_rows),
		cmocka_unit_test(some_frames_are_those_frames),
		cmocka_unit_test(addresses_are_known_without_their_rows),
		cmocka_unit_test(the_first_format_is_read),
		cmocka_unit_test(a_full_block_is_small),
		cmocka_unit_test(filters_find_what_is_there),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(what_is_joined_is_what_its_rows_make),
		cmocka_unit_test(damage_is_not_joined),
	};

	if (sodium_init() == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
