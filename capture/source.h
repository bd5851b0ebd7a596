/* Where the frames of an interface come from: the only face of libpcap. */
#ifndef WEIR_CAPTURE_SOURCE_H
#define WEIR_CAPTURE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "lane.h"
#include "nic.h"

struct source;

struct source_options {
	int snaplen;
	int buffer; /* bytes of the kernel's buffer */
	bool promiscuous;
};

/* A handle of the interface that gets nothing yet (NIC_PROTOCOL_UNUSED): nic_shut, nic_listen, ... follow.
 * Dies with one line where it cannot be had. */
struct source *source_open_interface(const struct nic *n, const struct source_options *o);
/* The packet socket: readable while a block of frames waits. */
int source_fd(const struct source *s);
/* Moves up to most frames that wait into l; what does not fit is dropped and counted. Returns how many came;
 * never blocks. Dies with EXIT_INTERFACE_GONE where the interface is gone. handle is a struct source. */
int source_read(void *handle, struct lane *l, int most);

#endif
