/* Reads DHCP messages through the cursor. */
#include "dhcp.h"

#include <string.h>

#include "base/cursor.h"

#define COOKIE UINT32_C(0x63825363)

enum { OP_REQUEST = 1, OP_REPLY = 2, HARDWARE_ETHERNET = 1 };
enum { OPTION_PAD = 0, OPTION_HOST_NAME = 12, OPTION_MESSAGE_TYPE = 53, OPTION_FQDN = 81, OPTION_END = 255 };
enum { TYPE_REQUEST = 3, TYPE_ACK = 5, TYPE_INFORM = 8 };

#define FQDN_WIRE 0x04u /* of its flags: labels as in DNS, else text */

struct name {
	size_t len;
	char text[DHCP_NAME_MAX];
};

static void
add_char(struct name *n, uint8_t b)
{
	if (n->len == sizeof(n->text))
		return;
	if (b >= 'A' && b <= 'Z')
		b = (uint8_t)(b + ('a' - 'A'));
	n->text[n->len++] = b > ' ' && b < 0x7f ? (char)b : '?';
}

static void
read_text(struct rcur *text, struct name *n)
{
	while (rcur_left(text) > 0) {
		uint8_t b = rcur_u8(text);

		if (b == 0) /* some clients send the end of a C string too */
			break;
		add_char(n, b);
	}
}

/* RFC 4702: flags, two bytes that are of no use any more, the name. */
static void
read_fqdn(struct rcur *data, struct name *n)
{
	uint8_t flags = rcur_u8(data);

	rcur_skip(data, 2);
	if ((flags & FQDN_WIRE) == 0) {
		read_text(data, n);
		return;
	}
	while (rcur_left(data) > 0) {
		uint8_t len = rcur_u8(data);

		if (len == 0 || len > 63 || len > rcur_left(data))
			break;
		if (n->len > 0)
			add_char(n, '.');
		while (len-- > 0)
			add_char(n, rcur_u8(data));
	}
}

/* Gives the type. A name with its domain says more than one without. */
static uint8_t
read_options(struct rcur *c, struct dhcp_message *m)
{
	struct name host = { 0 }, fqdn = { 0 };
	const struct name *name;
	uint8_t type = 0;

	while (rcur_left(c) > 0) {
		uint8_t option = rcur_u8(c);
		struct rcur data;

		if (option == OPTION_END)
			break;
		if (option == OPTION_PAD)
			continue;
		data = rcur_sub(c, rcur_u8(c));
		if (c->bad)
			break;
		if (option == OPTION_MESSAGE_TYPE)
			type = rcur_u8(&data);
		else if (option == OPTION_HOST_NAME)
			read_text(&data, &host);
		else if (option == OPTION_FQDN)
			read_fqdn(&data, &fqdn);
	}
	name = fqdn.len > 0 ? &fqdn : &host;
	memcpy(m->name, name->text, name->len);
	m->name[name->len] = '\0';
	m->name_len = name->len;
	return type;
}

bool
dhcp_read(const uint8_t *msg, size_t len, struct dhcp_message *out)
{
	struct rcur c = rcur_of(msg, len);
	const uint8_t *ciaddr, *yiaddr, *mac;
	uint8_t op, hardware, hardware_len, type;
	static const uint8_t none[4];

	memset(out, 0, sizeof(*out));
	op = rcur_u8(&c);
	hardware = rcur_u8(&c);
	hardware_len = rcur_u8(&c);
	rcur_skip(&c, 1);
	out->transaction = rcur_be32(&c);
	rcur_skip(&c, 4);
	ciaddr = rcur_take(&c, 4);
	yiaddr = rcur_take(&c, 4);
	rcur_skip(&c, 8);
	mac = rcur_take(&c, 6);
	rcur_skip(&c, 10 + 64 + 128);
	if (rcur_be32(&c) != COOKIE || c.bad || hardware != HARDWARE_ETHERNET || hardware_len != 6)
		return false;
	memcpy(out->mac, mac, 6);
	type = read_options(&c, out);
	if (op == OP_REQUEST && (type == TYPE_REQUEST || type == TYPE_INFORM)) {
		out->kind = DHCP_ASKS;
	} else if (op == OP_REPLY && type == TYPE_ACK) {
		const uint8_t *given = memcmp(yiaddr, none, 4) != 0 ? yiaddr : ciaddr;

		if (memcmp(given, none, 4) != 0)
			out->kind = DHCP_GIVES;
		out->ip = ip_from_v4(given);
	}
	return true;
}
