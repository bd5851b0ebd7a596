/* Which format a file has, and the records of pcap. */
#include "format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "order.h"
#include "pcapng.h"

#define FILE_HEADER 24
/* A link type that nothing has: for numbers that are none. */
#define LINK_TYPE_NONE UINT16_MAX

static const struct {
	uint32_t magic, header_len, unit_ns;
} variants[] = {
	{ 0xa1b2c3d4, 16, 1000 },
	{ 0xa1b23c4d, 16, 1 },
	{ 0xa1b2cd34, 24,
	  1000 }, /* with the interface and the protocol of each frame, which say nothing new */
};

/* What files are packed with, by their first bytes. */
static const struct {
	const char *magic, *name;
} packers[] = {
	{ "\x1f\x8b", "gzip" },
	{ "\x28\xb5\x2f\xfd", "zstd" },
	{ "\xfd"
	  "7zXZ",
	  "xz" },
	{ "BZh", "bzip2" },
	{ "\x04\x22\x4d\x18", "lz4" },
	{ "PK\x03\x04", "zip" },
};

static enum format_step
refuse(struct format *m, enum format_step step, const char *why)
{
	str_copy(m->why, sizeof(m->why), why);
	return step;
}

static enum format_step
refuse_unknown(struct format *m, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(packers); i++) {
		size_t n = strlen(packers[i].magic);

		if (len >= n && memcmp(bytes, packers[i].magic, n) == 0) {
			(void)snprintf(m->why, sizeof(m->why), "it is compressed with %s, unpack it first",
				       packers[i].name);
			return FORMAT_DAMAGED;
		}
	}
	return refuse(m, FORMAT_DAMAGED, "it begins like neither");
}

/* The magic number in m's byte order. */
static bool
find_variant(struct format *m, uint32_t magic)
{
	for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
		if (variants[i].magic != magic)
			continue;
		m->header_len = variants[i].header_len;
		m->unit_ns = variants[i].unit_ns;
		return true;
	}
	return false;
}

static enum format_step
open_pcap(struct format *m, const uint8_t *bytes, size_t len, uint64_t *used)
{
	struct rcur c = rcur_of(bytes, len);
	uint16_t major, minor;
	uint32_t link_type;

	rcur_skip(&c, 4);
	major = order_u16(&c, m->swapped);
	minor = order_u16(&c, m->swapped);
	rcur_skip(&c, 12); /* time zone, accuracy, snapshot length: nobody keeps to them */
	link_type = order_u32(&c, m->swapped) & 0x03ffffff; /* above it: whether frames have a checksum */
	if (c.bad)
		return refuse(m, FORMAT_SHORT, "it ends within its header");
	if (major != 2) {
		(void)snprintf(m->why, sizeof(m->why), "it has version %u.%u of pcap", major, minor);
		return FORMAT_DAMAGED;
	}
	/* Version 2.3 was written with the lengths in either order. */
	m->lengths = minor > 3 ? LENGTHS_CAPTURED_FIRST : minor < 3 ? LENGTHS_WIRE_FIRST : LENGTHS_EITHER;
	m->link_type = link_type < LINK_TYPE_NONE ? (uint16_t)link_type : LINK_TYPE_NONE;
	*used = FILE_HEADER;
	return FORMAT_OTHER;
}

/* A section's header is a block like any other: the first. */
static enum format_step
open_pcapng(struct format *m, const uint8_t *bytes, size_t len, uint64_t *used)
{
	struct frame f;
	enum format_step step;

	m->ng = true;
	step = pcapng_next(m, bytes, len, &f, used);
	if (step == FORMAT_SHORT)
		str_copy(m->why, sizeof(m->why), "it ends within its first block");
	return step;
}

enum format_step
format_open(struct format *m, const uint8_t *bytes, size_t len, uint64_t *used)
{
	struct rcur c = rcur_of(bytes, len);
	uint32_t magic = order_u32(&c, false);

	*m = (struct format){ 0 };
	if (c.bad)
		return refuse(m, FORMAT_SHORT, len == 0 ? "it is empty" : "it is too short");
	if (magic == PCAPNG_SECTION)
		return open_pcapng(m, bytes, len, used);
	if (find_variant(m, magic))
		return open_pcap(m, bytes, len, used);
	m->swapped = true;
	if (find_variant(m, __builtin_bswap32(magic)))
		return open_pcap(m, bytes, len, used);
	return refuse_unknown(m, bytes, len);
}

void
format_close(struct format *m)
{
	free(m->interfaces);
	m->interfaces = NULL;
}

static bool
lengths_are_swapped(const struct format *m, uint32_t first, uint32_t second)
{
	return m->lengths == LENGTHS_WIRE_FIRST || (m->lengths == LENGTHS_EITHER && first > second);
}

static enum format_step
next_record(struct format *m, const uint8_t *bytes, size_t len, struct frame *f, uint64_t *used)
{
	struct rcur c = rcur_of(bytes, len);
	uint32_t s, fraction, captured, wire;

	*used = m->header_len;
	if (len < m->header_len)
		return FORMAT_SHORT;
	s = order_u32(&c, m->swapped);
	fraction = order_u32(&c, m->swapped);
	captured = order_u32(&c, m->swapped);
	wire = order_u32(&c, m->swapped);
	if (__builtin_expect(m->lengths != LENGTHS_CAPTURED_FIRST, 0) &&
	    lengths_are_swapped(m, captured, wire)) {
		uint32_t t = captured;

		captured = wire;
		wire = t;
	}
	if (captured > FORMAT_FRAME_MAX) {
		(void)snprintf(m->why, sizeof(m->why),
			       "a frame of %" PRIu32 " captured bytes, more than the %u that can be",
			       captured, FORMAT_FRAME_MAX);
		return FORMAT_DAMAGED;
	}
	*used = m->header_len + captured;
	if (len < *used)
		return FORMAT_SHORT;
	*f = (struct frame){ .ts_ns = (int64_t)s * NS_PER_S + (int64_t)fraction * m->unit_ns,
			     .wire_len = wire > captured ? wire : captured,
			     .cap_len = captured,
			     .link_type = m->link_type,
			     .bytes = bytes + m->header_len };
	return FORMAT_FRAME;
}

enum format_step
format_next(struct format *m, const uint8_t *bytes, size_t len, struct frame *f, uint64_t *used)
{
	return m->ng ? pcapng_next(m, bytes, len, f, used) : next_record(m, bytes, len, f, used);
}

bool
format_may_end(const struct format *m)
{
	return m->trailer == 0;
}
