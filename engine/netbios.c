/* Reads NetBIOS names through the cursor. */
#include "netbios.h"

#include <stdbool.h>
#include <string.h>

#include "base/cursor.h"

enum { TYPE_NB = 0x20, TYPE_NBSTAT = 0x21, CLASS_IN = 1 };
enum { OPCODE_QUERY = 0, OPCODE_REGISTRATION = 5, OPCODE_REFRESH = 8, OPCODE_REFRESH_ALT = 9 };

#define IS_RESPONSE   0x8000u
#define RESULT_CODE   0x000fu
#define GROUP         0x8000u /* of a name's flags: nobody's own */
#define ADDRESSES_MAX 8
#define NAMES_MAX     32

/* The 16th byte of a name says what it names. */
enum { SUFFIX_WORKSTATION = 0x00, SUFFIX_SERVER = 0x20 };

struct name {
	size_t len;
	char text[NETBIOS_NAME_MAX + 1];
	uint8_t suffix;
};

/* 15 bytes padded with spaces. False, and of length 0, where that is nobody's printable name. */
static bool
set_name(struct name *n, const uint8_t bytes[static 16])
{
	n->suffix = bytes[15];
	n->len = NETBIOS_NAME_MAX;
	while (n->len > 0 && (bytes[n->len - 1] == ' ' || bytes[n->len - 1] == 0))
		n->len--;
	for (size_t i = 0; i < n->len; i++) {
		if (bytes[i] <= ' ' || bytes[i] >= 0x7f) {
			n->len = 0;
			return false;
		}
		n->text[i] = (char)bytes[i];
	}
	n->text[n->len] = '\0';
	if (n->text[0] == '*') /* everybody */
		n->len = 0;
	return n->len > 0;
}

/* A name (which may be nobody's) as 32 letters, two a byte, and its scope (RFC 1001, section 14.1), or a
 * pointer to the question's.
 */
static bool
read_name(struct rcur *c, struct name *n, bool *points)
{
	uint8_t len = rcur_u8(c), bytes[16];
	const uint8_t *b;

	*points = len >= 0xc0;
	if (*points)
		return rcur_skip(c, 1);
	b = rcur_take(c, len);
	if (b == NULL || len != 32)
		return false;
	for (unsigned i = 0; i < 16; i++) {
		unsigned high = b[2 * i] - 'A', low = b[2 * i + 1] - 'A';

		if (high > 15 || low > 15)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	for (len = rcur_u8(c); len != 0 && len <= 63; len = rcur_u8(c))
		rcur_skip(c, len);
	(void)set_name(n, bytes);
	return len == 0 && !c->bad;
}

static bool
is_own(const struct name *n, uint16_t flags)
{
	return n->len > 0 && (flags & GROUP) == 0 &&
	       (n->suffix == SUFFIX_WORKSTATION || n->suffix == SUFFIX_SERVER);
}

/* A name with the addresses that have it. */
static void
read_addresses(struct rcur *data, const struct name *n, netbios_found *found, void *ctx)
{
	for (unsigned i = 0; i < ADDRESSES_MAX && rcur_left(data) >= 6; i++) {
		uint16_t flags = rcur_be16(data);
		const uint8_t *v4 = rcur_take(data, 4);
		struct ip_addr ip = ip_from_v4(v4);

		if (is_own(n, flags))
			found(ctx, &ip, n->text, n->len);
	}
}

/* The names of the host that answers. */
static void
read_status(struct rcur *data, const struct ip_addr *source, netbios_found *found, void *ctx)
{
	uint8_t names = rcur_u8(data);

	for (unsigned i = 0; i < names && i < NAMES_MAX; i++) {
		const uint8_t *b = rcur_take(data, 16);
		uint16_t flags = rcur_be16(data);
		struct name n;

		if (data->bad)
			return;
		if (set_name(&n, b) && n.suffix == SUFFIX_WORKSTATION && is_own(&n, flags)) {
			found(ctx, source, n.text, n.len);
			return;
		}
	}
}

void
netbios_read(const uint8_t *msg, size_t len, const struct ip_addr *source, netbios_found *found, void *ctx)
{
	struct rcur c = rcur_of(msg, len), data;
	uint16_t flags, type, counts[4];
	struct name n, record;
	unsigned opcode;
	bool points;

	rcur_skip(&c, 2);
	flags = rcur_be16(&c);
	for (unsigned i = 0; i < 4; i++)
		counts[i] = rcur_be16(&c);
	opcode = flags >> 11 & 15;
	if (c.bad || (flags & RESULT_CODE) != 0)
		return;
	if ((flags & IS_RESPONSE) == 0) {
		/* A claim: the name is the question's, the address stands in the additional record. */
		if (opcode != OPCODE_REGISTRATION && opcode != OPCODE_REFRESH && opcode != OPCODE_REFRESH_ALT)
			return;
		if (counts[0] != 1 || counts[3] != 1 || !read_name(&c, &n, &points) || points)
			return;
		rcur_skip(&c, 4);
		if (!read_name(&c, &record, &points))
			return;
	} else if (opcode != OPCODE_QUERY || counts[0] != 0 || counts[1] != 1 ||
		   !read_name(&c, &n, &points) || points) {
		return;
	}
	type = rcur_be16(&c);
	rcur_skip(&c, 2 + 4);
	data = rcur_sub(&c, rcur_be16(&c));
	if (type == TYPE_NB)
		read_addresses(&data, &n, found, ctx);
	else if (type == TYPE_NBSTAT && (flags & IS_RESPONSE) != 0)
		read_status(&data, source, found, ctx);
}
