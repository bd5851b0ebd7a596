/* Reads DNS responses through the cursor; compressed names are stepped over, the question's own is read. */
#include "dns.h"

#include <string.h>

#include "base/cursor.h"

#define RECORDS_MAX 64 /* looked at in one message */

/* A name that need not be read: labels up to the root or to a pointer (section 4.1.4). */
static void
skip_name(struct rcur *c)
{
	for (unsigned labels = 0; labels < 128; labels++) {
		uint8_t len = rcur_u8(c);

		if (c->bad || len == 0)
			return;
		if (len >= 0xc0) {
			rcur_skip(c, 1);
			return;
		}
		if (len > 63)
			break;
		rcur_skip(c, len);
	}
	c->bad = true;
}

static char
label_char(uint8_t b)
{
	if (b >= 'A' && b <= 'Z')
		return (char)(b + ('a' - 'A'));
	return b > ' ' && b < 0x7f && b != '.' ? (char)b : '?';
}

/* The question's name stands first and so is never compressed. */
static void
read_name(struct rcur *c, struct dns_answers *out)
{
	size_t at = 0;

	for (;;) {
		uint8_t len = rcur_u8(c);
		const uint8_t *b = rcur_take(c, len);

		if (b != NULL && len == 0)
			break;
		if (b == NULL || len > 63 || at + (at > 0) + len > DNS_NAME_MAX) {
			c->bad = true;
			return;
		}
		if (at > 0)
			out->name[at++] = '.';
		for (unsigned i = 0; i < len; i++)
			out->name[at++] = label_char(b[i]);
	}
	out->name[at] = '\0';
	out->name_len = at;
}

static void
read_record(struct rcur *c, struct dns_answers *out)
{
	uint16_t type, class;
	struct rcur data;
	const uint8_t *b;

	skip_name(c);
	type = rcur_be16(c);
	class = rcur_be16(c) & 0x7fff; /* multicast DNS keeps a flag in the first bit */
	rcur_skip(c, 4);
	data = rcur_sub(c, rcur_be16(c));
	if (c->bad || class != 1 || out->n == DNS_ANSWERS_MAX)
		return;
	if (type == 1 && rcur_left(&data) == 4) {
		b = rcur_take(&data, 4);
		if (b != NULL)
			out->ip[out->n++] = ip_from_v4(b);
	} else if (type == 28 && rcur_left(&data) == 16) {
		rcur_copy(&data, out->ip[out->n++].b, 16);
	}
}

bool
dns_parse(const uint8_t *msg, size_t len, struct dns_answers *out)
{
	struct rcur c = rcur_of(msg, len);
	uint16_t flags, questions, answers;

	out->n = 0;
	out->name_len = 0;
	rcur_skip(&c, 2);
	flags = rcur_be16(&c);
	questions = rcur_be16(&c);
	answers = rcur_be16(&c);
	rcur_skip(&c, 4);
	/* A response to a standard query, without error. */
	if (c.bad || (flags & 0xf80f) != 0x8000 || questions != 1 || answers == 0)
		return false;
	read_name(&c, out);
	rcur_skip(&c, 4);
	for (unsigned i = 0; i < answers && i < RECORDS_MAX && !c.bad; i++)
		read_record(&c, out);
	return out->name_len > 0 && out->n > 0;
}
