/* Interfaces, addresses and the default route as the kernel tells them, of the network that a socket belongs
 * to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/ip.h"
#include "base/mem.h"
#include "interface.h"
#include "rtnetlink.h"

static int host = -1; /* of the network that has interfaces; the process leaves it */

union message {
	struct nlmsghdr head;
	char bytes[1024];
};

static void
tell_kernel(struct nlmsghdr *m)
{
	union message answer;
	ssize_t n;

	m->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	assert_int_equal(send(host, m, m->nlmsg_len, 0), m->nlmsg_len);
	n = recv(host, answer.bytes, sizeof(answer.bytes), 0);
	assert_true(n >= (ssize_t)mnl_nlmsg_size(sizeof(struct nlmsgerr)));
	assert_int_equal(((const struct nlmsgerr *)mnl_nlmsg_get_payload(&answer.head))->error, 0);
}

/* A pair of which one end is the named one. */
static void
add_veth(const char *name)
{
	union message b;
	struct nlmsghdr *m = mnl_nlmsg_put_header(b.bytes);
	struct nlattr *info;

	m->nlmsg_type = RTM_NEWLINK;
	m->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_nlmsg_put_extra_header(m, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(m, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(m, IFLA_LINKINFO);
	mnl_attr_put_strz(m, IFLA_INFO_KIND, "veth");
	mnl_attr_nest_end(m, info);
	tell_kernel(m);
}

static uint32_t
index_of(const char *name)
{
	struct ifreq r = { 0 };

	str_copy(r.ifr_name, sizeof(r.ifr_name), name);
	assert_int_equal(ioctl(host, SIOCGIFINDEX, &r), 0);
	return (uint32_t)r.ifr_ifindex;
}

static void
set_up(const char *name, bool up)
{
	struct ifreq r = { 0 };

	str_copy(r.ifr_name, sizeof(r.ifr_name), name);
	assert_int_equal(ioctl(host, SIOCGIFFLAGS, &r), 0);
	r.ifr_flags = (short)(up ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
	assert_int_equal(ioctl(host, SIOCSIFFLAGS, &r), 0);
}

static void
add_address(const char *name, const char *address)
{
	union message b;
	struct nlmsghdr *m = mnl_nlmsg_put_header(b.bytes);
	struct ifaddrmsg *h;
	struct ip_addr ip;
	size_t len;

	assert_true(ip_parse(address, &ip));
	len = ip_is_v4(&ip) ? 4 : 16;
	m->nlmsg_type = RTM_NEWADDR;
	m->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	h = mnl_nlmsg_put_extra_header(m, sizeof(*h));
	h->ifa_family = len == 4 ? AF_INET : AF_INET6;
	h->ifa_prefixlen = (uint8_t)(len * 8 - 8);
	h->ifa_index = index_of(name);
	mnl_attr_put(m, IFA_LOCAL, len, ip.b + 16 - len);
	mnl_attr_put(m, IFA_ADDRESS, len, ip.b + 16 - len);
	tell_kernel(m);
}

static struct nlmsghdr *
route(union message *b, uint8_t family, uint32_t interface, uint32_t metric)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(b->bytes);
	struct rtmsg *r;

	m->nlmsg_type = RTM_NEWROUTE;
	r = mnl_nlmsg_put_extra_header(m, sizeof(*r));
	r->rtm_family = family;
	r->rtm_table = RT_TABLE_MAIN;
	r->rtm_protocol = RTPROT_STATIC;
	r->rtm_scope = family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	r->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(m, RTA_OIF, interface);
	mnl_attr_put_u32(m, RTA_PRIORITY, metric);
	return m;
}

static void
add_default_route(uint8_t family, const char *name, uint32_t metric)
{
	union message b;
	struct nlmsghdr *m = route(&b, family, index_of(name), metric);

	m->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	tell_kernel(m);
}

static int
setup(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) == -1 && unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1)
		return -1;
	host = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	/* What the launcher has of a unit: a network without anything, and a socket of the one that has it.
	 */
	if (host == -1 || unshare(CLONE_NEWNET) == -1)
		return -1;
	rtnetlink_take(host);
	return 0;
}

static void
all_is_asked_by_the_socket(void **state)
{
	struct ip_addr got[8], want;
	char name[IF_NAMESIZE] = "";

	(void)state;
	assert_false(interface_exists("out0"));
	assert_false(interface_of_default_route(name, sizeof(name)));
	add_veth("out0");
	add_veth("out1");
	assert_true(interface_exists("out0"));
	assert_int_equal(if_nametoindex("out0"), 0); /* the process itself has no such interface */
	assert_false(interface_is_up("out0"));
	set_up("lo", true);
	set_up("out0", true);
	set_up("out1", true);
	assert_true(interface_is_up("out0"));

	assert_false(interface_has_address("out0"));
	add_address("out0", "192.0.2.1");
	add_address("out1", "192.0.2.129");
	add_address("out1", "2001:db8::1");
	add_address("lo", "198.51.100.1");
	assert_true(interface_has_address("out0"));
	assert_int_equal(interface_addresses("out1", got, 8), 3);
	assert_true(ip_parse("192.0.2.129", &want) && ip_equal(&got[0], &want));
	assert_true(ip_parse("2001:db8::1", &want) && ip_equal(&got[1], &want));
	assert_true(ip_parse("192.0.2.1", &want) && ip_equal(&got[2], &want));
	assert_int_equal(interface_addresses(NULL, got, 1), 1);
	set_up("out1", false);
	assert_int_equal(interface_addresses("out1", got, 8), 1);
	set_up("out1", true);

	add_default_route(AF_INET6, "out0", 5);
	assert_true(interface_of_default_route(name, sizeof(name)));
	assert_string_equal(name, "out0");
	add_default_route(AF_INET, "out1", 600); /* IPv4 first */
	assert_true(interface_of_default_route(name, sizeof(name)));
	assert_string_equal(name, "out1");
	add_default_route(AF_INET, "out0", 100); /* the least metric */
	assert_true(interface_of_default_route(name, sizeof(name)));
	assert_string_equal(name, "out0");
}

static void
count(const struct nlmsghdr *m, void *arg)
{
	unsigned *n = arg;

	(void)m;
	(*n)++;
}

/* Whoever had the socket before may have died in the middle of an answer. */
static void
what_was_left_is_no_answer(void **state)
{
	union message b;
	struct nlmsghdr *m = mnl_nlmsg_put_header(b.bytes);
	unsigned before = 0, after = 0;

	(void)state;
	assert_true(rtnetlink_dump(RTM_GETADDR, AF_UNSPEC, count, &before));
	assert_true(before > 0);
	m->nlmsg_type = RTM_GETROUTE;
	m->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	mnl_nlmsg_put_extra_header(m, sizeof(struct rtmsg));
	assert_int_equal(send(host, m, m->nlmsg_len, 0), m->nlmsg_len);
	assert_true(rtnetlink_dump(RTM_GETADDR, AF_UNSPEC, count, &after));
	assert_int_equal(after, before);
}

static void
what_is_no_default_route(void **state)
{
	union message b;
	struct nlmsghdr *m;
	struct rtnetlink_route r;
	struct rtmsg *h;

	(void)state;
	m = route(&b, AF_INET, 7, 100);
	assert_true(rtnetlink_route(m, &r));
	assert_true(r.is_default);
	assert_int_equal(r.interface, 7);
	assert_int_equal(r.metric, 100);
	h = mnl_nlmsg_get_payload(m);
	h->rtm_dst_len = 24;
	assert_true(rtnetlink_route(m, &r));
	assert_false(r.is_default);
	h->rtm_dst_len = 0;
	h->rtm_flags = RTNH_F_DEAD;
	assert_true(rtnetlink_route(m, &r));
	assert_false(r.is_default);
	h->rtm_flags = 0;
	h->rtm_type = RTN_UNREACHABLE; /* what the kernel rejects, by lo */
	assert_true(rtnetlink_route(m, &r));
	assert_false(r.is_default);
	h->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(m, RTA_TABLE, 1000);
	assert_true(rtnetlink_route(m, &r));
	assert_false(r.is_default);
	m = route(&b, AF_INET, 0, 100);
	assert_true(rtnetlink_route(m, &r));
	assert_false(r.is_default);
	m->nlmsg_type = RTM_DELROUTE;
	assert_false(rtnetlink_route(m, &r));
}

static void
several_next_hops(void **state)
{
	const struct rtnexthop hop[2] = { { .rtnh_len = sizeof(hop[0]), .rtnh_ifindex = 9 },
					  { .rtnh_len = sizeof(hop[0]), .rtnh_ifindex = 10 } };
	union message b;
	struct nlmsghdr *m = route(&b, AF_INET, 0, 1);
	struct rtnetlink_route r;

	(void)state;
	mnl_attr_put(m, RTA_MULTIPATH, sizeof(hop), hop);
	assert_true(rtnetlink_route(m, &r));
	assert_true(r.is_default);
	assert_int_equal(r.interface, 9);
	m = route(&b, AF_INET, 0, 1);
	mnl_attr_put(m, RTA_MULTIPATH, 3, hop); /* cut */
	assert_true(rtnetlink_route(m, &r));
	assert_false(r.is_default);
}

static void
of_a_link_between_two_the_own_end(void **state)
{
	static const uint8_t own[4] = { 192, 0, 2, 1 }, other[4] = { 192, 0, 2, 2 };
	union message b;
	struct nlmsghdr *m = mnl_nlmsg_put_header(b.bytes);
	struct rtnetlink_address a;
	struct ifaddrmsg *h;

	(void)state;
	m->nlmsg_type = RTM_NEWADDR;
	h = mnl_nlmsg_put_extra_header(m, sizeof(*h));
	h->ifa_family = AF_INET;
	h->ifa_index = 3;
	assert_false(rtnetlink_address(m, &a));
	mnl_attr_put(m, IFA_LOCAL, sizeof(own), own);
	mnl_attr_put(m, IFA_ADDRESS, sizeof(other), other);
	assert_true(rtnetlink_address(m, &a));
	assert_int_equal(a.interface, 3);
	assert_memory_equal(a.address, own, sizeof(own));
	h->ifa_family = AF_INET6; /* too short for it */
	assert_false(rtnetlink_address(m, &a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_asked_by_the_socket),
		cmocka_unit_test(what_was_left_is_no_answer),
		cmocka_unit_test(what_is_no_default_route),
		cmocka_unit_test(several_next_hops),
		cmocka_unit_test(of_a_link_between_two_the_own_end),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
