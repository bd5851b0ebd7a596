/*
 * What history knows of tenants: which there are, and what each may keep. The policy says so, in any thread;
 * the thread that writes takes it over between two commits.
 */
#ifndef WEIR_STORE_HISTORY_TENANTS_H
#define WEIR_STORE_HISTORY_TENANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct history;
struct tenants;

/* 0: no limit. */
struct tenant_limits {
	uint32_t tenant;
	int64_t keep_ns;       /* of flows, by their end */
	uint64_t stored_bytes; /* of blocks of its own */
};

/*
 * All tenants, and those that were removed, each in order of their numbers, by policy number `policy`, which
 * is not 0. What those kept is deleted for good; what a tenant kept that is neither stays: then an older
 * database of accounts was put back, or another one.
 */
struct tenants_said {
	const struct tenant_limits *tenant;
	size_t n;
	const uint32_t *removed;
	size_t nremoved;
};
void history_tenants(struct history *h, const struct tenants_said *said, uint64_t policy);

/* Of one tenant: bytes that it has, as of the last sweep, and rows that its limits have taken since the
 * start. Any thread. */
void history_tenant_counts(struct history *h, uint32_t tenant, uint64_t *bytes, uint64_t *forgotten);

/* --- the writer's own --- */

struct tenants *tenants_new(void);
void tenants_free(struct tenants **t);
/* Takes over what the policy said last; true where a tenant went. */
bool tenants_take(struct history *h);
/* Whether nothing of it is to be kept. */
bool tenants_is_gone(const struct tenants *t, uint32_t tenant);
/* How long it keeps flows, as a class (catalogue.h). */
unsigned tenants_retention(const struct tenants *t, uint32_t tenant);
/* Whether rows that end then are too old for it at `at_ns`. */
bool tenants_is_old(const struct tenants *t, uint32_t tenant, int64_t last_ns, int64_t at_ns);
/* Rows that end before it are not kept any more; INT64_MIN: all are. */
int64_t tenants_floor(const struct tenants *t, uint32_t tenant, int64_t now_ns);

/* A sweep counts every block of a tenant; from what it counted, the next one knows which are too many. */
void tenants_count(struct tenants *t, uint32_t tenant, int64_t most_last_ns, uint64_t bytes);
void tenants_forgot(struct tenants *t, uint32_t tenant, uint64_t rows);
/* True where something is too much: another sweep is due. */
bool tenants_swept(struct tenants *t);

#endif
