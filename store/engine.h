/* What store keeps of one engine: its ring, its dictionary, its live flows, what it said of points and
 * losses. */
#ifndef WEIR_STORE_ENGINE_H
#define WEIR_STORE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/channel.h"
#include "ipc/ring.h"
#include "ipc/wire.h"
#include "live.h"
#include "points.h"

struct drop {
	uint32_t point; /* index, or POINT_NONE: the engine's own */
	uint16_t place; /* dictionary */
	bool is_loss;
	uint64_t before, last; /* of earlier runs of who counts; of this one */
};
#define ENGINE_DROPS_MAX 512

/* A ring that was offered. */
struct engine_ring {
	struct ring_consumer *ring;
	uint64_t number; /* never reused; 0: none */
	int64_t run;     /* start of the engine process */
	uint64_t released;
};

#define NAME_NO_ROOM UINT16_MAX /* announced, but the dictionary was full */

struct engine {
	unsigned index;          /* in the store's array */
	unsigned instance;       /* worker */
	struct channel *ch;      /* NULL while it is away */
	struct engine_ring now;  /* being drained */
	struct engine_ring next; /* offered while the one before is not yet through */
	bool gone;               /* the channel of `now` ended: once it is empty its live flows are lost */
	bool lied;               /* ... and not even that is read on */
	uint32_t lose_at;        /* how far the losing of flows got */
	int64_t run;             /* of the newest ring */
	struct live live;
	struct progress progress[BOOT_POINTS_MAX];
	struct drop drop[ENGINE_DROPS_MAX];
	uint32_t ndrops;
	uint16_t name[NAME_KIND_COUNT]
		     [NAME_NUMBER_MAX]; /* announced number -> dictionary; 0: not announced */
};

/* The dictionary number of an announced one, 0 for 0 and what had no room; *known is cleared where it was not
 * announced. */
static inline uint16_t
engine_name(const struct engine *e, enum name_kind kind, uint32_t number, bool *known)
{
	if (number >= NAME_NUMBER_MAX || (number == 0 && kind != NAME_RISK && kind != NAME_UNDECODED))
		return 0;

	uint16_t n = e->name[kind][number];

	if (n == 0)
		*known = false;
	return n == NAME_NO_ROOM ? 0 : n;
}

#endif
