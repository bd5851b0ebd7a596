#include "pcapng.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "order.h"

/* Types of blocks that say something of frames. */
#define INTERFACE       1u
#define PACKET          2u /* obsolete */
#define SIMPLE_PACKET   3u
#define ENHANCED_PACKET 6u

#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define BLOCK_HEAD       8u /* type, length */
#define BLOCK_TAIL       4u /* the length again */
/* Fields of a block in front of what varies, the head included. */
#define SECTION_FIXED   24u
#define INTERFACE_FIXED 16u
#define PACKET_FIXED    28u
#define SIMPLE_FIXED    12u

#define OPTION_END        0u
#define OPTION_RESOLUTION 9u
#define OPTION_OFFSET     14u
#define POWER_OF_2        0x80u
/* Units that are smaller cannot be told in 64 bits. */
#define POWER_MAX_10 19u
#define POWER_MAX_2  63u

struct block {
	uint32_t type, total;
	const uint8_t *bytes;
	size_t len; /* in view, with the head and without the tail */
};

__attribute__((format(printf, 2, 3))) static enum format_step
damaged(struct format *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(m->why, sizeof(m->why), fmt, ap);
	va_end(ap);
	return FORMAT_DAMAGED;
}

static bool
is_packet(uint32_t type)
{
	return type == ENHANCED_PACKET || type == PACKET || type == SIMPLE_PACKET;
}

/* --- time --- */

static uint64_t
power_of_10(unsigned n)
{
	uint64_t v = 1;

	while (n-- > 0)
		v *= 10;
	return v;
}

/* units as seconds and nanoseconds */
static uint64_t
seconds_of(uint8_t resolution, uint64_t units, uint32_t *ns)
{
	unsigned power = resolution & (uint8_t)~POWER_OF_2;
	uint64_t a_second, fraction;

	if (resolution & POWER_OF_2) {
		fraction = units & ((UINT64_C(1) << power) - 1);
		/* 32 bits of a fraction are more than nanoseconds are worth */
		*ns = (uint32_t)(power > 32 ? (fraction >> (power - 32)) * NS_PER_S >> 32
					    : fraction * NS_PER_S >> power);
		return units >> power;
	}
	a_second = power_of_10(power);
	fraction = units % a_second;
	*ns = (uint32_t)(power > 9 ? fraction / power_of_10(power - 9) : fraction * power_of_10(9 - power));
	return units / a_second;
}

/* In nanoseconds; a time that cannot be told becomes unknown. */
static int64_t
time_of(const struct format_interface *i, uint64_t units)
{
	const int64_t far = INT64_MAX / NS_PER_S - 1;
	uint32_t ns;
	uint64_t s = seconds_of(i->resolution, units, &ns);

	if (s > (uint64_t)far || i->offset_s > far || i->offset_s < -far)
		return 0;
	if ((int64_t)s + i->offset_s < 0 || (int64_t)s > far - i->offset_s)
		return 0;
	return ((int64_t)s + i->offset_s) * NS_PER_S + ns;
}

/* --- blocks --- */

static enum format_step
section(struct format *m, const struct block *b)
{
	struct rcur c = rcur_of(b->bytes, b->len);
	uint16_t major;

	rcur_skip(&c, BLOCK_HEAD + 4); /* the byte order was looked at before the length */
	major = order_u16(&c, m->swapped);
	if (major != 1)
		return damaged(m, "a section of version %u.%u of pcapng", major, order_u16(&c, m->swapped));
	m->n = 0;
	return FORMAT_OTHER;
}

static enum format_step
interface_option(struct format *m, struct format_interface *i, uint16_t code, struct rcur value)
{
	if (code == OPTION_RESOLUTION) {
		i->resolution = rcur_u8(&value);
		if (i->resolution > (i->resolution & POWER_OF_2 ? POWER_OF_2 | POWER_MAX_2 : POWER_MAX_10))
			return damaged(m, "an interface whose unit of time is too small (%#x)",
				       i->resolution);
	} else if (code == OPTION_OFFSET) {
		i->offset_s = (int64_t)order_u64(&value, m->swapped);
	}
	return value.bad ? damaged(m, "an interface with an option %u that is too short", code)
			 : FORMAT_OTHER;
}

static enum format_step
interface_options(struct format *m, struct format_interface *i, struct rcur c)
{
	enum format_step step = FORMAT_OTHER;

	while (step == FORMAT_OTHER && rcur_left(&c) > 0) {
		uint16_t code = order_u16(&c, m->swapped), len = order_u16(&c, m->swapped);
		struct rcur value = rcur_sub(&c, len);

		if (c.bad)
			return damaged(m, "an interface with an option that is longer than its block");
		if (code == OPTION_END)
			break;
		step = interface_option(m, i, code, value);
		rcur_skip(&c, rcur_left(&c) < (4u - len % 4u) % 4u ? rcur_left(&c) : (4u - len % 4u) % 4u);
	}
	return step;
}

static enum format_step
interface(struct format *m, const struct block *b)
{
	struct rcur c = rcur_of(b->bytes, b->len);
	struct format_interface i = { .resolution = 6 };
	enum format_step step;

	rcur_skip(&c, BLOCK_HEAD);
	i.link_type = order_u16(&c, m->swapped);
	rcur_skip(&c, 2);
	i.snaplen = order_u32(&c, m->swapped);
	if (m->n == FORMAT_INTERFACES_MAX)
		return damaged(m, "more than %u interfaces in one section", FORMAT_INTERFACES_MAX);
	step = interface_options(m, &i, c);
	if (step != FORMAT_OTHER)
		return step;
	if (m->n == m->room) {
		m->room = m->room == 0 ? 4 : 2 * m->room;
		m->interfaces = mem_reallocarray(m->interfaces, m->room, sizeof(*m->interfaces));
	}
	m->interfaces[m->n++] = i;
	return FORMAT_OTHER;
}

/* The frame of a block whose fields were read; its bytes begin at `fixed`. */
static enum format_step
packet(struct format *m, const struct block *b, const struct format_interface *i, uint64_t units,
       uint32_t fixed, struct frame *f)
{
	if (f->cap_len > FORMAT_FRAME_MAX)
		return damaged(m, "a frame of %" PRIu32 " captured bytes, more than the %u that can be",
			       f->cap_len, FORMAT_FRAME_MAX);
	if (f->cap_len > b->total - BLOCK_TAIL - fixed)
		return damaged(m, "a frame of %" PRIu32 " captured bytes, more than its block has",
			       f->cap_len);
	f->bytes = b->bytes + fixed;
	f->ts_ns = time_of(i, units);
	f->link_type = i->link_type;
	if (f->wire_len < f->cap_len)
		f->wire_len = f->cap_len;
	return FORMAT_FRAME;
}

static enum format_step
no_interface(struct format *m, uint32_t number)
{
	return damaged(m, "a frame of interface %" PRIu32 ", where %" PRIu32 " are described", number, m->n);
}

static enum format_step
fixed_packet(struct format *m, const struct block *b, struct frame *f)
{
	struct rcur c = rcur_of(b->bytes, b->len);
	uint32_t number;
	uint64_t units;

	rcur_skip(&c, BLOCK_HEAD);
	if (b->type == ENHANCED_PACKET) {
		number = order_u32(&c, m->swapped);
	} else {
		number = order_u16(&c, m->swapped);
		rcur_skip(&c, 2); /* drops of the interface, up to this frame, where they are known */
	}
	units = (uint64_t)order_u32(&c, m->swapped) << 32;
	units |= order_u32(&c, m->swapped);
	f->cap_len = order_u32(&c, m->swapped);
	f->wire_len = order_u32(&c, m->swapped);
	return number < m->n ? packet(m, b, &m->interfaces[number], units, PACKET_FIXED, f)
			     : no_interface(m, number);
}

/* Of the section's first interface. How much was captured is not said but by what must have been. */
static enum format_step
simple_packet(struct format *m, const struct block *b, struct frame *f)
{
	struct rcur c = rcur_of(b->bytes, b->len);
	enum format_step step;

	if (m->n == 0)
		return no_interface(m, 0);
	rcur_skip(&c, BLOCK_HEAD);
	f->wire_len = f->cap_len = order_u32(&c, m->swapped);
	if (m->interfaces[0].snaplen != 0 && f->cap_len > m->interfaces[0].snaplen)
		f->cap_len = m->interfaces[0].snaplen;
	step = packet(m, b, &m->interfaces[0], 0, SIMPLE_FIXED, f);
	f->ts_ns = 0;
	return step;
}

static enum format_step
content(struct format *m, const struct block *b, struct frame *f)
{
	switch (b->type) {
	case ENHANCED_PACKET:
	case PACKET:
		return fixed_packet(m, b, f);
	case SIMPLE_PACKET:
		return simple_packet(m, b, f);
	case PCAPNG_SECTION:
		return section(m, b);
	case INTERFACE:
		return interface(m, b);
	default:
		return FORMAT_OTHER;
	}
}

/* The least that a block of this type has. */
static uint32_t
least(uint32_t type)
{
	switch (type) {
	case ENHANCED_PACKET:
	case PACKET:
		return PACKET_FIXED + BLOCK_TAIL;
	case SIMPLE_PACKET:
		return SIMPLE_FIXED + BLOCK_TAIL;
	case PCAPNG_SECTION:
		return SECTION_FIXED + BLOCK_TAIL;
	case INTERFACE:
		return INTERFACE_FIXED + BLOCK_TAIL;
	default:
		return BLOCK_HEAD + BLOCK_TAIL;
	}
}

static enum format_step
ends_disagree(struct format *m, uint32_t first, uint32_t last)
{
	return damaged(m, "a block that begins with a length of %" PRIu32 " and ends with one of %" PRIu32,
		       first, last);
}

/* The end of a block that was too long to be seen at once. */
static enum format_step
trailer(struct format *m, const uint8_t *bytes, size_t len, uint64_t *used)
{
	struct rcur c = rcur_of(bytes, len);
	uint32_t total = order_u32(&c, m->swapped);

	*used = BLOCK_TAIL;
	if (c.bad)
		return FORMAT_SHORT;
	if (total != m->trailer)
		return ends_disagree(m, m->trailer, total);
	m->trailer = 0;
	return FORMAT_OTHER;
}

/* The type and the length of the block at bytes. A section's header says in which byte order it goes on. */
static enum format_step
head(struct format *m, const uint8_t *bytes, size_t len, struct block *b)
{
	struct rcur c = rcur_of(bytes, len);
	bool swapped = m->swapped;

	b->type = order_u32(&c, swapped);
	if (b->type == PCAPNG_SECTION || b->type == __builtin_bswap32(PCAPNG_SECTION)) {
		uint32_t order;

		b->type = PCAPNG_SECTION;
		(void)order_u32(&c, false);
		order = order_u32(&c, false);
		if (c.bad)
			return FORMAT_SHORT;
		if (order != BYTE_ORDER_MAGIC && order != __builtin_bswap32(BYTE_ORDER_MAGIC))
			return damaged(m, "a section without a byte order");
		swapped = order != BYTE_ORDER_MAGIC;
		c = rcur_of(bytes + 4, len - 4);
	}
	b->total = order_u32(&c, swapped);
	if (c.bad)
		return FORMAT_SHORT;
	m->swapped = swapped;
	return FORMAT_OTHER;
}

/* How much of a block has to be in view. One that is too long for that ends in a step of its own (trailer).
 */
static uint32_t
in_view(const struct block *b)
{
	if (b->total <= FORMAT_VIEW_MAX)
		return b->total;
	return is_packet(b->type) ? FORMAT_VIEW_MAX : least(b->type);
}

static enum format_step
block(struct format *m, struct block *b, size_t len, struct frame *f, uint64_t *used)
{
	bool whole = b->total <= FORMAT_VIEW_MAX;
	enum format_step step;

	*used = in_view(b);
	if (len < *used)
		return FORMAT_SHORT;
	if (!whole && b->type == INTERFACE)
		return damaged(m, "an interface described in %" PRIu32 " bytes", b->total);
	if (whole) {
		struct rcur tail = rcur_of(b->bytes + b->total - BLOCK_TAIL, BLOCK_TAIL);
		uint32_t total = order_u32(&tail, m->swapped);

		if (total != b->total)
			return ends_disagree(m, b->total, total);
	}
	b->len = whole ? b->total - BLOCK_TAIL : *used;
	step = content(m, b, f);
	if (step == FORMAT_DAMAGED)
		return step;
	*used = whole ? b->total : b->total - BLOCK_TAIL;
	m->trailer = whole ? 0 : b->total;
	return step;
}

enum format_step
pcapng_next(struct format *m, const uint8_t *bytes, size_t len, struct frame *f, uint64_t *used)
{
	struct block b = { .bytes = bytes };
	enum format_step step;

	if (m->trailer != 0)
		return trailer(m, bytes, len, used);
	*used = BLOCK_HEAD + BLOCK_TAIL;
	if (len < *used)
		return FORMAT_SHORT;
	step = head(m, bytes, len, &b);
	if (step != FORMAT_OTHER)
		return step;
	if (b.total < least(b.type) || b.total % 4 != 0)
		return damaged(m, "a block of type %#" PRIx32 " with %" PRIu32 " bytes", b.type, b.total);
	return block(m, &b, len, f, used);
}
