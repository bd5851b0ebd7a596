/*
 * Frames of interfaces that came to the wrong worker: what is wrapped or cut the kernel cannot spread by its
 * flow. A frame goes over a ring from engine to engine to the owner of its key (decode/owner.h); a fragment
 * first to the worker of its addresses, where all fragments of a datagram meet and get their ports. Two hops
 * at most. Another engine may have been taken over: what comes from it is judged as what comes from the wire.
 */
#ifndef WEIR_ENGINE_HANDOVER_H
#define WEIR_ENGINE_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/packet.h"
#include "ipc/boot.h"
#include "ipc/ring.h"
#include "ipc/wire.h"
#include "point.h"

#define HANDOVER_WORKERS_MAX 16 /* engine.workers has no more */
#define HANDOVER_HOPS        2

struct handover_peer {
	/* To it. Frames wait here for an engine that is being started again. */
	struct ring_producer *out;
	int offer_fd;  /* of a ring that was not offered yet, or -1 */
	bool attached; /* it has answered the offer */
	/* From it. */
	struct ring_consumer *in;
	struct ring_consumer
	    *next_in;       /* of an engine that was started again, while the old ring is drained */
	bool gone;          /* the producer of in is: it is drained */
	bool lied;          /* the producer of in broke a rule */
	uint8_t *entry;     /* taken from in, but of another kind than the batch was; */
	uint32_t entry_len; /* 0: none */
};

struct handover {
	bool on; /* several workers and an interface: otherwise nothing of this is made, asked or paid for */
	unsigned worker, workers, npoints;
	uint32_t live; /* points that are interfaces, a bit each */
	size_t ring_bytes;
	struct handover_peer peer[HANDOVER_WORKERS_MAX];
	uint64_t handed_over, full; /* frames that were given away; that found no room and are lost */
	struct batch batch;         /* frames that a peer gave us, of one point */
	unsigned point;
};
static_assert(BOOT_POINTS_MAX <= 32, "a bit each");

void handover_init(struct handover *h, const struct boot *b);
void handover_free(struct handover *h);

/* --- sending --- */

/* Puts a frame into the ring to a worker, or counts it as lost. */
void handover_put(struct handover *h, unsigned to, const struct wire_handover *w, const uint8_t *bytes);
/* The descriptor to offer to a worker that connected; the ring is a new one where that was done before, with
 * what the old one still held. The caller owns it; -1 with errno. */
int handover_offer(struct handover *h, unsigned to);
/* The worker's page. Takes fd. False: it lied. */
bool handover_taken(struct handover *h, unsigned to, int fd);
/* Shows a worker what was put. True where it sleeps: nudge it. */
bool handover_publish(struct handover *h, unsigned to);

/* --- receiving --- */

/* A worker offered a ring, which is ours from now on. */
void handover_up(struct handover *h, unsigned from, struct ring_consumer *ring);
/* The worker is gone: what its ring holds is still counted. */
void handover_down(struct handover *h, unsigned from);
/* Takes frames of one point and link type from a worker's ring into the batch; false where there are none.
 * The entries are judged: a lie ends the ring. */
bool handover_take(struct handover *h, unsigned from);
/* A worker broke a rule, of either ring: end its channel. */
bool handover_lied(const struct handover *h, unsigned worker);
/* Before sleeping; false where something came meanwhile. */
bool handover_sleep(struct handover *h);

#endif
