/* The tables of block_layout.h. */
#include "block_layout.h"

#include "base/mem.h"
#include "column.h"

const struct flow_column flow_columns[] = {
#define COLUMN(number, field, width, order, base)                                                            \
	{ number, width, order, base, offsetof(struct rec_flow, field) },
#include "flow_columns.def"
#undef COLUMN
};
const size_t flow_column_count = ARRAY_LEN(flow_columns);

static_assert(sizeof(struct rec_flow) == 304, "a field was added: it is a column of flow_columns.def too");
static_assert(ARRAY_LEN(flow_columns) + 36 < BLOCK_COLUMNS_MAX, "all have room in a block");

const struct wide_pair wide_pairs[3] = {
	{ PART_ADDRESSES,
	  { PART_CLIENT, PART_SERVER },
	  sizeof(struct ip_addr),
	  { offsetof(struct rec_flow, ip[CLIENT]), offsetof(struct rec_flow, ip[SERVER]) } },
	{ PART_MACS,
	  { PART_CLIENT_MAC, PART_SERVER_MAC },
	  6,
	  { offsetof(struct rec_flow, mac[CLIENT]), offsetof(struct rec_flow, mac[SERVER]) } },
	{ PART_ROUTERS,
	  { PART_EXPORTER, PART_NEXT_HOP },
	  sizeof(struct ip_addr),
	  { offsetof(struct rec_flow, exporter), offsetof(struct rec_flow, next_hop) } },
};

const struct flow_column *
flow_column_of(unsigned number)
{
	for (size_t i = 0; i < flow_column_count; i++)
		if (flow_columns[i].number == number)
			return &flow_columns[i];
	return NULL;
}

void
flow_column_set(struct rec_flow *f, const struct flow_column *c, uint64_t v)
{
	if (c->width == BIG_ENDIAN_8)
		v = __builtin_bswap64(v);
	memcpy((uint8_t *)f + c->offset, &v, c->width == BIG_ENDIAN_8 ? 8 : c->width);
}
