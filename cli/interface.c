#include "interface.h"

#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/mem.h"

bool
interface_exists(const char *name)
{
	return if_nametoindex(name) != 0;
}

bool
interface_is_up(const char *name)
{
	struct ifreq r = { 0 };
	AUTO(fd_drop) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0); /* any socket will do */

	return fd != -1 && str_copy(r.ifr_name, sizeof(r.ifr_name), name) &&
	       ioctl(fd, SIOCGIFFLAGS, &r) == 0 && (r.ifr_flags & IFF_UP) != 0;
}

/* False for families that are no IP, and for link-local addresses. */
static bool
address_of(const struct ifaddrs *a, struct ip_addr *out)
{
	if (a->ifa_addr == NULL)
		return false;
	if (a->ifa_addr->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)a->ifa_addr;

		*out = ip_from_v4((const uint8_t *)&in->sin_addr);
		return true;
	}
	if (a->ifa_addr->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)a->ifa_addr;

		memcpy(out->b, &in6->sin6_addr, sizeof(out->b));
		return !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr);
	}
	return false;
}

bool
interface_has_address(const char *name)
{
	struct ifaddrs *all;
	struct ip_addr ip;
	bool has = false;

	if (getifaddrs(&all) == -1)
		return true; /* not known: leave it alone */
	for (const struct ifaddrs *a = all; a != NULL; a = a->ifa_next)
		has = has || (strcmp(a->ifa_name, name) == 0 && address_of(a, &ip));
	freeifaddrs(all);
	return has;
}

size_t
interface_addresses(const char *first, struct ip_addr *out, size_t most)
{
	struct ifaddrs *all;
	size_t n = 0;

	if (getifaddrs(&all) == -1)
		return 0;
	for (int pass = 0; pass < 2; pass++) {
		for (const struct ifaddrs *a = all; a != NULL && n < most; a = a->ifa_next) {
			bool is_first = first != NULL && strcmp(a->ifa_name, first) == 0;

			if (is_first == (pass == 0) && (a->ifa_flags & IFF_UP) != 0 &&
			    (a->ifa_flags & IFF_LOOPBACK) == 0 && address_of(a, &out[n]))
				n++;
		}
	}
	freeifaddrs(all);
	return n;
}

/* The n-th word of a line, or "". */
static const char *
word(const char *line, unsigned n, char *out, size_t size)
{
	size_t len;

	out[0] = '\0';
	for (unsigned i = 0;; i++) {
		line += strspn(line, " \t");
		len = strcspn(line, " \t\n");
		if (len == 0 || i == n)
			break;
		line += len;
	}
	if (len < size) {
		memcpy(out, line, len);
		out[len] = '\0';
	}
	return out;
}

/* The n-th word as a number; all ones where it is none. */
static unsigned long
number(const char *line, unsigned n, int base)
{
	char text[40], *end;
	unsigned long v = strtoul(word(line, n, text, sizeof(text)), &end, base);

	return end != text && *end == '\0' ? v : ULONG_MAX;
}

struct route {
	bool is_default;
	unsigned long metric;
	char interface[32];
};

/* The interface of the best default route of a table, each line of which parse takes apart. */
static bool
best_route(const char *text, void (*parse)(const char *line, struct route *r), char *out, size_t size)
{
	unsigned long best = ULONG_MAX;
	bool found = false;

	for (const char *line = text; line != NULL && *line != '\0';) {
		const char *newline = strchr(line, '\n');
		struct route r = { 0 };

		parse(line, &r);
		if (r.is_default && r.interface[0] != '\0' && (!found || r.metric < best)) {
			found = str_copy(out, size, r.interface);
			best = r.metric;
		}
		line = newline != NULL ? newline + 1 : NULL;
	}
	return found;
}

#define ROUTE_UP 1ul /* RTF_UP */

/* /proc/net/route: Iface Destination Gateway Flags RefCnt Use Metric Mask ... */
static void
parse_route4(const char *line, struct route *r)
{
	unsigned long flags = number(line, 3, 16);

	r->is_default = number(line, 1, 16) == 0 && number(line, 7, 16) == 0 && flags != ULONG_MAX &&
			(flags & ROUTE_UP) != 0;
	r->metric = number(line, 6, 10);
	word(line, 0, r->interface, sizeof(r->interface));
}

/* /proc/net/ipv6_route: destination, its length, source, its length, next hop, metric, references, use,
 * flags, interface */
static void
parse_route6(const char *line, struct route *r)
{
	unsigned long flags = number(line, 8, 16);
	char destination[40];

	r->is_default = strspn(word(line, 0, destination, sizeof(destination)), "0") == 32 &&
			number(line, 1, 16) == 0 && flags != ULONG_MAX && (flags & ROUTE_UP) != 0;
	r->metric = number(line, 5, 16);
	word(line, 9, r->interface, sizeof(r->interface));
	if (strcmp(r->interface, "lo") == 0) /* what the kernel rejects */
		r->is_default = false;
}

bool
interface_parse_routes(const char *text, char *out, size_t size)
{
	return best_route(text, parse_route4, out, size);
}

bool
interface_parse_routes6(const char *text, char *out, size_t size)
{
	return best_route(text, parse_route6, out, size);
}

static char *
read_proc(const char *path)
{
	const size_t most = 1u << 20;
	char *text = mem_calloc(1, most + 1);
	AUTO(file_drop) FILE *f = fopen(path, "re");

	if (f != NULL && fread(text, 1, most, f) == 0)
		text[0] = '\0';
	return text;
}

bool
interface_of_default_route(char *out, size_t size)
{
	AUTO(mem_drop) char *routes = read_proc("/proc/self/net/route");
	AUTO(mem_drop) char *routes6 = read_proc("/proc/self/net/ipv6_route");

	return interface_parse_routes(routes, out, size) || interface_parse_routes6(routes6, out, size);
}
