/*
 * What others ask of dial: names of addresses, and connections. The rules of ipc/wire.h hold.
 */
#ifndef WEIR_IPC_WIRE_DIAL_H
#define WEIR_IPC_WIRE_DIAL_H

#include <assert.h>
#include <stdint.h>

#include "base/ip.h"

/* --- names of addresses --- */

#define NAME_ASKS 256 /* most that are under way at a time */

struct wire_name_ask {
	uint64_t ticket; /* store's, comes back */
	struct ip_addr ip;
};
static_assert(sizeof(struct wire_name_ask) == 24, "no padding");

struct wire_name_told {
	uint64_t ticket;
	uint32_t len; /* 0: the address has no name, or no server said so in time */
	uint32_t reserved;
	char name[256]; /* lower case letters, digits, '-', '_' and '.'; not terminated, zeros behind it */
};
static_assert(sizeof(struct wire_name_told) == 272, "no padding");

/* --- connections to others --- */

#define DIAL_ASKS     64  /* most that are under way at a time */
#define DIAL_HOST_MAX 256 /* with its end */

struct wire_dial_ask {
	uint64_t ticket; /* comes back */
	uint32_t port;   /* TCP, 1..65535 */
	uint32_t timeout_ms;
	char host[DIAL_HOST_MAX]; /* a name or an address; terminated */
};
static_assert(sizeof(struct wire_dial_ask) == 272, "no padding");

struct wire_dial_cancel {
	uint64_t ticket;
};

/* With the connected socket, which does not block. */
struct wire_dialed {
	uint64_t ticket;
	struct ip_addr ip;
};
static_assert(sizeof(struct wire_dialed) == 24, "no padding");

struct wire_dial_failed {
	uint64_t ticket;
	char why[120]; /* a sentence; terminated */
};
static_assert(sizeof(struct wire_dial_failed) == 128, "no padding");

#endif
