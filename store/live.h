/*
 * Live flows of one engine, by its slots. What each second of a flow touches stands together in its row, the
 * rest of every flow behind it; what only some flows have (a connection, a second tenant, what an exporter
 * said) is in columns of its own, whose memory nobody touches for the others.
 */
#ifndef WEIR_STORE_LIVE_H
#define WEIR_STORE_LIVE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/wire.h"
#include "points.h"
#include "slots.h"
#include "sum.h"
#include "texts.h"

/* One tenant's share in a live flow: where its deltas are added. */
struct stamp {
	uint32_t tenant;     /* TENANT_PLATFORM: none */
	uint32_t host[2];    /* hosts.h; [CLIENT], [SERVER] */
	uint32_t device[2];  /* devices.h; likewise */
	uint32_t subject[3]; /* subjects.h: the tenant, its view of the point, its application */
};
enum { STAMP_TENANT, STAMP_POINT, STAMP_APPLICATION };

enum live_flag {
	LIVE_ACTIVE = 1,
	LIVE_SERVED = 2,    /* counted among the ports of its hosts */
	LIVE_SHARED = 4,    /* another tenant has it too: column second */
	LIVE_TCP = 8,       /* column tcp */
	LIVE_RARE = 16,     /* column rare */
	LIVE_UNCOUNTED = 32 /* column uncounted */
};

#define TURNED_PLATFORM 4u
static_assert(BOOT_POINTS_MAX <= UINT8_MAX, "live_flow.point");

/* Applications, categories and risks are the dictionary's numbers. */
struct live_flow {
	uint32_t generation;
	uint8_t point;  /* index */
	uint8_t turned; /* 1 << share, TURNED_PLATFORM: for whom the server is the inner end */
	uint8_t flags;  /* LIVE_* */
	uint8_t state;
	int64_t last_ns;
	struct flow_counters count; /* as last reported, of this slice */

	struct stamp stamp; /* the primary tenant's */
	struct ip_addr ip[2];

	struct rate rate;              /* bytes: [CLIENT], [SERVER] */
	uint32_t platform_application; /* subject of the platform */
	uint8_t mac[2][6];
	uint16_t vlan; /* outermost */
	uint16_t application;
	uint16_t port[2];

	struct flow_id id;
	int64_t first_ns;
	uint64_t risks;
	uint32_t slice, latency_us;
	uint32_t text; /* texts.h: lengths, then strings as in the record */
	uint16_t category, score;
	uint8_t protocol, tunnel;
	uint8_t icmp_type, icmp_code;
	uint8_t breed, confidence, dpi_done;
	uint8_t ttl_min[2], ttl_max[2], dscp[2];
	uint8_t tcp_flags[2]; /* of a connection that has nothing else to tell, all */
};
static_assert(sizeof(struct live_flow) == 256, "four cache lines: memory is counted");
static_assert(offsetof(struct live_flow, stamp) == 64 && offsetof(struct live_flow, rate) == 128 &&
		  offsetof(struct live_flow, id) == 192,
	      "what is touched together stands in one line");

/* What few flows have. */
struct live_rare {
	int64_t slice_ns; /* elsewhere first_ns */
	uint16_t vlan[FLOW_VLANS];
	struct ip_addr exporter, next_hop;
	uint32_t in_interface, out_interface, sampling_rate, as_number[2];
};

struct live_counted {
	uint64_t bytes, packets;
};

struct live {
	uint32_t max;   /* slots: rows and columns have one more (live_spare) */
	uint32_t limit; /* slots that were ever used */
	struct live_flow *flow;
	struct flow_tcp *tcp;
	struct live_rare *rare;
	struct stamp *second;
	struct live_counted
	    *uncounted; /* what of a flow is not in live totals: it came again, and is in others */
	struct texts *texts;
	struct slots *slots; /* by tenant */
};

void live_init(struct live *l, uint32_t slots);
void live_free(struct live *l);
/* It is in use for long: its memory may come in huge pages from now on. */
void live_stays(struct live *l);

static inline uint32_t
live_slot(const struct live *l, const struct live_flow *r)
{
	return (uint32_t)(r - l->flow);
}

/* The row of a flow that ended before it was live: of no slot. */
static inline struct live_flow *
live_spare(struct live *l)
{
	return &l->flow[l->max];
}

static inline bool
live_is_active(const struct live_flow *r)
{
	return (r->flags & LIVE_ACTIVE) != 0;
}

/* The stamp of a share (hosts.h), or NULL where no tenant has it. */
static inline struct stamp *
live_stamp(const struct live *l, struct live_flow *r, int share)
{
	if (share == 0)
		return &r->stamp;
	return r->flags & LIVE_SHARED ? &l->second[live_slot(l, r)] : NULL;
}

/* Whether the tenant is one of those that have the flow. */
static inline bool
live_is_of(const struct live *l, const struct live_flow *r, uint32_t tenant)
{
	return r->stamp.tenant == tenant ||
	       ((r->flags & LIVE_SHARED) && l->second[live_slot(l, r)].tenant == tenant);
}

/* What other records are judged by, and deltas need: identity, ends, times, application. Zeroes the rest. */
void live_begin(struct live_flow *r, const struct rec_flow *f, uint32_t point);
/* Everything of f but its counters, application and what live_begin sets. text: its strings as in the record.
 * False where there was no room for them. */
bool live_learn(struct live *l, struct live_flow *r, const struct rec_flow *f, const char *text);
/* Whether f is of the flow and slice that the row began as, in the same generation or not. */
bool live_is_flow(const struct live *l, const struct live_flow *r, const struct rec_flow *f);
/* The row is free. */
void live_end(struct live *l, struct live_flow *r);

/* The row as the record that it came from, with the counters of now. */
void live_record(const struct live *l, const struct live_flow *r, const struct points *points,
		 struct rec_flow *f);
/* Its strings, which are as long as live_record's lengths say. */
void live_text(const struct live *l, const struct live_flow *r, char out[static FLOW_TEXT_MAX]);

#endif
