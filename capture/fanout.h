/*
 * How the kernel spreads the frames of an interface over the sockets of a fan-out group: a program that
 * computes decode/owner.h for plain frames, so that frames come to their owner at once. It only spreads:
 * whatever it says, the engines have the last word.
 */
#ifndef WEIR_CAPTURE_FANOUT_H
#define WEIR_CAPTURE_FANOUT_H

#include <linux/filter.h>

#define FANOUT_PROGRAM_MAX 256

struct fanout_program {
	struct sock_filter code[FANOUT_PROGRAM_MAX];
	unsigned short len;
};

/*
 * The program for 1..65536 workers. Its answer is the owner for TCP and UDP in IPv4 and IPv6 as they stand
 * behind the link's header, one tag in the frame between them at most, and for other protocols and fragments
 * in the same place, whose ports do not count. All else is worker 0, as is what ends too early.
 */
void fanout_compile(struct fanout_program *p, unsigned workers);

#endif
