/*
 * One flow, and the table of all in fixed memory. Numbers of flows are stable until they end.
 */
#ifndef WEIR_ENGINE_FLOW_H
#define WEIR_ENGINE_FLOW_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "decode/packet.h"
#include "index.h"
#include "tcp.h"

#define FLOW_NONE INDEX_NONE

enum flow_flag {
	FLOW_USED = 1,
	FLOW_SWAPPED = 2,   /* the client is end [1] of the key */
	FLOW_TOLD = 4,      /* nothing has changed since the last REC_FLOW_OPEN but counters */
	FLOW_DPI_DONE = 8,  /* application, risks and names are final */
	FLOW_ASKED = 16,    /* the client's first payload was seen: latency_us says when */
	FLOW_ANSWERED = 32, /* and the server's: latency_us is what lay between */
	FLOW_FULL = 64,     /* a counter of the slice has no room for another: the next slice begins */
	FLOW_WAITS = 128    /* it had packets, and its turn to be told of comes later (second.c) */
};

/*
 * Four cache lines, of which a datagram touches two and a segment three. Counters are of the slice: packets
 * and the counts of the connection are as wide as a slice needs, because one that is full begins the next
 * slice.
 */
struct flow {
	struct flow_key key;
	uint32_t hash;
	uint32_t touched; /* place in its point's list of this second, or FLOW_NONE */
	uint8_t flags;    /* FLOW_* */
	uint8_t state;    /* enum flow_state */
	uint8_t epoch;    /* record ring that REC_FLOW_OPEN went into; 0: none yet */
	uint8_t dpi_packets;
	uint32_t dpi; /* state of inspection (dpi.h), or FLOW_NONE */

	uint64_t bytes[2], payload[2]; /* [CLIENT], [SERVER], as in struct flow_counters */
	uint32_t packets[2];
	int64_t last_ns;
	uint8_t ttl_min[2], ttl_max[2];
	uint8_t dscp[2];
	uint16_t meaning;     /* engine.h: application, risks and the like; 0: nothing known */
	uint32_t text;        /* names and attributes (learn.c); 0: none */
	struct tcp_seen seen; /* ICMP: flags[0] is its type, flags[1] its code */

	struct tcp_track track;

	/* What is needed when it begins, is reported or ends. */
	int64_t first_ns, slice_ns;
	uint32_t generation;    /* low part of its sequence number, which is the last part of its id */
	uint16_t sequence_high; /* the rest */
	uint16_t wheel_slot;
	uint8_t mac[2][6]; /* [CLIENT], [SERVER]; zero: not known */
	uint32_t wheel_next, wheel_prev;
	uint32_t host[2]; /* [CLIENT], [SERVER]: host.h; FLOW_NONE: none */
	uint32_t slice;
	uint32_t latency_us; /* FLOW_ASKED, FLOW_ANSWERED */
	uint8_t tunnel; /* enum tunnel, as users are told it: the key's, or the labels of one direction */
	uint8_t reserved[3];
};
static_assert(sizeof(struct flow) == 256, "four cache lines: memory is counted");
static_assert(offsetof(struct flow, bytes) == 64 && offsetof(struct flow, track) == 128 &&
		  offsetof(struct flow, first_ns) == 192,
	      "what is touched together stands in one line");

static inline uint64_t
flow_sequence(const struct flow *f)
{
	return (uint64_t)f->sequence_high << 32 | f->generation;
}

struct flow_table {
	struct flow *flow;
	struct index index;
	uint32_t max, used;
	uint32_t free;     /* list through wheel_next */
	uint32_t fresh;    /* flows from here on were never used */
	uint64_t sequence; /* of the last flow */
};

void flow_table_init(struct flow_table *t, uint32_t max);
void flow_table_free(struct flow_table *t);
/* It is in use for long: its memory may come in huge pages from now on. */
void flow_table_stays(struct flow_table *t);

static inline uint32_t
flow_hash32(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}

/* The flow with this key, or FLOW_NONE. */
uint32_t flow_find(const struct flow_table *t, const struct flow_key *key, uint32_t hash);
/* A flow for a key that is not in the table: zeroed but for key, hash, sequence and links. FLOW_NONE: the
 * table is full. */
uint32_t flow_insert(struct flow_table *t, const struct flow_key *key, uint32_t hash);
void flow_remove(struct flow_table *t, uint32_t number);

/* Batches ask for memory before they need it: first the index, then the flow that it probably is. */
static inline void
flow_prefetch_index(const struct flow_table *t, uint32_t hash)
{
	__builtin_prefetch(&t->index.slot[index_home(&t->index, hash)]);
}

/* Gives the number of that flow, or FLOW_NONE. segment: of TCP, which touches a line more. */
uint32_t flow_prefetch(const struct flow_table *t, uint32_t hash, bool segment);

/* All of a flow that is about to be told of, or to end. */
static inline void
flow_prefetch_whole(const struct flow_table *t, uint32_t number)
{
	const char *f = (const char *)&t->flow[number];

	for (size_t at = 0; at < sizeof(struct flow); at += 64)
		__builtin_prefetch(f + at, 1);
}

static inline bool
flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
#define DIFFER(i) (key_word_at(a, i) ^ key_word_at(b, i))
	return (DIFFER(0) | DIFFER(1) | DIFFER(2) | DIFFER(3) | DIFFER(4) | DIFFER(5)) == 0;
#undef DIFFER
}

/* Whether a number is, by now, that of a flow with this key. */
static inline bool
flow_is(const struct flow_table *t, uint32_t number, const struct flow_key *key)
{
	const struct flow *f = &t->flow[number];

	return (f->flags & FLOW_USED) && flow_key_equal(&f->key, key);
}

#endif
