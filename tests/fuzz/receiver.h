/*
 * A process at its doors, without the kernel between: stands in for ipc/channel.c, and hands the real
 * handlers of a process messages of the input, each of which its row in msg.def admits (what no row admits
 * never reaches a handler: fuzz_channel). Peers come, lie, are cut off and come again; what the process sends
 * meanwhile is held against msg.def too.
 *
 * The input is a row of entries: a struct receiver_entry, then so many bytes of the message, then so many of
 * the memory that it hands over.
 */
#ifndef WEIR_TESTS_RECEIVER_H
#define WEIR_TESTS_RECEIVER_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/boot.h"
#include "ipc/channel.h"

struct receiver_entry {
	uint8_t message;  /* which of those that msg.def lets the process receive, modulo */
	uint8_t instance; /* of the sender, modulo */
	uint8_t how;      /* RECEIVER_* */
	uint8_t handed;   /* enum handed, modulo, where the message carries a descriptor */
	uint16_t len; /* above the row's least, modulo: the message's; what the input lacks is 0, mostly */
	uint16_t body, memory;
};
static_assert(sizeof(struct receiver_entry) == 10, "no padding: corpora hold it");

enum {
	RECEIVER_ECHO = 1,   /* the first 8 bytes are those that the sender was last sent: a ticket */
	RECEIVER_AGAIN = 2,  /* the sender went away before and came again */
	RECEIVER_AWAY = 4,   /* another peer goes away first */
	RECEIVER_BEHIND = 8, /* the sender takes nothing for now */
	RECEIVER_ALONE = 16, /* in the first entry: nobody is there before it sends something */
	RECEIVER_FULL = 32,  /* what the input lacks is 'a', no 0: texts that do not end */
};

enum handed {
	HANDED_SEALED, /* a memfd with the bytes, as ipc/sealed.h makes them */
	HANDED_OPEN,   /* the same without seals */
	HANDED_RING,   /* the memory of a ring, its beginning overwritten with the bytes */
	HANDED_PAGE,   /* the page of a ring's consumer */
	HANDED_SOCKET,
	HANDED_OWN, /* what the target's hook makes */
	HANDED_KINDS
};

/* What a target may do beside: NULL where it has nothing to. */
struct receiver_hooks {
	/* Whether a message comes: some take as long as hundreds of others do. */
	bool (*comes)(enum msg_id id);
	/* Before a message is handed over: body may be changed; memory is the length of what it hands over.
	 */
	void (*before)(const struct channel *from, enum msg_id id, uint8_t *body, size_t len, size_t memory);
	/* HANDED_OWN: a descriptor. */
	int (*hand)(enum msg_id id);
	/* After each. */
	void (*after)(void);
};

/* A boot document of the process, each of whose peers is there once, engines and httpds twice. */
struct boot *receiver_boot(enum proc self);
/* All entries of an input; at the end every peer goes away. The process has called peers_new before. */
void receiver_run(const struct receiver_hooks *hooks, const uint8_t *data, size_t size);

#endif
