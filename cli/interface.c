#include "interface.h"

#include <ifaddrs.h>
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
	AUTO(fd_drop) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

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

bool
interface_parse_routes(const char *text, char *out, size_t size)
{
	unsigned best = 0;
	bool found = false;

	/* Iface Destination Gateway Flags RefCnt Use Metric Mask ... */
	for (const char *line = strchr(text, '\n'); line != NULL; line = strchr(line + 1, '\n')) {
		char name[32];
		unsigned destination, flags, metric, mask;

		if (sscanf(line + 1, "%31s %x %*x %x %*d %*u %u %x", name, &destination, &flags, &metric,
			   &mask) != 5)
			continue;
		if (destination != 0 || mask != 0 || (flags & 1) == 0) /* RTF_UP */
			continue;
		if (found && metric >= best)
			continue;
		found = str_copy(out, size, name);
		best = metric;
	}
	return found;
}

/* /proc/net/ipv6_route: destination and its length first, the interface last. */
static bool
parse_routes6(const char *text, char *out, size_t size)
{
	unsigned best = 0;
	bool found = false;

	for (const char *line = text; line != NULL && *line != '\0';) {
		char destination[33], name[32];
		unsigned length, metric, flags;
		const char *newline = strchr(line, '\n');

		if (sscanf(line, "%32s %x %*s %*x %*s %x %*x %*x %x %31s", destination, &length, &metric,
			   &flags, name) == 5 &&
		    length == 0 && strspn(destination, "0") == 32 && (flags & 1) != 0 &&
		    strcmp(name, "lo") != 0 && (!found || metric < best)) {
			found = str_copy(out, size, name);
			best = metric;
		}
		line = newline != NULL ? newline + 1 : NULL;
	}
	return found;
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
	AUTO(mem_drop) char *routes = read_proc("/proc/net/route");
	AUTO(mem_drop) char *routes6 = read_proc("/proc/net/ipv6_route");

	return interface_parse_routes(routes, out, size) || parse_routes6(routes6, out, size);
}
