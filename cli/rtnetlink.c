#include "rtnetlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"

#define TRIES    4
#define LEFT_MAX 4096 /* datagrams that somebody before us asked for and did not read */

union datagram {
	struct nlmsghdr head;
	char bytes[32768]; /* as large as the kernel makes them (NLMSG_GOODSIZE, libmnl's documentation) */
};

struct dump {
	rtnetlink_fn *fn;
	void *arg;
};

static int kernel = -1;

void
rtnetlink_take(int fd)
{
	kernel = fd;
}

int
rtnetlink_socket(void)
{
	if (kernel == -1)
		kernel = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	return kernel;
}

/* --- asking
 * ---------------------------------------------------------------------------------------------------------
 */

static int
on_entry(const struct nlmsghdr *m, void *arg)
{
	const struct dump *d = arg;

	d->fn(m, d->arg);
	return MNL_CB_OK;
}

/* The kernel has written the next part of its answer by the time that it was asked, so nothing is waited for.
 */
static ssize_t
next_datagram(int fd, union datagram *d)
{
	struct sockaddr_nl from;
	socklen_t len;
	ssize_t n;

	do {
		len = sizeof(from);
		n = recvfrom(fd, d->bytes, sizeof(d->bytes), MSG_DONTWAIT, (struct sockaddr *)&from, &len);
	} while ((n == -1 && errno == EINTR) || (n >= 0 && from.nl_pid != 0)); /* 0: the kernel */
	return n;
}

/* The launcher before us may have died between question and answer: a table is told to its end before the
 * next is begun. */
static void
drop_what_is_left(int fd, union datagram *d)
{
	for (unsigned i = 0; i < LEFT_MAX; i++)
		if (next_datagram(fd, d) == -1 && errno != ENOBUFS)
			return;
}

static bool
port_of(int fd, uint32_t *port)
{
	struct sockaddr_nl own = { 0 };
	socklen_t len = sizeof(own);

	if (getsockname(fd, (struct sockaddr *)&own, &len) == -1)
		return false;
	*port = own.nl_pid;
	return true;
}

static bool
ask(int fd, uint16_t type, uint8_t family, uint32_t seq)
{
	static const struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	union {
		struct nlmsghdr head;
		char bytes[64];
	} buf;
	struct nlmsghdr *m = mnl_nlmsg_put_header(buf.bytes);
	struct rtgenmsg *g;

	m->nlmsg_type = type;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	m->nlmsg_seq = seq;
	/* The kernel's strict check wants the whole header of the kind; the family is the first byte of each.
	 */
	g = mnl_nlmsg_put_extra_header(m, type == RTM_GETROUTE ? sizeof(struct rtmsg) : 8);
	g->rtgen_family = family;
	return sendto(fd, m, m->nlmsg_len, 0, (const struct sockaddr *)&to, sizeof(to)) ==
	       (ssize_t)m->nlmsg_len;
}

/* 1: told to the end; 0: the table changed meanwhile; -1 with errno. */
static int
dump_once(int fd, uint16_t type, uint8_t family, struct dump *what)
{
	static uint32_t last;
	union datagram d;
	uint32_t port, seq = ++last ^ (uint32_t)clock_boot_ns();
	bool changed = false;
	int more = MNL_CB_OK;

	drop_what_is_left(fd, &d);
	if (!ask(fd, type, family, seq) || !port_of(fd, &port))
		return -1;
	while (more == MNL_CB_OK) {
		ssize_t n = next_datagram(fd, &d);

		if (n == -1)
			return -1;
		more = mnl_cb_run(d.bytes, (size_t)n, seq, port, on_entry, what);
		if (more == MNL_CB_ERROR && errno != EINTR)
			return -1;
		changed = changed || more == MNL_CB_ERROR;
		more = more == MNL_CB_ERROR ? MNL_CB_STOP : more;
	}
	return !changed;
}

bool
rtnetlink_dump(uint16_t type, uint8_t family, rtnetlink_fn *fn, void *arg)
{
	struct dump what = { fn, arg };
	int fd = rtnetlink_socket(), told = fd == -1 ? -1 : 0;

	for (unsigned i = 0; i < TRIES && told == 0; i++)
		told = dump_once(fd, type, family, &what);
	if (told == 0)
		errno = EAGAIN;
	return told == 1;
}

/* --- entries
 * -------------------------------------------------------------------------------------------------------- */

struct route_at_hand {
	struct rtnetlink_route *out;
	uint32_t table;
};

/* The index in a RTA_MULTIPATH: that of the first next hop. */
static uint32_t
first_hop(const struct nlattr *a)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(a);

	return mnl_attr_get_payload_len(a) < sizeof(*hop) ? 0 : (uint32_t)hop->rtnh_ifindex;
}

static int
on_route_attribute(const struct nlattr *a, void *arg)
{
	struct route_at_hand *r = arg;
	bool is_number = mnl_attr_get_payload_len(a) == sizeof(uint32_t);

	if (mnl_attr_get_type(a) == RTA_OIF && is_number)
		r->out->interface = mnl_attr_get_u32(a);
	else if (mnl_attr_get_type(a) == RTA_PRIORITY && is_number)
		r->out->metric = mnl_attr_get_u32(a);
	else if (mnl_attr_get_type(a) == RTA_TABLE && is_number)
		r->table = mnl_attr_get_u32(a);
	else if (mnl_attr_get_type(a) == RTA_MULTIPATH && r->out->interface == 0)
		r->out->interface = first_hop(a);
	return MNL_CB_OK;
}

bool
rtnetlink_route(const struct nlmsghdr *m, struct rtnetlink_route *out)
{
	const struct rtmsg *h = mnl_nlmsg_get_payload(m);
	struct route_at_hand r = { .out = out };

	if (m->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(m) < sizeof(*h))
		return false;
	*out = (struct rtnetlink_route){ .family = h->rtm_family };
	r.table = h->rtm_table;
	if (mnl_attr_parse(m, sizeof(*h), on_route_attribute, &r) == MNL_CB_ERROR)
		return false;
	out->is_default = h->rtm_dst_len == 0 && h->rtm_type == RTN_UNICAST && r.table == RT_TABLE_MAIN &&
			  (h->rtm_flags & RTNH_F_DEAD) == 0 && out->interface != 0;
	return true;
}

struct address_at_hand {
	struct rtnetlink_address *out;
	size_t len;
	bool local, found;
};

static int
on_address_attribute(const struct nlattr *a, void *arg)
{
	struct address_at_hand *h = arg;
	uint16_t type = mnl_attr_get_type(a);

	/* Of a link between two, IFA_ADDRESS is the other's. */
	if ((type != IFA_LOCAL && (type != IFA_ADDRESS || h->local)) || mnl_attr_get_payload_len(a) != h->len)
		return MNL_CB_OK;
	memcpy(h->out->address, mnl_attr_get_payload(a), h->len);
	h->local = type == IFA_LOCAL;
	h->found = true;
	return MNL_CB_OK;
}

bool
rtnetlink_address(const struct nlmsghdr *m, struct rtnetlink_address *out)
{
	const struct ifaddrmsg *h = mnl_nlmsg_get_payload(m);
	struct address_at_hand a = { .out = out };

	if (m->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(m) < sizeof(*h))
		return false;
	*out = (struct rtnetlink_address){ .family = h->ifa_family, .interface = h->ifa_index };
	a.len = h->ifa_family == AF_INET6 ? 16 : 4;
	return (h->ifa_family == AF_INET || h->ifa_family == AF_INET6) &&
	       mnl_attr_parse(m, sizeof(*h), on_address_attribute, &a) != MNL_CB_ERROR && a.found;
}
