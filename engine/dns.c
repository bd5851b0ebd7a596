/* Reads DNS responses through the cursor. */
#include "dns.h"

#include <string.h>

#include "base/cursor.h"

#define RECORDS_MAX 64 /* looked at in one message */
#define JUMPS_MAX   16 /* pointers followed in one name */

enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_AAAA = 28, CLASS_IN = 1 };

struct name {
	size_t len;
	char text[DNS_NAME_MAX + 1];
};

struct reading {
	const uint8_t *msg;
	size_t len;
	bool multicast;
	dns_found *found;
	void *ctx;
	unsigned nfound;
	struct name asked;
};

static char
label_char(uint8_t b)
{
	if (b >= 'A' && b <= 'Z')
		return (char)(b + ('a' - 'A'));
	return b > ' ' && b < 0x7f && b != '.' ? (char)b : '?';
}

static bool
add_label(struct name *n, const uint8_t *b, uint8_t len)
{
	if (n->len + (n->len > 0) + len > DNS_NAME_MAX)
		return false;
	if (n->len > 0)
		n->text[n->len++] = '.';
	for (unsigned i = 0; i < len; i++)
		n->text[n->len++] = label_char(b[i]);
	return true;
}

/*
 * A name at c, which goes behind it. What a pointer leads to is read elsewhere in the message (RFC 1035,
 * section 4.1.4): always before the place where the last piece began, so that it ends. c is bad where it is
 * no name.
 */
static void
read_name(const struct reading *r, struct rcur *c, struct name *n)
{
	struct rcur away, *at = c;
	size_t before = (size_t)(c->p - r->msg);

	n->len = 0;
	for (unsigned jumps = 0;;) {
		uint8_t len = rcur_u8(at);
		const uint8_t *b;

		if (len >= 0xc0) {
			size_t to = (size_t)(len & 0x3f) << 8 | rcur_u8(at);

			if (at->bad || to >= before || jumps++ == JUMPS_MAX)
				break;
			before = to;
			away = rcur_of(r->msg + to, r->len - to);
			at = &away;
			continue;
		}
		b = rcur_take(at, len);
		if (b == NULL || len > 63 || (len > 0 && !add_label(n, b, len)))
			break;
		if (len == 0) {
			n->text[n->len] = '\0';
			return;
		}
	}
	n->len = 0;
	n->text[0] = '\0';
	c->bad = true;
}

static void
give(struct reading *r, const struct ip_addr *ip, const struct name *n)
{
	if (n->len == 0 || r->nfound == DNS_ANSWERS_MAX)
		return;
	r->nfound++;
	r->found(r->ctx, ip, n->text, n->len);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "4.3.2.1.in-addr.arpa" (RFC 1035, section 3.5): the address that a name stands for. */
static bool
reverse_v4(const struct name *n, struct ip_addr *ip)
{
	static const char end[] = "in-addr.arpa";
	uint8_t v4[4];
	size_t at = 0;

	for (unsigned i = 0; i < 4; i++) {
		unsigned value = 0, digits = 0;

		for (; n->text[at] >= '0' && n->text[at] <= '9' && digits < 3; at++, digits++)
			value = value * 10 + (unsigned)(n->text[at] - '0');
		if (digits == 0 || value > 255 || n->text[at++] != '.')
			return false;
		v4[3 - i] = (uint8_t)value;
	}
	*ip = ip_from_v4(v4);
	return strcmp(n->text + at, end) == 0;
}

/* 32 hexadecimal digits, the last first, then ip6.arpa (RFC 3596, section 2.5). */
static bool
reverse_v6(const struct name *n, struct ip_addr *ip)
{
	static const char end[] = "ip6.arpa";

	if (n->len != 64 + sizeof(end) - 1 || strcmp(n->text + 64, end) != 0)
		return false;
	for (unsigned i = 0; i < 16; i++) {
		const char *digit = n->text + 60 - (size_t)4 * i;
		int low = hex_digit(digit[0]), high = hex_digit(digit[2]);

		if (low < 0 || high < 0 || digit[1] != '.' || digit[3] != '.')
			return false;
		ip->b[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static void
read_record(struct reading *r, struct rcur *c)
{
	struct name owner, target;
	const struct name *name = r->multicast ? &owner : &r->asked;
	uint16_t type, class;
	struct ip_addr ip;
	struct rcur data;
	const uint8_t *b;

	read_name(r, c, &owner);
	type = rcur_be16(c);
	class = rcur_be16(c) & 0x7fff; /* multicast DNS keeps a flag in the first bit */
	rcur_skip(c, 4);
	data = rcur_sub(c, rcur_be16(c));
	if (c->bad || class != CLASS_IN)
		return;
	if (type == TYPE_A && rcur_left(&data) == 4) {
		b = rcur_take(&data, 4);
		ip = ip_from_v4(b);
		give(r, &ip, name);
	} else if (type == TYPE_AAAA && rcur_left(&data) == 16) {
		rcur_copy(&data, ip.b, 16);
		give(r, &ip, name);
	} else if (type == TYPE_PTR && (reverse_v4(&owner, &ip) || reverse_v6(&owner, &ip))) {
		read_name(r, &data, &target);
		if (!data.bad)
			give(r, &ip, &target);
	}
}

void
dns_read(const uint8_t *msg, size_t len, bool multicast, dns_found *found, void *ctx)
{
	struct reading r = { .msg = msg, .len = len, .multicast = multicast, .found = found, .ctx = ctx };
	struct rcur c = rcur_of(msg, len);
	uint16_t flags, questions;
	uint32_t records;

	rcur_skip(&c, 2);
	flags = rcur_be16(&c);
	questions = rcur_be16(&c);
	records = rcur_be16(&c);
	if (multicast) /* what is not asked for is told too: in the last section */
		records += rcur_be16(&c), records += rcur_be16(&c);
	else
		rcur_skip(&c, 4);
	/* A response to a standard query, without error; from a server with the one question that it answers.
	 */
	if (c.bad || (flags & 0xf80f) != 0x8000 || (multicast ? questions > RECORDS_MAX : questions != 1))
		return;
	for (unsigned i = 0; i < questions; i++) {
		read_name(&r, &c, &r.asked);
		rcur_skip(&c, 4);
	}
	for (uint32_t i = 0; i < records && i < RECORDS_MAX && !c.bad; i++)
		read_record(&r, &c);
}
