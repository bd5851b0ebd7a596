/*
 * A lane carries the frames of one observation point to one engine: the packet ring, and the count of what
 * did not get in. One thread fills it (the filler); the main thread gives it rings and reads its counters.
 */
#ifndef WEIR_CAPTURE_LANE_H
#define WEIR_CAPTURE_LANE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/ring.h"
#include "ipc/wire.h"

/* A frame as a source gives it. bytes stay the source's and live until its next frame. */
struct frame {
	int64_t ts_ns; /* UTC; 0 unknown */
	uint32_t wire_len;
	uint32_t cap_len;
	uint16_t link_type; /* LINKTYPE_ (tcpdump.org/linktypes.html) */
	const uint8_t *bytes;
};

/* Most that is kept of a frame, whatever the source offers: the rest of an entry is struct wire_frame. */
#define LANE_KEEP_MAX 65535u

/* Frames that share one entry of the ring: what a source that reads many at once fills, in place. */
#define LANE_BLOCK_FRAMES (RING_ENTRY_MAX / (sizeof(struct wire_block_frame) + 16))

struct lane_block {
	uint8_t *bytes; /* to fill, of the ring */
	size_t room;    /* for these bytes and the table together */
	size_t len;     /* bytes up to the end of the last frame */
	unsigned n;
	struct wire_block_frame table[LANE_BLOCK_FRAMES];
};

/* Less room than this, and a lane is crowded. */
#define LANE_CROWDED (256u << 10)

#define LANES_MAX 16 /* engine.workers has no more */

/* What the filler tells the main thread. */
#define LANE_NUDGE 1u /* the engine sleeps: send PACKET_WAKE */
#define LANE_LIED  2u /* the engine's page holds numbers that cannot be: end the channel */

enum lane_count { LANE_FRAMES, LANE_BYTES, LANE_RING_DROPS, LANE_MERGED, LANE_TRUNCATED, LANE_COUNTS };

struct lane {
	/* The filler's. */
	struct ring_producer *ring; /* NULL: the engine is away */
	bool attached;              /* the engine has answered the offer of this ring */
	uint32_t merged_above;      /* wire bytes above which a frame was merged by GRO or LRO; 0: unknown */
	size_t unpublished;         /* bytes since the engine was last shown something */
	size_t publish;             /* it is shown them at this many */
	size_t room;                /* bytes that the ring has room for, at least */
	size_t cycle, most_cycle;   /* bytes put since the engine had taken everything; the most of late */
	uint64_t now[LANE_COUNTS];

	/* Orders of the main thread, carried out by the filler. */
	pthread_mutex_t lock;
	_Atomic bool ordered;
	bool order_ring; /* order_next replaces the ring, NULL too */
	struct ring_producer *order_next;
	int order_page; /* the engine's page for the newest ring, or -1 */

	/* From the filler to the main thread. */
	_Atomic uint32_t signals; /* LANE_* */
	_Atomic uint64_t shown[LANE_COUNTS];
};

void lane_init(struct lane *l, uint32_t merged_above);
/* Frees what the lane holds; the filler has stopped. */
void lane_free(struct lane *l);

/* --- the main thread --- */

/* Replaces the ring; NULL where the engine went away. Takes r over. */
void lane_give_ring(struct lane *l, struct ring_producer *r);
/* The engine's page for the newest ring. Takes fd over. */
void lane_give_page(struct lane *l, int fd);
/* Takes and clears LANE_* bits. */
uint32_t lane_signals(struct lane *l);
uint64_t lane_shown(const struct lane *l, enum lane_count c);

/* --- the filler --- */

void lane_take_orders(struct lane *l);
/* Before a batch: takes orders, looks how much room there is, and keeps the ring of an engine that keeps up
 * within a cache. */
void lane_begin(struct lane *l);
/* Little room is left: who can wait, waits. Room for one frame of any length is there as long as it was not
 * crowded before. */
static inline bool
lane_crowded(const struct lane *l)
{
	return l->room < LANE_CROWDED;
}
/* It was waited for long enough: the lane is not called crowded until lane_begin, what does not fit is
 * dropped. */
void lane_overrun(struct lane *l);
/* Copies a frame into the ring. False where there is no room or no ring: nothing was counted then. */
bool lane_put(struct lane *l, const struct frame *f);
/* As lane_put, for sources that cannot wait: what does not fit is a ring drop. */
void lane_put_or_drop(struct lane *l, const struct frame *f);
/* Room for a block, which begins empty. False where there is none yet: as lane_put. */
bool lane_block_begin(struct lane *l, struct lane_block *b);
/* Notes a frame that lies within b->bytes, whose record ends at `end` there. False where the block is full.
 */
bool lane_block_note(struct lane_block *b, const struct frame *f, size_t end);
/* Puts the frames that were noted, at least one. */
void lane_block_put(struct lane *l, struct lane_block *b);
/* Puts FRAME_BEGIN. False where there is no room yet. */
bool lane_put_begin(struct lane *l, int64_t first_ns);
/* Puts FRAME_END with the lane's own counts. last_ns: of the file, 0 where only the engine knows. False where
 * there is no room yet. */
bool lane_put_end(struct lane *l, int64_t last_ns, bool truncated);
/* Where several engines may have to share a processor, each turn of one costs the others what they had in
 * its caches: shows an engine what came for it in large portions. For fillers that can wait. */
void lane_publish_seldom(struct lane *l);
/* Shows the main thread the counters. */
void lane_show(struct lane *l);
/* Shows the engine what was put, and the main thread the counters. Returns the signals that wait for the main
 * thread. */
uint32_t lane_flush(struct lane *l);

#endif
