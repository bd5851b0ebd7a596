/* The time of a packet: what a time stamp says, mended where it is broken. */
#ifndef WEIR_DECODE_WHEN_H
#define WEIR_DECODE_WHEN_H

#include <stdbool.h>
#include <stdint.h>

struct clockwork {
	bool live;       /* frames come from an interface: they are about as old as the wall clock says */
	int64_t wall_ns; /* UTC */
	int64_t now_ns;  /* time of the frame before; 0: none yet */
};

/*
 * The time of a frame whose stamp is ts. It never goes back. A frame of a file that is far ahead of those
 * around it has a broken stamp: next is the stamp of the frame behind it, or 0 where that is not known. Given
 * times that this function made, it changes nothing.
 */
int64_t packet_time(const struct clockwork *c, int64_t ts, int64_t next);

#endif
