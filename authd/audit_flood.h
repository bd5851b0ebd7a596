/*
 * Keeps strangers from filling the audit log. Failures are written one by one while there are few; what the
 * throttle held back, and everything while the budget is used up, is only counted, by address, and told once
 * a minute. No failure is left out of the counts. Pure: times come from the caller (clock_boot_ns).
 */
#ifndef WEIR_AUTHD_AUDIT_FLOOD_H
#define WEIR_AUTHD_AUDIT_FLOOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

#define FLOOD_ROWS     32  /* addresses that are counted apart in one minute; the rest is counted together */
#define FLOOD_BUDGET   600 /* entries that failures may take at once */
#define FLOOD_REFILL_S 60  /* and one more each */
#define FLOOD_TELL_S   60

struct flood_row {
	struct ip_addr network; /* IPv6: a client has a whole /64; what came without an address: zeros */
	uint64_t count;
};

struct audit_flood {
	uint32_t budget;
	int64_t refilled_ns, begun_ns; /* begun: when the counts began; 0: there are none */
	size_t nrows;
	struct flood_row row[FLOOD_ROWS];
	uint64_t others; /* failures from further addresses */
};

void flood_begin(struct audit_flood *f, int64_t now_ns);
/* Whether this one is to be written as an entry of its own; otherwise it was counted. */
bool flood_admit(struct audit_flood *f, const struct ip_addr *address, bool held_back, int64_t now_ns);
/* Whether the counts are to be told now. */
bool flood_due(const struct audit_flood *f, int64_t now_ns);

/* One entry that tells: network NULL for those of several addresses together. */
typedef bool flood_tell(void *ctx, const struct ip_addr *network, uint64_t count);
/* Tells every count, addresses apart while the budget lasts and the rest in one. Counts that tell refused
 * stay for the next time. */
void flood_settle(struct audit_flood *f, int64_t now_ns, flood_tell *tell, void *ctx);

#endif
