/*
 * The places of command lines at authd's and store's doors: there are COMMAND_LINES, and of two command lines
 * in one place the later cuts the earlier off. So each takes a free one.
 */
#ifndef WEIR_CLI_PLACE_H
#define WEIR_CLI_PLACE_H

#define COMMAND_LINES 8 /* connected to store and authd at a time: peers weir@1 and up */

/* Takes a place, 1..COMMAND_LINES, waiting for one for a while; *held is closed to give it back, after the
 * connections. Where none gets free, or the kernel cannot help, it is one that may be taken, and *held is -1.
 */
unsigned place_take(const char *run_directory, int *held);

#endif
