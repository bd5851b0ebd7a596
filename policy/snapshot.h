/*
 * The policy snapshot: every tenant with its selectors, and every narrowing that a grant can name, numbered
 * and signed by authd, compiled by store into a form that it evaluates for each flow. Pure: no I/O, no state.
 */
#ifndef WEIR_POLICY_SNAPSHOT_H
#define WEIR_POLICY_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define TENANT_PLATFORM                0u /* no tenant: things of the platform, and grants that span all tenants */
#define TENANT_UNASSIGNED              UINT32_MAX /* flows that no tenant selects: the platform sees them */
#define TENANT_NAME_MAX                64
#define TENANT_TITLE_MAX               128
#define TENANT_SPACES_MAX              8
#define SNAPSHOT_TENANTS_MAX           4096
#define SNAPSHOT_SELECTORS_MAX         65536
#define SNAPSHOT_NARROWINGS_MAX        65536
#define SNAPSHOT_NARROWING_ENTRIES_MAX 262144 /* interfaces, exporters and networks of all of them */
#define SNAPSHOT_WATCHED_MAX           8192
#define SNAPSHOT_REMOVED_MAX           16384
#define SNAPSHOT_BYTES_MAX             (32u << 20)

/* A selector matches a flow where every given part matches. All parts empty: everything of the tenant's
 * address spaces. */
struct tenant_selector {
	uint32_t tenant;
	char point[64];      /* name of an observation point, exact; "": any */
	uint32_t vlan;       /* UINT32_MAX: any */
	uint8_t has_network; /* 1: one end lies within network */
	struct ip_prefix network;
	uint8_t has_exporter;  /* 1: exporter said so */
	uint8_t has_interface; /* 1: it came or went by this one of the exporter's interfaces */
	struct ip_addr exporter;
	uint32_t interface; /* ifIndex */
};

/* Resolutions of series: 1 min, 5 min, 1 h, 1 d. */
#define TENANT_KEEPS 4u

/* 0: no limit. */
struct tenant_quota {
	uint64_t flows_per_s;  /* flows that begin */
	uint64_t stored_bytes; /* of history */
	uint64_t retention_s;  /* of history: shorter than the platform's */
	uint64_t series;       /* different ones */
	/* How long its points are kept, by resolution, where that is shorter than the platform's. */
	uint64_t keep_s[TENANT_KEEPS];
};

struct tenant {
	uint32_t number; /* 1 and up, never reused */
	char name[TENANT_NAME_MAX];
	char title[TENANT_TITLE_MAX]; /* for people; may be empty */
	struct tenant_quota quota;
	uint32_t nspaces, space[TENANT_SPACES_MAX]; /* address spaces that its selectors look at; none: all */
};

struct exporter_ref {
	struct ip_addr ip;
	uint8_t has_interface; /* 0: all its interfaces */
	uint32_t interface;    /* ifIndex */
};

/*
 * A part of a tenant. A flow is admitted where it was seen at one of the places (interfaces and exporters
 * together; none of either: all places) and has an end in one of the networks (none: all).
 */
struct narrowing {
	uint32_t number; /* 1 and up, never reused for another content */
	bool masked;     /* remote addresses are hidden */
	size_t ninterfaces, nexporters, nnetworks;
	char (*interfaces)[64]; /* names of observation points, exact */
	const struct exporter_ref *exporters;
	const struct ip_prefix *networks;
};

/* What a tenant watches (TENANT_PLATFORM: the platform): its series have points of seconds. */
enum watched_kind { WATCHED_HOST = 1, WATCHED_NETWORK, WATCHED_KIND_COUNT };
struct watched_item {
	uint32_t tenant;
	uint32_t kind;         /* enum watched_kind */
	uint32_t space, vlan;  /* of a host, else 0 */
	struct ip_prefix what; /* of a host all 128 bits */
};

/* Builds a document: authd's side. What is given is copied. */
struct snapshot_builder;
struct snapshot_builder *snapshot_builder_new(uint64_t number);
bool snapshot_add_tenant(struct snapshot_builder *b, const struct tenant *t);
bool snapshot_add_selector(struct snapshot_builder *b, const struct tenant_selector *s);
bool snapshot_add_narrowing(struct snapshot_builder *b, const struct narrowing *n);
/* A tenant that was removed, whose number nobody has: what is kept of it is to go. */
bool snapshot_add_removed(struct snapshot_builder *b, uint32_t number);
bool snapshot_add_watched(struct snapshot_builder *b, const struct watched_item *w);
/* The signed document, to be freed by the caller; NULL where something was out of bounds. Frees *b. */
uint8_t *snapshot_finish(struct snapshot_builder **b, const uint8_t secret[static 64], size_t *len);

/* Frees one that no document is wanted of. */
void snapshot_builder_free(struct snapshot_builder **b);

/* The compiled form: store's side. */
struct snapshot;
/* Verifies and compiles; NULL where it is forged or malformed. */
struct snapshot *snapshot_open(const uint8_t *bytes, size_t len, const uint8_t (*keys)[32], size_t nkeys);
/* One more who has to free it: counted, not copied. Both by one thread; any thread may evaluate it meanwhile.
 */
struct snapshot *snapshot_hold(struct snapshot *s);
void snapshot_free(struct snapshot **s);
uint64_t snapshot_number(const struct snapshot *s);
size_t snapshot_tenants(const struct snapshot *s);
const struct tenant *snapshot_tenant_at(const struct snapshot *s, size_t i);
const struct tenant *snapshot_tenant(const struct snapshot *s, uint32_t number);

/* Number that a point of this name has in this snapshot, exact; 0: nothing names it. Look it up once. */
uint32_t snapshot_point(const struct snapshot *s, const char *name);

/* Where a flow was seen. */
struct vantage {
	uint32_t point; /* snapshot_point */
	uint32_t space, vlan;
	struct ip_addr exporter;              /* zero: none, it was seen here */
	uint32_t in_interface, out_interface; /* the exporter's; 0 unknown */
};

struct tenant_match {
	uint32_t primary;   /* TENANT_UNASSIGNED where none selects it */
	uint32_t secondary; /* the other end's tenant; 0: none */
};
/* The tenants of a flow: of those whose selectors match, the most specific network wins for each end (client
 * first), then the one that says more of the place: point, exporter, its interface, VLAN, address space. */
struct tenant_match snapshot_match(const struct snapshot *s, const struct vantage *at,
				   const struct ip_addr *client, const struct ip_addr *server);
/* The tenant that selects everything that the observation point sees, and so may see the point's own totals;
 * 0: none does. */
uint32_t snapshot_point_owner(const struct snapshot *s, uint32_t point, uint32_t space);
/* Whether the tenant's selectors name any network, and whether one of these holds ip. */
bool snapshot_has_networks(const struct snapshot *s, uint32_t tenant);
bool snapshot_in_networks(const struct snapshot *s, uint32_t tenant, const struct ip_addr *ip);
/* The longest of the tenant's networks that holds ip: false where none does. */
bool snapshot_network(const struct snapshot *s, uint32_t tenant, const struct ip_addr *ip,
		      struct ip_prefix *network);

/* Tenants that were removed, ascending: *n of them, the snapshot's. A number that is neither here nor a
 * tenant's is of one that authd does not know: of another database of accounts. */
const uint32_t *snapshot_removed(const struct snapshot *s, size_t *n);
/* What is watched, by all: *n of them, the snapshot's. */
const struct watched_item *snapshot_watched(const struct snapshot *s, size_t *n);

/* A narrowing as it is evaluated; NULL where the snapshot has none of this number. */
struct narrowed;
const struct narrowed *snapshot_narrowing(const struct snapshot *s, uint32_t number);
bool narrowed_admits(const struct narrowed *n, const struct vantage *at, const struct ip_addr *client,
		     const struct ip_addr *server);
bool narrowed_masks(const struct narrowed *n);
/* It names nothing and so admits everything; it may mask. */
bool narrowed_is_whole(const struct narrowed *n);
/* Whether it admits all flows with an end in the network, wherever they are seen. */
bool narrowed_holds(const struct narrowed *n, const struct ip_prefix *network);
/* Whether it admits all flows that the exporter told of; has_interface: those of one of its interfaces. */
bool narrowed_holds_exporter(const struct narrowed *n, const struct exporter_ref *e);
/* Whether it admits everything that is seen at the point (named so, in the snapshot), or nothing that is. */
enum narrowed_part { NARROWED_NONE, NARROWED_SOME, NARROWED_ALL };
enum narrowed_part narrowed_point(const struct narrowed *n, uint32_t point);

#endif
