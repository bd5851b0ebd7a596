/* IP addresses are 16 bytes everywhere inside; IPv4 is mapped (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2). */
#ifndef WEIR_BASE_IP_H
#define WEIR_BASE_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ip_addr {
	uint8_t b[16];
};

/* bits counts in the 128-bit form: 10.0.0.0/8 has 104. Bits past it are zero. */
struct ip_prefix {
	struct ip_addr addr;
	uint8_t bits;
};

#define IP_TEXT_MAX     46 /* longest text of an address with its end, as INET6_ADDRSTRLEN */
#define PREFIX_TEXT_MAX 50
#define MAC_TEXT_MAX    18

static inline struct ip_addr
ip_from_v4(const uint8_t v4[static 4])
{
	struct ip_addr a = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, v4[0], v4[1], v4[2], v4[3] } };

	return a;
}

static inline bool
ip_is_v4(const struct ip_addr *a)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	return memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

static inline bool
ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* Text of an address: "10.0.0.1", "2001:db8::1" (RFC 5952). False where text is no address; *a is then
 * unchanged. */
bool ip_parse(const char *text, struct ip_addr *a);
/* Writes the text into out[IP_TEXT_MAX] and returns out. */
const char *ip_format(const struct ip_addr *a, char out[static IP_TEXT_MAX]);

/* "10.0.0.0/8", "2001:db8::/32" or a lone address. Host bits set are cleared. False where it is neither. */
bool prefix_parse(const char *text, struct ip_prefix *p);
const char *prefix_format(const struct ip_prefix *p, char out[static PREFIX_TEXT_MAX]);
bool prefix_contains(const struct ip_prefix *p, const struct ip_addr *a);

/* 224.0.0.0/4, ff00::/8, 255.255.255.255 */
bool ip_is_multicast_or_broadcast(const struct ip_addr *a);
/* 127.0.0.0/8, ::1 */
bool ip_is_loopback(const struct ip_addr *a);
/* Of no place on earth: private, shared, link-local and loopback addresses and "this network" (RFC 6890
 * section 2.2), whatever a database may say of them. */
bool ip_is_private(const struct ip_addr *a);

/* "00:11:22:aa:bb:cc" into out[MAC_TEXT_MAX]. */
const char *mac_format(const uint8_t mac[static 6], char out[static MAC_TEXT_MAX]);

#endif
