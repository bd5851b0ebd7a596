/*
 * The policy snapshot: every tenant with its selectors, numbered and signed by authd, compiled by store into
 * a form that it evaluates for each flow. Pure: no I/O, no state.
 */
#ifndef WEIR_POLICY_SNAPSHOT_H
#define WEIR_POLICY_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define TENANT_PLATFORM        0u /* no tenant: things of the platform, and grants that span all tenants */
#define TENANT_UNASSIGNED      UINT32_MAX /* flows that no tenant selects: the platform sees them */
#define TENANT_NAME_MAX        64
#define SNAPSHOT_TENANTS_MAX   4096
#define SNAPSHOT_SELECTORS_MAX 65536
#define SNAPSHOT_BYTES_MAX     (16u << 20)

/* A selector matches a flow where every given part matches. All parts empty: everything. */
struct tenant_selector {
	uint32_t tenant;
	char point[64];      /* name of an observation point, exact; "": any */
	uint32_t vlan;       /* UINT32_MAX: any */
	uint8_t has_network; /* 1: one end lies within network */
	struct ip_prefix network;
};

struct tenant {
	uint32_t number; /* 1 and up, never reused */
	char name[TENANT_NAME_MAX];
};

/* Builds a document: authd's side. */
struct snapshot_builder;
struct snapshot_builder *snapshot_builder_new(uint64_t number);
bool snapshot_add_tenant(struct snapshot_builder *b, const struct tenant *t);
bool snapshot_add_selector(struct snapshot_builder *b, const struct tenant_selector *s);
/* The signed document, to be freed by the caller; NULL where something was out of bounds. Frees *b. */
uint8_t *snapshot_finish(struct snapshot_builder **b, const uint8_t secret[static 64], size_t *len);

/* The compiled form: store's side. */
struct snapshot;
/* Verifies and compiles; NULL where it is forged or malformed. */
struct snapshot *snapshot_open(const uint8_t *bytes, size_t len, const uint8_t (*keys)[32], size_t nkeys);
void snapshot_free(struct snapshot **s);
uint64_t snapshot_number(const struct snapshot *s);
size_t snapshot_tenants(const struct snapshot *s);
const struct tenant *snapshot_tenant_at(const struct snapshot *s, size_t i);
const struct tenant *snapshot_tenant(const struct snapshot *s, uint32_t number);

struct tenant_match {
	uint32_t primary;   /* TENANT_UNASSIGNED where none selects it */
	uint32_t secondary; /* the other end's tenant; 0: none */
};
/* The tenants of a flow: of those whose selectors match, the most specific network wins for each end (client
 * first). */
struct tenant_match snapshot_match(const struct snapshot *s, const char *point, uint32_t vlan,
				   const struct ip_addr *client, const struct ip_addr *server);
/* Whether one tenant selects everything that the observation point sees: it may then see the point's own
 * totals. */
bool snapshot_owns_point(const struct snapshot *s, uint32_t tenant, const char *point);

#endif
