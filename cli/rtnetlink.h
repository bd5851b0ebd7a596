/* The socket by which the kernel is asked about interfaces, addresses and routes (rtnetlink(7),
 * netdevice(7)). It belongs to a network namespace: under systemd the launcher has none of the machine's, and
 * is handed a socket that does. */
#ifndef WEIR_CLI_RTNETLINK_H
#define WEIR_CLI_RTNETLINK_H

#include <stdbool.h>
#include <stdint.h>

struct nlmsghdr;

/* Asks by this socket of NETLINK_ROUTE from now on, which becomes this file's; once, before anything is
 * asked. */
void rtnetlink_take(int fd);

/* For ioctls on interfaces; not the caller's to close. Opened where none was handed over; -1 with errno. */
int rtnetlink_socket(void);

typedef void rtnetlink_fn(const struct nlmsghdr *m, void *arg);

/*
 * Calls fn with each entry of a table: RTM_GETROUTE (entries are RTM_NEWROUTE), RTM_GETADDR (RTM_NEWADDR), of
 * the family (AF_UNSPEC: all). Where the table changes meanwhile it begins again, so an entry may come twice.
 * False with errno where not all were told.
 */
bool rtnetlink_dump(uint16_t type, uint8_t family, rtnetlink_fn *fn, void *arg);

/* The parts of one entry, for fn. False where the entry is of another kind or is cut. */
struct rtnetlink_route {
	uint8_t family;
	bool is_default;    /* unicast, of the main table, to everywhere, and not dead */
	uint32_t interface; /* index, of the first next hop; 0: none */
	uint32_t metric;
};
bool rtnetlink_route(const struct nlmsghdr *m, struct rtnetlink_route *out);

struct rtnetlink_address {
	uint8_t family;
	uint32_t interface; /* index */
	uint8_t address[16];
};
bool rtnetlink_address(const struct nlmsghdr *m, struct rtnetlink_address *out);

#endif
