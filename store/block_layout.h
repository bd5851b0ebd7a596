/* What stands where in a block of flows: block_write.c writes it, block_read.c reads it. */
#ifndef WEIR_STORE_BLOCK_LAYOUT_H
#define WEIR_STORE_BLOCK_LAYOUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "ipc/wire.h"

/*
 * A block: magic, length of the head, check of the head (32, 32, 64 bits, big-endian), the head, the bytes of
 * the columns. The head: rows, least and greatest end (32, 64, 64 bits), log2 of what a frame has and how
 * many columns are described (8 bits each), their descriptions (column.h). A column of zeros is not
 * described.
 */
#define BLOCK_MAGIC       0x57464232u /* "WFB2": the format's number is in it */
#define BLOCK_MAGIC_1     0x57464231u /* without frames, and without the parts from PART_PORTS on */
#define BLOCK_FRONT       16u
#define BLOCK_HEAD        22u /* before the descriptions */
#define BLOCK_COLUMNS_MAX 128u

/* Columns beside those of flow_columns.def. */
enum block_part {
	PART_SECONDARY = 80,
	PART_TENANTS, /* one for each tenant of the block: number, and how many rows; rows are sorted by it */
	PART_TENANT_ROWS,
	/* Values of 16 or 6 bytes: those that occur, once each, and which of them a row has. */
	PART_ADDRESSES = 90,
	PART_CLIENT,
	PART_SERVER,
	PART_MACS,
	PART_CLIENT_MAC,
	PART_SERVER_MAC,
	PART_ROUTERS,
	PART_EXPORTER,
	PART_NEXT_HOP,
	/* Strings: which one a row has, how long they are, and all of them. */
	PART_NAME = 110,
	PART_NAME_LENGTHS,
	PART_NAME_BYTES,
	PART_INFO,
	PART_INFO_LENGTHS,
	PART_INFO_BYTES,
	PART_ATTRIBUTES,
	PART_ATTRIBUTES_LENGTHS,
	PART_ATTRIBUTES_BYTES,
	/* What is in the block at all: Bloom filters (bloom.h), and each application once. */
	PART_ADDRESS_FILTER = 130,
	PART_PORT_FILTER,
	PART_ID_FILTER,
	PART_APPLICATIONS,
	PART_PORTS, /* a bit for each port, in place of a filter that would be as large */
	/* Of each of PART_ADDRESSES: the frames of rows in which it is an end (a bit each), and what the rows
	 * sum up to of which it is one; and the packets and bytes of all rows. */
	PART_ADDRESS_FRAMES,
	PART_ADDRESS_FLOWS,
	PART_ADDRESS_PACKETS,
	PART_ADDRESS_BYTES,
	PART_TOTALS
};

#define PORTS_SIZE 8192u /* bytes of PART_PORTS */

#define BIG_ENDIAN_8 9

struct flow_column {
	uint8_t number, width, order, base;
	uint16_t offset; /* in struct rec_flow */
};
extern const struct flow_column flow_columns[];
extern const size_t flow_column_count;
/* NULL where there is none. */
const struct flow_column *flow_column_of(unsigned number);

enum {
	COLUMN_LAST = 1,
	COLUMN_SLICE_NS,
	COLUMN_FIRST_NS,
	COLUMN_ID_HIGH = 4,
	COLUMN_ID_LOW,
	COLUMN_SLICE,
	COLUMN_POINT
};
enum {
	COLUMN_END_REASON = 16,
	COLUMN_PORT_CLIENT = 21,
	COLUMN_PORT_SERVER,
	COLUMN_PACKETS_CLIENT,
	COLUMN_PACKETS_SERVER,
	COLUMN_BYTES_CLIENT,
	COLUMN_BYTES_SERVER,
	COLUMN_APPLICATION = 41
};

/* Sets the column's field of a record. */
void flow_column_set(struct rec_flow *f, const struct flow_column *c, uint64_t v);

/* Two values of a row that share what occurs. */
struct wide_pair {
	uint8_t values, index[2]; /* enum block_part */
	uint8_t size;
	uint16_t offset[2]; /* in struct rec_flow */
};
extern const struct wide_pair wide_pairs[3];

/* Keys of the filters. */
static inline uint64_t
filter_key_of_address(const struct ip_addr *ip)
{
	return hash_bytes(ip, sizeof(*ip), PART_ADDRESS_FILTER);
}

static inline uint64_t
filter_key_of_number(uint64_t v)
{
	return hash_mix(v ^ UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xd6e8feb86659fd93));
}

static inline uint64_t
filter_key_of_id(uint64_t high, uint64_t low)
{
	return hash_mix(low ^ UINT64_C(0x9e3779b97f4a7c15), high ^ UINT64_C(0xd6e8feb86659fd93));
}

static inline uint64_t
big_endian_64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

#endif
