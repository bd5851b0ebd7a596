/*
 * Chooses the worker of each frame of a capture file. One reader sees all frames of the file in their order,
 * so fragments and tunnels are told apart here, and no engine has anything to hand over to another.
 */
#ifndef WEIR_CAPTURE_STEER_H
#define WEIR_CAPTURE_STEER_H

#include <stdbool.h>
#include <stdint.h>

#include "lane.h"

struct steer;

/* For 2..LANES_MAX workers (one needs no steering). outer: tunnels are not opened, as engines see them.
 * seed: random, of the table of fragments. */
struct steer *steer_new(unsigned workers, bool outer, uint64_t seed);
void steer_free(struct steer **s);

/*
 * A number in 0..workers-1: the owner of the frame's innermost key (decode/owner.h), 0 for what belongs to no
 * flow. Frames come in the order of the file. Mends f->ts_ns, so that all workers live in the same time; next
 * is the time stamp of the frame behind f, 0 where there is none.
 */
unsigned steer_frame(struct steer *s, struct frame *f, int64_t next);

#endif
