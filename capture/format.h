/*
 * What the bytes of a capture file say: pcap (micro- and nanoseconds, either byte order, the variant with
 * longer records) and pcapng (several sections and interfaces). Pure: bytes in view go in, frames come out,
 * in place. Every byte is hostile.
 */
#ifndef WEIR_CAPTURE_FORMAT_H
#define WEIR_CAPTURE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lane.h"

/* The longest frame that a file may hold, as libpcap has it; and so many bytes in view are enough for any
 * step. */
#define FORMAT_FRAME_MAX (256u << 10)
#define FORMAT_VIEW_MAX  (FORMAT_FRAME_MAX + 4096)
/* Most interfaces of a section of pcapng. */
#define FORMAT_INTERFACES_MAX 65536u

enum format_step {
	FORMAT_FRAME,
	FORMAT_OTHER, /* something that is no frame */
	FORMAT_SHORT, /* more bytes have to be in view */
	FORMAT_DAMAGED
};

/* Of the two lengths of a pcap record: which comes first. */
enum format_lengths { LENGTHS_CAPTURED_FIRST, LENGTHS_WIRE_FIRST, LENGTHS_EITHER };

/* An interface of a section of pcapng. */
struct format_interface {
	int64_t offset_s;
	uint32_t snaplen;   /* 0: unlimited */
	uint16_t link_type; /* LINKTYPE_ */
	uint8_t resolution; /* if_tsresol: a negative power of 10, or of 2 where the highest bit is set */
};

struct format {
	bool ng;
	bool swapped;  /* written by a machine of the other byte order */
	char why[160]; /* after FORMAT_DAMAGED, and where the file was refused */

	/* pcap */
	uint32_t header_len; /* of a record */
	uint32_t unit_ns;
	enum format_lengths lengths;
	uint16_t link_type;

	/* pcapng: the section */
	struct format_interface *interfaces;
	uint32_t n, room;
	uint32_t trailer; /* a long block's end is still to be looked at and has to say this; 0: none */
};

/* Looks at the beginning of a file. FORMAT_OTHER: it is a capture, *used bytes are dealt with. FORMAT_SHORT:
 * more bytes have to be in view; where there are none, why says what that means. FORMAT_DAMAGED: it is no
 * capture that can be read, why says why. */
enum format_step format_open(struct format *m, const uint8_t *bytes, size_t len, uint64_t *used);
void format_close(struct format *m);

/*
 * Looks at what begins at bytes, of which len bytes are in view. FORMAT_FRAME and FORMAT_OTHER: *used bytes
 * are dealt with, which may be more than len: those behind say nothing. FORMAT_SHORT: *used bytes have to be
 * in view, at most FORMAT_VIEW_MAX. FORMAT_SHORT and FORMAT_DAMAGED change nothing: asked again, the answer
 * is the same.
 */
enum format_step format_next(struct format *m, const uint8_t *bytes, size_t len, struct frame *f,
			     uint64_t *used);
/* Whether a file that is at its end between two steps was not cut there. */
bool format_may_end(const struct format *m);

#endif
