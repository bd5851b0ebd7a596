/* Observation points: totals of all frames, clocks, states. What belongs to one worker of a point is struct
 * progress. */
#ifndef WEIR_STORE_POINTS_H
#define WEIR_STORE_POINTS_H

#include <stdbool.h>
#include <stdint.h>

#include "batch.h"
#include "ipc/boot.h"
#include "ipc/wire.h"
#include "sum.h"

#define POINT_NONE UINT32_MAX

/* What one engine said of one point. */
struct progress {
	struct batch_applied applied; /* of this run, as it goes to disk */
	bool dirty;                   /* applied changed since it went into a batch */
	/* Records of this run may come again, because we or our channel restarted: flows up to resume_id and
	 * seconds up to resume_second were applied, and (live_known) are still in the live totals. */
	bool resumed, live_known;
	struct flow_id resume_id;
	int64_t resume_second;
	uint32_t state;   /* enum point_state; 0 not heard of */
	int64_t second;   /* newest */
	int64_t heard_ns; /* clock_boot_ns of the newest second */
	uint32_t flows_active, hosts_active;
	uint64_t captured, counted, undecoded; /* POINT_ENDED: by the engine's word */
	bool truncated;
	/* What its flows counted that no second has told yet: which way the second went. */
	struct series_value flows;
};

struct point {
	const struct boot_point *boot;
	uint64_t packets, bytes;
	uint64_t undecoded[NAMES_UNDECODED_MAX]; /* by dictionary number - 1 */
	struct rate rate;                        /* [0] bytes, [1] packets */
	int64_t first_ns, last_ns;               /* of frames */
	uint32_t subject;                        /* SERIES_POINT of the platform */
	uint32_t policy_number;                  /* in the policy snapshot; 0: it does not name the point */
	uint32_t owner;                          /* the tenant that owns it whole; 0: none */
};

struct points {
	uint32_t n;
	struct point point[BOOT_POINTS_MAX];
	bool any_interface;
};

void points_init(struct points *p, const struct boot *b);
/* POINT_NONE where the id is none of the boot document. */
uint32_t points_index(const struct points *p, uint32_t id);
/* Whether a time (ns) may be said of this point: not negative, and of an interface not far in the future. */
bool point_time_ok(const struct point *p, int64_t ns, int64_t now_utc_ns);

#endif
