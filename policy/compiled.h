/* What snapshot.c reads, compile.c makes of it, and match.c and narrowed.c look at. */
#ifndef WEIR_POLICY_COMPILED_H
#define WEIR_POLICY_COMPILED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ranges.h"
#include "policy/snapshot.h"

/* Parts of a place that a selector names; as a number: the larger, the more particular. */
#define PLACE_SPACE     1u
#define PLACE_VLAN      2u
#define PLACE_INTERFACE 4u /* of the exporter */
#define PLACE_EXPORTER  8u
#define PLACE_POINT     16u
#define PLACE_MASKS     32u

/* The parts that are not named are 0. */
struct place {
	struct ip_addr exporter;
	uint32_t mask, point, interface, vlan, space;
};

/* Every selector that says the same of the place. */
struct group {
	struct place place;
	uint32_t only; /* the tenant of all of them; 0: they are of several */
	bool whole;    /* one of them names no network, or every address */
	struct ranges networks;
};

struct narrowed {
	uint32_t number;
	bool masked;
	size_t npoints, nexporters;
	uint32_t *points;               /* ascending */
	struct exporter_ref *exporters; /* ascending: exporter_order */
	bool has_networks;
	struct ranges networks;
};

struct snapshot {
	unsigned holds;
	uint64_t number;
	size_t ntenants, npoints, ngroups, nnarrowed;
	struct tenant *tenants;  /* ascending by number */
	struct ranges *networks; /* of each tenant; n 0: it names none */
	char (*points)[64];      /* ascending by name; number 1 is points[0] */
	struct group *groups;
	uint32_t *bucket; /* group + 1, or 0; open addressing by place_hash */
	uint32_t bucket_mask;
	uint32_t nmasks, mask[PLACE_MASKS]; /* that there are groups of, the most particular first */
	struct narrowed *narrowed;          /* ascending by number */
	size_t nremoved, nwatched;
	uint32_t *removed; /* ascending */
	struct watched_item *watched;
};

/* A document as it was read: lists of our own. */
struct document {
	size_t nselectors, nnarrowings;
	struct tenant_selector *selectors;
	struct narrowing *narrowings;
};

/* s has its tenants. */
void snapshot_compile(struct snapshot *s, const struct document *d);
void snapshot_compile_narrowings(struct snapshot *s, const struct document *d);
uint64_t place_hash(const struct place *p);
int exporter_order(const void *a, const void *b);

#endif
