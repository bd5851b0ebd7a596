/* Files that script/bench engine reads, and how they are written. */
#ifndef WEIR_BENCH_TRAFFIC_H
#define WEIR_BENCH_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRAFFIC_FRAME_MAX 65535u
#define TRAFFIC_START_S   1700000000 /* Unix seconds of the first frame: the files are the same in each run */

/* A classic pcap file (microseconds, Ethernet). Dies where it cannot be written. */
void traffic_open(const char *path);
/* ns since the start of the file. */
void traffic_frame(int64_t ns, const uint8_t *frame, uint32_t cap_len, uint32_t wire_len);
void traffic_close(void);

/* A generator that gives the same numbers in each run. */
struct dice {
	uint64_t state;
};
uint64_t dice_roll(struct dice *d);
void dice_fill(struct dice *d, uint8_t *p, size_t len);

/* traffic_made.c: exchanges of a few protocols between a client and a server of the given number. Gives
 * frames one after the other; len 0 where the exchange is over. */
struct made {
	unsigned kind, step;
	uint32_t number;
	uint32_t seq[2];
};
#define MADE_KINDS 6
uint32_t made_next(struct made *m, uint8_t frame[static 2048]);
/* Ethernet, IPv4 and TCP (flags != 0) or UDP headers before len bytes of payload, with checksums. Returns the
 * length of the frame. */
struct made_ends {
	uint32_t ip[2]; /* source, destination */
	uint16_t port[2];
	uint32_t seq, ack;
	uint8_t flags;
};
uint32_t made_frame(uint8_t *frame, const struct made_ends *e, const void *payload, uint32_t len);

/* traffic_mix.c: captures merged and multiplied to about `frames` frames; without captures, of made ones. */
void traffic_mix(char *const *captures, unsigned n, uint64_t frames);

#endif
