/* One observation point as a worker sees it: its ring, its packet time, the second being counted, its flows
 * by deadline. */
#ifndef WEIR_ENGINE_POINT_H
#define WEIR_ENGINE_POINT_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/packet.h"
#include "ipc/boot.h"
#include "ipc/ring.h"
#include "ipc/wire.h"
#include "wheel.h"

#define BATCH_MAX   64
#define BATCH_BYTES (4 * RING_ENTRY_MAX)
/* Of a frame, copied out of the ring before it is looked at: more than the headers of a plain one. */
#define FRAME_HEAD 128u

struct frame {
	int64_t ts_ns;
	uint32_t wire_len, cap_len;
	uint16_t link_type;
	uint8_t *bytes;        /* ours, with room for all of it */
	const uint8_t *rest;   /* what is not copied yet, behind FRAME_HEAD, in the ring; NULL: nothing */
	const uint8_t *handed; /* struct wire_handover; NULL: it came from a capture */
	uint8_t hops;          /* how often it was handed over */
	bool resolved;         /* it is a fragment that was where those of its datagram meet */
	bool away;             /* it was handed over to another worker */
};

/* Frames copied out of the ring, decoded together so that memory is asked for before it is needed. */
struct batch {
	struct frame frame[BATCH_MAX];
	struct packet packet[BATCH_MAX];
	uint32_t flow[BATCH_MAX]; /* probably of that packet, or FLOW_NONE */
	unsigned n, next;
	bool decoded;
	size_t used; /* of bytes */
	uint8_t *bytes;
};

/* For one more frame, however long. */
static inline bool
batch_has_room(const struct batch *b)
{
	return b->n < BATCH_MAX && BATCH_BYTES - b->used >= RING_ENTRY_MAX;
}

/* An entry of many frames that is being taken into batches. It stays in the ring meanwhile. */
struct block {
	const uint8_t *entry;
	uint32_t table;
	uint32_t n, next;
	uint64_t position; /* in front of it */
};

/* Flows (or hosts) that something happened to. */
struct touched {
	uint32_t *number;
	uint32_t n;
};

struct point {
	const struct boot_point *boot;
	uint32_t index;  /* in the boot document */
	unsigned module; /* of inspection: one an address space */
	bool live;       /* an interface: its clock runs without packets, and it loses rather than waits */
	uint32_t state;  /* enum point_state; 0: not seen yet */
	struct ring_consumer *ring; /* NULL: none */
	struct ring_consumer
	    *next_ring;     /* of a capture that was started again, while the old ring is drained */
	bool draining;      /* the ring's producer is gone */
	bool lied;          /* the ring's producer broke a rule */
	bool nudge;         /* it waits for room and there is some now */
	bool ending, ended; /* FRAME_END was taken; everything was said */
	struct wire_frame_end end;
	int64_t begin_ns; /* of a file that workers share: when its first frame came; else 0 */
	struct block block;
	struct batch batch;

	int64_t now_ns, first_ns; /* packet time; 0: no frame yet */
	int64_t second;           /* being counted */
	int64_t second_end_ns;    /* where the next begins */
	struct rec_second count;  /* of it */
	bool closing;             /* a second is being closed: */
	int64_t closing_second;
	struct rec_second closed;
	uint32_t told_flows, told_hosts; /* in the last REC_SECOND */
	struct touched touched[2];       /* flows of this second [current] and of the one being closed */
	unsigned current;
	bool pressed;         /* more had packets than store is told of in a second: some wait (second.c) */
	uint32_t waiting;     /* so many: */
	uint32_t due;         /* of them are told of with the second being closed, */
	uint32_t turn;        /* from this number on */
	struct touched dirty; /* hosts to tell of, after each second: */
	bool telling;

	struct wheel wheel;
	uint32_t flows, hosts; /* active */
	uint64_t counted, undecoded;

	struct wire_capture_counters captured,
	    captured_before; /* of the capture that runs, and of those before it */
	bool told_state;     /* REC_POINT of the present state went into the present ring */
};

#endif
