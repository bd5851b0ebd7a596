/*
 * What the launcher and weir-enter say to each other on a SOCK_SEQPACKET socket of the run directory: a
 * process that a unit of systemd starts gets one by one the descriptors that the launcher would otherwise
 * have forked it with. Who it is, the launcher has from SO_PEERCRED: each instance has a uid of its own.
 */
#ifndef WEIR_IPC_UNIT_H
#define WEIR_IPC_UNIT_H

#include <assert.h>
#include <stdint.h>

#define UNITS_RUN_DIRECTORY "/run/weir" /* where units find the launcher */
#define UNIT_SOCKET         "units.sock"

enum unit_word {
	UNIT_ENTER = 1, /* to the launcher: here I am, value is 0 */
	UNIT_ENDED,     /* to the launcher: the process has ended; value as wait(2) tells it */
	UNIT_PLACE,     /* to weir-enter, with a descriptor: it becomes descriptor `value` */
	UNIT_START,     /* to weir-enter: that was all; value 1: BOOT_FD_DIRECTORY is the working directory */
	UNIT_WORDS
};

struct unit_message {
	uint32_t word;
	int32_t value;
};
static_assert(sizeof(struct unit_message) == 8, "no padding: it crosses a process boundary");

#endif
