/* Looks at all of a block: see check_block.h. */
#include "check_block.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "block.h"

#define ROWS_AT_ONCE 4096u

struct block_checker {
	struct column_work work;
	struct block_reader *reader;
	struct block block;
	uint64_t *v;       /* COLUMN_MAX */
	uint32_t *tenant;  /* COLUMN_MAX */
	struct bytes room; /* of a column of bytes */
	struct kept_flow *kept;
	struct kept_flow **out; /* ROWS_AT_ONCE, as row */
	uint32_t *row;
};

/* One look at one block. */
struct look {
	struct block_checker *c;
	const struct block_entry *e;
	void (*told)(void *ctx, const struct block_fault *f);
	void *ctx;
	bool sound;
};

struct block_checker *
block_checker_new(void)
{
	struct block_checker *c = mem_calloc(1, sizeof(*c));

	column_work_init(&c->work);
	c->reader = block_reader_new();
	c->v = mem_calloc(COLUMN_MAX, sizeof(*c->v));
	c->tenant = mem_calloc(COLUMN_MAX, sizeof(*c->tenant));
	c->kept = mem_calloc(ROWS_AT_ONCE, sizeof(*c->kept));
	c->out = mem_calloc(ROWS_AT_ONCE, sizeof(struct kept_flow *));
	c->row = mem_calloc(ROWS_AT_ONCE, sizeof(*c->row));
	return c;
}

void
block_checker_free(struct block_checker **cp)
{
	struct block_checker *c = *cp;

	if (c == NULL)
		return;
	column_work_free(&c->work);
	block_reader_free(&c->reader);
	bytes_free(&c->room);
	free(c->v);
	free(c->tenant);
	free(c->kept);
	free(c->out);
	free(c->row);
	free(c);
	*cp = NULL;
}

static void __attribute__((format(printf, 3, 4))) tell(struct look *l, const char *part, const char *fmt, ...)
{
	struct block_fault f;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f.text, sizeof(f.text), fmt, ap);
	va_end(ap);
	str_copy(f.part, sizeof(f.part), part);
	l->sound = false;
	l->told(l->ctx, &f);
}

/* --- columns
 * ----------------------------------------------------------------------------------------------------------------
 */

static const char *
column_name(unsigned number)
{
	static const char *const names[256] = {
#define COLUMN(number, field, width, order, base) [number] = "column " #field,
#include "flow_columns.def"
#undef COLUMN
		[PART_SECONDARY] = "column secondary",
		[PART_TENANTS] = "column tenants",
		[PART_TENANT_ROWS] = "column tenant rows",
		[PART_ADDRESSES] = "column addresses",
		[PART_CLIENT] = "column client",
		[PART_SERVER] = "column server",
		[PART_MACS] = "column MACs",
		[PART_CLIENT_MAC] = "column client MAC",
		[PART_SERVER_MAC] = "column server MAC",
		[PART_ROUTERS] = "column routers",
		[PART_EXPORTER] = "column exporter",
		[PART_NEXT_HOP] = "column next hop",
		[PART_NAME] = "column server name",
		[PART_NAME_LENGTHS] = "column server name lengths",
		[PART_NAME_BYTES] = "column server name bytes",
		[PART_INFO] = "column info",
		[PART_INFO_LENGTHS] = "column info lengths",
		[PART_INFO_BYTES] = "column info bytes",
		[PART_ATTRIBUTES] = "column attributes",
		[PART_ATTRIBUTES_LENGTHS] = "column attribute lengths",
		[PART_ATTRIBUTES_BYTES] = "column attribute bytes",
		[PART_ADDRESS_FILTER] = "filter of addresses",
		[PART_PORT_FILTER] = "filter of ports",
		[PART_ID_FILTER] = "filter of ids",
		[PART_APPLICATIONS] = "column applications",
		[PART_PORTS] = "set of ports",
		[PART_ADDRESS_FRAMES] = "frames of addresses",
		[PART_ADDRESS_FLOWS] = "flows of addresses",
		[PART_ADDRESS_PACKETS] = "packets of addresses",
		[PART_ADDRESS_BYTES] = "bytes of addresses",
		[PART_TOTALS] = "totals",
	};

	return number < ARRAY_LEN(names) && names[number] != NULL ? names[number] : "unknown column";
}

static bool
column_is_whole(struct block_checker *c, const struct column *col)
{
	if (column_is_numbers(col))
		return column_get(&c->work, col, c->block.body, c->v);
	c->room.len = 0;
	return column_get_bytes(&c->work, col, c->block.body, bytes_room(&c->room, (size_t)col->count + 1));
}

static void
check_columns(struct look *l)
{
	const struct block *b = &l->c->block;

	for (unsigned i = 0; i < b->ncolumns; i++)
		if (!column_is_whole(l->c, &b->column[i]))
			tell(l, column_name(b->column[i].number),
			     "%" PRIu32 " bytes are not those that were written", b->column[i].len);
}

/* --- what the catalogue says
 * ------------------------------------------------------------------------------------------------
 */

static void
check_head(struct look *l)
{
	const struct block *b = &l->c->block;
	const struct block_entry *e = l->e;

	if (b->rows != e->rows)
		tell(l, "catalogue", "the block has %" PRIu32 " rows, the catalogue says %" PRIu32, b->rows,
		     e->rows);
	if (b->least_last_ns != e->least_last_ns || b->most_last_ns != e->most_last_ns)
		tell(l, "catalogue",
		     "the flows end from %" PRId64 " to %" PRId64 ", the catalogue says from %" PRId64
		     " to %" PRId64,
		     b->least_last_ns, b->most_last_ns, e->least_last_ns, e->most_last_ns);
}

static void
check_tenants(struct look *l)
{
	const struct block *b = &l->c->block;
	const uint32_t *t = l->c->tenant;
	uint32_t n = 1;

	if (!block_tenants(l->c->reader, b, l->c->tenant)) {
		tell(l, "rows", "whose they are does not add up");
		return;
	}
	for (uint32_t i = 1; i < b->rows; i++)
		n += t[i] != t[i - 1];
	if (n != l->e->tenants || (n == 1 && t[0] != l->e->tenant))
		tell(l, "catalogue", "the rows are of %" PRIu32 " tenants, the catalogue says %" PRIu32, n,
		     l->e->tenants);
}

static void
check_ends(struct look *l)
{
	const struct block *b = &l->c->block;
	int64_t least = INT64_MAX, most = INT64_MIN;

	if (!block_numbers(l->c->reader, b, COLUMN_LAST, l->c->v)) {
		tell(l, "rows", "their ends cannot be read");
		return;
	}
	for (uint32_t i = 0; i < b->rows; i++) {
		int64_t end = (int64_t)l->c->v[i];

		least = end < least ? end : least;
		most = end > most ? end : most;
	}
	if (least != b->least_last_ns || most != b->most_last_ns)
		tell(l, "head", "the flows end from %" PRId64 " to %" PRId64 ", not as it says", least, most);
}

/* --- rows
 * -------------------------------------------------------------------------------------------------------------------
 */

static void
check_rows(struct look *l)
{
	struct block_checker *c = l->c;

	for (uint32_t from = 0; from < c->block.rows; from += ROWS_AT_ONCE) {
		uint32_t n = c->block.rows - from < ROWS_AT_ONCE ? c->block.rows - from : ROWS_AT_ONCE;
		void *texts = NULL;

		for (uint32_t i = 0; i < n; i++) {
			c->row[i] = from + i;
			c->out[i] = &c->kept[i];
		}

		bool good = block_fetch(c->reader, &c->block, c->row, n, c->out, &texts);

		free(texts);
		if (good)
			continue;
		tell(l, "rows", "those from %" PRIu32 " on cannot be put together", from);
		return;
	}
}

bool
block_check(struct block_checker *c, const struct block_entry *e, const void *bytes, size_t len,
	    void (*told)(void *ctx, const struct block_fault *f), void *ctx)
{
	struct look l = { c, e, told, ctx, true };

	if (!block_open(&c->block, bytes, len)) {
		tell(&l, "head", "%zu bytes that do not begin with the head that was written", len);
		return false;
	}
	check_head(&l);
	check_columns(&l);
	/* Of columns that are damaged it is known what follows from them. */
	if (l.sound) {
		check_tenants(&l);
		check_ends(&l);
		check_rows(&l);
	}
	return l.sound;
}
