/*
 * The kernel's side of an interface: what it is, and the order in which packet sockets are let see it
 * (design.md, Walls): shut, listen, join for each socket, then open for each. Until it is opened a socket
 * gets nothing, so that no frame comes twice or to a half-joined group.
 */
#ifndef WEIR_CAPTURE_NIC_H
#define WEIR_CAPTURE_NIC_H

#include <stdbool.h>
#include <stdint.h>

struct nic {
	char name[64];
	int index;
	uint32_t mtu;
};

/* No frame carries this protocol (it is below the first EtherType and no number of the kernel's own): a
 * socket that is activated on it gets none. */
#define NIC_PROTOCOL_UNUSED 0x05ff

/* Looks name up. Dies with EXIT_INTERFACE_GONE where it is missing or down. */
void nic_look(struct nic *n, const char *name);
/* Wire bytes above which a frame cannot have crossed the link as it is: MTU, Ethernet header, two VLAN tags.
 */
uint32_t nic_merged_above(const struct nic *n);

/* The steps for a packet socket. They die where the kernel refuses. */
void nic_shut(int fd);                        /* a filter that takes nothing */
void nic_listen(int fd, const struct nic *n); /* bound to every protocol */
/* *group: -1 for the first, which sets it. The kernel numbers members in the order in which they join, and
 * fanout.h gives frames to workers by number. */
void nic_join(int fd, int *group, unsigned workers);
void nic_open(int fd, uint32_t snaplen); /* the filter goes; frames come, cut at snaplen by the kernel */

/* Frames lost by the kernel since the last call. */
uint32_t nic_drops(int fd);
/* False where the interface is gone, is another one of the same name, or is down; *why then says which. Uses
 * no path. */
bool nic_is_there(int fd, const struct nic *n, const char **why);
/* The error that waits on a packet socket (ENETDOWN where its interface went down), 0 for none. */
int nic_error(int fd);

#endif
