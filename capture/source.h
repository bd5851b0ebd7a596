/* Where frames come from: an interface or a capture file. The only face of libpcap. */
#ifndef WEIR_CAPTURE_SOURCE_H
#define WEIR_CAPTURE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lane.h"
#include "nic.h"

struct source;

/* As pcap_datalink(3), but as the number that files use (LINKTYPE_). */
uint32_t source_link_type(const struct source *s);
void source_free(struct source **s);

/* --- interfaces: opened before the sandbox, read within --- */

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

/* --- files: opened within the sandbox, their format is hostile too --- */

/* NULL with a sentence in why where f is no capture file. Takes f over in any case. */
struct source *source_open_file(FILE *f, char *why, size_t whysize);

enum source_step { SOURCE_FRAME, SOURCE_END, SOURCE_DAMAGED };
/* The next frame, in place until the next call. */
enum source_step source_next(struct source *s, struct frame *f);
/* After SOURCE_DAMAGED: what is wrong. */
const char *source_why(struct source *s);

#endif
