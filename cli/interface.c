#include "interface.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "rtnetlink.h"

static bool
ask(unsigned long what, struct ifreq *r)
{
	int fd = rtnetlink_socket();

	return fd != -1 && ioctl(fd, what, r) == 0;
}

static bool
ask_of(const char *name, unsigned long what, struct ifreq *r)
{
	*r = (struct ifreq){ 0 };
	return str_copy(r->ifr_name, sizeof(r->ifr_name), name) && ask(what, r);
}

/* Its name and flags; false where it is gone. */
static bool
ask_by_index(uint32_t index, struct ifreq *r)
{
	*r = (struct ifreq){ 0 };
	r->ifr_ifindex = (int)index;
	return ask(SIOCGIFNAME, r) && ask(SIOCGIFFLAGS, r);
}

static uint32_t
index_of(const char *name)
{
	struct ifreq r;

	return ask_of(name, SIOCGIFINDEX, &r) ? (uint32_t)r.ifr_ifindex : 0;
}

bool
interface_exists(const char *name)
{
	return index_of(name) != 0;
}

bool
interface_is_up(const char *name)
{
	struct ifreq r;

	return ask_of(name, SIOCGIFFLAGS, &r) && (r.ifr_flags & IFF_UP) != 0;
}

/* --- addresses
 * ------------------------------------------------------------------------------------------------------ */

/* False for families that are no IP, and for link-local addresses. */
static bool
address_of(const struct rtnetlink_address *a, struct ip_addr *out)
{
	if (a->family == AF_INET) {
		*out = ip_from_v4(a->address);
		return true;
	}
	if (a->family == AF_INET6) {
		struct in6_addr in6;

		memcpy(&in6, a->address, sizeof(in6));
		memcpy(out->b, a->address, sizeof(out->b));
		return !IN6_IS_ADDR_LINKLOCAL(&in6);
	}
	return false;
}

struct having {
	uint32_t interface;
	bool has;
};

static void
on_address_of_one(const struct nlmsghdr *m, void *arg)
{
	struct having *h = arg;
	struct rtnetlink_address a;
	struct ip_addr ip;

	if (rtnetlink_address(m, &a) && a.interface == h->interface && address_of(&a, &ip))
		h->has = true;
}

bool
interface_has_address(const char *name)
{
	struct having h = { .interface = index_of(name) };

	if (!rtnetlink_dump(RTM_GETADDR, AF_UNSPEC, on_address_of_one, &h))
		return true; /* not known: leave it alone */
	return h.has;
}

struct gathering {
	const char *first;
	bool of_first; /* this time: those of the first interface, else all others */
	struct ip_addr *out;
	size_t n, most;
};

static bool
is_there(const struct gathering *g, const struct ip_addr *ip)
{
	for (size_t i = 0; i < g->n; i++)
		if (ip_equal(&g->out[i], ip))
			return true;
	return false;
}

static void
on_address(const struct nlmsghdr *m, void *arg)
{
	struct gathering *g = arg;
	struct rtnetlink_address a;
	struct ip_addr ip;
	struct ifreq r;

	if (g->n == g->most || !rtnetlink_address(m, &a) || !address_of(&a, &ip) || is_there(g, &ip))
		return;
	if (ask_by_index(a.interface, &r) && (r.ifr_flags & (IFF_UP | IFF_LOOPBACK)) == IFF_UP &&
	    (g->first != NULL && strcmp(r.ifr_name, g->first) == 0) == g->of_first)
		g->out[g->n++] = ip;
}

size_t
interface_addresses(const char *first, struct ip_addr *out, size_t most)
{
	struct gathering g = { .first = first, .out = out, .most = most };

	for (int pass = 0; pass < 2; pass++) {
		g.of_first = pass == 0;
		if (!rtnetlink_dump(RTM_GETADDR, AF_UNSPEC, on_address, &g))
			return 0;
	}
	return g.n;
}

/* --- routes
 * ---------------------------------------------------------------------------------------------------------
 */

struct best {
	struct rtnetlink_route route;
	bool found;
};

static void
on_route(const struct nlmsghdr *m, void *arg)
{
	struct best *b = arg;
	struct rtnetlink_route r;

	if (!rtnetlink_route(m, &r) || !r.is_default || (b->found && r.metric >= b->route.metric))
		return;
	b->route = r;
	b->found = true;
}

static bool
best_route(uint8_t family, char *out, size_t size)
{
	struct best b = { 0 };
	struct ifreq r;

	return rtnetlink_dump(RTM_GETROUTE, family, on_route, &b) && b.found &&
	       ask_by_index(b.route.interface, &r) && str_copy(out, size, r.ifr_name);
}

bool
interface_of_default_route(char *out, size_t size)
{
	return best_route(AF_INET, out, size) || best_route(AF_INET6, out, size);
}
