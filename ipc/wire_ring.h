/*
 * Channels, and what engines are given: rings of frames, and files. The rules of ipc/wire.h hold.
 */
#ifndef WEIR_IPC_WIRE_RING_H
#define WEIR_IPC_WIRE_RING_H

#include <assert.h>
#include <stdint.h>

#define WIRE_VERSION 5

struct wire_hello {
	uint32_t version; /* WIRE_VERSION */
	uint32_t proc;    /* for the log: who we think we are; identity is the uid */
	uint32_t instance;
	uint32_t reserved;
	int64_t start_ns; /* clock_boot_ns when the process began */
};
static_assert(sizeof(struct wire_hello) == 24, "no padding: it crosses a process boundary");

struct wire_ring_offer {
	uint32_t point; /* packets: observation point. records: 0 */
	uint32_t worker;
	uint32_t mtu; /* of the interface; 0 unknown */
	uint32_t reserved;
};
static_assert(sizeof(struct wire_ring_offer) == 16, "no padding");

struct wire_ring_taken {
	uint32_t point;
	uint32_t worker;
};

/* In a packet ring: kinds of entries. */
enum frame_kind {
	FRAME_DATA = 1,  /* struct wire_frame, then the captured bytes */
	FRAME_END = 2,   /* struct wire_frame_end: the file was read, nothing follows */
	FRAME_BEGIN = 3, /* struct wire_frame_begin: first of a file that several workers share */
	FRAME_BLOCK = 4  /* struct wire_block: many frames, among bytes of a file as they were read */
};

struct wire_frame {
	int64_t ts_ns;
	uint32_t wire_len;  /* bytes on the wire, without FCS */
	uint16_t cap_len;   /* bytes that were captured */
	uint16_t link_type; /* LINKTYPE_ of pcap (tcpdump.org/linktypes.html) */
};
static_assert(sizeof(struct wire_frame) == 16, "no padding");

/* Behind it what was read of the file, and behind that, at `table`, a struct wire_block_frame for each frame,
 * in their order. */
struct wire_block {
	uint32_t frames; /* at least 1 */
	uint32_t table;  /* bytes from the start of the entry */
};
static_assert(sizeof(struct wire_block) == 8, "no padding");

struct wire_block_frame {
	struct wire_frame frame;
	uint32_t at; /* its bytes: from the start of the entry, and in front of the table */
	uint32_t reserved;
};
static_assert(sizeof(struct wire_block_frame) == 24, "no padding");

struct wire_frame_end {
	uint64_t frames;    /* that capture put into this ring, in all */
	uint64_t bytes;     /* on the wire */
	int64_t last_ns;    /* time of the file's last frame, whoever got it; 0: the engine has them all */
	uint32_t truncated; /* 1: the file was cut or damaged behind the last frame */
	uint32_t reserved;
};
static_assert(sizeof(struct wire_frame_end) == 32, "no padding");

struct wire_frame_begin {
	int64_t first_ns; /* time of the file's first frame, whoever got it */
};
static_assert(sizeof(struct wire_frame_begin) == 8, "no padding");

/* In a ring from engine to engine: FRAME_HANDED. */
enum { FRAME_HANDED = 1 };

/* A frame that came to another worker than its flow's, as it was captured. */
struct wire_handover {
	int64_t ts_ns;
	uint32_t wire_len;
	uint32_t cap_len; /* bytes that follow */
	uint16_t link_type, reserved0;
	uint8_t point; /* index in the boot document */
	uint8_t hops;  /* 1 or 2: how often it was handed over, this time included */
	uint8_t
	    resolved; /* 1: a fragment that was where the fragments of its datagram meet; of a later one: */
	uint8_t icmp_reply;
	uint8_t inside; /* what was cut carries a tunnel, and its flow is the one inside */
	uint8_t reserved[7];
	uint8_t key[48]; /* struct flow_key of that flow, as from its first fragment */
};
static_assert(sizeof(struct wire_handover) == 80, "no padding: it crosses a process boundary");

/* What capture knows of one handle (one observation point, one worker), since it started. */
struct wire_capture_counters {
	uint32_t point, worker;
	uint64_t frames;       /* put into the ring */
	uint64_t kernel_drops; /* PACKET_STATISTICS: lost before us */
	uint64_t ring_drops;   /* lost because the ring was full */
	uint64_t merged;       /* longer than the MTU: merged by GRO or LRO before we saw them */
	uint64_t truncated;    /* longer than the snaplen */
};
static_assert(sizeof(struct wire_capture_counters) == 48, "no padding");

struct wire_geo_file {
	uint32_t index; /* in the setting geoip_files */
	uint32_t reserved;
};

#endif
