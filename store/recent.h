/*
 * What flows did lately, for those who watch: of each tenant that somebody watches its events in order, of
 * the last seconds, bounded by the second and in bytes. One that finds no place has a number all the same, so
 * whoever watches knows how many it missed. While nobody watches, ingest pays for a look at one number.
 */
#ifndef WEIR_STORE_RECENT_H
#define WEIR_STORE_RECENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "flow_row.h"
#include "live.h"

#define RECENT_TENANTS_MAX 256u
#define RECENT_BYTES_MAX   (64u << 20) /* of all tenants: each one watched has the same part of it, */
#define RECENT_TENANT_MAX  (4u << 20)  /* and at most so much */
#define RECENT_SECOND_MAX  1000u       /* events of one tenant that are kept of a second; the half of them */
				       /* at most tell that a flow went on */
#define RECENT_KEPT_NS (30 * NS_PER_S) /* so long, and so long behind the last question of a watcher */

struct engine;
struct store;

/* A slice that ended, as it is kept. */
struct recent_end {
	struct rec_flow f;
	char text[];
};

struct recent_event {
	TAILQ_ENTRY(recent_event) entry;
	uint64_t number;
	int64_t at_ns;          /* clock_boot_ns */
	uint32_t what;          /* enum flow_event */
	uint32_t tenant;        /* the flow's primary one */
	uint32_t engine;        /* index, */
	uint32_t slot;          /* where the live row is: another flow's by now, unless it has */
	struct flow_id id;      /* this one */
	uint64_t packets;       /* of the flow then: where it has others now, a later event tells of it */
	struct recent_end *end; /* FLOW_ENDED; else NULL */
	size_t bytes;
};

struct recent {
	uint32_t tenant;
	uint64_t begin, newest; /* numbers: before the first event, and of the last that there was */
	int64_t asked_ns;       /* clock_boot_ns: when somebody watched last */
	int64_t second;         /* of clock_boot_ns, in which there were: */
	uint32_t kept, kept_changes;
	size_t bytes;
	TAILQ_HEAD(recent_events, recent_event) events;
};

/* What makes them. */
struct recents {
	unsigned n;
	uint64_t floor; /* numbers of tenants that are watched anew begin above */
	struct recent *at[2 * RECENT_TENANTS_MAX];
};

struct recents *recents_new(void);
void recents_free(struct recents **x);

/* The tenant is watched, from now on or as before; NULL: so many are that there is no room. */
struct recent *recent_watch(struct store *s, uint32_t tenant);

/* What flows.c tells where recents.n is not 0. A row that begins, or goes on with other counters or meaning.
 */
void recent_tell(struct store *s, const struct engine *e, struct live_flow *r, enum flow_event what);
/* A slice that ended. tenant: its primary one and, unless TENANT_PLATFORM, the other; text: as f says. */
void recent_tell_end(struct store *s, const uint32_t tenant[static 2], const struct rec_flow *f,
		     const char *text);

#endif
