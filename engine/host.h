/* Addresses that were seen, by (address space, VLAN, ip), in fixed memory, and where in the world they
 * belong. Counters and names are store's. */
#ifndef WEIR_ENGINE_HOST_H
#define WEIR_ENGINE_HOST_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"
#include "index.h"
#include "ipc/wire.h"
#include "text.h"

#define HOST_NONE INDEX_NONE

struct host_key {
	struct ip_addr ip;
	uint32_t space;
	uint16_t vlan; /* outermost */
	uint16_t reserved;
};
static_assert(sizeof(struct host_key) == 24, "hashed as 3 words");

enum host_flag {
	HOST_USED = 1,
	HOST_LOCAL = 2, /* within local_networks */
	HOST_DIRTY = 4, /* in a point's list of hosts to tell store about */
	HOST_WARM = 8   /* used since eviction last looked at it */
};

struct host {
	struct host_key key;
	uint32_t hash;
	uint32_t flows;         /* active ones that point here */
	uint32_t newer, older;  /* by when eviction looked at them last */
	uint32_t as_name, city; /* text.h; 0: none */
	uint32_t as_number;     /* 0 unknown */
	char country[2];        /* zero: unknown */
	uint8_t geo;   /* generation of the files that the four lines above are from; 0: not looked up */
	uint8_t flags; /* HOST_* */
	uint8_t point; /* index of the point that saw it first; it is told of on that point's seconds */
	uint8_t epoch; /* record ring that knows it; 0 none */
	uint8_t reserved[2];
	uint32_t dirty; /* place in the point's list, where HOST_DIRTY */
};
static_assert(sizeof(struct host) == 64, "one cache line: each new flow looks at two");

struct host_table {
	struct host *host;
	struct index index;
	struct texts *texts; /* not owned */
	const struct ip_prefix *local;
	unsigned nlocal;
	uint64_t seed[2];
	uint64_t evicted;
	uint32_t max, used, free, fresh;
	uint32_t newest, oldest;
};

void host_table_init(struct host_table *t, uint32_t max, struct texts *texts, const uint64_t seed[static 2]);
void host_table_free(struct host_table *t);

/* What was evicted to make room, so that the caller can forget it elsewhere. */
typedef void host_gone(void *ctx, uint32_t number);

uint32_t host_find(const struct host_table *t, const struct host_key *key);
/* The host with this key, made where it is new. Where the table is full a cold one is evicted after
 * gone(ctx, number). */
uint32_t host_get(struct host_table *t, const struct host_key *key, unsigned point, host_gone *gone,
		  void *ctx);
/* Whether number still is the host with this key: a flow remembers numbers, and a number may have gone to
 * another. */
bool host_is(const struct host_table *t, uint32_t number, const struct host_key *key);

/* Asks for memory before it is needed: first the index, whose hash is given, then the host that it may be. */
uint32_t host_prefetch_index(const struct host_table *t, const struct host_key *key);
void host_prefetch(const struct host_table *t, uint32_t hash);

#endif
