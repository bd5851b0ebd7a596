#include "base/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

bool
ip_parse(const char *text, struct ip_addr *a)
{
	uint8_t v4[4], v6[16];

	if (inet_pton(AF_INET, text, v4) == 1) {
		*a = ip_from_v4(v4);
		return true;
	}
	if (inet_pton(AF_INET6, text, v6) == 1) {
		memcpy(a->b, v6, sizeof(v6));
		return true;
	}
	return false;
}

const char *
ip_format(const struct ip_addr *a, char out[static IP_TEXT_MAX])
{
	const char *s;

	if (ip_is_v4(a))
		s = inet_ntop(AF_INET, a->b + 12, out, IP_TEXT_MAX);
	else
		s = inet_ntop(AF_INET6, a->b, out, IP_TEXT_MAX);
	if (s == NULL)
		out[0] = '\0';
	return out;
}

static void
clear_host_bits(struct ip_prefix *p)
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned from = i * 8;

		if (from >= p->bits)
			p->addr.b[i] = 0;
		else if (p->bits - from < 8)
			p->addr.b[i] &= (uint8_t)(0xff << (8 - (p->bits - from)));
	}
}

bool
prefix_parse(const char *text, struct ip_prefix *p)
{
	char copy[PREFIX_TEXT_MAX];
	char *slash;
	struct ip_prefix r;
	unsigned long bits;

	if (!str_copy(copy, sizeof(copy), text))
		return false;
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash++ = '\0';
	if (!ip_parse(copy, &r.addr))
		return false;
	bits = ip_is_v4(&r.addr) && strchr(copy, ':') == NULL ? 32 : 128;
	if (slash != NULL) {
		char *end;
		unsigned long v;

		if (*slash < '0' || *slash > '9')
			return false;
		v = strtoul(slash, &end, 10);
		if (*end != '\0' || v > bits)
			return false;
		v += 128 - bits;
		bits = v;
	} else {
		bits = 128;
	}
	r.bits = (uint8_t)bits;
	clear_host_bits(&r);
	*p = r;
	return true;
}

const char *
prefix_format(const struct ip_prefix *p, char out[static PREFIX_TEXT_MAX])
{
	char ip[IP_TEXT_MAX];
	unsigned bits = p->bits;

	if (ip_is_v4(&p->addr) && bits >= 96)
		bits -= 96;
	(void)snprintf(out, PREFIX_TEXT_MAX, "%s/%u", ip_format(&p->addr, ip), bits);
	return out;
}

bool
prefix_contains(const struct ip_prefix *p, const struct ip_addr *a)
{
	unsigned whole = p->bits / 8, rest = p->bits % 8;

	if (memcmp(p->addr.b, a->b, whole) != 0)
		return false;
	return rest == 0 || ((p->addr.b[whole] ^ a->b[whole]) >> (8 - rest)) == 0;
}

bool
ip_is_multicast_or_broadcast(const struct ip_addr *a)
{
	if (!ip_is_v4(a))
		return a->b[0] == 0xff;
	return (a->b[12] & 0xf0) == 0xe0 || memcmp(a->b + 12, "\xff\xff\xff\xff", 4) == 0;
}

bool
ip_is_loopback(const struct ip_addr *a)
{
	static const struct ip_addr one = { { [15] = 1 } };

	return ip_is_v4(a) ? a->b[12] == 127 : ip_equal(a, &one);
}

bool
ip_is_private(const struct ip_addr *a)
{
	static const struct {
		uint8_t first, mask, second;
	} v4[] = {
		{ 0, 0, 0 },       { 10, 0, 0 },      { 100, 0xc0, 64 }, { 127, 0, 0 },
		{ 169, 255, 254 }, { 172, 0xf0, 16 }, { 192, 255, 168 },
	};
	static const uint8_t zero[15];

	if (!ip_is_v4(a))
		return (a->b[0] & 0xfe) == 0xfc || (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80) ||
		       (memcmp(a->b, zero, sizeof(zero)) == 0 && a->b[15] <= 1);
	for (size_t i = 0; i < sizeof(v4) / sizeof(v4[0]); i++)
		if (a->b[12] == v4[i].first && (a->b[13] & v4[i].mask) == v4[i].second)
			return true;
	return false;
}

const char *
mac_format(const uint8_t mac[static 6], char out[static MAC_TEXT_MAX])
{
	(void)snprintf(out, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		       mac[4], mac[5]);
	return out;
}
