/*
 * A part of a command that reads what strangers wrote, in a process of its own that has nothing of whoever
 * asked: not its terminal, which could be read and obeys. What it prints comes by pipes, and is passed on
 * harmless.
 */
#ifndef WEIR_CLI_ASIDE_H
#define WEIR_CLI_ASIDE_H

#define ASIDE_SAYS_MAX (1u << 20) /* bytes in all: whoever says more is ended */

/* Runs part(ctx) there, to its end, with the memory of the caller as it is now: the exit status that it
 * returned. WEIR_FAILED, with the reason said, where it could not be run or died. */
int aside_run(int (*part)(void *ctx), void *ctx);

#endif
